"""What a view of a layer learns from a frame and may keep: ranges, a basis, groups.

Fits look at a few thousand cells, on the CPU and in float64; they take milliseconds. What was
fitted is put to the cells where the layer's answer is, in float32.

Cells at the rim see the zeros of the padding as much as the picture. In deep layers they can be
ten times as strong as all others and more than one in a hundred, so no fit looks at them.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from segstudio.core.look import Scale

FIT_CELLS = 4096
"""As many cells tell the components and groups of a layer."""

RANGE_CELLS = 16384
"""Percentiles of larger maps are those of so many of its cells."""

PERCENTILES = (0.01, 0.99)

RIM = 3
"""Cells on each side that fits pass over; fewer on maps of under 48 rows or columns, from 15 down
none. A few convolutions of 3×3 carry the padding so far."""

COMPONENTS = 3
"""Red, green and blue."""

Size = tuple[int, int]
"""(h, w) in cells."""

_GOLDEN = 0.6180339887498949
_SEED = 6
_FULL_CHANNELS = 512  # an eigendecomposition of more takes over 0.1 s
_SUBSPACE, _ROUNDS = 8, 16
_LLOYD = 16
_PART = 2**20  # numbers of half precision that are widened at a time: 4 MiB


@dataclass(frozen=True, slots=True, eq=False)
class Basis:
    """Principal components. mean: float64 (C,). axes: float64 (C, 3), unit columns or zero."""

    mean: Tensor
    axes: Tensor

    @property
    def is_flat(self) -> bool:
        """All cells were alike."""
        return not bool(self.axes.any())

    def of(self, cells: Tensor) -> Tensor:
        """(C, n) → float32 (3, n): (cell - mean) @ axes."""
        return projected(self.axes.T, -(self.mean @ self.axes), cells)


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """Centres of k-means. centres: float64 (k, C). mean: float64 (C,), of all cells."""

    centres: Tensor
    mean: Tensor

    def of(self, cells: Tensor) -> tuple[Tensor, Tensor]:
        """(C, n) → int64 (n,), the nearest centre; float32 (n,), not finite where a cell is not.

        |x - c|² is compared without its |x|², and around the mean: less is lost to rounding.
        """
        away = self.centres - self.mean
        bias = (away * away).sum(1) + 2 * (away @ self.mean)
        nearest = projected(-2 * away, bias, cells).min(0)
        return nearest.indices, nearest.values


def projected(weights: Tensor, bias: Tensor, cells: Tensor) -> Tensor:
    """weights @ cells + bias as float32 (k, n), on the device of the cells.

    weights: (k, C), bias: (k,), wherever they are. cells: (C, n); float32 ones are not copied.
    """
    weights = weights.float().to(cells.device)
    bias = bias.float().to(cells.device)[:, None]
    if cells.dtype == torch.float32:
        return torch.addmm(bias, weights, cells)
    parts = torch.split(cells, max(1, _PART // len(cells)), dim=1)
    return torch.cat([torch.addmm(bias, weights, part.float()) for part in parts], dim=1)


def spread(size: Size, most: int) -> Tensor | None:
    """int64 (≤ most,): numbers of cells (row by row) all over a map without its rim; None: all.

    Steps of the golden ratio, the same every time: neither rows nor columns are met in step.
    """
    rims = [min(RIM, side // 16) for side in size]
    rows, cols = (side - 2 * rim for side, rim in zip(size, rims, strict=True))
    cells = rows * cols
    if cells <= most:
        if not any(rims):
            return None
        places = torch.arange(cells)
    else:
        turns = torch.arange(most, dtype=torch.float64).mul_(_GOLDEN).frac_()
        places = turns.mul_(cells).long().clamp_(max=cells - 1)
    return (places // cols + rims[0]) * size[1] + places % cols + rims[1]


def some(rows: Tensor, size: Size, most: int) -> Tensor:
    """(K, h·w) → (K, ≤ most): what `spread` chooses."""
    places = spread(size, most)
    return rows if places is None else rows.index_select(1, places.to(rows.device))


def some_cells(cells: Tensor, size: Size) -> Tensor:
    """(C, h·w) → float64 (m, C) on the CPU, m ≤ FIT_CELLS: those of them that are finite."""
    rows = some(cells, size, FIT_CELLS).float().cpu().T.double()
    return rows[rows.isfinite().all(1)]


def ranges(rows: Tensor, size: Size, scale: Scale) -> tuple[Tensor, Tensor]:
    """float32 (K, h·w) → float32 (K,) twice: what becomes 0 and 255 in each row.

    Numbers that are not finite do not count; a row of nothing else gets 0 and 0. robust: the
    percentiles of the cells without the rim, interpolated as numpy.quantile does; exact up to
    RANGE_CELLS cells, above of RANGE_CELLS cells spread over the map. Where both percentiles are
    one number (a map of zeros with a few lights) the row has its full range.
    """
    if scale.kind == "fixed":
        ends = sorted((scale.low, scale.high))
        return rows.new_full((len(rows),), ends[0]), rows.new_full((len(rows),), ends[1])
    is_finite = rows.isfinite()
    low = rows.where(is_finite, torch.inf).amin(1)
    high = rows.where(is_finite, -torch.inf).amax(1)
    if scale.kind == "robust":
        shares = torch.tensor(PERCENTILES, device=rows.device)
        known = some(rows.where(is_finite, torch.nan), size, RANGE_CELLS)
        # In parts: torch sorts at most 16 million numbers at once here.
        parts = [torch.nanquantile(part, shares, dim=1) for part in torch.split(known, 256)]
        robust = torch.cat(parts, dim=1)
        tells = robust[1] > robust[0]
        low, high = robust[0].where(tells, low), robust[1].where(tells, high)
    is_known = low <= high
    return low.where(is_known, 0.0), high.where(is_known, 0.0)


def in_bytes(rows: Tensor, lows: Tensor, highs: Tensor) -> Tensor:
    """float32 (K, n) → uint8 (K, n): 0 at lows (K,), 255 at highs (K,), cut beyond.

    What is not finite is 0, and so is a row whose low is its high.
    """
    low, span = lows[:, None], (highs - lows)[:, None]
    shares = rows.sub(low).div_(span.where(span > 0, torch.inf))
    shares.nan_to_num_(nan=0.0, posinf=0.0, neginf=0.0)
    return shares.clamp_(0, 1).mul_(255).round_().to(torch.uint8)


def fit_basis(cells: Tensor) -> Basis:
    """The three directions along which float64 (m, C) cells differ most, the first most of all.

    The largest loading of each is positive, so that colours do not swap sides by chance. A
    direction that does not exist (few channels, few or equal cells) is zero.
    """
    channels = cells.shape[1]
    axes = cells.new_zeros(channels, COMPONENTS)
    if not len(cells):
        return Basis(cells.new_zeros(channels), axes)
    mean = cells.mean(0)
    values, vectors = _directions(cells - mean)
    # A millionth of the widest spread is rounding of float32.
    found = int((values[:COMPONENTS] > values[0] * 1e-12).sum())
    chosen = vectors[:, :found]
    largest = chosen.gather(0, chosen.abs().argmax(0, keepdim=True))
    axes[:, :found] = chosen * largest.sign()
    return Basis(mean, axes)


def _directions(cells: Tensor) -> tuple[Tensor, Tensor]:
    """Centred float64 (m, C) → variances (k,), greatest first, and unit vectors (C, k).

    Above 512 channels by subspace iteration with Rayleigh-Ritz (Golub, Van Loan, "Matrix
    Computations", 8.2.4) from seeded directions.
    """
    channels = cells.shape[1]
    if channels <= _FULL_CHANNELS:
        values, vectors = torch.linalg.eigh(cells.T @ cells)
        return values.flip(0), vectors.flip(1)
    seeded = torch.Generator().manual_seed(_SEED)
    basis = torch.randn(channels, _SUBSPACE, generator=seeded, dtype=cells.dtype)
    for _ in range(_ROUNDS):
        basis = torch.linalg.qr(cells.T @ (cells @ basis)).Q
    _, lengths, turned = torch.linalg.svd(cells @ basis, full_matrices=False)
    return lengths.square(), basis @ turned.T


def fit_groups(cells: Tensor, count: int) -> Groups:
    """k-means of float64 (m, C): k-means++ (Arthur, Vassilvitskii, 2007), then Lloyd's rounds.

    Seeded. Fewer groups where there are fewer different cells; one at zero without any cell.
    """
    if not len(cells):
        empty = cells.new_zeros(1, cells.shape[1])
        return Groups(empty, empty[0])
    mean = cells.mean(0)
    away = cells - mean
    centres = _far_apart(away, count)
    before = None
    for _ in range(_LLOYD):
        nearest = torch.cdist(away, centres).argmin(1)
        if before is not None and torch.equal(nearest, before):
            break
        sizes = torch.bincount(nearest, minlength=len(centres))[:, None]
        sums = torch.zeros_like(centres).index_add_(0, nearest, away)
        centres = torch.where(sizes > 0, sums / sizes.clamp(min=1), centres)
        before = nearest
    return Groups(centres + mean, mean)


def _far_apart(cells: Tensor, count: int) -> Tensor:
    """Up to `count` of the (m, C) cells, each drawn by its squared distance from those before."""
    seeded = torch.Generator().manual_seed(_SEED)
    first = int(torch.randint(len(cells), (1,), generator=seeded))
    chosen = [first]
    gaps = (cells - cells[first]).square().sum(1)
    while len(chosen) < count and bool(gaps.max() > 0):
        # Shares of the greatest, so that no sum overflows or vanishes.
        one = int(torch.multinomial(gaps / gaps.max(), 1, generator=seeded))
        chosen.append(one)
        gaps = torch.minimum(gaps, (cells - cells[one]).square().sum(1))
    return cells[chosen]


def largest_first(groups: Groups, numbers: Tensor) -> Groups:
    """The same groups, numbered by how many cells have them. numbers: int64 (n,)."""
    sizes = torch.bincount(numbers.cpu(), minlength=len(groups.centres))
    return Groups(groups.centres[sizes.argsort(descending=True, stable=True)], groups.mean)
