"""The Adopt tool with a real mouse and real keys: exactly one region, one step, undo to the start."""

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit

from segstudio.core.origins import MODEL, PAINTED

ROAD, SKY, TREE, CAR = 3, 0, 5, 8
SIZE = (72, 128)


def draft():
    """What the fake model says."""
    labels = np.zeros(SIZE, np.uint8)
    labels[:, :64] = ROAD
    return labels


def other():
    """Two trees on the road, joined by a corner only, and a car half on the road."""
    labels = draft()
    labels[20:30, 20:30] = labels[30:40, 30:40] = TREE
    labels[50:60, 54:74] = CAR
    return labels


@pytest.fixture
def models(hand):
    """Models A, B and C on frame 5, and the tool in the hand."""
    answers = (
        ("A", draft()),
        ("B", other()),
        ("C", np.where(other() == TREE, SKY, other()).astype(np.uint8)),
    )
    hand.editor.answers = lambda: answers
    hand.take("adopt")
    return answers


def mask(y0, x0, y1, x1):
    found = np.zeros(SIZE, bool)
    found[y0:y1, x0:x1] = True
    return found


def shown(editor):
    """bool (H, W): the area of the preview."""
    found = np.zeros(SIZE, bool)
    area = editor.preview.area
    if area is not None:
        found[area.rect.slices] = area.mask
    return found


def expect(hand, where, class_id):
    document, history = hand.editor.held.document, hand.editor.held.history
    assert np.array_equal(document.labels, np.where(where, class_id, draft()))
    assert np.array_equal(document.origin, np.where(where, PAINTED, MODEL))
    assert history.position == 2  # the draft, and this


def test_hover_outlines_the_region_and_says_who_says_what(hand, models):
    hand.move(24, 24)
    preview = hand.editor.preview
    assert (shown(hand.editor) == mask(20, 20, 30, 30)).all()
    assert preview.has_border
    assert not preview.has_tint
    assert preview.text == "1 Road · 2 Tree · 3 Sky"
    hand.move(55, 70)
    assert hand.editor.preview.text == "1 Sky · 2 Car · 3 Car"
    assert (shown(hand.editor) == mask(50, 64, 60, 74)).all(), "the answers differ on the road"
    hand.move(5, 5)
    assert hand.editor.preview.area is None
    assert hand.editor.preview.text == "all say Road"


@pytest.mark.parametrize(
    ("key", "letter", "class_id"), [("1", "A", ROAD), ("2", "B", TREE), ("3", "C", SKY)]
)
def test_a_click_and_a_digit_take_that_models_class_for_the_region(
    hand, models, key, letter, class_id
):
    hand.click(24, 24)
    assert hand.editor.preview.text.startswith("press 1 Road")
    hand.move(60, 100)
    assert (shown(hand.editor) == mask(20, 20, 30, 30)).all(), "it stays while the mouse moves"
    hand.key(key)
    expect(hand, mask(20, 20, 30, 30), class_id)
    name = hand.editor.classes.name_of(class_id)
    assert hand.editor.held.history.entries[-1].title == f"Adopt {letter} · {name}"
    assert (shown(hand.editor) == mask(20, 20, 30, 30)).all(), "and is shown as adopted"
    assert hand.editor.preview.has_tint
    hand.editor.undo()
    assert np.array_equal(hand.editor.held.document.labels, draft())
    assert (hand.editor.held.document.origin == MODEL).all()
    hand.editor.undo()
    assert (hand.editor.held.document.origin == 0).all()


def test_another_digit_changes_the_mind_as_a_step_of_its_own(hand, models):
    hand.click(24, 24)
    hand.key("2")
    hand.key("3")
    labels = hand.editor.held.document.labels
    assert np.array_equal(labels, np.where(mask(20, 20, 30, 30), SKY, draft()))
    assert hand.editor.held.history.position == 3


def test_digits_choose_classes_as_long_as_no_region_is_fixed(hand, models):
    hand.move(24, 24)
    hand.key("2")
    assert hand.editor.options.class_id == 1
    hand.click(24, 24)
    hand.key("3")
    assert hand.editor.options.class_id == 1, "the digit went to the tool"
    hand.move(60, 100)  # after a class was taken, leaving the region ends it
    hand.key("4")
    assert hand.editor.options.class_id == 3
    assert hand.editor.held.history.position == 2


