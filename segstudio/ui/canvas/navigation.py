"""Mouse, wheel, touchpad and keys → zooming and panning of a view."""

from collections.abc import Callable
from typing import Protocol

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent, QWheelEvent

NOTCH = 1.25
"""Zoom factor of one wheel notch (120 eighths of a degree); touchpads send fractions of it."""

CLICK = 4.0
"""Logical pixels that a hand may shake while it clicks."""

TAP_S = 0.2
"""A space bar held shorter than this, with no movement, was a tap."""

KEY_PAN = 64.0
"""Logical pixels that the picture moves per arrow key."""

_ARROWS = {
    Qt.Key.Key_Left: (0.0, KEY_PAN),
    Qt.Key.Key_Right: (0.0, -KEY_PAN),
    Qt.Key.Key_Up: (KEY_PAN, 0.0),
    Qt.Key.Key_Down: (-KEY_PAN, 0.0),
}


class Navigable(Protocol):
    """What is navigated. Positions and distances in logical pixels of the widget."""

    def zoom(self, factor: float, at: QPointF | None = None) -> None:
        """Larger or smaller about a position; None: about the middle."""

    def pan(self, dy: float, dx: float) -> None:
        """Move the picture."""

    def click(self, at: QPointF) -> None:
        """The left button was pressed and let go without a drag."""

    def setCursor(self, shape: Qt.CursorShape) -> None:
        """The pointer over the widget."""


class Navigator:
    """Knows what is held down. Every method returns True when the input was meant for it.

    Pans with the middle button, or the left one while space is held; zooms with the wheel about
    the cursor, plain or with Ctrl (Shift and Alt are left to tools); + and - zoom about the
    middle; Shift with an arrow key moves the picture. `tapped` is called when space was tapped.
    """

    def __init__(
        self, view: Navigable, tapped: Callable[[], None], clock: Callable[[], float]
    ) -> None:
        self._view = view
        self._tapped = tapped
        self._clock = clock
        self._space_since: float | None = None
        self._moved = False
        self._grip: QPointF | None = None
        self._pressed_at: QPointF | None = None  # of a left button that may become a click
        self._button = Qt.MouseButton.NoButton
        self._idle = Qt.CursorShape.ArrowCursor
        self.pans_with_left = False

    def set_idle_cursor(self, shape: Qt.CursorShape) -> None:
        """The pointer while nothing is dragged."""
        self._idle = shape
        self._show_cursor()

    @property
    def is_panning(self) -> bool:
        """True while the picture is being dragged."""
        return self._grip is not None

    def key_pressed(self, event: QKeyEvent) -> bool:
        """Space is held from here on; the zoom and pan keys act."""
        key, modifiers = event.key(), event.modifiers()
        if key == Qt.Key.Key_Space and modifiers == Qt.KeyboardModifier.NoModifier:
            if not event.isAutoRepeat() and self._space_since is None:
                self._space_since = self._clock()
                self._moved = False
                self._show_cursor()
            return True
        if modifiers == Qt.KeyboardModifier.ShiftModifier and key in _ARROWS:
            self._view.pan(*_ARROWS[Qt.Key(key)])
            return True
        if modifiers & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier):
            return False
        if key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal, Qt.Key.Key_Minus):
            self._view.zoom(1 / NOTCH if key == Qt.Key.Key_Minus else NOTCH)
            return True
        return False

    def key_released(self, event: QKeyEvent) -> bool:
        """Space let go: a tap when it was short and nothing moved."""
        if event.key() != Qt.Key.Key_Space or self._space_since is None:
            return False
        if event.isAutoRepeat():
            return True
        was_tap = self._clock() - self._space_since < TAP_S and not self._moved
        self._space_since = None
        if self._button == Qt.MouseButton.LeftButton:
            self._let_go()
        self._show_cursor()
        if was_tap:
            self._tapped()
        return True

    def pressed(self, event: QMouseEvent) -> bool:
        """A drag begins with the middle button, or with the left one while space is held."""
        is_left = event.button() == Qt.MouseButton.LeftButton
        by_space = is_left and (self._space_since is not None or self.pans_with_left)
        if self._grip is not None or not (
            by_space or event.button() == Qt.MouseButton.MiddleButton
        ):
            return False
        self._grip, self._button = event.position(), event.button()
        may_click = is_left and self._space_since is None
        self._pressed_at = event.position() if may_click else None
        self._moved = self._moved or by_space
        self._show_cursor()
        return True

    def moved(self, event: QMouseEvent) -> bool:
        """The picture follows the hand."""
        if self._grip is None:
            return False
        if self._pressed_at is not None:
            if (event.position() - self._pressed_at).manhattanLength() <= CLICK:
                return True
            self._pressed_at = None
        way = event.position() - self._grip
        self._grip = event.position()
        self._view.pan(way.y(), way.x())
        return True

    def released(self, event: QMouseEvent) -> bool:
        """The drag ends."""
        if self._grip is None or event.button() != self._button:
            return False
        clicked_at = self._pressed_at
        self._let_go()
        self._show_cursor()
        if clicked_at is not None:
            self._view.click(clicked_at)
        return True

    def wheel_turned(self, event: QWheelEvent) -> bool:
        """Zoom by any fraction of a notch."""
        taken = Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.AltModifier
        turned = event.angleDelta().y()
        if event.modifiers() & taken or turned == 0:
            return False
        self._view.zoom(NOTCH ** (turned / 120.0), event.position())
        return True

    def focus_lost(self) -> None:
        """Keys let go elsewhere are never heard of."""
        self._space_since = None
        self._let_go()
        self._show_cursor()

    def _let_go(self) -> None:
        self._grip = self._pressed_at = None
        self._button = Qt.MouseButton.NoButton

    def _show_cursor(self) -> None:
        if self._grip is not None:
            self._view.setCursor(Qt.CursorShape.ClosedHandCursor)
        elif self._space_since is not None:
            self._view.setCursor(Qt.CursorShape.OpenHandCursor)
        else:
            self._view.setCursor(self._idle)
