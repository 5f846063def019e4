"""What is worth correcting next: looked for in the background, gone to on a key."""

import threading

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from segstudio.core.brush import rectangle
from segstudio.errors import ModelError
from segstudio.ui.correcting.editor import Editor
from segstudio.ui.suggesting.search import spread
from tests.ui.conftest import SIZE, wait_for

TREE, CAR = 5, 8
CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def press(window, qtbot):
    """Ctrl+N, with Shift the other way round."""

    def do(modifier=CTRL):
        QTest.keyClick(window.canvas, Qt.Key.Key_N, modifier)

    return do


@pytest.fixture
def hold(doubts):
    """The model stands still at a frame: `reached` is set there, `go` lets it go on."""

    class Hold:
        at = -1
        reached, go = threading.Event(), threading.Event()

    def wait(_, index):
        if index == Hold.at:
            Hold.reached.set()
            Hold.go.wait(20)

    doubts.on_predict = wait
    yield Hold
    Hold.go.set()


def held_at(qtbot, session, index):
    """Until the labels of that frame are on the workbench."""
    editor: Editor = session.editor
    wait_for(qtbot, session, index)
    qtbot.waitUntil(lambda: editor.held is not None and editor.held.key.index == index)
    return editor


def confirm(qtbot, session, index):
    """Stand behind a frame, and wait until the table of frames knows."""
    session.player.seek(index)
    held_at(qtbot, session, index).confirm()
    qtbot.waitUntil(lambda: session.frames.columns(index + 1).code[index] == 1, timeout=20_000)


def indices(suggesting):
    return [entry.index for entry in suggesting.entries]


def test_looking_gives_a_list_with_reasons_the_best_first(looked, told, doubts):
    suggesting = looked()
    assert indices(suggesting) == [6, 18, 30]
    assert suggesting.entries[0].worth == 1
    reasons = [entry.suggestion.reason for entry in suggesting.entries]
    assert reasons[0] == "Unsure on 17 % of the frame, most of it where Road meets Tree."
    assert suggesting.seen.frames == 20
    assert suggesting.seen.is_whole
    assert told == []


def test_the_model_of_the_screen_is_asked_and_none_is_loaded_besides(looked, loads):
    looked()
    assert [made.card.name for made in loads.made] == ["fake"]


def test_the_key_looks_first_then_goes_to_the_best_and_the_next(window, opened, press, told, qtbot):
    press()
    assert told[-1].text == "Looking for what to correct next; the same key goes there."
    suggesting = opened.suggesting
    assert suggesting.is_on
    qtbot.waitUntil(lambda: suggesting.run is None, timeout=20_000)
    assert opened.player.playing.index == 0, "nobody is taken away from what he looks at"
    for index in (6, 18, 30):
        press()
        wait_for(qtbot, opened, index)
    press()
    assert told[-1].text == "This is the last frame of the list. 3 are left in it."
    press(CTRL | SHIFT)
    wait_for(qtbot, opened, 18)


def test_confirmed_frames_leave_and_the_key_goes_on_behind_them(looked, press, qtbot, opened):
    suggesting = looked()
    press()
    confirm(qtbot, opened, 6)
    qtbot.waitUntil(lambda: indices(suggesting) == [18, 30])
    press()
    wait_for(qtbot, opened, 18)
    assert suggesting.current.number == 2
    opened.player.seek(6)
    held_at(qtbot, opened, 6).undo()
    qtbot.waitUntil(lambda: indices(suggesting) == [6, 18, 30])


def test_what_is_confirmed_is_not_offered_and_all_dealt_with_is_said(
    looked, opened, press, qtbot, told
):
    suggesting = looked()
    for index in (6, 18, 30):
        confirm(qtbot, opened, index)
    qtbot.waitUntil(lambda: not suggesting.entries)
    press()
    assert told[-1].text == "Every frame of the list is dealt with; look again for the next ones."
    assert indices(looked()) == []
    assert suggesting.listed == 0
    opened.player.seek(18)
    held_at(qtbot, opened, 18).undo()
    qtbot.waitUntil(lambda: opened.frames.columns(19).code[18] != 1, timeout=20_000)
    assert indices(looked()) == [18], "it may be offered again"


