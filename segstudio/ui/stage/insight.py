"""What is seen inside the models, as the panes show it: a map over the frame, a ring at the pixel
that was clicked, and masks only where they are wanted."""

from dataclasses import replace
from weakref import WeakKeyDictionary

from segstudio.core.feature_map import FeatureMap
from segstudio.core.mask_style import MaskStyle
from segstudio.ui.canvas.view import CanvasView
from segstudio.ui.comparing.panes import LABELS
from segstudio.ui.session import Session
from segstudio.ui.showing import over_map
from segstudio.ui.tools.preview import NOTHING, Preview, Ring


class Insight:
    """Asks `session.inside` for every pane, and dresses the canvas with the answer."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._plain: WeakKeyDictionary[CanvasView, MaskStyle] = WeakKeyDictionary()

    def dress(
        self, canvas: CanvasView, letter: str, style: MaskStyle, *, is_alone: bool
    ) -> FeatureMap | None:
        """Draw masks this way where no map lies under them; returns the map of that pane.

        is_alone: one picture stands for all models, and shows the one that is looked into.
        """
        self._plain[canvas] = style
        found = self._map_of(letter, is_alone=is_alone)
        canvas.set_style(self._over(style, found))
        return found

    def refresh(self, canvas: CanvasView, letter: str, *, is_alone: bool) -> None:
        """Another map, or drawn in another way; frame and masks stay."""
        found = self._map_of(letter, is_alone=is_alone)
        canvas.show_map(found, self._session.inside.style)
        plain = self._plain.get(canvas)
        if plain is not None:
            canvas.set_style(self._over(plain, found))

    def plain(self, canvas: CanvasView) -> MaskStyle:
        """How its masks are drawn without a map."""
        return self._plain.get(canvas, canvas.mask_style)

    def ring(self) -> Preview:
        """Around the pixel that was clicked."""
        inside = self._session.inside
        if not inside.is_on or inside.pinned is None:
            return NOTHING
        y, x = inside.pinned
        return Preview(ring=Ring((y + 0.5, x + 0.5), 0.5))

    def _map_of(self, letter: str, *, is_alone: bool) -> FeatureMap | None:
        inside = self._session.inside
        if letter == LABELS:
            return None
        return inside.map_of(inside.letter if is_alone else letter)

    def _over(self, style: MaskStyle, map: FeatureMap | None) -> MaskStyle:  # noqa: A002 - it is
        """Masks over a map: none, or their borders, because flat colours would hide it."""
        if map is None:
            return style
        if not self._session.inside.shows_labels:
            return replace(style, hidden=True)
        return over_map(style)
