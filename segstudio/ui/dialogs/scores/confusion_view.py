"""The page with the confusion matrix of one model, and the frames behind the chosen cell."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QEvent, Qt, Signal, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from segstudio.core.confusion import Counts
from segstudio.store.project_rows import FrameKey
from segstudio.ui.comparing.wording import pixels
from segstudio.ui.dialogs.scores.behind import BehindList
from segstudio.ui.dialogs.scores.legend import Legend
from segstudio.ui.dialogs.scores.matrix import (
    VOID_NAME,
    cell_figures,
    cell_text,
    cell_title,
    shares,
    tones,
)
from segstudio.ui.dialogs.scores.source import ScoreSource
from segstudio.ui.panels.parts import Segments, label, row
from segstudio.ui.theme import UNIT
from segstudio.ui.words import counted

if TYPE_CHECKING:
    from segstudio.ui.dialogs.scores.confusion_plot import ConfusionPlot

SIDE_WIDTH = 288
HOW_TO = "Rows are the reference, columns what the model said. Click a cell for its frames."
NO_CELL = "Click a cell, and the frames behind it are listed here, those with most pixels first."


class ConfusionPage(QWidget):
    """Shows what it is told to; keeps how it is normalised and which cell is chosen.

    Signals:
        frame_wanted(object, object, object): FrameKey, row and column of the matrix.
    """

    frame_wanted = Signal(object, object, object)

    def __init__(self, source: ScoreSource) -> None:
        super().__init__()
        self._source = source
        self._letter, self._is_reference, self._by = "", True, "rows"
        self._full: Counts = np.zeros((0, 0), np.int64)
        self._names: tuple[str, ...] = ()
        self._plot: ConfusionPlot | None = None
        self._by_choice = Segments(
            (
                ("rows", "By reference", "Percent of each row: where the pixels of a class went"),
                ("columns", "By prediction",
                 "Percent of each column: what is really there where the model said a class"),
                ("pixels", "Pixels", "Counts, coloured by their logarithm"),
            ),
            self._normalise,
        )  # fmt: skip
        self._by_choice.show_value(self._by)
        self._by_choice.setMinimumWidth(self._by_choice.sizeHint().width())
        self._legend = Legend()
        self._hint = label(HOW_TO, look="small", tone="muted")
        self._hint.setTextFormat(Qt.TextFormat.PlainText)
        self._hint.setWordWrap(True)
        self._hint.setFixedHeight(2 * self._hint.fontMetrics().height())
        self._hint.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._cell, self._sum = label(look="title"), label(look="small", tone="muted")
        for words in (self._cell, self._sum):
            words.setWordWrap(True)
            words.setTextFormat(Qt.TextFormat.PlainText)
        self._behind = BehindList(source.title_of)
        self._behind.frame_taken.connect(self._take)
        self._build()
        self._show_choice()

    def _build(self) -> None:
        self._left = QVBoxLayout()
        self._left.setContentsMargins(3 * UNIT, UNIT, UNIT, 2 * UNIT)
        self._left.setSpacing(UNIT)
        self._left.addLayout(row(self._by_choice, 1, self._legend))
        self._left.addWidget(self._hint)
        line = QFrame()
        line.setProperty("look", "rule")
        line.setFixedWidth(1)
        side = QWidget()
        side.setFixedWidth(SIDE_WIDTH)
        right = QVBoxLayout(side)
        right.setContentsMargins(UNIT, UNIT, UNIT, UNIT)
        right.setSpacing(UNIT // 2)
        for words in (self._cell, self._sum):
            words.setContentsMargins(10, 0, 10, 0)
            right.addWidget(words)
        right.addSpacing(UNIT // 2)
        right.addWidget(self._behind, 1)
        whole = QHBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addLayout(self._left, 1)
        whole.addWidget(line)
        whole.addWidget(side)

    # --- what is shown

    def show_scores(self, letter: str, *, is_reference: bool) -> None:
        """Of that model, over confirmed frames or over the others."""
        plot = self._made_plot()
        if (letter, is_reference) != (self._letter, self._is_reference):
            self._letter, self._is_reference = letter, is_reference
        classes = self._source.classes
        self._full = self._source.tally(letter).full(reference=is_reference)
        self._names = (*(c.name for c in classes.classes), VOID_NAME)
        colors = (*(c.color for c in classes.classes), (0, 0, 0))
        convention = self._source.convention
        plot.show_matrix(
            tones(self._full, self._by, convention), self._text_of(), self._names, colors
        )
        self._legend.show_scale(plot.lut, self._by, int(self._full.max(initial=0)))
        self._show_choice()

    def _text_of(self) -> Callable[[int, int], tuple[str, str]]:
        """Says what is written in a cell."""
        full, by = self._full, self._by
        values = full if by == "pixels" else shares(full, by, self._source.convention)

        def text_of(row: int, column: int) -> tuple[str, str]:
            return cell_figures(float(values[row, column]), int(full[row, column]), by)

        return text_of

    def choose(self, at: tuple[int, int]) -> None:
        """Mark (row, column) and list its frames."""
        self._made_plot().choose(*at)

    def worst_of(self, row: int) -> tuple[int, int]:
        """The cell of a class where most of it was lost; its diagonal when nothing was."""
        lost = self._full[row].copy()
        lost[row] = 0
        return row, int(lost.argmax()) if lost.any() else row

    def _made_plot(self) -> "ConfusionPlot":
        if self._plot is None:
            from segstudio.ui.dialogs.scores.confusion_plot import ConfusionPlot

            self._plot = ConfusionPlot(self)
            self._plot.cell_hovered.connect(self._show_hover)
            self._plot.cell_chosen.connect(self._show_choice)
            self._left.insertWidget(1, self._plot, 1)
        return self._plot

    @Slot()
    def _show_choice(self, *_: int) -> None:
        """Frames of the marked cell."""
        at = None if self._plot is None else self._plot.chosen
        if at is None or max(at) >= len(self._full):
            self._cell.setText("")
            self._sum.setText(NO_CELL)
            self._behind.show_frames(())
            return
        found = self._source.tally(self._letter).behind(*at, reference=self._is_reference)
        title = cell_title(self._names[at[0]], self._names[at[1]])
        self._cell.setText(title[:1].upper() + title[1:])
        number = int(self._full[at])
        frames = f"{pixels(number)} in {counted(len(found), 'frame')}"
        self._sum.setText(frames if found else "No frame has such a pixel.")
        self._behind.show_frames(found)

    @Slot(object)
    def _show_hover(self, at: tuple[int, int] | None) -> None:
        if at is None or max(at) >= len(self._full):
            self._hint.setText(HOW_TO)
            return
        convention = self._source.convention
        self._hint.setText(cell_text(self._full, at, self._names, self._by, convention))

    def _normalise(self, by: str) -> None:
        self._by = by
        self._by_choice.show_value(by)
        self.show_scores(self._letter, is_reference=self._is_reference)

    @Slot(object)
    def _take(self, key: FrameKey) -> None:
        at = None if self._plot is None else self._plot.chosen
        if at is not None:
            self.frame_wanted.emit(key, *at)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and self._plot is not None:
            self._legend.show_scale(self._plot.lut, self._by, int(self._full.max(initial=0)))
