"""Sun, sky light, haze and the camera's answer to them."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from segstudio.media.synthetic.camera import Floats
from segstudio.media.synthetic.paint import Picture

FACINGS = {
    "right": (1.0, 0.0, 0.0),
    "left": (-1.0, 0.0, 0.0),
    "back": (0.0, 0.0, -1.0),
    "away": (0.0, 0.0, 1.0),
    "up": (0.0, 1.0, 0.0),
    "round": (0.0, 0.35, -0.35),
}
"""Unit directions (right, up, ahead) that surfaces face; "back" looks at the camera."""

Rgb = tuple[float, float, float]
_MANY = 4096
_RAMP = np.arange(256, dtype=np.float64)[:, None]


@dataclass(frozen=True)
class Light:
    """The weather of one drive.

    ambient, sun: RGB factors on a surface's own colour. toward: unit vector to the sun (right,
    up, ahead). haze: RGB 0..255. haze_per_m: share of haze gained per metre. wetness, rain: 0..1.
    gain, gamma, saturation: the camera's grade. noise: sensor noise in grey levels.
    """

    ambient: tuple[float, float, float]
    sun: tuple[float, float, float]
    toward: tuple[float, float, float]
    haze: tuple[float, float, float]
    haze_per_m: float
    zenith: tuple[float, float, float]
    cloud_cover: float
    wetness: float
    rain: float
    gain: float
    gamma: float
    saturation: float
    noise: float
    lamps_on: bool

    @cached_property
    def is_sunny(self) -> bool:
        """Whether things throw a hard shadow."""
        return sum(self.sun) > 0.9

    @cached_property
    def facing(self) -> dict[str, Floats]:
        """RGB factor of a surface by the name of its direction."""
        found = {}
        for name, normal in FACINGS.items():
            cosine = sum(a * b for a, b in zip(normal, self.toward, strict=True))
            sky_part = 0.85 + 0.15 * normal[1]
            found[name] = np.array(self.ambient) * sky_part + np.array(self.sun) * max(cosine, 0.0)
        return found

    @cached_property
    def _haze(self) -> Floats:
        return np.array(self.haze)

    def shades(self, normals: Floats) -> Floats:
        """RGB factors (N, 3) of surfaces with those unit normals (N, 3) as (right, up, ahead)."""
        cosines = np.maximum(normals @ np.array(self.toward), 0.0)
        ambient = np.array(self.ambient) * (0.85 + 0.15 * normals[:, 1:2])
        lit: Floats = ambient + np.array(self.sun) * cosines[:, None]
        return lit

    def veil(self, z: float) -> float:
        """Share of haze at z metres, 0..1."""
        return 1.0 - math.exp(-max(z, 0.0) * self.haze_per_m)

    def tint(self, color: Floats, facing: str, z: float) -> Floats:
        """What a surface colour (RGB 0..255) looks like at z metres."""
        share = self.veil(z)
        lit: Floats = color * self.facing[facing] * (1 - share) + self._haze * share
        return np.minimum(lit, 255)

    @cached_property
    def _tables(self) -> dict[tuple[str, int, tuple[int, int, int]], Picture]:
        """Tables that were asked for before; what is in it depends on nothing but the key."""
        return {}

    def table(self, facing: str, z: float, own: Rgb = (1.0, 1.0, 1.0)) -> Picture:
        """The same for every value of a texture: uint8 (256, 1, 3). own: extra RGB factor.

        Distance and factor are rounded to a few per cent, so that tables can be kept.
        """
        place = int(math.log(max(z, 1.0)) * 20)
        red, green, blue = (round(v * 24) for v in own)
        key = (facing, place, (red, green, blue))
        found = self._tables.get(key)
        if found is None:
            share = self.veil(math.exp(place / 20))
            factor = self.facing[facing] * (np.array(key[2]) / 24) * (1 - share)
            lit = _RAMP * factor + self._haze * share
            found = np.minimum(lit, 255).astype(np.uint8)[:, None, :]
            if len(self._tables) < _MANY:
                self._tables[key] = found
        return found


NIGHT = Light(
    ambient=(0.2, 0.21, 0.28),
    sun=(0.0, 0.0, 0.0),
    toward=(0.0, 1.0, 0.0),
    haze=(38.0, 40.0, 52.0),
    haze_per_m=0.006,
    zenith=(12.0, 14.0, 28.0),
    cloud_cover=0.6,
    wetness=0.7,
    rain=0.0,
    gain=1.2,
    gamma=1.0,
    saturation=0.8,
    noise=9.0,
    lamps_on=True,
)
"""A wet night under street lamps, which no seed has."""


def pick_light(rng: np.random.Generator) -> Light:
    """The weather of a drive: clear, fair, overcast, dusk, mist or rain."""
    kind = rng.choice(
        ["clear", "fair", "overcast", "dusk", "mist", "rain"], p=[0.3, 0.22, 0.2, 0.14, 0.05, 0.09]
    )
    azimuth = rng.uniform(-math.pi, math.pi)
    height = math.radians(rng.uniform(14, 55))
    toward = (
        math.sin(azimuth) * math.cos(height),
        math.sin(height),
        math.cos(azimuth) * math.cos(height),
    )
    warm = rng.uniform(0.0, 0.25)
    strength = {"clear": 0.85, "fair": 0.55, "overcast": 0.06, "dusk": 0.12, "mist": 0.08}
    power = strength.get(str(kind), 0.03) * rng.uniform(0.8, 1.2)
    level = 0.62 if power > 0.3 else 0.86
    if kind == "dusk":
        level = rng.uniform(0.34, 0.58)
    blue = np.array((0.95, 1.0, 1.08)) if power > 0.3 else np.array((0.98, 1.0, 1.02))
    bright = 0.75 if kind == "dusk" else 1.0
    haze = np.array((234, 239, 244)) * bright * rng.uniform(0.88, 1.04)
    zenith = np.array((128, 172, 226)) * bright * rng.uniform(0.85, 1.2)
    # Cameras that expose for the street let the sky burn out: measured on CamVid, top rows 184.
    burnt = 0.0 if kind == "dusk" else float(rng.spawn(1)[0].uniform(0, 1))
    zenith = zenith + (np.array((246, 249, 252)) - zenith) * burnt * 0.9
    haze = haze * (1 + 0.12 * burnt)
    cover = {"clear": 0.12, "fair": 0.5, "dusk": 0.75}.get(str(kind), 1.0)
    density = {"mist": 0.012, "rain": 0.006}.get(str(kind), 0.0016) * rng.uniform(0.6, 1.5)
    return Light(
        ambient=_triple(blue * level * rng.uniform(0.85, 1.15)),
        sun=_triple(np.array((1.0, 1.0 - 0.35 * warm, 1.0 - warm)) * power),
        toward=toward,
        haze=_triple(haze),
        haze_per_m=float(density),
        zenith=_triple(zenith),
        cloud_cover=float(np.clip(cover + rng.uniform(-0.15, 0.15), 0, 1)),
        wetness=float(rng.uniform(0.5, 1.0)) if kind == "rain" else 0.0,
        rain=float(rng.uniform(0.3, 1.0)) if kind == "rain" else 0.0,
        gain=float(rng.uniform(0.92, 1.32)),
        gamma=float(rng.uniform(0.9, 1.25)),
        saturation=float(rng.uniform(0.65, 1.1)),
        noise=float(rng.uniform(1.0, 5.0)),
        lamps_on=bool(kind in ("dusk", "rain") and rng.random() < 0.7),
    )


def _triple(values: Floats) -> tuple[float, float, float]:
    r, g, b = (float(v) for v in values)
    return r, g, b
