"""How sure a model is of each pixel, from its own answer."""

import cv2
import numpy as np
from numpy.typing import NDArray

from segstudio.core.feature_map import FeatureMap
from segstudio.core.look import Measure
from segstudio.core.prediction import Logits
from segstudio.core.uncertainty import MEASURES, doubt, enlarged


def top_confidence(logits: Logits) -> NDArray[np.uint8]:
    """uint8 (H, W): 0..255 = 0..1, the softmax probability of the strongest class."""
    return enlarged(1 - doubt(logits), logits)


def sureness(logits: Logits, measure: Measure) -> NDArray[np.uint8]:
    """uint8 (H, W): 0..255 = 0..1, by that measure; 255 is as sure as can be.

    probability: of the best class. margin: its lead over the second. entropy: 1 minus it.
    """
    return enlarged(1 - MEASURES[measure](logits), logits)


def sureness_seen(found: FeatureMap, size: tuple[int, int]) -> NDArray[np.uint8]:
    """uint8 (H, W), as above: what a map of uncertainty, 0..1, leaves; size: (H, W) of the frame.

    Bilinear between the middles of its cells.
    """
    unsure = found.exact
    if unsure is None:
        share = np.float32((found.high - found.low) / 255)
        unsure = np.asarray(found.low + found.values * share, np.float32)
    (start_y, start_x), (step_y, step_x) = found.lattice.start, found.lattice.step
    # Middles of frame pixels -> middles of cells.
    to_cells = np.array(
        [
            [1 / step_x, 0, (0.5 - start_x) / step_x - 0.5],
            [0, 1 / step_y, (0.5 - start_y) / step_y - 0.5],
        ]
    )
    large = cv2.warpAffine(
        255 * (1 - unsure), to_cells, (size[1], size[0]),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    return np.asarray(cv2.convertScaleAbs(large), np.uint8)
