"""YOLO segmentation: a text file of polygons for each frame.

    data.yaml
    images/train/drive_000010.jpg         "train" where nothing is split
    labels/train/drive_000010.txt         class x1 y1 x2 y2 …, from 0 to 1
    sizes.txt                             of frames whose pictures are not written

A line is a connected region or an instance; holes, and the parts of an instance, are joined by a
cut. Void has no line. Read: smaller regions above larger ones, for the format has no order.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath

from segstudio.core.classes import ClassDef, ClassMap
from segstudio.core.palettes import safe_colors
from segstudio.errors import FormatError
from segstudio.formats.class_sets import numbered
from segstudio.formats.detail.yolo_files import class_names, polygons
from segstudio.formats.files.pictures import check_size, picture_size, split_in
from segstudio.formats.files.source import Source
from segstudio.formats.label_names import unique_names
from segstudio.formats.labelled import SPLITS, Labelled
from segstudio.formats.lookup import looked_up
from segstudio.formats.names import Unique
from segstudio.formats.options import Option, Values
from segstudio.formats.outlining.filling import Rule, fill_area
from segstudio.formats.outlining.object_polygons import object_polygons
from segstudio.formats.outlining.shapes import (
    OUTLINES,
    Shape,
    bridged,
    large_first,
    painted,
    ring_area,
    rule_of,
)
from segstudio.formats.registry import Entry, FrameRef, Guess, OutFile, Written, file_format

_SIZES = PurePosixPath("sizes.txt")
_CONFIGS = (".yaml", ".yml")
_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".JPG", ".PNG")


class YoloWriter:
    """See the module. ids: classes numbered from 0, as in the files."""

    def __init__(self, classes: ClassMap, tolerance: float) -> None:
        self._classes, self.ids = numbered(classes)
        self._tolerance = tolerance
        self.is_exact = not tolerance
        self.cannot: tuple[str, ...] = ()
        if tolerance:
            self.cannot = (f"Borders are moved by up to about {tolerance:g} px.",)

    def frame(self, item: Labelled) -> Written:
        """The text file; an empty one where all is void."""
        height, width = item.size
        lines = []
        for one in object_polygons(
            looked_up(self.ids, item.labels), item.instances, self._tolerance
        ):
            points = bridged(one.rings[0], one.rings[1:]) / [width, height]
            lines.append(f"{one.class_id} " + " ".join(f"{n:.6f}" for n in points.ravel()))
        split = item.split or "train"
        place = PurePosixPath(split, item.name)
        text = "".join(f"{line}\n" for line in lines)
        file = OutFile(PurePosixPath("labels", split, f"{item.name}.txt"), text.encode())
        picture, size = None, f"{place} {height} {width}\n"
        if item.picture is not None:
            picture = PurePosixPath("images", split, f"{item.name}{item.picture.suffix}")
            size = ""
        return Written(
            (file,), picture, {"split": split, "size": size, "is_split": bool(item.split)}
        )

    def finish(self, entries: Callable[[], Iterator[Entry]]) -> Iterable[OutFile]:
        """data.yaml, and sizes.txt where it is needed."""
        splits = {str(row["split"]) for row in entries()}
        train = next((s for s in SPLITS if s in splits), "train")
        rows = ["path: .", f"train: images/{train}"]
        if "val" in splits:
            rows.append("val: images/val")
        elif any(row.get("is_split") for row in entries()):
            # Figures on the training pictures would look like a validation.
            rows.append("# val: no frame is in this split; export with frames in val for figures")
        else:  # training programs want both lists; where nothing is split, both are all of them
            rows.append(f"val: images/{train}")
        if "test" in splits:
            rows.append("test: images/test")
        rows.append("names:")
        names = unique_names(self._classes)
        rows += [
            f"  {number}: {json.dumps(name, ensure_ascii=False)}"
            for number, name in enumerate(names)
        ]
        yield OutFile(PurePosixPath("data.yaml"), "".join(f"{row}\n" for row in rows).encode())
        if any(row["size"] for row in entries()):
            yield OutFile(_SIZES, (str(row["size"]).encode() for row in entries()))


@dataclass(slots=True)
class YoloReader:
    """Labels from text files (the frames' keys). See `registry.Reader`."""

    classes: ClassMap
    frames: Sequence[FrameRef]
    notes: Sequence[str]
    _source: Source
    _sizes: Mapping[str, tuple[int, int]]
    _rule: Rule

    def read(self, frame: FrameRef) -> Labelled:
        """Its polygons painted over each other."""
        path: PurePosixPath = frame.key
        where = self._source.called(path)
        height, width = self._size(frame, where)
        rows = polygons(self._source.read(path), height, width, len(self.classes), where)
        count = Counter[int]()
        shapes = []
        for number, points in rows:
            count[number] += 1
            cut = partial(fill_area, [points], height, width, self._rule)
            shapes.append(Shape(number, ring_area(points), cut, count[number]))
        labels, instances = painted(
            large_first(shapes), height, width, with_instances=True, name=where
        )
        return Labelled(frame.name, labels, None, frame.clip, frame.split, 0, instances)

    def _size(self, frame: FrameRef, where: str) -> tuple[int, int]:
        """(height, width) of the picture, or as sizes.txt says."""
        if frame.picture is not None:
            return picture_size(self._source, frame.picture)
        size = self._sizes.get(_place(frame.key))
        if size is None:
            raise FormatError(
                f"{where} has no picture beside it, and only the picture says how large it is; add"
                " the folder 'images'."
            )
        return check_size(*size, self._source.called(_SIZES))


@file_format
class Yolo:
    """See the module."""

    name = "yolo"
    title = "YOLO segmentation"
    about = "Polygons in text files, with data.yaml; instance segmentation programs read it."
    can_write = True
    is_exact = False
    writes_with: tuple[Option, ...] = (
        Option(
            "tolerance",
            "Tolerance",
            1.0,
            "How far a border may be moved to have fewer corners, in pixels; 0 keeps all of them.",
            high=20.0,
        ),
    )
    reads_with: tuple[Option, ...] = (OUTLINES,)

    def writer(self, classes: ClassMap, options: Values) -> YoloWriter:
        """Any class set of up to 255 classes."""
        return YoloWriter(classes, float(options["tolerance"]))

    def sniff(self, source: Source) -> Guess | None:
        """Text files in folders called labels, whose first line is a polygon or nothing."""
        files = _label_files(source)
        if not files:
            return None
        config = _config(source)
        is_polygon = any(_begins_polygon(source, path) for path in files[:20])
        if not is_polygon and (config is None or any(source.head(p, 200) for p in files[:20])):
            return None
        where = f" and {config} names classes" if config is not None else ""
        why = f"{files[0]} holds polygons of YOLO{where}."
        return Guess(self.name, 0.9 if config is not None else 0.7, why, {})

    def open(self, source: Source, options: Values, classes: ClassMap | None = None) -> YoloReader:
        """data.yaml's names are the classes; without one, `classes` in the order of their ids."""
        files = _label_files(source)
        if not files:
            raise FormatError(
                f"{source.title} holds no text files in a folder 'labels'; choose the folder of"
                " data.yaml."
            )
        known = _classes(source, classes)
        unique = Unique()
        frames = [
            FrameRef(unique.name(path.stem), path, "", _split(path), _picture(source, path))
            for path in files
        ]
        return YoloReader(
            known, frames, list(source.notes), source, _sizes(source), rule_of(options)
        )


def _label_files(source: Source) -> list[PurePosixPath]:
    """A chosen data.yaml names the folders, so it stands for all of them."""
    is_config = source.only is not None and source.only.suffix.lower() in _CONFIGS
    files = source.around if is_config else source.files
    return [p for p in files if p.suffix.lower() == ".txt" and "labels" in p.parts[:-1]]


def _begins_polygon(source: Source, path: PurePosixPath) -> bool:
    words = source.head(path, 400).partition(b"\n")[0].split()
    try:
        numbers = [float(word) for word in words[:7]]
    except ValueError:
        return False
    return len(numbers) == 7 and numbers[0].is_integer()


def _config(source: Source) -> PurePosixPath | None:
    """The first YAML that names classes, the highest folder first."""
    found = [p for p in source.files if p.suffix.lower() in _CONFIGS]
    for path in sorted(found, key=lambda p: len(p.parts)):
        if b"names" in source.head(path):
            return path
    return None


def _classes(source: Source, given: ClassMap | None) -> ClassMap:
    config = _config(source)
    names = class_names(source, config) if config is not None else None
    if config is None or names is None:
        if given is None:
            raise FormatError(
                f"{source.title} holds no data.yaml with 'names'; add it, or choose a class set."
            )
        return numbered(given)[0]
    count = max(names) + 1
    if count > 255:
        raise FormatError(
            f"{source.called(config)}: 'names' has numbers up to {count - 1} and labels hold 255"
            " classes; export fewer."
        )
    colors = safe_colors(min(count, 40))
    rows = (ClassDef(i, names.get(i, f"class {i}"), colors[i % len(colors)]) for i in range(count))
    return ClassMap(source.title, tuple(rows))


def _place(path: PurePosixPath) -> str:
    """A label file below its folder "labels", without its ending: as sizes.txt names it."""
    parts = path.parts
    below = PurePosixPath(*parts[len(parts) - parts[::-1].index("labels") :])
    return str(below.with_suffix(""))


def _split(path: PurePosixPath) -> str:
    """train/labels/a.txt or labels/train/a.txt."""
    return next((s for part in reversed(path.parts[:-1]) if (s := split_in(part))), "")


def _picture(source: Source, path: PurePosixPath) -> PurePosixPath | None:
    """The picture in the folder images that lies where the labels' folder lies."""
    parts = list(path.parts)
    parts[len(parts) - 1 - parts[::-1].index("labels")] = "images"
    base = PurePosixPath(*parts[:-1])
    names = (base / f"{path.stem}{suffix}" for suffix in _SUFFIXES)
    return next((name for name in names if source.has(name)), None)


def _sizes(source: Source) -> dict[str, tuple[int, int]]:
    """(height, width) by label files, as sizes.txt says; lines of other form are left out."""
    found = {}
    if source.has(_SIZES):
        for line in source.text(_SIZES).splitlines():
            name, height, width = [*line.rsplit(" ", 2), "", ""][:3]
            if height.isdecimal() and width.isdecimal() and len(height + width) < 20:
                found[name] = (int(height), int(width))
    return found
