"""What VOC's files mean: their palette, folders, lists of frames and lists of classes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from segstudio.core.classes import VOID, ClassDef, ClassMap
from segstudio.errors import FormatError
from segstudio.formats import names
from segstudio.formats.files.class_lists import VOID_COLOR, ClassList, find_class_list
from segstudio.formats.files.pairing import PICTURES, paired
from segstudio.formats.files.source import Source
from segstudio.formats.labelled import SPLITS
from segstudio.formats.masks import rasters
from segstudio.formats.masks.colors import Color, ColorTable
from segstudio.formats.masks.raster_reader import Decoded, by_colors, by_table, identity, numbers_of
from segstudio.formats.masks.rasters import Raster
from segstudio.formats.outlining.object_numbers import numbered_inside
from segstudio.formats.registry import FrameRef
from segstudio.store.class_sets import load_class_set

CLASS_FOLDERS = ("segmentationclass", "segmentationclasspng", "segmentationclassaug")
_OBJECT_FOLDERS = ("segmentationobject", "segmentationobjectpng")
_LISTS = ("train", "val", "test", "trainval")


def voc_palette() -> NDArray[np.uint8]:
    """uint8 (256, 3): the bits of an index, three at a time, spread over r, g and b from the top.

    No two indices have one colour; 255 has (224, 224, 192).
    """
    index = np.arange(256)
    colors = np.zeros((256, 3), np.int64)
    for bit in range(8):
        for channel in range(3):
            colors[:, channel] |= (index >> (3 * bit + channel) & 1) << (7 - bit)
    return colors.astype(np.uint8)


PALETTE = voc_palette()
INDEX_OF: dict[Color, int] = {(int(r), int(g), int(b)): i for i, (r, g, b) in enumerate(PALETTE)}


@dataclass(frozen=True, slots=True, eq=False)
class Meaning:
    """What files mean. by_color: whether colours of palettes count, and not the indices."""

    classes: ClassMap
    ids: dict[int, int]
    table: ColorTable
    by_color: bool
    meant: str


def meaning_of(source: Source, chosen: str, project: ClassMap | None) -> Meaning:
    listed = find_class_list(source) if chosen == "auto" else None
    if listed is not None:
        return _as_listed(listed)
    if chosen == "project" and project is None:
        raise FormatError("There is no project whose classes could be meant; choose another set.")
    # VOC's files do not say what they mean: these 21 classes, says whoever made them.
    classes = project if chosen == "project" and project else load_class_set("voc21")
    colors = tuple(replace(c, color=_color(c.id)) for c in classes.classes)
    table = ColorTable(ClassMap(classes.name, colors), (VOID_COLOR,))
    return Meaning(classes, identity(classes), table, by_color=False, meant=classes.name)


def _as_listed(listed: ClassList) -> Meaning:
    """Classes get the index that VOC's palette has their colour at, where it has all of them; else
    their place in the list."""
    rows = listed.classes.classes
    is_voc = all(c.color in INDEX_OF for c in rows) and len({c.color for c in rows}) == len(rows)
    classes, ids = listed.classes, listed.ids
    if is_voc and listed.file.name == "labelmap.txt" and not any(
        INDEX_OF[c.color] == VOID for c in rows
    ):  # fmt: skip
        classes = replace(classes, classes=tuple(replace(c, id=INDEX_OF[c.color]) for c in rows))
        ids = identity(classes)
    has_colors = listed.file.name in ("labelmap.txt", "label_colors.txt", "classes.json")
    if not has_colors:
        rows = tuple(replace(c, color=_color(c.id)) for c in classes.classes)
        classes = replace(classes, classes=rows)
    table = ColorTable(classes, (*listed.void, VOID_COLOR))
    return Meaning(classes, ids, table, has_colors and not table.doubled, listed.file.name)


def _color(index: int) -> Color:
    red, green, blue = (int(c) for c in PALETTE[index])
    return red, green, blue


class Decoder:
    """What one class file means, with the object file beside it."""

    def __init__(
        self, source: Source, meaning: Meaning, objects: dict[PurePosixPath, PurePosixPath]
    ) -> None:
        self._source = source
        self._meaning = meaning
        self._objects = objects
        every = ClassMap("objects", tuple(ClassDef(i, str(i), _color(i)) for i in range(VOID)))
        self._numbers = ColorTable(every, (VOID_COLOR,))

    def __call__(self, raster: Raster, path: PurePosixPath) -> Decoded:
        decoded = self._classes(raster, path)
        file = self._objects.get(path)
        if file is None:
            return decoded
        objects = self._objects_in(rasters.decode(self._source.read(file), str(file)), file)
        if objects.shape != decoded.labels.shape:
            raise FormatError(
                f"{file} has {objects.shape[1]}×{objects.shape[0]} pixels, and {path}"
                f" {decoded.labels.shape[1]}×{decoded.labels.shape[0]}; export them at one size."
            )
        return replace(decoded, instances=numbered_inside(decoded.labels, objects))

    def _classes(self, raster: Raster, path: PurePosixPath) -> Decoded:
        meaning = self._meaning
        if raster.is_colors:
            return by_colors(raster, meaning.table)
        if raster.palette is not None and meaning.by_color:
            decoded = by_colors(raster, meaning.table)
            if not decoded.unknown:
                return decoded
        return Decoded(by_table(raster.values, meaning.ids, path, meaning.meant))

    def _objects_in(self, raster: Raster, path: PurePosixPath) -> NDArray[np.int32]:
        """int32 (H, W): numbers of objects, 0 where there is none."""
        if raster.is_colors:
            values, _ = self._numbers.labels(raster.rgb())
            numbers: NDArray[np.uint8] | NDArray[np.int32] = values
        else:
            numbers = numbers_of(raster, path)
        return np.where(numbers == VOID, 0, numbers).astype(np.int32)


def label_files(source: Source, folders: Sequence[str]) -> list[PurePosixPath]:
    """PNG files right inside folders of such a name; of each set those of the first name only.

    labelme keeps arrays in SegmentationClass and its PNG files in SegmentationClassPNG.
    """
    found: dict[PurePosixPath, dict[str, list[PurePosixPath]]] = {}
    for path in source.files:
        folder = path.parent.name.casefold()
        if folder in folders and path.suffix.casefold() == ".png":
            found.setdefault(path.parent.parent, {}).setdefault(folder, []).append(path)
    return [
        path
        for sets in found.values()
        for path in next(sets[name] for name in folders if name in sets)
    ]


def objects_beside(
    source: Source, masks: Iterable[PurePosixPath]
) -> dict[PurePosixPath, PurePosixPath]:
    """Class file → object file."""
    objects = {(p.parent.parent, p.name): p for p in label_files(source, _OBJECT_FOLDERS)}
    beside = {path: objects.get((path.parent.parent, path.name)) for path in masks}
    return {path: file for path, file in beside.items() if file is not None}


def frames_of(
    source: Source, masks: Sequence[PurePosixPath]
) -> tuple[list[FrameRef], tuple[str, ...]]:
    """One frame a mask, with the split of the lists; and what the lists name in vain."""
    lists = _splits(source)
    pictures = [
        f
        for f in source.files
        if f.parent.name.casefold() == "jpegimages" and f.suffix.casefold() in PICTURES
    ]
    picture_of = paired(masks, pictures)
    unique = names.Unique()
    frames = [
        FrameRef(
            unique.name(path.stem),
            str(path),
            split=lists.get((path.parent.parent, path.stem), ""),
            picture=picture_of.get(path),
        )
        for path in masks
    ]
    known = {(path.parent.parent, path.stem) for path in masks}
    missing = [stem for base, stem in lists if (base, stem) not in known]
    if not missing:
        return frames, ()
    return frames, (f"{len(missing)} frames of the lists have no labels, as {missing[0][:80]}.",)


def _splits(source: Source) -> dict[tuple[PurePosixPath, str], str]:
    """(folder of the set, stem) → split; "" for those of trainval alone."""
    found: dict[tuple[PurePosixPath, str], str] = {}
    for name in _LISTS:
        for path in source.files:
            parts = [part.casefold() for part in path.parts[-3:]]
            if parts != ["imagesets", "segmentation", f"{name}.txt"]:
                continue
            split = name if name in SPLITS else ""
            for line in source.text(path).splitlines():
                stem = line.strip().strip('"')
                if stem:
                    found.setdefault((path.parent.parent.parent, stem), split)
    return found
