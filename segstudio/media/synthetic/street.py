"""The street of one drive: its cross-section, what lines it, and who is on it."""

import math
from dataclasses import dataclass, field

import numpy as np

from segstudio.media.synthetic import sprites, surfaces
from segstudio.media.synthetic.bodies import BODIES, BUS, DECKER, PAINTS
from segstudio.media.synthetic.camera import LOOP, Curve
from segstudio.media.synthetic.posts import Post
from segstudio.media.synthetic.things import (
    BUILDING,
    FENCE,
    TREE,
    Building,
    Panel,
    Plant,
    Rider,
    Thing,
    Vehicle,
    Walker,
)

Rgb = tuple[float, float, float]
_CENTRES = ((2.0, 4.0), (4.0, 2.0), (6.0, 3.0), (LOOP, 0.0))
"""Centre lines: metres of paint and of gap."""
_WORN = (0.8, 0.87, 0.93, 1.07, 1.12)
"""Brightness of mended places against the asphalt around them."""


@dataclass(frozen=True, slots=True)
class Zone:
    """A stretch of one side. side: -1 left, 1 right. kind: "houses", "gardens", "park", "side road"
    or "open"; the ground beyond the pavement is paving, grass, grass, road or road.
    """

    s: float
    length: float
    side: int
    kind: str


@dataclass(frozen=True, slots=True)
class Street:
    """All of it. half_road: metres from the centre to the kerb. pavement: (left, right) width.

    lane: offset of the camera's lane. bay: width of parking lanes, 0 when none. patches: mended
    or worn places of the road, (s, length, d, width, factor on the asphalt).
    """

    bend: Curve
    rise: Curve
    half_road: float
    pavement: tuple[float, float]
    lane: float
    bay: float
    zones: tuple[Zone, ...]
    things: tuple[Thing, ...]
    crossings: tuple[float, ...]
    paving: Rgb
    asphalt: Rgb
    grass: Rgb
    edge_lines: str
    centre_line: tuple[float, float]
    grain: int
    patches: tuple[tuple[float, float, float, float, float], ...]


@dataclass(slots=True)
class _Builder:
    """What is fixed for the street while it is filled."""

    rng: np.random.Generator
    half_road: float
    pavement: tuple[float, float]
    bay: float
    things: list[Thing] = field(default_factory=list)

    def own(self, spread: float) -> Rgb:
        """A random RGB factor about 1."""
        gain = 1 + self.rng.normal(0, spread)
        r, g, b = (
            float(np.clip(gain + self.rng.normal(0, spread / 3), 0.5, 1.5)) for _ in range(3)
        )
        return r, g, b

    def line(self, side: int) -> float:
        """Offset of the pavement's outer edge on that side."""
        return side * (self.half_road + self.pavement[0 if side < 0 else 1])


def build_street(rng: np.random.Generator) -> Street:
    """A street at random: town, suburb or green."""
    bay = 2.1 if rng.random() < 0.35 else 0.0
    half_road = float(rng.uniform(2.9, 4.4)) + bay
    lane_width = half_road - bay
    pavement = (float(rng.uniform(1.6, 4.5)), float(rng.uniform(1.6, 4.5)))
    build = _Builder(rng, half_road, pavement, bay)
    mix = rng.dirichlet((1.6, 1.0, 0.8))
    zones: list[Zone] = []
    for side in (-1, 1):
        zones += _zones(rng, side, mix)
    for zone in zones:
        _fill_zone(build, zone)
    crossings = tuple(float(v) for v in rng.uniform(0, LOOP, int(rng.integers(2, 6))))
    _furnish(build, crossings)
    _drivers(build, lane_width)
    _people(build, crossings)
    bendy = rng.uniform(0, 1) ** 1.5
    grey = rng.uniform(82, 128)
    tint = rng.normal(0, 1.5, 3)
    slab = rng.uniform(0.95, 1.35) * grey
    warm = rng.uniform(-2, 9)
    grass = [float(rng.uniform(*span)) for span in ((70, 105), (95, 122), (44, 62))]
    return Street(
        bend=Curve(tuple((float(a * bendy * rng.choice([-1, 1])), k, float(rng.uniform(0, 6.28)))
                         for a, k in ((14, 1), (9, 2), (3.5, 3)))),
        rise=Curve(tuple((float(a * rng.uniform(-1, 1)), k, float(rng.uniform(0, 6.28)))
                         for a, k in ((1.2, 1), (0.5, 2)))),
        half_road=half_road,
        pavement=pavement,
        lane=-lane_width / 2 + float(rng.normal(0, 0.15)),
        bay=bay,
        zones=tuple(zones),
        things=tuple(build.things),
        crossings=crossings,
        paving=(float(slab + warm), float(slab + warm * 0.4), float(slab - warm * 0.6)),
        asphalt=(float(grey + tint[0]), float(grey + tint[1]), float(grey + tint[2] + 2)),
        grass=(grass[0], grass[1], grass[2]),
        edge_lines=str(rng.choice(["double yellow", "single yellow", "white", "none"])),
        centre_line=_CENTRES[int(rng.choice(4, p=[0.4, 0.35, 0.15, 0.1]))],
        grain=int(rng.integers(4)),
        patches=_patches(rng, half_road),
    )  # fmt: skip


