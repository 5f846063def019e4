"""From one class set to another: labels remapped by a table, chained, and what is lost on the way.

A mapping is a table of 256 entries, so remapping is one lookup per pixel. 255 is void in every set
and stays void; so does every id that the set of origin does not know.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from segstudio.core.classes import VOID, ClassMap
from segstudio.errors import SegStudioError


@dataclass(frozen=True, slots=True)
class ClassMapping:
    """What becomes of each class. source, target: names of class sets.

    table: 256 ids, entry i = what id i becomes; 255 at 255 and wherever nothing corresponds.
    """

    source: str
    target: str
    table: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(self.table) != 256 or any(not 0 <= v <= VOID for v in self.table):
            raise SegStudioError(
                f"The mapping from '{self.source}' to '{self.target}' needs 256 ids from 0 to 255."
            )
        if self.table[VOID] != VOID:
            raise SegStudioError(
                f"The mapping from '{self.source}' to '{self.target}' gives void a class; 255 must"
                " stay 255."
            )

    def lut(self) -> NDArray[np.uint8]:
        """uint8 (256,), for `remap`."""
        return np.array(self.table, np.uint8)


def from_ids(source: str, target: str, pairs: Mapping[int, int]) -> ClassMapping:
    """A mapping from ids to ids; ids that are not named become void."""
    table = [VOID] * 256
    for old, new in pairs.items():
        if not 0 <= old <= VOID:
            raise SegStudioError(
                f"The mapping from '{source}' to '{target}' names the id {old}; ids go from 0 to"
                " 255."
            )
        table[old] = new
    return ClassMapping(source, target, tuple(table))


def from_names(source: ClassMap, target: ClassMap, pairs: Mapping[str, str | None]) -> ClassMapping:
    """A mapping from names to names; None = void. Every class of `source` must be named.

    Raises SegStudioError for a name that a set does not have and for a class left out, because a
    class forgotten by accident would be lost without a word.
    """
    old_ids = _ids_by_name(source)
    new_ids = _ids_by_name(target)
    strange = [n for n in pairs if n not in old_ids]
    strange += [n for n in pairs.values() if n is not None and n not in new_ids]
    forgotten = [n for n in old_ids if n not in pairs]
    if strange or forgotten:
        raise SegStudioError(
            f"The mapping from '{source.name}' to '{target.name}' does not fit the sets"
            f" ({', '.join([*strange, *forgotten])}); name each class of '{source.name}' once,"
            f" with a class of '{target.name}' or null."
        )
    ids = {old_ids[o]: VOID if n is None else new_ids[n] for o, n in pairs.items()}
    return from_ids(source.name, target.name, ids)


def _ids_by_name(classes: ClassMap) -> dict[str, int]:
    """Name → id; SegStudioError when two classes are called alike."""
    ids = {c.name: c.id for c in classes.classes}
    if len(ids) != len(classes):
        raise SegStudioError(
            f"Two classes of '{classes.name}' are called alike; rename one to map them by name."
        )
    return ids


def identity(name: str) -> ClassMapping:
    """The mapping that changes nothing."""
    return ClassMapping(name, name, tuple(range(256)))


def by_equal_names(source: ClassMap, target: ClassMap) -> ClassMapping:
    """A first guess: classes whose names agree but for case, blanks, hyphens and underscores."""
    new_ids = {plain(c.name): c.id for c in target.classes}
    pairs = {c.id: new_ids.get(plain(c.name), VOID) for c in source.classes}
    return from_ids(source.name, target.name, pairs)


def completed(mapping: ClassMapping, second: ClassMapping) -> ClassMapping:
    """`mapping`, and where it says void what `second` says, for the same two sets."""
    table = tuple(b if a == VOID else a for a, b in zip(mapping.table, second.table, strict=True))
    return ClassMapping(mapping.source, mapping.target, table)


def plain(name: str) -> str:
    """A name without case, blanks, hyphens and underscores, to compare it with another."""
    return "".join(c for c in name.casefold() if c.isalnum())


def compose(first: ClassMapping, second: ClassMapping) -> ClassMapping:
    """`first`, then `second`; SegStudioError when they do not meet in the same set."""
    if first.target != second.source:
        raise SegStudioError(
            f"A mapping to '{first.target}' cannot be followed by one from '{second.source}';"
            " choose mappings that meet in the same class set."
        )
    table = tuple(second.table[v] for v in first.table)
    return ClassMapping(first.source, second.target, table)


def remap(labels: NDArray[np.uint8], mapping: ClassMapping) -> NDArray[np.uint8]:
    """New labels uint8 (H, W) by lookup; about 1 ms at 2048×1024. The input stays as it is."""
    import cv2  # here, because windows talk about mappings before OpenCV is loaded

    if labels.size == 0:
        return labels.copy()
    return np.asarray(cv2.LUT(labels, mapping.lut()), np.uint8).reshape(labels.shape)


@dataclass(frozen=True, slots=True)
class MappingLoss:
    """What a mapping cannot carry.

    dropped: ids of `source` that become void. merged: new id → the several ids that it unites.
    unreached: ids of `target` that no class becomes.
    """

    dropped: tuple[int, ...]
    merged: dict[int, tuple[int, ...]]
    unreached: tuple[int, ...]

    @property
    def is_lossless(self) -> bool:
        """True when the way back exists: nothing dropped, nothing merged."""
        return not self.dropped and not self.merged


def loss(mapping: ClassMapping, source: ClassMap, target: ClassMap) -> MappingLoss:
    """What is lost between these sets, for a sentence before the work is done."""
    came_from: dict[int, list[int]] = {}
    for c in source.classes:
        came_from.setdefault(mapping.table[c.id], []).append(c.id)
    dropped = tuple(came_from.pop(VOID, ()))
    merged = {new: tuple(old) for new, old in came_from.items() if len(old) > 1}
    unreached = tuple(c.id for c in target.classes if c.id not in came_from)
    return MappingLoss(dropped, merged, unreached)


def in_words(mapping: ClassMapping, source: ClassMap, target: ClassMap) -> str:
    """What is lost, as a sentence or two for people; "" when nothing is."""
    lost = loss(mapping, source, target)
    sentences = []
    if lost.dropped:
        names = listed([source.name_of(i) for i in lost.dropped])
        ends = "has no counterpart and becomes" if len(lost.dropped) == 1 else "become"
        sentences.append(f"{names} {ends} void.")
    for new, old in lost.merged.items():
        names = listed([source.name_of(i) for i in old])
        sentences.append(f"{names} become {target.name_of(new)}.")
    return " ".join(sentences)


def listed(names: Sequence[str]) -> str:
    """ "a, b and c"; of more than six the first five and how many more."""
    if len(names) > 6:
        return f"{', '.join(names[:5])} and {len(names) - 5} more"
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def lost_pixels(labels: NDArray[np.uint8], mapping: ClassMapping) -> dict[int, int]:
    """Id → how many pixels of these labels would become void; ids with none are left out."""
    counts = np.bincount(labels.ravel(), minlength=256)
    return {i: int(counts[i]) for i in range(VOID) if counts[i] and mapping.table[i] == VOID}


def inverse(mapping: ClassMapping, source: ClassMap, target: ClassMap) -> ClassMapping:
    """The way back; SegStudioError when classes were dropped or merged."""
    lost = loss(mapping, source, target)
    if not lost.is_lossless:
        raise SegStudioError(
            f"The mapping from '{mapping.source}' to '{mapping.target}' has no way back: it drops"
            f" {len(lost.dropped)} and merges {sum(map(len, lost.merged.values()))} classes."
        )
    pairs = {mapping.table[c.id]: c.id for c in source.classes}
    return from_ids(mapping.target, mapping.source, pairs)


def load_mapping(path: Path, source: ClassMap, target: ClassMap) -> ClassMapping:
    """From `resources/class_maps/<name>.json`: {"source", "target", "classes"}.

    classes: {name: name or null}, every class of the source once.

    SegStudioError when it cannot be read or is meant for other sets.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        ends = (content["source"], content["target"])
        pairs = {str(k): None if v is None else str(v) for k, v in content["classes"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise SegStudioError(
            f"The class mapping {path.name} cannot be read; check that it is JSON with source,"
            " target and classes."
        ) from error
    if ends != (source.name, target.name):
        raise SegStudioError(
            f"The class mapping {path.name} leads from '{ends[0]}' to '{ends[1]}', not from"
            f" '{source.name}' to '{target.name}'; choose the one for these sets."
        )
    return from_names(source, target, pairs)


def merged(classes: ClassMap, gone: Sequence[int], into: int) -> tuple[ClassMap, ClassMapping]:
    """The set without the classes `gone`, whose pixels become `into`; other ids stay."""
    leaving = set(gone) - {into}
    missing = [i for i in (*leaving, into) if classes.by_id(i) is None]
    if missing:
        raise SegStudioError(
            f"The class set '{classes.name}' has no class {missing[0]}; choose classes it has."
        )
    kept = tuple(c for c in classes.classes if c.id not in leaving)
    pairs = {c.id: into if c.id in leaving else c.id for c in classes.classes}
    return ClassMap(classes.name, kept), from_ids(classes.name, classes.name, pairs)


def removed(classes: ClassMap, gone: Sequence[int]) -> tuple[ClassMap, ClassMapping]:
    """The set without the classes `gone`, whose pixels become void; other ids stay."""
    kept = tuple(c for c in classes.classes if c.id not in set(gone))
    if not kept:
        raise SegStudioError(
            f"The class set '{classes.name}' would be empty; keep at least one class."
        )
    pairs = {c.id: c.id for c in kept}
    return ClassMap(classes.name, kept), from_ids(classes.name, classes.name, pairs)


def reordered(classes: ClassMap, order: Sequence[int]) -> tuple[ClassMap, ClassMapping]:
    """The classes in the order of these ids, numbered anew from 0; each id exactly once."""
    if sorted(order) != sorted(c.id for c in classes.classes):
        raise SegStudioError(
            f"A new order of '{classes.name}' needs each of its {len(classes)} classes once."
        )
    new_ids = {old: new for new, old in enumerate(order)}
    rows = sorted((replace(c, id=new_ids[c.id]) for c in classes.classes), key=lambda c: c.id)
    return ClassMap(classes.name, tuple(rows)), from_ids(classes.name, classes.name, new_ids)
