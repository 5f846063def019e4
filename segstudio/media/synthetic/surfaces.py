"""Pictures of walls, roofs, fences, hedges, ground and clouds. Pure functions of a key."""

from functools import lru_cache

import cv2
import numpy as np

from segstudio.media.synthetic.camera import Floats
from segstudio.media.synthetic.paint import Picture, Texture

FACADES = 64
"""How many different facades there are."""

DOT_PER_M = 22
_WALLS = (
    (150, 92, 70), (172, 112, 84), (196, 176, 132), (206, 186, 150), (214, 206, 190), (132, 84, 66),
    (184, 160, 120), (168, 164, 156), (224, 220, 210), (120, 104, 92), (190, 140, 100),
    (146, 128, 110),
)  # fmt: skip
_SIGNS = (
    (30, 60, 140), (160, 30, 34), (24, 92, 60), (30, 30, 34), (220, 180, 40), (230, 228, 220),
    (110, 40, 110), (20, 120, 150), (210, 100, 30), (70, 50, 40),
)  # fmt: skip


def clouds_of(rng: np.random.Generator, size: tuple[int, int], *, octaves: int = 5) -> Floats:
    """Smooth fractal noise float (h, w), mean about 0, spread about 1."""
    h, w = size
    total = np.zeros(size)
    for octave in range(octaves):
        rows, cols = max(2, (h >> (octaves - octave)) + 2), max(2, (w >> (octaves - octave)) + 2)
        grid = rng.standard_normal((rows, cols))
        total += cv2.resize(grid, (w, h), interpolation=cv2.INTER_CUBIC) * 0.62**octave
    spread = float(total.std()) or 1.0
    normal: Floats = (total - total.mean()) / spread
    return normal


def roughen(rng: np.random.Generator, rgb: Picture, coarse: float, fine: float) -> Picture:
    """The picture with blotches and grain of those strengths (share of brightness)."""
    h, w = rgb.shape[:2]
    gain = 1 + coarse * clouds_of(rng, (h, w)) + fine * rng.standard_normal((h, w))
    return np.clip(rgb * gain[..., None], 0, 255).astype(np.uint8)


def _box(
    rgb: Picture, box: tuple[float, float, float, float], color: Floats | tuple[int, ...]
) -> None:
    """A filled rectangle (x0, y0, x1, y1)."""
    x0, y0, x1, y1 = (round(v) for v in box)
    rgb[max(y0, 0) : max(y1, 0), max(x0, 0) : max(x1, 0)] = color


@lru_cache(maxsize=FACADES)
def facade_size(key: int) -> tuple[float, float]:
    """(height, width) of facade number `key` in metres."""
    rng = np.random.default_rng((10, key))
    return int(rng.integers(2, 5)) * float(rng.uniform(2.7, 3.3)) + 0.5, float(rng.uniform(5, 14))


@lru_cache(maxsize=FACADES)
def facade(key: int) -> Texture:
    """Facade number `key`: 5 to 14 m wide, 2 to 4 floors, a shop or a door below."""
    rng = np.random.default_rng((11, key))
    tall_m, wide_m = facade_size(key)
    floors = max(2, int(tall_m / 3.0))
    w, h = int(wide_m * DOT_PER_M), int(tall_m * DOT_PER_M)
    wall = np.array(_WALLS[rng.integers(len(_WALLS))], float) * rng.uniform(0.75, 1.1)
    rgb = np.empty((h, w, 3), np.uint8)
    rgb[:] = np.clip(wall, 0, 255)
    if rng.random() < 0.6:
        rgb[::2] = np.clip(wall * 0.93, 0, 255)
    rgb = roughen(rng, rgb, 0.06, 0.05)
    is_modern = rng.random() < 0.3
    floor_px = (h - 0.5 * DOT_PER_M) / floors
    for floor in range(1, floors):
        top = h - (floor + 1) * floor_px
        _windows(rng, rgb, (top, floor_px), wall, is_modern=is_modern)
    _ground_floor(rng, rgb, h - floor_px, wall)
    trim = wall * rng.uniform(0.7, 1.25)
    _box(rgb, (0, 0, w, 0.35 * DOT_PER_M), np.clip(trim, 0, 255))
    _box(rgb, (0, 0.35 * DOT_PER_M, w, 0.5 * DOT_PER_M), np.clip(wall * 0.45, 0, 255))
    if rng.random() < 0.6:
        x = rng.uniform(0, w)
        _box(rgb, (x, 0, x + 3, h), np.clip(wall * 0.4, 0, 255))
    shade = np.linspace(1.04, 0.88, h)[:, None, None]
    return Texture.of(np.clip(rgb * shade, 0, 255).astype(np.uint8), (tall_m, wide_m))


