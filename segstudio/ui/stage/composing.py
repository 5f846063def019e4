"""What is drawn over the pictures while models are compared. Made from rasters, never by Qt.

Whatever is looked at, the canvas gets what it always gets: one uint8 raster and a table of colours.
Swiping joins two rasters at a column, difference and agreement are rasters of codes. A stroke or a
move of the divider writes only the box that it touches.
"""

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from segstudio.core.geometry import Rect
from segstudio.core.mask_style import MaskStyle
from segstudio.engine.seats import FIRST
from segstudio.ui.comparing.comparison import Comparison
from segstudio.ui.comparing.panes import LABELS
from segstudio.ui.comparing.scoreboard import Scoreboard

if TYPE_CHECKING:
    from segstudio.core.differing import Difference
    from segstudio.ui.session import Session

Raster = NDArray[np.uint8]

AGREEMENT = ((255, 123, 116), (242, 181, 86), (240, 228, 66), (86, 180, 233), (0, 158, 115))
"""RGB by how many models agree, fewest first; where all do nothing is drawn."""


@dataclass(frozen=True, slots=True, eq=False)
class Overlay:
    """labels: uint8 (H, W) to draw, None for none. style: with which colours."""

    labels: Raster | None
    style: MaskStyle


@dataclass(frozen=True, slots=True)
class Agreement:
    """Pixels by how many models say the same there: (how many, pixels, RGB), fewest first.

    models: how many were asked. total: all pixels of the frame.
    """

    lines: tuple[tuple[int, int, tuple[int, int, int]], ...]
    models: int
    total: int


