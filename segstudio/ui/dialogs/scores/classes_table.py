"""The table of classes: figures of each model beside each other, the best of each class in bold."""

from collections.abc import Sequence

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QFont, QKeyEvent, QKeySequence, QPainter
from PySide6.QtWidgets import (
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from segstudio.ui import theme
from segstudio.ui.comparing.wording import figure
from segstudio.ui.dialogs.scores.class_lines import MEASURES, Line, Measured, best_of
from segstudio.ui.dialogs.scores.head import INSET, Head, dress, inset
from segstudio.ui.theme import tabular

ROW, HEAD = 30, 54
NAME_WIDTH, PIXELS_WIDTH, FIGURE_WIDTH = 190, 112, 78
FIRST = 2
"""Columns before the figures: name and pixels."""

Index = QModelIndex | QPersistentModelIndex
_VALUE = Qt.ItemDataRole.UserRole


class ClassesModel(QAbstractTableModel):
    """Sorts classes alone: means and what else is about the whole stay below them."""

    def __init__(self) -> None:
        super().__init__()
        self.models: tuple[Measured, ...] = ()
        self.shown: tuple[int, ...] = ()
        self.lines: list[Line] = []
        self._given: list[Line] = []
        self._sort = (-1, Qt.SortOrder.AscendingOrder)

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.lines)

    def columnCount(self, parent: Index | None = None) -> int:
        if parent is not None and parent.isValid():
            return 0
        return FIRST + len(MEASURES) * len(self.models)

    def place(self, column: int) -> tuple[int, int]:
        """(model, measure) of a column of figures."""
        return divmod(column - FIRST, len(MEASURES))

    def value(self, line: Line, column: int) -> float:
        """What a column sorts by and shows."""
        if column < FIRST:
            return line.pixels
        model, measure = self.place(column)
        values = line.values[model]
        return values[measure] if measure < len(values) else float("nan")

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        line, column = self.lines[index.row()], index.column()
        if role == _VALUE:
            return line
        if role == Qt.ItemDataRole.ToolTipRole:
            return line.tip or line.name
        if role == Qt.ItemDataRole.DisplayRole:
            if column == 0:
                return line.name
            value = self.value(line, column)
            if column == 1:
                return "" if value != value else f"{int(value):,}"
            return figure(value)
        if role == Qt.ItemDataRole.FontRole and self.is_best(line, column):
            font = QFont()
            font.setWeight(QFont.Weight.DemiBold)
            return font
        return None

    def is_best(self, line: Line, column: int) -> bool:
        """Whether no other model that is shown does better there."""
        if column < FIRST:
            return False
        model, measure = self.place(column)
        if measure >= len(line.values[model]):
            return False
        return model in best_of(line, measure, self.shown)

    def starts_block(self, row: int) -> bool:
        """Whether a line is drawn above it: the whole, and then categories, begin there."""
        kind = self.lines[row].kind
        before = self.lines[row - 1].kind if row else "class"
        return kind == "mean" or (kind == "category" and before != kind)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        if orientation != Qt.Orientation.Horizontal or section >= self.columnCount():
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignRight if section else Qt.AlignmentFlag.AlignLeft
        if section < FIRST:
            if role == Qt.ItemDataRole.ToolTipRole:
                return "Pixels in the reference" if section else None
            return ("Class", "Pixels")[section] if role == Qt.ItemDataRole.DisplayRole else None
        model, measure = self.place(section)
        if role == _VALUE:
            return self.models[model].graded
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"{MEASURES[measure][1]}, in percent"
        return MEASURES[measure][0] if role == Qt.ItemDataRole.DisplayRole else None

    def show_lines(
        self, lines: Sequence[Line], models: Sequence[Measured], shown: Sequence[int]
    ) -> bool:
        """Replace the figures; True when the table itself is another one."""

        def shape(lines: Sequence[Line], models: Sequence[Measured]) -> object:
            return [(x.kind, x.name, x.color) for x in lines], [m.graded for m in models]

        is_new = shape(lines, models) != shape(self._given, self.models)
        if is_new:
            self.beginResetModel()
        self._given, self.models, self.shown = list(lines), tuple(models), tuple(shown)
        if is_new:
            self.lines = self._sorted()
            self.endResetModel()
        else:
            self.sort(*self._sort)
        return is_new

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        self._sort = column, order
        self.layoutAboutToBeChanged.emit()
        self.lines = self._sorted()
        self.layoutChanged.emit()

    def _sorted(self) -> list[Line]:
        """What has no figure comes last either way."""
        column, order = self._sort
        inside = [line for line in self._given if line.kind == "class"]
        below = [line for line in self._given if line.kind != "class"]
        falls = order == Qt.SortOrder.DescendingOrder
        if column == 0:
            inside.sort(key=lambda line: line.name.lower(), reverse=falls)
        elif 0 < column < self.columnCount():
            known = [x for x in inside if self.value(x, column) == self.value(x, column)]
            known.sort(key=lambda line: self.value(line, column), reverse=falls)
            inside = known + [x for x in inside if self.value(x, column) != self.value(x, column)]
        return inside + below


