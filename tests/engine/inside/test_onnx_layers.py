"""Inside ONNX files: the same layers, places and values as the net that was exported has."""

import logging
import sys
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from segstudio.engine.inside.capture import capturing
from segstudio.engine.inside.layers import layer_tree, measured_field
from segstudio.engine.inside.onnx_layers import EVENLY, onnx_layers
from segstudio.engine.onnx_net import OnnxNet, describe_onnx, open_session
from segstudio.errors import ModelError
from segstudio.nets.fields import calls
from segstudio.nets.registry import NETS

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

TINY = {
    "bisenet_v2": ({"alpha": 0.25, "head_width": 8, "boosters": False}, (64, 96)),
    "unet": ({"width": 2}, (100, 100)),
    "fcn8s": ({"width": 2}, (64, 96)),
}


class Logits(nn.Module):
    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x):
        return self.net(x).logits


@pytest.fixture
def exported(tmp_path):
    """exported(name): our net and the same in a file of free size, and the input size."""

    def make(name, *, beside=False):
        options, size = TINY[name]
        torch.manual_seed(1)
        net = NETS.get(name).build(3, **options).eval()
        margin = getattr(net, "margin", 0)
        x = torch.randn(1, 3, size[0] + 2 * margin, size[1] + 2 * margin)
        file = tmp_path / f"{name}.onnx"
        before = logging.getLogger("torch.onnx").level
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(
                Logits(net).eval(), (x,), str(file), dynamo=False, opset_version=17,
                input_names=["image"], output_names=["logits"],
                dynamic_axes={"image": {2: "h", 3: "w"}},
            )  # fmt: skip
        logging.getLogger("torch.onnx").setLevel(before)
        if beside:
            model = onnx.load(str(file))
            onnx.save(
                model, str(file), save_as_external_data=True, location="w.bin", size_threshold=0
            )
        return net, OnnxNet(describe_onnx(file), 3).eval(), size, x

    return make


def file_of(path, nodes, *, size=(16, 24), out=(1, 2, "h", "w"), weights=()):
    """An ONNX file by hand; nodes: (operation, inputs, outputs, settings)."""
    info = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node(op, list(i), list(o), **says) for op, i, o, says in nodes],
        "made-up",
        [info("image", onnx.TensorProto.FLOAT, (1, 3, *size))],
        [info("scores", onnx.TensorProto.FLOAT, out)],
        initializer=[onnx.numpy_helper.from_array(np.asarray(v), n) for n, v in weights],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18)])
    model.ir_version = 10
    onnx.save(model, str(path))
    return OnnxNet(describe_onnx(path), 2).eval()


def kernel(given, answers, side):
    return np.full((answers, given, side, side), 0.1, np.float32)


@pytest.mark.parametrize("name", list(TINY))
def test_convolutions_lie_where_those_of_the_exported_net_lie(exported, name):
    net, inside, size, x = exported(name)
    layers = onnx_layers(inside, size, margin=getattr(net, "margin", 0))
    own = [
        (call.shape, call.middle, call.step)
        for path, runs in calls(net, x).items()
        if isinstance(net.get_submodule(path), nn.Conv2d)
        for call in runs
    ]
    theirs = [
        (layer.calls[0].shape, layer.calls[0].middle, layer.calls[0].step)
        for layer in layers
        if layer.kind == "Conv"
    ]
    assert sorted(theirs, key=str) == sorted(own, key=str)
    assert not any(layer.note for layer in layers)


def test_values_are_those_of_the_exported_net_and_of_the_plain_graph(exported):
    net, inside, size, x = exported("bisenet_v2")
    layers = onnx_layers(inside, size)
    names = [layer.name for layer in layers if layer.calls[0].is_map]
    with torch.inference_mode(), capturing(inside, dict.fromkeys(names, -1)) as found:
        inside(x)
    model = onnx.load(str(inside.facts.file))
    for name in names:
        if name != "logits":
            model.graph.output.append(onnx.ValueInfoProto(name=name))
    plain = open_session(
        inside.facts.file, "cpu", is_for_reading=True, edited=model.SerializeToString()
    )
    for name, value in zip(names, plain.run(names, {"image": x.numpy()}), strict=True):
        np.testing.assert_allclose(found[name].numpy(), value, atol=1e-5, rtol=1e-5)
    with torch.inference_mode(), capturing(net, {"head": -1}) as own:
        net(x)
    torch.testing.assert_close(found["logits"], own["head"], atol=1e-4, rtol=1e-4)


def test_weights_beside_the_file_are_found(exported):
    net, inside, size, x = exported("fcn8s", beside=True)
    assert (inside.facts.file.parent / "w.bin").is_file()
    layers = onnx_layers(inside, size)
    conv = next(layer for layer in layers if layer.kind == "Conv")
    first = next(m for m in net.modules() if isinstance(m, nn.Conv2d))
    assert conv.parameters == sum(p.numel() for p in first.parameters())
    with torch.inference_mode(), capturing(inside, {conv.name: -1}) as found:
        inside(x)
    assert found[conv.name].shape[1:] == conv.calls[0].shape


