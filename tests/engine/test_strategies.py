"""Strategies on a whole predictor: what must not matter does not, what must be told is told."""

import dataclasses

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from segstudio.core.catalogue import InputRule
from segstudio.core.strategy import Strategy
from segstudio.engine import compiling
from segstudio.engine.strategies import labeller
from segstudio.errors import ModelError, OutOfMemory
from segstudio.nets.registry import NetOutput
from tests.engine.conftest import make_frame

FRAME = make_frame(3, (150, 220))
CLASSES = 11


class Convolutional(nn.Module):
    """Sees 6 pixels around each cell of 8; symmetric: a mirrored picture has a mirrored answer."""

    def __init__(self, limit: int = 10**9) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.one = nn.Conv2d(3, 8, 5, padding=2, bias=False)
        self.two = nn.Conv2d(8, CLASSES, 9, padding=4, bias=False)
        with torch.no_grad():
            for conv in (self.one, self.two):
                conv.weight.copy_(conv.weight + conv.weight.flip(3))
        self.limit = limit
        self.sizes = []

    def forward(self, x):
        self.sizes.append(tuple(x.shape[2:]))
        if x.shape[2] * x.shape[3] > self.limit:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9 GiB")
        return NetOutput(F.avg_pool2d(self.two(self.one(x).relu()), 8))


