"""COCO panoptic: PNG whose colours are numbers of segments, and lists that say what they are.

    images/train/drive_000010.jpg
    annotations/panoptic_train.json
    annotations/panoptic_train/drive_000010.png

A segment's number is R + 256 G + 65536 B, 0 is void. A segment is written in the colour of its
class, or the next one that is free, so that the PNG looks like what it means.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segstudio.core.classes import VOID, ClassMap
from segstudio.errors import FormatError
from segstudio.formats.class_sets import numbered
from segstudio.formats.detail import coco_lists
from segstudio.formats.detail.coco_lists import Framing, ImageRow, ListFile
from segstudio.formats.files.fields import Fields
from segstudio.formats.files.pictures import find_picture
from segstudio.formats.files.source import Source
from segstudio.formats.labelled import Labelled
from segstudio.formats.lookup import looked_up
from segstudio.formats.masks import rasters
from segstudio.formats.options import Option, Values
from segstudio.formats.outlining.segments import Segment, has_several, segments
from segstudio.formats.registry import Entry, FrameRef, Guess, OutFile, Written, file_format

_MOST = 1 << 24
"""Numbers that a colour can be."""


class PanopticWriter:
    """See the module. ids: classes numbered from 0; their category ids are one more."""

    cannot: tuple[str, ...] = ()

    def __init__(self, classes: ClassMap) -> None:
        self._classes, self.ids = numbered(classes)
        colors = self._classes.palette().astype(np.int64)
        self._colors = (colors @ [1, 256, 65536]).tolist()

    def frame(self, item: Labelled) -> Written:
        """The PNG, and its segments for the list."""
        found = segments(looked_up(self.ids, item.labels), item.instances)
        several = has_several(found)
        numbers = self._numbers(found)
        rows = [
            {
                "id": number,
                "category_id": one.class_id + 1,
                "area": one.area,
                "bbox": list(one.box),
                "iscrowd": int(not one.number and one.class_id in several),
            }
            for one, number in zip(found, numbers, strict=True)
        ]
        folder = PurePosixPath("annotations", f"panoptic_{coco_lists.split_folder(item)}")
        content = rasters.encode_colors(_colored(found, numbers, item.size))
        entry = {**coco_lists.entry(item, rows), "png": f"{item.name}.png", "things": [*several]}
        picture = coco_lists.picture_path(item) if item.picture is not None else None
        return Written((OutFile(folder / f"{item.name}.png", content),), picture, entry)

    def _numbers(self, found: Sequence[Segment]) -> list[int]:
        """A number for each segment: its class' colour, or the next one that is free."""
        taken, numbers = {0}, []
        nearest: dict[int, int] = {}
        for one in found:
            number = nearest.get(one.class_id, self._colors[one.class_id])
            while number in taken:
                number = (number + 1) % _MOST
            taken.add(number)
            nearest[one.class_id] = number
            numbers.append(number)
        return numbers

    def finish(self, entries: Callable[[], Iterator[Entry]]) -> Iterable[OutFile]:
        """annotations/panoptic_<split>.json."""
        things = {class_id for row in entries() for class_id in row["things"]}
        known = coco_lists.categories(self._classes)
        for row in known:
            row["isthing"] = int(row["id"] - 1 in things)
        return coco_lists.lists("panoptic", known, entries, _annotation)


def _annotation(image: int, row: Entry) -> Iterator[Mapping[str, Any]]:
    yield {"image_id": image, "file_name": row["png"], "segments_info": row["annotations"]}


def _colored(
    found: Sequence[Segment], numbers: Sequence[int], size: tuple[int, int]
) -> NDArray[np.uint8]:
    """uint8 (H, W, 3): each segment in the colour of its number; the rest black."""
    steps = np.zeros(size[0] * size[1] + 1, np.int32)
    for one, number in zip(found, numbers, strict=True):
        steps[one.starts] += number
        steps[one.ends] -= number
    ids = np.cumsum(steps[:-1], dtype=np.int32).astype("<u4")
    return np.ascontiguousarray(ids.view(np.uint8).reshape(*size, 4)[..., :3])


@dataclass(frozen=True, slots=True)
class _Key:
    image: ImageRow
    file: PurePosixPath
    segments: Sequence[Fields]


