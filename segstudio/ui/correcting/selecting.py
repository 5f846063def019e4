"""What can be done with a selection: each a new mask, painted as one step of undo."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from segstudio.core.classes import VOID
from segstudio.core.geometry import Rect

if TYPE_CHECKING:
    from segstudio.ui.correcting.editor import Editor

Mask = NDArray[np.bool_]

RADIUS = 2
"""Pixels that one grow, shrink or smooth works with."""

SPECK = 64
"""Parts of fewer pixels are specks."""

ROOM = 8
"""Pixels around the selection that an operation may need to see."""


def operation(name: str) -> Callable[[Mask], Mask]:
    """ "grow", "shrink", "smooth", "fill_holes", "keep_largest" or "remove_specks"."""
    from segstudio.core import morphology

    found: dict[str, Callable[[Mask], Mask]] = {
        "grow": partial(morphology.grown, radius=RADIUS),
        "shrink": partial(morphology.shrunk, radius=RADIUS),
        "smooth": partial(morphology.smoothed, radius=RADIUS),
        "fill_holes": morphology.holes_filled,
        "keep_largest": morphology.largest_kept,
        "remove_specks": partial(morphology.specks_removed, smallest=SPECK),
    }
    return found[name]


def apply(editor: "Editor", name: str, title: str) -> None:
    """Change the selected region; what it loses becomes void, the new region stays selected.

    The class painted is the commonest of the selection: a grown car is more car.
    """
    from segstudio.core.brush import Area
    from segstudio.core.morphology import changes

    selected = editor.selection
    if selected is None or not editor.begin(title):
        return
    height, width = editor.shape
    r = selected.rect
    rect = Rect(r.y0 - ROOM, r.x0 - ROOM, r.y1 + ROOM, r.x1 + ROOM).clipped(height, width)
    before = np.zeros((rect.height, rect.width), np.bool_)
    y, x = r.y0 - rect.y0, r.x0 - rect.x0
    before[y : y + r.height, x : x + r.width] = selected.mask
    class_id = int(np.bincount(editor.labels[rect.slices][before], minlength=256).argmax())
    after = operation(name)(before)
    added, removed = changes(before, after)
    editor.paint(Area(rect, removed), VOID)
    editor.paint(Area(rect, added), class_id)
    editor.commit()
    editor.select(Area(rect, after))
