"""Datumaro's own JSON: masks in COCO's run lengths, classes in a table of names and colours.

    images/train/drive_000010.jpg         "default" where nothing is split
    annotations/train.json

Read: masks and polygons, higher `z_order` above lower, then what comes later. Void has no
annotation.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import PurePosixPath

from segstudio.core.classes import ClassMap
from segstudio.errors import FormatError, SegStudioError
from segstudio.formats.class_sets import numbered
from segstudio.formats.files.fields import Fields, opened
from segstudio.formats.files.list_files import possible_lists
from segstudio.formats.files.pictures import check_size, find_picture, picture_size, split_in
from segstudio.formats.files.source import Source
from segstudio.formats.label_names import Color, named_classes, unique_names
from segstudio.formats.labelled import Labelled
from segstudio.formats.lookup import looked_up
from segstudio.formats.names import Unique
from segstudio.formats.options import Option, Values
from segstudio.formats.outlining import rle
from segstudio.formats.outlining.filling import Rule, fill_area
from segstudio.formats.outlining.painting import painted_frame
from segstudio.formats.outlining.segments import segments
from segstudio.formats.outlining.shapes import (
    OUTLINES,
    Shape,
    from_columns,
    ring,
    ring_area,
    rule_of,
)
from segstudio.formats.registry import (
    Entry,
    FrameRef,
    Guess,
    OutFile,
    Written,
    file_format,
    in_order,
)

_UNSPLIT = "default"


class DatumaroWriter:
    """See the module. ids: classes numbered from 0, as the labels of the file."""

    cannot: tuple[str, ...] = ()

    def __init__(self, classes: ClassMap) -> None:
        self._classes, self.ids = numbered(classes)

    def frame(self, item: Labelled) -> Written:
        """No label file of its own: its masks go into the list."""
        split = item.split or _UNSPLIT
        suffix = item.picture.suffix if item.picture is not None else ".png"
        place = PurePosixPath("images", split, f"{item.name}{suffix}")
        size = list(item.size)
        found = segments(looked_up(self.ids, item.labels), item.instances, down=True)
        rows = [
            {
                "id": number,
                "type": "mask",
                "attributes": {"is_crowd": False},
                "group": number,
                "label_id": one.class_id,
                "rle": {
                    "counts": rle.to_text(rle.counts_of(one.starts, one.ends, item.labels.size)),
                    "size": size,
                },
                "z_order": 0,
            }
            for number, one in enumerate(found, 1)
        ]
        image = {"path": place.name, "size": size}
        row = {"id": item.name, "annotations": rows, "image": image}
        entry = {"split": split, "item": json.dumps(row, separators=(",", ":"))}
        return Written((), place if item.picture is not None else None, entry)

    def finish(self, entries: Callable[[], Iterator[Entry]]) -> Iterable[OutFile]:
        """annotations/<split>.json."""
        for split in dict.fromkeys(str(row["split"]) for row in entries()):
            content = self._document(split, entries)
            yield OutFile(PurePosixPath("annotations", f"{split}.json"), content)

    def _document(self, split: str, entries: Callable[[], Iterator[Entry]]) -> Iterator[bytes]:
        names = unique_names(self._classes)
        head = {
            "info": {},
            "categories": {
                "label": {
                    "labels": [{"name": n, "parent": "", "attributes": []} for n in names],
                    "attributes": [],
                },
                "mask": {
                    "colormap": [
                        dict(zip(("label_id", "r", "g", "b"), (c.id, *c.color), strict=True))
                        for c in self._classes.classes
                    ]
                },
            },
        }
        yield json.dumps(head)[:-1].encode() + b', "items": ['
        between = "\n"
        for row in entries():
            if row["split"] == split:
                yield f"{between}{row['item']}".encode()
                between = ",\n"
        yield b"\n]}\n"


@dataclass(frozen=True, slots=True)
class _Key:
    height: int
    width: int
    rows: Sequence[Fields]


@dataclass(slots=True)
class DatumaroReader:
    """Labels from masks and polygons. See `registry.Reader`."""

    classes: ClassMap
    frames: Sequence[FrameRef]
    notes: Sequence[str]
    _has_instances: bool
    _rule: Rule

    def read(self, frame: FrameRef) -> Labelled:
        """Its annotations painted over each other."""
        key: _Key = frame.key
        count = Counter[int]()
        placed = []
        for row in key.rows:
            class_id = row.whole("label_id", 0, len(self.classes) - 1)
            count[class_id] += 1
            shape = self._shape(row, class_id, count[class_id], key)
            placed.append((row.number("z_order", 0.0), shape))
        placed.sort(key=lambda one: one[0])
        return painted_frame(
            frame,
            (shape for _, shape in placed),
            (key.height, key.width),
            with_instances=self._has_instances,
        )

    def _shape(self, row: Fields, class_id: int, number: int, key: _Key) -> Shape:
        if row.text("type") == "polygon":
            points = ring(row.raw("points"), f"{row.where}, 'points'")
            cut = partial(fill_area, [points], key.height, key.width, self._rule)
            return Shape(class_id, ring_area(points), cut, number)
        found = row.record("rle")
        if found.raw("size") != [key.height, key.width]:
            raise FormatError(
                f"{found.where}: 'size' is {str(found.raw('size'))[:60]} and the image's height and"
                f" width are [{key.height}, {key.width}]; export it again."
            )
        where, pixels = f"{found.where}, 'counts'", key.height * key.width
        given = found.raw("counts")
        counts = (
            rle.from_text(given, pixels, where)
            if isinstance(given, str)
            else rle.checked(given, pixels, where)
        )
        return Shape(class_id, 0.0, partial(from_columns, counts, key.height), number)


@dataclass(slots=True)
class _Reading:
    """What is gathered while files are read."""

    source: Source
    classes: ClassMap | None = None
    frames: list[FrameRef] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    unsized: int = 0
    has_instances: bool = False
    _names: Unique = field(default_factory=Unique)

    def file(self, path: PurePosixPath) -> None:
        """One list. FormatError when its classes are others than those of the lists before."""
        content = opened(self.source, path)
        known = _classes(content, self.source.title)
        if self.classes is not None and known != self.classes:
            raise FormatError(
                f"{content.where} has other 'categories' than the lists beside it; open it alone."
            )
        self.classes = known
        for item in content.records("items"):
            self._item(path, item)

    def _item(self, path: PurePosixPath, item: Fields) -> None:
        rows = []
        for row in item.records("annotations"):
            kind = row.text("type", "nothing")
            if kind in ("mask", "polygon") and row.has("label_id"):
                rows.append(row)
            else:
                without = kind in ("mask", "polygon")
                self.left_out[f"{kind} without a label" if without else kind[:40]] += 1
        name = item.text("id").replace("\\", "/")
        image = item.record("image") if item.has("image") else None
        named = image.text("path", "") if image is not None else ""
        top = path.parent.parent
        folders = [str(top / "images" / path.stem), str(top / "images")]
        picture = find_picture(self.source, named or f"{name}.jpg", folders, path)
        size = self._size(image, rows, picture)
        if size is None:
            self.unsized += 1
            return
        labels = Counter(str(row.raw("label_id")) for row in rows)
        self.has_instances |= any(n > 1 for n in labels.values())
        frame = self._names.name(PurePosixPath(name).name)
        key = _Key(*size, rows)
        self.frames.append(FrameRef(frame, key, "", split_in(path.stem), picture))

    def _size(
        self, image: Fields | None, rows: Sequence[Fields], picture: PurePosixPath | None
    ) -> tuple[int, int] | None:
        """(height, width) as the item, its first mask, or the picture says."""
        masks = [row.record("rle") for row in rows if row.text("type") == "mask"]
        for found in ([image] if image is not None else []) + masks[:1]:
            size = found.raw("size")
            if isinstance(size, list) and len(size) == 2 and all(type(n) is int for n in size):
                return check_size(size[0], size[1], found.where)
        return picture_size(self.source, picture) if picture is not None else None

    def notes(self) -> Iterator[str]:
        """What was left out."""
        yield from self.source.notes
        if self.left_out:
            told = ", ".join(f"{n:,} × {name}" for name, n in sorted(self.left_out.items()))
            yield f"Annotations without an area or a class were left out: {told}."
        if self.unsized:
            yield f"Left out: {self.unsized:,} items whose size nothing says."


def _classes(content: Fields, title: str) -> ClassMap:
    """Labels by their place in the list, in the colours of the table for masks."""
    known = content.record("categories")
    labels = list(known.record("label").records("labels")) if known.has("label") else []
    colors: dict[int, Color] = {}
    if known.has("mask"):
        for row in known.record("mask").records("colormap"):
            r, g, b = (row.whole(name, 0, 255) for name in ("r", "g", "b"))
            colors[row.whole("label_id")] = (r, g, b)
    taken: Mapping[str, int] = Counter(row.text("name") for row in labels)
    names = [
        row.text("name") if taken[row.text("name")] == 1 else f"{row.text('name')} {place}"
        for place, row in enumerate(labels)
    ]
    return named_classes(((name, colors.get(place)) for place, name in enumerate(names)), [], title)


@file_format
class Datumaro:
    """See the module."""

    name = "datumaro"
    title = "Datumaro"
    about = "JSON of Datumaro, which converts between dozens of formats."
    can_write = True
    is_exact = True
    writes_with: tuple[Option, ...] = ()
    reads_with: tuple[Option, ...] = (OUTLINES,)

    def writer(self, classes: ClassMap, options: Values) -> DatumaroWriter:
        """Any class set of up to 255 classes."""
        return DatumaroWriter(classes)

    def sniff(self, source: Source) -> Guess | None:
        """JSON with items, and with categories that have labels."""
        found = _lists(source)
        if not found:
            return None
        return Guess(self.name, 0.95, f"{found[0]} is a list of Datumaro.", {})

    def open(
        self, source: Source, options: Values, classes: ClassMap | None = None
    ) -> DatumaroReader:
        """The labels of the lists are the classes."""
        found = _lists(source)
        if not found:
            raise FormatError(
                f"{source.title} holds no JSON of Datumaro with categories and items; choose the"
                " folder above 'annotations'."
            )
        reading = _Reading(source)
        for path in found:
            reading.file(path)
        frames = in_order(reading.frames)
        assert reading.classes is not None  # there is a file
        notes = list(reading.notes())
        return DatumaroReader(
            reading.classes, frames, notes, reading.has_instances, rule_of(options)
        )


def _lists(source: Source) -> list[PurePosixPath]:
    return [p for p in possible_lists(source, ".json") if _looks(source, p)]


def _looks(source: Source, path: PurePosixPath) -> bool:
    try:
        head = source.head(path)
    except SegStudioError:
        return False
    has_labels = b'"labels"' in head and b'"label"' in head
    return (
        b'"categories"' in head and (has_labels or b'"items"' in head) and b'"images"' not in head
    )
