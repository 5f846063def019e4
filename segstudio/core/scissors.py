"""Intelligent scissors: a wire that snaps to the border between a seed and the cursor.

The cheapest path over pixels whose costs are low on edges (Mortensen & Barrett 1995, "Intelligent
scissors for image composition"), as OpenCV's `IntelligentScissorsMB` searches it. Each seed gets
its local costs and the cheapest paths to every pixel in a window around it, and nothing is measured
beyond: so a frame of any size is ready at once and a seed costs the same everywhere.
"""

import threading

import cv2
import numpy as np
from numpy.typing import NDArray

from segstudio.core.brush import Point
from segstudio.core.geometry import Rect

REACH = 192
"""Pixels from the seed to the sides of its window: 385×385 pixels take 20 to 50 ms on one core."""

_CANNY = (32, 100)
_STRONG = 400.0
"""Sobel magnitude (of 8-bit grey) from which an edge gets no cheaper."""
_FLOOR = 0.15
"""Cost of the strongest edge: above zero, or a wire would take any detour along edges."""
_MARGIN = 8
_WEIGHTS = (0.4, 0.2, 0.4)
"""Of: no edge here, change of direction, weak gradient."""


class Scissors:
    """One frame to cut in: `start` at a pixel, then ask `path_to` as often as the cursor moves.

    rgb: uint8 (H, W, 3), at least one pixel. Points are (y, x); those outside are moved to the
    nearest pixel of the frame. Calls from several threads wait for each other.
    """

    def __init__(self, rgb: NDArray[np.uint8]) -> None:
        self._rgb = rgb
        self._shape = (int(rgb.shape[0]), int(rgb.shape[1]))
        self._lock = threading.Lock()
        self._wire: cv2.segmentation.IntelligentScissorsMB | None = None
        self._seed: Point = (0, 0)
        self._corner: Point = (0, 0)
        self._window: tuple[int, int] = (0, 0)

    def start(self, seed: Point) -> None:
        """Search the cheapest paths from `seed` to everything within REACH pixels of it."""
        y, x = self._inside(seed)
        y0, x0 = max(y - REACH, 0), max(x - REACH, 0)
        y1, x1 = min(y + REACH + 1, self._shape[0]), min(x + REACH + 1, self._shape[1])
        wire = cv2.segmentation.IntelligentScissorsMB()
        wire.setWeights(*_WEIGHTS)
        wire.applyImageFeatures(*_costs(self._rgb, Rect(y0, x0, y1, x1)))
        wire.buildMap((x - x0, y - y0))
        with self._lock:
            self._wire, self._seed = wire, (y, x)
            self._corner, self._window = (y0, x0), (y1 - y0, x1 - x0)

    def path_to(self, point: Point) -> list[Point]:
        """The wire from the seed to `point`, both included; neighbours touch by side or corner.

        It goes on as a straight line where `point` lies further than REACH from the seed.
        Raises RuntimeError before the first `start`.
        """
        goal = self._inside(point)
        with self._lock:
            if self._wire is None:
                raise RuntimeError("the wire has no seed yet")
            if goal == self._seed:
                return [goal]
            y0, x0 = self._corner
            near = (
                min(max(goal[0] - y0, 0), self._window[0] - 1),
                min(max(goal[1] - x0, 0), self._window[1] - 1),
            )
            found = np.asarray(self._wire.getContour((near[1], near[0]))).reshape(-1, 2)
        path = [(int(y) + y0, int(x) + x0) for x, y in found]
        return path + straight(path[-1], goal)[1:]

    def _inside(self, point: Point) -> Point:
        height, width = self._shape
        return min(max(point[0], 0), height - 1), min(max(point[1], 0), width - 1)


def _costs(
    rgb: NDArray[np.uint8], rect: Rect
) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.float32]]:
    """What a window costs: no edge uint8 (h, w), direction float32 (h, w, 2), weak float32 (h, w).

    Measured with a margin, so that a window's sides are no edges.
    """
    around = Rect(rect.y0 - _MARGIN, rect.x0 - _MARGIN, rect.y1 + _MARGIN, rect.x1 + _MARGIN)
    around = around.clipped(*rgb.shape[:2])
    part = np.ascontiguousarray(rgb[around.slices])
    inner = np.s_[
        rect.y0 - around.y0 : rect.y1 - around.y0, rect.x0 - around.x0 : rect.x1 - around.x0
    ]
    grey = cv2.GaussianBlur(cv2.cvtColor(part, cv2.COLOR_RGB2GRAY), (3, 3), 0)
    dx = np.asarray(cv2.Sobel(grey, cv2.CV_32F, 1, 0))[inner]
    dy = np.asarray(cv2.Sobel(grey, cv2.CV_32F, 0, 1))[inner]
    size = np.sqrt(dx * dx + dy * dy)
    weak = _FLOOR + (1 - _FLOOR) * (1 - np.minimum(size / _STRONG, 1))
    # A flat place has no direction; any unit vector says so to every neighbour alike.
    flat = size < 1e-6
    size[flat] = 1
    direction = np.dstack((np.where(flat, 1, dx) / size, dy / size))
    edges = np.asarray(cv2.Canny(part, *_CANNY, L2gradient=True))[inner]
    return (edges == 0).astype(np.uint8), direction.astype(np.float32), weak.astype(np.float32)


def straight(start: Point, end: Point) -> list[Point]:
    """The pixels of a line, both ends included, each touching the next by side or corner."""
    steps = max(abs(end[0] - start[0]), abs(end[1] - start[1]))
    return [
        (
            start[0] + round((end[0] - start[0]) * i / max(steps, 1)),
            start[1] + round((end[1] - start[1]) * i / max(steps, 1)),
        )
        for i in range(steps + 1)
    ]
