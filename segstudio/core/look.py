"""What somebody wants to see of a model's inside: values, no behaviour."""

from dataclasses import dataclass
from typing import Literal

from segstudio.core.feature_map import ChannelSheet, FeatureMap

Show = Literal["mean", "max", "norm", "channel", "grid", "pca", "segments", "similar"]
"""Over all channels: mean, maximum, L2 norm. One channel; many, side by side. The first three
principal components as red, green and blue; k-means; cosine similarity to one pixel."""

Order = Literal["variance", "pixel", "region", "number"]
"""Which channels come first: those that vary most, those highest at a pixel or inside a region."""

ScaleKind = Literal["robust", "full", "fixed"]

EvidenceKind = Literal["gradcam", "gradcam++", "hirescam", "occlusion"]

TargetKind = Literal["pixel", "region", "class"]

UnsureKind = Literal["entropy", "margin", "probability", "flip", "flicker"]

Measure = Literal["entropy", "margin", "probability"]
"""Kinds of uncertainty that one answer of a model tells."""

Pixel = tuple[int, int]
"""(y, x) of a frame pixel."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Which numbers become 0 and 255.

    robust: the 1st and 99th percentile, without the rim, where padding is seen. full: least and
    greatest. fixed: low and high.
    """

    kind: ScaleKind = "robust"
    low: float = 0.0
    high: float = 1.0


@dataclass(frozen=True, slots=True)
class LayerLook:
    """A layer's answer.

    layer: dotted module name. call: which of its runs in one forward pass, from 0; -1 is the last.
    channel: for "channel". pixel: frame pixel for "similar" and the order "pixel". region: frame
    rectangle (y0, x0, y1, x1) for the order "region". count: most channels of a grid. segments:
    how many groups. is_frozen: basis, groups and scale stay as they were fitted on the first frame,
    so that colours do not flicker; another `fit` fits them anew.
    """

    layer: str
    show: Show = "mean"
    call: int = -1
    channel: int = 0
    pixel: Pixel | None = None
    order: Order = "variance"
    region: tuple[int, int, int, int] | None = None
    count: int = 36
    segments: int = 6
    scale: Scale = Scale()
    is_frozen: bool = True
    fit: int = 0


@dataclass(frozen=True, slots=True)
class ClassLook:
    """Probability of a class; against another one: the difference of their logits."""

    class_id: int
    against: int | None = None
    scale: Scale = Scale("fixed", 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class EvidenceLook:
    """What speaks for a class at a pixel, in its connected region, or in all that has the class.

    layer, call: as in LayerLook; nothing for occlusion. pixel: frame pixel; for "class" only its
    class counts. class_id: None is the class predicted there.
    """

    kind: EvidenceKind = "gradcam"
    layer: str = ""
    call: int = -1
    target: TargetKind = "pixel"
    pixel: Pixel | None = None
    class_id: int | None = None


@dataclass(frozen=True, slots=True)
class UnsureLook:
    """Where the model is unsure, 0 (sure) to 1.

    entropy: of the probabilities, 1 is all alike. margin: 1 minus the lead of the best over the
    second. probability: 1 minus that of the best. flip: how far the mirrored picture is answered
    otherwise. flicker: how often the class changed lately where the flow says it is the same thing.
    """

    kind: UnsureKind = "entropy"


Look = LayerLook | ClassLook | EvidenceLook | UnsureLook


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """The answer to a look at one frame.

    map: what to draw over the frame. sheet: channels for a grid. ms: wall milliseconds that looking
    cost beside the prediction. trouble: why there is nothing, in one sentence. note: what people
    should know. frame_share: 0..1, mean over the frame of an UnsureLook.
    """

    look: Look
    map: FeatureMap | None = None
    sheet: ChannelSheet | None = None
    ms: float = 0.0
    trouble: str = ""
    note: str = ""
    frame_share: float | None = None
