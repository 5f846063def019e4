"""Slim things: lamp posts, signs, traffic lights, bollards."""

import math
from dataclasses import dataclass

import numpy as np

from segstudio.media.synthetic.camera import Floats
from segstudio.media.synthetic.things import KERB_M, POLE, SIGN, Moment

KINDS = ("lamp", "round", "warning", "board", "direction", "light", "bollard", "mast", "refuge")

_STEEL = np.array((96, 100, 102), float)
_ROUND = tuple((math.cos(a), math.sin(a)) for a in np.linspace(0, 2 * math.pi, 17)[:-1])
_TRIANGLE = ((0.0, 1.0), (0.87, -0.5), (-0.87, -0.5))
_LAMP = ((-1.0, -0.2), (1.0, -0.2), (1.0, 0.25), (-1.0, 0.2))
_SQUARE = ((-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0))


@dataclass(frozen=True, slots=True)
class Post:
    """A pole with what it carries. kind: one of `KINDS`; key: which of its looks."""

    s: float
    d: float
    kind: str
    key: int

    def distance(self, moment: Moment) -> float:
        """Of its foot."""
        return moment.view.ahead(self.s)

    def shadow(self, moment: Moment, z: float) -> Floats | None:
        """A line away from the sun."""
        light = moment.light
        if not light.is_sunny:
            return None
        reach = min((1.0 if self.kind == "bollard" else 4.0) / max(light.toward[1], 0.2), 14.0)
        a, b = z - light.toward[2] * reach, self.d - light.toward[0] * reach
        return np.array(
            [(z, self.d - 0.08, 0), (z, self.d + 0.08, 0), (a, b + 0.08, 0), (a, b - 0.08, 0)]
        )

    def paint(self, moment: Moment, z: float) -> None:
        """The pole, then its load."""
        if not 1.5 < z < 130 or not moment.view.sees(z, self.d, 2.6):
            return
        brush = _Brush(moment, z, self.d)
        own = _STEEL * (0.6 + 0.16 * (self.key % 6))
        side = -math.copysign(1.0, self.d)
        if self.kind == "lamp":
            tall = 5.5 + self.key % 4
            brush.bar(0.0, KERB_M, tall, 0.12, own)
            brush.bar(0.0, KERB_M, 1.4, 0.19, own)
            brush.arm(tall, side * 1.6, own)
            head = (250, 226, 170) if moment.light.lamps_on else None
            brush.plate((side * 1.8, tall + 0.3), 0.45, _LAMP, own * 1.3, POLE, glow=head)
        elif self.kind in ("round", "warning", "board", "direction"):
            self._paint_sign(brush, own, side)
        elif self.kind == "light":
            self._paint_light(brush, moment)
        elif self.kind == "bollard":
            brush.bar(0.0, KERB_M, 1.1, 0.17, np.array((40, 40, 42.0)))
            brush.bar(0.0, 0.85, 0.95, 0.18, np.array((220, 220, 216.0)))
        elif self.kind == "refuge":
            brush.bar(0.0, 0.0, 1.1, 0.42, np.array((226, 222, 200.0)))
            brush.plate((0.0, 0.72), 0.19, _ROUND, np.array((30, 80, 180.0)), SIGN)
        else:
            brush.bar(0.0, KERB_M, 7.5 + self.key % 3, 0.17, np.array((104, 86, 66.0)))

    def _paint_sign(self, brush: "_Brush", own: Floats, side: float) -> None:
        tall = 2.5 + 0.2 * (self.key % 4)
        brush.bar(0.0, KERB_M, tall, 0.09, own)
        white, red = np.array((232, 232, 228.0)), np.array((190, 30, 34.0))
        ink = np.array((34, 34, 36.0))
        if self.kind == "round":
            is_blue = self.key % 3 == 0
            brush.plate(
                (0, tall), 0.36, _ROUND, np.array((30, 84, 176.0)) if is_blue else red, SIGN
            )
            brush.plate(
                (0, tall), 0.27, _ROUND, np.array((40, 96, 190.0)) if is_blue else white, SIGN
            )
            brush.plate((0, tall), 0.12, _SQUARE, white if is_blue else ink, SIGN)
        elif self.kind == "warning":
            brush.plate((0, tall), 0.46, _TRIANGLE, red, SIGN)
            brush.plate((0, tall - 0.01), 0.31, _TRIANGLE, white, SIGN)
            brush.plate((0, tall - 0.04), 0.09, _SQUARE, ink, SIGN)
        else:
            colors = ((24, 90, 60), (28, 66, 150), (230, 228, 220), (210, 170, 40), (150, 34, 40))
            color = np.array(colors[self.key % 5], float)
            half = (0.7, 0.32) if self.kind == "direction" else (0.4, 0.6)
            box = tuple((x * half[0], y * half[1]) for x, y in _SQUARE)
            middle = (side * 0.35 * (self.kind == "direction"), tall)
            edge = white if color.mean() < 150 else ink
            brush.plate(middle, 1.0, box, edge, SIGN)
            brush.plate(middle, 0.92, box, color, SIGN)
            for line in (-0.45, 0.0, 0.45):
                y = middle[1] + line * half[1]
                strip = tuple((x * half[0] * 0.7, v * 0.09 * half[1]) for x, v in _SQUARE)
                brush.plate((middle[0], y), 1.0, strip, edge, SIGN)

    def _paint_light(self, brush: "_Brush", moment: Moment) -> None:
        brush.bar(0.0, KERB_M, 3.2, 0.13, _STEEL * 0.8)
        black = np.array((22, 22, 24.0))
        box = tuple((x * 0.24, y * 0.55) for x, y in _SQUARE)
        brush.plate((0, 2.9), 1.0, box, black, SIGN)
        turn = int(moment.time_s / 6 + self.key) % 3
        for place, color in enumerate(((235, 40, 30), (240, 170, 40), (60, 230, 130))):
            spot = (0.0, 3.23 - 0.33 * place)
            lit = place == turn
            brush.plate(spot, 0.12, _ROUND, np.array(color, float) * 0.2, SIGN,
                        glow=color if lit else None)  # fmt: skip


