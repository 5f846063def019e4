"""Batch norm folded into the convolution before it: the same function in fewer steps.

In eval a batch norm is y = a x + b for each channel, and so is a convolution's end. Which norm
follows which convolution is seen by running the net once on a small picture of zeros: a pair is
folded when each of the convolution's answers goes into that norm and nowhere else, and the norm
sees nothing else. That holds for any way of writing a net, and for pairs that run twice. (The meta
device would do as well, but torch needs four seconds to load what runs on it.)

A net that takes large pictures only, or fails on this one, is looked at by its names instead:
neighbours in an nn.Sequential, and children called convN and bnN.
"""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.overrides import TorchFunctionMode

from segstudio.nets.registry import NetSpec

Pair = tuple[str, str]
"""Dotted names of a convolution and of the norm after it."""

_SIDE = 64
"""About the side of the picture that the net is run with: a twentieth of a second."""

_LARGE_SIDE = 320
"""From this side on a run would cost more than it brings."""

_QUESTIONS = ("__get__", "dim", "size", "numel", "ndimension", "is_floating_point", "stride")
"""What may be asked of a tensor without using its values."""


class FoldedNorm(nn.Identity):
    """Stands where a norm was that is in a convolution now; convolution: its dotted name."""

    def __init__(self, convolution: str) -> None:
        super().__init__()
        self.convolution = convolution


def fold_batch_norm(net: nn.Module, spec: NetSpec | None = None) -> nn.Module:
    """The net, itself changed, with every norm folded that can be; eval only.

    spec: which input it takes; without it pairs are found by names.
    """
    pairs = _seen_pairs(net, spec) if spec is not None else None
    for conv_name, norm_name in _named_pairs(net) if pairs is None else pairs:
        conv, norm = net.get_submodule(conv_name), net.get_submodule(norm_name)
        assert isinstance(conv, nn.Conv2d | nn.ConvTranspose2d)
        assert isinstance(norm, nn.BatchNorm2d | nn.SyncBatchNorm)
        _fold(conv, norm)
        path, _, last = norm_name.rpartition(".")
        setattr(net.get_submodule(path), last, FoldedNorm(conv_name))
    return net


