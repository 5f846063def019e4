"""From frame to frame by what is left to do; what the timeline shows of it."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from segstudio.core.brush import rectangle
from tests.ui.conftest import wait_for


@pytest.fixture
def keys(qtbot, window):
    """Press keys as a person would: on the canvas that has the keyboard."""
    qtbot.waitUntil(window.isActiveWindow, timeout=5000)
    window.canvas.setFocus()

    def press(key, modifier=Qt.KeyboardModifier.NoModifier):
        QTest.keyClick(window.canvas, key, modifier)

    return press


@pytest.fixture
def labelled(qtbot, session):
    """Go to a frame and paint a box there, or confirm it."""

    def label(index, *, confirm=False):
        session.player.seek(index)
        wait_for(qtbot, session, index)
        editor = session.editor
        qtbot.waitUntil(
            lambda: editor.held is not None and editor.held.key.index == index, timeout=20_000
        )
        assert editor.begin("Brush")
        editor.paint(rectangle((10, 10), (30, 30), editor.shape), 5)
        editor.commit()
        if confirm:
            editor.confirm()
        qtbot.waitUntil(lambda: editor.held.unsaved == 0, timeout=20_000)

    return label


def ready(qtbot, session):
    qtbot.waitUntil(lambda: session.editor.held is not None, timeout=20_000)
    qtbot.waitUntil(lambda: session.frames.is_ready, timeout=20_000)


def test_n_goes_over_what_is_left_to_do_in_a_video(qtbot, session, shown, keys, labelled, told):
    shown(0)
    ready(qtbot, session)
    labelled(20)
    labelled(12, confirm=True)
    labelled(6)
    session.player.seek(0)
    wait_for(qtbot, session, 0)
    keys(Qt.Key.Key_N)
    wait_for(qtbot, session, 6)
    keys(Qt.Key.Key_N)
    wait_for(qtbot, session, 20)
    keys(Qt.Key.Key_N)
    assert "No frame to do after this frame." in told[-1].text
    keys(Qt.Key.Key_N, Qt.KeyboardModifier.ShiftModifier)
    wait_for(qtbot, session, 6)
    keys(Qt.Key.Key_Right, Qt.KeyboardModifier.ControlModifier)
    wait_for(qtbot, session, 12)


def test_k_bookmarks_and_finds_again(qtbot, session, shown, keys):
    shown(5)
    ready(qtbot, session)
    keys(Qt.Key.Key_K)
    assert session.frames.summary(5).is_bookmarked
    session.player.seek(9)
    wait_for(qtbot, session, 9)
    keys(Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    wait_for(qtbot, session, 5)
    ready(qtbot, session)
    keys(Qt.Key.Key_K)
    assert not session.frames.summary(5).is_bookmarked
