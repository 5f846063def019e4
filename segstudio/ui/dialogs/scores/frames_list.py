"""All frames of one model by their own figure, the worst first; a click goes there."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import (
    QAbstractTableModel,
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
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
)

from segstudio.core.metrics import Convention, parts_of, ratio
from segstudio.core.tally import FrameCounts, Standing
from segstudio.store.project_rows import FrameKey
from segstudio.ui import theme
from segstudio.ui.comparing.wording import drafted_by, percent
from segstudio.ui.dialogs.scores.head import INSET, Head, dress, inset
from segstudio.ui.theme import tabular
from segstudio.ui.words import share_text

ROW = 30
AT_ONCE = 1 << 20
"""Cells of matrices that are scored together; as many as stay in a core's cache."""

Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True)
class FrameLine:
    """miou: of this frame alone, 0..1, void ignored."""

    key: FrameKey
    miou: float
    standing: Standing


def mious(frames: Sequence[FrameCounts[FrameKey]]) -> NDArray[np.float64]:
    """float64 (n,) as core.metrics has it for each with void ignored, many at once."""
    found = np.full(len(frames), np.nan)
    if not frames:
        return found
    step = max(1, AT_ONCE // frames[0].counts.size)
    for first in range(0, len(frames), step):
        full = np.stack([f.counts for f in frames[first : first + step]])
        hit, reference, predicted = parts_of(full, Convention.VOID_IGNORED)
        iou = ratio(hit, reference + predicted - hit)
        known = ~np.isnan(iou)
        sums = np.where(known, iou, 0).sum(1)
        found[first : first + step] = ratio(sums, known.sum(1).astype(np.float64))
    return found


class FrameFigures:
    """The mIoU of each frame, counted again only where its matrix is another one."""

    def __init__(self) -> None:
        self._known: dict[FrameKey, tuple[FrameCounts[FrameKey], float]] = {}

    def lines(self, frames: Sequence[FrameCounts[FrameKey]]) -> list[FrameLine]:
        """Worst first; frames without any class are left out."""
        known = self._known
        new = [f for f in frames if f.key not in known or known[f.key][0] is not f]
        fresh = dict(zip((f.key for f in new), mious(new).tolist(), strict=True))
        self._known = {
            f.key: (f, fresh[f.key] if f.key in fresh else known[f.key][1]) for f in frames
        }
        found = [FrameLine(f.key, self._known[f.key][1], f.standing) for f in frames]
        return sorted((x for x in found if x.miou == x.miou), key=lambda x: x.miou)


class FramesModel(QAbstractTableModel):
    """Sorted here, so that the order stays while figures move."""

    def __init__(self, title_of: Callable[[FrameKey], str]) -> None:
        super().__init__()
        self.lines: list[FrameLine] = []
        self._given: list[FrameLine] = []
        self._title_of = title_of
        self._model, self._titles = "", dict[str, str]()
        self._is_reference = True
        self._sort = (1, Qt.SortOrder.AscendingOrder)

    @property
    def heads(self) -> tuple[str, ...]:
        """Titles of the columns."""
        score = "mIoU" if self._is_reference else "Agreement (IoU)"
        return "Frame", score, "State", "By a human", "Drafted by"

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.lines)

    def columnCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.heads)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if role not in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return None
        return self.text(self.lines[index.row()], index.column())

    def text(self, line: FrameLine, column: int) -> str:
        """What a cell says."""
        standing = line.standing
        if column == 0:
            return self._title_of(line.key)
        if column == 1:
            return percent(line.miou)
        if column == 2:
            return _state(standing)
        if column == 3:
            share = standing.human_share
            return "–" if share is None else share_text(share)
        return drafted_by(standing, self._model, self._titles)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self.heads[section]
        if role == Qt.ItemDataRole.ToolTipRole and section == 1:
            return "Of this frame alone, with void ignored"
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if section in (1, 3) else Qt.AlignmentFlag.AlignLeft
            return side
        return None

    def show_lines(
        self, lines: list[FrameLine], *, model: str, titles: Mapping[str, str], is_reference: bool
    ) -> None:
        """model: name of the one that is graded. titles: model name → title."""
        self._given, self._model, self._titles = lines, model, dict(titles)
        if is_reference != self._is_reference:
            self._is_reference = is_reference
            self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(self.heads) - 1)
        now = self._sorted()
        if [x.key for x in now] == [x.key for x in self.lines]:
            self.lines = now
            if now:
                self.dataChanged.emit(self.index(0, 0), self.index(len(now) - 1, 4))
            return
        self.beginResetModel()
        self.lines = now
        self.endResetModel()

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        self._sort = column, order
        self.beginResetModel()
        self.lines = self._sorted()
        self.endResetModel()

    def _sorted(self) -> list[FrameLine]:
        column, order = self._sort
        keys: dict[int, Callable[[FrameLine], object]] = {
            0: lambda x: (x.key.media, x.key.index),
            1: lambda x: x.miou,
            2: lambda x: _state(x.standing),
            3: lambda x: -1.0 if x.standing.human_share is None else x.standing.human_share,
            4: lambda x: self.text(x, 4),
        }
        falls = order == Qt.SortOrder.DescendingOrder
        return sorted(self._given, key=keys[max(0, column)], reverse=falls)  # type: ignore[arg-type]  # alike in a column


