"""A colour for every pair of classes: near the mix of both, and apart from all other pairs.

The second class counts twice, so that "road, not pavement" differs from "pavement, not road". A
pair has the same colour on every frame: what it means is learnt once, and nothing flickers.
"""

from collections.abc import Sequence
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

from segstudio.core.classes import VOID
from segstudio.core.palettes import seen

Pair = tuple[int, int, int]
"""Class id of one, class id of the other, and how many pixels say so."""

OTHERS = 254
"""The code of all pairs of classes that have no code of their own."""

GREY = (127, 127, 127)

GAP = 5.0
"""CIELAB units between the colours of two pairs, for whoever sees the least of it; about 2.3 is
just noticeable side by side. There is room for `ROOM` pairs so far apart; more come closer."""

ROOM = 130

_LIGHTNESS = (25.0, 95.0)
"""Colours outside it would pass for shadow or glare of the picture beneath."""


def colors(pairs: Sequence[Pair], palette: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """uint8 (256, 3) RGB, row = code of core.differing.Difference; black where nothing differs.

    palette: uint8 (256, 3), class id → RGB, black for what the set does not have.
    """
    ids = {int(i) for i in np.flatnonzero(palette.any(axis=1))} | {VOID}
    ids |= {i for pair in pairs for i in pair[:2]}
    known = _of_all(tuple(sorted(ids)), palette.tobytes())
    table = np.zeros((256, 3), np.uint8)
    table[OTHERS] = GREY
    for code, (i, j, _) in enumerate(pairs[:OTHERS]):
        table[code] = known[i, j]
    return table


@lru_cache(maxsize=8)
def _of_all(ids: tuple[int, ...], packed: bytes) -> dict[tuple[int, int], NDArray[np.uint8]]:
    """Every pair of those classes in turn takes what is free and nearest to its mix.

    Measured: 60 ms for 11 classes, 160 ms for 19, once for each class set.
    """
    palette = np.frombuffer(packed, np.uint8).reshape(256, 3).astype(np.int64)
    pairs = [(i, j) for i in ids for j in ids if i != j]
    mixes = np.array([(palette[i] + 2 * palette[j] + 1) // 3 for i, j in pairs], np.uint8)
    wishes = seen(mixes)[0].astype(np.float32)
    choice, views = _choice()
    gap = GAP**2 * min(1.0, ROOM / len(pairs))
    nearest = np.full(len(choice), np.inf, np.float32)  # squared distances
    found = {}
    for pair, wish in zip(pairs, wishes, strict=True):
        far = ((views[0] - wish) ** 2).sum(axis=-1)
        far[nearest < min(gap, float(nearest.max()))] = np.inf
        best = int(np.argmin(far))
        found[pair] = choice[best]
        gaps = ((views - views[:, best : best + 1]) ** 2).sum(axis=-1).min(axis=0)
        np.minimum(nearest, gaps, out=nearest)
    return found


@cache
def _choice() -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """(uint8 (n, 3) RGB, float32 (4, n, 3) CIELAB): what may be chosen, and how it is seen."""
    steps = np.arange(0, 256, 17).astype(np.uint8)
    grid = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3)
    views = seen(grid)
    lightness = views[0, :, 0]
    kept = (lightness >= _LIGHTNESS[0]) & (lightness <= _LIGHTNESS[1])
    return grid[kept], np.ascontiguousarray(views[:, kept], np.float32)
