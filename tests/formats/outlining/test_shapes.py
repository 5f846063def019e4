"""Shapes over each other, and the forms that polygons come in."""

import numpy as np
import pytest

from segstudio.core.brush import Area
from segstudio.core.classes import VOID
from segstudio.core.geometry import Rect
from segstudio.errors import FormatError
from segstudio.formats.outlining import rle
from segstudio.formats.outlining.filling import fill
from segstudio.formats.outlining.shapes import (
    Shape,
    bridged,
    ellipse,
    from_columns,
    large_first,
    painted,
    rectangle,
    ring,
    ring_area,
    united,
)


def block(y0, x0, y1, x1):
    return Area(Rect(y0, x0, y1, x1), np.ones((y1 - y0, x1 - x0), bool))


def test_later_shapes_cover_earlier_ones_and_the_rest_is_void():
    shapes = [Shape(3, 4, lambda: block(0, 0, 2, 2), 1), Shape(5, 1, lambda: block(1, 1, 2, 3), 2)]
    labels, instances = painted(shapes, 2, 4, with_instances=True)
    assert labels.tolist() == [[3, 3, VOID, VOID], [3, 5, 5, VOID]]
    assert instances.tolist() == [[1, 1, 0, 0], [1, 2, 2, 0]]
    assert painted(large_first(shapes[::-1]), 2, 4)[0].tolist() == labels.tolist()


def test_shapes_that_would_take_minutes_are_refused():
    # As large as a mask can claim to be, without the memory.
    mask = np.broadcast_to(np.zeros((1, 1), bool), (70_000, 70_000))
    shape = Shape(0, 1.0, lambda: Area(Rect(0, 0, 1, 1), mask))
    with pytest.raises(FormatError, match=r"drive_7 would take minutes to paint"):
        painted([shape], 2, 2, name="drive_7")


def test_columns_are_cut_to_those_that_are_reached():
    mask = np.zeros((5, 9), bool)
    mask[1:3, 4:6] = True
    area = from_columns(rle.column_counts(mask), 5)
    assert area.rect == Rect(0, 4, 5, 6)
    assert (area.mask == mask[:, 4:6]).all()
    assert from_columns(rle.column_counts(np.zeros((5, 9), bool)), 5).rect.is_empty


def test_parts_are_united_in_the_smallest_box():
    area = united(
        iter([block(0, 0, 1, 1), block(2, 2, 3, 4), Area(Rect(0, 0, 0, 0), np.zeros((0, 0), bool))])
    )
    assert area.rect == Rect(0, 0, 3, 4)
    assert area.mask.astype(int).tolist() == [[1, 0, 0, 0], [0, 0, 0, 0], [0, 0, 1, 1]]
    assert united([]).rect.is_empty


def test_a_turned_rectangle_is_turned_clockwise():
    upright = rectangle(2, 1, 4, 2, 0, (2, 1))
    assert upright.tolist() == [[2, 1], [6, 1], [6, 3], [2, 3]]
    assert rectangle(2, 1, 4, 2, 90, (2, 1)).round(6).tolist() == [[2, 1], [2, 5], [0, 5], [0, 1]]
    assert ring_area(upright) == pytest.approx(8)


def test_an_ellipse_has_its_area():
    assert ring_area(ellipse(20, 30, 5, 9, 33)) == pytest.approx(np.pi * 45, rel=2e-3)


@pytest.mark.parametrize("count", [3, 250])
def test_cuts_to_holes_change_no_pixel(count):
    outer = np.array([[0, 0], [2 * count + 1, 0], [2 * count + 1, 9], [0, 9]], float)
    holes = [
        np.array([[x, 2], [x, 5], [x + 1, 5], [x + 1, 2]], float) for x in range(1, 2 * count, 2)
    ]
    size = 9, 2 * count + 1
    assert (fill([bridged(outer, holes)], *size) == fill([outer, *holes], *size)).all()
    assert not fill([bridged(outer, holes)], *size)[3, 1]


@pytest.mark.parametrize(
    ("numbers", "told"),
    [
        ("1,2", "no list of numbers"),
        ([1, "2"], "no list of numbers"),
        ([1, True], "no list of numbers"),
        ([1, 2, 3], "3 numbers instead of pairs"),
        ([1, 2, 3, float("nan")], "not finite"),
        ([10**400, 1], "not finite"),
    ],
)
def test_numbers_that_are_no_points_are_one_sentence(numbers, told):
    with pytest.raises(FormatError, match=told):
        ring(numbers, "here")


def test_fewer_than_three_points_are_no_polygon():
    assert ring([1, 2, 3, 4], "here").shape == (0, 2)
    assert ring([1, 2, 3, 4, 5, 1e300], "here").shape == (3, 2)
    assert ring_area(np.zeros((2, 2))) == 0
