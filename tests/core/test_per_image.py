"""Means over images that come, change and go equal the means over those that are there."""

from dataclasses import fields

import numpy as np
import pytest

from segstudio.core import per_image
from segstudio.core.metrics import mean_of_scores
from segstudio.core.per_image import PerImage

CLASSES = 5


def some_counts(rng):
    """A few pixels in a few cells: classes are absent, and so is everything now and then."""
    full = rng.integers(0, 50, (CLASSES + 1, CLASSES + 1)) * (rng.random((6, 6)) < 0.3)
    return full * int(rng.random() < 0.9)


def assert_equal(found, expected):
    for field in fields(found):
        one, other = getattr(found, field.name), getattr(expected, field.name)
        if isinstance(one, str):
            assert one == other
        else:
            np.testing.assert_allclose(one, other, rtol=1e-12, err_msg=field.name)


@pytest.mark.parametrize("at_once", [1, 200, 1 << 20])
def test_a_walk_of_changes_ends_where_a_count_from_scratch_does(monkeypatch, at_once):
    monkeypatch.setattr(per_image, "AT_ONCE", at_once)
    rng = np.random.default_rng(0)
    live, expected = PerImage(CLASSES), {}
    for step in range(600):
        key = int(rng.integers(0, 25))
        if rng.random() < 0.2:
            live.drop(key)
            expected.pop(key, None)
        else:
            counts = some_counts(rng)
            live.put(key, counts)
            expected.pop(key, None)
            expected[key] = counts
        if step % 7 == 0:
            assert_equal(live.scores(), mean_of_scores(expected.values(), CLASSES))


def test_nothing_says_nothing():
    live = PerImage(CLASSES)
    assert_equal(live.scores(), mean_of_scores([], CLASSES))
    live.put("a", np.zeros((6, 6), np.int64))
    assert_equal(live.scores(), mean_of_scores([np.zeros((6, 6), np.int64)], CLASSES))
    live.drop("a")
    live.drop("b")
    assert live.scores().images == 0


def test_only_what_is_new_is_scored(monkeypatch):
    asked = []
    real = per_image.figures_of
    monkeypatch.setattr(per_image, "figures_of", lambda full: asked.append(len(full)) or real(full))
    rng = np.random.default_rng(1)
    live = PerImage(CLASSES)
    for key in range(10):
        live.put(key, some_counts(rng))
    live.scores()
    live.put(3, some_counts(rng))
    live.scores()
    live.scores()
    assert asked == [10, 1]


def test_strokes_on_one_image_leave_no_rows_behind():
    rng = np.random.default_rng(2)
    live = PerImage(CLASSES)
    for _ in range(1000):
        live.put("a", some_counts(rng))
        live.scores()
    assert len(live._table) < 200
