"""Rates and latencies on a clock of the test's own."""

import numpy as np
import pytest

from segstudio.core.rates import LatencyMeter, RateMeter, percentiles


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


def test_two_events_are_kept_where_the_window_is_too_short_for_a_rate():
    now = [0.0]
    meter = RateMeter(window_s=2.0, clock=lambda: now[0], least=2)
    for now[0] in (0.0, 5.0, 9.0):
        meter.mark()
    assert meter.rate() == pytest.approx(1 / 4)
    now[0] = 12.0
    assert meter.rate() == pytest.approx(1 / 4), "the next one is not late yet"
    now[0] = 19.0
    assert meter.rate() == pytest.approx(1 / 10), "slower than one in ten seconds by now"


@pytest.mark.parametrize("size", [1, 2, 7, 240])
def test_percentiles_are_numpys(size):
    values = np.random.default_rng(size).gamma(2, 20, size).astype(np.float32)
    wanted = np.percentile(values.astype(np.float64), (0, 50, 95, 99, 100))
    assert percentiles(values, 0, 50, 95, 99, 100) == pytest.approx(wanted)


def test_values_come_in_the_order_they_were_measured():
    meter = LatencyMeter(keep=3)
    for value in (4.0, 3.0, 2.0, 1.0):
        meter.add(value)
    assert meter.values().dtype == np.float32
    assert meter.values().tolist() == [3, 2, 1]
