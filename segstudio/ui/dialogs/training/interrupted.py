"""The offer to go on with a run that was interrupted."""

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QVBoxLayout

from segstudio.ui.panels.parts import button, label, row
from segstudio.ui.theme import UNIT
from segstudio.ui.training.run_folder import Unfinished


class InterruptedCard(QFrame):
    """A run that was interrupted.

    Signals:
        resume_wanted(Path): go on with it.
    """

    resume_wanted = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("look", "card")
        self._run: Path | None = None
        self._text = label()
        self._text.setWordWrap(True)
        resume = button("Resume", run=self._resume)
        box = QVBoxLayout(self)
        box.setContentsMargins(2 * UNIT, UNIT + 2, UNIT + 4, UNIT + 2)
        line = row(self._text, resume)
        line.setStretch(0, 1)
        box.addLayout(line)
        self.hide()

    def show_run(self, left: Unfinished | None) -> None:
        """None: there is none."""
        self._run = left.run if left is not None else None
        self.setVisible(left is not None)
        if left is not None:
            at = f"step {left.step:,} of {left.steps:,}" if left.step else "its first steps"
            when = f"{left.changed:%Y-%m-%d %H:%M}"
            why = f" {left.why}" if left.why else ""
            self._text.setText(f"A run of {when} was interrupted after {at}.{why}")

    def _resume(self) -> None:
        if self._run is not None:
            self.resume_wanted.emit(self._run)
