"""How sure a model is of each pixel, from its own answer."""

import numpy as np
from numpy.typing import NDArray

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
