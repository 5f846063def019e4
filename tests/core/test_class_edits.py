"""Edits of a class set: together they do what each of them says, to the set and to labels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segstudio.core import class_edits as edits
from segstudio.core.class_edits import (
    Add,
    Exchange,
    MakeSafe,
    Merge,
    Recolor,
    Remove,
    Rename,
    Reorder,
    SetKey,
    account,
    edited,
)
from segstudio.core.class_mapping import from_ids, remap
from segstudio.core.classes import CAMVID, VOID, ClassDef, ClassMap
from segstudio.errors import SegStudioError, UsageError

FOUR = ClassMap(
    "four",
    tuple(ClassDef(i, n, (9 * i, 0, 0)) for i, n in enumerate(("Car", "Truck", "Sky", "Road"))),
)


def names(classes):
    return {c.id: c.name for c in classes.classes}


@st.composite
def plans(draw):
    """A set, some edits of it, and the name that every pixel must have at the end, done plainly."""
    count = draw(st.integers(1, 9))
    ids = draw(st.lists(st.integers(0, 254), min_size=count, max_size=count, unique=True))
    before = ClassMap("some", tuple(ClassDef(i, f"c{i}", (i, 0, 0)) for i in ids))
    listed = [(i, f"c{i}") for i in ids]
    fate = {f"c{i}": f"c{i}" for i in ids}
    plan, fresh = [], 0
    for _ in range(draw(st.integers(0, 12))):
        kind = draw(st.sampled_from(["add", "rename", "merge", "remove", "reorder"]))
        here = [i for i, _ in listed]
        named = dict(listed)
        if kind == "add":
            fresh += 1
            free = max(here) + 1 if max(here) < 254 else min(set(range(255)) - set(here))
            plan.append(Add(f"new {fresh}"))
            listed.append((free, f"new {fresh}"))
        elif kind == "rename":
            fresh += 1
            one = draw(st.sampled_from(here))
            plan.append(Rename(one, f"new {fresh}"))
            fate = {k: f"new {fresh}" if v == named[one] else v for k, v in fate.items()}
            listed = [(i, f"new {fresh}" if i == one else n) for i, n in listed]
        elif kind == "reorder":
            order = draw(st.permutations(here))
            plan.append(Reorder(tuple(order)))
            listed = [(place, named[i]) for place, i in enumerate(order)]
        elif len(here) > 1:
            gone = draw(st.lists(st.sampled_from(here), min_size=1, max_size=3, unique=True))
            if kind == "merge":
                into = draw(st.sampled_from(here))
                plan.append(Merge(tuple(gone), into))
                gone, target = set(gone) - {into}, named[into]
            elif len(gone) < len(here):
                plan.append(Remove(tuple(gone)))
                gone, target = set(gone), "void"
            else:
                continue
            leaving = {named[i] for i in gone}
            fate = {k: target if v in leaving else v for k, v in fate.items()}
            listed = [(i, n) for i, n in listed if i not in gone]
    return before, plan, listed, fate


@given(plans())
def test_many_edits_do_to_labels_what_they_did_to_the_set_one_by_one(plan):
    before, changes, listed, fate = plan
    result = edited(before, changes)
    assert [(c.id, c.name) for c in result.classes.classes] == listed
    labels = np.array([[*(c.id for c in before.classes), VOID]], np.uint8)
    after = remap(labels, result.mapping)[0]
    for c, label in zip(before.classes, after, strict=False):
        assert result.classes.name_of(int(label)) == fate[c.name]
    assert after[-1] == VOID
    assert result.relabels in (None, result.mapping)
    if result.relabels is None:
        np.testing.assert_array_equal(after, labels[0])


@given(plans(), st.data())
def test_in_two_parts_is_the_same_as_at_once(plan, data):
    before, changes, _, _ = plan
    cut = data.draw(st.integers(0, len(changes)))
    first = edited(before, changes[:cut])
    second = edited(first.classes, changes[cut:])
    whole = edited(before, changes)
    assert whole.classes == second.classes
    labels = np.array([[c.id for c in before.classes]], np.uint8)
    np.testing.assert_array_equal(
        remap(labels, whole.mapping), remap(remap(labels, first.mapping), second.mapping)
    )


@given(plans())
def test_a_class_that_is_still_there_is_known_by_where_it_came_from(plan):
    before, changes, _, _ = plan
    result = edited(before, changes)
    assert set(result.origin) <= {c.id for c in result.classes.classes}
    assert all(result.mapping.table[old] == new for new, old in result.origin.items())
    told = account(result)
    united = [v for v in result.mapping.table if v != VOID]
    is_lossy = len(set(united)) < len(before) or len(united) < len(before)
    assert told.is_lossy >= is_lossy


def test_no_edit_leaves_everything():
    result = edited(CAMVID, [])
    assert result.classes is CAMVID
    assert result.relabels is None
    assert account(result).text == "Nothing changes."


def test_looks_and_names_leave_labels_alone():
    result = edited(CAMVID, [Rename(8, "Auto"), Recolor(0, (1, 2, 3)), MakeSafe(), SetKey(10, 1)])
    assert result.relabels is None
    assert account(result).sentences == (
        "1 class is renamed, 11 classes are recoloured and 2 classes have another key.",
    )


def test_a_key_is_taken_from_the_class_that_had_it():
    after = edited(CAMVID, [SetKey(10, 1)]).classes
    assert after.keys() == {1: 10, **{d: d - 1 for d in range(2, 10)}}
    after = edited(after, [SetKey(10, None)]).classes
    assert after.keys() == {d: d - 1 for d in range(2, 10)}


def test_a_new_class_gets_the_next_id_and_a_name_of_its_own():
    after = edited(CAMVID, [Remove((10,)), Add("  Lane   marking ")]).classes
    assert (after.classes[-1].id, after.classes[-1].name) == (10, "Lane marking")
    assert after.classes[-1].color not in {c.color for c in CAMVID.classes}
    full = ClassMap("full", tuple(ClassDef(i, f"c{i}", (0, 0, 0)) for i in range(255)))
    with pytest.raises(UsageError, match="no room"):
        edited(full, [Add("more")])
    hole = edited(full, [Remove((7,)), Add("more")])
    assert hole.classes.classes[-1].id == 7
    assert hole.mapping.table[7] == VOID


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (Rename(0, "pole"), "a class 'pole' already"),
        (Rename(0, " - "), "needs a name"),
        (Rename(99, "x"), "no class 99"),
        (Add("CAR"), "already"),
        (Remove(tuple(range(11))), "would be empty"),
        (Merge((1,), 77), "no class 77"),
        (Reorder((0, 1)), "each of its 11 classes"),
    ],
)
def test_what_cannot_be_done_is_refused(edit, words):
    with pytest.raises(SegStudioError, match=words):
        edited(CAMVID, [edit])


def test_what_happens_is_said_before_with_figures():
    changes = [Merge((1,), 0), Rename(0, "Vehicle"), Remove((2,)), Reorder((3, 0))]
    result = edited(FOUR, changes)
    assert names(result.classes) == {0: "Road", 1: "Vehicle"}
    usage = {0: (3, 5), 1: (12, 1_204_330), 2: (1, 7), 3: (2, 10)}
    told = account(result, usage)
    assert told.is_lossy
    assert told.sentences == (
        "Removing Sky makes 7 px on 1 frame void.",
        "Merging Truck into Vehicle changes 1,204,330 px on 12 frames.",
        "2 classes get another id, and 15 px of labels follow.",
        "1 class is renamed and 2 classes have another key.",
    )
    unused = account(result, {3: (2, 10)})
    assert unused.sentences[0] == "Truck and Sky go; nothing is labelled so."
    assert not unused.is_lossy
    assert "every pixel labelled so" in account(result).sentences[0]


def test_another_set_says_what_it_cannot_carry():
    two = ClassMap("two", (ClassDef(5, "Vehicle", (0, 0, 0)), ClassDef(6, "Road", (1, 1, 1))))
    mapping = from_ids("four", "two", {0: 5, 1: 5, 3: 6})
    result = edited(FOUR, [Exchange(two, mapping), Rename(6, "Street")])
    assert result.classes.name == "two"
    assert (result.mapping.source, result.mapping.target) == ("four", "two")
    told = account(result, {1: (1, 2)})
    assert told.sentences[:2] == (
        "Merging Truck into Vehicle changes 2 px on 1 frame.",
        "Sky goes; nothing is labelled so.",
    )


def test_every_edit_is_part_of_the_type():
    assert set(edits.Edit.__args__) == {
        Add, Rename, Recolor, SetKey, Merge, Remove, Reorder, MakeSafe, Exchange
    }  # fmt: skip


def test_the_class_that_takes_others_in_stays_itself_wherever_it_stands():
    result = edited(FOUR, [Merge((0, 2), 3), Rename(3, "Ground")])
    assert result.origin == {1: 1, 3: 3}
    assert account(result, {0: (1, 4), 2: (1, 9)}).sentences == (
        "Merging Car into Ground changes 4 px on 1 frame.",
        "Merging Sky into Ground changes 9 px on 1 frame.",
        "1 class is renamed and 2 classes have another key.",
    )
