"""Rates and latencies on a clock of the test's own."""

import pytest

from segstudio.core.rates import LatencyMeter, RateMeter


def test_frames_per_second_over_the_window():
    now = [0.0]
    meter = RateMeter(window_s=2.0, clock=lambda: now[0])
    for i in range(61):
        now[0] = i / 30
        meter.mark()
    assert meter.rate() == pytest.approx(30)


def test_it_forgets_what_left_the_window():
    now = [0.0]
    meter = RateMeter(window_s=1.0, clock=lambda: now[0])
    meter.mark()
    now[0] = 0.5
    meter.mark()
    assert meter.rate() == pytest.approx(2)
    now[0] = 5.0
    assert meter.rate() == 0


def test_percentiles_and_the_empty_meter():
    meter = LatencyMeter(keep=100)
    assert meter.percentile(50) is None
    for value in range(1, 201):
        meter.add(value)
    assert len(meter) == 100
    assert meter.percentile(50) == pytest.approx(150.5)
    meter.reset()
    assert meter.percentile(95) is None
