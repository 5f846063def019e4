"""Where the project of a source lies that was opened without one.

The name of such a project tells the content it was made for, which is all that a video needs. A
folder of pictures changes: notes beside the projects lead from where it lies, and from every
content that it had, to its project. Each note is a file of its own, so that two windows cannot
overwrite what the other one noted.
"""

import contextlib
import hashlib
import logging
from pathlib import Path

from segstudio import paths
from segstudio.atomic import atomic_path
from segstudio.store.picture_names import PictureNames
from segstudio.store.project_files import auto_path

log = logging.getLogger("segstudio.store")


def place_of(path: Path, title: str, pictures: PictureNames) -> str:
    """Equal for a folder at two times, different for every choice of its pictures."""
    what = (title,) if pictures.may_change else sorted(pictures.names)
    return "\0".join((str(path.resolve()), *what))


def find(fingerprint: str, title: str, place: str) -> Path:
    """The project of that content, else of that place; where to make one when there is none."""
    path = auto_path(fingerprint, title)
    if path.exists() or not place:
        return path
    for key in (fingerprint, place):
        with contextlib.suppress(OSError, UnicodeError):
            found = path.parent / _note(key).read_text(encoding="utf-8")
            if found.parent == path.parent and found.is_file():
                return found
    return path


def remember(project: Path, fingerprint: str, place: str) -> None:
    """Both lead to this project from now on."""
    for key in (fingerprint, place):
        note = _note(key)
        try:
            if note.is_file() and note.read_text(encoding="utf-8") == project.name:
                continue
            note.parent.mkdir(parents=True, exist_ok=True)
            with atomic_path(note) as temporary:
                temporary.write_text(project.name, encoding="utf-8")
        except (OSError, UnicodeError):  # it is found by its content as long as that stays
            log.warning("could not note where %s belongs", project.name, exc_info=True)


def forget(project: Path) -> None:
    """The project is gone: so are the notes that lead to it."""
    for note in (paths.user_data() / "projects" / "found").glob("*"):
        with contextlib.suppress(OSError, UnicodeError):
            if note.read_text(encoding="utf-8") == project.name:
                note.unlink()


def _note(key: str) -> Path:
    name = hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()[:32]
    return paths.user_data() / "projects" / "found" / name
