"""How far the work is that comes before the first step."""

import time
from collections.abc import Callable
from typing import TypeAlias

from segstudio.core.training import TrainEvent

Tell: TypeAlias = Callable[[TrainEvent], None]

EVERY_S = 0.5


class Progress:
    """Tells of one kind of work: the first frame, the last, and between them twice a second.

    what: the work in words, as in "copying frames".
    """

    def __init__(self, what: str, tell: Tell) -> None:
        self._what, self._tell = what, tell
        self._next = 0.0

    def __call__(self, done: int, of: int) -> None:
        """So many frames are done."""
        now = time.monotonic()
        if now >= self._next or done == of:
            self._next = now + EVERY_S
            figures = {"what": self._what, "done": done, "of": of}
            self._tell(TrainEvent("preparing", 0, figures))
