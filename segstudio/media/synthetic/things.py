"""What stands and moves along the street, each able to paint itself."""

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from segstudio.media.synthetic import sprites, surfaces
from segstudio.media.synthetic.bodies import Body
from segstudio.media.synthetic.camera import FAR, NEAR, Floats, View
from segstudio.media.synthetic.cars import Pose, footprint, paint_car
from segstudio.media.synthetic.light import Light
from segstudio.media.synthetic.paint import Canvas, Texture

SKY, BUILDING, POLE, ROAD, PAVEMENT, TREE, SIGN, FENCE, CAR, PEDESTRIAN, BICYCLIST = range(11)

KERB_M = 0.11


@dataclass(frozen=True, slots=True)
class Moment:
    """All that painting needs: the canvas, the weather, the time in seconds."""

    canvas: Canvas
    light: Light
    time_s: float

    @property
    def view(self) -> View:
        """The camera."""
        return self.canvas.view


class Thing(Protocol):
    """Something of the street."""

    def distance(self, moment: Moment) -> float:
        """Metres ahead of the camera; things are painted from far to near by it."""
        ...

    def paint(self, moment: Moment, z: float) -> None:
        """Paint it at distance z (what `distance` returned)."""
        ...

    def shadow(self, moment: Moment, z: float, /) -> Floats | None:
        """The street polygon (N, 3) that it darkens on the ground, None for none."""
        ...


def _upright(view: View, z: tuple[float, float], d: float, h: tuple[float, float]) -> Floats:
    """Corner pixels of a wall along the road from z[0] to z[1]: a left wall reads near to far, a
    right wall far to near, so that its texture is not mirrored.
    """
    a, b = (z[0], z[1]) if d < 0 else (z[1], z[0])
    (ax, ay), (bx, by) = view.spot(a, d, h[0]), view.spot(b, d, h[0])
    rise = (h[1] - h[0]) * view.focal
    return np.array([(ax, ay), (bx, by), (bx, by - rise / b), (ax, ay - rise / a)])


@dataclass(frozen=True, slots=True)
class Building:
    """A house along the road. s: near end; d: facade's offset; own: its own RGB factor.
    has_end: whether its near end can be seen past the house before it.
    """

    s: float
    d: float
    wide: float
    key: int
    tall: float
    deep: float
    is_pitched: bool
    has_end: bool
    own: tuple[float, float, float]

    def distance(self, moment: Moment) -> float:
        """Of its far end: what stands on the pavement before it is nearer."""
        return moment.view.ahead(self.s) + self.wide

    def shadow(self, moment: Moment, z: float) -> Floats | None:
        """The facade's height thrown onto the ground, where the sun stands behind it."""
        light = moment.light
        side = math.copysign(1.0, self.d)
        if not light.is_sunny or light.toward[0] * side <= 0.05:
            return None
        reach = self.tall / max(light.toward[1], 0.15)
        across = -light.toward[0] * reach
        along = -light.toward[2] * reach
        across = math.copysign(min(abs(across), 14.0), across)
        z0, z1 = z - self.wide, z
        return np.array(
            [(z0, self.d, 0), (z1, self.d, 0), (z1 + along, self.d + across, 0),
             (z0 + along, self.d + across, 0)]
        )  # fmt: skip

    def paint(self, moment: Moment, z: float) -> None:
        """End wall, facade, roof, chimney."""
        canvas, view, light = moment.canvas, moment.view, moment.light
        own = self.own
        z0, side = z - self.wide, math.copysign(1.0, self.d)
        facing = "left" if side > 0 else "right"
        back = self.d + side * self.deep
        ridge_d, ridge_h = self.d + side * self.deep / 2, self.tall + self.deep * 0.36
        if self.has_end and z0 > NEAR and abs(view.focal * self.d / z0) < 4 * view.width:
            wall = surfaces.blank_wall(self.key % 16)
            ends = (self.d, back) if side > 0 else (back, self.d)
            corners = view.project(
                np.array([(z0, ends[0], 0), (z0, ends[1], 0), (z0, ends[1], self.tall),
                          (z0, ends[0], self.tall)])
            )  # fmt: skip
            canvas.face(wall, corners, light.table("back", z0, own), BUILDING)
            if self.is_pitched:
                gable = np.array(
                    [(z0, self.d, self.tall), (z0, ridge_d, ridge_h), (z0, back, self.tall)]
                )
                color = wall.levels[0][8, 8].astype(float) * np.array(own)
                canvas.fill(view.project(gable), light.tint(color, "back", z0), BUILDING)
        near = max(z0, view.leaves_at(self.d))
        if near >= z:
            return
        share = (near - z0) / self.wide
        span = (share, 1.0) if side < 0 else (0.0, 1.0 - share)
        if self.is_pitched:
            self._paint_roof(moment, (near, z), (ridge_d, ridge_h))
        canvas.face(
            surfaces.facade(self.key),
            _upright(view, (near, z), self.d, (0.0, self.tall)),
            light.table(facing, (near + z) / 2, own),
            BUILDING,
            span=span,
        )

    def _paint_roof(
        self, moment: Moment, z: tuple[float, float], ridge: tuple[float, float]
    ) -> None:
        view, light = moment.view, moment.light
        eave = self.d - math.copysign(0.3, self.d)
        corners = np.array(
            [(z[0], eave, self.tall), (z[1], eave, self.tall), (z[1], ridge[0], ridge[1]),
             (z[0], ridge[0], ridge[1])]
        )  # fmt: skip
        seen = view.project(corners)
        rises = seen[3, 1] < seen[0, 1] and seen[2, 1] < seen[1, 1]
        if rises:
            table = light.table("up", z[1], (0.9, 0.9, 0.9))
            moment.canvas.face(surfaces.roof(self.key % 8), seen, table, BUILDING)
        if self.key % 3 == 0:
            middle = z[1] - 0.6
            stack = np.array(
                [(middle, ridge[0] - 0.5, ridge[1] - 0.4), (middle, ridge[0] + 0.5, ridge[1] - 0.4),
                 (middle, ridge[0] + 0.5, ridge[1] + 1.3), (middle, ridge[0] - 0.5, ridge[1] + 1.3)]
            )  # fmt: skip
            moment.canvas.fill_street(
                stack, light.tint(np.array((140, 96, 76.0)), "back", z[1]), BUILDING
            )


