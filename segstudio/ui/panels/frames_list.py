"""The rows of the frame list: small picture, where, state, share done by hand, flag, bookmark."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QPointF,
    QRectF,
    QSize,
    Qt,
    Slot,
)
from PySide6.QtGui import QColor, QFont, QImage, QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from segstudio.core.origins import FrameState
from segstudio.ui import icons, theme
from segstudio.ui.correcting.marks import STATES
from segstudio.ui.panels.timeline_strips import TONES
from segstudio.ui.theme import tabular
from segstudio.ui.words import share_text

ROW = 66
PICTURE = QSize(80, 46)
Index = QModelIndex | QPersistentModelIndex
_RIGHT = Qt.TextElideMode.ElideRight


@dataclass(frozen=True, slots=True)
class FrameRow:
    """title: time or file. flag: its note, None without. share: 0..1 painted by a human."""

    index: int
    title: str
    state: FrameState
    share: float
    flag: str | None
    is_bookmarked: bool

    def as_text(self) -> str:
        """For people who listen."""
        parts = [self.title, f"frame {self.index}", str(self.state)]
        if self.share:
            parts.append(f"{share_text(self.share)} by hand")
        if self.flag is not None:
            parts.append(f"flagged {self.flag}".strip())
        if self.is_bookmarked:
            parts.append("bookmarked")
        return ", ".join(parts)


class FrameModel(QAbstractListModel):
    """Which frames are listed; what a row says is asked for when it is painted."""

    def __init__(
        self, row_of: Callable[[int], FrameRow], picture_of: Callable[[int], QImage | None]
    ) -> None:
        super().__init__()
        self.frames: NDArray[np.int64] = np.zeros(0, np.int64)
        self._row_of = row_of
        self.picture_of = picture_of

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.frames)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        roles = (Qt.ItemDataRole.UserRole, Qt.ItemDataRole.ToolTipRole,
                 Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole)  # fmt: skip
        if role not in roles:
            return None
        row = self._row_of(int(self.frames[index.row()]))
        if role == Qt.ItemDataRole.UserRole:
            return row
        if role == Qt.ItemDataRole.ToolTipRole:
            return row.flag or None
        return row.as_text()

    def row_at(self, frame: int) -> int:
        """The row of a frame, -1 when it is not listed."""
        row = int(np.searchsorted(self.frames, frame))
        return row if row < len(self.frames) and self.frames[row] == frame else -1

    def show_frames(self, frames: NDArray[np.int64]) -> bool:
        """List these, ascending; False when they are the same as before."""
        if np.array_equal(frames, self.frames):
            return False
        self.beginResetModel()
        self.frames = frames
        self.endResetModel()
        return True

    @Slot(int)
    def renew(self, frame: int) -> None:
        """Paint its row again."""
        row = self.row_at(frame)
        if row >= 0:
            self.dataChanged.emit(self.index(row), self.index(row))


class FrameDelegate(QStyledItemDelegate):
    """Paints one row."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(160, ROW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row: FrameRow = index.data(Qt.ItemDataRole.UserRole)
        model, view = index.model(), self.parent()
        colors, area = theme.current(), QRectF(option.rect)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        is_here = isinstance(view, QListView) and view.currentIndex() == index
        if is_here or option.state & QStyle.StateFlag.State_MouseOver:
            painter.setBrush(QColor(colors.accent_soft if is_here else colors.hover))
            painter.drawRoundedRect(area.adjusted(4, 1, -4, -1), 6, 6)
        if isinstance(model, FrameModel):
            place = QRectF(area.left() + 10, area.top() + 10, PICTURE.width(), PICTURE.height())
            _paint_picture(painter, place, model.picture_of(row.index))
            _paint_marks(painter, place, row)
        _paint_words(painter, area.adjusted(PICTURE.width() + 20, 0, -12, 0), row, option.font)
        painter.restore()


def _paint_picture(painter: QPainter, place: QRectF, picture: QImage | None) -> None:
    colors = theme.current()
    painter.setBrush(QColor(colors.track))
    painter.drawRoundedRect(place, 3, 3)
    if picture is None or picture.isNull():
        return
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    by = min(place.width() / picture.width(), place.height() / picture.height())
    part = QRectF(0, 0, picture.width() * by, picture.height() * by)
    part.moveCenter(place.center())
    painter.drawImage(part, picture)


