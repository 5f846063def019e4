"""A curve over the frames of a clip, filled down to its ground, as one picture.

NumPy, column by column: a smooth line of a thousand points takes QPainter 10 ms at every paint,
this takes one, and only when the figures are new.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

LINE = 1.2
"""Logical pixels across."""

FILL = 0.28
"""Opacity below the line."""


def heights(values: Floats, width: int, near: float) -> Floats:
    """float32 (width,): the greatest of the values (n,) that share a column, NaN where none is.

    Frame 0 is the first column, the last frame the last one. Columns between frames no further
    apart than `near` frames lie on a straight line.
    """
    result = np.full(width, np.nan, np.float32)
    known = np.flatnonzero(~np.isnan(values))
    if not len(known):
        return result
    step = (width - 1) / max(1, len(values) - 1)
    column = np.round(known * step).astype(np.int64)
    np.fmax.at(result, column, values[known])
    have = np.flatnonzero(~np.isnan(result))
    joined = np.interp(np.arange(width), have, result[have]).astype(np.float32)
    gaps = np.flatnonzero(np.diff(known) > near)
    for first, last in zip(column[gaps], column[gaps + 1], strict=True):
        joined[first + 1 : last] = np.nan
    joined[: have[0]] = joined[have[-1] + 1 :] = np.nan
    return joined


def filled(
    shares: Floats, high: int, color: tuple[int, int, int], ratio: float
) -> NDArray[np.uint8]:
    """uint8 (high, width, 4) RGBA of heights (width,), 0..1 of the picture's; NaN is nothing.

    high: device pixels; ratio: how many of them are a logical one.
    """
    top = (1 - np.clip(shares, 0, 1)) * (high - LINE * ratio) + LINE * ratio / 2
    # The line reaches halfway to the columns beside it: steep parts have no holes.
    left = np.concatenate([top[:1], (top[1:] + top[:-1]) / 2])
    right = np.concatenate([(top[1:] + top[:-1]) / 2, top[-1:]])
    upper = np.fmin(np.fmin(left, right), top) - LINE * ratio / 2
    lower = np.fmax(np.fmax(left, right), top) + LINE * ratio / 2
    row = np.arange(high, dtype=np.float32)[:, None]
    line = np.clip(np.minimum(row + 1, lower) - np.maximum(row, upper), 0, 1)
    below = np.clip(row + 1 - top, 0, 1) * FILL
    alone = np.isnan(left) & np.isnan(right)
    below[:, alone] /= FILL  # one frame by itself is a line down to the ground
    picture = np.empty((high, len(shares), 4), np.uint8)
    picture[..., :3] = color
    picture[..., 3] = np.nan_to_num(np.maximum(line, below) * 255 + 0.5).astype(np.uint8)
    return picture
