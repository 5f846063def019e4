"""Connected regions: the one under a pixel, and all of them, the largest first.

Pixels are connected by their sides, not by corners; all pixels of a region have one code.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from segstudio.core.brush import Area, Point, flood
from segstudio.core.compiled import compiled
from segstudio.core.geometry import Rect

Codes = NDArray[np.uint8] | NDArray[np.bool_]


def region_at(codes: Codes, place: Point) -> Area:
    """The region of the code found at `place`, (y, x). codes: (H, W); nothing when outside."""
    return flood(codes.view(np.uint8), place)


def same_answers_at(answers: Sequence[NDArray[np.uint8]], place: Point) -> Area:
    """Where every raster, uint8 (H, W), says what it says at `place`: the region around it.

    Nothing when `place` lies outside. ValueError without a raster.
    """
    if not answers:
        raise ValueError("no raster was given")
    height, width = answers[0].shape
    if not (0 <= place[0] < height and 0 <= place[1] < width):
        return Area(Rect(0, 0, 0, 0), np.zeros((0, 0), np.bool_))
    first, *others = answers
    same = first == first[place]
    for each in others:
        same &= each == each[place]
    return region_at(same, place)


def regions(mask: NDArray[np.bool_], least_pixels: int = 1) -> list[Area]:
    """Connected regions of bool (H, W) with at least so many pixels, the largest first.

    Of equal ones the first from the top, then from the left.
    """
    count, parts, stats, _ = cv2.connectedComponentsWithStats(
        np.ascontiguousarray(mask).view(np.uint8), connectivity=4, ltype=cv2.CV_32S
    )
    x, y, w, h, pixels = np.asarray(stats)[1:count].T
    boxes = np.stack((y, x, y + h, x + w), axis=1)
    return _by_size(np.asarray(parts), boxes, pixels, least_pixels)


def regions_of_answers(
    answers: Sequence[NDArray[np.uint8]], drawn: NDArray[np.bool_], least_pixels: int = 1
) -> list[Area]:
    """Regions in which every raster, uint8 (H, W), says the same, as `same_answers_at` finds them.

    drawn: bool (H, W), the pixels that count. At most 8 rasters. Order as of `regions`.
    """
    keys = np.zeros(drawn.shape, np.uint64)
    for each in answers:
        keys <<= np.uint64(8)
        keys |= each
    parts = np.zeros(drawn.shape, np.int32)
    boxes = compiled(_label)(keys, np.ascontiguousarray(drawn), parts)
    return _by_size(parts, boxes[:, :4], boxes[:, 4], least_pixels)


def numbered(codes: NDArray[np.integer]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """All regions of whole numbers (H, W): int32 (H, W), theirs from 1, and int32 (n,), the pixels.

    They are numbered by their first pixel, from the top, then from the left.
    """
    parts = np.zeros(codes.shape, np.int32)
    drawn = np.ones(codes.shape, np.bool_)
    boxes = compiled(_label)(codes.astype(np.uint64), drawn, parts)
    return parts, boxes[:, 4]


def _by_size(
    parts: NDArray[np.int32],
    boxes: NDArray[np.int32],
    pixels: NDArray[np.int32],
    least_pixels: int,
) -> list[Area]:
    """parts: int32 (H, W), 1 + row in boxes (n, 4: y0, x0, y1, x1) and pixels (n,); 0 for none."""
    order = np.lexsort((boxes[:, 1], boxes[:, 0], -pixels))
    areas = []
    for k in order[pixels[order] >= least_pixels].tolist():
        y0, x0, y1, x1 = boxes[k].tolist()
        rect = Rect(y0, x0, y1, x1)
        areas.append(Area(rect, parts[rect.slices] == k + 1))
    return areas


def next_region(
    areas: Sequence[Area], current: Area | None, *, forward: bool = True
) -> Area | None:
    """The one after (or before) `current`, by size; None past the last (or first).

    areas: as `regions` lists them. current: None begins with the first (or last). It need not be
    among the areas any more: once it was painted over, the one that is next in size follows.
    """
    if current is None:
        return (areas[0] if forward else areas[-1]) if areas else None
    here = _place(current)
    if forward:
        return next((area for area in areas if _place(area) > here), None)
    return next((area for area in reversed(areas) if _place(area) < here), None)


def _place(area: Area) -> tuple[int, int, int]:
    """Sorts areas as `regions` does."""
    return -int(np.count_nonzero(area.mask)), area.rect.y0, area.rect.x0


# --- the compiled part


def _label(
    keys: NDArray[np.uint64], drawn: NDArray[np.bool_], parts: NDArray[np.int32]
) -> NDArray[np.int32]:
    """Number the regions in `parts`, which is all 0, from 1 on.

    The answer is int32 (n, 5): y0, x0, y1, x1, pixels. A new number that meets an old one points
    to it; numbers only ever point to smaller ones.
    """
    height, width = keys.shape
    points = np.empty(height * width + 1, np.int32)
    used = 0
    for y in range(height):
        for x in range(width):
            if not drawn[y, x]:
                continue
            key, part = keys[y, x], 0
            if y and drawn[y - 1, x] and keys[y - 1, x] == key:
                part = parts[y - 1, x]
                while points[part] != part:
                    part = points[part]
            if x and drawn[y, x - 1] and keys[y, x - 1] == key:
                left = parts[y, x - 1]
                while points[left] != left:
                    left = points[left]
                if part == 0 or left < part:
                    part, left = left, part
                if left:
                    points[left] = part
            if part == 0:
                used += 1
                part = used
                points[part] = part
            parts[y, x] = part
    count = 0
    for part in range(1, used + 1):
        if points[part] == part:
            count += 1
            points[part] = count
        else:
            points[part] = points[points[part]]
    boxes = np.empty((count, 5), np.int32)
    for k in range(count):
        boxes[k, 0], boxes[k, 1], boxes[k, 2], boxes[k, 3], boxes[k, 4] = height, width, 0, 0, 0
    for y in range(height):
        for x in range(width):
            if parts[y, x]:
                k = points[parts[y, x]]
                parts[y, x] = k
                box = boxes[k - 1]
                box[0], box[1] = min(box[0], y), min(box[1], x)
                box[2], box[3] = max(box[2], y + 1), max(box[3], x + 1)
                box[4] += 1
    return boxes
