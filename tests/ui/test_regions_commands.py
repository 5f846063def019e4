"""Next and previous error on a key, and adopting everywhere: what is shown and what is changed."""

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from segstudio.core.brush import Area
from segstudio.core.geometry import Rect
from segstudio.core.origins import MODEL, PAINTED
from segstudio.core.tally import Standing, Tally
from segstudio.store.project_rows import FrameKey
from segstudio.ui.comparing.adopting import ANY, Everywhere, answers_of, apply, place_of
from segstudio.ui.comparing.panes import LABELS
from segstudio.ui.dialogs.adopt import AdoptDialog

ROAD, SKY, TREE, CAR = 3, 0, 5, 8
SIZE = (72, 128)


def draft():
    """What the fake model says."""
    labels = np.zeros(SIZE, np.uint8)
    labels[:, :64] = ROAD
    return labels


def other():
    """A large tree, a small one, a car that is half on the road, and a speck."""
    labels = draft()
    labels[10:30, 10:30] = labels[40:50, 20:30] = TREE
    labels[50:60, 54:74] = CAR
    labels[70, 127] = CAR
    return labels


@pytest.fixture
def models(hand):
    """Models A and B on frame 5."""
    answers = (("A", draft()), ("B", other()))
    hand.editor.answers = lambda: answers
    return answers


def outlined(editor):
    """The preview's box, once it is there."""
    area = editor.preview.area
    return None if area is None else area.rect


@pytest.fixture
def press(hand, window, qtbot, session):
    """Press a key and wait for what comes of it."""

    def do(key):
        hand.key(key)
        qtbot.waitUntil(lambda: not session.background._jobs, timeout=20_000)

    return do


def test_dot_goes_from_difference_to_difference_the_largest_first(
    hand, models, press, told, window
):
    boxes = [(10, 10, 30, 30), (40, 20, 50, 30), (50, 54, 60, 64), (50, 64, 60, 74)]
    for number, box in enumerate(boxes, start=1):
        press(".")
        assert outlined(hand.editor) == box
        assert hand.editor.preview.text.endswith(f"{number} of 4")
    press(".")
    assert told[-1].text == "That was the last difference of this frame (4)."
    press(",")
    assert outlined(hand.editor) == boxes[-1], "and it begins anew"
    press(",")
    assert outlined(hand.editor) == boxes[-2]
    assert hand.editor.held.history.position == 0, "nothing was changed"


def test_the_region_is_seen_whole_with_nothing_but_the_frame_around_it(hand, models, press, window):
    press(".")
    t = window.canvas.transform
    top, left = t.to_view(10, 10)
    bottom, right = t.to_view(30, 30)
    assert 0 < top < bottom < t.view[0]
    assert 0 < left < right < t.view[1]
    for axis, (first, last) in enumerate(((top, bottom), (left, right))):
        is_middle = abs((first + last) / 2 - t.view[axis] / 2) <= 2
        beside = t.visible[axis], t.view[axis] - t.visible[axis + 2]
        assert is_middle or abs(beside[0] - beside[1]) <= 1  # as full of the frame as it can be
    assert t.scale > 1


def test_the_outline_goes_by_itself_but_not_what_came_after_it(hand, models, press, session, qtbot):
    from segstudio.ui.stage.region_walk import RegionWalk

    walk = RegionWalk.of(session)
    walk._timer.setInterval(0)
    press(".")
    qtbot.waitUntil(lambda: hand.editor.preview.area is None, timeout=20_000)
    walk._timer.setInterval(60_000)
    press(".")
    hand.take("picker")
    hand.move(30, 30)
    text = hand.editor.preview.text
    walk._timer.timeout.emit()
    assert hand.editor.preview.text == text


def test_with_the_adopt_tool_a_dot_and_a_digit_settle_region_after_region(hand, models, press):
    hand.take("adopt")
    press(".")
    assert hand.editor.preview.text == "press 1 Road · 2 Tree"
    press("2")
    press(".")
    assert outlined(hand.editor) == (40, 20, 50, 30)
    press("1")
    press(".")
    press("2")
    where = np.zeros(SIZE, bool)
    where[10:30, 10:30] = where[50:60, 54:64] = True
    labels = hand.editor.held.document.labels
    assert np.array_equal(labels, np.where(where, other(), draft()))
    titles = [entry.title for entry in hand.editor.held.history.entries]
    assert titles[1:] == ["Adopt B · Tree", "Adopt A · Road", "Adopt B · Car"]


