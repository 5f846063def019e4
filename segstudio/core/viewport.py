"""Where a frame lies in the view: zoom, pan, and the way from frame pixels to view pixels and back.

Everything is counted in device pixels of the view, so that a fractional device pixel ratio needs
no special case: the canvas divides by the ratio only when it talks to Qt. Picture, labels, pixel
grid and hover all ask the same functions, so they cannot disagree by a pixel.

A view pixel `d` shows the frame pixel under its centre: floor((d + 0.5 - origin) / scale).
The origin is kept as a float, so that many small zooms about the cursor do not add up rounding,
and is rounded to whole device pixels wherever pixels are drawn or asked for.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from segstudio.core.geometry import Rect

MIN_SCALE, MAX_SCALE = 0.02, 64.0
"""Device pixels per frame pixel."""

GRID_SCALE = 12.0
"""From here on frame pixels are large enough for lines between them."""

KEPT = 32
"""At least that many device pixels of the frame stay in the view, however far it is dragged."""

_NUDGE = 1e-3
# 13.6 * 1.25 is 16.999999999999996: a mouse position that went through logical pixels must still
# hit the device pixel it came from.


def limited(scale: float) -> float:
    """The scale, no smaller or larger than the view allows."""
    return min(max(scale, MIN_SCALE), MAX_SCALE)


@dataclass(frozen=True, slots=True)
class ViewTransform:
    """frame, view: (h, w) in frame pixels and in device pixels, all at least 1.

    scale: device pixels per frame pixel. top, left: device pixels from the view's corner to the
    frame's corner.
    """

    frame: tuple[int, int]
    view: tuple[int, int]
    scale: float
    top: float
    left: float

    @staticmethod
    def fitted(frame: tuple[int, int], view: tuple[int, int]) -> "ViewTransform":
        """The whole frame, as large as the view allows, in the middle."""
        scale = limited(min(view[0] / frame[0], view[1] / frame[1]))
        return ViewTransform.centered(frame, view, scale)

    @staticmethod
    def centered(frame: tuple[int, int], view: tuple[int, int], scale: float) -> "ViewTransform":
        """The middle of the frame in the middle of the view."""
        scale = limited(scale)
        top, left = ((v - f * scale) / 2 for f, v in zip(frame, view, strict=True))
        return ViewTransform(frame, view, scale, top, left)

    @property
    def origin(self) -> tuple[int, int]:
        """(y, x): whole device pixels from the view's corner to the frame's corner."""
        return math.floor(self.top + 0.5), math.floor(self.left + 0.5)

    @property
    def visible(self) -> Rect:
        """The device pixels of the view that show a part of the frame."""
        y, x = self.origin
        height, width = self.view
        return Rect(y, x, y + self._length(0), x + self._length(1)).clipped(height, width)

    def _length(self, axis: int) -> int:
        """Device pixels whose centre lies inside the frame; a tiny frame still has one."""
        return max(1, math.ceil(self.frame[axis] * self.scale - 0.5))

    def rows(self, box: Rect) -> NDArray[np.intp]:
        """(box.height,): the frame row shown by each device row of the box."""
        return self._indices(box.y0, box.y1, 0)

    def columns(self, box: Rect) -> NDArray[np.intp]:
        """(box.width,): the frame column shown by each device column of the box."""
        return self._indices(box.x0, box.x1, 1)

    def _indices(self, first: int, end: int, axis: int) -> NDArray[np.intp]:
        centers = np.arange(first, end) + (0.5 - self.origin[axis])
        indices: NDArray[np.intp] = np.floor(centers / self.scale).astype(np.intp)
        return np.clip(indices, 0, self.frame[axis] - 1, out=indices)

    def pixel_at(self, y: float, x: float) -> tuple[int, int] | None:
        """The frame pixel (y, x) shown at that device position; None beside the frame."""
        row, column = math.floor(y + _NUDGE), math.floor(x + _NUDGE)
        box = Rect(row, column, row + 1, column + 1)
        oy, ox = self.origin
        inside = 0 <= row - oy < self._length(0) and 0 <= column - ox < self._length(1)
        return (int(self.rows(box)[0]), int(self.columns(box)[0])) if inside else None

    def to_frame(self, y: float, x: float) -> tuple[float, float]:
        """Device position → frame position; (0, 0) is the corner of the first pixel."""
        oy, ox = self.origin
        return (y - oy) / self.scale, (x - ox) / self.scale

    def to_view(self, y: float, x: float) -> tuple[float, float]:
        """Frame position → device position; (0, 0) is the corner of the first pixel."""
        oy, ox = self.origin
        return oy + y * self.scale, ox + x * self.scale

    def box_of(self, rect: Rect) -> Rect:
        """The visible device pixels that may show a frame pixel of `rect`.

        One pixel generous on each side: it says what to draw again.
        """
        if rect.is_empty:
            return Rect(0, 0, 0, 0)
        top, left = self.to_view(rect.y0, rect.x0)
        bottom, right = self.to_view(rect.y1, rect.x1)
        shown = self.visible
        return Rect(
            max(math.floor(top) - 1, shown.y0),
            max(math.floor(left) - 1, shown.x0),
            min(math.ceil(bottom) + 1, shown.y1),
            min(math.ceil(right) + 1, shown.x1),
        )

    def rect_of(self, box: Rect) -> Rect:
        """The frame pixels shown by the device pixels of `box`; empty beside the frame."""
        shown = self.visible
        box = Rect(
            max(box.y0, shown.y0),
            max(box.x0, shown.x0),
            min(box.y1, shown.y1),
            min(box.x1, shown.x1),
        )
        if box.is_empty:
            return Rect(0, 0, 0, 0)
        rows, columns = self.rows(box), self.columns(box)
        return Rect(int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1)

    def zoomed(self, factor: float, at: tuple[float, float]) -> "ViewTransform":
        """Larger (> 1) or smaller; what lies under the device position `at` (y, x) stays there.

        A zoom that would step across 1:1 stops there, so that it can be found with a wheel.
        """
        scale = limited(self.scale * factor)
        if min(self.scale, scale) < 1.0 < max(self.scale, scale):
            scale = 1.0
        return self.scaled_to(scale, at)

    def scaled_to(self, scale: float, at: tuple[float, float]) -> "ViewTransform":
        """That scale; what lies under the device position `at` (y, x) stays there."""
        scale = limited(scale)
        ratio = scale / self.scale
        top = at[0] - (at[0] - self.top) * ratio
        left = at[1] - (at[1] - self.left) * ratio
        return replace(self, scale=scale, top=top, left=left)._kept()

    def panned(self, dy: float, dx: float) -> "ViewTransform":
        """The frame moved by so many device pixels, but not out of sight."""
        return replace(self, top=self.top + dy, left=self.left + dx)._kept()

    def filled(self) -> "ViewTransform":
        """Moved so that nothing of the view lies beside the frame; where the frame is the smaller
        one, it is in the middle.
        """
        start = []
        for axis, value in enumerate((self.top, self.left)):
            rest = self.view[axis] - self.frame[axis] * self.scale
            start.append(rest / 2 if rest > 0 else min(max(value, rest), 0.0))
        return replace(self, top=start[0], left=start[1])

    def resized(self, view: tuple[int, int]) -> "ViewTransform":
        """Another view size; the middle of the view keeps showing what it shows."""
        dy, dx = ((new - old) / 2 for new, old in zip(view, self.view, strict=True))
        return replace(self, view=view, top=self.top + dy, left=self.left + dx)._kept()

    def _kept(self) -> "ViewTransform":
        """Moved back as far as needed to keep a strip of the frame in the view."""
        start = []
        for axis, value in enumerate((self.top, self.left)):
            length = self.frame[axis] * self.scale
            strip = min(KEPT, length, self.view[axis])
            start.append(min(max(value, strip - length), self.view[axis] - strip))
        return replace(self, top=start[0], left=start[1])

    def moved_from(self, old: "ViewTransform") -> tuple[float, float, float]:
        """(ratio, dy, dx): a device position p of `old` lies at p * ratio + d in this one."""
        ratio = self.scale / old.scale
        (ny, nx), (oy, ox) = self.origin, old.origin
        return ratio, ny - oy * ratio, nx - ox * ratio
