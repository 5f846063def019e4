"""Where frames were taken, and how far apart those must lie that are trained on and judged by."""

from dataclasses import dataclass
from typing import Protocol


class Placed(Protocol):
    """Where a frame was taken: what a division into splits must know of it."""

    @property
    def clip(self) -> str:
        """Equal for frames that may show the same place."""
        ...

    @property
    def place(self) -> int:
        """Its number in the clip."""
        ...

    @property
    def time_s(self) -> float | None:
        """Its time in the clip; None for stills."""
        ...


@dataclass(frozen=True, slots=True)
class Gap:
    """Least distance between a frame that is judged and one that is trained on.

    seconds: where every frame of the clip has a time. frames: in the clip's numbers, elsewhere.
    """

    seconds: float = 3.0
    frames: int = 10
