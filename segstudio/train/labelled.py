"""One frame that something can be learned from: its picture, its labels and how much they count."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from segstudio.core.classes import VOID
from segstudio.core.origins import CONFIRMED, MODEL, PAINTED, PROPAGATED
from segstudio.errors import SegStudioError

WEIGHT_UNIT = 50
"""Weights travel as uint8 in fiftieths: one byte per pixel, 0 to 5.1, and 0.5 is exact."""


@dataclass(frozen=True, slots=True, eq=False)
class LabelledFrame:
    """rgb: uint8 (H, W, 3). labels: uint8 (H, W), 255 where nothing is to be learned.

    weights: uint8 (H, W) in fiftieths, 0 wherever labels are 255. corrected: bool (H, W), pixels
    that a human painted; None where nobody knows.
    """

    rgb: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    weights: NDArray[np.uint8]
    corrected: NDArray[np.bool_] | None = None

    @staticmethod
    def of(
        rgb: NDArray[np.uint8], labels: NDArray[np.uint8], weight: float = 1.0
    ) -> "LabelledFrame":
        """Every labelled pixel counts alike."""
        known = labels != VOID
        return LabelledFrame(rgb, labels, known.astype(np.uint8) * np.uint8(in_units(weight)))


@dataclass(frozen=True, slots=True)
class OriginWeights:
    """How much a pixel counts by who made it, 0..5.1; 0 leaves it out.

    human: painted or confirmed.
    """

    human: float = 1.0
    propagated: float = 0.5
    model: float = 0.0

    def __post_init__(self) -> None:
        for weight in (self.human, self.propagated, self.model):
            in_units(weight)

    def table(self) -> NDArray[np.uint8]:
        """uint8 (256,): origin -> weight in fiftieths; 0 for pixels that nobody labelled."""
        table = np.zeros(256, np.uint8)
        table[[PAINTED, CONFIRMED]] = in_units(self.human)
        table[PROPAGATED] = in_units(self.propagated)
        table[MODEL] = in_units(self.model)
        return table


class LabelledSource(Protocol):
    """Frames to learn from, by number. Pickled into worker processes: it holds paths, no files."""

    @property
    def name(self) -> str:
        """For people: what the samples came from."""
        ...

    def __len__(self) -> int:
        """How many frames there are."""
        ...

    def read(self, number: int) -> LabelledFrame:
        """Frame `number`, from 0; the same each time."""
        ...

    def labels(self, number: int) -> NDArray[np.uint8]:
        """Its labels alone, uint8 (H, W), 255 where nothing is to be learned."""
        ...


def in_units(weight: float) -> int:
    """A weight in fiftieths; SegStudioError when it is outside of 0..5.1."""
    if not 0 <= weight <= 255 / WEIGHT_UNIT:
        raise SegStudioError(
            f"A pixel cannot count {weight:g} times; choose weights between 0 and"
            f" {255 / WEIGHT_UNIT:g}."
        )
    return round(weight * WEIGHT_UNIT)
