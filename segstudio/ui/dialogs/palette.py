"""The palette: every command by a few letters of its name."""

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPersistentModelIndex, Qt, Slot
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import (
    QDialog,
    QLineEdit,
    QListView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from segstudio.ui import theme
from segstudio.ui.commands.registry import in_menu_order
from segstudio.ui.dialogs.keys import native
from segstudio.ui.menus import Menus
from segstudio.ui.theme import UNIT

_NAME = Qt.ItemDataRole.UserRole
_KEY = Qt.ItemDataRole.UserRole + 1


class KeyDelegate(QStyledItemDelegate):
    """The title as ever, and the key on the right."""

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        super().paint(painter, option, index)
        area = option.rect.adjusted(0, 0, -12, 0)
        painter.setPen(QColor(theme.current().faint))
        flags = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(area, flags, index.data(_KEY) or "")


class PaletteDialog(QDialog):
    """Type, choose with the arrows, Enter."""

    def __init__(self, parent: QWidget, menus: Menus) -> None:
        super().__init__(parent)
        self._menus = menus
        menus.refresh()
        self._reasons = menus.reasons()
        self.setWindowTitle("Find a Command")
        self.resize(520, 400)
        self._text = QLineEdit()
        self._text.setPlaceholderText("Find a command")
        self._text.textChanged.connect(self._search)
        self._text.installEventFilter(self)
        self._model = QStandardItemModel(self)
        self._list = QListView()
        self._list.setProperty("look", "list")
        self._list.setModel(self._model)
        self._list.setItemDelegate(KeyDelegate(self._list))
        self._list.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self._list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._list.clicked.connect(self._run)
        box = QVBoxLayout(self)
        box.setContentsMargins(UNIT + 4, UNIT + 4, UNIT + 4, UNIT + 4)
        box.setSpacing(UNIT)
        box.addWidget(self._text)
        box.addWidget(self._list, 1)
        self._search("")

    @Slot(str)
    def _search(self, text: str) -> None:
        self._model.clear()
        words = text.lower().split()
        for entry in in_menu_order():
            place = f"{entry.menu.replace('/', ' ')} {entry.title}".strip()
            if entry.name == "help.palette" or not all(w in place.lower() for w in words):
                continue
            menu = f"{entry.menu.replace('/', ' ▸ ')} ▸ " if entry.menu else ""
            item = QStandardItem(f"{menu}{entry.title}")
            item.setData(entry.name, _NAME)
            item.setData(native(entry.keys[0]) if entry.keys else "", _KEY)
            item.setEnabled(not self._reasons[entry.name])
            item.setToolTip(self._reasons[entry.name])
            self._model.appendRow(item)
        self._go(0, 1)

    def _go(self, line: int, by: int) -> None:
        """Select the next line that can be run."""
        while 0 <= line < self._model.rowCount():
            if self._model.item(line).isEnabled():
                self._list.setCurrentIndex(self._model.index(line, 0))
                return
            line += by

    @Slot()
    def _run(self) -> None:
        item = self._model.itemFromIndex(self._list.currentIndex())
        if item is not None and item.isEnabled():
            self.accept()
            self._menus.actions[item.data(_NAME)].trigger()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            line = self._list.currentIndex().row()
            if event.key() == Qt.Key.Key_Down:
                self._go(line + 1, 1)
                return True
            if event.key() == Qt.Key.Key_Up:
                self._go(line - 1, -1)
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._run()
                return True
        return False
