"""What a chart of a run shows: lines and the scale that they lie in; no widgets, no pyqtgraph."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segstudio.ui.training.run_record import Curve

Color = tuple[int, int, int]

MEMORY = 8
"""Reported losses over which the smooth line remembers: noise of single batches goes."""

BINS = 240
"""Of a line that has more points than a chart has columns; each keeps its lowest and highest."""

LEAVES_OUT = 98
"""Percentile of a loss up to which the scale reaches; what is higher leaves the chart at its top,
as the first steps of a fresh classifier do.
"""


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """steps, values: (n,), NaN is a gap. color: (r, g, b), or the name of a theme's colour."""

    name: str
    steps: NDArray[np.int64]
    values: NDArray[np.float64]
    color: tuple[int, int, int] | str
    width: float = 1.5
    opacity: float = 1.0


@dataclass(frozen=True, slots=True)
class Scale:
    """From step 0 to `right`, and from low to high with (value, text) beside it."""

    right: float
    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]


def readable(color: Color, ground: Color) -> Color:
    """The colour, as far from the ground as a thin line must be: 2.2 : 1, W3C's contrast.

    Class colours are made for areas over a picture; dark ones vanish as lines in a dark theme.
    """
    aim = (255, 255, 255) if _luminance(ground) < 0.18 else (0, 0, 0)
    for share in (0.0, 0.15, 0.3, 0.45, 0.6, 0.75):
        mixed = tuple(round(c + share * (a - c)) for c, a in zip(color, aim, strict=True))
        high, low = sorted((_luminance(mixed), _luminance(ground)), reverse=True)
        if (high + 0.05) / (low + 0.05) >= 2.2:
            break
    return mixed[0], mixed[1], mixed[2]


def _luminance(color: Sequence[int]) -> float:
    """Relative, 0..1, of sRGB."""
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4
              for v in (c / 255 for c in color)]  # fmt: skip
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def smooth(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """float64 (n,): running average, short at first; NaN where a value is."""
    result, mean, seen = np.full(len(values), math.nan), 0.0, 0
    for number, value in enumerate(values.tolist()):
        if value == value:
            seen += 1
            mean += (value - mean) * max(1 / seen, 2 / (MEMORY + 1))
            result[number] = mean
    return result


def thinned(curve: Curve) -> Curve:
    """As many points as can be seen: 5000 of them took 70 ms to paint, these take 20."""
    steps, values = curve
    if len(steps) <= 2 * BINS:
        return curve
    kept = []
    for part in np.array_split(np.arange(len(steps)), BINS):
        known = part[~np.isnan(values[part])]
        low_high = (np.argmin(values[known]), np.argmax(values[known])) if known.size else ()
        kept += sorted({int(known[at]) for at in low_high} or {int(part[0])})
    return steps[kept], values[kept]


def loss_lines(loss: Curve) -> tuple[Line, ...]:
    """What each batch said, faint, and the running average over it."""
    over = loss[0], smooth(loss[1])
    return (
        Line("each batch", *thinned(loss), "accent", 1.0, 0.3),
        Line("smooth", *thinned(over), "accent", 2.0),
    )


def loss_scale(loss: Curve, right: float) -> Scale:
    """From zero, as far as most of it reaches."""
    known = loss[1][~np.isnan(loss[1])]
    low = min(0.0, float(known.min())) if known.size else 0.0
    return _scale(right, low, float(np.percentile(known, LEAVES_OUT)) if known.size else 1.0)


def rate_scale(lr: Curve, right: float) -> Scale:
    """From zero to its peak."""
    known = lr[1][~np.isnan(lr[1])]
    return _scale(right, 0.0, float(known.max()) if known.size else 1.0)


def iou_scale(curves: Sequence[Curve], right: float) -> Scale:
    """In percent, from the round figure below everything that is shown to the one above."""
    known = np.concatenate([c[1][~np.isnan(c[1])] for c in curves] or [np.empty(0)])
    first = math.floor(10 * float(known.min())) if known.size else 0  # in tenths
    last = math.ceil(10 * float(known.max()) - 1e-9) if known.size else 10
    first = max(0, min(first, last - 2))
    last = max(last, first + 2)
    step = 1 if last - first <= 5 else 2
    ticks = tuple((n / 10, f"{10 * n} %") for n in range(first, last + 1, step))
    low, high = first / 10, last / 10
    return Scale(right, low, high, ticks)


def _scale(right: float, low: float, high: float) -> Scale:
    """Three or four round figures from low to high."""
    span = high - low
    if span <= max(1e-12, 1e-9 * abs(low)):  # flat, as far as anybody can see
        low, span = low - 0.5, 1.0
    power = 10.0 ** math.floor(math.log10(span / 3))
    step = next(k * power for k in (1, 2, 2.5, 5, 10) if span / (k * power) <= 4)
    first = math.floor(low / step)
    last = math.ceil((low + span) / step - 1e-9)
    ticks = tuple((n * step, f"{n * step:.6g}") for n in range(first, last + 1))
    return Scale(right, first * step, last * step, ticks)
