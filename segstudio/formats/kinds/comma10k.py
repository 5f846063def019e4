"""comma10k: a colour PNG of the labels for each frame, with six colours and nothing between them.

    imgs/x.png
    masks/x.png

It has no place for void (written as black, which its own readers do not know) nor for splits: its
users take every tenth frame, those whose names end with 9, for validation.
"""

from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from segstudio.core.classes import VOID, ClassMap
from segstudio.errors import FormatError
from segstudio.formats.class_sets import Fitted, fitted
from segstudio.formats.files.pairing import PICTURES, RASTERS, frames_of
from segstudio.formats.files.source import Source
from segstudio.formats.labelled import Labelled
from segstudio.formats.lookup import looked_up
from segstudio.formats.masks import rasters
from segstudio.formats.masks.colors import Color, ColorTable, colored
from segstudio.formats.masks.raster_reader import Decoded, RasterReader, by_colors
from segstudio.formats.masks.rasters import Raster
from segstudio.formats.options import Option, Values
from segstudio.formats.registry import Entry, Guess, OutFile, Written, file_format
from segstudio.store.class_sets import load_class_set

_VOID: Color = (0, 0, 0)


class Comma10kWriter:
    """See the module."""

    def __init__(self, fit: Fitted) -> None:
        self.ids: NDArray[np.uint8] = fit.ids
        self.cannot = (
            *fit.cannot,
            "comma10k has no void: void pixels are black, a colour that its own readers do not"
            " know.",
            "comma10k has no splits: all frames lie in one folder.",
        )
        self._palette = fit.classes.palette()
        self._palette[VOID] = _VOID

    def frame(self, item: Labelled) -> Written:
        """One mask."""
        rgb = colored(looked_up(self.ids, item.labels), self._palette)
        mask = OutFile(PurePosixPath("masks", f"{item.name}.png"), rasters.encode_colors(rgb))
        picture = None
        if item.picture is not None:
            picture = PurePosixPath("imgs", f"{item.name}{item.picture.suffix}")
        return Written((mask,), picture, {})

    def finish(self, entries: Callable[[], Iterator[Entry]]) -> Iterable[OutFile]:
        """It has no lists."""
        return ()


@file_format
class Comma10k:
    """See the module."""

    name = "comma10k"
    title = "comma10k"
    about = "A colour PNG for each frame, in the six colours of comma10k."
    can_write = True
    is_exact = True
    writes_with: tuple[Option, ...] = (
        Option(
            "class_set",
            "Classes",
            "comma10k",
            "How many of its classes are written.",
            {"comma10k": "All six", "comma10k5": "Five: without what moves inside the car"},
        ),
    )
    reads_with: tuple[Option, ...] = ()

    def writer(self, classes: ClassMap, options: Values) -> Comma10kWriter:
        """Classes without a counterpart become void."""
        return Comma10kWriter(fitted(classes, str(options["class_set"])))

    def sniff(self, source: Source) -> Guess | None:
        """Folders imgs and masks; surer when the first mask has only comma10k's colours."""
        masks = _masks(source)
        if not masks:
            return None
        try:
            content = source.read(masks[0])
            unknown = by_colors(rasters.decode(content, masks[0].name), _table()).unknown
        except FormatError:
            return None
        if unknown:
            return None
        has_pictures = any(file.parent.name == "imgs" for file in source.files)
        return Guess(
            self.name,
            0.95 if has_pictures else 0.85,
            f"comma10k: {len(masks)} colour masks whose colours are comma10k's six.",
            {},
        )

    def open(
        self, source: Source, options: Values, classes: ClassMap | None = None
    ) -> RasterReader:
        """By colours alone; unknown ones are void, and a note says which."""
        masks = _masks(source)
        if not masks:
            raise FormatError(
                f"{source.title} has no folder masks with PNG files; choose the folder above imgs"
                " and masks."
            )
        taken, table = set(masks), _table()
        pictures = [f for f in source.files if f.suffix.casefold() in PICTURES and f not in taken]

        def decode(raster: Raster, path: PurePosixPath) -> Decoded:  # noqa: ARG001  any file
            return by_colors(raster, table)

        return RasterReader(source, load_class_set("comma10k"), frames_of(masks, pictures), decode)


def _table() -> ColorTable:
    return ColorTable(load_class_set("comma10k"), [_VOID])


def _masks(source: Source) -> list[PurePosixPath]:
    """Label files in masks, masks2, … (comma10k numbers the parts it grew by)."""
    return [
        f
        for f in source.files
        if f.parent.name.casefold().rstrip("0123456789") == "masks"
        and f.suffix.casefold() in RASTERS
    ]
