"""The dense CRF, held against the sum over all pairs of pixels."""

import cv2
import numpy as np
import pytest
import torch

from segstudio.engine import crf
from segstudio.engine.crf import CrfSettings, mean_field, refined
from segstudio.engine.lattice import Lattice


def softmax(values):
    e = np.exp(values - values.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def gaussian(features):
    """(N, d) -> (N, N), every pair."""
    return np.exp(-((features[:, None] - features[None]) ** 2).sum(2) / 2)


def normalised(kernel):
    root = 1 / np.sqrt(kernel.sum(1))
    return root[:, None] * kernel * root[None]


def brute_force(probabilities, rgb, settings):
    """Mean field as the paper writes it, with O(n²) messages."""
    h, w, classes = probabilities.shape
    y, x = np.mgrid[:h, :w].reshape(2, -1).astype(np.float64)
    place = np.stack([y, x], 1)
    color = rgb.reshape(-1, 3).astype(np.float64)
    both = np.concatenate([place / settings.position_sigma, color / settings.color_sigma], 1)
    kernel = settings.appearance * normalised(gaussian(both))
    kernel += settings.smoothness * normalised(gaussian(place / settings.smooth_sigma))
    unary = -np.log(probabilities.reshape(-1, classes).astype(np.float64))
    potts = 1 - np.eye(classes)
    q = softmax(-unary)
    for _ in range(settings.iterations):
        q = softmax(-unary - (kernel @ q) @ potts)
    return q.reshape(h, w, classes)


def scene(height=20, width=26, classes=4, noise=0.5):
    """A picture of three coloured fields, and a guess about it that is smeared and noisy."""
    rng = np.random.default_rng(0)
    truth = np.zeros((height, width), int)
    truth[:, width // 2 :] = 1
    truth[height // 2 :, : width // 3] = 2
    colors = np.array([[60, 60, 70], [180, 170, 160], [90, 140, 60], [0, 0, 0]])
    rgb = (colors[truth] + rng.integers(-2, 3, (height, width, 3))).clip(0, 255).astype(np.uint8)
    logits = 2.5 * np.eye(classes, dtype=np.float32)[truth]
    logits = cv2.GaussianBlur(logits, (0, 0), 3) + rng.normal(0, noise, logits.shape)
    return truth, rgb, softmax(logits).astype(np.float32)


@pytest.mark.parametrize("d", [2, 3, 5])
def test_the_lattice_spreads_a_value_as_a_gaussian_does(d):
    """One value near the origin, seen from along a line and from a cloud around it."""
    rng = np.random.default_rng(d)
    line = np.repeat(rng.uniform(-0.5, 0.5, (1, d)), 200, 0)
    line[:, 0] += np.linspace(0, 2.4, 200)
    features = np.concatenate([line, rng.uniform(-3, 3, (8000, d))]).astype(np.float32)
    one = np.zeros((8200, 1), np.float32)
    one[0] = 1
    found = Lattice(features).filter(one)[:, 0]
    exact = np.exp(-((features - features[0]) ** 2).sum(1) / 2)
    found *= (found @ exact) / (found @ found)
    assert np.abs(found - exact).max() < 0.2
    assert np.corrcoef(found, exact)[0, 1] > 0.97


def test_points_far_apart_leave_each_other_alone():
    features = np.array([[0, 0, 0, 0, 0], [90, 0, 0, 0, 0], [0, 0, 80, 0, 0]], np.float32)
    found = Lattice(features).filter(np.eye(3, dtype=np.float32))
    assert np.count_nonzero(found) == 3


@pytest.mark.parametrize(
    "settings",
    [
        CrfSettings(),
        CrfSettings(position_sigma=8, color_sigma=13),
        CrfSettings(appearance=0.0),
        CrfSettings(smoothness=0.0, color_sigma=30),
    ],
)
def test_mean_field_agrees_with_all_pairs(settings):
    _, rgb, probabilities = scene()
    exact = brute_force(probabilities, rgb, settings)
    found = mean_field(probabilities, rgb, settings)
    assert np.abs(found - exact).mean() < 0.02
    assert (found.argmax(2) == exact.argmax(2)).mean() > 0.97


def test_without_the_lattice_the_agreement_is_exact():
    settings = CrfSettings(appearance=0.0)
    _, rgb, probabilities = scene()
    exact = brute_force(probabilities, rgb, settings)
    # What differs is only what lies beyond four standard deviations.
    assert np.abs(mean_field(probabilities, rgb, settings) - exact).max() < 2e-3


def test_borders_move_to_where_the_picture_has_them():
    truth, rgb, probabilities = scene(60, 80, noise=1.5)
    before = (probabilities.argmax(2) == truth).mean()
    after = (mean_field(probabilities, rgb).argmax(2) == truth).mean()
    assert before < 0.75
    assert after > 0.985


def test_no_iteration_changes_nothing():
    _, rgb, probabilities = scene()
    found = mean_field(probabilities, rgb, CrfSettings(iterations=0))
    np.testing.assert_allclose(found, probabilities, atol=1e-6)


def test_logits_at_a_stride_are_refined_at_frame_size():
    _, rgb, probabilities = scene(32, 48)
    logits = torch.from_numpy(np.log(probabilities[::4, ::4])).permute(2, 0, 1)
    found = refined(logits, rgb, (32, 48), align_corners=False)
    assert found.shape == (4, 32, 48)
    assert found.is_contiguous()
    torch.testing.assert_close(found.exp().sum(0), torch.ones(32, 48), atol=1e-5, rtol=0)


def test_a_frame_much_larger_than_the_input_is_refined_at_the_inputs_size():
    rgb = np.zeros((96, 144, 3), np.uint8)
    found = refined(torch.zeros(2, 4, 6), rgb, (32, 48), align_corners=True)
    assert found.shape == (2, 32, 48)


def test_warming_up_compiles_what_is_needed():
    crf.warm_up()
