"""Any folder of masks, with pictures in it or without: what it seems to be, and its reader."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

import numpy as np

from segstudio.core.class_mapping import listed
from segstudio.core.classes import VOID, ClassMap
from segstudio.errors import FormatError
from segstudio.formats.files.class_lists import VOID_COLOR, ClassList, find_class_list
from segstudio.formats.files.pairing import frames_of
from segstudio.formats.files.source import Source
from segstudio.formats.masks.colors import Color, ColorTable
from segstudio.formats.masks.mask_look import COLORS, NUMBERS, WIDE, Look, look_at
from segstudio.formats.masks.mask_meaning import (
    BY_NUMBER,
    ONE_MASK,
    Meaning,
    doubt,
    made_of,
    meanings_of_colors,
    meanings_of_numbers,
    meanings_of_wide,
    one_mask,
    values_in_words,
)
from segstudio.formats.masks.mask_sets import HERE, MaskSet, clip_of, find_masks, pictures_beside
from segstudio.formats.masks.raster_reader import (
    Decoded,
    RasterReader,
    by_colors,
    by_table,
    identity,
    numbers_of,
)
from segstudio.formats.masks.rasters import Raster
from segstudio.formats.options import Option, Value, Values
from segstudio.formats.outlining.object_numbers import numbered_inside
from segstudio.formats.registry import Guess
from segstudio.store.class_sets import load_class_set

_BLACK: Color = (0, 0, 0)
_SAMPLE = 16
"""Files that the guess is made from."""

_DEEP = 3
"""Sets of files that are looked at so closely: of the others it is enough that they are there."""

_MANY = 256
"""Files that are looked at where the numbers in them are all that classes are made of."""

_WEIGHTS = (0.3, 0.8, 0.85, 0.9, 1.0)
"""How likely files are labels at all, by `MaskSet.words`."""

_NONE = -1
_KITTI = 256

OPTIONS: tuple[Option, ...] = (
    Option(
        "class_set",
        "Class set",
        "",
        "Name of the class set that the masks are of; 'numbers' makes classes of what is there,"
        " 'mask' background and one object; empty: as a class list beside them says, else the"
        " likeliest.",
    ),
    Option(
        "coding",
        "Read",
        "auto",
        "What in a mask says the class.",
        {
            "auto": "What the files look like",
            NUMBERS: "The numbers",
            COLORS: "The colours, also those of a palette",
        },
    ),
    Option("masks", "Masks", "", "Which files, as the guess names them; empty: the likeliest."),
    Option(
        "void",
        "Void is",
        _NONE,
        "A number that means void, besides 255; -1: none.",
        low=-1,
        high=255,
    ),
    Option(
        "step",
        "Objects in the numbers",
        "0",
        "Whether a number says class and object in one.",
        {"0": "No", "256": "Class × 256 + object", "1000": "Class × 1000 + object"},
    ),
    Option("first", "First class", 0, "1 where 0 is no class and classes count from 1.", high=1),
)


def guesses(source: Source, kind: str) -> list[Guess]:
    """What the folder may be, the best first; none where no masks are. kind: the format's name."""
    sets = find_masks(source)
    found = []
    for place, masks in enumerate(sets):
        look = _deep_look(source, masks) if place < _DEEP else masks.look
        others = [other for other in sets if other is not masks]
        chosen: dict[str, Value] = {"masks": masks.where} if place else {}
        found += _guesses_of(source, masks, look, kind, chosen, others)
    return sorted(found, key=lambda g: -g.sure)


