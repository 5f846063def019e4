"""The line between two models in one picture, dragged with the mouse."""

from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from segstudio.ui import theme

WIDTH = 28
GRIP = 13.0
STEP = 0.01


class Divider(QWidget):
    """As high as the view it lies on. Arrow keys move it too, when Tab or a click brought it focus.

    Signals:
        moved(float): where it is wanted, 0..1 of the view's width.
    """

    moved = Signal(float)

    def __init__(self, view: QWidget) -> None:
        super().__init__(view)
        self._view = view
        self._at = 0.5
        self._grip: float | None = None
        self._names = ("", "")
        self.setCursor(Qt.CursorShape.SplitHCursor)
        self.setAccessibleName("Divider between two models")
        self.setToolTip("Drag to swipe between the two")
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        view.installEventFilter(self)
        self.hide()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The view has another size."""
        if event.type() == QEvent.Type.Resize:
            self.place(self._at)
        return False

    def place(self, at: float) -> None:
        """Stand there, 0..1 of the view's width."""
        self._at = at
        middle = round(at * self._view.width())
        self.setGeometry(middle - WIDTH // 2, 0, WIDTH, self._view.height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        middle, height = self.width() / 2, self.height()
        painter.setPen(QPen(QColor(0, 0, 0, 150), 4))
        painter.drawLine(QPointF(middle, 0), QPointF(middle, height))
        painter.setPen(QPen(QColor(255, 255, 255), 2))
        painter.drawLine(QPointF(middle, 0), QPointF(middle, height))
        painter.setPen(QPen(QColor(0, 0, 0, 150), 1))
        painter.setBrush(QColor(theme.current().accent if self._grip is not None else "#ffffff"))
        knob = QRectF(middle - GRIP, height / 2 - GRIP, 2 * GRIP, 2 * GRIP)
        painter.drawEllipse(knob)
        painter.setPen(QPen(QColor("#17181b"), 1.6))
        for way in (-1, 1):
            tip = QPointF(middle + way * 7.5, height / 2)
            for up in (-3.5, 3.5):
                painter.drawLine(tip, QPointF(middle + way * 4, height / 2 + up))
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._grip = event.position().x() - self.width() / 2
            self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._grip is not None:
            place = self.mapToParent(event.position().toPoint()).x() - self._grip
            self._ask(place / max(1, self._view.width()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._grip = None
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Left: -STEP, Qt.Key.Key_Right: STEP}.get(Qt.Key(event.key()))
        if step is None:
            super().keyPressEvent(event)
        else:
            self._ask(self._at + step)

    def _ask(self, at: float) -> None:
        self.moved.emit(min(1.0, max(0.0, at)))
