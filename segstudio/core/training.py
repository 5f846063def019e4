"""What a training run is asked, and what it reports."""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from segstudio.core.train_rules import LossRule, OptimiserRule, ScheduleRule
from segstudio.errors import SegStudioError


@dataclass(frozen=True, slots=True)
class LabelledFolder:
    """Two folders with equal stems. hold_out: stems that start with one of these are validated
    on and never trained on (a whole drive, so that no neighbour of a training frame is judged).
    """

    images: str
    labels: str
    hold_out: tuple[str, ...] = ()


CHOICES: Mapping[str, tuple[str, ...]] = {
    "class_weights": ("none", "median_frequency", "effective_number", "inverse_log"),
    "freeze": ("none", "backbone", "all_but_head"),
    "norms": ("trained", "statistics", "frozen"),
    "augment": ("classic", "none", "mild", "standard", "strong"),
    "frames": ("confirmed", "painted", "weighted"),
    "precision": ("auto", "fp32", "bf16", "fp16"),
}
"""Fields of a recipe that take one of a few words."""


@dataclass(frozen=True, slots=True)
class TrainRecipe:
    """Everything a run needs; JSON in and out.

    What is trained. net, net_args: entry of the zoo. classes: class set by name. base: model folder
    to start from ("" = from scratch). freeze, norms: what stays as the base has it, see
    train.freezing.

    On what. train, validate: labelled folders. project: a *.segproj whose corrected frames are
    trained on, and frames which of their pixels, see train.corrected. replay: earlier data that is
    mixed in against forgetting, replay_share of the samples, 0..1. synthetic_share: part of the
    samples drawn from the synthetic drive, 0..1; synthetic_pool: how many drives they come from,
    one frame of each.

    Samples. batch: pictures that pass the net at once in one process. accumulation: batches of one
    step, so that an effective batch has batch × accumulation × processes pictures. crop: (h, w) in
    pixels, of a size that the net takes. scale: (low, high) of the random resize. augment: how far
    samples are changed beyond that: "classic" as train.augment.random_look, else a rule of
    train.augment_rules.

    Loss, optimiser, schedule: as in core.train_rules, under the same names where they have one
    (`loss` is LossRule.base, `optimiser` OptimiserRule.name, `schedule` ScheduleRule.kind).
    class_weights: how they are found in the labels. aux_weights: of the heads that only training
    has, in order; () takes the net's; cascade: instead of them, ICNet's label guidance, see
    train.losses. rate_batch: the effective batch that the learning rate is
    meant for; it is scaled linearly to the real one (Goyal et al. 2017), 0 leaves it.

    ema_decay: of the averaged weights that are validated and kept; 0 switches them off. patience:
    validations without a better mIoU after which the run ends; 0 never.

    precision: "auto" takes bf16 where the device is fast at it, else fp32. sync_bn: batch norms of
    all processes count as one; CUDA only.
    """

    net: str = "bisenet_v2"
    net_args: dict[str, int | float | bool | str] = field(default_factory=dict)
    classes: str = "camvid"
    base: str = ""
    freeze: str = "none"
    norms: str = "trained"
    train: tuple[LabelledFolder, ...] = ()
    validate: tuple[LabelledFolder, ...] = ()
    project: str = ""
    frames: str = "confirmed"
    replay: tuple[LabelledFolder, ...] = ()
    replay_share: float = 0.0
    synthetic_share: float = 0.0
    synthetic_pool: int = 1200
    steps: int = 1000
    batch: int = 8
    accumulation: int = 1
    crop: tuple[int, int] = (256, 320)
    scale: tuple[float, float] = (0.5, 2.0)
    short_side: int = 360
    augment: str = "classic"
    loss: str = "ohem"
    gamma: float = 2.0
    ohem_threshold: float = 0.7
    ohem_keep: int = 16
    label_smoothing: float = 0.0
    dice: float = 0.0
    lovasz: float = 0.0
    border: float = 0.0
    border_sigma: float = 5.0
    border_classes: tuple[int, ...] = ()
    class_weights: str = "none"
    aux_weights: tuple[float, ...] = ()
    cascade: tuple[float, ...] = ()
    optimiser: str = "sgd"
    learning_rate: float = 0.025
    rate_batch: int = 0
    momentum: float = 0.9
    weight_decay: float = 5e-4
    head_factor: float = 1.0
    backbone_factor: float = 1.0
    stage_decay: float = 1.0
    clip: float = 10.0
    schedule: str = "poly"
    warm_up: int = 200
    power: float = 0.9
    floor: float = 0.0
    drop: float = 0.1
    drop_every: int = 2000
    ema_decay: float = 0.999
    validate_every: int = 500
    patience: int = 0
    seed: int = 1
    device: str = "auto"
    precision: str = "auto"
    sync_bn: bool = False
    workers: int = 1
    threads: int = 0

    def __post_init__(self) -> None:
        if (
            self.steps < 1
            or self.batch < 1
            or self.accumulation < 1
            or self.validate_every < 1
            or self.synthetic_pool < 1
            or not self.learning_rate > 0
        ):
            raise SegStudioError(
                "A training run needs at least one step, one picture in a batch and a learning"
                " rate above zero; correct the recipe."
            )
        if any(side < 32 for side in self.crop):
            raise SegStudioError(
                f"The crop {self.crop[0]}×{self.crop[1]} is too small to learn from; use sides of"
                " 32 pixels or more."
            )
        shares = (self.synthetic_share, self.replay_share)
        if not all(0 <= s <= 1 for s in shares) or not 0 < self.scale[0] <= self.scale[1]:
            raise SegStudioError(
                "The shares of synthetic and of earlier frames lie between 0 and 1 and the scale"
                " range between two positive numbers; correct the recipe."
            )
        if not self.train and not self.project and self.synthetic_share < 1:
            raise SegStudioError(
                "There is nothing to train on; give folders of images and labels, or train on the"
                " synthetic drive alone with --synthetic 1."
            )
        for name, known in CHOICES.items():
            if getattr(self, name) not in known:
                raise SegStudioError(
                    f"The recipe says {name} '{getattr(self, name)}', which is none of"
                    f" {', '.join(known)}; choose one of those."
                )
        self.loss_rule(), self.optimiser_rule(), self.schedule_rule()  # each refuses nonsense

    def loss_rule(self, class_weights: tuple[float, ...] = ()) -> LossRule:
        """class_weights: by class id, found in the labels as `class_weights` says."""
        return LossRule(
            base=self.loss,
            gamma=self.gamma,
            ohem_threshold=self.ohem_threshold,
            ohem_keep=self.ohem_keep,
            label_smoothing=self.label_smoothing,
            dice=self.dice,
            lovasz=self.lovasz,
            class_weights=class_weights,
            border=self.border,
            border_sigma=self.border_sigma,
            border_classes=self.border_classes,
        )

    def optimiser_rule(self, effective_batch: int = 0) -> OptimiserRule:
        """effective_batch: pictures of a step in all processes; 0 leaves the rate as it stands."""
        factor = effective_batch / self.rate_batch if effective_batch and self.rate_batch else 1.0
        return OptimiserRule(
            name=self.optimiser,
            learning_rate=self.learning_rate * factor,
            momentum=self.momentum,
            weight_decay=self.weight_decay,
            head_factor=self.head_factor,
            backbone_factor=self.backbone_factor,
            stage_decay=self.stage_decay,
            clip=self.clip,
        )

    def schedule_rule(self) -> ScheduleRule:
        """The course of the learning rate over the run."""
        return ScheduleRule(
            steps=self.steps,
            kind=self.schedule,
            warm_up=self.warm_up,
            power=self.power,
            floor=self.floor,
            drop=self.drop,
            drop_every=self.drop_every,
        )

    def to_json(self) -> str:
        """The content of `recipe.json`."""
        return json.dumps(dataclasses.asdict(self), indent=2)

    @staticmethod
    def from_json(text: str) -> "TrainRecipe":
        """The inverse; fields that an older version did not know take their defaults.

        SegStudioError when a field is unknown or of the wrong form.
        """
        try:
            raw: dict[str, Any] = json.loads(text)
            strange = sorted(raw.keys() - {f.name for f in dataclasses.fields(TrainRecipe)})
        except (ValueError, AttributeError) as error:
            raise SegStudioError(
                f"The recipe of this run cannot be read ({error}); start a new run."
            ) from error
        if strange:
            raise SegStudioError(
                f"The recipe of this run has {', '.join(strange)}, which this version does not"
                " know; take that out of it, use a newer version, or start a new run."
            )
        try:
            for key in ("train", "validate", "replay"):
                if key in raw:
                    raw[key] = tuple(_folder(row) for row in raw[key])
            for key in ("crop", "scale", "aux_weights", "cascade", "border_classes"):
                if key in raw:
                    raw[key] = tuple(raw[key])
            return TrainRecipe(**raw)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise SegStudioError(
                f"The recipe of this run cannot be read ({error}); start a new run."
            ) from error


def _folder(row: dict[str, Any]) -> LabelledFolder:
    return LabelledFolder(str(row["images"]), str(row["labels"]), tuple(row.get("hold_out", ())))


@dataclass(frozen=True, slots=True)
class TrainEvent:
    """One line of `events.jsonl`, after `step` optimiser steps. kind, and what its figures tell:

    preparing: what (words), done and of (frames): before the run starts, about twice a second.
    started: device, precision, batch, accumulation, processes, effective_batch, weights and
        trained_weights (how many numbers), notes.
    step: loss, lr, samples_per_s, eta_s, memory_mb (of the device; null where nobody counts it).
    validated: set, miou, iou (class → 0..1 or null), pictures ({frame, labels, prediction}).
    saved: file, is_best. not_saved: why; the file of before is whole and the run goes on.
    smaller_batch: batch, accumulation, why: memory was short, the effective batch is the same.
    paused, resumed. stopped: why. failed: why, samples (numbers). finished: best_miou.
    """

    kind: str
    step: int
    figures: dict[str, Any]

    def to_json(self) -> str:
        """One line: {"event": kind, "step": step, …}."""
        return json.dumps({"event": self.kind, "step": self.step, **self.figures})
