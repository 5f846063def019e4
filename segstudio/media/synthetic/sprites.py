"""Cut-outs that face the camera: trees, walkers, cyclists. Pure functions of a key."""

import math
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from segstudio.media.synthetic.paint import Picture, Texture
from segstudio.media.synthetic.surfaces import roughen

TREES = 28
WALKERS = 24
RIDERS = 12
PHASES = 6
"""How many drawings there are of each, and of each step or turn of the pedals."""

Point = tuple[float, float]
_SKIN = ((224, 184, 156), (198, 152, 120), (140, 98, 72), (92, 62, 46))
_CLOTH = (
    (34, 36, 44), (52, 54, 62), (40, 50, 78), (88, 44, 44), (110, 108, 104), (60, 72, 58),
    (180, 178, 172), (84, 70, 58), (124, 58, 52), (30, 30, 32), (196, 188, 80), (74, 100, 134),
    (44, 46, 50), (64, 60, 58), (26, 28, 36), (140, 136, 130), (58, 66, 84), (94, 90, 80),
)  # fmt: skip


class _Sketch:
    """A small picture with its mask, drawn in metres from the foot's middle, up positive."""

    def __init__(self, size_m: tuple[float, float], dots: int) -> None:
        self.dots, self.size_m = dots, size_m
        h, w = round(size_m[0] * dots), round(size_m[1] * dots)
        self._rgba: Picture = np.zeros((h, w, 4), np.uint8)
        self._rgba[..., :3] = 60

    @property
    def rgb(self) -> Picture:
        """uint8 (h, w, 3), a view."""
        return self._rgba[..., :3]

    @property
    def mask(self) -> Picture:
        """uint8 (h, w), 255 where something was drawn, a view."""
        return self._rgba[..., 3]

    def at(self, point: Point) -> tuple[int, int]:
        """The pixel (x, y) of a point."""
        h, w = self._rgba.shape[:2]
        return round(w / 2 + point[0] * self.dots), round(h - point[1] * self.dots)

    def line(self, start: Point, end: Point, wide: float, color: tuple[int, ...]) -> None:
        thick = max(1, round(wide * self.dots))
        cv2.line(self._rgba, self.at(start), self.at(end), (*color, 255), thick)

    def blob(self, middle: Point, radii: Point, color: tuple[int, ...], turn: float = 0) -> None:
        axes = (max(1, round(radii[0] * self.dots)), max(1, round(radii[1] * self.dots)))
        cv2.ellipse(self._rgba, self.at(middle), axes, turn, 0, 360, (*color, 255), -1)

    def ring(self, middle: Point, radius: float, wide: float, color: tuple[int, ...]) -> None:
        thick = max(1, round(wide * self.dots))
        cv2.circle(self._rgba, self.at(middle), round(radius * self.dots), (*color, 255), thick)

    def shape(self, points: list[Point], color: tuple[int, ...]) -> None:
        pixels = np.array([self.at(p) for p in points], np.int32)
        cv2.fillPoly(self._rgba, [pixels], (*color, 255))

    def texture(self, rng: np.random.Generator, coarse: float, fine: float) -> Texture:
        mask = np.ascontiguousarray(self.mask)
        return Texture.of(roughen(rng, self.rgb, coarse, fine), self.size_m, mask=mask)


def _dim(color: tuple[int, ...], gain: float) -> tuple[int, ...]:
    return tuple(int(min(255, max(0, c * gain))) for c in color)


_KINDS = ("round", "bare", "tall", "conifer", "bush", "round", "bare", "round", "tall", "bush")
_TALL = {"round": 8.0, "bare": 9.0, "tall": 11.0, "conifer": 9.0, "bush": 2.2}
_SLIM = {"round": 0.8, "bare": 0.75, "tall": 0.5, "conifer": 0.45, "bush": 1.4}
_FOOT = {"round": 0.26, "bare": 0.25, "tall": 0.2, "conifer": 0.08, "bush": 0.0}
_LEAVES = (
    (78, 100, 48), (62, 84, 44), (102, 114, 58), (122, 110, 54), (56, 68, 42), (136, 100, 52),
    (90, 98, 62),
)  # fmt: skip


