"""What in a layer speaks for a class at some pixels of the frame.

Seg-Grad-CAM (Vinogradova et al., AAAI 2020) weighs each channel of a layer by the mean gradient of
the class's logits, summed over those pixels, and keeps what is positive. Grad-CAM++ weighs the
gradients by their second and third powers (Chattopadhay et al., WACV 2018, equation 19); HiResCAM
multiplies cell by cell instead of averaging (Draelos, Carin, 2020). All three are the figures of
the package grad-cam to its last digits, its small constants included.

Only what comes after the layer is recorded: the layer's answer is replaced by a copy that gradients
are asked of. It is calculated in fp32, without autocast, whatever the predictions use.
"""

import dataclasses
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils._pytree import tree_map_only

from segstudio.core.feature_map import BINS, FeatureMap, Lattice
from segstudio.core.layers import CallFacts, Shape
from segstudio.core.look import EvidenceLook
from segstudio.engine import device as devices
from segstudio.engine.flow import CancelToken
from segstudio.engine.inside.capture import as_map
from segstudio.engine.inside.occlusion import occlusion
from segstudio.engine.inside.target import Target, target_of
from segstudio.engine.onnx_net import OnnxNet
from segstudio.engine.runner import Runner
from segstudio.engine.windows import mirrored
from segstudio.errors import ModelError
from segstudio.nets.fields import first_map

NEARLY_NOTHING = 1e-6
"""Added below the fraction of Grad-CAM++."""

LEAST_PEAK = 1e-7
"""Added to the peak that a map is divided by."""


def evidence(
    runner: Runner,
    x: Tensor,
    labels: NDArray[np.uint8],
    class_ids: NDArray[np.uint8],
    look: EvidenceLook,
    lattice_of: Callable[[Shape], Lattice],
    token: CancelToken,
    known: CallFacts | None = None,
    progress: Callable[[float], None] | None = None,
) -> FeatureMap:
    """The map of a look, 0..1, at the layer's own resolution; of occlusion at that of its boxes.

    x: float (1, 3, h, w), the prepared frame without the net's margin. labels: uint8 (H, W),
    predicted class ids. class_ids: uint8 (C,), of each channel. lattice_of: where the cells of an
    answer of that shape lie. known: of the layer's run, which says how its tokens are laid out.
    progress: of occlusion, 0..1.
    ModelError when there is nothing to show, Cancelled when the token says so, OutOfMemory.
    """
    target = target_of(look, labels, class_ids, align_corners=runner.spec.align_corners)
    token.check()
    if look.kind == "occlusion":
        with devices.guarded("Hiding parts of the picture", runner.device):
            return occlusion(runner, x, target, token, progress)
    with devices.guarded(f"Evidence at the layer '{look.layer}'", runner.device):
        features, gradient = _answer_and_gradient(runner, x, look, known, target, token)
        cam = weighted(look.kind, features, gradient)
        exact = scaled(cam).float().cpu().numpy()
    return _shown(exact, lattice_of((features.shape[0], *exact.shape)))


def weighted(kind: str, features: Tensor, gradient: Tensor) -> Tensor:
    """float (C, h, w) twice -> float (h, w), nothing below 0."""
    if kind == "hirescam":
        return (gradient * features).sum(0).relu()
    if kind == "gradcam++":
        square = gradient**2
        below = 2 * square + features.sum((1, 2), keepdim=True) * square * gradient + NEARLY_NOTHING
        share = torch.where(gradient != 0, square / below, 0.0)
        weights = (gradient.relu() * share).sum((1, 2))
    else:
        weights = gradient.mean((1, 2))
    return (weights[:, None, None] * features).sum(0).relu()


def scaled(cam: Tensor) -> Tensor:
    """Least and greatest value become 0 and 1."""
    lifted = cam - cam.min()
    return lifted / (LEAST_PEAK + lifted.max())


def _shown(exact: NDArray[np.float32], lattice: Lattice) -> FeatureMap:
    high = float(exact.max()) or 1.0  # far below 1 only where next to nothing speaks for it
    values = np.rint(exact * (255 / high)).astype(np.uint8)
    values.setflags(write=False)
    exact.setflags(write=False)
    histogram = np.histogram(exact, BINS, (0.0, high))[0].astype(np.int64)
    return FeatureMap(values, lattice, high=high, histogram=histogram, exact=exact)


