"""What one model did on each frame, summed as fast as a stroke is painted; and what may be summed.

A headline figure counts only frames in which a human stood behind every pixel and confirmed them
whole, and no frame that the graded model drafted itself and nobody corrected: that would be its own
word, held against itself. Everything else that has labels is kept beside it and never called more
than agreement.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, Literal, TypeAlias, TypeVar

import numpy as np

from segstudio.core.confusion import Counts
from segstudio.core.metrics import Convention, Scores, scores_of
from segstudio.core.origins import CONFIRMED, PAINTED, Counted
from segstudio.core.per_image import PerImage

Key = TypeVar("Key", bound=Hashable)

CORRECTED = 0.05
"""Share of pixels that a human must have painted before a draft may grade its own author."""

Part: TypeAlias = Literal["scored", "own", "draft"]
PARTS: tuple[Part, ...] = ("scored", "own", "draft")
"""Confirmed and counted; confirmed but the model's own draft; not confirmed."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How far the labels of a frame may be trusted.

    is_reference: a human confirmed it whole and has only painted since. human_share: 0..1, pixels
    that a human painted; None when it was confirmed and nobody counted them before. drafted_by:
    the model whose draft was taken over, "" for none.
    """

    is_reference: bool
    human_share: float | None
    drafted_by: str = ""

    @staticmethod
    def of(origins: Counted, drafted_by: str = "", by_hand: int | None = None) -> "Standing":
        """From how many pixels have each origin.

        by_hand: pixels that were painted when the frame was confirmed, which made them confirmed.
        """
        total = sum(int(n) for n in origins)
        painted, confirmed = int(origins[PAINTED]), int(origins[CONFIRMED])
        is_whole = 0 < total == painted + confirmed and confirmed > 0
        if confirmed and by_hand is None:
            return Standing(is_whole, None, drafted_by)
        before = min(by_hand or 0, confirmed)
        return Standing(is_whole, (painted + before) / max(1, total), drafted_by)

    def is_own_work(self, model: str) -> bool:
        """Whether these labels are the word of `model` itself: its draft, hardly corrected.

        A human painted less than CORRECTED of the pixels, or nobody counted how many.
        """
        is_untouched = self.human_share is None or self.human_share < CORRECTED
        return bool(model) and self.drafted_by == model and is_untouched


@dataclass(frozen=True, slots=True, eq=False)
class FrameCounts(Generic[Key]):
    """counts: int64 (C + 1, C + 1), never written into."""

    key: Key
    counts: Counts
    standing: Standing


class Tally(Generic[Key]):
    """Frames of one model by key, and the running sum of each part of them.

    With `reference` set: confirmed frames that count for this model. Without: labels that nobody
    confirmed. Confirmed frames that are its own work are in neither; `own` has them.
    """

    def __init__(self, classes: int, *, model: str = "") -> None:
        """model: name of the one that is graded; "" when drafts of it are not told apart."""
        self.classes = classes
        self.model = model
        self._frames: dict[Key, FrameCounts[Key]] = {}
        self._each: dict[Part, PerImage[Key]] = {part: PerImage(classes) for part in PARTS}
        self._sums = {part: np.zeros((classes + 1, classes + 1), np.int64) for part in PARTS}

    def _part(self, standing: Standing) -> Part:
        if not standing.is_reference:
            return "draft"
        return "own" if standing.is_own_work(self.model) else "scored"

    def _of(self, part: Part) -> tuple[FrameCounts[Key], ...]:
        return tuple(f for f in self._frames.values() if self._part(f.standing) == part)

    def put(self, key: Key, counts: Counts, standing: Standing) -> None:
        """Set what is known of a frame, whatever was known before."""
        self.drop(key)
        self._frames[key] = FrameCounts(key, counts, standing)
        part = self._part(standing)
        self._sums[part] += counts
        self._each[part].put(key, counts)

    def change(self, key: Key, difference: Counts, standing: Standing) -> None:
        """Labels were painted: counts that came less counts that went. Unknown frames are left."""
        old = self._frames.get(key)
        if old is not None:
            self.put(key, old.counts + difference, standing)

    def drop(self, key: Key) -> None:
        """Forget a frame."""
        old = self._frames.pop(key, None)
        if old is not None:
            part = self._part(old.standing)
            self._sums[part] -= old.counts
            self._each[part].drop(key)

    def get(self, key: Key) -> FrameCounts[Key] | None:
        """What is known of a frame."""
        return self._frames.get(key)

    @property
    def is_empty(self) -> bool:
        """No frame of any part."""
        return not self._frames

    def frames(self, *, reference: bool = True) -> tuple[FrameCounts[Key], ...]:
        """Those that count, or those that nobody confirmed, in the order they came."""
        return self._of(_part(reference))

    def own(self) -> tuple[FrameCounts[Key], ...]:
        """Confirmed frames that do not count for this model, as they are its own work."""
        return self._of("own")

    def full(self, *, reference: bool = True) -> Counts:
        """int64 (C + 1, C + 1): a copy of the sum."""
        return self._sums[_part(reference)].copy()

    def scores(
        self, convention: Convention = Convention.VOID_IGNORED, *, reference: bool = True
    ) -> Scores:
        """The figures of those frames."""
        if convention is Convention.PER_IMAGE:
            return self._each[_part(reference)].scores()
        return scores_of(self._sums[_part(reference)], convention)

    def behind(self, row: int, column: int, *, reference: bool = True) -> Sequence[tuple[Key, int]]:
        """Frames with pixels in that cell of the matrix, most first."""
        found = [(f.key, int(f.counts[row, column])) for f in self.frames(reference=reference)]
        return sorted((each for each in found if each[1]), key=lambda each: -each[1])

    def worst(self, *, reference: bool = True) -> Sequence[tuple[Key, float]]:
        """Frames by their own mIoU, lowest first; frames without any class are left out."""
        found = [(f.key, scores_of(f.counts).miou) for f in self.frames(reference=reference)]
        return sorted((each for each in found if each[1] == each[1]), key=lambda each: each[1])


def _part(reference: bool) -> Part:  # noqa: FBT001 - the caller has it by name
    return "scored" if reference else "draft"
