"""Lines over the steps of a run. Imports pyqtgraph: import this when lines are first seen."""

from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QColor, QFont, QPen
from PySide6.QtWidgets import QWidget

from segstudio.ui import theme
from segstudio.ui.dialogs.training.lines import Line, Scale
from segstudio.ui.theme import tabular

TEXT_PX = 11
EDGE = 0.04
"""Room above and below the scale, as a share of it."""


class CurvePlot(pg.PlotWidget):  # type: ignore[misc]  # pyqtgraph has no types
    """Looks only: no mouse, no menu. Lines are kept and given new values, as long as they are as
    many as before. UI thread only.
    """

    def __init__(self, parent: QWidget) -> None:
        self._is_ready = False  # Qt tells of changes before pyqtgraph has made what they are about
        super().__init__(parent, enableMenu=False)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setFrameShape(pg.PlotWidget.Shape.NoFrame)
        self.setMouseEnabled(x=False, y=False)
        self.hideButtons()
        item = self.getPlotItem()
        item.getViewBox().disableAutoRange()
        item.getViewBox().setDefaultPadding(0)
        font = QFont(tabular(self.font()))
        font.setPixelSize(TEXT_PX)
        for name in ("left", "bottom"):
            axis = item.getAxis(name)
            axis.setTickFont(font)
            axis.setStyle(tickLength=0, tickTextOffset=6, maxTickLevel=0)
            axis.enableAutoSIPrefix(False)
        item.getAxis("left").setWidth(44)
        item.getAxis("bottom").setHeight(20)
        self._curves: list[pg.PlotCurveItem] = []
        self._lines: tuple[Line, ...] = ()
        self._is_ready = True
        self._take_colors()

    def show_lines(self, lines: Sequence[Line], scale: Scale) -> None:
        """The first line lies undermost."""
        while len(self._curves) > len(lines):
            self.removeItem(self._curves.pop())
        while len(self._curves) < len(lines):
            curve = pg.PlotCurveItem(connect="finite", antialias=True)
            self.addItem(curve, ignoreBounds=True)
            self._curves.append(curve)
        self._lines = tuple(lines)
        for curve, line in zip(self._curves, lines, strict=True):
            curve.setPen(_pen(line))
            curve.setData(line.steps.astype(np.float64), line.values)
        box = self.getPlotItem().getViewBox()
        room = EDGE * (scale.high - scale.low)  # pyqtgraph leaves out texts that would be cut
        ends = scale.low - room, scale.high + room
        box.setRange(xRange=(0, scale.right), yRange=ends, padding=0)
        self.getPlotItem().getAxis("left").setTicks([list(scale.ticks)])

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and self._is_ready:
            self._take_colors()

    def _take_colors(self) -> None:
        """Of the theme in use."""
        colors = theme.current()
        self.setBackground(colors.raised)
        for name in ("left", "bottom"):
            axis = self.getPlotItem().getAxis(name)
            axis.setTextPen(colors.faint)
            axis.setPen(QPen(QColor(colors.line), 1))
            axis.setGrid(28 if name == "left" else False)
        for curve, line in zip(self._curves, self._lines, strict=True):
            curve.setPen(_pen(line))


def _pen(line: Line) -> QPen:
    color = QColor(getattr(theme.current(), line.color)) if isinstance(
        line.color, str) else QColor(*line.color)  # fmt: skip
    color.setAlphaF(line.opacity)
    pen = QPen(color, line.width)
    pen.setCosmetic(True)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    return pen
