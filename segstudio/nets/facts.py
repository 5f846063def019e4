"""What can be said about a net by looking at it: size, cost, stride, receptive field.

A net is sent one picture on the meta device, where tensors have shapes and no numbers, so that the
largest net answers within a second. Costs are multiply-accumulate operations as torch's
FlopCounterMode counts them, which gives the figures that torchvision publishes for its nets.

Receptive fields follow every operation of the forward pass, whatever module or function it is made
by: an output pixel i of a map sees the input pixels from low + i * step to high + i * step. A
convolution with kernel k, stride s, dilation d and padding p moves low by -p steps and high by
(k - 1) d - p steps and multiplies the step by s (Araujo, Norris, Sim, "Computing Receptive Fields
of Convolutional Neural Networks", Distill 2019). Sums and concatenations see the union. Global
pooling and attention see the whole picture.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode
from torch.utils.weak import WeakTensorKeyDictionary

aten = torch.ops.aten


@dataclass(frozen=True, slots=True)
class Field:
    """What one pixel of a map sees, along y (the first of each pair) and x.

    low, high: first and last input pixel that pixel 0 sees (negative in the padding). step: input
    pixels from one pixel of the map to the next. is_whole: it sees the whole picture, and the
    figures say how far it would see without that. is_enlarged: the map was enlarged on the way.
    """

    low: tuple[float, float] = (0.0, 0.0)
    high: tuple[float, float] = (0.0, 0.0)
    step: tuple[float, float] = (1.0, 1.0)
    is_whole: bool = False
    is_enlarged: bool = False

    @property
    def size(self) -> tuple[int, int]:
        """Input pixels seen, (height, width)."""
        y, x = (math.floor(b - a + 1e-6) + 1 for a, b in zip(self.low, self.high, strict=True))
        return y, x


def parameters(net: nn.Module) -> int:
    """Numbers that training changes or could change; buffers are not counted."""
    return sum(p.numel() for p in net.parameters())


def gmacs(net: nn.Module, height: int, width: int) -> float:
    """Billions of multiply-accumulate operations of one prediction for a (height, width) picture.

    The net must have been built on the meta device, or be small enough to run.
    """
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        net.eval()(_picture(net, height, width))
    return float(counter.get_total_flops()) / 2e9


def output_stride(net: nn.Module, height: int, width: int) -> int:
    """Input pixels per pixel of the logits."""
    with torch.inference_mode():
        logits = net.eval()(_picture(net, height, width)).logits
    rows: int = logits.shape[2]
    return round(height / rows)


def receptive_field(net: nn.Module, height: int, width: int) -> int | None:
    """Side in pixels of what the deepest layer sees, before anything is enlarged.

    None when the net looks at the whole picture at once (global pooling, attention). height,
    width: of a picture that the net takes.
    """
    found, logits = fields(net, height, width)
    if logits.is_whole:
        return None
    plain = [f.size[0] for f in found.values() if not f.is_enlarged and not f.is_whole]
    return max(plain, default=logits.size[0])


def fields(net: nn.Module, height: int, width: int) -> tuple[dict[str, Field], Field]:
    """The field of every module's output by name (its last call counts), and of the logits."""
    picture = _picture(net, height, width)
    follower = _Follower(picture)
    by_name: dict[str, Field] = {}

    def note(name: str) -> Callable[..., None]:
        def hook(_module: nn.Module, _inputs: object, output: object) -> None:
            for leaf in tree_leaves(output):
                if isinstance(leaf, Tensor) and leaf in follower.fields:
                    by_name[name] = follower.fields[leaf]

        return hook

    hooks = [m.register_forward_hook(note(n)) for n, m in net.named_modules() if n]
    try:
        with torch.no_grad(), follower:
            logits = net.eval()(picture).logits
    finally:
        for hook in hooks:
            hook.remove()
    known: Field | None = follower.fields.get(logits)  # type: ignore[no-untyped-call]  # torch's
    return by_name, known or Field(is_whole=True)


def _picture(net: nn.Module, height: int, width: int) -> Tensor:
    first = next(net.parameters(), None)
    margin = 2 * int(getattr(net, "margin", 0))
    channels = _channels(net)
    device = first.device if first is not None else "meta"
    return torch.empty(1, channels, height + margin, width + margin, device=device)


def _channels(net: nn.Module) -> int:
    """Input channels: 3 unless the first convolution takes one picture of another depth."""
    first = next((m for m in net.modules() if isinstance(m, nn.Conv2d)), None)
    return 1 if first is not None and first.in_channels == 1 and first.groups == 1 else 3


