"""What charts of a run show, before anything is drawn."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segstudio.core.classes import CAMVID
from segstudio.ui.dialogs.training.lines import (
    BINS,
    iou_scale,
    loss_lines,
    loss_scale,
    rate_scale,
    readable,
    smooth,
    thinned,
)
from segstudio.ui.theme import DARK, LIGHT

NUMBERS = st.floats(-1e6, 1e6) | st.just(math.nan)


def curve(values):
    return np.arange(len(values), dtype=np.int64), np.array(values, np.float64)


@given(st.lists(NUMBERS, max_size=30))
@settings(max_examples=60, deadline=None)
def test_every_loss_has_a_scale_with_figures(values):
    for scale in (loss_scale(curve(values), 100), rate_scale(curve(values), 100)):
        assert scale.low < scale.high
        assert 2 <= len(scale.ticks) <= 7
        room = 1e-9 * (abs(scale.low) + abs(scale.high))
        assert all(scale.low - room <= at <= scale.high + room for at, _ in scale.ticks)


@given(st.lists(st.floats(0, 1) | st.just(math.nan), max_size=20))
@settings(max_examples=60, deadline=None)
def test_an_iou_scale_holds_what_it_shows_and_stays_in_percent(values):
    scale = iou_scale([curve(values)], 100)
    assert 0 <= scale.low < scale.high <= 1
    known = [v for v in values if v == v]
    assert all(scale.low <= v <= scale.high + 1e-9 for v in known)
    assert scale.high - scale.low >= 0.2 - 1e-9


def test_one_wild_step_does_not_flatten_the_rest():
    values = [1.0] * 99 + [500.0]
    assert loss_scale(curve(values), 100).high < 5


@given(st.lists(NUMBERS, max_size=30))
@settings(max_examples=40, deadline=None)
def test_a_smooth_line_stays_between_what_it_smooths(values):
    found = smooth(np.array(values, np.float64))
    known = [v for v in values if v == v]
    assert np.array_equal(np.isnan(found), np.isnan(np.array(values, np.float64)))
    if known:
        room = 1e-6 * (1 + max(map(abs, known)))
        assert np.nanmin(found) >= min(known) - room
        assert np.nanmax(found) <= max(known) + room


@given(st.lists(NUMBERS, min_size=1, max_size=2000))
@settings(max_examples=15, deadline=None)
def test_a_thinned_line_keeps_its_ends_and_is_short(values):
    many = curve(values * 3)
    steps, kept = thinned(many)
    assert len(steps) <= 2 * BINS
    assert (np.diff(steps) > 0).all()
    assert np.array_equal(kept, many[1][steps], equal_nan=True)
    if not np.isnan(many[1]).all():
        assert np.nanmin(kept) == np.nanmin(many[1])
        assert np.nanmax(kept) == np.nanmax(many[1])


def test_the_loss_is_a_faint_line_below_a_smooth_one():
    each, over = loss_lines(curve([3.0, 1.0, 2.0]))
    assert each.opacity < over.opacity
    assert each.width < over.width


@pytest.mark.parametrize("colors", [DARK, LIGHT])
def test_class_colours_can_be_seen_as_lines_in_both_themes(colors):
    ground = tuple(int(colors.raised[i : i + 2], 16) for i in (1, 3, 5))

    def luminance(color):
        linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4
                  for v in (c / 255 for c in color)]  # fmt: skip
        return float(np.dot((0.2126, 0.7152, 0.0722), linear))

    for known in CAMVID.classes:
        high, low = sorted((luminance(readable(known.color, ground)), luminance(ground)))[::-1]
        assert (high + 0.05) / (low + 0.05) >= 2.2
    assert readable((255, 255, 255), (0, 0, 0)) == (255, 255, 255)
