"""The rows of "What next": small picture, where, how much it is worth, and why."""

import math
import re
from collections.abc import Callable

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QPointF,
    QRectF,
    QSize,
    Qt,
)
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetrics,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPen,
    QResizeEvent,
    QTextLayout,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from segstudio.ui import theme
from segstudio.ui.panels.timeline import time_code
from segstudio.ui.suggesting.suggesting import Entry
from segstudio.ui.theme import UNIT, tabular

PICTURE = QSize(80, 46)
MOST_LINES = 3
SMALL = 12
GAP = UNIT // 2
Index = QModelIndex | QPersistentModelIndex


def title_of(entry: Entry) -> str:
    """ "40 · 00:01.300", or the name of the picture."""
    frame, name = entry.suggestion.frame, entry.suggestion.name
    if frame.time_us is not None:
        return f"{frame.index} · {time_code(frame.time_us)}"
    return name or f"Frame {frame.index}"


class SuggestionModel(QAbstractListModel):
    """entries: as they are listed."""

    def __init__(self, picture_of: Callable[[int], QImage | None]) -> None:
        """picture_of: the small picture of a frame, None while there is none."""
        super().__init__()
        self.entries: tuple[Entry, ...] = ()
        self.picture_of = picture_of
        self.frame_size = (0, 0)  # (h, w) of the clip, that regions are drawn in

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.entries)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        entry = self.entries[index.row()]
        if role == Qt.ItemDataRole.UserRole:
            return entry
        if role == Qt.ItemDataRole.ToolTipRole:
            return entry.suggestion.reason
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return f"{entry.number}, {title_of(entry)}, {entry.suggestion.reason}"
        return None

    def show_entries(self, entries: tuple[Entry, ...], size: tuple[int, int]) -> None:
        """List these; nothing happens when they are the same as before."""
        if entries != self.entries or size != self.frame_size:
            self.beginResetModel()
            self.entries, self.frame_size = entries, size
            self.endResetModel()

    def renew(self, frame: int) -> None:
        """Its small picture is new."""
        for row, entry in enumerate(self.entries):
            if entry.index == frame:
                self.dataChanged.emit(self.index(row), self.index(row))