def test_with_a_confirmed_frame_it_goes_through_the_errors_of_the_model(hand, models, press, told):
    editor = hand.editor
    assert editor.begin("truth")
    editor.put(Area(Rect(0, 0, *SIZE), np.ones(SIZE, bool)), other(), origin=PAINTED)
    editor.commit()
    editor.confirm()
    press(".")
    assert outlined(editor) == (10, 10, 30, 30)
    assert editor.preview.text == "A Road · labels Tree · 1 of 4"
    editor.begin("void")
    editor.paint(Area(Rect(40, 20, 50, 30), np.ones((10, 10), bool)), 255)
    editor.commit()
    press(".")
    assert outlined(editor) == (50, 54, 60, 64), "void is no error"
    press(".")
    press(".")
    assert told[-1].text.startswith("That was the last error of this frame (3).")


def test_after_the_last_error_the_same_key_goes_to_the_worst_frame(
    hand, models, press, told, session, qtbot, monkeypatch
):
    editor = hand.editor
    media = editor.projects.media.id
    assert editor.begin("truth")
    editor.paint(Area(Rect(10, 10, 20, 20), np.ones((10, 10), bool)), TREE)
    editor.commit()
    editor.confirm()

    tally = Tally(11)
    for key, wrong in (
        (FrameKey(media + 1, 9), 900),
        (FrameKey(media, 5), 300),
        (FrameKey(media, 8), 100),
    ):
        counts = np.zeros((12, 12), np.int64)
        counts[0, :2] = 100, wrong
        tally.put(key, counts, Standing(is_reference=True, human_share=1.0))
    monkeypatch.setattr(session.scores, "tally", lambda _: tally)
    press(".")
    press(".")
    assert told[-1].text == (
        "That was the last error of this frame (1). The same key again goes to frame 8, mIoU 25.0 %."
    )
    press(".")
    qtbot.waitUntil(lambda: session.result.frame.id.index == 8, timeout=20_000)


def test_without_anything_to_differ_from_it_says_so(hand, press, told):
    press(".")
    assert "Compare two models (T), or label this frame" in told[-1].text


def test_models_that_agree_have_no_region(hand, press, told):
    hand.editor.answers = lambda: (("A", draft()), ("B", draft()))
    press(".")
    assert told[-1].text == "No difference of this frame is large enough to be shown."
    press(",")
    assert told[-1].text == "No difference of this frame is large enough to be shown."


def test_newest_answers_are_searched_not_those_of_another_size(hand, press, told):
    hand.editor.answers = lambda: (("A", draft()), ("B", np.zeros((4, 4), np.uint8)))
    press(".")
    assert "Compare two models" in told[-1].text


# --- adopting everywhere


