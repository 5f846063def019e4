"""Metrics against worked examples and a plain re-count."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segstudio.core.metrics import ConfusionMatrix, scores_of

GT = np.array([[0, 0, 0], [0, 0, 1], [1, 1, 2]], np.uint8)


def matrix_of(classes, *pairs, **options):
    matrix = ConfusionMatrix(classes)
    for reference, predicted in pairs:
        matrix.add(reference, predicted, **options)
    return matrix


def plain_iou(classes, reference, predicted):
    """Straight from the definition, pixel sets and all."""
    known = (reference != 255) & (reference < classes)
    found = []
    for c in range(classes):
        a, b = (reference == c) & known, (predicted == c) & known
        union = (a | b).sum()
        found.append(float((a & b).sum() / union) if union else math.nan)
    return found


def test_a_worked_example_by_hand():
    predicted = GT.copy()
    predicted[0, 0] = 1
    scores = scores_of(matrix_of(3, (GT, predicted)).full)
    assert scores.iou == pytest.approx([4 / 5, 3 / 4, 1.0])
    assert scores.miou == pytest.approx((4 / 5 + 3 / 4 + 1) / 3)
    assert scores.pixel_accuracy == pytest.approx(8 / 9)
    assert scores.mean_accuracy == pytest.approx((4 / 5 + 1 + 1) / 3)
    assert scores.fwiou == pytest.approx((5 * 4 / 5 + 3 * 3 / 4 + 1) / 9)


def test_a_class_absent_from_both_is_left_out_of_the_mean():
    scores = scores_of(matrix_of(5, (GT, GT)).full)
    assert scores.miou == 1
    assert math.isnan(scores.iou[3])
    assert math.isnan(scores.iou[4])


def test_void_reference_is_left_out_and_void_prediction_is_a_miss():
    reference, predicted = GT.copy(), GT.copy()
    reference[2, 2] = 255
    predicted[0, 0] = 255
    matrix = matrix_of(3, (reference, predicted))
    assert matrix.ignored == 1
    assert matrix.pixels == 8
    assert scores_of(matrix.full).iou[0] == pytest.approx(4 / 5)


def test_an_ignored_id_of_ones_own_choice():
    assert matrix_of(3, (GT, GT), ignore=2).pixels == 8


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 12))
def test_it_equals_the_plain_definition_on_random_rasters(seed, classes):
    rng = np.random.default_rng(seed)
    reference = rng.choice([*range(classes), classes + 1, 255], (13, 17)).astype(np.uint8)
    predicted = rng.choice([*range(classes), 254, 255], (13, 17)).astype(np.uint8)
    ours = scores_of(matrix_of(classes, (reference, predicted)).full)
    assert ours.iou.tolist() == pytest.approx(plain_iou(classes, reference, predicted), nan_ok=True)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32))
def test_what_was_added_can_be_taken_out_again(seed):
    rng = np.random.default_rng(seed)
    rasters = [rng.integers(0, 7, (9, 11)).astype(np.uint8) for _ in range(4)]
    matrix = matrix_of(5, rasters[:2])
    before, ignored = matrix.counts.copy(), matrix.ignored
    matrix.add(*rasters[2:])
    matrix.add(*rasters[2:], sign=-1)
    assert (matrix.counts == before).all()
    assert matrix.ignored == ignored


def test_rasters_of_two_shapes_are_refused():
    with pytest.raises(ValueError, match="shapes differ"):
        ConfusionMatrix(2).add(GT, GT[:2])


def test_without_a_pixel_every_figure_says_not_a_number():
    scores = scores_of(ConfusionMatrix(3).full)
    assert all(math.isnan(v) for v in (scores.miou, scores.pixel_accuracy, scores.fwiou))
