"""Cars, vans and buses: a side outline pulled across the width, with glass, wheels and lamps."""

from dataclasses import dataclass

import numpy as np

from segstudio.media.synthetic.camera import Floats, clip_near
from segstudio.media.synthetic.light import Light
from segstudio.media.synthetic.paint import Canvas

CAR = 8

PAINTS = (
    (178, 182, 186), (200, 202, 204), (34, 36, 40), (24, 34, 78), (120, 22, 28), (226, 226, 224),
    (24, 62, 48), (150, 110, 60), (96, 102, 110), (60, 92, 140), (170, 30, 34), (66, 70, 74),
    (196, 180, 130), (40, 90, 120),
)  # fmt: skip

_GLASS = np.array((42, 50, 58), float)
_TYRE = np.array((26, 26, 28), float)


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


@dataclass(frozen=True, slots=True)
class Pose:
    """Where a car stands: distance z, offset d in metres; yaw 0 = drives away from the camera,
    pi = comes towards it, radians, clockwise from above.
    """

    z: float
    d: float
    yaw: float


def footprint(body: Body, pose: Pose, grow: float = 0.0) -> Floats:
    """The rectangle under the car on the road, street points (4, 3)."""
    a, b = body.length / 2 + grow, body.width / 2 + grow
    corners = np.array([(-a, -b, 0), (a, -b, 0), (a, b, 0), (-a, b, 0)], float)
    return _placed(corners, pose)


def paint_car(
    canvas: Canvas, light: Light, body: Body, pose: Pose, paint: Floats, *, is_braking: bool = False
) -> None:
    """Paint one car; nothing when it is wholly behind the camera."""
    if pose.z + body.length / 2 < 1.0:
        return
    half = body.width / 2
    outline = np.array(body.outline)
    top = outline[:, 1].max()
    # The glasshouse leans inwards: full width up to the belt, 84 % at the roof (buses: 97 %).
    lean = 0.03 if top > 2.5 else 0.16
    above = np.clip((outline[:, 1] - body.belt) / (top - body.belt), 0, 1)
    wide = half * (1 - lean * above)
    left = _placed(np.column_stack((outline[:, 0], -wide, outline[:, 1])), pose)
    right = _placed(np.column_stack((outline[:, 0], wide, outline[:, 1])), pose)
    z = max(pose.z, 0.5)
    fill = _Fill(canvas, light, z)
    fill.solid(footprint(body, pose) + (0, 0, 0.2), _TYRE, "up")
    turned = np.cos(pose.yaw)
    pieces = []
    for index in range(len(outline) - 1):
        quad = np.array((left[index], left[index + 1], right[index + 1], right[index]))
        rising = outline[index + 1] - outline[index]
        flat = abs(rising[0]) > 1.6 * abs(rising[1])
        facing = (
            "up" if flat else ("back" if (rising[0] < 0.0 or index < 3) == (turned > 0) else "away")
        )
        pieces.append((float(quad[:, 0].mean()), index, quad, facing))
    for _, index, quad, facing in sorted(pieces, key=lambda piece: -piece[0]):
        if not fill.is_seen(quad):
            continue
        fill.solid(quad, paint, facing)
        if index in body.glass:
            fill.solid(_inset(quad, 0.10), _GLASS, "up" if facing == "away" else facing)
    for sign, side in ((-1, left), (1, right)):
        shell = side if sign > 0 else side[::-1]
        if fill.is_seen(shell):
            _paint_side(fill, body, pose, paint, shell, sign, lean)
    _paint_lamps(fill, body, pose, is_braking=is_braking)


class _Fill:
    """Polygons of one car, all at about one distance."""

    def __init__(self, canvas: Canvas, light: Light, z: float) -> None:
        self.canvas, self.light, self.z = canvas, light, z
        self.dots_per_m = canvas.view.focal / z

    def is_seen(self, points: Floats) -> bool:
        """Whether the polygon turns its outside (clockwise in the picture) to the camera."""
        seen = clip_near(points)
        if len(seen) < 3:
            return False
        x, y = self.canvas.view.project(seen).T
        return float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) > 0

    def solid(self, points: Floats, color: Floats, facing: str) -> None:
        self.canvas.fill_street(points, self.light.tint(color, facing, self.z), CAR)

    def bright(self, points: Floats, color: tuple[int, int, int]) -> None:
        self.canvas.fill_street(points, np.array(color, float), CAR)


