"""The strip under a compared model's picture: how fast, how it was measured, what it costs.

It paints its own text: ten times a second on four strips, labels in layouts would cost more than
all the rest. Four new readings of 240 frames, made, shown and painted, take 1.5 ms (measured).
Sentences grow shorter with the room there is; the tool tip has everything.
"""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QRect, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QWidget

from segstudio.ui import theme
from segstudio.ui.comparing import speed_words
from segstudio.ui.comparing.speeds import SpeedReading
from segstudio.ui.panels.latency_chart import LatencyChart
from segstudio.ui.panels.parts import button
from segstudio.ui.theme import UNIT, tabular

HEIGHT = 9 * UNIT
HEAD = 3 * UNIT
CHART = 16 * UNIT
"""Narrower than this a chart says nothing, and text gets its place."""

EVERY_MS = 100
"""A strip changes at most ten times a second."""

MEASURE_TIP = (
    "Predict this frame again and again while no other model runs,\nand tell how fast that was"
)
WIDEST_TIMES = ("p50 000 · p95 000 · p99 0000 ms", "prepare 00 · model 000 · upsample 00 ms")
WIDEST_COSTS = ("00.00 M params · 000.0 GMAC", "peak 0,000 MB · 0000 × 0000 · cuda:0")
"""Columns keep their places while figures change."""


