"""The picture in the window: one frame, its labels in their colours, zoom and pan.

A plain QWidget that blits two rasters of its own size, made by the render thread: the frame as
RGB32 and the labels as premultiplied ARGB32. Measured at 4K in a 1920×1080 view, a paint costs
0.9 ms here against 7 when full-size images are drawn and 15 with pyqtgraph's image items. While
new rasters are under way the last ones are drawn moved and scaled to where they belong now, so
that wheel and drag answer at once and the picture turns sharp a moment later.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRectF, QSizeF, Qt, QTimer, Signal, Slot
from PySide6.QtGui import (
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from segstudio.core.classes import CAMVID
from segstudio.core.feature_map import FeatureMap
from segstudio.core.frame import Frame
from segstudio.core.geometry import Rect
from segstudio.core.map_style import MapStyle
from segstudio.core.mask_style import MaskStyle
from segstudio.core.prediction import Prediction
from segstudio.core.scene import Scene
from segstudio.core.viewport import ViewTransform
from segstudio.ui.canvas import painting
from segstudio.ui.canvas.navigation import Navigator
from segstudio.ui.canvas.overlay import box_of, paint_preview
from segstudio.ui.canvas.placeholder import paint_drop_hint, paint_placeholder
from segstudio.ui.canvas.pointing import Pointing
from segstudio.ui.canvas.screen import Screen
from segstudio.ui.canvas.zooming import ZoomTarget
from segstudio.ui.tools.preview import NOTHING, Preview

if TYPE_CHECKING:
    from segstudio.core.brush import Area

MESSAGE = ("Drop a video, a folder or pictures here", "or press Ctrl+O to choose one")

ZOOM_PATIENCE_MS = 16
"""A zoom waits so long for new rasters before it draws the old ones scaled, for 7 ms at 1080p."""


class CanvasView(ZoomTarget):
    """Shows one frame and the labels over it. UI thread only; call `stop` before it goes.

    Signals (and files_dropped, see DropTarget; clicked, see ZoomTarget):
        hovered(object): the frame pixel (y, x) under the cursor, or None beside the frame.
        zoom_changed(float): device pixels per frame pixel.
        view_changed(object): the new ViewTransform.
        painted(object): a screen.Painted, once per shown frame that really was painted.
        tapped_space(): space was tapped, not held for panning.
        failed(object): the exception that kept a frame from being drawn.
    """

    hovered = Signal(object)
    zoom_changed = Signal(float)
    view_changed = Signal(object)
    painted = Signal(object)
    tapped_space = Signal()
    failed = Signal(object)
    _was_painted = Signal(object)

    def __init__(
        self, parent: QWidget | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """clock: seconds; it tells a tap of the space bar from holding it."""
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setMinimumSize(160, 120)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Picture")
        self._screen = Screen(self)
        self._screen.changed.connect(self._repaint)
        self._screen.failed.connect(self.failed)
        # Queued: a listener may do anything, also what must not happen inside a paint event.
        self._was_painted.connect(self.painted, Qt.ConnectionType.QueuedConnection)
        self._navigator = Navigator(self, self.tapped_space.emit, clock)
        self.pointing = Pointing(self)
        self._preview = self._selection = NOTHING
        self._style = MaskStyle.of(CAMVID)
        self._map_style = MapStyle()
        self._patience = QTimer(self, singleShot=True, timerType=Qt.TimerType.PreciseTimer)
        self._patience.timeout.connect(self.update)
        self._scene: Scene | None = None
        self._number = self._revision = 0
        self._is_fit = True
        self._cursor: QPointF | None = None
        self._hover: tuple[int, int] | None = None
        self._has_key_focus = False
        self.set_message(*MESSAGE)

    # --- what is shown

    def show_frame(
        self,
        frame: Frame,
        prediction: Prediction | None = None,
        *,
        labels: NDArray[np.uint8] | None = None,
        map: FeatureMap | None = None,  # noqa: A002 - what it is
    ) -> None:
        """Show a frame with its labels (None: those of its prediction), as soon as both are drawn.

        map: drawn under the labels. ValueError when the prediction is about another frame.
        """
        if labels is not None:  # somebody writes into them: what was drawn of them is old
            self._revision += 1
        elif prediction is not None:
            labels = prediction.labels
        if prediction is not None and prediction.frame.id != frame.id:
            raise ValueError("the prediction belongs to another frame")
        if labels is not None and labels.shape != frame.rgb.shape[:2]:
            raise ValueError(f"labels of {labels.shape} do not cover {frame.rgb.shape[:2]}")
        size, old = (frame.height, frame.width), self.transform
        transform = old
        if transform is None or transform.frame != size:
            self._is_fit = True
            transform = ViewTransform.fitted(size, self._device_size())
        self._number += 1
        self._scene = Scene(
            frame, labels, transform, self._style, self._revision, self._number, map,
            self._map_style,
        )  # fmt: skip
        self._screen.show(self._scene)
        if old != transform:
            self._tell_view(transform)

    def clear(self) -> None:
        """Back to the empty state."""
        self._scene = None
        self._screen.clear()
        self._is_fit = True
        self._tell_hover()
        self.update()

    def set_message(self, title: str, text: str) -> None:
        """What is said while there is no frame."""
        self._message = title, text
        self.setAccessibleDescription(f"{title}. {text}")
        self.update()

    @property
    def mask_style(self) -> MaskStyle:
        """How labels are drawn."""
        return self._style

    def set_style(self, style: MaskStyle) -> None:
        """Draw the labels in another way: recolours what the view shows, nothing more."""
        old, self._style = self._style, style
        if self._scene is not None:
            self._scene = replace(self._scene, style=style)
            comes_back = old.hidden and not style.hidden
            if comes_back or not style.draws_like(old):
                self._screen.show(self._scene)
        if (old.opacity, old.hidden) != (style.opacity, style.hidden):
            self.update()

    def show_map(self, map: FeatureMap | None, style: MapStyle) -> None:  # noqa: A002 - as above
        """Draw another map, or the same in another way, over the frame that is shown."""
        old, self._map_style = self._map_style, style
        if self._scene is not None and (self._scene.map is not map or old != style):
            self._scene = replace(self._scene, map=map, map_style=style)
            self._screen.show(self._scene)

    def set_opacity(self, opacity: float) -> None:
        """0..1: costs one paint."""
        self.set_style(replace(self._style, opacity=opacity))

    def update_labels(self, rect: Rect, labels: NDArray[np.uint8]) -> None:
        """Somebody wrote into `rect` of `labels`, uint8 (H, W) of the shown frame: draw it.

        Only the box is coloured, here and at once; later rasters are made from `labels`, which
        the caller may go on writing into as long as it says so here. ValueError without a frame.
        """
        if self._scene is None or labels.shape != self._scene.transform.frame:
            raise ValueError(f"labels of {labels.shape} do not cover the shown frame")
        self._revision += 1
        self._scene = replace(self._scene, labels=labels, revision=self._revision)
        self._screen.edit(self._scene, rect)

    def set_preview(self, preview: Preview) -> None:
        """Draw what a tool shows; only the pixels it covered and covers are painted again."""
        old, self._preview = self._preview, preview
        if self._scene is not None:
            ratio = self.devicePixelRatioF()
            for one in (old, preview):
                box = box_of(one, self._scene.transform, ratio)
                if box is not None:
                    self._repaint(box)

    def set_selection(self, area: "Area | None") -> None:
        """Mark the selected pixels."""
        self._selection = NOTHING if area is None else Preview(area=area, is_selection=True)
        self.update()

    @property
    def is_sharp(self) -> bool:
        """True when what is on the screen is the newest frame, view and style."""
        return self._screen.is_sharp

    def set_pans(self, *, pans: bool) -> None:
        """Whether the left button moves the picture, as while no tool is in the hand."""
        self._navigator.pans_with_left = pans
        shape = Qt.CursorShape.ArrowCursor if pans else Qt.CursorShape.CrossCursor
        self._navigator.set_idle_cursor(shape)

    def stop(self) -> None:
        """Join the render thread; what is shown stays, nothing new is drawn."""
        self._screen.stop()

    @Slot(object)
    def _repaint(self, box: Rect | None) -> None:
        """Paint again: a box of device pixels, or everything."""
        if box is None:
            self._patience.stop()
            self.update()
            self._tell_hover()
        elif not box.is_empty:
            ratio = self.devicePixelRatioF()
            size = QSizeF(box.width, box.height) / ratio
            logical = QRectF(QPointF(box.x0, box.y0) / ratio, size).toAlignedRect()
            # One more on each side: logical pixels may begin between device pixels.
            self.update(logical.adjusted(-1, -1, 1, 1))

    # --- zoom and pan

    @property
    def transform(self) -> ViewTransform | None:
        """Where the frame lies; None while there is none."""
        return self._scene.transform if self._scene is not None else None

    @property
    def is_fit(self) -> bool:
        """True while the whole frame is kept in view, also when the window changes its size."""
        return self._is_fit

    def _move_to(self, transform: ViewTransform, *, fit: bool = False) -> None:
        if self._scene is None:
            return
        self._is_fit = fit
        if transform == self._scene.transform:
            return
        moves_only = transform.scale == self._scene.transform.scale
        self._scene = replace(self._scene, transform=transform)
        self._screen.show(self._scene)
        self._tell_view(transform)
        if moves_only:
            self.update()
        elif not self._patience.isActive():
            self._patience.start(ZOOM_PATIENCE_MS)

    def _tell_view(self, transform: ViewTransform) -> None:
        self.zoom_changed.emit(transform.scale)
        self.view_changed.emit(transform)
        self._tell_hover()

    def _fill_view(self) -> None:
        """The widget has another size in device pixels."""
        size = self._device_size()
        if self._scene is not None and self._scene.transform.view != size:
            if self._is_fit:
                self.fit()
            else:
                self._move_to(self._scene.transform.resized(size))

    # --- where the cursor is

    def _tell_hover(self) -> None:
        pixel = self.pixel_at(self._cursor) if self._cursor is not None else None
        if pixel != self._hover:
            self._hover = pixel
            self.hovered.emit(pixel)

    # --- Qt's events

    def event(self, event: QEvent) -> bool:
        """Claims the space bar before a shortcut gets it; touchpad pinches; another ratio."""
        kind = event.type()
        if kind == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            plain = event.modifiers() == Qt.KeyboardModifier.NoModifier
            if event.key() == Qt.Key.Key_Space and plain:
                event.accept()
                return True
        if kind == QEvent.Type.DevicePixelRatioChange:
            self._fill_view()
        return self.gestured(event) or super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt asks for pixels."""
        with QPainter(self) as painter:
            report = self._paint(painter)
        if report is not None:
            self._was_painted.emit(report)

    def _paint(self, painter: QPainter) -> object:
        report = None
        if self._scene is None:
            painter.fillRect(self.rect(), painting.BACKGROUND)
            painter.save()
            paint_placeholder(painter, QRectF(self.rect()), *self._message, self.font())
            painter.restore()
        else:
            painter.save()
            painting.use_device_pixels(painter)
            transform, ratio = self._scene.transform, self.devicePixelRatioF()
            report = self._screen.paint(painter, transform, self._style)
            for one in (self._selection, self._preview):
                paint_preview(painter, one, transform, self.font(), ratio)
            painter.restore()
        accent = self.palette().color(QPalette.ColorRole.Highlight)
        if self.is_dropping:
            paint_drop_hint(painter, QRectF(self.rect()), accent)
        elif self._has_key_focus:
            painter.setPen(QPen(accent, 2))
            painter.drawRect(self.rect().adjusted(1, 1, -1, -1))
        return report

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The view has another size."""
        super().resizeEvent(event)
        self._fill_view()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom, or the size of a brush."""
        event.setAccepted(self._navigator.wheel_turned(event) or self.pointing.wheel(event))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Zoom, pan, hold."""
        if not (self._navigator.key_pressed(event) or self.pointing.key(event)):
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        """Let go."""
        if not self._navigator.key_released(event):
            super().keyReleaseEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A drag may begin, or a tool."""
        place = self._place(event.position())
        taken = self._navigator.pressed(event)
        event.setAccepted(taken or (self._scene is not None and self.pointing.press(event, place)))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drag, tool or hover."""
        self._cursor = event.position()
        if not self._navigator.moved(event) and self._scene is not None:
            self.pointing.move(event, self._place(event.position()))
        self._tell_hover()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A drag may end, or a tool."""
        taken = self._navigator.released(event)
        event.setAccepted(taken or self.pointing.release(event, self._place(event.position())))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Ends an outline; for everything else it is a press like any other."""
        if self._navigator.pressed(event):
            return
        place = self._place(event.position())
        if self._scene is None or not self.pointing.double_click(event, place):
            self.mousePressEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        """Nothing is under the cursor any more."""
        self._cursor = None
        self.pointing.left.emit()
        self._tell_hover()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Shown only when the keyboard brought the focus: a click needs no frame."""
        reasons = (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        self._has_key_focus = event.reason() in reasons
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Nothing is held any more."""
        self._has_key_focus = False
        self._navigator.focus_lost()
        self.update()
