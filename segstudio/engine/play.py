"""What a pipeline says about itself, and the clock that it plays by. Imports no torch."""

import time
from dataclasses import dataclass

from segstudio.core.frame import Frame
from segstudio.core.prediction import Prediction

SLIP_S = 0.25
"""Later than this, the clock gives up catching up. Shorter stalls are made good unnoticed."""


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What one of the compared models says about a frame.

    prediction: None when it failed, which `error` says in one sentence, and for a damaged frame.
    """

    letter: str
    prediction: Prediction | None
    error: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class PipelineResult:
    """A frame with what the model says about this very frame.

    prediction: None without a model, when it failed, and for a damaged frame (its `note` says so).
    others: what the models compared with it say, in the order of their letters.
    request: number of the asking; it grows with every seek and change of model and never falls.
    queue_ms: wait between decode and inference. skipped: frames passed over since the last result.
    """

    frame: Frame
    prediction: Prediction | None
    request: int
    queue_ms: float
    skipped: int
    others: tuple[Answer, ...] = ()


@dataclass(frozen=True, slots=True)
class PlayState:
    """index: of the frame last sent to inference, -1 before the first."""

    playing: bool
    speed: float
    loop: bool
    index: int


@dataclass(frozen=True, slots=True)
class ModelState:
    """kind: "none", "loading", "ready" or "failed". name: of the model, "" when not known yet."""

    kind: str
    name: str
    device: str = ""
    error: Exception | None = None


class PlayClock:
    """Presentation time against the wall: due = start + (stamp - first stamp) / speed.

    Time comes from the stamps of the frames, never from a frame rate, so variable-rate files play
    right. One thread only.
    """

    def __init__(self) -> None:
        self._start_s: float | None = None
        self._first_us = 0

    @property
    def is_running(self) -> bool:
        """True between `begin` (or a first `due`) and `forget`."""
        return self._start_s is not None

    def begin(self, stamp_us: int, *, delay_s: float = 0.0) -> None:
        """Start anew: the frame with that stamp is due `delay_s` from now."""
        self._start_s, self._first_us = time.monotonic() + delay_s, stamp_us

    def forget(self) -> None:
        """The next frame starts the clock anew."""
        self._start_s = None

    def due(self, stamp_us: int, speed: float) -> float:
        """When the frame with that stamp is due, in time.monotonic() seconds."""
        if self._start_s is None:
            self.begin(stamp_us)
        assert self._start_s is not None
        return self._start_s + (stamp_us - self._first_us) / 1e6 / speed

    def is_past(self, stamp_us: int | None, speed: float) -> bool:
        """True when a frame with that stamp should be on already."""
        if self._start_s is None or stamp_us is None:
            return False
        return self.due(stamp_us, speed) <= time.monotonic()

    def slip(self, late_s: float) -> None:
        """Accept a long delay for good instead of playing too fast until it is made up."""
        if self._start_s is not None and late_s > SLIP_S:
            self._start_s += late_s


def checked_speed(speed: float) -> float:
    """ValueError for a speed that makes no sense."""
    if not 0 < speed <= 64:
        raise ValueError(f"speed {speed} is not in (0, 64]")
    return speed


def ignore(_: object) -> None:
    """A listener for what nobody wants to know."""
