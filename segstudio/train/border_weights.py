"""Weights of the pixels between two objects, so that a net learns to keep them apart.

Ronneberger, Fischer, Brox, "U-Net: Convolutional Networks for Biomedical Image Segmentation",
MICCAI 2015, section 3, equation 2. Objects here are the connected regions of given classes.
"""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from segstudio.core.classes import ClassMap
from segstudio.core.training import TrainRecipe

REACH = 6
"""In sigmas: further away the weight is under exp(-18) of its most, and left at 0."""

THINGS = frozenset((
    "person", "pedestrian", "child", "rider", "cyclist", "bicyclist", "motorcyclist", "animal",
    "car", "truck", "truck_bus", "bus", "van", "suvpickuptruck", "train", "tram", "caravan",
    "trailer", "motorcycle", "bicycle", "motorcyclescooter", "boat",
))  # fmt: skip
"""Names, in small letters and without spaces, of classes that come one by one."""


def with_borders(recipe: TrainRecipe, classes: ClassMap) -> tuple[TrainRecipe, str]:
    """A recipe that weighs borders but does not say between what gets a choice, and a sentence.

    Classes whose things come one by one; all of them in a set that has none of those names (cells).
    """
    if recipe.border <= 0 or recipe.border_classes:
        return recipe, ""
    chosen = [c for c in classes.classes if c.name.lower().replace(" ", "") in THINGS]
    named = ", ".join(c.name for c in chosen) if chosen else "any class"
    note = f"Pixels between regions of {named} weigh more; --border-classes says otherwise."
    ids = tuple(c.id for c in chosen or classes.classes)
    return replace(recipe, border_classes=ids), note


def border_weights(
    labels: NDArray[np.integer], classes: Sequence[int], *, most: float = 10.0, sigma: float = 5.0
) -> NDArray[np.float32]:
    """most * exp(-(d1 + d2)^2 / (2 sigma^2)), float32 (H, W), 0 inside the objects.

    d1, d2: distances in pixels to the nearest and the second nearest object, from pixel centre to
    pixel centre. labels: class ids (H, W). An object is a 4-connected region of one of `classes`;
    two classes side by side are two objects. With fewer than two near, the weight is 0.
    """
    height, width = labels.shape
    reach = max(1, int(REACH * sigma))
    nearest = np.full((height, width), np.inf, np.float32)
    second = nearest.copy()
    inside = np.zeros((height, width), np.bool_)
    for class_id in sorted(set(classes)):
        mask = (labels == class_id).view(np.uint8)
        inside |= mask.view(np.bool_)
        count, parts, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
        for part in range(1, count):
            x, y, w, h, _ = (int(v) for v in stats[part])
            rows = slice(max(0, y - reach), min(height, y + h + reach))
            cols = slice(max(0, x - reach), min(width, x + w + reach))
            away = cv2.distanceTransform(
                (parts[rows, cols] != part).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE
            )
            first, then = nearest[rows, cols], second[rows, cols]
            np.minimum(then, np.maximum(first, away), out=then)
            np.minimum(first, away, out=first)
    total = nearest + second
    weight = np.where(total <= reach, most * np.exp(-(total**2) / (2 * sigma**2)), 0)
    weight[inside] = 0
    return weight.astype(np.float32)