class ClassesDelegate(QStyledItemDelegate):
    """Swatch and name; numbers at the right; under each IoU a bar."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(FIGURE_WIDTH, ROW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        model = index.model()
        if not isinstance(model, ClassesModel):
            return
        line, column = model.lines[index.row()], index.column()
        colors, area = theme.current(), QRectF(option.rect)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(area, QColor(colors.accent_soft))
        if model.starts_block(index.row()):
            painter.fillRect(QRectF(area.left(), area.top(), area.width(), 1), QColor(colors.line))
        font = tabular(option.font)
        if model.is_best(line, column) or (line.kind == "mean" and column == 0):
            font.setWeight(QFont.Weight.DemiBold)
        painter.setFont(font)
        inside = area.adjusted(inset(column), 0, -INSET, 0)
        if column == 0:
            _paint_name(painter, inside, line)
        else:
            is_iou = column >= FIRST and model.place(column)[1] == 0 and line.kind == "class"
            if is_iou:
                _paint_bar(painter, inside, model.value(line, column))
            text = str(model.data(index))
            painter.setPen(QColor(colors.faint if column == 1 or text == "–" else colors.text))
            side = Qt.AlignmentFlag.AlignRight
            if line.is_single and column >= FIRST:
                inside.setWidth(FIGURE_WIDTH - 24)  # under the IoU, though the cell is wider
            painter.drawText(inside, side | Qt.AlignmentFlag.AlignVCenter, text)
        painter.restore()


def _paint_name(painter: QPainter, area: QRectF, line: Line) -> None:
    colors = theme.current()
    if line.color is not None:
        painter.setPen(QColor(colors.line_strong))
        painter.setBrush(QColor(*line.color))
        painter.drawRoundedRect(QRectF(area.left() + 0.5, area.center().y() - 6, 12, 12), 3, 3)
        area = area.adjusted(20, 0, 0, 0)
    painter.setPen(QColor(colors.muted if line.is_single else colors.text))
    text = painter.fontMetrics().elidedText(
        line.name, Qt.TextElideMode.ElideRight, int(area.width())
    )
    painter.drawText(area, Qt.AlignmentFlag.AlignVCenter, text)


def _paint_bar(painter: QPainter, area: QRectF, value: float) -> None:
    if value != value:
        return
    colors = theme.current()
    track = QRectF(area.left(), area.bottom() - 5, area.width(), 2)
    painter.fillRect(track, QColor(colors.track))
    track.setWidth(track.width() * value)
    painter.fillRect(track, QColor(colors.accent))


class ClassesHead(Head):
    """Two lines: the model over its columns, then what each of them is."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setSortIndicatorClearable(True)

    def sizeHint(self) -> QSize:
        return QSize(super().sizeHint().width(), HEAD)

    def paintSection(self, painter: QPainter, rect: QRect, section: int) -> None:
        super().paintSection(painter, rect, section)
        if section >= FIRST:
            painter.save()
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            self._paint_model(painter, QRectF(rect), section)
            painter.restore()

    def _paint_model(self, painter: QPainter, area: QRectF, section: int) -> None:
        """Every section of a model paints its part of the same words."""
        graded = self.model().headerData(section, Qt.Orientation.Horizontal, _VALUE)
        colors = theme.current()
        measure = (section - FIRST) % len(MEASURES)
        left = area.left() - measure * FIGURE_WIDTH
        painter.setClipRect(area)
        font = QFont(self.font())
        font.setPixelSize(12)
        font.setWeight(QFont.Weight.DemiBold)
        painter.setFont(font)
        if measure == 0:
            painter.fillRect(QRectF(area.left(), area.top() + 8, 1, HEAD - 16), QColor(colors.line))
        chip = QRectF(left + 12.5, area.top() + 6.5, 20, 18)
        painter.setPen(QColor(colors.line_strong))
        painter.setBrush(QColor(colors.field))
        painter.drawRoundedRect(chip, 4, 4)
        painter.setPen(QColor(colors.text))
        painter.drawText(chip, Qt.AlignmentFlag.AlignCenter, graded.letter)
        words = QRectF(left + 40, chip.top(), len(MEASURES) * FIGURE_WIDTH - 52, chip.height())
        text = painter.fontMetrics().elidedText(
            graded.title, Qt.TextElideMode.ElideRight, int(words.width())
        )
        painter.drawText(words, Qt.AlignmentFlag.AlignVCenter, text)


