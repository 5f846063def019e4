"""Which pixels a stroke may change."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segstudio.core.geometry import Rect


@dataclass(frozen=True, slots=True, eq=False)
class PaintRule:
    """Every condition that is set must hold; none set allows everything.

    only: the one class that may be painted over (255 for void). locked: classes that keep their
    pixels. confidence: how sure the model is by some measure, uint8 (H, W); pixels
    below `below` (0..256) may change, so that 256 allows all of them and 0 none.
    """

    only: int | None = None
    locked: frozenset[int] = frozenset()
    confidence: NDArray[np.uint8] | None = None
    below: int = 256

    @property
    def is_open(self) -> bool:
        """True when it allows every pixel."""
        return self.only is None and not self.locked and self.confidence is None

    def allows(self, labels: NDArray[np.uint8], rect: Rect) -> NDArray[np.bool_]:
        """bool (h, w) for the labels, uint8 (h, w), of that rectangle."""
        table = np.full(256, self.only is None, np.bool_)
        if self.only is not None:
            table[self.only] = True
        table[list(self.locked)] = False
        allowed: NDArray[np.bool_] = np.take(table, labels)
        if self.confidence is not None:
            allowed &= self.confidence[rect.slices] < self.below
        return allowed


EVERYTHING = PaintRule()
