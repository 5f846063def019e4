"""The list of the class set editor: key, colour, name, what is labelled, id; edited in place."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from PySide6.QtCore import (
    QAbstractListModel,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QFont, QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QLineEdit,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from segstudio.core.classes import ClassDef, ClassMap
from segstudio.ui import theme
from segstudio.ui.theme import tabular

ROW = 34
KEY_LEFT, SWATCH_LEFT, NAME_LEFT = 8, 42, 72
LABELLED_RIGHT, ID_RIGHT = 60, 16
LABELLED_WIDTH, ID_WIDTH = 120, 40
Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True)
class ClassRow:
    """A line of the list. key: the digit that chooses the class. pixels: None = nobody counted."""

    known: ClassDef
    key: int | None
    pixels: int | None


class ClassRows(QAbstractListModel):
    """The classes of the set as it is edited.

    Signals:
    renamed(int, str): a name was typed for the class with that id.
    """

    renamed = Signal(int, str)

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[ClassRow] = []

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        row = self.rows[index.row()]
        if role == Qt.ItemDataRole.UserRole:
            return row
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            return row.known.name
        if role == Qt.ItemDataRole.AccessibleTextRole:
            key = f", key {row.key}" if row.key else ""
            return f"{row.known.name}, id {row.known.id}{key}"
        if role == Qt.ItemDataRole.ToolTipRole:
            return "Double-click or F2: rename · click the colour or the key to change it"
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        return super().flags(index) | Qt.ItemFlag.ItemIsEditable

    def setData(self, index: Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        known = self.rows[index.row()].known
        if role == Qt.ItemDataRole.EditRole and str(value) != known.name:
            self.renamed.emit(known.id, str(value))
        return True

    def show_rows(self, rows: list[ClassRow]) -> None:
        """Replace what is shown."""
        self.beginResetModel()
        self.rows = rows
        self.endResetModel()


def key_area(area: QRect) -> QRect:
    """Where a row has its key."""
    return QRect(area.left() + KEY_LEFT, area.center().y() - 10, 22, 22)


def swatch_area(area: QRect) -> QRect:
    """Where a row has its colour."""
    return QRect(area.left() + SWATCH_LEFT, area.center().y() - 8, 18, 18)


def name_area(area: QRect) -> QRect:
    """Where a row has its name, and the editor of the name."""
    right = LABELLED_RIGHT + LABELLED_WIDTH
    return area.adjusted(NAME_LEFT, 0, -right, 0)


class ClassRowDelegate(QStyledItemDelegate):
    """Paints a row and opens the editor of its name."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(200, ROW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row: ClassRow = index.data(Qt.ItemDataRole.UserRole)
        colors, area = theme.current(), QRectF(option.rect)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setBrush(QColor(colors.accent_soft))
            painter.drawRoundedRect(area.adjusted(2, 1, -2, -1), 6, 6)
        elif option.state & QStyle.StateFlag.State_MouseOver:
            painter.setBrush(QColor(colors.hover))
            painter.drawRoundedRect(area.adjusted(2, 1, -2, -1), 6, 6)
        _paint_key(painter, option, row)
        painter.setPen(QColor(colors.line_strong))
        painter.setBrush(QColor(*row.known.color))
        painter.drawRoundedRect(
            QRectF(swatch_area(option.rect)).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4
        )
        painter.setFont(option.font)
        painter.setPen(QColor(colors.text))
        name = name_area(option.rect)
        text = painter.fontMetrics().elidedText(
            row.known.name, Qt.TextElideMode.ElideRight, name.width()
        )
        painter.drawText(name, Qt.AlignmentFlag.AlignVCenter, text)
        painter.setFont(tabular(option.font))
        painter.setPen(QColor(colors.muted))
        labelled = "" if row.pixels is None else f"{row.pixels:,} px" if row.pixels else "–"
        _right(painter, option.rect, LABELLED_RIGHT, LABELLED_WIDTH, labelled)
        _right(painter, option.rect, ID_RIGHT, ID_WIDTH, str(row.known.id))
        painter.restore()

    def createEditor(
        self, parent: QWidget, option: QStyleOptionViewItem, index: Index
    ) -> QLineEdit:
        editor = QLineEdit(parent)
        editor.setAccessibleName("Name of the class")
        editor.setMaxLength(80)
        return editor

    def updateEditorGeometry(
        self, editor: QWidget, option: QStyleOptionViewItem, index: Index
    ) -> None:
        editor.setGeometry(name_area(option.rect).adjusted(-9, 1, 0, -1))


