"""The full sets of ADE20K, of 2017 and 2020: thousands of names, by lists of objects in each frame.

    training/street/x.jpg
    training/street/x_seg.png      RGB: R // 10 × 256 + G is the number of the name, B the object
    training/street/x_atr.txt      2017: "number # part level # occluded # names # raw # attributes"
    training/street/x.json         2020: annotation.object[{name, name_ndx, parts.part_level}]

2017 has the names of numbers in a MATLAB file only, so they are taken from the lists: B counts the
objects that the list numbers. Files x_parts_1.png are parts of objects, and left aside.
"""

import re
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segstudio.core.class_mapping import plain
from segstudio.core.classes import VOID, ClassDef, ClassMap
from segstudio.core.palettes import safe_colors
from segstudio.errors import FormatError
from segstudio.formats.files.pairing import PICTURES, frames_of
from segstudio.formats.files.source import Source
from segstudio.formats.masks.raster_reader import Decoded, RasterReader
from segstudio.formats.masks.rasters import Raster
from segstudio.formats.outlining.object_numbers import numbered_inside

_MOST = 254
_MOST_NUMBERS = 0xFFFF
_ATTRIBUTES = re.compile(r"\s*(\d+)\s*#\s*(\d+)\s*#[^#]*#([^#]*)(#.*)?")


def is_full(source: Source) -> bool:
    """Whether label files have lists of objects beside them."""
    return any(_list_of(source, f) is not None for f in _masks(source)[:50])


def open_full(source: Source, classes: ClassMap | None) -> RasterReader:
    """The reader. classes: its names are the classes where half of the set's names are among them;
    else the names that are there, the most frequent 254 of them.

    FormatError when a list is damaged.
    """
    masks = [f for f in _masks(source) if _list_of(source, f) is not None]
    lists = _Lists(source)
    names: Counter[str] = Counter()
    for mask in masks:
        names.update(lists.names(mask))
    known, notes = _class_map(names, classes)
    ids = {plain(c.name): c.id for c in known.classes}
    pictures = [f for f in source.files if f.suffix.casefold() in PICTURES and f.suffix != ".png"]

    def decode(raster: Raster, path: PurePosixPath) -> Decoded:
        return _decoded(raster, path, lists, ids)

    return RasterReader(source, known, frames_of(masks, pictures), decode, notes)


