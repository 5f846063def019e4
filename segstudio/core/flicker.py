"""Temporal flicker: how often the class of the same thing changed lately.

The labels of the frame before are carried to this one along optical flow. Where the flow can be
trusted and the class is another one nearby, it changed; the mean of that over the last frames,
weighted less the older they are, moves along the flow too. Where the flow cannot be trusted nothing
is held against the model: newly seen things start at 0.

All of it happens on a picture of about 320×180, which is what live playing can afford.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from segstudio.core.classes import VOID
from segstudio.core.frame import Frame, FrameId
from segstudio.core.optical_flow import Floats, Flow, at, gap, grid, in_frame, reduced, room

PIXELS = 320 * 180
"""The flow is measured on a picture of at most so many pixels."""

HALF_LIFE = 8
"""Frames after which a change counts half."""

MOST_SKIPPED = 12
"""Frames from one answer to the next: live playing passes frames over when the model is slow, and
flow still holds over most things for half a second; where it does not, it is not trusted."""

LEAST_TRUSTED = 0.25
"""Of the picture; with less it is a cut, and everything starts anew."""

SLACK = 4.0
"""As core/propagation.py: reduced pixels by which there and back may disagree, that far inside."""

MOST_SHOWN = 0.5
"""A class that changes every second frame: nothing flickers much more than that."""


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """id, shape: of the frame. grey, labels: uint8 (h, w), reduced."""

    id: FrameId
    shape: tuple[int, ...]
    grey: NDArray[np.uint8]
    labels: NDArray[np.uint8]


class Flicker:
    """Keeps what one model said lately. For one thread.

    is_new: nothing came before the last frame, so that nothing is known about it yet.
    """

    def __init__(self) -> None:
        self.is_new = True
        self._flow = Flow("fast")
        self._last: _Seen | None = None
        self._mean = np.zeros((0, 0), np.float32)

    def see(self, frame: Frame, labels: NDArray[np.uint8]) -> Floats:
        """float32 (h, w), 0..1: the share of the last frames in which the class changed, reduced.

        labels: uint8 (H, W), what the model says about the frame. Frames come in their order; one
        from elsewhere starts anew, the same one again changes nothing.
        """
        small = reduced(frame.rgb, PIXELS)
        grey = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.uint8)
        size = (grey.shape[1], grey.shape[0])
        ids = np.asarray(cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST), np.uint8)
        before, self._last = self._last, _Seen(frame.id, frame.rgb.shape, grey, ids)
        step = None if before is None else _step(before, self._last)
        if before is None or step is None:
            self._mean, self.is_new = np.zeros(grey.shape, np.float32), True
        elif step:
            self._mean, self.is_new = self._moved(before, self._last, step), False
        return self._mean

    def _moved(self, before: _Seen, now: _Seen, step: int) -> Floats:
        back, forth = self._flow(now.grey, before.grey), self._flow(before.grey, now.grey)
        source = grid(*now.grey.shape) + back
        inside = in_frame(source) != 0
        slack = at(np.minimum(room(before.labels, now.grey.shape[::-1]), SLACK), source)
        holds = inside & (gap(back, at(forth, source)) <= slack)
        if np.count_nonzero(holds) < LEAST_TRUSTED * holds.size:
            return np.zeros(now.grey.shape, np.float32)
        kept = np.float32(0.5 ** (step / HALF_LIFE))
        mean = np.where(inside, at(self._mean, source) * kept, np.float32(0))
        mean[holds & _differs(now.labels, before.labels, source)] += 1 - kept
        return mean


def _step(before: _Seen, now: _Seen) -> int | None:
    """Frames from one to the other; None when they do not follow each other."""
    step = now.id.index - before.id.index
    is_near = before.id.source == now.id.source and 0 <= step <= MOST_SKIPPED
    return step if is_near and before.shape == now.shape else None


def _differs(
    now: NDArray[np.uint8], before: NDArray[np.uint8], source: Floats
) -> NDArray[np.bool_]:
    """bool (h, w): the class is none of those at the source and right beside it.

    One reduced pixel of tolerance: borders move by as much without anybody being unsure.
    """
    differs = np.asarray(now != VOID)
    for x, y in ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)):
        then = at(before, source + np.array((x, y), np.float32), cv2.INTER_NEAREST)
        differs &= (then != now) & (then != VOID)
    return differs
