"""What was seen inside a net, small as it is there, and where its cells lie in the frame.

A map keeps the resolution of its layer: it is enlarged when it is drawn, by whoever knows the
zoom. No torch and no OpenCV here.
"""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

MapKind = Literal["values", "segments", "rgb"]
"""Numbers on a scale, numbers of groups, or colours."""

BINS = 64
"""Of the histogram of a map."""


@dataclass(frozen=True, slots=True)
class Lattice:
    """Where the cells of a map lie in the frame, along y and x.

    Frame coordinates are continuous: pixel k covers k to k + 1. start: where cell 0 begins. step:
    frame pixels from one cell to the next. A cell covers `step` pixels around the middle of what
    it sees, so a 3×3 convolution of stride 1 with padding 1 has start 0 and step 1.
    """

    start: tuple[float, float]
    step: tuple[float, float]

    @classmethod
    def even(cls, cells: tuple[int, int], frame: tuple[int, int]) -> "Lattice":
        """(h, w) cells that share a frame of (H, W) pixels evenly."""
        return cls((0.0, 0.0), (frame[0] / cells[0], frame[1] / cells[1]))

    def cell_at(self, y: float, x: float) -> tuple[float, float]:
        """Continuous cell coordinates (cell i covers i to i + 1) of a place in the frame."""
        return (y - self.start[0]) / self.step[0], (x - self.start[1]) / self.step[1]

    def place_of(self, row: float, col: float) -> tuple[float, float]:
        """The place in the frame of continuous cell coordinates."""
        return self.start[0] + row * self.step[0], self.start[1] + col * self.step[1]


@dataclass(frozen=True, slots=True, eq=False)
class FeatureMap:
    """One picture of what was seen.

    values: uint8, read-only. kind "values": (h, w), 0..255 between `low` and `high`, numbers beyond
    are cut. "segments": (h, w), the number of each cell's group. "rgb": (h, w, 3).
    low, high: what 0 and 255 stand for. histogram: int64 (BINS,), how many cells lie where between
    low and high, () where there is none. exact: float32 of the same (h, w) or (h, w, 3) before it
    was put into bytes, for saving and for the reading under the cursor.
    """

    values: NDArray[np.uint8]
    lattice: Lattice
    kind: MapKind = "values"
    low: float = 0.0
    high: float = 1.0
    histogram: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    exact: NDArray[np.float32] | None = None

    def value_at(self, y: int, x: int) -> NDArray[np.float32] | None:
        """float32 () or (3,): what the cell under the middle of a frame pixel says, None beside."""
        if self.exact is None:
            return None
        place = []
        for at, count in zip(
            self.lattice.cell_at(y + 0.5, x + 0.5), self.values.shape[:2], strict=True
        ):
            if not -0.5 <= at < count + 0.5:  # the outer cells reach half a cell further
                return None
            place.append(min(max(int(np.floor(at)), 0), count - 1))
        return np.asarray(self.exact[place[0], place[1]], np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class ChannelSheet:
    """Some channels of a layer, best first.

    channels: int64 (K,). values: uint8 (K, h, w), each channel on its own scale. lows, highs:
    float32 (K,), what 0 and 255 stand for. total: channels of the layer. worth: float32 (K,), what
    they were sorted by.
    """

    channels: NDArray[np.int64]
    values: NDArray[np.uint8]
    lattice: Lattice
    lows: NDArray[np.float32]
    highs: NDArray[np.float32]
    worth: NDArray[np.float32]
    total: int

    def map_of(self, place: int) -> FeatureMap:
        """One of them, by its place in the sheet."""
        return FeatureMap(
            self.values[place],
            self.lattice,
            low=float(self.lows[place]),
            high=float(self.highs[place]),
        )
