"""Keys that are held, and keys that belong to whoever has the keyboard."""

import time
from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QLineEdit,
    QPlainTextEdit,
    QTextEdit,
    QWidget,
)

from segstudio.ui.session import Session

TAP_S = 0.2
"""A key that is let go sooner was tapped, not held."""

_TEXT = (QLineEdit, QAbstractSpinBox, QPlainTextEdit, QTextEdit)
_OWN_ARROWS = (QAbstractSlider, QAbstractItemView)
_ARROWS = (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Home,
           Qt.Key.Key_End, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)  # fmt: skip


class Keys(QObject):
    """An event filter on the application, for one window.

    - While somebody types, letters, digits and arrows are text, not shortcuts.
    - A slider or list that was reached with Tab keeps its arrows.
    - V: tapped, masks go off or on; held, they are turned around only as long.
    - Tab, held while models are compared, shows the other one.
    - Digits that the tool in the hand waits for go to it, wherever the keyboard is.
    """

    def __init__(
        self, window: QWidget, session: Session, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(window)
        self._window = window
        self._session = session
        self._clock = clock
        self._v_since: float | None = None

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            if self._belongs_to_focus(event) or self._belongs_to_tool(event):
                event.accept()
                return True
        elif event.type() in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
            if not isinstance(event, QKeyEvent):
                return False
            if event.key() == Qt.Key.Key_V:
                return self._peek(event)
            if event.key() == Qt.Key.Key_Tab:
                return self._blink(event)
            if event.type() == QEvent.Type.KeyPress and self._belongs_to_tool(event):
                return event.isAutoRepeat() or self._session.tools.key_pressed(event.text())
        elif event.type() == QEvent.Type.WindowDeactivate and watched is self._window:
            self._let_go(is_tap=False)
            self._session.comparison.blink(on=False)
        return False

    def _belongs_to_focus(self, event: QKeyEvent) -> bool:
        focus = QApplication.focusWidget()
        commands = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier
        if event.modifiers() & commands:
            return False
        if isinstance(focus, _TEXT):
            return not Qt.Key.Key_F1 <= event.key() <= Qt.Key.Key_F35
        return isinstance(focus, _OWN_ARROWS) and event.key() in _ARROWS

    def _belongs_to_tool(self, event: QKeyEvent) -> bool:
        plain = not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if not plain or not event.text().isdecimal() or not self._is_ours():
            return False
        return self._session.tools.wants(event.text())

    def _is_ours(self) -> bool:
        """True when the window has the keyboard, and nobody types."""
        is_text = isinstance(QApplication.focusWidget(), _TEXT)
        return self._window.isActiveWindow() and not is_text

    def _blink(self, event: QKeyEvent) -> bool:
        """Tab moves the keyboard on as ever, unless there is something to blink to."""
        comparison = self._session.comparison
        if event.type() == QEvent.Type.KeyRelease:
            was_blinking = comparison.is_blinking
            if not event.isAutoRepeat():
                comparison.blink(on=False)
            return was_blinking
        plain = not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if not comparison.is_on or not plain or not self._is_ours():
            return False
        comparison.blink(on=True)
        return True

    def _peek(self, event: QKeyEvent) -> bool:
        is_ours = self._is_ours()
        plain = not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if event.type() == QEvent.Type.KeyRelease:
            if self._v_since is None or event.isAutoRepeat():
                return False
            self._let_go(is_tap=self._clock() - self._v_since < TAP_S)
            return True
        if not is_ours or not plain or QApplication.activePopupWidget() is not None:
            return False
        if not event.isAutoRepeat() and self._v_since is None:
            self._v_since = self._clock()
            self._session.set_view(replace(self._session.view, is_peeking=True))
        return True

    def _let_go(self, *, is_tap: bool) -> None:
        if self._v_since is None:
            return
        self._v_since = None
        view = self._session.view
        off = not view.are_masks_off if is_tap else view.are_masks_off
        self._session.set_view(replace(view, is_peeking=False, are_masks_off=off))
