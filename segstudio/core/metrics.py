"""Segmentation metrics from one confusion matrix, by the definitions in use.

Long, Shelhamer, Darrell, CVPR 2015, section 5: with n_ij pixels of class i predicted as j and t_i
pixels of class i, pixel accuracy Σ n_ii / Σ t_i, mean accuracy, mean IU, where the IU of a class is
n_ii / (t_i + Σ n_ji − n_ii), and frequency-weighted IU. Papers agree on that and differ in what
void pixels do and over what the mean goes: a figure is only worth something with its convention.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from segstudio.core.confusion import ConfusionMatrix, Counts

__all__ = [
    "ConfusionMatrix",
    "Convention",
    "Scores",
    "mean_of",
    "mean_of_scores",
    "parts_of",
    "ratio",
    "scores_of",
]

Floats = NDArray[np.float64]


class Convention(StrEnum):
    """What void pixels do, and over what the mean goes.

    VOID_IGNORED: cityscapesScripts', and the usual one: pixels without a class in the reference
    are left out; a prediction outside the set is a miss; a class absent from both is no part of
    the mean. PRESENT: the mean goes over classes of the reference only. VOID_IS_WRONG: pixels
    without a class in the reference are false positives of what was predicted there.
    BOTH_VOID_IGNORED: pixels predicted as void are left out too. VOID_IS_A_CLASS: one more class.
    PER_IMAGE: the mean over images of each image's own figures.
    """

    VOID_IGNORED = "void ignored"
    PRESENT = "classes in the reference"
    VOID_IS_WRONG = "void counts as wrong"
    BOTH_VOID_IGNORED = "predicted void ignored too"
    VOID_IS_A_CLASS = "void is a class"
    PER_IMAGE = "mean of per-image means"


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Figures of one confusion matrix, 0..1; NaN where there is no pixel to speak of.

    iou, accuracy, precision, f1: float64 (C,), one more for VOID_IS_A_CLASS; `accuracy` of a class
    is its recall, and f1 its Dice coefficient. NaN for a class that the figure says nothing about.
    miou, mean_accuracy, mean_f1: means over what is not NaN. reference, predicted: float64 (C,)
    pixels that were counted. images: of how many images this is the mean, 0 for one matrix.
    """

    pixel_accuracy: float
    mean_accuracy: float
    miou: float
    fwiou: float
    mean_f1: float
    iou: Floats
    accuracy: Floats
    precision: Floats
    f1: Floats
    reference: Floats
    predicted: Floats
    convention: Convention = Convention.VOID_IGNORED
    images: int = 0


def parts_of(full: Counts, convention: Convention) -> tuple[Floats, Floats, Floats]:
    """float64 (…, C) each: pixels that are right, that the reference has, that were predicted.

    full: (…, C + 1, C + 1). One more class for VOID_IS_A_CLASS. All are sums over cells, so those
    of a sum of matrices are the sums of theirs.
    """
    counts = full.astype(np.float64)
    known = counts if convention is Convention.VOID_IS_A_CLASS else counts[..., :-1, :]
    if convention is Convention.BOTH_VOID_IGNORED:
        known = known[..., :-1]
    size = known.shape[-2]
    hit = np.diagonal(known, axis1=-2, axis2=-1)
    reference, predicted = known.sum(-1), known[..., :size].sum(-2)
    if convention is Convention.VOID_IS_WRONG:
        predicted = predicted + counts[..., -1, :-1]
    return hit, reference, predicted


def scores_of(full: Counts, convention: Convention = Convention.VOID_IGNORED) -> Scores:
    """From int64 (C + 1, C + 1), a `ConfusionMatrix.full`; for PER_IMAGE this is one image."""
    hit, reference, predicted = parts_of(full, convention)
    iou, accuracy = ratio(hit, reference + predicted - hit), ratio(hit, reference)
    f1 = ratio(2 * hit, reference + predicted)
    total, present = reference.sum(), reference > 0
    meant = present if convention is Convention.PRESENT else np.ones_like(present)
    return Scores(
        pixel_accuracy=float(hit.sum() / total) if total else float("nan"),
        mean_accuracy=mean_of(accuracy),
        miou=mean_of(np.where(meant, iou, np.nan)),
        fwiou=float((reference[present] * iou[present]).sum() / total) if total else float("nan"),
        mean_f1=mean_of(np.where(meant, f1, np.nan)),
        iou=iou,
        accuracy=accuracy,
        precision=ratio(hit, predicted),
        f1=f1,
        reference=reference,
        predicted=predicted,
        convention=convention,
    )


def mean_of_scores(images: Iterable[Counts], classes: int) -> Scores:
    """PER_IMAGE over int64 (C + 1, C + 1) of each image; one without any class says nothing."""
    each = [scores_of(full) for full in images]
    count = len(each)
    if not each:
        each = [scores_of(np.zeros((classes + 1, classes + 1), np.int64))]

    def over(name: str) -> Floats:
        values = np.array([getattr(one, name) for one in each], np.float64)
        known = ~np.isnan(values)
        return ratio(np.where(known, values, 0).sum(0), known.sum(0).astype(np.float64))

    return Scores(
        pixel_accuracy=float(over("pixel_accuracy")),
        mean_accuracy=float(over("mean_accuracy")),
        miou=float(over("miou")),
        fwiou=float(over("fwiou")),
        mean_f1=float(over("mean_f1")),
        iou=over("iou"),
        accuracy=over("accuracy"),
        precision=over("precision"),
        f1=over("f1"),
        reference=np.sum([one.reference for one in each], 0),
        predicted=np.sum([one.predicted for one in each], 0),
        convention=Convention.PER_IMAGE,
        images=count,
    )


def ratio(above: Floats, below: Floats) -> Floats:
    """NaN instead of a division by nothing."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(below > 0, above / below, np.nan)


def mean_of(values: Floats) -> float:
    """Mean of what is not NaN; NaN when nothing is left."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else float("nan")
