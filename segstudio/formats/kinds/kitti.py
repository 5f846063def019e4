"""KITTI's pixel-level semantics: the ids, names and colours of Cityscapes.

    training/image_2/x.png         the picture
    training/semantic/x.png        8-bit grey, Cityscapes' ids, 0 where nothing is labelled
    training/instance/x.png        16-bit grey, id × 256 + number of the object in its class
    training/semantic_rgb/x.png    on request: the same in colours

Frames in a split of their own get its folder; those in none and of train are training. Read as
well: files of Datumaro and CVAT, whose label_colors.txt says which classes the numbers are.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from segstudio.core.classes import VOID, ClassMap
from segstudio.errors import FormatError
from segstudio.formats.class_sets import Fitted, fitted
from segstudio.formats.files.class_lists import ClassList, find_class_list
from segstudio.formats.files.pairing import PICTURES, RASTERS, frames_of
from segstudio.formats.files.source import Source
from segstudio.formats.labelled import Labelled
from segstudio.formats.lookup import looked_up
from segstudio.formats.masks import rasters
from segstudio.formats.masks.colors import ColorTable, colored
from segstudio.formats.masks.raster_reader import (
    Decoded,
    RasterReader,
    by_colors,
    by_table,
    identity,
    numbers_of,
    wide_numbers_of,
)
from segstudio.formats.masks.rasters import Raster
from segstudio.formats.options import Option, Values
from segstudio.formats.outlining.object_numbers import STEP, in_one, numbered_inside
from segstudio.formats.registry import Entry, Guess, OutFile, Written, file_format
from segstudio.store.class_sets import load_class_set

_UNLABELED = 0
_FOLDERS = ("semantic", "instance", "semantic_rgb")
"""What holds labels, the best first."""


class KittiWriter:
    """See the module."""

    def __init__(self, fit: Fitted, *, colors: bool, instances: bool) -> None:
        # Nobody said what is there: that is unlabeled in KITTI and void here.
        self.ids: NDArray[np.uint8] = np.where(fit.ids == _UNLABELED, VOID, fit.ids).astype(
            np.uint8
        )
        self._numbers = np.where(self.ids == VOID, _UNLABELED, self.ids).astype(np.uint8)
        self.cannot = fit.cannot
        self._palette = fit.classes.palette()
        self._colors = colors
        self._instances = instances

    def frame(self, item: Labelled) -> Written:
        """FormatError when a class has more than 255 objects in it."""
        labels = looked_up(self._numbers, item.labels)
        top = PurePosixPath(_folder(item.split))
        file = f"{item.name}.png"
        files = [OutFile(top / "semantic" / file, rasters.encode_grey(labels))]
        if self._instances:
            wide = in_one(labels, item.instances, item.name)
            files.append(OutFile(top / "instance" / file, rasters.encode_wide(wide)))
        if self._colors:
            rgb = rasters.encode_colors(colored(labels, self._palette))
            files.append(OutFile(top / "semantic_rgb" / file, rgb))
        picture = None
        if item.picture is not None:
            picture = top / "image_2" / f"{item.name}{item.picture.suffix}"
        return Written(tuple(files), picture, {})

    def finish(self, entries: Callable[[], Iterator[Entry]]) -> Iterable[OutFile]:
        """It has no lists."""
        return ()


@file_format
class Kitti:
    """See the module."""

    name = "kitti"
    title = "KITTI semantics"
    about = "Grey PNG of Cityscapes' ids for each frame, and 16-bit ones of single objects."
    can_write = True
    is_exact = True
    writes_with: tuple[Option, ...] = (
        Option("colors", "Also in colours", default=False, about="A folder semantic_rgb."),
        Option(
            "instances",
            "Folder instance",
            default=True,
            about="Classes and single objects, where the project knows them; Datumaro and CVAT read"
            " this folder alone.",
        ),
    )
    reads_with: tuple[Option, ...] = ()

    def writer(self, classes: ClassMap, options: Values) -> KittiWriter:
        """Classes without a counterpart in Cityscapes become unlabeled."""
        return KittiWriter(
            fitted(classes, "kitti34"),
            colors=bool(options["colors"]),
            instances=bool(options["instances"]),
        )

    def sniff(self, source: Source) -> Guess | None:
        """Folders image_2 and semantic, or instance, side by side."""
        masks, folder = _masks(source)
        if not masks:
            return None
        has_pictures = any(file.parent.name == "image_2" for file in source.files)
        beside = " beside image_2" if has_pictures else ""
        return Guess(
            self.name,
            0.92 if has_pictures else 0.6,
            f"KITTI: {len(masks)} label files in a folder {folder}{beside}.",
            {},
        )

    def open(
        self, source: Source, options: Values, classes: ClassMap | None = None
    ) -> RasterReader:
        """Numbers by label_colors.txt where there is one, else Cityscapes' ids."""
        masks, folder = _masks(source)
        if not masks:
            raise FormatError(
                f"{source.title} has no folder semantic or instance with label files; choose the"
                " folder above training."
            )
        known = find_class_list(source, masks[0].parent)
        if known is None:
            whole = load_class_set("kitti34")
            rows = tuple(c for c in whole.classes if c.id != _UNLABELED)
            shipped = replace(whole, classes=rows)
            ids = identity(shipped) | {_UNLABELED: VOID}
            known = ClassList(PurePosixPath(), shipped, ids, ((0, 0, 0),))
        beside = _objects(source) if folder == "semantic" else {}
        pictures = [
            f
            for f in source.files
            if f.parent.name == "image_2" and f.suffix.casefold() in PICTURES
        ]
        notes = []
        if folder == "semantic_rgb":
            notes.append(
                "Read from semantic_rgb: classes that share a colour are read as the first of them."
            )
        decode = _Decode(source, known, beside, folder)
        return RasterReader(source, known.classes, frames_of(masks, pictures), decode, notes)


