"""CVAT's XML 1.1: masks are written; masks, polygons, boxes and ellipses are read.

    images/train/drive_000010.jpg         train/ only where frames are split
    annotations.xml

A mask is run lengths along the rows of its box; void has none. Read: images, and tracks of videos,
whose shapes stay until the track says something else; higher `z_order` above lower, then what
comes later in the file. Boxes and ellipses are filled, as CVAT does when it exports masks.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePosixPath

from segstudio.core.classes import ClassMap
from segstudio.errors import FormatError, SegStudioError
from segstudio.formats.class_sets import numbered
from segstudio.formats.detail.cvat_reader import CvatReader, open_cvat
from segstudio.formats.files.list_files import possible_lists
from segstudio.formats.files.markup import attribute, text
from segstudio.formats.files.source import Source
from segstudio.formats.label_names import unique_names
from segstudio.formats.labelled import Labelled
from segstudio.formats.lookup import looked_up
from segstudio.formats.options import Option, Values
from segstudio.formats.outlining.segments import counts_in_box, segments
from segstudio.formats.outlining.shapes import OUTLINES, rule_of
from segstudio.formats.registry import Entry, Guess, OutFile, Written, file_format

FILE = PurePosixPath("annotations.xml")


class CvatWriter:
    """See the module. ids: classes numbered from 0, in the order of the file's labels."""

    cannot: tuple[str, ...] = ()

    def __init__(self, classes: ClassMap) -> None:
        self._classes, self.ids = numbered(classes)
        self._names = unique_names(self._classes)

    def frame(self, item: Labelled) -> Written:
        """No label file of its own: its masks go into the XML."""
        name = f"{item.name}{item.picture.suffix if item.picture is not None else '.png'}"
        picture = PurePosixPath("images", item.split, name) if item.picture is not None else None
        height, width = item.size
        subset = f" subset={attribute(item.split)}" if item.split else ""
        rows = [f'name={attribute(name)}{subset} width="{width}" height="{height}">']
        for one in segments(looked_up(self.ids, item.labels), item.instances):
            left, top, box_width, box_height = one.box
            counts = ", ".join(map(str, counts_in_box(one, width).tolist()))
            rows.append(
                f"    <mask label={attribute(self._names[one.class_id])} source="
                f'"manual" occluded="0" rle="{counts}" left="{left}" top="{top}"'
                f' width="{box_width}" height="{box_height}" z_order="0">\n    </mask>'
            )
        return Written((), picture, {"split": item.split, "xml": "\n".join(rows)})

    def finish(self, entries: Callable[[], Iterator[Entry]]) -> Iterable[OutFile]:
        """annotations.xml."""
        yield OutFile(FILE, self._document(entries))

    def _document(self, entries: Callable[[], Iterator[Entry]]) -> Iterator[bytes]:
        splits = Counter(str(row["split"]) for row in entries())
        # CVAT has subsets in projects only; without any, it is one task.
        owner = "project" if any(splits) else "task"
        size = f"      <size>{splits.total()}</size>\n" if owner == "task" else ""
        yield (
            '<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n  <version>1.1</version>\n'
            f"  <meta>\n    <{owner}>\n      <name>SegStudio</name>\n{size}"
            "      <mode>annotation</mode>\n      <labels>\n"
        ).encode()
        for known, name in zip(self._classes.classes, self._names, strict=True):
            yield (
                f"        <label>\n          <name>{text(name)}</name>\n"
                f"          <color>#{bytes(known.color).hex()}</color>\n"
                "          <type>any</type>\n          <attributes>\n          </attributes>\n"
                "        </label>\n"
            ).encode()
        yield b"      </labels>\n"
        if owner == "project":
            yield "".join(_tasks(splits)).encode()
        yield f"    </{owner}>\n  </meta>\n".encode()
        for number, row in enumerate(entries()):
            yield f'  <image id="{number}" {row["xml"]}\n  </image>\n'.encode()
        yield b"</annotations>\n"


def _tasks(splits: Counter[str]) -> Iterator[str]:
    """The tasks of a project: one for each subset."""
    yield "      <tasks>\n"
    for split, count in splits.items():
        subset = f"          <subset>{text(split)}</subset>\n" if split else ""
        yield (
            f"        <task>\n          <name>{text(split or 'SegStudio')}</name>\n"
            f"          <size>{count}</size>\n          <mode>annotation</mode>\n{subset}"
            "        </task>\n"
        )
    yield "      </tasks>\n"


@file_format
class Cvat:
    """See the module."""

    name = "cvat"
    title = "CVAT"
    about = "XML 1.1 with a mask for each class or object; reads videos, polygons and boxes too."
    can_write = True
    is_exact = True
    writes_with: tuple[Option, ...] = ()
    reads_with: tuple[Option, ...] = (OUTLINES,)

    def writer(self, classes: ClassMap, options: Values) -> CvatWriter:
        """Any class set of up to 255 classes."""
        return CvatWriter(classes)

    def sniff(self, source: Source) -> Guess | None:
        """XML whose root is <annotations>."""
        found = _lists(source)
        if not found:
            return None
        return Guess(self.name, 0.95, f"{found[0]} is XML of CVAT.", {})

    def open(self, source: Source, options: Values, classes: ClassMap | None = None) -> CvatReader:
        """The labels of the task are the classes."""
        found = _lists(source)
        if not found:
            raise FormatError(
                f"{source.title} holds no XML with <annotations> of CVAT; export 'CVAT for images"
                " 1.1' or 'CVAT for video 1.1' there."
            )
        return open_cvat(source, found, rule_of(options))


def _lists(source: Source) -> list[PurePosixPath]:
    return [p for p in possible_lists(source, ".xml") if _looks(source, p)]


def _looks(source: Source, path: PurePosixPath) -> bool:
    try:
        head = source.head(path, 4096)
    except SegStudioError:
        return False
    return b"<annotations" in head
