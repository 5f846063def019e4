"""Touchpad pinches and pens: gestures of a widget that shows a picture."""

from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QNativeGestureEvent, QTabletEvent
from PySide6.QtWidgets import QGestureEvent, QPinchGesture, QWidget

from segstudio.ui.canvas.dropping import DropTarget


class GestureTarget(DropTarget):
    """Zooms by pinching; knows how hard a pen is pressed. Sub-classes say what zooming is."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.grabGesture(Qt.GestureType.PinchGesture)
        self._pressure = 1.0

    @property
    def pressure(self) -> float:
        """Of the pen that moves now, 0..1; 1 for a mouse."""
        return self._pressure

    def zoom(self, factor: float, at: QPointF | None = None) -> None:
        """Larger or smaller about a position."""
        raise NotImplementedError

    def gestured(self, event: QEvent) -> bool:
        """True when the event was a pinch and zoomed."""
        if isinstance(event, QNativeGestureEvent):
            if event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture:
                self.zoom(max(0.1, 1.0 + event.value()), event.position())
                return True
        elif isinstance(event, QGestureEvent):
            pinch = event.gesture(Qt.GestureType.PinchGesture)
            if isinstance(pinch, QPinchGesture):
                self.zoom(pinch.scaleFactor(), self.mapFromGlobal(pinch.centerPoint()))
                return True
        return False

    def tabletEvent(self, event: QTabletEvent) -> None:
        """Remember the pressure; ignored, so that the mouse event that Qt makes of it follows."""
        is_up = event.type() == QEvent.Type.TabletRelease
        self._pressure = 1.0 if is_up else float(event.pressure())
        event.ignore()
