"""YOLO's data.yaml, as much of YAML as it takes, and the text files of polygons."""

import json
import re
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from segstudio.core.classes import VOID
from segstudio.errors import FormatError
from segstudio.formats.files.source import Source
from segstudio.formats.outlining.shapes import MAX_POINTS

_KEY = re.compile(r"([A-Za-z_]\w*)\s*:\s*(.*)")
_NUMBERED = re.compile(r"['\"]?(\d{1,6})['\"]?\s*:\s*(.+)")
_SLACK = 0.01
"""How far a number may lie outside 0..1: other programs round."""


def class_names(source: Source, path: PurePosixPath) -> dict[int, str] | None:
    """The names of a data.yaml by their numbers; None when it has none.

    Names may be a mapping or a list, in lines or in brackets. FormatError when they are neither.
    """
    lines = [_without_comment(line) for line in source.text(path).splitlines()]
    for place, line in enumerate(lines):
        match = _KEY.fullmatch(line.rstrip())
        if match is None or match[1] != "names":
            continue
        rest = [match[2], *lines[place + 1 :]]
        found = _bracketed(rest) if match[2] else _in_lines(rest[1:])
        if not found or max(found) > 100_000 or not all(found.values()):
            break
        return found
    else:
        return None
    raise FormatError(
        f"{source.called(path)}: 'names' is neither a list of names nor a table of numbers and"
        " names; write it as 'names:' with '  0: road' in the lines below."
    )


def _without_comment(line: str) -> str:
    """A line up to a # that no quotes hold."""
    quote = ""
    for place, character in enumerate(line):
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"" and not line[:place].rstrip()[-1:].isalnum():
            quote = character
        elif character == "#" and (place == 0 or line[place - 1] in " \t"):
            return line[:place]
    return line


def _in_lines(lines: list[str]) -> dict[int, str]:
    """ "0: road" or "- road" in the lines that follow, until the next key."""
    found: dict[int, str] = {}
    for line in lines:
        bare = line.strip()
        if not bare:
            continue
        if bare.startswith("-"):
            found[len(found)] = _unquoted(bare[1:])
        elif line[0] in " \t" and (match := _NUMBERED.fullmatch(bare)):
            found[int(match[1])] = _unquoted(match[2])
        else:
            break
    return found


def _bracketed(lines: list[str]) -> dict[int, str]:
    """ "[road, sky]" or "{0: road}", perhaps over several lines."""
    text = ""
    for line in lines:
        text += line + " "
        if line.rstrip().endswith(("]", "}")):
            break
    text = text.strip()
    if text[:1] + text[-1:] not in ("[]", "{}"):
        return {}
    parts = re.findall(r"""(?:[^,'"]|'(?:[^']|'')*'|"(?:[^"\\]|\\.)*")+""", text[1:-1])
    found: dict[int, str] = {}
    for part in (p.strip() for p in parts):
        match = _NUMBERED.fullmatch(part) if text[0] == "{" else None
        if match is not None:
            found[int(match[1])] = _unquoted(match[2])
        elif part:
            found[len(found)] = _unquoted(part)
    return found


def _unquoted(text: str) -> str:
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] == "'":
        return text[1:-1].replace("''", "'")
    if len(text) > 1 and text[0] == text[-1] == '"':
        try:
            return str(json.loads(text))
        except ValueError:
            return text[1:-1]
    return text


def polygons(
    content: bytes, height: int, width: int, classes: int, where: str
) -> list[tuple[int, NDArray[np.float64]]]:
    """(number, float64 (n, 2) x, y in pixels) of each line of a label file.

    classes: how many there are. FormatError naming the line for numbers that are none, a class that
    is not listed, points outside the picture, and boxes, which are no regions.
    """
    found = []
    for place, line in enumerate(content.splitlines(), 1):
        words = line.split()
        if not words:
            continue
        spot = f"{where}, line {place}"
        numbers = _numbers(words, spot)
        number = int(numbers[0]) if abs(numbers[0]) < VOID else -1
        if number != numbers[0] or not 0 <= number < classes:
            raise FormatError(
                f"{spot} begins with '{words[0][:20].decode(errors='replace')}', which is none of"
                f" the {classes} classes; check that it belongs to this data.yaml."
            )
        if len(numbers) == 5:
            raise FormatError(
                f"{spot} is a box instead of a polygon; a data set for segmentation is needed."
            )
        points = numbers[1:]
        if len(points) % 2 or len(points) < 6 or len(points) > 2 * MAX_POINTS:
            raise FormatError(
                f"{spot} has {len(points)} numbers instead of at least three pairs x y; export it"
                " again."
            )
        if points.min() < -_SLACK or points.max() > 1 + _SLACK:
            raise FormatError(
                f"{spot} has a point outside the picture; x and y are written as parts of its width"
                " and height, from 0 to 1."
            )
        found.append((number, points.reshape(-1, 2) * [width, height]))
    return found


def _numbers(words: list[bytes], spot: str) -> NDArray[np.float64]:
    try:
        numbers = np.array([float(word) for word in words])
    except ValueError:
        numbers = np.array([np.nan])
    if not np.isfinite(numbers).all():
        raise FormatError(f"{spot} is no line of numbers 'class x y x y …'; export it again.")
    return numbers
