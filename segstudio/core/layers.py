"""What is known of every layer of a model. No torch."""

from dataclasses import dataclass, field
from typing import Literal

Shape = tuple[int, ...]
"""Without the batch: (C, h, w) of a map, (N, C) of tokens, (C,) of a vector."""


@dataclass(frozen=True, slots=True)
class CallFacts:
    """One run of a layer in a forward pass.

    shape: of its answer. middle, step: where its cells lie, (y, x) in pixels of the net's input:
    cell 0 looks at the picture around `middle` (0 is the middle of the first pixel), the next one
    `step` on; None for what is no map. field: (h, w) in input pixels that one cell sees, None when
    it sees the whole picture or nobody knows. layout: where the module has the channels of a map,
    whose shape is given as (C, h, w) in any case: "first" (N, C, h, w), "last" (N, h, w, C),
    "tokens" (N, h w, C); nets/fields.py `as_map` brings it to the first.
    """

    shape: Shape
    middle: tuple[float, float] | None = None
    step: tuple[float, float] | None = None
    field: tuple[int, int] | None = None
    is_whole: bool = False
    layout: Literal["first", "last", "tokens"] = "first"

    @property
    def is_map(self) -> bool:
        """Rows and columns that lie over the picture."""
        return len(self.shape) == 3 and self.shape[1] > 1 and self.shape[2] > 1

    @property
    def stride(self) -> float | None:
        """Input pixels from one cell to the next, along y."""
        return None if self.step is None else self.step[0]


@dataclass(frozen=True, slots=True)
class LayerFacts:
    """One module.

    name: dotted, as torch says it. title: what it is ("Detail branch · stage 2"), "" where the name
    must do. kind: class of the module. depth: dots in the name. parameters: its own and those of
    what it contains. calls: one for every time it runs, () when it does not. is_tap: the net
    declares it as worth looking at. note: what people should know ("with the norm after it").
    """

    name: str
    title: str
    kind: str
    depth: int
    parameters: int
    calls: tuple[CallFacts, ...] = ()
    is_tap: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class LayerCost:
    """Of one forward pass: wall milliseconds and MiB of answers, what it contains included."""

    ms: float
    mib: float


@dataclass(frozen=True, slots=True)
class LayerTree:
    """All layers of one model at one input size, in the order of `named_modules`.

    model: name of its folder. input_size: (h, w). costs: by name, empty until it was measured.
    """

    model: str
    input_size: tuple[int, int]
    layers: tuple[LayerFacts, ...]
    costs: dict[str, LayerCost] = field(default_factory=dict)

    def get(self, name: str) -> LayerFacts | None:
        """The layer of that name."""
        return next((layer for layer in self.layers if layer.name == name), None)
