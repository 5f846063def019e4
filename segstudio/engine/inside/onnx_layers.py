"""Every layer of an ONNX file: the nodes of its graph that calculate with the picture.

A layer is called by the tensor that its node makes. Shapes are inferred for the input size; those
that cannot be are seen by running the file once. Where cells lie follows from the nodes' attributes
by the same rules as for our own nets: each node is put as torch's operation that does the same.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segstudio.core.layers import LayerFacts
from segstudio.engine.inside.layers import call_facts
from segstudio.engine.inside.onnx_rules import Node, followed
from segstudio.engine.inside.onnx_session import read_graph, with_outputs
from segstudio.engine.onnx_net import FLOATS, OnnxNet, open_session
from segstudio.errors import ModelError
from segstudio.nets.field_layouts import Known
from segstudio.nets.field_rules import Field
from segstudio.nets.fields import call_of
from segstudio.nets.libraries import library

EVENLY = "its cells are taken to share the picture evenly"

Shape = tuple[int, ...]
Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class _Graph:
    """nodes: in the order in which they run. weights: elements of each. constants: small arrays by
    name. shapes: of all tensors.
    """

    nodes: list[Node]
    weights: dict[str, int]
    constants: dict[str, Array]
    shapes: dict[str, Shape]


def onnx_layers(net: OnnxNet, size: tuple[int, int], *, margin: int = 0) -> tuple[LayerFacts, ...]:
    """The layers of the file for an input of (h, w) pixels, the margin not counted.

    ModelError when an extra is missing or the file cannot be run at that size.
    """
    height, width = (side + 2 * margin for side in size)
    picture = net.facts.input[0]
    graph = _read(net, (1, 3, height, width))
    at = (-float(margin), -float(margin))
    known = {
        picture: Known(Field(low=at, high=at, middle=at), (height, width), (2, 3)),
    }
    followed(graph.nodes, known, graph.shapes, graph.constants)
    layers = []
    for node in graph.nodes:
        name = node.outputs[0]
        if name not in known or node.kind in _PLUMBING:
            continue
        call = call_of(graph.shapes[name], known[name])
        facts = call_facts(call)
        layers.append(
            LayerFacts(
                name=name,
                title="",
                kind=node.kind,
                depth=0,
                parameters=sum(graph.weights.get(i, 0) for i in node.inputs),
                calls=(facts,),
                note=EVENLY if facts.is_map and facts.middle is None else "",
            )
        )
    return tuple(layers)


def _read(net: OnnxNet, given: Shape) -> _Graph:
    """The graph with the shapes it has for a picture of that shape."""
    onnx: Any = library("onnx", package="onnx", extra="onnx", title="Looking into an ONNX file")
    model = read_graph(net.facts.file)
    name = net.facts.input[0]
    for taken in model.graph.input:
        if taken.name == name:
            for side, length in zip(taken.type.tensor_type.shape.dim, given, strict=True):
                side.dim_value = length
    constants, weights, shapes = _constants(onnx, model)
    inferred = onnx.shape_inference.infer_shapes(model, data_prop=True)
    for value in (*inferred.graph.value_info, *inferred.graph.output):
        sides = value.type.tensor_type.shape.dim
        if value.type.tensor_type.HasField("shape") and all(s.HasField("dim_value") for s in sides):
            shapes[value.name] = tuple(side.dim_value for side in sides)
    shapes[name] = given
    nodes = [
        Node(
            node.op_type,
            tuple(node.input),
            tuple(node.output),
            {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute},
        )
        for node in model.graph.node
    ]
    used = {name for node in nodes for name in node.inputs}
    missing = [o for n in nodes for o in n.outputs[:1] if o not in shapes and o not in constants]
    # A further output of a node (indices, a mask) matters only to those who use it.
    missing += [o for n in nodes for o in n.outputs[1:] if o in used and o not in shapes]
    # Where a slice begins may be calculated from the size of something else.
    said = [i for n in nodes if n.kind in _TOLD for i in n.inputs[1:] if i and i not in constants]
    if missing or said:
        seen = _seen(net, model, tuple(dict.fromkeys(missing + said)), given)
        shapes.update({name: value.shape for name, value in seen.items()})
        constants.update({name: v for name, v in seen.items() if v.size <= _SMALL and name in said})
    return _Graph(nodes, weights, constants, shapes)


def _constants(onnx: Any, model: Any) -> tuple[dict[str, Array], dict[str, int], dict[str, Shape]]:  # noqa: ANN401
    """Small arrays by name, how many numbers each weight has, the shapes of both."""
    constants: dict[str, Array] = {}
    weights: dict[str, int] = {}
    shapes: dict[str, Shape] = {}
    for weight in model.graph.initializer:
        shapes[weight.name] = tuple(weight.dims)
        is_beside = weight.data_location == onnx.TensorProto.EXTERNAL
        if weight.data_type not in (onnx.TensorProto.INT64, onnx.TensorProto.INT32):
            weights[weight.name] = math.prod(weight.dims)
        if math.prod(weight.dims) <= _SMALL and not is_beside:
            constants[weight.name] = onnx.numpy_helper.to_array(weight)
    for node in model.graph.node:
        value = next((a for a in node.attribute if a.name == "value"), None)
        if node.op_type == "Constant" and value is not None:
            array = onnx.numpy_helper.to_array(value.t)
            constants[node.output[0]], shapes[node.output[0]] = array, array.shape
    return constants, weights, shapes


def _seen(
    net: OnnxNet,
    model: Any,  # noqa: ANN401  onnx.ModelProto
    names: tuple[str, ...],
    given: Shape,
) -> dict[str, Array]:
    """These tensors when the file runs on an empty picture."""
    file, (name, _, kind) = net.facts.file, net.facts.input
    session = open_session(file, "cpu", edited=with_outputs(model, names))
    try:
        found = session.run(list(names), {name: np.zeros(given, FLOATS[kind])})
    except Exception as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
        raise ModelError(
            f"The layers of {file.name} are not known, because it cannot be run on an empty"
            f" {given[3]}×{given[2]} picture ({reason[:160]}); choose another input size."
        ) from error
    return {
        name: value
        for name, value in zip(names, found, strict=True)
        if isinstance(value, np.ndarray)
    }


_SMALL = 64
"""Numbers of settings that nodes take as an input: paddings, scales, starts."""

_TOLD = ("Slice", "Pad", "Resize", "Upsample")
"""Nodes whose further inputs say what they do."""

_PLUMBING = ("Shape", "Constant", "Identity", "Cast")
"""Nodes that nobody wants to see."""
