"""Where a pixel's class comes from, and what state that puts its frame in.

One uint8 per pixel beside the labels. Models and propagation never write over what a human painted
or confirmed, and figures count only what a human stood behind.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

NONE, MODEL, PROPAGATED, PAINTED, CONFIRMED = range(5)
"""NONE: nobody said anything. MODEL: a prediction. PROPAGATED: moved here from another frame.
PAINTED: by a human. CONFIRMED: a human said that the whole frame is right."""

NAMES = ("nobody", "model", "propagated", "painted", "confirmed")
"""How they are called on the screen, by origin."""

COLORS = ((90, 90, 90), (230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66))
"""RGB by origin: from Okabe & Ito's palette, told apart by colour-blind people too."""


Counted = Sequence[int] | NDArray[np.integer[Any]]


class FrameState(StrEnum):
    """How far the labels of a frame are. A flag with a note stands beside it."""

    TODO = "to do"
    DRAFTED = "drafted"
    IN_PROGRESS = "in progress"
    CONFIRMED = "confirmed"


def state_of(counts: Counted) -> FrameState:
    """From how many pixels have each origin, (at least 5,) by origin; all zero is "to do".

    A state is never stored apart from the pixels, so undoing a confirmation takes it back too.
    """
    total = sum(int(n) for n in counts)
    if total and int(counts[CONFIRMED]) == total:
        return FrameState.CONFIRMED
    if int(counts[PAINTED]) or int(counts[CONFIRMED]):
        return FrameState.IN_PROGRESS
    if int(counts[MODEL]) or int(counts[PROPAGATED]):
        return FrameState.DRAFTED
    return FrameState.TODO


def human_share(counts: Counted) -> float:
    """Share of pixels that a human painted or confirmed, 0..1."""
    total = sum(int(n) for n in counts)
    return (int(counts[PAINTED]) + int(counts[CONFIRMED])) / total if total else 0.0
