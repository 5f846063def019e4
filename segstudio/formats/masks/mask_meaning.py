"""Which class set the numbers or colours of label files are of, and why it seems so.

Evidence, the strongest first: a palette or colours that are a class set's own, an ending such as
_labelTrainIds, and which numbers occur: 19 to 33 are ids of Cityscapes and never trainIds, 11 as
the largest is CamVid's void, 255 is void in trainIds and hardly ever used in ids.
"""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from segstudio.core.class_mapping import listed
from segstudio.core.classes import VOID, ClassDef, ClassMap
from segstudio.core.palettes import safe_colors
from segstudio.errors import SegStudioError
from segstudio.formats.files.class_lists import VOID_COLOR
from segstudio.formats.masks.colors import Color
from segstudio.formats.masks.mask_look import Look
from segstudio.formats.options import Value
from segstudio.store.class_sets import list_class_sets, load_class_set

BY_NUMBER = "numbers"
"""The name of the class set that is made of the numbers, or of the colours, that are there."""

ONE_MASK = "mask"
"""The name of background (0) and one object (1 or 255)."""

_SETS = (
    "camvid",
    "cityscapes19",
    "cityscapes34",
    "camvid32",
    "voc21",
    "comma10k",
    "bdd100k41",
    "ade20k150",
    "mapillary66",
    "mapillary124",
    "cocostuff171",
)
_TITLES = {
    "camvid": "CamVid's 11 classes",
    "camvid32": "CamVid's 32 classes",
    "cityscapes19": "Cityscapes' trainIds",
    "cityscapes34": "Cityscapes' ids",
    "voc21": "PASCAL VOC's classes",
    "comma10k": "comma10k's classes",
    "bdd100k41": "BDD100K's panoptic classes",
    "ade20k150": "ADE20K's 150 classes",
    "mapillary66": "Mapillary's v1.2 classes",
    "mapillary124": "Mapillary's v2.0 classes",
    "cocostuff171": "COCO-Stuff's classes",
}
_BORROWED = ("cocostuff171",)
"""Their colours are nobody's: they come from a palette that is given to any classes."""

_BLACK: Color = (0, 0, 0)
_TWINS = {"cityscapes19", "cityscapes34"}
"""With the same colours, so that reading one as the other loses nothing."""

_THINGS = frozenset(range(24, 34))
_LAST_ID = 33
_CLEAR = 0.15
"""So much surer than the next is sure enough."""

_SURE = 0.9
"""By a palette or an ending: more than numbers can say."""

