"""Polygons as pixels by COCO's rule, as pycocotools has it: to the pixel.

The outline is drawn with whole steps on a grid five times as fine; a column of pixels changes
between inside and outside where the outline passes the middle of the column, at the next pixel
whose middle lies below. At pixel corners that is the even-odd rule; between them pixels of the
border differ, about one in a hundred of a region.
"""

import numpy as np
from numpy.typing import NDArray

from segstudio.core.area import Area
from segstudio.core.geometry import Rect
from segstudio.formats.outlining.filling import fill_area

_FINE = 5
_MIDDLE = 2
"""Of the five fine columns of a pixel."""

_MOST_STEPS = 4_000_000
"""Of an outline; longer ones, far outside of any picture, are filled by the even-odd rule."""


def coco_area(points: NDArray[np.float64], height: int, width: int) -> Area:
    """The pixels of one ring, float64 (n, 2) x, y; it may reach outside."""
    ends = np.trunc(_FINE * points + 0.5).astype(np.int64)
    if len(ends) < 3 or np.abs(np.diff(ends, axis=0)).max(axis=1).sum() > _MOST_STEPS:
        return fill_area([points], height, width)
    u, v = _drawn(ends)
    passes = u[1:] != u[:-1]
    column = np.minimum(u[1:], u[:-1])[passes] - _MIDDLE
    row = np.minimum(v[1:], v[:-1])[passes] - _MIDDLE
    is_inside = (column % _FINE == 0) & (column >= 0) & (column <= _FINE * (width - 1))
    if not is_inside.any():
        return Area(Rect(0, 0, 0, 0), np.zeros((0, 0), np.bool_))
    x = column[is_inside] // _FINE
    y = (-(-row[is_inside] // _FINE)).clip(0, height)  # rounded up
    left, right = int(x.min()), int(x.max()) + 1
    turns = np.bincount((x - left) * height + y, minlength=(right - left) * height)
    inside = np.cumsum(turns[: (right - left) * height]) % 2 == 1
    return Area(Rect(0, left, height, right), inside.reshape(right - left, height).T)


def _drawn(ends: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """x and y of every step of the closed outline.

    A side takes a step for each unit of its longer extent, always counted from its lower end, so
    that it is the same line in both directions.
    """
    others = np.roll(ends, -1, axis=0)
    across, down = np.abs(others - ends).T
    is_flat = across >= down
    along = np.where(is_flat, 0, 1)
    side = np.arange(len(ends))
    is_turned = ends[side, along] > others[side, along]
    first = np.where(is_turned[:, None], others, ends)
    last = np.where(is_turned[:, None], ends, others)
    length = np.maximum(across, down)
    # A side without length has no slope, and passes nothing.
    slope = (last - first)[side, 1 - along] / np.maximum(length, 1)
    steps = length + 1
    of = np.repeat(side, steps)
    at = np.arange(int(steps.sum())) - np.repeat(np.cumsum(steps) - steps, steps)
    at = np.where(is_turned[of], length[of] - at, at)
    straight = first[side, along][of] + at
    sloped = np.trunc(first[side, 1 - along][of] + slope[of] * at + 0.5).astype(np.int64)
    flat = is_flat[of]
    return np.where(flat, straight, sloped), np.where(flat, sloped, straight)
