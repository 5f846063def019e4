"""The panels beside the picture while a frame is corrected: classes, history, state."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QPushButton, QWidget

from segstudio.core.brush import rectangle
from segstudio.core.classes import VOID
from segstudio.core.origins import CONFIRMED, FrameState
from segstudio.store.project_rows import FrameAbout
from segstudio.ui.panels.class_rows import EYE, LOCK
from segstudio.ui.panels.classes import ClassesPanel, ClassList
from segstudio.ui.panels.history import HistoryList, HistoryPanel
from segstudio.ui.panels.label_state import LabelStatePanel
from segstudio.ui.panels.tool_options import ToolOptionsBar

ROAD, SKY, CAR = 3, 0, 8


@pytest.fixture
def ready(qtbot, window, shown):
    """The window with frame 5 on the workbench."""
    shown(5)
    editor = window.session.editor
    qtbot.waitUntil(lambda: editor.held is not None, timeout=20_000)
    return window


def paint(session, class_id=CAR, box=((10, 10), (30, 30)), title="Brush"):
    editor = session.editor
    assert editor.begin(title)
    editor.paint(rectangle(*box, editor.shape), class_id)
    editor.commit()


def row_of(window, class_id):
    """(list, the row's ClassRow, where it lies)."""
    found = window.findChild(ClassList)
    rows = found.model().rows
    line = next(i for i, r in enumerate(rows) if r.class_id == class_id)
    return found, rows[line], found.visualRect(found.model().index(line))


def click(window, class_id, from_right=None, modifier=Qt.KeyboardModifier.NoModifier):
    found, _, area = row_of(window, class_id)
    x = area.left() + 60 if from_right is None else area.right() - from_right
    at = QPoint(x, area.center().y())
    QTest.mouseClick(found.viewport(), Qt.MouseButton.LeftButton, modifier, at)


def test_a_click_on_a_class_chooses_it(ready):
    click(ready, CAR)
    assert ready.session.editor.options.class_id == CAR
    ready.session.tools.choose("brush")
    assert row_of(ready, CAR)[1].is_active
    assert not row_of(ready, ROAD)[1].is_active


def test_the_lock_and_the_eye_have_places_of_their_own(ready):
    session = ready.session
    before = session.editor.options.class_id
    click(ready, ROAD, (EYE + LOCK) // 2)
    assert session.editor.options.locked == {ROAD}
    assert row_of(ready, ROAD)[1].is_locked
    click(ready, ROAD, EYE // 2)
    assert session.view.hidden == {ROAD}
    click(ready, ROAD, (EYE + LOCK) // 2)
    assert session.editor.options.locked == frozenset()
    click(ready, CAR, modifier=Qt.KeyboardModifier.AltModifier)
    assert CAR not in session.view.hidden
    assert len(session.view.hidden) == 10
    assert session.editor.options.class_id == before
    click(ready, VOID)
    assert session.editor.options.class_id == before, "void is no class to paint with"


def test_shares_are_those_of_the_labels(qtbot, ready):
    session = ready.session
    paint(session, CAR, ((0, 0), (71, 63)))
    qtbot.waitUntil(lambda: row_of(ready, CAR)[1].share == 0.5)
    assert row_of(ready, SKY)[1].share == 0.5
    assert row_of(ready, ROAD)[1].share == 0.0
    session.set_view(replace(session.view, layer="prediction"))
    assert row_of(ready, ROAD)[1].share == 0.5, "what the model says"


def test_origins_have_a_legend_of_their_own(ready):
    session = ready.session
    paint(session, CAR, ((0, 0), (71, 31)))
    session.set_view(replace(session.view, layer="origin"))
    rows = ready.findChild(ClassList).model().rows
    assert [(r.name, r.share) for r in rows] == [
        ("Nobody", 0.0), ("Model", 0.75), ("Propagated", 0.0), ("Painted", 0.25), ("Confirmed", 0.0)
    ]  # fmt: skip


def test_keys_choose_classes_and_stand_beside_them(ready):
    assert row_of(ready, SKY)[1].digit == 1
    assert row_of(ready, CAR)[1].digit == 9
    QTest.keyClick(ready.canvas, Qt.Key.Key_9)
    assert ready.session.editor.options.class_id == CAR


def test_a_class_set_may_have_keys_of_its_own(qtbot, ready):
    from segstudio.core.classes import ClassMap
    from segstudio.ui.correcting.reclassing import change_classes

    editor = ready.session.editor
    rows = tuple(replace(c, key=1 if c.id == CAR else None) for c in editor.classes.classes)
    change_classes(editor, ClassMap("mine", rows), None)
    qtbot.waitUntil(lambda: editor.held is not None, timeout=20_000)
    assert row_of(ready, CAR)[1].digit == 1
    QTest.keyClick(ready.canvas, Qt.Key.Key_1)
    assert editor.options.class_id == CAR


def test_the_status_line_tells_the_label_its_origin_and_what_the_model_says(ready):
    from segstudio.ui.panels.status import StatusLine

    paint(ready.session, CAR)
    line = ready.findChild(StatusLine)
    line.hover((20, 20))
    assert "Car (painted)   ·   model: Road" in line._hover.text()
    line.hover((60, 20))
    assert "Road (model)   ·   model: Road" in line._hover.text()


def test_locks_are_kept_with_the_project(qtbot, ready, clip):
    session = ready.session
    ready.menus.actions["classes.lock_others"].trigger()
    locked = session.editor.options.locked
    assert len(locked) == 10
    session.open([clip])
    qtbot.waitUntil(lambda: session.opening is None, timeout=20_000)
    qtbot.waitUntil(lambda: session.editor.held is not None, timeout=20_000)
    assert session.editor.options.locked == locked
    ready.menus.actions["classes.unlock"].trigger()
    assert session.editor.options.locked == frozenset()


def test_safe_colors_change_the_picture_and_not_the_classes(ready):
    session = ready.session
    before, classes = session.style().colors.copy(), session.editor.classes
    ready.menus.actions["classes.safe_colors"].trigger()
    assert (session.style().colors != before).any()
    assert session.editor.classes == classes
    assert row_of(ready, ROAD)[1].color == tuple(session.style().colors[ROAD])
    ready.menus.actions["classes.safe_colors"].trigger()
    assert (session.style().colors == before).all()


def history_rows(window):
    model = window.findChild(HistoryList).model()
    return [model.data(model.index(i)) for i in range(model.rowCount())]


def test_the_history_lists_what_was_done_and_a_click_goes_there(ready):
    session, panel = ready.session, ready.findChild(HistoryPanel)
    start = session.editor.draft().copy()
    paint(session, CAR)
    paint(session, ROAD, ((40, 40), (50, 50)), "Rectangle")
    assert history_rows(ready) == [
        "As it was", "Draft · fake · 9,216 px", "Brush · Car · 441 px", "Rectangle · Road · 121 px",
    ]  # fmt: skip
    found = panel.findChild(HistoryList)
    found.scrollToTop()
    at = found.visualRect(found.model().index(1)).center()
    QTest.mouseClick(found.viewport(), Qt.MouseButton.LeftButton, pos=at)
    held = session.editor.held
    assert held.history.position == 1
    assert (held.document.labels == start).all()
    assert found.currentIndex().row() == 1
    at = found.visualRect(found.model().index(3)).center()
    QTest.mouseClick(found.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert held.history.position == 3
    assert (held.document.labels[40:51, 40:51] == ROAD).all()


def state_words(window):
    panel = window.findChild(LabelStatePanel)
    return panel._state.text(), panel._more.text()


def test_the_state_follows_the_frame(qtbot, ready):
    session, panel = ready.session, ready.findChild(LabelStatePanel)
    assert state_words(ready)[0] == "To do · draft shown"
    paint(session, CAR, ((0, 0), (71, 63)))
    assert state_words(ready) == ("In progress · 50 % by you", "Drafted by fake")
    confirm = next(b for b in panel.findChildren(QPushButton) if b.text() == "Confirm")
    QTest.mouseClick(confirm, Qt.MouseButton.LeftButton)
    assert session.editor.state is FrameState.CONFIRMED
    assert (session.editor.held.document.origin == CONFIRMED).all()
    assert state_words(ready)[0] == "Confirmed"
    assert not confirm.isEnabled()
    qtbot.waitUntil(lambda: panel._saved.text() == "Saved", timeout=20_000)
    held = session.editor.held
    about = FrameAbout(None, held.about.fingerprint, "", *held.document.labels.shape)
    session.editor.projects.project.flag(held.key, "wet road", about).result()
    session.editor.frames_changed.emit(frozenset({held.key}))
    assert "Flagged: wet road" in state_words(ready)[1]
    session.player.play()
    assert state_words(ready)[0] == "Pause to correct a frame"
    session.player.pause()


def test_another_class_set_takes_labels_and_history_along(qtbot, ready):
    from segstudio.core.class_mapping import merged
    from segstudio.ui.correcting.reclassing import change_classes

    session, editor = ready.session, ready.session.editor
    paint(session, CAR)
    editor.set_options(replace(editor.options, locked=frozenset({CAR}), class_id=CAR))
    classes, mapping = merged(editor.classes, [CAR], ROAD)
    change_classes(editor, classes, mapping)
    assert editor.classes == classes
    qtbot.waitUntil(lambda: editor.held is not None, timeout=20_000)
    assert (editor.held.document.labels[10:31, 10:31] == ROAD).all()
    assert not (editor.held.document.labels == CAR).any()
    assert (editor.options.class_id, editor.options.locked) == (ROAD, {ROAD})
    assert history_rows(ready)[-1] == "Brush · Road · 441 px"
    editor.undo()
    assert set(np.unique(editor.held.document.labels)) <= {SKY, ROAD}


@pytest.mark.parametrize("width", [1000, 1280, 1920])
@pytest.mark.parametrize("tool", ["brush", "eraser", "polygon", "wand", "reveal", "superpixel"])
def test_nothing_in_the_options_bar_overlaps(ready, width, tool):
    ready.resize(width, 800)
    ready.session.tools.choose(tool)
    QTest.qWait(0)
    bar = ready.findChild(ToolOptionsBar)
    parts = [c for c in (bar._class, *bar._controls.values()) if c.isVisible()]
    parts.sort(key=lambda c: c.x())
    for left, right in pairwise(parts):
        assert left.x() + left.width() <= right.x()
    assert parts[-1].x() + parts[-1].width() <= bar.width()
    for part in parts:
        assert part.width() >= part.minimumSizeHint().width()
        inside = [c for c in part.findChildren(QWidget) if c.isVisible() and c.parent() is part]
        assert all(c.height() <= 34 for c in inside if not isinstance(c, QLabel))
        for left, right in pairwise(sorted(inside, key=lambda c: c.x())):
            assert left.x() + left.width() <= right.x()


def test_ten_thousand_steps_are_listed_without_a_widget_each(ready, qtbot):
    from segstudio.core.geometry import Rect
    from segstudio.core.history import Entry

    history = ready.session.editor.held.history
    entries = [Entry("Brush", CAR, n, Rect(0, 0, 1, 1), n, None) for n in range(10_000)]
    history.entries.extend(entries)
    history.position = 10_000
    panel = ready.findChild(HistoryPanel)
    panel.follow()
    found = panel.findChild(HistoryList)
    assert found.model().rowCount() == 10_001
    assert found.currentIndex().row() == 10_000
    assert len(found.viewport().findChildren(QWidget)) == 0
    history.entries.clear()
    history.position = 0
    panel.follow()
    assert panel._empty.isVisibleTo(panel)


def test_the_panel_is_not_there_without_a_source(window):
    assert not window.findChild(LabelStatePanel).isVisible()
    assert not window.findChild(HistoryPanel).isVisible()
    assert window.findChild(ClassesPanel).isVisible()


def test_a_merged_class_keeps_its_way_in_drafts(qtbot, ready):
    from segstudio.core.class_mapping import merged
    from segstudio.ui.correcting.reclassing import change_classes

    session, editor = ready.session, ready.session.editor
    classes, mapping = merged(editor.classes, [ROAD], SKY)
    renamed = tuple(replace(c, name="Firmament") if c.id == SKY else c for c in classes.classes)
    change_classes(editor, replace(classes, classes=renamed), mapping)
    qtbot.waitUntil(lambda: editor.held is not None, timeout=20_000)
    assert (editor.draft() == SKY).all(), "road was merged into what is now called otherwise"
    session.player.seek(7)
    qtbot.waitUntil(lambda: editor.held is not None and editor.held.key.index == 7, timeout=20_000)
    qtbot.waitUntil(lambda: editor.draft() is not None, timeout=20_000)
    assert (editor.draft() == SKY).all()
    session.player.play()
    assert (session.shown_labels() == SKY).all(), "also while it plays"
    assert session.classes == editor.classes
    session.player.pause()


def test_a_stroke_right_after_pausing_is_not_lost(ready):
    editor = ready.session.editor
    held = editor.current.held
    editor.current._frames.forget(held.key)
    frame, editor.current.held = editor.current.frame, None
    editor.current._reading = held.key  # the read is under way in a thread
    assert frame is not None
    paint(ready.session, CAR)
    assert (editor.held.document.labels[10:31, 10:31] == CAR).all()


def test_hints_go_by_themselves_and_there_is_one_at_a_time(ready, told):
    from segstudio.ui.panels.banner import Banner

    banner = ready.findChild(Banner)
    for name in ("edit.undo", "edit.redo", "carry.stop"):
        ready.menus.run(name)
    assert [n.kind for n in told] == ["hint"] * 3
    assert [n.text for n in banner.notices] == ["Nothing is under way."]
