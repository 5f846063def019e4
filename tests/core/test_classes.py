"""Class sets: what is accepted, what is refused, and the round trip."""

import json

import numpy as np
import pytest

from segstudio import paths
from segstudio.core.classes import CAMVID, ClassDef, ClassMap, load_class_map
from segstudio.errors import SegStudioError


def test_a_set_survives_json():
    assert ClassMap.from_json("camvid", CAMVID.to_json()) == CAMVID


def test_the_shipped_camvid_file_is_the_set_in_the_code():
    assert load_class_map(paths.resources() / "classes" / "camvid.json") == CAMVID


@pytest.mark.parametrize("name", ["camvid", "cityscapes19", "voc21"])
def test_every_shipped_set_loads(name):
    classes = load_class_map(paths.resources() / "classes" / f"{name}.json")
    assert classes.name == name
    assert len({c.name for c in classes.classes}) == len(classes)


def test_the_palette_is_black_where_no_class_is():
    palette = CAMVID.palette()
    assert palette.shape == (256, 3)
    assert palette.dtype == np.uint8
    assert palette[3].tolist() == [128, 64, 128]
    assert not palette[11:].any()


def test_names_of_void_and_unknown_ids():
    assert CAMVID.name_of(8) == "Car"
    assert CAMVID.name_of(255) == "void"
    assert CAMVID.name_of(77) == "class 77"


@pytest.mark.parametrize(
    "rows",
    [
        "Sky",
        None,
        [{"id": 0, "name": "Sky"}],
        [{"id": 0, "name": "Sky", "color": [1, 2]}],
        [{"id": 0, "name": "Sky", "color": [1, 2, 300]}],
        [{"id": "x", "name": "Sky", "color": [1, 2, 3]}],
    ],
)
def test_malformed_rows_are_refused_with_the_form_they_need(rows):
    with pytest.raises(SegStudioError, match="needs id, name and color"):
        ClassMap.from_json("mine", rows)


def test_an_id_used_twice_and_the_void_id_are_refused():
    sky = ClassDef(0, "Sky", (0, 0, 0))
    with pytest.raises(SegStudioError, match="twice"):
        ClassMap("mine", (sky, sky))
    with pytest.raises(SegStudioError, match="255 means void"):
        ClassMap("mine", (ClassDef(255, "Sky", (0, 0, 0)),))


def test_a_broken_file_is_named(tmp_path):
    file = tmp_path / "odd.json"
    file.write_text(json.dumps([1, 2]))
    with pytest.raises(SegStudioError, match=r"odd\.json cannot be read"):
        load_class_map(file)


def test_digits_choose_the_first_nine_unless_the_classes_say_otherwise():
    assert CAMVID.keys() == {digit: digit - 1 for digit in range(1, 10)}
    sky = ClassDef(0, "Sky", (0, 0, 0))
    mine = ClassMap("mine", (sky, ClassDef(7, "Car", (1, 1, 1), key=3)))
    assert mine.keys() == {3: 7}
    assert ClassMap.from_json("mine", mine.to_json()) == mine
    assert "key" not in mine.to_json()[0]


@pytest.mark.parametrize("keys", [(3, 3), (0, 1), (1, 10)])
def test_a_digit_chooses_one_class(keys):
    rows = tuple(ClassDef(i, f"c{i}", (0, 0, 0), key) for i, key in enumerate(keys))
    with pytest.raises(SegStudioError, match="keys from 1 to 9"):
        ClassMap("mine", rows)


def test_what_else_a_row_says_is_left_to_others():
    row = {"id": 0, "name": "Sky", "color": [1, 2, 3], "category": "sky", "train_id": 10}
    assert ClassMap.from_json("mine", [row]).classes == (ClassDef(0, "Sky", (1, 2, 3)),)
