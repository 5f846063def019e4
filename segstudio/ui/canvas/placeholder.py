"""What the canvas shows while there is no frame: a drawing and one line about what to do."""

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPainterPath, QPen

_LINE = QColor(0x6E, 0x6E, 0x6E)
_FILL = QColor(0x2A, 0x2A, 0x2A)
_ROAD = QColor(0x80, 0x40, 0x80, 0x70)
_VERGE = QColor(0x6B, 0x8E, 0x23, 0x50)
_TITLE = QColor(0xE4, 0xE4, 0xE4)
_TEXT = QColor(0xA4, 0xA4, 0xA4)


def paint_placeholder(painter: QPainter, area: QRectF, title: str, text: str, font: QFont) -> None:
    """Draw the empty state in the middle of `area` (logical pixels)."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    size = max(48.0, min(132.0, area.height() * 0.24, area.width() * 0.3))
    has_room = area.height() >= 150
    height = size * 0.72 + 84 if has_room else 84.0
    top = area.center().y() - height / 2
    if has_room:
        icon = QRectF(area.center().x() - size / 2, top, size, size * 0.72)
        _paint_icon(painter, icon)
        top = icon.bottom() + 22
    _paint_lines(painter, QRectF(area.left() + 16, top, area.width() - 32, 90), title, text, font)


def _paint_icon(painter: QPainter, icon: QRectF) -> None:
    """A picture of a road, its areas coloured, with a play mark."""
    frame = QPainterPath()
    frame.addRoundedRect(icon, icon.height() * 0.12, icon.height() * 0.12)
    painter.fillPath(frame, _FILL)
    painter.save()
    painter.setClipPath(frame)
    horizon = icon.top() + icon.height() * 0.46
    painter.fillRect(QRectF(icon.left(), horizon, icon.width(), icon.height()), _VERGE)
    middle = icon.center().x()
    painter.fillPath(_quad(middle, horizon, icon.bottom(), icon.width(), 0.05, 0.62), _ROAD)
    dash = QColor(_TITLE)
    dash.setAlpha(0x60)
    for near, far in ((0.98, 0.78), (0.68, 0.56), (0.5, 0.43)):
        low, high = (horizon + (icon.bottom() - horizon) * part for part in (near, far))
        painter.fillPath(_quad(middle, high, low, icon.width(), 0.018 * far, 0.018 * near), dash)
    painter.restore()
    painter.setPen(QPen(_LINE, max(1.5, icon.height() * 0.025)))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPath(frame)
    _paint_play_mark(painter, QPointF(middle, icon.center().y()), icon.height() * 0.2)


def _quad(
    middle: float, top: float, bottom: float, width: float, upper: float, lower: float
) -> QPainterPath:
    """A symmetric trapezium; `upper` and `lower` are half widths as parts of `width`."""
    path = QPainterPath(QPointF(middle - width * upper, top))
    path.lineTo(middle + width * upper, top)
    path.lineTo(middle + width * lower, bottom)
    path.lineTo(middle - width * lower, bottom)
    path.closeSubpath()
    return path


def _paint_play_mark(painter: QPainter, center: QPointF, radius: float) -> None:
    disc = QColor(0x10, 0x10, 0x10, 0xB0)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(disc)
    painter.drawEllipse(center, radius, radius)
    mark = QPainterPath(QPointF(center.x() - radius * 0.33, center.y() - radius * 0.48))
    mark.lineTo(center.x() + radius * 0.55, center.y())
    mark.lineTo(center.x() - radius * 0.33, center.y() + radius * 0.48)
    mark.closeSubpath()
    painter.fillPath(mark, _TITLE)


def _paint_lines(painter: QPainter, area: QRectF, title: str, text: str, font: QFont) -> None:
    """The title, larger, and the text below it; both wrap."""
    wrapped = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap
    large = QFont(font)
    large.setPointSizeF(max(font.pointSizeF(), 8.0) * 1.4)
    painter.setFont(large)
    painter.setPen(_TITLE)
    used = painter.boundingRect(area, int(wrapped), title)
    painter.drawText(used, int(wrapped), title)
    painter.setFont(font)
    painter.setPen(_TEXT)
    painter.drawText(area.adjusted(0, used.height() + 8, 0, 60), int(wrapped), text)


def paint_drop_hint(painter: QPainter, area: QRectF, accent: QColor) -> None:
    """A frame around the canvas while files are held over it."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    soft = QColor(accent)
    soft.setAlpha(0x24)
    inner = area.adjusted(6, 6, -6, -6)
    painter.setPen(QPen(accent, 2, Qt.PenStyle.DashLine))
    painter.setBrush(soft)
    painter.drawRoundedRect(inner, 8, 8)
