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

GAP_OF_ALL_COLORS = 12.5
"""The same for who sees all colours."""

GAP_OF_KIN = 22.0
"""The same again, for two pairs that share a class: what is seen side by side at one border."""

FROM_GREY = 2.0
"""How many gaps a pair stays away from the grey of all others."""

ROOM = 132
"""Pairs of 11 classes and void."""

MOST = 36
"""With more classes there is no room to keep pairs apart: 150 of them have 22,350 pairs. They get
the plain mix."""

_LIGHTNESS = (25.0, 95.0)
"""Colours outside it would pass for shadow or glare of the picture beneath."""


def colors(pairs: Sequence[Pair], palette: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """uint8 (256, 3) RGB, row = code of core.differing.Difference; black where nothing differs.

    palette: uint8 (256, 3), class id → RGB, black for what the set does not have.
    """
    ids = {int(i) for i in np.flatnonzero(palette.any(axis=1))} | {VOID}
    ids |= {i for pair in pairs for i in pair[:2]}
    table = np.zeros((256, 3), np.uint8)
    table[OTHERS] = GREY
    if len(ids) > MOST:
        for code, (i, j, _) in enumerate(pairs[:OTHERS]):
            table[code] = (palette[i].astype(np.int64) + 2 * palette[j].astype(np.int64) + 1) // 3
        return table
    known = _of_all(tuple(sorted(ids)), palette.tobytes())
    for code, (i, j, _) in enumerate(pairs[:OTHERS]):
        table[code] = known[i, j]
    return table


@lru_cache(maxsize=8)
def _of_all(ids: tuple[int, ...], packed: bytes) -> dict[tuple[int, int], NDArray[np.uint8]]:
    """Every pair of those classes in turn takes what is free and nearest to its mix.

    Measured: 80 ms for 11 classes, 250 ms for 19, once for each class set.
    """
    palette = np.frombuffer(packed, np.uint8).reshape(256, 3).astype(np.int64)
    pairs = [(i, j) for i in ids for j in ids if i != j]
    mixes = np.array([(palette[i] + 2 * palette[j] + 1) // 3 for i, j in pairs], np.uint8)
    wishes = seen(mixes)[0].astype(np.float32)
    choice, views = _choice()
    grey = seen(np.array([GREY], np.uint8)).astype(np.float32)
    closer = min(1.0, ROOM / len(pairs))
    # Squared distances in gaps: 1 and more is far enough.
    nearest = _gaps(views, grey)[0] / (closer * FROM_GREY**2)
    kin = {i: np.full(len(choice), np.inf, np.float32) for i in ids}
    found = {}
    for pair, wish in zip(pairs, wishes, strict=True):
        free = np.minimum(nearest, np.minimum(kin[pair[0]], kin[pair[1]]))
        far = ((views[0] - wish) ** 2).sum(axis=-1)
        far[free < min(1.0, float(free.max()))] = np.inf
        best = int(np.argmin(far))
        found[pair] = choice[best]
        gaps, gaps_of_kin = _gaps(views, views[:, best : best + 1])
        np.minimum(nearest, gaps / closer, out=nearest)
        for i in pair:
            np.minimum(kin[i], gaps_of_kin / closer, out=kin[i])
    return found


def _gaps(
    views: NDArray[np.float32], one: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(4, n, 3) from (4, 1, 3): squared, in gaps of any two pairs, and in gaps of kin; (n,) each.

    The first of the four views is that of who sees all colours.
    """
    squares = ((views - one) ** 2).sum(axis=-1)
    of_all = squares[0] / np.float32(GAP_OF_ALL_COLORS**2)
    for_everybody = squares[1:].min(axis=0) / np.float32(GAP**2)
    return np.minimum(of_all, for_everybody), squares[0] / np.float32(GAP_OF_KIN**2)


@cache
def _choice() -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """(uint8 (n, 3) RGB, float32 (4, n, 3) CIELAB): what may be chosen, and how it is seen."""
    steps = np.arange(0, 256, 17).astype(np.uint8)
    grid = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3)
    views = seen(grid)
    lightness = views[0, :, 0]
    kept = (lightness >= _LIGHTNESS[0]) & (lightness <= _LIGHTNESS[1])
    return grid[kept], np.ascontiguousarray(views[:, kept], np.float32)
