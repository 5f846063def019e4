"""Where a model is unsure, and what it says about one class, from its answer to a frame."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from segstudio.core.feature_map import BINS, FeatureMap, Lattice
from segstudio.core.flicker import MOST_SHOWN, Flicker
from segstudio.core.look import ClassLook, Scale, UnsureKind
from segstudio.core.prediction import Logits, Prediction
from segstudio.core.uncertainty import MEASURES, class_probability, lattice_of, logit_lead
from segstudio.engine.runner import Runner
from segstudio.errors import ModelError

Floats = NDArray[np.float32]

ROBUST = (1.0, 99.0)
"""Percentiles, as Scale says."""

MOST_SORTED = 65_536
"""Cells that percentiles are taken of; where there are more, of some all over the frame."""

NOTHING_BEFORE = (
    "Nothing is known yet: flicker needs frames that follow each other. Play, and if the model is"
    " slow, have every frame shown."
)

LEAST_REACH = 1e-6
"""A scale of no width would divide by nothing."""


class UnsureReader:
    """Belongs to the thread of one predictor; flicker remembers what that one said lately.

    note: what people should know about what was seen last, "" for nothing.
    """

    def __init__(self) -> None:
        self._flicker = Flicker()
        self.note = ""

    def see(
        self,
        kind: UnsureKind,
        prediction: Prediction,
        runner: Runner,
        x: Tensor,
        *,
        is_plain: bool = True,
    ) -> tuple[FeatureMap, float]:
        """How unsure the model is, 0 to 1, and the mean of it over the frame.

        x: float (1, 3, h, w), the prepared frame without the net's margin; used for "flip" alone,
        which costs a second forward pass. is_plain: the prediction is the net's answer to x and
        nothing else; otherwise (windows, several scales, refined borders) "flip" costs two.
        """
        logits = prediction.logits
        lattice, high, self.note = lattice_of(logits), 1.0, ""
        if kind == "flicker":
            values = self._flicker.see(prediction.frame, prediction.labels)
            lattice, high = Lattice.even(_cells(values), logits.size), MOST_SHOWN
            self.note = NOTHING_BEFORE if self._flicker.is_new else ""
        elif kind == "flip":
            mirrored = runner.whole(x.flip(3)).flip(2)
            # In tiles, for want of memory, the answer may have other cells.
            is_same = is_plain and mirrored.shape == logits.values.shape
            values = _apart(_on_device(logits, runner) if is_same else runner.whole(x), mirrored)
            lattice = lattice_of(_like(values, logits, runner))
        else:
            values = MEASURES[kind](logits)
        return mapped(values, lattice, 0.0, high), float(values.mean())


def class_map(prediction: Prediction, look: ClassLook) -> FeatureMap:
    """The probability of a class, or how far its logit is above that of another one.

    The difference lies on a scale that is alike on both sides of 0; a fixed scale that is not so
    is one for probabilities, and the robust one is taken. ModelError when the model has no such
    class.
    """
    logits, scale = prediction.logits, look.scale
    try:
        if look.against is None:
            values = class_probability(logits, look.class_id)
        else:
            values = logit_lead(logits, look.class_id, look.against)
    except KeyError as error:
        raise ModelError(
            f"The model '{prediction.model}' has no class {error}; choose one of its own classes."
        ) from error
    if look.against is None:
        low, high = _range(values, scale)
    else:
        high = _reach(values, scale)
        low = -high
    return mapped(values, lattice_of(logits), low, high)


def mapped(values: Floats, lattice: Lattice, low: float, high: float) -> FeatureMap:
    """float32 (h, w) -> bytes between low and high, with its histogram and itself."""
    scaled = (values - np.float32(low)) * np.float32(255 / (high - low))
    small = np.clip(scaled + 0.5, 0, 255).astype(np.uint8)
    small.setflags(write=False)
    counts = np.bincount(small.ravel(), minlength=256)
    return FeatureMap(
        small, lattice, "values", low, high, counts.reshape(BINS, -1).sum(axis=1), values
    )


def _apart(one: Tensor, other: Tensor) -> Floats:
    """Half of the summed differences of two answers' probabilities, 0 (alike) to 1."""
    return np.asarray((one.softmax(0) - other.softmax(0)).abs().sum(0).mul(0.5).cpu(), np.float32)


def _on_device(logits: Logits, runner: Runner) -> Tensor:
    return torch.tensor(logits.values, device=runner.device)


def _like(values: Floats, logits: Logits, runner: Runner) -> Logits:
    """Logits of the same frame with these cells, as the bare net lays them."""
    bare = np.broadcast_to(values, (1, *values.shape))
    return Logits(bare, logits.size, runner.spec.align_corners, logits.class_ids[:1])


def _range(values: Floats, scale: Scale) -> tuple[float, float]:
    """What 0 and 255 stand for."""
    if scale.kind == "fixed":
        low, high = scale.low, scale.high
    elif scale.kind == "full":
        low, high = float(values.min()), float(values.max())
    else:
        low, high = (float(v) for v in np.percentile(_some(values), ROBUST))
    return low, max(high, low + LEAST_REACH)


def _reach(values: Floats, scale: Scale) -> float:
    """How far a scale around 0 goes to either side."""
    if scale.kind == "fixed" and scale.low == -scale.high:
        return max(scale.high, LEAST_REACH)
    sizes = np.abs(values)
    reach = sizes.max() if scale.kind == "full" else np.percentile(_some(sizes), ROBUST[1])
    return max(float(reach), LEAST_REACH)


def _some(values: Floats) -> Floats:
    """So many that sorting them costs nothing, from all over the frame."""
    step = max(1, int(np.ceil((values.size / MOST_SORTED) ** 0.5)))
    return values[::step, ::step]


def _cells(values: Floats) -> tuple[int, int]:
    return values.shape[0], values.shape[1]