@lru_cache(maxsize=TREES)
def tree(key: int) -> Texture:
    """Tree number `key`: round, tall, conifer, bush, or bare in winter; 2 to 13 m."""
    rng = np.random.default_rng((21, key))
    kind = _KINDS[key % len(_KINDS)]
    tall = _TALL[kind] * rng.uniform(0.75, 1.2)
    sketch = _Sketch((tall, tall * _SLIM[kind]), round(340 / tall))
    leaf = np.array(_LEAVES[int(rng.integers(len(_LEAVES)))], float) * rng.uniform(0.8, 1.15)
    bark = tuple(int(v) for v in np.array((86, 76, 66)) * rng.uniform(0.6, 1.2))
    if kind == "bare":
        return _bare(rng, sketch, bark)
    if kind != "bush":
        girth = 0.035 * tall
        sketch.line((0, 0), (0, tall * 0.55), girth, bark)
        sketch.line((girth * 0.3, 0), (girth * 0.3, tall * 0.5), girth * 0.35, _dim(bark, 0.6))
        for _ in range(7):
            tip = (rng.uniform(-0.35, 0.35) * sketch.size_m[1], rng.uniform(0.5, 0.85) * tall)
            sketch.line((0, rng.uniform(0.22, 0.45) * tall), tip, girth * 0.4, bark)
    _crown(rng, sketch, kind, leaf)
    return sketch.texture(rng, 0.07, 0.16)


def _reach(kind: str, u: float) -> float:
    """Half the crown's width at the share u of its height, as a share of the tree's width."""
    if kind == "conifer":
        return (1 - u) * 0.48
    if kind == "bush":
        return math.sqrt(max(0.0, 1 - u * u)) * 0.45
    return math.sqrt(max(0.0, 1 - (2 * u - 1) ** 2)) * 0.44


def _crown(rng: np.random.Generator, sketch: _Sketch, kind: str, leaf: NDArray[np.float64]) -> None:
    """Limbs of foliage, each a heap of tufts that is lit from above and dark below."""
    tall, wide = sketch.size_m
    bottom = _FOOT[kind] * tall
    unit = min(tall, wide)
    limbs = 44 if kind == "conifer" else 34
    heaps = []
    for number in range(limbs):
        u = (number + rng.uniform(0, 1)) / limbs if kind == "conifer" else rng.uniform(0.06, 0.94)
        x = rng.uniform(-1, 1) * _reach(kind, u) * wide * 0.84
        spread = unit * rng.uniform(0.09, 0.15) * (0.6 if kind == "conifer" else 1)
        mood = 0.66 + 0.42 * u + rng.normal(0, 0.1)
        heaps.append((x, bottom + (tall * 0.95 - bottom) * u, spread, mood))
    x0, y0, reach, moods = (np.array(column)[:, None] for column in zip(*heaps, strict=True))
    v, w = rng.normal(0, 0.4, (2, limbs, 5))
    size = np.repeat(reach * 0.5, 5, axis=1)
    shade = np.repeat(moods * 0.5, 5, axis=1)
    _tufts(sketch, (x0 + v * reach, y0 + w * reach), (size, size * 0.72), shade, leaf)
    v, w = rng.normal(0, 0.6, (2, limbs, 46))
    light = moods * (1 + 0.34 * np.clip(w, -1.2, 1.2)) + rng.normal(0, 0.1, w.shape)
    size = unit * rng.uniform(0.007, 0.018, w.shape)
    slim = size * rng.uniform(0.5, 0.9, w.shape)
    spots = (x0 + v * reach * 1.3, y0 + w * reach)
    _tufts(sketch, spots, (size, slim), np.maximum(light, 0.3), leaf)


def _tufts(
    sketch: _Sketch,
    spots: tuple[NDArray[np.float64], NDArray[np.float64]],
    radii: tuple[NDArray[np.float64], NDArray[np.float64]],
    light: NDArray[np.float64],
    leaf: NDArray[np.float64],
) -> None:
    """Many blobs of foliage, float (limbs, tufts) each: (x, y), radii in metres, brightness."""
    colors = np.clip(light.ravel()[:, None] * leaf, 0, 255).astype(int).tolist()
    turns = np.arange(light.size) * 67 % 180
    places = (part.ravel().tolist() for part in (*spots, *radii))
    for x, y, wide, tall, turn, color in zip(*places, turns.tolist(), colors, strict=True):
        sketch.blob((x, y), (wide, tall), tuple(color), turn)


