"""How a tool's preview is drawn over the picture: rings, lines, tinted pixels, a lock.

Every line is drawn twice, dark below light, so that it is seen on any picture. The painter counts
device pixels.
"""

import math
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter, QPainterPath, QPen

from segstudio.core.geometry import Rect
from segstudio.core.viewport import ViewTransform
from segstudio.ui import icons
from segstudio.ui.tools.preview import Line, Place, Preview, Ring

if TYPE_CHECKING:
    from segstudio.core.brush import Area

_DARK, _LIGHT = QColor(0, 0, 0, 170), QColor(255, 255, 255, 235)
_TINT = 150  # of 255
_WRAPPED = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
_KNOT = 3.5  # device pixels from the middle of a knot to its side
_TEXT = 260  # device pixels across of text and its ground; longer text has more lines
_ROOM = 28  # device pixels around a place that text and lock may take


def paint_preview(
    painter: QPainter, preview: Preview, transform: ViewTransform, font: QFont, ratio: float
) -> None:
    """Draw it; ratio: device pixels per logical pixel."""
    painter.save()
    if preview.area is not None and (preview.has_tint or preview.is_selection):
        _paint_area(painter, preview, transform)
    if preview.area is not None and preview.has_border:
        _paint_border(painter, preview.area, transform, ratio)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for line in preview.lines:
        _paint_line(painter, line, transform, ratio)
    if preview.ring is not None:
        _paint_ring(painter, preview.ring, transform, ratio)
    if preview.lock_at is not None:
        _paint_lock(painter, _point(preview.lock_at, transform), ratio)
    if preview.text and preview.text_at is not None:
        at = _point(_inside(preview.text_at, transform), transform)
        _paint_text(painter, preview.text, at, transform.view, font, ratio)
    painter.restore()


def box_of(preview: Preview, transform: ViewTransform, ratio: float) -> Rect | None:
    """Device pixels that the preview may cover: what to paint again. None: nothing."""
    places: list[Place] = [p for line in preview.lines for p in line.places]
    if preview.ring is not None:
        (y, x), r = preview.ring.center, preview.ring.radius
        places += [(y - r, x - r), (y + r, x + r)]
    if preview.area is not None:
        rect = preview.area.rect
        places += [(rect.y0, rect.x0), (rect.y1, rect.x1)]
    if preview.lock_at is not None:
        places.append(preview.lock_at)
    if preview.text_at is not None:
        places.append(_inside(preview.text_at, transform))
    if not places:
        return None
    points = [transform.to_view(*p) for p in places]
    room = math.ceil(_ROOM * ratio) + (math.ceil(_TEXT * ratio) if preview.text else 0)
    ys, xs = [p[0] for p in points], [p[1] for p in points]
    height, width = transform.view
    return Rect(
        math.floor(min(ys)) - room,
        math.floor(min(xs)) - room,
        math.ceil(max(ys)) + room,
        math.ceil(max(xs)) + room,
    ).clipped(height, width)


def _point(place: Place, transform: ViewTransform) -> QPointF:
    y, x = transform.to_view(*place)
    return QPointF(x, y)


def _inside(place: Place, transform: ViewTransform) -> Place:
    """The nearest place that is in the view."""
    (y, x), (height, width) = transform.to_view(*place), transform.view
    return transform.to_frame(min(max(y, 0.0), float(height)), min(max(x, 0.0), float(width)))


def _stroke(painter: QPainter, path: QPainterPath, ratio: float, *, is_dashed: bool) -> None:
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(_DARK, 3 * ratio))
    painter.drawPath(path)
    pen = QPen(_LIGHT, 1.25 * ratio)
    if is_dashed:
        pen.setDashPattern([4, 4])
    painter.setPen(pen)
    painter.drawPath(path)


def _paint_ring(painter: QPainter, ring: Ring, transform: ViewTransform, ratio: float) -> None:
    path = QPainterPath()
    middle, radius = _point(ring.center, transform), ring.radius * transform.scale
    if ring.is_square:
        path.addRect(QRectF(middle.x() - radius, middle.y() - radius, 2 * radius, 2 * radius))
    else:
        path.addEllipse(middle, radius, radius)
    if radius < 3 * ratio:  # too small to be seen: a cross marks the pixel
        for dy, dx in ((-1, 0), (1, 0), (0, -1), (0, 1)):
            path.moveTo(middle + QPointF(dx, dy) * 5 * ratio)
            path.lineTo(middle + QPointF(dx, dy) * 9 * ratio)
    _stroke(painter, path, ratio, is_dashed=False)


def _paint_line(painter: QPainter, line: Line, transform: ViewTransform, ratio: float) -> None:
    if not line.places:
        return
    points = [_point(p, transform) for p in line.places]
    path = QPainterPath(points[0])
    for point in points[1:]:
        path.lineTo(point)
    if line.is_closed:
        path.closeSubpath()
    _stroke(painter, path, ratio, is_dashed=line.is_dashed)
    if line.has_knots:
        side = _KNOT * ratio
        painter.setPen(QPen(_DARK, ratio))
        painter.setBrush(_LIGHT)
        for point in points:
            painter.drawRect(QRectF(point.x() - side, point.y() - side, 2 * side, 2 * side))


