"""What the stages of one net say about one pixel. No torch."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Vote:
    """One stage that answers by class: a skip level, a side output, an auxiliary head, the answer.

    layer: dotted name, "" for the net's answer. title: for people. probabilities: float32 (C,), sum
    1, in the order of the net's channels.
    """

    layer: str
    title: str
    probabilities: NDArray[np.float32]
