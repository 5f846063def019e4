"""Metrics against worked examples and a plain re-count."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segstudio.core.metrics import ConfusionMatrix, Convention, mean_of_scores, scores_of

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


LECTURE_REFERENCE = np.array([[0, 0, 0, 2], [0, 0, 2, 2], [1, 1, 3, 3], [4, 4, 4, 5]], np.uint8)
LECTURE_PREDICTED = np.array([[0, 0, 0, 2], [0, 0, 2, 2], [1, 0, 3, 3], [4, 4, 1, 5]], np.uint8)


def test_the_lecture_example_of_six_classes():
    """The slides say 2/4 for the fifth class; by the definition it is 2/3."""
    scores = scores_of(matrix_of(6, (LECTURE_REFERENCE, LECTURE_PREDICTED)).full)
    assert scores.iou == pytest.approx([5 / 6, 1 / 3, 1, 1, 2 / 3, 1], abs=1e-12)
    assert scores.miou == pytest.approx(0.80556, abs=5e-6)
    assert scores.pixel_accuracy == 0.875
    assert scores.mean_accuracy == pytest.approx(0.8611, abs=5e-5)
    assert scores.fwiou == pytest.approx(0.8021, abs=5e-5)


def test_the_worked_example_of_hugging_faces_mean_iou():
    pairs = (
        ([[0, 3], [5, 4], [6, 255]], [[1, 2], [3, 4], [5, 255]]),
        ([[1, 7], [9, 2], [3, 6]], [[2, 7], [9, 2], [3, 6]]),
        ([[1, 2, 2], [8, 2, 1], [3, 255, 1]], [[2, 2, 3], [8, 2, 4], [3, 255, 2]]),
    )
    rasters = [[np.array(raster, np.uint8) for raster in pair] for pair in pairs]
    scores = scores_of(matrix_of(10, *rasters).full)
    assert scores.iou == pytest.approx([0, 0, 0.375, 0.4, 0.5, 0, 0.5, 1, 1, 1], abs=1e-12)
    assert scores.accuracy == pytest.approx([0, 0, 0.75, 2 / 3, 1, 0, 0.5, 1, 1, 1], abs=1e-12)
    assert scores.miou == pytest.approx(0.4775, abs=1e-12)
    assert scores.mean_accuracy == pytest.approx(0.5916667, abs=5e-8)
    assert scores.pixel_accuracy == pytest.approx(0.5263158, abs=5e-8)


def test_counts_stay_exact_beyond_the_whole_numbers_of_float32():
    """500 × 700001 summed in float32 gives 350000032."""
    matrix = ConfusionMatrix(2)
    raster = np.zeros((1, 700_001), np.uint8)
    for _ in range(500):
        matrix.add(raster, raster)
    assert matrix.full[0, 0] == 350_000_500
    matrix.add(raster[:, :1], raster[:, :1] + 1)
    assert scores_of(matrix.full).iou[0] == 350_000_500 / 350_000_501


VOIDS = np.array(
    # predicted: 0, 1, 2, void; three classes, of which the third is predicted and never there
    [[6, 2, 1, 1], [1, 3, 0, 0], [0, 0, 0, 0], [4, 0, 0, 5]],
    np.int64,
)


@pytest.mark.parametrize(
    ("convention", "iou", "miou"),
    [
        (Convention.VOID_IGNORED, [6 / 11, 3 / 6, 0], (6 / 11 + 3 / 6) / 3),
        (Convention.PRESENT, [6 / 11, 3 / 6, 0], (6 / 11 + 3 / 6) / 2),
        (Convention.VOID_IS_WRONG, [6 / 15, 3 / 6, 0], (6 / 15 + 3 / 6) / 3),
        (Convention.BOTH_VOID_IGNORED, [6 / 10, 3 / 6, 0], (6 / 10 + 3 / 6) / 3),
        (
            Convention.VOID_IS_A_CLASS,
            [6 / 15, 3 / 6, 0, 5 / 10],
            (6 / 15 + 3 / 6 + 5 / 10) / 4,
        ),
        (Convention.PER_IMAGE, [6 / 11, 3 / 6, 0], (6 / 11 + 3 / 6) / 3),
    ],
)
def test_what_each_convention_makes_of_void(convention, iou, miou):
    scores = scores_of(VOIDS, convention)
    assert scores.iou == pytest.approx(iou)
    assert scores.miou == pytest.approx(miou)


def test_the_mean_over_images_is_not_the_figure_of_their_sum():
    easy, hard = np.diag([90, 10, 0]).astype(np.int64), np.zeros((3, 3), np.int64)
    hard[0, 1] = 10
    scores = mean_of_scores([easy, hard, np.zeros((3, 3), np.int64)], 2)
    assert scores.miou == pytest.approx((1 + 0) / 2)
    assert scores.iou == pytest.approx([(1 + 0) / 2, (1 + 0) / 2])
    assert scores.images == 3
    assert scores_of(easy + hard).miou == pytest.approx((90 / 100 + 10 / 20) / 2)


def test_the_mean_over_no_image_says_not_a_number():
    scores = mean_of_scores([], 4)
    assert math.isnan(scores.miou)
    assert scores.iou.shape == (4,)
    assert scores.images == 0


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 8))
def test_every_convention_equals_pixel_sets_on_random_rasters(seed, classes):
    """Void ignored and its variants, told as sets of pixels."""
    rng = np.random.default_rng(seed)
    labels = [*range(classes), 255]
    a, b = (rng.choice(labels, (9, 7)).astype(np.uint8) for _ in range(2))
    void, lost = a == 255, b == 255
    told = {
        Convention.VOID_IGNORED: ~void,
        Convention.PRESENT: ~void,
        Convention.VOID_IS_WRONG: ~(void & lost),
        Convention.BOTH_VOID_IGNORED: ~void & ~lost,
        Convention.VOID_IS_A_CLASS: np.ones_like(void),
    }
    full = matrix_of(classes, (a, b)).full
    for convention, counted in told.items():
        found = []
        for c in labels if convention is Convention.VOID_IS_A_CLASS else labels[:-1]:
            hit, union = (
                ((a == c) & (b == c) & counted).sum(),
                (((a == c) | (b == c)) & counted).sum(),
            )
            is_meant = union and (convention is not Convention.PRESENT or (a == c).any())
            found += [hit / union] if is_meant else []
        expected = np.mean(found) if found else math.nan
        assert scores_of(full, convention).miou == pytest.approx(expected, nan_ok=True, abs=1e-12)
