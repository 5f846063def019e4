"""Cells are drawn where they look at the picture."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segstudio.core.classes import CAMVID
from segstudio.core.compose import Composer
from segstudio.core.feature_map import FeatureMap, Lattice
from segstudio.core.frame import Frame, FrameId
from segstudio.core.map_drawing import covered, drawn, over, pixel_middles
from segstudio.core.map_style import MapStyle
from segstudio.core.mask_style import MaskStyle
from segstudio.core.scene import Scene
from segstudio.core.viewport import ViewTransform

GREY = MapStyle("grey", opacity=1.0, is_smooth=False)


def map_of(values, start=(0.0, 0.0), step=(8.0, 8.0), kind="values"):
    values = np.asarray(values, np.uint8)
    return FeatureMap(values, Lattice(start, step), kind)


def one_lit(shape, cell):
    values = np.zeros(shape, np.uint8)
    values[cell] = 255
    return values


def _in_cell(at, number, count):
    """The outer cells reach half a cell further."""
    return (at >= (number or -0.5)) & (at < number + 1 + (0.5 if number == count - 1 else 0))


@given(
    st.floats(-20, 20), st.floats(-20, 20), st.floats(1.0, 40), st.floats(1.0, 40),
    st.integers(0, 5), st.integers(0, 6),
)  # fmt: skip
def test_a_flat_cell_covers_exactly_its_own_pixels(y0, x0, dy, dx, row, col):
    lit = map_of(one_lit((6, 7), (row, col)), (y0, x0), (dy, dx), "rgb").values
    colour = FeatureMap(np.repeat(lit[..., None], 3, 2), Lattice((y0, x0), (dy, dx)), "rgb")
    rows, cols = pixel_middles(200), pixel_middles(260)
    part = covered(colour, rows, cols)
    got = np.zeros((200, 260), bool)
    if rows[part[0]].size and cols[part[1]].size:
        got[part] = drawn(colour, GREY, rows[part[0]], cols[part[1]])[..., 0] == 255
    ys, xs = np.mgrid[0:200, 0:260] + 0.5
    inside = _in_cell((ys - y0) / dy, row, 6) & _in_cell((xs - x0) / dx, col, 7)
    np.testing.assert_array_equal(got, inside)


def test_smooth_colours_peak_in_the_middle_of_the_cell():
    lit = map_of(one_lit((9, 9), (4, 5)), (-4.0, 2.0))
    picture = drawn(lit, MapStyle("grey", is_smooth=True), pixel_middles(72), pixel_middles(80))
    lightness = picture.astype(int).sum(2)
    y, x = np.unravel_index(lightness.argmax(), lightness.shape)
    assert abs(y + 0.5 - (-4 + 4.5 * 8)) <= 0.5
    assert abs(x + 0.5 - (2 + 5.5 * 8)) <= 0.5


def test_smooth_colours_go_through_the_values_of_the_middles():
    values = np.random.default_rng(1).integers(0, 256, (5, 6)).astype(np.uint8)
    lattice = Lattice((3.0, -5.0), (8.0, 16.0))
    rows = 3 + (np.arange(5) + 0.5) * 8
    cols = -5 + (np.arange(6) + 0.5) * 16
    colours = FeatureMap(np.repeat(values[..., None], 3, 2), lattice, "rgb")
    np.testing.assert_array_equal(drawn(colours, MapStyle(), rows, cols)[..., 0], values)


def test_groups_are_never_mixed():
    groups = map_of(np.arange(12).reshape(3, 4), kind="segments")
    smooth = drawn(groups, MapStyle(is_smooth=True), pixel_middles(24), pixel_middles(32))
    flat = drawn(groups, MapStyle(is_smooth=False), pixel_middles(24), pixel_middles(32))
    np.testing.assert_array_equal(smooth, flat)
    assert len(np.unique(flat.reshape(-1, 3), axis=0)) == 12


def test_reversed_colours_swap_the_ends():
    ends = map_of([[0, 255]])
    plain = drawn(ends, MapStyle(is_smooth=False), pixel_middles(8), pixel_middles(16))
    turned = drawn(
        ends, MapStyle(is_smooth=False, is_reversed=True), pixel_middles(8), pixel_middles(16)
    )
    np.testing.assert_array_equal(plain, turned[:, ::-1])


def test_where_there_are_no_cells_the_frame_stays():
    rgb = np.full((40, 40, 3), 7, np.uint8)
    lit = map_of(np.full((2, 2), 255), (8.0, 16.0))
    out = over(rgb, lit, GREY, pixel_middles(40), pixel_middles(40))
    changed = (out != rgb).any(2)
    assert changed[4:28, 12:36].all()
    assert changed.sum() == 24 * 24


def test_half_opaque_is_half_of_both():
    rgb = np.full((16, 16, 3), 100, np.uint8)
    white = FeatureMap(np.full((2, 2, 3), 200, np.uint8), Lattice((0, 0), (8, 8)), "rgb")
    out = over(rgb, white, MapStyle(opacity=0.5), pixel_middles(16), pixel_middles(16))
    assert (out == 150).all()


def scene(frame, transform, map_, style):
    return Scene(frame, None, transform, MaskStyle.of(CAMVID), map=map_, map_style=style)


@pytest.mark.parametrize("scale", [0.4, 1.0, 1.7, 6.0])
def test_the_view_shows_what_the_frame_would(scale):
    """A map in the view lies over the same frame pixels, whatever the zoom."""
    rgb = np.zeros((60, 90, 3), np.uint8)
    frame = Frame(FrameId("x", 0, None, 0), rgb, 0.0)
    lit = map_of(one_lit((7, 11), (3, 4)), (1.5, -2.5))
    transform = ViewTransform((60, 90), (120, 160), scale, 3.0 - 4 * scale**2, -7.0 - 5 * scale**2)
    made = Composer().compose(scene(frame, transform, lit, GREY))
    ys, xs = np.nonzero((made.picture.argb & 0xFF) == 255)
    box = made.picture.box
    for y, x in zip(ys, xs, strict=True):
        py, px = transform.to_frame(box.y0 + y + 0.5, box.x0 + x + 0.5)
        row, col = lit.lattice.cell_at(py, px)
        assert (int(row), int(col)) == (3, 4)
    assert len(ys)


def test_the_bare_picture_comes_back_when_the_map_goes():
    rgb = np.random.default_rng(0).integers(0, 256, (60, 90, 3), np.uint8)
    frame = Frame(FrameId("x", 0, None, 0), rgb, 0.0)
    transform = ViewTransform.fitted((60, 90), (120, 160))
    composer = Composer()
    bare = composer.compose(scene(frame, transform, None, GREY)).picture.argb.copy()
    covered_ = composer.compose(scene(frame, transform, map_of(np.zeros((8, 12))), GREY))
    assert not np.array_equal(covered_.picture.argb, bare)
    again = composer.compose(scene(frame, transform, None, GREY))
    np.testing.assert_array_equal(again.picture.argb, bare)


def test_a_reading_is_of_the_cell_under_the_pixel():
    exact = np.arange(6, dtype=np.float32).reshape(2, 3)
    found = FeatureMap(np.zeros((2, 3), np.uint8), Lattice((0.0, 4.0), (8.0, 8.0)), exact=exact)
    assert found.value_at(0, 4) == 0
    assert found.value_at(7, 11) == 0
    assert found.value_at(8, 12) == 4
    assert found.value_at(0, 1) == 0
    assert found.value_at(19, 5) == 3
    assert found.value_at(20, 5) is None
