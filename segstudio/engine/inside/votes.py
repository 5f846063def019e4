"""What the stages of a net say about one pixel.

A stage votes when it answers with one number for each class and nothing but sums, convolutions and
enlargements lies between that and an answer of the net (skip levels, side outputs), or when it is
an answer itself (auxiliary heads). Which stages do is seen by running the net on a small picture
and following what was recorded back from its answers; a layer that has as many channels as there
are classes by chance lies before a ReLU.

Heads that exist for training only run when the root of the net alone is told that it trains; norms
and dropouts inside do not learn of it. Heads whose weights were not in the file do not vote.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from segstudio.core.layers import CallFacts, LayerTree
from segstudio.core.look import Pixel
from segstudio.core.votes import Vote
from segstudio.engine import device as devices
from segstudio.engine.inside.capture import Answered, listening
from segstudio.engine.inside.target import at_places, enlarged_from
from segstudio.engine.loading import has_weights
from segstudio.engine.onnx_net import OnnxNet
from segstudio.engine.runner import DTYPES, Runner
from segstudio.engine.windows import mirrored
from segstudio.errors import ModelError
from segstudio.nets.fields import first_map
from segstudio.nets.registry import NetOutput, NetSpec

ANSWER = "Answer"
"""Title of the net's own answer."""

_SIDE = 64
"""About the side of the small picture."""

_SAME = re.compile(
    r"(Slice|Alias|Clone|Contiguous|ToCopy|Select|Unsqueeze|Squeeze|View|ConstantPadNd|Upsample\w+)"
    r"Backward\d*"
)
"""What cuts an answer out of a larger one or enlarges it: the same vote once more."""

_LINEAR = re.compile(
    r"(Add|Sub|Neg|Div|Cat|Stack|Sum|Mean|Convolution|\w*Convolution\w*|\w*BatchNorm\w*|AvgPool2D"
    r"|AdaptiveAvgPool2D|MkldnnConvolution|Permute|Transpose|UnsafeView|ReshapeAlias|Expand)"
    r"Backward\d*"
)
"""Names that torch gives to what it records of linear operations."""

Size = tuple[int, int]


def votes(
    runner: Runner,
    x: Tensor,
    frame_size: Size,
    pixel: Pixel,
    layers: LayerTree,
    *,
    names: tuple[str, ...] | None = None,
) -> tuple[Vote, ...]:
    """The net's answer first, then every stage that votes, in the order of the forward pass.

    x: float (1, 3, h, w), the prepared frame without the net's margin. frame_size: (H, W). pixel:
    (y, x) of the frame. names: what `voters` found, so that it is not looked for anew. ModelError
    when the pixel lies outside, OutOfMemory.
    """
    net = _net_of(runner)
    if not (0 <= pixel[0] < frame_size[0] and 0 <= pixel[1] < frame_size[1]):
        raise ModelError(
            f"The pixel ({pixel[1]}, {pixel[0]}) lies outside of the picture; point at one inside."
        )
    names = voters(runner) if names is None else names
    found: dict[str, NDArray[np.float32]] = {}

    def heard(name: str, known: CallFacts | None) -> Answered:
        def listener(answer: Tensor) -> None:
            found[name] = read(answer, known)

        return listener

    def read(answer: Tensor, known: CallFacts | None) -> NDArray[np.float32]:
        size = (x.shape[2], x.shape[3])
        cells = (answer.shape[2], answer.shape[3])
        rows, cols = _place(pixel, frame_size, size, cells, known, runner.spec)
        probabilities = at_places(answer, rows, cols)[0, :, 0].softmax(0)
        return np.asarray(probabilities.cpu().numpy(), np.float32)

    dtype = DTYPES[runner.precision]
    with (
        devices.guarded("Asking the stages of the model", runner.device),
        torch.no_grad(),
        torch.autocast(runner.device.type, dtype, enabled=dtype != torch.float32),
        listening(net, {name: heard(name, _last_call(layers, name)) for name in names}),
        _heads_running(net),
    ):
        answer = read(net(mirrored(x, runner.spec.margin)).logits, None)
    return (
        Vote("", ANSWER, answer),
        *(Vote(name, _title(layers, name), found[name]) for name in names if name in found),
    )


def voters(runner: Runner) -> tuple[str, ...]:
    """Dotted names of the stages that vote beside the answer, in the order of the forward pass.

    () where it cannot be known: an ONNX file, or a net that does not run on a small picture.
    """
    net = _net_of(runner)
    if isinstance(net, OnnxNet):
        return ()
    try:
        answers, outputs = _recorded(net, runner.spec, runner.device)
    except Exception:  # noqa: BLE001  a library's net may do anything in its forward
        return ()
    said, linear = _way_back(outputs)
    return tuple(
        name
        for name, node in answers.items()
        if node in linear and node not in said and has_weights(net, name)
    )


