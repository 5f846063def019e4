"""What a training run is asked, and what it reports."""

import dataclasses
import json
from dataclasses import dataclass, field
from typing import Any

from segstudio.errors import SegStudioError


@dataclass(frozen=True, slots=True)
class LabelledFolder:
    """Two folders with equal stems. hold_out: stems that start with one of these are validated
    on and never trained on (a whole drive, so that no neighbour of a training frame is judged).
    """

    images: str
    labels: str
    hold_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TrainRecipe:
    """Everything a run needs; JSON in and out.

    net, net_args: entry of the zoo. classes: class set by name. base: model folder to start from
    ("" = from scratch). train, validate: labelled folders.
    synthetic_share: part of the samples drawn from the synthetic drive, 0..1; synthetic_pool: how
    many drives they come from, one frame of each.
    crop: (h, w) in pixels, of a size that the net takes. scale: (low, high) of the random resize.
    learning_rate decays by (1 - step / steps) ** power; warm_up: steps of linear rise.
    ema_decay: of the averaged weights that are validated and kept; 0 switches them off.
    ohem_threshold: pixels whose true class has less than this probability count as hard;
    at least 1/ohem_keep of the valid pixels are kept (0 threshold: plain cross-entropy).
    precision: "auto" takes bf16 where the device is fast at it, else fp32.
    """

    net: str = "bisenet_v2"
    net_args: dict[str, int | float | bool | str] = field(default_factory=dict)
    classes: str = "camvid"
    base: str = ""
    train: tuple[LabelledFolder, ...] = ()
    validate: tuple[LabelledFolder, ...] = ()
    synthetic_share: float = 0.0
    synthetic_pool: int = 1200
    steps: int = 1000
    batch: int = 8
    crop: tuple[int, int] = (256, 320)
    scale: tuple[float, float] = (0.5, 2.0)
    short_side: int = 360
    learning_rate: float = 0.025
    power: float = 0.9
    momentum: float = 0.9
    weight_decay: float = 5e-4
    warm_up: int = 200
    ema_decay: float = 0.999
    ohem_threshold: float = 0.7
    ohem_keep: int = 16
    validate_every: int = 500
    seed: int = 1
    device: str = "auto"
    precision: str = "auto"
    workers: int = 1
    threads: int = 0

    def __post_init__(self) -> None:
        if (
            self.steps < 1
            or self.batch < 2  # batch norm of a pooled map knows no spread with one picture
            or self.synthetic_pool < 1
            or not self.learning_rate > 0
        ):
            raise SegStudioError(
                "A training run needs at least one step, a batch of at least two and a learning"
                " rate above zero; correct the recipe."
            )
        if any(side < 32 for side in self.crop):
            raise SegStudioError(
                f"The crop {self.crop[0]}×{self.crop[1]} is too small to learn from; use sides of"
                " 32 pixels or more."
            )
        if not 0 <= self.synthetic_share <= 1 or not 0 < self.scale[0] <= self.scale[1]:
            raise SegStudioError(
                "The share of synthetic frames lies between 0 and 1 and the scale range between"
                " two positive numbers; correct the recipe."
            )
        if not self.train and self.synthetic_share < 1:
            raise SegStudioError(
                "There is nothing to train on; give folders of images and labels, or train on the"
                " synthetic drive alone with --synthetic 1."
            )

    def to_json(self) -> str:
        """The content of `recipe.json`."""
        return json.dumps(dataclasses.asdict(self), indent=2)

    @staticmethod
    def from_json(text: str) -> "TrainRecipe":
        """The inverse; SegStudioError when a field is unknown or of the wrong form."""
        try:
            raw: dict[str, Any] = json.loads(text)
            for key in ("train", "validate"):
                raw[key] = tuple(
                    LabelledFolder(
                        str(row["images"]), str(row["labels"]), tuple(row.get("hold_out", ()))
                    )
                    for row in raw.get(key, ())
                )
            for key in ("crop", "scale"):
                if key in raw:
                    raw[key] = tuple(raw[key])
            return TrainRecipe(**raw)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise SegStudioError(
                f"The recipe of this run cannot be read ({error}); start a new run."
            ) from error


@dataclass(frozen=True, slots=True)
class TrainEvent:
    """One line of `events.jsonl`. kind: "started", "step", "validated", "saved" or "finished"."""

    kind: str
    step: int
    figures: dict[str, Any]

    def to_json(self) -> str:
        """One line: {"event": kind, "step": step, …}."""
        return json.dumps({"event": self.kind, "step": self.step, **self.figures})
