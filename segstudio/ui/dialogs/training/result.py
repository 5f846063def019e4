"""The page of a run that is over: what it changed, what got worse, and what to do with it."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from segstudio.core.catalogue import ModelCard
from segstudio.ui.dialogs.training.gains_table import GainsTable, points
from segstudio.ui.panels.parts import Spinner, button, label, row, set_look, set_tone
from segstudio.ui.theme import UNIT
from segstudio.ui.training.endings import Ending
from segstudio.ui.training.gains import Gains
from segstudio.ui.words import counted

MEASURING = "Both models are being held against the frames that were held out…"
UNJUDGED = "The last weights become a model…"
NO_FRAMES = (
    "No frame was held out, so nobody knows whether it got better; confirm frames of another clip"
    " and measure there."
)
NAMED = 4
"""Regressions that are named in the sentence; the table has them all."""


class ResultPage(QWidget):
    """Signals:
    compare_wanted(ModelCard): beside the old model. use_wanted(ModelCard): for drafts from now on;
        nothing else makes a new model the one that is used. resume_wanted(): go on with the run.
    again_wanted(): another training. curves_wanted(): how it went. frame_wanted(int): the
        held-out frame of that number.
    """

    compare_wanted = Signal(object)
    use_wanted = Signal(object)
    resume_wanted = Signal()
    again_wanted = Signal()
    curves_wanted = Signal()
    frame_wanted = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self._card: ModelCard | None = None
        self._title, self._reason = label(look="hero"), label(tone="muted")
        self._reason.setWordWrap(True)
        self._spinner = Spinner()
        self._waiting = label(tone="muted")
        self._wait = QWidget()
        waiting = row(self._spinner, self._waiting, 1)
        self._wait.setLayout(waiting)
        self._basis = label(look="small", tone="muted")
        self._worse = QFrame()
        self._worse.setProperty("look", "card")
        self._worse_text = label(tone="warn")
        self._worse_text.setWordWrap(True)
        self._frames = label(look="small", tone="muted")
        self._frames.setWordWrap(True)
        self._frames.setTextInteractionFlags(
            Qt.TextInteractionFlag.LinksAccessibleByMouse
            | Qt.TextInteractionFlag.LinksAccessibleByKeyboard
        )
        self._frames.linkActivated.connect(lambda link: self.frame_wanted.emit(int(link)))
        inside = QVBoxLayout(self._worse)
        inside.setContentsMargins(2 * UNIT, UNIT + 2, 2 * UNIT, UNIT + 2)
        inside.addWidget(self._worse_text)
        inside.addWidget(self._frames)
        self._table = GainsTable()
        self._kept = label(look="small", tone="muted")
        self._kept.setWordWrap(True)
        self._again = button("Train Again", run=self.again_wanted.emit)
        self._curves = button("Show Curves", run=self.curves_wanted.emit)
        self._resume = button("Resume", run=self.resume_wanted.emit)
        self._compare = button("Compare with the Old Model", run=self._ask_compare)
        self._use = button("Use for Drafts", "primary", self._ask_use)
        for one in (self._again, self._curves, self._resume, self._use):
            one.setAutoDefault(False)  # nothing becomes the default by pressing Enter
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 3 * UNIT, 0, 2 * UNIT)
        column.setSpacing(UNIT + 4)
        for part in (self._title, self._reason, self._wait, self._basis, self._worse):
            column.addLayout(_indented(part))
        column.addWidget(self._table, 1)
        self._room = column.count() - 1
        foot = row(self._again, self._curves, self._resume, 1, self._compare, self._use)
        foot.setContentsMargins(3 * UNIT, 0, 3 * UNIT, 0)
        column.addStretch(0)
        column.addLayout(_indented(self._kept))
        column.addLayout(foot)
        self._column = column

    @property
    def message(self) -> str:
        """What the page says, for tests and for reading aloud."""
        parts = (self._title, self._reason, self._waiting, self._basis, self._worse_text,
                 self._frames, self._kept)  # fmt: skip
        shown = (part for part in parts if part.isVisibleTo(self))
        return " ".join(part.text() for part in shown if part.text())

    def show_ending(self, ending: Ending, *, is_measuring: bool, can_resume: bool) -> None:
        """How it ended. is_measuring: figures are on their way."""
        self._card = None
        titles = {(True, True): "Training finished", (True, False): "Training cancelled"}
        self._title.setText(titles.get((ending.is_fine, ending.has_result), "Training ended"))
        if ending.is_fine and ending.reason.startswith(("Stopped", "Cancelled")):
            self._title.setText(f"Training {ending.reason.split(' ', 1)[0].lower()}")
        if not ending.is_fine:
            self._title.setText("Training did not end well")
        self._reason.setText(ending.reason)
        set_tone(self._reason, "muted" if ending.is_fine else "warn")
        self._wait.setVisible(is_measuring)
        self._waiting.setText(MEASURING if ending.is_judged else UNJUDGED)
        set_look(self._use, "primary" if ending.is_judged else "")
        self._resume.setVisible(can_resume)
        self._basis.hide()
        self._worse.hide()
        self._set_table(is_visible=False)
        self._kept.setText("")
        self._compare.setVisible(is_measuring)
        self._use.setVisible(is_measuring)
        self._compare.setEnabled(False)
        self._use.setEnabled(False)
        first = self._resume if can_resume else self._curves
        first.setDefault(True)
        first.setFocus()

    def show_result(
        self, card: ModelCard, gains: Gains | None, frames: Sequence[str] = (), trouble: str = ""
    ) -> None:
        """The new model is there. gains: None when nothing was held out, or it could not be
        measured (trouble); with gains trouble says what does not count. frames: names of those that
        were compared.
        """
        self._card = card
        self._wait.hide()
        self._basis.show()
        if gains is None:
            self._basis.setText(trouble or NO_FRAMES)
            set_tone(self._basis, "warn")
        else:
            self._show_gains(gains, frames)
            if trouble:
                self._basis.setText(f"{self._basis.text()}\n{trouble}")
        self._set_table(is_visible=gains is not None)
        self._kept.setText(f"{card.title} is among the models; drafts still come from the old one.")
        for one in (self._compare, self._use):
            one.show()
            one.setEnabled(True)
        # What nobody has judged is not recommended by the look of a button.
        set_look(self._use, "" if gains is None else "primary")
        first = self._curves if gains is None else self._compare
        first.setDefault(True)
        first.setFocus()

    def show_nothing(self, why: str, run: Path) -> None:
        """No model could be made of what the run kept."""
        self._wait.hide()
        self._basis.show()
        self._basis.setText(f"{why} The weights are kept in {run.name}.")
        set_tone(self._basis, "warn")
        self._compare.hide()
        self._use.hide()

    def show_used(self, title: str) -> None:
        """A person chose it for drafts."""
        self._kept.setText(f"Drafts come from {title} now; the old model is still there.")
        self._use.setEnabled(False)

    def _show_gains(self, gains: Gains, frames: Sequence[str]) -> None:
        mean, clips = gains.mean, counted(gains.clips, "clip")
        alike = ", as far as one clip can tell" if gains.clips == 1 and gains.frames > 1 else ""
        what = "may be chance" if not mean.is_clear else "is more than chance"
        self._basis.setText(
            f"mIoU {100 * mean.before:.1f} → {100 * mean.after:.1f} % on"
            f" {counted(gains.frames, 'held-out frame')} of {clips};"
            f" the difference of {points(mean.delta)} points {what}{alike}."
        )
        set_tone(self._basis, "muted")
        self._table.show_gains(gains)
        worse = gains.regressions
        self._worse.setVisible(bool(worse or gains.worse))
        if worse:
            named = ", ".join(f"{g.name} {points(g.delta)}" for g in worse[:NAMED])
            more = f" and {len(worse) - NAMED} more" if len(worse) > NAMED else ""
            self._worse_text.setText(f"Got worse: {named}{more} points.")
        else:
            self._worse_text.setText("No class got worse, but some frames did.")
        links = [
            f'<a href="{f.number}">{_name(frames, f.number)}</a> {points(f.after - f.before)}'
            for f in gains.worse[:NAMED]
        ]
        self._frames.setText(f"Frames that lost most: {', '.join(links)}")
        self._frames.setVisible(bool(links))

    def _set_table(self, *, is_visible: bool) -> None:
        self._table.setVisible(is_visible)
        self._column.setStretch(self._room + 1, 0 if is_visible else 1)

    def _ask_compare(self) -> None:
        if self._card is not None:
            self.compare_wanted.emit(self._card)

    def _ask_use(self) -> None:
        if self._card is not None:
            self.use_wanted.emit(self._card)


def _name(frames: Sequence[str], number: int) -> str:
    return frames[number] if number < len(frames) else f"frame {number}"


def _indented(part: QWidget) -> QVBoxLayout:
    box = QVBoxLayout()
    box.setContentsMargins(3 * UNIT, 0, 3 * UNIT, 0)
    box.addWidget(part)
    return box
