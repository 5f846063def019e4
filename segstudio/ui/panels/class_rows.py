"""The rows of the class list: what they hold, and how one is painted."""

from dataclasses import dataclass

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QRectF,
    QSize,
    Qt,
)
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from segstudio.core.classes import VOID
from segstudio.ui import icons, theme
from segstudio.ui.theme import tabular

ROW = 28
EYE, LOCK = 26, 50
"""From the right end of a row to the left end of its buttons, 24 pixels each."""

Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True)
class ClassRow:
    """share: of the frame, 0..1, None before the first mask. digit: the key that chooses it.

    is_fixed: nothing can be done with it, as with void and origins.
    """

    name: str
    color: tuple[int, int, int]
    class_id: int
    share: float | None
    is_hidden: bool = False
    is_locked: bool = False
    is_active: bool = False
    digit: int | None = None
    is_fixed: bool = False
    tip: str = ""


class ClassModel(QAbstractListModel):
    """`show_rows` replaces the rows and tells the view what differs."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[ClassRow] = []

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        row = self.rows[index.row()]
        if role == Qt.ItemDataRole.UserRole:
            return row
        if role == Qt.ItemDataRole.ToolTipRole:
            return row.tip
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            words = [row.name, "hidden" if row.is_hidden else "shown"]
            words += ["locked"] if row.is_locked else []
            words += ["active"] if row.is_active else []
            words += [] if row.share is None else [f"{100 * row.share:.1f} % of the frame"]
            return ", ".join(words)
        return None

    def show_rows(self, rows: list[ClassRow]) -> None:
        """Reset when the classes differ, else repaint what changed."""
        if [r.class_id for r in rows] != [r.class_id for r in self.rows]:
            self.beginResetModel()
            self.rows = rows
            self.endResetModel()
            return
        changed = [i for i, (a, b) in enumerate(zip(self.rows, rows, strict=True)) if a != b]
        self.rows = rows
        if changed:
            self.dataChanged.emit(self.index(changed[0]), self.index(changed[-1]))


class ClassDelegate(QStyledItemDelegate):
    """Swatch, name, key, share, lock, eye; the active class carries a bar at its left."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(120, ROW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row: ClassRow = index.data(Qt.ItemDataRole.UserRole)
        colors, area = theme.current(), QRectF(option.rect)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        is_under_mouse = bool(option.state & QStyle.StateFlag.State_MouseOver)
        is_hot = is_under_mouse or bool(option.state & QStyle.StateFlag.State_HasFocus)
        if row.is_active or (is_hot and not row.is_fixed):
            painter.setBrush(QColor(colors.accent_soft if row.is_active else colors.hover))
            painter.drawRoundedRect(area.adjusted(0, 1, 0, -1), 6, 6)
        if row.is_active:
            painter.setBrush(QColor(colors.accent))
            painter.drawRoundedRect(QRectF(area.left(), area.top() + 6, 3, ROW - 12), 1.5, 1.5)
        _paint_swatch(painter, area, row)
        _paint_name(painter, area, row, option)
        painter.setFont(option.font)
        _paint_share(painter, area, row)
        if not row.is_fixed:
            if row.is_locked or is_under_mouse:
                drawing = "lock" if row.is_locked else "unlock"
                tone = colors.text if row.is_locked else colors.faint
                _paint_icon(painter, area, drawing, tone, LOCK)
            tone = colors.text if is_under_mouse or row.is_hidden else colors.faint
            _paint_icon(painter, area, "eye-off" if row.is_hidden else "eye", tone, EYE)
        painter.restore()


def _paint_icon(painter: QPainter, area: QRectF, drawing: str, tone: str, left: int) -> None:
    ratio = painter.device().devicePixelRatioF()
    picture = icons.pixmap(drawing, tone, 16, ratio)
    painter.drawPixmap(int(area.right() - left + 3), int(area.center().y() - 7), picture)


def _paint_swatch(painter: QPainter, area: QRectF, row: ClassRow) -> None:
    swatch = QRectF(area.left() + 10, area.center().y() - 6.5, 14, 14)
    color, is_empty = QColor(*row.color), row.is_hidden or row.class_id == VOID
    painter.setPen(QColor(theme.current().line_strong))
    painter.setBrush(Qt.BrushStyle.NoBrush if is_empty else color)
    if row.is_hidden:
        painter.setPen(color if color.lightness() > 60 else QColor(theme.current().faint))
    painter.drawRoundedRect(swatch.adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)


def _paint_name(
    painter: QPainter, area: QRectF, row: ClassRow, option: QStyleOptionViewItem
) -> None:
    """The name, and its key small behind it."""
    colors = theme.current()
    is_faint = row.is_hidden or row.class_id == VOID
    painter.setPen(QColor(colors.faint if is_faint else colors.text))
    painter.setFont(option.font)
    metrics = painter.fontMetrics()
    room = area.adjusted(32, 0, -130, 0)
    key = 18 if row.digit is not None else 0
    text = metrics.elidedText(row.name, Qt.TextElideMode.ElideRight, int(room.width()) - key)
    painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, text)
    if row.digit is not None:
        small = tabular(painter.font())
        small.setPixelSize(11)
        painter.setFont(small)
        painter.setPen(QColor(colors.faint))
        left = room.left() + metrics.horizontalAdvance(text) + 7
        place = QRectF(left, area.top() + 1, 14, area.height())
        painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, str(row.digit))


def _paint_share(painter: QPainter, area: QRectF, row: ClassRow) -> None:
    """The bar and the figure; a class with any pixel at all gets at least a sliver."""
    if row.share is None:
        return
    colors = theme.current()
    right = area.right() - 52
    bar = QRectF(right - 76, area.center().y() - 1.5, 28, 4)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(colors.track))
    painter.drawRoundedRect(bar, 2, 2)
    if row.share > 0:
        bar.setWidth(max(2.0, bar.width() * row.share))
        painter.setBrush(QColor(colors.faint if row.is_hidden else colors.accent))
        painter.drawRoundedRect(bar, 2, 2)
    painter.setPen(QColor(colors.muted if row.share > 0 else colors.faint))
    painter.setFont(tabular(painter.font()))
    figure = QRectF(right - 48, area.top(), 48, area.height())
    flags = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
    painter.drawText(figure, flags, f"{100 * row.share:.1f} %")
