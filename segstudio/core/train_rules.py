"""What a recipe says about the loss, the optimiser and the learning rate: plain values, JSON in
and out (dataclasses.asdict, and the keyword arguments of the class).
"""

import math
from dataclasses import dataclass

from segstudio.errors import SegStudioError


@dataclass(frozen=True, slots=True)
class LossRule:
    """How a prediction is compared with labels.

    base: of a pixel: "ce" (cross-entropy), "ohem" (cross-entropy of the hard pixels only) or
    "focal" (cross-entropy times (1 - p)^gamma). ohem_threshold: a pixel is hard when its true class
    has less than this probability; at least 1/ohem_keep of the pixels are kept (0 threshold: all).
    label_smoothing: share of the target that goes to all classes alike, 0 up to 1.
    dice, lovasz: shares of these losses of whole regions, 0..1; the base has the rest of 1.
    class_weights: of a pixel by its class id; () is 1 each. border: most that the weight of a pixel
    between two objects grows by (U-Net: 10), 0 for none; border_sigma: how far that reaches, in
    pixels; border_classes: ids of the classes whose regions are such objects.
    """

    base: str = "ce"
    gamma: float = 2.0
    ohem_threshold: float = 0.7
    ohem_keep: int = 16
    label_smoothing: float = 0.0
    dice: float = 0.0
    lovasz: float = 0.0
    class_weights: tuple[float, ...] = ()
    border: float = 0.0
    border_sigma: float = 5.0
    border_classes: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        # JSON has lists alone.
        object.__setattr__(self, "class_weights", tuple(float(w) for w in self.class_weights))
        object.__setattr__(self, "border_classes", tuple(int(c) for c in self.border_classes))
        _one_of(self.base, ("ce", "ohem", "focal"), "loss")
        _between(self.gamma, 0, 10, "focusing exponent of the focal loss")
        _between(self.ohem_threshold, 0, 1, "probability under which a pixel is hard")
        _between(self.ohem_keep, 1, math.inf, "number of pixels of which one is kept")
        _between(self.label_smoothing, 0, 0.99, "share of smoothed labels")
        _between(self.dice, 0, 1, "share of the Dice loss")
        _between(self.lovasz, 0, 1, "share of the Lovász loss")
        _between(self.dice + self.lovasz, 0, 1, "share of Dice and Lovász together")
        _between(self.border, 0, 1000, "weight of pixels between objects")
        _between(self.border_sigma, 0.1, 100, "reach of the weight between objects")
        if any(not 0 <= weight < math.inf for weight in self.class_weights):
            raise SegStudioError("A class weight is below zero or no number; correct the recipe.")


@dataclass(frozen=True, slots=True)
class OptimiserRule:
    """How weights follow their gradients.

    name: "sgd" or "adamw". momentum: of SGD. weight_decay: of weights with two dimensions or more;
    norms and biases have none. head_factor, backbone_factor: on the learning rate of these parts.
    stage_decay: factor on the rate for every stage of the backbone further from its end (1: none).
    clip: largest norm of the gradient of all weights together, 0 for no limit.
    """

    name: str = "sgd"
    learning_rate: float = 0.025
    momentum: float = 0.9
    weight_decay: float = 5e-4
    head_factor: float = 1.0
    backbone_factor: float = 1.0
    stage_decay: float = 1.0
    clip: float = 10.0

    def __post_init__(self) -> None:
        _one_of(self.name, ("sgd", "adamw"), "optimiser")
        if not 0 < self.learning_rate < math.inf:
            raise SegStudioError("The learning rate must be above zero; correct the recipe.")
        _between(self.momentum, 0, 0.9999, "momentum")
        _between(self.weight_decay, 0, 1, "weight decay")
        _between(self.head_factor, 0, 1000, "factor on the learning rate of the head")
        _between(self.backbone_factor, 0, 1000, "factor on the learning rate of the backbone")
        _between(self.stage_decay, 0.01, 1, "factor on the learning rate from stage to stage")
        _between(self.clip, 0, math.inf, "largest norm of the gradient")


@dataclass(frozen=True, slots=True)
class ScheduleRule:
    """How the learning rate goes over a run of `steps` steps.

    kind: "poly" ((1 - step/steps) ** power), "cosine" (half a wave down), "constant" or "step"
    (times `drop` after every `drop_every` steps). warm_up: steps of linear rise, on top of that.
    floor: share of the rate that poly and cosine end at.
    """

    steps: int
    kind: str = "poly"
    warm_up: int = 0
    power: float = 0.9
    floor: float = 0.0
    drop: float = 0.1
    drop_every: int = 2000

    def __post_init__(self) -> None:
        _one_of(self.kind, ("poly", "cosine", "constant", "step"), "course of the learning rate")
        _between(self.steps, 1, math.inf, "number of steps")
        _between(self.warm_up, 0, math.inf, "number of warm-up steps")
        _between(self.power, 0, 10, "exponent of the learning rate")
        _between(self.floor, 0, 1, "share of the learning rate at the end")
        _between(self.drop, 0, 1, "factor of a drop of the learning rate")
        _between(self.drop_every, 1, math.inf, "number of steps between drops")


def _one_of(value: str, known: tuple[str, ...], what: str) -> None:
    if value not in known:
        raise SegStudioError(
            f"There is no {what} called '{value}'; choose one of {', '.join(known)}."
        )


def _between(value: float, low: float, high: float, what: str) -> None:
    if not low <= value <= high:
        where = f"between {low:g} and {high:g}" if high < math.inf else f"{low:g} or more"
        raise SegStudioError(f"The {what} is {value:g} and must be {where}; correct the recipe.")
