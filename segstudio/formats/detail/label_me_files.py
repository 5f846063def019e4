"""What the XML files of the LabelMe annotation tool (Russell et al. 2008) say of a picture."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from segstudio.core.area import Area
from segstudio.core.classes import ClassMap
from segstudio.core.geometry import Rect
from segstudio.errors import FormatError
from segstudio.formats.files.fields import Fields
from segstudio.formats.files.markup import parsed
from segstudio.formats.files.pairing import split_of
from segstudio.formats.files.pictures import check_size, is_picture
from segstudio.formats.files.source import Source
from segstudio.formats.label_names import named_classes
from segstudio.formats.labelled import Labelled
from segstudio.formats.masks import rasters
from segstudio.formats.masks.raster_reader import picture_size
from segstudio.formats.names import Unique
from segstudio.formats.outlining.filling import Rule, fill_area
from segstudio.formats.outlining.object_numbers import numbered_inside
from segstudio.formats.outlining.shapes import (
    MAX_POINTS,
    Shape,
    large_first,
    painted,
    ring,
    ring_area,
)
from segstudio.formats.registry import FrameRef

MASKS = "Masks"
META = "dataset_meta.json"

_HEAD = 1 << 18


@dataclass(slots=True)
class LabelMeReader:
    """Labels from objects: masks in the order of the file, above polygons, of which the smaller
    lie above the larger. See `registry.Reader`.

    with_objects: whether objects are told apart; parts of each other with one name are one. rule:
    how polygons are filled.
    """

    classes: ClassMap
    frames: Sequence[FrameRef]
    notes: Sequence[str]
    _source: Source
    _ids: Mapping[str, int]
    _with_objects: bool
    _rule: Rule

    def read(self, frame: FrameRef) -> Labelled:
        """See `Reader.read`."""
        path = PurePosixPath(frame.key)
        where = self._source.called(path)
        root = parsed(self._source.read(path), where)
        height, width = self._size(root, frame, where)
        polygons: list[Shape] = []
        masks: list[Shape] = []
        for number, one in enumerate(_whole_objects(root, where), 1):
            class_id = self._ids[one.name]
            if one.mask is None:
                points = _points(one)
                cut = partial(fill_area, [points], height, width, self._rule)
                polygons.append(Shape(class_id, ring_area(points), cut, one.root or number))
            else:
                cut = partial(self._mask, one.mask, path, one.where, (height, width))
                masks.append(Shape(class_id, 0.0, cut, one.root or number))
        labels, objects = painted(
            [*large_first(polygons), *masks], height, width, with_instances=self._with_objects
        )
        instances = None if objects is None else numbered_inside(labels, objects)
        return Labelled(frame.name, labels, None, frame.clip, frame.split, 0, instances)

    def _size(self, root: Element, frame: FrameRef, where: str) -> tuple[int, int]:
        """(H, W): as the file says, else of its picture; both must be the same."""
        picture = None
        if frame.picture is not None:
            picture = picture_size(self._source.head(frame.picture, _HEAD))
        told = root.find("imagesize")
        if told is None:
            if picture is None:
                raise FormatError(
                    f"{where} has no 'imagesize', and its picture was not found; put it beside the"
                    " file."
                )
            return check_size(*picture, where)
        fields = Fields({name: _text(told, name) for name in ("nrows", "ncols")}, where)
        size = fields.whole("nrows", 1), fields.whole("ncols", 1)
        if picture is not None and picture != size:
            raise FormatError(
                f"{where}: 'imagesize' says {size[1]}×{size[0]}, and {frame.picture} has"
                f" {picture[1]}×{picture[0]} pixels; label that picture."
            )
        return check_size(*size, where)

    def _mask(self, called: str, path: PurePosixPath, where: str, size: tuple[int, int]) -> Area:
        """The pixels of a mask file that are not transparent, or not black."""
        found = self._source.named(f"{MASKS}/{called}", path)
        if found is None:
            raise FormatError(
                f"{where}: the 'mask' {called[:80]} is not there; copy it to {MASKS}."
            )
        raster = rasters.decode(self._source.read(found), str(found))
        values = raster.values
        if values.shape[:2] != size:
            raise FormatError(
                f"{found} has {values.shape[1]}×{values.shape[0]} pixels, and {path} says"
                f" {size[1]}×{size[0]}; export it again."
            )
        mask = np.asarray(values > 0)
        if raster.is_colors:
            mask = mask[..., 3] if values.shape[2] == 4 else np.asarray(mask.any(axis=2))
        return Area(Rect(0, 0, *size), mask)


@dataclass(frozen=True, slots=True)
class _Object:
    """name: its class. mask: its file, None for a polygon. root: a number that parts of each other
    with one name have in common, 0 for none."""

    name: str
    element: Element
    mask: str | None
    where: str
    root: int


def _whole_objects(root: Element, where: str) -> Iterator[_Object]:
    """Those that are not deleted and have an outline."""
    rows = list(root.iter("object"))
    belongs = _roots(rows)
    for place, row in enumerate(rows):
        here = f"{where}, object {place}"
        mask = None
        segment = row.find("segm")
        if _text(row, "deleted") == "1":
            continue
        if row.find("polygon") is None:
            if segment is None:
                continue
            mask = _text(segment, "mask")
            if not mask:
                raise FormatError(f"{here}: 'segm' names no 'mask'; export it again.")
        name = _text(row, "name")
        if not name:
            raise FormatError(f"{here} has no 'name'; give it one.")
        yield _Object(name, row, mask, here, belongs.get((_text(row, "id"), name), 0))


def _roots(rows: Sequence[Element]) -> Mapping[tuple[str, str], int]:
    """(id, name) of objects that are parts of each other → one number for all of them."""
    parents: dict[tuple[str, str], tuple[str, str]] = {}

    def first(key: tuple[str, str]) -> tuple[str, str]:
        while parents.setdefault(key, key) != key:
            parents[key] = parents[parents[key]]
            key = parents[key]
        return key

    for row in rows:
        name, own = _text(row, "name"), _text(row, "id")
        parts = row.find("parts")
        if parts is None:
            continue
        for field in ("hasparts", "ispartof"):
            for other in _text(parts, field).split(","):
                if other.strip():
                    parents[first((other.strip(), name))] = first((own, name))
    # Behind the numbers of all objects that belong to none.
    numbers: dict[tuple[str, str], int] = {}
    return {
        key: numbers.setdefault(first(key), len(rows) + 1 + len(numbers)) for key in list(parents)
    }


def _points(one: _Object) -> NDArray[np.float64]:
    """The corners of a polygon; none where it has fewer than three."""
    numbers: list[float] = []
    for place, point in enumerate(one.element.iterfind("polygon/pt")):
        for name in ("x", "y"):
            try:
                value = float(_text(point, name))
            except ValueError:
                value = math.nan
            if not math.isfinite(value) or place > MAX_POINTS:
                raise FormatError(
                    f"{one.where}: '{name}' of point {place} is no number; export it again."
                )
            numbers.append(value)
    return ring(numbers, f"{one.where}, 'polygon'")


def _text(element: Element, name: str) -> str:
    """The text of a child, without spaces around it; "" where there is none."""
    return (element.findtext(name) or "").strip()


def xml_files(source: Source) -> list[PurePosixPath]:
    """Those that may be read: the chosen one, or all."""
    return [path for path in source.files if path.suffix.lower() == ".xml"]


def looks_label_me(head: bytes) -> bool:
    """Whether a file that begins so is LabelMe's: VOC's boxes are in <annotation> too."""
    return b"<annotation>" in head and any(
        word in head for word in (b"<sourceAnnotation>", b"<nrows>", b"<polygon>", b"<segm>")
    )


def open_label_me(source: Source, *, with_objects: bool, rule: Rule) -> LabelMeReader:
    """FormatError when there is none of its files, or a list is damaged."""
    files: dict[PurePosixPath, str] = {}
    used: dict[str, None] = {}
    has_one = False
    for path in xml_files(source):
        if not looks_label_me(source.head(path)):
            continue
        try:
            root = parsed(source.read(path), str(path))
        except FormatError:  # said when that frame is read
            files[path] = ""
            continue
        has_one = True
        files[path] = _text(root, "filename")
        for row in root.iter("object"):
            if _text(row, "name") and _text(row, "deleted") != "1":
                used[_text(row, "name")] = None
    if not has_one:
        raise FormatError(
            f"{source.title} holds no XML file of LabelMe, which begins with <annotation>; choose"
            " the folder with them."
        )
    listed = [(name, None) for name in _listed(source)]
    classes = named_classes(listed, list(used), source.title)
    ids = {known.name: known.id for known in classes.classes}
    frames = list(_frames(source, files.items()))
    return LabelMeReader(classes, frames, [*source.notes], source, ids, with_objects, rule)


def _listed(source: Source) -> Iterator[str]:
    """Names in the order of their numbers, where a list is there: LabelMe itself has none."""
    path = source.named(META)
    if path is None:
        return
    content = Fields(source.json(path), source.called(path))
    rows = content.record("label_map") if content.has("label_map") else None
    number = 0
    while rows is not None and rows.has(str(number)):
        yield rows.text(str(number))
        number += 1


def _frames(source: Source, files: Iterable[tuple[PurePosixPath, str]]) -> Iterator[FrameRef]:
    """Each with the picture that it names, beside it or anywhere."""
    rows = list(files)
    names = Unique()
    stems = Counter(path.stem.casefold() for path, _ in rows)
    for path, called in rows:
        is_alone = stems[path.stem.casefold()] == 1 or not path.parent.name
        name = names.name(path.stem if is_alone else f"{path.parent.name}_{path.stem}")
        picture = source.named(called, path) if called else None
        picture = picture if picture is not None and is_picture(picture) else None
        yield FrameRef(name, path, "", split_of(path), picture)
