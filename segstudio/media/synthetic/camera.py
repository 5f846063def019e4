"""Where a point of the street lands in the picture.

Street coordinates of a point are (z, d, h) in metres: z along the road from the camera, d across
it from the centre line (right is positive), h above the road. The road bends and rises by smooth
periodic curves, so that the drive is a loop of `LOOP` metres without a seam.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LOOP = 640.0
"""Length of the loop in metres."""

NEAR = 0.7
"""Nearest distance in metres that is drawn."""

FAR = 190.0
"""Farthest distance in metres that is drawn."""

_BEHIND = 12
"""Metres behind the camera up to which the road is known."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Curve:
    """A periodic offset in metres: the sum of (amplitude m, whole waves per loop, phase)."""

    waves: tuple[tuple[float, int, float], ...]

    def value(self, s: Floats) -> Floats:
        """The offset at the places `s`, metres along the loop."""
        total = np.zeros_like(s)
        for amplitude, count, phase in self.waves:
            total += amplitude * np.sin(2 * math.pi * count / LOOP * s + phase)
        return total

    def at(self, s: float) -> tuple[float, float]:
        """(offset, slope) at one place."""
        offset = slope = 0.0
        for amplitude, count, phase in self.waves:
            turn = 2 * math.pi * count / LOOP
            offset += amplitude * math.sin(turn * s + phase)
            slope += amplitude * turn * math.cos(turn * s + phase)
        return offset, slope


class View:
    """The pinhole camera at one moment.

    size: (h, w) in pixels. focal: in pixels. horizon: (y, x) of the vanishing point of the
    straight road. place: (s, d, h) of the camera in metres.
    """

    def __init__(
        self,
        size: tuple[int, int],
        *,
        focal: float,
        horizon: tuple[float, float],
        place: tuple[float, float, float],
        bend: Curve,
        rise: Curve,
    ) -> None:
        self.height, self.width = size
        self.focal = focal
        self.cy, self.cx = horizon
        self.s, self.d, self.h = place
        grid = np.arange(-_BEHIND, FAR + 20, 1.0)
        self._grid = grid
        self._bend = _relative(bend, self.s, grid)
        self._rise = _relative(rise, self.s, grid)
        self._pairs = list(zip(self._bend.tolist(), self._rise.tolist(), strict=True))

    def ahead(self, s: float) -> float:
        """Metres from the camera to the place `s` of the loop, in -100 .. LOOP - 100."""
        return (s - self.s + 100.0) % LOOP - 100.0

    def spot(self, z: float, d: float, h: float) -> tuple[float, float]:
        """One street point as a pixel (x, y); z at least `NEAR`. `project` for a single point."""
        place = z + _BEHIND
        cell = int(place)
        part = place - cell
        bend, rise = self._pairs[cell]
        next_bend, next_rise = self._pairs[cell + 1]
        scale = self.focal / z
        x = d - self.d + bend + part * (next_bend - bend)
        y = h - self.h + rise + part * (next_rise - rise)
        return self.cx + x * scale, self.cy - y * scale

    def sees(self, z: float, d: float, reach: float) -> bool:
        """Whether anything within `reach` metres sideways of a point can be in the picture."""
        if z < NEAR:
            return True
        x = self.spot(z, d, 0.0)[0]
        margin = reach * self.focal / z
        return -margin < x < self.width + margin

    def project(self, points: Floats) -> Floats:
        """Street points float (N, 3) as (z, d, h) to pixels float (N, 2) as (x, y), for OpenCV.

        Points nearer than `NEAR` must have been clipped away.
        """
        z = points[:, 0]
        x = points[:, 1] + np.interp(z, self._grid, self._bend) - self.d
        y = points[:, 2] + np.interp(z, self._grid, self._rise) - self.h
        out = np.empty((len(points), 2))
        scale = self.focal / z
        out[:, 0] = self.cx + x * scale
        out[:, 1] = self.cy - y * scale
        return out

    def rows(self) -> tuple[int, Floats, Floats]:
        """The ground row by row: (first row, distance m, bend m), each float (rows,).

        The first row shows the ground at `FAR`; the last is the bottom of the picture.
        """
        z = np.concatenate((np.geomspace(0.8, 40, 160), np.geomspace(41, FAR, 60)))
        y = self.cy + (self.h - np.interp(z, self._grid, self._rise)) * self.focal / z
        y = np.minimum.accumulate(y)
        first = min(max(math.ceil(y[-1]), 0), self.height - 1)
        rows = np.arange(first, self.height, dtype=np.float64)
        distance = np.interp(rows, y[::-1], z[::-1])
        return first, distance, np.interp(distance, self._grid, self._bend)

    def leaves_at(self, d: float) -> float:
        """The distance below which a point at `d` lies outside the picture, at least `NEAR`."""
        x = d - self.d
        reach = (self.width - self.cx) if x > 0 else self.cx
        return max(NEAR, 0.8 * abs(x) * self.focal / max(reach, 1.0) - 1.0)


def clip_near(points: Floats) -> Floats:
    """The part of a convex polygon (N, 3) beyond `NEAR`; (0, 3) when nothing is."""
    z = points[:, 0]
    if z.min() >= NEAR:
        return points
    if z.max() <= NEAR:
        return points[:0]
    kept: list[Floats] = []
    for index, here in enumerate(points):
        there = points[(index + 1) % len(points)]
        if here[0] >= NEAR:
            kept.append(here)
        if (here[0] < NEAR) != (there[0] < NEAR):
            t = (NEAR - here[0]) / (there[0] - here[0])
            kept.append(here + t * (there - here))
    return np.array(kept)


def _relative(curve: Curve, s: float, grid: Floats) -> Floats:
    """The curve as the camera at `s` sees it: no offset and no slope at the camera."""
    offset, slope = curve.at(s)
    return curve.value(grid + s) - offset - slope * grid
