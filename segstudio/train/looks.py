"""Another camera, another hour, other weather: colours, blur, grain, rain, fog and the dark.

OpenCV and not torchvision's v2 kernels, which cost a sample of 320×256 on one core (measured): hue
5.5 ms, Gaussian blur 3.1 ms, gamma 0.9 ms, saturation 0.6 ms. Here brightness, contrast,
saturation, hue and tint are one matrix (0.14 ms), gamma is one table (0.07 ms), blur takes 0.2 ms.
"""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from segstudio.train.augment_rules import AugmentRule

Picture = NDArray[np.uint8]

_GREY = np.array((0.299, 0.587, 0.114))
"""Luma of R, G, B (ITU-R BT.601)."""


def other_look(rgb: Picture, rng: np.random.Generator, rule: AugmentRule) -> Picture:
    """uint8 (H, W, 3) changed as the rule says; where things are stays as it is."""
    out = _colored(rgb, rng, rule)
    for share, change in (
        (rule.fog, _fogged),
        (rule.rain, _rained),
        (rule.dark, _darkened),
        (rule.blur, _blurred),
        (rule.noise, _noisy),
    ):
        # Drawn for every rule, so that one more change leaves the others as they were.
        if rng.random() < share:
            out = change(out, rng)
    return out


def _colored(rgb: Picture, rng: np.random.Generator, rule: AugmentRule) -> Picture:
    draws = rng.uniform(-1, 1, 8)
    matrix = np.eye(3, 4)
    turn = math.radians(rule.hue * draws[0])
    matrix[:, :3] = _rotation(turn) * (1 + rule.tint * draws[1:4, None])
    strength = 1 + rule.saturation * draws[4]
    mixed = np.eye(3) * strength + (1 - strength) * _GREY
    matrix[:, :3] = mixed @ matrix[:, :3]
    factor = 1 + rule.contrast * draws[5]
    mean = float(_GREY @ np.array(cv2.mean(rgb)[:3]))
    matrix[:, :3] *= factor
    matrix[:, 3] = (1 - factor) * mean
    matrix *= 1 + rule.brightness * draws[6]
    out = np.asarray(cv2.transform(rgb, matrix.astype(np.float32)), np.uint8)
    if rule.gamma:
        ramp = (np.arange(256) / 255.0) ** math.exp(rule.gamma * draws[7])
        out = np.asarray(cv2.LUT(out, (255 * ramp + 0.5).astype(np.uint8)), np.uint8)
    return out


def _rotation(angle: float) -> NDArray[np.float64]:
    """float64 (3, 3): colours turned around the grey axis (Rodrigues), so that greys stay."""
    cross = np.array(((0, -1, 1), (1, 0, -1), (-1, 1, 0))) / math.sqrt(3)
    turned = np.eye(3) * math.cos(angle) + math.sin(angle) * cross
    return np.asarray(turned + (1 - math.cos(angle)) / 3, np.float64)


def _fogged(rgb: Picture, rng: np.random.Generator) -> Picture:
    """A veil that is thickest above a horizon and thins out towards the camera.

    Koschmieder: the share of haze is 1 - e^(-b z), and on a flat road 1 / z falls with the rows.
    """
    rows = np.arange(rgb.shape[0]) / rgb.shape[0]
    below = np.maximum(rows - rng.uniform(0.2, 0.5), 0.02)
    share = rng.uniform(0.35, 0.85) * (1 - np.exp(-rng.uniform(0.05, 0.25) / below))
    haze = rng.uniform(170, 240) * rng.uniform(0.97, 1.03, 3)
    veil = share[:, None, None] * haze
    thin = rgb * (1 - share[:, None, None]).astype(np.float32) + veil.astype(np.float32)
    return np.asarray(np.clip(thin, 0, 255), np.uint8)


def _rained(rgb: Picture, rng: np.random.Generator) -> Picture:
    """Bright streaks of one slant, a little out of focus, and less contrast."""
    h, w = rgb.shape[:2]
    layer = np.zeros((h, w), np.uint8)
    count = int(h * w * rng.uniform(0.0008, 0.003))
    slant, bright = rng.uniform(-0.35, 0.35), int(rng.integers(50, 110))
    starts = rng.uniform(0, 1, (count, 2)) * (w, h)
    long = h * rng.uniform(0.02, 0.09, count)
    ends = starts + np.stack((long * slant, long), 1)
    for (x0, y0), (x1, y1) in zip(starts.astype(int), ends.astype(int), strict=True):
        cv2.line(layer, (int(x0), int(y0)), (int(x1), int(y1)), (bright,), 1)
    layer = np.asarray(cv2.blur(layer, (1, 3)), np.uint8)
    flat = np.asarray(cv2.convertScaleAbs(rgb, alpha=0.88, beta=14), np.uint8)
    return np.asarray(cv2.add(flat, cv2.merge((layer, layer, layer))), np.uint8)


def _darkened(rgb: Picture, rng: np.random.Generator) -> Picture:
    """Too little light: dim, bluish, soft, and the sensor's grain comes through."""
    gain = rng.uniform(0.25, 0.6) * np.array((0.92, 0.98, 1.1)) ** rng.uniform(0, 1)
    ramp = 255 * (np.arange(256)[:, None] / 255.0) ** rng.uniform(1.0, 1.5) * gain
    table = np.minimum(ramp, 255).astype(np.uint8)[:, None, :]
    dim = cv2.LUT(rgb, table)
    soft = np.asarray(cv2.GaussianBlur(dim, (3, 3), 0.7), np.uint8)
    return _grained(soft, rng, float(rng.uniform(4, 14)))


def _blurred(rgb: Picture, rng: np.random.Generator) -> Picture:
    return np.asarray(cv2.GaussianBlur(rgb, (0, 0), float(rng.uniform(0.4, 1.3))), np.uint8)


def _noisy(rgb: Picture, rng: np.random.Generator) -> Picture:
    return _grained(rgb, rng, float(rng.uniform(2, 10)))


def _grained(rgb: Picture, rng: np.random.Generator, strength: float) -> Picture:
    """Noise of so many grey levels: the sum of two even ones is near enough to a normal one, and
    bytes cost a tenth of normal numbers.
    """
    raw = np.frombuffer(rng.bytes(2 * rgb.size), np.uint8).reshape(2, *rgb.shape)
    grain = raw[0].astype(np.int16) + raw[1] - 255
    spread = 255 / math.sqrt(6)  # of that sum
    noisy = rgb + grain * np.float32(strength / spread) + np.float32(0.5)
    return np.asarray(np.clip(noisy, 0, 255), np.uint8)
