"""Mappings between class sets: what is kept, merged, dropped and refused."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segstudio import paths
from segstudio.core import class_mapping as mapping
from segstudio.core.classes import ClassDef, ClassMap, load_class_map
from segstudio.errors import SegStudioError

MAPS = sorted((paths.resources() / "class_maps").glob("*.json"))


def shipped(name):
    return load_class_map(paths.resources() / "classes" / f"{name}.json")


def loaded(file):
    content = json.loads(file.read_text(encoding="utf-8"))
    source, target = shipped(content["source"]), shipped(content["target"])
    return mapping.load_mapping(file, source, target), source, target


def a_set(ids, name="mine"):
    return ClassMap(name, tuple(ClassDef(i, f"c{i}", (i, 0, 0)) for i in ids))


some_ids = st.lists(st.integers(0, 254), min_size=1, max_size=20, unique=True)


@pytest.mark.parametrize("file", MAPS, ids=lambda f: f.stem)
def test_every_shipped_map_loads_and_keeps_void(file):
    found, source, target = loaded(file)
    assert file.stem == f"{source.name}-to-{target.name}"
    assert found.table[255] == 255
    known = {c.id for c in target.classes} | {255}
    assert set(found.table) <= known


def test_camvid_is_grouped_as_segnet_did():
    found, source, target = loaded(paths.resources() / "class_maps" / "camvid32-to-camvid.json")
    ids = {c.name: c.id for c in source.classes}
    assert target.name_of(found.table[ids["SUVPickupTruck"]]) == "Car"
    lost = mapping.loss(found, source, target)
    assert [source.name_of(i) for i in lost.dropped] == ["Void"]
    assert lost.unreached == ()
    assert not lost.is_lossless


def test_train_ids_go_to_label_ids_and_back():
    folder = paths.resources() / "class_maps"
    there, source, target = loaded(folder / "cityscapes19-to-cityscapes34.json")
    back, _, _ = loaded(folder / "cityscapes34-to-cityscapes19.json")
    assert [there.table[i] for i in (0, 13, 18)] == [7, 26, 33]
    assert mapping.inverse(there, source, target).table == back.table
    labels = np.array([[*range(19), 255]], np.uint8)
    both = mapping.compose(there, back)
    np.testing.assert_array_equal(mapping.remap(labels, both), labels)


@given(some_ids, st.randoms(use_true_random=False))
def test_a_new_order_can_be_taken_back(ids, random):
    classes = a_set(ids)
    order = random.sample(ids, len(ids))
    after, there = mapping.reordered(classes, order)
    assert [c.id for c in after.classes] == list(range(len(ids)))
    assert [c.name for c in after.classes] == [f"c{i}" for i in order]
    back = mapping.inverse(there, classes, after)
    labels = np.array([[*ids, 255]], np.uint8)
    moved = mapping.remap(labels, there)
    assert moved[0, -1] == 255
    np.testing.assert_array_equal(mapping.remap(moved, back), labels)


@given(some_ids.filter(lambda ids: len(ids) > 1), st.data())
def test_merging_leaves_unique_ids_and_no_orphans(ids, data):
    into = data.draw(st.sampled_from(ids))
    gone = data.draw(st.lists(st.sampled_from(ids), unique=True))
    after, there = mapping.merged(a_set(ids), gone, into)
    labels = mapping.remap(np.array([[*ids, 255]], np.uint8), there)[0]
    assert {int(v) for v in labels} == {c.id for c in after.classes} | {255}
    assert all(labels[ids.index(i)] == into for i in gone)
    assert labels[-1] == 255


@given(st.lists(st.integers(0, 255), min_size=255, max_size=255), st.data())
def test_chained_is_one_after_the_other(first_ids, data):
    second_ids = data.draw(st.lists(st.integers(0, 255), min_size=255, max_size=255))
    first = mapping.ClassMapping("a", "b", (*first_ids, 255))
    second = mapping.ClassMapping("b", "c", (*second_ids, 255))
    labels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    np.testing.assert_array_equal(
        mapping.remap(labels, mapping.compose(first, second)),
        mapping.remap(mapping.remap(labels, first), second),
    )


def test_removed_classes_become_void_and_their_pixels_are_counted():
    after, there = mapping.removed(a_set([0, 1, 2]), [1])
    assert [c.id for c in after.classes] == [0, 2]
    labels = np.array([[0, 1, 1, 2, 255]], np.uint8)
    assert mapping.remap(labels, there).tolist() == [[0, 255, 255, 2, 255]]
    assert mapping.lost_pixels(labels, there) == {1: 2}


def test_a_view_is_remapped_without_touching_it():
    labels = np.zeros((4, 6), np.uint8)
    view = labels[1:3, 1:4]
    assert (mapping.remap(view, mapping.from_ids("a", "b", {0: 7})) == 7).all()
    assert not labels.any()


def test_equal_names_are_found_however_they_are_written():
    left = ClassMap("l", (ClassDef(3, "Traffic_Light", (0, 0, 0)), ClassDef(4, "cow", (0, 0, 0))))
    right = ClassMap("r", (ClassDef(9, "traffic light", (0, 0, 0)),))
    assert mapping.by_equal_names(left, right).table[3:5] == (9, 255)


def test_what_does_not_fit_is_refused():
    with pytest.raises(SegStudioError, match="255 must stay 255"):
        mapping.from_ids("a", "b", {255: 0})
    with pytest.raises(SegStudioError, match="meet in the same"):
        mapping.compose(mapping.identity("a"), mapping.identity("b"))
    with pytest.raises(SegStudioError, match=r"does not fit the sets \(c1\)"):
        mapping.from_names(a_set([0, 1]), a_set([0]), {"c0": "c0"})
    with pytest.raises(SegStudioError, match="no way back"):
        mapping.inverse(mapping.from_ids("mine", "b", {0: 0, 1: 0}), a_set([0, 1]), a_set([0]))
    with pytest.raises(SegStudioError, match="would be empty"):
        mapping.removed(a_set([0]), [0])
    with pytest.raises(SegStudioError, match="no class 9"):
        mapping.merged(a_set([0]), [9], 0)
