"""Labels of other programs on their way into the open project: looked at first, then taken in.

Everything slow is a background job. Nothing is written before the person says so.
"""

import logging
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from segstudio.core.classes import ClassMap
from segstudio.core.origins import CONFIRMED, PAINTED, FrameState
from segstudio.engine.flow import CancelToken
from segstudio.errors import Cancelled, SegStudioError
from segstudio.formats.options import Option, Value
from segstudio.formats.report import Progress
from segstudio.ui.bridge.background import Background, Job

if TYPE_CHECKING:
    from segstudio.engine.exchange.import_report import ImportReport
    from segstudio.engine.exchange.planning import ImportPlan, Preview
    from segstudio.store.project import Project

log = logging.getLogger("segstudio.ui")

PREVIEWS = 4
PREVIEW_WIDTH = 200
"""Pixels; a preview is for recognising, not for judging."""


LABEL_SUFFIXES = (".json", ".xml", ".zip", ".jsonl", ".parquet")
"""Files that are no pictures, and that a format may know."""

_SURE = 0.35
"""A folder in which a third of what there is looks like labels is looked at as such."""


def may_be_labels(path: Path) -> bool:
    """Whether it is worth a look: a folder, or a file that is no picture."""
    is_model = (path / "card.json").is_file()
    return (path.is_dir() and not is_model) or path.suffix.lower() in LABEL_SUFFIXES


def are_labels(path: Path) -> bool:
    """Whether a format knows these files as its own. In a job: it reads some of them."""
    from segstudio.formats.files.source import open_files
    from segstudio.formats.recognise import recognise

    source = open_files(path)
    try:
        guesses = recognise(source)
    finally:
        source.close()
    return bool(guesses) and guesses[0].sure >= _SURE


@dataclass(frozen=True, slots=True)
class Look:
    """How files are looked at. format: "" lets them tell. media: only into that medium."""

    files: Path
    format: str = ""
    options: dict[str, Value] = field(default_factory=dict)
    matching: str = "name"
    media: int | None = None


@dataclass(frozen=True, slots=True)
class How:
    """How labels are taken in, as `run_import` takes it."""

    as_: str = "ground_truth"
    model: str = ""
    over_human: bool = False
    leave_out_bad: bool = False
    with_empty: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A frame as it would come in. rgb: uint8 (h, w, 3), labels over the picture; None when it
    cannot be read, why says it."""

    name: str
    rgb: NDArray[np.uint8] | None
    why: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Planned:
    """What an import would do. options: of the format. others: title → name of what else the
    files may be. media: id → title of what the project has. confirmed, human: frames that the files
    have labels for and that are confirmed, and pixels in them that humans painted or confirmed."""

    plan: "ImportPlan"
    title: str
    options: tuple[Option, ...]
    others: dict[str, str]
    previews: tuple[Shown, ...]
    media: dict[int, str]
    confirmed: int
    human: int


class Importer(QObject):
    """One import at a time.

    Signals:
        planned(object): a Planned. failed(str): a sentence. progressed(float, str): 0..1.
        finished(object): an ImportReport. stopped(): by the person; nothing was written.
    """

    planned = Signal(object)
    failed = Signal(str)
    progressed = Signal(float, str)
    finished = Signal(object)
    stopped = Signal()

    def __init__(
        self, background: Background, project: "Project", parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._background, self._project = background, project
        self._job: Job | None = None
        self._token: CancelToken | None = None  # of an import; its end must be told, however it is
        self._is_left = False
        self._now: Planned | None = None

    @property
    def is_busy(self) -> bool:
        """Something is looked at or imported."""
        return self._job is not None

    @property
    def has_plan(self) -> bool:
        """The files were opened, as they were asked for last."""
        return self._now is not None

    @property
    def is_importing(self) -> bool:
        """Labels are being taken in."""
        return self._token is not None

    def look(self, look: Look) -> None:
        """Open the files; what was being looked at before is left. Nothing during an import."""
        if self.is_importing:
            return
        self._close()
        project = self._project
        self._job = self._background.run(
            lambda _: planned(look, project),
            success=self._plan,
            failure=self._fail,
            discard=lambda found: found.plan.close(),
            name="look",
        )

    def map_classes(self, pairs: dict[str, str | None]) -> None:
        """Classes of the files as classes of the project; None: void."""
        if self._now is not None and self._job is None:
            now = self._now
            self._job = self._background.run(
                lambda _: with_plan(now, now.plan.mapped(pairs)),
                success=self._plan,
                failure=self._fail,
                name="map",
            )

    def start(self, how: "How") -> None:
        """Take in what is planned."""
        if self._now is None or self._job is not None:
            return
        plan, project = self._now.plan, self._project
        token = self._token = CancelToken()
        self._job = self._background.run(
            lambda job: taken_in(plan, project, job, token, how),
            success=self._finish,
            failure=self._fail,
            progress=self.progressed.emit,
            name="import",
        )

    def cancel(self) -> None:
        """Stop an import; the project stays as it was, unless all of it is in already."""
        if self._token is not None:
            self._token.cancel()

    def leave(self) -> None:
        """Nobody looks at these files any more. An import is stopped; when it was too late for
        that, `finished` is still told, for the project has changed. Then this object goes."""
        if self._is_left:
            return
        self._is_left = True
        self.cancel()
        if not self.is_importing:
            self._close()
            self.deleteLater()

    def _close(self) -> None:
        if self._job is not None:
            self._job.token.cancel()
            self._job = None
        if self._now is not None:
            self._now.plan.close()
            self._now = None

    def _plan(self, found: Planned) -> None:
        self._job, self._now = None, found
        self.planned.emit(found)

    def _finish(self, report: "ImportReport | None") -> None:
        self._end()
        if report is None:
            self.stopped.emit()
        else:
            self.finished.emit(report)

    def _fail(self, error: Exception) -> None:
        self._end()
        if not isinstance(error, SegStudioError):
            log.error("import failed", exc_info=error)
        self.failed.emit(str(error))

    def _end(self) -> None:
        self._job = self._token = None
        if self._is_left:
            self._close()
            self.deleteLater()


def planned(look: Look, project: "Project") -> Planned:
    """In a job's thread: opens the files and reads some frames."""
    from segstudio.engine.exchange.matching import titles
    from segstudio.engine.exchange.planning import plan_import
    from segstudio.formats.registry import FORMATS

    plan = plan_import(
        look.files,
        project,
        format_name=look.format or None,
        options=look.options,
        matching=look.matching,
        media=look.media,
    )
    kind = FORMATS.get(plan.guess.format)
    others = {FORMATS.get(g.format).title: g.format for g in plan.guesses}
    try:
        found = Planned(
            plan, kind.title, kind.reads_with, others, (), titles(project), *at_stake(plan, project)
        )
        return with_plan(found, plan)
    except BaseException:
        plan.close()
        raise