def open_masks(source: Source, options: Values, classes: ClassMap | None = None) -> RasterReader:
    """The reader. classes: what the masks mean where neither the options nor a list say it.

    FormatError when there are no masks, or nothing says what they mean.
    """
    sets = find_masks(source)
    masks = _chosen(source, sets, str(options["masks"]))
    look = _deep_look(source, masks)
    coding = str(options["coding"])
    listing = find_class_list(source, masks.files[0].parent)
    if coding == "auto":
        coding = _coding(look, listing)
    known, notes = _known(source, masks, look, coding, options, listing, classes)
    ids = dict(known.ids)
    first, void, step = (int(options[name]) for name in ("first", "void", "step"))
    if first:
        ids = {number + 1: i for number, i in ids.items() if number + 1 < VOID} | {0: VOID}
    if void != _NONE:
        ids[void] = VOID
    own = {c.color for c in known.classes.classes}
    table = ColorTable(known.classes, [*known.void, *({_BLACK, VOID_COLOR} - own)])
    doubled = [listed(group) for group in table.doubled.values()] if coding == COLORS else []
    notes += [f"{text} share a colour; it is read as the first of them." for text in doubled[:5]]
    title = f"the class set '{known.classes.name}'"

    def decode(raster: Raster, path: PurePosixPath) -> Decoded:
        if coding == COLORS:
            return by_colors(raster, table)
        if step:
            return _with_objects(raster, path, ids, step, title)
        return Decoded(by_table(numbers_of(raster, path), ids, path, title))

    frames = frames_of(masks.files, pictures_beside(source, sets), clip_of)
    return RasterReader(source, known.classes, frames, decode, [*source.notes, *notes])


def _deep_look(source: Source, masks: MaskSet) -> Look:
    is_named = masks.words > 1
    return look_at(source, masks.files, _SAMPLE, is_named=is_named) or masks.look


