"""Colours that stay apart for people who see fewer of them.

About one man in twelve confuses red and green. A set of up to eight classes gets the colours of
Okabe and Ito (2008), the usual choice in science. A larger set gets those and then, one by one, the
colour that is farthest from all before it as seen by the worst off of four people: with normal
sight and without the long, the middle or the short cones, after Machado, Oliveira and Fernandes,
"A Physiologically-based Model for Simulation of Color Vision Deficiency", 2009 (severity 1.0).
Distances are Euclidean in CIELAB (D65); about 2.3 is just noticeable side by side.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from segstudio.core.classes import ClassMap

OKABE_ITO = (
    (0, 114, 178),
    (213, 94, 0),
    (240, 228, 66),
    (86, 180, 233),
    (204, 121, 167),
    (230, 159, 0),
    (0, 158, 115),
    (0, 0, 0),
)
"""Ordered so that the first few of them are as far apart as they can be. Black comes last: over a
picture it reads as a shadow."""

SIGHTS = {
    "normal": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopia": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}
"""Matrices over linear RGB, rows = what is seen as red, green and blue."""

_LIGHTNESS = (20.0, 95.0)
"""Colours outside it would pass for shadow or glare of the picture beneath."""


def colour_blind_safe(classes: ClassMap) -> ClassMap:
    """The same classes in colours that stay apart; the first ones farthest. Deterministic.

    A set whose own colours are already as far apart keeps them.
    """
    colors = safe_colors(len(classes))
    if len(classes) < 2 or _least([c.color for c in classes.classes]) >= _least(colors):
        return classes
    rows = tuple(replace(c, color=colors[i]) for i, c in enumerate(classes.classes))
    return replace(classes, classes=rows)


@cache
def safe_colors(count: int) -> tuple[tuple[int, int, int], ...]:
    """That many colours (r, g, b), 0..255; fewer are the beginning of more."""
    chosen = list(OKABE_ITO[:count])
    if count <= len(OKABE_ITO):
        return tuple(chosen)
    chosen.pop()  # black is for sets that need it as the eighth
    steps = np.arange(0, 256, 17).astype(np.uint8)
    grid = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3)
    lightness = seen(grid)[0, :, 0]
    grid = grid[(lightness >= _LIGHTNESS[0]) & (lightness <= _LIGHTNESS[1])]
    views = seen(grid)
    nearest = np.full(len(grid), np.inf)
    for color in chosen:
        nearest = np.minimum(nearest, _worst(views, seen(np.array([color], np.uint8))))
    while len(chosen) < count:
        best = int(np.argmax(nearest))
        red, green, blue = (int(v) for v in grid[best])
        chosen.append((red, green, blue))
        nearest = np.minimum(nearest, _worst(views, views[:, best : best + 1]))
    return tuple(chosen)


def farthest_from(colors: Sequence[tuple[int, int, int]]) -> tuple[int, int, int]:
    """Of 40 safe colours the one that is easiest to tell from these; for a new class."""
    if not colors:
        return OKABE_ITO[0]
    choice = safe_colors(40)
    views, taken = seen(np.array(choice, np.uint8)), seen(np.array(colors, np.uint8))
    gaps = np.linalg.norm(views[:, :, None] - taken[:, None], axis=-1).min(axis=(0, 2))
    return choice[int(np.argmax(gaps))]


def seen(colors: NDArray[np.uint8]) -> NDArray[np.float64]:
    """uint8 (n, 3) sRGB → float64 (4, n, 3) CIELAB, as each of `SIGHTS` sees it."""
    encoded = colors.astype(np.float64) / 255
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    matrices = np.array(list(SIGHTS.values()))
    return _lab(np.clip(np.einsum("sij,nj->sni", matrices, linear), 0.0, 1.0))


def least_difference(colors: NDArray[np.uint8]) -> dict[str, float]:
    """Of n ≥ 2 colours, uint8 (n, 3): the smallest distance of two of them, for each sight."""
    views = seen(colors)
    gaps = np.linalg.norm(views[:, :, None] - views[:, None], axis=-1)
    gaps[:, *np.diag_indices(len(colors))] = np.inf
    return dict(zip(SIGHTS, gaps.min(axis=(1, 2)).tolist(), strict=True))


def _least(colors: Sequence[tuple[int, int, int]]) -> float:
    """The smallest distance of two of them, for whoever sees the least of it."""
    return min(least_difference(np.array(colors, np.uint8)).values())


def _worst(views: NDArray[np.float64], one: NDArray[np.float64]) -> NDArray[np.float64]:
    """(4, n, 3) against (4, 1, 3) → (n,): the distance for whoever sees the least of it."""
    return np.asarray(np.linalg.norm(views - one, axis=-1).min(axis=0))


def _lab(linear: NDArray[np.float64]) -> NDArray[np.float64]:
    """Linear sRGB 0..1 (…, 3) → CIELAB (…, 3) under D65 (IEC 61966-2-1; CIE 15)."""
    to_xyz = np.array(
        [
            [0.4124564, 0.3575761, 0.1804375],
            [0.2126729, 0.7151522, 0.0721750],
            [0.0193339, 0.1191920, 0.9503041],
        ]
    )
    ratio = linear @ to_xyz.T / to_xyz.sum(axis=1)
    root = np.where(ratio > 216 / 24389, np.cbrt(ratio), (24389 / 27 * ratio + 16) / 116)
    x, y, z = np.moveaxis(root, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)