def _patches(
    rng: np.random.Generator, half_road: float
) -> tuple[tuple[float, float, float, float, float], ...]:
    """Mended trenches, squares and gullies."""
    found = []
    for _ in range(int(rng.integers(10, 90))):
        long, wide = sorted((float(rng.uniform(0.4, 2.2)), float(rng.uniform(0.4, 7))))
        if rng.random() < 0.5:
            long, wide = wide, long
        d = float(rng.uniform(-half_road, half_road - 0.4))
        wide = min(wide, half_road - d)
        found.append((float(rng.uniform(0, LOOP)), long, d, wide, float(rng.choice(_WORN))))
    for s in np.arange(float(rng.uniform(0, 20)), LOOP, float(rng.uniform(12, 30))):
        found += [(float(s), 0.5, d, 0.4, 0.5) for d in (-half_road, half_road - 0.4)]
    return tuple(found)


def _zones(
    rng: np.random.Generator, side: int, mix: np.ndarray[tuple[int], np.dtype[np.float64]]
) -> list[Zone]:
    """One side of the loop cut into stretches, with a side road now and then."""
    zones = []
    s = 0.0
    while s < LOOP - 12:
        kind = ("houses", "gardens", "park")[int(rng.choice(3, p=mix))]
        length = float(min(rng.uniform(24, 80), LOOP - s))
        zones.append(Zone(s, length, side, kind))
        s += length
        if s < LOOP - 12 and rng.random() < 0.55:
            gap = float(min(rng.uniform(6, 13), LOOP - s))
            zones.append(Zone(s, gap, side, "side road" if rng.random() < 0.75 else "open"))
            s += gap
    if s < LOOP:
        zones.append(Zone(s, LOOP - s, side, "park"))
    return zones


def _fill_zone(build: _Builder, zone: Zone) -> None:
    """Houses, gardens or trees of one stretch."""
    rng, edge = build.rng, build.line(zone.side)
    if zone.kind == "houses":
        _row(build, zone, edge, deep=(7, 12))
    elif zone.kind == "gardens":
        setback = float(rng.uniform(3.5, 9))
        _row(build, zone, edge + zone.side * setback, deep=(6, 9))
        _border(build, zone, edge + zone.side * 0.15)
        for _ in range(int(zone.length / rng.uniform(6, 16))):
            s = zone.s + float(rng.uniform(0, zone.length))
            d = edge + zone.side * float(rng.uniform(0.8, max(1.0, setback - 1)))
            _plant(build, s, d, float(rng.uniform(0.45, 0.9)))
    elif zone.kind == "park":
        if rng.random() < 0.75:
            _border(build, zone, edge + zone.side * float(rng.uniform(0.1, 1.5)))
        for _ in range(int(zone.length / rng.uniform(2.0, 5))):
            s = zone.s + float(rng.uniform(0, zone.length))
            d = edge + zone.side * float(2 + 22 * rng.beta(1, 1.7))
            _plant(build, s, d, float(rng.uniform(0.7, 1.35)))
        if rng.random() < 0.5:
            _row(build, zone, edge + zone.side * float(rng.uniform(18, 30)), deep=(8, 14))
    else:
        far = edge + zone.side * float(rng.uniform(14, 30))
        _row(build, zone, far, deep=(7, 10))
        if rng.random() < 0.7:
            paint = PAINTS[rng.integers(len(PAINTS))]
            body = BODIES[rng.integers(4)]
            yaw = zone.side * -math.pi / 2 if rng.random() < 0.7 else zone.side * math.pi / 2
            d = zone.side * (build.half_road + body.length / 2 + float(rng.uniform(1.0, 6)))
            build.things.append(Vehicle(zone.s + zone.length / 2, d, 0.0, body, paint, yaw))