def _answer_and_gradient(
    runner: Runner,
    x: Tensor,
    look: EvidenceLook,
    known: CallFacts | None,
    target: Target,
    token: CancelToken,
) -> tuple[Tensor, Tensor]:
    """The layer's answer, and the gradient of the target's score by it: float (C, h, w) both."""
    net = runner.net
    if net is None:
        raise RuntimeError("this predictor is closed")
    if isinstance(net, OnnxNet):
        raise ModelError(
            "An ONNX file gives no gradients; choose occlusion, which works with every model."
        )
    with (
        torch.inference_mode(mode=False),
        torch.autocast(runner.device.type, enabled=False),
        torch.enable_grad(),
    ):
        picture = mirrored(x.detach().clone(), runner.spec.margin)
        call = look.call if look.call >= -1 else _runs(net, look.layer, picture) + look.call
        leaves, logits = _recorded(net, look.layer, call, picture)
        _check_is_map(as_map(leaves[0].detach(), known), look.layer)  # before what takes long
        token.check()
        leaf, gradient = _influence(target.score(logits), leaves, look.layer)
    single = torch.promote_types(leaf.dtype, torch.float32)  # doubles stay
    return as_map(leaf.detach(), known).to(single), as_map(gradient, known).to(single)


def _check_is_map(features: Tensor, layer: str) -> None:
    if min(features.shape[1:]) < 2:
        raise ModelError(
            f"The layer '{layer}' answers with {features.shape[1]}×{features.shape[2]} cells and"
            " has no rows and columns; choose one with a map."
        )


def _influence(score: Tensor, leaves: list[Tensor], layer: str) -> tuple[Tensor, Tensor]:
    """The first leaf that arrives in the score, and its gradient. ModelError when none does."""
    gradients: tuple[Tensor | None, ...] = ()
    if score.requires_grad:
        try:
            gradients = torch.autograd.grad(score, leaves, allow_unused=True)
        except NotImplementedError as error:
            raise ModelError(
                f"This model gives no gradients behind the layer '{layer}' ({error}); choose a"
                " later layer or occlusion."
            ) from error
    for leaf, gradient in zip(leaves, gradients, strict=False):
        if gradient is None or not bool(gradient.any()):
            continue
        if not bool(gradient.isfinite().all()):
            raise ModelError(
                f"The gradients at the layer '{layer}' are no numbers; choose another layer or"
                " occlusion."
            )
        return leaf, gradient
    raise ModelError(
        f"The layer '{layer}' has no influence on that class there; choose another layer, class"
        " or pixel."
    )


def _recorded(
    net: nn.Module, layer: str, call: int, picture: Tensor
) -> tuple[list[Tensor], Tensor]:
    """Leaves that stand for the layer's answer, and the net's logits as they come from them.

    The first leaf is what views show of the layer; others are there when it answers with several
    maps, of which the first may be for heads that only train. call: which of its runs, -1 for the
    last. The net works on copies of the leaves: what changes those in place changes no leaf.
    """
    leaves: list[Tensor] = []
    runs = 0

    def replaced(_module: nn.Module, _inputs: object, output: object) -> object:
        nonlocal runs
        runs += 1
        first = first_map(output)
        if first is None or call not in (-1, runs - 1):
            return None
        copies: dict[int, Tensor] = {}
        leaves.clear()

        def copied(one: Tensor) -> Tensor:
            if one is not first and (one.dim() < 3 or not one.is_floating_point()):
                return one
            if id(one) not in copies:
                leaf = one.detach().clone().requires_grad_()
                leaves.insert(0 if one is first else len(leaves), leaf)
                copies[id(one)] = leaf.clone()
            return copies[id(one)]

        return _exchanged(output, copied)

    with _hooked(net, layer, replaced):
        logits = net(picture).logits
    if not leaves:
        run = "" if call < 0 else f" for the {call + 1}. time"
        raise ModelError(
            f"The layer '{layer}' did not run{run} on this picture; choose another one."
        )
    return leaves, logits


def _exchanged(output: Any, copied: Callable[[Tensor], Tensor]) -> Any:  # noqa: ANN401 - anything
    """The same answer with every tensor exchanged."""
    if dataclasses.is_dataclass(output) and not isinstance(output, type | Mapping):
        values = {f.name: getattr(output, f.name) for f in dataclasses.fields(output)}
        return dataclasses.replace(output, **tree_map_only(Tensor, copied, values))
    return tree_map_only(Tensor, copied, output)


def _runs(net: nn.Module, layer: str, picture: Tensor) -> int:
    """How often a layer runs in one forward pass."""
    runs = 0

    def count(_module: nn.Module, _inputs: object, _output: object) -> None:
        nonlocal runs
        runs += 1

    with _hooked(net, layer, count), torch.no_grad():
        net(picture)
    return runs


def _hooked(net: nn.Module, layer: str, hook: Callable[..., Any]) -> ExitStack:
    """The hook is gone when the `with` block ends."""
    try:
        module = net.get_submodule(layer)
    except AttributeError as error:
        raise ModelError(
            f"This model has no layer '{layer}'; choose one of its own layers."
        ) from error
    stack = ExitStack()
    stack.callback(module.register_forward_hook(hook).remove)
    return stack
