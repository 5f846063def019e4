"""Where an export may go: what a person types, and where it goes when nobody says.

Whatever stands in a field is tried; nothing that the system says of it may become an exception.
"""

import os
from pathlib import Path

WHOLE = "Write the whole path, from / or ~ on, or choose a folder."
NONE = "Nothing can have this name; choose another."
LONGEST = 4_000
"""Characters; no system takes longer paths, and some raise what others answer."""


def typed(text: str) -> Path | None:
    """The whole path that a text names; None when it names none."""
    text = text.strip()
    if not text or "\0" in text or len(text) > LONGEST:
        return None
    try:
        path = Path(text).expanduser()
    except RuntimeError:  # nobody has this name, so there is no home folder
        return None
    return path if path.is_absolute() else None


def trouble_with(text: str) -> str:
    """Why no export can begin there, a sentence; "" when one can."""
    text = text.strip()
    if not text:
        return "Choose a folder to export into."
    if "\0" in text or len(text) > LONGEST:
        return NONE
    place = typed(text)
    if place is None:
        return WHOLE
    if is_half_done(place):
        return ""
    try:
        return _in_the_way(place)
    except PermissionError:
        return f"You may not look into {_short(place.parent)}; choose another place."
    except OSError:
        return NONE


def is_in_use(place: Path) -> bool:
    """A folder in which something lies that is no export that was stopped."""
    try:
        return place.is_dir() and any(place.iterdir()) and not is_half_done(place)
    except OSError:
        return False


def is_half_done(place: Path) -> bool:
    """Whether an export was stopped there."""
    from segstudio.formats.files.target import JOURNAL

    try:
        if (place / JOURNAL).is_file():
            return True
        # Only what has a name can be a zip file; "/" has none.
        is_zip = bool(place.name) and place.suffix == ".zip"
        return is_zip and (place.with_name(f".{place.stem}.export") / JOURNAL).is_file()
    except (OSError, ValueError):
        return False


def free_place(folder: Path, stem: str, ending: str = "") -> Path:
    """`stem` in that folder, with a number behind it where that is taken."""
    place, number = folder / f"{stem}{ending}", 2
    while _is_there(place) and not is_half_done(place):
        place, number = folder / f"{stem}-{number}{ending}", number + 1
    return place


def writable(*folders: Path) -> Path:
    """The first of them that can be written into, or made; the home folder when none can."""
    for folder in folders:
        try:
            above = _above(folder)
            if above.is_dir() and os.access(above, os.W_OK | os.X_OK):
                return folder
        except OSError:
            continue
    return Path.home()


def _in_the_way(place: Path) -> str:
    """OSError where the system does not answer."""
    if _is_there(place):
        if not place.is_dir():
            return f"{_short(place)} exists already, and no file is replaced; name a new one."
        if any(place.iterdir()):
            return "That folder is not empty, and nothing in it is replaced; name a new one."
    above = _above(place)
    if not above.is_dir():
        return f"{_short(above)} is a file, so nothing can lie in it; choose a folder."
    if not os.access(above, os.W_OK | os.X_OK):
        return f"You may not write into {_short(above)}; choose another place."
    return ""


def _above(place: Path) -> Path:
    """The place itself or the nearest above it that is there. OSError: as `_is_there`."""
    while not _is_there(place) and place != place.parent:
        place = place.parent
    return place


def _is_there(place: Path) -> bool:
    """OSError for a name that is too long, or where one may not look."""
    try:
        place.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def _short(place: Path) -> str:
    return place.name or str(place)