# --- which stages vote


def _recorded(
    net: nn.Module, spec: NetSpec, device: torch.device
) -> tuple[dict[str, Any], NetOutput]:
    """Layer -> what made its answer, for all with a channel for each class; and the outputs.

    Where a layer passes on what one inside it answers, the outer one counts.
    """
    size = spec.only_size or (spec.sides_near(max(_SIDE, spec.min_side))[-1],) * 2
    made: dict[Any, tuple[str, int]] = {}

    def noted(name: str) -> Callable[..., None]:
        def hook(_module: nn.Module, _inputs: object, output: object) -> None:
            answer = first_map(output)
            if answer is not None and answer.dim() == 4 and answer.grad_fn is not None:
                node = answer.grad_fn  # what a ReLU in place has changed has another one
                inner = made.get(node, (name, 0))[0]
                made[node] = (min(inner, name, key=lambda n: n.count(".")), answer.shape[1])

        return hook

    with ExitStack() as stack:
        stack.enter_context(torch.inference_mode(mode=False))
        stack.enter_context(torch.enable_grad())
        stack.enter_context(torch.autocast(device.type, enabled=False))
        for name, module in net.named_modules():
            if name:
                stack.callback(module.register_forward_hook(noted(name)).remove)
        stack.enter_context(_heads_running(net))
        sides = [side + 2 * spec.margin for side in size]
        outputs: NetOutput = net(torch.zeros(1, 3, *sides, device=device, requires_grad=True))
    classes = outputs.logits.shape[1]
    return {name: node for node, (name, channels) in made.items() if channels == classes}, outputs


def _way_back(outputs: NetOutput) -> tuple[set[Any], set[Any]]:
    """What is the answer itself, and all that it and the other outputs come from linearly."""
    said, linear = set(), set()
    todo = [outputs.logits.grad_fn]
    while todo:
        node = todo.pop()
        if node is None or node in said:
            continue
        said.add(node)
        if _SAME.fullmatch(node.name()):
            todo += [before for before, _ in node.next_functions]
    todo = [outputs.logits.grad_fn, *(aux.grad_fn for aux in outputs.aux)]
    while todo:
        node = todo.pop()
        if node is None or node in linear or not _is_linear(node):
            continue
        linear.add(node)
        todo += [before for before, _ in node.next_functions]
    return said, linear


def _is_linear(node: Any) -> bool:  # noqa: ANN401  torch's
    if node.name().startswith("MulBackward"):  # by a number; a gate is none
        return sum(before is not None for before, _ in node.next_functions) == 1
    return bool(_SAME.fullmatch(node.name()) or _LINEAR.fullmatch(node.name()))


@contextmanager
def _heads_running(net: nn.Module) -> Iterator[None]:
    """The root alone trains, so that it asks its auxiliary heads."""
    before = net.training
    net.training = True
    try:
        yield
    finally:
        net.training = before


# --- what they say


def _place(
    pixel: Pixel,
    frame_size: Size,
    size: Size,
    cells: Size,
    known: CallFacts | None,
    spec: NetSpec,
) -> list[NDArray[np.float64]]:
    """Row and column of the pixel among an answer's (h, w) cells, each float64 (1,).

    As the net enlarges its answers; one that covers more or less than the picture (behind a wide
    padding) is read where its cells lie. size: (h, w) of the net's input.
    """
    found = []
    for axis in (0, 1):
        at = np.array([pixel[axis]], np.intp)
        middle = known.middle if known is not None else None
        step = known.step if known is not None else None
        if middle is None or step is None or abs(cells[axis] - size[axis] / step[axis]) <= 1:
            found.append(
                enlarged_from(at, frame_size[axis], cells[axis], align_corners=spec.align_corners)
            )
        else:
            place = (at + 0.5) * size[axis] / frame_size[axis] - 0.5
            found.append((place - middle[axis]) / step[axis])
    return found


def _last_call(layers: LayerTree, name: str) -> CallFacts | None:
    facts = layers.get(name)
    return facts.calls[-1] if facts is not None and facts.calls else None


def _title(layers: LayerTree, name: str) -> str:
    facts = layers.get(name)
    return (facts.title if facts is not None else "") or name


def _net_of(runner: Runner) -> nn.Module:
    if runner.net is None:
        raise RuntimeError("this predictor is closed")
    return runner.net
