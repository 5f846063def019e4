"""Gaussian filtering of values at points with many coordinates, on the permutohedral lattice.

Adams, Baek, Davis, "Fast High-Dimensional Filtering Using the Permutohedral Lattice",
Eurographics 2010. The space of d coordinates is tiled by simplices whose corners are points of a
lattice; a value is spread over the d + 1 corners around its point (splat), the corners are blurred
along the d + 1 directions of the lattice by (1/2, 1, 1/2), and the value is read back the same way
(slice). The cost is linear in points and coordinates, where the sum itself is quadratic in points.

The result approximates sum_j exp(-|f_i - f_j|² / 2) v_j up to a factor that is the same for all
points; lattice points that no value was spread to count as zero.
"""

import functools
import logging
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

log = logging.getLogger("segstudio.engine")

Float = NDArray[np.float32]
Int = NDArray[np.int32]


class _Kernels(NamedTuple):
    build: Callable[..., Any]
    neighbours: Callable[..., Any]
    splat: Callable[..., Any]
    blur: Callable[..., Any]
    read: Callable[..., Any]


class Lattice:
    """The lattice of one set of points; filters any number of values at them.

    features: float32 (N, d), each divided by its standard deviation.
    """

    def __init__(self, features: Float) -> None:
        n, d = features.shape
        self._kernels = _kernels()
        # The width of splat, blur and slice together is that of a unit Gaussian.
        scale = np.array(
            [(d + 1) * math.sqrt(2 / 3) / math.sqrt((i + 1) * (i + 2)) for i in range(d)],
            np.float32,
        )
        slots = 1 << max(4, math.ceil(math.log2(2 * n * (d + 1))))
        table = np.full(slots, -1, np.int32)
        keys = np.empty((n * (d + 1), d), np.int32)
        self._corner = np.empty((n, d + 1), np.int32)
        self._weight = np.empty((n, d + 1), np.float32)
        self._size = int(
            self._kernels.build(
                np.ascontiguousarray(features, np.float32),
                scale,
                table,
                keys,
                self._corner,
                self._weight,
            )
        )
        self._around = np.empty((d + 1, self._size, 2), np.int32)
        self._kernels.neighbours(keys, self._size, table, self._around)

    @property
    def size(self) -> int:
        """Lattice points in use."""
        return self._size

    def filter(self, values: Float) -> Float:
        """float32 (N, C) -> (N, C)."""
        channels = values.shape[1]
        # One more lattice point, always zero, stands for all that are not there.
        now = np.zeros((self._size + 1, channels), np.float32)
        then = np.zeros_like(now)
        values = np.ascontiguousarray(values, np.float32)
        self._kernels.splat(values, self._corner, self._weight, now)
        for direction in self._around:
            self._kernels.blur(now, direction, then)
            now, then = then, now
        out = np.empty_like(values)
        self._kernels.read(now, self._corner, self._weight, out)
        return out


def warm_up() -> None:
    """Compile (or take from the disk) what filtering needs: seconds the first time."""
    Lattice(np.zeros((2, 5), np.float32)).filter(np.zeros((2, 3), np.float32))


@functools.cache
def _kernels() -> _Kernels:
    """The compiled functions; kept on disk when some folder lets itself be written."""
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": True}
    plain = (_build, _neighbours, _splat, _blur, _read)
    try:
        return _Kernels(*(numba.njit(cache=True, **options)(f) for f in plain))
    except Exception:  # whatever a read-only or damaged cache folder leads to
        log.warning("compiled code cannot be kept on disk", exc_info=True)
        return _Kernels(*(numba.njit(**options)(f) for f in plain))


@numba.njit(inline="always")
def _slot(key: Int, table: Int, keys: Int) -> Any:  # noqa: ANN401 - inside Numba
    """Where that key stands in the table, or the empty place where it would."""
    d = key.shape[0]
    hashed = np.uint64(0)
    for i in range(d):
        hashed = (hashed + np.uint64(np.int64(key[i]) + np.int64(1 << 31))) * np.uint64(
            0x9E3779B97F4A7C15
        )
        hashed ^= hashed >> np.uint64(29)
    mask = table.shape[0] - 1
    slot = np.int64(hashed >> np.uint64(20)) & mask
    while table[slot] >= 0:
        is_same = True
        for i in range(d):
            if keys[table[slot], i] != key[i]:
                is_same = False
                break
        if is_same:
            return slot
        slot = (slot + 1) & mask
    return slot


