"""Outlines by hand, and against every pair of pixels."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segstudio.core.boundary import (
    boundary_counts,
    boundary_scores,
    mean_of_boundary_scores,
    outline_of,
)
from segstudio.core.classes import ClassDef, ClassMap

CLASSES = ClassMap("three", tuple(ClassDef(i, f"c{i}", (i, 0, 0)) for i in (4, 0, 9)))


def halves(column, *, height=30, width=40):
    """uint8 (height, width): class 4 left of the column, class 0 from there on."""
    raster = np.full((height, width), 4, np.uint8)
    raster[:, column:] = 0
    return raster


def slowly(reference, predicted, tolerance):
    """The counts from the definition: neighbours and distances of single pixels."""
    height, width = reference.shape
    reach2 = (tolerance * math.hypot(height, width)) ** 2 + 1e-9
    judged = np.isin(reference, [c.id for c in CLASSES.classes])
    known = [c.id for c in CLASSES.classes]

    def outline(raster, label):
        found = []
        for y in range(height):
            for x in range(width):
                if raster[y, x] != label or not judged[y, x]:
                    continue
                for v, u in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
                    inside = 0 <= v < height and 0 <= u < width and judged[v, u]
                    if inside and raster[v, u] != label:
                        found.append((y, x))
                        break
        return found

    def near(some, others):
        return sum(any((y - v) ** 2 + (x - u) ** 2 <= reach2 for v, u in others) for y, x in some)

    counts = []
    for label in known:
        wanted, said = outline(reference, label), outline(predicted, label)
        counts.append([len(said), near(said, wanted), len(wanted), near(wanted, said)])
    return counts


def test_an_outline_inside_the_tolerance_is_met_and_one_outside_is_not():
    """The diagonal is 50 pixels: a tolerance of 0.06 is 3 of them."""
    for shift, met in ((0, 30), (3, 30), (4, 0)):
        counts = boundary_counts(halves(20), halves(20 + shift), CLASSES, tolerance=0.06)
        assert counts.tolist() == [[30, met, 30, met], [30, met, 30, met], [0, 0, 0, 0]]
        assert boundary_scores(counts).mean_f1 == met / 30


def test_the_tolerance_is_a_share_of_the_diagonal_by_default_three_quarters_of_a_percent():
    large = {"height": 300, "width": 400}  # 3.75 pixels
    assert (
        boundary_scores(boundary_counts(halves(9, **large), halves(12, **large), CLASSES)).mean_f1
        == 1
    )
    assert (
        boundary_scores(boundary_counts(halves(9, **large), halves(13, **large), CLASSES)).mean_f1
        == 0
    )


def test_precision_and_recall_differ_where_an_outline_is_invented():
    predicted = halves(20)
    predicted[10:14, 5:9] = 9
    scores = boundary_scores(boundary_counts(halves(20), predicted, CLASSES))
    assert scores.precision[0] == pytest.approx(30 / (30 + 16))
    assert scores.recall[0] == 1
    assert scores.f1[0] == pytest.approx(2 * 30 / 46 / (30 / 46 + 1))
    assert scores.f1[2] == 0  # only in the prediction
    assert math.isnan(scores.recall[2])
    assert scores.mean_f1 == pytest.approx((scores.f1[0] + 1 + 0) / 3)


def test_no_outline_runs_in_void_or_along_it():
    reference, predicted = halves(20), halves(20)
    reference[:, 15:25] = 255
    assert boundary_counts(reference, predicted, CLASSES).sum() == 0
    predicted[:, 15:25] = 9
    assert boundary_counts(reference, predicted, CLASSES).sum() == 0


def test_a_prediction_outside_the_set_is_no_excuse():
    predicted = halves(20)
    predicted[:, 20:] = 255
    counts = boundary_counts(halves(20), predicted, CLASSES)
    assert counts.tolist() == [[30, 30, 30, 30], [0, 0, 30, 0], [0, 0, 0, 0]]


def test_a_picture_of_one_class_has_no_outline_and_no_figure():
    scores = boundary_scores(boundary_counts(*np.full((2, 9, 9), 4, np.uint8), CLASSES))
    assert np.isnan(scores.f1).all()
    assert math.isnan(scores.mean_f1)


def test_the_mean_over_images_is_of_each_images_own_mean():
    good = boundary_counts(halves(20), halves(20), CLASSES)
    bad = boundary_counts(halves(20), halves(30), CLASSES)
    none = np.zeros((3, 4), np.int64)
    scores = mean_of_boundary_scores([good, bad, bad, none], 3)
    assert scores.mean_f1 == pytest.approx(1 / 3)
    assert scores.f1[:2] == pytest.approx([1 / 3, 1 / 3])
    assert math.isnan(scores.f1[2])
    assert scores.images == 4
    assert boundary_scores(good + bad).f1[0] == pytest.approx(0.5)
    assert math.isnan(mean_of_boundary_scores([], 3).mean_f1)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**32),
    st.integers(1, 14),
    st.integers(1, 14),
    st.sampled_from([0, 0.1, 0.13, 0.2, 0.5]),
)
def test_it_equals_every_pair_of_pixels_on_random_rasters(seed, height, width, tolerance):
    rng = np.random.default_rng(seed)
    rasters = rng.choice([4, 4, 0, 9, 255, 7], (2, height, width)).astype(np.uint8)
    # Larger patches: noise alone has outlines everywhere.
    rasters = rasters.repeat(2, 1).repeat(2, 2)[:, :height, :width]
    counts = boundary_counts(*rasters, CLASSES, tolerance=tolerance)
    assert counts.tolist() == slowly(*rasters, tolerance)


def test_an_outline_has_both_of_its_sides():
    labels = np.array([[0, 0, 1, 1]], np.uint8)
    assert outline_of(labels, np.ones((1, 4), np.bool_)).tolist() == [[False, True, True, False]]


def test_shapes_must_agree():
    with pytest.raises(ValueError, match="shapes differ"):
        boundary_counts(halves(3), halves(3, width=8), CLASSES)