def _paint_side(
    fill: _Fill, body: Body, pose: Pose, paint: Floats, shell: Floats, sign: int, lean: float
) -> None:
    facing = "right" if (sign > 0) == (np.cos(pose.yaw) > 0) else "left"
    fill.solid(shell, paint, facing)
    half = body.width / 2
    ends = (-body.length / 2 + 0.06, body.length / 2 - 0.06)

    def place(points: list[tuple[float, float]]) -> Floats:
        flat = np.array(points)
        top = max(p[1] for p in body.outline)
        above = np.clip((flat[:, 1] - body.belt) / (top - body.belt), 0, 1)
        return _placed(
            np.column_stack((flat[:, 0], sign * half * (1 - lean * above) * 1.002, flat[:, 1])),
            pose,
        )

    if fill.dots_per_m > 12:
        low, mid = 0.34, 0.62
        fill.solid(
            place([(ends[0], low), (ends[0], mid), (ends[1], mid - 0.05), (ends[1], low)]),
            paint * 0.72,
            facing,
        )
        shine = body.belt - 0.1
        fill.solid(
            place([(ends[0], shine - 0.05), (ends[0], shine), (ends[1] - 0.4, shine - 0.1),
                   (ends[1] - 0.4, shine - 0.14)]),
            np.clip(paint * 1.25 + 18, 0, 255),
            facing,
        )  # fmt: skip
    for pane in body.panes:
        fill.solid(place(list(pane)), _GLASS, facing)
        if fill.dots_per_m > 25:
            low_pane = [(a, u if u < body.belt + 0.2 else (u + body.belt) / 2) for a, u in pane]
            fill.solid(place(low_pane), _GLASS * 0.6, facing)
    radius = 0.31 if body.belt < 1.2 else 0.42
    angles = np.linspace(0, 2 * np.pi, 15)[:-1]
    for wheel in body.wheels:
        for size, color in ((radius * 1.15, _TYRE * 0.5), (radius, _TYRE), (radius * 0.6, None)):
            hub = np.array((150, 152, 156), float) if color is None else color
            if color is None and fill.dots_per_m < 15:
                continue
            ring = [(wheel + size * np.cos(a), radius + size * np.sin(a)) for a in angles]
            fill.solid(place(ring), hub, facing)


def _paint_lamps(fill: _Fill, body: Body, pose: Pose, *, is_braking: bool) -> None:
    """Lamps, bumper and number plate of the end that looks at the camera."""
    if fill.dots_per_m < 6:
        return
    is_rear = np.cos(pose.yaw) > 0
    outline = body.outline
    low, high = (outline[0], outline[1]) if is_rear else (outline[-1], outline[-2])
    end = (min(low[0], high[0]) - 0.01) if is_rear else max(low[0], high[0]) + 0.01
    half = body.width / 2

    def plate(v0: float, v1: float, u0: float, u1: float) -> Floats:
        corners = [(end, v0, u0), (end, v1, u0), (end, v1, u1), (end, v0, u1)]
        return _placed(np.array(corners), pose)

    facing = "back"
    floor = low[1]
    fill.solid(
        plate(-half * 0.97, half * 0.97, floor, floor + 0.2), np.array((52, 54, 58.0)), facing
    )
    level = min(max(0.72, floor + 0.35), body.belt)
    for sign in (-1, 1):
        inner, outer = sorted((sign * half * 0.68, sign * half * 0.97))
        if is_rear:
            color = (250, 50, 40) if is_braking else (150, 24, 24)
            if is_braking:
                fill.bright(plate(inner, outer, level - 0.1, level + 0.14), color)
            else:
                fill.solid(
                    plate(inner, outer, level - 0.1, level + 0.14), np.array(color, float), facing
                )
        elif fill.light.lamps_on:
            fill.bright(plate(inner, outer, level - 0.12, level + 0.04), (255, 248, 224))
        else:
            fill.solid(
                plate(inner, outer, level - 0.12, level + 0.04), np.array((205, 210, 215.0)), facing
            )
    number = np.array((222, 190, 60.0)) if is_rear else np.array((232, 232, 228.0))
    fill.solid(plate(-0.26, 0.26, level - 0.22, level - 0.11), number, facing)
    if not is_rear:
        fill.solid(plate(-0.4, 0.4, level - 0.06, level + 0.02), np.array((30, 30, 32.0)), facing)


def _placed(local: Floats, pose: Pose) -> Floats:
    """Car coordinates (along, right, up) to street points (z, d, h)."""
    cos, sin = np.cos(pose.yaw), np.sin(pose.yaw)
    out = np.empty_like(local)
    out[:, 0] = pose.z + local[:, 0] * cos - local[:, 1] * sin
    out[:, 1] = pose.d + local[:, 0] * sin + local[:, 1] * cos
    out[:, 2] = local[:, 2]
    return out


def _inset(quad: Floats, share: float) -> Floats:
    """The quadrilateral shrunk towards its middle."""
    middle = quad.mean(axis=0)
    return middle + (quad - middle) * (1 - share * 1.6)
