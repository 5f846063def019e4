"""A chart with a title: an empty field that says what will be there, until there is something."""

import importlib
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QTimer, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from segstudio.ui.dialogs.training.lines import Line, Scale
from segstudio.ui.panels.parts import label
from segstudio.ui.theme import UNIT

if TYPE_CHECKING:
    from segstudio.ui.dialogs.training.curve_plot import CurvePlot

log = logging.getLogger("segstudio.ui")


class Chart(QFrame):
    """UI thread only. pyqtgraph comes with the first line, between two events: see
    panels.latency_chart for why in this thread.
    """

    def __init__(self, name: str, waiting: str) -> None:
        """name: for those who do not see it. waiting: said while there is no line."""
        super().__init__()
        self.setProperty("look", "card")
        self.setAccessibleName(name)
        self.setMinimumHeight(120)
        self._waiting = waiting
        self._lines: tuple[Line, ...] = ()
        self._scale = Scale(1, 0, 1, ())
        self._plot: CurvePlot | None = None
        self._is_loading = False
        self._field = QWidget()
        self._says = label(waiting, tone="faint", look="small")
        self._says.setWordWrap(True)
        self._box = box = QVBoxLayout(self)
        box.setContentsMargins(UNIT, UNIT, UNIT + 4, UNIT // 2)
        box.setSpacing(0)
        box.addWidget(self._says)
        box.addWidget(self._field, 1)

    @property
    def is_drawn(self) -> bool:
        """True once pyqtgraph draws the lines."""
        return self._plot is not None and self._plot.isVisibleTo(self)

    @property
    def lines(self) -> tuple[Line, ...]:
        """What is shown, the undermost first."""
        return self._lines

    def show_waiting(self, text: str) -> None:
        """Another sentence for while there is no line."""
        if text != self._waiting:
            self._waiting = text
            self._says.setText(text)

    def show_lines(self, lines: Sequence[Line], scale: Scale, summary: str = "") -> None:
        """summary: the newest figures in words, for those who do not see the chart."""
        self._lines = tuple(line for line in lines if len(line.steps))
        self._scale = scale
        self.setAccessibleDescription(summary)
        if self._lines and self._plot is None and not self._is_loading:
            self._is_loading = True
            QTimer.singleShot(0, self, self._load)
        self._draw()

    @Slot()
    def _load(self) -> None:
        try:
            module: Any = importlib.import_module("segstudio.ui.dialogs.training.curve_plot")
        except ImportError as error:
            log.warning("curves are not drawn: %s", error)
            self._says.setText("Curves need pyqtgraph, which is not installed.")
            return
        self._plot = module.CurvePlot(self._field)
        self._plot.setGeometry(self._field.rect())
        self._draw()

    def _draw(self) -> None:
        has_lines = bool(self._lines)
        self._says.setVisible(not has_lines or self._plot is None)
        if self._plot is not None:
            if has_lines:
                self._plot.show_lines(self._lines, self._scale)
            self._plot.setVisible(has_lines)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._box.activate()
        if self._plot is not None:
            self._plot.setGeometry(self._field.rect())
