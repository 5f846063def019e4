"""IoU class by class at a glance: a colour, a name, a bar and a figure each, in columns."""

from collections.abc import Mapping

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from segstudio.core.classes import ClassMap
from segstudio.ui import theme
from segstudio.ui.theme import UNIT, tabular

ROW = 22
SWATCH = 12
BAR = 56
FIGURE = 44
GAP = 3 * UNIT
NARROWEST, WIDEST = 220, 300


class ClassFigures(QWidget):
    """As many columns as fit, filled downwards; as high as they need."""

    def __init__(self, classes: ClassMap, figures: Mapping[str, float]) -> None:
        """figures: IoU, 0..1, by the name of the class; a class that has none is left out."""
        super().__init__()
        colors = {known.name: known.color for known in classes.classes}
        order = [name for name in colors if name in figures]
        order += [name for name in figures if name not in colors]
        self.rows = [(name, figures[name], colors.get(name)) for name in order]
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("IoU: " + ", ".join(f"{n} {_percent(v)}" for n, v, _ in self.rows))
        self._fit()

    def minimumSizeHint(self) -> QSize:
        return QSize(NARROWEST, self.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _grid(self) -> tuple[int, int]:
        """Columns and rows."""
        columns = max(1, (self.width() + GAP) // (NARROWEST + GAP))
        return columns, -(-len(self.rows) // columns)

    def _fit(self) -> None:
        height = self._grid()[1] * ROW
        if height != self.height():
            self.setFixedHeight(height)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(tabular(self.font()))
        columns, rows = self._grid()
        step = min(WIDEST + GAP, (self.width() + GAP) / columns)
        for number, row in enumerate(self.rows):
            across, down = divmod(number, max(1, rows))
            self._paint(painter, QRectF(across * step, down * ROW, step - GAP, ROW), row)
        painter.end()

    def _paint(
        self,
        painter: QPainter,
        area: QRectF,
        row: tuple[str, float, tuple[int, int, int] | None],
    ) -> None:
        colors, (name, value, color) = theme.current(), row
        top = area.center().y() - SWATCH / 2
        if color is not None:
            painter.setPen(QColor(colors.line_strong))
            painter.setBrush(QColor(*color))
            painter.drawRoundedRect(QRectF(area.left() + 0.5, top, SWATCH, SWATCH), 3, 3)
        left = area.left() + SWATCH + UNIT
        bar = QRectF(area.right() - FIGURE - BAR, area.center().y() - 2, BAR, 4)
        told = QRectF(left, area.top(), bar.left() - UNIT - left, ROW)
        painter.setPen(QColor(colors.text))
        text = painter.fontMetrics().elidedText(
            name, Qt.TextElideMode.ElideRight, int(told.width())
        )
        painter.drawText(told, Qt.AlignmentFlag.AlignVCenter, text)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colors.line))
        painter.drawRoundedRect(bar, 2, 2)
        painter.setBrush(QColor(colors.accent))
        painter.drawRoundedRect(QRectF(bar.left(), bar.top(), BAR * value, 4), 2, 2)
        painter.setPen(QColor(colors.text))
        place = QRectF(area.right() - FIGURE, area.top(), FIGURE, ROW)
        side = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(place, side, f"{100 * value:.1f}")


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"
