"""A seeded drive through a made-up street: frames with exact labels, by number."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from segstudio.media.synthetic.camera import FAR, LOOP, View
from segstudio.media.synthetic.ground import Ground
from segstudio.media.synthetic.light import Light, pick_light
from segstudio.media.synthetic.paint import Canvas, Picture, picture
from segstudio.media.synthetic.sky import Sky
from segstudio.media.synthetic.street import build_street
from segstudio.media.synthetic.things import ROAD, Moment

VERSION = 1
"""Goes up when a drive's frames change, so that kept clips are rendered again."""


@dataclass(frozen=True)
class DriveSettings:
    """What a drive is made from. height, width: pixels, at least 32. seed: which street, weather
    and camera, 0 or more. fps: frames per second of driving.
    """

    height: int = 720
    width: int = 1280
    seed: int = 0
    fps: float = 30.0


class SyntheticDrive:
    """A drive of any length: the same settings and index give the same frame, in any order.

    light: another weather than the seed's, on the same street. Safe to use from several threads:
    nothing changes after it is made.
    """

    def __init__(self, settings: DriveSettings, *, light: Light | None = None) -> None:
        self.settings = settings
        rng = np.random.default_rng((settings.seed, 5))
        self._street = build_street(rng)
        own = pick_light(rng)  # drawn in any case: what follows comes from the same numbers
        self._light = light or own
        self._focal = float(rng.uniform(0.8, 1.25)) * settings.width
        self._horizon = float(rng.uniform(0.38, 0.56))
        self._aside = float(rng.normal(0, 0.03))
        self._eye = float(rng.uniform(1.15, 1.75))
        self._speed = float(rng.uniform(5, 12))
        self._start = float(rng.uniform(0, LOOP))
        self._phases = rng.uniform(0, 2 * math.pi, 8)
        self._shake = float(rng.uniform(0.3, 1.0))
        self._vignette = _vignette((settings.height, settings.width), float(rng.uniform(0.05, 0.3)))
        self._noise = _noise((settings.height, settings.width), self._light.noise)
        self._sky = Sky(rng, self._light, (settings.height, settings.width))

    def frame(self, index: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Frame `index`, 0 or more: RGB uint8 (H, W, 3) and labels uint8 (H, W), CamVid ids."""
        time_s = index / self.settings.fps
        view = self._view(time_s)
        moment = Moment(Canvas(view), self._light, time_s)
        self._sky.paint(moment, math.atan(self._street.bend.at(view.s)[1]))
        seen = []
        for thing in self._street.things:
            z = thing.distance(moment)
            if -1.0 < z < FAR:
                seen.append((z, thing))
        seen.sort(key=lambda pair: -pair[0])
        shadows = [
            shadow
            for z, thing in seen
            if z < 90 and (shadow := thing.shadow(moment, z)) is not None
        ]
        Ground(moment, self._street).paint(shadows)
        for z, thing in seen:
            thing.paint(moment, z)
        return self._developed(moment, index), moment.canvas.labels

    def _view(self, time_s: float) -> View:
        """The camera's place and shake at that time."""
        p, size = self._phases, self.settings.height
        s = (
            self._start
            + self._speed * time_s
            + 0.25 * self._speed * math.sin(0.4 * time_s + p[0]) / 0.4
        )
        wobble = self._shake * 0.0035 * size
        pitch = wobble * (
            math.sin(7.3 * time_s + p[1]) * 0.5 + math.sin(17.0 * time_s + p[2]) * 0.3
        )
        yaw = wobble * math.sin(3.1 * time_s + p[3]) + 0.006 * size * math.sin(0.5 * time_s + p[4])
        horizon = (self._horizon * size + pitch, (0.5 + self._aside) * self.settings.width + yaw)
        d = self._street.lane + 0.12 * math.sin(0.6 * time_s + p[5])
        return View(
            (size, self.settings.width),
            focal=self._focal,
            horizon=horizon,
            place=(s % LOOP, d, self._eye + 0.01 * math.sin(9 * time_s + p[6])),
            bend=self._street.bend,
            rise=self._street.rise,
        )

    def _developed(self, moment: Moment, index: int) -> Picture:
        """What the sensor makes of the scene: softness, exposure, vignette, grain, rain."""
        light, rgb = self._light, moment.canvas.rgb
        size = moment.canvas.size
        rng = np.random.default_rng((self.settings.seed, index, 7))
        if light.wetness:
            rgb = _wetted(rgb, moment.canvas.labels, moment.view.cy, light.wetness)
        if light.rain:
            rgb = _rained(rng, rgb, light.rain)
        drift = 1 + 0.05 * math.sin(0.7 * index / self.settings.fps + self._phases[7])
        ramp = np.arange(256) / 255.0
        table = np.clip(255 * (ramp**light.gamma) * light.gain * drift, 0, 255).astype(np.uint8)
        soft = cv2.GaussianBlur(rgb, (3, 3), 0.55 + 0.25 * size[0] / 720)
        shown = cv2.LUT(soft, table)
        if abs(light.saturation - 1) > 0.04:
            grey = cv2.cvtColor(shown, cv2.COLOR_RGB2GRAY)
            grey = cv2.merge((grey, grey, grey))
            shown = cv2.addWeighted(shown, light.saturation, grey, 1 - light.saturation, 0)
        shown = cv2.multiply(shown, self._vignette, scale=1 / 255)
        y, x = (int(v) for v in rng.integers(0, 64, 2))
        noise = self._noise[y : y + size[0], x : x + size[1]]
        return picture(cv2.addWeighted(shown, 1, noise, 1, -128))


def _vignette(size: tuple[int, int], strength: float) -> Picture:
    """uint8 (H, W, 3), 255 in the middle and darker in the corners."""
    y, x = np.ogrid[-1 : 1 : size[0] * 1j, -1 : 1 : size[1] * 1j]
    fall = 255 * (1 - strength * np.clip((x * x + y * y) / 2, 0, 1) ** 1.5)
    flat = fall.astype(np.uint8)
    return picture(cv2.merge((flat, flat, flat)))


def _noise(size: tuple[int, int], strength: float) -> Picture:
    """Sensor noise around 128 with that many grey levels, 64 pixels larger than the frame."""
    tile = np.random.default_rng(31).normal(128, strength, (256, 256, 3)) + 0.5
    rows, cols = size[0] + 64, size[1] + 64
    whole = np.tile(tile.astype(np.uint8), (rows // 256 + 1, cols // 256 + 1, 1))
    return np.ascontiguousarray(whole[:rows, :cols])


def _wetted(rgb: Picture, labels: Picture, horizon: float, strength: float) -> Picture:
    """The street above the horizon mirrored in the wet road, upright and smeared."""
    middle = int(horizon)
    rows = rgb.shape[0] - middle
    have = min(middle, rows)
    if have < 8:
        return rgb
    out = rgb.copy()
    above = np.ascontiguousarray(rgb[middle - have : middle][::-1])
    longer = cv2.copyMakeBorder(above, 0, rows - have, 0, 0, cv2.BORDER_REPLICATE)
    mirror = cv2.blur(longer, (3, max(3, rows // 6)))
    ground = out[middle:]
    mixed = cv2.addWeighted(ground, 1 - 0.38 * strength, mirror, 0.38 * strength, 0)
    cv2.copyTo(mixed, np.equal(labels[middle:], ROAD).view(np.uint8), ground)
    return out


def _rained(rng: np.random.Generator, rgb: Picture, strength: float) -> Picture:
    """Thin bright streaks."""
    h, w = rgb.shape[:2]
    layer = np.zeros((h, w), np.uint8)
    count = int(strength * 140)
    starts = rng.uniform(0, 1, (count, 2)) * (w, h)
    for x, y in starts:
        long = h * 0.03 * rng.uniform(0.5, 1.5)
        cv2.line(layer, (int(x), int(y)), (int(x + long * 0.15), int(y + long)), (46,), 1)
    return picture(cv2.add(rgb, cv2.merge((layer, layer, layer))))
