"""A project into files of another program, read back and reported."""

from collections.abc import Callable, Collection
from dataclasses import asdict, replace
from pathlib import Path

from segstudio.engine.exchange.frames import ProjectFrames
from segstudio.engine.exchange.splits import Splits
from segstudio.errors import FormatError, UsageError
from segstudio.formats.exporting import export
from segstudio.formats.files.target import Existing, open_target
from segstudio.formats.options import Values, complete
from segstudio.formats.proof import prove
from segstudio.formats.registry import FORMATS
from segstudio.formats.report import ExportReport, Progress
from segstudio.store.project import FrameKey, Project

_NOTHING = {
    "confirmed": "no frame is confirmed whole; confirm some, or choose a wider scope",
    "human": "nobody has painted or confirmed anything; correct some frames, or choose all labels",
    "labelled": "no frame has labels; label some first",
}


def export_project(
    project: Project,
    target: Path,
    format_name: str,
    *,
    options: Values | None = None,
    scope: str = "confirmed",
    media: Collection[int] | None = None,
    keys: Collection[FrameKey] | None = None,
    splits: Splits | None = None,
    pictures: str = "copy",
    zipped: bool = False,
    existing: Existing = "refuse",
    proof: bool = True,
    should_stop: Callable[[], bool] = lambda: False,
    progress: Callable[[Progress], None] = lambda _: None,
) -> ExportReport:
    """Write it, and with `proof` read it back; see ProjectFrames for what is chosen.

    options: some or all of the format's. Cancelled when stopped: what is finished stays, and the
    same export with existing="resume" goes on. SegStudioError when there is nothing to export or
    it cannot be written; then nothing that was there before has changed.
    """
    kind = FORMATS.get(format_name)
    if not getattr(kind, "can_write", True):
        raise UsageError(f"{kind.title} can only be read here; choose another format to write.")
    settled = complete(kind.writes_with, options or {})
    frames = ProjectFrames(project, scope, media=media, keys=keys, splits=splits, pictures=pictures)
    if not len(frames):
        raise FormatError(f"There is nothing to export: {_NOTHING[scope]}.")
    classes = project.classes
    place = open_target(target, zipped=zipped, existing=existing)
    report = export(
        frames,
        len(frames),
        kind,
        classes,
        place,
        settled,
        pictures=pictures != "none",
        chosen={
            "scope": scope,
            "pictures": pictures,
            "splits": None if splits is None else asdict(splits),
        },
        should_stop=should_stop,
        progress=progress,
    )
    notes = frames.notes
    if proof:
        again = frames.labels_alone()
        found = prove(
            again, report, kind, classes, place, should_stop=should_stop, progress=progress
        )
        report = replace(report, proof=found)
        notes = (*notes, *(note for note in again.notes if note not in notes))
    if zipped:
        progress(Progress("packing", report.frames, report.frames))
    place.finish()
    return replace(report, notes=(*report.notes, *notes))
