"""Shapes to paint with: each gives the pixels it covers, clipped to the raster.

A pixel is covered when its centre is; nothing is anti-aliased. Coordinates are (y, x) of centres.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from segstudio.core.geometry import Rect

Point = tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class Area:
    """Some pixels of a raster. mask: bool (rect.height, rect.width), True where covered."""

    rect: Rect
    mask: NDArray[np.bool_]


def round_segment(start: Point, end: Point, radius: int, shape: tuple[int, int]) -> Area:
    """Every pixel whose distance to the line from start to end is at most `radius` pixels.

    Whole-number arithmetic, so the ends are exact discs and a drag has no gaps.
    """
    rect = _box((start, end), radius, shape)
    y = np.arange(rect.y0, rect.y1, dtype=np.int64)[:, None] - start[0]
    x = np.arange(rect.x0, rect.x1, dtype=np.int64)[None, :] - start[1]
    dy, dx = end[0] - start[0], end[1] - start[1]
    length2, reach2 = dy * dy + dx * dx, radius * radius
    mask = y * y + x * x <= reach2
    if length2:
        mask |= (y - dy) ** 2 + (x - dx) ** 2 <= reach2
        along = y * dy + x * dx
        across = y * dx - x * dy
        mask |= (along >= 0) & (along <= length2) & (across * across <= reach2 * length2)
    return Area(rect, mask)


def square_segment(start: Point, end: Point, radius: int, shape: tuple[int, int]) -> Area:
    """A square of side 2 radius + 1 dragged from start to end: the hull of both squares."""
    rect = _box((start, end), radius, shape)
    y = np.arange(rect.y0, rect.y1, dtype=np.int64)[:, None] - start[0]
    x = np.arange(rect.x0, rect.x1, dtype=np.int64)[None, :] - start[1]
    dy, dx = end[0] - start[0], end[1] - start[1]
    mask = np.abs(y * dx - x * dy) <= radius * (abs(dy) + abs(dx))
    return Area(rect, mask)


def rectangle(corner: Point, opposite: Point, shape: tuple[int, int]) -> Area:
    """Both corners and everything between."""
    rect = _box((corner, opposite), 0, shape)
    return Area(rect, np.ones((rect.height, rect.width), np.bool_))


def polygon(points: Sequence[Point], shape: tuple[int, int]) -> Area:
    """The inside and the outline of a closed polygon (even-odd rule), as cv2.fillPoly draws it."""
    if not points:
        return Area(Rect(0, 0, 0, 0), np.zeros((0, 0), np.bool_))
    rect = _box(points, 0, shape)
    canvas = np.zeros((rect.height, rect.width), np.uint8)
    if not rect.is_empty:
        corners = np.array([(x - rect.x0, y - rect.y0) for y, x in points], np.int32)
        cv2.fillPoly(canvas, [corners], 1)
    return Area(rect, canvas.view(np.bool_))


def flood(labels: NDArray[np.uint8], at: Point, *, connected: bool = True) -> Area:
    """The pixels of the class found at `at`: joined by their sides, or everywhere.

    labels: uint8 (H, W). Nothing when `at` lies outside.
    """
    height, width = labels.shape
    if not (0 <= at[0] < height and 0 <= at[1] < width):
        return Area(Rect(0, 0, 0, 0), np.zeros((0, 0), np.bool_))
    same = labels == labels[at]
    if connected:
        _, parts = cv2.connectedComponents(same.view(np.uint8), connectivity=4)
        same = parts == parts[at]
    x, y, w, h = cv2.boundingRect(same.view(np.uint8))
    rect = Rect(y, x, y + h, x + w)
    return Area(rect, np.ascontiguousarray(same[rect.slices]))


def _box(points: Sequence[Point], reach: int, shape: tuple[int, int]) -> Rect:
    """The rectangle around the points and `reach` pixels more, inside the raster."""
    ys, xs = [p[0] for p in points], [p[1] for p in points]
    around = Rect(min(ys) - reach, min(xs) - reach, max(ys) + reach + 1, max(xs) + reach + 1)
    return around.clipped(*shape)
