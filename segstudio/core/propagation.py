"""Labels carried from frame to frame by dense optical flow.

The flow (core/optical_flow.py) is measured on a reduced grey picture. Every pixel of the new frame
looks up where it came from, so there are no gaps and nothing lands twice. A pixel is trusted when
the flow there and back agrees (Sundaram, Brox & Keutzer 2010), when its colour is still the one of
its source, and when its source lies in the frame. What is not trusted is void: a wrong label costs
more than a missing one.

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

import cv2
import numpy as np
from numpy.typing import NDArray

from segstudio.core.classes import VOID
from segstudio.core.optical_flow import NO_MAP, Floats, Flow, at, gap, grid, in_frame, reduced, room


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
        self._measured = Flow("medium" if self._settings.is_fine else "fast")
        self._picture = reduced(rgb, self._settings.pixels)
        height, width = self._picture.shape[:2]
        self._grid = grid(height, width)
        self._flow = np.zeros((height, width, 2), np.float32)
        self._doubt = np.zeros((height, width), np.float32)
        self._room = np.minimum(room(labels, (width, height)), self._settings.slack)
        self._trusted = np.ones((height, width), np.uint8)

    def advance(self, rgb: NDArray[np.uint8]) -> Propagated:
        """The labels on the next frame: uint8 (H, W, 3) of the same size; ValueError if not."""
        if rgb.shape[:2] != self._labels.shape:
            raise ValueError(f"a frame {rgb.shape[:2]} after frames {self._labels.shape}")
        before, after = self._picture, reduced(rgb, self._settings.pixels)
        grey_before = np.asarray(cv2.cvtColor(before, cv2.COLOR_RGB2GRAY), np.uint8)
        grey_after = np.asarray(cv2.cvtColor(after, cv2.COLOR_RGB2GRAY), np.uint8)
        back = self._measured(grey_after, grey_before)
        forth = self._measured(grey_before, grey_after)
        source = self._grid + back
        self._flow = back + at(self._flow, source)
        self._doubt = at(self._doubt, source, cv2.INTER_NEAREST) + gap(back, at(forth, source))
        space = at(self._room, self._grid + self._flow)
        holds = (
            np.asarray(self._doubt <= space, np.uint8)
            & in_frame(source)
            & self._is_same_color(after, before, source)
        )
        self._trusted = holds & at(self._trusted, source, cv2.INTER_NEAREST)
        self._picture = after
        return self._looked_up()

    def _looked_up(self) -> Propagated:
        """The source frame's labels through the sum of all flows, at full size."""
        height, width = self._labels.shape
        small_height, small_width = self._flow.shape[:2]
        flow = cv2.resize(self._flow, (width, height), interpolation=cv2.INTER_LINEAR)
        scale = np.array((width / small_width, height / small_height), np.float32)
        source = grid(height, width) + np.asarray(flow) * scale
        trusted = cv2.resize(self._trusted, (width, height), interpolation=cv2.INTER_NEAREST)
        holds = (np.asarray(trusted) != 0) & (in_frame(source) != 0)
        moved = cv2.remap(
            self._labels,
            source,
            NO_MAP,
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
        then = _lab(at(np.asarray(cv2.blur(before, (3, 3)), np.uint8), source))
        difference = now - then
        difference[..., 0] -= np.median(difference[::4, ::4, 0])
        far = (difference * difference).sum(2) > self._settings.color**2
        return np.asarray(~far, np.uint8)


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


def _lab(rgb: NDArray[np.uint8]) -> Floats:
    """CIELAB (D65), float32 (h, w, 3), L 0..100."""
    return np.asarray(cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), np.float32)
