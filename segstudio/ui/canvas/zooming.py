"""Zoom, pan, and where on the frame the cursor is: the navigation of a view."""

import math

from PySide6.QtCore import QPointF, Signal

from segstudio.core.geometry import Rect
from segstudio.core.viewport import ViewTransform
from segstudio.ui.canvas.gestures import GestureTarget
from segstudio.ui.canvas.navigation import NOTCH
from segstudio.ui.tools.preview import Place

CLOSE = 6.0
"""Device pixels per frame pixel: a region of a few pixels is seen well with what is around it."""

_BELOW_ONE = 1 - 1e-6


class ZoomTarget(GestureTarget):
    """Every way to move a ViewTransform; sub-classes own it and act when it moves.

    Signals:
        clicked(object): the frame pixel (y, x) that was clicked while nothing is in the hand.
    """

    clicked = Signal(object)

    @property
    def transform(self) -> ViewTransform | None:
        """Where the frame lies; None while there is none."""
        raise NotImplementedError

    def _move_to(self, transform: ViewTransform, *, fit: bool = False) -> None:
        raise NotImplementedError

    def fit(self) -> None:
        """The whole frame, as large as it can be."""
        if self.transform is not None:
            size = self.transform.frame
            self._move_to(ViewTransform.fitted(size, self._device_size()), fit=True)

    def actual_size(self) -> None:
        """One frame pixel = one device pixel, about the middle of the view."""
        if self.transform is not None:
            at = (self.transform.view[0] / 2, self.transform.view[1] / 2)
            self._move_to(self.transform.scaled_to(1.0, at))

    def show_rect(self, rect: Rect) -> None:
        """A box of the frame, with as much again on every side: in the middle of the view, unless
        it lies near a border of the frame, for nothing is shown of what is beside that.

        No smaller than the whole frame, and no larger than `CLOSE`, or than it is now.
        """
        if self.transform is None or rect.is_empty:
            return
        now, size = self.transform, self._device_size()
        fitted = ViewTransform.fitted(now.frame, size)
        wanted = min(size[0] / (3 * rect.height), size[1] / (3 * rect.width))
        scale = max(min(wanted, max(CLOSE, now.scale)), fitted.scale)
        top = size[0] / 2 - scale * (rect.y0 + rect.y1) / 2
        left = size[1] / 2 - scale * (rect.x0 + rect.x1) / 2
        self._move_to(ViewTransform(now.frame, size, scale, top, left).filled())

    def zoom_in(self) -> None:
        """One step larger about the middle."""
        self.zoom(NOTCH)

    def zoom_out(self) -> None:
        """One step smaller about the middle."""
        self.zoom(1 / NOTCH)

    def zoom(self, factor: float, at: QPointF | None = None) -> None:
        """Larger or smaller about a logical position of the widget; None: about the middle."""
        if self.transform is not None:
            now = self.transform
            place = (now.view[0] / 2, now.view[1] / 2) if at is None else self.device_position(at)
            self._move_to(now.zoomed(factor, place))

    def pan(self, dy: float, dx: float) -> None:
        """Move the picture by logical pixels."""
        if self.transform is not None:
            ratio = self.devicePixelRatioF()
            self._move_to(self.transform.panned(dy * ratio, dx * ratio))

    def show_transform(self, transform: ViewTransform) -> None:
        """Take the zoom and the middle of another view of a frame of the same size."""
        if self.transform is not None and transform.frame == self.transform.frame:
            self._move_to(transform.resized(self._device_size()))

    def _device_size(self) -> tuple[int, int]:
        """(h, w) of the widget in device pixels, at least 1."""
        ratio = self.devicePixelRatioF()
        return max(1, math.ceil(self.height() * ratio)), max(1, math.ceil(self.width() * ratio))

    def device_position(self, at: QPointF) -> tuple[float, float]:
        """A logical position of the widget → (y, x) in device pixels of the view."""
        ratio = self.devicePixelRatioF()
        corner = self.mapTo(self.window(), QPointF(0, 0)) * ratio
        # The view's pixels begin on a whole device pixel, see painting.use_device_pixels.
        y = corner.y() - math.floor(corner.y() + 0.5)
        x = corner.x() - math.floor(corner.x() + 0.5)
        return at.y() * ratio + y, at.x() * ratio + x

    def pixel_at(self, at: QPointF) -> tuple[int, int] | None:
        """The frame pixel (y, x) at a logical position of the widget; None beside the frame."""
        if self.transform is None:
            return None
        return self.transform.pixel_at(*self.device_position(at))

    def click(self, at: QPointF) -> None:
        """A logical position was clicked; beside the frame nothing happens."""
        pixel = self.pixel_at(at)
        if pixel is not None:
            self.clicked.emit(pixel)

    def _place(self, at: QPointF) -> Place:
        """The frame place at a logical position, also beside the frame."""
        if self.transform is None:
            return -1.0, -1.0
        position = self.device_position(at)
        place, pixel = self.transform.to_frame(*position), self.transform.pixel_at(*position)
        if pixel is None:
            return place
        # A device pixel shows one frame pixel, whichever of them its corner lies in.
        y, x = (min(max(v, p), p + _BELOW_ONE) for v, p in zip(place, pixel, strict=True))
        return y, x
