"""BDD100K: masks of its semantic segmentation, and bitmasks of its panoptic one.

    images/10k/train/x.jpg
    labels/sem_seg/masks/train/x.png        8-bit grey, the trainIds of Cityscapes, 255 void
    labels/sem_seg/colormaps/train/x.png    on request: the same in colours
    labels/pan_seg/bitmasks/train/x.png     on request: RGBA, R is one of 41 classes (0 void),
                                            G holds flags, B × 256 + A is the object

Frames that are in no split are written as train. Read as well: bitmasks of ins_seg, whose R is one
of 8 classes from 1.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
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
from segstudio.formats.masks.colors import colored
from segstudio.formats.masks.raster_reader import (
    Decoded,
    RasterReader,
    by_table,
    identity,
    numbers_of,
)
from segstudio.formats.masks.rasters import Raster
from segstudio.formats.options import Option, Values
from segstudio.formats.outlining.object_numbers import numbered_inside, numbered_over_all
from segstudio.formats.registry import Entry, Guess, OutFile, Written, file_format
from segstudio.store.class_sets import load_class_set

_OBJECTS = ("pedestrian", "rider", "car", "truck", "bus", "train", "motorcycle", "bicycle")
"""The classes of single objects in the order of ins_seg and MOTS, from 1."""

_MOST_OBJECTS = 65_535
_UNLABELED = 0
_FIRST_THING = 31
"""Of the panoptic set: things come last."""


class Bdd100kWriter:
    """See the module."""

    def __init__(self, fit: Fitted, *, panoptic: bool, colors: bool) -> None:
        self.ids: NDArray[np.uint8] = fit.ids
        self.cannot = fit.cannot
        self._panoptic = panoptic
        self._colors = colors
        self._palette = fit.classes.palette()
        if panoptic:
            # Nobody said what is there: that is unlabeled in BDD100K and void here.
            self.ids = np.where(fit.ids == _UNLABELED, VOID, fit.ids).astype(np.uint8)

    def frame(self, item: Labelled) -> Written:
        """FormatError when single objects are more than its numbers."""
        labels = looked_up(self.ids, item.labels)
        split = item.split or "train"
        file = f"{item.name}.png"
        task = PurePosixPath("labels", "pan_seg" if self._panoptic else "sem_seg")
        if self._panoptic:
            content = rasters.encode_colors(_bitmask(labels, item))
            files = [OutFile(task / "bitmasks" / split / file, content)]
        else:
            files = [OutFile(task / "masks" / split / file, rasters.encode_grey(labels))]
        if self._colors:
            rgb = rasters.encode_colors(colored(labels, self._palette))
            files.append(OutFile(task / "colormaps" / split / file, rgb))
        picture = None
        if item.picture is not None:
            picture = PurePosixPath("images", "10k", split, f"{item.name}{item.picture.suffix}")
        return Written(tuple(files), picture, {})

    def finish(self, entries: Callable[[], Iterator[Entry]]) -> Iterable[OutFile]:
        """It has no lists."""
        return ()


@file_format
class Bdd100k:
    """See the module."""

    name = "bdd100k"
    title = "BDD100K"
    about = "Grey PNG of the 19 trainIds for each frame, or panoptic bitmasks of 41 classes."
    can_write = True
    is_exact = True
    writes_with: tuple[Option, ...] = (
        Option(
            "task",
            "Task",
            "sem_seg",
            "What the files are for.",
            {"sem_seg": "Semantic, 19 classes", "pan_seg": "Panoptic bitmasks, 41 classes"},
        ),
        Option("colors", "Also in colours", default=False, about="A folder colormaps."),
    )
    reads_with: tuple[Option, ...] = ()

    def writer(self, classes: ClassMap, options: Values) -> Bdd100kWriter:
        """Classes without a counterpart become void."""
        is_panoptic = options["task"] == "pan_seg"
        fit = fitted(classes, "bdd100k41" if is_panoptic else "bdd100k19")
        return Bdd100kWriter(fit, panoptic=is_panoptic, colors=bool(options["colors"]))

    def sniff(self, source: Source) -> Guess | None:
        """Folders of its tasks: sem_seg/masks, pan_seg/bitmasks, ins_seg/bitmasks."""
        masks, task = _masks(source)
        if not masks:
            return None
        kind = "masks" if task == "sem_seg" else "bitmasks"
        return Guess(
            self.name, 0.95, f"BDD100K: {len(masks)} {kind} in a folder labels/{task}/{kind}.", {}
        )

    def open(
        self, source: Source, options: Values, classes: ClassMap | None = None
    ) -> RasterReader:
        """sem_seg where there is any, else pan_seg, else ins_seg."""
        masks, task = _masks(source)
        if not masks:
            raise FormatError(
                f"{source.title} has no folder labels/sem_seg/masks nor labels/pan_seg/bitmasks"
                " with PNG files; choose the folder above labels."
            )
        name = {"sem_seg": "bdd100k19", "pan_seg": "bdd100k41"}.get(task)
        known = load_class_set(name) if name is not None else _object_classes()
        if task == "pan_seg":
            known = replace(known, classes=tuple(c for c in known.classes if c.id != _UNLABELED))
        ids = identity(known) | ({_UNLABELED: VOID} if task != "sem_seg" else {})
        pictures = [
            f
            for f in source.files
            if f.suffix.casefold() in PICTURES and "labels" not in f.parts[:-1]
        ]

        def decode(raster: Raster, path: PurePosixPath) -> Decoded:
            if task == "sem_seg":
                return Decoded(by_table(numbers_of(raster, path), ids, path, "BDD100K"))
            return _read_bitmask(raster, ids, path)

        return RasterReader(source, known, frames_of(masks, pictures), decode)


def _bitmask(labels: NDArray[np.uint8], item: Labelled) -> NDArray[np.uint8]:
    """uint8 (H, W, 4); stuff has the number of its class, as in BDD100K's own, objects follow."""
    is_known = labels != VOID
    numbers = np.where(is_known, labels, 0).astype(np.int32)
    if item.instances is not None:
        most = _MOST_OBJECTS - 255
        objects = numbered_over_all(labels, item.instances, most, item.name)
        numbers = np.where(objects > 0, objects + 255, numbers)
    rgba = np.zeros((*labels.shape, 4), np.uint8)
    rgba[..., 0] = np.where(is_known, labels, 0)
    rgba[..., 2], rgba[..., 3] = numbers >> 8, numbers & 255
    return rgba


