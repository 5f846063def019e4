"""Where rows and columns go in one operation, and what is known of its result.

A tensor remembers which of its dimensions are rows and columns, so that maps which become tokens
(N, h w, C) or put their channels last, and come back, still know where they lie. How cells move is
said by nets/field_rules.py.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from segstudio.nets import field_rules as rules
from segstudio.nets.field_rules import Field

aten = torch.ops.aten

Cells = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one tensor.

    cells: rows and columns of the map, None when they got lost. axes: its dimensions that are rows
    and columns; one where both are one dimension, row by row; () when they are hidden. doubt: of
    where they lie; 0 plainly convolved, 1 enlarged on the way, 2 pooled over the whole picture.
    """

    field: Field
    cells: Cells | None
    axes: tuple[int, ...] = ()
    doubt: int = 0


def after(
    packet: Any,  # noqa: ANN401  an operation of torch.ops.aten
    known: list[Known],
    seen: list[Tensor],
    args: tuple[Any, ...],
    out: Tensor,
) -> Known:
    """What is known of a result. known: of the tensors `seen` among the arguments."""
    first, before = known[0], seen[0]
    if packet in rules.PLAIN:
        return _ruled(rules.PLAIN[packet](first.field, args, out), first, before, out)
    if packet in _LAYOUTS:
        return _laid_out(first, before.shape, out, _LAYOUTS[packet](first, before, args, out))
    if packet in _PADS:
        return _padded(first, before, args, out)
    if packet is aten.slice:
        return _sliced(first, before, args, out)
    if packet in _COPIES and first.cells is not None and len(first.axes) == 2:
        return _copied(first, before, out)
    if packet in _REDUCE:
        return _reduced(first, before, args, out)
    if packet in _MIX_ALL and len(seen) > 1:  # the query says where
        return _joined([first], [before], replace(first.field, is_whole=True), out)
    return _joined(known, seen, _union([k.field for k in known]), out)


def _ruled(field: Field, first: Known, before: Tensor, out: Tensor) -> Known:
    """After an operation on the last two dimensions."""
    axes = (out.dim() - 2, out.dim() - 1)
    if first.axes == (before.dim() - 2, before.dim() - 1):
        doubt = max(first.doubt, _doubt(before.shape[-2:], out.shape[-2:]))
        return Known(field, sides(out.shape, axes), axes, doubt)
    if len(first.axes) == 1 and out.shape[-1] == before.shape[-1]:  # a convolution over tokens
        return replace(first, field=field)
    return Known(field, None)


def _doubt(before: torch.Size, after: torch.Size) -> int:
    if min(after) == 1 < max(before):
        return 2
    return int(after[0] > before[0] or after[1] > before[1])


def sides(shape: torch.Size | tuple[int, ...], axes: tuple[int, ...]) -> Cells | None:
    if len(axes) != 2:
        return None
    return int(shape[axes[0]]), int(shape[axes[1]])


def _fits(known: Known, axes: tuple[int, ...], shape: torch.Size) -> bool:
    """Whether these dimensions are the rows and columns of that map."""
    if known.cells is None or not axes or min(axes) < 0 or max(axes) >= len(shape):
        return False
    if len(axes) == 1:
        return int(shape[axes[0]]) == known.cells[0] * known.cells[1]
    return sides(shape, axes) == known.cells


def _found(known: Known, shape: torch.Size) -> tuple[int, ...]:
    """Dimensions that look like the rows and columns of a map whose layout was hidden."""
    n = len(shape)
    pairs = [(n - 2, n - 1), *((i, i + 1) for i in range(1, n - 2))]
    flat = [(i,) for i in range(n - 1, -1, -1)]
    return next((axes for axes in [*pairs, *flat] if _fits(known, axes, shape)), ())


def _laid_out(first: Known, before: torch.Size, out: Tensor, axes: tuple[int, ...]) -> Known:
    """After a change of layout; axes: () when rows and columns are hidden."""
    if axes:
        return replace(first, axes=axes)
    if first.axes and out.shape != before:  # windows, heads: they may come back
        rescaled = _rescaled(first, out)
        return rescaled or replace(first, axes=())
    return replace(first, axes=_found(first, out.shape)) if not first.axes else first


