"""A predictor that is looked into: the right values, nothing spoilt, nothing left behind."""

import gc
import weakref
from dataclasses import replace

import numpy as np
import psutil
import pytest
import torch
from torch import nn

from segstudio.core.look import ClassLook, EvidenceLook, LayerLook, Scale, UnsureLook
from segstudio.core.strategy import Strategy
from segstudio.engine.flow import CancelToken
from segstudio.engine.predictor import Predictor
from segstudio.errors import Cancelled
from segstudio.nets.registry import NetOutput
from tests.engine.conftest import make_frame

FRAME = make_frame(3, (150, 220))
LAYER = "detail.stage2"


@pytest.fixture
def predictor(card):
    made = Predictor(card, "cpu", precision="fp32")
    yield made
    made.close()


def hooks(net):
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in net.modules())


def plainly(predictor, name, frame=FRAME):
    """(C, h, w) by a hook of one's own, on the very input."""
    got = []
    net = predictor.runner.net
    handle = net.get_submodule(name).register_forward_hook(lambda *a: got.append(a[2].clone()))
    x = predictor.runner.prepare(frame.rgb, predictor.input_size(frame.height, frame.width))
    with torch.inference_mode():
        predictor.runner.whole(x)
    handle.remove()
    return got[-1][0]


def seen(predictor, look, frame=FRAME):
    predictor.look_for(look)
    return predictor.predict(frame).seen


@pytest.mark.parametrize("layer", ["detail.stage1", LAYER, "semantic.stage3", "head"])
def test_a_channel_is_the_hooks_bit_for_bit(predictor, layer):
    wanted = plainly(predictor, layer)
    found = seen(predictor, LayerLook(layer, "channel", channel=3))
    np.testing.assert_array_equal(found.map.exact, wanted[3].numpy())
    assert found.trouble == ""
    assert found.ms > 0


def test_looking_changes_no_answer(predictor):
    bare = predictor.predict(FRAME)
    for look in (LayerLook(LAYER, "pca"), UnsureLook("flip"), ClassLook(2), UnsureLook("flicker")):
        predictor.look_for(look)
        looked_at = predictor.predict(FRAME)
        np.testing.assert_array_equal(bare.labels, looked_at.labels)
        np.testing.assert_array_equal(bare.logits.values, looked_at.logits.values)
        assert looked_at.seen.trouble == ""
        assert looked_at.seen.map is not None


def test_nothing_is_seen_and_no_hook_is_there_unless_asked(predictor):
    assert predictor.predict(FRAME).seen is None
    seen(predictor, LayerLook(LAYER))
    assert hooks(predictor.runner.net) == 0
    predictor.look_for(None)
    assert predictor.predict(FRAME).seen is None
    assert predictor.looking.again(FRAME) is None


def test_another_view_of_the_layer_needs_no_second_pass(predictor, monkeypatch):
    seen(predictor, LayerLook(LAYER, "mean"))
    monkeypatch.setattr(predictor.runner, "forward", None)
    predictor.look_for(LayerLook(LAYER, "max"))
    again = predictor.looking.again(FRAME)
    wanted = None if again is None else again.map.exact
    monkeypatch.undo()
    np.testing.assert_array_equal(wanted, plainly(predictor, LAYER).amax(0).numpy())


def test_another_layer_or_frame_has_to_be_predicted_first(predictor):
    seen(predictor, LayerLook(LAYER))
    predictor.look_for(LayerLook("head"))
    assert predictor.looking.again(FRAME) is None
    predictor.look_for(LayerLook(LAYER))
    predictor.predict(FRAME)
    assert predictor.looking.again(make_frame(4, (150, 220))) is None


def test_predictions_for_another_purpose_are_not_looked_at(predictor):
    other = make_frame(9, (150, 220))
    first = seen(predictor, LayerLook(LAYER))
    with predictor.looking.paused():
        assert predictor.predict(other).seen is None
    again = predictor.looking.again(FRAME)
    np.testing.assert_array_equal(again.map.values, first.map.values)


@pytest.mark.parametrize(
    ("strategy", "note"),
    [
        (Strategy(kind="sliding", tile=(96, 96)), "sliding"),
        (Strategy(scales=(0.5, 1.0)), "scales"),
        (Strategy(flip=True), "flip"),
    ],
)
def test_every_strategy_can_be_looked_into(card, strategy, note):
    made = Predictor(card, "cpu", strategy=strategy)
    found = seen(made, LayerLook(LAYER, "mean"))
    assert found.trouble == "", note
    size = made.input_size(FRAME.height, FRAME.width)
    factor = strategy.scales[0]
    assert abs(found.map.values.shape[0] - size[0] * factor / 4) <= 9
    made.close()


def test_a_layer_of_another_model_is_told_and_the_prediction_stays(predictor):
    bare = predictor.predict(FRAME)
    predictor.look_for(LayerLook("somewhere.else"))
    done = predictor.predict(FRAME)
    assert "no layer 'somewhere.else'" in done.seen.trouble
    np.testing.assert_array_equal(done.labels, bare.labels)


