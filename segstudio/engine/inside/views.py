"""A layer's answer as a picture: one number, three or a group for each cell, or many channels.

Everything is reduced where the answer is (on the GPU when it is there), and calculated in float32
whatever the net calculates in; only the small result comes to the CPU.
"""

import math
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from segstudio.core.feature_map import BINS, ChannelSheet, FeatureMap, Lattice
from segstudio.core.look import LayerLook, Pixel, Scale
from segstudio.engine.inside import fitting
from segstudio.engine.inside.fitting import Basis, Groups, Size
from segstudio.errors import ModelError

MOST_SEGMENTS = 12
"""More groups than that have no colours that people can tell apart."""

_EPS = 1e-8  # as torch.nn.functional.cosine_similarity
_AT_ONCE = 8  # channels of a sheet that are put into bytes together: bounds the memory


class _Chosen(NamedTuple):
    """Channels of a sheet. key: the order that chose them. numbers: int64 (K,), worth (K,)."""

    key: object
    numbers: NDArray[np.int64]
    worth: NDArray[np.float32]


class LayerReader:
    """Reads one layer, frame by frame; belongs to the thread that predicts.

    What it fits on a frame (scale, basis, groups, choice of channels) it keeps for the next ones
    while the look is frozen. A frame that shows nothing, all cells alike, is not kept. note: what
    people should know about the last frame, "" when all is well.
    """

    def __init__(self, look: LayerLook) -> None:
        self.note = ""
        self._forget(look, channels=0)

    def _forget(self, look: LayerLook, *, channels: int) -> None:
        self._look, self._channels = look, channels
        self._range: tuple[object, Tensor, Tensor] | None = None
        self._basis: Basis | None = None
        self._groups: Groups | None = None
        self._chosen: _Chosen | None = None
        self._sheet_scale: Scale | None = None
        self._lows = np.full(channels, np.nan, np.float32)
        self._highs = np.full(channels, np.nan, np.float32)

    def fits(self, look: LayerLook) -> bool:
        """True when what was fitted may be kept for that look."""
        mine = self._look
        return (look.layer, look.call, look.show, look.segments, look.fit) == (
            mine.layer,
            mine.call,
            mine.show,
            mine.segments,
            mine.fit,
        )

    def read(
        self, features: Tensor, lattice: Lattice, look: LayerLook
    ) -> tuple[FeatureMap, ChannelSheet | None]:
        """(C, h, w) on any device, any real dtype → the map, and the sheet of a grid.

        Numbers that are not finite count as the lowest. The map of a grid is the mean. ModelError
        for a layer without rows and columns or a channel that it does not have.
        """
        if features.dim() != 3 or not features.numel():
            raise ModelError(
                f"The layer '{look.layer}' answers with the shape {tuple(features.shape)}, which"
                " has no rows and columns; choose another layer."
            )
        if not (self.fits(look) and look.is_frozen and len(features) == self._channels):
            self._forget(look, channels=len(features))
        features = features.detach()
        if not features.is_floating_point():
            features = features.float()
        with torch.no_grad(), torch.autocast(features.device.type, enabled=False):
            if look.show == "pca":
                return self._colors(features, lattice, look), None
            if look.show == "segments":
                return self._segments(features, lattice, look), None
            sheet = self._sheet(features, lattice, look) if look.show == "grid" else None
            return self._values(features, lattice, look), sheet

    def _values(self, features: Tensor, lattice: Lattice, look: LayerLook) -> FeatureMap:
        """A map of one number per cell."""
        numbers = _numbers(features, lattice, look).contiguous()
        rows = numbers.reshape(1, -1)
        of = {"channel": look.channel, "similar": look.pixel}.get(look.show)
        low, high = self._kept_range((look.scale, of), rows, _size(features), look.scale)
        values = _array(fitting.in_bytes(rows, low, high).reshape(numbers.shape))
        exact = _array(numbers)
        is_finite = np.isfinite(exact)
        self._say(is_finite)
        return FeatureMap(
            values,
            lattice,
            low=float(low),
            high=float(high),
            histogram=_histogram(values[is_finite] if self.note else values),
            exact=exact,
        )

    def _colors(self, features: Tensor, lattice: Lattice, look: LayerLook) -> FeatureMap:
        """The first three principal components, each stretched on its own; missing ones are 0."""
        cells = _flat(features)
        basis = self._basis
        if basis is None:
            basis = fitting.fit_basis(fitting.some_cells(cells, _size(features)))
            self._basis = None if basis.is_flat else basis
        parts = basis.of(cells)
        # A fixed range is meant for numbers of a known size; components have none.
        scale = Scale("full" if look.scale.kind == "full" else "robust")
        low, high = self._kept_range(scale, parts, _size(features), scale)
        shape = (*features.shape[1:], fitting.COMPONENTS)
        values = fitting.in_bytes(parts, low, high).T.reshape(shape)
        exact = _array(parts.T.reshape(shape))
        self._say(np.isfinite(exact).all(-1))
        return FeatureMap(_array(values), lattice, "rgb", exact=exact)

    def _segments(self, features: Tensor, lattice: Lattice, look: LayerLook) -> FeatureMap:
        """k-means; a group keeps its number, and with it its colour, as long as it is kept."""
        cells = _flat(features)
        groups = self._groups
        if groups is None:
            count = min(max(look.segments, 1), MOST_SEGMENTS)
            groups = fitting.fit_groups(fitting.some_cells(cells, _size(features)), count)
            nearest, distance = groups.of(cells)
            groups = fitting.largest_first(groups, nearest[distance.isfinite()])
            self._groups = groups if len(groups.centres) > 1 or count == 1 else None
        nearest, distance = groups.of(cells)
        is_finite = distance.isfinite()
        numbers = nearest.where(is_finite, 0).to(torch.uint8).reshape(features.shape[1:])
        self._say(_array(is_finite))
        values = _array(numbers)
        exact = values.astype(np.float32)
        exact.setflags(write=False)
        return FeatureMap(values, lattice, "segments", low=0.0, high=255.0, exact=exact)

    def _sheet(self, features: Tensor, lattice: Lattice, look: LayerLook) -> ChannelSheet:
        """Channels in the order that was asked for, each on its own scale."""
        key = (look.order, look.pixel, look.region, look.count)
        if self._chosen is None or self._chosen.key != key:
            self._chosen = _Chosen(key, *_chosen(features, lattice, look))
        numbers, worth = self._chosen.numbers, self._chosen.worth
        self._fit_channels(features, numbers, look.scale)
        lows, highs = self._lows[numbers], self._highs[numbers]
        bytes_ = [
            fitting.in_bytes(
                _rows(features, numbers[i : i + _AT_ONCE]),
                _on(lows[i : i + _AT_ONCE], features.device),
                _on(highs[i : i + _AT_ONCE], features.device),
            )
            for i in range(0, len(numbers), _AT_ONCE)
        ]
        values = _array(torch.cat(bytes_).reshape(len(numbers), *features.shape[1:]))
        for array in (lows, highs):
            array.setflags(write=False)
        return ChannelSheet(numbers, values, lattice, lows, highs, worth, len(features))

    def _fit_channels(self, features: Tensor, numbers: NDArray[np.int64], scale: Scale) -> None:
        """Ranges of those channels that have none yet."""
        if scale != self._sheet_scale:
            self._lows.fill(np.nan)
            self._sheet_scale = scale
        # A range without an extent is looked for anew: the channel may wake up later.
        fresh = numbers[~(self._highs[numbers] > self._lows[numbers])]
        for i in range(0, len(fresh), _AT_ONCE):
            some = fresh[i : i + _AT_ONCE]
            low, high = fitting.ranges(_rows(features, some), _size(features), scale)
            self._lows[some], self._highs[some] = low.cpu().numpy(), high.cpu().numpy()

    def _kept_range(
        self, key: object, rows: Tensor, size: Size, scale: Scale
    ) -> tuple[Tensor, Tensor]:
        """The ranges of rows (K, n), each (K,), as they were fitted for that key."""
        if self._range is not None and self._range[0] == key:
            return self._range[1].to(rows.device), self._range[2].to(rows.device)
        low, high = fitting.ranges(rows, size, scale)
        self._range = (key, low, high) if bool((high > low).any()) else None
        return low, high

    def _say(self, is_finite: NDArray[np.bool_]) -> None:
        """note: how many cells hold what is no number."""
        bad = is_finite.size - int(np.count_nonzero(is_finite))
        self.note = (
            f"Not finite, and shown as the lowest: {bad:,} of {is_finite.size:,} cells."
            if bad
            else ""
        )


