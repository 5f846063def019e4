"""Connected regions: the one under a pixel, and all of them, the largest first.

Pixels are connected by their sides, not by corners; all pixels of a region have one code.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from segstudio.core.brush import Area, Point, flood
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
    found, labels = np.asarray(stats)[1:count], np.asarray(parts)
    x, y, w, h, pixels = found.T
    order = np.lexsort((x, y, -pixels))
    order = order[pixels[order] >= least_pixels]
    areas = []
    for k in order.tolist():
        rect = Rect(int(y[k]), int(x[k]), int(y[k] + h[k]), int(x[k] + w[k]))
        areas.append(Area(rect, labels[rect.slices] == k + 1))
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