def test_stopping_keeps_what_was_seen_and_the_next_look_goes_on_there(opened, hold, doubts, qtbot):
    suggesting, hold.at = opened.suggesting, 20
    suggesting.look()
    qtbot.waitUntil(hold.reached.is_set, timeout=20_000)
    suggesting.cancel()
    hold.go.set()
    qtbot.waitUntil(lambda: suggesting.run is None, timeout=20_000)
    assert indices(suggesting) == [6, 18]
    assert not suggesting.seen.is_whole
    doubts.seen.clear()
    suggesting.look()
    qtbot.waitUntil(lambda: suggesting.run is None, timeout=20_000)
    again = [index for _, index in doubts.seen]
    assert [i for i in again if i != 20] == list(range(22, 40, 2)), "20 may have been in time"
    assert indices(suggesting) == [6, 18, 30]
    assert suggesting.seen.is_whole


def test_little_time_looks_at_some_frames_and_more_at_others(opened, qtbot, doubts):
    suggesting, suggesting_s = opened.suggesting, 1e-9
    suggesting.budget_s = suggesting_s
    suggesting.look()
    qtbot.waitUntil(lambda: suggesting.run is None, timeout=20_000)
    assert suggesting.seen.frames == 1
    assert not suggesting.seen.is_whole
    suggesting.budget_s = 1000.0
    suggesting.look()
    qtbot.waitUntil(lambda: suggesting.run is None, timeout=20_000)
    assert suggesting.seen.is_whole
    assert sorted(index for _, index in doubts.seen if index) == list(range(2, 40, 2))


def test_the_window_plays_on_while_the_clip_is_looked_through(opened, hold, qtbot):
    suggesting, hold.at = opened.suggesting, 20
    suggesting.look()
    opened.player.seek(33)
    hold.go.set()
    wait_for(qtbot, opened, 33)
    qtbot.waitUntil(lambda: suggesting.run is None, timeout=20_000)


def test_a_source_that_is_closed_in_the_middle_ends_it_without_a_word(opened, hold, qtbot, told):
    suggesting, hold.at = opened.suggesting, 20
    suggesting.look()
    qtbot.waitUntil(hold.reached.is_set, timeout=20_000)
    opened.close_source()
    assert suggesting.run is None
    hold.go.set()
    qtbot.waitUntil(lambda: not opened.background._jobs, timeout=20_000)
    assert suggesting.entries == ()
    assert suggesting.seen is None
    assert suggesting.trouble == ""
    assert told == []
    assert suggesting.why_not() == "Open a picture or a video first."


def test_another_model_in_the_middle_ends_it_and_says_why(opened, hold, qtbot, told, card):
    from dataclasses import replace

    other = replace(card, name="other", title="Other Net", folder=card.folder / "other")
    suggesting, hold.at = opened.suggesting, 20
    opened.models.cards = (card, other)
    suggesting.look()
    qtbot.waitUntil(hold.reached.is_set, timeout=20_000)
    opened.models.choose("other")
    assert suggesting.run is None
    assert suggesting.trouble.startswith("Other models look at the clip now")
    hold.go.set()
    qtbot.waitUntil(lambda: not opened.background._jobs, timeout=20_000)
    assert suggesting.entries == ()
    assert [t.text for t in told] == []
    suggesting.look()
    qtbot.waitUntil(lambda: suggesting.run is None, timeout=20_000)
    assert indices(suggesting) == [6, 18, 30]


def test_a_model_that_fails_is_one_sentence_and_what_was_found_before_stays(
    looked, doubts, qtbot, told, opened
):
    doubts.error, doubts.fails_at = ValueError("shapes differ"), 22
    opened.suggesting.look()
    qtbot.waitUntil(lambda: opened.suggesting.run is None, timeout=20_000)
    sentence = "The model 'Fake Net' could not look at the frames: ValueError: shapes differ."
    assert [(t.kind, t.text) for t in told] == [("error", sentence)]
    assert opened.suggesting.trouble == sentence
    doubts.error = None
    assert indices(looked()) == [6, 18, 30]
    assert opened.suggesting.trouble == ""


