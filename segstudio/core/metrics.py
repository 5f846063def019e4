"""Segmentation metrics from one confusion matrix."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segstudio.core.classes import VOID


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Figures of one confusion matrix, 0..1; NaN where a class has no pixel to speak of.

    iou: float64 (C,), NaN for a class absent from reference and prediction.
    miou: mean over the classes that are not NaN.
    """

    pixel_accuracy: float
    mean_accuracy: float
    miou: float
    fwiou: float
    iou: NDArray[np.float64]
    accuracy: NDArray[np.float64]


class ConfusionMatrix:
    """Pixel counts over a whole set: row = reference class, column = predicted class.

    counts: int64 (C, C + 1); the last column holds predictions outside 0..C-1 (void, or a class
    the set does not know): they count as misses of the reference class, as cityscapesScripts
    counts them. Pixels whose reference is void (or `ignore`) are left out altogether.
    """

    def __init__(self, classes: int) -> None:
        self.classes = classes
        self.counts = np.zeros((classes, classes + 1), np.int64)
        self.ignored = 0

    def add(
        self,
        reference: NDArray[np.uint8],
        predicted: NDArray[np.uint8],
        *,
        ignore: int = VOID,
        sign: int = 1,
    ) -> None:
        """Count two uint8 rasters of one shape; sign=-1 takes the same rasters out again."""
        if reference.shape != predicted.shape:
            raise ValueError(f"shapes differ: {reference.shape} and {predicted.shape}")
        c = self.classes
        row = reference.reshape(-1).astype(np.intp)
        column = np.minimum(predicted.reshape(-1), c).astype(np.intp)
        valid = (row < c) & (row != ignore)
        self.ignored += sign * int(row.size - np.count_nonzero(valid))
        pairs = row[valid] * (c + 1) + column[valid]
        self.counts += sign * np.bincount(pairs, minlength=c * (c + 1)).reshape(c, c + 1)

    @property
    def pixels(self) -> int:
        """How many pixels were counted."""
        return int(self.counts.sum())

    def scores(self) -> Scores:
        """FCN's four figures (Long et al. 2015, section 5) and the IoU of every class."""
        counts = self.counts.astype(np.float64)
        hit = np.diagonal(counts)
        reference = counts.sum(1)
        predicted = counts[:, : self.classes].sum(0)
        union = reference + predicted - hit
        with np.errstate(divide="ignore", invalid="ignore"):
            iou = np.where(union > 0, hit / union, np.nan)
            accuracy = np.where(reference > 0, hit / reference, np.nan)
            total = reference.sum()
            present = reference > 0
            return Scores(
                pixel_accuracy=float(hit.sum() / total) if total else float("nan"),
                mean_accuracy=_mean(accuracy),
                miou=_mean(iou),
                fwiou=float((reference[present] * iou[present]).sum() / total)
                if total
                else float("nan"),
                iou=iou,
                accuracy=accuracy,
            )


def _mean(values: NDArray[np.float64]) -> float:
    """Mean of what is not NaN; NaN when nothing is left."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else float("nan")
