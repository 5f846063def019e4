"""Mouse and pen over the picture → Pointers in frame coordinates, for the tools."""

from collections.abc import Callable

from PySide6.QtCore import QObject, QPointF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QWheelEvent

from segstudio.ui.canvas.gestures import GestureTarget
from segstudio.ui.tools.preview import Place
from segstudio.ui.tools.registry import Pointer

_KEYS = {
    Qt.Key.Key_Return: "return",
    Qt.Key.Key_Enter: "return",
    Qt.Key.Key_Escape: "escape",
    Qt.Key.Key_Backspace: "backspace",
}


class Pointing(QObject):
    """What the canvas tells tools; it is asked only for input that does not zoom or pan.

    ask_key: what to do with "return", "escape" and "backspace"; True when a tool used it.

    Signals:
        pressed(object), moved(object), released(object), double_clicked(object): a Pointer.
        left(): the cursor is not over the picture any more.
        turned(int): notches of the wheel with Shift held.
    """

    pressed = Signal(object)
    moved = Signal(object)
    released = Signal(object)
    double_clicked = Signal(object)
    left = Signal()
    turned = Signal(int)

    def __init__(self, view: GestureTarget) -> None:
        super().__init__(view)
        self._view = view
        self._is_down = False
        self._turned = 0
        self.ask_key: Callable[[str], bool] = lambda _: False

    def key(self, event: QKeyEvent) -> bool:
        """A key that tools know."""
        name = _KEYS.get(Qt.Key(event.key()))
        return name is not None and self.ask_key(name)

    def press(self, event: QMouseEvent, place: Place) -> bool:
        """The left button begins something."""
        if event.button() != Qt.MouseButton.LeftButton:
            return False
        self._is_down = True
        self.pressed.emit(self._pointer(event, place))
        return True

    def move(self, event: QMouseEvent, place: Place) -> None:
        """With the button down or not."""
        self.moved.emit(self._pointer(event, place))

    def release(self, event: QMouseEvent, place: Place) -> bool:
        """The left button ends what it began."""
        if event.button() != Qt.MouseButton.LeftButton or not self._is_down:
            return False
        self._is_down = False
        self.released.emit(self._pointer(event, place))
        return True

    def double_click(self, event: QMouseEvent, place: Place) -> bool:
        """Qt sends it instead of the second press."""
        if event.button() != Qt.MouseButton.LeftButton:
            return False
        self._is_down = True
        self.double_clicked.emit(self._pointer(event, place))
        return True

    def wheel(self, event: QWheelEvent) -> bool:
        """Shift and the wheel: the size of the brush, in whole notches however fine the wheel."""
        if event.modifiers() != Qt.KeyboardModifier.ShiftModifier:
            return False
        delta: QPointF = QPointF(event.angleDelta())
        # Some systems turn Shift and the wheel into a horizontal scroll.
        self._turned += int(delta.y() or delta.x())
        notches = int(self._turned / 120)
        self._turned -= 120 * notches
        if notches:
            self.turned.emit(notches)
        return True

    def _pointer(self, event: QMouseEvent, place: Place) -> Pointer:
        held = event.modifiers()
        return Pointer(
            place,
            self._view.pressure,
            shift=bool(held & Qt.KeyboardModifier.ShiftModifier),
            ctrl=bool(held & Qt.KeyboardModifier.ControlModifier),
            alt=bool(held & Qt.KeyboardModifier.AltModifier),
        )
