"""Class lists that other programs put beside their label files.

Known: our `classes.json`, CamVid's and Datumaro's `label_colors.txt` ("r g b name"), CVAT's
`labelmap.txt` ("name:r,g,b:parts:actions"), Datumaro's `dataset_meta.json`, Hugging Face's
`id2label.json`, and lists with a name a line (`classes.txt`, `class_names.txt`, `labels.txt`).
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from segstudio.core.class_mapping import plain
from segstudio.core.classes import VOID, ClassDef, ClassMap
from segstudio.core.palettes import farthest_from, safe_colors
from segstudio.errors import FormatError, SegStudioError
from segstudio.formats.files.source import Source
from segstudio.formats.masks.colors import Color

_VOID_NAMES = {"void", "ignore", "ignored", "dontcare"}
_MAP_LINE = re.compile(r"(.+):\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)\s*(?::.*)?")
_COLORS_LINE = re.compile(r"\s*(\d{1,3})[\s,]+(\d{1,3})[\s,]+(\d{1,3})[\s,]+(\S.*?)\s*")
_MOST_LINES = 100_000

VOID_COLOR: Color = (224, 224, 192)
"""As in VOC: void is seen, and is no black class."""

Row = tuple[int, str, Color | None]
"""A number in label files, its name, and its colour where the file says one."""


@dataclass(frozen=True, slots=True)
class ClassList:
    """What a list says. file: where. ids: number in label files → id in `classes`, 255 for void.

    void: colours that mean void.
    """

    file: PurePosixPath
    classes: ClassMap
    ids: dict[int, int]
    void: tuple[Color, ...] = ()


def find_class_list(source: Source, near: PurePosixPath | None = None) -> ClassList | None:
    """The list that belongs to the label files in `near`, or to the whole; None where there is
    none. FormatError naming the file when it is damaged."""
    for name, read in _READERS.items():
        found = [f for f in source.around if f.name.casefold() == name]
        if near is not None:
            # Label files of one set inside a folder of several belong to its list alone.
            found = [f for f in found if near.is_relative_to(f.parent) or len(found) == 1]
        for file in sorted(found, key=lambda f: -len(f.parts)):
            known = read(source, file)
            if known is not None:
                return known
    return None


def listed_classes(file: PurePosixPath, rows: Sequence[Row], title: str) -> ClassList:
    """Rows of a list as classes numbered as there; void rows get no class.

    FormatError when a number occurs twice or lies outside 0..254, or no class is left.
    """
    kept = [row for row in rows if not _is_void(row)]
    void = tuple(color for _, name, color in rows if plain(name) in _VOID_NAMES and color)
    if not kept or any(not 0 <= number < VOID for number, _, _ in kept):
        raise FormatError(
            f"{file} in {title} lists {'no class' if not kept else 'numbers outside 0 to 254'};"
            " a label file has numbers from 0 to 254, and 255 for void."
        )
    if len({number for number, _, _ in kept}) != len(kept):
        raise FormatError(f"{file} in {title} gives two classes one number; give each its own.")
    colors = _completed([color for _, _, color in kept])
    classes = tuple(
        ClassDef(number, name, color) for (number, name, _), color in zip(kept, colors, strict=True)
    )
    ids = {row[0]: VOID for row in rows if 0 <= row[0] <= VOID} | {c.id: c.id for c in classes}
    return ClassList(file, ClassMap(file.stem, classes), ids, void)


def with_own_colors(classes: ClassMap, taken: Iterable[Color]) -> tuple[ClassMap, tuple[str, ...]]:
    """The same classes in colours that no two share and that are not `taken`, and what was changed.

    For formats whose files are colours and say themselves what colours mean.
    """
    used: list[Color] = list(taken)
    rows, said = [], []
    for known in classes.classes:
        color = known.color
        if color in used:
            color = farthest_from(used)
            while color in used:
                color = (color[0], color[1], (color[2] + 1) % 256)
            said.append(
                f"{known.name} is written as #{bytes(color).hex()}, because its own colour"
                f" #{bytes(known.color).hex()} means something else there."
            )
        used.append(color)
        rows.append(replace(known, color=color))
    return ClassMap(classes.name, tuple(rows)), tuple(said)


def without_void_names(
    classes: ClassMap, ids: NDArray[np.uint8]
) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """ids, uint8 (256,), as they are read back where these classes are listed, and what is lost.

    A class that is called void or ignored is read as none, here and by others.
    """
    lost = [c for c in classes.classes if plain(c.name) in _VOID_NAMES]
    kept = np.where(np.isin(ids, [c.id for c in lost]), np.uint8(VOID), ids)
    said = (f"{c.name} becomes void, for readers take that name for no class." for c in lost)
    return kept, tuple(said)


def _is_void(row: Row) -> bool:
    number, name, color = row
    return plain(name) in _VOID_NAMES or (number == VOID and color in (None, VOID_COLOR))


def _completed(colors: Sequence[Color | None]) -> list[Color]:
    if all(color is not None for color in colors):
        return [color for color in colors if color is not None]
    spare = safe_colors(min(len(colors), 40))
    return [c or spare[i % len(spare)] for i, c in enumerate(colors)]


def _classes_json(source: Source, file: PurePosixPath) -> ClassList | None:
    content = source.json(file)
    if not isinstance(content, dict) or "classes" not in content:
        return None
    void = content.get("void", VOID)
    if isinstance(void, bool) or not isinstance(void, int) or not 0 <= void <= VOID:
        raise FormatError(f"{source.called(file)} has a 'void' that is no number 0 to 255.")
    try:
        classes = ClassMap.from_json(
            str(content.get("name") or file.parent.name), content["classes"]
        )
    except (SegStudioError, OverflowError) as error:
        raise FormatError(
            f"{source.called(file)}: 'classes' needs rows of id (0 to 254, each once), name and"
            " color [r, g, b]."
        ) from error
    ids = {known.id: known.id for known in classes.classes} | {void: VOID}
    return ClassList(file, classes, ids, (VOID_COLOR,))


def _label_colors(source: Source, file: PurePosixPath) -> ClassList | None:
    rows: list[Row] = []
    for number, line in enumerate(_lines(source, file)):
        match = _COLORS_LINE.fullmatch(line)
        if match is None:
            raise _bad_line(source, file, number, line, "r g b name")
        rows.append((len(rows), match[4], _color(match.group(1, 2, 3), source, file, number)))
    return listed_classes(file, rows, source.title)


def _label_map(source: Source, file: PurePosixPath) -> ClassList | None:
    rows: list[Row] = []
    for number, line in enumerate(_lines(source, file)):
        if line.startswith("#"):
            continue
        match = _MAP_LINE.fullmatch(line)  # names may have colons too
        name, _, rest = line.partition(":")
        channels = rest.split(":")[0].split(",")
        if match is not None:
            name, *channels = match.groups()
        elif not rest or (channels != [""] and len(channels) != 3):
            raise _bad_line(source, file, number, line, "name:r,g,b:parts:actions")
        color = None if channels == [""] else _color(channels, source, file, number)
        rows.append((len(rows), name.strip(), color))
    return listed_classes(file, rows, source.title)


def _dataset_meta(source: Source, file: PurePosixPath) -> ClassList | None:
    content = source.json(file)
    names = content.get("label_map") if isinstance(content, dict) else None
    if names is None:
        return None
    rows = _named(names, source, file, "label_map")
    colors = content.get("segmentation_colors")
    if isinstance(colors, list) and len(colors) == len(rows):
        rows = [
            (number, name, _color(color, source, file, place))
            for place, ((number, name, _), color) in enumerate(zip(rows, colors, strict=True))
        ]
    return listed_classes(file, rows, source.title)


def _id2label(source: Source, file: PurePosixPath) -> ClassList | None:
    rows = _named(source.json(file), source, file, "id2label")
    return listed_classes(file, rows, source.title)


def _name_list(source: Source, file: PurePosixPath) -> ClassList | None:
    found = [line.strip() for line in _lines(source, file)]
    # labelme's lists begin with the name of -1, which is void.
    if found[:1] == ["__ignore__"]:
        found = found[1:]
    rows: list[Row] = [(n, name.strip("_") or name, None) for n, name in enumerate(found)]
    return listed_classes(file, rows, source.title) if 0 < len(rows) <= VOID else None


_READERS = {
    "classes.json": _classes_json,
    "label_colors.txt": _label_colors,
    "labelmap.txt": _label_map,
    "dataset_meta.json": _dataset_meta,
    "id2label.json": _id2label,
    "class_names.txt": _name_list,
    "classes.txt": _name_list,
    "labels.txt": _name_list,
}


def _named(names: object, source: Source, file: PurePosixPath, field: str) -> list[Row]:
    try:
        return [(int(n), str(name), None) for n, name in names.items()]  # type: ignore[attr-defined]  # checked below
    except (AttributeError, ValueError, TypeError) as error:
        raise FormatError(
            f'{source.called(file)}: \'{field}\' needs names by number, like {{"0": "road"}}.'
        ) from error


def _lines(source: Source, file: PurePosixPath) -> list[str]:
    return [line for line in source.text(file).splitlines()[:_MOST_LINES] if line.strip()]


def _color(channels: object, source: Source, file: PurePosixPath, line: int) -> Color:
    try:
        red, green, blue = (int(c) for c in channels)  # type: ignore[attr-defined]  # checked below
    except (TypeError, ValueError, OverflowError) as error:
        raise FormatError(
            f"{source.called(file)}: colour {line + 1} is not three numbers; write r, g and b"
            " from 0 to 255."
        ) from error
    if not all(0 <= c <= 255 for c in (red, green, blue)):
        raise FormatError(
            f"{source.called(file)}: colour {line + 1} has a channel outside 0 to 255; correct it."
        )
    return red, green, blue


def _bad_line(
    source: Source, file: PurePosixPath, line: int, text: str, wanted: str
) -> FormatError:
    return FormatError(
        f"{source.called(file)}: line {line + 1} ('{text[:60]}') is not of the form '{wanted}';"
        " correct it."
    )
