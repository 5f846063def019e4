"""CamVid, in the layout of SegNet's release that CVAT and Datumaro read and write.

    train/drive_000010.png          the picture (val/, test/ for the others)
    trainannot/drive_000010.png     its labels in colours, or as the numbers 0..10 with 11 as void
    train.txt                       pairs of both, "/train/x.png trainannot/x.png"
    label_colors.txt                "r g b name" a line, black is Void

Frames that are in no split are written as train. Read as well: the first release, a folder of
pictures and one of labels whose names end with _L.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from segstudio.core.classes import CAMVID, VOID, ClassMap
from segstudio.errors import FormatError
from segstudio.formats.class_sets import fitted, numbered
from segstudio.formats.files.class_lists import (
    ClassList,
    find_class_list,
    with_own_colors,
    without_void_names,
)
from segstudio.formats.files.pairing import PICTURES, RASTERS, frames_of
from segstudio.formats.files.source import Source
from segstudio.formats.labelled import Labelled
from segstudio.formats.lookup import looked_up
from segstudio.formats.masks import rasters
from segstudio.formats.masks.colors import Color, ColorTable, colored
from segstudio.formats.masks.raster_reader import (
    Decoded,
    RasterReader,
    by_colors,
    by_table,
    identity,
    numbers_of,
)
from segstudio.formats.masks.rasters import Raster
from segstudio.formats.options import Option, Values
from segstudio.formats.registry import Entry, Guess, OutFile, Written, file_format
from segstudio.store.class_sets import load_class_set

LIST = PurePosixPath("label_colors.txt")
_BLACK: Color = (0, 0, 0)
_VOID_NUMBER = 11
_ANNOT = re.compile(r"(.*)annot")


class CamVidWriter:
    """See the module. classes: those that are written. as_colors: else the numbers of SegNet."""

    def __init__(
        self,
        classes: ClassMap,
        ids: NDArray[np.uint8],
        cannot: tuple[str, ...],
        *,
        as_colors: bool,
    ) -> None:
        self.ids = ids
        self.cannot = cannot
        self._classes = classes
        self._as_colors = as_colors
        self._palette = classes.palette()

    def frame(self, item: Labelled) -> Written:
        """The labels, in colours or as numbers."""
        split = item.split or "train"
        labels = looked_up(self.ids, item.labels)
        if self._as_colors:
            content = rasters.encode_colors(colored(labels, self._palette))
        else:
            content = rasters.encode_indices(np.minimum(labels, _VOID_NUMBER), self._palette)
        mask = PurePosixPath(f"{split}annot", f"{item.name}.png")
        picture = None
        if item.picture is not None:
            picture = PurePosixPath(split, f"{item.name}{item.picture.suffix}")
        seen = picture or PurePosixPath(split, f"{item.name}.png")
        pair = f'"/{seen}" "{mask}"' if " " in item.name else f"/{seen} {mask}"
        return Written((OutFile(mask, content),), picture, {"split": split, "line": pair})

    def finish(self, entries: Callable[[], Iterator[Entry]]) -> Iterable[OutFile]:
        """A list for each split, and the colours."""
        for split in sorted({str(entry["split"]) for entry in entries()}):
            lines = (f"{e['line']}\n".encode() for e in entries() if e["split"] == split)
            yield OutFile(PurePosixPath(f"{split}.txt"), lines)
        if self._as_colors:
            rows = [(*known.color, " ".join(known.name.split())) for known in self._classes.classes]
            text = "".join(f"{r} {g} {b} {name}\n" for r, g, b, name in [*rows, (*_BLACK, "Void")])
            yield OutFile(LIST, text.encode())


@file_format
class CamVid:
    """See the module."""

    name = "camvid"
    title = "CamVid"
    about = "A colour picture of the labels for each frame, with lists and a table of the colours."
    can_write = True
    is_exact = True
    writes_with: tuple[Option, ...] = (
        Option(
            "class_set",
            "Classes",
            "own",
            "Numbers always are those of the 11 classes.",
            {
                "own": "As in the project",
                "camvid": "CamVid, 11 classes",
                "camvid32": "CamVid, 32 classes",
            },
        ),
        Option(
            "coding",
            "Labels as",
            "colors",
            "The first release has colours, SegNet's has numbers.",
            {"colors": "Colours", "numbers": "Numbers 0 to 10, 11 is void"},
        ),
    )
    reads_with: tuple[Option, ...] = ()

    def writer(self, classes: ClassMap, options: Values) -> CamVidWriter:
        """Classes of equal colours, and black ones, get colours of their own, which is said."""
        if options["coding"] == "numbers":
            fit = fitted(classes, "camvid")
            return CamVidWriter(fit.classes, fit.ids, fit.cannot, as_colors=False)
        cannot: tuple[str, ...] = ()
        ids = np.arange(256, dtype=np.uint8)
        if options["class_set"] != "own":
            fit = fitted(classes, str(options["class_set"]))
            classes, ids, cannot = fit.classes, fit.ids, fit.cannot
        # The file numbers its classes by their lines; its own Void is no class.
        kept = tuple(c for c in classes.classes if (c.name, c.color) != ("Void", _BLACK))
        lines, numbers = numbered(ClassMap(classes.name, kept))
        lines, said = with_own_colors(lines, [_BLACK])
        numbers, lost = without_void_names(lines, numbers[ids])
        return CamVidWriter(lines, numbers, cannot + lost + said, as_colors=True)

    def sniff(self, source: Source) -> Guess | None:
        """Folders whose names end with annot beside those without, or names that end with _L."""
        masks = _masks(source)
        if not masks:
            return None
        has_list = any(file.name.casefold() == LIST.name for file in source.files)
        splits = sorted({mask.parent.name for mask in masks if _ANNOT.fullmatch(mask.parent.name)})
        where = f"in {', '.join(splits[:4])}" if splits else "whose names end with _L"
        table = " and a table of colours" if has_list else ""
        sure = 0.9 if has_list else 0.75 if splits else 0.4
        return Guess(self.name, sure, f"CamVid: {len(masks)} label files {where}{table}.", {})

    def open(
        self, source: Source, options: Values, classes: ClassMap | None = None
    ) -> RasterReader:
        """Colours by label_colors.txt, else by CamVid's 32 classes; numbers by its 11."""
        masks = _masks(source)
        if not masks:
            raise FormatError(
                f"{source.title} has no folder like trainannot with label files; choose the folder"
                " above train and trainannot."
            )
        known = find_class_list(source, masks[0].parent)
        says_colors = known is not None
        if known is None:
            first = rasters.decode(source.read(masks[0]), str(masks[0]))
            shipped = _shipped(is_numbers=not first.is_colors)
            known = ClassList(LIST, shipped, identity(shipped) | {_VOID_NUMBER: VOID}, (_BLACK,))
        taken = set(masks)
        pictures = [f for f in source.files if f.suffix.casefold() in PICTURES and f not in taken]
        table, ids = ColorTable(known.classes, [*known.void, _BLACK]), known.ids

        def decode(raster: Raster, path: PurePosixPath) -> Decoded:
            if raster.is_colors:
                return by_colors(raster, table)
            # A palette of just these colours means them, in whatever order it has them.
            if raster.palette is not None and says_colors:
                colors = by_colors(raster, table)
                if not colors.unknown:
                    return colors
            return Decoded(by_table(numbers_of(raster, path), ids, path, "CamVid"))

        return RasterReader(source, known.classes, frames_of(masks, pictures), decode)


def _masks(source: Source) -> list[PurePosixPath]:
    """Label files in folders like trainannot; else those like x_L.png."""
    files = [f for f in source.files if f.suffix.casefold() in RASTERS]
    found = [f for f in files if _ANNOT.fullmatch(f.parent.name)]
    return found or [f for f in files if f.stem.endswith("_L")]


def _shipped(*, is_numbers: bool) -> ClassMap:
    if is_numbers:
        return CAMVID
    full = load_class_set("camvid32")
    return ClassMap(full.name, tuple(c for c in full.classes if c.name != "Void"))