def _paint_marks(painter: QPainter, place: QRectF, row: FrameRow) -> None:
    """In the corner of the picture, on a ground of their own."""
    colors, ratio = theme.current(), painter.device().devicePixelRatioF()
    at = place.topLeft()
    for is_there, drawing, tone in (
        (row.flag is not None, "flag", colors.bad),
        (row.is_bookmarked, "bookmark", colors.accent),
    ):
        if is_there:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(colors.panel))
            painter.drawRoundedRect(QRectF(at.x(), at.y(), 18, 18), 3, 3)
            painter.drawPixmap(at + QPointF(2, 2), icons.pixmap(drawing, tone, 14, ratio))
            at += QPointF(19, 0)


def _paint_words(painter: QPainter, area: QRectF, row: FrameRow, font: QFont) -> None:
    colors, middle = theme.current(), Qt.AlignmentFlag.AlignVCenter
    painter.setFont(tabular(font))
    painter.setPen(QColor(colors.text))
    _text(painter, QRectF(area.left(), area.top() + 8, area.width(), 16), row.title,
          Qt.TextElideMode.ElideMiddle)  # fmt: skip
    small = tabular(font)
    small.setPixelSize(12)
    painter.setFont(small)
    painter.setPen(Qt.PenStyle.NoPen)
    tone = TONES.get(STATES.index(row.state))
    painter.setBrush(QColor(getattr(colors, tone)) if tone else Qt.BrushStyle.NoBrush)
    if not tone:
        painter.setPen(QColor(colors.faint))
    painter.drawEllipse(QPointF(area.left() + 4, area.top() + 34), 3.5, 3.5)
    line = QRectF(area.left() + 13, area.top() + 26, area.width() - 13, 16)
    painter.setPen(QColor(colors.muted))
    painter.drawText(line, middle, str(row.state).capitalize())
    if row.share:
        painter.drawText(line, middle | Qt.AlignmentFlag.AlignRight, share_text(row.share))
    bar = QRectF(area.left(), area.top() + 47, area.width(), 3)
    if row.flag:
        painter.setPen(QColor(colors.bad))
        _text(painter, QRectF(area.left(), area.top() + 42, area.width(), 14), row.flag)
        bar.moveTop(area.top() + 58)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(colors.track))
    painter.drawRoundedRect(bar, 1.5, 1.5)
    if row.share > 0:
        bar.setWidth(max(3.0, bar.width() * row.share))
        painter.setBrush(QColor(colors.accent))
        painter.drawRoundedRect(bar, 1.5, 1.5)


def _text(painter: QPainter, area: QRectF, text: str, at: Qt.TextElideMode = _RIGHT) -> None:
    cut = painter.fontMetrics().elidedText(text.replace("\n", " "), at, int(area.width()))
    painter.drawText(area, Qt.AlignmentFlag.AlignVCenter, cut)


class FrameList(QListView):
    """A click, or the arrows once it was reached with Tab, go to the frame."""

    def __init__(self, model: FrameModel, go: Callable[[int], None]) -> None:
        super().__init__()
        self._model = model
        self._go = go
        self.setModel(model)
        self.setItemDelegate(FrameDelegate(self))
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setAccessibleName("Frames")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.viewport().setCursor(Qt.CursorShape.PointingHandCursor)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        index = self.indexAt(event.position().toPoint())
        if index.isValid() and event.button() == Qt.MouseButton.LeftButton:
            self._go(int(self._model.frames[index.row()]))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        before = self.currentIndex()
        super().keyPressEvent(event)
        now = self.currentIndex()
        if now.isValid() and (now != before or event.key() == Qt.Key.Key_Return):
            self._go(int(self._model.frames[now.row()]))

    def mark(self, frame: int, *, follow: bool) -> None:
        """The frame on the screen. follow: bring its row into sight."""
        row = self._model.row_at(frame)
        index = self._model.index(row) if row >= 0 else QModelIndex()
        if index != self.currentIndex():
            sight = self.verticalScrollBar().value()
            self.setCurrentIndex(index)
            if not follow:
                self.verticalScrollBar().setValue(sight)
        if follow and index.isValid():
            self.scrollTo(index)
