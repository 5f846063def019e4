"""Which frames of a clip stand out."""

import numpy as np
import pytest

from segstudio.core.peaks import REACH, peaks


def clip(count=400, level=0.05, noise=0.002, seed=1):
    rng = np.random.default_rng(seed)
    return (level + rng.uniform(-noise, noise, count)).astype(np.float32)


def test_bumps_are_found_at_their_tops():
    values = clip()
    for top, height in ((60, 0.1), (200, 0.04), (391, 0.3)):
        for off in range(-8, 9):
            values[top + off] += height * (1 - abs(off) / 9)
    assert peaks(values).tolist() == [60, 200, 391]


def test_of_two_close_ones_the_higher_is_the_peak():
    values = clip()
    values[100], values[100 + REACH] = 0.2, 0.3
    assert peaks(values).tolist() == [100 + REACH]


def test_a_plateau_is_one_peak():
    values = clip(noise=0)
    values[100:110] = 0.2
    assert peaks(values).tolist() == [100]


def test_the_slope_of_a_peak_is_none():
    values = clip(noise=0)
    values[100:200] = np.linspace(0.5, 0.06, 100)
    assert peaks(values).tolist() == [100]


@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_an_even_clip_has_none(noise):
    rng = np.random.default_rng(2)
    values = (0.05 + noise * rng.uniform(-1, 1, 500)).astype(np.float32)
    assert not len(peaks(values))


def test_frames_nobody_looked_at_are_passed_over():
    values = clip()
    values[300] = 0.4
    values[np.arange(400) % 3 != 0] = np.nan
    assert peaks(values).tolist() == [300]
    assert not len(peaks(np.full(9, np.nan, np.float32)))
    assert not len(peaks(np.zeros(0, np.float32)))


def test_in_a_long_clip_peaks_lie_further_apart():
    values = clip(20_000, noise=0)
    values[1000:1150:15] = np.linspace(0.2, 0.3, 10)
    assert peaks(values).tolist() == [1135]


@pytest.mark.parametrize("long", [1, 5, 40])
def test_how_a_clip_begins_or_ends_is_no_peak(long):
    values = clip(noise=0)
    values[:long] = 0.3
    values[-1] = 0.4
    assert not len(peaks(values))
    values[200] = 0.3
    assert peaks(values).tolist() == [200]


def test_of_frames_far_apart_one_that_stands_out_is_a_peak():
    values = np.full(4000, np.nan, np.float32)
    values[::50] = 0.05
    values[[0, 1000, 3950]] = 0.3
    assert peaks(values).tolist() == [1000]
