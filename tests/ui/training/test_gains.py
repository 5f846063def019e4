"""Before and after, class by class, on held-out frames."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segstudio.core.classes import CAMVID
from segstudio.core.metrics import scores_of
from segstudio.ui.training.gains import gains_of

CLASSES = len(CAMVID)


def frames(seed, count, right):
    """int64 (C + 1, C + 1) each; `right` of the pixels of every class are where they belong."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        counts = rng.integers(0, 30, (CLASSES + 1, CLASSES + 1))
        counts[:, -1] = counts[-1] = 0
        counts[np.diag_indices(CLASSES)] = 30 * CLASSES * right * rng.uniform(0.9, 1.1, CLASSES)
        made.append(counts.astype(np.int64))
    return made


def test_a_model_that_got_better_is_told_with_its_interval():
    gains = gains_of(frames(1, 12, 0.5), frames(2, 12, 3.0), CAMVID)
    assert gains.mean.delta > 0.2
    assert gains.mean.is_clear
    assert [g.name for g in gains.classes] == [c.name for c in CAMVID.classes]
    for gain in (gains.mean, *gains.classes):
        assert gain.low <= gain.delta <= gain.high
    assert gains.regressions == ()
    assert gains.worse == ()
    assert (gains.frames, gains.clips) == (12, 12)


def test_a_class_that_got_worse_is_a_regression_and_its_frames_are_named():
    before, after = frames(1, 10, 3.0), frames(1, 10, 3.0)
    for counts in after[:4]:
        counts[2, 5], counts[2, 2] = counts[2, 2], 0
    gains = gains_of(before, after, CAMVID)
    assert {g.name for g in gains.regressions} == {CAMVID.classes[2].name, CAMVID.classes[5].name}
    assert gains.regressions[0].delta == min(g.delta for g in gains.classes)
    assert {frame.number for frame in gains.worse} == {0, 1, 2, 3}


def test_a_class_that_is_nowhere_has_no_figures_and_is_no_regression():
    before, after = frames(1, 3, 1.0), frames(2, 3, 1.0)
    for counts in (*before, *after):
        counts[4], counts[:, 4] = 0, 0
    gain = gains_of(before, after, CAMVID).classes[4]
    assert np.isnan([gain.before, gain.after, gain.low, gain.high]).all()
    assert not gain.is_worse


def test_clips_are_drawn_whole():
    before, after = frames(1, 12, 0.8), frames(2, 12, 1.2)
    alone = gains_of(before, after, CAMVID)
    grouped = gains_of(before, after, CAMVID, clips=["a"] * 6 + ["b"] * 6)
    assert (grouped.frames, grouped.clips) == (12, 2)
    assert grouped.mean.delta == alone.mean.delta


def test_frames_of_a_single_clip_are_drawn_one_by_one_and_it_is_told():
    before, after = frames(1, 12, 0.8), frames(2, 12, 1.2)
    one = gains_of(before, after, CAMVID, clips=["a"] * 12)
    assert one.clips == 1
    assert one.classes == gains_of(before, after, CAMVID).classes


def test_no_frame_is_no_comparison():
    with pytest.raises(ValueError, match="do not match"):
        gains_of([], [], CAMVID)


@given(st.integers(0, 99), st.integers(1, 6))
@settings(max_examples=15, deadline=None)
def test_figures_are_those_of_the_summed_matrix(seed, count):
    before, after = frames(seed, count, 1.0), frames(seed + 1, count, 1.5)
    gains = gains_of(before, after, CAMVID, resamples=50)
    assert np.allclose([g.before for g in gains.classes], scores_of(sum(before)).iou)
    assert np.allclose([g.after for g in gains.classes], scores_of(sum(after)).iou)
    assert gains.mean.after == pytest.approx(scores_of(sum(after)).miou)