def two_layers(path):
    return file_of(
        path,
        [
            ("Conv", ["image", "k"], ["half"], {"strides": [2, 2], "pads": [1, 1, 1, 1]}),
            ("Relu", ["half"], ["lit"], {}),
            ("Conv", ["lit", "l"], ["scores"], {}),
        ],
        weights=[("k", kernel(3, 2, 3)), ("l", kernel(2, 2, 1))],
    )


def test_a_wider_session_lives_as_long_as_somebody_listens(tmp_path, monkeypatch):
    net, opened = two_layers(tmp_path / "a.onnx"), []
    monkeypatch.setattr(
        "segstudio.engine.inside.onnx_session.open_session",
        lambda *a, **k: opened.append(1) or open_session(*a, **k),
    )
    x, heard = torch.rand(1, 3, 16, 24), []
    plain = net(x).logits
    for _ in range(3):  # as a video does: a listener for each frame
        listening = net.listen("half", heard.append)
        assert torch.equal(net(x).logits, plain)
        listening.remove()
        listening.remove()
    assert (len(heard), len(opened)) == (3, 1)
    other = net.listen("lit", heard.append)
    net(x)
    assert torch.equal(heard[3], heard[2].relu())
    assert len(opened) == 2
    other.remove()
    net(x)
    assert len(heard) == 4
    assert net._inside._session is None
    with pytest.raises(ModelError, match="no layer 'nothing'"):
        net.listen("nothing", heard.append)


def test_a_tree_is_made_of_a_file_as_of_a_net(tmp_path):
    net = two_layers(tmp_path / "a.onnx")
    runner = SimpleNamespace(
        net=net, spec=SimpleNamespace(margin=0), device=torch.device("cpu"), precision="fp32"
    )
    tree = layer_tree(runner, (16, 24), "foreign")
    assert [(layer.name, layer.kind) for layer in tree.layers] == [
        ("half", "Conv"), ("lit", "Relu"), ("scores", "Conv"),
    ]  # fmt: skip
    (call,) = tree.get("lit").calls
    assert (call.shape, call.middle, call.step, call.field) == ((2, 8, 12), (0, 0), (2, 2), (3, 3))
    assert measured_field(runner, "half", (16, 24)) is None


def test_other_operations_lie_as_torchs_do(tmp_path):
    ints = np.int64
    net = file_of(
        tmp_path / "b.onnx",
        [
            ("Conv", ["image", "k"], ["same"], {"strides": [2, 2], "auto_pad": "SAME_UPPER"}),
            ("ConvTranspose", ["same", "t"], ["up"], {"strides": [2, 2]}),
            ("Resize", ["up", "", "two"], ["linear"], {"mode": "linear"}),
            ("Resize", ["up", "", "two"], ["first"],
             {"mode": "linear", "coordinate_transformation_mode": "asymmetric"}),
            ("Resize", ["up", "", "two"], ["aligned"],
             {"mode": "linear", "coordinate_transformation_mode": "align_corners"}),
            ("Slice", ["up", "from", "to", "axes"], ["cut"], {}),
            ("Pad", ["cut", "pads"], ["padded"], {}),
            ("Transpose", ["up"], ["last"], {"perm": [0, 2, 3, 1]}),
            ("GridSample", ["same", "grid"], ["bent"], {}),
            ("GlobalAveragePool", ["up"], ["pooled"], {}),
            ("Mul", ["up", "pooled"], ["gated"], {}),
            ("Identity", ["gated"], ["scores"], {}),
        ],
        weights=[
            ("k", kernel(3, 2, 3)), ("t", kernel(2, 2, 2)), ("two", np.float32([1, 1, 2, 2])),
            ("from", ints([3, 1])), ("to", ints([9, 9])), ("axes", ints([2, 3])),
            ("pads", ints([0, 0, 1, 2, 0, 0, 0, 0])), ("grid", np.zeros((1, 5, 7, 2), np.float32)),
        ],
    )  # fmt: skip
    facts = {layer.name: layer for layer in onnx_layers(net, (16, 24))}
    middles = {name: layer.calls[0].middle for name, layer in facts.items()}
    # Of 16 rows with stride 2 and kernel 3 one row is missing, and it is put behind the last.
    assert middles["same"] == (1, 1)
    assert middles["up"] == middles["gated"] == middles["first"] == middles["aligned"] == (0.5, 0.5)
    assert middles["linear"] == (0.25, 0.25)
    assert middles["cut"] == (3.5, 1.5)
    assert middles["padded"] == (2.5, -0.5)
    assert facts["last"].calls[0].layout == "last"
    assert facts["aligned"].calls[0].step[0] == pytest.approx(15 / 31)
    assert facts["gated"].calls[0].is_whole
    assert (middles["bent"], facts["bent"].note) == (None, EVENLY)
    assert "scores" not in facts


def test_a_missing_extra_is_told(tmp_path, monkeypatch):
    net = two_layers(tmp_path / "a.onnx")
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ModelError, match=r"install segstudio\[onnx\]"):
        onnx_layers(net, (16, 24))
    with pytest.raises(ModelError, match=r"install segstudio\[onnx\]"):
        net.listen("half", print)
