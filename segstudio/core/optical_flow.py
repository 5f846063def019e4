"""Dense optical flow between two frames, and where it can be trusted.

The flow is DIS (Kroeger et al. 2016, "Fast optical flow using dense inverse search", OpenCV's) on
reduced pictures. Coordinates of flows are (x, y), as OpenCV wants them.
"""

from typing import Literal, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

_T = TypeVar("_T", np.uint8, np.float32)
Floats = NDArray[np.float32]
NO_MAP = np.empty(0, np.float32)
"""cv2.remap's second map: x and y stand together in the first."""

LEAST_SIDE = 64
"""Smaller pictures are enlarged for the flow: DIS refuses them or reads beyond their ends."""

Preset = Literal["ultrafast", "fast", "medium"]

_PRESETS: dict[Preset, int] = {
    "ultrafast": cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST,
    "fast": cv2.DISOPTICAL_FLOW_PRESET_FAST,
    "medium": cv2.DISOPTICAL_FLOW_PRESET_MEDIUM,
}


class Flow:
    """Measures flows; each preset is about twice as slow as the one before. For one thread."""

    def __init__(self, preset: Preset) -> None:
        self._dis = cv2.DISOpticalFlow.create(_PRESETS[preset])

    def __call__(self, here: NDArray[np.uint8], there: NDArray[np.uint8]) -> Floats:
        """float32 (h, w, 2): pixel p of `here`, grey (h, w), is found at p + flow in `there`."""
        found = self._dis.calc(here, there, None)  # type: ignore[call-overload]
        return np.asarray(found, np.float32)


def reduced(rgb: NDArray[np.uint8], pixels: int) -> NDArray[np.uint8]:
    """A picture (H, W, 3) of about `pixels` pixels at most; a copy."""
    height, width = rgb.shape[:2]
    scale = min(1.0, (pixels / (height * width)) ** 0.5)
    size = (max(LEAST_SIDE, round(width * scale)), max(LEAST_SIDE, round(height * scale)))
    if size == (width, height):
        return rgb.copy()
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)


def grid(height: int, width: int) -> Floats:
    """float32 (height, width, 2): x and y of every pixel."""
    places = np.empty((height, width, 2), np.float32)
    places[..., 0] = np.arange(width, dtype=np.float32)
    places[..., 1] = np.arange(height, dtype=np.float32)[:, None]
    return places


def at(values: NDArray[_T], places: Floats, interpolation: int = cv2.INTER_LINEAR) -> NDArray[_T]:
    """Values (H, W, …) read at `places`, x and y; beyond the border the border's."""
    read = cv2.remap(values, places, NO_MAP, interpolation, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(read, values.dtype)


def gap(back: Floats, forth: Floats) -> Floats:
    """By how many pixels there and back disagree, 0 where they agree: float32 (h, w).

    They agree where |back + forth|² < 0.01 (|back|² + |forth|²) + 0.5, in reduced pixels.
    """
    error = _squared(back + forth)
    length = _squared(back) + _squared(forth)
    agrees = error < 0.01 * length + 0.5
    return np.where(agrees, 0, np.sqrt(error)).astype(np.float32)


def _squared(flow: Floats) -> Floats:
    """float32 (h, w); an order faster than a sum over the last axis."""
    x, y = flow[..., 0], flow[..., 1]
    return np.asarray(x * x + y * y, np.float32)


def room(labels: NDArray[np.uint8], size: tuple[int, int]) -> Floats:
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


def in_frame(places: Floats) -> NDArray[np.uint8]:
    """1 where the nearest pixel exists, uint8 (h, w)."""
    height, width = places.shape[:2]
    x, y = places[..., 0], places[..., 1]
    inside = (x >= -0.5) & (x <= width - 0.5) & (y >= -0.5) & (y <= height - 0.5)
    return np.asarray(inside, np.uint8)
