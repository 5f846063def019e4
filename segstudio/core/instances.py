"""Instance-weighted IoU, as cityscapesScripts counts it: iIoU.

IoU is ruled by what is near and large. Here each pixel of an instance weighs what makes its
instance as heavy as the average one of the class: hits and misses times average size / its size.
Wrong pixels belong to no instance, so they come from the confusion matrix with their plain number.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segstudio.core.categories import Categories
from segstudio.core.classes import VOID, ClassMap
from segstudio.core.confusion import Counts, Labels, positions
from segstudio.core.metrics import mean_of, ratio

Records = NDArray[np.int64]
"""int64 (n, 4), a row per instance: class row, pixels, pixels of its class, of its category."""

FIRST_INSTANCE = 1001
"""Cityscapes' instance rasters: class id × 1000 + number; up to 1000 it is a class without one."""

_MOST_COUNTED = 1 << 20
"""Up to such numbers a table of all of them is cheap; other datasets pack three bytes."""

CITYSCAPES_SIZES = {
    "person": 3462.4756337644,
    "rider": 3930.4788056518,
    "car": 12794.0202738185,
    "truck": 27855.1264367816,
    "bus": 35732.1511111111,
    "train": 67583.7075812274,
    "caravan": 36771.8241758242,
    "trailer": 16926.9763313609,
    "motorcycle": 6298.7200839748,
    "bicycle": 4672.3249222261,
}
"""Pixels of the average instance in Cityscapes' training set (cityscapesScripts)."""


@dataclass(frozen=True, slots=True, eq=False)
class InstanceScores:
    """iou: float64 (C,), 0..1, NaN for classes without instances; miou: the mean of the others.

    category_names, category_iou (K,), category_miou: the same by category, for those all of whose
    classes have instances.
    """

    iou: NDArray[np.float64]
    miou: float
    category_names: tuple[str, ...]
    category_iou: NDArray[np.float64]
    category_miou: float


def instance_records(
    reference: Labels,
    predicted: Labels,
    instances: NDArray[np.uint16] | NDArray[np.int32],
    classes: ClassMap,
    categories: Categories | None = None,
    *,
    first: int = FIRST_INSTANCE,
) -> Records:
    """What became of each instance of one frame; those of more frames are concatenated.

    reference, predicted: uint8 (H, W), ids of `classes`. instances: (H, W), values from `first` on
    are instances. The class of an instance is what the reference says there; where that is more
    than one class, each part counts as an instance, and what is void there as none.
    """
    if not reference.shape == predicted.shape == instances.shape:
        shapes = f"{reference.shape}, {predicted.shape} and {instances.shape}"
        raise ValueError(f"shapes differ: {shapes}")
    rows = positions(classes)
    places = np.flatnonzero(instances >= first)
    truth = rows[reference.ravel()[places]]
    if (truth == VOID).any():
        places, truth = places[truth != VOID], truth[truth != VOID]
    said = rows[predicted.ravel()[places]]
    numbers, which = _numbered(instances.ravel()[places])
    keys = which << 8 | truth
    counted = np.bincount(keys, minlength=len(numbers) << 8)
    found = np.flatnonzero(counted)
    alike = said == truth
    if categories is not None:
        group = np.full(256, -1, np.intp)
        group[: len(classes)] = categories.of_class
        together = (group[said] == group[truth]) & (group[truth] >= 0)
    else:
        together = alike
    hits, near = (np.bincount(keys[m], minlength=len(counted))[found] for m in (alike, together))
    return np.stack([found & 255, counted[found], hits, near], 1).astype(np.int64)


def _numbered(
    values: NDArray[np.uint16] | NDArray[np.int32],
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The different values, sorted, and for each value which of them it is."""
    if not values.size or values.max() > _MOST_COUNTED:
        known, which = np.unique(values, return_inverse=True)
        return known.astype(np.intp), which
    # Sorting half a million pixels takes ten times as long.
    known = np.flatnonzero(np.bincount(values))
    index = np.zeros(known[-1] + 1, np.intp)
    index[known] = np.arange(len(known))
    return known, index[values]


def instance_scores(
    records: Records,
    full: Counts,
    classes: ClassMap,
    categories: Categories | None = None,
    *,
    sizes: Mapping[str, float] = CITYSCAPES_SIZES,
) -> InstanceScores:
    """iIoU from the records of all frames and the sum of their `ConfusionMatrix.full`.

    sizes: class name → pixels of an average instance; a class without one is not judged.
    """
    count = len(classes)
    judged = np.ones(count, np.bool_) if categories is None else categories.judged
    average = np.array([sizes.get(known.name, np.nan) for known in classes.classes])
    has_any = judged & ~np.isnan(average)
    row, pixels, hits, near = records[has_any[records[:, 0]]].T
    weight = average[row] / pixels
    hit, missed = (_summed(row, n * weight, count) for n in (hits, pixels - hits))
    known = full[:count, :count]
    wrong = known[judged].sum(0) - np.where(judged, np.diagonal(known), 0)
    iou = np.where(has_any, ratio(hit, hit + wrong + missed), np.nan)
    names, by_category = _by_category(
        categories, ~np.isnan(average), row, near, pixels, weight, full
    )
    return InstanceScores(iou, mean_of(iou), names, by_category, mean_of(by_category))


def _by_category(
    categories: Categories | None,
    has_instances: NDArray[np.bool_],
    row: NDArray[np.int64],
    near: NDArray[np.int64],
    pixels: NDArray[np.int64],
    weight: NDArray[np.float64],
    full: Counts,
) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    """Names and iIoU of the categories of which every class has instances."""
    if categories is None:
        return (), np.zeros(0)
    size = len(categories.names)
    members = np.arange(size)[:, None] == categories.of_class
    whole = ~(members & ~has_instances).any(1) & categories.holds.any(1)
    group = categories.of_class[row]
    hit, missed = (_summed(group, n * weight, size) for n in (near, pixels - near))
    rows = full[:-1, :-1]
    wrong = np.array(
        [rows[categories.judged & ~inside][:, inside].sum() for inside in members], np.float64
    )
    iou = ratio(hit, hit + wrong + missed)
    kept = np.flatnonzero(whole)
    return tuple(categories.names[k] for k in kept), iou[kept]


def _summed(
    row: NDArray[np.int64] | NDArray[np.intp], weights: NDArray[np.float64], size: int
) -> NDArray[np.float64]:
    """float64 (size,), added up one after the other, in the order of the records."""
    return np.bincount(row, weights, size).astype(np.float64)
