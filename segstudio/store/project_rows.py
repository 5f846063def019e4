"""What a project says about itself: frozen values, safe in any thread."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from segstudio.core.geometry import Rect
from segstudio.core.origins import FrameState, human_share, state_of
from segstudio.core.tally import Standing

Counts = tuple[int, int, int, int, int]
"""Pixels by origin."""


@dataclass(frozen=True, slots=True, order=True)
class FrameKey:
    """Which frame of which medium of the project."""

    media: int
    index: int


@dataclass(frozen=True, slots=True)
class MediaRecord:
    """A video, folder or picture of the project.

    fingerprint: equal for a renamed or moved copy. path: where it was seen last.
    """

    id: int
    fingerprint: str
    title: str
    kind: str
    path: Path
    width: int
    height: int
    frames: int


@dataclass(frozen=True, slots=True)
class FrameAbout:
    """The picture that labels were drawn on, stored with their first step.

    fingerprint: CRC-32 of its content. drafted_by: the model whose draft was taken over. by_hand:
    pixels that a human had painted when the frame was confirmed, None where nobody counted them.
    """

    time_us: int | None
    fingerprint: int
    name: str
    height: int
    width: int
    drafted_by: str = ""
    by_hand: int | None = None


@dataclass(frozen=True, slots=True)
class FrameSummary:
    """One row of the frame list.

    counts: pixels by origin. position: how many of the `steps` are done. confidence: of a
    propagation, 0..1.
    """

    key: FrameKey
    about: FrameAbout
    counts: Counts
    position: int
    steps: int
    flag: str | None = None
    is_bookmarked: bool = False
    confidence: float | None = None

    @property
    def state(self) -> FrameState:
        """How far its labels are."""
        return state_of(self.counts)

    @property
    def human_share(self) -> float:
        """Share of pixels that a human painted or confirmed, 0..1."""
        return human_share(self.counts)

    @property
    def standing(self) -> Standing:
        """How far its labels may be trusted."""
        return Standing.of(self.counts, self.about.drafted_by, self.about.by_hand)


@dataclass(frozen=True, slots=True)
class StepRecord:
    """One line of a frame's history, without its tiles."""

    title: str
    class_id: int | None
    pixels: int
    rect: Rect


@dataclass(frozen=True, slots=True, eq=False)
class StoredFrame:
    """labels, origin: uint8 (H, W). history: all steps, done and undone ones."""

    summary: FrameSummary
    labels: NDArray[np.uint8]
    origin: NDArray[np.uint8]
    history: tuple[StepRecord, ...]


@dataclass(frozen=True, slots=True)
class StoreNews:
    """kind: "saved", "trouble" or "recovered". waiting: steps that are not on the disk yet."""

    kind: str
    text: str
    waiting: int