def _row(build: _Builder, zone: Zone, d: float, *, deep: tuple[float, float]) -> None:
    """Houses side by side along the stretch."""
    rng = build.rng
    s, end = zone.s, zone.s + zone.length
    before = 0.0
    while s < end - 2.5:
        key = int(rng.integers(surfaces.FACADES))
        tall, wide = surfaces.facade_size(key)
        wide = float(min(wide * rng.uniform(0.9, 1.15), end - s))
        step = float(rng.uniform(0, 1.2)) * zone.side * (rng.random() < 0.3)
        is_pitched = bool(rng.random() < 0.65)
        has_end = before < tall + 2.5 * is_pitched
        build.things.append(
            Building(s, d + step, wide, key, tall, float(rng.uniform(*deep)), is_pitched,
                     has_end, build.own(0.1))
        )  # fmt: skip
        # A roof hides what is behind it only where both houses have one.
        before = tall + 2.5 * is_pitched - abs(step)
        s += wide
        if rng.random() < 0.12:
            s += float(rng.uniform(0.8, 4))
            before = 0.0


def _border(build: _Builder, zone: Zone, d: float) -> None:
    """What separates a garden or park from the pavement."""
    rng = build.rng
    roll = rng.random()
    if roll < 0.45:
        made = surfaces.fence(int(rng.integers(12)))
        build.things.append(Panel(zone.s, d, zone.length, made, FENCE))
    elif roll < 0.75:
        made = surfaces.hedge(int(rng.integers(8)))
        build.things.append(Panel(zone.s, d, zone.length, made, TREE))
    else:
        made = surfaces.low_wall(int(rng.integers(8)))
        build.things.append(Panel(zone.s, d, zone.length, made, BUILDING))


def _plant(build: _Builder, s: float, d: float, size: float) -> None:
    rng = build.rng
    build.things.append(
        Plant(
            s, d, int(rng.integers(sprites.TREES)), size, bool(rng.random() < 0.5), build.own(0.1)
        )
    )


def _furnish(build: _Builder, crossings: tuple[float, ...]) -> None:
    """Lamp posts, signs, street trees, bollards, railings and traffic lights on the pavement."""
    rng = build.rng
    for side in (-1, 1):
        kerb = side * (build.half_road + 0.45)
        pitch, phase = float(rng.uniform(22, 42)), float(rng.uniform(0, 18))
        looks = int(rng.integers(24))
        kind = "lamp" if rng.random() < 0.85 else "mast"
        for s in np.arange(phase, LOOP - 4, pitch):
            build.things.append(Post(float(s), kerb, kind, looks))
        for _ in range(int(rng.integers(10, 36))):
            kind = str(rng.choice(["round", "warning", "board", "direction", "bollard", "mast"]))
            s = float(rng.uniform(0, LOOP))
            d = kerb + side * float(rng.uniform(0, 0.8))
            build.things.append(Post(s, d, kind, int(rng.integers(60))))
            if kind == "bollard":
                for extra in range(1, int(rng.integers(3, 8))):
                    build.things.append(Post((s + 1.6 * extra) % LOOP, kerb, kind, 0))
        if rng.random() < 0.5:
            pitch = float(rng.uniform(9, 22))
            for s in np.arange(float(rng.uniform(0, 9)), LOOP - 4, pitch):
                if rng.random() < 0.75:
                    _plant(build, float(s), kerb + side * 0.4, float(rng.uniform(0.5, 0.85)))
        for _ in range(int(rng.integers(1, 5))):
            s = float(rng.uniform(0, LOOP - 30))
            made = surfaces.fence(int(rng.choice([1, 2, 5, 6, 9, 10])))
            build.things.append(Panel(s, kerb, float(rng.uniform(8, 26)), made, FENCE, 0.1))
    for s in crossings:
        for side in (-1, 1):
            if rng.random() < 0.8:
                build.things.append(
                    Post(s, side * (build.half_road + 0.4), "light", int(rng.integers(3)))
                )
        if rng.random() < 0.25:
            build.things.append(Post((s + 3) % LOOP, 0.0, "refuge", 0))


