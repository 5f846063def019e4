"""How fast each compared model is, and what of it was measured while others took turns.

Three figures that must not be confused. fps_shared: frames that people really got. fps_turn: what
the model's own time would allow, measured while it took turns, so its caches were cold and its
device warm. alone: runs of this model while no other ran (engine.alone).
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from segstudio.core.catalogue import NetFigures
from segstudio.core.frame import FrameId
from segstudio.core.prediction import Prediction
from segstudio.core.rates import LatencyMeter, RateMeter, percentiles
from segstudio.engine.alone import AloneFigures
from segstudio.engine.play import PipelineResult
from segstudio.engine.seats import FIRST

WINDOW_S = 2.0
"""Frames per second are those of so many seconds."""

KEEP = 240
"""Predictions that percentiles and the history are made of."""

WARM_UP = 2
"""Predictions that do not count: torch prepares for an input size, and fills its caches."""

STAGES = ("prepare", "forward", "upsample")
"""Of Timing, in order."""

Count = Callable[[tuple[int, int]], NetFigures | None]


@dataclass(frozen=True, slots=True)
class Spread:
    """Percentiles in ms."""

    p50: float
    p95: float
    p99: float


@dataclass(frozen=True, slots=True, eq=False)
class SpeedReading:
    """One pane's figures of this moment.

    model: name of its folder. fps_shared: frames per second that the pane got while all models took
    turns; None while nothing plays, or before the second frame. fps_turn: 1000 by the median of its
    own total; None before the first measured prediction. total, stages: percentiles, stages by
    their names in Timing; None and empty before. history: float32 (n,), totals in ms of the last
    `KEEP` predictions, oldest first. peak_mb: most memory of any of them, None where nobody can
    tell. params, gmacs: None until counted, or where it cannot be. input_size: (h, w).
    shared_with: other models that took turns. alone: measured alone, None before. frame: the one
    predicted last.
    """

    model: str
    fps_shared: float | None
    fps_turn: float | None
    total: Spread | None
    stages: dict[str, Spread]
    history: NDArray[np.float32]
    peak_mb: float | None
    params: int | None
    gmacs: float | None
    input_size: tuple[int, int]
    device: str
    shared_with: int
    alone: AloneFigures | None
    frame: FrameId


@dataclass(slots=True)
class _Pane:
    """Everything measured of one model with one device and input size."""

    last: Prediction
    at: float
    rate: RateMeter
    seen: int = 0
    total: LatencyMeter = field(default_factory=lambda: LatencyMeter(KEEP))
    stages: dict[str, LatencyMeter] = field(
        default_factory=lambda: {name: LatencyMeter(KEEP) for name in STAGES}
    )
    peak_mb: float | None = None
    alone: AloneFigures | None = None
    reading: SpeedReading | None = None
    key: object = None


class Speeds:
    """Measurements of every pane. Any thread may call anything.

    Feed it where results come from, in the infer thread: the window sees only the newest of them.

    A change of model, device or input size starts a pane anew by itself; for any other change of
    its settings call `begin` when the model is ready. The first WARM_UP predictions after it are
    dropped: they hold what torch prepares once, a second or more that no other frame costs.
    """

    def __init__(
        self, clock: Callable[[], float] = time.perf_counter, warm_up: int = WARM_UP
    ) -> None:
        self._clock = clock
        self._warm_up = warm_up
        self._lock = threading.Lock()
        self._panes: dict[str, _Pane] = {}
        self._is_playing = True

    def add_result(self, result: PipelineResult) -> None:
        """What every model says about one frame."""
        answers = [(FIRST, result.prediction), *((a.letter, a.prediction) for a in result.others)]
        for letter, prediction in answers:
            if prediction is not None:
                self.add(letter, prediction)

    def add(self, letter: str, prediction: Prediction) -> None:
        """One prediction arrived."""
        now = self._clock()
        with self._lock:
            pane = self._panes.get(letter)
            if pane is None or _settings(pane.last) != _settings(prediction):
                rate = RateMeter(WINDOW_S, self._clock, least=2)
                pane = self._panes[letter] = _Pane(prediction, now, rate)
            pane.last, pane.at = prediction, now
            pane.seen += 1
            if self._is_playing:
                pane.rate.mark()
            if pane.seen <= self._warm_up:
                return
            timing = prediction.timing
            pane.total.add(timing.total)
            for name, meter in pane.stages.items():
                meter.add(getattr(timing, name))
            if prediction.peak_mb is not None:
                pane.peak_mb = max(pane.peak_mb or 0.0, prediction.peak_mb)

    def set_playing(self, *, playing: bool) -> None:
        """Frames that come while nothing plays come at people's pace: they make no rate."""
        with self._lock:
            if playing != self._is_playing:
                self._is_playing = playing
                for pane in self._panes.values():
                    pane.rate.reset()

    def begin(self, letter: str) -> None:
        """Another model, other settings, or none: forget what was measured."""
        with self._lock:
            self._panes.pop(letter, None)

    def clear(self) -> None:
        """Forget every pane, as for another source."""
        with self._lock:
            self._panes.clear()

    def set_alone(self, letter: str, figures: AloneFigures) -> None:
        """The model of that pane was measured alone; figures of another model are dropped."""
        with self._lock:
            pane = self._panes.get(letter)
            if pane is None:
                return
            if (figures.model, figures.device, figures.input_size) == _settings(pane.last):
                pane.alone = figures

    def reading(self, letter: str, count: Count | None = None) -> SpeedReading | None:
        """The figures of this moment; the very same object while nothing new is to be told.

        count: figures of the pane's net at an input size, None until they are known.
        None before the first prediction.
        """
        with self._lock:
            pane = self._panes.get(letter)
            if pane is None:
                return None
            size = pane.last.input_size
            counted = (count(size) if count is not None else None) or NetFigures(*size)
            shared_with = sum(
                abs(other.at - pane.at) <= WINDOW_S
                for name, other in self._panes.items()
                if name != letter
            )
            rate = pane.rate.rate()
            fps = rate if self._is_playing and rate > 0 else None
            told = None if fps is None else round(fps, 1)
            key = (pane.seen, told, shared_with, pane.alone, counted.parameters, counted.gmacs)
            if pane.reading is None or key != pane.key:
                pane.reading, pane.key = _read(pane, fps, shared_with, counted), key
            return pane.reading


def _settings(prediction: Prediction) -> tuple[str, str, tuple[int, int]]:
    return prediction.model, prediction.device, prediction.input_size


def _read(pane: _Pane, fps: float | None, shared_with: int, counted: NetFigures) -> SpeedReading:
    history = pane.total.values()
    history.setflags(write=False)
    total = _spread(history)
    stages = ((name, _spread(meter.values())) for name, meter in pane.stages.items())
    return SpeedReading(
        model=pane.last.model,
        fps_shared=fps,
        fps_turn=None if total is None or total.p50 <= 0 else 1000 / total.p50,
        total=total,
        stages={name: spread for name, spread in stages if spread is not None},
        history=history,
        peak_mb=pane.peak_mb,
        params=counted.parameters,
        gmacs=counted.gmacs,
        input_size=pane.last.input_size,
        device=pane.last.device,
        shared_with=shared_with,
        alone=pane.alone,
        frame=pane.last.frame.id,
    )


def _spread(values: NDArray[np.float32]) -> Spread | None:
    return Spread(*percentiles(values, 50, 95, 99)) if len(values) else None
