"""How the tables of the scores window look: their heads, their ground, their margins."""

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from segstudio.ui import theme
from segstudio.ui.theme import UNIT

HEAD = 32
INSET = 12
FIRST_INSET = 3 * UNIT
"""The first column begins where everything above it does."""


def inset(column: int) -> int:
    """Room at the left of a cell."""
    return FIRST_INSET if column == 0 else INSET


class Head(QHeaderView):
    """Titles at the bottom, an arrow before the one that is sorted by; numbers at the right."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.setSectionsClickable(True)
        self.setHighlightSections(False)
        self.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.viewport().setCursor(Qt.CursorShape.PointingHandCursor)

    def sizeHint(self) -> QSize:
        return QSize(super().sizeHint().width(), HEAD)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self.viewport())
        area = self.viewport().rect()
        painter.fillRect(0, area.bottom(), area.width(), 1, QColor(theme.current().line))
        painter.end()

    def paintSection(self, painter: QPainter, rect: QRect, section: int) -> None:
        colors, area, model = theme.current(), QRectF(rect), self.model()
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(area, QColor(colors.window))
        font = QFont(self.font())
        font.setPixelSize(12)
        painter.setFont(font)
        name = str(model.headerData(section, Qt.Orientation.Horizontal))
        is_sorted = self.sortIndicatorSection() == section
        if is_sorted:
            is_up = self.sortIndicatorOrder() == Qt.SortOrder.AscendingOrder
            name = f"{'↑' if is_up else '↓'} {name}"
        painter.setPen(QColor(colors.text if is_sorted else colors.muted))
        side = model.headerData(
            section, Qt.Orientation.Horizontal, Qt.ItemDataRole.TextAlignmentRole
        )
        lower = QRectF(area.left() + inset(section), area.bottom() - 26,
                       area.width() - INSET - inset(section), 20)  # fmt: skip
        painter.drawText(lower, side or Qt.AlignmentFlag.AlignLeft, name)
        painter.restore()


def dress(table: QTableView, name: str, row: int) -> None:
    """What both tables have in common. row: height in pixels."""
    table.setAccessibleName(name)
    table.setStyleSheet("QTableView { background: transparent; border: none; }")
    table.setShowGrid(False)
    table.setWordWrap(False)
    table.setFrameShape(QTableView.Shape.NoFrame)
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
    table.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
    table.setCornerButtonEnabled(False)
    table.setTabKeyNavigation(False)
    table.verticalHeader().hide()
    table.verticalHeader().setMinimumSectionSize(row)
    table.verticalHeader().setDefaultSectionSize(row)
