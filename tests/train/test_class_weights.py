"""Class weights against loops over pictures, and hand values."""

import math
import statistics

import numpy as np
import pytest

from segstudio.core.train_rules import LossRule
from segstudio.errors import SegStudioError
from segstudio.train.class_weights import (
    KINDS,
    class_weights,
    counts_of,
    effective_number,
    inverse_log,
    median_frequency,
)

TWO_PICTURES = np.array([[60, 40, 0, 0], [90, 0, 10, 0]])
"""Class 3 is in neither."""


@pytest.fixture
def counts():
    rng = np.random.default_rng(0)
    many = rng.integers(0, 5000, (12, 7)) * (rng.random((12, 7)) < 0.6)
    many[:, 4] = 0
    return many


def test_median_frequencies_of_two_pictures():
    # 150 of 200, 40 of 100 and 10 of 100; their median is 0.4.
    assert median_frequency(TWO_PICTURES) == pytest.approx((0.4 / 0.75, 1, 4, 1))
    assert median_frequency(TWO_PICTURES, unseen=0)[3] == 0


def test_median_frequency_is_that_of_its_definition(counts):
    frequency = {}
    for c in range(7):
        own = sum(int(p[c]) for p in counts)
        around = sum(int(p.sum()) for p in counts if p[c] > 0)
        if own:
            frequency[c] = own / around
    median = statistics.median(frequency.values())
    expected = [median / frequency[c] if c in frequency else 1 for c in range(7)]
    assert median_frequency(counts) == pytest.approx(expected)


def test_effective_numbers_by_their_sum(counts):
    # E(n) is 1 + beta + beta^2 + … with n terms.
    beta = 0.999
    totals = [int(n) for n in counts.sum(0)]
    effective = [sum(beta**i for i in range(n)) for n in totals]
    inverse = [1 / e if e else 0 for e in effective]
    mean = sum(inverse) / 6
    expected = [i / mean if i else 1 for i in inverse]
    assert effective_number(counts, beta=beta) == pytest.approx(expected, rel=1e-6)


def test_effective_number_goes_from_all_alike_to_the_inverse_count():
    assert effective_number(TWO_PICTURES, beta=0) == pytest.approx((1, 1, 1, 1))
    nearly = effective_number(TWO_PICTURES, beta=1 - 1e-12)
    assert nearly[1] / nearly[0] == pytest.approx(150 / 40, rel=1e-3)
    assert nearly[2] / nearly[0] == pytest.approx(15, rel=1e-3)
    # Counts of millions of pixels do not wash out with the usual beta.
    usual = effective_number(np.array([[20_000_000, 600_000]]))
    assert 10 < usual[1] / usual[0] < 20


def test_inverse_logarithms_are_enet_s():
    found = inverse_log(TWO_PICTURES)
    assert found == pytest.approx((1 / math.log(1.77), 1 / math.log(1.22), 1 / math.log(1.07), 1))
    one = inverse_log(np.array([[5, 0]]), unseen=0)
    assert one == pytest.approx((1 / math.log(2.02), 0))


@pytest.mark.parametrize("kind", KINDS[1:])
def test_rarer_classes_weigh_more_and_every_weight_is_usable(kind):
    found = class_weights(kind, np.array([[8000, 100, 1500, 400]]))
    assert found[1] > found[3] > found[2] > found[0] > 0
    assert LossRule(class_weights=found).class_weights == found


@pytest.mark.parametrize("kind", KINDS[1:])
def test_the_order_of_pictures_and_classes_does_not_matter(kind, counts):
    rng = np.random.default_rng(1)
    rows, cols = rng.permutation(12), rng.permutation(7)
    found = class_weights(kind, counts[rows][:, cols])
    assert found == pytest.approx([class_weights(kind, counts)[c] for c in cols])


@pytest.mark.parametrize("kind", KINDS[1:])
@pytest.mark.parametrize("pictures", [0, 2])
def test_without_any_pixel_no_class_was_seen(kind, pictures):
    assert class_weights(kind, np.zeros((pictures, 3), np.int64), unseen=0.5) == (0.5,) * 3


def test_no_weights_are_no_weights():
    assert class_weights("none", TWO_PICTURES) == ()


def test_pixels_are_counted_without_void_and_strange_ids():
    labels = np.array([[0, 2, 2], [255, 7, 1]], np.uint8)
    assert counts_of(labels, 4).tolist() == [1, 1, 2, 0]


def test_unknown_rules_are_refused():
    with pytest.raises(SegStudioError, match="no class weights called 'uniform'; choose one of"):
        class_weights("uniform", TWO_PICTURES)
    with pytest.raises(SegStudioError, match="must be below 1"):
        effective_number(TWO_PICTURES, beta=1)
