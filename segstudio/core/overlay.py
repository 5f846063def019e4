"""A frame with its labels laid over it, as plain pixels for files."""

import cv2
import numpy as np
from numpy.typing import NDArray

from segstudio.core.classes import ClassMap


class Overlay:
    """Paints labels of one class set over frames; void and unknown ids stay the bare picture.

    opacity: 0..1 of the class colour.
    """

    def __init__(self, classes: ClassMap, opacity: float = 0.5) -> None:
        known = np.zeros(256, np.bool_)
        known[[c.id for c in classes.classes]] = True
        keep = np.where(known, round(255 * (1 - opacity)), 255).astype(np.uint8)
        self._keep = np.repeat(keep[None, :, None], 3, axis=2)
        self._color = np.round(classes.palette()[None] * opacity).astype(np.uint8)

    def paint(self, rgb: NDArray[np.uint8], labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """uint8 (H, W, 3): rgb · keep + colour, both looked up by class. A new array."""
        ids = cv2.merge((labels, labels, labels))
        kept = cv2.multiply(rgb, cv2.LUT(ids, self._keep), scale=1 / 255)
        return np.asarray(cv2.add(kept, cv2.LUT(ids, self._color)), np.uint8)
