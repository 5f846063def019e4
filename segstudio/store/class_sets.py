"""Class sets on disk: shipped ones, a user's own, and the mappings between them.

Shipped: `resources/classes/<name>.json` and `resources/class_maps/<source>-to-<target>.json`.
Own: `<user data>/class_sets/<name>.json`, in the same form.
"""

import difflib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from pathlib import Path

from segstudio import paths
from segstudio.core.class_mapping import (
    ClassMapping,
    by_equal_names,
    completed,
    compose,
    from_ids,
    load_mapping,
    loss,
    plain,
)
from segstudio.core.classes import ClassMap, load_class_map
from segstudio.errors import SegStudioError, UsageError
from segstudio.store.atomic import atomic_write

_NAME = re.compile(r"[^\W_][\w .+-]{0,47}")
"""Also a file name on every system."""

_FARTHEST = 3
"""Mappings in a chain. From KITTI to CamVid takes three, and nobody has needed more."""


@dataclass(frozen=True, slots=True)
class ClassSetEntry:
    """A class set one can choose. title: for people. is_own: made by the user."""

    name: str
    title: str
    file: Path
    is_own: bool


def class_set_names() -> tuple[str, ...]:
    """The shipped sets, sorted."""
    return tuple(sorted(file.stem for file in _folder().glob("*.json")))


def class_set_names_to_guess() -> tuple[str, ...]:
    """The shipped sets, those first that others took their names from.

    BDD100K has the classes of Cityscapes: a net with these names was most likely trained on
    Cityscapes, so a set whose file says which one it is like comes after all that say nothing.
    """
    return tuple(sorted(class_set_names(), key=lambda name: (_like(name) is not None, name)))


def list_class_sets() -> tuple[ClassSetEntry, ...]:
    """The shipped sets, then the user's own, sorted; broken files are left out."""
    shipped = [(_folder() / f"{name}.json", False) for name in class_set_names()]
    own = [(file, True) for file in sorted(_own_folder().glob("*.json"))]
    entries = []
    for file, is_own in shipped + own:
        try:
            name = load_class_map(file).name
            title = str(json.loads(file.read_text(encoding="utf-8")).get("title") or name)
        except (SegStudioError, OSError, ValueError):
            continue
        entries.append(ClassSetEntry(name, title, file, is_own))
    return tuple(entries)


def class_set_file(name: str) -> Path:
    """The file of a shipped or own set, or a JSON file itself; UsageError when there is none."""
    if name.endswith(".json"):
        places = [Path(name).expanduser()]
    else:
        places = [folder / f"{name}.json" for folder in (_folder(), _own_folder())]
    for file in places:
        if file.is_file():
            return file
    known = [*class_set_names(), *(file.stem for file in _own_folder().glob("*.json"))]
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}."
    raise UsageError(f"There is no class set '{name}'; {hint}")


def load_class_set(name: str) -> ClassMap:
    """A shipped or own set by name, or one from a JSON file; UsageError when there is none."""
    return load_class_map(class_set_file(name))


def save_class_set(classes: ClassMap, *, replacing: bool = False) -> Path:
    """Keep it as an own set under its name, whole or not at all. Returns the file.

    UsageError for a name that is no file name, is a shipped set's, or is taken (unless replacing);
    SegStudioError when it cannot be written.
    """
    name = classes.name
    if not _NAME.fullmatch(name) or name.endswith((" ", ".")):
        raise UsageError(
            f"'{name}' cannot be the name of a class set; use up to 48 letters, digits, blanks and"
            " . _ + -, beginning with a letter or digit."
        )
    if plain(name) in {plain(n) for n in class_set_names()}:
        raise UsageError(f"'{name}' is a class set that comes with SegStudio; choose another name.")
    file = _own_folder() / f"{name}.json"
    if file.exists() and not replacing:
        raise UsageError(f"There is a class set '{name}' already; choose another name.")
    content = {"name": name, "title": name, "classes": classes.to_json()}
    text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    atomic_write(file, text.encode("utf-8"))
    return file


