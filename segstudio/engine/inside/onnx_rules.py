"""What ONNX nodes do to where cells lie, by the rules of torch's operations that do the same.

No numbers are calculated: tensors on the meta device stand for those of the graph.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import torch
from numpy.typing import NDArray
from torch import Tensor

from segstudio.nets.field_layouts import Known, after

aten = torch.ops.aten

Shape = tuple[int, ...]
Shapes: TypeAlias = dict[str, Shape]
Constants: TypeAlias = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Node:
    """One node: its operation, the tensors it takes ("" for one left out), gives, its settings."""

    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    says: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Step:
    """One node with what is known of its first input, and stand-ins for input and output."""

    node: Node
    known: Known
    given: Tensor
    out: Tensor
    shapes: Shapes
    constants: Constants

    def list(self, place: int, name: str) -> list[float] | None:
        """A setting that older files give as an attribute and newer ones as an input."""
        if name in self.node.says:
            return [v.item() if hasattr(v, "item") else v for v in self.node.says[name]]
        inputs = self.node.inputs
        value = self.constants.get(inputs[place]) if place < len(inputs) else None
        return None if value is None else [v.item() for v in value.reshape(-1)]

    def by(self, packet: Any, *args: Any) -> Known:  # noqa: ANN401  torch's operation and its arguments
        """What torch's operation would do."""
        return after(packet, [self.known], [self.given], (self.given, *args), self.out)


def followed(
    nodes: list[Node], known: dict[str, Known], shapes: Shapes, constants: Constants
) -> None:
    """Adds to `known` what follows for every tensor that the ones in it lead to."""
    for node in nodes:
        found = _after(node, known, shapes, constants)
        if found is not None:
            known.update({name: found for name in node.outputs if name in shapes})


def _after(
    node: Node, known: dict[str, Known], shapes: Shapes, constants: Constants
) -> Known | None:
    there = [name for name in node.inputs if name in known]
    if not there or node.outputs[0] not in shapes or node.kind == "Shape":
        return None
    stand_ins = [_stand_in(shapes[name]) for name in there]
    out = _stand_in(shapes[node.outputs[0]])
    rule = _RULES.get(node.kind)
    if rule is not None and node.inputs[0] == there[0]:
        step = _Step(node, known[there[0]], stand_ins[0], out, shapes, constants)
        found = rule(step)
        return found if found is not None else replace(step.known, cells=None, axes=())
    packet = aten.bmm if node.kind in ("MatMul", "Einsum") else None
    return after(packet, [known[name] for name in there], stand_ins, tuple(stand_ins), out)


def _stand_in(shape: Shape) -> Tensor:
    return torch.empty(shape, device="meta")


def _windows(step: _Step, kernel: list[int]) -> tuple[list[int], list[int], list[int]]:
    """Stride, padding before the first row and column, dilation."""
    says, sides = step.node.says, len(kernel)
    stride = list(says.get("strides", [1] * sides))
    dilation = list(says.get("dilations", [1] * sides))
    padding = list(says.get("pads", [0] * 2 * sides))[:sides]
    how = says.get("auto_pad", b"NOTSET").decode()
    if how.startswith("SAME"):
        before, behind = step.given.shape[2:], step.out.shape[2:]
        for a in range(sides):
            reach = (behind[a] - 1) * stride[a] + (kernel[a] - 1) * dilation[a] + 1
            missing = max(0, int(reach - before[a]))
            padding[a] = missing // 2 if how == "SAME_UPPER" else missing - missing // 2
    return stride, padding, dilation


def _convolution(step: _Step) -> Known | None:
    shape = step.shapes.get(step.node.inputs[1])
    if shape is None or len(shape) != 4 or "output_shape" in step.node.says:
        return None
    stride, padding, dilation = _windows(step, list(shape[2:]))
    is_transposed = step.node.kind == "ConvTranspose"
    weight = _stand_in(shape)
    return step.by(aten.convolution, weight, None, stride, padding, dilation, is_transposed)


def _pool(step: _Step) -> Known | None:
    kernel = list(step.node.says["kernel_shape"])
    if len(kernel) != 2:
        return None
    stride, padding, dilation = _windows(step, kernel)
    return step.by(aten.max_pool2d_with_indices, kernel, stride, padding, dilation)


