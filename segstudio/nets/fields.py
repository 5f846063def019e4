"""What every layer of a net sees and where its cells lie, by following one forward pass.

Every operation is followed, whatever module or function makes it: an output pixel i of a map sees
the input pixels from low + i * step to high + i * step. A convolution with kernel k, stride s,
dilation d and padding p moves low by -p steps and high by (k - 1) d - p steps and multiplies the
step by s (Araujo, Norris, Sim, "Computing Receptive Fields of Convolutional Neural Networks",
Distill 2019). Sums and concatenations see the union. Global pooling and attention see the whole
picture. The rules are in nets/field_rules.py, the ways of tensors in nets/field_layouts.py.
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.weak import WeakTensorKeyDictionary

from segstudio.nets.field_layouts import Known, after, sides
from segstudio.nets.field_rules import Field as Field
from segstudio.nets.field_rules import Pair

Layout = Literal["first", "last", "tokens"]
"""Where a map has its channels: (N, C, h, w), (N, h, w, C), (N, h w, C)."""


@dataclass(frozen=True, slots=True)
class Call:
    """One run of a module: its answer, the first map in whatever it returns.

    shape: without the batch; of what is known to be a map always (C, h, w), however it is laid out
    (`as_map` brings it there). field: None when nothing of the picture is in it. is_placed: it is
    a map, and where its cells lie is known.
    """

    shape: tuple[int, ...]
    field: Field | None
    is_placed: bool
    layout: Layout = "first"

    @property
    def middle(self) -> Pair | None:
        """The pixel of the picture (0: the middle of the first) that cell 0 lies on, (y, x)."""
        return self.field.middle if self.field is not None and self.is_placed else None

    @property
    def step(self) -> Pair | None:
        """Pixels of the picture from one cell to the next, (y, x)."""
        return self.field.step if self.field is not None and self.is_placed else None


def calls(
    net: nn.Module, picture: Tensor, *, margin: int | None = None
) -> dict[str, tuple[Call, ...]]:
    """One entry for every run of every module (root excluded) that returns a tensor, in order.

    picture: (1, C, H, W) as the net takes it, on its device. margin: pixels around the picture
    proper that the net only sees, None: what the net says. Pixels count from the picture proper.
    """
    border = int(getattr(net, "margin", 0)) if margin is None else margin
    at = (-float(border), -float(border))
    follower = Follower(picture, Field(low=at, high=at, middle=at))
    found: dict[str, list[Call]] = {}

    def noted(name: str) -> Callable[..., None]:
        def hook(_module: nn.Module, _inputs: object, output: object) -> None:
            answer = first_map(output)
            if answer is not None:
                found.setdefault(name, []).append(follower.call(answer))

        return hook

    hooks = [m.register_forward_hook(noted(n)) for n, m in net.named_modules() if n]
    try:
        with torch.inference_mode(mode=False), torch.no_grad(), follower:
            net(picture)
    finally:
        for hook in hooks:
            hook.remove()
    return {name: tuple(runs) for name, runs in found.items()}


def fields(net: nn.Module, height: int, width: int) -> tuple[dict[str, Field], Field]:
    """The field of every module's output by name (its last call counts), and of the logits.

    Pixels count from the first that the net is given, the margin included.
    """
    picture = picture_for(net, height, width)
    follower = Follower(picture, Field())
    by_name: dict[str, Field] = {}

    def noted(name: str) -> Callable[..., None]:
        def hook(_module: nn.Module, _inputs: object, output: object) -> None:
            for leaf in tree_leaves(output):
                if isinstance(leaf, Tensor) and leaf in follower.known:
                    by_name[name] = follower.known[leaf].field

        return hook

    hooks = [m.register_forward_hook(noted(n)) for n, m in net.named_modules() if n]
    try:
        with torch.no_grad(), follower:
            logits = net.eval()(picture).logits
    finally:
        for hook in hooks:
            hook.remove()
    known: Known | None = follower.known.get(logits)  # type: ignore[no-untyped-call]  # torch's
    return by_name, known.field if known is not None else Field(is_whole=True)


def first_map(output: Any) -> Tensor | None:  # noqa: ANN401  whatever a module returns
    """The tensor that stands for a module's answer.

    The first of (N, C, h, w) with more than one row and column; else the first of four dimensions;
    else the first of floating point; None without one.
    """
    given = [t for t in _tensors(output) if t.is_floating_point()]
    maps = [t for t in given if t.dim() == 4]
    wide = [t for t in maps if t.shape[2] > 1 and t.shape[3] > 1]
    return next(iter([*wide, *maps, *given]), None)


def as_map(answer: Tensor, shape: tuple[int, ...], layout: str) -> Tensor:
    """The answer as (N, C, h, w), a view where it can be. shape, layout: of the Call."""
    if layout == "first":
        return answer
    if layout == "tokens":
        answer = answer.reshape(answer.shape[0], *shape[1:], answer.shape[-1])
    return answer.permute(0, 3, 1, 2)


def call_of(shape: tuple[int, ...], known: Known | None) -> Call:
    """What is known of an answer of that shape, batch included."""
    if known is None:
        return Call(shape[1:], None, is_placed=False)
    layout = _LAYOUTS.get((len(shape), known.axes))
    if known.cells is None or layout is None:
        return Call(shape[1:], known.field, is_placed=False)
    channels = shape[1 if layout == "first" else -1]
    return Call((channels, *known.cells), known.field, is_placed=True, layout=layout)


def picture_for(net: nn.Module, height: int, width: int) -> Tensor:
    """An empty picture (1, C, H, W) with the net's margin, on the device of its weights."""
    first = next(net.parameters(), None)
    margin = 2 * int(getattr(net, "margin", 0))
    device = first.device if first is not None else "meta"
    return torch.empty(1, _channels(net), height + margin, width + margin, device=device)


