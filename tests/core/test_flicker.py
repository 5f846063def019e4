"""How often classes change on things that move as is known."""

import cv2
import numpy as np
import pytest

from segstudio.core.flicker import HALF_LIFE, MOST_SKIPPED, Flicker
from segstudio.core.frame import Frame, FrameId

SIZE = (180, 320)
ONCE = 1 - 0.5 ** (1 / HALF_LIFE)


def texture(seed=0):
    rng = np.random.default_rng(seed)
    total = np.zeros((300, 480, 3), np.float32)
    for cells in (6, 12, 24, 48):
        small = rng.uniform(-1, 1, (cells, cells, 3)).astype(np.float32)
        total += cv2.resize(small, (480, 300), interpolation=cv2.INTER_CUBIC)
    return np.clip(128 + 40 * total, 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def world():
    """A picture larger than a frame, and its labels: patches of 40 pixels of classes 0..10."""
    patches = np.random.default_rng(1).integers(0, 11, (8, 12), np.uint8)
    return texture(), patches.repeat(40, 0)[:300].repeat(40, 1)


def view(world, index, source="clip", speed=(2, 3)):
    """The frame and its labels when the camera has moved for `index` frames."""
    y, x = 20 + speed[0] * index, 20 + speed[1] * index
    rgb, labels = (np.ascontiguousarray(part[y : y + SIZE[0], x : x + SIZE[1]]) for part in world)
    return Frame(FrameId(source, index, None, index), rgb, 0.0), labels


def test_a_moving_camera_alone_is_no_flicker(world):
    flicker = Flicker()
    for index in range(12):
        found = flicker.see(*view(world, index))
    assert (found.dtype, found.shape) == (np.float32, SIZE)
    assert found.max() == 0


def blinking(world, index, where, is_other):
    """The same with a class of its own in a rectangle of the world, when it `is_other`."""
    frame, labels = view(world, index)
    y, x = where[0] - 20 - 2 * index, where[1] - 20 - 3 * index
    if is_other:
        labels[y : y + 30, x : x + 30] = 30
    return frame, labels, (slice(y + 4, y + 26), slice(x + 4, x + 26))


def test_what_changes_its_class_in_every_frame_nears_one_and_moves_along(world):
    flicker = Flicker()
    for index in range(25):
        frame, labels, inner = blinking(world, index, (110, 160), index % 2 == 1)
        found = flicker.see(frame, labels)
        if index == 1:
            np.testing.assert_allclose(found[inner], ONCE, atol=1e-4)
    assert found[inner].min() > 0.8
    found[inner[0].start - 8 : inner[0].stop + 8, inner[1].start - 8 : inner[1].stop + 8] = 0
    assert found.max() < 0.05


def test_a_single_change_is_half_forgotten_after_a_half_life(world):
    flicker = Flicker()
    for index in range(2 + HALF_LIFE):
        frame, labels, inner = blinking(world, index, (110, 160), index > 0)
        found = flicker.see(frame, labels)
    np.testing.assert_allclose(np.median(found[inner]), ONCE / 2, rtol=0.05)


def test_the_same_frame_again_changes_nothing(world):
    flicker = Flicker()
    for index in range(4):
        frame, labels, _ = blinking(world, index, (110, 160), index % 2 == 1)
        found = flicker.see(frame, labels)
    again = flicker.see(frame, labels)
    assert not flicker.is_new
    np.testing.assert_array_equal(found, again)
    assert again.max() > 0


def test_frames_that_were_passed_over_are_bridged(world):
    flicker = Flicker()
    for index in range(0, 24, 4):
        frame, labels, inner = blinking(world, index, (110, 160), index % 8 == 4)
        found = flicker.see(frame, labels)
    assert found[inner].min() > 0.5


@pytest.mark.parametrize("jump", ["back", "far", "another clip", "another size"])
def test_what_does_not_follow_starts_anew(world, jump):
    flicker = Flicker()
    for index in range(10, 14):
        frame, labels, _ = blinking(world, index, (130, 200), index % 2 == 1)
        assert (flicker.see(frame, labels).max() > 0) == (index > 10)
    place = {"back": 11, "far": 14 + MOST_SKIPPED, "another clip": 14, "another size": 14}[jump]
    frame, labels = view(world, place, "other" if jump == "another clip" else "clip")
    if jump == "another size":
        small = np.ascontiguousarray(frame.rgb[:160])
        frame, labels = Frame(frame.id, small, 0.0), labels[:160].copy()
    assert flicker.see(frame, labels).max() == 0
    assert flicker.is_new


def test_a_cut_inside_a_clip_is_not_held_against_the_model(world):
    flicker = Flicker()
    for index in range(4):
        frame, labels, _ = blinking(world, index, (110, 160), index % 2 == 1)
        flicker.see(frame, labels)
    other = np.ascontiguousarray(texture(seed=9)[:180, :320])
    labels = (
        np.random.default_rng(3).integers(0, 11, (18, 32), np.uint8).repeat(10, 0).repeat(10, 1)
    )
    assert flicker.see(Frame(FrameId("clip", 4, None, 9), other, 0.0), labels).max() == 0