def _global_pool(step: _Step) -> Known:
    return step.by(aten.mean, [2, 3], True)


def _reduced(step: _Step) -> Known:
    dims = step.list(1, "axes") or list(range(step.given.dim()))
    return step.by(aten.mean, [int(d) for d in dims])


def _resized(step: _Step) -> Known | None:
    says = step.node.says
    how = says.get("mode", b"nearest").decode()
    lies = says.get("coordinate_transformation_mode", b"half_pixel").decode()
    if step.node.kind == "Upsample":
        lies = "asymmetric"
    scales = step.list(2 if step.node.kind == "Resize" else 1, "scales")
    given = tuple(float(s) for s in scales[-2:]) if scales and len(scales) == 4 else ()
    if lies == "asymmetric" and how != "nearest":
        return _from_the_first(step)
    if how == "nearest":
        exact = lies != "asymmetric"
        packet = aten._upsample_nearest_exact2d if exact else aten.upsample_nearest2d
        return step.by(packet, None, *given)
    if lies not in ("half_pixel", "pytorch_half_pixel", "align_corners"):
        return None
    return step.by(aten.upsample_bilinear2d, None, lies == "align_corners", *given)


def _from_the_first(step: _Step) -> Known:
    """Linear, with the first cell on the first cell."""
    placed = step.by(aten.upsample_bilinear2d, None, False)
    return replace(placed, field=replace(placed.field, middle=step.known.field.middle))


def _padded(step: _Step) -> Known | None:
    pads = step.list(1, "pads")
    sides = step.given.dim()
    if pads is None or len(pads) != 2 * sides:
        return None
    torchs = [int(v) for a in reversed(range(sides)) for v in (pads[a], pads[a + sides])]
    return step.by(aten.constant_pad_nd, torchs)


def _sliced(step: _Step) -> Known | None:
    starts, ends = step.list(1, "starts"), step.list(2, "ends")
    axes, steps = step.list(3, "axes"), step.list(4, "steps")
    if tuple(step.given.shape) == tuple(step.out.shape):
        return step.known
    if starts is None:
        return None
    known, given = step.known, step.given
    for i, start in enumerate(starts):
        dim = int(axes[i]) % given.dim() if axes is not None else i
        stride = int(steps[i]) if steps is not None else 1
        if stride < 1:
            return None
        end = int(min(ends[i], given.shape[dim])) if ends is not None else int(given.shape[dim])
        shape = list(given.shape)
        shape[dim] = len(range(*slice(int(start), end, stride).indices(shape[dim])))
        out = _stand_in(tuple(shape))
        known = after(aten.slice, [known], [given], (given, dim, int(start), end, stride), out)
        given = out
    return known if tuple(given.shape) == tuple(step.out.shape) else None


def _transposed(step: _Step) -> Known:
    order = step.node.says.get("perm") or list(reversed(range(step.given.dim())))
    return step.by(aten.permute, list(order))


def _reshaped(step: _Step) -> Known:
    return step.by(aten.view)


def _blocks(step: _Step) -> Known:
    side = int(step.node.says["blocksize"])
    is_shuffle = step.node.kind == "DepthToSpace"
    return step.by(aten.pixel_shuffle if is_shuffle else aten.pixel_unshuffle, side)


def _expanded(step: _Step) -> Known:
    return step.by(aten.expand)


_Rule: TypeAlias = Callable[[_Step], Known | None]

_RULES: dict[str, _Rule] = {
    "Conv": _convolution,
    "ConvTranspose": _convolution,
    "MaxPool": _pool,
    "AveragePool": _pool,
    "LpPool": _pool,
    "GlobalAveragePool": _global_pool,
    "GlobalMaxPool": _global_pool,
    "ReduceMean": _reduced,
    "ReduceSum": _reduced,
    "ReduceMax": _reduced,
    "Resize": _resized,
    "Upsample": _resized,
    "Pad": _padded,
    "Slice": _sliced,
    "Transpose": _transposed,
    "Reshape": _reshaped,
    "Flatten": _reshaped,
    "Squeeze": _reshaped,
    "Unsqueeze": _reshaped,
    "DepthToSpace": _blocks,
    "SpaceToDepth": _blocks,
    "Expand": _expanded,
}
"""Whatever else there is keeps rows and columns where it keeps their number."""
