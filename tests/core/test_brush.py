"""Shapes against their plain definitions, pixel by pixel."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segstudio.core import brush
from segstudio.core.geometry import Rect

SHAPE = (90, 110)


def whole(area, shape=SHAPE):
    mask = np.zeros(shape, bool)
    assert area.mask.shape == (area.rect.height, area.rect.width)
    mask[area.rect.slices] = area.mask
    return mask


def capsule(start, end, radius, shape=SHAPE):
    """Distance to the line, in whole numbers."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    y, x, dy, dx = y - start[0], x - start[1], end[0] - start[0], end[1] - start[1]
    length2, reach2 = dy * dy + dx * dx, radius * radius
    along, across = y * dy + x * dx, y * dx - x * dy
    ends = (y * y + x * x <= reach2) | ((y - dy) ** 2 + (x - dx) ** 2 <= reach2)
    return ends | ((along >= 0) & (along <= length2) & (across**2 <= reach2 * length2)
                   & (length2 > 0))  # fmt: skip


def swept_square(start, end, radius):
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    dy, dx = end[0] - start[0], end[1] - start[1]
    low, high = np.minimum(start, end) - radius, np.maximum(start, end) + radius
    box = (y >= low[0]) & (x >= low[1]) & (y <= high[0]) & (x <= high[1])
    across = abs((y - start[0]) * dx - (x - start[1]) * dy)
    return box & (across <= radius * (abs(dy) + abs(dx)))


point = st.tuples(st.integers(-40, 140), st.integers(-40, 150))


@pytest.mark.parametrize(("cached", "rows_alone"), [(1 << 16, 1 << 17), (0, 1 << 17), (0, 0)])
@settings(max_examples=150, deadline=None, derandomize=True)
@given(start=point, end=point, radius=st.integers(0, 35))
def test_a_drag_covers_the_pixels_within_the_radius_and_no_other(
    cached, rows_alone, start, end, radius
):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(brush, "CACHED", cached)
        patch.setattr(brush, "ROWS_ALONE", rows_alone)
        for a, b in ((start, end), (start, start), (start, (start[0], end[1]))):
            drawn = whole(brush.round_segment(a, b, radius, SHAPE))
            np.testing.assert_array_equal(drawn, capsule(a, b, radius))
            drawn = whole(brush.square_segment(a, b, radius, SHAPE))
            np.testing.assert_array_equal(drawn, swept_square(a, b, radius))


def test_a_long_diagonal_is_exact_too():
    shape = (1200, 1500)
    area = brush.round_segment((1190, 3), (-7, 1490), 9, shape)
    np.testing.assert_array_equal(whole(area, shape), capsule((1190, 3), (-7, 1490), 9, shape))


def test_a_mask_that_is_shared_cannot_be_written():
    area = brush.round_segment((40, 40), (44, 47), 6, SHAPE)
    for shared in (area.mask, area.stencil):
        with pytest.raises(ValueError, match="read-only"):
            shared[...] = 0
    drawn = whole(brush.round_segment((40, 40), (44, 47), 6, SHAPE))
    np.testing.assert_array_equal(drawn, capsule((40, 40), (44, 47), 6))


def test_radius_zero_is_one_pixel():
    assert whole(brush.round_segment((3, 4), (3, 4), 0, SHAPE)).sum() == 1


@pytest.mark.parametrize("shape_of", [brush.round_segment, brush.square_segment])
def test_a_drag_outside_covers_nothing(shape_of):
    assert not shape_of((-50, 20), (-30, 60), 9, SHAPE).mask.any()
    assert not shape_of((200, 200), (300, 300), 9, SHAPE).mask.any()


def test_what_a_polygon_goes_round_twice_is_outside():
    star = [(10, 50), (80, 70), (35, 20), (35, 80), (80, 30)]
    drawn = whole(brush.polygon(star, SHAPE))
    assert not drawn[45, 50]
    assert drawn[20, 50]
    assert all(drawn[p] for p in star)


def test_a_polygon_holds_its_corners_and_is_cut_at_the_edge():
    drawn = whole(brush.polygon([(10, 20), (10, 40), (30, 40), (30, 20)], SHAPE))
    expected = np.zeros(SHAPE, bool)
    expected[10:31, 20:41] = True
    np.testing.assert_array_equal(drawn, expected)
    far = whole(brush.polygon([(-50, -50), (-50, 200), (200, 200), (200, -50)], SHAPE))
    assert far.all()
    assert not brush.polygon([], SHAPE).mask.size


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(0, 1 << 30), st.floats(0.2, 0.9))
def test_a_connected_fill_goes_by_sides_only(seed, share):
    rng = np.random.default_rng(seed)
    labels = (rng.random((12, 15)) < share).astype(np.uint8) * 255
    at = int(rng.integers(12)), int(rng.integers(15))
    reached, todo = set(), [at]
    while todo:
        y, x = todo.pop()
        if (y, x) in reached or not (0 <= y < 12 and 0 <= x < 15) or labels[y, x] != labels[at]:
            continue
        reached.add((y, x))
        todo += [(y + 1, x), (y - 1, x), (y, x + 1), (y, x - 1)]
    before = labels.copy()
    drawn = whole(brush.flood(labels, at), labels.shape)
    assert set(zip(*(v.tolist() for v in np.nonzero(drawn)), strict=True)) == reached
    np.testing.assert_array_equal(labels, before)
    assert not brush.flood(labels, (12, 0)).mask.size


def test_a_raster_that_must_not_be_written_can_be_flooded():
    labels = np.zeros((6, 8), np.uint8)
    labels[2:4, 2:5] = 7
    labels.setflags(write=False)
    area = brush.flood(labels, (3, 3))
    assert (area.rect, int(area.mask.sum())) == (Rect(2, 2, 4, 5), 6)
