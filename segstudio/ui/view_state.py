"""How the picture is looked at: frozen values that the session replaces."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from segstudio.core.classes import ClassMap
from segstudio.core.mask_style import MaskMode, MaskStyle
from segstudio.core.origins import COLORS

Layer = Literal["labels", "prediction", "origin"]


@dataclass(frozen=True, slots=True)
class ViewState:
    """mode, opacity (0..1): how masks are drawn. hidden: class ids that are not.

    layer: what is drawn over a frame that is being corrected: its labels, what the model says, or
    where each pixel's class comes from. are_masks_off: no masks at all, until they are switched on
    again. is_peeking: the same while a key is held.
    """

    mode: MaskMode = "fill"
    opacity: float = 0.55
    hidden: frozenset[int] = frozenset()
    layer: Layer = "labels"
    are_masks_off: bool = False
    is_peeking: bool = False

    @property
    def shows_masks(self) -> bool:
        """True when masks are drawn now. Peeking turns around whatever is set."""
        return self.are_masks_off == self.is_peeking

    def toggled(self, class_id: int) -> "ViewState":
        """The same with one class shown or hidden."""
        return replace(self, hidden=self.hidden ^ {class_id})

    def soloed(self, class_id: int, classes: ClassMap) -> "ViewState":
        """Only that class; all of them again when it was the only one."""
        others = frozenset(c.id for c in classes.classes if c.id != class_id)
        return replace(self, hidden=frozenset() if self.hidden == others else others)

    def style(self, classes: ClassMap) -> MaskStyle:
        """What the canvas draws with."""
        visible = np.zeros(256, np.bool_)
        visible[[c.id for c in classes.classes if c.id not in self.hidden]] = True
        return MaskStyle(
            self.mode, classes.palette(), visible, self.opacity, hidden=not self.shows_masks
        )

    def origin_style(self) -> MaskStyle:
        """What the canvas draws origins with: the colours of core.origins, id 0 (nobody) hidden."""
        colors, visible = np.zeros((256, 3), np.uint8), np.zeros(256, np.bool_)
        colors[: len(COLORS)] = COLORS
        visible[1 : len(COLORS)] = True
        return MaskStyle(self.mode, colors, visible, self.opacity, hidden=not self.shows_masks)
