"""GrabCut: the thing inside a box, told from what surrounds the box by colour.

Rother, Kolmogorov & Blake 2004, "GrabCut", as OpenCV has it: two mixtures of five Gaussians and a
graph cut, in turns. Around the box a margin is known to be background. A large region is cut on a
reduced picture and its border interpolated back, so the cost is bounded whatever the box is.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from segstudio.core.brush import Area
from segstudio.core.geometry import Rect

MOST_PIXELS = 200_000
"""Of the picture that is cut: about a second on one core."""

_SEED = 1
_COMPONENTS = 5
"""Gaussians for each side in OpenCV; k-means fails on fewer pixels than that."""
_MARGIN = 0.35
_LEAST_MARGIN = 8

Mask = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class _Region:
    """What is cut. rect: the box with its margin. inner: the box in coordinates of rect."""

    rect: Rect
    inner: Rect


def grab_cut(
    rgb: NDArray[np.uint8],
    box: Rect,
    *,
    sure_fore: Area | None = None,
    sure_back: Area | None = None,
    iterations: int = 3,
) -> Area:
    """The foreground in `box`. rgb: uint8 (H, W, 3); nothing in it is written.

    sure_fore: pixels that are always in the result, also outside the box; sure_back: never, and
    where both speak it wins. The same question has the same answer. A box outside the frame, or one
    in which everything turns out to be background, gives an empty area. A box with nothing to
    tell apart (a handful of pixels, one single colour) is returned whole, strokes applied.
    """
    height, width = rgb.shape[:2]
    region = _region(box.clipped(height, width), sure_fore, (height, width))
    if region.inner.is_empty:
        return _nothing()
    known = _known(region, sure_fore, sure_back)
    part = np.ascontiguousarray(rgb[region.rect.slices])
    inside = _cut(part, known, iterations)
    inside[known == cv2.GC_FGD] = True
    inside[known == cv2.GC_BGD] = False
    x, y, w, h = cv2.boundingRect(inside.view(np.uint8))
    if not w:
        return _nothing()
    y0, x0 = region.rect.y0 + y, region.rect.x0 + x
    return Area(Rect(y0, x0, y0 + h, x0 + w), np.ascontiguousarray(inside[y : y + h, x : x + w]))


def _cut(part: NDArray[np.uint8], known: Mask, iterations: int) -> NDArray[np.bool_]:
    """bool (h, w), foreground; on a reduced picture where `part` is large."""
    height, width = known.shape
    scale = min(1.0, (MOST_PIXELS / (height * width)) ** 0.5)
    if scale < 1:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        small = np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.uint8)
        guess = np.asarray(cv2.resize(known, size, interpolation=cv2.INTER_NEAREST), np.uint8)
        found = _cut_at_size(small, guess, iterations).astype(np.float32)
        soft = cv2.resize(found, (width, height), interpolation=cv2.INTER_LINEAR)
        return np.asarray(np.asarray(soft) > 0.5, np.bool_)
    return _cut_at_size(part, known, iterations)


def _cut_at_size(part: NDArray[np.uint8], known: Mask, iterations: int) -> NDArray[np.bool_]:
    """OpenCV's cut of uint8 (h, w, 3) by what is known, GC_… values uint8 (h, w)."""
    mask = known.copy()
    is_back = (mask == cv2.GC_BGD) | (mask == cv2.GC_PR_BGD)
    if np.count_nonzero(is_back) < _COMPONENTS:
        _guess_ring(mask)
        is_back = (mask == cv2.GC_BGD) | (mask == cv2.GC_PR_BGD)
    in_box = np.asarray((known == cv2.GC_FGD) | (known == cv2.GC_PR_FGD), np.bool_)
    counts = np.count_nonzero(is_back), mask.size - np.count_nonzero(is_back)
    if min(counts) < _COMPONENTS or (part == part[0, 0]).all():
        return in_box
    models = np.zeros((1, 65), np.float64), np.zeros((1, 65), np.float64)
    cv2.setRNGSeed(_SEED)  # of this thread: k-means draws from it
    rect = (0, 0, part.shape[1], part.shape[0])
    try:
        cv2.grabCut(part, mask, rect, *models, max(1, iterations), cv2.GC_INIT_WITH_MASK)
    except cv2.error:  # a mixture that lost all its pixels: nothing to tell apart
        return in_box
    return np.asarray((mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD), np.bool_)


def _guess_ring(mask: Mask) -> None:
    """No background is known, the box is the frame: its rim may be background."""
    height, width = mask.shape
    rim = max(1, round(0.05 * min(height, width)))
    ring = np.ones(mask.shape, np.bool_)
    ring[rim:-rim, rim:-rim] = False
    mask[ring & (mask == cv2.GC_PR_FGD)] = cv2.GC_PR_BGD


def _region(box: Rect, sure_fore: Area | None, shape: tuple[int, int]) -> _Region:
    """The box, strokes beyond it, and a margin of known background."""
    whole = box if sure_fore is None else box.united(sure_fore.rect.clipped(*shape))
    margin = max(_LEAST_MARGIN, round(_MARGIN * max(whole.height, whole.width)))
    rect = Rect(whole.y0 - margin, whole.x0 - margin, whole.y1 + margin, whole.x1 + margin).clipped(
        *shape
    )
    if box.is_empty:
        return _Region(rect, Rect(0, 0, 0, 0))
    inner = Rect(box.y0 - rect.y0, box.x0 - rect.x0, box.y1 - rect.y0, box.x1 - rect.x0)
    return _Region(rect, inner)


def _known(region: _Region, sure_fore: Area | None, sure_back: Area | None) -> Mask:
    """What is known before the cut: GC_… values, uint8 (h, w) of the region."""
    known = np.full((region.rect.height, region.rect.width), cv2.GC_BGD, np.uint8)
    known[region.inner.slices] = cv2.GC_PR_FGD
    for area, value in ((sure_fore, cv2.GC_FGD), (sure_back, cv2.GC_BGD)):
        if area is not None:
            _draw(known, region.rect, area, value)
    return known


def _draw(known: Mask, rect: Rect, area: Area, value: int) -> None:
    """Set `area` to `value` where it lies in `rect`."""
    both = Rect(
        max(rect.y0, area.rect.y0),
        max(rect.x0, area.rect.x0),
        min(rect.y1, area.rect.y1),
        min(rect.x1, area.rect.x1),
    )
    if both.is_empty:
        return
    rows, columns = both.slices
    there = area.mask[
        rows.start - area.rect.y0 : rows.stop - area.rect.y0,
        columns.start - area.rect.x0 : columns.stop - area.rect.x0,
    ]
    known[
        rows.start - rect.y0 : rows.stop - rect.y0,
        columns.start - rect.x0 : columns.stop - rect.x0,
    ][there] = value


def _nothing() -> Area:
    return Area(Rect(0, 0, 0, 0), np.zeros((0, 0), np.bool_))