def _bare(rng: np.random.Generator, sketch: _Sketch, bark: tuple[int, ...]) -> Texture:
    """Trunk and branches, with a haze of twigs that lets the background through."""
    tall, wide = sketch.size_m
    h, w = sketch.mask.shape
    tips: list[tuple[Point, float, float, int]] = [((0.0, 0.0), math.pi / 2, tall * 0.3, 0)]
    while tips:
        start, angle, long, depth = tips.pop()
        end = (start[0] + long * math.cos(angle), start[1] + long * math.sin(angle))
        girth = 0.034 * tall * 0.58**depth
        sketch.line(start, end, girth, _dim(bark, 1 + 0.12 * depth))
        if depth < 5:
            for _ in range(3 if depth else 4):
                turn = rng.normal(0, 0.42)
                lean = 0.12 * (math.pi / 2 - angle)
                tips.append((end, angle + turn + lean, long * rng.uniform(0.6, 0.8), depth + 1))
    solid = sketch.mask.copy()
    haze = solid.copy()
    bottom = _FOOT["bare"] * tall
    for _ in range(260):
        u = rng.uniform(0.05, 1)
        spot = (rng.uniform(-1, 1) * _reach("bare", u) * wide, bottom + (tall * 0.96 - bottom) * u)
        size = 0.05 * tall * rng.uniform(0.5, 1)
        cv2.circle(haze, sketch.at(spot), round(size * sketch.dots), (70,), -1)
    sketch.rgb[solid == 0] = _dim(bark, 1.25)
    twigs = cv2.blur(haze, (5, 5)) * (1 + 0.5 * rng.standard_normal((h, w)))
    mask = np.maximum(np.clip(twigs, 0, 170), solid).astype(np.uint8)
    rgb = roughen(rng, sketch.rgb, 0.08, 0.12)
    return Texture.of(rgb, sketch.size_m, mask=mask, veil=True)


@lru_cache(maxsize=WALKERS * PHASES * 2)
def walker(key: int, phase: int, *, is_side: bool) -> Texture:
    """A person walking; phase 0..PHASES-1 of the step. Seen from the side or from front or back."""
    rng = np.random.default_rng((22, key))
    skin = _SKIN[rng.integers(len(_SKIN))]
    coat = _CLOTH[rng.integers(len(_CLOTH))]
    legs = _dim(_CLOTH[rng.integers(len(_CLOTH))], 0.8)
    hair = ((40, 30, 24), (90, 66, 40), (150, 140, 130), (30, 28, 28))[rng.integers(4)]
    tall = float(rng.uniform(1.55, 1.88))
    build = float(rng.uniform(0.9, 1.2))
    is_long = rng.random() < 0.35
    has_bag = rng.random() < 0.4
    sketch = _Sketch((2.0, 1.2), 90)
    swing = math.sin(2 * math.pi * phase / PHASES)
    k = tall / 1.75
    stride = 0.30 * swing * k
    for side, shade in ((-1, 0.75), (1, 1.0)):
        foot = (stride * side, 0.03) if is_side else (0.10 * side * k, 0.05 * max(0, swing * side))
        hip = (0.0, 0.92 * k) if is_side else (0.09 * side * k, 0.92 * k)
        bend = 0.06 if is_side else 0.0
        knee = ((foot[0] + hip[0]) / 2 + bend, 0.48 * k)
        sketch.line(hip, knee, 0.17 * build, _dim(legs, shade))
        sketch.line(knee, foot, 0.13 * build, _dim(legs, shade))
        sketch.blob((foot[0] + (0.05 if is_side else 0), 0.04), (0.1, 0.045), (28, 26, 26))
    half = (0.15 if is_side else 0.23) * build
    hem = (0.6 if is_long else 0.82) * k
    body = [(-half, 1.42 * k), (half, 1.42 * k), (half * 0.95, hem), (-half * 0.95, hem)]
    sketch.shape(body, coat)
    sketch.blob((0, 1.40 * k), (half, 0.09), coat)
    sketch.shape([(half * 0.3, 1.42 * k), body[1], body[2], (half * 0.4, hem)], _dim(coat, 0.72))
    for side in (-1, 1):
        shoulder = (0.0, 1.38 * k) if is_side else (half * side, 1.38 * k)
        hand = (-0.24 * swing * side * k, 0.86 * k) if is_side else ((half + 0.05) * side, 0.85 * k)
        sketch.line(shoulder, hand, 0.10 * build, _dim(coat, 0.85 if side < 0 else 1.1))
        sketch.blob(hand, (0.045, 0.05), skin)
    if has_bag:
        bag = _CLOTH[rng.integers(len(_CLOTH))]
        spot = (-half - 0.06, 1.2 * k) if is_side else (half * 0.6, 1.0 * k)
        sketch.blob(spot, (0.11, 0.2), bag)
    sketch.line((0, 1.42 * k), (0, 1.55 * k), 0.11, skin)
    sketch.blob((0, 1.63 * k), (0.095, 0.125), skin)
    sketch.blob((-0.02 if is_side else 0, 1.68 * k), (0.105, 0.09), hair)
    return sketch.texture(np.random.default_rng((23, key)), 0.08, 0.05)


