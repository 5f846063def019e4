"""The page of uncertainty: where the model is unsure, by which measure."""

from dataclasses import replace

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QVBoxLayout, QWidget

from segstudio.core.look import Seen, UnsureLook
from segstudio.ui.panels.inside.choices import Choices, sentence
from segstudio.ui.panels.inside.page import Page
from segstudio.ui.panels.parts import label, row
from segstudio.ui.session import Session
from segstudio.ui.theme import UNIT, tabular

KINDS = (
    (
        "entropy",
        "Entropy",
        "How evenly the probabilities are spread over the classes; 100 % is pure guessing.",
    ),
    ("margin", "Margin", "How close the second-best class comes to the best one."),
    ("probability", "Best probability", "How much the best class lacks to be certain."),
    (
        "flip",
        "Mirrored picture",
        "Where the mirrored picture is answered otherwise. Runs the model a second time.",
    ),
    (
        "flicker",
        "Flicker",
        "How often the class changed lately although the motion says it is the same thing.",
    ),
)

TITLES = {kind: title for kind, title, _ in KINDS}

RULE = "The brush can keep to such places: choose the rule “where unsure” in the tool's bar."


class UnsurePage(Page):
    """Kinds, and the mean over the frame."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._last = UnsureLook()
        self._kinds = Choices(KINDS, self._choose, "Measure of uncertainty")
        self._mean = label(look="hero")
        self._mean.setFont(tabular(self._mean.font()))
        self._mean_line = QWidget()
        words = sentence("on average over the frame")
        line = row(self._mean, words)
        line.setStretch(1, 1)
        self._mean_line.setLayout(line)
        self._hint = sentence()
        session.editor.options_changed.connect(self._show_hint)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(UNIT)
        column.addWidget(self._kinds)
        column.addWidget(self._mean_line)
        column.addWidget(self._hint)
        self._mean_line.hide()

    def look(self) -> UnsureLook:
        return self._last

    def follow(self) -> None:
        if isinstance(self._inside.look, UnsureLook):
            self._last = self._inside.look
        self._kinds.show_value(self._last.kind)
        self._show_hint()
        self.see(self._inside.seen)

    @Slot()
    def _show_hint(self) -> None:
        """Which measure the brush goes by: it has one of its own."""
        measure = self._session.editor.options.measure
        goes = f"It goes by “{TITLES[measure]}”"
        goes += "." if measure == self._last.kind else ", not by what is shown here."
        self._hint.setText(f"{RULE} {goes}")

    def see(self, seen: Seen | None) -> None:
        share = seen.frame_share if seen is not None and seen.look == self._last else None
        self._mean_line.setVisible(share is not None)
        if share is not None:
            self._mean.setText(f"{100 * share:.1f} %")

    def _choose(self, kind: str) -> None:
        self._inside.set_look(replace(self._last, kind=kind))  # type: ignore[arg-type]  # of KINDS
        self.follow()
