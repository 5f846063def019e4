"""One model on one device: what it says, and what it does when memory or numbers fail."""

import dataclasses
import itertools

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from segstudio.core.catalogue import InputRule
from segstudio.engine import predictor as module
from segstudio.engine import runner as running
from segstudio.engine import sizes
from segstudio.engine.loading import build_net
from segstudio.engine.predictor import LADDER, Predictor
from segstudio.engine.runner import choose_precision
from segstudio.errors import DeviceError, ModelError, OutOfMemory
from segstudio.nets.registry import NetOutput
from tests.engine.conftest import make_frame

FRAME = make_frame(3, (150, 220))


@pytest.fixture
def predictor(card):
    made = Predictor(card, "cpu", precision="fp32")
    yield made
    made.close()


class LocalNet(nn.Module):
    """Means of 8x8 blocks: what it says about a place depends on that place alone."""

    def __init__(
        self, classes: int = 11, fail_at: tuple[int, ...] = (), limit: int = 10**9
    ) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.linspace(-2, 2, 3 * classes).view(classes, 3, 1, 1))
        self.fail_at = fail_at
        self.limit = limit
        self.calls = 0
        self.sizes: list[tuple[int, int]] = []

    def forward(self, x):
        self.calls += 1
        self.sizes.append(tuple(x.shape[2:]))
        if self.calls in self.fail_at or x.shape[2] * x.shape[3] > self.limit:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9 GiB")
        return NetOutput(F.conv2d(F.avg_pool2d(x, 8), self.gain))


def with_net(predictor: Predictor, net: nn.Module) -> nn.Module:
    predictor.runner.net = net
    return net


def test_a_prediction_says_everything_about_its_frame(predictor, card):
    done = predictor.predict(FRAME, request=7)
    assert done.frame is FRAME
    assert (done.model, done.classes, done.device, done.request) == (
        "seeded",
        card.classes,
        "cpu",
        7,
    )
    assert done.labels.shape == (150, 220)
    assert done.labels.dtype == np.uint8
    assert not done.labels.flags.writeable
    np.testing.assert_array_equal(
        done.class_pixels, np.bincount(done.labels.reshape(-1), minlength=256)
    )
    assert done.input_size == card.input.size_for(150, 220)
    assert done.logits.values.shape == (11, done.input_size[0] // 8, done.input_size[1] // 8)
    assert done.logits.values.dtype == np.float32
    assert not done.logits.values.flags.writeable
    assert done.notes == ()
    assert min(dataclasses.astuple(done.timing)) >= 0


def test_fp32_is_the_plain_calculation(predictor, card):
    import cv2

    _, net = build_net(card)
    h, w = card.input.size_for(150, 220)
    x = torch.from_numpy(cv2.resize(FRAME.rgb, (w, h))).permute(2, 0, 1)[None] / 255
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (card.input.mean, card.input.std))
    with torch.inference_mode():
        logits = net.eval()((x - mean) / std).logits
    plain = F.interpolate(logits, size=(150, 220), mode="bilinear").argmax(1)[0].numpy()
    done = predictor.predict(FRAME)
    np.testing.assert_allclose(done.logits.values, logits[0].numpy(), rtol=1e-3, atol=1e-4)
    assert (done.labels == plain).mean() > 0.9995


def test_the_same_frame_twice_gives_the_same_labels(predictor):
    first, second = predictor.predict(FRAME), predictor.predict(FRAME)
    np.testing.assert_array_equal(first.labels, second.labels)


def test_confidence_under_the_cursor_agrees_with_the_labels(predictor):
    done = predictor.predict(FRAME)
    for y, x in itertools.product((0, 70, 149), (0, 100, 219)):
        probabilities = done.logits.probabilities_at(y, x)
        assert probabilities.sum() == pytest.approx(1, abs=1e-5)
        assert done.logits.class_ids[probabilities.argmax()] == done.labels[y, x]


def test_reduced_precision_moves_few_pixels(card, predictor):
    half = Predictor(card, "cpu", precision="bf16")
    assert half.precision == "bf16"
    same = half.predict(FRAME).labels == predictor.predict(FRAME).labels
    assert same.mean() > 0.97


def test_input_scale_changes_what_the_net_sees(card):
    done = Predictor(card, "cpu", input_scale=0.5, precision="fp32").predict(FRAME)
    assert done.input_size == card.input.size_for(150, 220, 0.5)
    assert done.labels.shape == (150, 220)


def test_precision_follows_the_device_unless_it_is_named():
    cpu = torch.device("cpu")
    assert choose_precision("auto", torch.device("cuda:0")) == "fp16"
    assert choose_precision("fp32", torch.device("cuda:0")) == "fp32"
    with pytest.raises(ModelError, match="no precision 'int4'"):
        choose_precision("int4", cpu)


@pytest.mark.parametrize(("has_bf16", "expected"), [(True, "bf16"), (False, "fp32")])
def test_bf16_is_for_cpus_that_calculate_with_it(monkeypatch, has_bf16, expected):
    monkeypatch.setattr(running, "_cpu_has_bf16", lambda: has_bf16)
    assert choose_precision("auto", torch.device("cpu")) == expected


def test_out_of_memory_once_is_not_even_mentioned(predictor):
    net = with_net(predictor, LocalNet(fail_at=(1,)))
    done = predictor.predict(FRAME)
    assert net.calls == 2
    assert net.sizes[0] == net.sizes[1]
    assert done.notes == ()


