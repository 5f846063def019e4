"""What can be known about a model without importing torch."""

from dataclasses import dataclass, field
from pathlib import Path

from segstudio.core.classes import ClassMap


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
    """A measured mIoU (0..1): on what, and how."""

    dataset: str
    miou: float
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What `card.json` beside the weights says, plus where it was found.

    name: folder name. net: entry of the net registry. net_args: its keyword arguments.
    folder: where card and weights lie. weights: file name inside it. bundled: shipped with us.
    channel_ids: class id of each output channel (None: channel i is class id i of the set).
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
