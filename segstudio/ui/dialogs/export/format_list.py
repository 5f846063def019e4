"""The formats to choose from, each with a word of what it is."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter
from PySide6.QtWidgets import (
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from segstudio.ui import theme
from segstudio.ui.theme import UNIT

HEIGHT = 68
WIDTH = 240

_CLAUSES = ("; ", ", ", " in ", " as ", " for ", " with ", " to ")
"""Where a sentence about a format can end earlier."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A format as it is listed. note: a few words under its title."""

    name: str
    title: str
    note: str


class FormatList(QListWidget):
    """Signals:
    picked(str): the name of the format that is chosen now.
    """

    picked = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("look", "sidelist")
        self.setViewportMargins(0, 2 * UNIT, 0, UNIT)
        self.setFixedWidth(WIDTH)
        self.setUniformItemSizes(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFrameShape(QListWidget.Shape.NoFrame)
        self.setItemDelegate(_Lines(self))
        self.setAccessibleName("Formats")
        self.currentItemChanged.connect(self._tell)

    def show_formats(self, formats: Sequence[Listed], chosen: str) -> None:
        """Fill it; `chosen` is marked without being told."""
        self.blockSignals(True)
        self.clear()
        for one in formats:
            item = QListWidgetItem(one.title)
            item.setData(Qt.ItemDataRole.UserRole, one)
            item.setToolTip(one.note)
            self.addItem(item)
            if one.name == chosen:
                self.setCurrentItem(item)
        self.blockSignals(False)

    def choose(self, name: str) -> None:
        """As if a person had clicked it."""
        for number in range(self.count()):
            if self.item(number).data(Qt.ItemDataRole.UserRole).name == name:
                self.setCurrentRow(number)

    def _tell(self, item: QListWidgetItem | None, _: QListWidgetItem | None) -> None:
        if item is not None:
            self.picked.emit(item.data(Qt.ItemDataRole.UserRole).name)


class _Lines(QStyledItemDelegate):
    """A title and up to two fainter lines under it."""

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        return QSize(WIDTH - 2 * UNIT, HEIGHT)

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        colors, one = theme.current(), index.data(Qt.ItemDataRole.UserRole)
        area: QRect = option.rect.adjusted(UNIT, 2, -UNIT, -2)
        state = option.state
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ground = ""
        if state & QStyle.StateFlag.State_Selected:
            ground = colors.accent_soft
        elif state & QStyle.StateFlag.State_MouseOver:
            ground = colors.hover
        if ground:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(ground))
            painter.drawRoundedRect(area, 6, 6)
        inside = area.adjusted(UNIT + 2, 6, -UNIT, -6)
        bold = QFont(option.font)
        bold.setWeight(QFont.Weight.DemiBold)
        painter.setFont(bold)
        painter.setPen(QColor(colors.text))
        painter.drawText(inside, Qt.AlignmentFlag.AlignTop, one.title)
        painter.setFont(option.font)
        painter.setPen(QColor(colors.muted))
        below = inside.adjusted(0, painter.fontMetrics().height() + 2, 0, 2)
        for number, line in enumerate(lines(one.note, painter.fontMetrics(), below.width())):
            painter.drawText(
                below.adjusted(0, number * (painter.fontMetrics().height() - 1), 0, 0),
                Qt.AlignmentFlag.AlignTop,
                line,
            )
        painter.restore()


def lines(text: str, metrics: QFontMetrics, width: int) -> list[str]:
    """The text in two lines at most, broken between words.

    What does not fit loses its last clauses, for half a sentence says more than one that breaks
    off; one that has none is elided.
    """
    first, rest = "", text.split()
    while rest and metrics.horizontalAdvance(f"{first} {rest[0]}".strip()) <= width:
        first = f"{first} {rest.pop(0)}".strip()
    second = " ".join(rest)
    if metrics.horizontalAdvance(second) > width:
        cut = max(text.rfind(clause) for clause in _CLAUSES)
        shorter = text[: max(cut, 0)].rstrip(",; ").removesuffix(" and").rstrip(",; ")
        if shorter:
            return lines(shorter, metrics, width)
        second = metrics.elidedText(second, Qt.TextElideMode.ElideRight, width)
    return [line for line in (first, second) if line]
