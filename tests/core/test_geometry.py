"""Rectangles: half-open, clipped, united."""

from hypothesis import given
from hypothesis import strategies as st

from segstudio.core.geometry import Rect

sides = st.integers(-20, 40)
rects = st.builds(Rect, sides, sides, sides, sides)


def inside(rect):
    return {(y, x) for y in range(rect.y0, rect.y1) for x in range(rect.x0, rect.x1)}


@given(rects)
def test_its_size_counts_its_pixels(rect):
    assert rect.height * rect.width == len(inside(rect))
    assert rect.is_empty == (not inside(rect))


@given(rects, st.integers(1, 30), st.integers(1, 30))
def test_clipping_keeps_exactly_the_pixels_of_the_raster(rect, h, w):
    raster = {(y, x) for y in range(h) for x in range(w)}
    assert inside(rect.clipped(h, w)) == inside(rect) & raster


@given(rects, rects)
def test_the_union_holds_both(one, two):
    assert inside(one) | inside(two) <= inside(one.united(two))