class SpeedStrip(QWidget):
    """Figures of one pane. UI thread only.

    Signals:
        alone_wanted(): the model should be measured alone.
    """

    alone_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._reading: SpeedReading | None = None
        self._next: SpeedReading | None = None
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(EVERY_MS)
        self._pause.timeout.connect(self._show_next)
        self._button = button("Measure alone", "link", self.alone_wanted.emit)
        self._button.setParent(self)
        self._button.setToolTip(MEASURE_TIP)
        self._chart = LatencyChart()
        self._chart.setParent(self)
        self._is_measuring = False
        self._has_costs = self._has_chart = False
        self._text = QRect()
        self.setFixedHeight(HEIGHT)
        self.setMinimumWidth(20 * UNIT)
        self._take_fonts()
        self._show_state()

    @property
    def reading(self) -> SpeedReading | None:
        """What is on the screen."""
        return self._reading

    def show_reading(self, reading: SpeedReading | None) -> None:
        """The newest figures, None for none; at most every `EVERY_MS` they reach the screen."""
        if reading is None or self._reading is None or not self._pause.isActive():
            self._next = None
            self._show(reading)
            self._pause.start()
        else:
            self._next = reading

    def show_measuring(self, *, measuring: bool) -> None:
        """The model is being measured alone; the button waits."""
        if measuring != self._is_measuring:
            self._is_measuring = measuring
            self._show_state()

    @Slot()
    def _show_next(self) -> None:
        if self._next is not None:
            reading, self._next = self._next, None
            self._show(reading)
            self._pause.start()

    def _show(self, reading: SpeedReading | None) -> None:
        if reading is self._reading:
            return
        had, self._reading = self._reading, reading
        self._is_measuring &= reading is not None
        if (had is None) != (reading is None):
            self._show_state()
        if reading is None:
            self._chart.clear()
        elif had is None or reading.history is not had.history:
            median = 0.0 if reading.total is None else reading.total.p50
            self._chart.show_values(reading.history, median)
        self.setAccessibleDescription("" if reading is None else speed_words.summary(reading))
        self.update(self._head())
        self.update(self._text)

    def _show_state(self) -> None:
        self._button.setText("Measuring…" if self._is_measuring else "Measure alone")
        self._button.setEnabled(not self._is_measuring)
        self._button.setVisible(self._reading is not None)
        self._chart.setVisible(self._reading is not None and self._has_chart)
        self._place()
        self.update()

    # --- where things are

    def _place(self) -> None:
        """Head: sentence and button. Below: latencies, costs if there is room, the chart."""
        width, bottom = self.width(), HEIGHT - UNIT // 2
        size = self._button.sizeHint()
        self._button.setGeometry(
            width - size.width() - UNIT, (HEAD + UNIT // 2 - size.height()) // 2 + 2,
            size.width(), size.height(),
        )  # fmt: skip
        left = UNIT + self._first + 2 * UNIT
        self._has_costs = left + self._second + 2 * UNIT + CHART + UNIT <= width
        chart = left + (self._second + 2 * UNIT if self._has_costs else 0)
        self._has_chart = chart + CHART + UNIT <= width
        top = HEAD + UNIT // 2
        self._text = QRect(
            UNIT, top, (chart if self._has_chart else width) - 2 * UNIT, bottom - top
        )
        self._chart.setGeometry(chart, top, max(0, width - UNIT - chart), bottom - top)
        self._chart.setVisible(self._reading is not None and self._has_chart)

    def _head(self) -> QRect:
        edge = self._button.x() if self._reading is not None else self.width()
        return QRect(UNIT, UNIT // 2, edge - 2 * UNIT, HEAD)

    def _take_fonts(self) -> None:
        """Sizes of the text, and of the widest text that is ever there."""
        self._big, self._small = QFont(tabular(self.font())), QFont(tabular(self.font()))
        self._big.setPixelSize(16)
        self._big.setWeight(QFont.Weight.DemiBold)
        self._small.setPixelSize(12)
        self._metrics = QFontMetrics(self._small)
        self._first = max(map(self._metrics.horizontalAdvance, WIDEST_TIMES))
        self._second = max(map(self._metrics.horizontalAdvance, WIDEST_COSTS))

    def sizeHint(self) -> QSize:
        return QSize(50 * UNIT, HEIGHT)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._place()
        super().resizeEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.PaletteChange):
            self._take_fonts()
            self._show_state()
        super().changeEvent(event)

    def event(self, event: QEvent) -> bool:
        """The tool tip is written when somebody wants to read it."""
        if event.type() == QEvent.Type.ToolTip:
            self.setToolTip("" if self._reading is None else speed_words.table(self._reading))
        return super().event(event)

    # --- what it looks like

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        colors = theme.current()
        if self._reading is None:
            painter.setFont(self._small)
            painter.setPen(QColor(colors.faint))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, speed_words.EMPTY)
        else:
            self._paint_head(painter, self._reading)
            self._paint_figures(painter, self._reading)
        painter.end()

    def _paint_head(self, painter: QPainter, reading: SpeedReading) -> None:
        colors, area = theme.current(), self._head()
        figure = speed_words.headline(reading)
        painter.setFont(self._big)
        painter.setPen(QColor(colors.text))
        base = area.top() + (area.height() + self._metrics.ascent()) // 2
        painter.drawText(area.left(), base, figure)
        left = area.left()
        if figure:
            left += painter.fontMetrics().horizontalAdvance(figure) + UNIT
        painter.setFont(self._small)
        painter.setPen(QColor(colors.muted))
        painter.drawText(
            left, base, self._fitting(speed_words.circumstances(reading), area.right() - left)
        )

    def _paint_figures(self, painter: QPainter, reading: SpeedReading) -> None:
        colors, area = theme.current(), self._text
        times, costs = speed_words.latencies(reading), speed_words.costs(reading)
        columns = [(area.left(), times)] if reading.total is not None else []
        if self._has_costs or not columns:
            columns.append((area.left() + (self._first + 2 * UNIT if columns else 0), costs))
        painter.setFont(self._small)
        first = area.top() + self._metrics.ascent() + 2
        for left, lines in columns:
            for number, line in enumerate(lines):
                painter.setPen(QColor(colors.faint if number else colors.muted))
                painter.drawText(left, first + number * (area.height() // 2), line)

    def _fitting(self, texts: Sequence[str], width: int) -> str:
        """The first that has room, else the last one cut short."""
        for text in texts:
            if self._metrics.horizontalAdvance(text) <= width:
                return text
        return self._metrics.elidedText(texts[-1], Qt.TextElideMode.ElideRight, max(0, width))
