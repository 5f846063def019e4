"""Results of Label Studio's tasks as labels."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import PurePosixPath
from urllib.parse import unquote

import numpy as np
from numpy.typing import NDArray

from segstudio.core.area import Area
from segstudio.core.classes import ClassMap
from segstudio.core.geometry import Rect
from segstudio.errors import FormatError, SegStudioError
from segstudio.formats.files.fields import Fields
from segstudio.formats.files.markup import parsed
from segstudio.formats.files.pictures import (
    check_size,
    find_picture,
    is_picture,
    picture_size,
    split_in,
)
from segstudio.formats.files.source import Source
from segstudio.formats.label_names import Color, hex_color, named_classes
from segstudio.formats.labelled import SPLITS, Labelled
from segstudio.formats.names import Unique
from segstudio.formats.outlining import rle
from segstudio.formats.outlining.filling import Rule, fill_area
from segstudio.formats.outlining.painting import painted_frame
from segstudio.formats.outlining.shapes import Shape, ellipse, rectangle, ring, ring_area
from segstudio.formats.registry import FrameRef, in_order

_AREAS = ("brush", "polygon", "rectangle", "ellipse")


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A result. kind: of _AREAS."""

    label: str
    kind: str
    fields: Fields


@dataclass(frozen=True, slots=True)
class _Key:
    height: int
    width: int
    drawn: Sequence[_Drawn]


@dataclass(slots=True)
class LabelStudioReader:
    """Labels from results. See `registry.Reader`."""

    classes: ClassMap
    frames: Sequence[FrameRef]
    notes: Sequence[str]
    _ids: Mapping[str, int]
    _has_instances: bool
    _rule: Rule

    def read(self, frame: FrameRef) -> Labelled:
        """Its results painted over each other, in their order."""
        key: _Key = frame.key
        size, is_counted = (key.height, key.width), self._has_instances
        return painted_frame(frame, self._shapes(key), size, with_instances=is_counted)

    def _shapes(self, key: _Key) -> Iterator[Shape]:
        count = Counter[int]()
        for drawn in key.drawn:
            class_id = self._ids[drawn.label]
            count[class_id] += 1
            _check(drawn.fields, key)
            value = drawn.fields.record("value")
            if drawn.kind == "brush":
                cut = partial(_brush, value, key.height, key.width)
                yield Shape(class_id, 0.0, cut, count[class_id])
                continue
            points = _outline(drawn.kind, value, key.height, key.width)
            cut = partial(fill_area, [points], key.height, key.width, self._rule)
            yield Shape(class_id, ring_area(points), cut, count[class_id])


def _check(fields: Fields, key: _Key) -> None:
    """FormatError when a result is of a picture of another size, or of a turned one."""
    size = fields.whole("original_height"), fields.whole("original_width")
    if size != (key.height, key.width):
        raise FormatError(
            f"{fields.where}: 'original_width' and 'original_height' are {size[1]}×{size[0]} and"
            f" its picture has {key.width}×{key.height}; export it again."
        )
    if fields.number("image_rotation", 0.0):
        raise FormatError(
            f"{fields.where}: 'image_rotation' is not 0; turn the picture back in Label Studio."
        )


def _brush(value: Fields, height: int, width: int) -> Area:
    where = f"{value.where}, 'rle'"
    mask = rle.from_bits(value.raw("rle"), height * width, where)
    return Area(Rect(0, 0, height, width), mask.reshape(height, width))


def _outline(kind: str, value: Fields, height: int, width: int) -> NDArray[np.float64]:
    """float64 (n, 2) in pixels; Label Studio has percent of the picture's sides."""
    scale = np.array([width, height]) / 100
    if kind == "polygon":
        rows = value.rows("points")
        if not all(isinstance(row, list) and len(row) == 2 for row in rows):
            raise FormatError(f"{value.where}: 'points' is no list of pairs; export it again.")
        return ring([n for row in rows for n in row], f"{value.where}, 'points'") * scale
    x, y = value.number("x") * scale[0], value.number("y") * scale[1]
    turn = value.number("rotation", 0.0)
    if kind == "rectangle":
        across, down = value.number("width") * scale[0], value.number("height") * scale[1]
        return rectangle(x, y, across, down, turn, (x, y))
    across, down = value.number("radiusX") * scale[0], value.number("radiusY") * scale[1]
    return ellipse(x, y, across, down, turn)