@dataclass(frozen=True, slots=True)
class Panel:
    """A fence, hedge or wall along the road from s over `wide` metres."""

    s: float
    d: float
    wide: float
    texture: Texture
    class_id: int
    base: float = 0.0

    def distance(self, moment: Moment) -> float:
        """Of its far end."""
        return moment.view.ahead(self.s) + self.wide

    def shadow(self, _moment: Moment, z: float) -> Floats | None:
        """Only a narrow dark foot."""
        out = self.d - math.copysign(0.35, self.d)
        z0 = z - self.wide
        return np.array([(z0, self.d, 0), (z, self.d, 0), (z, out, 0), (z0, out, 0)])

    def paint(self, moment: Moment, z: float) -> None:
        """One picture of the texture after the other, far ones first."""
        view = moment.view
        tall, step = self.texture.size_m
        first = max(z - self.wide, view.leaves_at(self.d))
        facing = "left" if self.d > 0 else "right"
        end = z
        while end > first + 0.05:
            begin = end - step
            near = max(begin, first)
            share = (near - begin) / step
            span = (share, 1.0) if self.d < 0 else (0.0, 1.0 - share)
            moment.canvas.face(
                self.texture,
                _upright(view, (near, end), self.d, (self.base, self.base + tall)),
                moment.light.table(facing, (near + end) / 2),
                self.class_id,
                span=span,
            )
            end = begin


@dataclass(frozen=True, slots=True)
class Plant:
    """A tree or bush. own: its own RGB factor."""

    s: float
    d: float
    key: int
    size: float
    is_mirrored: bool
    own: tuple[float, float, float]

    def distance(self, moment: Moment) -> float:
        """Of its trunk."""
        return moment.view.ahead(self.s)

    def shadow(self, moment: Moment, z: float) -> Floats | None:
        """A round patch, thrown by the sun where it shines."""
        tall, wide = (v * self.size for v in sprites.tree(self.key).size_m)
        light = moment.light
        reach = min(0.6 * tall / max(light.toward[1], 0.2), 12.0) if light.is_sunny else 0.0
        middle = (z - light.toward[2] * reach, self.d - light.toward[0] * reach)
        angles = np.linspace(0, 2 * np.pi, 17)[:-1]
        ragged = 1 + 0.25 * np.sin(angles * 3 + self.key) + 0.12 * np.sin(angles * 7 + self.s)
        ring = np.column_stack(
            (middle[0] + 0.5 * wide * ragged * np.cos(angles),
             middle[1] + 0.5 * wide * ragged * np.sin(angles), np.zeros(16))
        )  # fmt: skip
        return ring

    def paint(self, moment: Moment, z: float) -> None:
        """A cut-out on its foot."""
        if z < 2.0 or not moment.view.sees(z, self.d, 8.0):
            return
        foot = moment.view.spot(z, self.d, KERB_M)
        moment.canvas.sprite(
            sprites.tree(self.key),
            foot,
            moment.view.focal / z * self.size,
            moment.light.table("round", z, self.own),
            TREE,
            is_mirrored=self.is_mirrored,
        )


