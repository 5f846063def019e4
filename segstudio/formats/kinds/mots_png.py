"""MOTS: 16-bit PNG files of class · 1000 + object, of KITTI MOTS and of Datumaro. Read only.

    train/images/0001/000010.jpg
    train/instances/0001/000010.png
    train/instances/labels.txt           names of the classes 1, 2, …; KITTI's have none

0 is nothing, 10000 a region that is to be left out: both become void. Without a list the classes
are KITTI's, 1 car and 2 pedestrian. Numbers of objects stay as they are, but from 1 on.
"""

from collections.abc import Iterable
from pathlib import PurePosixPath

import numpy as np

from segstudio.core.classes import VOID, ClassDef, ClassMap
from segstudio.errors import FormatError
from segstudio.formats import names
from segstudio.formats.files.class_lists import ClassList, Row, listed_classes
from segstudio.formats.files.pairing import PICTURES, frames_of
from segstudio.formats.files.source import Source
from segstudio.formats.masks.raster_reader import Decoded, RasterReader, by_table, numbers_of
from segstudio.formats.masks.rasters import Raster
from segstudio.formats.options import Option, Values
from segstudio.formats.registry import Guess, Writer, file_format

_STEP = 1000
_LEFT_OUT = 10 * _STEP
_LIST = "labels.txt"
_FOLDER = "instances"
_KITTI = ClassMap(
    "kitti_mots", (ClassDef(1, "car", (0, 0, 142)), ClassDef(2, "pedestrian", (220, 20, 60)))
)


@file_format
class MotsPng:
    """See the module."""

    name = "mots_png"
    title = "MOTS PNG"
    about = "Objects that are followed, as 16-bit numbers of class and object; read only."
    can_write = False
    is_exact = True
    writes_with: tuple[Option, ...] = ()
    reads_with: tuple[Option, ...] = ()

    def writer(self, classes: ClassMap, options: Values) -> Writer:
        """FormatError: it has no place for surfaces such as the road."""
        raise FormatError(
            "MOTS PNG is only read, for it has objects and no surfaces; export KITTI or Cityscapes."
        )

    def sniff(self, source: Source) -> Guess | None:
        """By a list beside the files, or KITTI's numbers of drives and frames."""
        masks = _masks(source)
        if not masks:
            return None
        if any(source.has(folder / _LIST) for folder in masks[0].parents):
            return Guess(self.name, 0.9, f"A folder {_FOLDER} holds PNG files and {_LIST}.", {})
        if all(m.stem.isdecimal() and m.parent.name.isdecimal() for m in masks):
            return Guess(self.name, 0.7, "Drives and frames are numbered as in KITTI MOTS.", {})
        return None

    def open(
        self, source: Source, options: Values, classes: ClassMap | None = None
    ) -> RasterReader:
        """FormatError when there is no folder of instances, or its lists differ."""
        masks = _masks(source)
        if not masks:
            raise FormatError(
                f"{source.title} has no folder {_FOLDER} with PNG files; choose the folder that"
                " holds it."
            )
        listed = _list(source, masks)
        found = _KITTI if listed is None else listed.classes
        ids = {c.id: c.id for c in _KITTI.classes} if listed is None else listed.ids
        meant = "KITTI MOTS" if listed is None else _LIST

        def decode(raster: Raster, path: PurePosixPath) -> Decoded:
            return _decoded(raster, path, ids, meant)

        pictures = [
            f
            for f in source.files
            if f.suffix.casefold() in PICTURES and _FOLDER not in f.parts[:-1]
        ]
        return RasterReader(source, found, frames_of(masks, pictures, _clip), decode)


def _decoded(raster: Raster, path: PurePosixPath, ids: dict[int, int], meant: str) -> Decoded:
    values = numbers_of(raster, path).astype(np.int32)
    small = (values > 0) & (values < _STEP)
    if small.any():
        raise FormatError(
            f"{path} holds the number {int(values[small][0])}, and those of MOTS are class · 1000 +"
            " object; open it as a folder of masks."
        )
    is_void = (values == 0) | (values == _LEFT_OUT)
    numbers = np.where(is_void, VOID, values // _STEP)
    labels = by_table(numbers, ids, path, meant)
    instances = np.where(labels == VOID, 0, values % _STEP + 1).astype(np.int32)
    return Decoded(labels, instances if instances.any() else None)


def _masks(source: Source) -> list[PurePosixPath]:
    return [f for f in source.files if f.suffix.casefold() == ".png" and _FOLDER in f.parts[:-1]]


def _clip(mask: PurePosixPath) -> str:
    """The folder inside `instances`, where there is one."""
    folder = mask.parent.name
    return "" if folder == _FOLDER else names.clean(folder, "")


def _list(source: Source, masks: Iterable[PurePosixPath]) -> ClassList | None:
    """The list of classes; each split has its own, and they must say the same."""
    files = {folder / _LIST: None for mask in masks for folder in mask.parents}
    lists = []
    for file in files:
        if source.has(file):
            lines = [line.strip() for line in source.text(file).splitlines()]
            rows: list[Row] = [(n, name, None) for n, name in enumerate(lines, 1) if name]
            lists.append(listed_classes(file, rows, source.title))
    for one in lists[1:]:
        if one.classes.classes != lists[0].classes.classes:
            raise FormatError(
                f"{one.file} and {lists[0].file} in {source.title} list different classes; open the"
                " splits one by one."
            )
    return lists[0] if lists else None
