"""Every layer of a model: what it is, how often it runs, what it answers and where its cells lie.

One forward pass of an empty picture is followed (nets/fields.py), so what is said holds for that
input size and for any way of writing a net. Receptive fields follow from the operations; they can
also be measured by the gradient.
"""

import contextlib
from collections.abc import Collection
from typing import Any

import torch
from torch import Tensor, nn

from segstudio.core.layers import CallFacts, LayerFacts, LayerTree
from segstudio.engine import device as devices
from segstudio.engine.folding import FoldedNorm
from segstudio.engine.onnx_net import OnnxNet
from segstudio.engine.runner import Runner
from segstudio.errors import ModelError, SegStudioError
from segstudio.nets.fields import Call, as_map, calls, first_map
from segstudio.nets.layer_titles import title_of

FOLDED = "folded into the convolution before it"

WITH_NORM = "with the norm after it"

_TRIES = 6
"""Pictures of noise whose gradients are united: a ReLU lets none through where it is shut, and a
maximum only to one of its inputs."""


def layer_tree(runner: Runner, size: tuple[int, int], model: str) -> LayerTree:
    """The layers of the runner's net for inputs of (h, w) pixels, its margin not counted.

    model: name of its folder. ModelError when the net cannot be run at that size, OutOfMemory when
    it is too large.
    """
    net = _net_of(runner)
    if isinstance(net, OnnxNet):
        from segstudio.engine.inside.onnx_layers import onnx_layers

        return LayerTree(model, size, onnx_layers(net, size, margin=runner.spec.margin))
    runner.spec.check_size(*size)
    taps = {tap.name for tap in runner.spec.of(net).taps}
    try:
        with devices.guarded(f"The model '{model}'", runner.device):
            picture = _empty(runner, size)
            layers = module_layers(net, picture, taps=taps, margin=runner.spec.margin)
    except SegStudioError:
        raise
    except Exception as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
        raise ModelError(
            f"The layers of '{model}' are not known, because it cannot be run on an empty"
            f" {size[1]}×{size[0]} picture ({reason[:160]}); choose another input size."
        ) from error
    return LayerTree(model, size, layers)


def module_layers(
    net: nn.Module, picture: Tensor, *, taps: Collection[str] = (), margin: int | None = None
) -> tuple[LayerFacts, ...]:
    """Every module of any net but the net itself, in the order of `named_modules`.

    picture: (1, C, H, W) as the net takes it, margin included, on its device; its numbers do not
    matter. taps: names of layers worth looking at. margin: see nets/fields.py `calls`. Raises what
    the net raises.
    """
    with _exact(picture.device):
        runs = calls(net, picture, margin=margin)
    named = [(name, module) for name, module in net.named_modules() if name]
    folded = {m.convolution for _, m in named if isinstance(m, FoldedNorm)}
    return tuple(
        LayerFacts(
            name=name,
            title=title_of(net, name),
            kind=_kind(module),
            depth=name.count("."),
            parameters=sum(p.numel() for p in module.parameters()),
            calls=tuple(call_facts(call) for call in runs.get(name, ())),
            is_tap=name in taps,
            note=_note(name, module, folded),
        )
        for name, module in named
    )


def call_facts(call: Call) -> CallFacts:
    """The same without torch."""
    seen = call.field
    is_whole = seen is not None and seen.is_whole
    return CallFacts(
        shape=call.shape,
        middle=call.middle,
        step=call.step,
        field=None if seen is None or is_whole else seen.size,
        is_whole=is_whole,
        layout=call.layout,
    )


