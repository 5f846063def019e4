"""Logits to labels on a CPU, decided by cells instead of pixels.

Four neighbouring points of the coarse logits span a cell, and every frame pixel lies in one. A
bilinear value is a convex combination of the four corners, so a class that is largest at all four
is largest everywhere inside: the whole cell gets its label, and nothing is interpolated. Only
mixed cells (12 to 27 % on driving pictures) are looked at pixel by pixel, and there only classes
that no other class beats at all four corners. 19×128×256 to 1024×2048: 4 ms instead of 500.

The labels are *identical* to those of torch's interpolate and argmax. For that, mixed cells are
calculated with torch's own operations in torch's order (with or without fused multiply-add, see
`fused`), and a lead only counts as a lead when it exceeds what rounding could take away: a class
in front by less leaves its cell mixed. Of equal values the lowest channel wins.

One thread, without the GIL: Numba's own thread pool must not be entered from two threads.
"""

import functools
import logging
from collections.abc import Callable
from typing import Any, NamedTuple

import numba
import numpy as np
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray

log = logging.getLogger("segstudio.engine")

LEAD = np.float32(2e-6)
"""Smallest lead, relative to the leader's value, that rounding cannot undo.

Two interpolated values together carry at most 8 roundings of 6e-8 of the leader; doubled twice.
"""

ONE = np.float32(1)


class Axis(NamedTuple):
    """How one side is enlarged. starts: int64 (n + 1,), frame pixels starts[i] to starts[i+1] lie
    between the points i and i + 1. weight: float32 (out,), of the second point.
    """

    starts: NDArray[np.int64]
    weight: NDArray[np.float32]


@functools.lru_cache(maxsize=64)
def axis(points: int, out: int, *, align_corners: bool) -> Axis:
    """Cells and weights of one side, in torch's float32 arithmetic."""
    at = np.arange(out, dtype=np.float32)
    if points == out:
        place = at
    elif align_corners:
        place = at * (np.float32(points - 1) / np.float32(out - 1) if out > 1 else np.float32(0))
    else:
        ratio = np.float32(points) / np.float32(out)
        place = np.maximum(ratio * (at + np.float32(0.5)) - np.float32(0.5), np.float32(0))
    first = np.minimum(np.floor(place).astype(np.int64), points - 1)
    weight = np.clip(place - first.astype(np.float32), 0, 1).astype(np.float32)
    return Axis(np.searchsorted(first, np.arange(points + 1)).astype(np.int64), weight)


def labels_by_cells(
    logits: NDArray[np.float32],
    size: tuple[int, int],
    class_ids: NDArray[np.uint8],
    *,
    align_corners: bool,
    fused: bool,
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """float32 (C, h, w), finite and C-contiguous -> labels uint8 (H, W), class_pixels int64 (256,).

    class_ids: uint8 (C,), the label of each channel. fused: torch multiplies and adds in one
    rounding on this processor.
    """
    channels, h, w = logits.shape
    rows = axis(h, size[0], align_corners=align_corners)
    cols = axis(w, size[1], align_corners=align_corners)
    find_winners, fill = _kernels()
    winner = np.empty((h, w), np.int32)
    find_winners(logits, winner, np.empty(w, np.float32), np.empty(w, np.float32))
    labels = np.empty(size, np.uint8)
    class_pixels = np.zeros(256, np.int64)
    widest = int(np.diff(cols.starts).max())
    room = np.empty((2, channels, widest), np.float32)
    fill(logits, winner, rows, cols, class_ids, fused, labels, class_pixels, room)
    return labels, class_pixels


def warm_up() -> None:
    """Compile (or take from the disk) what a prediction needs: seconds the first time."""
    ids = np.arange(2, dtype=np.uint8)
    for align_corners in (False, True):
        logits = np.zeros((2, 2, 3), np.float32)
        labels_by_cells(logits, (4, 5), ids, align_corners=align_corners, fused=True)


@functools.cache
def _kernels() -> tuple[Callable[..., None], Callable[..., None]]:
    """The compiled functions; kept on disk when some folder lets itself be written."""
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "boundscheck": False}
    try:
        kernels = tuple(numba.njit(cache=True, **options)(f) for f in (_find_winners, _fill))
        _try(kernels)
    except Exception:  # whatever a full, read-only or damaged cache folder leads to
        log.warning("compiled code cannot be kept on disk", exc_info=True)
        kernels = tuple(numba.njit(**options)(f) for f in (_find_winners, _fill))
    return kernels[0], kernels[1]


def _try(kernels: tuple[Callable[..., None], ...]) -> None:
    """Call both once with the types they will see, so that the cache fails here or never."""
    logits, winner = np.zeros((1, 1, 1), np.float32), np.zeros((1, 1), np.int32)
    kernels[0](logits, winner, np.zeros(1, np.float32), np.zeros(1, np.float32))
    one = axis(1, 1, align_corners=False)
    ids, labels = np.zeros(1, np.uint8), np.zeros((1, 1), np.uint8)
    room = np.zeros((2, 1, 1), np.float32)
    kernels[1](logits, winner, one, one, ids, True, labels, np.zeros(256, np.int64), room)


def _generate(typing_context: object, a: object, b: object, c: object) -> object:  # noqa: ARG001 - Numba's form
    def generate(context: object, builder: Any, signature: object, args: Any) -> object:  # noqa: ARG001, ANN401 - Numba's form
        return builder.fma(*args)

    return types.float32(types.float32, types.float32, types.float32), generate


