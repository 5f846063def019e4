"""GrabCut on pictures whose foreground is known."""

import numpy as np
import pytest

from segstudio.core import grab_cut as module
from segstudio.core.brush import Area, rectangle
from segstudio.core.geometry import Rect
from segstudio.core.grab_cut import grab_cut

SHAPE = (120, 160)


def disc(center, radius, shape=SHAPE):
    y, x = np.mgrid[: shape[0], : shape[1]]
    return (y - center[0]) ** 2 + (x - center[1]) ** 2 <= radius**2


def picture(*discs, shape=SHAPE):
    """Red discs on green, both with noise."""
    rng = np.random.default_rng(0)
    rgb = np.empty((*shape, 3), np.float64)
    rgb[:] = (60, 130, 60)
    for one in discs:
        rgb[one] = (190, 60, 50)
    return np.clip(rgb + rng.normal(0, 12, rgb.shape), 0, 255).astype(np.uint8)


def drawn(area, shape=SHAPE):
    mask = np.zeros(shape, np.bool_)
    mask[area.rect.slices] = area.mask
    return mask


def iou(a, b):
    return (a & b).sum() / (a | b).sum()


def test_the_disc_in_the_box_is_found():
    truth = disc((60, 80), 30)
    found = drawn(grab_cut(picture(truth), Rect(24, 44, 97, 117)))
    assert iou(found, truth) > 0.97


def test_another_disc_outside_the_box_is_left():
    truth, other = disc((60, 50), 25), disc((60, 130), 20)
    found = drawn(grab_cut(picture(truth, other), Rect(30, 20, 90, 80)))
    assert not (found & other).any()
    assert iou(found, truth) > 0.97


def test_the_same_question_has_the_same_answer():
    rgb, box = picture(disc((60, 80), 30)), Rect(24, 44, 97, 117)
    first = grab_cut(rgb, box)
    np.random.default_rng(5).random(3)
    second = grab_cut(rgb, box)
    assert first.rect == second.rect
    np.testing.assert_array_equal(first.mask, second.mask)


def test_strokes_are_always_and_never_in_it():
    truth = disc((60, 80), 30)
    fore = rectangle((10, 10), (14, 20), SHAPE)
    back = rectangle((55, 75), (60, 80), SHAPE)
    found = drawn(grab_cut(picture(truth), Rect(24, 44, 97, 117), sure_fore=fore, sure_back=back))
    assert found[fore.rect.slices].all()
    assert not found[back.rect.slices].any()


def test_where_both_strokes_speak_background_wins():
    stroke = rectangle((55, 75), (60, 80), SHAPE)
    rgb = picture(disc((60, 80), 30))
    found = grab_cut(rgb, Rect(24, 44, 97, 117), sure_fore=stroke, sure_back=stroke)
    assert not drawn(found)[stroke.rect.slices].any()


def test_a_large_box_is_cut_small_and_comes_back_at_full_size(monkeypatch):
    monkeypatch.setattr(module, "MOST_PIXELS", 4000)
    truth = disc((60, 80), 30)
    found = drawn(grab_cut(picture(truth), Rect(24, 44, 97, 117)))
    assert iou(found, truth) > 0.93


@pytest.mark.parametrize("box", [Rect(0, 0, *SHAPE), Rect(-50, -9, 999, 999), Rect(0, 0, 97, 117)])
def test_boxes_may_touch_the_border(box):
    truth = disc((60, 80), 30)
    assert iou(drawn(grab_cut(picture(truth), box)), truth) > 0.9


def test_a_box_outside_is_empty():
    rgb = picture()
    for box in (Rect(300, 300, 400, 400), Rect(-9, -9, 0, 0), Rect(5, 5, 5, 9)):
        assert grab_cut(rgb, box).rect.is_empty


@pytest.mark.parametrize("size", [1, 2, 3, 6])
def test_boxes_of_a_few_pixels_stay_inside_themselves(size):
    box = Rect(50, 60, 50 + size, 60 + size)
    found = drawn(grab_cut(picture(disc((60, 80), 30)), box))
    found[box.slices] = False
    assert not found.any()


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (20, 1)])
def test_frames_of_a_few_pixels_are_no_trouble(shape):
    rgb = np.random.default_rng(0).integers(0, 255, (*shape, 3), np.uint8)
    area = grab_cut(rgb, Rect(0, 0, *shape))
    assert area.mask.shape == (area.rect.height, area.rect.width)


def test_one_single_colour_gives_the_box():
    area = grab_cut(np.full((*SHAPE, 3), 77, np.uint8), Rect(10, 20, 40, 60))
    assert area.rect == Rect(10, 20, 40, 60)
    assert area.mask.all()


def test_two_flat_colours_have_no_variance_and_are_told_apart():
    rgb = np.zeros((*SHAPE, 3), np.uint8)
    truth = disc((60, 80), 30)
    rgb[truth] = 255
    assert iou(drawn(grab_cut(rgb, Rect(24, 44, 97, 117))), truth) > 0.97


def test_all_background_strokes_give_nothing():
    everything = Area(Rect(0, 0, *SHAPE), np.ones(SHAPE, np.bool_))
    rgb = picture(disc((60, 80), 30))
    assert grab_cut(rgb, Rect(24, 44, 97, 117), sure_back=everything).rect.is_empty
