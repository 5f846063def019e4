"""Where the score widgets get everything from: models, tallies, names; and how often they look."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from segstudio.core.classes import ClassMap
from segstudio.core.metrics import Convention
from segstudio.core.tally import Tally
from segstudio.store.project_rows import FrameKey
from segstudio.ui.correcting.marks import DONE
from segstudio.ui.panels.timeline import time_code

if TYPE_CHECKING:
    from segstudio.ui.session import Session

REFRESH_MS = 100
"""Figures on the screen change ten times a second at most, however often frames arrive."""


@dataclass(frozen=True, slots=True)
class Graded:
    """One pane: its letter, name and title of the model in it, and settings that are unusual."""

    letter: str
    name: str
    model: str
    how: str = ""

    @property
    def title(self) -> str:
        """Of the model, with its settings: panes of the same model are told apart."""
        return " · ".join(part for part in (self.model, self.how) if part)


class ScoreSource(QObject):
    """Reads `session.scores` and `session.comparison`; keeps nothing.

    Signals:
        changed(): figures, panes or the convention are new; at most every REFRESH_MS.
    """

    changed = Signal()

    def __init__(self, session: "Session", parent: QObject) -> None:
        super().__init__(parent)
        self._session = session
        self._soon = QTimer(self, singleShot=True, interval=REFRESH_MS)
        self._soon.timeout.connect(self.changed)
        session.scores.changed.connect(self._renew)
        session.comparison.changed.connect(self._renew)
        session.frames.changed.connect(self._renew)
        session.player.source_changed.connect(self._renew)

    @Slot()
    def _renew(self) -> None:
        if not self._soon.isActive():
            self._soon.start()

    @property
    def graded(self) -> tuple[Graded, ...]:
        """Panes that have a model, in their order."""
        panes = self._session.comparison.panes
        return tuple(
            Graded(p.letter, p.card.name, p.title, p.how) for p in panes if p.card is not None
        )

    @property
    def is_comparing(self) -> bool:
        """True while several models run."""
        return self._session.comparison.is_on

    @property
    def has_figures(self) -> bool:
        """True once a model was held against labels."""
        return any(not self.tally(one.letter).is_empty for one in self.graded)

    def tally(self, letter: str) -> Tally[FrameKey]:
        """What that pane's model did on each frame."""
        return self._session.scores.tally(letter)

    def waiting(self, letter: str) -> int:
        """Confirmed frames of the medium on the screen that this model was not held against."""
        session = self._session
        media = session.editor.projects.media
        if media is None:
            return 0
        code = session.frames.columns(session.player.last_index + 1).code
        is_waiting = code == DONE
        tally = self.tally(letter)
        seen = [f.key for f in (*tally.frames(), *tally.own())]
        here = [key.index for key in seen if key.media == media.id and key.index < len(code)]
        is_waiting[here] = False
        return int(is_waiting.sum())

    @property
    def classes(self) -> ClassMap:
        """Rows and columns of every matrix, in order."""
        return self._session.scores.classes

    @property
    def convention(self) -> Convention:
        """What void pixels do."""
        return self._session.scores.convention

    def set_convention(self, convention: Convention) -> None:
        """Figures follow."""
        self._session.scores.set_convention(convention)

    @property
    def titles(self) -> Mapping[str, str]:
        """Model name → title."""
        return {card.name: card.title for card in self._session.models.cards}

    def title_of(self, key: FrameKey) -> str:
        """How a frame is called: number and time, or file; with its medium when there are more."""
        session = self._session
        project, here = session.editor.projects.project, session.editor.projects.media
        found = None if project is None else project.summary(key)
        time = found.about.time_us if found is not None else None
        name = found.about.name if found is not None else ""
        if here is not None and here.id == key.media and time is None:
            time = session.player.time_us(key.index)
            names = () if session.info is None else session.info.names
            name = name or (names[key.index] if key.index < len(names) else "")
        title = f"{key.index} · {time_code(time)}" if time is not None else name
        title = title or f"Frame {key.index}"
        if here is not None and here.id == key.media:
            return title
        media = () if project is None else project.media()
        medium = next((m.title for m in media if m.id == key.media), "")
        return f"{medium} · {title}" if medium else title
