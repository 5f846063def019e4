"""One model measured alone: nothing else runs on its device meanwhile.

The figures of a model that takes turns with others say what people get; these say what the model
could do. Call it in the thread that owns the models, where no other can run beside it. Imports no
torch: a prediction lies in the computer's own memory when it comes back, so its device is done.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from segstudio.core.frame import Frame, FrameId
from segstudio.core.prediction import Prediction
from segstudio.core.rates import percentiles
from segstudio.engine.flow import CancelToken

RUNS = 20

WARM_UP = 3
"""Predictions before the clock: the first prepares what torch needs once for an input size, the
second may be compiled, the third is as the others."""

SLOW_MS = 2000.0
"""A model this slow when it is warm is spared the third."""


LONG_MS = 10_000.0
"""Models so slow that their runs would take longer get fewer of them: nobody else may run."""

LEAST = 3
"""Runs below which there is nothing to be said."""


class Predicts(Protocol):
    """A Predictor, as far as it is needed here."""

    device: str

    def predict(self, frame: Frame) -> Prediction:
        """Label one frame."""


@dataclass(frozen=True, slots=True)
class AloneFigures:
    """Wall milliseconds from a frame to its labels, over `runs` predictions of `frame`.

    model: name of its folder. fps: from the median. peak_mb: as in Prediction. input_size: (h, w)
    that the net saw.
    """

    model: str
    fps: float
    p50: float
    p95: float
    p99: float
    runs: int
    peak_mb: float | None
    input_size: tuple[int, int]
    device: str
    frame: FrameId


def measure_alone(
    predictor: Predicts,
    frame: Frame,
    runs: int = RUNS,
    token: CancelToken | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> AloneFigures:
    """Predict one frame `runs` times after a warm-up; fewer times where that takes very long.

    Cancelled between two predictions when the token says so; the errors of Predictor.predict.
    """
    token = token or CancelToken()
    cold: list[float] = []
    times: list[float] = []
    peaks: list[float] = []
    while len(times) < runs:
        token.check()
        start = clock()
        done = predictor.predict(frame)
        ms = 1000 * (clock() - start)
        if len(cold) < (WARM_UP if min(cold, default=0) < SLOW_MS else WARM_UP - 1):
            cold.append(ms)
            continue
        times.append(ms)
        if done.peak_mb is not None:
            peaks.append(done.peak_mb)
        if sum(times) > LONG_MS and len(times) >= LEAST:
            break
    p50, p95, p99 = percentiles(np.array(times), 50, 95, 99)
    return AloneFigures(
        model=done.model,
        fps=1000 / p50,
        p50=p50,
        p95=p95,
        p99=p99,
        runs=len(times),
        peak_mb=max(peaks, default=None),
        input_size=done.input_size,
        device=predictor.device,
        frame=frame.id,
    )
