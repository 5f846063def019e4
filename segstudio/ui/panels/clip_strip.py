"""A strip above the timeline and in line with it: what all such strips share."""

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QLineF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from segstudio.ui import theme
from segstudio.ui.panels.timeline import MARGIN as INSIDE
from segstudio.ui.session import Session
from segstudio.ui.theme import UNIT

MARGIN = INSIDE + UNIT
"""In line with the timeline, which lies in a bar with a margin of its own."""

NEAR = 0.02
"""Frames this far apart, as a part of the clip, are joined by a line."""

Line = NDArray[np.float32]
"""(n,): a number of each frame, NaN where there is none."""


class ClipStrip(QWidget):
    """Says where frames lie, tells what is known of the one under the mouse, goes to it on a click.

    Sub-classes paint, and say which frames they know something of.
    """

    def __init__(self, session: Session, name: str, height: int) -> None:
        """name: said to those who do not see it. height: px."""
        super().__init__()
        self._session = session
        self._height = height
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(name)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        session.player.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        return QSize(320, self._height)

    def known(self) -> NDArray[np.int64]:
        """Frames that `tip` can say something of, in order."""
        raise NotImplementedError

    def tip(self, index: int) -> str:
        """What is known of such a frame."""
        raise NotImplementedError

    # --- places

    def area(self) -> QRectF:
        """Where is painted."""
        return QRectF(MARGIN, 4, max(1, self.width() - 2 * MARGIN), self.height() - 8)

    def x_of(self, index: int) -> float:
        """The middle of a frame, px."""
        last = max(1, self._session.player.last_index)
        return MARGIN + (self.width() - 2 * MARGIN) * min(1.0, max(0, index) / last)

    def index_at(self, x: float) -> int:
        """The frame there."""
        last = max(0, self._session.player.last_index)
        share = (x - MARGIN) / max(1, self.width() - 2 * MARGIN)
        return round(min(1.0, max(0.0, share)) * last)

    def nearest(self, x: float) -> int | None:
        """The known frame nearest to a place, within a few pixels."""
        known = self.known()
        if not len(known):
            return None
        index = int(known[np.argmin(np.abs(known - self.index_at(x)))])
        return index if abs(self.x_of(index) - x) <= UNIT else None

    # --- painting

    def paint_ground(self, painter: QPainter, shares: tuple[float, ...]) -> None:
        """Lines at these heights, 0..1, and where the clip is."""
        colors, area = theme.current(), self.area()
        painter.setPen(QPen(QColor(colors.line), 1))
        for share in shares:
            y = area.bottom() - share * area.height()
            painter.drawLine(QLineF(area.left(), y, area.right(), y))
        x = self.x_of(self._session.player.playing.index)
        painter.setPen(QPen(QColor(colors.line_strong), 1))
        painter.drawLine(QLineF(x, area.top(), x, area.bottom()))

    def say(self, painter: QPainter, text: str, *, in_middle: bool, at_top: bool = False) -> None:
        """What the strip is, at the end where clips are measured last; or why there is nothing."""
        area = self.area()
        width = painter.fontMetrics().horizontalAdvance(text) + 2 * UNIT
        top = area.top() + 1 if at_top else area.bottom() - 14
        box = QRectF(area.right() - width, top, width, 14)
        if in_middle:
            box.moveCenter(area.center())
        painter.fillRect(box, QColor(theme.current().window))
        painter.setPen(QColor(theme.current().muted))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    # --- the mouse

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        index = self.nearest(event.position().x())
        if index is None:
            QToolTip.hideText()
            return
        QToolTip.showText(event.globalPosition().toPoint(), self.tip(index), self)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            x = event.position().x()
            index = self.nearest(x)
            self._session.player.seek(self.index_at(x) if index is None else index)

    def leaveEvent(self, event: QEvent) -> None:
        QToolTip.hideText()
