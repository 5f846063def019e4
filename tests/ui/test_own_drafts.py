"""Drafts that were confirmed as they came grade others, never their author; the curve says so too."""

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtWidgets import QLabel

from segstudio.cli.figures import convention_of
from segstudio.core.metrics import Convention
from segstudio.core.origins import PAINTED
from segstudio.core.tally import Standing
from segstudio.store.project_rows import FrameKey
from segstudio.ui.comparing.measuring import told as words_told
from segstudio.ui.comparing.wording import CONVENTIONS, OWN_ONLY, OWN_TIP, compared_frames, left_out
from segstudio.ui.panels.score_curve import ScoreCurve
from segstudio.ui.panels.scores import ScoresPanel
from segstudio.ui.words import share_text

CLASSES = 11


@pytest.fixture
def two(window, session, card, shown, qtbot):
    """Frame 5 in a window with two models beside each other; both say the same."""
    second = replace(card, name="second", title="Second Net", folder=card.folder / "second")
    session.models.cards = (card, second)
    session = shown(5)
    session.comparison.turn_on()
    qtbot.waitUntil(lambda: session.comparison.prediction("B") is not None, timeout=20_000)
    qtbot.waitUntil(lambda: session.editor.held is not None, timeout=20_000)
    qtbot.waitUntil(lambda: session.scores._is_warm, timeout=20_000)
    qtbot.waitUntil(lambda: session.info.is_complete, timeout=20_000)
    return session


def texts(widget):
    plain = str.maketrans("\N{NO-BREAK SPACE}", " ")
    return [w.text().translate(plain) for w in widget.findChildren(QLabel) if w.isVisibleTo(widget)]


def put(session, letter, index, right, standing):
    """A frame of 100 pixels of two classes, `right` of each found."""
    full = np.zeros((CLASSES + 1, CLASSES + 1), np.int64)
    full[0, 0] = full[1, 1] = right
    full[0, 1] = full[1, 0] = 50 - right
    pane = session.comparison.pane(letter)
    key = FrameKey(session.editor.projects.media.id, index)
    session.scores._tally(pane.identity).put(key, full, standing)
    session.scores._tell_soon()


PAINTED_WHOLE = Standing(is_reference=True, human_share=1.0)


def test_confirming_an_untouched_draft_gives_its_author_no_figure(two, window, qtbot):
    two.editor.confirm()
    qtbot.waitUntil(lambda: two.scores.tally("A").own() != (), timeout=20_000)
    assert np.isnan(two.scores.tally("A").scores().miou)
    assert two.scores.tally("B").scores().miou == 1.0  # it is another model's draft to B
    panel = window.findChild(ScoresPanel)
    qtbot.waitUntil(lambda: OWN_ONLY in texts(panel), timeout=20_000)
    assert any("drafted by Fake Net" in text for text in texts(panel))
    header = window._grid.panes["A"].header
    qtbot.waitUntil(lambda: header._score.text() == "–", timeout=20_000)
    assert OWN_ONLY in header._score.toolTip()
    assert OWN_TIP in header._score.toolTip()
    media = two.editor.projects.media.id
    assert np.isnan(two.scores.curve("A", media, 40)).all()
    assert np.flatnonzero(~np.isnan(two.scores.curve("B", media, 40))).tolist() == [5]


def test_once_it_was_corrected_it_counts(two, qtbot):
    two.editor.accept_draft()
    corrected = two.editor.held.document.labels.copy()
    corrected[:20] = 5
    two.editor.replace_labels("Corrected", corrected, PAINTED, corrected == 5)
    two.editor.confirm()
    qtbot.waitUntil(lambda: len(two.scores.tally("A").frames()) == 1, timeout=20_000)
    assert not two.scores.tally("A").own()


def test_an_unconfirmed_own_draft_is_no_dot_of_the_curve(two):
    media = two.editor.projects.media.id
    for share, index in ((0.0, 7), (0.3, 8)):
        put(two, "A", index, 45, Standing(False, share, "fake"))
    put(two, "A", 9, 40, Standing(False, 0.0, "second"))
    found = two.scores.agreements("A", media, 40)
    assert np.flatnonzero(~np.isnan(found)).tolist() == [8, 9]
    assert found[[8, 9]] == pytest.approx([0.9, 0.8])  # pixel accuracy, not IoU
    assert np.isnan(two.scores.curve("A", media, 40)).all()


# --- the curve


@pytest.fixture
def curve(window):
    return window.findChild(ScoreCurve)


def test_the_curve_is_there_while_models_are_compared_and_only_then(two, curve):
    assert curve.isVisible()
    height = curve.height()
    put(two, "A", 3, 45, PAINTED_WHOLE)
    curve.follow()
    assert curve.isVisible()
    assert curve.height() == height
    two.comparison.turn_off()
    assert curve.isHidden()


