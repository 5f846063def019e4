"""The magic wand on pictures whose regions are known."""

import numpy as np
import pytest

from segstudio.core.geometry import Rect
from segstudio.core.wand import Wand


@pytest.fixture
def picture():
    """Grey, with two red squares and a darker red bar between."""
    rgb = np.full((20, 40, 3), 128, np.uint8)
    rgb[5:15, 5:15] = (200, 0, 0)
    rgb[5:15, 25:35] = (200, 0, 0)
    rgb[9:11, 15:25] = (170, 0, 0)
    return rgb


def test_only_the_joined_region_is_taken(picture):
    area = Wand(picture, (6, 6)).area(1)
    assert area.rect == Rect(5, 5, 15, 15)
    assert area.mask.all()


def test_pixels_are_joined_by_their_sides_and_not_by_corners():
    rgb = np.zeros((6, 6, 3), np.uint8)
    rgb[:3, :3] = 200
    rgb[3:, 3:] = 200
    wand = Wand(rgb, (0, 0))
    assert wand.area(1).rect == Rect(0, 0, 3, 3)
    assert wand.area(1, everywhere=True).mask.sum() == 18


def test_everywhere_takes_the_other_square_too(picture):
    area = Wand(picture, (6, 6)).area(1, everywhere=True)
    assert area.rect == Rect(5, 5, 15, 35)
    assert area.mask.sum() == 200


def test_a_larger_tolerance_crosses_the_bar_and_never_takes_less(picture):
    wand = Wand(picture, (6, 6))
    sizes = [int(wand.area(t).mask.sum()) for t in range(0, 128, 4)]
    assert sizes == sorted(sizes)
    assert 220 in sizes
    assert sizes[-1] == 800


def test_black_to_white_is_a_hundred():
    rgb = np.zeros((2, 2, 3), np.uint8)
    rgb[:, 1] = 255
    wand = Wand(rgb, (0, 0))
    assert wand.area(99).mask.sum() == 2
    assert wand.area(101).mask.sum() == 4


def test_a_seed_outside_is_refused(picture):
    with pytest.raises(IndexError, match="outside"):
        Wand(picture, (20, 0))
