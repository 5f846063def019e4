"""HTML and SVG from Python: every text is escaped unless it is markup already.

The page is well-formed XML too, so that any parser can check it.
"""

import html


class Markup(str):
    """Text that is markup; what `tag` returns."""

    __slots__ = ()


def tag(element: str, *inside: object, **attributes: object) -> Markup:
    """An element. None is left out, inside and as an attribute; class_ is class, x_y is x-y."""
    words = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html.escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    content = joined(*inside)
    if not content and element in _EMPTY:
        return Markup(f"<{element}{words}/>")
    return Markup(f"<{element}{words}>{content}</{element}>")


_EMPTY = {"meta", "img", "rect", "circle", "line", "br", "col", "path"}


def joined(*parts: object) -> Markup:
    """Several elements or texts, one after the other."""
    return Markup("".join(_text(part) for part in parts if part is not None))


def _text(part: object) -> str:
    if isinstance(part, Markup):
        return str(part)
    if isinstance(part, list | tuple):
        return str(joined(*part))
    return html.escape(str(part), quote=False)


def table(
    head: list[object], rows: list[list[object]], *, class_: str | None = None, figures: int = 1
) -> Markup:
    """A table whose first column names the row. figures: the column from which numbers begin."""

    def cell(kind: str, column: int, value: object) -> Markup:
        if isinstance(value, Markup) and value.startswith(("<td", "<th")):
            return value
        return tag(kind, value, class_="n" if column >= figures else None)

    return tag(
        "div",
        tag(
            "table",
            tag("thead", tag("tr", [cell("th", i, value) for i, value in enumerate(head)])),
            tag(
                "tbody",
                [tag("tr", [cell("td", i, v) for i, v in enumerate(row)]) for row in rows],
            ),
            class_=class_,
        ),
        class_="wide",
    )


def section(title: str, *inside: object, note: str | None = None) -> Markup:
    """A part of the page, with a sentence below its title."""
    told = tag("p", note, class_="note") if note else None
    return tag("section", tag("h2", title), told, *inside)


def number(value: object, digits: int = 1, *, factor: float = 1.0) -> str:
    """A figure for people; a dash for what cannot be said."""
    if not isinstance(value, int | float) or value != value:
        return "–"
    return f"{factor * value:,.{digits}f}".replace(",", "\u202f")


def percent(value: object) -> str:
    """0..1 as percent."""
    return number(value, factor=100)
