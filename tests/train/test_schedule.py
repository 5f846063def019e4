"""The learning rate, step by step."""

import itertools
import math

import pytest

from segstudio.core.train_rules import ScheduleRule
from segstudio.train.schedule import rate


def test_poly_rises_linearly_then_falls_to_zero():
    rates = [rate(s, ScheduleRule(100, "poly", power=0.9, warm_up=10)) for s in range(101)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[4] < rates[9]
    assert all(a > b for a, b in itertools.pairwise(rates[9:]))
    assert rates[100] == 0


def test_without_warm_up_poly_starts_at_the_base_rate():
    rule = ScheduleRule(10, "poly", power=0.9)
    assert rate(0, rule) == 1
    assert rate(5, rule) == pytest.approx(0.5**0.9)


def test_cosine_is_half_a_wave():
    rule = ScheduleRule(100, "cosine")
    assert [rate(s, rule) for s in (0, 25, 50, 100)] == pytest.approx(
        [1, (1 + math.sqrt(0.5)) / 2, 0.5, 0]
    )


@pytest.mark.parametrize("kind", ["poly", "cosine"])
def test_a_floor_is_where_the_rate_ends(kind):
    rule = ScheduleRule(100, kind, floor=0.2)
    rates = [rate(s, rule) for s in range(101)]
    assert rates[0] == 1
    assert rates[-1] == pytest.approx(0.2)
    assert min(rates) == rates[-1]


def test_steps_drop_by_the_factor_and_stay_between():
    # DeepLab v1: a tenth after every 2000 steps.
    rule = ScheduleRule(6000, "step", drop=0.1, drop_every=2000)
    assert [rate(s, rule) for s in (0, 1999, 2000, 3999, 4000)] == pytest.approx(
        [1, 1, 0.1, 0.1, 0.01]
    )


def test_constant_is_one_after_the_warm_up():
    rule = ScheduleRule(100, "constant", warm_up=4)
    assert [rate(s, rule) for s in (0, 1, 2, 3, 4, 99)] == [0.25, 0.5, 0.75, 1, 1, 1]


@pytest.mark.parametrize("kind", ["poly", "cosine", "constant", "step"])
def test_every_kind_stays_between_nothing_and_one_also_after_the_end(kind):
    rule = ScheduleRule(50, kind, warm_up=7, drop_every=20)
    rates = [rate(s, rule) for s in range(80)]
    assert all(0 <= r <= 1 for r in rates)
    assert rates[0] == pytest.approx(1 / 7, rel=0.05)
    if kind in ("poly", "cosine"):
        assert rates[50:] == [0] * 30
