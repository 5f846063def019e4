"""The exports of a window: what could be exported, and the one that runs.

Everything slow is a background job. The project is only read; painting goes on meanwhile.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from segstudio.core.classes import ClassMap
from segstudio.engine.flow import CancelToken
from segstudio.errors import Cancelled, SegStudioError
from segstudio.formats.options import Option, Values
from segstudio.formats.report import ExportReport, Progress
from segstudio.ui.bridge.background import Job
from segstudio.ui.exchange.one_job import OneJob

if TYPE_CHECKING:
    from segstudio.engine.exchange.splits import Splits
    from segstudio.store.project import FrameKey, Project

Shares: TypeAlias = tuple[float, float, float]
"""Of train, val and test."""

STAGES = {
    "writing": "Writing",
    "lists": "Writing the lists",
    "reading back": "Reading back",
    "packing": "Packing the zip file",
}
"""What a person reads, by the stage of a Progress."""

_EVERY = 0.02
"""Steps of the bar that are worth a redraw."""


@dataclass(frozen=True, slots=True)
class FormatFacts:
    """A format that can be written, without the code that writes it."""

    name: str
    title: str
    about: str
    is_exact: bool
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class Available:
    """What of a project could be exported. frames: scope → frames. clips: their media."""

    frames: dict[str, int]
    clips: int
    classes: ClassMap


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a division would bring. splits: split → frames. left_out: too near to a cut. empty:
    splits that were asked for and get no frame. notes: why, in sentences."""

    splits: dict[str, int]
    left_out: int = 0
    empty: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """ "37 train, 20 val, 44 left out", and the sentences."""
        parts = [f"{number:,} {split}" for split, number in self.splits.items()]
        parts += [f"0 {split}" for split in self.empty]
        parts += [f"{self.left_out:,} left out"] if self.left_out else []
        return [", ".join(parts), *self.notes]


@dataclass(frozen=True, slots=True)
class ExportOrder:
    """What a person wants. shares: of train, val and test, None for all in one. media: only
    these. keys: only these frames."""

    format: str
    options: Values
    scope: str
    target: Path
    shares: Shares | None = None
    pictures: str = "copy"
    zipped: bool = False
    is_resuming: bool = False
    is_proven: bool = True
    media: tuple[int, ...] | None = None
    keys: "tuple[FrameKey, ...] | None" = field(default=None)


class Exporter(OneJob):
    """One export at a time; `finished` brings an ExportReport, what was finished stays when it is
    stopped."""

    def start(self, project: "Project", order: ExportOrder) -> None:
        """Begin; nothing happens while another one runs."""
        self.begin("export", lambda job, token: run(project, order, job, token))


def run(
    project: "Project", order: ExportOrder, job: Job, token: CancelToken
) -> ExportReport | None:
    """The whole of it, in a job's thread; None when it was stopped.

    The project is opened once more: it may be closed in the window before the export is done.
    """
    from segstudio.engine.exchange.exporting import export_project
    from segstudio.store.project import Project

    shown = [-1.0]

    def progress(now: Progress) -> None:
        half = 0.5 if order.is_proven else 1.0
        share = now.done / max(now.total, 1)
        fraction = half * share if now.stage == "writing" else half
        if now.stage == "reading back":
            fraction = half + half * share
        if abs(fraction - shown[0]) >= _EVERY or share >= 1:
            shown[0] = fraction
            count = f" frame {now.done:,} of {now.total:,}" if now.total > 1 else ""
            job.report(fraction, f"{STAGES.get(now.stage, now.stage)}{count}")

    own = None
    if not project.waiting:  # what is not on the disk yet, only it knows
        own = Project.open(project.path, read_only=True)
    try:
        return export_project(
            own or project,
            order.target,
            order.format,
            options=order.options,
            scope=order.scope,
            media=order.media,
            keys=order.keys,
            splits=splits_of(order),
            pictures=order.pictures,
            zipped=order.zipped,
            existing="resume" if order.is_resuming else "refuse",
            proof=order.is_proven,
            should_stop=lambda: token.cancelled or job.token.cancelled,
            progress=progress,
        )
    except Cancelled:
        return None
    finally:
        if own is not None:
            own.close()


def splits_of(order: ExportOrder) -> "Splits | None":
    """As the engine takes them."""
    from segstudio.engine.exchange.splits import Splits

    return None if order.shares is None else Splits(order.shares)


def formats_that_write() -> tuple[FormatFacts, ...]:
    """Every format that can be written, those that lose nothing first. In a job: it imports them
    all."""
    from segstudio.formats.registry import FORMATS

    kinds = [FORMATS.get(name) for name in FORMATS]
    found = [
        FormatFacts(k.name, k.title, k.about, k.is_exact, k.writes_with)
        for k in kinds
        if k.can_write
    ]
    first = ("index_png", "cityscapes", "coco", "voc")
    order = {name: number for number, name in enumerate(first)}
    return tuple(sorted(found, key=lambda f: (order.get(f.name, len(first)), f.title.lower())))


def available(project: "Project") -> Available:
    """Counted from what the project knows of its frames; no label is read."""
    from segstudio.engine.exchange.frames import is_in

    scopes = ("confirmed", "human", "labelled")
    frames = dict.fromkeys(scopes, 0)
    clips = 0
    for record in project.media():
        found = project.frames(record.id)
        clips += bool(found)
        for summary in found:
            for scope in scopes:
                frames[scope] += is_in(summary, scope)
    return Available(frames, clips, project.classes)


def outlook(project: "Project", scope: str, shares: Shares) -> Outlook:
    """What dividing by clip would bring, by the code that divides. Not in the window's thread."""
    from segstudio.engine.exchange.frames import ProjectFrames, is_in
    from segstudio.engine.exchange.splits import Splits

    splits = Splits(shares)
    frames = ProjectFrames(project, scope, splits=splits)
    known = (summary for record in project.media() for summary in project.frames(record.id))
    total = sum(is_in(summary, scope) for summary in known)
    found = {name: number for name, number in frames.splits.items() if name}
    empty = tuple(name for name in splits.asked if name not in found)
    return Outlook(found, total - len(frames), empty, frames.notes)


def cannot_carry(name: str, classes: ClassMap, options: Values) -> tuple[str, ...]:
    """What the format does not carry of these classes, sentences; also why it refuses them."""
    from segstudio.formats.registry import FORMATS

    try:
        writer: Any = FORMATS.get(name).writer(classes, options)
    except SegStudioError as error:
        return (str(error),)
    return tuple(writer.cannot)
