"""What people corrected in a project, written out once so that a run always learns the same.

The project goes on being edited while a run trains and may be gone when it is resumed. So its
frames are copied into the run's folder first (pictures, labels and origins as PNG), and the
manifest that is written last says that all of it is there. Origins are kept instead of weights:
they tell too where a human painted, and the weights follow from them.
"""

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import zstandard
from numpy.typing import NDArray

from segstudio.atomic import atomic_write
from segstudio.core.classes import VOID, ClassMap
from segstudio.core.origins import CONFIRMED, PAINTED
from segstudio.core.steps import TILE
from segstudio.core.tally import CORRECTED
from segstudio.errors import Cancelled, SegStudioError
from segstudio.media.images import read_image
from segstudio.store.masks import read_mask, write_mask, write_picture
from segstudio.store.pairs import Pair
from segstudio.store.project import FrameSummary, MediaRecord, Project, StoredFrame
from segstudio.train.corrected_media import MediaFrames, clip_of
from segstudio.train.labelled import LabelledFrame, OriginWeights

Which: TypeAlias = Literal["confirmed", "painted", "weighted"]
"""confirmed: frames that a human confirmed whole. painted: every pixel that a human painted or
confirmed, in any frame. weighted: every labelled pixel, counted by its origin."""

VERSION = 1


@dataclass(frozen=True, slots=True)
class CorrectedSample:
    """One frame. name: stem of its three files. media: fingerprint of what it is from.

    media and index say where in which file it can be found again. clip, place, time_s: see
    splits.Placed. pixels: how many can be learned from; painted: how many of them a human painted.
    is_reference, drafted_by: see core.tally.Standing; a copy of an older version does not know.
    """

    name: str
    media: str
    title: str
    index: int
    clip: str
    place: int
    time_s: float | None
    height: int
    width: int
    pixels: int
    painted: int
    is_reference: bool = False
    drafted_by: str = ""

    @property
    def may_grade(self) -> bool:
        """Whether its labels are a human's word: enough of it is painted, or it was confirmed
        without ever having been a model's draft.
        """
        if self.painted >= CORRECTED * self.pixels:
            return True
        return self.is_reference and not self.drafted_by


@dataclass(frozen=True, slots=True)
class CorrectedSet:
    """Frames on the disk; a LabelledSource. `chosen` makes a part of it.

    folder: holds pictures/, labels/ and origins/. classes: what the labels mean. fingerprint: hex,
    equal for equal classes, media, labels and rule. notes: sentences about what was left out.
    """

    folder: Path
    which: Which
    weights: OriginWeights
    classes: ClassMap
    samples: tuple[CorrectedSample, ...]
    fingerprint: str
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """For people."""
        return "corrected frames"

    def __len__(self) -> int:
        return len(self.samples)

    def chosen(self, samples: tuple[CorrectedSample, ...]) -> "CorrectedSet":
        """The same set with these frames only."""
        return replace(self, samples=samples)

    def read(self, number: int) -> LabelledFrame:
        """Frame `number`, with weights by origin."""
        pair = self.pair(self.samples[number])
        rgb, labels = read_image(pair.picture), read_mask(pair.labels)
        origin = read_mask(self.folder / "origins" / f"{pair.name}.png")
        weights = np.where(labels == VOID, 0, self.weights.table()[origin]).astype(np.uint8)
        return LabelledFrame(rgb, labels, weights, (origin == PAINTED) & (weights > 0))

    def labels(self, number: int) -> NDArray[np.uint8]:
        """Of frame `number`; void where its pixels do not count."""
        pair = self.pair(self.samples[number])
        return np.asarray(read_mask(pair.labels), np.uint8)

    def pair(self, sample: CorrectedSample) -> Pair:
        """Picture and labels, as validation reads them."""
        file = f"{sample.name}.png"
        return Pair(sample.name, self.folder / "pictures" / file, self.folder / "labels" / file, "")


def corrected_frames(project: Project, which: Which) -> tuple[FrameSummary, ...]:
    """The frames of a project that would be trained on, by media and index; reads no pixels."""
    frames = (s for record in project.media() for s in project.frames(record.id))
    if which == "confirmed":
        return tuple(s for s in frames if s.standing.is_reference)
    least = PAINTED if which == "painted" else 1
    return tuple(s for s in frames if any(s.counts[least:]))


