"""What each operation of torch does to what a map sees and to where its cells lie.

Two things are followed. What a cell sees: low and high, see nets/facts.py. Where it lies: the
centre of its window, which for a cell that other maps go into as well is the centre in the map
that was pooled and enlarged least. The rules of lying, o a cell of the result, s the stride:

 - convolution and pooling, kernel k, dilation d, padding p: input cell o s + (k - 1) d / 2 - p
 - the transposed one: (o + p - (k - 1) d / 2) / s
 - bilinear and bicubic, ratio r = input / output: (o + 1/2) r - 1/2, and with align_corners
   o (in - 1) / (out - 1)
 - nearest: floor(o r), on average o r - (q - 1) / 2q for r = p / q in lowest terms
 - adaptive pools: (o + 1/2) r - 1/2, on average
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, NamedTuple, TypeAlias

import torch
from torch import Tensor

aten = torch.ops.aten

Pair: TypeAlias = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Field:
    """What one pixel of a map sees and where it lies, along y (the first of each pair) and x.

    low, high: first and last input pixel that pixel 0 sees (negative in the padding). step: input
    pixels from one pixel of the map to the next. middle: the input pixel that pixel 0 lies on (0 is
    the middle of the first). is_whole: it sees the whole picture, and the figures say how far it
    would see without that. is_enlarged: the map was enlarged on the way.
    """

    low: Pair = (0.0, 0.0)
    high: Pair = (0.0, 0.0)
    step: Pair = (1.0, 1.0)
    is_whole: bool = False
    is_enlarged: bool = False
    middle: Pair = (0.0, 0.0)

    @property
    def size(self) -> tuple[int, int]:
        """Input pixels seen, (height, width)."""
        y, x = (math.floor(b - a + 1e-6) + 1 for a, b in zip(self.low, self.high, strict=True))
        return y, x


class Line(NamedTuple):
    """A field along one axis."""

    low: float
    high: float
    step: float
    middle: float


def along(field: Field, change: Callable[[int, Line], Line], **more: bool) -> Field:
    """The field with each axis (0 is y) changed."""
    lines = [
        change(a, Line(field.low[a], field.high[a], field.step[a], field.middle[a]))
        for a in range(2)
    ]
    low, high, step, middle = ((y, x) for y, x in zip(*lines, strict=True))
    return replace(field, low=low, high=high, step=step, middle=middle, **more)


Rule: TypeAlias = Callable[[Field, tuple[Any, ...], Tensor], Field]
"""What the first argument sees, all arguments, the result -> what the result sees."""


def pair(value: Any, default: float = 0) -> Pair:  # noqa: ANN401  an int or a list
    """(y, x) of what torch takes as one number or two."""
    if isinstance(value, int | float):
        return value, value
    items = list(value)
    if not items:
        return default, default
    return (items[-2], items[-1]) if len(items) > 1 else (items[0], items[0])


def windowed(field: Field, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair) -> Field:
    """Convolution, pooling."""

    def change(a: int, at: Line) -> Line:
        reach = (kernel[a] - 1) * dilation[a]
        return Line(
            at.low - padding[a] * at.step,
            at.high + (reach - padding[a]) * at.step,
            at.step * stride[a],
            at.middle + (reach / 2 - padding[a]) * at.step,
        )

    return along(field, change)


def spread(field: Field, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair) -> Field:
    """Transposed convolution: output o gets from the inputs (o + p - k + 1) / s to (o + p) / s."""

    def change(a: int, at: Line) -> Line:
        reach = (kernel[a] - 1) * dilation[a]
        first = math.ceil((padding[a] - reach) / stride[a])
        last = math.floor((padding[a] + stride[a] - 1) / stride[a])
        return Line(
            at.low + first * at.step,
            at.high + last * at.step,
            at.step / stride[a],
            at.middle + (padding[a] - reach / 2) / stride[a] * at.step,
        )

    return along(field, change, is_enlarged=field.is_enlarged or max(stride) > 1)


def spaced(field: Field, before: Pair, after: Pair) -> Field:
    """The same stretch shared evenly by another number of cells; what they see stays."""

    def change(a: int, at: Line) -> Line:
        ratio = before[a] / after[a]
        return at._replace(step=at.step * ratio, middle=at.middle + (ratio - 1) / 2 * at.step)

    return along(field, change)


def moved(field: Field, by: Pair) -> Field:
    """Cell 0 of the result is cell `by` of the input."""

    def change(a: int, at: Line) -> Line:
        way = by[a] * at.step
        return Line(at.low + way, at.high + way, at.step, at.middle + way)

    return along(field, change)


def _convolution(field: Field, args: tuple[Any, ...], out: Tensor) -> Field:  # noqa: ARG001
    kernel = pair(list(args[1].shape[2:]), 1)
    rule = spread if args[6] else windowed
    return rule(field, kernel, pair(args[3]), pair(args[4]), pair(args[5]))


def _pool(field: Field, args: tuple[Any, ...], out: Tensor) -> Field:  # noqa: ARG001
    kernel = pair(args[1])
    stride = pair(args[2]) if len(args) > 2 and args[2] else kernel
    padding = pair(args[3]) if len(args) > 3 else (0, 0)
    return windowed(field, kernel, stride, padding, (1, 1))


def _max_pool(field: Field, args: tuple[Any, ...], out: Tensor) -> Field:  # noqa: ARG001
    kernel = pair(args[1])
    stride = pair(args[2]) if len(args) > 2 and args[2] else kernel
    padding = pair(args[3]) if len(args) > 3 else (0, 0)
    return windowed(field, kernel, stride, padding, pair(args[4]) if len(args) > 4 else (1, 1))


def _adaptive(field: Field, args: tuple[Any, ...], out: Tensor) -> Field:
    before, after = pair(args[0].shape[-2:]), pair(out.shape[-2:])
    if before == after:
        return field
    lying = spaced(field, before, after)
    if min(after) == 1:
        return replace(lying, is_whole=True)
    kernel = tuple(
        math.ceil(b / a) + (1 if b % a else 0) for b, a in zip(before, after, strict=True)
    )
    stride = tuple(b / a for b, a in zip(before, after, strict=True))
    seen = windowed(field, pair(kernel), pair(stride), (0, 0), (1, 1))
    return replace(seen, middle=lying.middle)


def _enlarged(field: Field, args: tuple[Any, ...], out: Tensor) -> Field:
    """Linear enlargement: a pixel between two sees both."""
    before, after = args[0].shape[-2:], out.shape[-2:]
    aligned = len(args) > 2 and bool(args[2])
    given = _scales(args[3:])

    def change(a: int, at: Line) -> Line:
        n, m = int(before[a]), int(after[a])
        ratio = n / m if given[a] is None else 1 / float(given[a] or 1)
        start = (ratio - 1) / 2
        if aligned and m > 1 and n > 1:
            ratio, start = (n - 1) / (m - 1), 0.0
        blur = at.step if n > 1 else 0.0
        return Line(
            at.low - (blur if m > n else 0),
            at.high + (blur if m != n else 0),
            at.step * ratio,
            at.middle + start * at.step,
        )

    return along(field, change, is_enlarged=field.is_enlarged or tuple(after) > tuple(before))


def _repeated(*, exact: bool = False) -> Rule:
    """Nearest enlargement (exact: from the middle of the pixel), unpooling, pixel shuffle."""

    def rule(field: Field, args: tuple[Any, ...], out: Tensor) -> Field:
        before, after = args[0].shape[-2:], out.shape[-2:]
        given = _scales(args[2:])

        def change(a: int, at: Line) -> Line:
            ratio = Fraction(int(before[a]), int(after[a]))
            if given[a] is not None:
                ratio = 1 / Fraction(float(given[a] or 1)).limit_denominator(1000)
            q = ratio.denominator
            start: Fraction = -Fraction(q - 1, 2 * q)
            if exact:
                start = ratio / 2 - (Fraction(1, 2) if ratio.numerator % 2 else -start)
            return at._replace(
                step=at.step * float(ratio), middle=at.middle + float(start) * at.step
            )

        grown = field.is_enlarged or after[0] > before[0]
        return along(field, change, is_enlarged=grown)

    return rule


def _scales(args: tuple[Any, ...]) -> tuple[float | None, float | None]:
    """The factors that were asked for; torch calculates with those rather than with the sizes."""
    if len(args) < 2 or not all(isinstance(v, float) for v in args[:2]):
        return None, None
    return args[0], args[1]


def _unshuffled(field: Field, args: tuple[Any, ...], out: Tensor) -> Field:  # noqa: ARG001
    block = pair(args[1])
    return windowed(field, block, block, (0, 0), (1, 1))


PLAIN: dict[Any, Rule] = {
    aten.convolution: _convolution,
    aten.max_pool2d_with_indices: _max_pool,
    aten.avg_pool2d: _pool,
    aten._adaptive_avg_pool2d: _adaptive,
    aten.adaptive_max_pool2d: _adaptive,
    aten.upsample_bilinear2d: _enlarged,
    aten.upsample_bicubic2d: _enlarged,
    aten._upsample_bilinear2d_aa: _enlarged,
    aten._upsample_bicubic2d_aa: _enlarged,
    aten.upsample_nearest2d: _repeated(),
    aten._upsample_nearest_exact2d: _repeated(exact=True),
    aten.max_unpool2d: _repeated(),
    aten.pixel_shuffle: _repeated(),
    aten.pixel_unshuffle: _unshuffled,
}
"""Operations on maps whose rows and columns are the last two dimensions."""
