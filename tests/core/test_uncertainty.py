"""How unsure a model is of each cell: against plain float64 formulas."""

import numpy as np
import pytest

from segstudio.core import uncertainty
from segstudio.core.prediction import Logits


def logits(values, size=None, *, align_corners=False, ids=None):
    values = np.asarray(values, np.float32)
    ids = np.arange(len(values)) if ids is None else np.asarray(ids)
    return Logits(values, size or values.shape[1:], align_corners, ids.astype(np.uint8))


def probabilities(values):
    odds = np.exp(values.astype(np.float64) - values.max(axis=0))
    return odds / odds.sum(axis=0)


@pytest.fixture
def some():
    """More cells than one strip, and not a whole number of strips."""
    rng = np.random.default_rng(4)
    return rng.normal(0, 4, (7, 150, 131)).astype(np.float32)


def test_all_three_are_their_formulas(some):
    p = probabilities(some)
    ordered = np.sort(p, axis=0)
    expected = {
        "entropy": -(p * np.log(p)).sum(axis=0) / np.log(7),
        "margin": 1 - (ordered[-1] - ordered[-2]),
        "probability": 1 - ordered[-1],
    }
    for name, measure in (("entropy", uncertainty.entropy), *uncertainty.MEASURES.items()):
        found = measure(logits(some))
        assert (found.dtype, found.shape) == (np.float32, (150, 131))
        np.testing.assert_allclose(found, expected[name], atol=2e-6)


@pytest.mark.parametrize("name", list(uncertainty.MEASURES))
def test_a_single_class_is_sure(name):
    assert (uncertainty.MEASURES[name](logits(np.full((1, 3, 4), 7.0))) == 0).all()


@pytest.mark.parametrize(
    ("name", "expected"), [("entropy", 1.0), ("margin", 1.0), ("probability", 0.75)]
)
def test_equal_classes_are_as_unsure_as_can_be(name, expected):
    found = uncertainty.MEASURES[name](logits(np.full((4, 2, 3), -3.0)))
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("name", list(uncertainty.MEASURES))
def test_huge_scores_are_numbers_and_sure(name):
    values = np.array([[[1e30]], [[-1e30]], [[0.0]]], np.float32)
    assert uncertainty.MEASURES[name](logits(values)).item() == pytest.approx(0, abs=1e-12)


def test_the_probability_of_a_class_is_found_by_its_id(some):
    ids = [9, 3, 200, 0, 1, 2, 4]
    found = uncertainty.class_probability(logits(some, ids=ids), 200)
    np.testing.assert_allclose(found, probabilities(some)[2], atol=2e-6)


def test_the_lead_is_the_difference_of_two_logits(some):
    found = uncertainty.logit_lead(logits(some, ids=[9, 3, 200, 0, 1, 2, 4]), 0, 9)
    np.testing.assert_array_equal(found, some[3] - some[0])


def test_a_class_the_model_has_not_is_an_error(some):
    with pytest.raises(KeyError):
        uncertainty.class_probability(logits(some), 7)
    with pytest.raises(KeyError):
        uncertainty.logit_lead(logits(some), 0, 7)


@pytest.mark.parametrize("align_corners", [False, True])
def test_cells_lie_where_enlarging_puts_them(align_corners):
    """A frame pixel in the middle of a cell shows that cell and no other."""
    # Whole steps of 11 and 20 from middle to middle, or odd ones of 9 and 13: cells have a middle
    # pixel.
    shape, size = (5, 3), (45, 41) if align_corners else (45, 39)
    values = np.random.default_rng(2).random(shape, np.float32)
    one = logits(np.zeros((2, *shape)), size, align_corners=align_corners)
    large = uncertainty.enlarged(values, one)
    assert (large.shape, large.dtype) == (size, np.uint8)
    lattice = uncertainty.lattice_of(one)
    for row in range(shape[0]):
        for col in range(shape[1]):
            y, x = lattice.place_of(row + 0.5, col + 0.5)
            found = large[int(y), int(x)]
            assert found == pytest.approx(255 * values[row, col], abs=1)


def test_a_single_cell_covers_the_frame():
    one = logits(np.zeros((2, 1, 1)), (20, 30), align_corners=True)
    lattice = uncertainty.lattice_of(one)
    assert (lattice.start, lattice.step) == ((0.0, 0.0), (20.0, 30.0))
