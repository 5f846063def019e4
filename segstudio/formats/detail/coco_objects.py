"""COCO's annotations of single regions: run lengths or polygons, as `coco` and `coco_stuff` share.

A region without a number of its own beside numbered ones is a crowd (`iscrowd` 1). Where regions of
others overlap, crowds lie below, and of the rest the smaller above the larger; pixels without an
annotation are void.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segstudio.core.area import Area
from segstudio.core.classes import ClassMap
from segstudio.errors import FormatError
from segstudio.formats.detail.coco_lists import (
    Framing,
    ImageRow,
    ListFile,
    read_categories,
    read_lists,
)
from segstudio.formats.detail.coco_polygons import coco_area
from segstudio.formats.files.fields import Fields
from segstudio.formats.files.source import Source
from segstudio.formats.labelled import Labelled
from segstudio.formats.outlining import rle
from segstudio.formats.outlining.filling import Rule, fill_area
from segstudio.formats.outlining.painting import painted_frame
from segstudio.formats.outlining.segments import has_several, segments
from segstudio.formats.outlining.shapes import (
    Shape,
    from_columns,
    large_first,
    ring,
    ring_area,
    united,
)
from segstudio.formats.registry import Entry, FrameRef


def run_length_annotations(
    labels: NDArray[np.uint8], instances: NDArray[np.int32] | None
) -> list[dict[str, Any]]:
    """One for each class, or each instance, of labels that are numbered from 0."""
    height, width = labels.shape
    found = segments(labels, instances, down=True)
    several = has_several(found)
    return [
        {
            "category_id": one.class_id + 1,
            "segmentation": {
                "size": [height, width],
                "counts": rle.to_text(rle.counts_of(one.starts, one.ends, labels.size)),
            },
            "area": one.area,
            "bbox": list(one.box),
            "iscrowd": int(not one.number and one.class_id in several),
        }
        for one in found
    ]


def numbered_annotations() -> Any:  # noqa: ANN401  a function for `coco_lists.lists`
    """Gives annotations their ids, from 1 on in each list."""
    last = Counter[str]()

    def rows(image: int, row: Entry) -> Iterator[Mapping[str, Any]]:
        split = row["split"]
        for found in row["annotations"]:
            last[split] += 1
            yield {"id": last[split], "image_id": image, **found}

    return rows


@dataclass(frozen=True, slots=True)
class ObjectKey:
    """Of a frame: its image and the annotations that are painted."""

    image: ImageRow
    rows: Sequence[Fields]


@dataclass(slots=True)
class ObjectReader:
    """Labels from the annotations of COCO lists. See `registry.Reader`.

    ids: category id → class id.
    """

    classes: ClassMap
    frames: Sequence[FrameRef]
    notes: Sequence[str]
    ids: Mapping[int, int]
    _has_instances: bool
    _rule: Rule

    def read(self, frame: FrameRef) -> Labelled:
        """Its annotations painted over each other."""
        key: ObjectKey = frame.key
        height, width = key.image.height, key.image.width
        crowds: list[Shape] = []
        things: list[Shape] = []
        count = Counter[int]()
        for row in key.rows:
            class_id = self.ids[row.whole("category_id")]
            is_crowd = bool(row.raw("iscrowd"))
            if not is_crowd:
                count[class_id] += 1
            number = 0 if is_crowd else count[class_id]
            shape = _shape(row, class_id, number, (height, width), self._rule)
            (crowds if is_crowd else things).append(shape)
        shapes = [*large_first(crowds), *large_first(things)]
        return painted_frame(frame, shapes, (height, width), with_instances=self._has_instances)


def _shape(row: Fields, class_id: int, number: int, size: tuple[int, int], rule: Rule) -> Shape:
    height, width = size
    where = f"{row.where}, 'segmentation'"
    found = row.raw("segmentation")
    if isinstance(found, dict):
        counts = _counts(row.record("segmentation"), height, width)
        area = float(counts[1::2].sum())
        return Shape(class_id, area, partial(from_columns, counts, height), number)
    if isinstance(found, list):
        flat = [found] if found and not isinstance(found[0], list) else found
        rings = [ring(one, f"{where} {place}") for place, one in enumerate(flat)]
        area = sum(ring_area(one) for one in rings)
        return Shape(class_id, area, partial(_filled, rings, height, width, rule), number)
    raise FormatError(f"{where} is neither polygons nor run lengths; export it again.")


def _filled(rings: list[NDArray[np.float64]], height: int, width: int, rule: Rule) -> Area:
    """The pixels of several polygons; "even_odd" as pycocotools takes it."""
    if rule == "even_odd":
        return united(coco_area(points, height, width) for points in rings)
    return united(fill_area([points], height, width, rule) for points in rings)


def _counts(found: Fields, height: int, width: int) -> rle.Counts:
    """Checked run lengths of a mask of the image's size."""
    size = found.raw("size")
    if size != [height, width]:
        raise FormatError(
            f"{found.where}: 'size' is {str(size)[:60]} and the image's height and width are"
            f" [{height}, {width}]; export it again."
        )
    where = f"{found.where}, 'counts'"
    counts = found.raw("counts")
    if isinstance(counts, str):
        return rle.from_text(counts, height * width, where)
    return rle.checked(counts, height * width, where)


@dataclass(slots=True)
class _Gathering:
    """Annotations by image, while lists are read."""

    used: set[int] = field(default_factory=set)
    unmasked: int = 0
    unlisted: int = 0
    has_instances: bool = False

    def by_image(self, one: ListFile, images: Mapping[int, ImageRow]) -> dict[int, list[Fields]]:
        """Those that can be painted."""
        found: dict[int, list[Fields]] = defaultdict(list)
        single = Counter[tuple[int, int]]()
        for row in one.content.records("annotations"):
            image = row.whole("image_id")
            if not row.raw("segmentation"):
                self.unmasked += 1
            elif image not in images:
                self.unlisted += 1
            else:
                class_id = row.whole("category_id")
                self.used.add(class_id)
                found[image].append(row)
                if not row.raw("iscrowd"):
                    single[image, class_id] += 1
        self.has_instances |= any(n > 1 for n in single.values())
        return found

    def notes(self) -> Iterator[str]:
        """What was left out."""
        if self.unmasked:
            yield f"Left out: {self.unmasked:,} annotations without a region, as boxes or captions."
        if self.unlisted:
            yield f"Left out: {self.unlisted:,} annotations of images that are not listed."


def open_objects(
    source: Source, paths: Sequence[PurePosixPath], rule: Rule = "even_odd"
) -> ObjectReader:
    """The reader of these lists. rule: for polygons.

    FormatError naming file and field when they are damaged.
    """
    lists = read_lists(source, paths)
    gathering, framing = _Gathering(), Framing(source)
    for one in lists:
        images = one.images()
        rows = gathering.by_image(one, images)
        for number, image in images.items():
            framing.add(one, image, ObjectKey(image, rows.get(number, [])))
    known = read_categories(lists, source.title, gathering.used)
    return ObjectReader(
        known.classes,
        framing.sorted(),
        [*source.notes, *gathering.notes()],
        known.ids,
        gathering.has_instances,
        rule,
    )
