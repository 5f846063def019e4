"""The picture of a confusion matrix. Imports pyqtgraph: import this module when it is first seen.

Cells are one picture, coloured here; figures, grid and marks are painted over it in screen pixels
for the cells that are seen, so that 150 classes are as quick as 11.
"""

from collections.abc import Callable, Sequence

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal, Slot
from PySide6.QtGui import QColor, QFont, QFontMetrics, QKeyEvent, QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import QApplication, QGraphicsItem, QWidget

from segstudio.ui import theme
from segstudio.ui.theme import tabular

Color = tuple[int, int, int]
TextOf = Callable[[int, int], tuple[str, str]]
"""(row, column) → what a cell says, and what it says where that does not fit."""

NAMES_WIDTH = 130
SWATCH = 10
TEXT_PX = 11
GRID_FROM_PX = 7
"""Cells narrower than that have no lines between them."""

MAPS = {"dark": "viridis", "light": "CET-L12"}
"""Perceptually uniform: equal steps of a figure look equal. What is little is near the ground."""


class NamesAxis(pg.AxisItem):  # type: ignore[misc]  # pyqtgraph has no types
    """Class names with their colours; upright over columns, left out where there is no room."""

    def __init__(self, orientation: str) -> None:
        super().__init__(orientation)
        self.names: tuple[str, ...] = ()
        self.colors: tuple[Color, ...] = ()
        self._is_left = orientation == "left"

    def show_names(self, names: tuple[str, ...], colors: tuple[Color, ...]) -> None:
        """As many as there are rows."""
        if names != self.names:
            font = QFont(QApplication.font())
            font.setPixelSize(TEXT_PX)
            metrics = QFontMetrics(font)
            widest = max((metrics.horizontalAdvance(name) for name in names), default=0)
            room = min(NAMES_WIDTH, widest + SWATCH + 16)
            if self._is_left:
                self.setWidth(room)
            else:
                self.setHeight(room)
        self.names, self.colors = names, colors
        self.update()

    def paint(self, painter: QPainter, option: object, widget: object) -> None:
        view = self.linkedView()
        if view is None or not self.names:
            return
        font = QFont(painter.font())
        font.setPixelSize(TEXT_PX)
        painter.setFont(font)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        metrics, area = painter.fontMetrics(), self.boundingRect()
        ends = [self._place(view, number) for number in range(len(self.names) + 1)]
        step = abs(ends[1] - ends[0])
        every = max(1, int(np.ceil((metrics.height() - 2) / max(step, 0.1))))
        low, high = (area.top(), area.bottom()) if self._is_left else (area.left(), area.right())
        for number in range(0, len(self.names), every):
            middle = (ends[number] + ends[number + 1]) / 2
            if low <= middle <= high - metrics.height() / 2 + 2:
                self._paint_name(painter, number, middle, area)

    def _place(self, view: object, number: int) -> float:
        at = view.mapFromViewToItem(self, QPointF(number, number))  # type: ignore[attr-defined]  # a ViewBox
        return float(at.y() if self._is_left else at.x())

    def _paint_name(self, painter: QPainter, number: int, middle: float, area: QRectF) -> None:
        room = int((area.width() if self._is_left else area.height()) - SWATCH - 12)
        text = painter.fontMetrics().elidedText(
            self.names[number], Qt.TextElideMode.ElideRight, room
        )
        painter.save()
        if self._is_left:
            painter.translate(area.right() - 5, middle)
        else:
            painter.translate(middle, area.bottom() - 5)
            painter.rotate(90)  # so that both axes end in the swatch, beside the cells
        swatch = QRectF(-SWATCH, -SWATCH / 2, SWATCH, SWATCH)
        painter.setPen(QPen(QColor(theme.current().line_strong), 1))
        painter.setBrush(QColor(*self.colors[number]))
        painter.drawRoundedRect(swatch, 2, 2)
        painter.setPen(QColor(theme.current().muted))
        side = Qt.AlignmentFlag.AlignRight
        if not self._is_left:
            painter.translate(-SWATCH - 5, 0)
            painter.rotate(180)  # read from below, as on a book's back
            side = Qt.AlignmentFlag.AlignLeft
            words = QRectF(0, -10, room, 20)
        else:
            words = QRectF(-SWATCH - 5 - room, -10, room, 20)
        painter.drawText(words, side | Qt.AlignmentFlag.AlignVCenter, text)
        painter.restore()


