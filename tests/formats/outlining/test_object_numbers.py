"""Numbers of objects, there and back."""

import numpy as np
import pytest

from segstudio.core.classes import VOID
from segstudio.errors import FormatError
from segstudio.formats.outlining.object_numbers import in_one, numbered_inside, numbered_over_all

LABELS = np.array([[3, 3, 3, 7, 7, VOID, 3]], np.uint8)


def test_objects_are_numbered_from_one_inside_each_class():
    objects = np.array([[90, 5, 0, 90, 400, 1, 5]], np.int32)
    assert numbered_inside(LABELS, objects).tolist() == [[2, 1, 0, 1, 2, 0, 1]]
    assert numbered_inside(LABELS, np.zeros_like(objects)) is None


def test_over_all_classes_and_back_they_are_the_same():
    instances = np.array([[2, 1, 0, 1, 2, 0, 1]], np.int32)
    over = numbered_over_all(LABELS, instances, 9, "a")
    assert over.tolist() == [[2, 1, 0, 3, 4, 0, 1]]
    assert numbered_inside(LABELS, over).tolist() == instances.tolist()
    with pytest.raises(FormatError, match="a has 4 single objects, and the format takes 3"):
        numbered_over_all(LABELS, instances, 3, "a")


def test_class_and_object_in_one_number():
    instances = np.array([[255, 1, 0, 1, 2, 0, 1]], np.int32)
    wide = in_one(LABELS, instances, "a")
    assert wide.dtype == np.uint16
    assert wide[0, :4].tolist() == [3 * 256 + 255, 769, 768, 7 * 256 + 1]
    assert in_one(LABELS, None, "a")[0, 0] == 768
    with pytest.raises(FormatError, match="a has 256 objects"):
        in_one(LABELS, instances + 1, "a")
