"""Labels of other programs into a project: all of them as one transaction, or none.

Everything is read, checked and made into steps first, in a file beside the memory; only then is the
project touched. Each frame gets one step of undo, "Imported".
"""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from io import BytesIO
from typing import IO, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from segstudio.core.brush import Area
from segstudio.core.class_mapping import remap
from segstudio.core.classes import VOID
from segstudio.core.geometry import Rect
from segstudio.core.labels import LabelDocument, pixels_by_class
from segstudio.core.origins import CONFIRMED, MODEL, PAINTED, PROPAGATED
from segstudio.core.step_bytes import step_from_bytes, step_to_bytes
from segstudio.engine.exchange.import_media import ImportMedia
from segstudio.engine.exchange.import_report import ImportReport
from segstudio.engine.exchange.planning import ImportPlan, Matched
from segstudio.errors import Cancelled, FormatError, SegStudioError, UsageError
from segstudio.formats.report import Progress
from segstudio.store.importing import NewStep
from segstudio.store.project import Counts, FrameAbout, FrameKey, Project, StoredFrame

As: TypeAlias = Literal["ground_truth", "prediction"]
"""ground_truth: every pixel is confirmed. prediction: a draft of a model, void where it says
nothing."""

TITLE = "Imported"


def run_import(
    plan: ImportPlan,
    project: Project,
    as_: str = "ground_truth",
    *,
    model: str = "",
    over_human: bool = False,
    leave_out_bad: bool = False,
    with_empty: bool = False,
    dry_run: bool = False,
    should_stop: Callable[[], bool] = lambda: False,
    progress: Callable[[Progress], None] = lambda _: None,
) -> ImportReport:
    """Do what was planned for this project, and say what was done.

    model: who made a prediction. over_human: also over pixels that a human painted or confirmed.
    leave_out_bad: frames that are damaged or of another size are told instead of ending it.
    with_empty: also frames whose files say nothing of any pixel, which are all void then.
    dry_run: all but the writing. Cancelled when stopped and SegStudioError when anything cannot be
    done: then the project is as it was.
    """
    if as_ not in get_args(As):
        raise UsageError(
            f"Labels cannot be imported as '{as_}'; choose ground_truth or prediction."
        )
    if project.is_read_only and not dry_run:
        raise SegStudioError(project.why_read_only)
    if project.classes not in (plan.old, plan.classes):
        raise SegStudioError(
            f"The classes of {project.path.name} were changed meanwhile; look at the files again."
        )
    if not plan.matched:
        raise FormatError(
            f"None of the {len(plan.left_out)} frames in {plan.source.title} fits a frame of"
            f" {project.path.name}; check the names, or match by number or order."
        )
    is_interrupted = False
    with ExitStack() as stack:
        work = _Import(
            plan, project, as_, model or plan.guess.format, over_human, leave_out_bad, with_empty
        )
        media = stack.enter_context(ImportMedia(plan, project))
        work.file = stack.enter_context(tempfile.TemporaryFile(prefix="segstudio-import-"))
        work.prepare(media, should_stop, progress)
        if not dry_run and work.places:
            progress(Progress("saving", work.count, work.count))
            used = media.used({place.key.media for place in work.places})
            _, done = project.push_all(
                lambda: work.steps(used.ids, lambda: is_interrupted or should_stop()),
                media=used.media,
                classes=plan.classes if plan.added else None,
            )
            try:
                done.result()
            except KeyboardInterrupt:  # what is half in goes out again, unless it was the end
                is_interrupted = True
                if done.exception() is not None:
                    raise
            media.settled()
        return work.report(media.titles(), is_dry=dry_run)


@dataclass(frozen=True, slots=True)
class _Place:
    """A step in the file beside the memory."""

    key: FrameKey
    number: int
    at: int
    length: int
    counts: Counts
    about: FrameAbout


