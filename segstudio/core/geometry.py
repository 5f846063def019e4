"""Rectangles of pixels."""

from typing import NamedTuple


class Rect(NamedTuple):
    """Half-open pixels: rows y0 <= y < y1, columns x0 <= x < x1.

    A tuple because a brush makes one per segment: it takes half the time of a frozen dataclass.
    """

    y0: int
    x0: int
    y1: int
    x1: int

    @property
    def height(self) -> int:
        """Rows, 0 when empty."""
        return max(0, self.y1 - self.y0)

    @property
    def width(self) -> int:
        """Columns, 0 when empty."""
        return max(0, self.x1 - self.x0)

    @property
    def is_empty(self) -> bool:
        """True when no pixel lies inside."""
        return self.y1 <= self.y0 or self.x1 <= self.x0

    @property
    def slices(self) -> tuple[slice, slice]:
        """For indexing an (H, W) array."""
        return slice(self.y0, self.y1), slice(self.x0, self.x1)

    def clipped(self, height: int, width: int) -> "Rect":
        """The part inside a raster of that size."""
        return Rect(
            min(max(self.y0, 0), height),
            min(max(self.x0, 0), width),
            min(max(self.y1, 0), height),
            min(max(self.x1, 0), width),
        )

    def intersected(self, other: "Rect") -> "Rect":
        """What lies in both; empty when nothing does."""
        return Rect(
            max(self.y0, other.y0),
            max(self.x0, other.x0),
            min(self.y1, other.y1),
            min(self.x1, other.x1),
        )

    def united(self, other: "Rect") -> "Rect":
        """The smallest rectangle around both."""
        if self.is_empty:
            return other
        if other.is_empty:
            return self
        return Rect(
            min(self.y0, other.y0),
            min(self.x0, other.x0),
            max(self.y1, other.y1),
            max(self.x1, other.x1),
        )
