"""The legend of a difference: which two classes, in which colour, on how many pixels."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, Qt, Slot
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from segstudio.ui.panels.parts import Section, label
from segstudio.ui.session import Session
from segstudio.ui.theme import UNIT, tabular

if TYPE_CHECKING:
    from segstudio.core.differing import Difference

MOST = 8
"""Pairs that are listed; the rest is summed up in the last line."""


class Swatch(QWidget):
    """A rounded square of one colour."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedSize(14, 14)
        self.color = QColor(Qt.GlobalColor.transparent)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.color)
        painter.drawRoundedRect(QRectF(0, 0, 14, 14), 4, 4)
        painter.end()


class DifferencesPanel(Section):
    """There while differences are looked at."""

    def __init__(self, session: Session) -> None:
        self._share = label(tone="muted")
        super().__init__("Difference", self._share)
        self._share.setFont(tabular(self._share.font()))
        self._session = session
        self._of = label(look="small", tone="muted")
        self._of.setWordWrap(True)
        self.body.addWidget(self._of)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(UNIT)
        self._grid.setVerticalSpacing(UNIT // 2)
        self._grid.setColumnStretch(1, 1)
        self._rows: list[tuple[Swatch, QLabel, QLabel]] = []
        for line in range(MOST + 1):
            swatch, name, figure = Swatch(), label(look="small"), label(look="small", tone="muted")
            figure.setFont(tabular(figure.font()))
            figure.setAlignment(Qt.AlignmentFlag.AlignRight)
            for column, part in enumerate((swatch, name, figure)):
                self._grid.addWidget(part, line, column)
            self._rows.append((swatch, name, figure))
        self.body.addLayout(self._grid)
        self._difference: Difference | None = None
        session.comparison.changed.connect(self.follow)
        self.follow()

    def show_difference(self, difference: "Difference | None") -> None:
        """Of the frame on the screen."""
        self._difference = difference
        self.follow()

    @Slot()
    def follow(self) -> None:
        """Pairs, the most pixels first."""
        session, comparison = self._session, self._session.comparison
        is_wanted = comparison.is_on and comparison.look.mode == "difference"
        self.setVisible(is_wanted)
        if not is_wanted:
            return
        found = self._difference
        one, other = (comparison.title(member) for member in comparison.look.pair)
        self._of.setText(f"{one} | {other}")
        self._share.setText("")
        pairs = () if found is None else tuple(p for p in found.pairs if p[2])
        total = 0 if found is None else found.codes.size
        if found is not None and total:
            self._share.setText(f"{100 * found.pixels / total:.1f} %")
            if not found.pixels:
                self._of.setText(f"{one} | {other}\nThey say the same everywhere.")
        else:
            self._of.setText("Waiting for both to say something about this frame.")
        rest = sum(p[2] for p in pairs[MOST:]) + (0 if found is None else found.others)
        for line, (swatch, name, figure) in enumerate(self._rows):
            is_shown = line < min(len(pairs), MOST) or (line == MOST and rest > 0)
            for part in (swatch, name, figure):
                part.setVisible(is_shown)
            if is_shown and line < MOST:
                self._show_pair(line, pairs[line])
            elif is_shown:
                swatch.color = QColor(127, 127, 127)
                name.setText("All others")
                figure.setText(f"{rest:,}")
        self._color(session, found)

    def _show_pair(self, line: int, pair: tuple[int, int, int]) -> None:
        classes = self._session.editor.classes
        _, name, figure = self._rows[line]
        name.setText(f"{classes.name_of(pair[0])} | {classes.name_of(pair[1])}")
        figure.setText(f"{pair[2]:,}")

    def _color(self, session: Session, found: "Difference | None") -> None:
        if found is None:
            return
        from segstudio.core import pair_colors

        colors = pair_colors.colors(found.pairs, session.shown_classes.palette())
        codes = [code for code, pair in enumerate(found.pairs) if pair[2]]
        for (swatch, _, _), code in zip(self._rows[:MOST], codes, strict=False):
            swatch.color = QColor(*colors[code].tolist())
            swatch.update()
