"""Polygons as pixels, by the rules of the programs that read them.

`even_odd`: a pixel belongs to a polygon whose rings go around its centre an odd number of times; a
centre on a border belongs to what lies right of it, or below. Neighbours with a common border share
no pixel and leave none out. `pil`: as Pillow draws a filled polygon with its outline, and labelme
and cityscapesScripts through it. `cv2`: as OpenCV does, from rounded points. These two take the
pixels that a border runs through as well.
"""

from collections.abc import Iterable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from segstudio.core.area import Area
from segstudio.core.classes import VOID
from segstudio.core.compiled import compiled
from segstudio.core.geometry import Rect
from segstudio.formats.outlining.outlines import Region, Ring, nested

Rule = Literal["even_odd", "pil", "cv2"]

_FURTHEST = 8
"""Sizes of the raster: points further away are moved nearer, for what draws lines to them would do
so for days."""

_MOST_SORTED = 4e9
"""Comparisons: rows times the square of the borders in each; OpenCV does about 2e9 in a second."""

_MOST_DRAWN = 2e9
"""Pixels of outline: about three seconds."""


def fill(
    rings: Sequence[Ring], height: int, width: int, rule: Rule = "even_odd"
) -> NDArray[np.bool_]:
    """bool (H, W): the pixels of a polygon. rings: float64 (n, 2) x, y each; may reach outside.

    Holes are further rings; Pillow knows none, so there they are cut out of the first ring.
    """
    mask = np.zeros((height, width), np.bool_)
    area = fill_area(rings, height, width, rule)
    mask[area.rect.slices] = area.mask
    return mask


def fill_area(rings: Sequence[Ring], height: int, width: int, rule: Rule = "even_odd") -> Area:
    """`fill`, of the raster only what the polygon may cover."""
    most = _FURTHEST * max(height, width)
    rings = [np.clip(np.nan_to_num(r), -most, most) for r in rings if len(r)]
    box = _box(rings, height, width)
    if box.is_empty:
        return Area(Rect(0, 0, 0, 0), np.zeros((0, 0), np.bool_))
    if rule == "even_odd" or _is_endless(rings, box):
        points = np.concatenate(rings)
        ends = np.cumsum([len(r) for r in rings])
        mask = np.zeros((box.height, box.width), np.bool_)
        compiled(_flip)(points, ends, box.y0, box.x0, mask)
        return Area(box, mask)
    # What lies right and below is cut off; the origin stays, for it has a say in the rounding.
    draw = _pil if rule == "pil" else _cv2
    return Area(box, draw(rings, box))


def paint(
    labels: NDArray[np.uint8],
    shapes: Iterable[tuple[int, Sequence[Ring]]],
    rule: Rule = "even_odd",
) -> None:
    """Paint polygons, (class id, rings) each, one after the other onto labels, uint8 (H, W)."""
    height, width = labels.shape
    for class_id, rings in shapes:
        area = fill_area(rings, height, width, rule)
        labels[area.rect.slices][area.mask] = class_id


def error_of(labels: NDArray[np.uint8], regions: Iterable[Region], rule: Rule = "even_odd") -> int:
    """How many pixels of labels, uint8 (H, W), differ when the regions are filled again.

    What no region covers is void. By `pil`, outer rings are painted over each other, the larger
    first: so do the formats that have no holes, which then need regions of void.
    """
    again = np.full(labels.shape, VOID, np.uint8)
    if rule == "pil":
        paint(again, ((r.class_id, (r.outer,)) for r in nested(regions)), rule)
    else:
        paint(again, ((r.class_id, r.rings) for r in nested(regions)), rule)
    return int(np.count_nonzero(again != labels))


def _box(rings: Sequence[Ring], height: int, width: int) -> Rect:
    """What the rings may cover of the raster; empty without rings."""
    if not rings:
        return Rect(0, 0, 0, 0)
    points = np.concatenate(rings)
    x0, y0 = (int(v) for v in np.floor(points.min(axis=0)))
    x1, y1 = (int(v) for v in np.ceil(points.max(axis=0)))
    return Rect(y0, x0, y1 + 1, x1 + 1).clipped(height, width)


def _is_endless(rings: Sequence[Ring], box: Rect) -> bool:
    """Whether Pillow or OpenCV would take minutes, which sort all borders in a row: a scribble of
    ten thousands of lines through the whole picture, as no program writes it, is filled even-odd.
    """
    crossed, length = 0.0, 0.0
    for ring in rings:
        steps = np.abs(np.roll(ring, -1, axis=0) - ring)
        length += float(steps.max(axis=1).sum())
        y = np.clip(ring[:, 1], box.y0, box.y1)
        crossed += float(np.abs(np.roll(y, -1) - y).sum())
    return crossed * crossed / box.height > _MOST_SORTED or length > _MOST_DRAWN


def _pil(rings: Sequence[Ring], box: Rect) -> NDArray[np.bool_]:
    image = Image.new("L", (box.x1, box.y1))
    pen = ImageDraw.Draw(image)
    for k, ring in enumerate(rings):
        value = int(k == 0)
        # Of one point or two Pillow makes no polygon.
        points = np.resize(ring, (max(len(ring), 3), 2))
        pen.polygon(points.ravel().tolist(), fill=value, outline=value)
    part = image.crop((box.x0, box.y0, box.x1, box.y1))
    return np.asarray(part).astype(np.bool_)


def _cv2(rings: Sequence[Ring], box: Rect) -> NDArray[np.bool_]:
    import cv2  # here, because windows list formats before OpenCV is loaded

    mask = np.zeros((box.y1, box.x1), np.uint8)
    cv2.fillPoly(mask, [np.rint(r).astype(np.int32).reshape(-1, 1, 2) for r in rings], 1)
    return mask[box.slices].astype(np.bool_)


def _flip(
    points: NDArray[np.float64],
    ends: NDArray[np.int64],
    top: int,
    left: int,
    mask: NDArray[np.bool_],
) -> None:
    """Fill mask, bool (h, w), all False; its first pixel is (top, left). ends: of each ring.

    Every edge is taken from above, so that both sides of a border round alike.
    """
    height, width = mask.shape
    first = 0
    for end in ends:
        for k in range(first, end):
            j = k + 1 if k + 1 < end else first
            x0, y0, x1, y1 = points[k, 0], points[k, 1], points[j, 0], points[j, 1]
            if y0 > y1 or (y0 == y1 and x0 > x1):
                x0, y0, x1, y1 = x1, y1, x0, y0
            begin = max(int(np.ceil(y0 - 0.5)) - top, 0)
            stop = min(int(np.ceil(y1 - 0.5)) - top, height)
            for row in range(begin, stop):
                x = x0 + (row + top + 0.5 - y0) * (x1 - x0) / (y1 - y0)
                column = max(int(np.ceil(x - 0.5)) - left, 0)
                if column < width:
                    mask[row, column] ^= True
        first = end
    for row in range(height):
        inside = False
        for column in range(width):
            inside ^= mask[row, column]
            mask[row, column] = inside
