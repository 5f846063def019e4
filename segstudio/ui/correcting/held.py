"""Frames whose labels are in memory: the current one and those that were looked at lately.

A frame with steps that are not on the disk yet is never let go, whatever it takes.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from segstudio.core.history import History
    from segstudio.core.labels import LabelDocument
    from segstudio.store.project import FrameAbout, FrameKey

BUDGET_BYTES = 256 << 20
"""Both planes of some sixty frames of 2048×1024."""


@dataclass(slots=True, eq=False)
class Held:
    """One frame's labels with their undo. unsaved: steps on their way to the disk."""

    key: "FrameKey"
    about: "FrameAbout"
    document: "LabelDocument"
    history: "History"
    unsaved: int = 0

    @property
    def counts(self) -> tuple[int, int, int, int, int]:
        """Pixels by origin."""
        nobody, model, propagated, painted, confirmed = self.document.origin_counts[:5].tolist()
        return nobody, model, propagated, painted, confirmed

    @property
    def is_blank(self) -> bool:
        """True while nobody, neither person nor model, said anything here, and again when all that
        was said is undone. A frame that somebody erased is not."""
        return not self.history.position and not int(self.document.origin_counts[1:].sum())


@dataclass(slots=True)
class HeldFrames:
    """The least lately used go first when they take more than the budget."""

    budget_bytes: int = BUDGET_BYTES
    _frames: "OrderedDict[FrameKey, Held]" = field(default_factory=OrderedDict)

    def get(self, key: "FrameKey") -> Held | None:
        """That frame when it is in memory; it counts as used."""
        found = self._frames.get(key)
        if found is not None:
            self._frames.move_to_end(key)
        return found

    def put(self, held: Held) -> None:
        """Keep it; others may go."""
        self._frames[held.key] = held
        self._frames.move_to_end(held.key)
        spent = sum(2 * h.document.labels.size for h in self._frames.values())
        for key in list(self._frames):
            if spent <= self.budget_bytes:
                return
            other = self._frames[key]
            if other is not held and not other.unsaved:
                spent -= 2 * other.document.labels.size
                del self._frames[key]

    def forget(self, key: "FrameKey") -> None:
        """It was written by somebody else: read it anew."""
        self._frames.pop(key, None)

    def clear(self) -> None:
        """Another project."""
        self._frames.clear()