@dataclass(slots=True, eq=False)
class _Import:
    """One import on its way."""

    plan: ImportPlan
    project: Project
    as_: str
    model: str
    over_human: bool
    leave_out_bad: bool
    with_empty: bool
    places: list[_Place] = field(default_factory=list)
    count: int = 0
    unchanged: int = 0
    empty: int = 0
    kept: int = 0
    kept_frames: int = 0
    replaced: int = 0
    no_longer: int = 0
    pixels: NDArray[np.int64] = field(default_factory=lambda: np.zeros(256, np.int64))
    read: NDArray[np.int64] = field(default_factory=lambda: np.zeros(256, np.int64))
    bad: list[tuple[str, str]] = field(default_factory=list)
    file: IO[bytes] = field(default_factory=BytesIO)

    def prepare(
        self,
        media: ImportMedia,
        should_stop: Callable[[], bool],
        progress: Callable[[Progress], None],
    ) -> None:
        """Read every frame and make its step."""
        total = len(self.plan.matched)
        for number, each in enumerate(self.plan.matched, start=1):
            if should_stop():
                raise Cancelled
            try:
                self._one(each, media)
            except SegStudioError as error:
                if not self.leave_out_bad:
                    raise
                self.bad.append((each.ref.name, str(error)))
            except OSError as error:
                raise SegStudioError(
                    f"There is no room for the frames to import ({error.strerror}); free some space"
                    " for temporary files."
                ) from error
            progress(Progress("reading", number, total, each.ref.name))

    def _one(self, each: Matched, media: ImportMedia) -> None:
        found = np.ascontiguousarray(self.plan.reader.read(each.ref).labels)
        if not self.with_empty and not (found != VOID).any():
            self.empty += 1
            return
        labels = remap(found, self.plan.mapping)
        stored = None if each.key.media < 0 else self.project.load(each.key)
        about = stored.summary.about if stored is not None else media.about(each.key)
        if labels.shape != (about.height, about.width):
            raise FormatError(
                f"The labels of {each.ref.name} are {labels.shape[1]}×{labels.shape[0]}, their"
                f" picture is {about.width}×{about.height}; export them at its size, or match the"
                " frames in another way."
            )
        document = _document(stored, about)
        is_same = self._put(document, labels)
        step = document.commit()
        self.count += 1
        self.read += pixels_by_class(found)
        self.pixels += pixels_by_class(labels)
        if step is None:
            self.unchanged += is_same
            return
        counts = document.origin_counts[:5]
        if self.as_ == "prediction":
            about = replace(about, drafted_by=self.model)
        elif not counts[MODEL] + counts[PROPAGATED]:
            about = replace(about, drafted_by="")
        content = step_to_bytes(step)
        at = self.file.seek(0, 2)
        self.file.write(content)
        position = 0 if stored is None else stored.summary.position
        origins = tuple(int(n) for n in counts)
        self.places.append(_Place(each.key, position, at, len(content), origins, about))  # type: ignore[arg-type]  # five

    def _put(self, document: LabelDocument, labels: NDArray[np.uint8]) -> bool:
        """Whether the frame has these labels afterwards, wherever they say anything."""
        is_truth = self.as_ == "ground_truth"
        said = np.ones(labels.shape, np.bool_) if is_truth else labels != VOID
        is_human = document.origin >= PAINTED
        before = document.labels.copy()
        was_confirmed = bool((document.origin == CONFIRMED).all())
        document.begin(TITLE)
        document.put(
            Area(Rect(0, 0, *labels.shape), said),
            labels,
            origin=CONFIRMED if is_truth else MODEL,
            over_human=self.over_human,
        )
        kept = int(np.count_nonzero(said & (document.labels != labels)))
        self.kept += kept
        self.kept_frames += kept > 0
        is_lost = (document.labels != before) | (document.origin < PAINTED)
        self.replaced += int(np.count_nonzero(is_human & is_lost))
        self.no_longer += was_confirmed and not bool((document.origin == CONFIRMED).all())
        return not kept

    def steps(self, ids: dict[int, int], should_stop: Callable[[], bool]) -> Iterator[NewStep]:
        """In the store's thread."""
        for place in self.places:
            if should_stop():
                raise Cancelled
            self.file.seek(place.at)
            step = step_from_bytes(self.file.read(place.length))
            key = replace(place.key, media=ids.get(place.key.media, place.key.media))
            yield NewStep(key, place.number, step, place.counts, place.about)

    def report(self, titles: tuple[str, ...], *, is_dry: bool) -> ImportReport:
        """What was done, or would be."""
        plan = self.plan
        gone = {
            i: int(self.read[i])
            for i in range(VOID)
            if self.read[i] and plan.mapping.table[i] == VOID
        }
        name_of = plan.reader.classes.name_of
        return ImportReport(
            plan.guess.format,
            plan.source.title,
            self.as_,
            is_dry,
            self.count,
            self.unchanged,
            {plan.classes.name_of(i): int(n) for i, n in enumerate(self.pixels) if n},
            {name_of(i): n for i, n in gone.items() if i not in plan.unwanted},
            {name_of(i): n for i, n in gone.items() if i in plan.unwanted},
            self.kept,
            self.kept_frames,
            self.replaced,
            self.no_longer,
            self.empty,
            titles,
            tuple(c.name for c in plan.added),
            (*plan.left_out, *self.bad),
            (*plan.file_notes, *plan.merged),
        )


def _document(stored: StoredFrame | None, about: FrameAbout) -> LabelDocument:
    if stored is not None:
        return LabelDocument(stored.labels, stored.origin)
    shape = about.height, about.width
    return LabelDocument(np.full(shape, VOID, np.uint8), np.zeros(shape, np.uint8))