def measured_field(
    runner: Runner, name: str, size: tuple[int, int], call: int = -1
) -> tuple[int, int] | None:
    """(h, w) input pixels that the middle cell of a layer depends on, by its gradient.

    The box around all pixels whose gradient is not zero for at least one of several pictures of
    noise: at most what is computed, often less, because far pixels have few ways to the cell. It
    ends at the picture's border, the net's margin included. None when no gradient comes back.
    ModelError when the layer does not run so often.
    """
    net = _net_of(runner)
    if isinstance(net, OnnxNet):
        return None
    shape = _empty(runner, size)
    with (
        devices.guarded("Measuring the receptive field", runner.device),
        _exact(runner.device),
    ):
        runs = calls(net, shape, margin=runner.spec.margin).get(name, ())
        if not -len(runs) <= call < len(runs):
            raise ModelError(
                f"The layer '{name}' runs {len(runs)} times on one picture; choose another one."
            )
        number = call % len(runs)
        touched = torch.zeros(shape.shape[2:], dtype=torch.bool, device=shape.device)
        chance = torch.Generator().manual_seed(0)
        for _ in range(_TRIES):
            noise = torch.randn(shape.shape, generator=chance).to(shape.device)
            gradient = _gradient(net, name, number, runs[number], noise)
            if gradient is not None:
                touched |= (gradient != 0).any(1)[0]
    return _box(touched)


def _gradient(net: nn.Module, name: str, number: int, call: Call, noise: Tensor) -> Tensor | None:
    """(1, C, H, W): of the layer's middle cell, all its channels together, by the picture."""
    found: list[Tensor] = []
    runs = 0

    def hook(_module: nn.Module, _inputs: object, output: object) -> None:
        nonlocal runs
        answer = first_map(output)
        if answer is None:
            return
        runs += 1
        if runs == number + 1:  # summed up here: whatever comes after may work in place
            found.append(_middle(answer, call).sum())
            raise _Enough

    handle = net.get_submodule(name).register_forward_hook(hook)
    try:
        with torch.inference_mode(mode=False), torch.enable_grad():
            picture = noise.clone().requires_grad_()
            with contextlib.suppress(_Enough):
                net(picture * 1)  # a net may change what it is given
            if not found or not found[0].requires_grad:
                return None
            (gradient,) = torch.autograd.grad(found[0], picture, allow_unused=True)
            return gradient
    finally:
        handle.remove()


class _Enough(Exception):
    """The layer has answered; the rest of the net need not run."""


def _middle(answer: Tensor, call: Call) -> Tensor:
    if call.is_placed or answer.dim() == 4:
        cells = as_map(answer, call.shape, call.layout)
        return cells[..., cells.shape[2] // 2, cells.shape[3] // 2]
    return answer[:, answer.shape[1] // 2] if answer.dim() == 3 else answer


def _box(touched: Tensor) -> tuple[int, int] | None:
    rows, cols = touched.any(1).nonzero(), touched.any(0).nonzero()
    if not len(rows):
        return None
    return int(rows.max() - rows.min()) + 1, int(cols.max() - cols.min()) + 1


def _exact(device: torch.device) -> contextlib.AbstractContextManager[Any]:
    """No reduced precision inside, whatever is around it."""
    if torch.amp.is_autocast_available(device.type):
        return torch.autocast(device.type, enabled=False)
    return contextlib.nullcontext()


def _net_of(runner: Runner) -> nn.Module:
    if runner.net is None:
        raise RuntimeError("this predictor is closed")
    return runner.net


def _empty(runner: Runner, size: tuple[int, int]) -> Tensor:
    """Zeros (1, 3, h, w) with the margin around."""
    height, width = (side + 2 * runner.spec.margin for side in size)
    return torch.zeros(1, 3, height, width, device=runner.device)


def _kind(module: nn.Module) -> str:
    if isinstance(module, FoldedNorm):
        return "BatchNorm2d"
    named: Any = getattr(module, "original_name", None)  # of a scripted module
    return named if isinstance(named, str) else type(module).__name__


def _note(name: str, module: nn.Module, folded: set[str]) -> str:
    if isinstance(module, FoldedNorm):
        return FOLDED
    return WITH_NORM if name in folded else ""
