"""Draws of frames, against scores of what was drawn."""

import math

import numpy as np
import pytest

from segstudio.core.bootstrap import paired_bootstrap
from segstudio.core.metrics import Convention, mean_of_scores, scores_of


def frames(seed, count=12, classes=4, right=2_000):
    """Lists of int64 (C + 1, C + 1) for two models that err on the same frames."""
    rng = np.random.default_rng(seed)
    shared = rng.integers(0, 400, (count, classes + 1, classes + 1))
    shared[rng.random((count, classes + 1)) < 0.3] = 0  # classes that a frame lacks
    shared[1:, classes - 1] = 0  # one that only the first has
    own = [
        rng.integers(0, right, (count, 1, 1)) * np.eye(classes + 1, dtype=np.int64) for _ in "ab"
    ]
    for hits in own:
        hits[:, -1] = 0
        hits[1:, classes - 1] = 0
    return [list((shared + hits).astype(np.int64)) for hits in own]


def plain_miou(drawn, convention):
    if convention is Convention.PER_IMAGE:
        return mean_of_scores(drawn, drawn[0].shape[0] - 1).miou
    return scores_of(np.sum(drawn, 0), convention).miou


@pytest.mark.parametrize("convention", Convention)
@pytest.mark.parametrize("groups", [None, tuple("aaabbbbcddde")])
def test_it_equals_drawing_and_scoring_one_by_one(convention, groups):
    a, b = frames(1)
    verdict = paired_bootstrap(a, b, convention=convention, groups=groups, resamples=200, seed=7)
    clips = (
        [[i] for i in range(12)]
        if groups is None
        else [[0, 1, 2], [3, 4, 5, 6], [7], [8, 9, 10], [11]]
    )
    times = np.random.default_rng(7).multinomial(len(clips), [1 / len(clips)] * len(clips), 200)
    deltas = []
    for row in times:
        drawn = [
            frame for clip, n in zip(clips, row, strict=True) for _ in range(n) for frame in clip
        ]
        deltas.append(
            plain_miou([b[i] for i in drawn], convention)
            - plain_miou([a[i] for i in drawn], convention)
        )
    assert verdict.delta == pytest.approx(plain_miou(b, convention) - plain_miou(a, convention))
    assert (verdict.low, verdict.high) == pytest.approx(tuple(np.percentile(deltas, [2.5, 97.5])))
    assert verdict.share_better == pytest.approx(np.mean(np.array(deltas) > 0))
    assert verdict.groups == len(clips)


def test_a_model_that_is_better_on_every_frame_is_clearly_better():
    a, _ = frames(2, count=30)
    b = [full + 900 * np.diag([1, 1, 1, 1, 0]) for full in a]
    verdict = paired_bootstrap(a, b, resamples=1000)
    assert verdict.low > 0
    assert verdict.is_clear
    assert verdict.share_better == 1
    other = paired_bootstrap(b, a, resamples=1000)
    assert (other.delta, other.low, other.high) == pytest.approx(
        (-verdict.delta, -verdict.high, -verdict.low)
    )
    assert other.share_better == 0


def test_a_model_against_itself_is_a_draw():
    a, _ = frames(3)
    verdict = paired_bootstrap(a, a, resamples=300)
    assert (verdict.delta, verdict.low, verdict.high) == (0, 0, 0)
    assert verdict.share_better == 0.5
    assert not verdict.is_clear


def test_clips_of_alike_frames_widen_the_interval():
    a, b = frames(4, count=10)
    a, b = ([full for full in side for _ in range(9)] for side in (a, b))
    alone = paired_bootstrap(a, b, resamples=2000)
    by_clip = paired_bootstrap(a, b, groups=[i // 9 for i in range(90)], resamples=2000)
    assert by_clip.delta == alone.delta
    assert by_clip.high - by_clip.low > 2 * (alone.high - alone.low)
    assert (by_clip.frames, by_clip.groups) == (90, 10)


def test_the_same_seed_gives_the_same_answer():
    a, b = frames(5)
    assert paired_bootstrap(a, b, seed=3) == paired_bootstrap(a, b, seed=3)
    assert paired_bootstrap(a, b, seed=3).low != paired_bootstrap(a, b, seed=4).low


def test_its_interval_holds_the_truth_about_as_often_as_it_says():
    """Of a thousand frames that are all there are, sets of 40 are seen; the truth is known."""
    a, b = frames(6, count=1000)
    truth = paired_bootstrap(a, b, resamples=1).delta
    rng = np.random.default_rng(0)
    inside = 0
    for seed in range(200):
        chosen = rng.choice(1000, 40, replace=False)
        verdict = paired_bootstrap(
            [a[i] for i in chosen], [b[i] for i in chosen], resamples=400, seed=seed
        )
        inside += verdict.low <= truth <= verdict.high
    assert 0.88 <= inside / 200 <= 0.99


def test_frames_without_any_class_say_nothing():
    nothing = [np.zeros((3, 3), np.int64)] * 4
    verdict = paired_bootstrap(nothing, nothing, resamples=50)
    assert all(math.isnan(v) for v in (verdict.delta, verdict.low, verdict.share_better))
    assert not verdict.is_clear


def test_frames_must_match():
    a, b = frames(8)
    with pytest.raises(ValueError, match="12 of A, 11 of B"):
        paired_bootstrap(a, b[1:])
    with pytest.raises(ValueError, match="do not match"):
        paired_bootstrap([], [])
    with pytest.raises(ValueError, match="do not match"):
        paired_bootstrap(a, b, groups=["clip"])