class Constant(nn.Module):
    """Says the same everywhere."""

    def forward(self, x):
        values = torch.linspace(-1, 1, CLASSES).view(1, -1, 1, 1)
        return NetOutput(values.expand(1, -1, x.shape[2] // 8, x.shape[3] // 8))


@pytest.fixture
def made(card):
    """strategy -> a predictor with a net of the test's own."""
    opened = []

    def make(strategy: Strategy, net: nn.Module | None = None, **rule):
        own = dataclasses.replace(card, input=InputRule(**{"short_side": 160, **rule}))
        predictor = labeller(own, "cpu", dataclasses.replace(strategy, precision="fp32"))
        predictor.runner.net = Convolutional() if net is None else net
        opened.append(predictor)
        return predictor

    yield make
    for predictor in opened:
        predictor.close()


WINDOWS = [
    Strategy(kind="sliding", tile=(96, 96), overlap=0.5),
    Strategy(kind="sliding", tile=(96, 160), overlap=0.4),
    Strategy(kind="sliding", tile=(128, 96), overlap=0.45, flip=True),
    Strategy(kind="sliding", tile=(512, 1024)),
]


@pytest.mark.parametrize("strategy", WINDOWS)
@pytest.mark.parametrize("size", [(150, 220), (97, 301), (161, 160)])
def test_a_convolutional_net_has_the_same_labels_in_any_windows(made, strategy, size):
    frame = make_frame(5, size)
    whole = made(Strategy()).predict(frame)
    found = made(strategy).predict(frame)
    np.testing.assert_array_equal(found.labels, whole.labels)
    assert found.input_size == whole.input_size
    assert found.logits.values.shape == whole.logits.values.shape
    for y, x in ((0, 0), (size[0] - 1, size[1] - 1), (40, 71)):
        np.testing.assert_allclose(
            found.logits.probabilities_at(y, x), whole.logits.probabilities_at(y, x), atol=1e-5
        )


def test_mirrored_tiles_of_any_size_are_of_one_opinion(made):
    some = made(Strategy(kind="mirror", tile=(128, 160), overlap=0.5)).predict(FRAME)
    other = made(Strategy(kind="mirror", tile=(224, 128), overlap=0.5)).predict(FRAME)
    np.testing.assert_array_equal(some.labels, other.labels)
    np.testing.assert_allclose(some.logits.values, other.logits.values, atol=1e-5)


def test_a_symmetric_net_learns_nothing_from_the_mirror_image(made):
    plain = made(Strategy()).predict(FRAME)
    flipped = made(Strategy(flip=True)).predict(FRAME)
    np.testing.assert_array_equal(flipped.labels, plain.labels)
    np.testing.assert_allclose(
        flipped.logits.probabilities_at(9, 9), plain.logits.probabilities_at(9, 9), atol=1e-5
    )


@pytest.mark.parametrize(
    "strategy",
    [
        Strategy(scales=(0.5, 1.0, 1.75), flip=True),
        Strategy(kind="sliding", tile=(64, 64), scales=(0.75, 1.25)),
        Strategy(kind="mirror", tile=(96, 96), flip=True),
    ],
)
def test_a_constant_answer_stays_the_same_answer(made, strategy):
    net = Constant()
    plain, found = (made(s, net).predict(FRAME) for s in (Strategy(), strategy))
    np.testing.assert_array_equal(found.labels, plain.labels)
    np.testing.assert_allclose(
        found.logits.probabilities_at(80, 80), plain.logits.probabilities_at(80, 80), atol=1e-5
    )


def test_scales_are_input_sizes_and_their_softmax_is_averaged(made):
    net = Convolutional()
    parts = [made(Strategy(input_scale=s)).predict(FRAME) for s in (0.5, 1.0)]
    found = made(Strategy(scales=(0.5, 1.0)), net).predict(FRAME)
    assert net.sizes == [p.input_size for p in parts]
    a, b = (torch.from_numpy(p.logits.values.copy()).softmax(0) for p in parts)
    a = F.interpolate(a[None], b.shape[1:], mode="bilinear")[0]
    torch.testing.assert_close(
        torch.from_numpy(found.logits.values.copy()).exp(), (a + b) / 2, atol=1e-5, rtol=0
    )


def test_the_mirror_image_is_averaged(made, card):
    """The seeded net is not symmetric, so this is no mean of equals."""
    predictor = labeller(card, "cpu", Strategy(flip=True, precision="fp32"))
    plain = labeller(card, "cpu", Strategy(precision="fp32"))
    mirrored = dataclasses.replace(FRAME, rgb=np.ascontiguousarray(FRAME.rgb[:, ::-1]))
    a = torch.from_numpy(plain.predict(FRAME).logits.values.copy()).softmax(0)
    b = torch.from_numpy(plain.predict(mirrored).logits.values.copy()).softmax(0).flip(2)
    found = torch.from_numpy(predictor.predict(FRAME).logits.values.copy()).exp()
    assert (a - b).abs().max() > 0.01
    torch.testing.assert_close(found, (a + b) / 2, atol=1e-3, rtol=0)


def test_full_resolution_means_frame_pixels(made):
    net = Convolutional()
    done = made(Strategy(kind="sliding", full_resolution=True), net, short_side=64).predict(
        make_frame(0, (320, 416))
    )
    assert done.input_size == (320, 416)
    assert net.sizes == [(320, 416)]


def test_windows_become_smaller_when_memory_runs_out_and_it_is_told(made):
    net = Convolutional(limit=80 * 80)
    strategy = Strategy(kind="sliding", tile=(128, 128), overlap=0.5)
    done = made(strategy, net).predict(FRAME)
    assert done.notes == ("windows reduced to 64×64: out of memory",)
    assert net.sizes[-1] == (64, 64)


def test_when_no_window_fits_there_is_one_sentence(made):
    with pytest.raises(OutOfMemory, match="not even in tiles"):
        made(Strategy(kind="sliding", tile=(64, 64)), Convolutional(limit=0)).predict(FRAME)


def test_a_size_that_the_net_cannot_take_is_refused_with_those_it_can(card):
    with pytest.raises(ModelError, match="choose 96×128 or 128×160"):
        labeller(card, "cpu", Strategy(size=(100, 150)))


class Valid(nn.Module):
    """Wants 4 pixels around the picture, answers for each of its pixels."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv2d(3, CLASSES, 9)

    def forward(self, x):
        return NetOutput(self.conv(x))


@pytest.mark.parametrize("size", [(150, 220), (3, 200), (2, 2)])
def test_a_margin_is_mirrored_around_pictures_of_any_size(made, size):
    predictor = made(Strategy(), Valid(), short_side=None, multiple_of=1)
    runner = predictor.runner
    runner.spec = dataclasses.replace(runner.spec, margin=4, multiple_of=1, min_side=1)
    frame = make_frame(1, size)
    done = predictor.predict(frame)
    assert done.logits.values.shape[1:] == done.input_size
    tiled = made(Strategy(kind="mirror", tile=(64, 96)), Valid())
    tiled.runner.spec = runner.spec
    tiled._sizes._margin = 4
    tiled._sizes._short_side = None
    np.testing.assert_allclose(
        tiled.predict(frame).logits.values, done.logits.values, rtol=0, atol=1e-5
    )


def test_the_crf_refines_what_is_shown_and_probabilities_follow(made):
    done = made(Strategy(crf=True)).predict(FRAME)
    assert done.labels.shape == (150, 220)
    assert done.logits.values.shape == (CLASSES, 150, 220)
    assert not done.logits.align_corners
    probabilities = done.logits.probabilities_at(70, 100)
    assert probabilities.sum() == pytest.approx(1, abs=1e-5)
    assert done.logits.class_ids[probabilities.argmax()] == done.labels[70, 100]


def test_compiling_is_told_one_frame_ahead_and_the_labels_stay(made, monkeypatch):
    made_for = []

    def compile_(net, **options):
        made_for.append(options)
        return net

    monkeypatch.setattr(compiling.torch, "compile", compile_)
    plain = made(Strategy()).predict(FRAME)
    predictor = made(Strategy(compile=True))
    first, second, third = (predictor.predict(FRAME) for _ in range(3))
    assert first.notes == ("compiling… for 224×160: the next frame takes longer",)
    assert second.notes[0].startswith("compiled for 224×160 in ")
    assert third.notes == ()
    assert len(made_for) == 1
    for done in (first, second, third):
        np.testing.assert_array_equal(done.labels, plain.labels)


def test_without_a_compiler_the_net_runs_as_it_is_and_says_why(made, monkeypatch):
    def compile_(net, **options):
        def fail(x):
            raise RuntimeError("No working C++ compiler found\nand a long story")

        return fail

    monkeypatch.setattr(compiling.torch, "compile", compile_)
    predictor = made(Strategy(compile=True))
    predictor.predict(FRAME)
    for _ in range(2):
        done = predictor.predict(FRAME)
        assert done.notes == ("not compiled (No working C++ compiler found)",)
        assert done.labels.shape == (150, 220)


def test_out_of_memory_inside_the_compiled_net_is_still_out_of_memory(made, monkeypatch):
    monkeypatch.setattr(compiling.torch, "compile", lambda net, **options: net)
    net = Convolutional()
    predictor = made(Strategy(compile=True), net)
    predictor.predict(FRAME)
    net.limit = 150 * 200
    assert "out of memory" in predictor.predict(FRAME).notes[-1]


def test_only_so_many_sizes_are_compiled(made, monkeypatch):
    monkeypatch.setattr(compiling.torch, "compile", lambda net, **options: net)
    predictor = made(Strategy(compile=True), Constant(), short_side=None)
    for width in range(64, 64 + 32 * (compiling.MOST_SIZES + 2), 32):
        for _ in range(2):
            done = predictor.predict(make_frame(0, (64, width)))
    assert done.notes == ()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_net_that_torch_really_compiles_answers_as_before(card):
    plain = labeller(card, "cpu", Strategy(precision="fp32")).predict(FRAME)
    predictor = labeller(card, "cpu", Strategy(precision="fp32", compile=True))
    for _ in range(2):
        done = predictor.predict(FRAME)
    if not predictor.runner.is_compiled:
        pytest.skip(str(done.notes))
    np.testing.assert_allclose(done.logits.values, plain.logits.values, rtol=1e-3, atol=1e-3)
