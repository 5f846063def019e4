"""A frame becomes the net's input as the card says."""

import numpy as np
import pytest
import torch

from segstudio.core.catalogue import InputRule
from segstudio.engine.preprocess import Preparer, resized


def frame_rgb(size=(40, 60)):
    rgb = np.random.default_rng(0).integers(0, 256, (*size, 3)).astype(np.uint8)
    rgb.setflags(write=False)
    return rgb


@pytest.mark.parametrize(
    "rule",
    [
        InputRule(),
        InputRule(mean=(0.1, 0.2, 0.3), std=(0.9, 0.8, 0.7)),
        InputRule(mean=(104.0, 117.0, 123.0), std=(1.0, 2.0, 3.0), scale=1.0),
        InputRule(channels="BGR", divide_after=2.0),
    ],
)
def test_pixels_become_what_the_rule_says(rule):
    rgb = frame_rgb()
    x = Preparer(rule, torch.device("cpu"))(rgb, (40, 60))
    order = [2, 1, 0] if rule.channels == "BGR" else [0, 1, 2]
    plain = (rgb[..., order] / rule.scale - np.array(rule.mean)) / np.array(rule.std)
    assert x.shape == (1, 3, 40, 60)
    assert x.dtype == torch.float32
    assert x.is_contiguous(memory_format=torch.channels_last)
    np.testing.assert_allclose(
        x[0].permute(1, 2, 0).numpy(), plain / rule.divide_after, rtol=1e-5, atol=1e-5
    )


def test_the_frame_is_never_written_to():
    rgb = frame_rgb()
    before = rgb.copy()
    for size in ((40, 60), (20, 30), (80, 120)):
        Preparer(InputRule(channels="BGR"), torch.device("cpu"))(rgb, size)
    np.testing.assert_array_equal(rgb, before)


def test_a_strong_reduction_averages_and_does_not_pass_over_pixels():
    stripes = np.zeros((96, 96, 3), np.uint8)
    stripes[::3] = 255
    small = resized(stripes, (32, 32))
    assert small.min() >= 84
    assert small.max() <= 86
    assert small.flags.writeable


def test_sizes_follow_the_rule():
    rule = InputRule(short_side=360, multiple_of=32)
    assert rule.size_for(720, 1280) == (352, 640)
    assert rule.size_for(720, 1280, 0.5) == (192, 320)