def _read_bitmask(raster: Raster, ids: dict[int, int], path: PurePosixPath) -> Decoded:
    if not raster.is_colors or raster.values.shape[2] != 4:
        raise FormatError(
            f"{path} is no bitmask: it needs four channels, the class in the first; export it"
            " again."
        )
    channels = raster.values
    labels = by_table(np.ascontiguousarray(channels[..., 0], np.uint8), ids, path, "BDD100K")
    numbers = (channels[..., 2].astype(np.int32) << 8) + channels[..., 3]
    is_panoptic = len(ids) > len(_OBJECTS) + 2
    things = (labels >= (_FIRST_THING if is_panoptic else 1)) & (labels != VOID)
    return Decoded(labels, numbered_inside(labels, np.where(things, numbers, 0).astype(np.int32)))


def _object_classes() -> ClassMap:
    panoptic = {c.name: c for c in load_class_set("bdd100k41").classes}
    names = {"pedestrian": "person"}
    rows = [
        replace(panoptic[names.get(name, name)], id=number, name=name)
        for number, name in enumerate(_OBJECTS, 1)
    ]
    return ClassMap("bdd100k8", tuple(rows))


def _masks(source: Source) -> tuple[list[PurePosixPath], str]:
    """The label files of the best task there is, and the task."""
    files = [f for f in source.files if f.suffix.casefold() in RASTERS and len(f.parts) > 2]
    for task, folder in (("sem_seg", "masks"), ("pan_seg", "bitmasks"), ("ins_seg", "bitmasks")):
        found = [f for f in files if task in f.parts and (task, folder) in _steps(f)]
        if found:
            return found, task
    return [], ""


def _steps(file: PurePosixPath) -> list[tuple[str, str]]:
    """The pairs of folders on the way to a file."""
    return list(zip(file.parts[:-2], file.parts[1:-1], strict=True))
