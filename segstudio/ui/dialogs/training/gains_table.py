"""Before and after, class by class: a table whose last column draws the interval."""

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QPersistentModelIndex,
    QPointF,
    QRectF,
    QSize,
    Qt,
)
from PySide6.QtGui import QColor, QFont, QPainter, QPen
from PySide6.QtWidgets import (
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from segstudio.ui import theme
from segstudio.ui.dialogs.scores.head import Head, dress
from segstudio.ui.theme import UNIT, tabular
from segstudio.ui.training.gains import Gain, Gains

ROW = 30
HEADS = ("Class", "Before", "After", "Difference", "95 % interval")
NAME, BEFORE, AFTER, DELTA, INTERVAL = range(5)
WIDTHS = (190, 88, 88, 104, 240)

Index = QModelIndex | QPersistentModelIndex
VALUE = Qt.ItemDataRole.UserRole


class GainsModel(QAbstractTableModel):
    """The mean first, then the classes in their order; sorted by a column the mean stays."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[Gain] = []
        self.reach = 0.1

    def show_gains(self, gains: Gains) -> None:
        """Replace them."""
        self.beginResetModel()
        self.rows = [gains.mean, *gains.classes]
        ends = [abs(end) for g in self.rows for end in (g.low, g.high, g.delta) if end == end]
        self.reach = max(0.02, *ends) if ends else 0.1
        self.endResetModel()

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(HEADS)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            is_text = section in (NAME, INTERVAL)
            return Qt.AlignmentFlag.AlignLeft if is_text else Qt.AlignmentFlag.AlignRight
        return HEADS[section] if role == Qt.ItemDataRole.DisplayRole else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        gain, column = self.rows[index.row()], index.column()
        if role == VALUE:
            return gain
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(gain, column)
        if role == Qt.ItemDataRole.ToolTipRole:
            return said(gain)
        if role == Qt.ItemDataRole.TextAlignmentRole and column in (BEFORE, AFTER, DELTA):
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        if role == Qt.ItemDataRole.FontRole and gain.color is None:
            font = QFont()
            font.setWeight(QFont.Weight.DemiBold)
            return font
        return None

    def _text(self, gain: Gain, column: int) -> str:
        if column == NAME:
            return gain.name
        if column == INTERVAL:
            return "" if gain.low != gain.low else f"{points(gain.low)} to {points(gain.high)}"
        if column == DELTA:
            return points(gain.delta)
        return figure(gain.before if column == BEFORE else gain.after)

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """What has no figure comes last, either way."""
        if not self.rows or column < 0:
            return
        is_down = order == Qt.SortOrder.DescendingOrder
        classes = self.rows[1:]
        if column == NAME:
            known, empty = sorted(classes, key=_name, reverse=is_down), []
        else:
            known = [g for g in classes if _value(g, column) == _value(g, column)]
            known.sort(key=lambda g: _value(g, column), reverse=is_down)
            empty = [g for g in classes if _value(g, column) != _value(g, column)]
        self.layoutAboutToBeChanged.emit()
        self.rows = [self.rows[0], *known, *empty]
        self.layoutChanged.emit()


class GainsTable(QTableView):
    """Sorted by a click on a head."""

    def __init__(self) -> None:
        super().__init__()
        self.gains = GainsModel()
        self.setModel(self.gains)
        self.setHorizontalHeader(Head(self))
        dress(self, "Classes before and after", ROW)
        self.setItemDelegate(_Painter(self, self.gains))
        for column, width in enumerate(WIDTHS):
            self.setColumnWidth(column, width)
        head = self.horizontalHeader()
        head.setSectionResizeMode(INTERVAL, QHeaderView.ResizeMode.Stretch)
        head.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.setSortingEnabled(True)

    def show_gains(self, gains: Gains) -> None:
        """Another comparison, in the order of the class set."""
        self.gains.show_gains(gains)
        self.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)


class _Painter(QStyledItemDelegate):
    """Swatches beside names, good and bad in their colours, intervals as bars about zero."""

    def __init__(self, parent: QWidget, gains: GainsModel) -> None:
        super().__init__(parent)
        self._gains = gains

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(80, ROW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        gain, colors = index.data(VALUE), theme.current()
        area = QRectF(option.rect)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(area, QColor(colors.accent_soft))
        if gain.color is None:
            painter.fillRect(QRectF(area.left(), area.bottom() - 1, area.width(), 1),
                             QColor(colors.line))  # fmt: skip
        font = tabular(option.font)
        if gain.color is None:
            font.setWeight(QFont.Weight.DemiBold)
        painter.setFont(font)
        if index.column() == INTERVAL:
            self._interval(painter, area.adjusted(12, 0, -3 * UNIT, 0), gain)
        else:
            self._words(painter, area, index, gain)
        painter.restore()

    def _words(self, painter: QPainter, area: QRectF, index: Index, gain: Gain) -> None:
        colors, column = theme.current(), index.column()
        if column == NAME:
            left = area.left() + 3 * UNIT
            if gain.color is not None:
                painter.setPen(QPen(QColor(colors.line_strong), 1))
                painter.setBrush(QColor(*gain.color))
                painter.drawRoundedRect(QRectF(left, area.center().y() - 6, 12, 12), 3, 3)
                left += 20
            painter.setPen(QColor(colors.text))
            box = QRectF(left, area.top(), area.right() - left, area.height())
            name = painter.fontMetrics().elidedText(
                gain.name, Qt.TextElideMode.ElideRight, int(box.width())
            )
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, name)
            return
        tone = colors.muted if column == BEFORE else colors.text
        if column == DELTA:
            tone = getattr(colors, tone_of(gain))
        painter.setPen(QColor(tone))
        box = area.adjusted(0, 0, -12, 0)
        side = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(box, side, str(index.data()))

    def _interval(self, painter: QPainter, area: QRectF, gain: Gain) -> None:
        colors, middle = theme.current(), area.center().y()
        reach = self._gains.reach
        half = area.width() / 2

        def x(value: float) -> float:
            return area.left() + half + half * value / reach

        painter.setPen(QPen(QColor(colors.line_strong), 1))
        painter.drawLine(QPointF(x(0), area.top() + 4), QPointF(x(0), area.bottom() - 4))
        if gain.low != gain.low:
            return
        color = QColor(getattr(colors, tone_of(gain)))
        pen = QPen(color, 2)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        painter.drawLine(QPointF(x(gain.low), middle), QPointF(x(gain.high), middle))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color)
        painter.drawEllipse(QPointF(x(gain.delta), middle), 4, 4)


def _name(gain: Gain) -> str:
    return gain.name.casefold()


def _value(gain: Gain, column: int) -> float:
    """What a column of figures sorts by."""
    return {BEFORE: gain.before, AFTER: gain.after, DELTA: gain.delta}.get(column, gain.low)


def tone_of(gain: Gain) -> str:
    """Colour only for what is more than chance."""
    if not gain.is_clear:
        return "warn" if gain.is_worse else "muted"
    return "good" if gain.delta > 0 else "bad"


def figure(value: float) -> str:
    """0..1 in percent."""
    return "–" if value != value else f"{100 * value:.1f}"


def points(value: float) -> str:
    """A difference in percent points, with its sign."""
    if value != value:
        return "–"
    text = f"{100 * value:+.1f}"
    return "±0.0" if text in ("+0.0", "-0.0") else text.replace("-", "−")


def said(gain: Gain) -> str:
    """A row as a sentence."""
    if gain.delta != gain.delta:
        return f"{gain.name} is nowhere in the held-out frames."
    chance = "" if gain.is_clear else ", which may be chance"
    return (
        f"{gain.name}: {figure(gain.before)} % before, {figure(gain.after)} % after,"
        f" {points(gain.delta)} points ({points(gain.low)} to {points(gain.high)}){chance}"
    )
