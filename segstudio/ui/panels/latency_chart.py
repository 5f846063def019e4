"""A small strip chart of latencies: filled line, newest on the right, the median across it.

pyqtgraph takes half a second to import, so that is done once the first values are there, and never
in another thread than the window's: it goes through every name of Qt, and PySide makes types when
they are first asked for, which two threads at a time do not survive. Until then the chart is an
empty field. Axes are left out: the scale moves in round
steps and stands in a corner, and what is higher leaves the chart at its top.
"""

import importlib
import logging
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QRect, Qt, QTimer, Slot
from PySide6.QtGui import (
    QColor,
    QFont,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QGraphicsLineItem, QGraphicsPathItem, QWidget

from segstudio.ui import theme
from segstudio.ui.theme import UNIT, tabular

log = logging.getLogger("segstudio.ui")

SPAN = 240
"""Values across the chart."""

SCALE = 6 * UNIT
"""Room for the scale, beside what is drawn: text over it would be painted with every frame."""

OUTLIER = 2.0
"""The scale reaches to the largest value, or to so many medians where that is less."""


STEPS = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
"""What the scale ends at, times a power of ten."""


class LatencyChart(QWidget):
    """UI thread only."""

    def __init__(self) -> None:
        super().__init__()
        self._values: NDArray[np.float32] = np.empty(0, np.float32)
        self._median = 0.0
        self._plot: _Plot | None = None
        self._is_loading = False
        self._scale = ""
        self.setAccessibleName("Latency")

    @property
    def is_drawn(self) -> bool:
        """True once pyqtgraph draws the values."""
        return self._plot is not None and self._plot.view.isVisibleTo(self)

    def show_values(self, values: NDArray[np.float32], median: float) -> None:
        """float32 (n,) in ms, oldest first, of which the last `SPAN` are seen."""
        self._values, self._median = values[-SPAN:], median
        if self._plot is None and len(values):
            self._load()
        self._draw()

    def clear(self) -> None:
        """Nothing was measured."""
        self.show_values(np.empty(0, np.float32), 0.0)

    def _load(self) -> None:
        if self._is_loading:
            return
        self._is_loading = True

        QTimer.singleShot(0, self, self._import)

    @Slot()
    def _import(self) -> None:
        """Between two events, so that what was clicked is drawn first."""
        try:
            pyqtgraph = importlib.import_module("pyqtgraph")
        except ImportError as error:
            self._give_up(error)
        else:
            self._begin(pyqtgraph)

    def _begin(self, pyqtgraph: Any) -> None:  # noqa: ANN401  as above
        self._plot = _Plot(pyqtgraph, self)
        self._plot.view.setGeometry(self._inside())
        self._draw()

    def _give_up(self, error: Exception) -> None:
        log.warning("latencies are not drawn: %s", error)

    def _draw(self) -> None:
        if self._plot is None:
            return
        has_values, scale = len(self._values) > 0, ""
        if has_values:
            top = ceiling(min(float(self._values.max()), OUTLIER * self._median))
            self._plot.show(self._values, self._median, top)
            scale = f"{top:g} ms"
        self._plot.view.setVisible(has_values)
        if scale != self._scale:
            self._scale = scale
            self.update()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange and self._plot is not None:
            self._plot.take_colors()
        super().changeEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        if self._plot is not None:
            self._plot.view.setGeometry(self._inside())
        super().resizeEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.current().raised))
        painter.drawRoundedRect(self.rect(), 4, 4)
        painter.setPen(QColor(theme.current().faint))
        painter.setFont(self._small())
        area = self.rect().adjusted(0, 1, SCALE - self.width(), 0)
        painter.drawText(area, Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignRight, self._scale)
        painter.end()

    def _inside(self) -> QRect:
        return self.rect().adjusted(SCALE + UNIT // 2, 2, -2, -2)

    def _small(self) -> QFont:
        font = QFont(tabular(self.font()))
        font.setPixelSize(11)
        return font


class _Plot:
    """What is drawn in pyqtgraph's view: two paths and a line in a box without axes.

    Its PlotCurveItem draws the same with 2.6 times the work (measured, 240 values with a filled
    area), which four strips ten times a second would feel.
    """

    def __init__(self, pyqtgraph: Any, parent: QWidget) -> None:  # noqa: ANN401  as above
        self._pg = pyqtgraph
        self.view = pyqtgraph.GraphicsView(parent, useOpenGL=False)
        self.view.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.view.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._box = pyqtgraph.ViewBox(enableMenu=False, enableMouse=False, defaultPadding=0)
        self._box.disableAutoRange()
        self.view.setCentralItem(self._box)
        self._area, self._curve = QGraphicsPathItem(), QGraphicsPathItem()
        self._line = QGraphicsLineItem()
        for item in (self._area, self._curve, self._line):
            self._box.addItem(item, ignoreBounds=True)
        self._top = 0.0
        self.take_colors()

    def take_colors(self) -> None:
        """Of the theme in use."""
        colors = theme.current()
        self.view.setBackground(colors.raised)
        self._area.setPen(QPen(Qt.PenStyle.NoPen))
        self._area.setBrush(QColor(colors.accent_soft))
        self._curve.setPen(QPen(QColor(colors.accent), 0))
        pen = QPen(QColor(colors.faint), 0)
        pen.setStyle(Qt.PenStyle.DashLine)
        self._line.setPen(pen)

    def show(self, values: NDArray[np.float32], median: float, top: float) -> None:
        """Draw them up to `top`; the newest at the right edge."""
        if top != self._top:
            self._top = top
            self._box.setRange(xRange=(0, SPAN - 1), yRange=(0, top), padding=0)
        x, y = np.arange(SPAN - len(values), SPAN, dtype=np.float64), values.astype(np.float64)
        self._curve.setPath(self._path(x, y))
        x, y = np.concatenate([x[:1], x, x[-1:]]), np.concatenate([[0.0], y, [0.0]])
        self._area.setPath(self._path(x, y))
        self._line.setLine(0, median, SPAN - 1, median)

    def _path(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> QPainterPath:
        path: QPainterPath = self._pg.arrayToQPath(x, y, connect="all", finiteCheck=False)
        return path


def ceiling(value: float) -> float:
    """The next round number above; at least 1."""
    if value <= 1:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in STEPS if step * power >= value)
