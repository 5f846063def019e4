"""ONNX files of other programs: what is accepted, what becomes logits, what is refused."""

import dataclasses

import numpy as np
import pytest
import torch

from segstudio.core.catalogue import InputRule, ModelCard
from segstudio.core.classes import CAMVID, ClassMap
from segstudio.engine.loading import build_net
from segstudio.engine.onnx_net import SURE, describe_onnx
from segstudio.engine.predictor import Predictor
from segstudio.errors import ModelError
from segstudio.store.models import load_card, write_card
from tests.engine.conftest import make_frame

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

THREE = ClassMap("three", CAMVID.classes[:3])
FLOAT, INT64, UINT8 = "FLOAT", "INT64", "UINT8"


def write_file(path, nodes, taken, given, *, weights=(), metadata=None):
    """An ONNX file; taken, given: (name, type, shape) of inputs and outputs."""
    types = onnx.TensorProto
    values = [
        [
            onnx.helper.make_tensor_value_info(name, getattr(types, kind), shape)
            for name, kind, shape in rows
        ]
        for rows in (taken, given)
    ]
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node(op, list(i), list(o), **args) for op, i, o, args in nodes],
        "made-up",
        *values,
        initializer=[onnx.numpy_helper.from_array(v, n) for n, v in weights],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18)])
    model.ir_version = 10
    if metadata is not None:
        onnx.helper.set_model_props(model, metadata)
    onnx.save(model, path)
    return path


def card_for(file, classes=THREE, **net_args):
    return ModelCard(
        name="foreign", title="Foreign", net="onnx", classes=classes, folder=file.parent,
        weights=file.name, net_args=net_args,
        input=InputRule(mean=(0, 0, 0), std=(1, 1, 1), short_side=64),
    )  # fmt: skip


def identity_file(path, shape=(1, 3, "h", "w"), out=None, kind=FLOAT):
    """Answers with the picture itself: the brightest colour is the class."""
    return write_file(
        path,
        [("Identity", ["image"], ["scores"], {})],
        [("image", kind, shape)],
        [("scores", kind, out or shape)],
    )


def answer(file, x, **more):
    _, net = build_net(card_for(file, **more))
    with torch.inference_mode():
        return net.eval()(x).logits


@pytest.fixture
def picture():
    return torch.rand(1, 3, 32, 64, generator=torch.Generator().manual_seed(1))


def test_logits_pass_unchanged(tmp_path, picture):
    file = identity_file(tmp_path / "net.onnx")
    torch.testing.assert_close(answer(file, picture), picture)
    facts = describe_onnx(file)
    assert facts.input == ("image", (1, 3, None, None), "tensor(float)")
    assert (facts.answers, facts.num_classes, facts.size) == ("logits", 3, None)


def test_probabilities_become_logits(tmp_path, picture):
    file = write_file(
        tmp_path / "net.onnx",
        [("Softmax", ["image"], ["p"], {"axis": 1}), ("Identity", ["p"], ["scores"], {})],
        [("image", FLOAT, (1, 3, "h", "w"))],
        [("scores", FLOAT, (1, 3, "h", "w"))],
    )
    assert describe_onnx(file).answers == "probabilities"
    torch.testing.assert_close(answer(file, picture).softmax(1), picture.softmax(1))


@pytest.mark.parametrize("keepdims", [0, 1])
@pytest.mark.parametrize("kind", [INT64, UINT8])
def test_labels_become_scores(keepdims, kind, tmp_path, picture):
    shape = (1, 1, "h", "w") if keepdims else (1, "h", "w")
    to = getattr(onnx.TensorProto, kind)
    file = write_file(
        tmp_path / "net.onnx",
        [
            ("ArgMax", ["image"], ["best"], {"axis": 1, "keepdims": keepdims}),
            ("Cast", ["best"], ["labels"], {"to": to}),
        ],
        [("image", FLOAT, (1, 3, "h", "w"))],
        [("labels", kind, shape)],
    )
    facts = describe_onnx(file)
    assert (facts.answers, facts.num_classes) == ("labels", None)
    scores = answer(file, picture)
    assert scores.shape == (1, 3, 32, 64)
    assert set(scores.unique().tolist()) == {0.0, SURE}
    assert torch.equal(scores.argmax(1), picture.argmax(1))
    with pytest.raises(ModelError, match="answers with the label 2, and its card has 2 classes"):
        answer(file, picture, classes=ClassMap("two", CAMVID.classes[:2]))


def test_half_precision_files_work(tmp_path, picture):
    file = identity_file(tmp_path / "net.onnx", kind="FLOAT16")
    torch.testing.assert_close(answer(file, picture), picture, rtol=1e-3, atol=1e-3)
    assert answer(file, picture).dtype == torch.float32


def test_a_static_file_takes_its_own_size_and_no_other(tmp_path):
    file = identity_file(tmp_path / "net.onnx", (1, 3, 48, 80))
    spec, _ = build_net(card_for(file))
    assert spec.only_size == (48, 80)
    with pytest.raises(ModelError, match="it takes 48×80 and nothing else"):
        spec.check_size(64, 80)
    write_card(card_for(file), tmp_path)
    predictor = Predictor(load_card(tmp_path), "cpu", precision="fp32")
    prediction = predictor.predict(make_frame(3))
    predictor.close()
    assert prediction.input_size == (48, 80)
    assert prediction.labels.shape == (72, 100)