@lru_cache(maxsize=RIDERS * PHASES * 2)
def rider(key: int, phase: int, *, is_side: bool) -> Texture:
    """A cyclist with the bicycle; phase of the pedals. Seen from the side or from behind."""
    rng = np.random.default_rng((24, key))
    skin = _SKIN[rng.integers(len(_SKIN))]
    coat, legs, frame = (_CLOTH[rng.integers(len(_CLOTH))] for _ in range(3))
    helmet = ((40, 40, 44), (200, 200, 200), (150, 40, 40), (60, 46, 36))[rng.integers(4)]
    sketch = _Sketch((1.95, 1.95 if is_side else 0.9), 80)
    turn = 2 * math.pi * phase / PHASES
    tyre = (34, 34, 34)
    if is_side:
        for x in (-0.52, 0.52):
            sketch.ring((x, 0.36), 0.33, 0.05, tyre)
            for spoke in range(4):
                angle = turn / 4 + spoke * math.pi / 4
                dx, dy = 0.32 * math.cos(angle), 0.32 * math.sin(angle)
                sketch.line((x - dx, 0.36 - dy), (x + dx, 0.36 + dy), 0.012, (120, 120, 120))
        crank, saddle, head = (-0.05, 0.34), (-0.22, 0.92), (0.40, 0.90)
        for start, end in (
            ((-0.52, 0.36), crank), (crank, saddle), (crank, head), (saddle, head),
            ((-0.52, 0.36), saddle), (head, (0.52, 0.36)), (head, (0.36, 1.05)),
        ):  # fmt: skip
            sketch.line(start, end, 0.05, frame)
        for side, shade in ((-1, 0.7), (1, 1.0)):
            pedal = (
                crank[0] + 0.17 * math.cos(turn) * side,
                crank[1] + 0.17 * math.sin(turn) * side,
            )
            knee = ((saddle[0] + pedal[0]) / 2 + 0.26, (0.98 + pedal[1]) / 2 + 0.1)
            sketch.line((saddle[0], 0.98), knee, 0.17, _dim(legs, shade))
            sketch.line(knee, pedal, 0.12, _dim(legs, shade))
            sketch.blob((pedal[0] + 0.05, pedal[1]), (0.1, 0.04), (30, 30, 30))
        sketch.shape([(-0.36, 0.98), (-0.08, 0.95), (0.22, 1.38), (-0.02, 1.52)], coat)
        sketch.line((0.08, 1.40), (0.38, 1.06), 0.10, _dim(coat, 0.85))
        neck = (0.16, 1.60)
    else:
        sketch.line((0, 0.6), (0, 0.95), 0.06, frame)
        sketch.line((-0.29, 1.05), (0.29, 1.05), 0.035, (40, 40, 40))
        for side in (-1, 1):
            lift = 0.14 * math.sin(turn) * side
            sketch.line((0.1 * side, 0.95), (0.15 * side, 0.62 + lift), 0.16, legs)
            sketch.line((0.15 * side, 0.62 + lift), (0.12 * side, 0.25 + lift), 0.12, legs)
        sketch.line((0, 0.04), (0, 0.68), 0.075, tyre)
        sketch.line((0, 0.66), (0, 0.72), 0.2, _dim(frame, 1.2))
        sketch.shape([(-0.19, 0.9), (0.19, 0.9), (0.24, 1.45), (-0.24, 1.45)], coat)
        sketch.shape([(0.05, 0.9), (0.19, 0.9), (0.24, 1.45), (0.08, 1.45)], _dim(coat, 0.75))
        for side in (-1, 1):
            sketch.line((0.22 * side, 1.42), (0.28 * side, 1.05), 0.1, _dim(coat, 0.9))
        neck = (0.0, 1.60)
    sketch.blob(neck, (0.095, 0.125), skin)
    sketch.blob((neck[0], neck[1] + 0.06), (0.12, 0.09), helmet)
    return sketch.texture(np.random.default_rng((25, key)), 0.08, 0.05)