def test_a_model_that_cannot_be_loaded_is_one_sentence(opened, loads, qtbot, told):
    loads.error = ModelError("The model 'fake' is broken; install it again.")
    opened.models.reload()
    qtbot.waitUntil(lambda: opened.models.status.kind == "failed", timeout=20_000)
    told.clear()
    opened.suggesting.look()
    qtbot.waitUntil(lambda: opened.suggesting.run is None, timeout=20_000)
    assert [t.text for t in told] == [
        "The model 'Fake Net' is not there to look at the frames; see what the Model panel says"
        " about it and look again."
    ]


def test_compared_models_are_held_against_the_first(opened, looked, card, qtbot, doubts, loads):
    from dataclasses import replace

    other = replace(card, name="other", title="Other Net", folder=card.folder / "other")
    opened.comparison.add(other)
    qtbot.waitUntil(lambda: len(loads.made) == 2, timeout=20_000)
    doubts.by_frame.clear()
    doubts.surely = {}
    plain = loads.made[1].predict

    def contrary(frame, *, request=0):
        said = plain(frame, request=request)
        if frame.id.index != 12:
            return said
        labels = said.labels.copy()
        labels[:36] = CAR
        return replace(said, labels=labels)

    loads.made[1].predict = contrary
    suggesting = looked()
    assert indices(suggesting)[0] == 12
    assert suggesting.entries[0].suggestion.reason.startswith(
        "The models disagree on 50 % of the frame"
    )


def test_regions_are_seen_from_near_and_outlined(window, looked, press, qtbot, opened, doubts):
    doubts.by_frame = {6: ((5, 6, 8, 10), TREE)}
    looked("regions")
    fitted = window.canvas.transform.scale
    press()
    wait_for(qtbot, opened, 6)
    editor = held_at(qtbot, opened, 6)
    assert editor.preview.area.rect == (20, 24, 32, 40)
    assert editor.preview.has_border
    assert not editor.preview.has_tint
    assert editor.preview.text == "Road or Tree? The model is unsure on 192 px."
    seen = window.canvas.transform
    assert seen.scale > fitted
    for axis, (at, first, last) in enumerate(
        zip(seen.to_view(26, 32), seen.to_view(20, 24), seen.to_view(32, 40), strict=True)
    ):
        assert 0 < first < last < seen.view[axis]
        beside = seen.visible[axis], seen.view[axis] - seen.visible[axis + 2]
        assert at == pytest.approx(seen.view[axis] / 2, abs=1) or abs(beside[0] - beside[1]) <= 1
    opened.player.seek(7)
    wait_for(qtbot, opened, 7)
    assert editor.preview.area is None


def test_going_on_before_a_frame_has_come_outlines_the_last_one(
    window, looked, qtbot, opened, hold
):
    suggesting = looked("regions")
    first, second, _ = suggesting.entries
    opened.player.seek(18)
    held_at(qtbot, opened, 18)
    hold.at = 6
    arrived = []
    opened.player.arrived.connect(lambda result: arrived.append(result.frame.id.index))
    suggesting.go(first)
    qtbot.waitUntil(hold.reached.is_set, timeout=20_000)
    suggesting.go(second)
    hold.go.set()
    qtbot.waitUntil(lambda: arrived[-1:] == [18], timeout=20_000)
    editor = held_at(qtbot, opened, 18)
    qtbot.waitUntil(lambda: not editor.preview.is_empty, timeout=20_000)
    assert editor.preview.area.rect == second.suggestion.region


