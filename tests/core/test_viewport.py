"""Zoom, pan, fit, and the way from frame pixels to device pixels and back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segstudio.core.geometry import Rect
from segstudio.core.viewport import KEPT, MAX_SCALE, MIN_SCALE, ViewTransform, limited

FRAME, VIEW = (360, 480), (500, 900)

sizes = st.tuples(st.integers(1, 700), st.integers(1, 900))
places = st.tuples(st.floats(0, 500), st.floats(0, 900))
scales = st.floats(MIN_SCALE, MAX_SCALE)


def moved(scale: float, top: float, left: float) -> ViewTransform:
    return ViewTransform(FRAME, VIEW, scale, top, left)


def test_fit_shows_the_whole_frame_as_large_as_possible():
    fit = ViewTransform.fitted((720, 1280), (1080, 1920))
    assert fit.scale == 1.5
    assert fit.visible == Rect(0, 0, 1080, 1920)


@given(sizes, sizes)
def test_a_fitted_frame_touches_two_borders_and_is_centered(frame, view):
    fit = ViewTransform.fitted(frame, view)
    box = fit.visible
    if MIN_SCALE < fit.scale < MAX_SCALE:
        assert box.height == view[0] or box.width == view[1]
    assert abs(box.y0 - (view[0] - box.y1)) <= 1
    assert abs(box.x0 - (view[1] - box.x1)) <= 1


def test_one_to_one_gives_every_frame_pixel_one_device_pixel():
    whole = ViewTransform.centered(FRAME, VIEW, 1.0)
    np.testing.assert_array_equal(whole.rows(whole.visible), np.arange(360))
    np.testing.assert_array_equal(whole.columns(whole.visible), np.arange(480))


@pytest.mark.parametrize("scale", [2.0, 3.0, 16.0])
def test_a_whole_zoom_repeats_every_pixel_exactly_that_often(scale):
    view = ViewTransform((5, 7), (200, 300), scale, 0.0, 0.0)
    np.testing.assert_array_equal(view.columns(view.visible), np.repeat(np.arange(7), int(scale)))


@given(scales, st.floats(-3000, 600), st.floats(-3000, 900))
def test_hover_is_the_pixel_that_is_drawn(scale, top, left):
    view = moved(scale, top, left)
    box = view.visible
    if box.is_empty:
        return
    rows, columns = view.rows(box), view.columns(box)
    for y, x in ((box.y0, box.x0), (box.y1 - 1, box.x1 - 1), ((box.y0 + box.y1) // 2, box.x0)):
        assert view.pixel_at(y, x) == (rows[y - box.y0], columns[x - box.x0])
    assert view.pixel_at(view.origin[0] - 1, box.x0) is None
    assert view.pixel_at(box.y0, view.origin[1] - 1) is None


@pytest.mark.parametrize("ratio", [1.0, 1.25, 1.5, 1.75, 2.0])
def test_a_position_that_went_through_logical_pixels_hits_the_same_device_pixel(ratio):
    view = ViewTransform.centered((1000, 1000), (1000, 1000), 1.0)
    for device in range(1000):
        assert view.pixel_at(device / ratio * ratio, device / ratio * ratio) == (device, device)


@given(scales, st.floats(1 / 64, 64), places)
def test_zoom_keeps_what_lies_under_the_cursor(scale, factor, at):
    before = ViewTransform.centered(FRAME, VIEW, scale)
    after = before.zoomed(factor, at)
    point = ((at[0] - before.top) / before.scale, (at[1] - before.left) / before.scale)
    inside = all(-1e-9 <= p <= f for p, f in zip(point, FRAME, strict=True))
    near_border = min(at[0], at[1], VIEW[0] - at[0], VIEW[1] - at[1]) < KEPT
    if inside and not near_border:
        there = (after.top + point[0] * after.scale, after.left + point[1] * after.scale)
        assert there == pytest.approx(at, abs=1e-6)


def test_many_small_zooms_do_not_drift():
    view = start = ViewTransform.centered(FRAME, VIEW, 1.7)
    for _ in range(200):
        view = view.zoomed(1.01, (123.4, 567.8))
    for _ in range(200):
        view = view.zoomed(1 / 1.01, (123.4, 567.8))
    assert (view.scale, view.top, view.left) == pytest.approx(
        (start.scale, start.top, start.left), abs=1e-6
    )


def test_a_zoom_that_would_cross_one_to_one_stops_there():
    assert moved(0.9, 0, 0).zoomed(1.25, (0, 0)).scale == 1.0
    assert moved(1.1, 0, 0).zoomed(0.8, (0, 0)).scale == 1.0
    assert moved(1.0, 0, 0).zoomed(1.25, (0, 0)).scale == 1.25


def test_zoom_stays_inside_its_limits():
    assert moved(1.5, 0, 0).zoomed(1e9, (0, 0)).scale == MAX_SCALE
    assert moved(0.5, 0, 0).zoomed(1e-9, (0, 0)).scale == MIN_SCALE
    assert limited(0.0) == MIN_SCALE


@given(scales, st.floats(-1e5, 1e5), st.floats(-1e5, 1e5))
def test_the_frame_cannot_be_dragged_out_of_sight(scale, dy, dx):
    box = ViewTransform.centered(FRAME, VIEW, scale).panned(dy, dx).visible
    assert box.height >= min(KEPT, int(FRAME[0] * scale)) - 1
    assert box.width >= min(KEPT, int(FRAME[1] * scale)) - 1


def test_pan_moves_by_device_pixels():
    assert moved(3.0, -200, -300).panned(10, -20).origin == (-190, -320)


@pytest.mark.parametrize(
    ("top", "left", "expected"),
    [(-50.0, -30.0, (-50.0, -30.0)), (40.0, 500.0, (0.0, 0.0)), (-999.0, -999.0, (-200.0, -100.0))],
)
def test_a_view_that_is_filled_shows_nothing_beside_the_frame(top, left, expected):
    view = ViewTransform((200, 200), (200, 300), 2.0, top, left).filled()
    assert (view.top, view.left, view.scale) == (*expected, 2.0)


def test_a_frame_that_does_not_fill_the_view_is_in_its_middle():
    view = ViewTransform((50, 400), (200, 300), 1.0, -7.0, -350.0).filled()
    assert (view.top, view.left) == (75.0, -100.0)


def test_a_resized_view_keeps_its_middle():
    view = moved(4.0, -300, -200)
    other = view.resized((700, 600))
    assert other.view == (700, 600)
    assert (350 - other.top) / 4 == (250 - view.top) / 4
    assert (300 - other.left) / 4 == (450 - view.left) / 4


@given(scales, st.floats(-3000, 400), st.floats(-3000, 800), st.data())
def test_the_box_of_a_rect_holds_every_device_pixel_that_shows_it(scale, top, left, data):
    view = moved(scale, top, left)
    y0, x0 = data.draw(st.integers(0, 359)), data.draw(st.integers(0, 479))
    rect = Rect(y0, x0, data.draw(st.integers(y0 + 1, 360)), data.draw(st.integers(x0 + 1, 480)))
    shown, box = view.visible, view.box_of(rect)
    if shown.is_empty:
        return
    rows, columns = view.rows(shown), view.columns(shown)
    hit_rows = shown.y0 + np.flatnonzero((rows >= rect.y0) & (rows < rect.y1))
    hit_columns = shown.x0 + np.flatnonzero((columns >= rect.x0) & (columns < rect.x1))
    if hit_rows.size and hit_columns.size:
        assert box.y0 <= hit_rows[0]
        assert hit_rows[-1] < box.y1
        assert box.x0 <= hit_columns[0]
        assert hit_columns[-1] < box.x1
        assert box.height <= hit_rows.size + 4
    assert box.is_empty or shown.united(box) == shown


def test_an_empty_rect_has_an_empty_box():
    assert moved(2.0, 0, 0).box_of(Rect(5, 5, 5, 9)).is_empty


def test_the_rect_of_a_box_is_what_it_shows():
    view = moved(2.0, 10, 20)
    assert view.rect_of(Rect(0, 0, 14, 30)) == Rect(0, 0, 2, 5)
    assert view.rect_of(Rect(0, 0, 10, 20)).is_empty


def test_frame_and_view_positions_are_inverse():
    view = moved(3.3, -17, 42)
    assert view.to_frame(*view.to_view(12.25, 100.5)) == pytest.approx((12.25, 100.5))


def test_a_move_between_two_transforms_is_a_scale_and_a_shift():
    old, new = moved(2.0, 10, 20), moved(5.0, -30, 7)
    ratio, dy, dx = new.moved_from(old)
    y, x = old.to_view(33.0, 44.0)
    assert (y * ratio + dy, x * ratio + dx) == pytest.approx(new.to_view(33.0, 44.0))


def test_a_tiny_frame_still_has_a_pixel():
    view = ViewTransform.centered((1, 1), (100, 100), MIN_SCALE)
    assert (view.visible.height, view.visible.width) == (1, 1)