def _build(features: Float, scale: Float, table: Int, keys: Int, corner: Int, weight: Float) -> int:
    """Fills table, keys, corner and weight (the paper's sections 3.1 and 3.2); how many keys."""
    n, d = features.shape
    found = 0
    elevated = np.empty(d + 1, np.float32)
    nearest = np.empty(d + 1, np.int32)
    rank = np.empty(d + 1, np.int32)
    barycentric = np.empty(d + 2, np.float32)
    key = np.empty(d, np.int32)
    for p in range(n):
        # Into the plane of d + 1 coordinates whose sum is zero.
        rest = np.float32(0)
        for i in range(d, 0, -1):
            value = features[p, i - 1] * scale[i - 1]
            elevated[i] = rest - i * value
            rest += value
        elevated[0] = rest
        # The nearest lattice point of remainder 0, first each coordinate by itself.
        total = 0
        for i in range(d + 1):
            multiple = int(np.floor(elevated[i] / (d + 1) + np.float32(0.5)))
            nearest[i] = multiple * (d + 1)
            total += multiple
            rank[i] = 0
        for i in range(d):
            for j in range(i + 1, d + 1):
                if elevated[i] - nearest[i] < elevated[j] - nearest[j]:
                    rank[i] += 1
                else:
                    rank[j] += 1
        # Then those coordinates corrected that were rounded furthest, so that the sum is zero.
        for i in range(d + 1):
            rank[i] += total
            if rank[i] < 0:
                rank[i] += d + 1
                nearest[i] += d + 1
            elif rank[i] > d:
                rank[i] -= d + 1
                nearest[i] -= d + 1
        barycentric[:] = 0
        for i in range(d + 1):
            part = (elevated[i] - nearest[i]) / np.float32(d + 1)
            barycentric[d - rank[i]] += part
            barycentric[d + 1 - rank[i]] -= part
        barycentric[0] += np.float32(1) + barycentric[d + 1]
        for remainder in range(d + 1):
            for i in range(d):
                wraps = rank[i] > d - remainder
                key[i] = nearest[i] + remainder - (d + 1 if wraps else 0)
            slot = _slot(key, table, keys)
            if table[slot] < 0:
                keys[found, :] = key
                table[slot] = found
                found += 1
            corner[p, remainder] = table[slot]
            weight[p, remainder] = barycentric[remainder]
    return found


def _neighbours(keys: Int, size: int, table: Int, around: NDArray[np.int32]) -> None:
    """around int32 (d + 1, size, 2): the two lattice points next to each; `size` for none."""
    d = keys.shape[1]
    key = np.empty(d, np.int32)
    for direction in range(d + 1):
        for point in range(size):
            for side in range(2):
                sign = 1 - 2 * side
                for i in range(d):
                    key[i] = keys[point, i] + sign
                if direction < d:
                    key[direction] = keys[point, direction] - sign * d
                found = table[_slot(key, table, keys)]
                around[direction, point, side] = found if found >= 0 else size


def _splat(values: Float, corner: Int, weight: Float, out: Float) -> None:
    n, channels = values.shape
    for p in range(n):
        for k in range(corner.shape[1]):
            at, w = corner[p, k], weight[p, k]
            for c in range(channels):
                out[at, c] += w * values[p, c]


def _blur(now: Float, around: Int, out: Float) -> None:
    half = np.float32(0.5)
    for point in range(around.shape[0]):
        a, b = around[point, 0], around[point, 1]
        for c in range(now.shape[1]):
            out[point, c] = now[point, c] + half * (now[a, c] + now[b, c])


def _read(now: Float, corner: Int, weight: Float, out: Float) -> None:
    n, channels = out.shape
    for p in range(n):
        for c in range(channels):
            out[p, c] = 0
        for k in range(corner.shape[1]):
            at, w = corner[p, k], weight[p, k]
            for c in range(channels):
                out[p, c] += w * now[at, c]
