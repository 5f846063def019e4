"""The learning rate, step by step."""

import itertools

import pytest

from segstudio.train.schedule import poly


def test_it_rises_linearly_then_falls_to_zero():
    rates = [poly(s, steps=100, power=0.9, warm_up=10) for s in range(101)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[4] < rates[9]
    assert all(a > b for a, b in itertools.pairwise(rates[9:]))
    assert rates[100] == 0


def test_without_warm_up_it_starts_at_the_base_rate():
    assert poly(0, steps=10, power=0.9, warm_up=0) == 1
    assert poly(5, steps=10, power=0.9, warm_up=0) == pytest.approx(0.5**0.9)