def test_the_curve_tells_scores_from_agreements(two, curve):
    put(two, "A", 3, 45, PAINTED_WHOLE)
    put(two, "B", 3, 40, Standing(False, 0.1, "fake"))
    curve.follow()
    lines = curve.tip(3).splitlines()
    assert lines[1] == "A  its own mIoU 81.8 %, void ignored"
    assert lines[2] == "B  agreement with draft 80.0 %, no score"


def test_what_nobody_confirmed_is_hollow_and_joined_by_no_line(two, curve, qtbot):
    hollow = Standing(False, 0.1, "second")

    def drawn(frames, standing):
        for index in (10, 11):
            put(two, "A", index, 25, standing if index in frames else hollow)
        curve.follow()
        picture = curve.grab().toImage()
        first, last = (curve._point(i, curve._lines["A"].at(i), 0) for i in (10, 11))
        ratio = picture.devicePixelRatio()
        middle = (first + last) / 2 * ratio
        return picture, first * ratio, middle

    picture, first, between = drawn((), hollow)
    inside = picture.pixelColor(first.toPoint())
    gap = picture.pixelColor(between.toPoint())
    picture, first, between = drawn((10, 11), PAINTED_WHOLE)
    assert picture.pixelColor(first.toPoint()) != inside
    assert picture.pixelColor(between.toPoint()) != gap


def test_letters_of_equal_lines_stand_beside_each_other_in_order(two, curve):
    for index in (4, 38, 39):
        for letter in "AB":
            put(two, letter, index, 45, PAINTED_WHOLE)
    curve.follow()
    boxes = curve._letter_boxes()
    assert list(boxes) == ["A", "B"]
    assert not boxes["A"].intersects(boxes["B"])
    assert boxes["A"].left() < boxes["B"].left()
    assert boxes["B"].right() <= curve.width()
    last = curve._point(39, 0.818, 0)
    assert not any(box.contains(last) for box in boxes.values())
    assert curve._point(4, 0.5, 1).y() - curve._point(4, 0.5, 0).y() == 1


# --- words


def test_confirmed_frames_that_wait_are_counted_and_named(two, window, qtbot):
    two.editor.confirm()
    qtbot.waitUntil(lambda: two.scores.tally("A").own() != (), timeout=20_000)
    two.scores._tallies.clear()
    two.scores._tell_soon()
    panel = window.findChild(ScoresPanel)
    text = "1 confirmed frame is not measured yet: press Measure all."
    qtbot.waitUntil(lambda: text in texts(panel), timeout=20_000)
    put(two, "A", 9, 45, PAINTED_WHOLE)  # 5 still waits
    qtbot.waitUntil(
        lambda: any(t.startswith("1 of 2 confirmed frames") for t in texts(panel)), timeout=20_000
    )


def test_settings_have_a_line_of_their_own(two, window, qtbot):
    strategy = replace(two.comparison.pane("B").strategy, input_scale=0.5)
    two.comparison.set_pane("B", strategy=strategy)
    panel = window.findChild(ScoresPanel)
    qtbot.waitUntil(lambda: "at 50 %" in texts(panel), timeout=20_000)
    assert "Second Net" in texts(panel)


def test_own_drafts_beside_others_are_said_to_be_left_out(two, window, qtbot):
    put(two, "A", 3, 45, PAINTED_WHOLE)
    for index in (6, 7):
        put(two, "A", index, 50, Standing(True, 0.0, "fake"))
    panel = window.findChild(ScoresPanel)
    about = f"1 confirmed frame · 100 % painted by a human · {left_out(2)}"
    qtbot.waitUntil(lambda: about in texts(panel), timeout=20_000)
    assert "81.8 %" in texts(panel)


@pytest.mark.parametrize(
    ("share", "text"), [(0.0, "0 %"), (0.0001, "<1 %"), (0.006, "1 %"), (1.0, "100 %")]
)
def test_what_is_there_is_never_called_nothing(share, text):
    assert share_text(share) == text


def test_own_drafts_that_are_left_out_are_told_from_frames_not_measured():
    text, _ = compared_frames({"A": {1}, "B": {1, 2}}, {"A": {2}}, is_reference=True)
    assert text == "Not the same frames (A 1, B 2): each one's own drafts are left out."
    text, _ = compared_frames({"A": {1}, "B": {1, 2}}, {"A": {3}}, is_reference=True)
    assert text.endswith("Measure all before you compare.")
    text, _ = compared_frames({"A": set(), "B": {1}}, {"A": {1}, "B": set()}, is_reference=True)
    assert text == "1 confirmed frame · A: only own drafts, left out"


def test_plurals_and_what_was_measured():
    assert words_told(1, is_reference=True) == "1 frame was measured."
    assert words_told(2, is_reference=True) == "2 frames were measured."
    assert words_told(2, is_reference=False).endswith("against drafts: agreement, no score.")
    assert left_out(1) == "1 of its own drafts, hardly changed, is left out"


def test_conventions_are_called_the_same_on_the_command_line():
    assert list(CONVENTIONS) == list(Convention)
    for convention, (title, _) in CONVENTIONS.items():
        assert convention_of(title) is convention
