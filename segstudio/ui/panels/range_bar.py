"""A slim bar below the picture while many frames are being worked on: how far, and Stop."""

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar

from segstudio.ui.panels.parts import Spinner, button, label
from segstudio.ui.session import Session
from segstudio.ui.theme import UNIT, tabular


class RangeBar(QFrame):
    """Hidden while nothing is under way."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.setProperty("look", "bottom")
        self._text = label()
        self._text.setFont(tabular(self._text.font()))
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setFixedWidth(220)
        stop = button("Stop", run=self._stop)
        stop.setToolTip("Stop after the frame that is being done (Ctrl+.)")
        box = QHBoxLayout(self)
        box.setContentsMargins(2 * UNIT, 4, UNIT, 4)
        box.setSpacing(UNIT)
        for part in (Spinner(), self._text, self._bar):
            box.addWidget(part)
        box.addStretch(1)
        box.addWidget(stop)
        self._works = (session.ranges, session.measuring, session.saving, session.suggesting)
        for work in self._works:
            work.changed.connect(self.follow)
        self.follow()

    @Slot()
    def follow(self) -> None:
        """How far it is."""
        run = next((work.run for work in self._works if work.run is not None), None)
        self.setVisible(run is not None)
        if run is None:
            return
        sure = "" if run.confidence is None else f" · {100 * run.confidence:.0f} % followed"
        far = f": {run.done} of {run.total} frames{sure}" if run.total else " …"
        self._text.setText(f"{run.title}{far}")
        self._bar.setRange(0, run.total)
        self._bar.setValue(run.done)

    def _stop(self) -> None:
        """What is shown is what is stopped."""
        next((work for work in self._works if work.run is not None), self._works[0]).cancel()
