"""How fast: frames per second and latencies over a sliding window."""

import time
from collections import deque
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray


class RateMeter:
    """Events per second over the last `window_s` seconds. One thread at a time.

    least: so many events are never forgotten, however old. With 2, a rate slower than one event
    per window is still told: it is that of the last gap, and falls once the next event is late.
    """

    def __init__(
        self,
        window_s: float = 2.0,
        clock: Callable[[], float] = time.perf_counter,
        *,
        least: int = 0,
    ) -> None:
        self._window_s = window_s
        self._clock = clock
        self._least = least
        self._marks: deque[float] = deque()

    def mark(self) -> None:
        """One event, now."""
        now = self._clock()
        self._marks.append(now)
        self._drop(now)

    def rate(self) -> float:
        """Per second; 0 with fewer than two events to count."""
        now = self._clock()
        self._drop(now)
        if len(self._marks) < 2:
            return 0.0
        span = self._marks[-1] - self._marks[0]
        if now - self._marks[0] > self._window_s:
            span = max(span, now - self._marks[-1])
        return (len(self._marks) - 1) / span if span > 0 else 0.0

    def reset(self) -> None:
        """Forget everything, as after a pause."""
        self._marks.clear()

    def _drop(self, now: float) -> None:
        while len(self._marks) > self._least and now - self._marks[0] > self._window_s:
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
        return percentiles(self.values(), q)[0]

    def values(self) -> NDArray[np.float32]:
        """float32 (n,): the measurements in ms, oldest first."""
        return np.fromiter(self._values, np.float32, len(self._values))

    def reset(self) -> None:
        """Forget everything."""
        self._values.clear()

    def __len__(self) -> int:
        return len(self._values)


def percentiles(values: NDArray[np.floating], *qs: float) -> tuple[float, ...]:
    """The qs-th percentiles (0..100) of at least one value: np.percentile's linear rule.

    np.percentile takes 47 µs for three of 240 values and this 3 (measured); sixteen such triples
    are wanted ten times a second.
    """
    ordered = np.sort(values)
    last = len(ordered) - 1
    found = []
    for q in qs:
        place = q / 100 * last
        below = int(place)
        low, high = float(ordered[below]), float(ordered[min(below + 1, last)])
        found.append(low + (place - below) * (high - low))
    return tuple(found)
