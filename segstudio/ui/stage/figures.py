"""How fast each pane is: measured where results come from, counted in the background."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from segstudio.engine.alone import AloneFigures, measure_alone
from segstudio.engine.flow import CancelToken
from segstudio.errors import Cancelled
from segstudio.ui.comparing.net_counts import NetCounts
from segstudio.ui.comparing.speeds import SpeedReading

if TYPE_CHECKING:
    from segstudio.core.frame import Frame
    from segstudio.engine.predictor import Predictor
    from segstudio.ui.session import Session


class Figures:
    """Asks the player's Speeds; the nets' sizes are counted once for each input size."""

    def __init__(self, session: "Session") -> None:
        self._session = session
        self._counts = NetCounts(session.background)

    def speed(self, letter: str) -> SpeedReading | None:
        """Of this moment; None before the first prediction."""
        pane = self._session.comparison.pane(letter)
        card = None if pane is None else pane.card
        count = None if card is None else (lambda size: self._counts.of(card, size))
        return self._session.player.speeds.reading(letter, count)

    def measure_alone(self, letter: str, done: Callable[[], None]) -> None:
        """Predict the frame again and again while no other model runs; `done` in any case."""
        session = self._session

        def then(value: object) -> None:
            if isinstance(value, Exception):
                if not isinstance(value, Cancelled):
                    session.tell_error(value)
            else:
                session.player.speeds.set_alone(letter, value)  # type: ignore[arg-type]  # AloneFigures
            done()

        def op(predictor: "Predictor", frame: "Frame") -> AloneFigures:
            with predictor.looking.paused():
                return measure_alone(predictor, frame, token=token)

        token = CancelToken()
        session.player.ask(letter, op, then, token)