def _paint_area(painter: QPainter, preview: Preview, transform: ViewTransform) -> None:
    area = preview.area
    if area is None or area.rect.is_empty:
        return
    height, width = area.rect.height, area.rect.width
    argb = np.zeros((height, width), np.uint32)
    if preview.is_selection:
        inner = area.mask.copy()
        inner[1:-1, 1:-1] &= area.mask[:-2, 1:-1] & area.mask[2:, 1:-1]
        inner[1:-1, 1:-1] &= area.mask[1:-1, :-2] & area.mask[1:-1, 2:]
        inner[[0, -1], :] = inner[:, [0, -1]] = False
        stripe = (np.arange(height)[:, None] + np.arange(width)) % 8 < 3
        argb[inner & stripe] = 0x70707070
        argb[area.mask & ~inner] = 0xFFFFFFFF
    else:
        red, green, blue = (round(c * _TINT / 255) for c in preview.color)
        argb[area.mask] = _TINT << 24 | red << 16 | green << 8 | blue
    form = QImage.Format.Format_ARGB32_Premultiplied
    image = QImage(argb.data, width, height, width * 4, form)
    y0, x0 = transform.to_view(area.rect.y0, area.rect.x0)
    y1, x1 = transform.to_view(area.rect.y1, area.rect.x1)
    painter.drawImage(QRectF(x0, y0, x1 - x0, y1 - y0), image)


def _paint_border(painter: QPainter, area: "Area", transform: ViewTransform, ratio: float) -> None:
    """Along the inside of the area, as thick on the screen however far it is zoomed."""
    image, box = _border(area, transform, max(1, round(ratio)))
    if image is not None:
        painter.drawImage(QPointF(box.x0, box.y0), image)


@lru_cache(maxsize=2)
def _border(area: "Area", transform: ViewTransform, width: int) -> tuple[QImage | None, Rect]:
    """The visible part in device pixels and where it lies; kept while only the cursor moves.

    Light outside, dark inside, each `width` device pixels.
    """
    box = transform.box_of(area.rect)
    if box.is_empty:
        return None, box
    rows, columns = transform.rows(box) - area.rect.y0, transform.columns(box) - area.rect.x0
    height, length = area.mask.shape
    mask = area.mask[np.ix_(rows.clip(0, height - 1), columns.clip(0, length - 1))]
    mask[(rows < 0) | (rows >= height)] = False
    mask[:, (columns < 0) | (columns >= length)] = False
    argb = np.zeros(mask.shape, np.uint32)
    for color in (0xEBEBEBEB, 0xAA000000):
        inner = mask
        for _ in range(width):
            inner = _without_rim(inner)
        argb[mask & ~inner] = color
        mask = inner
    form = QImage.Format.Format_ARGB32_Premultiplied
    image = QImage(argb.data, argb.shape[1], argb.shape[0], argb.shape[1] * 4, form)
    return image.copy(), box


def _without_rim(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Pixels whose four neighbours are all set; beyond the border the mask goes on as it is."""
    inner = mask.copy()
    inner[1:] &= mask[:-1]
    inner[:-1] &= mask[1:]
    inner[:, 1:] &= mask[:, :-1]
    inner[:, :-1] &= mask[:, 1:]
    return inner


def _paint_lock(painter: QPainter, at: QPointF, ratio: float) -> None:
    side = 22 * ratio
    place = QRectF(at.x() + 6 * ratio, at.y() - side - 2 * ratio, side, side)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(200, 40, 40, 235))
    painter.drawEllipse(place)
    inset = 4 * ratio
    picture = icons.pixmap("lock", "#ffffff", round(14 * ratio), 1.0)
    painter.drawPixmap(QPointF(place.x() + inset, place.y() + inset), picture)


def text_box(
    metrics: QFontMetricsF, text: str, at: QPointF, view: tuple[int, int], ratio: float
) -> QRectF:
    """Where the ground of a text lies: below and right of a place unless the view ends there.

    view: height and width in device pixels. All of the box is inside, if there is room for it.
    """
    height, width = view
    margin, side, end = 4 * ratio, 7 * ratio, 4 * ratio
    room = max(40 * ratio, min(_TEXT * ratio, width - 2 * margin) - 2 * side)
    box = metrics.boundingRect(QRectF(0, 0, room, 1e4), _WRAPPED, text)
    box = box.adjusted(-side, -end, side, end)
    left, top = at.x() + 14 * ratio, at.y() + 12 * ratio
    if top + box.height() > height - margin:
        top = at.y() - 12 * ratio - box.height()
    left = max(margin, min(left, width - margin - box.width()))
    top = max(margin, min(top, height - margin - box.height()))
    box.moveTopLeft(QPointF(left, top))
    return box


def _paint_text(
    painter: QPainter, text: str, at: QPointF, view: tuple[int, int], font: QFont, ratio: float
) -> None:
    large = QFont(font)
    large.setPixelSize(round(12 * ratio))
    box = text_box(QFontMetricsF(large), text, at, view, ratio)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(20, 20, 20, 220))
    painter.drawRoundedRect(box, 4 * ratio, 4 * ratio)
    painter.setPen(_LIGHT)
    painter.setFont(large)
    painter.drawText(box, _WRAPPED, text)
