"""What a view has on its screen: the last rasters, and the render thread that makes new ones."""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QImage, QPainter, QTransform

from segstudio.core.frame import FrameId
from segstudio.core.geometry import Rect
from segstudio.core.mask_style import MaskStyle
from segstudio.core.scene import Scene
from segstudio.core.viewport import ViewTransform
from segstudio.ui.bridge.port import Port
from segstudio.ui.canvas import painting
from segstudio.ui.canvas.renderer import Renderer

if TYPE_CHECKING:
    from segstudio.core.compose import Rendered

NOTHING = Rect(0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Painted:
    """A frame has reached the screen for the first time.

    compose_ms: making its rasters, in the render thread. paint_ms: the blit, in the UI thread.
    at_s: time.perf_counter() when it was done.
    """

    frame: FrameId
    compose_ms: float
    paint_ms: float
    at_s: float

    @property
    def draw_ms(self) -> float:
        """Both together."""
        return self.compose_ms + self.paint_ms


class Screen(QObject):
    """Scenes go in, their rasters get painted. UI thread only.

    Frame and labels travel together in one Scene and come back together in one Rendered: a frame
    is never painted with another frame's labels. Labels that are edited while rasters are under
    way are drawn into these again when they arrive.

    Signals:
        changed(object): the box of device pixels to be painted again, None for all of them.
        failed(object): the exception that kept a scene from being drawn.
    """

    changed = Signal(object)
    failed = Signal(object)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._port = Port(self)
        self._port.arrived.connect(self._take)
        self._port.failed.connect(self._give_up)
        self._renderer: Renderer | None = None
        self._is_stopped = False
        self._wanted: Scene | None = None
        self._awaited: Scene | None = None  # the newest scene the render thread still owes
        self._edits: list[tuple[int, Rect]] = []  # (revision, frame pixels) it may not know of
        self._shown: Rendered | None = None
        self._picture: QImage | None = None
        self._mask: QImage | None = None
        self._oldest = 0  # scenes with a smaller number were cleared away
        self._reported = 0  # the number of the last frame that was told to be painted

    @property
    def is_sharp(self) -> bool:
        """True when the newest scene is what is on the screen."""
        return self._shown is not None and self._awaited is None

    def show(self, scene: Scene) -> None:
        """Have a scene drawn; the last rasters stay until it is."""
        if self._is_stopped:
            return
        if self._wanted is None or self._wanted.number != scene.number:
            self._edits.clear()
        if self._renderer is None:
            self._renderer = Renderer(self._port)
            # A view that was forgotten without `stop` must not leave a thread behind.
            self.destroyed.connect(self._renderer.stop)
        self._wanted = self._awaited = scene
        self._renderer.show(scene)

    def edit(self, scene: Scene, rect: Rect) -> None:
        """The same scene with labels that were written into inside `rect` (frame pixels)."""
        shown = self._shown
        if shown is None or shown.mask is None or shown.scene.number != scene.number:
            self.show(scene)
            return
        self._wanted = scene
        if self._awaited is not None:
            self._edits.append((scene.revision, rect))
        self.changed.emit(self._recolor(shown, scene, rect))

    def clear(self) -> None:
        """Nothing to show."""
        self._port.drop()
        if self._wanted is not None:
            self._oldest = self._wanted.number + 1
        self._wanted = self._awaited = self._shown = None
        self._picture = self._mask = None
        self._edits.clear()

    def stop(self) -> None:
        """Join the render thread; what is shown stays, nothing new is drawn."""
        self._is_stopped = True
        if self._renderer is not None:
            self._renderer.stop()
            self._renderer = None

    def paint(
        self, painter: QPainter, transform: ViewTransform, style: MaskStyle
    ) -> Painted | None:
        """Blit the rasters into a painter that counts device pixels.

        Returns what to tell when this frame is painted for the first time.
        """
        started = time.perf_counter()
        shown = self._shown
        if shown is None or self._picture is None:
            painting.fill_around(painter, transform.view, NOTHING)
            return None
        box = shown.picture.box
        was = shown.scene.transform
        if was == transform or was.frame != transform.frame:
            painting.fill_around(painter, transform.view, box)
            self._blit(painter, box, style)
        else:
            ratio, dy, dx = transform.moved_from(was)
            painting.fill_around(painter, transform.view, NOTHING)
            painter.save()
            moved = QTransform(ratio, 0, 0, ratio, dx, dy)
            painter.setWorldTransform(moved * painter.worldTransform())
            self._blit(painter, box, style)
            painter.restore()
        painting.draw_grid(painter, transform)
        if shown.scene.number == self._reported:
            return None
        self._reported = shown.scene.number
        now = time.perf_counter()
        return Painted(shown.scene.frame.id, shown.compose_ms, (now - started) * 1000.0, now)

    def _blit(self, painter: QPainter, box: Rect, style: MaskStyle) -> None:
        if self._picture is not None:
            painter.drawImage(box.x0, box.y0, self._picture)
        if self._mask is not None and not style.hidden and style.opacity > 0:
            painter.setOpacity(style.opacity)
            painter.drawImage(box.x0, box.y0, self._mask)
            painter.setOpacity(1.0)

    @Slot(object)
    def _take(self, rendered: "Rendered") -> None:
        """Show what the render thread has made."""
        if self._wanted is None or rendered.scene.number < self._oldest:
            return
        if rendered.scene is self._awaited:
            self._awaited = None
        self._shown = rendered
        self._picture = painting.image_of(rendered.picture, QImage.Format.Format_RGB32)
        self._mask = None
        if rendered.mask is not None:
            form = QImage.Format.Format_ARGB32_Premultiplied
            self._mask = painting.image_of(rendered.mask, form)
        if rendered.scene.number == self._wanted.number:
            for revision, rect in self._edits:
                if revision > rendered.scene.revision:
                    self._recolor(rendered, self._wanted, rect)
        if self._awaited is None:
            self._edits.clear()
        self.changed.emit(None)

    @Slot(object)
    def _give_up(self, error: Exception) -> None:
        self._awaited = None
        self.failed.emit(error)

    def _recolor(self, shown: "Rendered", scene: Scene, rect: Rect) -> Rect:
        """Draw the scene's labels of `rect` into the shown mask; returns the box that changed."""
        from segstudio.core.compose import edited_mask  # OpenCV is there by now

        if shown.mask is None or scene.labels is None:
            return NOTHING
        part = edited_mask(scene.labels, shown.scene.transform, shown.colors, rect)
        y, x = part.box.y0 - shown.mask.box.y0, part.box.x0 - shown.mask.box.x0
        shown.mask.argb[y : y + part.box.height, x : x + part.box.width] = part.argb
        return part.box
