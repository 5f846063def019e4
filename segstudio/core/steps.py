"""What one finished stroke changed: the value that undo, the journal and the project share.

Labels and their origin change together, tile by tile. A tile holds both planes as they were and as
they are, compressed; the planes themselves stay with their owner.
"""

from dataclasses import dataclass

from segstudio.core.geometry import Rect

TILE = 128
"""Side of a tile in pixels; the last row and column of tiles may be smaller."""


@dataclass(frozen=True, slots=True)
class TileChange:
    """One tile before and after. row, col: of the tile (pixel row * TILE on).

    before, after: zstandard-compressed uint8 (2, h, w), labels then origin; h and w are TILE but
    for the last row and column.
    """

    row: int
    col: int
    before: bytes
    after: bytes


@dataclass(frozen=True, slots=True)
class Step:
    """One step of undo.

    title: what made it ("Brush"). class_id: the class painted, None where there is no single one.
    pixels: how many changed their class or origin. rect: the smallest that holds them all.
    """

    title: str
    class_id: int | None
    pixels: int
    rect: Rect
    tiles: tuple[TileChange, ...]

    @property
    def size_bytes(self) -> int:
        """What it takes in memory and on disk, about."""
        return sum(len(t.before) + len(t.after) for t in self.tiles)
