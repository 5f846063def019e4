"""Classes by name: for formats whose shapes carry the name of a class instead of a number."""

from collections.abc import Iterable, Sequence

from segstudio.core.classes import VOID, ClassDef, ClassMap
from segstudio.core.palettes import safe_colors
from segstudio.errors import FormatError

Color = tuple[int, int, int]


def unique_names(classes: ClassMap) -> list[str]:
    """A name for each class, in the order of the ids: one line, no two alike, never empty."""
    taken: set[str] = set()
    found = []
    for known in sorted(classes.classes, key=lambda c: c.id):
        bare = " ".join("".join(c if c.isprintable() else " " for c in known.name).split())
        bare = bare or f"class {known.id}"
        name, number = bare, 1
        while name in taken:
            number += 1
            name = f"{bare} {number}"
        taken.add(name)
        found.append(name)
    return found


def named_classes(
    listed: Iterable[tuple[str, Color | None]], used: Sequence[str], title: str
) -> ClassMap:
    """Classes numbered from 0: those listed, then others that shapes have.

    Where that makes more than labels can hold, those that shapes have. Colours that all of several
    classes share say nothing and are replaced. FormatError when there is no class, or too many.
    """
    colors = dict(listed)
    names = list(dict.fromkeys([*colors, *used]))
    if len(names) > VOID:
        names = list(dict.fromkeys(used))
    if not names or len(names) > VOID:
        raise FormatError(
            f"{title} names {len(names) or 'no'} classes and labels hold 1 to {VOID}; export fewer."
        )
    said = [colors.get(name) for name in names]
    if len(names) > 1 and len(set(said)) == 1:
        said = [None] * len(names)
    spare = safe_colors(min(len(names), 40))
    rows = (
        ClassDef(i, name, color or spare[i % len(spare)])
        for i, (name, color) in enumerate(zip(names, said, strict=True))
    )
    return ClassMap(title, tuple(rows))


def hex_color(text: str | None) -> Color | None:
    """ "#rrggbb" as a colour; None for anything else."""
    if text is None or len(text) != 7 or text[0] != "#":
        return None
    try:
        packed = bytes.fromhex(text[1:])
    except ValueError:
        return None
    return packed[0], packed[1], packed[2]
