"""How well outlines are met: the boundary F-score.

Csurka, Larlus, Perronnin, "What is a good evaluation measure for semantic segmentation?", BMVC
2013: precision is the share of a class's predicted outline that lies within a tolerance of its
reference outline, recall the other way round, and F1 their harmonic mean; by class, then by image.

Ours: an outline pixel has one of the four pixels beside it in another class. Pixels that are void
in the reference are no part of the picture: no outline runs in them or along them. A prediction
outside the set is a class of its own without a figure. A class without an outline in either raster
says nothing of that image; one with an outline in only one of them scores 0.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from segstudio.core.classes import VOID, ClassMap
from segstudio.core.confusion import Labels, positions
from segstudio.core.metrics import mean_of, ratio

OutlineCounts = NDArray[np.int64]
"""int64 (C, 4) pixels: predicted outline, of it near the reference's; reference outline, of it near
the predicted one. Those of several images may be summed."""

TOLERANCE = 0.0075
"""Of the image's diagonal, as in the paper."""


@dataclass(frozen=True, slots=True, eq=False)
class BoundaryScores:
    """precision, recall, f1: float64 (C,), 0..1, NaN where there is nothing to speak of.

    mean_f1: over the classes, or for several images the mean of each image's own mean. images: of
    how many images, 0 for one sum.
    """

    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    f1: NDArray[np.float64]
    mean_f1: float
    images: int = 0


def boundary_counts(
    reference: Labels, predicted: Labels, classes: ClassMap, *, tolerance: float = TOLERANCE
) -> OutlineCounts:
    """int64 (C, 4) of one image: uint8 (H, W) each, ids of `classes`.

    tolerance: a share of the diagonal, measured between the middles of pixels.
    """
    if reference.shape != predicted.shape:
        raise ValueError(f"shapes differ: {reference.shape} and {predicted.shape}")
    rows = positions(classes)
    truth, said = rows[reference], rows[predicted]
    judged = truth != VOID
    wanted, found = (np.where(outline_of(raster, judged), raster, VOID) for raster in (truth, said))
    reach = tolerance * math.hypot(*reference.shape)
    counts = np.zeros((len(classes), 4), np.int64)
    present = np.bincount(wanted.ravel(), minlength=256) + np.bincount(found.ravel(), minlength=256)
    for row in np.flatnonzero(present[: len(classes)]):
        counts[row] = _met(wanted == row, found == row, reach)
    return counts


def outline_of(labels: Labels, judged: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """bool (H, W): judged pixels with another label in a judged pixel above, below or beside."""
    outline = np.zeros(labels.shape, np.bool_)
    for near, far in (
        ((slice(1, None), slice(None)), (slice(None, -1), slice(None))),
        ((slice(None), slice(1, None)), (slice(None), slice(None, -1))),
    ):
        differ = (labels[near] != labels[far]) & judged[near] & judged[far]
        outline[near] |= differ
        outline[far] |= differ
    return outline


def boundary_scores(counts: OutlineCounts) -> BoundaryScores:
    """Of one image, or of the sum over many."""
    values = counts.astype(np.float64)
    precision, recall = ratio(values[:, 1], values[:, 0]), ratio(values[:, 3], values[:, 2])
    p, r = np.nan_to_num(precision), np.nan_to_num(recall)
    has_any = (counts[:, 0] > 0) | (counts[:, 2] > 0)
    f1 = np.where(has_any, np.nan_to_num(ratio(2 * p * r, p + r)), np.nan)
    return BoundaryScores(precision, recall, f1, mean_of(f1))


def mean_of_boundary_scores(images: Sequence[OutlineCounts], classes: int) -> BoundaryScores:
    """The paper's figure: each image's own scores, and their means over images."""
    each = [boundary_scores(counts) for counts in images]
    means = [
        np.array([mean_of(column) for column in np.array(values).reshape(-1, classes).T])
        for values in zip(*((one.precision, one.recall, one.f1) for one in each), strict=True)
    ] or [np.full(classes, np.nan)] * 3
    overall = mean_of(np.array([one.mean_f1 for one in each]))
    return BoundaryScores(means[0], means[1], means[2], overall, len(each))


def _met(
    reference: NDArray[np.bool_], predicted: NDArray[np.bool_], reach: float
) -> tuple[int, int, int, int]:
    """A row of the counts: one class's outlines, bool (H, W)."""
    said, wanted = int(np.count_nonzero(predicted)), int(np.count_nonzero(reference))
    if not said or not wanted:
        return said, 0, wanted, 0
    box = _around(reference | predicted)
    reference, predicted = reference[box], predicted[box]
    right = int(np.count_nonzero(predicted & _near(reference, reach)))
    return said, right, wanted, int(np.count_nonzero(reference & _near(predicted, reach)))


def _around(selection: NDArray[np.bool_]) -> tuple[slice, slice]:
    """The smallest rectangle with all of it: distances inside it are the same."""
    y, x = (np.flatnonzero(selection.any(axis)) for axis in (1, 0))
    return slice(y[0], y[-1] + 1), slice(x[0], x[-1] + 1)


def _near(outline: NDArray[np.bool_], reach: float) -> NDArray[np.bool_]:
    """Pixels at most `reach` from the outline."""
    away = cv2.distanceTransform((~outline).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    # Squared distances are whole numbers, distances are rounded floats: the border lies between.
    border = math.sqrt(math.floor(reach * reach + 1e-9) + 0.5)
    near: NDArray[np.bool_] = away < border
    return near