_Rule: TypeAlias = Callable[[Field, tuple[Any, ...], Tensor], Field]


class _Follower(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch leaves it unannotated
    """Sees every operation on tensors and keeps the field of every result."""

    def __init__(self, picture: Tensor) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch's
        self.fields = WeakTensorKeyDictionary()
        self.fields[picture] = Field()

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
        seen = [t for t in tree_leaves((args, given)) if isinstance(t, Tensor) and t in self.fields]
        if seen:
            known = [self.fields[t] for t in seen]
            for result in tree_leaves(out):
                if isinstance(result, Tensor):
                    self.fields[result] = _after(func.overloadpacket, known, seen, args, result)
        return out


def _after(
    packet: Any,  # noqa: ANN401  an operation of torch.ops.aten
    known: list[Field],
    seen: list[Tensor],
    args: tuple[Any, ...],
    out: Tensor,
) -> Field:
    rule = _RULES.get(packet)
    if rule is not None:
        return rule(known[0], args, out)
    union = _union(known)
    if packet in _MIX_ALL and len(seen) > 1:  # the query says where
        return replace(known[0], is_whole=True)
    if packet in _REDUCE and out.dim() >= 1 and _is_smaller(seen[0], out):
        return replace(union, is_whole=True)
    return union


def _is_smaller(before: Tensor, after: Tensor) -> bool:
    """Whether a reduction took rows or columns of a map, and not its channels."""
    return before.dim() == 4 and (after.dim() != 4 or after.shape[2:] != before.shape[2:])


def _union(known: list[Field]) -> Field:
    """What a pixel that depends on pixels of all these maps sees."""
    widest = max(known, key=lambda f: f.high[0] - f.low[0])
    return Field(
        (min(f.low[0] for f in known), min(f.low[1] for f in known)),
        (max(f.high[0] for f in known), max(f.high[1] for f in known)),
        widest.step,
        any(f.is_whole for f in known),
        any(f.is_enlarged for f in known),
    )


def _pair(value: Any, default: float = 0) -> tuple[float, float]:  # noqa: ANN401  an int or a list
    if isinstance(value, int | float):
        return value, value
    items = list(value)
    if not items:
        return default, default
    return (items[-2], items[-1]) if len(items) > 1 else (items[0], items[0])


def _windowed(
    field: Field,
    kernel: tuple[float, float],
    stride: tuple[float, float],
    padding: tuple[float, float],
    dilation: tuple[float, float],
) -> Field:
    low, high, step = [], [], []
    for a in range(2):
        low.append(field.low[a] - padding[a] * field.step[a])
        reach = (kernel[a] - 1) * dilation[a] - padding[a]
        high.append(field.high[a] + reach * field.step[a])
        step.append(field.step[a] * stride[a])
    return replace(field, low=(low[0], low[1]), high=(high[0], high[1]), step=(step[0], step[1]))


def _convolution(field: Field, args: tuple[Any, ...], out: Tensor) -> Field:  # noqa: ARG001
    weight, stride, padding, dilation = args[1], args[3], args[4], args[5]
    kernel = _pair(list(weight.shape[2:]), 1)
    if not args[6]:
        return _windowed(field, kernel, _pair(stride), _pair(padding), _pair(dilation))
    return _spread(field, kernel, _pair(stride), _pair(padding))


def _spread(
    field: Field,
    kernel: tuple[float, float],
    stride: tuple[float, float],
    padding: tuple[float, float],
) -> Field:
    """Transposed convolution: output o gets from the inputs (o + p - k + 1) / s to (o + p) / s."""
    low, high, step = [], [], []
    for a in range(2):
        fine = field.step[a] / stride[a]
        first = math.ceil((padding[a] - kernel[a] + 1) / stride[a])
        last = math.floor((padding[a] + stride[a] - 1) / stride[a])
        low.append(field.low[a] + first * field.step[a])
        high.append(field.high[a] + last * field.step[a])
        step.append(fine)
    return replace(
        field,
        low=(low[0], low[1]),
        high=(high[0], high[1]),
        step=(step[0], step[1]),
        is_enlarged=field.is_enlarged or max(stride) > 1,
    )


def _pool(field: Field, args: tuple[Any, ...], out: Tensor) -> Field:  # noqa: ARG001
    kernel = _pair(args[1])
    stride = _pair(args[2]) if len(args) > 2 and args[2] else kernel
    padding = _pair(args[3]) if len(args) > 3 else (0, 0)
    return _windowed(field, kernel, stride, padding, (1, 1))


def _adaptive(field: Field, args: tuple[Any, ...], out: Tensor) -> Field:
    before, after = args[0].shape[-2:], out.shape[-2:]
    if before == after:
        return field
    if min(after) == 1:
        return replace(field, is_whole=True)
    kernel = tuple(
        math.ceil(b / a) + (1 if b % a else 0) for b, a in zip(before, after, strict=True)
    )
    stride = tuple(b / a for b, a in zip(before, after, strict=True))
    return _windowed(field, _pair(kernel), _pair(stride), (0, 0), (1, 1))


def _enlarged(field: Field, args: tuple[Any, ...], out: Tensor) -> Field:
    """Linear enlargement: a pixel between two sees both."""
    before, after = args[0].shape[-2:], out.shape[-2:]
    low, high, step = [], [], []
    for a in range(2):
        scale = after[a] / before[a]
        grows = scale != 1
        low.append(field.low[a] - (field.step[a] if scale > 1 else 0))
        high.append(field.high[a] + (field.step[a] if grows else 0))
        step.append(field.step[a] / scale)
    return replace(
        field,
        low=(low[0], low[1]),
        high=(high[0], high[1]),
        step=(step[0], step[1]),
        is_enlarged=field.is_enlarged or tuple(after) > tuple(before),
    )


def _repeated(field: Field, args: tuple[Any, ...], out: Tensor) -> Field:
    """Nearest enlargement, unpooling: each pixel comes from one."""
    before, after = args[0].shape[-2:], out.shape[-2:]
    y, x = (s * b / a for s, b, a in zip(field.step, before, after, strict=True))
    return replace(field, step=(y, x), is_enlarged=field.is_enlarged or after[0] > before[0])


def _padded(field: Field, args: tuple[Any, ...], out: Tensor) -> Field:  # noqa: ARG001
    """Pixel 0 moves into the padding; `pad` names the last dimension first."""
    pad = list(args[1])
    left, top = (pad[0] if pad else 0), (pad[2] if len(pad) > 2 else 0)
    return _moved(field, (-top, -left))


def _sliced(field: Field, args: tuple[Any, ...], out: Tensor) -> Field:
    dim = int(args[1]) % args[0].dim() if len(args) > 1 else 0
    start = args[2] if len(args) > 2 and args[2] is not None else 0
    stride = int(args[4]) if len(args) > 4 else 1
    axis = dim - (args[0].dim() - 2)
    if args[0].dim() != 4 or axis < 0:
        return field
    start = max(0, int(start) if start >= 0 else int(start) + args[0].shape[dim])
    moved = _moved(field, (start if axis == 0 else 0, start if axis == 1 else 0))
    if stride == 1 or out.shape == args[0].shape:
        return moved
    y, x = moved.step
    return replace(moved, step=(y * stride if axis == 0 else y, x * stride if axis == 1 else x))


def _moved(field: Field, by: tuple[float, float]) -> Field:
    y, x = (b * s for b, s in zip(by, field.step, strict=True))
    return replace(
        field, low=(field.low[0] + y, field.low[1] + x), high=(field.high[0] + y, field.high[1] + x)
    )


_RULES: dict[Any, _Rule] = {
    aten.convolution: _convolution,
    aten.max_pool2d_with_indices: _pool,
    aten.avg_pool2d: _pool,
    aten._adaptive_avg_pool2d: _adaptive,
    aten.adaptive_max_pool2d: _adaptive,
    aten.upsample_bilinear2d: _enlarged,
    aten.upsample_bicubic2d: _enlarged,
    aten._upsample_bilinear2d_aa: _enlarged,
    aten.upsample_nearest2d: _repeated,
    aten.max_unpool2d: _repeated,
    aten.constant_pad_nd: _padded,
    aten.reflection_pad2d: _padded,
    aten.replication_pad2d: _padded,
    aten.slice: _sliced,
}

_MIX_ALL = {
    aten.bmm,
    aten.baddbmm,
    aten._scaled_dot_product_flash_attention_for_cpu,
    aten._scaled_dot_product_efficient_attention,
    aten._scaled_dot_product_fused_attention_overrideable,
    aten._fused_sdp_choice,
}
"""Two activations multiplied: every token meets every other."""

_REDUCE = {aten.mean, aten.sum, aten.amax, aten.max}