def _state(standing: Standing) -> str:
    if standing.is_reference:
        return "Confirmed"
    return "Drafted" if standing.human_share == 0 else "In progress"


class FramesDelegate(QStyledItemDelegate):
    """Figures at the right with a bar below, words at the left."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(100, ROW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        model = index.model()
        if not isinstance(model, FramesModel):
            return
        line, column = model.lines[index.row()], index.column()
        colors, area = theme.current(), QRectF(option.rect)
        painter.save()
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(area, QColor(colors.accent_soft))
        inside = area.adjusted(inset(column), 0, -INSET, 0)
        if column == 1:
            bar = QRectF(inside.left(), area.bottom() - 5, inside.width(), 2)
            painter.fillRect(bar, QColor(colors.track))
            bar.setWidth(bar.width() * line.miou)
            painter.fillRect(bar, QColor(colors.accent))
        painter.setFont(tabular(option.font))
        painter.setPen(QColor(colors.text if column < 2 else colors.muted))
        side = Qt.AlignmentFlag.AlignRight if column in (1, 3) else Qt.AlignmentFlag.AlignLeft
        text = painter.fontMetrics().elidedText(
            model.text(line, column), Qt.TextElideMode.ElideMiddle, int(inside.width())
        )
        painter.drawText(inside, side | Qt.AlignmentFlag.AlignVCenter, text)
        painter.restore()


class FramesTable(QTableView):
    """Signals:
    frame_wanted(object, object, object): FrameKey that was clicked, or chosen with Enter; None
        twice, for no cell of the matrix is meant.
    """

    frame_wanted = Signal(object, object, object)

    def __init__(self, title_of: Callable[[FrameKey], str]) -> None:
        super().__init__()
        self._model = FramesModel(title_of)
        self._figures: dict[str, FrameFigures] = {}
        self.setHorizontalHeader(Head(self))
        self.setModel(self._model)
        self.setItemDelegate(FramesDelegate(self))
        dress(self, "Frames, the worst first", ROW)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        head = self.horizontalHeader()
        head.setSortIndicator(1, Qt.SortOrder.AscendingOrder)
        head.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        head.setSectionResizeMode(4, QHeaderView.ResizeMode.Stretch)
        for column, width in ((1, 130), (2, 120), (3, 110)):
            self.setColumnWidth(column, width)
        self.setSortingEnabled(True)
        self.viewport().setCursor(Qt.CursorShape.PointingHandCursor)
        self.clicked.connect(self._take)

    @property
    def lines(self) -> list[FrameLine]:
        """As they are sorted now."""
        return self._model.lines

    def show_frames(
        self,
        letter: str,
        frames: Sequence[FrameCounts[FrameKey]],
        *,
        model: str,
        titles: Mapping[str, str],
        is_reference: bool,
    ) -> None:
        """Of the model under that letter."""
        figures = self._figures.setdefault(letter, FrameFigures())
        place = self.verticalScrollBar().value()
        self._model.show_lines(
            figures.lines(frames), model=model, titles=titles, is_reference=is_reference
        )
        self.verticalScrollBar().setValue(place)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self._take(self.currentIndex())
        else:
            super().keyPressEvent(event)

    def _take(self, index: Index) -> None:
        self.frame_wanted.emit(self._model.lines[index.row()].key, None, None)