def _drivers(build: _Builder, lane_width: float) -> None:
    """Parked, oncoming and leading cars and cyclists."""
    rng = build.rng
    busy = rng.uniform(0.05, 1.0)
    lane = lane_width / 2
    for side in (-1, 1):
        offset = build.half_road - 1.0
        share = rng.uniform(0.1, 0.9) * (1.0 if build.bay else 0.35 * (side > 0))
        s = 0.0
        while s < LOOP - 8:
            body = BODIES[int(rng.choice(4, p=[0.45, 0.25, 0.2, 0.1]))]
            if rng.random() < share:
                paint = PAINTS[rng.integers(len(PAINTS))]
                yaw = math.pi if (side > 0) != (rng.random() < 0.3) else 0.0
                d = side * (offset + float(rng.normal(0, 0.08)))
                build.things.append(Vehicle(s + 3, d, 0.0, body, paint, yaw))
            s += (
                body.length
                + float(rng.uniform(0.8, 2.5))
                + (rng.random() < 0.2) * float(rng.uniform(5, 40))
            )
    speed = float(rng.uniform(6, 11))
    s = float(rng.uniform(0, 40))
    while s < LOOP - 20:
        body = BODIES[int(rng.choice(6, p=[0.4, 0.22, 0.16, 0.12, 0.05, 0.05]))]
        paint = _bus_paint(rng) if body in (BUS, DECKER) else PAINTS[rng.integers(len(PAINTS))]
        if rng.random() < busy:
            build.things.append(
                Vehicle(s, lane, -speed, body, paint, math.pi, float(rng.uniform(0, 2)))
            )
        elif rng.random() < 0.15:
            build.things.append(
                Rider(s, build.half_road - build.bay - 0.8, -4.5, int(rng.integers(sprites.RIDERS)))
            )
        s += body.length + float(rng.uniform(6, 50))
    gap = float(rng.uniform(7, 34))
    for _ in range(int(rng.choice(5, p=[0.25, 0.3, 0.2, 0.15, 0.1]))):
        body = BODIES[int(rng.choice(6, p=[0.4, 0.22, 0.16, 0.12, 0.05, 0.05]))]
        paint = _bus_paint(rng) if body in (BUS, DECKER) else PAINTS[rng.integers(len(PAINTS))]
        gap += body.length / 2
        build.things.append(
            Vehicle(gap, -lane + float(rng.normal(0, 0.15)), 0.0, body, paint, 0.0,
                    float(rng.uniform(0.3, 2.5)), is_leading=True)
        )  # fmt: skip
        gap += body.length / 2 + float(rng.uniform(5.5, 16))
    for _ in range(int(rng.integers(0, 4))):
        d = -(build.half_road - build.bay) + float(rng.uniform(0.3, 0.8))
        key = int(rng.integers(sprites.RIDERS))
        build.things.append(Rider(float(rng.uniform(7, 45)), d, 0.0, key, is_leading=True))


def _bus_paint(rng: np.random.Generator) -> tuple[int, int, int]:
    found: tuple[int, int, int] = ((168, 28, 30), (40, 110, 180), (222, 220, 210), (30, 90, 70))[
        rng.integers(4)
    ]
    return found


def _people(build: _Builder, crossings: tuple[float, ...]) -> None:
    """Walkers on both pavements, alone and in groups, and some who cross."""
    rng = build.rng
    for side in (-1, 1):
        width = build.pavement[0 if side < 0 else 1]
        count = int(rng.uniform(4, 75) * rng.uniform(0.3, 1))
        for _ in range(count):
            s = float(rng.uniform(0, LOOP))
            speed = float(rng.choice([-1.4, 1.3, 0.0, -1.1], p=[0.4, 0.3, 0.15, 0.15]))
            for _ in range(int(rng.choice([1, 2, 3], p=[0.65, 0.25, 0.1]))):
                d = side * (build.half_road + float(rng.uniform(0.5, max(0.7, width - 0.3))))
                key = int(rng.integers(sprites.WALKERS))
                build.things.append(Walker(s, d, speed, key, build.own(0.12)))
                s = (s + float(rng.uniform(0.2, 0.9))) % LOOP
        for _ in range(int(rng.integers(2, 9))):
            s, key = float(rng.uniform(0, LOOP)), int(rng.integers(sprites.RIDERS))
            d = side * (build.half_road + float(rng.uniform(2, 9)))
            build.things.append(Rider(s, d, 0.0, key, is_side=True))
    for s in crossings:
        for _ in range(int(rng.integers(0, 4))):
            side = int(rng.choice([-1, 1]))
            start = side * (build.half_road + 0.6)
            build.things.append(
                Walker((s + float(rng.uniform(-1.5, 1.5))) % LOOP, start, 0.0,
                       int(rng.integers(sprites.WALKERS)), build.own(0.12), -2 * start)
            )  # fmt: skip