class _Decode:
    """What a raster of one of the three folders means."""

    def __init__(
        self,
        source: Source,
        known: ClassList,
        objects: Mapping[tuple[PurePosixPath, str], PurePosixPath],
        folder: str,
    ) -> None:
        self._source = source
        self._known = known
        self._objects = objects
        self._folder = folder
        # Black is five classes of Cityscapes and most of all unlabeled.
        rows = tuple(c for c in known.classes.classes if c.color not in known.void)
        self._table = ColorTable(replace(known.classes, classes=rows), known.void)

    def __call__(self, raster: Raster, path: PurePosixPath) -> Decoded:
        if self._folder == "semantic_rgb":
            return by_colors(raster, self._table)
        numbers = numbers_of(raster, path)
        if self._folder == "instance":
            numbers = wide_numbers_of(raster, path)
            labels = self._labels(numbers // STEP, path)
            return Decoded(labels, _inside(labels, numbers))
        labels = self._labels(numbers, path)
        file = self._objects.get((path.parent.parent, path.stem))
        if file is None:
            return Decoded(labels)
        wide = wide_numbers_of(rasters.decode(self._source.read(file), str(file)), file)
        if wide.shape != labels.shape:
            raise FormatError(
                f"{file} has {wide.shape[1]}×{wide.shape[0]} pixels, and {path}"
                f" {labels.shape[1]}×{labels.shape[0]}; export them at one size."
            )
        return Decoded(labels, _inside(labels, wide))

    def _labels(
        self, numbers: NDArray[np.uint8] | NDArray[np.int32], path: PurePosixPath
    ) -> NDArray[np.uint8]:
        return by_table(numbers, self._known.ids, path, "KITTI's class list")


def _inside(
    labels: NDArray[np.uint8], numbers: NDArray[np.uint8] | NDArray[np.int32]
) -> NDArray[np.int32] | None:
    return numbered_inside(labels, np.ascontiguousarray(numbers % STEP, np.int32))


def _masks(source: Source) -> tuple[list[PurePosixPath], str]:
    """The label files of the best folder there is, and what it is called; none: no files."""
    files = [f for f in source.files if f.suffix.casefold() in RASTERS and len(f.parts) > 1]
    for folder in _FOLDERS:
        found = [f for f in files if f.parts[-2].casefold() == folder]
        if found:
            return found, folder
    return [], ""


def _objects(source: Source) -> dict[tuple[PurePosixPath, str], PurePosixPath]:
    return {
        (f.parent.parent, f.stem): f
        for f in source.files
        if f.parent.name.casefold() == "instance" and f.suffix.casefold() in RASTERS
    }


def _folder(split: str) -> str:
    return {"": "training", "train": "training", "val": "validation", "test": "testing"}[split]
