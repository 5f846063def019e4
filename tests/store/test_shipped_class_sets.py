"""The class sets that come with the program."""

import json
import re

import pytest

from segstudio import paths
from segstudio.store.class_sets import class_set_names, find_mapping, load_class_set


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


def rows_of(name):
    file = paths.resources() / "classes" / f"{name}.json"
    return json.loads(file.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", ["cityscapes34", "kitti34", "bdd100k41"])
def test_train_ids_agree_with_the_mapping_to_the_train_ids(name):
    mapping = find_mapping(load_class_set(name), load_class_set("cityscapes19"))
    rows = rows_of(name)["classes"]
    assert [mapping.table[row["id"]] for row in rows] == [row["train_id"] for row in rows]
    assert sorted({row["train_id"] for row in rows}) == [*range(19), 255]


@pytest.mark.parametrize("name", [n for n in class_set_names() if "like" in rows_of(n)])
def test_a_set_that_is_like_another_has_its_names_and_colors(name):
    other = {c.name: c.color for c in load_class_set(rows_of(name)["like"]).classes}
    own = {c.name: c.color for c in load_class_set(name).classes if c.name.casefold() != "void"}
    assert own.items() <= other.items()
    assert name == "comma10k5" or own == other


def test_the_colors_of_voc_are_its_bit_reversed_map():
    for c in load_class_set("voc21").classes:
        color, left = [0, 0, 0], c.id
        for bit in range(7, -1, -1):
            color = [v | (left >> k & 1) << bit for k, v in enumerate(color)]
            left >>= 3
        assert c.color == tuple(color)


@pytest.mark.parametrize(
    ("name", "class_id", "title", "color", "label"),
    [
        ("mapillary66", 13, "Road", (128, 64, 128), "construction--flat--road"),
        ("mapillary66", 65, "Unlabeled", (0, 0, 0), "void--unlabeled"),
        ("mapillary124", 21, "Road", (128, 64, 128), "construction--flat--road"),
        ("mapillary124", 108, "Car", (0, 0, 142), "object--vehicle--car"),
        ("bdd100k41", 40, "truck", (0, 0, 70), None),
    ],
)
def test_ids_are_those_of_the_files(name, class_id, title, color, label):
    row = rows_of(name)["classes"][class_id]
    assert (row["id"], row["name"], row.get("label")) == (class_id, title, label)
    assert tuple(row["color"]) == color


def test_coco_stuff_keeps_the_ids_of_coco():
    whole, kept = load_class_set("cocostuff182"), load_class_set("cocostuff171")
    unused = [row["id"] + 1 for row in rows_of("cocostuff182")["classes"] if row.get("unused")]
    assert unused == [12, 26, 29, 30, 45, 66, 68, 69, 71, 83, 91]
    assert [c.name for c in whole.classes if c.id + 1 not in unused] == [
        c.name for c in kept.classes
    ]
    assert find_mapping(kept, whole).table[kept.classes[-1].id] == 181
