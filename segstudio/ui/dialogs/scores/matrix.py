"""A confusion matrix as it is read: shares of rows or columns, and each cell in a sentence.

full: int64 (C + 1, C + 1), the last row and column void, see core.confusion. Cells that the
convention does not count are no part of any share, so that the diagonal by rows is the recall
and the diagonal by columns the precision of the same convention.
"""

import numpy as np
from numpy.typing import NDArray

from segstudio.core.confusion import Counts
from segstudio.core.metrics import Convention
from segstudio.ui.comparing.wording import pixels

Floats = NDArray[np.float64]

VOID_NAME = "void"

BY = ("rows", "columns", "pixels")
"""How cells are normalised: by the reference, by what was predicted, not at all."""


def counted(full: Counts, convention: Convention) -> NDArray[np.bool_]:
    """bool (C + 1, C + 1): cells that count."""
    cells = np.ones(full.shape, bool)
    if convention is Convention.VOID_IS_A_CLASS:
        return cells
    if convention is Convention.VOID_IS_WRONG:
        cells[-1, -1] = False
        return cells
    cells[-1, :] = False
    if convention is Convention.BOTH_VOID_IGNORED:
        cells[:, -1] = False
    return cells


def shares(full: Counts, by: str, convention: Convention) -> Floats:
    """float64 (C + 1, C + 1), 0..1; NaN where there is nothing to share. by: "rows" or "columns".

    Cells that do not count are NaN, except that the void row by rows says what the model makes of
    pixels without a class.
    """
    cells = counted(full, convention)
    if by == "rows":
        cells = cells.copy()
        cells[-1, :] = True
    known = np.where(cells, full, 0).astype(np.float64)
    total = known.sum(1 if by == "rows" else 0, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(cells & (total > 0), known / total, np.nan)


def tones(full: Counts, by: str, convention: Convention) -> Floats:
    """float64 (C + 1, C + 1), 0..1 for the colour map; NaN for cells that are left blank.

    Shares by their square root, so that a confusion of 2 % can be seen beside 95 %; pixels by
    their logarithm.
    """
    if by == "pixels":
        top = float(np.log1p(full.max(initial=0)))
        logs: Floats = np.log1p(full.astype(np.float64))
        return np.where(full > 0, logs / top if top else logs, np.nan)
    found = shares(full, by, convention)
    return np.where(found > 0, np.sqrt(found), np.nan)


def cell_title(row: str, column: str) -> str:
    """ "Building taken for Tree"; for the diagonal "Tree found"."""
    if row == column:
        return f"{row} found" if row != VOID_NAME else "void called void"
    if row == VOID_NAME:
        return f"no class in the reference, called {column}"
    if column == VOID_NAME:
        return f"{row} called {VOID_NAME}"
    return f"{row} taken for {column}"


def cell_text(
    full: Counts, at: tuple[int, int], names: tuple[str, ...], by: str, convention: Convention
) -> str:
    """ "Building taken for Tree: 92,809 px, 2.1 % of Building"."""
    row, column = at
    by = "rows" if by == "pixels" else by
    share = float(shares(full, by, convention)[row, column])
    text = f"{cell_title(names[row], names[column])}: {pixels(full[row, column])}"
    if share == share:
        whole = names[row] if by == "rows" else f"all {names[column]} predictions"
        text += f", {_share(share)} of {whole}"
    if not counted(full, convention)[row, column]:
        text += ", not counted"
    return text


def _share(share: float) -> str:
    """Percent with one decimal; what is there is never called 0.0 %, nor what is not all 100."""
    text = f"{100 * share:.1f}"
    if share and text == "0.0":
        return "less than 0.1 %"
    if share < 1 and text == "100.0":
        return "more than 99.9 %"
    return f"{text} %"


def cell_figures(value: float, number: int, by: str) -> tuple[str, str]:
    """What is written in a cell, and what where that does not fit: "2.1", "2"; "" for nothing."""
    if not number or (by != "pixels" and value != value):
        return "", ""
    if by == "pixels":
        return short(number), ""
    text = f"{100 * value:.1f}"
    if text == "0.0":
        return "", ""  # the colour says that there is something, and figures would hide the rest
    if text == "100.0":
        return "100" if value == 1 else ">99.9", "100" if value == 1 else ""
    return text, f"{100 * value:.0f}"


def short(number: int) -> str:
    """92809 → "93k"."""
    if number < 1000:
        return str(number)
    for unit, size in (("k", 1e3), ("M", 1e6), ("G", 1e9)):
        value = number / size
        if value < 9.95:
            return f"{value:.1f}{unit}"
        if value < 999.5:
            return f"{value:.0f}{unit}"
    return f"{number / 1e12:.0f}T"