class ClassesTable(QTableView):
    """Signals:
    class_taken(int, int): a double click or Enter: place of the model, -1 for none; matrix row.
    copy_wanted(): Ctrl+C.
    """

    class_taken = Signal(int, int)
    copy_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._model = ClassesModel()
        self.setHorizontalHeader(ClassesHead(self))
        self.setModel(self._model)
        self.setItemDelegate(ClassesDelegate(self))
        dress(self, "Figures of each class", ROW)
        self.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.setSortingEnabled(True)
        self.doubleClicked.connect(self._take)

    @property
    def lines(self) -> list[Line]:
        """As they are sorted now."""
        return self._model.lines

    def show_lines(
        self, lines: Sequence[Line], models: Sequence[Measured], shown: Sequence[int]
    ) -> None:
        """shown: places of the models whose columns are to be seen."""
        place = self.verticalScrollBar().value()
        if self._model.show_lines(lines, models, shown):
            self._fit()
        for column in range(FIRST, self._model.columnCount()):
            is_hidden = self._model.place(column)[0] not in shown
            self.setColumnHidden(column, is_hidden)
        self._span()
        self.verticalScrollBar().setValue(place)

    def _fit(self) -> None:
        self.setColumnWidth(0, NAME_WIDTH)
        self.setColumnWidth(1, PIXELS_WIDTH)
        for column in range(FIRST, self._model.columnCount()):
            self.setColumnWidth(column, FIGURE_WIDTH)

    def _span(self) -> None:
        """Figures of the whole belong to the model, not to one of its columns."""
        self.clearSpans()
        for row, line in enumerate(self._model.lines):
            if line.is_single:
                for model in range(len(self._model.models)):
                    first = FIRST + model * len(MEASURES)
                    self.setSpan(row, first, 1, len(MEASURES))

    def _take(self, index: Index) -> None:
        line = self._model.lines[index.row()]
        if line.row >= 0:
            model = self._model.place(index.column())[0] if index.column() >= FIRST else -1
            self.class_taken.emit(model, line.row)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy_wanted.emit()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self._take(self.currentIndex())
        else:
            super().keyPressEvent(event)
