"""Reading back what was written, and comparing it with what should have been."""

from collections.abc import Callable, Iterable
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segstudio.core.classes import VOID, ClassMap
from segstudio.errors import Cancelled, SegStudioError
from segstudio.formats.files.pairing import stem_of
from segstudio.formats.files.source import FolderSource, Source
from segstudio.formats.files.target import Target
from segstudio.formats.labelled import Labelled
from segstudio.formats.lookup import looked_up
from segstudio.formats.options import complete
from segstudio.formats.registry import Format, Reader
from segstudio.formats.report import ExportReport, FrameError, Progress, Proof

_WORST = 20


def prove(
    frames: Iterable[Labelled],
    report: ExportReport,
    kind: Format,
    classes: ClassMap,
    target: Target,
    *,
    should_stop: Callable[[], bool] = lambda: False,
    progress: Callable[[Progress], None] = lambda _: None,
) -> Proof:
    """Open the written files with the format's own reader and compare every pixel.

    Before `Target.finish`, which packs a zip file. frames: the same again; their pictures are not
    touched. report: of `export`. Whatever cannot be read back counts as different.
    """
    writer = kind.writer(classes, report.options)
    source = FolderSource(target.folder)
    found: list[FrameError] = []
    seen = equal = pixels = different = 0
    reader, trouble = _opened(kind, source, classes)
    refs = {(ref.split, ref.name): ref for ref in reader.frames} if reader else {}
    by_name = {ref.name: ref for ref in reader.frames} if reader else {}
    ids = np.asarray(writer.ids, np.uint8)
    for item in frames:
        if should_stop():
            raise Cancelled
        name = report.read_as.get(item.name, item.name)
        # Of frames that are all called like x_mask, readers take the ending for that of masks.
        bare = stem_of(PurePosixPath(f"{name}.png"))
        ref = refs.get((item.split, name)) or by_name.get(name) or by_name.get(bare)
        wrong, why = item.labels.size, trouble or "was not found."
        if ref is not None and reader is not None:
            wrong, why = _compared(reader, ref, looked_up(ids, item.labels))
        seen += 1
        pixels += item.labels.size
        different += wrong
        equal += not wrong
        if wrong:
            found.append(FrameError(item.name, wrong, item.labels.size, why))
            found = sorted(found, key=lambda e: -e.different)[:_WORST]
        progress(Progress("reading back", seen, report.frames, item.name))
    # A format that is exact may have been asked for less: polygons with a tolerance.
    is_exact = getattr(writer, "is_exact", kind.is_exact)
    return Proof(
        seen,
        equal,
        pixels,
        different,
        tuple(found),
        is_expected=not is_exact,
        is_fitted=_is_fitted(ids, classes),
    )


def _is_fitted(ids: NDArray[np.uint8], classes: ClassMap) -> bool:
    """Whether two classes become one there, or one becomes void."""
    there = [int(ids[c.id]) for c in classes.classes]
    return VOID in there or len(set(there)) < len(there)


def _opened(kind: Format, source: Source, classes: ClassMap) -> tuple[Reader | None, str]:
    """The reader with what it recognises itself, or why there is none."""
    try:
        guess = kind.sniff(source)
        options = complete(kind.reads_with, guess.options if guess is not None else {})
        return kind.open(source, options, classes), ""
    except SegStudioError as error:
        return None, str(error)


def _compared(reader: Reader, ref: Any, expected: Any) -> tuple[int, str]:  # noqa: ANN401
    """How many pixels differ, and why all of them do where they do."""
    try:
        labels = reader.read(ref).labels
    except SegStudioError as error:
        return expected.size, str(error)
    if labels.shape != expected.shape:
        return expected.size, f"came back {labels.shape[1]}×{labels.shape[0]}."
    return int(np.count_nonzero(labels != expected)), ""