def no_judges(drafts: int, *, of: int) -> str:
    """What people are told of held-out frames that are drafts, `drafts` of so many; "" for none."""
    if not drafts:
        return ""
    is_one = drafts == 1
    text = (
        f"{drafts} held-out frame{'' if is_one else 's'} {'is a draft' if is_one else 'are drafts'}"
        f" that nobody corrected, so {'it grades' if is_one else 'they grade'} no model"
    )
    if drafts < of:
        return f"{text}."
    return f"{text}; none is left, so nothing is judged and the last weights are kept."


def may_grade(summary: FrameSummary) -> bool:
    """What CorrectedSample.may_grade will say of that frame, without reading a pixel."""
    painted, confirmed = summary.counts[PAINTED], summary.counts[CONFIRMED]
    by_hand = painted + min(summary.about.by_hand or 0, confirmed)
    if by_hand >= CORRECTED * (painted + confirmed):
        return True
    return summary.standing.is_reference and not summary.about.drafted_by


def extract(
    project_path: Path,
    folder: Path,
    *,
    which: Which = "confirmed",
    weights: OriginWeights | None = None,
    tell: Callable[[int, int], None] = lambda _done, _of: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> CorrectedSet:
    """The corrected frames of a project, copied into `folder`; as they are there already, if so.

    tell: frames done, of how many. Media that are not found are left out and named in the notes.
    SegStudioError when nothing is left to train on, or when the folder was made by another rule.
    """
    if which not in get_args(Which):
        known = ", ".join(get_args(Which))
        raise SegStudioError(f"There is no training set '{which}'; choose one of {known}.")
    weights = weights or OriginWeights()
    if (folder / "manifest.json").is_file():
        found = load(folder)
        if (found.which, found.weights) != (which, weights):
            raise SegStudioError(
                f"The run in {folder.parent.name} began with other pixels or weights"
                f" ({found.which}); start a new run to change them."
            )
        return found
    for part in ("pictures", "labels", "origins"):  # of an extraction that did not end
        shutil.rmtree(folder / part, ignore_errors=True)
    project = Project.open(project_path, read_only=True)
    try:
        made = _extracted(project, CorrectedSet(folder, which, weights, project.classes, (), ""),
                          tell, should_stop)  # fmt: skip
    finally:
        project.close()
    atomic_write(folder / "manifest.json", json.dumps(_to_json(made), indent=1).encode())
    return made


def load(folder: Path) -> CorrectedSet:
    """What `extract` wrote; SegStudioError when it is not there or damaged."""
    try:
        return _of_json(folder, json.loads((folder / "manifest.json").read_text("utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SegStudioError(
            f"The corrected frames of this run in {folder} cannot be read ({error}); delete that"
            " folder to take them from the project again."
        ) from error


def _of_json(folder: Path, content: dict[str, Any]) -> CorrectedSet:
    if content["version"] != VERSION:
        raise ValueError(f"version {content['version']}")
    return CorrectedSet(
        folder,
        content["which"],
        OriginWeights(**content["weights"]),
        ClassMap.from_json(content["class_set"], content["classes"]),
        tuple(CorrectedSample(**row) for row in content["samples"]),
        str(content["fingerprint"]),
        tuple(content["notes"]),
    )


def _to_json(made: CorrectedSet) -> dict[str, Any]:
    return {
        "version": VERSION,
        "which": made.which,
        "weights": asdict(made.weights),
        "class_set": made.classes.name,
        "classes": made.classes.to_json(),
        "fingerprint": made.fingerprint,
        "notes": made.notes,
        "samples": [asdict(sample) for sample in made.samples],
    }


def _extracted(
    project: Project,
    made: CorrectedSet,
    tell: Callable[[int, int], None],
    should_stop: Callable[[], bool],
) -> CorrectedSet:
    wanted = corrected_frames(project, made.which)
    samples: list[CorrectedSample] = []
    empty, media, done, damaged = 0, MediaFrames(project), 0, []
    rule = {"which": made.which, "weights": asdict(made.weights), "set": made.classes.to_json()}
    digest = hashlib.sha256(json.dumps(rule).encode())
    for record in project.media():
        summaries = [s for s in wanted if s.key.media == record.id]
        for summary, rgb in media.read(record, summaries):
            if should_stop():
                raise Cancelled
            done += 1
            tell(done, len(wanted))
            try:
                labels, origin = _learnable(project, summary, made)
            except SegStudioError as error:
                damaged.append(str(error))
                continue
            if not (labels != VOID).any():
                empty += 1
                continue
            samples.append(_written(made, record, summary, rgb, labels, origin))
            told = f"{record.fingerprint} {summary.key.index} {summary.about.fingerprint}"
            digest.update(told.encode() + labels.tobytes() + origin.tobytes())
    notes = (*media.notes(wanted), *damaged)
    if empty:
        are = "frame has" if empty == 1 else "frames have"
        notes = (*notes, f"{empty} {are} no labelled pixel to learn from.")
    if not samples:
        raise SegStudioError(_nothing(project.path.name, made.which, notes))
    return replace(made, samples=tuple(samples), fingerprint=digest.hexdigest()[:32], notes=notes)


def _learnable(
    project: Project, summary: FrameSummary, made: CorrectedSet
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """labels, origin: uint8 (H, W). Void where nothing is learned.

    Confirming makes painted pixels confirmed ones; those that a human painted are painted again.
    """
    stored = project.load(summary.key)
    if stored is None:  # never: it is on the list of frames
        raise SegStudioError(f"Frame {summary.key.index} has no labels; label it again.")
    origin = stored.origin.copy()
    if (origin == CONFIRMED).any():
        origin[_painted_once(project, stored) & (origin == CONFIRMED)] = PAINTED
    weighed = made.weights.table()[origin] > 0
    if made.which != "weighted":
        weighed &= origin >= PAINTED
    return np.where(weighed, stored.labels, VOID).astype(np.uint8), origin


def _painted_once(project: Project, stored: StoredFrame) -> NDArray[np.bool_]:
    """bool (H, W): pixels that some step of the history left as painted by a human."""
    painted = np.zeros(stored.labels.shape, np.bool_)
    unpack = zstandard.ZstdDecompressor()
    key, position = stored.summary.key, stored.summary.position
    for number in range(position):
        try:
            step = project.step(key, number)
        except SegStudioError:  # a shortened history: corrections are only looked at more often
            continue
        for tile in step.tiles:
            y, x = tile.row * TILE, tile.col * TILE
            there = painted[y : y + TILE, x : x + TILE]
            raw = unpack.decompress(tile.after, max_output_size=2 * there.size)
            there |= np.frombuffer(raw, np.uint8).reshape(2, *there.shape)[1] == PAINTED
    return painted


def _written(
    made: CorrectedSet,
    record: MediaRecord,
    summary: FrameSummary,
    rgb: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    origin: NDArray[np.uint8],
) -> CorrectedSample:
    """The three files, and what the manifest says of them."""
    name = f"clip{record.id}_{summary.key.index:06d}"
    write_picture(made.folder / "pictures" / f"{name}.png", rgb)
    write_mask(made.folder / "labels" / f"{name}.png", labels, made.classes.palette())
    write_mask(made.folder / "origins" / f"{name}.png", origin, None)
    known = labels != VOID
    time_us = summary.about.time_us
    clip, place = clip_of(record, summary.key.index)
    return CorrectedSample(
        name, record.fingerprint, record.title, summary.key.index, clip, place,
        None if time_us is None else time_us / 1e6, labels.shape[0], labels.shape[1],
        int(np.count_nonzero(known)), int(np.count_nonzero(known & (origin == PAINTED))),
        summary.standing.is_reference, summary.about.drafted_by,
    )  # fmt: skip


def _nothing(name: str, which: Which, notes: tuple[str, ...]) -> str:
    """Why there is nothing, and what to do."""
    if notes:
        return f"Nothing in {name} can be trained on: {' '.join(notes)}"
    lacks, remedy = {
        "confirmed": ("confirmed frame", "confirm some frames, or train on painted pixels"),
        "painted": ("painted pixel", "correct some frames first"),
        "weighted": ("labelled pixel", "label some frames first"),
    }[which]
    return f"There is no {lacks} in {name} to train on; {remedy}."
