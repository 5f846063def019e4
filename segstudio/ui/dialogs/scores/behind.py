"""The frames behind one cell of the matrix, most pixels first; a click goes to one of them."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from segstudio.store.project_rows import FrameKey
from segstudio.ui import theme
from segstudio.ui.comparing.wording import pixels
from segstudio.ui.theme import tabular

ROW = 38
Index = QModelIndex | QPersistentModelIndex


class BehindModel(QAbstractListModel):
    """Frames with their pixels; a title is asked for when it is painted."""

    def __init__(self, title_of: Callable[[FrameKey], str]) -> None:
        super().__init__()
        self.title_of = title_of
        self.frames: list[tuple[FrameKey, int]] = []

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.frames)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        key, number = self.frames[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return self.title_of(key)
        if role in (Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole):
            return f"{self.title_of(key)}, {pixels(number)}"
        return None

    def show_frames(self, frames: Sequence[tuple[FrameKey, int]]) -> None:
        """Replace them; rows that only count otherwise are painted again."""
        if [key for key, _ in frames] == [key for key, _ in self.frames]:
            self.frames = list(frames)
            if frames:
                self.dataChanged.emit(self.index(0), self.index(len(frames) - 1))
            return
        self.beginResetModel()
        self.frames = list(frames)
        self.endResetModel()


class BehindDelegate(QStyledItemDelegate):
    """Title, pixels, and a bar against the frame that has most."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(160, ROW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        model = index.model()
        if not isinstance(model, BehindModel):
            return
        colors, area = theme.current(), QRectF(option.rect)
        number = model.frames[index.row()][1]
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        is_here = bool(option.state & QStyle.StateFlag.State_Selected)
        if is_here or option.state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(colors.accent_soft if is_here else colors.hover))
            painter.drawRoundedRect(area.adjusted(0, 1, 0, -1), 6, 6)
        painter.setFont(tabular(option.font))
        inside = area.adjusted(10, 4, -10, -8)
        text, middle = pixels(number), Qt.AlignmentFlag.AlignVCenter
        painter.setPen(QColor(colors.muted))
        painter.drawText(inside, middle | Qt.AlignmentFlag.AlignRight, text)
        width = painter.fontMetrics().horizontalAdvance(text)
        inside.setWidth(inside.width() - width - 10)
        title = painter.fontMetrics().elidedText(
            str(model.data(index)), Qt.TextElideMode.ElideMiddle, int(inside.width())
        )
        painter.setPen(QColor(colors.text))
        painter.drawText(inside, middle, title)
        bar = QRectF(area.left() + 10, area.bottom() - 7, area.width() - 20, 2)
        painter.fillRect(bar, QColor(colors.track))
        bar.setWidth(max(2.0, bar.width() * number / max(1, model.frames[0][1])))
        painter.fillRect(bar, QColor(colors.accent))
        painter.restore()


class BehindList(QListView):
    """Signals:
    frame_taken(object): FrameKey of a frame that was clicked, or chosen with Enter.
    """

    frame_taken = Signal(object)

    def __init__(self, title_of: Callable[[FrameKey], str]) -> None:
        super().__init__()
        self._model = BehindModel(title_of)
        self.setModel(self._model)
        self.setItemDelegate(BehindDelegate(self))
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setAccessibleName("Frames behind the cell")
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.viewport().setCursor(Qt.CursorShape.PointingHandCursor)
        self.clicked.connect(self._take)

    @property
    def frames(self) -> list[tuple[FrameKey, int]]:
        """What is listed, with pixels."""
        return self._model.frames

    def show_frames(self, frames: Sequence[tuple[FrameKey, int]]) -> None:
        """Replace the list."""
        self._model.show_frames(frames)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self._take(self.currentIndex())
        else:
            super().keyPressEvent(event)

    def _take(self, index: Index) -> None:
        self.frame_taken.emit(self._model.frames[index.row()][0])