def _with_objects(
    raster: Raster, path: PurePosixPath, ids: Mapping[int, int], step: int, title: str
) -> Decoded:
    """Numbers that say class and object in one. step: 256 for KITTI's way, 1000 for Cityscapes'."""
    numbers = numbers_of(raster, path).astype(np.int32)
    if step == _KITTI:
        labels = by_table(numbers // step, ids, path, title)
        return Decoded(labels, numbered_inside(labels, numbers % step))
    is_object = numbers >= step
    labels = by_table(np.where(is_object, numbers // step, numbers), ids, path, title)
    # Cityscapes counts objects from 0.
    return Decoded(labels, numbered_inside(labels, np.where(is_object, numbers % step + 1, 0)))


def _guesses_of(
    source: Source,
    masks: MaskSet,
    look: Look,
    kind: str,
    chosen: Mapping[str, Value],
    others: Sequence[MaskSet],
) -> list[Guess]:
    """Of one set of files. chosen: options that name it."""
    count = f"{len(masks.files):,} {_kind_of(look, len(masks.files))}"
    where = f" in {masks.where}" if masks.where != HERE else ""
    beside = _others_in_words(others)
    weight = _WEIGHTS[masks.words]
    try:
        listing = find_class_list(source, masks.files[0].parent)
    except FormatError:
        listing = None
    if listing is not None and _fits(listing, look):
        is_ours = listing.file.name == "classes.json"
        why = f"{count}{where}, whose classes {listing.file.name} names.{beside}"
        return [Guess(kind, (0.97 if is_ours else 0.8) * weight, why, dict(chosen))]
    found = []
    by_color = meanings_of_colors(look) if look.colors else []
    coding: dict[str, Value] = {}
    meanings = by_color
    if look.coding == WIDE:
        meanings = meanings_of_wide(look)
    elif look.coding != COLORS:
        meanings = meanings_of_numbers(look, masks.ending, f"{masks.where} {source.title}")
        if by_color and by_color[0].sure > 0.75 and meanings[0].sure < 0.7:
            meanings, coding = by_color, {"coding": COLORS}
    is_color = meanings is by_color
    for place, meaning in enumerate(meanings[:3]):
        unsure = f" {text}" if not place and (text := doubt(meanings, look)) else ""
        why = f"{count}{where}, {_whose(look, meaning, is_color=is_color)}.{unsure}{beside}"
        options = {"class_set": meaning.class_set, **coding, **meaning.options, **chosen}
        # Formats that know their own folders come first: what numbers mean is only a guess.
        found.append(Guess(kind, 0.75 * meaning.sure * weight, why, options))
    return found


def _whose(look: Look, meaning: Meaning, *, is_color: bool) -> str:
    if is_color:
        return f"whose {meaning.words}"
    return f"whose values {values_in_words(look)} are {meaning.words}"


def _kind_of(look: Look, count: int) -> str:
    if look.coding == COLORS:
        kind = "colour mask"
    elif look.coding == NUMBERS:
        kind = "palette mask" if look.palette else "grey mask"
    else:
        kind = "16-bit mask"
    return kind if count == 1 else f"{kind}s"


def _others_in_words(others: Sequence[MaskSet]) -> str:
    named = [f"{len(o.files):,} in {o.where}" for o in others if o.where != HERE and o.words >= 2]
    return f" There are also {listed(named)}." if named else ""


def _chosen(source: Source, sets: Sequence[MaskSet], where: str) -> MaskSet:
    found = [known for known in sets if where in ("", known.where)]
    if found:
        return found[0]
    if sets:
        there = listed([known.where for known in sets])
        raise FormatError(f"{source.title} has no masks in '{where}'; there are masks in {there}.")
    raise FormatError(
        f"{source.title} has no masks; they are PNG, TIFF, BMP or GIF files of numbers or of few"
        " colours."
    )


def _coding(look: Look, listing: ClassList | None) -> str:
    """Numbers, unless it is the colours, also of a palette, that the list knows."""
    if look.coding == COLORS:
        return COLORS
    if listing is None or not look.palette:
        return NUMBERS
    colors = {c.color for c in listing.classes.classes} | set(listing.void)
    of_number = {c.id: c.color for c in listing.classes.classes}
    is_in_order = all(of_number.get(n, color) == color for n, color in look.palette.items())
    return COLORS if not is_in_order and set(look.colors) <= colors else NUMBERS


def _fits(listing: ClassList, look: Look) -> bool:
    """Whether a list can be of these files: the one of other files may lie there too."""
    if look.coding == COLORS:
        known = {c.color for c in listing.classes.classes} | {*listing.void, _BLACK}
        return sum(n for c, n in look.colors.items() if c in known) * 2 > look.colors.total()
    return set(look.values) <= {*listing.ids, VOID}


def _known(
    source: Source,
    masks: MaskSet,
    look: Look,
    coding: str,
    options: Values,
    listing: ClassList | None,
    classes: ClassMap | None,
) -> tuple[ClassList, list[str]]:
    """What the masks mean and what there is to say about it: as chosen, listed, given, guessed."""
    name = str(options["class_set"])
    if name == ONE_MASK:
        two = one_mask()
        return ClassList(PurePosixPath(), two, {0: 0, 1: 1, VOID: 1}), []
    if name and name != BY_NUMBER:
        chosen = load_class_set(name)
        return ClassList(PurePosixPath(), chosen, identity(chosen)), []
    if not name and listing is not None:
        return listing, []
    if not name and classes is not None and _fits(_plain_list(classes), look):
        return _plain_list(classes), []
    if not name:
        meanings = (
            meanings_of_colors(look)
            if coding == COLORS
            else meanings_of_numbers(look, masks.ending, f"{masks.where} {source.title}")
        )
        # What needs more options than a class set is chosen by the guess, not here.
        meanings = [m for m in meanings if not m.options and m.class_set != ONE_MASK]
        if meanings and meanings[0].class_set != BY_NUMBER:
            found = load_class_set(meanings[0].class_set)
            return _plain_list(found), [f"Read as {found.name}, the likeliest."]
    if coding == COLORS and not look.colors:
        raise FormatError(
            f"{source.title} has numbers without colours; read its masks by their numbers."
        )
    wide_look = look_at(source, masks.files, _MANY, is_named=True) or look
    return _plain_list(made_of(_only(wide_look, coding, int(options["step"])))), []


def _only(look: Look, coding: str, step: int) -> Look:
    """The look without what the coding and objects in the numbers leave aside."""
    if coding == COLORS:
        return Look(COLORS, colors=look.colors)
    if not step:
        return look
    classes = (v // step if step == _KITTI or v >= step else v for v in look.values)
    return Look(NUMBERS, Counter(classes))


def _plain_list(classes: ClassMap) -> ClassList:
    return ClassList(PurePosixPath(), classes, identity(classes))
