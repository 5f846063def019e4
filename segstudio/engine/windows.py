"""A picture gone through in windows, and the answers put together again.

Sliding windows overlap, and their answers fade into each other. A window's outermost pixels see
zeros where the picture goes on, so the outer quarter of an overlap counts for nothing, the inner
quarter fully, and what lies between them rises linearly: the weights of two neighbours sum to
one. A net whose receptive field reaches no further than a quarter of the overlap answers exactly
as for the whole picture.

Mirrored tiles (overlap-tile; Ronneberger, Fischer, Brox, "U-Net", MICCAI 2015, Figure 2): the
picture is mirrored around its borders and only the middle of each tile is taken, unchanged. A net
of valid convolutions wants that margin anyway; one that pads with zeros gets `context` pixels.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

Forward = Callable[[Tensor], Tensor]
"""float (1, 3, h, w) with the net's margin -> float32 (C, a, b)."""

_STRIDES = (1, 2, 4, 8, 16, 32, 64)


@dataclass(frozen=True, slots=True)
class Windows:
    """Where windows lie. tile: (h, w). overlap: pixels shared by neighbours, per side; of mirrored
    tiles twice the context. is_mirrored: see the module. multiple: what windows start on, so that
    each meets the strides of the net as the whole picture does.
    """

    tile: tuple[int, int]
    overlap: tuple[int, int]
    multiple: int
    is_mirrored: bool = False

    def context(self) -> tuple[int, int]:
        """(rows, columns) mirrored around the picture beyond the net's own margin."""
        if not self.is_mirrored:
            return 0, 0
        return self.overlap[0] // 2, self.overlap[1] // 2


def mirrored(x: Tensor, rows: int, cols: int | None = None) -> Tensor:
    """(N, C, H, W) -> (N, C, H + 2 rows, W + 2 cols), mirrored at the edge pixels, which are not
    repeated; as often as a small picture needs it.
    """
    for dim, border in ((2, rows), (3, rows if cols is None else cols)):
        if border:
            x = x.index_select(dim, _reflected(x.shape[dim], border, x.device))
    return x


def _reflected(side: int, border: int, device: torch.device) -> Tensor:
    """Source positions of -border … side + border - 1; a triangle wave."""
    if side == 1:
        return torch.zeros(1 + 2 * border, dtype=torch.long, device=device)
    at = torch.arange(-border, side + border, device=device) % (2 * (side - 1))
    return torch.minimum(at, 2 * (side - 1) - at)


def covered(
    x: Tensor,
    forward: Forward,
    windows: Windows,
    *,
    align_corners: bool,
    margin: int = 0,
    softmax: bool = False,
) -> Tensor:
    """float (1, 3, H, W) -> float32 (C, h, w), the answer for the whole picture.

    h, w: the net's stride where windows meet its cells exactly, else H, W. margin: the net's own.
    softmax: blend probabilities instead of logits and return their logarithm.
    """
    rows, cols = windows.context()
    canvas = mirrored(x, rows + margin, cols + margin)
    full = (x.shape[2] + 2 * rows, x.shape[3] + 2 * cols)
    tops, lefts = _starts(full[0], 0, windows), _starts(full[1], 1, windows)
    total: Tensor | None = None
    axes: tuple[_Axis, _Axis] | None = None
    for y in tops:
        for left in lefts:
            tall, wide = (t + 2 * margin for t in windows.tile)
            part = forward(canvas[:, :, y : y + tall, left : left + wide])
            if axes is None or total is None:
                axes = _axes(full, (tops, lefts), part, windows, align_corners=align_corners)
                shape = (part.shape[0] + 1, axes[0].cells(full[0]), axes[1].cells(full[1]))
                total = torch.zeros(shape, device=part.device)
            if softmax:
                part = part.softmax(0)
            _add(total, part, (y, left), axes, align_corners=align_corners)
    assert total is not None
    assert axes is not None
    total = total[:, _inner(axes[0], rows, total.shape[1]), _inner(axes[1], cols, total.shape[2])]
    mean = total[:-1] / total[-1]
    return mean.clamp_min_(1e-12).log_() if softmax else mean


@dataclass(frozen=True, slots=True)
class _Axis:
    """Cells along one side. stride: pixels a cell. full: pixels of the side, with its context."""

    stride: int
    full: int
    tile: int
    overlap: int
    align_corners: bool
    is_mirrored: bool

    def cells(self, side: int) -> int:
        """How many cells cover that many pixels."""
        return -(-side // self.stride)

    def weights(self, start: int, device: torch.device) -> Tensor:
        """float32 (cells of a tile,): what a window's answers count."""
        at = torch.arange(self.cells(self.tile), device=device) * self.stride
        at = at + (0.5 if self.align_corners else self.stride / 2)
        before = at if start else torch.full_like(at, math.inf)
        is_last = start + self.tile >= self.full
        after = torch.full_like(at, math.inf) if is_last else self.tile - at
        reach = torch.minimum(before, after)
        if self.overlap == 0:
            return torch.ones_like(at)
        quarter = self.overlap / 4
        if self.is_mirrored:
            return (reach > self.overlap / 2).float()
        return ((reach - quarter) / (self.overlap - 2 * quarter)).clamp(0, 1)


def _axes(
    full: tuple[int, int],
    starts: tuple[list[int], list[int]],
    part: Tensor,
    windows: Windows,
    *,
    align_corners: bool,
) -> tuple[_Axis, _Axis]:
    sides = windows.tile
    strides = [_stride(t, n, align_corners) for t, n in zip(sides, part.shape[1:], strict=True)]
    fits = all(
        s is not None and context % s == 0 and not any(start % s for start in places)
        for s, context, places in zip(strides, windows.context(), starts, strict=True)
    )
    y, x = (
        _Axis(s if fits and s else 1, f, t, o, align_corners, windows.is_mirrored)
        for s, f, t, o in zip(strides, full, sides, windows.overlap, strict=True)
    )
    return y, x


def _stride(side: int, cells: int, align_corners: bool) -> int | None:  # noqa: FBT001
    """Pixels a cell when cells meet pixels exactly; None when they do not."""
    for stride in _STRIDES:
        if align_corners and (side - 1) == stride * (cells - 1):
            return stride
        if not align_corners and side == stride * cells:
            return stride
    return None


def _add(
    total: Tensor,
    part: Tensor,
    start: tuple[int, int],
    axes: tuple[_Axis, _Axis],
    *,
    align_corners: bool,
) -> None:
    cells = (axes[0].cells(axes[0].tile), axes[1].cells(axes[1].tile))
    if part.shape[1:] != cells:
        part = F.interpolate(part[None], cells, mode="bilinear", align_corners=align_corners)[0]
    y, x = start[0] // axes[0].stride, start[1] // axes[1].stride
    weight = axes[0].weights(start[0], part.device)[:, None] * axes[1].weights(
        start[1], part.device
    )
    at = total[:, y : y + cells[0], x : x + cells[1]]
    at[:-1] += part * weight
    at[-1] += weight


def _inner(axis: _Axis, context: int, cells: int) -> slice:
    skip = context // axis.stride
    return slice(skip, cells - skip)


def _starts(full: int, axis: int, windows: Windows) -> list[int]:
    """First pixels of the windows along one side; multiples of `multiple`, the last one flush."""
    length, overlap, m = windows.tile[axis], windows.overlap[axis], windows.multiple
    step = max(m, (length - overlap) // m * m)
    last = full - length
    return [*range(0, last, step), last]