def test_a_folder_with_a_card_labels_frames(tmp_path):
    file = identity_file(tmp_path / "net.onnx")
    write_card(card_for(file, multiple_of=8), tmp_path)
    predictor = Predictor(load_card(tmp_path), "cpu", precision="fp32")
    rgb = np.zeros((64, 96, 3), np.uint8)
    rgb[:, :30, 0], rgb[:, 30:60, 1], rgb[:, 60:, 2] = 200, 200, 200
    frame = dataclasses.replace(make_frame(0, (64, 96)), rgb=rgb)
    prediction = predictor.predict(frame)
    predictor.close()
    ids = [c.id for c in THREE.classes]
    assert [prediction.labels[5, x] for x in (5, 45, 90)] == ids


@pytest.mark.parametrize(
    ("shape", "out", "words"),
    [
        ((1, "h", "w", 3), None, r"takes (1, ?, ?, 3), with the channels last (NHWC)"),
        ((1, 3, "w"), None, "takes (1, 3, ?)"),
        ((4, 3, "h", "w"), None, "takes (4, 3, ?, ?)"),
        ((1, 1, "h", "w"), None, "takes (1, 1, ?, ?)"),
    ],
)
def test_a_wrong_layout_of_the_picture_is_named(shape, out, words, tmp_path):
    file = identity_file(tmp_path / "net.onnx", shape, out)
    with pytest.raises(ModelError) as caught:
        describe_onnx(file)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("size", "given", "words"),
    [
        ((32, 64), ((1, 32, 64, 3), FLOAT), "(1, 32, 64, 3) tensor(float); a segmentation net answers with the channels first"),
        (("h", "w"), ((1, "h", "w", 3), FLOAT), "(1, ?, ?, 3) tensor(float); a segmentation net answers with the channels first"),
        ((32, 64), ((1, 6144), FLOAT), "(1, 6144) tensor(float); a segmentation net answers with scores"),
    ],
)  # fmt: skip
def test_a_wrong_layout_of_the_answer_is_named(size, given, words, tmp_path):
    shape, kind = given
    if len(shape) == 2:
        nodes = [("Flatten", ["image"], ["out"], {})]
    else:
        nodes = [("Transpose", ["image"], ["out"], {"perm": [0, 2, 3, 1]})]
    file = write_file(
        tmp_path / "net.onnx", nodes, [("image", FLOAT, (1, 3, *size))], [("out", kind, shape)]
    )
    with pytest.raises(ModelError) as caught:
        describe_onnx(file)
    assert words in str(caught.value)


def test_an_8_bit_picture_is_refused(tmp_path):
    file = identity_file(tmp_path / "net.onnx", kind=UINT8)
    with pytest.raises(ModelError, match=r"as tensor\(uint8\); export it with float numbers"):
        describe_onnx(file)


def test_two_inputs_are_refused(tmp_path):
    file = write_file(
        tmp_path / "net.onnx",
        [("Add", ["image", "other"], ["scores"], {})],
        [("image", FLOAT, (1, 3, "h", "w")), ("other", FLOAT, (1, 3, "h", "w"))],
        [("scores", FLOAT, (1, 3, "h", "w"))],
    )
    with pytest.raises(ModelError, match="takes 2 inputs"):
        describe_onnx(file)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"classes": CAMVID}, "answers with 3 channels"),
        ({"colour": 1}, "net_args 'colour'"),
        ({"multiple_of": "many"}, "no whole number as multiple_of"),
    ],
)
def test_a_card_that_does_not_fit_is_explained(more, words, tmp_path):
    file = identity_file(tmp_path / "net.onnx")
    with pytest.raises(ModelError) as caught:
        build_net(card_for(file, **more))
    assert words in str(caught.value)


def test_what_is_no_onnx_file_is_a_sentence(tmp_path):
    file = tmp_path / "net.onnx"
    file.write_bytes(b"PK not at all")
    with pytest.raises(ModelError, match="cannot be opened as an ONNX file") as caught:
        describe_onnx(file)
    assert "\n" not in str(caught.value)
    with pytest.raises(ModelError, match="is missing"):
        describe_onnx(tmp_path / "gone.onnx")


def test_a_picture_that_the_file_cannot_take_is_a_sentence(tmp_path, picture):
    file = write_file(
        tmp_path / "net.onnx",
        [("Add", ["image", "offset"], ["scores"], {})],
        [("image", FLOAT, (1, 3, "h", "w"))],
        [("scores", FLOAT, (1, 3, "h", "w"))],
        weights=[("offset", np.zeros((1, 3, 7, 7), np.float32))],
    )
    with pytest.raises(ModelError, match="cannot be run on 64×32"):
        answer(file, picture)


def test_metadata_of_other_programs_is_left_alone(tmp_path):
    file = write_file(
        tmp_path / "net.onnx",
        [("Identity", ["image"], ["scores"], {})],
        [("image", FLOAT, (1, 3, "h", "w"))],
        [("scores", FLOAT, (1, 3, "h", "w"))],
        metadata={"segstudio": "[not json", "author": "somebody"},
    )
    facts = describe_onnx(file)
    assert (facts.card, facts.net_args) == ({}, {})
