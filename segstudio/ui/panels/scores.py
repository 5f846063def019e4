"""The scores part of the side panel: one headline for each model, and on what it stands."""

import re

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from segstudio.core.metrics import Convention
from segstudio.ui.comparing.wording import (
    AGREEMENT_TIP,
    CONVENTIONS,
    OWN_TIP,
    Headline,
    headline,
    no_reference,
    unmeasured,
)
from segstudio.ui.dialogs.keys import native
from segstudio.ui.dialogs.scores.source import Graded, ScoreSource
from segstudio.ui.panels.parts import Elided, Picker, Section, button, label, row, set_tone
from segstudio.ui.session import Session
from segstudio.ui.theme import UNIT, tabular

CHIP = 22


class ModelRow(QWidget):
    """Letter, title and figure; below, smaller, its settings, and on what the figure stands."""

    def __init__(self) -> None:
        super().__init__()
        self._letter = label(look="key")
        self._letter.setFixedWidth(CHIP)
        self._letter.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._title = Elided()
        self.figure = label(look="title")
        self.figure.setFont(tabular(self.figure.font()))
        self.how = _small("muted")
        self.about = _small("muted")
        self.agreement = _small("faint")
        self.agreement.setToolTip(AGREEMENT_TIP)
        first = row(self._letter, self._title, self.figure)
        first.setStretch(1, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(first)
        below = QVBoxLayout()
        below.setContentsMargins(CHIP + UNIT, 0, 0, 0)
        below.setSpacing(2)
        below.addWidget(self.how)
        below.addWidget(self.about)
        below.addWidget(self.agreement)
        column.addLayout(below)

    def show_model(self, graded: Graded, said: Headline, *, is_said_below: bool) -> None:
        """is_said_below: the reason for having no figure stands under all rows, once."""
        self._letter.setText(graded.letter)
        self._title.show_text(graded.model)
        self.how.setText(graded.how)
        self.how.setVisible(bool(graded.how))
        self.figure.setText(said.figure)
        set_tone(self.figure, "" if said.is_scored else "faint")
        self.figure.setToolTip("Mean IoU over confirmed frames" if said.is_scored else said.about)
        self.about.setText(_unbroken(said.about))
        self.about.setToolTip(OWN_TIP)
        self.about.setVisible(not is_said_below)
        self.agreement.setText(_unbroken(said.agreement))
        self.agreement.setVisible(bool(said.agreement))
        parts = (f"Model {graded.letter}", graded.title, said.figure, said.about, said.agreement)
        self.setAccessibleName(", ".join(part for part in parts if part))


class ScoresPanel(Section):
    """Listens to the scoreboard; hidden while nothing is compared or counted.

    Signals:
        details_wanted(): the scores window, please.
        measure_wanted(): every model on every frame that has labels, please.
    """

    details_wanted = Signal()
    measure_wanted = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__("Scores")
        self._source = ScoreSource(session, self)
        self._convention = Picker("Convention", self._pick)
        self._rows: list[ModelRow] = []
        self._column = QVBoxLayout()
        self._column.setSpacing(UNIT + UNIT // 2)
        self._why = _small("muted")
        self._details = button("Details…", "", self.details_wanted.emit)
        self._details.setToolTip("Classes, confusion and the frames behind the figures")
        self._measure = button("Measure all", "", self.measure_wanted.emit)
        self._measure.setToolTip(
            "Let every model see every confirmed frame of this clip;"
            " while there is none, every frame that has labels"
        )
        head = row(label("mIoU", tone="muted"), self._convention)
        head.setStretch(1, 1)
        self.body.addLayout(head)
        self.body.addLayout(self._column)
        self.body.addWidget(self._why)
        self.body.addLayout(row(self._details, self._measure, 1))
        fill_conventions(self._convention)
        self._source.changed.connect(self._follow)
        self.show_scores()

    def _pick(self, value: object) -> None:
        self._source.set_convention(Convention(str(value)))

    @Slot()
    def _follow(self) -> None:
        """Figures of a panel that nobody sees are not worth a sum, but it may have to appear."""
        if self.isVisible() or self.isHidden():
            self.show_scores()

    @Slot()
    def show_scores(self) -> None:
        """Follow the scoreboard."""
        source, key = self._source, confirm_key()
        graded, titles = source.graded, source.titles
        is_wanted = bool(graded) and (source.is_comparing or source.has_figures)
        self.setVisible(is_wanted)
        if not is_wanted:
            return
        convention = source.convention
        show_convention(self._convention, convention)
        said = [
            headline(source.tally(g.letter), convention, model=g.name, titles=titles,
                     confirm_key=key, waiting=source.waiting(g.letter))
            for g in graded
        ]  # fmt: skip
        self._fit(len(graded))
        for line, one, words in zip(self._rows, graded, said, strict=True):
            line.show_model(one, words, is_said_below=words.is_unseen)
        without = [g.letter for g, s in zip(graded, said, strict=True) if s.is_unseen]
        self._why.setVisible(bool(without))
        if without:
            has_none = len(without) == len(graded)
            why = no_reference(key, source.waiting(without[0]))
            self._why.setText(_unbroken(why if has_none else unmeasured(without)))

    def _fit(self, count: int) -> None:
        while len(self._rows) < count:
            self._rows.append(ModelRow())
            self._column.addWidget(self._rows[-1])
        while len(self._rows) > count:
            gone = self._rows.pop()
            self._column.removeWidget(gone)
            gone.deleteLater()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.show_scores()


def fill_conventions(picker: Picker) -> None:
    """Plain words in the list, what void pixels do in the tips."""
    picker.fill([(str(c), title) for c, (title, _) in CONVENTIONS.items()], None)
    for line, (_, tip) in enumerate(CONVENTIONS.values()):
        picker.setItemData(line, tip, Qt.ItemDataRole.ToolTipRole)


def show_convention(picker: Picker, convention: Convention) -> None:
    """Mark the one in use; its tip says what void pixels do."""
    title, tip = CONVENTIONS[convention]
    picker.setCurrentIndex(list(CONVENTIONS).index(convention))
    picker.setToolTip(f"Convention: {title}\n{tip}")


def confirm_key() -> str:
    """The key that confirms a frame, as this system writes it."""
    from segstudio.ui.commands.registry import COMMANDS

    keys = COMMANDS.get("label.confirm").keys
    return native(keys[0]) if keys else ""


def _unbroken(text: str) -> str:
    """Numbers stay on one line with what they count."""
    return re.sub(r"(?<=\d) ", "\N{NO-BREAK SPACE}", text)


def _small(tone: str) -> QLabel:
    """Words that wrap."""
    made = label(look="small", tone=tone)
    made.setFont(tabular(made.font()))
    made.setWordWrap(True)
    made.setTextFormat(Qt.TextFormat.PlainText)
    return made