def test_digits_reach_the_tool_wherever_the_keyboard_is_but_not_from_text(hand, models, window):
    hand.click(24, 24)
    field = QLineEdit(window)
    field.show()
    field.setFocus()
    QTest.keyClick(field, "2")
    assert field.text() == "2"
    assert hand.editor.held.history.position == 0
    window.menuBar().setFocus()
    QTest.keyClick(window, "2")
    assert hand.editor.held.history.position == 2


def test_escape_drops_the_region(hand, models):
    hand.click(24, 24)
    hand.key(Qt.Key.Key_Escape)
    assert hand.editor.preview.area is None
    hand.key("2")
    assert hand.editor.held.history.position == 0
    assert hand.editor.options.class_id == 1


def test_a_click_elsewhere_fixes_another_region_or_none(hand, models):
    hand.click(24, 24)
    hand.click(34, 34)
    hand.key("2")
    expect(hand, mask(30, 30, 40, 40), TREE)
    hand.editor.undo()
    hand.click(5, 5)
    hand.key("2")
    assert hand.editor.options.class_id == 1
    assert hand.editor.held.history.position == 1


def test_a_number_without_a_model_is_told(hand, models, told):
    hand.click(24, 24)
    hand.key("5")
    assert told[-1].text == "There is no model 5 here; press 1, 2 or 3."
    assert hand.editor.held.history.position == 0
    hand.key("2")
    assert hand.editor.held.history.position == 2


def test_one_model_alone_has_nothing_to_adopt(hand, told):
    hand.editor.answers = lambda: (("A", draft()),)
    hand.take("adopt")
    hand.click(24, 24)
    assert "compare two" in told[-1].text
    hand.editor.answers = lambda: (("A", draft()), ("B", np.zeros((4, 4), np.uint8)))
    hand.click(24, 24)
    hand.key("2")
    assert hand.editor.held.history.position == 0


def test_newer_answers_are_not_mixed_with_older_ones(hand, models, told):
    hand.click(24, 24)
    hand.editor.answers = lambda: (("A", other()), ("B", draft()))
    hand.key("2")
    assert "click the region again" in told[-1].text
    assert hand.editor.held.history.position == 0


def test_locks_and_rules_hold_and_a_blocked_region_shows_a_lock(hand, models):
    hand.take("adopt", locked=frozenset({ROAD}))
    hand.click(24, 24)
    hand.key("2")
    assert np.array_equal(hand.editor.held.document.labels, draft())
    assert hand.editor.preview.lock_at is not None
    hand.editor.set_options(
        replace(hand.editor.options, locked=frozenset(), rule="class", only=SKY)
    )
    hand.click(55, 60)
    hand.key("2")
    assert np.array_equal(hand.editor.held.document.labels, draft())
    hand.click(55, 70)
    hand.key("2")
    assert (hand.editor.held.document.labels[50:60, 64:74] == CAR).all()


def test_another_frame_drops_the_region(hand, models, session, qtbot):
    hand.click(24, 24)
    session.player.seek(7)
    qtbot.waitUntil(
        lambda: hand.editor.held is not None and hand.editor.held.key.index == 7, timeout=20_000
    )
    assert hand.editor.preview.area is None
    assert not session.tools.wants("2")


def test_what_a_second_model_says_is_adopted_from_the_panes(
    hand, window, session, qtbot, monkeypatch
):
    from tests.ui.conftest import FakePredictor

    predict = FakePredictor.predict

    def second_differs(self, frame, *, request=0):
        found = predict(self, frame, request=request)
        if not self.strategy.flip:
            return found
        labels = found.labels.copy()
        labels[20:30, 20:30] = TREE
        return replace(found, labels=labels)

    monkeypatch.setattr(FakePredictor, "predict", second_differs)
    session.comparison.turn_on()
    qtbot.waitUntil(lambda: session.comparison.labels("B") is not None, timeout=20_000)
    hand.take("adopt")
    hand.click(24, 24)
    assert hand.editor.preview.text == "press 1 Road · 2 Tree"
    hand.key("2")
    expect(hand, mask(20, 20, 30, 30), TREE)
    session.comparison.turn_off()
    hand.move(5, 5)
    hand.click(24, 24)
    assert not session.tools.wants("2"), "one model alone has nothing to adopt"