def find_mapping(source: ClassMap, target: ClassMap) -> ClassMapping:
    """How labels of one set become labels of another, the best that is known.

    The same classes: each stays itself. Else the shipped mapping between the two; else shipped
    mappings in a chain, and equal names before the chain; else equal names alone. Sets are
    recognised by the names of their classes, so a set that was renamed, reordered or edited a
    little still finds its way. What is lost, `class_mapping.in_words` says.
    """
    if _rows(source) == _rows(target):
        return from_ids(source.name, target.name, {c.id: c.id for c in source.classes})
    names = by_equal_names(source, target)
    if _names(source) == _names(target):
        return names
    chains = [
        chain
        for first in _homes(source)
        for last in _homes(target)
        for chain in _chains(first, last)
    ]
    if not chains:
        return names
    found = {chain: _along(source, chain, target) for chain in chains}
    best = min(chains, key=lambda c: (len(c), len(loss(found[c], source, target).dropped)))
    is_meant = len(best) == 2 and all(
        _names(classes) <= _names(_shipped(home))
        for classes, home in zip((source, target), best, strict=True)
    )
    return found[best] if is_meant else completed(names, found[best])


def _along(source: ClassMap, chain: tuple[str, ...], target: ClassMap) -> ClassMapping:
    """Along shipped sets, entered and left by equal names."""
    ways = [by_equal_names(source, _shipped(chain[0]))]
    ways += [_step(a, b) for a, b in pairwise(chain)]
    ways.append(by_equal_names(_shipped(chain[-1]), target))
    # A set that was edited keeps the name of the one it came from: chained by place, not by name.
    whole = replace(ways[0], target="0")
    for place, way in enumerate(ways[1:]):
        whole = compose(whole, replace(way, source=str(place), target=str(place + 1)))
    return replace(whole, source=source.name, target=target.name)


def _homes(classes: ClassMap) -> tuple[str, ...]:
    """The shipped sets it comes from: most names in common, at least half; then fewest others."""
    wanted = _names(classes)
    scores = {}
    for name in class_set_names():
        known = _names(_shipped(name))
        scores[name] = (len(wanted & known), -len(known))
    best = max(scores.values())
    return tuple(n for n, s in scores.items() if s == best and 2 * best[0] >= len(wanted))


def _chains(first: str, last: str) -> Iterator[tuple[str, ...]]:
    """The shortest ways from set to set along shipped mappings; none when there is no such way."""
    ways: list[tuple[str, ...]] = [(first,)]
    for _ in range(_FARTHEST):
        ways = [(*way, n) for way in ways for n in _neighbours()[way[-1]] if n not in way]
        found = [way for way in ways if way[-1] == last]
        if found:
            yield from found
            return


@cache
def _neighbours() -> dict[str, frozenset[str]]:
    """Set → the sets one step away: by a file, or by the names that one took from the other."""
    steps: dict[str, set[str]] = {name: set() for name in class_set_names()}
    for file in _maps_folder().glob("*-to-*.json"):
        source, target = file.stem.split("-to-")
        steps[source].add(target)
    for name in class_set_names():
        like = _like(name)
        if like is not None:
            steps[name].add(like)
            steps[like].add(name)
    return {name: frozenset(near) for name, near in steps.items()}


def _step(source: str, target: str) -> ClassMapping:
    file = _maps_folder() / f"{source}-to-{target}.json"
    if file.is_file():
        return load_mapping(file, _shipped(source), _shipped(target))
    return by_equal_names(_shipped(source), _shipped(target))


def _rows(classes: ClassMap) -> frozenset[tuple[int, str]]:
    return frozenset((c.id, plain(c.name)) for c in classes.classes)


def _names(classes: ClassMap) -> frozenset[str]:
    return frozenset(plain(c.name) for c in classes.classes)


@cache
def _shipped(name: str) -> ClassMap:
    return load_class_map(_folder() / f"{name}.json")


@cache
def _like(name: str) -> str | None:
    """The shipped set whose names and colours this one took."""
    content = json.loads((_folder() / f"{name}.json").read_text(encoding="utf-8"))
    like = content.get("like")
    return None if like is None else str(like)


def _folder() -> Path:
    return paths.resources() / "classes"


def _maps_folder() -> Path:
    return paths.resources() / "class_maps"


def _own_folder() -> Path:
    return paths.user_data() / "class_sets"
