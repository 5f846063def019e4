"""What was done to this frame, step by step; a click goes back or forth to there."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QSize, Qt, Slot
from PySide6.QtGui import QColor, QMouseEvent
from PySide6.QtWidgets import QAbstractItemView, QListView

from segstudio.core.classes import ClassMap
from segstudio.ui import theme
from segstudio.ui.panels.parts import Section, label
from segstudio.ui.session import Session
from segstudio.ui.theme import UNIT

if TYPE_CHECKING:
    from segstudio.core.history import History

ROW = 24
SHOWN = 7
"""Rows that are seen without scrolling."""

Index = QModelIndex | QPersistentModelIndex


class HistoryModel(QAbstractListModel):
    """Row 0 is the frame before anything was done; row n the state after step n."""

    def __init__(self) -> None:
        super().__init__()
        self._history: History | None = None
        self._classes: ClassMap | None = None

    def show_history(self, history: "History | None", classes: ClassMap) -> None:
        """Another frame, or another step."""
        self.beginResetModel()
        self._history, self._classes = history, classes
        self.endResetModel()

    @property
    def position(self) -> int:
        """The row that is the frame as it is now."""
        return 0 if self._history is None else self._history.position

    def rowCount(self, parent: Index | None = None) -> int:
        if self._history is None or (parent is not None and parent.isValid()):
            return 0
        return len(self._history.entries) + 1

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if self._history is None or self._classes is None:
            return None
        line = index.row()
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            if line == 0:
                return "As it was"
            return self._history.entries[line - 1].text(self._classes)
        if role == Qt.ItemDataRole.ForegroundRole:
            colors = theme.current()
            return QColor(colors.faint if line > self._history.position else colors.text)
        if role == Qt.ItemDataRole.SizeHintRole:
            return QSize(80, ROW)
        return None


class HistoryList(QListView):
    """Undo and redo by pointing."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.setProperty("look", "steps")
        self.setAccessibleName("History of this frame")
        self.setUniformItemSizes(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        index = self.indexAt(event.position().toPoint())
        if index.isValid() and event.button() == Qt.MouseButton.LeftButton:
            self._session.editor.go_to_step(index.row())


class HistoryPanel(Section):
    """Hidden while no frame is being corrected."""

    def __init__(self, session: Session) -> None:
        self._count = label(look="small", tone="faint")
        super().__init__("History of this frame", self._count)
        self._session = session
        self._model = HistoryModel()
        self._list = HistoryList(session)
        self._list.setModel(self._model)
        self._empty = label("Nothing was changed on this frame yet.", tone="muted")
        self._empty.setWordWrap(True)
        self.body.setContentsMargins(UNIT, UNIT + 4, UNIT, 2 * UNIT)
        self.head.setContentsMargins(UNIT, 0, UNIT, 0)
        self._empty.setContentsMargins(UNIT, 0, UNIT, 0)
        self.body.addWidget(self._list)
        self.body.addWidget(self._empty)
        session.editor.step_finished.connect(self.follow)
        session.editor.projects.changed.connect(self.follow)
        self.follow()

    @Slot()
    def follow(self) -> None:
        """Another frame, or another step."""
        editor = self._session.editor
        history = None if editor.held is None else editor.held.history
        self.setVisible(history is not None)
        self._model.show_history(history, editor.classes)
        steps = 0 if history is None else len(history.entries)
        self._count.setText(f"{steps:,}" if steps else "")
        self._list.setVisible(steps > 0)
        self._empty.setVisible(steps == 0)
        self._list.setFixedHeight(ROW * min(steps + 1, SHOWN) + 4)
        current = self._model.index(self._model.position)
        self._list.setCurrentIndex(current)
        self._list.scrollTo(current)
