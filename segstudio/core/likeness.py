"""How near frames are to each other, in time and in what they show, and for whom one can stand."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from segstudio.core.frame_worth import FrameWorth

Floats = NDArray[np.float64]

GAP_S = 0.5
"""Frames of one clip that are nearer in time than this are the same to a person."""

FADING_S = 1.5
"""Seconds after which nearness in time has faded to a third."""

PICTURE_S = 1.0
"""What one step in a folder of pictures counts for: nobody knows how they were taken, and whether
they are alike shows in what they show."""

_STANDS_FOR = 1.5
"""A frame teaches a tenth about one that is as far from it as two frames usually are, and more
about nearer ones: exp(-(1.5 · distance)²)."""

_MOST_STOOD_FOR = 512
"""Frames of which it is asked who stands for them; of more, so many evenly."""

_LEAST_APART = 0.05
"""Distance of descriptors below which two frames show the same, in a clip where all do."""

_MOST_COMPARED = 200
"""Frames whose distances tell what is usual."""


class Reach:
    """For how much of what is worth correcting each frame stands, by what they show.

    scores: float (n,), what each is worth by itself.
    """

    def __init__(self, frames: Sequence[FrameWorth], scores: Floats) -> None:
        self._shown, self._known = _descriptors(frames)
        stood_for = np.flatnonzero(self._known)
        stood_for = stood_for[:: max(1, -(-len(stood_for) // _MOST_STOOD_FOR))]
        self._others = self._shown[stood_for]
        self._worth = scores[stood_for].astype(np.float32)
        self._apart = max(_usually_apart(self._others), _LEAST_APART) / _STANDS_FOR
        self._alike = self._to(self._shown)
        self._alike[~self._known] = 0.0
        self._covered = np.zeros(len(stood_for), np.float32)
        self._whole = float((self._alike @ self._worth).max(initial=0.0))

    def left(self) -> Floats:
        """float (n,), 0..1: for how much that no frame yet stands for, as a share of the most that
        any frame stood for in the beginning; 1 where nothing is known of what frames show.
        """
        if self._whole <= 0:
            return np.ones(len(self._known))
        rest = np.maximum(self._alike - self._covered, 0.0) @ self._worth
        return np.where(self._known, rest.astype(np.float64) / self._whole, 1.0)

    def take(self, frame: FrameWorth) -> None:
        """It stands for those like it from now on."""
        if frame.descriptor.size and frame.descriptor.size == self._shown.shape[1]:
            reached = self._to(frame.descriptor[None].astype(np.float64))[0]
            np.maximum(self._covered, reached, out=self._covered)

    def _to(self, shown: Floats) -> NDArray[np.float32]:
        """float32 (n, those stood for): how much alike, 0..1."""
        distance = _squared_distances(shown, self._others).astype(np.float32)
        found: NDArray[np.float32] = np.exp(-distance / np.float32(self._apart**2))
        return found


class Nearness:
    """How near frames are to one of them: 0 (nothing in common) to 1 (the same)."""

    def __init__(self, frames: Sequence[FrameWorth]) -> None:
        self._media = np.array([f.media for f in frames])
        self._places = np.array([place_s(f) for f in frames])
        self._shown, self._known = _descriptors(frames)
        shown = self._shown[self._known]
        shown = shown[:: max(1, -(-len(shown) // _MOST_COMPARED))]
        self._apart = max(_usually_apart(shown) / 2, _LEAST_APART)

    def to(self, frame: FrameWorth) -> Floats:
        """float (n,)."""
        apart_s = np.abs(self._places - place_s(frame))
        in_time = np.where(apart_s < GAP_S, 1.0, np.exp(-apart_s / FADING_S))
        near: Floats = np.where(self._media == frame.media, in_time, 0.0)
        if frame.descriptor.size and frame.descriptor.size == self._shown.shape[1]:
            distance = np.linalg.norm(self._shown - frame.descriptor, axis=1)
            alike = np.exp(-((distance / self._apart) ** 2))
            near = np.maximum(near, np.where(self._known, alike, 0.0))
        return near


def _descriptors(frames: Sequence[FrameWorth]) -> tuple[Floats, NDArray[np.bool_]]:
    """float (n, length), 0 where nothing is known of a frame; and bool (n,), where it is."""
    length = max(f.descriptor.size for f in frames)
    known = np.array([f.descriptor.size == length > 0 for f in frames])
    shown = np.zeros((len(frames), length))
    for row, each in zip(shown, frames, strict=True):
        if each.descriptor.size == length:
            row[:] = each.descriptor
    return shown, known


def _usually_apart(shown: Floats) -> float:
    """The median distance between two of them; 0 with fewer than two."""
    if len(shown) < 2:
        return 0.0
    between = _squared_distances(shown, shown)[np.triu_indices(len(shown), 1)]
    return float(np.median(np.sqrt(between)))


def _squared_distances(some: Floats, others: Floats) -> Floats:
    """float (n, m), at least 0, between float (n, length) and float (m, length)."""
    squares = (some**2).sum(axis=1)[:, None] + (others**2).sum(axis=1)
    found: Floats = np.maximum(squares - 2 * some @ others.T, 0.0)
    return found


def place_s(frame: FrameWorth) -> float:
    """Where it is in its clip or folder, seconds."""
    if frame.frame.time_us is None:
        return frame.frame.index * PICTURE_S
    return frame.frame.time_us / 1e6
