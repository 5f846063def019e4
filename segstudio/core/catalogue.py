"""What can be known about a model without importing torch."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from segstudio.core.classes import ClassMap
from segstudio.core.lineage import Lineage


@dataclass(frozen=True, slots=True)
class InputRule:
    """How a frame becomes the net's input.

    short_side: the frame is resized so that its short side has about this many pixels
    (None: the frame's own size). multiple_of, remainder: both sides are rounded to a multiple of
    the one plus the other; the remainder is the net's affair and stands in no card.
    only_size: (h, w), where the net takes nothing else; the net's affair too.
    mean, std: per channel in the order of `channels`, in units of `scale` (255: of 0..1 values;
    1: of 0..255 values): input = (value / scale - mean) / std / divide_after.
    channels: "RGB" or "BGR".
    """

    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)
    scale: float = 255.0
    divide_after: float = 1.0
    channels: str = "RGB"
    short_side: int | None = None
    multiple_of: int = 32
    remainder: int = 0
    only_size: tuple[int, int] | None = None

    def size_for(self, height: int, width: int, factor: float = 1.0) -> tuple[int, int]:
        """(h, w) that the net sees for a frame of that size; `factor` scales it further."""
        if self.only_size is not None:
            return self.only_size
        scale = factor * (self.short_side / min(height, width) if self.short_side else 1.0)
        m = self.multiple_of

        def rounded(side: int) -> int:
            steps = round((side * scale - self.remainder) / m)
            return max(1 if self.remainder == 0 else 0, steps) * m + self.remainder

        return rounded(height), rounded(width)


@dataclass(frozen=True, slots=True)
class Score:
    """A measured mIoU (0..1): on what, and how.

    per_class: IoU (0..1) by the name of the class; classes that are nowhere in it are left out, and
    it is empty where nobody wrote them down.
    """

    dataset: str
    miou: float
    detail: str = ""
    per_class: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What `card.json` beside the weights says, plus where it was found.

    name: folder name. net: entry of the net registry. net_args: its keyword arguments.
    folder: where card and weights lie. weights: file name inside it. bundled: shipped with us.
    lineage: how it was trained, None where nobody wrote it down.
    """

    name: str
    title: str
    net: str
    classes: ClassMap
    input: InputRule
    folder: Path
    weights: str
    net_args: dict[str, int | float | str | bool] = field(default_factory=dict)
    scores: tuple[Score, ...] = ()
    trained_on: str = ""
    licence: str = ""
    description: str = ""
    command: str = ""
    params: int | None = None
    sha256: str = ""
    bundled: bool = False
    lineage: Lineage | None = None


@dataclass(frozen=True, slots=True)
class TapFacts:
    """A declared stage of a net: dotted module name, stride to the input, channels."""

    name: str
    stride: int
    channels: int


@dataclass(frozen=True, slots=True)
class NetFacts:
    """An architecture of the zoo, as it is listed and drawn.

    name, title, paper, family: as registered; paper is an address. taps: in the order of the
    forward pass, () until the net was built once. multiple_of, remainder, min_side, margin: which
    sizes it takes, in pixels; only_size: (h, w), where it takes nothing else. extra: the optional
    extra that must be installed. trouble: why it cannot be built here, "" when it can.
    """

    name: str
    title: str
    paper: str
    family: str
    taps: tuple[TapFacts, ...] = ()
    multiple_of: int = 1
    remainder: int = 0
    min_side: int = 32
    margin: int = 0
    extra: str = ""
    trouble: str = ""
    only_size: tuple[int, int] | None = None

    def size_near(self, height: int, width: int) -> tuple[int, int]:
        """The next (h, w) that the net takes."""
        if self.only_size is not None:
            return self.only_size

        def fitted(side: int) -> int:
            m = self.multiple_of
            steps = max(0, round((side - self.remainder) / m))
            lowest = max(0, -(-(self.min_side - self.remainder) // m))
            return max(steps, lowest) * m + self.remainder

        return fitted(height), fitted(width)


WHOLE_PICTURE = 0
"""The receptive field of a net that looks at everything at once (global pooling, attention)."""


@dataclass(frozen=True, slots=True)
class NetFigures:
    """What was counted on one net at one input size; None: could not be counted.

    height, width: of the input. parameters: without heads for training only. gmacs: 10^9
    multiply-accumulates of one forward pass. output_stride: input side by logits' side.
    receptive_field: input pixels, per side, that one answer can depend on, or WHOLE_PICTURE.
    """

    height: int
    width: int
    parameters: int | None = None
    gmacs: float | None = None
    output_stride: int | None = None
    receptive_field: int | None = None
