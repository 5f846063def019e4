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
            if self._belongs_to_focus(event):
                event.accept()
                return True
        elif event.type() in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
            if isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_V:
                return self._peek(event)
        elif event.type() == QEvent.Type.WindowDeactivate and watched is self._window:
            self._let_go(is_tap=False)
        return False

    def _belongs_to_focus(self, event: QKeyEvent) -> bool:
        focus = QApplication.focusWidget()
        commands = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier
        if event.modifiers() & commands:
            return False
        if isinstance(focus, _TEXT):
            return not Qt.Key.Key_F1 <= event.key() <= Qt.Key.Key_F35
        return isinstance(focus, _OWN_ARROWS) and event.key() in _ARROWS

    def _peek(self, event: QKeyEvent) -> bool:
        focus = QApplication.focusWidget()
        is_ours = self._window.isActiveWindow() and not isinstance(focus, _TEXT)
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