def at_stake(plan: "ImportPlan", project: "Project") -> tuple[int, int]:
    """Confirmed frames, and pixels of humans, in frames that would get labels."""
    found = (project.summary(each.key) for each in plan.matched if each.key.media >= 0)
    known = [summary for summary in found if summary is not None]
    confirmed = sum(summary.state is FrameState.CONFIRMED for summary in known)
    return confirmed, sum(s.counts[PAINTED] + s.counts[CONFIRMED] for s in known)


def with_plan(found: Planned, plan: "ImportPlan") -> Planned:
    """The same with another plan, whose previews are painted."""
    shown = tuple(painted(p, plan) for p in plan.preview(PREVIEWS))
    return replace(found, plan=plan, previews=shown)


def painted(preview: "Preview", plan: "ImportPlan") -> Shown:
    """Labels over the picture, where there is one, small."""
    from PIL import Image

    if preview.labels is None:
        return Shown(preview.name, None, preview.why)
    colors = plan.classes.palette()[preview.labels]
    small = Image.fromarray(colors).resize(
        (PREVIEW_WIDTH, max(1, round(PREVIEW_WIDTH * colors.shape[0] / colors.shape[1]))),
        Image.Resampling.NEAREST,
    )
    rgb = _under(preview, plan)
    if rgb is not None:
        small = Image.blend(Image.fromarray(rgb).resize(small.size), small, 0.55)
    return Shown(preview.name, np.array(small, np.uint8, order="C"))


def _under(preview: "Preview", plan: "ImportPlan") -> NDArray[np.uint8] | None:
    """The picture that comes with the files; None without one that can be read."""
    from segstudio.media.images import decode_image

    if preview.picture is None:
        return None
    try:
        return decode_image(plan.source.read(preview.picture), preview.picture.name)
    except SegStudioError:
        return None


def taken_in(
    plan: "ImportPlan",
    project: "Project",
    job: Job,
    token: CancelToken,
    how: How,
) -> "ImportReport | None":
    """The import itself, in a job's thread; None when it was stopped."""
    from segstudio.engine.exchange.importing import run_import

    def progress(now: Progress) -> None:
        share = now.done / max(now.total, 1)
        job.report(share, f"{now.stage.capitalize()}: {now.done:,} of {now.total:,}")

    try:
        return run_import(
            plan,
            project,
            how.as_,
            model=how.model,
            over_human=how.over_human,
            leave_out_bad=how.leave_out_bad,
            with_empty=how.with_empty,
            should_stop=lambda: token.cancelled or job.token.cancelled,
            progress=progress,
        )
    except Cancelled:
        return None


def class_rows(plan: "ImportPlan") -> list[tuple[str, tuple[int, int, int], str | None]]:
    """(name in the files, its colour there, name in the project or None for void), by id."""
    source, target = plan.reader.classes, plan.classes
    table: Any = plan.mapping.table
    known = {c.id: c.name for c in target.classes}
    return [(c.name, c.color, known.get(table[c.id])) for c in source.classes]


def class_names(classes: ClassMap) -> list[str]:
    """In the order of the set."""
    return [c.name for c in classes.classes]
