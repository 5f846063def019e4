"""Shapes to paint with: each gives the pixels it covers, clipped to the raster.

A pixel is covered when its centre is; nothing is anti-aliased. Coordinates are (y, x) of centres.
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from segstudio.core.area import Area as Area  # what they all give
from segstudio.core.geometry import Rect

Point = tuple[int, int]
Stamp = Literal["round", "square"]

ROWS_ALONE = 1 << 17
"""From so many pixels on, a mask is filled row by row: most of a long diagonal's box is empty."""

CACHED = 1 << 16
"""Masks up to so many pixels are kept, 256 of them with their stencils: 32 MiB at the most."""


def round_segment(start: Point, end: Point, radius: int, shape: tuple[int, int]) -> Area:
    """Every pixel whose distance to the line from start to end is at most `radius` pixels.

    Whole-number arithmetic, so the ends are exact discs and a drag has no gaps.
    """
    return _dragged(start, end, radius, shape, "round")


def square_segment(start: Point, end: Point, radius: int, shape: tuple[int, int]) -> Area:
    """A square of side 2 radius + 1 dragged from start to end: the hull of both squares."""
    return _dragged(start, end, radius, shape, "square")


def rectangle(corner: Point, opposite: Point, shape: tuple[int, int]) -> Area:
    """Both corners and everything between."""
    rect = _box((corner, opposite), 0, shape)
    return Area(rect, np.ones((rect.height, rect.width), np.bool_))


def polygon(points: Sequence[Point], shape: tuple[int, int]) -> Area:
    """The inside and the outline of a closed polygon.

    Even-odd: what the outline goes round twice is outside. The last point is joined to the first;
    the outline is the 8-connected line through the points' centres, and two points are a line.
    """
    if not points:
        return _nothing()
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
        return _nothing()
    if connected:
        reached = np.zeros((height + 2, width + 2), np.uint8)
        flags = 4 | cv2.FLOODFILL_MASK_ONLY | 1 << 8  # 4 neighbours; 1 into the mask
        # With MASK_ONLY the picture is only read, but OpenCV refuses one that cannot be written.
        picture = labels if labels.flags.writeable else labels.copy()
        _, _, _, (x, y, w, h) = cv2.floodFill(picture, reached, (at[1], at[0]), 0, 0, 0, flags)
        # The border pixels of the mask itself are set to 1 by OpenCV, hence the cut.
        inside = reached[y + 1 : y + 1 + h, x + 1 : x + 1 + w]
        return Area(Rect(y, x, y + h, x + w), np.ascontiguousarray(inside).view(np.bool_))
    same = labels == labels[at]
    x, y, w, h = cv2.boundingRect(same.view(np.uint8))
    rect = Rect(y, x, y + h, x + w)
    return Area(rect, np.ascontiguousarray(same[rect.slices]))


def _dragged(start: Point, end: Point, radius: int, shape: tuple[int, int], stamp: Stamp) -> Area:
    """The hull of one stamp at start and one at end."""
    if end[0] < start[0]:
        start, end = end, start
    (y, x), (y1, x1) = start, end
    dy, dx = y1 - y, x1 - x
    y, y1 = y - radius, y1 + radius + 1
    x, x1 = (x - radius, x1 + radius + 1) if dx >= 0 else (x1 - radius, x + radius + 1)
    is_small = (y1 - y) * (x1 - x) <= CACHED
    if y >= 0 and x >= 0 and y1 <= shape[0] and x1 <= shape[1]:
        rect = Rect(y, x, y1, x1)
        if is_small:
            return Area(rect, *_kept(dy, dx, radius, stamp))
    else:
        rect = Rect(y, x, y1, x1).clipped(*shape)
        if rect.is_empty:
            return Area(rect, np.zeros((rect.height, rect.width), np.bool_))
        if is_small:
            mask, _ = _kept(dy, dx, radius, stamp)
            return Area(rect, mask[rect.y0 - y : rect.y1 - y, rect.x0 - x : rect.x1 - x].copy())
    left, right = _edges(dy, dx, radius, stamp)
    rows, shift = slice(rect.y0 - y, rect.y1 - y), rect.x0 - x
    return Area(rect, _spans(left[rows] - shift, right[rows] - shift, rect.width))


