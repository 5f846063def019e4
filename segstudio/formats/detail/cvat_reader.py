"""What CVAT's XML says of images, and of the frames of a video."""

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import PurePosixPath
from xml.etree.ElementTree import Element

from segstudio.core.area import Area
from segstudio.core.classes import ClassMap
from segstudio.core.geometry import Rect
from segstudio.errors import FormatError
from segstudio.formats.files.fields import Fields
from segstudio.formats.files.markup import parsed
from segstudio.formats.files.pictures import check_size, find_picture, split_in
from segstudio.formats.files.source import Source
from segstudio.formats.label_names import Color, hex_color, named_classes
from segstudio.formats.labelled import SPLITS, Labelled
from segstudio.formats.names import Unique
from segstudio.formats.outlining import rle
from segstudio.formats.outlining.filling import Rule, fill_area
from segstudio.formats.outlining.painting import painted_frame
from segstudio.formats.outlining.shapes import Shape, ellipse, rectangle, ring, ring_area
from segstudio.formats.registry import FrameRef, in_order

_AREAS = ("mask", "polygon", "box", "ellipse")
_OTHERS = ("polyline", "points", "cuboid", "skeleton", "tag")
_NO_AREA = ("skeleton", "points", "polyline", "tag", "cuboid")


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A shape of the file. number: of the frame, where it is of a track."""

    label: str
    tag: str
    fields: Fields
    number: int = 0


@dataclass(frozen=True, slots=True)
class _Track:
    """Shapes of one object by their frames. numbers: sorted."""

    numbers: Sequence[int]
    shapes: Sequence[_Drawn]


@dataclass(frozen=True, slots=True)
class _Key:
    height: int
    width: int
    shapes: Sequence[_Drawn] = ()
    tracks: Sequence[_Track] = ()
    number: int = 0

    def drawn(self) -> Iterator[_Drawn]:
        """Those of this frame."""
        yield from self.shapes
        for track in self.tracks:
            at = bisect_right(track.numbers, self.number) - 1
            if at >= 0 and track.shapes[at].fields.raw("outside") != "1":
                yield track.shapes[at]


@dataclass(slots=True)
class CvatReader:
    """Labels from shapes. See `registry.Reader`."""

    classes: ClassMap
    frames: Sequence[FrameRef]
    notes: Sequence[str]
    _ids: Mapping[str, int]
    _has_instances: bool
    _rule: Rule

    def read(self, frame: FrameRef) -> Labelled:
        """Its shapes painted over each other."""
        key: _Key = frame.key
        count = Counter[int]()
        placed: list[tuple[int, Shape]] = []
        for drawn in key.drawn():
            class_id = self._ids[drawn.label]
            count[class_id] += 1
            order = _whole(drawn.fields, "z_order", 0)
            size = key.height, key.width
            placed.append((order, _shape(drawn, class_id, count[class_id], size, self._rule)))
        placed.sort(key=lambda one: one[0])
        return painted_frame(
            frame,
            (shape for _, shape in placed),
            (key.height, key.width),
            with_instances=self._has_instances,
            number=key.number,
        )


def _shape(drawn: _Drawn, class_id: int, number: int, size: tuple[int, int], rule: Rule) -> Shape:
    height, width = size
    fields = drawn.fields
    if drawn.tag == "mask":
        return Shape(class_id, 0.0, partial(_mask, fields, height, width), number)
    if drawn.tag == "polygon":
        points = ring(_numbers(fields, "points"), f"{fields.where}, 'points'")
    elif drawn.tag == "box":
        corners = [_number(fields, name) for name in ("xtl", "ytl", "xbr", "ybr")]
        x, y, box_width, box_height = *corners[:2], corners[2] - corners[0], corners[3] - corners[1]
        turn = _number(fields, "rotation", 0.0)
        points = rectangle(
            x, y, box_width, box_height, turn, (x + box_width / 2, y + box_height / 2)
        )
    else:
        x, y, across, down = (_number(fields, name) for name in ("cx", "cy", "rx", "ry"))
        points = ellipse(x, y, across, down, _number(fields, "rotation", 0.0))
    cut = partial(fill_area, [points], height, width, rule)
    return Shape(class_id, ring_area(points), cut, number)


def _mask(fields: Fields, height: int, width: int) -> Area:
    """The pixels of a mask in its box."""
    left, top = _whole(fields, "left"), _whole(fields, "top")
    box_width, box_height = _whole(fields, "width"), _whole(fields, "height")
    if left + box_width > width or top + box_height > height:
        raise FormatError(
            f"{fields.where}: its box of {box_width}×{box_height} pixels at {left}, {top} reaches"
            f" out of the picture of {width}×{height}; export it again."
        )
    where = f"{fields.where}, 'rle'"
    try:
        counts = [int(part) for part in fields.text("rle").split(",")]
    except ValueError:
        counts = None
    checked = rle.checked(counts, box_width * box_height, where)
    rect = Rect(top, left, top + box_height, left + box_width)
    return Area(rect, rle.row_mask(checked, box_height, box_width))


def _numbers(fields: Fields, name: str) -> list[float]:
    """ "x,y;x,y" as a flat list."""
    try:
        return [float(part) for point in fields.text(name).split(";") for part in point.split(",")]
    except ValueError:
        raise FormatError(
            f"{fields.where}: '{name}' is no list of points x,y;x,y; export it again."
        ) from None


def _number(fields: Fields, name: str, otherwise: float | None = None) -> float:
    """An attribute as a finite number."""
    if otherwise is not None and not fields.has(name):
        return float(otherwise)
    try:
        value = float(fields.text(name))
    except ValueError:
        value = math.nan
    if not abs(value) < 1e9:
        raise FormatError(
            f"{fields.where}: '{name}' is '{fields.text(name)[:40]}' instead of a number; export it"
            " again."
        )
    return value


def _whole(fields: Fields, name: str, otherwise: int | None = None) -> int:
    """An attribute as a whole number, also written as 3.0; z_order may be negative."""
    value = _number(fields, name, otherwise)
    if not value.is_integer() or (value < 0 and name != "z_order"):
        raise FormatError(
            f"{fields.where}: '{name}' is '{fields.text(name)[:40]}' instead of a whole number;"
            " export it again."
        )
    return int(value)


@dataclass(slots=True)
class _Reading:
    """What is gathered while files are read."""

    source: Source
    listed: dict[str, Color | None] = field(default_factory=dict)
    used: dict[str, None] = field(default_factory=dict)
    frames: list[FrameRef] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    has_instances: bool = False
    _names: Unique = field(default_factory=Unique)

    def file(self, path: PurePosixPath) -> None:
        """One XML file."""
        where = self.source.called(path)
        root = parsed(self.source.read(path), where)
        if root.tag != "annotations":
            raise FormatError(f"{where} begins with <{root.tag[:40]}> instead of <annotations>.")
        for label in root.iterfind("meta//labels/label"):
            kind = label.findtext("type", "any")
            name = label.findtext("name", "").strip()
            if name and kind not in _NO_AREA and label.find("parent") is None:
                self.listed.setdefault(name, hex_color(label.findtext("color")))
        for place, image in enumerate(root.iterfind("image")):
            self._image(path, image, f"{where}: image {place}")
        tracks = [
            _Track([d.number for d in shapes], shapes)
            for place, track in enumerate(root.iterfind("track"))
            if (shapes := self._track(track, f"{where}: track {place}"))
        ]
        if tracks:
            self._video(path, root, tracks, where)

    def _image(self, path: PurePosixPath, image: Element, where: str) -> None:
        fields = Fields(image.attrib, where)
        size = check_size(_whole(fields, "height"), _whole(fields, "width"), where)
        name = fields.text("name").replace("\\", "/")
        shapes = list(self._shapes(image, where, None))
        split = fields.text("subset", "") or name.partition("/")[0]
        split = split if split in SPLITS else split_in(path.stem)
        top = path.parent
        folders = [str(top / "images"), str(top / "images" / split)]
        picture = find_picture(self.source, name, folders, path)
        self._add(PurePosixPath(name).stem, _Key(*size, shapes), split, picture)

    def _video(self, path: PurePosixPath, root: Element, tracks: list[_Track], where: str) -> None:
        size = root.find("meta//original_size")
        if size is None:
            raise FormatError(f"{where} has tracks and no 'original_size'; export it again.")
        fields = Fields({part.tag: part.text for part in size}, f"{where}, 'original_size'")
        height, width = check_size(_whole(fields, "height"), _whole(fields, "width"), where)
        for number in sorted({n for track in tracks for n in track.numbers}):
            name = f"frame_{number:06d}"
            found = (
                self.source.named(f"{path.parent / 'images' / name}{suffix}")
                for suffix in (".png", ".jpg", ".PNG", ".jpeg")
            )
            picture = next((file for file in found if file is not None), None)
            key = _Key(height, width, (), tracks, number)
            self._add(name, key, split_in(path.stem), picture)

    def _track(self, track: Element, where: str) -> list[_Drawn]:
        found = self._shapes(track, where, track.get("label", ""))
        return sorted(found, key=lambda drawn: drawn.number)

    def _shapes(self, parent: Element, where: str, label: str | None) -> Iterator[_Drawn]:
        """label: of a track, whose shapes carry none of their own."""
        for place, child in enumerate(parent):
            if child.tag not in _AREAS:
                if child.tag in _OTHERS:
                    self.left_out[child.tag] += 1
                continue
            fields = Fields(child.attrib, f"{where}, {child.tag} {place}")
            name = (child.get("label", "") if label is None else label).strip()
            if not name:
                self.left_out[f"{child.tag} without a label"] += 1
                continue
            self.used.setdefault(name)
            yield _Drawn(name, child.tag, fields, _whole(fields, "frame", 0))

    def _add(self, name: str, key: _Key, split: str, picture: PurePosixPath | None) -> None:
        labels = Counter(drawn.label for drawn in key.drawn())
        self.has_instances |= any(n > 1 for n in labels.values())
        self.frames.append(FrameRef(self._names.name(name), key, "", split, picture))


def open_cvat(source: Source, paths: Sequence[PurePosixPath], rule: Rule) -> CvatReader:
    """The reader of these files. rule: for polygons.

    FormatError naming file and place when they are damaged.
    """
    reading = _Reading(source)
    for path in paths:
        reading.file(path)
    classes = named_classes(reading.listed.items(), list(reading.used), source.title)
    frames = in_order(reading.frames)
    notes = list(source.notes)
    if reading.left_out:
        told = ", ".join(f"{n:,} × {name}" for name, n in sorted(reading.left_out.items()))
        notes.append(f"Shapes without an area or a class were left out: {told}.")
    ids = {known.name: known.id for known in classes.classes}
    return CvatReader(classes, frames, notes, ids, reading.has_instances, rule)
