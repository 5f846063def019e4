"""Magic wand: the region of similar colour around a pixel, or everywhere.

The differences from the seed are measured once, so dragging the tolerance costs a threshold and a
flood fill. They are Euclidean in CIELAB (D65; Fairchild 2013): 1 is barely seen, 100 is black
to white. Kept as uint8 halves up to 127, so a tolerance counts in steps of 0.5.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from segstudio.core.brush import Area
from segstudio.core.geometry import Rect


class Wand:
    """One seed on one frame; ask `area` as often as the tolerance changes.

    rgb: uint8 (H, W, 3). seed: (y, x) inside it; IndexError elsewhere.
    """

    def __init__(self, rgb: NDArray[np.uint8], seed: tuple[int, int]) -> None:
        height, width = rgb.shape[:2]
        if not (0 <= seed[0] < height and 0 <= seed[1] < width):
            raise IndexError("the seed lies outside the frame")
        self._seed = seed
        lab = np.asarray(cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB))
        lab -= lab[seed].copy()
        squares = cv2.transform(lab * lab, np.ones((1, 3), np.float32))
        steps = np.ceil(2 * np.sqrt(np.asarray(squares).reshape(height, width)))
        self._steps = np.minimum(steps, 255).astype(np.uint8)

    def area(self, tolerance: float, *, everywhere: bool = False) -> Area:
        """Pixels no further than `tolerance` (0 to 127) from the seed's colour.

        everywhere: also those that are not joined to the seed by sides.
        """
        limit = int(min(max(2 * tolerance, 0), 254))
        near = (self._steps <= limit).astype(np.uint8)
        if not everywhere:
            cv2.floodFill(near, None, (self._seed[1], self._seed[0]), 2, flags=4)
            near = (near == 2).astype(np.uint8)
        x, y, w, h = cv2.boundingRect(near)
        rect = Rect(y, x, y + h, x + w)
        return Area(rect, near[rect.slices].astype(np.bool_))
