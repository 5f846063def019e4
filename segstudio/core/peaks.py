"""Frames of a clip that stand out among those around them."""

import numpy as np
from numpy.typing import NDArray

REACH = 12
"""Frames to either side that a peak is the highest of: half a second of film."""

SHARE = 0.01
"""The same as a part of the clip, where that is more: peaks are for going from one to the next."""

SPREAD = 3.0
"""How many times the usual distance from the median a peak is above it."""

LEAST = 0.002
"""And how much above it at least: of an even clip nothing stands out."""


def peaks(values: NDArray[np.float32]) -> NDArray[np.int64]:
    """Indices, in order, of values (n,) that stand out; NaN where there is none.

    The usual distance is the median of the distances from the median, which peaks do not move. A
    peak has frames on both sides, and it goes up to it: how a clip begins is none.
    """
    known = np.flatnonzero(~np.isnan(values))
    if not len(known):
        return known.astype(np.int64)
    heights = values[known]
    middle = float(np.median(heights))
    usual = float(np.median(np.abs(heights - middle)))
    reach = max(REACH, round(SHARE * len(values)))
    found: list[int] = []
    for place in np.flatnonzero(heights >= middle + max(SPREAD * usual, LEAST)):
        index = known[place]
        around = values[max(0, index - reach) : index + reach + 1]
        is_new = not found or index - found[-1] > reach
        first = min(place - 1, int(np.searchsorted(known, index - reach)))
        has_sides = 0 < place < len(known) - 1 and heights[first:place].min() < values[index]
        if is_new and has_sides and values[index] >= np.nanmax(around):
            found.append(int(index))
    return np.array(found, np.int64)
