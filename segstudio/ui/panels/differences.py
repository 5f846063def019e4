"""The legend of what is compared: which colour means what, and on how many pixels."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, Qt, Slot
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from segstudio.ui.comparing.wording import percent
from segstudio.ui.panels.parts import Section, label
from segstudio.ui.session import Session
from segstudio.ui.stage.composing import Agreement
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


TITLES = {"difference": "Difference", "agreement": "Agreement"}

Line = tuple[tuple[int, int, int], str, str]
"""RGB, what it means, how much there is of it."""


class LegendPanel(Section):
    """There while colours mean something else than classes: difference, agreement, errors."""

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
        self._counted: Difference | Agreement | None = None
        session.comparison.changed.connect(self.follow)
        self.follow()

    def show_difference(self, counted: "Difference | Agreement | None") -> None:
        """Of the frame on the screen."""
        self._counted = counted
        self.follow()

    @Slot()
    def follow(self) -> None:
        """Another look, other figures."""
        comparison = self._session.comparison
        look = comparison.look
        has_errors = look.colours == "errors" and look.mode in ("side", "swipe")
        is_wanted = comparison.is_on and (has_errors or look.mode in TITLES)
        self.setVisible(is_wanted)
        if not is_wanted:
            return
        self.title.setText(TITLES.get(look.mode, "Errors"))
        make = {"difference": self._difference, "agreement": self._agreement}
        about, share, lines = make.get(look.mode, self._errors)()
        self._of.setText(about)
        self._of.setVisible(bool(about))
        self._share.setText(share)
        for number, parts in enumerate(self._rows):
            is_shown = number < len(lines)
            for part in parts:
                part.setVisible(is_shown)
            if is_shown:
                swatch, name, figure = parts
                swatch.color = QColor(*lines[number][0])
                swatch.update()
                name.setText(lines[number][1])
                figure.setText(lines[number][2])

    def _difference(self) -> tuple[str, str, list[Line]]:
        """Pairs of classes, the most pixels first."""
        from segstudio.core import pair_colors
        from segstudio.core.differing import Difference

        session, comparison = self._session, self._session.comparison
        found = self._counted
        if not isinstance(found, Difference) or not found.codes.size:
            return "Waiting for both to say something about this frame.", "", []
        about = " | ".join(comparison.title(member) for member in comparison.look.pair)
        if not found.pixels:
            about += "\nThey say the same everywhere."
        colors = pair_colors.colors(found.pairs, session.shown_classes.palette()).tolist()
        name_of = session.editor.classes.name_of
        lines: list[Line] = [
            ((*colors[code],), f"{name_of(one)} | {name_of(other)}", f"{pixels:,}")
            for code, (one, other, pixels) in enumerate(found.pairs)
            if pixels
        ]
        rest = sum(p[2] for p in [p for p in found.pairs if p[2]][MOST:]) + found.others
        lines = lines[:MOST]
        if rest:
            lines.append((pair_colors.GREY, "All others", f"{rest:,}"))
        return about, percent(found.pixels / found.codes.size), lines

    def _agreement(self) -> tuple[str, str, list[Line]]:
        """How many say the same, fewest first; in the corner, where not all do."""
        found = self._counted
        if not isinstance(found, Agreement):
            return "Waiting for two models to say something about this frame.", "", []
        lines = [
            (color, f"{number} of {found.models} agree", percent(pixels / found.total))
            for number, pixels, color in found.lines
        ]
        share = sum(pixels for _, pixels, _ in found.lines) / found.total
        about = "" if share else "All models say the same everywhere."
        return about, percent(share), lines

    def _errors(self) -> tuple[str, str, list[Line]]:
        """What is drawn over every model against the labels; what is not, needs no words."""
        from segstudio.core import differing

        session, look = self._session, self._session.comparison.look
        about = "Against the labels of this frame"
        if session.player.playing.is_playing:
            about = "Against the labels of frames that have them"
        elif session.scores.reference() is None:
            about = "This frame has no labels yet."
        colors = differing.ERROR_COLORS
        if look.error_class is None:
            return about, "", [(colors[differing.WRONG], "wrong", "")]
        lines = [
            (colors[code], word, "")
            for code, word in (
                (differing.TRUE_POSITIVE, "found"),
                (differing.FALSE_POSITIVE, "false alarm"),
                (differing.FALSE_NEGATIVE, "missed"),
            )
        ]
        name = session.editor.classes.name_of(look.error_class)
        return f"{name}\n{about}", "", lines
