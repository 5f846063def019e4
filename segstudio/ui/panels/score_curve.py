"""Each model's own mIoU frame by frame, above the timeline and in line with it."""

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QLineF, QPointF, QRectF, QSize, Qt, Slot
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from segstudio.ui import theme
from segstudio.ui.comparing.panes import COLORS
from segstudio.ui.panels.timeline import MARGIN as INSIDE
from segstudio.ui.session import Session
from segstudio.ui.theme import UNIT

HEIGHT = 6 * UNIT

MARGIN = INSIDE + UNIT
"""In line with the timeline, which lies in a bar with a margin of its own."""

NEAR = 0.02
"""Frames this far apart, as a part of the clip, are joined by a line."""

Line = NDArray[np.float32]


class ScoreCurve(QWidget):
    """Hidden until a model was held against the labels of a frame. A click goes to the frame."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._lines: dict[str, Line] = {}
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("mIoU along the timeline")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        session.scores.changed.connect(self.follow)
        session.player.source_changed.connect(self.follow)
        session.comparison.changed.connect(self.follow)
        session.player.changed.connect(self.update)
        self.follow()

    def sizeHint(self) -> QSize:
        return QSize(320, HEIGHT)

    @Slot()
    def follow(self) -> None:
        """Other figures."""
        session = self._session
        media, count = session.editor.projects.media, session.player.last_index + 1
        self._lines = {}
        if media is not None and count > 1:
            for letter in session.comparison.letters:
                line = session.scores.curve(letter, media.id, count)
                if not np.isnan(line).all():
                    self._lines[letter] = line
        self.setVisible(bool(self._lines))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colors = theme.current()
        area = self._area()
        painter.setPen(QPen(QColor(colors.line), 1))
        for share in (0.0, 0.5, 1.0):
            y = area.bottom() - share * area.height()
            painter.drawLine(QLineF(area.left(), y, area.right(), y))
        x = self._x_of(self._session.player.playing.index)
        painter.setPen(QPen(QColor(colors.line_strong), 1))
        painter.drawLine(QLineF(x, area.top(), x, area.bottom()))
        for letter, line in reversed(self._lines.items()):
            self._draw(painter, line, QColor(COLORS[letter]))
        self._name(painter, area, "mIoU")
        painter.end()

    def _name(self, painter: QPainter, area: QRectF, text: str) -> None:
        """What the curve is, at the end where clips are measured last."""
        font = painter.font()
        font.setPixelSize(10)
        painter.setFont(font)
        width = painter.fontMetrics().horizontalAdvance(text) + UNIT
        box = QRectF(area.right() - width, area.bottom() - 14, width, 14)
        painter.fillRect(box, QColor(theme.current().window))
        painter.setPen(QColor(theme.current().muted))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def _draw(self, painter: QPainter, line: Line, color: QColor) -> None:
        known = np.flatnonzero(~np.isnan(line))
        area = self._area()
        shown = _thinned(line, known, max(2, int(area.width())))
        points = [
            QPointF(self._x_of(int(i)), area.bottom() - float(line[i]) * area.height())
            for i in shown
        ]
        far = NEAR * len(line) + 1
        painter.setPen(QPen(color, 1.5))
        start = 0
        for end in range(1, len(points) + 1):
            if end == len(points) or shown[end] - shown[end - 1] > far:
                painter.drawPolyline(QPolygonF(points[start:end]))
                start = end
        if len(points) <= 200:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(color)
            for point in points:
                painter.drawEllipse(point, 2.2, 2.2)

    def _area(self) -> QRectF:
        return QRectF(MARGIN, 4, max(1, self.width() - 2 * MARGIN), self.height() - 8)

    def _x_of(self, index: int) -> float:
        last = max(1, self._session.player.last_index)
        return MARGIN + (self.width() - 2 * MARGIN) * min(1.0, max(0, index) / last)

    def _index_at(self, x: float) -> int:
        last = max(0, self._session.player.last_index)
        share = (x - MARGIN) / max(1, self.width() - 2 * MARGIN)
        return round(min(1.0, max(0.0, share)) * last)

    def _nearest(self, x: float) -> int | None:
        """The measured frame nearest to a place, within a few pixels."""
        known = [np.flatnonzero(~np.isnan(line)) for line in self._lines.values()]
        every = np.unique(np.concatenate(known)) if known else np.empty(0, np.int64)
        if not len(every):
            return None
        index = int(every[np.argmin(np.abs(every - self._index_at(x)))])
        return index if abs(self._x_of(index) - x) <= UNIT else None

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        index = self._nearest(event.position().x())
        if index is None:
            QToolTip.hideText()
            return
        parts = [
            f"{letter}  {100 * float(line[index]):.1f} %"
            for letter, line in self._lines.items()
            if not np.isnan(line[index])
        ]
        text = "\n".join((f"Frame {index}, its own mIoU, void left out", *parts))
        QToolTip.showText(event.globalPosition().toPoint(), text, self)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            x = event.position().x()
            index = self._nearest(x)
            self._session.player.seek(self._index_at(x) if index is None else index)

    def leaveEvent(self, event: QEvent) -> None:
        QToolTip.hideText()


def _thinned(line: Line, known: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Frames to draw: all, or the worst of those that share a pixel."""
    if len(known) <= most:
        return known
    groups = np.array_split(known, most)
    return np.array([group[np.argmin(line[group])] for group in groups], np.int64)