@lru_cache(maxsize=256)
def _kept(
    dy: int, dx: int, radius: int, stamp: Stamp
) -> tuple[NDArray[np.bool_], NDArray[np.uint8]]:
    """Mask and stencil of a drag; a hand repeats few short moves, so most are found here."""
    mask = _spans(*_edges(dy, dx, radius, stamp), abs(dx) + 2 * radius + 1)
    stencil = np.array((mask, mask)).view(np.uint8)
    stencil.setflags(write=False)
    return stencil[0].view(np.bool_), stencil


def _edges(
    dy: int, dx: int, radius: int, stamp: Stamp
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First and last column of every row, int64 (dy + 2 radius + 1,), in the box of the drag.

    dy >= 0. Between the stamps a pixel is covered when |y dx - x dy| <= reach. tangent: rows from
    a stamp's centre to where that edge leaves it, rounded down.
    """
    if stamp == "round":
        widths, length2 = _half_widths(radius), dy * dy + dx * dx
        reach = math.isqrt(radius * radius * length2)
        tangent = math.isqrt(radius * radius * dx * dx // length2) if length2 else radius
    else:
        widths, tangent = np.full(2 * radius + 1, radius, np.int64), radius
        reach = radius * (dy + abs(dx))
    x = radius + max(0, -dx)
    # Rows of the first stamp, then of the edge (as many as dy), then of the second stamp.
    low, high = tangent + 1 + radius, radius - tangent
    first, second = (low, high) if dx >= 0 else (high, low)
    left, right = np.empty((2, widths.size + dy), np.int64)
    np.subtract(x, widths[:first], out=left[:first])
    np.subtract(x + dx, widths[first:], out=left[first + dy :])
    np.add(widths[:second], x, out=right[:second])
    np.add(widths[second:], x + dx, out=right[second + dy :])
    if dy:
        along = np.arange(dy, dtype=np.int64) * dx
        left[first : first + dy] = x - (reach - (first - radius) * dx - along) // dy
        right[second : second + dy] = x + (reach + (second - radius) * dx + along) // dy
    return left, right


def _spans(left: NDArray[np.int64], right: NDArray[np.int64], width: int) -> NDArray[np.bool_]:
    """bool (h, w): in every row the pixels from `left` to `right`, both included."""
    if left.size * width < ROWS_ALONE:
        columns = np.arange(width, dtype=np.int32)
        mask: NDArray[np.bool_] = columns >= left.astype(np.int32)[:, None]
        mask &= columns <= right.astype(np.int32)[:, None]
        return mask
    mask = np.zeros((left.size, width), np.bool_)
    starts = np.maximum(left, 0).tolist()
    stops = np.maximum(right + 1, 0).tolist()
    for row, x0, x1 in zip(mask, starts, stops, strict=True):
        row[x0:x1] = True
    return mask


@lru_cache(maxsize=64)
def _half_widths(radius: int) -> NDArray[np.int64]:
    """int64 (2 radius + 1,): how far a disc goes sideways in each row."""
    return np.array(
        [math.isqrt(radius * radius - y * y) for y in range(-radius, radius + 1)], np.int64
    )


def _nothing() -> Area:
    return Area(Rect(0, 0, 0, 0), np.zeros((0, 0), np.bool_))


def _box(points: Sequence[Point], reach: int, shape: tuple[int, int]) -> Rect:
    """The rectangle around the points and `reach` pixels more, inside the raster."""
    ys, xs = [p[0] for p in points], [p[1] for p in points]
    around = Rect(min(ys) - reach, min(xs) - reach, max(ys) + reach + 1, max(xs) + reach + 1)
    return around.clipped(*shape)