@torch.no_grad()
def _fold(conv: nn.Conv2d | nn.ConvTranspose2d, norm: nn.BatchNorm2d | nn.SyncBatchNorm) -> None:
    """Scale and shift of the norm into weight and bias; in double precision, rounded once."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    scale = (norm.running_var.double() + norm.eps).rsqrt()
    if norm.weight is not None:
        scale = scale * norm.weight.double()
    shift = -norm.running_mean.double() * scale
    if norm.bias is not None:
        shift = shift + norm.bias.double()
    if conv.bias is not None:
        shift = shift + conv.bias.double() * scale
    kernel = conv.weight.double()
    if isinstance(conv, nn.Conv2d):
        kernel = kernel * scale.view(-1, 1, 1, 1)
    else:  # (in, out / groups, kh, kw); each group of inputs has outputs of its own
        groups = kernel.view(conv.groups, -1, *kernel.shape[1:])
        kernel = (groups * scale.view(conv.groups, 1, -1, 1, 1)).view_as(kernel)
    conv.weight = nn.Parameter(kernel.to(conv.weight.dtype))
    conv.bias = nn.Parameter(shift.to(conv.weight.dtype))


def _is_convolution(module: nn.Module) -> bool:
    """A plain one: weights made in forward, as by weight standardisation, cannot be changed."""
    return type(module) in (nn.Conv2d, nn.ConvTranspose2d) and not (
        parametrize.is_parametrized(module) or module._forward_pre_hooks or module._forward_hooks
    )


def _is_norm(module: nn.Module) -> bool:
    """A plain one: some children of BatchNorm2d end in an activation."""
    return type(module) in (nn.BatchNorm2d, nn.SyncBatchNorm) and (
        module.running_mean is not None and not (module._forward_pre_hooks or module._forward_hooks)
    )


def _named_pairs(net: nn.Module) -> Iterator[Pair]:
    uses: dict[nn.Module, int] = {}
    for _, module in net.named_modules(remove_duplicate=False):
        uses[module] = uses.get(module, 0) + 1
    for prefix, module in list(net.named_modules()):
        names = [name for name, _ in module.named_children()]
        if isinstance(module, nn.Sequential):
            pairs = list(itertools.pairwise(names))
        else:
            pairs = [(n, "bn" + n.removeprefix("conv")) for n in names if n.startswith("conv")]
        for first, second in pairs:
            conv, norm = getattr(module, first), getattr(module, second, None)
            if norm is None or not (_is_convolution(conv) and _is_norm(norm)):
                continue
            if uses[conv] == uses[norm] == 1:
                dot = f"{prefix}." if prefix else ""
                yield dot + first, dot + second


def _seen_pairs(net: nn.Module, spec: NetSpec) -> list[Pair] | None:
    """Pairs found by running; None when the net cannot be run on a small picture."""
    if not any(_is_norm(module) for module in net.modules()):
        return []
    size = spec.only_size or (spec.sides_near(max(_SIDE, spec.min_side))[-1],) * 2
    height, width = (side + 2 * spec.margin for side in size)
    if max(height, width) > _LARGE_SIDE:
        return None
    watch = _Watch(net)
    try:
        watch.run(torch.zeros(1, 3, height, width))
    except Exception:  # noqa: BLE001  a library's net may do anything in its forward
        return None
    return watch.pairs()


class _Watch(TorchFunctionMode):
    """Counts who uses the answers of the convolutions."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self._net = net
        self._names = {m: name for name, m in net.named_modules()}
        self._calls: dict[nn.Module, int] = {}
        self._answers: dict[int, tuple[Tensor, nn.Module]] = {}  # held, so that ids stay unique
        self._uses: dict[nn.Module, int] = {}
        self._after: dict[nn.Module, set[nn.Module]] = {}  # convolution -> norms behind it
        self._before: dict[nn.Module, set[nn.Module | None]] = {}  # norm -> what it follows

    def run(self, x: Tensor) -> None:
        """One forward pass; the net is left as it was."""
        hooks = []
        for module in self._names:
            if _is_convolution(module):
                hooks.append(module.register_forward_hook(self._answered))
            elif _is_norm(module):
                hooks.append(module.register_forward_pre_hook(self._asked))
        try:
            with torch.no_grad(), self:
                out = self._net(x)
        finally:
            for hook in hooks:
                hook.remove()
        for value in _tensors(out):
            self._use(value)

    def pairs(self) -> list[Pair]:
        """What may be folded."""
        return [
            (self._names[conv], self._names[norm])
            for conv, norms in self._after.items()
            for norm in norms
            if len(norms) == 1
            and self._before[norm] == {conv}
            and self._uses.get(conv) == self._calls[conv] == self._calls[norm]
        ]

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,  # noqa: ANN401  torch's form
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401
        """Every call of torch comes by here."""
        if getattr(func, "__name__", "") not in _QUESTIONS:
            for value in _tensors((args, kwargs or {})):
                self._use(value)
        return func(*args, **(kwargs or {}))

    def _use(self, value: Tensor) -> None:
        if id(value) in self._answers:
            conv = self._answers[id(value)][1]
            self._uses[conv] = self._uses.get(conv, 0) + 1

    def _answered(self, conv: nn.Module, _inputs: tuple[Any, ...], out: Tensor) -> None:
        self._calls[conv] = self._calls.get(conv, 0) + 1
        self._answers[id(out)] = (out, conv)

    def _asked(self, norm: nn.Module, inputs: tuple[Any, ...]) -> None:
        self._calls[norm] = self._calls.get(norm, 0) + 1
        conv = self._answers[id(inputs[0])][1] if id(inputs[0]) in self._answers else None
        self._before.setdefault(norm, set()).add(conv)
        if conv is not None:
            self._after.setdefault(conv, set()).add(norm)


def _tensors(value: Any) -> Iterator[Tensor]:  # noqa: ANN401
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _tensors(inner)
    elif isinstance(value, tuple | list):
        for inner in value:
            yield from _tensors(inner)
