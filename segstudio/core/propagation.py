"""Labels carried from frame to frame by dense optical flow.

The flow is DIS (Kroeger et al. 2016, "Fast optical flow using dense inverse search", OpenCV's) on
a reduced grey picture. Every pixel of the new frame looks up where it came from, so there are no
gaps and nothing lands twice. A pixel is trusted when the flow there and back agrees (Sundaram, Brox
& Keutzer 2010), when its colour is still the one of its source, and when its source lies in the
frame. What is not trusted is void: a wrong label costs more than a missing one.

The plain check throws away sky and road: without texture the flow is vague there, and the label the
same all around. So a disagreement is forgiven where the source lies further inside a region of one
class than the disagreement is large. That carried more labels and righter ones on both clips of
bench/propagation.py.

Over several frames a `Propagator` adds up the flows and looks the labels up once, in the frame they
were drawn on. Warping them again at every step rounds every border at every step: bench/
propagation.py prints both.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from segstudio.core.classes import VOID

_T = TypeVar("_T", np.uint8, np.float32)
Floats = NDArray[np.float32]
_NO_MAP = np.empty(0, np.float32)
"""cv2.remap's second map: x and y stand together in the first."""

_LEAST_SIDE = 64
"""Smaller pictures are enlarged for the flow: DIS refuses them or reads beyond their ends."""


@dataclass(frozen=True, slots=True)
class PropagationSettings:
    """How labels are carried.

    pixels: the flow is measured on a picture of at most so many pixels. color: largest difference
    (CIELAB, after a common change of brightness is taken off) between a pixel and its source.
    is_fine: DIS preset MEDIUM instead of FAST, twice as slow. slack: pixels of the reduced picture
    by which there and back may disagree, over all frames together, that far inside a region; 0 is
    the plain check.
    """

    pixels: int = 640 * 360
    color: float = 15.0
    is_fine: bool = True
    slack: float = 8.0


@dataclass(frozen=True, slots=True, eq=False)
class Propagated:
    """Labels as they arrived.

    labels: uint8 (H, W), VOID where not trusted (and where the source was void).
    trusted: bool (H, W), the flow holds here.
    confidence: 0..1, pixels that arrived trusted with a class / pixels of the source frame that had
    a class; 0 when the source had none. It falls as things leave the frame, are hidden or change.
    """

    labels: NDArray[np.uint8]
    trusted: NDArray[np.bool_]
    confidence: float


class Propagator:
    """Carries the labels of one frame over the frames after (or before) it, one at a time.

    rgb: uint8 (H, W, 3); labels: uint8 (H, W) of the same size, kept by reference and not written.
    Not for several threads at once.
    """

    def __init__(
        self,
        rgb: NDArray[np.uint8],
        labels: NDArray[np.uint8],
        settings: PropagationSettings | None = None,
    ) -> None:
        if rgb.shape[:2] != labels.shape:
            raise ValueError(f"labels {labels.shape} on a picture {rgb.shape[:2]}")
        self._settings = settings or PropagationSettings()
        self._labels = labels
        self._labelled = int(np.count_nonzero(labels != VOID))
        preset = (
            cv2.DISOPTICAL_FLOW_PRESET_MEDIUM
            if self._settings.is_fine
            else cv2.DISOPTICAL_FLOW_PRESET_FAST
        )
        self._dis = cv2.DISOpticalFlow.create(preset)
        self._picture = self._reduced(rgb)
        height, width = self._picture.shape[:2]
        self._grid = _grid(height, width)
        self._flow = np.zeros((height, width, 2), np.float32)
        self._doubt = np.zeros((height, width), np.float32)
        self._room = np.minimum(_room(labels, (width, height)), self._settings.slack)
        self._trusted = np.ones((height, width), np.uint8)

    def advance(self, rgb: NDArray[np.uint8]) -> Propagated:
        """The labels on the next frame: uint8 (H, W, 3) of the same size; ValueError if not."""
        if rgb.shape[:2] != self._labels.shape:
            raise ValueError(f"a frame {rgb.shape[:2]} after frames {self._labels.shape}")
        before, after = self._picture, self._reduced(rgb)
        grey_before = np.asarray(cv2.cvtColor(before, cv2.COLOR_RGB2GRAY), np.uint8)
        grey_after = np.asarray(cv2.cvtColor(after, cv2.COLOR_RGB2GRAY), np.uint8)
        back = self._measured(grey_after, grey_before)
        forth = self._measured(grey_before, grey_after)
        source = self._grid + back
        self._flow = back + _at(self._flow, source)
        self._doubt = _at(self._doubt, source, cv2.INTER_NEAREST) + _gap(back, _at(forth, source))
        room = _at(self._room, self._grid + self._flow)
        holds = (
            np.asarray(self._doubt <= room, np.uint8)
            & _in_frame(source)
            & self._is_same_color(after, before, source)
        )
        self._trusted = holds & _at(self._trusted, source, cv2.INTER_NEAREST)
        self._picture = after
        return self._looked_up()

    def _measured(self, here: NDArray[np.uint8], there: NDArray[np.uint8]) -> Floats:
        """Flow float32 (h, w, 2): pixel p of `here`, grey, is found at p + flow in `there`."""
        found = self._dis.calc(here, there, None)  # type: ignore[call-overload]
        return np.asarray(found, np.float32)

    def _looked_up(self) -> Propagated:
        """The source frame's labels through the sum of all flows, at full size."""
        height, width = self._labels.shape
        small_height, small_width = self._flow.shape[:2]
        flow = cv2.resize(self._flow, (width, height), interpolation=cv2.INTER_LINEAR)
        scale = np.array((width / small_width, height / small_height), np.float32)
        source = _grid(height, width) + np.asarray(flow) * scale
        trusted = cv2.resize(self._trusted, (width, height), interpolation=cv2.INTER_NEAREST)
        holds = (np.asarray(trusted) != 0) & (_in_frame(source) != 0)
        moved = cv2.remap(
            self._labels,
            source,
            _NO_MAP,
            cv2.INTER_NEAREST,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=VOID,
        )
        labels = np.where(holds, np.asarray(moved), VOID).astype(np.uint8)
        arrived = int(np.count_nonzero(labels != VOID))
        confidence = min(1.0, arrived / self._labelled) if self._labelled else 0.0
        return Propagated(labels, holds, confidence)

    def _is_same_color(
        self, after: NDArray[np.uint8], before: NDArray[np.uint8], source: Floats
    ) -> NDArray[np.uint8]:
        """1 where a pixel looks like its source: uint8 (h, w). Measured on means of 3×3 pixels."""
        now = _lab(np.asarray(cv2.blur(after, (3, 3)), np.uint8))
        then = _lab(_at(np.asarray(cv2.blur(before, (3, 3)), np.uint8), source))
        difference = now - then
        difference[..., 0] -= np.median(difference[::4, ::4, 0])
        far = (difference * difference).sum(2) > self._settings.color**2
        return np.asarray(~far, np.uint8)

    def _reduced(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        height, width = rgb.shape[:2]
        scale = min(1.0, (self._settings.pixels / (height * width)) ** 0.5)
        size = (max(_LEAST_SIDE, round(width * scale)), max(_LEAST_SIDE, round(height * scale)))
        if size == (width, height):
            return rgb.copy()
        return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)


