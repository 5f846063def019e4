"""What the status line shows: how fast, how late, how much was passed over.

`Meters` collects in the UI thread; `Reading` is the frozen value that widgets get ten times a
second.
"""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from segstudio.core.frame import Frame
from segstudio.core.prediction import Prediction
from segstudio.core.rates import LatencyMeter

STAGES = ("decode", "prepare", "model", "upsample", "draw")
"""The way of a frame, in order."""


@dataclass(frozen=True, slots=True)
class Reading:
    """fps: frames that got through the model (or, without one, the decoder) per second.

    shown_fps: frames painted per second. stages: (name, p50, p95) in ms, only stages that ran.
    total: (p50, p95) of a whole frame in ms, None before the first. skipped: frames passed over
    since playback began.
    """

    fps: float = 0.0
    shown_fps: float = 0.0
    stages: tuple[tuple[str, float, float], ...] = ()
    total: tuple[float, float] | None = None
    skipped: int = 0


class Meters:
    """Measurements of one source and model; a change of either starts them anew.

    The first prediction counts only until there is a second: it holds what torch prepares once
    for an input size, a second or more that no other frame costs.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._stages = {name: LatencyMeter() for name in STAGES}
        self._total = LatencyMeter()
        self._inferred: deque[tuple[float, int]] = deque()
        self._shown: deque[float] = deque()
        self.skipped = 0
        self._predictions = 0

    def add(self, frame: Frame, prediction: Prediction | None) -> None:
        """One result arrived."""
        spent = {"decode": frame.decode_ms}
        if prediction is not None:
            self._predictions += 1
            if self._predictions == 2:
                for meter in (*self._stages.values(), self._total):
                    meter.reset()
            timing = prediction.timing
            spent |= {
                "prepare": timing.prepare,
                "model": timing.forward,
                "upsample": timing.upsample,
            }
        for name, ms in spent.items():
            self._stages[name].add(ms)
        self._total.add(sum(spent.values()))

    def painted(self, ms: float) -> None:
        """One frame reached the screen; making its raster and painting it took `ms`."""
        self._stages["draw"].add(ms)
        self._shown.append(self._clock())

    def count(self, inferred: int) -> None:
        """`inferred`: results the pipeline has delivered altogether."""
        now = self._clock()
        self._inferred.append((now, inferred))
        while self._inferred and now - self._inferred[0][0] > 2.0:
            self._inferred.popleft()

    def reading(self) -> Reading:
        """The figures of this moment."""
        now = self._clock()
        while self._shown and now - self._shown[0] > 2.0:
            self._shown.popleft()
        stages = tuple(
            (name, p50, p95)
            for name, meter in self._stages.items()
            if (p50 := meter.percentile(50)) is not None
            and (p95 := meter.percentile(95)) is not None
        )
        p50, p95 = self._total.percentile(50), self._total.percentile(95)
        return Reading(
            fps=_per_second(self._inferred),
            shown_fps=_rate(self._shown),
            stages=stages,
            total=None if p50 is None or p95 is None else (p50, p95),
            skipped=self.skipped,
        )


def _per_second(marks: deque[tuple[float, int]]) -> float:
    if len(marks) < 2 or marks[-1][0] <= marks[0][0]:
        return 0.0
    return (marks[-1][1] - marks[0][1]) / (marks[-1][0] - marks[0][0])


def _rate(marks: deque[float]) -> float:
    if len(marks) < 2 or marks[-1] <= marks[0]:
        return 0.0
    return (len(marks) - 1) / (marks[-1] - marks[0])
