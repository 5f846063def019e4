"""The models that take turns on every frame beside the first one.

Each has a seat, called by a letter. All of them see the very frame that the first one saw, one
after the other in the infer thread, so every model gets the same share of the device whatever it
costs. A model that cannot be loaded or fails leaves its seat empty and says why; the others go on.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from segstudio.core.frame import Frame
from segstudio.engine.flow import CancelToken
from segstudio.engine.play import Answer, ModelState
from segstudio.errors import SegStudioError

if TYPE_CHECKING:
    from segstudio.core.prediction import Prediction
    from segstudio.engine.predictor import Predictor

log = logging.getLogger("segstudio.engine")

Load: TypeAlias = "Callable[[], Predictor]"

FIRST = "A"
"""The letter of the pipeline's own model."""


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """Something to be done with one model while no other runs, in the infer thread.

    op: gets the predictor and the last frame. done: gets its value, or the exception. token: is
    cancelled when the pipeline stops, for an op that takes long and looks at it.
    """

    letter: str
    op: "Callable[[Predictor, Frame], Any]"
    done: Callable[[Any], None]
    token: CancelToken = field(default_factory=CancelToken)


class Seats:
    """Who sits where. Only the infer thread touches it."""

    def __init__(self) -> None:
        self._loads: dict[str, Load] = {}
        self._predictors: dict[str, Predictor] = {}
        self.states: dict[str, ModelState] = {}

    def seat(
        self, loads: Mapping[str, Load], tell: Callable[[], None], is_stopped: Callable[[], bool]
    ) -> None:
        """Have these models and no others; one with the same `load` as before stays.

        tell: called whenever `states` is new. is_stopped: looked at between models.
        """
        for letter in [n for n in self._loads if loads.get(n) is not self._loads[n]]:
            self._empty(letter)
            del self._loads[letter]
            self.states.pop(letter, None)
        for letter, load in loads.items():
            if letter in self._loads:
                continue
            if is_stopped():
                return
            self._loads[letter] = load
            self.states[letter] = ModelState("loading", "")
            tell()
            try:
                self._predictors[letter] = new = load()
            except Exception as error:  # noqa: BLE001 - the others go on
                log_bug(error, f"model {letter} could not be loaded")
                self.states[letter] = ModelState("failed", "", error=error)
            else:
                self.states[letter] = ModelState("ready", new.card.name, new.device)
        self.states = {letter: self.states[letter] for letter in loads}
        tell()

    def get(self, letter: str) -> "Predictor | None":
        """Who sits there."""
        return self._predictors.get(letter)

    def answer(
        self,
        frame: Frame,
        request: int,
        tell: Callable[[], None],
        is_stopped: Callable[[], bool],
    ) -> tuple[Answer, ...]:
        """What each says about a frame, in the order of the letters.

        A damaged frame is not predicted. is_stopped: looked at between models.
        """
        answers = []
        for letter, state in list(self.states.items()):
            predictor = self._predictors.get(letter)
            prediction: Prediction | None = None
            trouble = sentence(state.error)
            if predictor is not None and not frame.note:
                if is_stopped():
                    break
                try:
                    prediction = predictor.predict(frame, request=request)
                except Exception as error:  # noqa: BLE001 - the others go on
                    log_bug(error, f"model {letter} failed at frame {frame.id.index}")
                    failed = ModelState("failed", predictor.card.name, predictor.device, error)
                    self._empty(letter)
                    self.states[letter] = failed
                    trouble = sentence(error)
                    tell()
            answers.append(Answer(letter, prediction, trouble))
        return tuple(answers)

    def close(self) -> None:
        """Every seat is empty."""
        for letter in list(self._predictors):
            self._empty(letter)

    def _empty(self, letter: str) -> None:
        predictor = self._predictors.pop(letter, None)
        if predictor is not None:
            predictor.close()


def sentence(error: Exception | None) -> str:
    """What people are told of an error; "" for none."""
    if error is None:
        return ""
    return str(error) if isinstance(error, SegStudioError) else f"{type(error).__name__}: {error}"


def log_bug(error: Exception, what: str) -> None:
    """Errors made for people are told and not logged; the rest is a bug and wants a traceback."""
    if not isinstance(error, SegStudioError):
        log.error("%s", what, exc_info=error)