class SuggestionDelegate(QStyledItemDelegate):
    """Paints one row, as high as its reason is long."""

    def __init__(self, view: "SuggestionList") -> None:
        super().__init__(view)
        self._view = view

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        entry: Entry = index.data(Qt.ItemDataRole.UserRole)
        font, width = _small(option.font), self._view.viewport().width()
        lines = len(wrapped(entry.suggestion.reason, font, width - 2 * UNIT))
        words = lines * QFontMetrics(font).lineSpacing()
        return QSize(width, UNIT + PICTURE.height() + GAP + words + UNIT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        entry: Entry = index.data(Qt.ItemDataRole.UserRole)
        model, colors, area = index.model(), theme.current(), QRectF(option.rect)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        is_here = self._view.currentIndex() == index
        if is_here or option.state & QStyle.StateFlag.State_MouseOver:
            painter.setBrush(QColor(colors.accent_soft if is_here else colors.hover))
            painter.drawRoundedRect(area.adjusted(0, 1, 0, -1), 6, 6)
        room = area.adjusted(UNIT, UNIT, -UNIT, -UNIT)
        place = QRectF(room.topLeft(), PICTURE.toSizeF())
        if isinstance(model, SuggestionModel):
            _paint_picture(painter, place, model.picture_of(entry.index), entry, model.frame_size)
        _paint_head(painter, room.adjusted(PICTURE.width() + UNIT, 0, 0, 0), entry, option.font)
        font = _small(option.font)
        painter.setFont(font)
        painter.setPen(QColor(colors.text if is_here else colors.muted))
        step, top = QFontMetrics(font).lineSpacing(), place.bottom() + GAP
        for line in wrapped(entry.suggestion.reason, font, int(room.width())):
            painter.drawText(QRectF(room.left(), top, room.width(), step),
                             Qt.AlignmentFlag.AlignVCenter, line)  # fmt: skip
            top += step
        painter.restore()


def _paint_picture(
    painter: QPainter, place: QRectF, picture: QImage | None, entry: Entry, size: tuple[int, int]
) -> None:
    """The frame, and of a region the box around it."""
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
    rect, (h, w) = entry.suggestion.region, size
    if rect is None or not h or not w:
        return
    corner = part.topLeft() + QPointF(rect.x0 * part.width() / w, rect.y0 * part.height() / h)
    box = QRectF(corner.x(), corner.y(), max(5.0, rect.width * part.width() / w),
                 max(5.0, rect.height * part.height() / h)).intersected(part)  # fmt: skip
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for color, wide in (("#000000", 3.0), ("#ffffff", 1.5)):  # seen on any picture
        painter.setPen(QPen(QColor(color), wide))
        painter.drawRect(box)
    painter.setPen(Qt.PenStyle.NoPen)


def _paint_head(painter: QPainter, area: QRectF, entry: Entry, font: QFont) -> None:
    """Its place in the list, where it is, and a bar of what it is worth beside the best one."""
    colors, middle = theme.current(), Qt.AlignmentFlag.AlignVCenter
    painter.setFont(tabular(font))
    line = QRectF(area.left(), area.top() + 4, area.width(), 18)
    number = f"{entry.number}"
    painter.setPen(QColor(colors.faint))
    painter.drawText(line, middle | Qt.AlignmentFlag.AlignRight, number)
    metrics = painter.fontMetrics()
    wide = int(area.width()) - metrics.horizontalAdvance(number) - UNIT
    painter.setPen(QColor(colors.text))
    cut = metrics.elidedText(title_of(entry), Qt.TextElideMode.ElideMiddle, wide)
    painter.drawText(line, middle, cut)
    painter.setPen(Qt.PenStyle.NoPen)
    bar = QRectF(area.left(), area.top() + 32, area.width(), 4)
    painter.setBrush(QColor(colors.track))
    painter.drawRoundedRect(bar, 2, 2)
    bar.setWidth(max(4.0, bar.width() * entry.worth))
    painter.setBrush(QColor(colors.accent))
    painter.drawRoundedRect(bar, 2, 2)


def _small(font: QFont) -> QFont:
    small = tabular(font)
    small.setPixelSize(SMALL)
    return small


def wrapped(text: str, font: QFont, width: int) -> list[str]:
    """In at most MOST_LINES lines; what does not fit ends in an ellipsis. Figures stay with their
    units."""
    text = re.sub(r"(?<=\d) (?=%|px)", "\N{NO-BREAK SPACE}", text)
    layout = QTextLayout(text, font)
    layout.beginLayout()
    starts: list[int] = []
    while (line := layout.createLine()).isValid():
        line.setLineWidth(max(width, UNIT))
        starts.append(line.textStart())
    layout.endLayout()
    ends = [*starts[1:], len(text)]
    lines = [text[a:b].strip() for a, b in zip(starts, ends, strict=True)]
    if len(lines) > MOST_LINES:
        rest = text[starts[MOST_LINES - 1] :]
        cut = QFontMetrics(font).elidedText(rest, Qt.TextElideMode.ElideRight, width)
        lines = [*lines[: MOST_LINES - 1], cut]
    return lines


class SuggestionList(QListView):
    """A click, or Enter and the arrows once it was reached with Tab, go to a suggestion."""

    def __init__(self, model: SuggestionModel, go: Callable[[Entry], None]) -> None:
        super().__init__()
        self._model = model
        self._go = go
        self.setModel(model)
        self.setItemDelegate(SuggestionDelegate(self))
        self.setMouseTracking(True)
        self.setAccessibleName("What next")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.viewport().setCursor(Qt.CursorShape.PointingHandCursor)

    def mark(self, entry: Entry | None) -> None:
        """The one that was gone to; its row comes into sight."""
        rows = self._model.entries
        row = next((n for n, e in enumerate(rows) if e is entry), -1)
        index = self._model.index(row) if row >= 0 else QModelIndex()
        if index != self.currentIndex():
            self.setCurrentIndex(index)
            if index.isValid():
                self.scrollTo(index)
            self.viewport().update()

    def height_of(self, rows: float) -> int:
        """Pixels that so many rows take, the first ones; all of them when there are no more."""
        total = 0.0
        for row in range(min(math.ceil(rows), len(self._model.entries))):
            height = self.sizeHintForIndex(self._model.index(row)).height()
            total += height * min(1.0, rows - row)
        return round(total)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        index = self.indexAt(event.position().toPoint())
        if index.isValid() and event.button() == Qt.MouseButton.LeftButton:
            self._go(self._model.entries[index.row()])

    def keyPressEvent(self, event: QKeyEvent) -> None:
        before = self.currentIndex()
        super().keyPressEvent(event)
        now = self.currentIndex()
        enters = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if now.isValid() and (now != before or event.key() in enters):
            self._go(self._model.entries[now.row()])

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.scheduleDelayedItemsLayout()