class _Brush:
    """Upright flat shapes at one distance, in metres around the pole's foot."""

    def __init__(self, moment: Moment, z: float, d: float) -> None:
        self.canvas, self.light, self.z = moment.canvas, moment.light, z
        self.x, self.y = moment.view.spot(z, d, 0.0)
        self.scale = moment.view.focal / z

    def bar(self, x: float, low: float, high: float, wide: float, color: Floats) -> None:
        """An upright bar, at least a pixel wide, lit on one side."""
        half = max(wide * self.scale / 2, 0.5)
        x0 = self.x + x * self.scale
        y0, y1 = self.y - low * self.scale, self.y - high * self.scale
        lit = self.light.tint(color, "round", self.z)
        box = np.array([(x0 - half, y0), (x0 + half, y0), (x0 + half, y1), (x0 - half, y1)])
        self.canvas.fill(box, lit, POLE)
        if half > 1.2:
            box[[1, 2], 0] = x0 - half * 0.2
            self.canvas.fill(box, lit * 0.72, POLE)

    def arm(self, high: float, reach: float, color: Floats) -> None:
        """A lamp's arm from the pole's top outwards and a little up."""
        half = max(0.05 * self.scale, 0.5)
        tip_x, tip_y = self.x + reach * self.scale, self.y - (high + 0.35) * self.scale
        y = self.y - high * self.scale
        box = np.array(
            [(self.x, y - half), (tip_x, tip_y - half), (tip_x, tip_y + half), (self.x, y + half)]
        )
        self.canvas.fill(box, self.light.tint(color, "round", self.z), POLE)

    def plate(
        self,
        middle: tuple[float, float],
        size: float,
        shape: tuple[tuple[float, float], ...],
        color: Floats,
        class_id: int,
        *,
        glow: tuple[int, int, int] | None = None,
    ) -> None:
        """A flat shape given as (right, up) about its middle; glow: shines in that RGB."""
        points = np.array(shape) * size * self.scale
        pixels = np.column_stack(
            (
                self.x + middle[0] * self.scale + points[:, 0],
                self.y - middle[1] * self.scale - points[:, 1],
            )
        )
        lit = self.light.tint(color, "back", self.z) if glow is None else np.array(glow, float)
        self.canvas.fill(pixels, lit, class_id)
