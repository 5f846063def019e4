"""Logits become labels at frame size, on the device where the logits are.

The result is that of torch's bilinear `F.interpolate` followed by `argmax` over the channels, of
equal values the lowest channel, but never are all channels enlarged at once:

- on a CPU by cells (`engine.cells`), identical to torch;
- elsewhere, or where torch calculates in a way that `cells` does not know, by a running maximum
  over a few enlarged channels at a time: identical too, because torch enlarges every channel by
  itself, in a fraction of the memory.

One exception: with exactly three channels and one thread, torch's CPU code rounds in an order of
its own; pixels where two classes are equal but for the last bit may then differ from it.
"""

import functools
import logging

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

log = logging.getLogger("segstudio.engine")

PLANES = 2
"""Channels enlarged at a time by the running maximum. Never 3: see the module."""

SMALL = 128
"""Height + width up to which torch's CPU code takes another way (ATen's UpSampleKernel), whose
rounding depends on a value's place in memory; such a raster costs nothing to make the plain way."""


def plain_labels(logits: Tensor, size: tuple[int, int], *, align_corners: bool) -> Tensor:
    """float (C, h, w) -> uint8 (H, W) channels, by enlarging every plane: the reference."""
    large = _enlarged(logits.float().contiguous(), size, align_corners=align_corners)
    return large.argmax(0).to(torch.uint8)


def running_labels(logits: Tensor, size: tuple[int, int], *, align_corners: bool) -> Tensor:
    """float (C, h, w) -> uint8 (H, W) channels, with PLANES enlarged channels at a time."""
    best: Tensor | None = None
    channel = torch.zeros(size, dtype=torch.uint8, device=logits.device)
    for first in range(0, logits.shape[0], PLANES):
        part = logits[first : first + PLANES].float().contiguous()
        value, index = _enlarged(part, size, align_corners=align_corners).max(0)
        index = index.add_(first).to(torch.uint8)
        if best is None:
            best, channel = value, index
        else:
            channel = torch.where(value > best, index, channel)
            best = torch.maximum(best, value)
    return channel


def labels_at_frame_size(
    logits: Tensor, size: tuple[int, int], class_ids: NDArray[np.uint8], *, align_corners: bool
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Finite float (C, h, w) -> labels uint8 (H, W), read-only, and class_pixels int64 (256,).

    class_ids: uint8 (C,), the class id of each channel.
    """
    on_cpu = logits.device.type == "cpu"
    # A single point counts as channels-last too, for which torch has another way again.
    is_small = on_cpu and (sum(size) <= SMALL or logits[0].numel() == 1)
    fused = _torch_fuses() if on_cpu and not is_small else None
    if fused is not None:
        from segstudio.engine.cells import labels_by_cells

        labels, class_pixels = labels_by_cells(
            logits.float().contiguous().numpy(),
            size,
            class_ids,
            align_corners=align_corners,
            fused=fused,
        )
    else:
        way = plain_labels if is_small else running_labels
        channels = way(logits, size, align_corners=align_corners)
        on_device = torch.from_numpy(class_ids).to(logits.device)[channels.int()]
        labels = on_device.cpu().numpy()
        class_pixels = torch.bincount(on_device.reshape(-1), minlength=256).cpu().numpy()
    labels.setflags(write=False)
    return labels, class_pixels


def warm_up(device: torch.device) -> None:
    """Do now what would make the first prediction late."""
    if device.type == "cpu" and _torch_fuses() is not None:
        from segstudio.engine import cells

        cells.warm_up()


def _enlarged(planes: Tensor, size: tuple[int, int], *, align_corners: bool) -> Tensor:
    return F.interpolate(planes[None], size=size, mode="bilinear", align_corners=align_corners)[0]


@functools.cache
def _torch_fuses() -> bool | None:
    """Whether torch's CPU code multiplies and adds in one rounding; None: neither is it.

    It depends on the processor and on how torch was compiled, so a small example is compared with
    both; float64 holds the product of two float32 exactly.
    """
    try:
        from segstudio.engine import cells
    except ImportError:
        log.warning("Numba cannot be imported; labels take longer", exc_info=True)
        return None
    small, large = (9, 11), (80, 90)
    values = np.random.default_rng(0).standard_normal((4, *small), np.float32)
    theirs = _enlarged(torch.from_numpy(values), large, align_corners=False).numpy()
    rows, cols = (cells.axis(n, m, align_corners=False) for n, m in zip(small, large, strict=True))
    y0, x0 = (np.repeat(np.arange(len(a.starts) - 1), np.diff(a.starts)) for a in (rows, cols))
    y1, x1 = np.minimum(y0 + 1, small[0] - 1), np.minimum(x0 + 1, small[1] - 1)
    h1, w1 = rows.weight[:, None], cols.weight[None, :]
    for fused in (True, False):
        upper, lower = (
            _mixed(values[:, y][:, :, x0], 1 - w1, values[:, y][:, :, x1], w1, fused=fused)
            for y in (y0, y1)
        )
        if np.array_equal(_mixed(upper, 1 - h1, lower, h1, fused=fused), theirs):
            return fused
    log.warning("torch interpolates in an unknown order here; labels take longer")
    return None


def _mixed(
    a: NDArray[np.float32],
    wa: NDArray[np.float32],
    b: NDArray[np.float32],
    wb: NDArray[np.float32],
    *,
    fused: bool,
) -> NDArray[np.float32]:
    """a * wa + b * wb in float32, with one rounding for the first product when fused."""
    second = b * wb
    if not fused:
        return a * wa + second
    exact = a.astype(np.float64) * wa.astype(np.float64) + second.astype(np.float64)
    return exact.astype(np.float32)