@pytest.mark.parametrize("seed", range(12))
def test_everywhere_makes_labels_that_models_and_changes_nothing_else(hand, seed):
    rng = np.random.default_rng(seed)
    editor = hand.editor
    rasters = {n: rng.choice([SKY, ROAD, TREE], SIZE).astype(np.uint8) for n in "ABC"}
    editor.answers = lambda: tuple(rasters.items())
    if seed % 3 == 0:
        assert editor.begin("Brush")
        editor.paint(Area(Rect(5, 5, 40, 90), rng.random((35, 85)) < 0.5), CAR)
        editor.commit()
    if seed % 2:
        editor.select(Area(Rect(10, 20, 60, 100), rng.random((50, 80)) < 0.7))
    rule = Everywhere(
        str(rng.choice(list("ABC"))), [None, TREE, ROAD][seed % 3],
        ["A", ANY, LABELS][seed // 3 % 3], [None, SKY, ROAD][seed // 2 % 3], bool(seed % 2),
    )  # fmt: skip
    if rule.other == rule.model:
        rule = Everywhere("B", rule.says, "A", rule.other_says, rule.is_selected)
    before = editor.labels.copy()
    steps = editor.held.history.position
    mine = rasters[rule.model]
    theirs = [rasters["A"]] if rule.other == "A" else [before]
    if rule.other == ANY:
        theirs = [r for n, r in rasters.items() if n != rule.model]
    said = np.logical_or.reduce(
        [t != mine if rule.other_says is None else t == rule.other_says for t in theirs]
    )
    where = said & ((mine == rule.says) if rule.says is not None else True)
    if rule.is_selected:
        inside = np.zeros(SIZE, bool)
        inside[editor.selection.rect.slices] = editor.selection.mask
        where &= inside
    apply(editor, rule)
    document = editor.held.document
    assert np.array_equal(document.labels, np.where(where, mine, before))
    assert (document.origin[where] == PAINTED).all()
    assert editor.held.history.position == (max(1, steps) + 1 if where.any() else steps)
    if where.any():
        editor.undo()
        assert np.array_equal(document.labels, before)
        assert (document.origin[document.labels != CAR] == MODEL).all()


def test_no_selection_selects_nothing():
    rule = Everywhere("A", None, LABELS, None, is_selected=True)
    area = place_of(rule, {"A": draft()}, other(), None)
    assert area.rect.is_empty
    assert not area.mask.any()


@pytest.fixture
def dialog(hand, models, window, session):
    made = AdoptDialog(window, session)
    made.open()
    yield made
    made.close()


def texts(dialog):
    from PySide6.QtWidgets import QComboBox

    return [box.currentText() for box in dialog.findChildren(QComboBox)]


def choose(dialog, number, text):
    from PySide6.QtWidgets import QComboBox

    box = dialog.findChildren(QComboBox)[number]
    box.setCurrentIndex(box.findText(text))
    box.activated.emit(box.currentIndex())


def said(dialog):
    from PySide6.QtWidgets import QLabel

    return next(
        part.text() for part in dialog.findChildren(QLabel) if "pixel" in part.text().lower()
    )


def test_the_dialog_begins_with_the_largest_difference_and_counts_it(hand, dialog):
    assert sum(1 for t in texts(dialog) if t in ("Tree", "Road")) == 2
    assert said(dialog) == "500 pixels (5.4 % of the frame), 500 get another class"
    area = hand.editor.preview.area
    where = np.zeros(SIZE, bool)
    where[area.rect.slices] = area.mask
    assert (where == (other() == TREE)).all()


def test_accepting_it_is_one_step_and_cancelling_none(hand, dialog, window, session, qtbot):
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert hand.editor.preview.area is None
    assert hand.editor.held.history.position == 0
    again = AdoptDialog(window, session)
    again.open()
    QTest.keyClick(again, Qt.Key.Key_Return)
    assert hand.editor.preview.area is None
    labels = hand.editor.held.document.labels
    assert np.array_equal(labels, np.where(other() == TREE, TREE, draft()))
    titles = [entry.title for entry in hand.editor.held.history.entries]
    assert titles[-1] == "Adopt B everywhere · Tree"
    hand.editor.undo()
    assert np.array_equal(labels, draft())
    again.close()


def test_the_gaps_of_the_sentence_follow_each_other(hand, models, window, session):
    hand.editor.select(Area(Rect(0, 0, 35, 128), np.ones((35, 128), bool)))
    dialog = AdoptDialog(window, session)
    dialog.open()
    assert said(dialog).startswith("400 pixels")
    boxes = {text: number for number, text in enumerate(texts(dialog))}
    choose(dialog, boxes["the selection"], "this frame")
    assert said(dialog).startswith("500 pixels")
    choose(dialog, boxes["Tree"], "Car")
    assert said(dialog).startswith("100 pixels")
    choose(dialog, boxes["Road"], "something else")
    assert said(dialog).startswith("201 pixels")
    choose(dialog, boxes["Tree"], "Pole")
    assert said(dialog) == "No pixel is like that."
    assert hand.editor.preview.area is None
    dialog.close()


def test_with_one_model_it_is_held_against_the_labels(hand, window, session):
    hand.editor.answers = lambda: (("A", other()),)
    assert hand.editor.begin("Brush")
    hand.editor.commit()
    dialog = AdoptDialog(window, session)
    dialog.open()
    assert "the labels" in texts(dialog)
    assert said(dialog).startswith("500 pixels")
    dialog.close()


def test_without_a_model_it_says_why_it_is_empty(hand, window, session):
    hand.editor.answers = tuple
    assert answers_of(hand.editor) == {}
    dialog = AdoptDialog(window, session)
    dialog.open()
    QTest.keyClick(dialog, Qt.Key.Key_Return)
    assert hand.editor.held.history.position == 0
    dialog.close()
