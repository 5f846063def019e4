"""The sky and the far skyline at the end of the street."""

import math

import cv2
import numpy as np

from segstudio.media.synthetic.camera import FAR, Floats
from segstudio.media.synthetic.light import Light
from segstudio.media.synthetic.paint import Picture, picture
from segstudio.media.synthetic.surfaces import clouds_of
from segstudio.media.synthetic.things import BUILDING, SKY, TREE, Moment

_WIDE = 2.2
"""Width of the painted sky in frame widths: the street turns under it."""


class Sky:
    """The sky of one drive. heading (radians, right is positive) turns it and the skyline."""

    def __init__(self, rng: np.random.Generator, light: Light, size: tuple[int, int]) -> None:
        self._rgb = _painted(rng, light, (int(0.62 * size[0]), int(_WIDE * size[1])))
        self._line = 0.6 + 0.4 * clouds_of(rng, (1, 512), octaves=6)[0]
        self._tall_m = float(rng.uniform(3, 11))
        self._is_leafy = bool(rng.random() < 0.6)

    def paint(self, moment: Moment, heading: float) -> None:
        """Everything above the horizon, and a little below, where the ground begins."""
        canvas, view, light = moment.canvas, moment.view, moment.light
        height, width = canvas.size
        canvas.labels[:] = SKY
        tall, wide = self._rgb.shape[:2]
        low = min(max(int(view.cy) + 2, 1), height)
        turned = view.cx - width / 2 - heading * view.focal
        left = int(min(max((wide - width) / 2 - turned, 0), wide - width))
        seen = self._rgb[max(tall - low, 0) :, left : left + width]
        canvas.rgb[low - len(seen) : low] = seen
        canvas.rgb[: low - len(seen)] = seen[:1]
        canvas.rgb[low : low + height // 8] = seen[-1:]
        first = view.rows()[0]
        x = np.arange(0, 97) / 96 * width
        angle = (x - view.cx) / view.focal + heading
        tops = np.interp((angle * 160) % 512, np.arange(512), self._line)
        y = view.cy - np.clip(tops, 0.15, 2) * self._tall_m * view.focal / FAR
        floor = float(max(first, view.cy)) + 3
        outline = np.vstack((np.column_stack((x, y)), [(width, floor), (0, floor)]))
        color = np.array((86, 98, 66.0)) if self._is_leafy else np.array((120, 112, 108.0))
        canvas.fill(outline, light.tint(color, "back", FAR), TREE if self._is_leafy else BUILDING)


def _painted(rng: np.random.Generator, light: Light, size: tuple[int, int]) -> Picture:
    """Gradient and clouds, uint8 (h, w, 3); made at half the size, as clouds are soft."""
    h, w = max(16, size[0] // 2), max(16, size[1] // 2)
    up: Floats = np.linspace(1, 0, h)[:, None, None] ** 0.8
    blue = np.array(light.zenith) * up + np.array(light.haze) * (1 - up)
    field = np.asarray(
        cv2.resize(clouds_of(rng, (128, 320), octaves=6), (w, h), interpolation=cv2.INTER_CUBIC)
    )[..., None]
    # Clouds lie flatter and closer together towards the horizon.
    cover = np.clip((field + (light.cloud_cover - 0.5) * 4) * (0.6 + 0.3 * up), 0, 1)
    bright = np.clip(0.98 - 0.07 * field, 0.7, 1.08)
    white = np.array(light.haze) * bright * (1.06 if light.is_sunny else 0.97)
    sky = np.clip(blue * (1 - cover) + white * cover + _sun_glow(light, (h, w)), 0, 255)
    small = sky.astype(np.uint8)
    return picture(cv2.resize(small, (size[1], size[0]), interpolation=cv2.INTER_LINEAR))


def _sun_glow(light: Light, size: tuple[int, int]) -> Floats | float:
    """Brightness (h, w, 3) about the sun when it stands before the camera, else 0."""
    right, up, ahead = light.toward
    if not light.is_sunny or ahead < 0.25:
        return 0.0
    h, w = size
    y, x = np.mgrid[0:h, 0:w]
    unit = w / _WIDE
    dx = (x - w / 2) / unit - right / ahead
    dy = (h - y) / unit - up / math.hypot(right, ahead)
    near = np.exp(-(dx * dx + dy * dy) / 0.03)[..., None]
    glow: Floats = near * np.array((90.0, 84.0, 72.0))
    return glow
