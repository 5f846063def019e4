"""How rasters, pixel grid and background reach a QPainter, in device pixels."""

import math

import numpy as np
from PySide6.QtCore import QLineF, QRect
from PySide6.QtGui import QColor, QImage, QPainter, QTransform

from segstudio.core.geometry import Rect
from segstudio.core.scene import Raster
from segstudio.core.viewport import GRID_SCALE, ViewTransform

BACKGROUND = QColor(0x1E, 0x1E, 0x1E)
"""Neutral and dark in every theme, so that the colours of the picture are seen as they are."""

_GRID = QColor(0x80, 0x80, 0x80, 0x78)


def image_of(raster: Raster, form: QImage.Format) -> QImage | None:
    """A QImage that shows the raster's own memory, None when it is empty.

    Hold the raster as long as the image. form: Format_RGB32 or Format_ARGB32_Premultiplied.
    """
    argb, box = raster.argb, raster.box
    if box.is_empty:
        return None
    # A buffer of another size would be read beyond its end without a word.
    if argb.shape != (box.height, box.width) or argb.dtype != np.uint32:
        raise ValueError(f"a raster of {argb.shape} {argb.dtype} does not fill {box}")
    if not argb.flags.c_contiguous:
        raise ValueError("a raster must be contiguous")
    return QImage(argb.data, box.width, box.height, box.width * 4, form)


def use_device_pixels(painter: QPainter) -> QTransform:
    """Make the painter's unit one device pixel, its origin the device pixel nearest the widget's.

    With a fractional ratio a widget may begin between two device pixels; blits must not.
    Returns the world transform that was set.
    """
    device = painter.deviceTransform()
    snapped = QTransform.fromTranslate(math.floor(device.dx() + 0.5), math.floor(device.dy() + 0.5))
    inverse, _ = device.inverted()
    world = snapped * inverse * painter.worldTransform()
    painter.setWorldTransform(world)
    return world


def fill_around(painter: QPainter, view: tuple[int, int], box: Rect) -> None:
    """The background of a view of (h, w) device pixels, without the pixels of `box`."""
    height, width = view
    for part in (
        QRect(0, 0, width, box.y0),
        QRect(0, box.y0, box.x0, box.height),
        QRect(box.x1, box.y0, width - box.x1, box.height),
        QRect(0, box.y1, width, height - box.y1),
    ):
        if not part.isEmpty():
            painter.fillRect(part, BACKGROUND)


def draw_grid(painter: QPainter, transform: ViewTransform) -> None:
    """Lines between frame pixels, once these are large enough to tell them apart."""
    if transform.scale < GRID_SCALE:
        return
    box = transform.visible
    painter.setPen(_GRID)
    across = [box.x0 + x for x in _borders(transform.columns(box))]
    down = [box.y0 + y for y in _borders(transform.rows(box))]
    lines = [QLineF(x, box.y0, x, box.y1 - 1) for x in across]
    lines += [QLineF(box.x0, y, box.x1 - 1, y) for y in down]
    painter.drawLines(lines)


def _borders(indices: np.ndarray[tuple[int], np.dtype[np.intp]]) -> list[int]:
    """Device pixels that begin another frame pixel."""
    return [int(i) + 1 for i in np.flatnonzero(np.diff(indices))]
