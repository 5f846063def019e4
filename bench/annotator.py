"""A careful person with a round brush, simulated: what is still to be done on a predicted frame.

What counts as wrong. Void is nothing. Borders: where the class that was predicted begins within
TOLERANCE pixels, and the true one was predicted within as many, the border is merely drawn a bit
beside, and nobody redraws it; a pole that was missed altogether is not forgiven so. What is left
falls into connected regions of one true class; regions under LEAST pixels are left alone.

A stroke is one drag with one brush and one class, at most LONGEST pixels long, so a brush of
radius r paints 2·r·LONGEST pixels with it. The person takes the brush that needs the fewest
strokes: with the larger ones where they fit (a brush may run over anything that is truly of its
class, and over void), then what they did not reach with the smallest, which reaches everywhere.
Two places that are not connected take two strokes. What is left of a region in pieces under LEAST
pixels stays wrong and is counted, as is everything that was forgiven: `left` is that number, so a
low number of strokes cannot hide errors.

All sizes are in pixels of a frame of 480×360 and grow with the frame. The same labels always give
the same number.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.uint8]
Mask = NDArray[np.bool_]

VOID = 255

RADII = (3.0, 6.0, 12.0, 24.0)
TOLERANCE = 2.0
LEAST = 40
LONGEST = 400.0
_HEIGHT = 360


@dataclass(frozen=True, slots=True)
class Work:
    """What one frame needs. Pixels are of the frame; `labelled` have a true class.

    wrong: of them before anything is done. painted: those of them that strokes put right. left:
    those that stay wrong, border bands and specks.
    """

    strokes: int
    regions: int
    wrong: int
    painted: int
    labelled: int

    @property
    def left(self) -> int:
        """Pixels that stay wrong after all strokes."""
        return self.wrong - self.painted


def work_of(prediction: Labels, truth: Labels) -> Work:
    """prediction, truth: uint8 (H, W), class ids, VOID where there is none in the truth."""
    if prediction.shape != truth.shape:
        raise ValueError(f"{prediction.shape} predicted, {truth.shape} true")
    scale = truth.shape[0] / _HEIGHT
    known = truth != VOID
    wrong = known & (prediction != truth)
    to_do = wrong & ~_beside(prediction, truth, TOLERANCE * scale)
    strokes = regions = painted = 0
    for one in np.unique(truth[to_do]):
        free = np.asarray((truth == one) | ~known)
        for area in _pieces(to_do & (truth == one), LEAST * scale**2):
            count, pixels = _paint(area, free, scale)
            strokes += count
            painted += pixels
            regions += 1
    return Work(strokes, regions, int(wrong.sum()), painted, int(known.sum()))


def _beside(prediction: Labels, truth: Labels, tolerance: float) -> Mask:
    """bool (H, W): the class predicted there is true near by, and the true one predicted near."""
    disk = _disk(tolerance)
    found = np.zeros(truth.shape, bool)
    for one in np.unique(truth[truth != VOID]):
        near_predicted = cv2.dilate((prediction == one).view(np.uint8), disk) > 0
        here = (truth == one) & (prediction != one) & near_predicted
        for other in np.unique(prediction[here]):
            near_true = cv2.dilate((truth == other).view(np.uint8), disk) > 0
            found |= here & (prediction == other) & near_true
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _Area:
    """A connected region. rows, cols: its bounding box in the frame. mask: bool, in that box."""

    rows: slice
    cols: slice
    mask: Mask

    @property
    def pixels(self) -> int:
        return int(np.count_nonzero(self.mask))


def _pieces(mask: Mask, least: float) -> list[_Area]:
    """Connected regions (corners touch) of at least so many pixels."""
    many, named, boxes, _ = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=8)
    found = []
    for number in range(1, many):
        x, y, w, h, pixels = (int(v) for v in boxes[number])
        if pixels >= least:
            rows, cols = slice(y, y + h), slice(x, x + w)
            found.append(_Area(rows, cols, named[rows, cols] == number))
    return found


def _paint(area: _Area, free: Mask, scale: float) -> tuple[int, int]:
    """Strokes for one region, and the pixels of it that they put right.

    free: bool (H, W), where the brush does no harm.
    """
    ways = [(_strokes(area.pixels, RADII[0] * scale, scale), -area.pixels)]
    room = int(np.ceil(2 * RADII[-1] * scale)) + 1
    rows, cols = _wider(area.rows, room, free.shape[0]), _wider(area.cols, room, free.shape[1])
    box = np.zeros((rows.stop - rows.start, cols.stop - cols.start), bool)
    y, x = area.rows.start - rows.start, area.cols.start - cols.start
    box[y : y + area.mask.shape[0], x : x + area.mask.shape[1]] = area.mask
    inside = np.ascontiguousarray(free[rows, cols])
    ways += [_with(RADII[first::-1], box, inside, scale) for first in range(1, len(RADII))]
    strokes, painted = min(ways)
    return strokes, -painted


def _with(radii: tuple[float, ...], area: Mask, free: Mask, scale: float) -> tuple[int, int]:
    """Strokes when the largest of these brushes goes first, and minus the pixels put right."""
    # outside of the frame does no harm either
    padded = np.pad(free, 1, constant_values=True).view(np.uint8)
    depth = cv2.distanceTransform(padded, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[1:-1, 1:-1]
    strokes, rest = 0, area.copy()
    for radius in radii[:-1]:
        centres = (depth > radius * scale).view(np.uint8)
        reached = rest & (cv2.dilate(centres, _disk(radius * scale)) > 0)
        for piece in _pieces(reached, LEAST * scale**2):
            strokes += _strokes(piece.pixels, radius * scale, scale)
            rest[piece.rows, piece.cols] &= ~piece.mask
    done = int(np.count_nonzero(area & ~rest))
    for piece in _pieces(rest, LEAST * scale**2):
        strokes += _strokes(piece.pixels, radii[-1] * scale, scale)
        done += piece.pixels
    return strokes, -done


def _strokes(pixels: int, radius: float, scale: float) -> int:
    """Drags that a connected place takes."""
    return max(1, int(np.ceil(pixels / (2 * radius * LONGEST * scale))))


def _disk(radius: float) -> Labels:
    """uint8, odd sides: 1 within the radius."""
    whole = int(radius)
    y, x = np.ogrid[-whole : whole + 1, -whole : whole + 1]
    return np.asarray(x * x + y * y <= radius * radius).astype(np.uint8)


def _wider(span: slice, room: int, end: int) -> slice:
    return slice(max(0, span.start - room), min(end, span.stop + room))