class Composing:
    """Answers for the main picture and for every pane; remembers what a stroke changes of them."""

    def __init__(self, session: "Session", comparison: Comparison, scores: Scoreboard) -> None:
        self._session = session
        self._comparison = comparison
        self._scores = scores
        self.difference: Difference | None = None
        self.agreement: Agreement | None = None
        self._swipe: tuple[Raster, Raster, Raster, int] | None = None  # left, right, both, column
        self._main: Raster | None = None
        self._edited: Raster | None = None  # the labels that `_main` was made from, if it was
        self._panes: dict[str, Raster] = {}

    @property
    def counted(self) -> "Difference | Agreement | None":
        """What the legend has figures of."""
        return self.agreement if self.difference is None else self.difference

    # --- whole rasters

    def main(self, column: int) -> Overlay | None:
        """What is drawn over the main picture; None: what is drawn without comparison.

        column: where the divider stands, in frame pixels.
        """
        comparison, look = self._comparison, self._comparison.look
        self.difference, self.agreement, self._swipe, self._main = None, None, None, None
        if not comparison.is_on:
            return None
        if look.mode == "side":
            return None if look.shows_labels else self.pane(FIRST)
        if comparison.is_blinking:
            return self._member(look.pair[1])
        if look.mode == "agreement":
            return self._agreement()
        left, right = (self._raster(member) for member in look.pair)
        if left is None or right is None or left.shape != right.shape:
            return Overlay(None, self._class_style())
        if look.mode == "difference":
            return self._difference(left, right)
        both = right.copy()
        column = min(max(column, 0), both.shape[1])
        both[:, :column] = left[:, :column]
        self._swipe, self._main = (left, right, both, column), both
        return Overlay(both, self._style())

    def pane(self, letter: str) -> Overlay:
        """What is drawn in the pane of a model."""
        look = self._comparison.look
        member = letter
        if self._comparison.is_blinking and letter in look.pair:
            member = look.pair[1] if letter == look.pair[0] else look.pair[0]
        raster = self._raster(member)
        if raster is None:
            self._panes.pop(letter, None)
        else:
            self._panes[letter] = raster
        return Overlay(raster, self._style())

    def _member(self, member: str) -> Overlay:
        self._main = self._raster(member)
        return Overlay(self._main, self._style())

    def _raster(self, member: str) -> Raster | None:
        """Of one of a pair: its labels, or where it is right and wrong."""
        labels = self._comparison.member_labels(member)
        look, reference = self._comparison.look, self._scores.reference()
        if look.colours != "errors" or member == LABELS or labels is None:
            return labels
        if reference is None or reference.shape != labels.shape:
            return None
        from segstudio.core import differing

        if look.error_class is None:
            return differing.errors(reference, labels)
        return differing.errors_of_class(reference, labels, look.error_class)

    def _difference(self, left: Raster, right: Raster) -> Overlay:
        from segstudio.core import differing, pair_colors

        found = differing.difference(left, right, self._session.editor.classes)
        self.difference, self._main = found, found.codes
        colors = pair_colors.colors(found.pairs, self._session.shown_classes.palette())
        return Overlay(found.codes, self._style_of(colors))

    def _agreement(self) -> Overlay:
        from segstudio.core import differing

        known = [self._comparison.labels(letter) for letter in self._comparison.letters]
        rasters = [r for r in known if r is not None]
        if len(rasters) < 2 or len({r.shape for r in rasters}) > 1:
            return Overlay(None, self._class_style())
        counts = differing.agreement(rasters)
        colors, visible = np.zeros((256, 3), np.uint8), np.zeros(256, np.bool_)
        lines: list[tuple[int, int, tuple[int, int, int]]] = []
        for agreeing in range(1, len(rasters)):
            color = agreement_color(agreeing, len(rasters))
            colors[agreeing], visible[agreeing] = color, True
            lines.append((agreeing, int(np.count_nonzero(counts == agreeing)), color))
        self.agreement = Agreement(tuple(lines), len(rasters), counts.size)
        self._main = counts
        style = self._class_style()
        return Overlay(counts, replace(style, mode="fill", colors=colors, visible=visible))

    # --- colours

    def _style(self) -> MaskStyle:
        if self._comparison.look.colours != "errors":
            return self._class_style()
        from segstudio.core import differing

        style = self._style_of(differing.error_palette())
        if self._comparison.look.error_class is None:
            style.visible[differing.RIGHT] = False
        return style

    def _style_of(self, colors: NDArray[np.uint8]) -> MaskStyle:
        """Codes are flat colour whatever masks are: stripes and borders would tell nothing."""
        visible = np.ones(256, np.bool_)
        return replace(self._class_style(), mode="fill", colors=colors, visible=visible)

    def _class_style(self) -> MaskStyle:
        return self._session.view.style(self._session.shown_classes)

    # --- boxes

    def labels_changed(self, rect: Rect) -> list[tuple[str, Raster, Rect]]:
        """A stroke touched the labels: which pictures changed where. FIRST is the main picture.

        Everything that is drawn of the labels is brought up to date inside the box.
        """
        comparison, look = self._comparison, self._comparison.look
        if not comparison.is_on:
            return []
        changed: list[tuple[str, Raster, Rect]] = []
        if self._swipe is not None and LABELS in look.pair and look.colours == "classes":
            left, right, both, column = self._swipe
            source = left if look.pair[0] == LABELS else right
            side = (
                Rect(rect.y0, rect.x0, rect.y1, min(rect.x1, column))
                if look.pair[0] == LABELS
                else Rect(rect.y0, max(rect.x0, column), rect.y1, rect.x1)
            )
            if not side.is_empty:
                both[side.slices] = source[side.slices]
                changed.append((FIRST, both, side))
        if self.difference is not None and LABELS in look.pair:
            one, other = (comparison.member_labels(member) for member in look.pair)
            if one is not None and other is not None:
                self.difference = self.difference.after(one, other, rect)
                changed.append((FIRST, self.difference.codes, rect))
        if look.colours == "errors":
            changed += self._errors_changed(rect)
        return changed

    def _errors_changed(self, rect: Rect) -> list[tuple[str, Raster, Rect]]:
        from segstudio.core import differing

        look, reference = self._comparison.look, self._scores.reference()
        if reference is None or look.mode != "side":
            return []
        changed = []
        for letter in self._comparison.letters:
            codes = self._panes.get(letter)
            labels = self._comparison.labels(letter)
            if codes is None or labels is None or codes.shape != labels.shape:
                continue
            if look.error_class is None:
                differing.errors(reference, labels, rect=rect, into=codes)
            else:
                differing.errors_of_class(
                    reference, labels, look.error_class, rect=rect, into=codes
                )
            changed.append((letter, codes, rect))
        return changed

    def divider_moved(self, column: int) -> tuple[Raster, Rect] | None:
        """The divider stands elsewhere: the raster, and the box that changed; None for nothing."""
        if self._swipe is None:
            return None
        left, right, both, old = self._swipe
        column = min(max(column, 0), both.shape[1])
        if column == old:
            return None
        x0, x1 = min(old, column), max(old, column)
        source = left if column > old else right
        both[:, x0:x1] = source[:, x0:x1]
        self._swipe = left, right, both, column
        return both, Rect(0, x0, both.shape[0], x1)


def column_at(x: float) -> int:
    """The first frame column to the right of a place."""
    return math.floor(x + 0.5)


def agreement_color(agreeing: int, models: int) -> tuple[int, int, int]:
    """RGB of pixels on which `agreeing` of `models` say the same, which is fewer than all."""
    share = (agreeing - 1) / (models - 2) if models > 2 else 0.0
    return AGREEMENT[round(share * (len(AGREEMENT) - 3))]
