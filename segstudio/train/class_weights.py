"""Weights of classes against the many pixels of few classes, from how many pixels each has.

Counts are int64 (pictures, C), labelled pixels of each class in each picture, void left out.
Weights are one float for each class. A class that no picture has gets `unseen`: 1 by default, so
that a pixel of it that comes from elsewhere (earlier data that is mixed in) counts like any other;
0 would leave it out.
"""

import numpy as np
from numpy.typing import NDArray

from segstudio.errors import SegStudioError

KINDS = ("none", "median_frequency", "effective_number", "inverse_log")

Counts = NDArray[np.int64]


def class_weights(kind: str, counts: Counts, *, unseen: float = 1.0) -> tuple[float, ...]:
    """By the name of the rule, one of KINDS, with its usual constants; "none" is ()."""
    if kind == "median_frequency":
        return median_frequency(counts, unseen=unseen)
    if kind == "effective_number":
        return effective_number(counts, unseen=unseen)
    if kind == "inverse_log":
        return inverse_log(counts, unseen=unseen)
    if kind == "none":
        return ()
    raise SegStudioError(
        f"There are no class weights called '{kind}'; choose one of {', '.join(KINDS)}."
    )


def counts_of(labels: NDArray[np.uint8], classes: int) -> Counts:
    """int64 (C,): pixels of each class in one raster; void and ids beyond the classes left out."""
    return np.bincount(labels.ravel(), minlength=256)[:classes].astype(np.int64)


def median_frequency(counts: Counts, *, unseen: float = 1.0) -> tuple[float, ...]:
    """Median frequency balancing: the median of all frequencies over that of the class.

    A class's frequency is its share of the pixels of those pictures that have it (Eigen and Fergus
    2015, section 6.3.2; SegNet, section 4.1), so that a class which is rare but large where it is
    is not made more of. The median is over the classes seen: half of the weights are above 1.
    """
    own = counts.sum(0)
    around = np.where(counts > 0, counts.sum(1, keepdims=True), 0).sum(0)
    seen = own > 0
    if not seen.any():
        return _told(np.zeros(0), seen, unseen)
    frequency = own[seen] / around[seen]
    return _told(np.median(frequency) / frequency, seen, unseen)


def effective_number(
    counts: Counts, *, beta: float = 1 - 1e-7, unseen: float = 1.0
) -> tuple[float, ...]:
    """(1 - beta) / (1 - beta ** n) of a class of n pixels, scaled to a mean of 1 over those seen.

    Cui et al. 2019, equations 2 and 4. After about 1 / (1 - beta) pixels more of them tell nothing
    new; pixels are many and alike, so their beta is nearer to 1 than that of whole pictures. 0
    weighs all classes alike, and near 1 the weight is the inverse of the count.
    """
    own = counts.sum(0)
    seen = own > 0
    if not 0 <= beta < 1:
        raise SegStudioError(f"The beta of class weights is {beta:g} and must be below 1.")
    logarithm = np.log1p(-(1 - beta)) if beta > 0 else -np.inf
    inverse = (1 - beta) / -np.expm1(own[seen] * logarithm)
    return _told(inverse / inverse.mean() if seen.any() else inverse, seen, unseen)


def inverse_log(counts: Counts, *, offset: float = 1.02, unseen: float = 1.0) -> tuple[float, ...]:
    """1 / ln(offset + p) of a class that has the share p of all pixels (ENet, section 5.2).

    With 1.02 the weights lie between 1.4 and 50.
    """
    own = counts.sum(0)
    seen = own > 0
    share = own[seen] / max(1, int(own.sum()))
    return _told(1 / np.log(offset + share), seen, unseen)


def _told(
    weights: NDArray[np.float64], seen: NDArray[np.bool_], unseen: float
) -> tuple[float, ...]:
    whole = np.full(seen.shape, unseen, np.float64)
    whole[seen] = weights
    return tuple(float(weight) for weight in whole)