def _windows(
    rng: np.random.Generator,
    rgb: Picture,
    span: tuple[float, float],
    wall: Floats,
    *,
    is_modern: bool,
) -> None:
    """One floor's row of windows; span: (top, height) in pixels."""
    top, tall = span
    w = rgb.shape[1]
    count = max(1, int(w / DOT_PER_M / (1.8 if is_modern else 2.6)))
    pitch = w / count
    wide = pitch * (0.82 if is_modern else 0.42)
    y0, y1 = top + 0.22 * tall, top + (0.86 if is_modern else 0.78) * tall
    frame = np.array((232, 230, 224)) if not is_modern else np.array((70, 74, 80))
    for number in range(count):
        x0 = number * pitch + (pitch - wide) / 2
        _box(rgb, (x0 - 2, y0 - 3, x0 + wide + 2, y1 + 2), np.clip(wall * 0.7, 0, 255))
        _box(rgb, (x0 - 3, y1 + 1, x0 + wide + 3, y1 + 4), np.clip(wall * 1.2, 0, 255))
        _box(rgb, (x0, y0, x0 + wide, y1), frame)
        _glass(rng, rgb, (x0 + 2, y0 + 2, x0 + wide - 2, y1 - 2))
        _box(rgb, (x0 + wide / 2 - 1, y0, x0 + wide / 2 + 1, y1), frame)
        if not is_modern:
            _box(rgb, (x0, (y0 + y1) / 2 - 1, x0 + wide, (y0 + y1) / 2 + 1), frame)