_multiply_add: Any = intrinsic(_generate)
"""a * b + c in float32 with one rounding; inside Numba only."""


@numba.njit(inline="always")
def _mix(a: np.float32, wa: np.float32, b: np.float32, wb: np.float32, fused: bool) -> Any:  # noqa: ANN401, FBT001 - inside Numba
    """a * wa + b * wb as torch calculates it."""
    if fused:
        return _multiply_add(a, wa, b * wb)
    return a * wa + b * wb


@numba.njit(inline="always")
def _leads(a: np.float32, b: np.float32) -> Any:  # noqa: ANN401 - inside Numba
    """True when a is in front of b by more than rounding could take away."""
    return a - b > LEAD * abs(a)


def _find_winners(
    logits: NDArray[np.float32],
    winner: NDArray[np.int32],
    best: NDArray[np.float32],
    second: NDArray[np.float32],
) -> None:
    """winner int32 (h, w): the leading channel k, or -1 - k where another is too close to it."""
    channels, height, width = logits.shape
    for y in range(height):
        for x in range(width):
            best[x] = logits[0, y, x]
            second[x] = -np.inf
            winner[y, x] = 0
        # Rows inside, channels outside, and no branches: the loop over x becomes vector code.
        for c in range(1, channels):
            for x in range(width):
                value, top = logits[c, y, x], best[x]
                is_new = value > top
                lower = top if is_new else value
                second[x] = lower if lower > second[x] else second[x]
                best[x] = value if is_new else top
                winner[y, x] = np.int32(c) if is_new else winner[y, x]
        for x in range(width):
            if not _leads(best[x], second[x]):
                winner[y, x] = np.int32(-1) - winner[y, x]


def _fill(
    logits: NDArray[np.float32],
    winner: NDArray[np.int32],
    rows: Axis,
    cols: Axis,
    class_ids: NDArray[np.uint8],
    fused: bool,  # noqa: FBT001 - Numba takes no keywords
    labels: NDArray[np.uint8],
    class_pixels: NDArray[np.int64],
    room: NDArray[np.float32],
) -> None:
    """Label every cell; see the module. room: float32 (2, C, widest cell), scratch."""
    channels, height, width = logits.shape
    line = np.zeros(labels.shape[1], np.uint8)
    rivals = np.empty(channels, np.int32)
    best = np.empty(room.shape[2], np.float32)
    first = np.empty(room.shape[2], np.int32)
    upper, lower = room[0], room[1]
    for cy in range(height):
        top, end = rows.starts[cy], rows.starts[cy + 1]
        if end <= top:
            continue
        cy1 = min(cy + 1, height - 1)
        for cx in range(width):
            left, right = cols.starts[cx], cols.starts[cx + 1]
            cx1 = min(cx + 1, width - 1)
            k = winner[cy, cx]
            if k >= 0 and winner[cy, cx1] == k == winner[cy1, cx] == winner[cy1, cx1]:
                line[left:right] = class_ids[k]
                class_pixels[class_ids[k]] += (end - top) * (right - left)
        for y in range(top, end):
            labels[y, :] = line
        for cx in range(width):
            left, right = cols.starts[cx], cols.starts[cx + 1]
            cx1 = min(cx + 1, width - 1)
            k = winner[cy, cx]
            if right <= left or (
                k >= 0 and winner[cy, cx1] == k == winner[cy1, cx] == winner[cy1, cx1]
            ):
                continue
            k0, k1 = max(k, -1 - k), max(winner[cy, cx1], -1 - winner[cy, cx1])
            k2, k3 = (
                max(winner[cy1, cx], -1 - winner[cy1, cx]),
                max(winner[cy1, cx1], -1 - winner[cy1, cx1]),
            )
            # A class that one of the corners' leaders beats at all four corners is out.
            found = 0
            for c in range(channels):
                is_beaten = False
                if c != k0 and c != k1 and c != k2 and c != k3:
                    for k in (k0, k1, k2, k3):
                        if (
                            _leads(logits[k, cy, cx], logits[c, cy, cx])
                            and _leads(logits[k, cy, cx1], logits[c, cy, cx1])
                            and _leads(logits[k, cy1, cx], logits[c, cy1, cx])
                            and _leads(logits[k, cy1, cx1], logits[c, cy1, cx1])
                        ):
                            is_beaten = True
                            break
                if not is_beaten:
                    rivals[found] = c
                    found += 1
            for i in range(found):
                c = rivals[i]
                for x in range(left, right):
                    w1 = cols.weight[x]
                    w0 = ONE - w1
                    upper[i, x - left] = _mix(logits[c, cy, cx], w0, logits[c, cy, cx1], w1, fused)
                    lower[i, x - left] = _mix(
                        logits[c, cy1, cx], w0, logits[c, cy1, cx1], w1, fused
                    )
            for y in range(top, end):
                h1 = rows.weight[y]
                h0 = ONE - h1
                # Rivals outside, pixels inside, no branches: the inner loop becomes vector code.
                for x in range(right - left):
                    best[x] = _mix(upper[0, x], h0, lower[0, x], h1, fused)
                    first[x] = rivals[0]
                for i in range(1, found):
                    for x in range(right - left):
                        value = _mix(upper[i, x], h0, lower[i, x], h1, fused)
                        is_new = value > best[x]
                        best[x] = value if is_new else best[x]
                        first[x] = rivals[i] if is_new else first[x]
                for x in range(right - left):
                    label = class_ids[first[x]]
                    labels[y, left + x] = label
                    class_pixels[label] += 1