def _paint_key(painter: QPainter, option: QStyleOptionViewItem, row: ClassRow) -> None:
    colors, area = theme.current(), QRectF(key_area(option.rect)).adjusted(0.5, 0.5, -0.5, -0.5)
    painter.setPen(QColor(colors.line_strong if row.key else colors.line))
    painter.setBrush(QColor(colors.field) if row.key else Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(area, 4, 4)
    if row.key:
        font = QFont(option.font)
        font.setPixelSize(12)
        painter.setFont(font)
        painter.setPen(QColor(colors.text))
        painter.drawText(area, Qt.AlignmentFlag.AlignCenter, str(row.key))


def _right(painter: QPainter, area: QRect, right: int, width: int, text: str) -> None:
    """Text that ends `right` pixels before the end of the row."""
    place = QRect(area.right() - right - width, area.top(), width, area.height())
    painter.drawText(place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, text)


class ClassList(QListView):
    """Signals, all about the classes that are selected unless an id is given:
    renamed(int, str); color_asked(int); key_asked(int, QPoint): where to put a menu, global;
    key_pressed(int): a digit, 0 for none; removal_asked(); move_asked(int): -1 up, 1 down;
    selection_changed().
    """

    renamed = Signal(int, str)
    color_asked = Signal(int)
    key_asked = Signal(int, QPoint)
    key_pressed = Signal(int)
    removal_asked = Signal()
    move_asked = Signal(int)
    selection_changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("look", "list")
        self.setAccessibleName("Classes")
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(
            QAbstractItemView.EditTrigger.DoubleClicked
            | QAbstractItemView.EditTrigger.EditKeyPressed
        )
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self._rows = ClassRows()
        # Queued: the rows are made anew for a new name, and the editor must have closed by then.
        self._rows.renamed.connect(self.renamed, Qt.ConnectionType.QueuedConnection)
        self.setItemDelegate(ClassRowDelegate(self))
        self.setModel(self._rows)
        self.selectionModel().selectionChanged.connect(lambda *_: self.selection_changed.emit())

    # --- what is shown

    def show_classes(
        self, classes: ClassMap, pixels: Mapping[int, int] | None, select: Sequence[int]
    ) -> None:
        """pixels: id → how many are labelled so, None when nobody counted. select: ids."""
        keys = {class_id: digit for digit, class_id in classes.keys().items()}
        top = self.verticalScrollBar().value()
        self._rows.show_rows(
            [
                ClassRow(c, keys.get(c.id), None if pixels is None else pixels.get(c.id, 0))
                for c in classes.classes
            ]
        )
        self.verticalScrollBar().setValue(top)
        self.select(select)

    def select(self, ids: Sequence[int]) -> None:
        """Select these classes; the first is the current one and comes into view."""
        places = {row.known.id: place for place, row in enumerate(self._rows.rows)}
        chosen = [self._rows.index(places[i]) for i in ids if i in places]
        self.clearSelection()
        command = QItemSelectionModel.SelectionFlag
        for index in chosen:
            self.selectionModel().select(index, command.Select)
        if chosen:
            self.selectionModel().setCurrentIndex(chosen[0], command.NoUpdate)
            self.scrollTo(chosen[0])
        self.selection_changed.emit()

    @property
    def selected(self) -> list[int]:
        """Ids, from top to bottom."""
        places = sorted(i.row() for i in self.selectedIndexes())
        return [self._rows.rows[place].known.id for place in places]

    @property
    def current_id(self) -> int | None:
        """The class that the keyboard is on, when it is selected."""
        row = self.currentIndex().row()
        chosen = self.selected
        if 0 <= row < len(self._rows.rows) and self._rows.rows[row].known.id in chosen:
            return self._rows.rows[row].known.id
        return chosen[0] if chosen else None

    def area_of(self, class_id: int) -> QRect:
        """The row of a class, in pixels of the viewport."""
        place = next(p for p, row in enumerate(self._rows.rows) if row.known.id == class_id)
        return self.visualRect(self._rows.index(place))

    def rename(self, class_id: int) -> None:
        """Open the editor of its name."""
        self.select([class_id])
        self.setFocus()
        self.edit(self.currentIndex())

    def finish(self) -> tuple[int, str] | None:
        """Close the editor of a name: (id, what was typed); None when nothing else was typed."""
        editor = self.viewport().findChild(QLineEdit)
        if self.state() != QAbstractItemView.State.EditingState or editor is None:
            return None
        known, name = self._rows.rows[self.currentIndex().row()].known, editor.text()
        self.closeEditor(editor, QStyledItemDelegate.EndEditHint.RevertModelCache)
        return None if name == known.name else (known.id, name)

    # --- mouse and keys

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        place = event.position().toPoint()
        index = self.indexAt(place)
        if not index.isValid() or event.button() != Qt.MouseButton.LeftButton:
            return
        if event.modifiers() != Qt.KeyboardModifier.NoModifier:
            return
        area, class_id = self.visualRect(index), self._rows.rows[index.row()].known.id
        if swatch_area(area).contains(place):
            self.color_asked.emit(class_id)
        elif key_area(area).contains(place):
            below = key_area(area).bottomLeft()
            self.key_asked.emit(class_id, self.viewport().mapToGlobal(below))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Left of the name it is two clicks, not a wish to rename."""
        place = event.position().toPoint()
        index = self.indexAt(place)
        if not index.isValid() or place.x() >= self.visualRect(index).left() + NAME_LEFT - 6:
            super().mouseDoubleClickEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, modifiers = event.key(), event.modifiers()
        if self.state() == QAbstractItemView.State.EditingState:
            event.accept()  # what the editor of a name leaves over is for nobody
            return
        is_plain = not modifiers & ~Qt.KeyboardModifier.KeypadModifier
        if is_plain and Qt.Key.Key_0 <= key <= Qt.Key.Key_9:
            self.key_pressed.emit(int(key) - int(Qt.Key.Key_0))
        elif is_plain and key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.removal_asked.emit()
        elif is_plain and key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if self.currentIndex().isValid():
                self.edit(self.currentIndex())
        elif modifiers == Qt.KeyboardModifier.AltModifier and key == Qt.Key.Key_Up:
            self.move_asked.emit(-1)
        elif modifiers == Qt.KeyboardModifier.AltModifier and key == Qt.Key.Key_Down:
            self.move_asked.emit(1)
        else:
            super().keyPressEvent(event)