def test_out_of_memory_makes_the_input_smaller_and_is_told_and_remembered(predictor, card):
    net = with_net(predictor, LocalNet(fail_at=(1, 2, 3)))
    done = predictor.predict(FRAME)
    half = card.input.size_for(150, 220, 0.5)
    assert done.input_size == half == net.sizes[-1]
    assert done.notes == (f"input reduced to {half[1]}×{half[0]}: out of memory",)
    assert done.labels.shape == (150, 220)
    again = predictor.predict(FRAME)
    assert net.calls == 5
    assert again.notes == done.notes


def test_another_frame_size_starts_from_the_top(predictor, card):
    net = with_net(predictor, LocalNet(fail_at=(1, 2, 3)))
    predictor.predict(FRAME)
    other = predictor.predict(make_frame(0, (100, 130)))
    assert other.notes == ()
    assert net.sizes[-1] == card.input.size_for(100, 130)


def test_tiles_are_the_last_resort(card):
    big = dataclasses.replace(card, input=InputRule(short_side=640))
    predictor = Predictor(big, "cpu", precision="fp32")
    net = with_net(predictor, LocalNet(limit=300 * 450))
    done = predictor.predict(FRAME)
    assert done.input_size == big.input.size_for(150, 220, 0.5)
    assert "in 4 tiles: out of memory" in done.notes[0]
    assert len(net.sizes) == 4 + 4
    predictor.close()


def test_when_nothing_fits_there_is_one_sentence(predictor):
    net = with_net(predictor, LocalNet(limit=0))
    with pytest.raises(OutOfMemory, match=r"does not fit into the memory of cpu.*\.$"):
        predictor.predict(FRAME)
    assert net.calls == len(LADDER) + 1


def test_memory_is_free_again_before_the_next_try(predictor, monkeypatch):
    """An error that is still being handled would keep its tensors alive."""
    import sys

    with_net(predictor, LocalNet(fail_at=(1, 2)))
    handled = []
    monkeypatch.setattr(
        module.devices, "free_cache", lambda device: handled.append(sys.exc_info()[1])
    )
    predictor.predict(FRAME)
    assert handled == [None, None]


def test_a_lost_device_is_not_tried_again(predictor):
    class Lost(LocalNet):
        def forward(self, x):
            super().forward(x)
            raise RuntimeError("CUDA error: device-side assert triggered")

    net = with_net(predictor, Lost())
    with pytest.raises(DeviceError):
        predictor.predict(FRAME)
    assert net.calls == 1


class NanNet(LocalNet):
    """No numbers in reduced precision, as fp16 overflows on some devices."""

    def forward(self, x):
        out = super().forward(x)
        if torch.is_autocast_enabled("cpu"):
            out.logits[0, 0, 0, 0] = float("nan")
        return out


def test_no_numbers_in_reduced_precision_fall_back_to_fp32_once(card):
    predictor = Predictor(card, "cpu", precision="bf16")
    net = with_net(predictor, NanNet())
    done = predictor.predict(FRAME)
    assert predictor.precision == "fp32"
    assert done.notes == ("calculated in fp32: bf16 gave no numbers here",)
    assert np.isfinite(done.logits.values).all()
    assert predictor.predict(FRAME).notes == done.notes
    assert net.calls == 3
    predictor.close()


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_values_that_are_no_numbers_never_become_labels(predictor, bad):
    net = with_net(predictor, LocalNet())
    with torch.no_grad():
        net.gain[4] = bad
    with pytest.raises(ModelError, match="no numbers; its weights are damaged"):
        predictor.predict(FRAME)


@pytest.mark.parametrize("size", [(4, 30_000), (30_000, 3), (1, 1), (2, 40), (3000, 5000)])
def test_no_shape_of_picture_makes_an_input_that_is_too_large(card, size):
    predictor = Predictor(card, "cpu", precision="fp32")
    with_net(predictor, LocalNet())
    done = predictor.predict(make_frame(0, size))
    assert done.labels.shape == size
    assert done.input_size[0] * done.input_size[1] <= sizes.MAX_INPUT_PIXELS
    assert all(side % 32 == 0 for side in done.input_size)


def test_a_capped_input_is_told(card):
    flat = dataclasses.replace(card, input=InputRule(short_side=360))
    predictor = Predictor(flat, "cpu", precision="fp32")
    with_net(predictor, LocalNet())
    done = predictor.predict(make_frame(0, (4, 9_000)))
    assert "the most a net is given" in done.notes[0]


def test_a_closed_predictor_says_so_and_closes_twice(card):
    predictor = Predictor(card, "cpu")
    predictor.close()
    predictor.close()
    with pytest.raises(RuntimeError, match="closed"):
        predictor.predict(FRAME)


def test_a_device_that_is_not_there_is_refused(card):
    with pytest.raises(DeviceError):
        Predictor(card, "cuda:99")


@pytest.mark.gpu
def test_a_gpu_agrees_with_the_cpu(card, predictor):
    on_gpu = Predictor(card, "cuda:0", precision="fp32")
    same = on_gpu.predict(FRAME).labels == predictor.predict(FRAME).labels
    assert same.mean() > 0.999
    half = Predictor(card, "cuda:0")
    assert half.precision == "fp16"
    assert (half.predict(FRAME).labels == predictor.predict(FRAME).labels).mean() > 0.98
