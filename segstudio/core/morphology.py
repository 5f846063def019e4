"""Grow, shrink, smooth, fill holes, keep the largest part, remove specks.

Each takes a selection, bool (H, W), and returns a new one of the same size; it never writes into
what it was given. `changes` says which pixels to set and which to clear. Beyond the frame's border
a selection goes on as it is there, so a road that touches the border does not shrink away from it.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

Selection = NDArray[np.bool_]


def grown(selection: Selection, radius: int) -> Selection:
    """All pixels within `radius` (0 or more) pixels of the selection, measured as a disc."""
    return _as_bool(cv2.dilate(_as_bytes(selection), _disc(radius)))


def shrunk(selection: Selection, radius: int) -> Selection:
    """The pixels whose whole disc of `radius` (0 or more) lies in the selection."""
    return _as_bool(cv2.erode(_as_bytes(selection), _disc(radius)))


def smoothed(selection: Selection, radius: int) -> Selection:
    """The majority in a square of 2 * radius + 1: corners rounded, hairs and pinholes gone."""
    if radius <= 0:
        return selection.copy()
    side = 2 * radius + 1
    share = cv2.boxFilter(
        _as_bytes(selection),
        cv2.CV_32F,
        (side, side),
        normalize=False,
        borderType=cv2.BORDER_REPLICATE,
    )
    return _as_bool(np.asarray(share) > side * side / 2)


def holes_filled(selection: Selection, largest: int | None = None) -> Selection:
    """Also what the selection encloses: parts not joined to the border, corners not counting.

    largest: pixels; bigger holes stay open. None = every hole.
    """
    count, parts, stats, _ = cv2.connectedComponentsWithStats(
        _as_bytes(~selection), connectivity=4, ltype=cv2.CV_32S
    )
    filled = np.zeros(count, np.bool_)
    height, width = selection.shape
    for part in range(1, count):
        x, y, w, h, area = (int(v) for v in stats[part])
        inside = x > 0 and y > 0 and x + w < width and y + h < height
        filled[part] = inside and (largest is None or area <= largest)
    return selection | np.take(filled, np.asarray(parts, np.int32))


def largest_kept(selection: Selection) -> Selection:
    """Its largest connected part, corners counting; of equal ones the first from the top."""
    count, parts, stats, _ = cv2.connectedComponentsWithStats(
        _as_bytes(selection), connectivity=8, ltype=cv2.CV_32S
    )
    if count == 1:
        return selection.copy()
    return _as_bool(np.asarray(parts) == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA])))


def specks_removed(selection: Selection, smallest: int) -> Selection:
    """Without the connected parts of fewer than `smallest` pixels, corners counting."""
    _, parts, stats, _ = cv2.connectedComponentsWithStats(
        _as_bytes(selection), connectivity=8, ltype=cv2.CV_32S
    )
    kept = np.asarray(stats[:, cv2.CC_STAT_AREA]) >= smallest
    kept[0] = False
    return _as_bool(np.take(kept, np.asarray(parts, np.int32)))


def changes(before: Selection, after: Selection) -> tuple[Selection, Selection]:
    """(added, removed): what to paint with the class and what to take it from."""
    return after & ~before, before & ~after


def _as_bytes(selection: Selection) -> NDArray[np.uint8]:
    return np.ascontiguousarray(selection).view(np.uint8)


def _as_bool(values: object) -> Selection:
    return np.asarray(values).astype(np.bool_)


def _disc(radius: int) -> NDArray[np.uint8]:
    """uint8 (2r + 1, 2r + 1), 1 within `radius` of the middle."""
    reach = np.arange(-radius, radius + 1)
    return (reach[:, None] ** 2 + reach**2 <= radius**2).astype(np.uint8)