@dataclass(slots=True)
class PanopticReader:
    """Labels from PNG of segments. See `registry.Reader`."""

    classes: ClassMap
    frames: Sequence[FrameRef]
    notes: Sequence[str]
    _ids: Mapping[int, int]
    _has_instances: bool
    _source: Source

    def read(self, frame: FrameRef) -> Labelled:
        """Labels, and instances where the lists have several of a class."""
        key: _Key = frame.key
        numbers, where = self._numbers(key)
        segment_ids, class_ids, instance = self._table(key)
        if numbers.any() and not len(segment_ids):
            raise _unknown(where, int(numbers.max()))
        order = np.argsort(segment_ids)
        at = np.searchsorted(segment_ids[order], numbers).clip(0, len(order) - 1)
        place = order[at] if len(order) else at
        is_void = numbers == 0
        if len(order) and ((segment_ids[place] != numbers) & ~is_void).any():
            raise _unknown(where, int(numbers[(segment_ids[place] != numbers) & ~is_void][0]))
        if not len(order):
            labels = np.full(numbers.shape, VOID, np.uint8)
            return Labelled(frame.name, labels, None, frame.clip, frame.split)
        labels = np.where(is_void, np.uint8(VOID), class_ids[place])
        instances = None
        if self._has_instances:
            instances = np.where(is_void, np.int32(0), instance[place])
        return Labelled(frame.name, labels, None, frame.clip, frame.split, 0, instances)

    def _numbers(self, key: _Key) -> tuple[NDArray[np.int32], str]:
        """int32 (H, W) of the PNG, and what messages call it."""
        where = self._source.called(key.file)
        values = rasters.decode(self._source.read(key.file), where).values
        if values.ndim != 3 or values.shape[:2] != (key.image.height, key.image.width):
            raise FormatError(
                f"{where} is no colour PNG of {key.image.width}×{key.image.height} pixels, the size"
                " that its list names; export both again."
            )
        wide = values.astype(np.int32)
        return wide[..., 0] | wide[..., 1] << 8 | wide[..., 2] << 16, where

    def _table(self, key: _Key) -> tuple[NDArray[np.int32], NDArray[np.uint8], NDArray[np.int32]]:
        """(n,) each: the numbers of the segments, their classes, their numbers in their class."""
        count = Counter[int]()
        ids, classes, instances = [], [], []
        for row in key.segments:
            class_id = self._ids[row.whole("category_id")]
            count[class_id] += not row.raw("iscrowd")
            ids.append(row.whole("id", 0, _MOST - 1))
            classes.append(class_id)
            instances.append(0 if row.raw("iscrowd") else count[class_id])
        return np.array(ids, np.int32), np.array(classes, np.uint8), np.array(instances, np.int32)


def _unknown(where: str, number: int) -> FormatError:
    return FormatError(
        f"{where} holds the segment {number}, which 'segments_info' of its list does not have;"
        " export both again."
    )


@file_format
class CocoPanoptic:
    """See the module."""

    name = "coco_panoptic"
    title = "COCO panoptic"
    about = "A PNG of numbered segments for each frame, and JSON that says what each one is."
    can_write = True
    is_exact = True
    writes_with: tuple[Option, ...] = ()
    reads_with: tuple[Option, ...] = ()

    def writer(self, classes: ClassMap, options: Values) -> PanopticWriter:
        """Any class set of up to 255 classes."""
        return PanopticWriter(classes)

    def sniff(self, source: Source) -> Guess | None:
        """Lists whose annotations have segments_info."""
        found = _lists(source)
        if not found:
            return None
        return Guess(self.name, 0.97, f"{found[0]} is a list of COCO's panoptic segments.", {})

    def open(
        self, source: Source, options: Values, classes: ClassMap | None = None
    ) -> PanopticReader:
        """The categories of the lists are the classes."""
        found = _lists(source)
        if not found:
            raise FormatError(
                f"{source.title} holds no annotations/panoptic_….json; choose the folder that does."
            )
        lists = coco_lists.read_lists(source, found)
        framing, notes = Framing(source), list(source.notes)
        used: set[int] = set()
        several = False
        for one in lists:
            for key in _keys(source, one, notes):
                classes_of = [r.whole("category_id") for r in key.segments if not r.raw("iscrowd")]
                several |= len(set(classes_of)) < len(classes_of)
                used.update(row.whole("category_id") for row in key.segments)
                framing.add(one, key.image, key)
        known = coco_lists.read_categories(lists, source.title, used)
        return PanopticReader(known.classes, framing.sorted(), notes, known.ids, several, source)


def _lists(source: Source) -> list[PurePosixPath]:
    """Lists that are called panoptic_…, or the chosen file if it has segments."""
    found = coco_lists.find_lists(source, "panoptic")
    return [p for p in found if p.stem.startswith("panoptic_") and _has_segments(source, p)]


def _has_segments(source: Source, path: PurePosixPath) -> bool:
    """Whether its first part speaks of segments, or of no regions at all."""
    head = source.head(path, 1 << 20)
    return b'"segments_info"' in head or b'"segmentation"' not in head


def _keys(source: Source, one: ListFile, notes: list[str]) -> Iterator[_Key]:
    """The frames of a list whose PNG is there."""
    images = one.images()
    folder = one.path.parent
    inside = [str(folder / one.path.stem), str(folder / one.token), f"{folder}/panoptic"]
    missing = 0
    for row in one.content.records("annotations"):
        image = images.get(row.whole("image_id"))
        name = row.text("file_name")
        file = find_picture(source, name, inside, one.path)
        if image is None or file is None:
            missing += 1
            continue
        yield _Key(image, file, tuple(row.records("segments_info")))
    if missing:
        notes.append(f"Left out: {missing:,} frames of {one.path} without their PNG or image row.")