def _rescaled(first: Known, out: Tensor) -> Known | None:
    """Blocks of cells put into channels or taken out of them by reshaping alone."""
    if first.cells is None or out.dim() != 4 or out.shape[0] != 1:
        return None
    for axes in ((2, 3), (1, 2)):
        h, w = out.shape[axes[0]], out.shape[axes[1]]
        ratio = first.cells[0] / max(h, 1)
        is_whole_number = ratio in (2, 4, 8, 0.5, 0.25)
        if is_whole_number and first.cells[1] == ratio * w:
            field = rules.spaced(first.field, first.cells, (h, w))
            return replace(first, field=field, cells=(h, w), axes=axes)
    return None


def _viewed(first: Known, before: Tensor, args: tuple[Any, ...], out: Tensor) -> tuple[int, ...]:  # noqa: ARG001
    """Row-major order stays: rows and columns begin where as many numbers lie before them."""
    if first.cells is None or not first.axes or not _adjacent(first.axes):
        return ()
    start = math.prod(before.shape[: first.axes[0]])
    for i in range(out.dim()):
        if math.prod(out.shape[:i]) != start:
            continue
        for axes in ((i, i + 1), (i,)):
            if _fits(first, axes, out.shape):
                return axes
    return ()


def _adjacent(axes: tuple[int, ...]) -> bool:
    return len(axes) == 1 or axes[1] == axes[0] + 1


def _permuted(first: Known, before: Tensor, args: tuple[Any, ...], out: Tensor) -> tuple[int, ...]:  # noqa: ARG001
    order = [int(d) % before.dim() for d in args[1]]
    return tuple(order.index(a) for a in first.axes)


def _transposed(
    first: Known,
    before: Tensor,
    args: tuple[Any, ...],
    out: Tensor,  # noqa: ARG001
) -> tuple[int, ...]:
    a, b = (int(d) % before.dim() for d in (args[1:3] if len(args) > 2 else (0, 1)))
    return tuple({a: b, b: a}.get(axis, axis) for axis in first.axes)


def _padded(first: Known, before: Tensor, args: tuple[Any, ...], out: Tensor) -> Known:
    """Pixel 0 moves into the padding; `pad` names the last dimension first."""
    pad = list(args[1])
    axes = first.axes if len(first.axes) == 2 else (before.dim() - 2, before.dim() - 1)
    places = [2 * (before.dim() - 1 - axis) for axis in axes]
    top, left = (-pad[i] if i < len(pad) else 0 for i in places)
    field = rules.moved(first.field, (top, left))
    if len(first.axes) == 2:
        return replace(first, field=field, cells=sides(out.shape, axes))
    return replace(first, field=field)


def _sliced(first: Known, before: Tensor, args: tuple[Any, ...], out: Tensor) -> Known:
    dim = int(args[1]) % before.dim() if len(args) > 1 else 0
    start = args[2] if len(args) > 2 and args[2] is not None else 0
    stride = int(args[4]) if len(args) > 4 else 1
    if dim not in first.axes or len(first.axes) != 2:
        axes = first.axes if _fits(first, first.axes, out.shape) else _found(first, out.shape)
        return replace(first, axes=axes)
    axis = first.axes.index(dim)
    start = max(0, int(start) if start >= 0 else int(start) + before.shape[dim])
    field = rules.moved(first.field, (start, 0) if axis == 0 else (0, start))
    y, x = field.step
    if stride != 1 and out.shape != before.shape:
        field = replace(field, step=(y * stride, x) if axis == 0 else (y, x * stride))
    return replace(first, field=field, cells=sides(out.shape, first.axes))


