"""A confusion matrix as a table: each row in shares of its reference pixels."""

from collections.abc import Sequence

import numpy as np

from segstudio.cli.html.tags import Markup, number, percent, tag
from segstudio.core.confusion import Counts

MOST = 40
"""Classes shown; of larger sets those with the most reference pixels."""


def matrix(title: object, full: Counts, names: Sequence[str]) -> Markup:
    """full: int64 (C + 1, C + 1). The last column is what has no class of the set."""
    size = len(names)
    shown = np.arange(size)
    if size > MOST:
        shown = np.sort(np.argsort(-full[:size].sum(1), kind="stable")[:MOST])
    columns = [*shown.tolist(), size]
    column_names = [*names, "other"]
    head = [tag("th", tag("span", column_names[c]), title=column_names[c]) for c in columns]
    rows = []
    for row in shown.tolist():
        whole = int(full[row].sum())
        cells = [
            _cell(names[row], column_names[c], int(full[row, c]), whole, is_right=row == c)
            for c in columns
        ]
        rows.append(tag("tr", tag("th", names[row], class_="row"), cells))
    body = tag(
        "table",
        tag("thead", tag("tr", tag("th"), head)),
        tag("tbody", rows),
        class_="matrix",
    )
    left_out = (
        tag("p", f"The {MOST} classes with the most pixels of {size}.", class_="note")
        if size > MOST
        else None
    )
    return tag("div", tag("h3", title), body, left_out, class_="wide")


def _cell(row: str, column: str, pixels: int, whole: int, *, is_right: bool) -> Markup:
    if not whole:
        return tag("td", title=f"No pixel of {row} in the reference")
    share = pixels / whole
    what = f"{row} found" if is_right else f"{row} taken for {column}"
    ink = "--heat" if is_right else "--wrong"
    # The square root lets a confusion of one percent be seen at all.
    depth = share if is_right else min(1.0, share**0.5)
    style = f"background:rgba(var({ink}),{0.75 * depth:.3f})" if pixels else None
    text = f"{100 * share:.0f}" if share >= 0.01 else ""
    told = f"{what}: {number(pixels, 0)} pixels, {percent(share)} %"
    return tag("td", text, title=told, style=style)