@dataclass(frozen=True, slots=True)
class Vehicle:
    """A car. speed in m/s along the loop (0 parked, below 0 oncoming); s is where it is at 0 s.

    sway: metres it drifts along its lane. lead: when set, s is metres ahead of the camera.
    """

    s: float
    d: float
    speed: float
    body: Body
    paint_rgb: tuple[int, int, int]
    yaw: float = 0.0
    sway: float = 0.0
    is_leading: bool = False

    def distance(self, moment: Moment) -> float:
        """Of its middle."""
        drift = self.sway * math.sin(0.31 * moment.time_s + self.s)
        if self.is_leading:
            return self.s + drift
        return moment.view.ahead(self.s + self.speed * moment.time_s + drift)

    def _pose(self, moment: Moment, z: float) -> Pose:
        view = moment.view
        ahead = max(z, NEAR) + 2.0
        slope = (view.spot(ahead + 2, 0, 0)[0] - view.cx) * (ahead + 2) / view.focal
        slope -= (view.spot(ahead, 0, 0)[0] - view.cx) * ahead / view.focal
        return Pose(z, self.d, self.yaw + math.atan(slope / 2))

    def shadow(self, moment: Moment, z: float) -> Floats | None:
        """The ground below, a little wider, pushed away from the sun."""
        ground = footprint(self.body, self._pose(moment, z), 0.12)
        if moment.light.is_sunny:
            reach = 0.7 / max(moment.light.toward[1], 0.3)
            ground[:, 0] -= moment.light.toward[2] * reach
            ground[:, 1] -= moment.light.toward[0] * reach
        return ground

    def paint(self, moment: Moment, z: float) -> None:
        """The body in its pose."""
        if z > 150 or not moment.view.sees(z - self.body.length / 2, self.d, self.body.length):
            return
        braking = self.is_leading and math.sin(0.31 * moment.time_s + self.s + 1.2) < -0.4
        paint_car(
            moment.canvas,
            moment.light,
            self.body,
            self._pose(moment, z),
            np.array(self.paint_rgb, float),
            is_braking=braking,
        )


@dataclass(frozen=True, slots=True)
class Walker:
    """A person. Along the pavement at `speed` m/s, or crossing before the camera comes.

    crossing: from 0 (walks along) to metres of the way across, to the right when positive.
    """

    s: float
    d: float
    speed: float
    key: int
    own: tuple[float, float, float]
    crossing: float = 0.0

    def distance(self, moment: Moment) -> float:
        """Where the person is now."""
        return moment.view.ahead(self.s + self.speed * moment.time_s)

    def _offset(self, z: float) -> float:
        """Someone who crosses starts at 46 m from the camera and is over at 14 m."""
        way = min(max((46.0 - z) / 32.0, 0.0), 1.0) if -5 < z < FAR else 0.0
        return self.d + self.crossing * way

    def shadow(self, _moment: Moment, z: float) -> Floats | None:
        """A small patch at the feet."""
        d = self._offset(z)
        return np.array(
            [(z - 0.3, d - 0.35, 0), (z - 0.3, d + 0.35, 0), (z + 0.3, d + 0.35, 0),
             (z + 0.3, d - 0.35, 0)]
        )  # fmt: skip

    def paint(self, moment: Moment, z: float) -> None:
        """The drawing of the present step."""
        if not 1.5 < z < 100 or not moment.view.sees(z, self._offset(z), 1.0):
            return
        is_side = self.crossing != 0 and 14 < z < 46
        phase = int(moment.time_s * 9 + self.key * 1.7) % sprites.PHASES
        if self.speed == 0 and not is_side:
            phase = 0
        d = self._offset(z)
        foot = moment.view.spot(z, d, 0.0 if is_side else KERB_M)
        moment.canvas.sprite(
            sprites.walker(self.key, phase, is_side=is_side),
            foot,
            moment.view.focal / z,
            moment.light.table("round", z, self.own),
            PEDESTRIAN,
            is_mirrored=self.crossing < 0,
        )


@dataclass(frozen=True, slots=True)
class Rider:
    """A cyclist: along the road, or across it at a side road when `is_side`."""

    s: float
    d: float
    speed: float
    key: int
    is_side: bool = False
    is_leading: bool = False

    def distance(self, moment: Moment) -> float:
        """Where the cyclist is now."""
        if self.is_leading:
            return self.s + 3 * math.sin(0.2 * moment.time_s + self.key)
        return moment.view.ahead(self.s + self.speed * moment.time_s)

    def shadow(self, _moment: Moment, z: float) -> Floats | None:
        """A narrow patch."""
        return np.array(
            [(z - 0.8, self.d - 0.25, 0), (z - 0.8, self.d + 0.25, 0), (z + 0.8, self.d + 0.25, 0),
             (z + 0.8, self.d - 0.25, 0)]
        )  # fmt: skip

    def paint(self, moment: Moment, z: float) -> None:
        """The drawing of the present turn of the pedals."""
        if not 1.5 < z < 100 or not moment.view.sees(z, self.d, 1.2):
            return
        phase = int(moment.time_s * 7 + self.key) % sprites.PHASES
        foot = moment.view.spot(z, self.d, 0.0)
        moment.canvas.sprite(
            sprites.rider(self.key, phase, is_side=self.is_side),
            foot,
            moment.view.focal / z,
            moment.light.table("round", z),
            BICYCLIST,
            is_mirrored=self.is_side and self.d > 0,
        )