class _Lists:
    """The objects of a frame by number, of both years. Kept for the frame that is read next."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._lock = threading.Lock()
        self._last: tuple[PurePosixPath, Mapping[int, str], bool] | None = None

    def names(self, mask: PurePosixPath) -> Sequence[str]:
        """The first name of each object."""
        return list(self.of(mask)[0].values())

    def of(self, mask: PurePosixPath) -> tuple[Mapping[int, str], bool]:
        """Number → name, and whether it is the number of the name (2020) or object (2017)."""
        with self._lock:
            if self._last is None or self._last[0] != mask:
                file = _list_of(self._source, mask)
                assert file is not None
                is_json = file.suffix == ".json"
                read = _from_json if is_json else _from_text
                self._last = (mask, read(self._source, file), is_json)
            return self._last[1], self._last[2]


def _masks(source: Source) -> list[PurePosixPath]:
    return [f for f in source.files if f.name.endswith("_seg.png")]


def _list_of(source: Source, mask: PurePosixPath) -> PurePosixPath | None:
    stem = mask.name.removesuffix("_seg.png")
    files = (mask.with_name(f"{stem}.json"), mask.with_name(f"{stem}_atr.txt"))
    return next((f for f in files if source.has(f)), None)


def _from_text(source: Source, file: PurePosixPath) -> dict[int, str]:
    found: dict[int, str] = {}
    for place, line in enumerate(source.text(file).splitlines()):
        if not line.strip():
            continue
        match = _ATTRIBUTES.fullmatch(line)
        if match is None or int(match[1][:9]) > _MOST_NUMBERS:
            raise FormatError(
                f"{source.called(file)}: line {place + 1} ('{line[:60]}') is not of the form"
                " 'number # part level # occluded # names # raw name # attributes'; correct it."
            )
        if int(match[2][:9]) == 0:  # parts of objects have levels of their own
            found[int(match[1][:9])] = _first(match[3])
    return found


def _from_json(source: Source, file: PurePosixPath) -> dict[int, str]:
    content = source.json(file)
    about = content.get("annotation") if isinstance(content, dict) else None
    objects = about.get("object") if isinstance(about, dict) else None
    if isinstance(objects, dict):  # one object is no list there
        objects = [objects]
    if not isinstance(objects, list):
        raise FormatError(f"{source.called(file)} has no list 'annotation.object'.")
    found: dict[int, str] = {}
    for place, known in enumerate(objects):
        number, name, level = _fields(known)
        if type(number) is not int or not 0 < number <= _MOST_NUMBERS or not isinstance(name, str):
            raise FormatError(
                f"{source.called(file)}: annotation.object[{place}] needs a text 'name' and a"
                " number 'name_ndx' from 1."
            )
        if level in (0, None, []):
            found[number] = _first(name)
    return found


def _fields(known: Any) -> tuple[Any, Any, Any]:  # noqa: ANN401  whatever JSON holds
    if not isinstance(known, dict):
        return None, None, None
    parts = known.get("parts")
    level = parts.get("part_level") if isinstance(parts, dict) else None
    return known.get("name_ndx"), known.get("name"), level


def _first(names: str) -> str:
    return names.split(",")[0].strip() or "object"


def _class_map(names: Counter[str], given: ClassMap | None) -> tuple[ClassMap, list[str]]:
    if not names:
        raise FormatError("The lists of ADE20K name no object; check that they are whole.")
    wanted = {plain(name) for name in names}
    if given is not None and 2 * len(wanted & {plain(c.name) for c in given.classes}) >= len(given):
        left = len(wanted - {plain(c.name) for c in given.classes})
        note = f"{left:,} names that '{given.name}' does not have are void."
        return given, [note] if left else []
    colors = safe_colors(40)
    kept: dict[str, str] = {}
    for name, _ in sorted(names.most_common(), key=lambda row: (-row[1], row[0])):
        kept.setdefault(plain(name), name)
    rows = [
        ClassDef(i, name, colors[i % len(colors)])
        for i, name in enumerate(sorted(list(kept.values())[:_MOST]))
    ]
    left = len(kept) - len(rows)
    note = f"{left:,} rarer names are void, for a class set has up to {_MOST} classes."
    return ClassMap("ade20k", tuple(rows)), [note] if left else []


def _decoded(raster: Raster, path: PurePosixPath, lists: _Lists, ids: Mapping[str, int]) -> Decoded:
    if not raster.is_colors:
        raise FormatError(f"{path} has one channel, and ADE20K's _seg.png have three.")
    red, green, blue = (raster.values[..., c].astype(np.int32) for c in range(3))
    known, is_by_name = lists.of(path)
    numbers = red // 10 * 256 + green if is_by_name else _ranked(blue)
    table = np.full(max(int(numbers.max()), *known, 0) + 1, VOID, np.uint8)
    for number, name in known.items():
        table[number] = ids.get(plain(name), VOID)
    labels: NDArray[np.uint8] = table[numbers]
    return Decoded(labels, numbered_inside(labels, blue))


def _ranked(objects: NDArray[np.int32]) -> NDArray[np.int32]:
    """Numbers from 1 in the order of their values; 0 stays 0."""
    known, places = np.unique(objects, return_inverse=True)
    ranks = np.arange(len(known), dtype=np.int32) + (0 if known[0] == 0 else 1)
    found: NDArray[np.int32] = ranks[places.reshape(objects.shape)]
    return found