class Odd(nn.Module):
    """Layers that cannot be shown: never run, a vector, numbers that are none, in half."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 6, 3, 2, 1)
        self.act = nn.ReLU(inplace=True)
        self.pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.never = nn.Conv2d(3, 3, 1)
        self.broken = nn.Identity()
        self.head = nn.Conv2d(6, 11, 1)

    def forward(self, x):
        x = self.act(self.first(x))
        self.pool(x)
        self.broken(torch.full_like(x, float("nan")))
        return NetOutput(self.head(x))


@pytest.mark.parametrize(
    ("layer", "call", "said"),
    [
        ("pool", -1, "no rows and columns"),
        ("never", -1, "did not run"),
        ("first", 4, "did not run"),
    ],
)
def test_what_cannot_be_shown_says_why(predictor, layer, call, said):
    predictor.runner.net = Odd().eval()
    found = seen(predictor, LayerLook(layer, call=call))
    assert said in found.trouble
    assert found.map is None


def test_numbers_that_are_none_do_no_harm(predictor):
    predictor.runner.net = Odd().eval()
    for show in ("mean", "max", "norm", "pca", "segments", "similar", "grid"):
        found = seen(predictor, LayerLook("broken", show))
        assert found.trouble == ""
        assert found.map is not None


def test_a_relu_in_place_does_not_change_what_is_shown(predictor):
    predictor.runner.net = Odd().eval()
    found = seen(predictor, LayerLook("first", "channel", scale=Scale("full")))
    x = predictor.runner.prepare(FRAME.rgb, predictor.input_size(150, 220))
    with torch.inference_mode():
        wanted = predictor.runner.net.first(x)[0, 0]
    assert float(wanted.min()) < 0
    np.testing.assert_array_equal(found.map.exact, wanted.numpy())


def test_frames_of_other_sizes_have_lattices_of_their_own(predictor):
    for size in ((96, 128), (150, 220), (64, 200)):
        found = seen(predictor, LayerLook(LAYER), make_frame(1, size))
        h, w = found.map.values.shape
        lattice = found.map.lattice
        for side, cells, axis in ((size[0], h, 0), (size[1], w, 1)):
            end = lattice.start[axis] + cells * lattice.step[axis]
            assert abs(lattice.start[axis]) <= lattice.step[axis]
            assert abs(end - side) <= lattice.step[axis]


def test_reduced_precision_is_shown_as_it_is(card):
    made = Predictor(card, "cpu", precision="bf16")
    found = seen(made, LayerLook(LAYER, "mean"))
    assert found.trouble == ""
    assert found.map.exact.dtype == np.float32
    made.close()


def test_evidence_waits_for_a_pixel(predictor):
    assert "pixel" in seen(predictor, EvidenceLook(layer=LAYER)).note
    found = seen(predictor, EvidenceLook(layer=LAYER, pixel=(70, 100)))
    assert found.trouble == ""
    assert found.map.values.dtype == np.uint8


def test_occlusion_is_not_done_while_it_plays(predictor):
    look = EvidenceLook("occlusion", pixel=(70, 100))
    live = seen(predictor, look)
    assert live.map is None
    assert "passes" in live.note
    asked = predictor.looking.again(FRAME)
    assert asked.map is not None
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        predictor.looking.again(FRAME, token)


@pytest.mark.parametrize("looks", [150, pytest.param(1000, marks=pytest.mark.slow)])
def test_many_looks_leave_nothing(predictor, looks):
    """No hook, no tensor, no megabyte."""
    rng = np.random.default_rng(0)
    layers = ["detail.stage1", LAYER, "semantic.stage3", "head", "not.there"]
    small = make_frame(1, (40, 60))

    def once(number):
        layer = layers[number % len(layers)]
        show = ("mean", "pca", "grid", "similar", "segments")[rng.integers(5)]
        look = LayerLook(layer, show, pixel=(10, 10), fit=number)
        predictor.look_for(look if number % 7 else UnsureLook("entropy"))
        predictor.predict(small)

    def left():
        predictor.look_for(None)
        gc.collect()
        tensors = sum(issubclass(type(o), torch.Tensor) for o in gc.get_objects())
        return tensors, psutil.Process().memory_info().rss / 2**20

    for number in range(60):
        once(number)
    tensors, mib = left()
    for number in range(looks):
        once(number)
    assert left()[0] <= tensors
    assert left()[1] - mib < 16
    assert hooks(predictor.runner.net) == 0


def test_a_closed_predictor_lets_go_of_its_net(card):
    made = Predictor(card, "cpu")
    for look in (LayerLook(LAYER, "pca"), EvidenceLook(layer=LAYER, pixel=(5, 5))):
        seen(made, replace(look))
    net = weakref.ref(made.runner.net)
    made.close()
    gc.collect()
    assert net() is None
