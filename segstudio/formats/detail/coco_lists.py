"""COCO's lists: categories, images and annotations, written piece by piece and read by type.

    {"info", "licenses", "categories": [{id, name, supercategory, color}],
     "images": [{id, file_name, width, height}], "annotations": […]}

Ids are written from 1, for some programs take 0 as "unspecified"; those of others, which jump or
begin anywhere, become class ids 0, 1, … in their order.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from segstudio.core.classes import VOID, ClassDef, ClassMap
from segstudio.core.palettes import safe_colors
from segstudio.errors import FormatError, SegStudioError
from segstudio.formats.files.fields import Fields, opened
from segstudio.formats.files.list_files import possible_lists
from segstudio.formats.files.pictures import check_size, find_picture, split_in
from segstudio.formats.files.source import Source, natural
from segstudio.formats.labelled import Labelled
from segstudio.formats.names import Unique
from segstudio.formats.registry import Entry, FrameRef, OutFile

UNSPLIT = "train"
"""Where frames go that belong to no split: most programs look there first."""

_TASK = re.compile(r"(instances|stuff|panoptic|captions|labels|person_keypoints|image_info)_")
_PIECE = 1 << 16
_OTHERS = (b'"shapes"', b'"items"', b'"labels"')
"""In the lists of labelme and Datumaro, which have keys of these names too."""


# --- writing


def split_folder(item: Labelled) -> str:
    """The folder of a frame's split."""
    return item.split or UNSPLIT


def picture_path(item: Labelled) -> PurePosixPath:
    """Where a frame's picture belongs; with .png where none is written, so that lists are whole."""
    suffix = item.picture.suffix if item.picture is not None else ".png"
    return PurePosixPath("images", split_folder(item), f"{item.name}{suffix}")


def entry(item: Labelled, annotations: Sequence[Mapping[str, Any]]) -> Entry:
    """What the lists hold of a frame."""
    height, width = item.size
    return {
        "split": split_folder(item),
        "file_name": picture_path(item).name,
        "height": height,
        "width": width,
        "annotations": list(annotations),
    }


def categories(classes: ClassMap, **more: object) -> list[dict[str, Any]]:
    """COCO's categories of classes numbered 0, 1, …; more: keys that all of them get."""
    return [
        {"id": c.id + 1, "name": c.name, "supercategory": "", "color": list(c.color), **more}
        for c in sorted(classes.classes, key=lambda c: c.id)
    ]


def lists(
    task: str,
    known: list[dict[str, Any]],
    entries: Callable[[], Iterator[Entry]],
    annotations: Callable[[int, Entry], Iterable[Mapping[str, Any]]],
) -> Iterator[OutFile]:
    """annotations/<task>_<split>.json of every split; never more than a frame in memory.

    annotations: those of the image with this id, without ids of their own where `number` gives
    them.
    """
    splits = dict.fromkeys(str(row["split"]) for row in entries())
    for split in splits:
        path = PurePosixPath("annotations", f"{task}_{split}.json")
        yield OutFile(path, _document(split, known, entries, annotations))


def _document(
    split: str,
    known: list[dict[str, Any]],
    entries: Callable[[], Iterator[Entry]],
    annotations: Callable[[int, Entry], Iterable[Mapping[str, Any]]],
) -> Iterator[bytes]:
    """The bytes of one list, in pieces. Images have the numbers of their frames in the export."""

    def mine() -> Iterator[tuple[int, Entry]]:
        return ((n, row) for n, row in enumerate(entries(), 1) if row["split"] == split)

    head = json.dumps({"info": {"description": "SegStudio"}, "licenses": [], "categories": known})
    images = (
        {"id": n, **{key: row[key] for key in ("file_name", "width", "height")}}
        for n, row in mine()
    )
    rows = (found for n, row in mine() for found in annotations(n, row))
    yield head[:-1].encode() + b', "images": [\n'
    yield from _joined(images)
    yield b'\n], "annotations": [\n'
    yield from _joined(rows)
    yield b"\n]}\n"