class Cells(pg.GraphicsObject):  # type: ignore[misc]  # pyqtgraph has no types
    """What is painted over the picture: lines, figures, the cells that are meant."""

    def __init__(self) -> None:
        super().__init__()
        self.size = 0
        self.text_of: TextOf = lambda _row, _column: ("", "")
        self.is_light: NDArray[np.bool_] = np.zeros((0, 0), bool)  # cells that want dark figures
        self.chosen: tuple[int, int] | None = None
        self.hovered: tuple[int, int] | None = None
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemUsesExtendedStyleOption, True)

    def boundingRect(self) -> QRectF:
        return QRectF(0, 0, self.size, self.size)

    def paint(self, painter: QPainter, option: object, widget: object) -> None:
        size = self.size
        if not size:
            return
        to_screen = painter.worldTransform()
        seen = self.viewRect().intersected(self.boundingRect())
        rows = range(int(seen.top()), min(size, int(np.ceil(seen.bottom()))))
        columns = range(int(seen.left()), min(size, int(np.ceil(seen.right()))))
        painter.save()
        painter.resetTransform()
        cell = to_screen.mapRect(QRectF(0, 0, 1, 1))
        if min(cell.width(), cell.height()) >= GRID_FROM_PX:
            painter.setPen(QPen(QColor(theme.current().window), 1))
            edges = to_screen.mapRect(seen)
            for row in range(rows.start, rows.stop + 1):
                y = to_screen.map(QPointF(0, row)).y()
                painter.drawLine(QPointF(edges.left(), y), QPointF(edges.right(), y))
            for column in range(columns.start, columns.stop + 1):
                x = to_screen.map(QPointF(column, 0)).x()
                painter.drawLine(QPointF(x, edges.top()), QPointF(x, edges.bottom()))
        font = tabular(painter.font())
        font.setPixelSize(TEXT_PX)
        painter.setFont(font)
        if min(cell.width(), cell.height()) >= TEXT_PX:
            for row in rows:
                for column in columns:
                    place = to_screen.mapRect(QRectF(column, row, 1, 1))
                    self._paint_text(painter, row, column, place)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        colors = theme.current()
        for at, strokes in (
            (self.hovered, ((colors.text, 1.0),)),
            (self.chosen, ((colors.window, 5.0), (colors.text, 2.0))),
        ):
            if at is not None and max(at) < size:
                for tone, width in strokes:
                    painter.setPen(QPen(QColor(tone), width))
                    painter.drawRect(to_screen.mapRect(QRectF(at[1], at[0], 1, 1)))
        painter.restore()

    def _paint_text(self, painter: QPainter, row: int, column: int, place: QRectF) -> None:
        metrics = painter.fontMetrics()
        if place.height() < metrics.height() - 2:
            return
        room = place.width() - 3
        fitting = (
            t for t in self.text_of(row, column) if t and metrics.horizontalAdvance(t) <= room
        )
        text = next(fitting, "")
        if not text:
            return
        painter.setPen(QColor("#0b0f16" if self.is_light[row, column] else "#f4f6fa"))
        painter.drawText(place, Qt.AlignmentFlag.AlignCenter, text)


