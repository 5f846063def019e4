"""How fast: frames per second and latencies over a sliding window."""

import time
from collections import deque
from collections.abc import Callable

import numpy as np


class RateMeter:
    """Events per second over the last `window_s` seconds. One thread at a time."""

    def __init__(
        self, window_s: float = 2.0, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._window_s = window_s
        self._clock = clock
        self._marks: deque[float] = deque()

    def mark(self) -> None:
        """One event, now."""
        now = self._clock()
        self._marks.append(now)
        self._drop(now)

    def rate(self) -> float:
        """Per second; 0 with fewer than two events in the window."""
        now = self._clock()
        self._drop(now)
        if len(self._marks) < 2:
            return 0.0
        span = self._marks[-1] - self._marks[0]
        return (len(self._marks) - 1) / span if span > 0 else 0.0

    def reset(self) -> None:
        """Forget everything, as after a pause."""
        self._marks.clear()

    def _drop(self, now: float) -> None:
        while self._marks and now - self._marks[0] > self._window_s:
            self._marks.popleft()


class LatencyMeter:
    """Percentiles of the last `keep` measured milliseconds."""

    def __init__(self, keep: int = 240) -> None:
        self._values: deque[float] = deque(maxlen=keep)

    def add(self, ms: float) -> None:
        """One measurement."""
        self._values.append(ms)

    def percentile(self, q: float) -> float | None:
        """The q-th percentile (0..100) in ms, None before the first measurement."""
        if not self._values:
            return None
        return float(np.percentile(np.fromiter(self._values, np.float64), q))

    def reset(self) -> None:
        """Forget everything."""
        self._values.clear()

    def __len__(self) -> int:
        return len(self._values)
