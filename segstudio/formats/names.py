"""Names that are safe: as files on every system, and never a way out of a folder.

Titles of media and names in other people's JSON are text that somebody else wrote. A name here is
one part of a path, without separators, that Windows, macOS and Linux all take.
"""

import re
import unicodedata
from pathlib import PurePosixPath, PureWindowsPath

from segstudio.errors import FormatError

MAX_BYTES = 120
"""Of a part, in UTF-8: room is left for endings and for zip files inside folders inside folders."""

_MAX_WITH_ENDINGS = 255
"""Of a part that a format made of such names: what file systems take."""

_FORBIDDEN = re.compile(
    r'[<>:"/\\|?*\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]'
)
_RESERVED = {"con", "prn", "aux", "nul", *(f"{n}{i}" for n in ("com", "lpt") for i in range(10))}


def clean(text: str, otherwise: str = "frame") -> str:
    """`text` as one part of a path; `otherwise` when nothing is left of it.

    A name that was clean stays as it is, so that names of files survive a round trip.
    """
    return _shortened(text, MAX_BYTES) or otherwise


def _shortened(text: str, most: int) -> str:
    """`text` made clean, of at most so many bytes."""
    name = unicodedata.normalize("NFC", text.encode("utf-8", "replace").decode("utf-8"))
    name = _FORBIDDEN.sub("_", name).strip(" ").rstrip(". ")
    if name.startswith("."):  # hidden files, and the two that lead elsewhere
        name = "_" + name[1:]
    if name.split(".")[0].strip().lower() in _RESERVED:
        name = f"_{name}"
    while len(name.encode("utf-8")) > most:
        name = name[:-1].rstrip(". ")
    return name


def is_clean(path: PurePosixPath) -> bool:
    """Whether every part is a clean name and the path stays below where it begins."""
    return bool(path.parts) and all(
        part == _shortened(part, _MAX_WITH_ENDINGS) for part in path.parts
    )


def inside(text: str) -> PurePosixPath:
    """The relative path that `text` names; backslashes count as separators.

    FormatError for absolute paths, drives, and paths that lead up and out.
    """
    path = PurePosixPath(text.replace("\\", "/"))
    if path.is_absolute() or PureWindowsPath(text).drive or "\0" in text:
        raise FormatError(f"'{text[:200]}' names a place outside its folder; it is not followed.")
    parts: list[str] = []
    for part in path.parts:
        if part != "..":
            parts.append(part)
        elif parts:
            parts.pop()
        else:
            raise FormatError(
                f"'{text[:200]}' names a place outside its folder; it is not followed."
            )
    return PurePosixPath(*parts)


class Unique:
    """Gives names that no file has yet, also where capitals do not count."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def name(self, wanted: str) -> str:
        """`clean(wanted)`, with _2, _3, … where that is taken."""
        base = clean(wanted)
        name, number = base, 1
        while name.casefold() in self._taken:
            number += 1
            name = f"{base}_{number}"
        self._taken.add(name.casefold())
        return name