def _glass(rng: np.random.Generator, rgb: Picture, box: tuple[float, float, float, float]) -> None:
    """A pane: dark, with sky in its upper part or a curtain."""
    x0, y0, x1, y1 = (round(v) for v in box)
    if x1 <= x0 or y1 <= y0:
        return
    part = rgb[max(y0, 0) : y1, max(x0, 0) : x1]
    dark = np.array((34, 40, 46)) * rng.uniform(0.7, 1.6)
    bright = np.array((120, 140, 160)) * rng.uniform(0.4, 1.1)
    share = np.linspace(1, 0, part.shape[0])[:, None, None] ** rng.uniform(0.6, 3)
    part[:] = np.clip(dark * (1 - share) + bright * share, 0, 255)
    if rng.random() < 0.25:
        third = max(1, part.shape[1] // 3)
        part[:, :third] = (196, 190, 178)


def _ground_floor(rng: np.random.Generator, rgb: Picture, top: float, wall: Floats) -> None:
    """A shop front with a name board, or a door between windows."""
    h, w = rgb.shape[:2]
    tall = h - top
    if rng.random() < 0.5:
        board = np.array(_SIGNS[rng.integers(len(_SIGNS))], float)
        _box(rgb, (2, top + 0.2 * tall, w - 2, h), np.clip(board * 0.6 + 20, 0, 255))
        count = max(1, int(w / DOT_PER_M / 2.4))
        pitch = w / count
        for number in range(count):
            x0 = number * pitch
            _glass(rng, rgb, (x0 + 4, top + 0.3 * tall, x0 + pitch - 4, h - 0.14 * tall))
            for _ in range(6):
                x = rng.uniform(x0 + 4, max(x0 + 5, x0 + pitch - 16))
                y = rng.uniform(top + 0.4 * tall, h - 0.3 * tall)
                size = rng.uniform(4, 12, 2)
                goods = rng.uniform(40, 150) + rng.uniform(0, 60, 3)
                _box(rgb, (x, y, x + size[0], y + size[1]), goods)
        _box(rgb, (0, top + 0.04 * tall, w, top + 0.27 * tall), board)
        letter = np.array((240, 236, 220)) if board.mean() < 140 else np.array((40, 40, 44))
        x = w * rng.uniform(0.1, 0.3)
        while x < w * 0.8:
            wide = rng.uniform(3, 8)
            _box(rgb, (x, top + 0.1 * tall, x + wide, top + 0.2 * tall), letter)
            x += wide + rng.uniform(1.5, 5)
        if rng.random() < 0.3:
            _box(rgb, (0, top + 0.27 * tall, w, top + 0.42 * tall), board * 0.8 + 40)
        return
    _windows(rng, rgb, (top, tall), wall, is_modern=False)
    for number in range(max(1, int(w / DOT_PER_M / 6))):
        x0 = (number + rng.uniform(0.2, 0.8)) * 6 * DOT_PER_M
        x0 = min(x0, w - 1.4 * DOT_PER_M)
        door = np.array(_SIGNS[rng.integers(len(_SIGNS))], float) * 0.8
        edge = np.clip(wall * 1.25, 0, 255)
        _box(rgb, (x0 - 3, h - 0.82 * tall, x0 + 1.0 * DOT_PER_M + 3, h), edge)
        _box(rgb, (x0, h - 0.78 * tall, x0 + 1.0 * DOT_PER_M, h), door)
        _glass(rng, rgb, (x0 + 4, h - 0.74 * tall, x0 + DOT_PER_M - 4, h - 0.6 * tall))
    _box(rgb, (0, h - 5, w, h), np.clip(wall * 0.6, 0, 255))


@lru_cache(maxsize=16)
def blank_wall(key: int) -> Texture:
    """An end wall or garden wall with hardly a window."""
    rng = np.random.default_rng((12, key))
    wall = np.array(_WALLS[key % len(_WALLS)], float)
    rgb = np.empty((160, 160, 3), np.uint8)
    rgb[:] = wall
    rgb[::4] = np.clip(wall * 0.85, 0, 255)
    rgb = roughen(rng, rgb, 0.07, 0.06)
    if rng.random() < 0.5:
        _box(rgb, (60, 40, 80, 68), (225, 225, 220))
        _glass(rng, rgb, (62, 42, 78, 66))
    return Texture.of(rgb, (8, 8))


@lru_cache(maxsize=8)
def low_wall(key: int) -> Texture:
    """A garden wall of brick or stone, 0.6 to 1.8 m."""
    rng = np.random.default_rng((17, key))
    wall = np.array(_WALLS[(key * 5) % len(_WALLS)], float) * 0.9
    rgb = np.empty((64, 320, 3), np.uint8)
    rgb[:] = wall
    rgb[::5] = np.clip(wall * 0.8, 0, 255)
    rgb[:5] = np.clip(wall * 1.2, 0, 255)
    return Texture.of(roughen(rng, rgb, 0.08, 0.07), (float(rng.uniform(0.6, 1.8)), 6.0))


@lru_cache(maxsize=8)
def roof(key: int) -> Texture:
    """Slates or tiles in courses."""
    rng = np.random.default_rng((13, key))
    colors = ((92, 88, 90), (120, 74, 58), (78, 76, 82), (136, 96, 76))
    rgb = np.empty((96, 192, 3), np.uint8)
    rgb[:] = colors[key % 4]
    rgb[::6] = (np.array(colors[key % 4]) * 0.75).astype(np.uint8)
    return Texture.of(roughen(rng, rgb, 0.08, 0.1), (4, 8))


@lru_cache(maxsize=12)
def fence(key: int) -> Texture:
    """Boards, railings or mesh; railings are a veil, their gaps count as fence."""
    rng = np.random.default_rng((14, key))
    tall_m = float(rng.uniform(1.0, 1.9))
    h, w = 96, 384
    kind = key % 4
    rgb = np.empty((h, w, 3), np.uint8)
    if kind == 0:
        rgb[:] = np.array((126, 96, 66)) * rng.uniform(0.7, 1.3)
        for x in range(0, w, 10):
            rgb[:, x : x + 10] = np.clip(rgb[:, x : x + 10] * rng.uniform(0.8, 1.2), 0, 255)
            rgb[:, x] = rgb[:, x] // 3
        rgb[:4] = (90, 70, 50)
        return Texture.of(roughen(rng, rgb, 0.08, 0.08), (tall_m, 6.0))
    color = ((36, 40, 38), (150, 152, 152), (60, 84, 60))[kind - 1]
    rgb[:] = color
    mask = np.full((h, w), 70, np.uint8)
    step = 8 if kind != 3 else 6
    for x in range(0, w, step):
        mask[:, x : x + 3] = 255
    for y in (6, h - 14):
        mask[y : y + 5] = 255
    if kind == 3:
        mask[::6] = 200
    for x in range(0, w, 96):
        mask[:, x : x + 7] = 255
    return Texture.of(roughen(rng, rgb, 0.1, 0.1), (tall_m, 6.0), mask=mask, veil=True)


@lru_cache(maxsize=8)
def hedge(key: int) -> Texture:
    """A clipped or wild hedge with a ragged top."""
    rng = np.random.default_rng((15, key))
    h, w = 128, 512
    color = np.array(((62, 84, 40), (48, 66, 34), (84, 96, 50), (70, 78, 44))[key % 4], float)
    light = 1 + 0.22 * clouds_of(rng, (h, w)) + 0.3 * clouds_of(rng, (h, w), octaves=2)
    light += 0.15 * rng.standard_normal((h, w))
    light *= np.linspace(1.25, 0.6, h)[:, None]
    rgb = np.clip(color * np.clip(light, 0.25, 2)[..., None], 0, 255).astype(np.uint8)
    top = 10 + 7 * clouds_of(rng, (1, w), octaves=4)[0] + 2 * rng.standard_normal(w)
    mask = np.where(np.arange(h)[:, None] >= top, 255, 0).astype(np.uint8)
    return Texture.of(rgb, (float(rng.uniform(1.0, 2.4)), 8.0), mask=mask)


@lru_cache(maxsize=4)
def ground_grain(key: int) -> tuple[Picture, Picture]:
    """Two tiles (512, 512, 3) uint8 around 128: fine (5 m) and coarse (40 m).

    The channels are asphalt, paving and grass; both tiles repeat without a seam.
    """
    rng = np.random.default_rng((16, key))
    fine = np.empty((512, 512, 3))
    coarse = np.empty((512, 512, 3))
    for channel, (rough, blotch) in enumerate(((20, 5), (8, 5), (24, 12))):
        noise = rng.standard_normal((512, 512))
        fine[..., channel] = 128 + rough * noise + blotch * _tile_clouds(rng, 4)
        coarse[..., channel] = 128 + (6, 7, 18)[channel] * _tile_clouds(rng, 5)
    slab = 64 if key % 2 else 43
    for cut in range(0, 512, slab):
        fine[cut : cut + 3, :, 1] -= 36
        fine[:, cut : cut + 3, 1] -= 30
    for _ in range(14):
        y, x = rng.integers(0, 460, 2)
        tall, wide = rng.integers(10, 90), rng.integers(10, 40)
        coarse[y : y + tall, x : x + wide, 0] += rng.uniform(-16, 10)
    for _ in range(10):
        points = np.cumsum(rng.normal(0, 8, (30, 2)), axis=0) + rng.uniform(60, 450, 2)
        line = np.zeros((512, 512), np.uint8)
        cv2.polylines(line, [points.astype(np.int32)], False, (1,), 1)
        coarse[..., 0] -= 26.0 * line
    clip = (np.clip(tile, 0, 255).astype(np.uint8) for tile in (fine, coarse))
    first, second = clip
    return first, second


def _tile_clouds(rng: np.random.Generator, octaves: int) -> Floats:
    """Fractal noise (512, 512) that repeats without a seam."""
    noise = clouds_of(rng, (768, 768), octaves=octaves)
    ramp = np.linspace(0, 1, 256)
    tile = noise[:512, :512].copy()
    tile[:256] = tile[:256] * ramp[:, None] + noise[512:, :512] * (1 - ramp[:, None])
    side = noise[:512, 512:].copy()
    tile[:, :256] = tile[:, :256] * ramp + side * (1 - ramp)
    return tile
