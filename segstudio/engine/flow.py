"""What threads hand over to each other: one newest value, and a word to stop.

Imports no torch, so that the window may use it.
"""

import threading
import time
from typing import Generic, TypeVar

from segstudio.errors import Cancelled

T = TypeVar("T")


class LatestSlot(Generic[T]):
    """A mailbox for one value: a newer one replaces an older one that nobody took.

    Any thread may call anything. `replaced` counts the values that were never taken.
    """

    def __init__(self) -> None:
        self._ready = threading.Condition()
        self._value: T | None = None
        self._is_full = False
        self._is_closed = False
        self.replaced = 0

    def put(self, value: T) -> bool:
        """Leave a value; True when the slot was empty. After `close` the value is dropped."""
        with self._ready:
            if self._is_closed:
                return False
            was_empty = not self._is_full
            if not was_empty:
                self.replaced += 1
            self._value = value
            self._is_full = True
            self._ready.notify_all()
            return was_empty

    def take(self, timeout_s: float | None = None) -> T | None:
        """The value, waiting for one at most `timeout_s` (None: for ever, 0: not at all).

        None when the time is over or the slot was closed.
        """
        with self._ready:
            self._ready.wait_for(lambda: self._is_full or self._is_closed, timeout_s)
            if not self._is_full:
                return None
            value, self._value = self._value, None
            self._is_full = False
            self._ready.notify_all()
            return value

    def wait_empty(self, timeout_s: float | None = None) -> bool:
        """Wait until the value was taken; True when the slot is empty or closed."""
        with self._ready:
            return self._ready.wait_for(lambda: not self._is_full or self._is_closed, timeout_s)

    def clear(self) -> None:
        """Drop the waiting value."""
        with self._ready:
            self._value = None
            self._is_full = False
            self._ready.notify_all()

    def close(self) -> None:
        """Wake everyone who waits; nothing goes in or out any more."""
        with self._ready:
            self._is_closed = True
            self._value = None
            self._is_full = False
            self._ready.notify_all()


class CancelToken:
    """Says that work should stop. Looked at between frames or batches; nothing is killed."""

    def __init__(self) -> None:
        self._event = threading.Event()

    @property
    def cancelled(self) -> bool:
        """True once `cancel` was called."""
        return self._event.is_set()

    def cancel(self) -> None:
        """Ask for the stop. Any thread, any number of times."""
        self._event.set()

    def check(self) -> None:
        """Raise Cancelled once `cancel` was called."""
        if self._event.is_set():
            raise Cancelled

    def wait(self, timeout_s: float) -> bool:
        """Sleep that ends at once when cancelled; True when cancelled."""
        return self._event.wait(timeout_s)


class Stopwatch:
    """Milliseconds since it was made or last read."""

    def __init__(self) -> None:
        self._start = time.perf_counter()

    def lap(self) -> float:
        """Milliseconds since the last lap."""
        now = time.perf_counter()
        elapsed = (now - self._start) * 1000.0
        self._start = now
        return elapsed
