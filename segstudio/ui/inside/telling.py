"""What each model has been told to look for. Part of Inside.

One question to a model is on its way at a time. What is wanted meanwhile waits, and of that only
the newest is asked: a slider that is dragged, or the cursor, asks far more often than a net
answers.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from segstudio.core.frame import FrameId
from segstudio.core.look import Look, Seen
from segstudio.engine.flow import CancelToken
from segstudio.errors import Cancelled
from segstudio.ui.player import Player

if TYPE_CHECKING:
    from segstudio.core.frame import Frame
    from segstudio.engine.predictor import Predictor

Answer = tuple[FrameId, Seen]


@dataclass(slots=True, eq=False)
class _Model:
    """told: what it was told last. token: of the question on its way. answer: the last one."""

    told: Look | None = None
    token: CancelToken | None = None
    answer: Answer | None = None
    progress: float | None = None  # of that question, 0..1


class Telling(QObject):
    """Signals:
    answered(): a model has looked at the frame on the screen anew.
    failed(object): the exception of a question.
    asked(): a question went out, or came back, or is some way on.
    """

    answered = Signal()
    failed = Signal(object)
    asked = Signal()
    _worked = Signal(object, float)

    def __init__(self, player: Player, wanted: Callable[[], Mapping[str, Look | None]]) -> None:
        """wanted: what the model of each pane shall look for now."""
        super().__init__(player)
        self._player = player
        self._wanted = wanted
        self._models: dict[str, _Model] = {}
        self._worked.connect(self._note_progress)

    def answer(self, letter: str, frame: FrameId, look: Look) -> Seen | None:
        """What was seen of that frame when it was asked for by itself, not with a prediction."""
        model = self._models.get(letter)
        if model is None or model.answer is None:
            return None
        of, seen = model.answer
        return seen if of == frame and seen.look == look else None

    def is_busy(self, letter: str) -> bool:
        """True while a model works on a question."""
        model = self._models.get(letter)
        return model is not None and model.token is not None

    def progress(self, letter: str) -> float | None:
        """How far it is with a question that takes long, 0..1."""
        model = self._models.get(letter)
        return None if model is None or model.token is None else model.progress

    def _note_progress(self, model: _Model, share: float) -> None:
        model.progress = share
        self.asked.emit()

    def apply(self) -> None:
        """Every model is told what is wanted of it, if that is new."""
        for letter, look in self._wanted().items():
            model = self._models.setdefault(letter, _Model())
            if look == model.told:
                continue
            if model.token is None:
                self._tell(letter, model, look)
            else:
                model.token.cancel()  # what it works on is not wanted any more

    def repeat(self, letter: str) -> None:
        """Ask once more, about the frame that is on the screen now."""
        model = self._models.get(letter)
        if model is not None and model.token is None and model.told is not None:
            self._tell(letter, model, model.told)

    def cancel(self) -> None:
        """Frames do not wait for what is being looked at."""
        for model in self._models.values():
            if model.token is not None:
                model.token.cancel()

    def forget(self, letter: str) -> None:
        """There is another model now; it knows nothing of what was asked."""
        model = self._models.pop(letter, None)
        if model is not None and model.token is not None:
            model.token.cancel()

    def keep(self, letters: tuple[str, ...]) -> None:
        """Forget all others."""
        for letter in [n for n in self._models if n not in letters]:
            self.forget(letter)

    def _tell(self, letter: str, model: _Model, look: Look | None) -> None:
        if not self._player.has_source:
            return
        model.told, model.token, model.progress = look, CancelToken(), None
        if look is None:
            model.answer = None
        progress = partial(self._worked.emit, model)
        op = partial(_look, look=look, token=model.token, progress=progress)
        self._player.ask(letter, op, partial(self._take, letter, model), model.token)
        self.asked.emit()

    def _take(self, letter: str, model: _Model, value: object) -> None:
        if self._models.get(letter) is not model:  # of a model or source that is gone
            return
        model.token = None
        is_old = self._wanted().get(letter) != model.told
        if isinstance(value, Cancelled):
            # Without a model there it is told when there is one; stopped, it has been told.
            if not is_old:
                model.told = None
        elif isinstance(value, Exception):
            self.failed.emit(value)
        elif isinstance(value, tuple):
            frame, seen = value
            if seen is not None:
                model.answer = (frame, seen)
                self.answered.emit()
            elif model.told is not None and not is_old and not self._player.playing.is_playing:
                self._player.refresh()
        if is_old:
            self.apply()
        self.asked.emit()


def _look(
    predictor: "Predictor",
    frame: "Frame",
    *,
    look: Look | None,
    token: CancelToken,
    progress: Callable[[float], None],
) -> tuple[FrameId, Seen | None]:
    """In the infer thread."""
    predictor.look_for(look)
    return frame.id, predictor.looking.again(frame, token, progress)
