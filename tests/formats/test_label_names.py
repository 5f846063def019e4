"""Classes by name."""

import pytest

from segstudio.core.classes import ClassDef, ClassMap
from segstudio.errors import FormatError
from segstudio.formats.label_names import hex_color, named_classes, unique_names


def test_names_are_one_line_and_no_two_alike():
    names = ["car", " car ", "car 2", "", "two\nlines", "a\x00b", "日本"]
    classes = ClassMap("x", tuple(ClassDef(9 - i, n, (0, 0, i)) for i, n in enumerate(names)))
    assert unique_names(classes) == ["日本", "a b", "two lines", "class 6", "car 2", "car", "car 3"]


def test_listed_classes_come_first_then_those_that_shapes_have():
    found = named_classes([("b", (1, 2, 3)), ("a", None)], ["c", "a"], "x")
    assert [(c.id, c.name) for c in found.classes] == [(0, "b"), (1, "a"), (2, "c")]
    assert found.classes[0].color == (1, 2, 3)


def test_a_colour_that_all_classes_share_says_nothing():
    found = named_classes([("a", (0, 0, 0)), ("b", (0, 0, 0))], [], "x")
    assert found.classes[0].color != found.classes[1].color
    assert named_classes([("a", (0, 0, 0))], [], "x").classes[0].color == (0, 0, 0)


def test_of_too_many_classes_those_that_are_used_remain():
    many = [(f"c{i}", None) for i in range(300)]
    assert [c.name for c in named_classes(many, ["c299", "c3"], "x").classes] == ["c299", "c3"]
    for listed, used in (([], []), (many, []), (many, [name for name, _ in many])):
        with pytest.raises(FormatError, match="labels hold 1 to 255"):
            named_classes(listed, used, "x")


@pytest.mark.parametrize("text", [None, "", "#12345", "red", "#12345g", "rgba(1, 2, 3, 1)"])
def test_other_colours_than_six_digits_are_none(text):
    assert hex_color(text) is None
    assert hex_color("#0102ff") == (1, 2, 255)
