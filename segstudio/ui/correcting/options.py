"""What people chose in the tool box: frozen values that the editor replaces."""

from dataclasses import dataclass
from typing import Literal

from segstudio.core.classes import VOID
from segstudio.core.look import UnsureKind

Rule = Literal["everything", "void", "class", "unsure"]
"""Where a stroke may change pixels: everywhere, only void, only one class, only where the model
is unsure."""

MAX_SIZE = 999
"""Pixels across."""


@dataclass(frozen=True, slots=True)
class ToolOptions:
    """tool: a name in TOOLS. class_id: what is painted.

    size: of the brush in pixels across, of the frame or, with size_on_screen, of the screen.
    uses_pressure: a pen's pressure makes the brush smaller. rule, only, below, measure: see Rule;
    `only` is the class that may be painted over. A pixel counts as unsure where the model is less
    sure than `below` (0..1), as core/confidence.py measures it. locked: classes whose pixels stay.
    tolerance: of the magic wand, 0..100. is_joined: fill and wand keep to one connected region.
    erases_to: void, or back to the model's pixels. segment_size: of superpixels, in pixels across.
    reveals: the model of the model brush, by name. subtracts: outlines take away (paint void)
    instead of adding.
    """

    tool: str = "pan"
    class_id: int = 0
    size: int = 25
    is_square: bool = False
    size_on_screen: bool = False
    uses_pressure: bool = True
    rule: Rule = "everything"
    only: int = VOID
    below: float = 0.8
    measure: UnsureKind = "probability"
    locked: frozenset[int] = frozenset()
    tolerance: float = 12.0
    is_joined: bool = True
    erases_to: Literal["void", "model"] = "void"
    segment_size: int = 24
    reveals: str = ""
    subtracts: bool = False

    def radius(self, scale: float, pressure: float = 1.0) -> int:
        """Whole frame pixels from the brush's centre pixel to its rim pixel.

        scale: device pixels per frame pixel. A size of 1 is a single pixel (radius 0).
        """
        across = self.size / scale if self.size_on_screen else float(self.size)
        if self.uses_pressure:
            across *= max(0.05, pressure)
        return max(0, round((across - 1) / 2))
