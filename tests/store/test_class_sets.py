"""Class sets one can choose, own ones, and the way from one to another."""

import json

import numpy as np
import pytest

from segstudio import paths
from segstudio.core.class_mapping import by_equal_names, in_words, loss, remap
from segstudio.core.classes import CAMVID, ClassDef, ClassMap
from segstudio.errors import SegStudioError, UsageError
from segstudio.store.class_sets import (
    class_set_names,
    class_set_names_to_guess,
    find_mapping,
    list_class_sets,
    load_class_set,
    save_class_set,
)

MINE = ClassMap("my streets", (ClassDef(0, "Straße", (1, 2, 3), 5), ClassDef(3, "sky", (4, 5, 6))))


def names_by(mapping, source, target):
    return {c.name: target.name_of(mapping.table[c.id]) for c in source.classes}


def found(source, target):
    source, target = load_class_set(source), load_class_set(target)
    return names_by(find_mapping(source, target), source, target)


def test_a_model_of_cityscapes_drafts_a_project_of_camvid():
    cityscapes = load_class_set("cityscapes19")
    draft = np.array([[0, 1, 2, 13, 15], [18, 12, 9, 10, 255]], np.uint8)
    mapping = find_mapping(cityscapes, CAMVID)
    names = [[CAMVID.name_of(int(v)) for v in row] for row in remap(draft, mapping)]
    assert names == [
        ["Road", "Pavement", "Building", "Car", "Car"],
        ["Bicyclist", "Bicyclist", "void", "Sky", "void"],
    ]
    words = in_words(mapping, cityscapes, CAMVID)
    assert "terrain has no counterpart and becomes void." in words
    assert "car, truck, bus and train become Car." in words


def test_a_set_that_was_edited_a_little_still_finds_its_way():
    rows = [c for c in CAMVID.classes if c.name != "Fence"]
    rows = [ClassDef(20 + c.id, c.name, (0, 0, 0)) for c in reversed(rows)]
    edited = ClassMap("camvid", (*rows, ClassDef(0, "terrain", (1, 1, 1))))
    cityscapes = load_class_set("cityscapes19")
    there = names_by(find_mapping(cityscapes, edited), cityscapes, edited)
    assert (there["bus"], there["fence"], there["terrain"]) == ("Car", "void", "terrain")
    back = names_by(find_mapping(edited, cityscapes), edited, cityscapes)
    assert (back["Pavement"], back["terrain"]) == ("sidewalk", "terrain")


def test_equal_sets_are_mapped_to_themselves_whatever_they_are_called():
    bdd, cityscapes = load_class_set("bdd100k19"), load_class_set("cityscapes19")
    mapping = find_mapping(bdd, cityscapes)
    assert mapping.table == (*range(19), *[255] * 237)
    assert (mapping.source, mapping.target) == ("bdd100k19", "cityscapes19")
    assert in_words(mapping, bdd, cityscapes) == ""
    alike = ClassMap("alike", (ClassDef(1, "car", (0, 0, 0)), ClassDef(4, "Car", (0, 0, 0))))
    assert find_mapping(alike, alike).table[4] == 4
    assert find_mapping(alike, alike).table[1] == 1


def test_chains_lead_where_no_mapping_leads_directly():
    assert found("kitti34", "camvid")["truck"] == "Car"
    assert found("mapillary66", "camvid")["Lane Marking - General"] == "Road"
    assert found("mapillary66", "camvid")["On Rails"] == "Car"
    assert found("camvid", "bdd100k19")["Pavement"] == "sidewalk"
    assert found("camvid12", "cityscapes34")["Tree"] == "vegetation"
    assert found("camvid12", "cityscapes34")["Void"] == "void"
    assert found("cityscapes34", "camvid32")["tunnel"] == "Tunnel"


def test_unknown_sets_are_mapped_by_equal_names():
    mapping = find_mapping(MINE, CAMVID)
    assert mapping == by_equal_names(MINE, CAMVID)
    assert names_by(mapping, MINE, CAMVID) == {"Straße": "void", "sky": "Sky"}


@pytest.mark.parametrize("name", [n for n in class_set_names() if not n.startswith("cityscapes")])
def test_every_shipped_set_has_a_way_to_cityscapes_and_to_camvid(name):
    source = load_class_set(name)
    for target in (load_class_set("cityscapes19"), CAMVID):
        mapping = find_mapping(source, target)
        assert set(mapping.table) <= {c.id for c in target.classes} | {255}
        reached = len(target) - len(loss(mapping, source, target).unreached)
        assert reached >= (1 if name.startswith("comma10k") else 3)


def test_the_set_that_others_took_their_names_from_is_guessed_first():
    names = class_set_names_to_guess()
    assert sorted(names) == list(class_set_names())
    assert names.index("cityscapes19") < names.index("bdd100k19")
    assert names.index("cityscapes34") < names.index("kitti34")


def test_an_own_set_comes_back_as_it_was_saved():
    file = save_class_set(MINE)
    assert file == paths.user_data() / "class_sets" / "my streets.json"
    assert load_class_set("my streets") == MINE
    entries = list_class_sets()
    assert [e.name for e in entries if e.is_own] == ["my streets"]
    assert [e.name for e in entries if not e.is_own] == list(class_set_names())
    assert all(e.title for e in entries)


def test_an_own_set_is_replaced_only_when_that_was_said():
    save_class_set(MINE)
    other = ClassMap(MINE.name, MINE.classes[:1])
    with pytest.raises(UsageError, match="already; choose another name"):
        save_class_set(other)
    assert load_class_set(MINE.name) == MINE
    save_class_set(other, replacing=True)
    assert load_class_set(MINE.name) == other


@pytest.mark.parametrize(
    "name", ["", " x", "a/b", "../x", ".x", "x.", "a" * 49, "CamVid", "VOC 21"]
)
def test_names_that_are_no_file_or_taken_are_refused(name):
    with pytest.raises(UsageError, match=r"choose another name|cannot be the name"):
        save_class_set(ClassMap(name, MINE.classes))
    assert not (paths.user_data() / "class_sets").exists()


def test_a_broken_file_among_the_own_sets_hides_only_itself():
    folder = save_class_set(MINE).parent
    (folder / "broken.json").write_text("{")
    (folder / "list.json").write_text(json.dumps([1]))
    assert [e.name for e in list_class_sets() if e.is_own] == [MINE.name]


def test_a_folder_that_cannot_be_written_is_said():
    folder = paths.user_data() / "class_sets"
    folder.parent.mkdir(parents=True)
    folder.write_text("a file")
    with pytest.raises(SegStudioError, match="could not be written"):
        save_class_set(MINE)
