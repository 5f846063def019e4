"""What a tool shows over the picture, in frame coordinates: the canvas draws it, never the mask."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from segstudio.core.classes import ClassMap

if TYPE_CHECKING:  # OpenCV comes with it, and the window opens without
    from segstudio.core.brush import Area

Place = tuple[float, float]
"""(y, x) in frame coordinates: (0, 0) is the corner of the first pixel, (0.5, 0.5) its centre."""


@dataclass(frozen=True, slots=True)
class Ring:
    """The true size of a brush. center: a place. radius: frame pixels to the rim."""

    center: Place
    radius: float
    is_square: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """Places joined by straight lines. has_knots: a small square at every place."""

    places: tuple[Place, ...]
    is_closed: bool = False
    is_dashed: bool = False
    has_knots: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Preview:
    """area: pixels that would change, tinted in `color` (r, g, b). text: beside the cursor.

    has_border, has_tint: the area gets a line around it; is tinted. is_selection: it is drawn as a
    pattern with a border instead. lock_at: where a lock is
    drawn, because rules or locks keep every pixel there; the workbench sets it, at the `cursor`.
    """

    ring: Ring | None = None
    lines: tuple[Line, ...] = ()
    area: "Area | None" = None
    color: tuple[int, int, int] = (255, 255, 255)
    text: str = ""
    text_at: Place | None = None
    has_border: bool = False
    has_tint: bool = True
    is_selection: bool = False
    lock_at: Place | None = None

    @property
    def is_empty(self) -> bool:
        """Nothing is shown."""
        has_some = self.ring is not None or self.lines or self.area is not None or self.text
        return not has_some and self.lock_at is None

    @property
    def cursor(self) -> Place | None:
        """The middle of the ring; without one `text_at`, if no text takes that place."""
        if self.ring is not None:
            return self.ring.center
        return None if self.text else self.text_at


NOTHING = Preview()


def color_of(classes: ClassMap, class_id: int) -> tuple[int, int, int]:
    """(r, g, b) of a class; white for one that the set does not have."""
    found = classes.by_id(class_id)
    return (255, 255, 255) if found is None else found.color
