"""The shapes of cars, vans and buses, and the polygons they are made of."""

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from segstudio.media.synthetic.camera import Floats

PAINTS = (
    (178, 182, 186), (200, 202, 204), (34, 36, 40), (24, 34, 78), (120, 22, 28), (226, 226, 224),
    (24, 62, 48), (150, 110, 60), (96, 102, 110), (60, 92, 140), (170, 30, 34), (66, 70, 74),
    (196, 180, 130), (40, 90, 120),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Body:
    """A kind of car, metres. outline: (along, up) from rear foot over the roof to front foot;
    glass: which outline pieces are glass; panes: side windows as (along, up) polygons.
    """

    length: float
    width: float
    outline: tuple[tuple[float, float], ...]
    glass: tuple[int, ...]
    panes: tuple[tuple[tuple[float, float], ...], ...]
    wheels: tuple[float, float]
    belt: float


HATCH = Body(
    3.9,
    1.68,
    ((-1.95, 0.28), (-1.97, 0.88), (-1.62, 1.40), (-0.6, 1.47), (0.3, 1.42), (1.05, 0.95),
     (1.8, 0.76), (1.95, 0.55), (1.93, 0.25)),
    (1, 4),
    (((-1.55, 0.95), (-1.38, 1.33), (-0.62, 1.39), (-0.62, 0.95)),
     ((-0.54, 0.95), (-0.54, 1.39), (0.24, 1.35), (0.86, 0.95))),
    (-1.25, 1.25),
    0.92,
)  # fmt: skip
SALOON = Body(
    4.5,
    1.75,
    ((-2.22, 0.30), (-2.25, 0.92), (-1.55, 0.98), (-1.0, 1.38), (0.2, 1.42), (1.0, 0.95),
     (2.05, 0.78), (2.25, 0.55), (2.22, 0.26)),
    (2, 4),
    (((-1.35, 0.97), (-0.92, 1.31), (-0.42, 1.34), (-0.42, 0.97)),
     ((-0.34, 0.97), (-0.34, 1.34), (0.15, 1.34), (0.82, 0.96))),
    (-1.4, 1.4),
    0.93,
)  # fmt: skip
ESTATE = Body(
    4.6,
    1.8,
    ((-2.3, 0.32), (-2.3, 0.95), (-2.02, 1.55), (-0.6, 1.62), (0.3, 1.58), (1.05, 1.04),
     (2.1, 0.9), (2.3, 0.6), (2.28, 0.3)),
    (1, 4),
    (((-1.95, 1.03), (-1.8, 1.47), (-0.7, 1.53), (-0.7, 1.03)),
     ((-0.6, 1.03), (-0.6, 1.53), (0.25, 1.48), (0.85, 1.03))),
    (-1.4, 1.42),
    1.0,
)  # fmt: skip
VAN = Body(
    5.0,
    1.95,
    ((-2.5, 0.35), (-2.52, 1.25), (-2.46, 2.05), (-2.2, 2.18), (1.1, 2.14), (1.75, 1.3),
     (2.4, 1.05), (2.5, 0.6), (2.48, 0.3)),
    (1, 4),
    (((0.1, 1.25), (0.1, 1.95), (1.0, 1.95), (1.45, 1.28)),),
    (-1.6, 1.6),
    1.2,
)  # fmt: skip
BUS = Body(
    9.5,
    2.45,
    ((-4.75, 0.4), (-4.75, 1.3), (-4.7, 3.0), (-4.6, 3.1), (4.6, 3.1), (4.72, 2.9), (4.75, 1.2),
     (4.75, 0.35)),
    (1, 5),
    (((-4.4, 1.4), (-4.4, 2.5), (-1.6, 2.5), (-1.6, 1.4)), ((-1.5, 1.4), (-1.5, 2.5), (1.4, 2.5),
     (1.4, 1.4)), ((1.5, 1.4), (1.5, 2.5), (4.2, 2.5), (4.2, 1.4))),
    (-2.9, 3.0),
    1.3,
)  # fmt: skip
DECKER = Body(
    9.8,
    2.5,
    ((-4.9, 0.4), (-4.9, 1.3), (-4.88, 2.2), (-4.86, 2.9), (-4.8, 4.2), (4.7, 4.25), (4.85, 2.9),
     (4.9, 2.2), (4.9, 1.2), (4.9, 0.35)),
    (3, 5, 7),
    (((-4.5, 1.4), (-4.5, 2.2), (0.0, 2.2), (0.0, 1.4)), ((0.1, 1.4), (0.1, 2.2), (4.4, 2.2),
     (4.4, 1.4)), ((-4.5, 2.95), (-4.5, 3.8), (0.0, 3.8), (0.0, 2.95)), ((0.1, 2.95), (0.1, 3.8),
     (4.4, 3.8), (4.4, 2.95))),
    (-2.9, 3.0),
    1.3,
)  # fmt: skip
BODIES = (HATCH, SALOON, ESTATE, VAN, BUS, DECKER)


FIXED, PAINTED, REAR_LAMP, HEAD_LAMP = range(4)
"""Where a polygon's colour comes from: its own, the car's paint, or a lamp's state."""

_GLASS = (44, 52, 60)
_GLASS_LIGHT = (92, 106, 120)
_TYRE = (26, 26, 28)
_TRIM = (50, 52, 56)
_WHEEL = (
    (1.2, (12, 12, 13), 10), (1.0, _TYRE, 0), (0.62, (140, 142, 146), 10), (0.2, (60, 60, 64), 25)
)  # fmt: skip
"""Arch, tyre, hub and cap: (share of the radius, colour, detail)."""


@dataclass(frozen=True, slots=True)
class Mesh:
    """Polygons of one kind of car in car coordinates (along, right, up), metres.

    points: float (V, 3). starts: int (P + 1,), polygon p is points[starts[p]:starts[p + 1]], seen
    when its points run clockwise in the picture. following: int (V,), the next point of the same
    polygon. normals: float (P, 3) as (along, right, up).
    roles: int (P,). colors: float (P, 3), own colour, or factor on the paint. detail: float (P,),
    pixels per metre from which it is drawn. layers: int (P,), painted in this order; within the
    first layer from far to near by `middles`, float (P, 3).
    """

    points: Floats
    starts: NDArray[np.int64]
    following: NDArray[np.int64]
    normals: Floats
    roles: NDArray[np.int64]
    colors: Floats
    detail: Floats
    layers: NDArray[np.int64]
    middles: Floats


@dataclass(slots=True)
class _Parts:
    """A mesh while it grows."""

    polygons: list[Floats]
    rows: list[tuple[int, tuple[float, ...], float, int]]
    middles: list[Floats]

    def add(
        self,
        polygon: list[tuple[float, float, float]],
        color: tuple[float, ...],
        *,
        role: int = FIXED,
        detail: float = 0.0,
        layer: int = 0,
        is_on_last: bool = False,
    ) -> None:
        points = np.array(polygon, float)
        self.polygons.append(points)
        self.middles.append(self.middles[-1] if is_on_last else points.mean(axis=0))
        self.rows.append((role, color, detail, layer))


@lru_cache(maxsize=8)
def mesh_of(body: Body) -> Mesh:
    """The polygons of that kind of car."""
    parts = _Parts([], [], [])
    _add_hull(parts, body)
    for sign in (-1, 1):
        _add_side(parts, body, sign)
    for is_rear in (True, False):
        _add_end(parts, body, is_rear=is_rear)
    starts = np.cumsum([0] + [len(p) for p in parts.polygons])
    normals = np.array([_normal(p) for p in parts.polygons])
    return Mesh(
        np.concatenate(parts.polygons),
        starts,
        np.concatenate([np.roll(np.arange(a, b), -1) for a, b in pairwise(starts)]),
        normals,
        np.array([r[0] for r in parts.rows]),
        np.array([r[1] for r in parts.rows], float),
        np.array([r[2] for r in parts.rows]),
        np.array([r[3] for r in parts.rows]),
        np.array(parts.middles),
    )


def _half(body: Body, up: float) -> float:
    """Half the width at that height: the glasshouse leans inwards by 16 %, a bus by 3 %."""
    top = max(p[1] for p in body.outline)
    lean = 0.03 if top > 2.5 else 0.16
    above = min(max((up - body.belt) / (top - body.belt), 0.0), 1.0)
    return body.width / 2 * (1 - lean * above)


def _add_hull(parts: _Parts, body: Body) -> None:
    """The outline pulled across the width, with the glass of its ends."""
    a, b = body.length / 2, body.width / 2
    foot = [(-a, -b, 0.2), (a, -b, 0.2), (a, b, 0.2), (-a, b, 0.2)]
    parts.add(foot, (10, 10, 11), layer=-1)
    for index in range(len(body.outline) - 1):
        (x0, u0), (x1, u1) = body.outline[index], body.outline[index + 1]
        w0, w1 = _half(body, u0), _half(body, u1)
        quad = [(x0, -w0, u0), (x1, -w1, u1), (x1, w1, u1), (x0, w0, u0)]
        parts.add(quad, (1.0, 1.0, 1.0), role=PAINTED)
        if index in body.glass:
            pane = _part(quad, (0.08, 0.92), (0.1, 0.9))
            parts.add(pane, _GLASS, is_on_last=True)
            light = (
                _part(quad, (0.45, 0.92), (0.1, 0.9))
                if u1 > u0
                else _part(quad, (0.08, 0.5), (0.1, 0.9))
            )
            parts.add(light, _GLASS_LIGHT, detail=10, is_on_last=True)


def _part(
    quad: list[tuple[float, float, float]], up: tuple[float, float], across: tuple[float, float]
) -> list[tuple[float, float, float]]:
    """The part of a quad (left low, left high, right high, right low) between those shares."""
    ll, lh, rh, rl = (np.array(p) for p in quad)

    def at(u: float, v: float) -> tuple[float, float, float]:
        left, right = ll + (lh - ll) * u, rl + (rh - rl) * u
        x, y, z = (float(c) for c in left + (right - left) * v)
        return x, y, z

    return [at(up[0], across[0]), at(up[1], across[0]), at(up[1], across[1]), at(up[0], across[1])]


def _add_side(parts: _Parts, body: Body, sign: int) -> None:
    """One side: shell, sill, shoulder, windows, door seams, wheels."""

    def add(flat: list[tuple[float, float]], color: tuple[float, ...], detail: float = 0.0,
            role: int = FIXED) -> None:  # fmt: skip
        points = [(x, sign * _half(body, u) * 1.002, u) for x, u in flat]
        area = sum(
            p[0] * q[1] - q[0] * p[1] for p, q in zip(flat, flat[1:] + flat[:1], strict=True)
        )
        # Clockwise from outside: rear, up, front on the right side; the other way on the left.
        if (area > 0) == (sign > 0):
            points.reverse()
        parts.add(points, color, role=role, detail=detail, layer=1)

    ends = (-body.length / 2 + 0.05, body.length / 2 - 0.05)
    add(list(body.outline), (1.0,) * 3, role=PAINTED)
    low, mid, belt = 0.3, 0.58, body.belt
    add([(ends[0], low), (ends[0], mid), (ends[1], mid), (ends[1], low)], (0.7,) * 3, 8, PAINTED)
    add([(ends[0], low), (ends[0], low + 0.1), (ends[1], low + 0.1), (ends[1], low)], _TRIM, 12)
    add([(ends[0], belt - 0.16), (ends[0], belt - 0.06), (ends[1] - 0.6, belt - 0.16),
         (ends[1] - 0.6, belt - 0.22)], (1.28,) * 3, 12, PAINTED)  # fmt: skip
    for pane in body.panes:
        add(list(pane), _GLASS)
        top = max(u for _, u in pane)
        sky = [(x, u if u > belt + 0.15 else (u + top) / 2) for x, u in pane]
        add(sky, _GLASS_LIGHT, 16)
        seam = min(x for x, _ in pane)
        add([(seam, 0.4), (seam, belt), (seam + 0.02, belt), (seam + 0.02, 0.4)], (0.5,) * 3, 30,
            PAINTED)  # fmt: skip
    radius = 0.31 if body.belt < 1.2 else 0.42
    angles = np.linspace(0, 2 * np.pi, 15)[:-1]
    for wheel in body.wheels:
        for size, color, detail in _WHEEL:
            ring = [
                (wheel + size * radius * np.cos(a), radius + size * radius * np.sin(a))
                for a in angles
            ]
            add([(float(x), float(u)) for x, u in ring], color, detail)


def _add_end(parts: _Parts, body: Body, *, is_rear: bool) -> None:
    """Bumper, lamps, number plate and grille of one end."""
    outline = body.outline
    low, high = (outline[0], outline[1]) if is_rear else (outline[-1], outline[-2])
    end = (min(low[0], high[0]) - 0.01) if is_rear else max(low[0], high[0]) + 0.01
    half, floor = body.width / 2, low[1]

    def add(v: tuple[float, float], u: tuple[float, float], color: tuple[float, ...], detail: float,
            role: int = FIXED) -> None:  # fmt: skip
        quad = [(end, v[0], u[0]), (end, v[0], u[1]), (end, v[1], u[1]), (end, v[1], u[0])]
        parts.add(quad if is_rear else quad[::-1], color, role=role, detail=detail, layer=2)

    level = min(max(0.72, floor + 0.35), body.belt)
    add((-half * 0.98, half * 0.98), (floor, floor + 0.12), (22, 22, 24), 6)
    add((-half * 0.97, half * 0.97), (floor + 0.1, floor + 0.27), (0.8,) * 3, 10, PAINTED)
    add((-half * 0.97, half * 0.97), (floor + 0.16, floor + 0.2), _TRIM, 18)
    for sign in (-1, 1):
        inner, outer = sorted((sign * half * 0.7, sign * half * 0.98))
        if is_rear:
            add((inner, outer), (level - 0.1, level + 0.14), (150, 24, 24), 5, REAR_LAMP)
            add((inner, outer), (level - 0.1, level - 0.04), (190, 180, 170), 22)
        else:
            add((inner, outer), (level - 0.12, level + 0.03), (208, 212, 216), 5, HEAD_LAMP)
    plate = (222, 190, 60) if is_rear else (232, 232, 228)
    add((-0.26, 0.26), (level - 0.24, level - 0.13), plate, 9)
    add((-0.2, 0.2), (level - 0.21, level - 0.16), (60, 56, 40), 30)
    if not is_rear:
        add((-0.42, 0.42), (level - 0.09, level + 0.01), (30, 30, 32), 8)
        add((-0.5, 0.5), (floor + 0.02, floor + 0.1), (14, 14, 16), 14)


def _normal(polygon: Floats) -> Floats:
    """Unit normal of a polygon whose points run clockwise seen from outside."""
    arms = polygon - polygon[0]
    # (along, right, up) is left-handed, so that clockwise points give the outward side.
    across = np.cross(arms[1:-1], arms[2:]).sum(axis=0)
    unit: Floats = across / float(np.linalg.norm(across))
    return unit
