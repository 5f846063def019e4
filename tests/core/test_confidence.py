"""How sure a model is of each pixel."""

import numpy as np
import pytest

from segstudio.core import uncertainty
from segstudio.core.confidence import sureness, sureness_seen, top_confidence
from segstudio.core.feature_map import FeatureMap
from segstudio.core.prediction import Logits


def logits(values, size, *, align_corners=False):
    values = np.asarray(values, np.float32)
    ids = np.arange(len(values), dtype=np.uint8)
    return Logits(values, size, align_corners, ids)


@pytest.mark.parametrize("align_corners", [False, True])
def test_equal_scores_are_as_unsure_as_can_be(align_corners):
    found = top_confidence(logits(np.zeros((4, 3, 5)), (12, 20), align_corners=align_corners))
    assert (found.shape, found.dtype) == ((12, 20), np.uint8)
    assert (found == 64).all()  # a quarter of 255, rounded


@pytest.mark.parametrize("align_corners", [False, True])
def test_one_cell_that_is_sure_is_sure_around_its_middle(align_corners):
    values = np.zeros((2, 4, 4), np.float32)
    values[1, :2] = 40.0
    found = top_confidence(logits(values, (64, 64), align_corners=align_corners))
    assert (found[:8] == 255).all()
    assert (found[-8:] == 128).all()
    assert (np.diff(found[:, 30].astype(int)) <= 0).all()


def test_at_full_size_it_is_the_softmax():
    rng = np.random.default_rng(1)
    values = rng.normal(0, 3, (5, 9, 7)).astype(np.float32)
    odds = np.exp(values - values.max(axis=0))
    expected = np.round(255 * (odds / odds.sum(axis=0)).max(axis=0))
    found = top_confidence(logits(values, (9, 7))).astype(int)
    assert np.abs(found - expected).max() <= 1
    place = logits(values, (9, 7))
    assert found[4, 3] / 255 == pytest.approx(place.probabilities_at(4, 3).max(), abs=0.005)


def test_huge_scores_do_not_overflow():
    values = np.array([[[1e4]], [[-1e4]]], np.float32)
    assert (top_confidence(logits(values, (3, 3))) == 255).all()


@pytest.mark.parametrize("measure", list(uncertainty.MEASURES))
def test_sure_by_a_measure_is_what_unsure_leaves(measure):
    values = np.random.default_rng(3).normal(0, 2, (6, 5, 4)).astype(np.float32)
    found = sureness(logits(values, (5, 4)), measure)
    unsure = uncertainty.MEASURES[measure](logits(values, (5, 4)))
    assert np.abs(found - 255 * (1 - unsure)).max() <= 0.51


def test_probability_is_the_measure_of_confidence():
    values = np.random.default_rng(3).normal(0, 2, (6, 5, 4)).astype(np.float32)
    one = logits(values, (40, 36))
    np.testing.assert_array_equal(sureness(one, "probability"), top_confidence(one))


@pytest.mark.parametrize("align_corners", [False, True])
@pytest.mark.parametrize("has_exact", [False, True])
def test_what_was_seen_is_enlarged_as_answers_are(align_corners, has_exact):
    values = np.random.default_rng(3).normal(0, 2, (6, 5, 4)).astype(np.float32)
    one = logits(values, (60, 44), align_corners=align_corners)
    unsure = uncertainty.margin(one)
    found = FeatureMap(
        np.round(255 * unsure / 0.9).clip(0, 255).astype(np.uint8),
        uncertainty.lattice_of(one),
        high=0.9,
        exact=unsure if has_exact else None,
    )
    if not has_exact:
        unsure = np.minimum(unsure, 0.9)
    expected = uncertainty.enlarged(1 - unsure, one).astype(int)
    assert np.abs(sureness_seen(found, (60, 44)) - expected).max() <= 3  # of 1/32 of a cell
