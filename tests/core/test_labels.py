"""Strokes, rules and undo against plain copies of both planes."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segstudio.core import brush
from segstudio.core.labels import LabelDocument, pixels_by_class
from segstudio.core.paint_rule import PaintRule

SHAPE = (150, 200)


def blank(origin=0):
    return LabelDocument(np.full(SHAPE, 255, np.uint8), np.full(SHAPE, origin, np.uint8))


def test_a_dot_is_an_exact_disc():
    area = brush.round_segment((50, 60), (50, 60), 20, SHAPE)
    y, x = np.mgrid[-20:21, -20:21]
    np.testing.assert_array_equal(area.mask, y * y + x * x <= 400)


@pytest.mark.parametrize("shape_of", [brush.round_segment, brush.square_segment])
def test_a_drag_covers_every_stamp_on_the_way(shape_of):
    drag = np.zeros(SHAPE, bool)
    area = shape_of((10, 5), (130, 245), 7, SHAPE)
    drag[area.rect.slices] = area.mask
    for i in range(121):
        stamp = shape_of((10 + i, 5 + 2 * i), (10 + i, 5 + 2 * i), 7, SHAPE)
        assert drag[stamp.rect.slices][stamp.mask].all()


def test_fill_takes_the_connected_part_or_the_whole_class():
    labels = np.zeros(SHAPE, np.uint8)
    labels[:, 100] = 3
    assert brush.flood(labels, (0, 0)).mask.sum() == 150 * 100
    assert brush.flood(labels, (0, 0), connected=False).mask.sum() == 150 * 199


def test_a_stroke_that_a_lock_keeps_out_says_so():
    document = blank()
    document.begin("Brush")
    change = document.paint(
        brush.rectangle((0, 0), (4, 4), SHAPE), 2, rule=PaintRule(locked=frozenset({255}))
    )
    assert (change.pixels, change.blocked) == (0, 25)
    assert document.commit() is None


def test_a_model_never_writes_over_a_human_unless_told():
    document = blank(origin=4)
    document.begin("Draft")
    area = brush.rectangle((0, 0), (9, 9), SHAPE)
    patch = np.ones((10, 10), np.uint8)
    assert document.put(area, patch, origin=1).blocked == 100
    assert document.put(area, patch, origin=1, over_human=True).pixels == 100


def test_painting_the_class_a_model_gave_changes_the_origin_alone():
    document = LabelDocument(np.full(SHAPE, 2, np.uint8), np.full(SHAPE, 1, np.uint8))
    document.begin("Brush")
    area = brush.square_segment((50, 60), (50, 60), 2, SHAPE)
    assert document.paint(area, 2).pixels == 25
    again = document.paint(area, 2)
    assert (again.pixels, again.blocked) == (0, 0)
    assert (again.before_labels == 2).all()
    assert (again.before_origin == 3).all()
    assert document.commit().pixels == 25


def test_a_long_stroke_is_undone_in_every_tile_it_crossed():
    shape = (300, 700)
    rng = np.random.default_rng(5)
    planes = rng.integers(0, 3, shape, np.uint8), rng.integers(0, 3, shape, np.uint8)
    document = LabelDocument(*planes)
    document.begin("Brush")
    path = [(150 - 130 * (i % 2), 20 + 11 * i) for i in range(60)]
    for start, end in pairwise(path):
        document.paint(brush.round_segment(start, end, 6, shape), 7)
    for start, end in pairwise(path[::-1]):
        document.paint(brush.round_segment(start, end, 9, shape), 8)
    step = document.commit()
    assert {(t.row, t.col) for t in step.tiles} == {(r, c) for r in (0, 1) for c in range(6)}
    document.revert(step)
    equal(document, *planes)


def test_a_second_stroke_keeps_its_own_copies():
    document = blank()
    first, second = (brush.round_segment((60, x), (64, x + 9), 8, SHAPE) for x in (50, 58))
    for area in (first, second):
        document.begin("Brush")
        document.paint(area, 2)
        step = document.commit()
    document.revert(step)
    expected = np.zeros(SHAPE, bool)
    expected[first.rect.slices] = first.mask
    np.testing.assert_array_equal(document.labels, np.where(expected, 2, 255))


def test_a_rule_without_conditions_allows_everything():
    assert PaintRule().is_open
    for closed in (
        PaintRule(only=0),
        PaintRule(locked=frozenset({0})),
        PaintRule(confidence=np.zeros(SHAPE, np.uint8), below=9),
    ):
        assert not closed.is_open


point = st.tuples(st.integers(-20, 170), st.integers(-20, 220))
stroke = st.tuples(
    point,
    point,
    st.integers(0, 30),
    st.sampled_from([0, 1, 2, 255]),
    st.sampled_from([1, 2, 3]),
    st.sampled_from([None, 0, 1, 255]),
    st.frozensets(st.sampled_from([0, 1, 2, 255])),
    st.sampled_from(["commit", "abort", "confirm"]),
)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(stroke, max_size=12))
def test_strokes_undo_and_redo_equal_full_copies(strokes):
    document = blank()
    labels, origin = document.labels.copy(), document.origin.copy()
    steps, states = [], [(labels.copy(), origin.copy())]
    for start, end, radius, class_id, by, only, locked, ending in strokes:
        area = brush.round_segment(start, end, radius, SHAPE)
        document.begin("Brush")
        document.paint(area, class_id, rule=PaintRule(only, locked), origin=by)
        if ending == "abort":
            document.abort()
        else:
            chosen = np.zeros(SHAPE, bool)
            chosen[area.rect.slices] = area.mask
            chosen &= ~np.isin(labels, list(locked))
            chosen &= (labels == only) if only is not None else True
            chosen &= (origin < 3) | (by >= 3)
            labels[chosen], origin[chosen] = class_id, by
            step = document.commit()
            if step:
                steps.append(step)
                states.append((labels.copy(), origin.copy()))
        if ending == "confirm" and (step := document.confirm()):
            origin[:] = 4
            steps.append(step)
            states.append((labels.copy(), origin.copy()))
        equal(document, labels, origin)
    for step, before in zip(reversed(steps), reversed(states[:-1]), strict=True):
        document.revert(step)
        equal(document, *before)
    for step, after in zip(steps, states[1:], strict=True):
        document.apply(step)
        equal(document, *after)


def equal(document, labels, origin):
    np.testing.assert_array_equal(document.labels, labels)
    np.testing.assert_array_equal(document.origin, origin)
    np.testing.assert_array_equal(
        document.origin_counts, np.bincount(origin.ravel(), minlength=256)
    )


def test_pixels_are_counted_by_class():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 256, (61, 47), np.uint8)
    for part in (labels, labels[3:20, 5:9], labels[:0]):
        found = pixels_by_class(part)
        assert (found == np.bincount(part.ravel(), minlength=256)).all()
        assert found.dtype == np.int64
