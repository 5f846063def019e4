"""What several processes measured, each on its turn of the frames, as if one had seen them all.

Counts of pixels are sums of whole numbers, so the merged confusion matrix is that of one process.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from segstudio.cli.reference import Frames, file_of
from segstudio.cli.report import Json
from segstudio.core.confusion import Counts
from segstudio.core.instances import Records
from segstudio.engine.ranks import Rank, gathered
from segstudio.store.pairs import Pair

if TYPE_CHECKING:  # torch comes when the work starts
    from segstudio.cli.measuring import Measured
    from segstudio.core.boundary import OutlineCounts
    from segstudio.engine.evaluate import Contestant


@dataclass(slots=True)
class _Part:
    """What one process found: of frames, as in Frames; of models, as in Measured and Contestant."""

    skipped: list[Json]
    spoilt: list[Json]
    decode_ms: list[float]
    used: int
    outlines: dict[str, "list[OutlineCounts]"]
    instances: dict[str, dict[str, Records]]
    runners: list["_Answers"]


@dataclass(slots=True)
class _Answers:
    counts: dict[str, Counts]
    stages: dict[str, list[float]]
    notes: dict[str, None]
    input_size: tuple[int, int] | None
    peak_mb: float | None
    failed: str


@dataclass(slots=True)
class Turn:
    """Which frames this process takes. Before: `take`; after: `merge`."""

    rank: Rank
    _pairs: list[Pair] = field(default_factory=list)
    _skipped: int = 0

    def take(self, frames: Frames) -> None:
        """Leaves this process's frames in `frames`."""
        self._pairs, self._skipped = frames.pairs, len(frames.skipped)
        frames.pairs = frames.pairs[self.rank.number :: self.rank.of]

    def merge(self, found: "Measured", runners: "list[Contestant]") -> None:
        """In the first process: everything that all processes found, in the order of the frames."""
        frames = found.frames
        frames.pairs = self._pairs
        if self.rank.is_alone:
            return
        mine = _Part(
            frames.skipped[self._skipped :],
            frames.spoilt,
            frames.decode_ms,
            frames.used,
            found.outlines,
            found.instances,
            [
                _Answers(r.counts, r.stages, r.notes, r.input_size, r.peak_mb, r.failed)
                for r in runners
            ],
        )
        place = {file_of(pair): i for i, pair in enumerate(self._pairs)}
        for theirs in gathered(mine, self.rank)[1:]:
            frames.skipped += theirs.skipped
            frames.spoilt += theirs.spoilt
            frames.decode_ms += theirs.decode_ms
            frames.used += theirs.used
            for name, outlines in theirs.outlines.items():
                found.outlines.setdefault(name, []).extend(outlines)
            for name, records in theirs.instances.items():
                found.instances.setdefault(name, {}).update(records)
            for runner, answers in zip(runners, theirs.runners, strict=True):
                _add(runner, answers)
        for rows in (frames.skipped, frames.spoilt):
            rows.sort(key=lambda row: place.get(row["file"], -1))
        for runner in runners:
            ordered = sorted(runner.counts.items(), key=lambda row: place[row[0]])
            runner.counts.clear()  # the same dictionary is known elsewhere
            runner.counts.update(ordered)
        for name, records in found.instances.items():
            found.instances[name] = dict(sorted(records.items(), key=lambda row: place[row[0]]))


def _add(runner: "Contestant", more: _Answers) -> None:
    runner.counts.update(more.counts)
    for stage, times in more.stages.items():
        runner.stages[stage] += times
    runner.notes.update(more.notes)
    runner.input_size = runner.input_size or more.input_size
    if more.peak_mb is not None:
        runner.peak_mb = max(runner.peak_mb or 0.0, more.peak_mb)
    runner.failed = runner.failed or more.failed