class ConfusionPlot(pg.PlotWidget):  # type: ignore[misc]  # pyqtgraph has no types
    """Signals:
    cell_hovered(object): (row, column) under the mouse, None outside.
    cell_chosen(int, int): clicked, or reached with the arrows.
    """

    cell_hovered = Signal(object)
    cell_chosen = Signal(int, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        self._left, self._top = NamesAxis("left"), NamesAxis("top")
        super().__init__(parent, axisItems={"left": self._left, "top": self._top})
        self._tones: NDArray[np.float64] = np.zeros((0, 0))
        self.lut: NDArray[np.uint8] = np.zeros((256, 3), np.uint8)
        plot = self.getPlotItem()
        for side, is_shown in (("left", True), ("top", True), ("bottom", False)):
            plot.showAxis(side, is_shown)
        plot.hideButtons()
        plot.setMenuEnabled(False)
        plot.layout.setContentsMargins(0, 0, 8, 0)
        self._box = plot.getViewBox()
        self._box.invertY(True)
        self._box.setDefaultPadding(0)
        self._picture = pg.ImageItem(axisOrder="row-major")
        self._cells = Cells()
        self.addItem(self._picture)
        self.addItem(self._cells)
        self.setFrameShape(self.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Confusion matrix")
        self.setMinimumSize(320, 280)
        self.scene().sigMouseClicked.connect(self._click)
        self._follow_theme()

    @property
    def chosen(self) -> tuple[int, int] | None:
        """(row, column) of the marked cell."""
        return self._cells.chosen

    def show_matrix(
        self,
        tones: NDArray[np.float64],
        text_of: TextOf,
        names: tuple[str, ...],
        colors: tuple[Color, ...],
    ) -> None:
        """tones: float64 (n, n), 0..1 on the colour map, NaN for blank."""
        is_new = names != self._left.names
        self._tones = tones
        self._cells.prepareGeometryChange()
        self._cells.size, self._cells.text_of = len(names), text_of
        for axis in (self._left, self._top):
            axis.show_names(names, colors)
        self._colour()
        if is_new:
            self._cells.chosen = self._cells.hovered = None
            self.fit()

    def fit(self) -> None:
        """The whole matrix, and no way to lose it."""
        size = len(self._left.names)
        self._box.setLimits(
            xMin=0, xMax=size, yMin=0, yMax=size, minXRange=min(4, size), minYRange=min(4, size),
            maxXRange=size, maxYRange=size,
        )  # fmt: skip
        self._box.setRange(QRectF(0, 0, size, size), padding=0)

    def choose(self, row: int, column: int) -> None:
        """Mark a cell; the signal follows."""
        self._cells.chosen = row, column
        self._cells.update()
        self.cell_chosen.emit(row, column)

    def clear_choice(self) -> None:
        """Mark none."""
        self._cells.chosen = None
        self._cells.update()

    def place_of(self, row: int, column: int) -> QPointF:
        """Where the middle of a cell lies in the viewport."""
        at = self._box.mapViewToScene(QPointF(column + 0.5, row + 0.5))
        return QPointF(self.mapFromScene(at))

    def _colour(self) -> None:
        values = np.nan_to_num(self._tones)
        pixels = self.lut[np.rint(values * 255).astype(np.intp)]
        blank = QColor(theme.current().field)
        pixels = np.where(
            np.isnan(self._tones)[..., None], (blank.red(), blank.green(), blank.blue()), pixels
        ).astype(np.uint8)
        self._picture.setImage(pixels, autoLevels=False, levels=(0, 255))
        self._cells.is_light = pixels @ np.array((0.299, 0.587, 0.114)) > 140
        self._cells.update()

    def _follow_theme(self) -> None:
        colors = theme.current()
        self.setBackground(colors.window)
        table = pg.colormap.get(MAPS[colors.name]).getLookupTable(0.0, 1.0, 256)
        # The darkest step of the one and the lightest of the other would vanish in the ground.
        self.lut = np.ascontiguousarray(table[:, :3][_inner(colors.name)])
        self._colour()

    def _hover(self, at: QPointF) -> None:
        cell = self._cell_at(at)
        if cell != self._cells.hovered:
            self._cells.hovered = cell
            self._cells.update()
            self.cell_hovered.emit(cell)

    @Slot(object)
    def _click(self, event: object) -> None:
        if event.button() != Qt.MouseButton.LeftButton:  # type: ignore[attr-defined]  # pyqtgraph's
            return
        if event.double():  # type: ignore[attr-defined]
            self.fit()
            return
        cell = self._cell_at(event.scenePos())  # type: ignore[attr-defined]
        if cell is not None:
            self.choose(*cell)

    def _cell_at(self, at: QPointF) -> tuple[int, int] | None:
        if not self._box.sceneBoundingRect().contains(at):
            return None
        inside, size = self._box.mapSceneToView(at), len(self._left.names)
        row, column = int(np.floor(inside.y())), int(np.floor(inside.x()))
        return (row, column) if 0 <= row < size and 0 <= column < size else None

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Left: (0, -1), Qt.Key.Key_Right: (0, 1), Qt.Key.Key_Up: (-1, 0),
                 Qt.Key.Key_Down: (1, 0)}  # fmt: skip
        step, size = steps.get(Qt.Key(event.key())), len(self._left.names)
        if step is None or not size:
            super().keyPressEvent(event)
            return
        now = self._cells.chosen or (0, 0)
        row, column = (min(max(n + s, 0), size - 1) for n, s in zip(now, step, strict=True))
        self.choose(row, column)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)  # pyqtgraph's own signal leaves moves out, also the last
        self._hover(self.mapToScene(event.position().toPoint()))

    def leaveEvent(self, event: QEvent) -> None:
        self._hover(QPointF(-1, -1))
        super().leaveEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_cells"):
            self._follow_theme()
        super().changeEvent(event)


def _inner(name: str) -> Sequence[int]:
    low, high = (36, 235) if name == "dark" else (20, 255)
    steps: list[int] = np.linspace(low, high, 256).round().astype(int).tolist()
    return steps