def _joined(rows: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    """Objects with commas between them, a line each, in pieces of a size that disks like."""
    piece = bytearray()
    between = b""
    for row in rows:
        piece += between + json.dumps(row).encode()
        between = b",\n"
        if len(piece) > _PIECE:
            yield bytes(piece)
            piece.clear()
    yield bytes(piece)


# --- reading


@dataclass(frozen=True, slots=True)
class ImageRow:
    """An image of a list. list_file: where it is listed. number: its id there."""

    list_file: PurePosixPath
    number: int
    file_name: str
    height: int
    width: int


@dataclass(frozen=True, slots=True)
class ListFile:
    """A list that was read. token: what its name says besides the task: "val2017"."""

    path: PurePosixPath
    content: Fields
    title: str

    @property
    def token(self) -> str:
        """See above; "" when its name says nothing."""
        return _TASK.sub("", self.path.stem) if _TASK.match(self.path.stem) else ""

    @property
    def split(self) -> str:
        """By the file's name, else by its folder's."""
        return split_in(self.path.stem) or split_in(self.path.parent.name)

    @property
    def top(self) -> PurePosixPath:
        """The folder of the whole."""
        parent = self.path.parent
        return parent.parent if parent.name.lower() == "annotations" else parent

    def images(self) -> dict[int, ImageRow]:
        """Its images by id. FormatError for what is no image, and for an id that comes twice."""
        found: dict[int, ImageRow] = {}
        for row in self.content.records("images"):
            number = row.whole("id")
            name = row.text("file_name")
            height, width = check_size(row.whole("height"), row.whole("width"), row.where)
            if number in found:
                raise FormatError(f"{row.where}: the id {number} comes twice; give each its own.")
            found[number] = ImageRow(self.path, number, name, height, width)
        return found


def find_lists(source: Source, task: str) -> list[PurePosixPath]:
    """JSON files that look like COCO lists of a task; the one that was chosen alone, if one was.

    task: "instances", "stuff" or "panoptic"; files that name no task at all count as instances.
    """
    found = [path for path in possible_lists(source, ".json") if _looks(source, path)]
    if source.only is not None:
        return found
    named = [path for path in found if path.stem.startswith(f"{task}_")]
    if named or task != "instances":
        return named
    # Lists of keypoints have the regions of people, too.
    others = [path for path in found if not _TASK.match(path.stem)]
    return others or [path for path in found if path.stem.startswith("person_keypoints_")]


def _looks(source: Source, path: PurePosixPath) -> bool:
    try:
        head = source.head(path).lstrip(b"\xef\xbb\xbf \t\r\n")
    except SegStudioError:
        return False
    if not head.startswith(b"{") or any(word in head for word in _OTHERS):
        return False
    words = (b'"images"', b'"categories"', b'"annotations"', b'"licenses"', b'"info"')
    return sum(word in head for word in words) >= 2


def read_lists(source: Source, paths: Iterable[PurePosixPath]) -> list[ListFile]:
    """The lists, each read once. FormatError when one is no JSON."""
    return [ListFile(path, opened(source, path), source.title) for path in paths]


@dataclass(frozen=True, slots=True)
class Categories:
    """classes: numbered from 0 in the order of the files' ids. ids: file's id → class id."""

    classes: ClassMap
    ids: Mapping[int, int]


def read_categories(lists: Sequence[ListFile], title: str, used: set[int]) -> Categories:
    """Those of all lists. used: ids that annotations have, kept alone when there are too many.

    FormatError when two lists call an id by two names, when an annotation has an id that none
    lists, or when more classes are used than labels can hold.
    """
    found: dict[int, tuple[str, object]] = {}
    for one in lists:
        for row in one.content.records("categories"):
            number, name = row.whole("id"), row.text("name")
            if found.setdefault(number, (name, row.raw("color")))[0] != name:
                raise FormatError(
                    f"{row.where}: the id {number} is '{name[:60]}' here and"
                    f" '{found[number][0][:60]}' elsewhere; give each class an id of its own."
                )
    missing = sorted(used - found.keys())
    where = f"{lists[0].path} in {title}"
    if missing:
        raise FormatError(
            f"{where}: an annotation has category_id {missing[0]}, which 'categories' does not"
            " list; export it again with all categories."
        )
    if len(found) > VOID:
        found = {number: row for number, row in found.items() if number in used}
    if not found or len(found) > VOID:
        raise FormatError(
            f"{where}: 'categories' lists {len(found) or 'no'} classes and labels hold 1 to {VOID};"
            " export fewer."
        )
    numbers = sorted(found)
    spare = safe_colors(min(len(numbers), 40))
    rows = tuple(
        ClassDef(i, found[n][0], _color(found[n][1]) or spare[i % len(spare)])
        for i, n in enumerate(numbers)
    )
    return Categories(ClassMap(title, rows), {n: i for i, n in enumerate(numbers)})


def _color(value: object) -> tuple[int, int, int] | None:
    """[r, g, b] of 0..255, as panoptic lists have it; anything else is none."""
    if not isinstance(value, list) or len(value) != 3:
        return None
    if not all(type(v) is int and 0 <= v <= 255 for v in value):
        return None
    return value[0], value[1], value[2]


@dataclass(slots=True)
class Framing:
    """Frames of lists, named, with their pictures."""

    source: Source
    frames: list[FrameRef] = field(default_factory=list)
    _names: Unique = field(default_factory=Unique)

    def add(self, one: ListFile, image: ImageRow, key: Any) -> None:  # noqa: ANN401  a reader's own
        """A frame with this key."""
        top, token = one.top, one.token
        inside = [top / "images" / token, top / token, top / "images", top / "images" / one.split]
        if one.path.parent.name != "annotations":
            inside.insert(0, top)
        picture = find_picture(self.source, image.file_name, map(str, inside), one.path)
        name = self._names.name(PurePosixPath(image.file_name.replace("\\", "/")).stem)
        self.frames.append(FrameRef(name, key, "", one.split, picture))

    def sorted(self) -> list[FrameRef]:
        """In natural order."""
        return sorted(self.frames, key=lambda ref: natural(PurePosixPath(ref.split, ref.name)))
