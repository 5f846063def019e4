"""A careful person with a round brush, simulated: what is still to be done on a predicted frame.

What counts as wrong. Void is nothing. Borders: where the class that was predicted begins within
TOLERANCE pixels, and the true one was predicted within as many, the border is merely drawn a bit
beside, and nobody redraws it; a pole that was missed altogether is not forgiven so. What is left
falls into connected regions of one true class; regions under LEAST pixels are left alone.

A stroke is one drag with one brush and one class, at most LONGEST pixels long: a brush of radius r
paints 2·r pixels for each of them. It may run over anything that is truly of its class, and over
void: so regions of one class that lie within HOP pixels of each other on such ground are one
place, painted without lifting the brush, and each way from one to the next costs HOP pixels of the
drag. Places that are apart, or with another class between, take strokes of their own. The person
takes the brush that needs the fewest strokes: larger ones where they fit, then what those did not
reach with the smallest, which reaches everywhere. What is left in pieces under LEAST pixels stays
wrong and is counted, as is everything that was forgiven: `left` is that number, so a low number of
strokes cannot hide errors.

Few people draw the last pole of every frame. `strokes_to` counts the strokes until so many of the
labelled pixels are right, the most rewarding places first, as a person with an hour works; pixels
that were forgiven count as right there.

All sizes are in pixels of a frame of 480×360 and grow with the frame. The same labels always give
the same number.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.uint8]
Mask = NDArray[np.bool_]

VOID = 255

RADII = (3.0, 6.0, 12.0, 24.0)
TOLERANCE = 3.0
LEAST = 50
LONGEST = 400.0
HOP = 40.0
_HEIGHT = 360


@dataclass(frozen=True, slots=True)
class Work:
    """What one frame needs. Pixels are of the frame; `labelled` have a true class.

    regions: connected ones that are painted. wrong: pixels before anything is done. painted: those
    of them that strokes put right. to_do: those that are not forgiven. places: strokes and pixels
    of each place.
    """

    strokes: int
    regions: int
    wrong: int
    painted: int
    labelled: int
    to_do: int = 0
    places: tuple[tuple[int, int], ...] = ()

    @property
    def left(self) -> int:
        """Pixels that stay wrong after all strokes."""
        return self.wrong - self.painted

    def strokes_to(self, share: float) -> int:
        """Until so much of the labelled pixels (0..1) is right; all strokes where that is more than
        they reach. Within a place every stroke puts as much right as the next.
        """
        missing = round(self.to_do - (1.0 - share) * self.labelled)
        count = 0
        for strokes, pixels in sorted(self.places, key=lambda p: p[1] / p[0], reverse=True):
            if missing <= 0:
                break
            each = pixels / strokes
            used = min(strokes, math.ceil(missing / each)) if each else strokes
            count += used
            missing -= round(used * each)
        return count


def work_of(prediction: Labels, truth: Labels) -> Work:
    """prediction, truth: uint8 (H, W), class ids, VOID where there is none in the truth."""
    if prediction.shape != truth.shape:
        raise ValueError(f"{prediction.shape} predicted, {truth.shape} true")
    scale = truth.shape[0] / _HEIGHT
    known = truth != VOID
    wrong = known & (prediction != truth)
    to_do = wrong & ~_beside(prediction, truth, TOLERANCE * scale)
    strokes = regions = painted = 0
    places = []
    for one in np.unique(truth[to_do]):
        free = np.asarray((truth == one) | ~known)
        for place, pieces in _places(to_do & (truth == one), free, scale):
            count, pixels = _paint(place, free, scale)
            strokes += count
            painted += pixels
            regions += pieces
            places.append((count, pixels))
    return Work(
        strokes, regions, int(wrong.sum()), painted, int(known.sum()), int(to_do.sum()),
        tuple(places),
    )  # fmt: skip


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


def _places(mask: Mask, free: Mask, scale: float) -> list[tuple[Mask, int]]:
    """Regions of the mask large enough to be painted, those within reach of each other together:
    bool (H, W), and how many they are.

    free: bool (H, W), where the brush does no harm.
    """
    pieces = _pieces(mask, LEAST * scale**2)
    if len(pieces) < 2:
        return [(piece, 1) for piece in pieces]
    painted = np.logical_or.reduce(pieces)
    apart = cv2.distanceTransform((~painted).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    ground = (apart <= HOP * scale / 2) & (free | painted)
    _, named = cv2.connectedComponents(ground.view(np.uint8), connectivity=8)
    together: dict[int, list[Mask]] = {}
    for piece in pieces:
        together.setdefault(int(named[piece][0]), []).append(piece)
    return [(np.logical_or.reduce(each), len(each)) for each in together.values()]


def _pieces(mask: Mask, least: float) -> list[Mask]:
    """Connected regions (corners touch) of at least so many pixels."""
    many, named, boxes, _ = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=8)
    return [named == i for i in range(1, many) if boxes[i, cv2.CC_STAT_AREA] >= least]


def _paint(place: Mask, free: Mask, scale: float) -> tuple[int, int]:
    """Strokes for one place, and the pixels of it that they put right."""
    rows, cols = np.flatnonzero(place.any(axis=1)), np.flatnonzero(place.any(axis=0))
    room = int(np.ceil(2 * RADII[-1] * scale)) + 1
    box = (
        slice(max(0, rows[0] - room), rows[-1] + room),
        slice(max(0, cols[0] - room), cols[-1] + room),
    )
    place = np.ascontiguousarray(place[box])
    ways = [(_strokes(place, RADII[0], scale), -int(np.count_nonzero(place)))]
    ways += [_with(RADII[first::-1], place, free[box], scale) for first in range(1, len(RADII))]
    strokes, painted = min(ways)
    return strokes, -painted


def _with(radii: tuple[float, ...], place: Mask, free: Mask, scale: float) -> tuple[int, int]:
    """Strokes when the largest of these brushes goes first, and minus the pixels put right."""
    # outside of the frame does no harm either
    padded = np.pad(free, 1, constant_values=True).view(np.uint8)
    depth = cv2.distanceTransform(padded, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[1:-1, 1:-1]
    strokes, rest = 0, place.copy()
    for radius in radii[:-1]:
        centres = (depth > radius * scale).view(np.uint8)
        reached = rest & (cv2.dilate(centres, _disk(radius * scale)) > 0)
        for each, _ in _places(reached, free, scale):
            strokes += _strokes(each, radius, scale)
            rest &= ~each
    for each, _ in _places(rest, free, scale):
        strokes += _strokes(each, radii[-1], scale)
        rest &= ~each
    return strokes, -int(np.count_nonzero(place & ~rest))


def _strokes(place: Mask, radius: float, scale: float) -> int:
    """Drags that a place takes with one brush."""
    many = cv2.connectedComponents(place.view(np.uint8), connectivity=8)[0] - 1
    way = np.count_nonzero(place) / (2 * radius * scale) + (many - 1) * HOP * scale
    return max(1, int(np.ceil(way / (LONGEST * scale))))


def _disk(radius: float) -> Labels:
    """uint8, odd sides: 1 within the radius."""
    whole = int(radius)
    y, x = np.ogrid[-whole : whole + 1, -whole : whole + 1]
    return np.asarray(x * x + y * y <= radius * radius).astype(np.uint8)