_WORST_COLORS = 0.5
"""Below this share of known pixels, a class set's colours are no more than chance."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """A class set that label files may be of. sure: 0..1. words: follow "whose values 0–11 are …".

    options: what has to be chosen to read them so.
    """

    class_set: str
    sure: float
    words: str
    options: Mapping[str, Value] = field(default_factory=dict)


def meanings_of_colors(look: Look) -> list[Meaning]:
    """The class sets with these colours, the best first; last, classes made of the colours."""
    total = max(look.colors.total(), 1)
    found = []
    for name, classes in _known_sets().items():
        if name in _BORROWED:
            continue
        own = {known.color for known in classes.classes}
        void = {_BLACK, VOID_COLOR} - own
        hits = [c for c in look.colors if c in own and c != _BLACK]
        share = sum(n for c, n in look.colors.items() if c in own or c in void) / total
        if not hits or share < _WORST_COLORS:
            continue
        count = sum(1 for c in look.colors if c in own or c in void)
        sure = 0.85 * share * count / len(look.colors) - 0.0002 * len(own)
        which = "colours" if count == len(look.colors) else f"{count} of {len(look.colors)} colours"
        words = f"{which} are those of {_title(name)}"
        found.append(Meaning(name, sure, words))
    found.sort(key=lambda m: -m.sure)
    if len(look.colors) <= VOID:
        words = f"{len(look.colors)} colours become classes of their own"
        found.append(Meaning(BY_NUMBER, 0.1, words))
    return found


def meanings_of_numbers(look: Look, ending: str, words: str) -> list[Meaning]:
    """The class sets with these numbers, the best first; last, classes named by their numbers.

    ending: of the files' names. words: folder and title, which may name a set.
    """
    present = frozenset(v for v in look.values if v != VOID)
    found = []
    for name, classes in _known_sets().items():
        meaning = _numbers_of(name, classes, look, present)
        if meaning is None:
            continue
        sure = meaning.sure + _by_names(name, ending, words.casefold())
        sure = max(sure, _by_palette(name, classes, look))
        found.append(Meaning(name, min(sure, 0.95), meaning.words, meaning.options))
    found.sort(key=lambda m: -m.sure)
    if set(look.values) in ({0, 1}, {0, VOID}):
        found.insert(0, Meaning(ONE_MASK, 0.6, "background and an object"))
    return [*found, Meaning(BY_NUMBER, 0.1, "classes named by their numbers")]


def meanings_of_wide(look: Look) -> list[Meaning]:
    """What numbers above 255 may be: classes and objects in one, Cityscapes' way or KITTI's.

    In both, only people and vehicles are counted: classes 24 to 33.
    """
    values = [v for v in look.values if v > 0]
    found = []
    if all(v < VOID or 1000 <= v < 1000 * VOID for v in values):
        ids = {v if v < 1000 else v // 1000 for v in values}
        counted = {v // 1000 for v in values if v >= 1000}
        words = "classes × 1000 + objects, as in Cityscapes"
        found.append(_wide(words, ids, counted, 1000))
    if all(v // 256 < VOID for v in values):
        ids = {v // 256 for v in values}
        counted = {v // 256 for v in values if v % 256}
        found.append(_wide("classes × 256 + objects, as in KITTI", ids, counted, 256))
    return sorted(found, key=lambda m: -m.sure)


def _wide(words: str, ids: set[int], counted: set[int], step: int) -> Meaning:
    """ids: all classes. counted: those with objects."""
    is_known = max(ids, default=0) <= _LAST_ID
    sure = 0.6 if is_known and counted <= _THINGS else 0.35 if step == 1000 else 0.3
    is_theirs = is_known and (counted <= _THINGS or step != 1000)
    return Meaning("cityscapes34" if is_theirs else BY_NUMBER, sure, words, {"step": str(step)})


def made_of(look: Look) -> ClassMap:
    """Classes of the numbers that occur, or of the colours, where no class set has them.

    SegStudioError when nothing but void occurs.
    """
    if look.values:
        numbers = sorted(v for v in look.values if 0 <= v < VOID) or [0]
        colors = safe_colors(40)
        rows = [
            ClassDef(n, f"class {n}", look.palette.get(n) or colors[i % 40])
            for i, n in enumerate(numbers)
        ]
    else:
        order = [c for c, _ in look.colors.most_common(VOID) if c != _BLACK] or [_BLACK]
        rows = [ClassDef(i, f"#{bytes(c).hex()}", c) for i, c in enumerate(order)]
    return ClassMap(BY_NUMBER, tuple(rows))


def one_mask() -> ClassMap:
    """Background and an object."""
    rows = (ClassDef(0, "background", _BLACK), ClassDef(1, "object", safe_colors(2)[1]))
    return ClassMap(ONE_MASK, rows)


def doubt(meanings: list[Meaning], look: Look) -> str:
    """What else it may be, as a sentence; "" where one is clearly the best."""
    if len(meanings) < 2:
        return ""
    best, other = meanings[0], meanings[1]
    sets = {meaning.class_set for meaning in meanings}
    if best.class_set == "cityscapes19" and "cityscapes34" in sets and look.values:
        if VOID in look.values or best.sure >= _SURE:
            return ""
        return "Neither 255 nor anything above 18 occurs, so they may as well be Cityscapes' ids."
    if other.sure < best.sure - _CLEAR or {best.class_set, other.class_set} == _TWINS:
        return ""
    is_wide = "step" in other.options
    return f"They may as well be {other.words if is_wide else _title(other.class_set)}."


def _numbers_of(
    name: str, classes: ClassMap, look: Look, present: frozenset[int]
) -> Meaning | None:
    """How well the numbers that occur fit this set; None when they do not."""
    ids = {known.id for known in classes.classes}
    options: dict[str, Value] = {}
    own = present
    if name == "camvid" and 11 in present:
        own, options = present - {11}, {"void": 11}
    elif name == "ade20k150":
        # Its files count from 1, and 0 is whatever has no class.
        own, options = frozenset(v - 1 for v in present if v), {"first": 1}
    if not own <= ids:
        return None
    words = _title(name)
    if "void" in options:
        words = "CamVid's 12 ids (11 is void)"
    elif "first" in options:
        words += ", counted from 1"
    return Meaning(name, _prior(name, look, present), words, options)


def _prior(name: str, look: Look, present: frozenset[int]) -> float:
    """By the numbers alone. A class set is likely when its last classes occur too."""
    if not present:
        return 0.15
    top, has_void = max(present), VOID in look.values
    if name == "camvid":
        if top == 11:
            return 0.65 if not has_void else 0.35
        return 0.5 if top == 10 else 0.35
    if name == "cityscapes19":
        # Cars (13) and the like are in nearly every drive.
        return (0.55 if top > 11 else 0.35) + (0.1 if has_void else 0.0)
    if name == "cityscapes34":
        return (0.65 if top > 18 else 0.25) - (0.1 if has_void else 0.0)
    likely = {
        "voc21": (17, 0.4),
        "camvid32": (25, 0.3),
        "bdd100k41": (34, 0.5),
        "mapillary66": (41, 0.5),
        "ade20k150": (66, 0.5),
        "mapillary124": (66, 0.45),
        "cocostuff171": (150, 0.4),
        "comma10k": (5, 0.2),
    }
    low, sure = likely.get(name, (0, 0.3))
    return sure if top >= low else sure - 0.25


def _by_names(name: str, ending: str, words: str) -> float:
    if ending.casefold().endswith("trainids") or ending == "_train_id":
        return 0.5 if name == "cityscapes19" else 0.0
    if ending.casefold().endswith("labelids"):
        return 0.6 if name == "cityscapes34" else 0.0
    family = name.rstrip("0123456789")
    return 0.2 if family in words.replace("-", "").replace("_", "") else 0.0


def _by_palette(name: str, classes: ClassMap, look: Look) -> float:
    """How sure the palette makes it: all numbers that occur have the colours of this set."""
    colors = {known.id: known.color for known in classes.classes}
    seen = {n: c for n, c in look.palette.items() if n in colors and c != _BLACK}
    if len(seen) < 2 or any(colors[n] != c for n, c in seen.items()):
        return 0.0
    # VOC's palette is what many programs give to any classes.
    return 0.6 if name == "voc21" else 0.95


def _known_sets() -> dict[str, ClassMap]:
    """The shipped ones that differ from each other, and the user's own."""
    found = {name: _shipped(name) for name in _SETS}
    for entry in list_class_sets():
        if entry.is_own:
            with contextlib.suppress(SegStudioError):  # deleted meanwhile
                found[entry.name] = load_class_set(entry.name)
    return found


@cache
def _shipped(name: str) -> ClassMap:
    return load_class_set(name)


def _title(name: str) -> str:
    if name in (BY_NUMBER, ONE_MASK):
        return "classes of their own" if name == BY_NUMBER else "background and an object"
    return _TITLES.get(name, f"your class set '{name}'")


def values_in_words(look: Look) -> str:
    """ "0–11", "0–18 and 255", or the numbers themselves where they are few and apart."""
    values = sorted(look.values)
    ends = [v for v in values if v != VOID]
    if not ends:
        return "255"
    is_range = len(ends) > 2 and len(ends) * 2 > ends[-1] - ends[0]
    text = f"{ends[0]}–{ends[-1]}" if is_range else listed([str(v) for v in ends])
    return f"{text} and 255" if VOID in look.values else text
