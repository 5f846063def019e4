"""The side panel: its parts from top to bottom, with hairlines between those that are there."""

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from segstudio.ui.panels.classes import ClassesPanel
from segstudio.ui.panels.differences import LegendPanel
from segstudio.ui.panels.history import HistoryPanel
from segstudio.ui.panels.inside.pixel import PixelPanel
from segstudio.ui.panels.label_state import LabelStatePanel
from segstudio.ui.panels.models import ModelPanel
from segstudio.ui.panels.parts import rule
from segstudio.ui.panels.scores import ScoresPanel
from segstudio.ui.panels.suggestions import SuggestionsPanel
from segstudio.ui.panels.view import ViewPanel
from segstudio.ui.session import Session


class SidePanel(QScrollArea):
    """scores, differences, models: parts that the window listens to."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.scores = ScoresPanel(session)
        self.differences = LegendPanel(session)
        self.models = ModelPanel(session)
        inside = QFrame()
        inside.setProperty("look", "panel")
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        parts: tuple[QWidget, ...] = (
            PixelPanel(session),
            LabelStatePanel(session),
            SuggestionsPanel(session),
            self.scores,
            self.differences,
            ClassesPanel(session),
            ViewPanel(session),
            self.models,
            HistoryPanel(session),
        )
        self._rules: dict[QWidget, QFrame] = {}
        for number, part in enumerate(parts):
            if number:
                self._rules[part] = rule()
                self._rules[part].setVisible(not part.isHidden())
                column.addWidget(self._rules[part])
                part.installEventFilter(self)
            column.addWidget(part)
        column.addStretch(1)
        self.setWidget(inside)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMinimumWidth(300)
        self.setMaximumWidth(400)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """A part that goes takes its hairline along."""
        if event.type() in (QEvent.Type.ShowToParent, QEvent.Type.HideToParent):
            line = self._rules.get(watched)  # type: ignore[call-overload]  # one of the parts
            if line is not None:
                line.setVisible(event.type() == QEvent.Type.ShowToParent)
        return super().eventFilter(watched, event)
