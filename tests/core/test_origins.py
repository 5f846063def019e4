"""What state the origin of its pixels puts a frame in."""

import pytest

from segstudio.core.origins import COLORS, NAMES, FrameState, human_share, state_of


@pytest.mark.parametrize(
    ("counts", "state"),
    [
        ((0, 0, 0, 0, 0), FrameState.TODO),
        ((10, 0, 0, 0, 0), FrameState.TODO),
        ((5, 5, 0, 0, 0), FrameState.DRAFTED),
        ((5, 0, 5, 0, 0), FrameState.DRAFTED),
        ((0, 9, 0, 1, 0), FrameState.IN_PROGRESS),
        ((0, 9, 0, 0, 1), FrameState.IN_PROGRESS),
        ((0, 0, 0, 0, 10), FrameState.CONFIRMED),
    ],
)
def test_the_state_follows_from_the_pixels(counts, state):
    assert state_of(counts) is state


def test_the_human_share_counts_painted_and_confirmed_pixels():
    assert human_share((4, 0, 0, 3, 1)) == 0.5
    assert human_share((0, 0, 0, 0, 0)) == 0.0


def test_every_origin_has_a_name_and_a_colour():
    assert len(NAMES) == len(COLORS) == len(set(COLORS)) == 5
