"""The live wire on pictures whose borders are known."""

import numpy as np
import pytest

from segstudio.core.scissors import REACH, Scissors, straight


@pytest.fixture
def disc():
    """A bright disc of radius 60 around (100, 120), on grey with noise."""
    rng = np.random.default_rng(2)
    y, x = np.mgrid[:200, :260]
    rgb = rng.integers(80, 100, (200, 260, 3), np.uint8)
    rgb[(y - 100) ** 2 + (x - 120) ** 2 <= 60**2] += 90
    return rgb


def assert_connected(path):
    steps = np.abs(np.diff(np.array(path), axis=0)).max(1)
    assert (steps == 1).all()


def test_the_wire_follows_the_border_of_a_disc(disc):
    scissors = Scissors(disc)
    scissors.start((100, 60))
    path = scissors.path_to((40, 120))
    assert path[0] == (100, 60)
    assert path[-1] == (40, 120)
    assert_connected(path)
    radius = np.hypot(*(np.array(path) - (100, 120)).T)
    assert np.abs(radius - 60).max() <= 2


def test_the_wire_is_short_where_nothing_is_to_follow():
    scissors = Scissors(np.full((50, 80, 3), 90, np.uint8))
    scissors.start((10, 10))
    path = scissors.path_to((30, 60))
    assert_connected(path)
    assert len(path) <= 2 * 50


def test_a_new_seed_starts_a_new_wire(disc):
    scissors = Scissors(disc)
    scissors.start((100, 60))
    scissors.start((40, 120))
    assert scissors.path_to((100, 180))[0] == (40, 120)


def test_points_outside_are_moved_to_the_frame(disc):
    scissors = Scissors(disc)
    scissors.start((-5, 900))
    path = scissors.path_to((500, -1))
    assert path[0] == (0, 259)
    assert path[-1] == (199, 0)
    assert_connected(path)


def test_far_from_the_seed_the_wire_goes_on_straight():
    rgb = np.random.default_rng(0).integers(0, 255, (40, 3 * REACH, 3), np.uint8)
    scissors = Scissors(rgb)
    scissors.start((20, 5))
    path = scissors.path_to((20, 3 * REACH - 1))
    assert path[-1] == (20, 3 * REACH - 1)
    assert_connected(path)
    assert path[-100:] == [(20, 2 * REACH + 92 + i) for i in range(100)]


def test_one_pixel_and_no_way_to_go():
    scissors = Scissors(np.zeros((1, 1, 3), np.uint8))
    scissors.start((0, 0))
    assert scissors.path_to((7, 7)) == [(0, 0)]


def test_a_wire_without_a_seed_is_refused(disc):
    with pytest.raises(RuntimeError, match="seed"):
        Scissors(disc).path_to((1, 1))


def test_a_straight_line_has_both_ends():
    assert straight((0, 0), (2, 5))[0] == (0, 0)
    assert straight((0, 0), (2, 5))[-1] == (2, 5)
    assert straight((4, 4), (4, 4)) == [(4, 4)]
