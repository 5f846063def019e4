"""ISAT's JSON, beside each picture: read only.

Polygons, the higher `layer` above the lower. As ISAT makes masks of them, corners are cut to whole
numbers, and a polygon takes the pixels whose numbers lie inside it or on its edges. Objects of one
category and group are a single object; what none covers is void.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from segstudio.core.area import Area
from segstudio.core.classes import VOID, ClassMap
from segstudio.errors import FormatError
from segstudio.formats.detail.labelme_json import frames_beside, json_files
from segstudio.formats.detail.labelme_shapes import points_of
from segstudio.formats.files.fields import opened
from segstudio.formats.files.pictures import check_size
from segstudio.formats.files.source import Source
from segstudio.formats.label_names import named_classes
from segstudio.formats.labelled import Labelled
from segstudio.formats.options import Option, Values
from segstudio.formats.outlining.filling import fill_area
from segstudio.formats.outlining.object_numbers import numbered_inside
from segstudio.formats.outlining.shapes import Shape, painted
from segstudio.formats.registry import FrameRef, Guess, Writer, file_format

_LOOKED_AT = 5
_FURTHEST = 8
"""Sizes of the picture: corners further away are moved nearer, as in `filling`."""


@dataclass(slots=True)
class IsatReader:
    """Labels from polygons. See `registry.Reader`."""

    classes: ClassMap
    frames: Sequence[FrameRef]
    notes: Sequence[str]
    _source: Source
    _ids: Mapping[str, int]

    def read(self, frame: FrameRef) -> Labelled:
        """Its polygons painted over each other by their layers."""
        content = opened(self._source, frame.key)
        told = content.record("info")
        height, width = told.whole("height", 1), told.whole("width", 1)
        check_size(height, width, told.where)
        numbers: dict[object, int] = {}
        placed = []
        for place, one in enumerate(content.records("objects")):
            category, group = one.text("category"), one.text("group", "")
            number = numbers.setdefault((category, group) if group else place, len(numbers) + 1)
            points = points_of(one, "segmentation")
            cut = partial(_area, points, height, width)
            layer = one.number("layer", 0.0)
            placed.append((layer, Shape(self._ids.get(category, VOID), 0.0, cut, number)))
        placed.sort(key=lambda one: one[0])
        labels, objects = painted(
            (shape for _, shape in placed), height, width, with_instances=True
        )
        instances = None if objects is None else numbered_inside(labels, objects)
        return Labelled(frame.name, labels, None, frame.clip, frame.split, 0, instances)


def _area(points: NDArray[np.float64], height: int, width: int) -> Area:
    """The pixels whose whole numbers lie in a polygon, or on its edges."""
    most = _FURTHEST * max(height, width)
    corners = np.trunc(np.clip(points, -most, most))
    area = fill_area([corners + 0.5], height, width)
    start = corners.astype(np.int64)
    step = np.roll(start, -1, axis=0) - start
    parts = np.maximum(np.gcd(step[:, 0], step[:, 1]), 1)
    box = area.rect
    for (x, y), (dx, dy), count in zip(start, step, parts.tolist(), strict=True):
        along = np.arange(count)
        columns, rows = x + dx // count * along - box.x0, y + dy // count * along - box.y0
        inside = (columns >= 0) & (columns < box.width) & (rows >= 0) & (rows < box.height)
        area.mask[rows[inside], columns[inside]] = True
    return area


def _looks(head: bytes) -> bool:
    return b'"info"' in head and b'"ISAT"' in head


@file_format
class Isat:
    """See the module."""

    name = "isat"
    title = "ISAT"
    about = "A JSON file of polygons in layers beside each picture."
    can_write = False
    is_exact = False
    writes_with: tuple[Option, ...] = ()
    reads_with: tuple[Option, ...] = ()

    def writer(self, classes: ClassMap, options: Values) -> Writer:
        """FormatError: it is only read."""
        raise FormatError("ISAT's files are only read; export as COCO, which ISAT converts.")

    def sniff(self, source: Source) -> Guess | None:
        """By the first JSON files."""
        for path in json_files(source)[:_LOOKED_AT]:
            try:
                found = _looks(source.head(path))
            except FormatError:
                continue
            if found:
                return Guess(self.name, 0.95, f"{path} says that it is ISAT's.", {})
        return None

    def open(self, source: Source, options: Values, classes: ClassMap | None = None) -> IsatReader:
        """FormatError when no file is ISAT's."""
        pictures: dict[PurePosixPath, str] = {}
        used: dict[str, None] = {}
        for path in json_files(source):
            if not _looks(source.head(path)):
                continue
            pictures[path] = ""
            try:
                content = opened(source, path)
                pictures[path] = content.record("info").text("name", "")
                for one in content.records("objects"):
                    used[one.text("category")] = None
            except FormatError:  # said when that frame is read
                continue
        if not pictures:
            raise FormatError(
                f"{source.title} holds no JSON file that says it is ISAT's; choose the folder with"
                " them."
            )
        found = named_classes([], list(used), source.title)
        ids = {known.name: known.id for known in found.classes}
        return IsatReader(
            found, list(frames_beside(source, pictures)), [*source.notes], source, ids
        )
