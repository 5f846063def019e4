"""Editing a class set: a list of edits, the set they lead to, and what becomes of labels.

Each edit speaks of the ids that the set has when its turn comes. However many there are, labels go
through one table only, made of all of them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from segstudio.core import class_mapping, palettes
from segstudio.core.class_mapping import ClassMapping, compose, from_ids, listed, plain
from segstudio.core.classes import VOID, ClassDef, ClassMap
from segstudio.errors import UsageError

Usage = Mapping[int, tuple[int, int]]
"""Class id → (frames, pixels) that are labelled with it; ids with none may be left out."""


@dataclass(frozen=True, slots=True)
class Add:
    """A new class at the end, with the next id; in a colour unlike the others if none is given."""

    name: str
    color: tuple[int, int, int] | None = None


@dataclass(frozen=True, slots=True)
class Rename:
    """Another name for one class."""

    class_id: int
    name: str


@dataclass(frozen=True, slots=True)
class Recolor:
    """Another colour for one class."""

    class_id: int
    color: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class SetKey:
    """The digit that chooses the class, taken from the one that had it; None for none."""

    class_id: int
    key: int | None


@dataclass(frozen=True, slots=True)
class Merge:
    """The pixels of the classes `gone` become `into`."""

    gone: tuple[int, ...]
    into: int


@dataclass(frozen=True, slots=True)
class Remove:
    """The pixels of the classes `gone` become void."""

    gone: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Reorder:
    """The classes in the order of these ids, each once; they are numbered anew from 0."""

    order: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class MakeSafe:
    """Colours that stay apart for people who see fewer of them."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """Another set altogether, and how to get there."""

    classes: ClassMap
    mapping: ClassMapping


Edit = Add | Rename | Recolor | SetKey | Merge | Remove | Reorder | MakeSafe | Exchange


@dataclass(frozen=True, slots=True)
class Edited:
    """What a list of edits comes to.

    before, classes: the sets. mapping: from the one to the other.
    origin: id in `classes` → id in `before` of the class it is still; new classes are not in it.
    """

    before: ClassMap
    classes: ClassMap
    mapping: ClassMapping
    origin: Mapping[int, int]

    @property
    def relabels(self) -> ClassMapping | None:
        """The mapping; None when every label stays as it is."""
        table = self.mapping.table
        return None if all(table[c.id] == c.id for c in self.before.classes) else self.mapping


def edited(before: ClassMap, edits: Sequence[Edit]) -> Edited:
    """One edit after the other. UsageError for one that cannot be done."""
    same = {c.id: c.id for c in before.classes}
    result = Edited(before, before, from_ids(before.name, before.name, same), same)
    for edit in edits:
        result = _with(result, edit)
    return result


def _with(so_far: Edited, edit: Edit) -> Edited:
    classes, step = _done(so_far.classes, edit)
    ways = {old: step.table[old] for old in so_far.origin}
    if isinstance(edit, Merge):
        ways = {old: new for old, new in ways.items() if old not in edit.gone or old == edit.into}
    origin: dict[int, int] = {}
    for old, new in ways.items():
        if new != VOID:
            origin.setdefault(new, so_far.origin[old])
    return Edited(so_far.before, classes, compose(so_far.mapping, step), origin)


def _done(classes: ClassMap, edit: Edit) -> tuple[ClassMap, ClassMapping]:
    """The set after one edit, and the step to it."""
    match edit:
        case Merge(gone, into):
            return class_mapping.merged(classes, gone, into)
        case Remove(gone):
            return class_mapping.removed(classes, gone)
        case Reorder(order):
            return class_mapping.reordered(classes, order)
        case Exchange(other, mapping):
            return other, mapping
        case Add(name, color):
            after = _added(classes, name, color)
        case Rename(class_id, name):
            others = [c for c in classes.classes if c.id != class_id]
            after = _changed(classes, class_id, name=_free_name(classes.name, others, name))
        case Recolor(class_id, color):
            after = _changed(classes, class_id, color=color)
        case SetKey(class_id, key):
            after = _with_key(classes, class_id, key)
        case MakeSafe():
            after = palettes.colour_blind_safe(classes)
    return after, from_ids(classes.name, classes.name, {c.id: c.id for c in after.classes})


def _added(classes: ClassMap, name: str, color: tuple[int, int, int] | None) -> ClassMap:
    used = {c.id for c in classes.classes}
    free = max(used) + 1 if max(used) + 1 < VOID else min(set(range(VOID)) - used, default=VOID)
    if free == VOID:
        raise UsageError(f"'{classes.name}' has 255 classes, and there is no room for another.")
    chosen = color or palettes.farthest_from([c.color for c in classes.classes])
    new = ClassDef(free, _free_name(classes.name, classes.classes, name), chosen)
    return replace(classes, classes=(*classes.classes, new))


def _free_name(set_name: str, others: Sequence[ClassDef], name: str) -> str:
    """The name without blanks around it; UsageError when it is empty or another class has it."""
    name = " ".join(name.split())
    if not plain(name):
        raise UsageError("A class needs a name with at least one letter or digit.")
    if any(plain(c.name) == plain(name) for c in others):
        raise UsageError(f"'{set_name}' has a class '{name}' already; choose another name.")
    return name


def _changed(
    classes: ClassMap,
    class_id: int,
    *,
    name: str | None = None,
    color: tuple[int, int, int] | None = None,
) -> ClassMap:
    known = _known(classes, class_id)
    new = replace(known, name=name or known.name, color=color or known.color)
    return replace(classes, classes=tuple(new if c is known else c for c in classes.classes))


def _with_key(classes: ClassMap, class_id: int, key: int | None) -> ClassMap:
    """Keys that were only understood (the first nine) are written down before one is moved."""
    _known(classes, class_id)
    keys = {c: digit for digit, c in classes.keys().items() if digit != key and c != class_id}
    if key is not None:
        keys[class_id] = key
    return replace(classes, classes=tuple(replace(c, key=keys.get(c.id)) for c in classes.classes))


def _known(classes: ClassMap, class_id: int) -> ClassDef:
    found = classes.by_id(class_id)
    if found is None:
        raise UsageError(f"'{classes.name}' has no class {class_id}; choose one it has.")
    return found


# --- what it does to labels, in words


@dataclass(frozen=True, slots=True)
class Account:
    """What will happen. sentences: for people, the weightiest first.

    is_lossy: pixels lose what they were, or may, and there is no way back.
    """

    sentences: tuple[str, ...]
    is_lossy: bool

    @property
    def text(self) -> str:
        """All of it; says so when there is nothing."""
        return " ".join(self.sentences) or "Nothing changes."


def account(result: Edited, usage: Usage | None = None) -> Account:
    """usage: of the classes before; None when nobody counted, {} when nothing is labelled."""
    merging, removing = _losses(result)
    before = result.before
    sentences = [
        f"Removing {before.name_of(old)} makes {_how_much(usage, old)} void."
        for old in removing
        if _is_used(usage, old)
    ]
    sentences += [
        f"Merging {before.name_of(old)} into {result.classes.name_of(new)} changes"
        f" {_how_much(usage, old)}."
        for old, new in merging
        if _is_used(usage, old)
    ]
    is_lossy = bool(sentences)
    unused = [before.name_of(i) for i in (*dict(merging), *removing) if not _is_used(usage, i)]
    if unused:
        ends = "goes; nothing is" if len(unused) == 1 else "go; nothing is"
        sentences.append(f"{listed(unused)} {ends} labelled so.")
    moved = [o for n, o in result.origin.items() if n != o]
    if moved:
        sentences.append(
            f"{_counted(len(moved), 'class gets', 'classes get')} another id, and"
            f" {_labels_moved(usage, moved)}."
        )
    return Account((*sentences, *_outward(result)), is_lossy)


def _losses(result: Edited) -> tuple[list[tuple[int, int]], list[int]]:
    """(id before, id after) of every class that is merged away, and the ids that become void."""
    table = result.mapping.table
    merging, removing = [], []
    for c in result.before.classes:
        new = table[c.id]
        if new == VOID:
            removing.append(c.id)
        elif result.origin.get(new) != c.id:
            merging.append((c.id, new))
    return merging, removing


def _outward(result: Edited) -> list[str]:
    """What leaves the labels alone."""
    stayed = [
        (result.before.by_id(old), result.classes.by_id(new)) for new, old in result.origin.items()
    ]
    pairs = [(a, b) for a, b in stayed if a is not None and b is not None]
    new = [c for c in result.classes.classes if c.id not in result.origin]
    parts = [
        (len(new), "class is new", "classes are new"),
        (sum(a.name != b.name for a, b in pairs), "class is renamed", "classes are renamed"),
        (
            sum(a.color != b.color for a, b in pairs),
            "class is recoloured",
            "classes are recoloured",
        ),
        (
            sum(a != b for a, b in _keys(result)),
            "class has another key",
            "classes have another key",
        ),
    ]
    said = [_counted(n, one, many) for n, one, many in parts if n]
    if not said:
        return []
    return [" and ".join([", ".join(said[:-1]), said[-1]] if len(said) > 1 else said) + "."]


def _keys(result: Edited) -> list[tuple[int | None, int | None]]:
    """Digit before and after, of every class that stays."""
    before = {c: digit for digit, c in result.before.keys().items()}
    after = {c: digit for digit, c in result.classes.keys().items()}
    return [(before.get(old), after.get(new)) for new, old in result.origin.items()]


def _is_used(usage: Usage | None, class_id: int) -> bool:
    """True too when nobody counted."""
    return usage is None or usage.get(class_id, (0, 0))[1] > 0


def _how_much(usage: Usage | None, class_id: int) -> str:
    if usage is None:
        return "every pixel labelled so"
    frames, pixels = usage[class_id]
    return f"{pixels:,} px on {_counted(frames, 'frame', 'frames')}"


def _labels_moved(usage: Usage | None, ids: Sequence[int]) -> str:
    if usage is None:
        return "labels follow"
    pixels = sum(usage.get(i, (0, 0))[1] for i in ids)
    return f"{pixels:,} px of labels follow" if pixels else "no label is concerned"


def _counted(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


UsageOf = Callable[[], Usage]
"""Counts labels when it is called, which may take a moment."""
