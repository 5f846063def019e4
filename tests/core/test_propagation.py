"""Labels carried by optical flow, on motions that are known."""

import cv2
import numpy as np
import pytest

from segstudio.core.classes import VOID
from segstudio.core.propagation import PropagationSettings, Propagator, drifted, propagate

SIZE = (144, 192)


def texture(height, width, seed=0):
    """Blotches of all sizes: what flow can hold on to."""
    rng = np.random.default_rng(seed)
    total = np.zeros((height, width, 3), np.float32)
    for cells in (6, 12, 24, 48):
        small = rng.uniform(-1, 1, (cells, cells, 3)).astype(np.float32)
        total += cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(128 + 40 * total, 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def world():
    """A picture larger than a frame, and its labels: patches of 24 pixels of classes 0..10."""
    patches = np.random.default_rng(1).integers(0, 11, (10, 12), np.uint8)
    return texture(240, 288), patches.repeat(24, 0).repeat(24, 1)


def view(world, y, x):
    rows, columns = slice(y, y + SIZE[0]), slice(x, x + SIZE[1])
    return tuple(np.ascontiguousarray(part[rows, columns]) for part in world)


def test_without_motion_the_labels_stay_exactly(world):
    rgb, labels = view(world, 20, 20)
    moved = propagate(rgb, rgb.copy(), labels)
    np.testing.assert_array_equal(moved.labels, labels)
    assert moved.trusted.all()
    assert moved.confidence == 1.0


@pytest.mark.parametrize("shift", [(0, 5), (3, -4), (-6, 0)])
def test_a_translation_moves_labels_by_exactly_it(world, shift):
    rgb_a, labels_a = view(world, 40, 40)
    rgb_b, labels_b = view(world, 40 + shift[0], 40 + shift[1])
    moved = propagate(rgb_a, rgb_b, labels_a)
    inner = np.s_[16:-16, 16:-16]
    np.testing.assert_array_equal(moved.labels[inner], labels_b[inner])
    assert moved.trusted[inner].all()


def test_flow_of_a_reduced_picture_moves_labels_at_full_size(world):
    rgb_a, labels_a = view(world, 40, 40)
    rgb_b, labels_b = view(world, 40, 46)
    moved = propagate(rgb_a, rgb_b, labels_a, PropagationSettings(pixels=SIZE[0] * SIZE[1] // 4))
    inner = np.s_[16:-16, 16:-16]
    assert moved.labels.shape == SIZE
    assert (moved.labels[inner] == labels_b[inner]).mean() > 0.98


def test_what_comes_from_outside_the_frame_is_void(world):
    rgb_a, labels_a = view(world, 40, 40)
    rgb_b, _ = view(world, 40, 48)
    moved = propagate(rgb_a, rgb_b, labels_a)
    assert not moved.trusted[16:-16, -6:].any()
    assert (moved.labels[16:-16, -6:] == VOID).all()


def test_another_colour_is_not_trusted_and_the_rest_is(world):
    rgb, labels = view(world, 20, 20)
    changed = rgb.copy()
    changed[40:80, 60:100] = (250, 20, 20)
    moved = propagate(rgb, changed, labels)
    assert moved.trusted[44:76, 64:96].mean() < 0.1
    assert moved.trusted[:24].all()
    assert (moved.labels[~moved.trusted] == VOID).all()


def test_a_common_change_of_brightness_is_not_another_colour(world):
    rgb, labels = view(world, 20, 20)
    moved = propagate(rgb, (rgb * 0.85).astype(np.uint8), labels)
    assert moved.confidence > 0.95


def test_a_cut_leaves_almost_nothing(world):
    rgb, labels = view(world, 20, 20)
    moved = propagate(rgb, texture(*SIZE, seed=9), labels)
    assert moved.confidence < 0.3
    assert drifted(moved.confidence, [])


def test_flows_add_up_over_many_frames(world):
    rgb, labels = view(world, 40, 10)
    propagator = Propagator(rgb, labels)
    for step in range(1, 11):
        rgb, there = view(world, 40, 10 + 2 * step)
        moved = propagator.advance(rgb)
    inner = np.s_[16:-16, 16:-40]
    right = moved.labels[inner] == there[inner]
    assert right[moved.trusted[inner]].mean() > 0.99
    assert moved.trusted[inner].mean() > 0.95
    assert not moved.trusted[16:-16, -16:].any()


def test_vague_flow_is_forgiven_inside_a_region_but_not_at_its_border(world):
    rgb, labels = view(world, 20, 20)
    labels[:72] = 3
    rng = np.random.default_rng(4)
    frames = [rgb.copy() for _ in range(2)]
    for frame in frames:
        frame[:72] = rng.integers(118, 138, (72, SIZE[1], 3), np.uint8)
    plain = propagate(*frames, labels, PropagationSettings(slack=0))
    forgiving = propagate(*frames, labels)
    assert plain.trusted[16:56, 16:-16].mean() < 0.9
    assert forgiving.trusted[16:56, 16:-16].mean() > 0.97
    assert (forgiving.labels[16:56][forgiving.trusted[16:56]] == 3).all()
    assert (forgiving.trusted >= plain.trusted).all()


def test_nothing_untrusted_comes_back(world):
    rgb, labels = view(world, 20, 20)
    hidden = rgb.copy()
    hidden[40:80, 60:100] = (250, 20, 20)
    propagator = Propagator(rgb, labels)
    propagator.advance(hidden)
    assert propagator.advance(rgb).trusted[48:72, 68:92].mean() < 0.1


def test_void_stays_void_and_does_not_count(world):
    rgb, labels = view(world, 20, 20)
    labels[:, :100] = VOID
    moved = propagate(rgb, rgb, labels)
    np.testing.assert_array_equal(moved.labels, labels)
    assert moved.confidence == 1.0
    assert propagate(rgb, rgb, np.full(SIZE, VOID, np.uint8)).confidence == 0.0


def test_what_was_given_is_not_written(world):
    rgb, labels = view(world, 20, 20)
    kept = rgb.copy(), labels.copy()
    propagate(rgb, view(world, 22, 20)[0], labels)
    np.testing.assert_array_equal(rgb, kept[0])
    np.testing.assert_array_equal(labels, kept[1])


@pytest.mark.parametrize("size", [(1, 1), (5, 7), (12, 40), (8, 300), (70, 9)])
def test_tiny_frames_are_no_trouble(size):
    rgb = np.random.default_rng(0).integers(0, 255, (*size, 3), np.uint8)
    labels = np.random.default_rng(1).integers(0, 11, size, np.uint8)
    np.testing.assert_array_equal(propagate(rgb, rgb, labels).labels, labels)


def test_sizes_that_differ_are_refused(world):
    rgb, labels = view(world, 20, 20)
    with pytest.raises(ValueError, match="labels"):
        Propagator(rgb, labels[1:])
    with pytest.raises(ValueError, match="frame"):
        Propagator(rgb, labels).advance(rgb[1:])


def test_it_stops_at_half_or_at_a_sudden_loss_only():
    assert not drifted(0.97, [])
    assert not drifted(0.86, [0.97, 0.93, 0.90])
    assert not drifted(0.55, [0.91, 0.82, 0.73, 0.64])
    assert drifted(0.49, [0.60, 0.55])
    assert drifted(0.60, [0.97, 0.93, 0.90])