def _reduced(first: Known, before: Tensor, args: tuple[Any, ...], out: Tensor) -> Known:
    """Channels, or rows and columns, which then lie over the whole map."""
    dims = args[1] if len(args) > 1 else None
    listed = [dims] if isinstance(dims, int) else list(dims or range(before.dim()))
    gone = {int(d) % max(before.dim(), 1) for d in listed}
    hit = gone.intersection(first.axes or ((2, 3) if before.dim() == 4 else ()))
    if not hit or out.dim() == 0:
        return _joined([first], [before], first.field, out)
    field = replace(first.field, is_whole=True)
    if len(first.axes) != 2 or first.cells is None:
        return Known(field, (1, 1), doubt=2)
    after = tuple(1 if a in gone else n for a, n in zip(first.axes, first.cells, strict=True))
    field = rules.spaced(field, first.cells, (after[0], after[1]))
    axes = first.axes if out.dim() == before.dim() else ()
    return Known(field, (after[0], after[1]), axes, doubt=2)


def _copied(first: Known, before: Tensor, out: Tensor) -> Known:
    """One cell copied to many; they share its place evenly."""
    axes = tuple(a + out.dim() - before.dim() for a in first.axes)
    cells = sides(out.shape, axes)
    if cells is None or first.cells is None:
        return first
    field = rules.spaced(first.field, first.cells, cells)
    return replace(first, field=field, cells=cells, axes=axes)


def _joined(known: list[Known], seen: list[Tensor], union: Field, out: Tensor) -> Known:
    """After anything else: it sees the union, and lies where those of as many cells lie.

    Of these the maps that were pooled and enlarged least say where, each as much as the other.
    """
    placed = []
    for one, tensor in zip(known, seen, strict=True):
        axes = _kept(one, tensor, out)
        if axes:
            placed.append((one, axes))
    if not placed:
        best = min(known, key=lambda k: k.doubt)
        return Known(union, best.cells, () if best.axes else _found(best, out.shape), best.doubt)
    least = min(one.doubt for one, _ in placed)
    leading = [(one, axes) for one, axes in placed if one.doubt == least]
    one, axes = leading[0]
    alike = [k.field.middle for k, _ in leading if k.field.step == one.field.step]
    y, x = (sum(values) / len(alike) for values in zip(*alike, strict=True))
    return Known(replace(union, middle=(y, x), step=one.field.step), one.cells, axes, least)


def _kept(known: Known, tensor: Tensor, out: Tensor) -> tuple[int, ...]:
    """Where the rows and columns of an argument are in the result, () when they are not."""
    for shift in dict.fromkeys((out.dim() - tensor.dim(), 0)):
        axes = tuple(a + shift for a in known.axes)
        if _fits(known, axes, out.shape):
            return axes
    return ()


def _union(known: list[Field]) -> Field:
    """What a pixel that depends on pixels of all these maps sees."""
    widest = max(known, key=lambda f: f.high[0] - f.low[0])
    return Field(
        (min(f.low[0] for f in known), min(f.low[1] for f in known)),
        (max(f.high[0] for f in known), max(f.high[1] for f in known)),
        widest.step,
        any(f.is_whole for f in known),
        any(f.is_enlarged for f in known),
        widest.middle,
    )


_LAYOUTS: dict[Any, Callable[[Known, Tensor, tuple[Any, ...], Tensor], tuple[int, ...]]] = {
    aten.view: _viewed,
    aten._unsafe_view: _viewed,
    aten._reshape_alias: _viewed,
    aten.reshape: _viewed,
    aten.squeeze: _viewed,
    aten.unsqueeze: _viewed,
    aten.flatten: _viewed,
    aten.permute: _permuted,
    aten.transpose: _transposed,
    aten.t: _transposed,
}

_PADS = {aten.constant_pad_nd, aten.reflection_pad2d, aten.replication_pad2d}

_COPIES = {aten.expand, aten.repeat}

_MIX_ALL = {
    aten.bmm,
    aten.baddbmm,
    aten._scaled_dot_product_flash_attention_for_cpu,
    aten._scaled_dot_product_efficient_attention,
    aten._scaled_dot_product_fused_attention_overrideable,
    aten._fused_sdp_choice,
}
"""Two activations multiplied: every token meets every other."""

_REDUCE = {aten.mean, aten.sum, aten.amax, aten.max}
"""Over rows and columns, or over channels; aten.max of two tensors is none."""
