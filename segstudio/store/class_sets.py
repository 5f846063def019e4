"""Class sets on disk: `resources/classes/<name>.json`, and a user's own JSON files."""

import difflib
from pathlib import Path

from segstudio import paths
from segstudio.core.classes import ClassMap, load_class_map
from segstudio.errors import UsageError


def class_set_names() -> tuple[str, ...]:
    """The shipped sets, sorted."""
    return tuple(sorted(file.stem for file in _folder().glob("*.json")))


def class_set_file(name: str) -> Path:
    """The file of a shipped set, or the path of a JSON file; UsageError when there is none."""
    file = Path(name).expanduser() if name.endswith(".json") else _folder() / f"{name}.json"
    if file.is_file():
        return file
    known = class_set_names()
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}."
    raise UsageError(f"There is no class set '{name}'; {hint}")


def load_class_set(name: str) -> ClassMap:
    """A shipped set by name, or one from a JSON file; UsageError when it cannot be read."""
    return load_class_map(class_set_file(name))


def _folder() -> Path:
    return paths.resources() / "classes"
