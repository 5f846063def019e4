"""COCO's rule for polygons, held against pycocotools."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segstudio.formats.detail.coco_polygons import coco_area
from segstudio.formats.outlining.filling import fill

numbers = st.floats(-30, 70).map(lambda n: round(n, 2)) | st.integers(-20, 60).map(float)
rings = st.lists(st.tuples(numbers, numbers), min_size=3, max_size=12)


def mask_of(points, height, width):
    mask = np.zeros((height, width), bool)
    area = coco_area(np.array(points, float), height, width)
    mask[area.rect.slices] = area.mask
    return mask


@given(rings, st.integers(1, 45), st.integers(1, 45))
@settings(deadline=None, max_examples=300)
@pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")  # of its compiled part
def test_every_polygon_has_the_pixels_that_pycocotools_finds(points, height, width):
    tools = pytest.importorskip("pycocotools.mask")
    flat = [float(n) for point in points for n in point]
    theirs = tools.decode(tools.merge(tools.frPyObjects([flat], height, width)))
    assert (mask_of(points, height, width) == theirs).all()


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), min_size=3, max_size=9))
@settings(deadline=None, max_examples=100)
def test_at_pixel_corners_of_upright_sides_it_is_the_even_odd_rule(corners):
    turns = [
        p
        for a, b in zip(corners, corners[1:] + corners[:1], strict=True)
        for p in (a, (b[0], a[1]))
    ]
    points = np.array(turns, float)
    assert (mask_of(points, 20, 20) == fill([points], 20, 20)).all()


def test_what_reaches_far_outside_takes_no_memory():
    points = np.array([[-1e6, -1e6], [1e6, -1e6], [1e6, 1e6], [-1e6, 1e6]] * 50)
    assert mask_of(points[:4], 6, 7).all()
    assert mask_of(points, 6, 7).shape == (6, 7)
    assert not mask_of([[50, 50], [60, 50], [60, 60]], 6, 7).any()