def _numbers(features: Tensor, lattice: Lattice, look: LayerLook) -> Tensor:
    """float32 (h, w), new memory: what the look makes of the channels of each cell."""
    if look.show == "max":
        return features.amax(0).float()
    if look.show == "norm":
        return _lengths(features)
    if look.show == "channel":
        if not 0 <= look.channel < len(features):
            raise ModelError(
                f"The layer '{look.layer}' has the channels 0 to {len(features) - 1} and no"
                f" channel {look.channel}; choose one of those."
            )
        return features[look.channel].to(torch.float32, copy=True)
    if look.show == "similar":
        row, col = _cell(look.pixel, lattice, features)
        one = features[:, row, col].float()
        one = one / _lengths(one).clamp(min=_EPS)
        along = fitting.projected(one[None], one.new_zeros(1), _flat(features))
        return along.reshape(features.shape[1:]) / _lengths(features).clamp_(min=_EPS)
    return features.mean(0, dtype=torch.float32)


def _lengths(features: Tensor) -> Tensor:
    """(C, …) → float32 (…): L2 norms over the channels."""
    lengths: Tensor = torch.linalg.vector_norm(features, dim=0, dtype=torch.float32)
    return lengths


def _chosen(
    features: Tensor, lattice: Lattice, look: LayerLook
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The best channels by number, int64 (K,), and what they are worth, float32 (K,).

    Equals go by number; a worth that is not finite comes last.
    """
    count = min(max(look.count, 1), len(features))
    worth = _worth(features, lattice, look).cpu().numpy()
    if look.order == "number":
        best = np.arange(count)
    else:
        best = np.argsort(-np.where(np.isfinite(worth), worth, -np.inf), kind="stable")[:count]
    numbers, worth = best.astype(np.int64), worth[best]
    for array in (numbers, worth):
        array.setflags(write=False)
    return numbers, worth


def _worth(features: Tensor, lattice: Lattice, look: LayerLook) -> Tensor:
    """float32 (C,): what the channels are sorted by."""
    if look.order == "number":
        return torch.arange(len(features), dtype=torch.float32)
    if look.order == "pixel":
        row, col = _cell(look.pixel, lattice, features)
        return features[:, row, col].float()
    if look.order == "region":
        rows, cols = _area(look.region, lattice, features)
        return features[:, rows, cols].float().mean((1, 2))
    # Of enough cells: the variance of all takes longer than some nets.
    some = fitting.some(_flat(features), _size(features), fitting.RANGE_CELLS)
    return some.float().var(1, correction=0)


def _cell(pixel: Pixel | None, lattice: Lattice, features: Tensor) -> tuple[int, int]:
    """The cell of a frame pixel, the nearest one for a pixel beside the map; None: the middle."""
    h, w = features.shape[1:]
    if pixel is None:
        return h // 2, w // 2
    row, col = (math.floor(v) for v in lattice.cell_at(pixel[0] + 0.5, pixel[1] + 0.5))
    return min(max(row, 0), h - 1), min(max(col, 0), w - 1)


def _area(
    region: tuple[int, int, int, int] | None, lattice: Lattice, features: Tensor
) -> tuple[slice, slice]:
    """Rows and columns that a frame rectangle touches, at least one of each; None: all."""
    h, w = features.shape[1:]
    if region is None:
        return slice(0, h), slice(0, w)
    start, stop = lattice.cell_at(*region[:2]), lattice.cell_at(*region[2:])
    slices = []
    for a, b, cells in ((start[0], stop[0], h), (start[1], stop[1], w)):
        first = min(max(math.floor(min(a, b) + 1e-6), 0), cells - 1)
        slices.append(slice(first, min(max(math.ceil(max(a, b) - 1e-6), first + 1), cells)))
    return slices[0], slices[1]


def _size(features: Tensor) -> Size:
    return features.shape[1], features.shape[2]


def _flat(features: Tensor) -> Tensor:
    """(C, h, w) → (C, h·w): a view of contiguous and of channels-last memory alike."""
    return features.flatten(1)


def _rows(features: Tensor, numbers: NDArray[np.int64]) -> Tensor:
    """Those channels as float32 (K, h·w)."""
    places = torch.from_numpy(numbers.copy()).to(features.device)
    return features.index_select(0, places).float().flatten(1)


def _on(array: NDArray[np.float32], device: torch.device) -> Tensor:
    return torch.from_numpy(array.copy()).to(device)


def _array(tensor: Tensor) -> NDArray:  # type: ignore[type-arg]  # of the tensor's dtype
    """On the CPU, contiguous, read-only."""
    array = tensor.contiguous().cpu().numpy()
    array.setflags(write=False)
    return array


def _histogram(values: NDArray[np.uint8]) -> NDArray[np.int64]:
    """int64 (BINS,): cells by their byte; what was cut lies in the first and the last bin."""
    cells = np.bincount(values.ravel(), minlength=256).reshape(BINS, -1)
    return np.asarray(cells.sum(1), np.int64)
