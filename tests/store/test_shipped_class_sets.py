"""The class sets that come with the program."""

import re

import pytest

from segstudio.store.class_sets import class_set_names, load_class_set


@pytest.mark.parametrize("name", class_set_names())
def test_a_set_has_as_many_classes_as_its_name_says(name):
    classes = load_class_set(name)
    assert classes.name == name
    assert [c.id for c in classes.classes] == list(range(len(classes)))
    assert len({c.name for c in classes.classes}) == len(classes)
    number = re.search(r"\d+$", name)
    assert number is None or int(number[0]) == len(classes)


def test_sets_with_void_hold_the_others_in_the_same_order():
    for whole, inner in (("camvid12", "camvid"), ("cityscapes20", "cityscapes19")):
        *known, void = load_class_set(whole).classes
        assert tuple(known) == load_class_set(inner).classes
        assert void.name.casefold() == "void"
