"""What happens to an answer when a part of the picture is hidden: slow, but no approximation.

A box of the picture's mean colour is laid over one place after the other, and the net predicts
again. Zeiler, Fergus, "Visualizing and Understanding Convolutional Networks", ECCV 2014, section
4.2. It asks for no gradient and so works with every model.
"""

import math
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from segstudio.core.feature_map import BINS, FeatureMap, Lattice
from segstudio.engine.flow import CancelToken
from segstudio.engine.inside.target import Target, at_places, enlarged_from
from segstudio.engine.onnx_net import OnnxNet
from segstudio.engine.runner import Runner
from segstudio.engine.windows import mirrored

BOXES = 6
"""Boxes side by side along the short side of the picture; they overlap by half."""

MOST_PIXELS = 4096
"""Of a target's mask that are looked at, evenly taken: a mean needs no more."""

BATCH = {"cuda": 8}
"""Pictures in one pass, by kind of device; 1 elsewhere, where more at once are no faster."""


def boxes_of(height: int, width: int) -> tuple[int, tuple[int, int]]:
    """The step in pixels of an input of (h, w), and how many (rows, columns) of it.

    A box is two steps wide. Steps are even, so that a box lies around its cell to the pixel.
    """
    step = max(2, 2 * round(min(height, width) / (4 * BOXES)))
    return step, (math.ceil(height / step), math.ceil(width / step))


def note_on_occlusion(height: int, width: int) -> str:
    """What people should know about its cost, for an input of (h, w)."""
    step, (rows, cols) = boxes_of(height, width)
    return f"{rows * cols:,} passes, each with a box of {2 * step}×{2 * step} input pixels hidden"


def occlusion(
    runner: Runner,
    x: Tensor,
    target: Target,
    token: CancelToken,
    progress: Callable[[float], None] | None = None,
) -> FeatureMap:
    """How much of the class's mean probability is lost with the box there: 0..1, gains are 0.

    x: float (1, 3, h, w) without the net's margin. The map has a cell for each place of the box,
    which reaches half a cell beyond it on every side. Cancelled between batches. progress: told how
    far it is, 0..1.
    """
    net = runner.net
    if net is None:
        raise RuntimeError("this predictor is closed")
    size = (x.shape[2], x.shape[3])
    step, (rows, cols) = boxes_of(*size)
    pixels = _some(target.mask)
    batch = 1 if isinstance(net, OnnxNet) else BATCH.get(runner.device.type, 1)
    places = [(row * step, col * step) for row in range(rows) for col in range(cols)]
    found: list[Tensor] = []
    with torch.inference_mode(), torch.autocast(runner.device.type, enabled=False):
        mean = x.mean((2, 3), keepdim=True)
        before = _probability(net, x, runner.spec.margin, target, pixels)
        for first in range(0, len(places), batch):
            token.check()
            if progress is not None:
                progress(first / len(places))
            some = places[first : first + batch]
            hidden = x.repeat(len(some), 1, 1, 1)
            for one, (y, left) in zip(hidden, some, strict=True):
                half = step // 2
                ys = slice(max(y - half, 0), y - half + 2 * step)
                xs = slice(max(left - half, 0), left - half + 2 * step)
                one[:, ys, xs] = mean[0]
            found.append(_probability(net, hidden, runner.spec.margin, target, pixels))
        drop = (before - torch.cat(found)).clamp(0, 1).view(rows, cols).cpu().numpy()
    full = target.mask.shape
    scale = (full[0] / size[0], full[1] / size[1])
    return _shown(drop, Lattice((0.0, 0.0), (step * scale[0], step * scale[1])))


def _probability(
    net: nn.Module,
    x: Tensor,
    margin: int,
    target: Target,
    pixels: tuple[NDArray[np.intp], NDArray[np.intp]],
) -> Tensor:
    """float (N, 3, h, w) -> float32 (N,): mean softmax of the class over the pixels."""
    logits: Tensor = net(mirrored(x, margin)).logits
    rows, cols = (
        enlarged_from(at, full, small, align_corners=target.align_corners)
        for at, full, small in zip(pixels, target.mask.shape, logits.shape[2:], strict=True)
    )
    return at_places(logits, rows, cols).softmax(1)[:, target.channel].mean(1)


def _some(mask: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows and columns of at most MOST_PIXELS of its pixels."""
    ys, xs = np.nonzero(mask)
    chosen = np.linspace(0, len(ys) - 1, min(len(ys), MOST_PIXELS)).round().astype(np.intp)
    return ys[chosen], xs[chosen]


def _shown(drop: NDArray[np.float32], lattice: Lattice) -> FeatureMap:
    """On a scale up to the greatest drop: most are small."""
    high = float(drop.max()) or 1.0
    values = np.rint(drop / high * 255).astype(np.uint8)
    values.setflags(write=False)
    drop.setflags(write=False)
    histogram = np.histogram(drop, BINS, (0.0, high))[0].astype(np.int64)
    return FeatureMap(values, lattice, high=high, histogram=histogram, exact=drop)