def test_a_whole_frame_after_a_region_is_seen_whole(window, looked, press, qtbot, opened, doubts):
    doubts.by_frame = {6: ((5, 6, 8, 10), TREE)}
    suggesting = looked("regions")
    fitted = window.canvas.transform.scale
    press()
    held_at(qtbot, opened, 6)
    assert window.canvas.transform.scale > fitted
    suggesting.set_kind("frames")
    press()
    assert window.canvas.transform.scale == fitted
    window.canvas.zoom(2)
    press(CTRL | SHIFT)
    press()
    assert window.canvas.transform.scale == pytest.approx(2 * fitted), "what people chose stays"


def test_a_region_that_was_painted_leaves_the_list_and_comes_back_with_undo(
    window, looked, press, qtbot, opened
):
    suggesting = looked("regions")
    press()
    editor = held_at(qtbot, opened, 6)
    assert editor.begin("Brush")
    editor.paint(rectangle((8, 8), (20, 55), SIZE), TREE)
    editor.commit()
    assert indices(suggesting) == [6, 18, 30], "less than half of it"
    assert editor.begin("Brush")
    editor.paint(rectangle((20, 8), (30, 55), SIZE), TREE)
    editor.commit()
    assert indices(suggesting) == [18, 30]
    editor.undo()
    assert indices(suggesting) == [6, 18, 30]


def test_labels_that_are_probably_wrong_are_found_outlined_and_left_when_corrected(
    window, looked, press, qtbot, opened, doubts
):
    doubts.by_frame.clear()
    suggesting = opened.suggesting
    suggesting.set_kind("errors")
    assert suggesting.why_not() == "Nobody has painted or confirmed anything in this clip yet."
    for index in (4, 10, 15):
        opened.player.seek(index)
        editor = held_at(qtbot, opened, index)
        assert editor.begin("Brush")
        if index == 10:
            editor.paint(rectangle((16, 80), (48, 112), SIZE), CAR)
        editor.commit()
        confirm(qtbot, opened, index)
    looked("errors")
    (entry,) = suggesting.entries
    assert entry.index == 10
    assert entry.suggestion.reason.startswith("1,089 px labelled Car look like Sky")
    assert suggesting.seen.frames == 3
    press()
    editor = held_at(qtbot, opened, 10)
    assert editor.preview.area.rect == entry.suggestion.region
    assert suggesting.entries == (entry,)
    assert editor.begin("Brush")
    editor.paint(rectangle((16, 80), (48, 112), SIZE), 0)
    editor.commit()
    assert suggesting.entries == ()
    editor.undo()
    assert suggesting.entries == (entry,)
    editor.redo()
    qtbot.waitUntil(lambda: opened.editor.projects.project.waiting == 0, timeout=20_000)
    looked("errors")
    assert suggesting.entries == ()
    assert suggesting.listed == 0, "its new label is believed"
    assert suggesting.seen.frames == 3


def test_a_frame_that_cannot_be_read_is_told_and_the_others_are_ranked(
    shown, doubts, tmp_path, session, qtbot, told
):
    for index in range(6):
        Image.fromarray(np.full((*SIZE, 3), 40 * index, np.uint8)).save(tmp_path / f"{index}.png")
    noise = np.random.default_rng(3).integers(0, 255, (*SIZE, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "3.png")
    (tmp_path / "3.png").write_bytes((tmp_path / "3.png").read_bytes()[:2000])
    shown(0, tmp_path)
    qtbot.waitUntil(lambda: session.editor.projects.media is not None, timeout=20_000)
    told.clear()
    doubts.by_frame = {4: ((2, 2, 10, 14), TREE)}
    session.suggesting.look()
    qtbot.waitUntil(lambda: session.suggesting.run is None, timeout=20_000)
    assert indices(session.suggesting) == [4]
    assert session.suggesting.entries[0].suggestion.name == "4.png"
    assert [t.kind for t in told] == ["warning"]
    assert "Frame 3" in told[0].text or "3.png" in told[0].text
    assert not session.suggesting.seen.is_whole or session.suggesting.seen.frames == 5


def test_every_beginning_of_a_spread_order_is_spread():
    order = spread(list(range(10)))
    assert sorted(order) == list(range(10))
    assert order[:4] == [0, 8, 4, 2]
    assert spread([]) == []
    assert spread([7]) == [7]