def propagate(
    rgb_a: NDArray[np.uint8],
    rgb_b: NDArray[np.uint8],
    labels_a: NDArray[np.uint8],
    settings: PropagationSettings | None = None,
) -> Propagated:
    """The labels of frame a, uint8 (H, W), on frame b. rgb: uint8 (H, W, 3), all of one size."""
    return Propagator(rgb_a, labels_a, settings).advance(rgb_b)


LEAST_CONFIDENCE = 0.5
LARGEST_DROP = 0.25


def drifted(confidence: float, history: Sequence[float]) -> bool:
    """Whether to stop before this frame. history: confidences of the frames before, oldest first.

    It has drifted when less than half of the labels arrived, or when a frame lost at once more than
    LARGEST_DROP of them beyond what the last five steps used to lose: a cut, a flash, a stall.
    """
    if confidence < LEAST_CONFIDENCE:
        return True
    values = [1.0, *history]
    losses = [before - after for before, after in pairwise(values)][-5:]
    usual = float(np.median(losses)) if losses else 0.0
    return values[-1] - confidence > max(usual, 0.0) + LARGEST_DROP


def _grid(height: int, width: int) -> Floats:
    """float32 (height, width, 2): x and y of every pixel."""
    grid = np.empty((height, width, 2), np.float32)
    grid[..., 0] = np.arange(width, dtype=np.float32)
    grid[..., 1] = np.arange(height, dtype=np.float32)[:, None]
    return grid


def _at(values: NDArray[_T], places: Floats, interpolation: int = cv2.INTER_LINEAR) -> NDArray[_T]:
    """Values (H, W, …) read at `places`, x and y; beyond the border the border's."""
    read = cv2.remap(values, places, _NO_MAP, interpolation, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(read, values.dtype)


def _gap(back: Floats, forth: Floats) -> Floats:
    """By how many pixels there and back disagree, 0 where they agree: float32 (h, w).

    They agree where |back + forth|² < 0.01 (|back|² + |forth|²) + 0.5, in reduced pixels.
    """
    gap = back + forth
    error = (gap * gap).sum(2)
    length = (back * back).sum(2) + (forth * forth).sum(2)
    agrees = error < 0.01 * length + 0.5
    return np.where(agrees, 0, np.sqrt(error)).astype(np.float32)


def _room(labels: NDArray[np.uint8], size: tuple[int, int]) -> Floats:
    """How far every pixel is inside its region: float32 (h, w), reduced pixels, 0 at borders."""
    small = np.asarray(cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST))
    inner = np.ones(small.shape, np.uint8)
    across, down = small[:, 1:] != small[:, :-1], small[1:] != small[:-1]
    inner[:, 1:][across] = 0
    inner[:, :-1][across] = 0
    inner[1:][down] = 0
    inner[:-1][down] = 0
    if inner.all():
        return np.full(small.shape, sum(size), np.float32)
    return np.asarray(cv2.distanceTransform(inner, cv2.DIST_L2, 3), np.float32)


def _in_frame(places: Floats) -> NDArray[np.uint8]:
    """1 where the nearest pixel exists, uint8 (h, w)."""
    height, width = places.shape[:2]
    x, y = places[..., 0], places[..., 1]
    inside = (x >= -0.5) & (x <= width - 0.5) & (y >= -0.5) & (y <= height - 0.5)
    return np.asarray(inside, np.uint8)


def _lab(rgb: NDArray[np.uint8]) -> Floats:
    """CIELAB (D65), float32 (h, w, 3), L 0..100."""
    return np.asarray(cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), np.float32)
