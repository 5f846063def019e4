"""How labels look on the picture. Light to import: the window needs it before OpenCV is loaded."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from segstudio.core.classes import VOID, ClassMap

MaskMode = Literal["fill", "outline", "hatched"]
MODES: tuple[MaskMode, ...] = ("fill", "outline", "hatched")


def mode_of(name: str) -> MaskMode:
    """The mode called `name`; fill for a name that is none."""
    return name if name in MODES else "fill"


@dataclass(frozen=True, slots=True, eq=False)
class MaskStyle:
    """mode: flat colour, 2 px borders, or stripes whose direction differs from class to class.

    colors: uint8 (256, 3) RGB per class id. visible: bool (256,). Void (255) is never drawn.
    opacity: 0..1, applied when the mask is drawn, so that changing it costs nothing but a paint.
    hidden: no mask at all; what the mode was is kept.
    """

    mode: MaskMode
    colors: NDArray[np.uint8]
    visible: NDArray[np.bool_]
    opacity: float = 0.5
    hidden: bool = False

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise ValueError(f"mode {self.mode!r} is none of {', '.join(MODES)}")
        if self.colors.shape != (256, 3) or self.colors.dtype != np.uint8:
            raise ValueError("colors must be uint8 (256, 3)")
        if self.visible.shape != (256,) or self.visible.dtype != np.bool_:
            raise ValueError("visible must be bool (256,)")
        if not 0.0 <= self.opacity <= 1.0:
            raise ValueError(f"opacity {self.opacity} is outside 0..1")

    @staticmethod
    def of(classes: ClassMap, mode: MaskMode = "fill", opacity: float = 0.5) -> "MaskStyle":
        """Every class of the set visible in its own colour; ids the set does not know are not."""
        visible = np.zeros(256, np.bool_)
        visible[[c.id for c in classes.classes]] = True
        return MaskStyle(mode, classes.palette(), visible, opacity)

    def table(self) -> NDArray[np.uint32]:
        """uint32 (256,): 0xFFRRGGBB of each visible class, 0 for hidden ones and void."""
        red, green, blue = self.colors.astype(np.uint32).T
        argb: NDArray[np.uint32] = np.uint32(0xFF000000) | red << 16 | green << 8 | blue
        argb[~self.visible] = 0
        argb[VOID] = 0
        return argb

    def draws_like(self, other: "MaskStyle") -> bool:
        """True when both give the same raster, whatever opacity it is then drawn with."""
        return self.mode == other.mode and bool(np.array_equal(self.table(), other.table()))
