"""Counting pairs by runs, against counting every pixel."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segstudio.core.classes import ClassDef, ClassMap
from segstudio.core.confusion import SMALL, ConfusionMatrix, positions

SPARSE = ClassMap("sparse", tuple(ClassDef(i, f"c{i}", (i, 0, 0)) for i in (7, 3, 200)))


def plain(reference, predicted, classes):
    """Pixel by pixel, in words of the definition."""
    full = np.zeros((classes + 1, classes + 1), np.int64)
    np.add.at(
        full, (np.minimum(reference, classes).ravel(), np.minimum(predicted, classes).ravel()), 1
    )
    return full


def patches(rng, size, run):
    """uint8 (size,): runs of a random class, 255 among them."""
    lengths = rng.integers(1, run + 1, size)
    return np.repeat(rng.choice([0, 1, 2, 3, 4, 9, 255], size), lengths)[:size].astype(np.uint8)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([1, 3, 8, 40, 900]), st.integers(1, 70))
def test_runs_give_what_pixels_give_at_any_length_and_offset(seed, run, extra):
    rng = np.random.default_rng(seed)
    size = SMALL + extra
    whole = [patches(rng, size + 9, run) for _ in range(2)]
    reference, predicted = (raster[9:] for raster in whole)  # not at a multiple of eight in memory
    counted = ConfusionMatrix(5).counted(reference, predicted)
    assert (counted == plain(reference, predicted, 5)).all()


def test_rasters_that_are_no_block_of_memory_are_counted_too():
    rng = np.random.default_rng(1)
    wide = rng.integers(0, 6, (2, 400, 400)).astype(np.uint8)
    left, right = wide[0, ::2, 5:-5], wide[1, ::2, 5:-5]
    assert left.size > SMALL
    assert (ConfusionMatrix(5).counted(left, right) == plain(left, right, 5)).all()


def test_small_and_large_rasters_are_counted_alike():
    rng = np.random.default_rng(2)
    a, b = rng.integers(0, 8, (2, SMALL + 1)).astype(np.uint8)
    matrix = ConfusionMatrix(5)
    parts = matrix.counted(a[:SMALL], b[:SMALL]) + matrix.counted(a[SMALL:], b[SMALL:])
    assert (matrix.counted(a, b) == parts).all()


def test_ids_of_a_class_set_find_their_row_and_strangers_the_last():
    assert positions(SPARSE)[[7, 3, 200, 0, 255]].tolist() == [0, 1, 2, 255, 255]
    matrix = ConfusionMatrix.of(SPARSE)
    matrix.add(np.array([[7, 3, 200, 0]], np.uint8), np.array([[7, 200, 1, 3]], np.uint8))
    assert matrix.full.tolist() == [[1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1], [0, 1, 0, 0]]


def test_the_largest_set_of_classes_fits():
    ids = np.arange(256, dtype=np.uint8)
    full = ConfusionMatrix(255).counted(ids, ids[::-1].copy())
    assert full.shape == (256, 256)
    assert (full == np.eye(256)[::-1]).all()


def test_empty_rasters_count_nothing():
    assert ConfusionMatrix(3).counted(*np.zeros((2, 0, 4), np.uint8)).sum() == 0


def test_shapes_must_agree():
    with pytest.raises(ValueError, match="shapes differ"):
        ConfusionMatrix(3).counted(np.zeros((2, 3), np.uint8), np.zeros((3, 2), np.uint8))
