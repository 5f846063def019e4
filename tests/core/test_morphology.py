"""Grow, shrink, smooth, fill, keep, remove: on selections small enough to draw."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from segstudio.core import morphology

selections = arrays.arrays(np.bool_, st.tuples(st.integers(1, 24), st.integers(1, 24)))


def drawn(*rows):
    return np.array([[c == "#" for c in row] for row in rows])


def test_a_point_grows_into_a_disc():
    point = np.zeros((9, 9), np.bool_)
    point[4, 4] = True
    y, x = np.mgrid[:9, :9]
    np.testing.assert_array_equal(morphology.grown(point, 3), (y - 4) ** 2 + (x - 4) ** 2 <= 9)


@given(selections, st.integers(0, 4))
def test_shrinking_is_growing_of_the_rest(selection, radius):
    np.testing.assert_array_equal(
        morphology.shrunk(selection, radius), ~morphology.grown(~selection, radius)
    )


def test_a_full_frame_does_not_shrink_from_its_border():
    assert morphology.shrunk(np.ones((8, 8), np.bool_), 3).all()


def test_smoothing_drops_hairs_and_pinholes():
    selection = np.zeros((15, 15), np.bool_)
    selection[:, :8] = True
    selection[7, 3] = False
    selection[4, 8:] = True
    smooth = morphology.smoothed(selection, 1)
    assert smooth[7, 3]
    assert not smooth[4, 10:].any()


def test_holes_are_filled_but_not_bays_and_not_large_ones():
    selection = drawn("#####..", "#...#.#", "#...#.#", "#####.#", "#.#....", "####...")
    assert morphology.holes_filled(selection)[1:3, 1:4].all()
    small = morphology.holes_filled(selection, largest=1)
    assert small[4, 1]
    assert not small[1, 1]
    assert not small[1, 5]


def test_the_largest_part_stays_and_specks_go():
    selection = drawn("#..##", ".#..#", "....#", "#....")
    largest = morphology.largest_kept(selection)
    np.testing.assert_array_equal(largest, drawn("...##", "....#", "....#", "....."))
    np.testing.assert_array_equal(
        morphology.specks_removed(selection, 2), drawn("#..##", ".#..#", "....#", ".....")
    )
    assert not morphology.largest_kept(np.zeros((3, 3), np.bool_)).any()


@given(selections, selections)
def test_changes_lead_from_before_to_after(before, after):
    if before.shape != after.shape:
        after = ~before
    added, removed = morphology.changes(before, after)
    np.testing.assert_array_equal((before | added) & ~removed, after)
    assert not (added & removed).any()
    assert not (added & before).any()
    assert not (removed & after).any()


@given(selections)
def test_nothing_is_written_into_what_was_given(selection):
    kept = selection.copy()
    morphology.smoothed(selection, 2)
    morphology.holes_filled(selection)
    morphology.largest_kept(selection)
    morphology.specks_removed(selection, 3)
    morphology.grown(selection, 2)
    np.testing.assert_array_equal(selection, kept)