def _channels(net: nn.Module) -> int:
    """Input channels: 3 unless the first convolution takes one picture of another depth."""
    first = next((m for m in net.modules() if isinstance(m, nn.Conv2d)), None)
    return 1 if first is not None and first.in_channels == 1 and first.groups == 1 else 3


def _tensors(value: Any) -> Iterator[Tensor]:  # noqa: ANN401
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _tensors(inner)
    elif isinstance(value, tuple | list):
        for inner in value:
            yield from _tensors(inner)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            yield from _tensors(getattr(value, field.name))


class Follower(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch leaves it unannotated
    """Sees every operation on tensors and keeps what is known of every result."""

    def __init__(self, picture: Tensor, field: Field) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch's
        self.known = WeakTensorKeyDictionary()
        self.known[picture] = Known(field, sides(picture.shape, (2, 3)), (2, 3))

    def call(self, answer: Tensor) -> Call:
        """What is known of a module's answer."""
        known: Known | None = self.known.get(answer)  # type: ignore[no-untyped-call]  # torch's
        return call_of(tuple(answer.shape), known)

    def __torch_dispatch__(
        self,
        func: Any,  # noqa: ANN401  an operation
        types: Any,  # noqa: ANN401  torch's own affair
        args: tuple[Any, ...] = (),
        kwargs: Any = None,  # noqa: ANN401  a dict or None
    ) -> Any:  # noqa: ANN401  whatever the operation answers
        """Runs the operation and works out what its result sees."""
        given = kwargs or {}
        out = func(*args, **given)
        seen = [t for t in tree_leaves((args, given)) if isinstance(t, Tensor) and t in self.known]
        if seen:
            known = [self.known[t] for t in seen]
            for result in tree_leaves(out):
                if isinstance(result, Tensor):
                    self._keep(result, after(func.overloadpacket, known, seen, args, result))
        return out

    def _keep(self, result: Tensor, known: Known) -> None:
        self.known[result] = known
        whole = result._base  # of a part that was just filled
        if isinstance(whole, Tensor) and whole not in self.known and whole.dim() == result.dim():
            axes = known.axes if sides(whole.shape, known.axes) == known.cells else ()
            self.known[whole] = replace(known, axes=axes)


_LAYOUTS: dict[tuple[int, tuple[int, ...]], Layout] = {
    (4, (2, 3)): "first",
    (4, (1, 2)): "last",
    (3, (1,)): "tokens",
}
"""By dimensions, and those that are rows and columns."""