@dataclass(slots=True)
class _Reading:
    """What is gathered while tasks are read."""

    source: Source
    used: dict[str, None] = field(default_factory=dict)
    frames: list[FrameRef] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    unsized: int = 0
    has_instances: bool = False
    _names: Unique = field(default_factory=Unique)

    def file(self, path: PurePosixPath) -> None:
        """One list of tasks."""
        where = self.source.called(path)
        tasks = self.source.json(path)
        if not isinstance(tasks, list):
            raise FormatError(f"{where} is no list of tasks; export 'JSON' from Label Studio.")
        for place, row in enumerate(tasks):
            self._task(path, Fields(row, f"{where}: task {place}"))

    def _task(self, path: PurePosixPath, task: Fields) -> None:
        drawn = [] if (found := _chosen(task)) is None else list(self._drawn(found))
        # Exports of a single label's choice have the picture beside the results.
        about = task.record("data") if task.has("data") else task
        named = _picture_name(about)
        picture = self._picture(named, path)
        size = self._size(drawn, about, picture)
        if size is None:
            self.unsized += 1
            return
        labels = Counter(one.label for one in drawn)
        self.has_instances |= any(n > 1 for n in labels.values())
        split = about.text("split", "") if isinstance(about.raw("split"), str) else ""
        split = split if split in SPLITS else split_in(path.stem)
        name = self._names.name(PurePosixPath(named).stem or f"task_{len(self.frames) + 1}")
        self.frames.append(FrameRef(name, _Key(*size, drawn), "", split, picture))

    def _drawn(self, found: Fields) -> Iterator[_Drawn]:
        for row in found.records("result"):
            kind = row.text("type", "").removesuffix("labels")
            if kind not in _AREAS:
                self.left_out[row.text("type", "nothing")] += 1
                continue
            label = _label(row.record("value"), row.text("type"))
            if label is None:
                self.left_out[f"{kind} without a label"] += 1
                continue
            self.used.setdefault(label)
            yield _Drawn(label, kind, row)

    def _picture(self, named: str, path: PurePosixPath) -> PurePosixPath | None:
        if not named:
            return None
        # A local storage names files from its root, which may be above what was opened here.
        parts = PurePosixPath(named.lstrip("/")).parts
        tails = ("/".join(parts[start:]) for start in range(len(parts)))
        found = next((tail for tail in tails if self.source.has(tail)), None)
        if found is not None and is_picture(PurePosixPath(found)):
            return PurePosixPath(found)
        near = find_picture(self.source, PurePosixPath(named).name, (), path)
        return near if near is not None and is_picture(near) else None

    def _size(
        self, drawn: Sequence[_Drawn], about: Fields, picture: PurePosixPath | None
    ) -> tuple[int, int] | None:
        """(height, width) by the results, the task, or the picture."""
        if drawn:
            first = drawn[0].fields
            height, width = first.whole("original_height"), first.whole("original_width")
            return check_size(height, width, first.where)
        if type(about.raw("width")) is int and type(about.raw("height")) is int:
            return check_size(about.whole("height"), about.whole("width"), about.where)
        return picture_size(self.source, picture) if picture is not None else None

    def notes(self) -> Iterator[str]:
        """What was left out."""
        yield from self.source.notes
        if self.left_out:
            told = ", ".join(f"{n:,} × {name[:40]}" for name, n in sorted(self.left_out.items()))
            yield f"Results without an area or a class were left out: {told}."
        if self.unsized:
            yield f"Left out: {self.unsized:,} tasks without results whose picture is not there."


def _chosen(task: Fields) -> Fields | None:
    """The annotation of a task that counts."""
    for name in ("annotations", "completions", "predictions"):
        for row in task.records(name):
            if not row.raw("was_cancelled") and not row.raw("skipped"):
                return row
    return None


def _label(value: Fields, kind: str) -> str | None:
    """The first label of a result."""
    for name in (kind, "labels"):
        found = value.raw(name)
        if isinstance(found, list) and found and isinstance(found[0], str) and found[0].strip():
            return found[0].strip()
    return None


def _picture_name(about: Fields) -> str:
    """The path of a task's picture: of "image" or whatever else names one; "" when nothing does."""
    values = [about.raw(name) for name in ("image", "img", "picture", *about.names())]
    texts = [_path(value) for value in values if isinstance(value, str)]
    return next((t for t in texts if is_picture(PurePosixPath(t))), texts[0] if texts else "")


def _path(text: str) -> str:
    """The path in an address: of a local storage what it names, without the question's rest."""
    _, _, local = text.partition("?d=")
    return unquote(local or text.partition("?")[0]).replace("\\", "/")[:1000]


def _configured(source: Source) -> Iterator[tuple[str, Color | None]]:
    """Labels of the labelling configurations beside the tasks."""
    for path in source.around:
        if path.suffix.lower() != ".xml" or b"<View" not in source.head(path, 4096):
            continue
        try:
            root = parsed(source.read(path), source.called(path))
        except SegStudioError as error:
            source.notes.append(str(error))
            continue
        for label in root.iter("Label"):
            if label.get("value", "").strip():
                yield label.get("value", "").strip(), hex_color(label.get("background"))


def open_tasks(source: Source, paths: Sequence[PurePosixPath], rule: Rule) -> LabelStudioReader:
    """The reader of these lists. rule: for polygons.

    FormatError naming file and field when they are damaged.
    """
    reading = _Reading(source)
    for path in paths:
        reading.file(path)
    classes = named_classes(_configured(source), list(reading.used), source.title)
    frames = in_order(reading.frames)
    ids = {known.name: known.id for known in classes.classes}
    notes = list(reading.notes())
    return LabelStudioReader(classes, frames, notes, ids, reading.has_instances, rule)
