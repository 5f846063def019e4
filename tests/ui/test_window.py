"""The window under real keys and drops."""

import dataclasses
import itertools

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel

from segstudio.ui.panels.models import ModelPanel
from segstudio.ui.readings import Reading
from tests.ui.conftest import FRAMES, NO_MODEL, wait_for


@pytest.fixture
def keys(qtbot, window):
    """Press keys as a person would: on the canvas that has the keyboard."""
    qtbot.waitUntil(window.isActiveWindow, timeout=5000)
    window.canvas.setFocus()

    def press(key, modifier=Qt.KeyboardModifier.NoModifier):
        QTest.keyClick(window.canvas, key, modifier)

    return press


def test_d_and_a_step_exactly_one_frame(qtbot, session, shown, keys):
    shown(10)
    keys(Qt.Key.Key_D)
    wait_for(qtbot, session, 11)
    keys(Qt.Key.Key_A)
    keys(Qt.Key.Key_A)
    wait_for(qtbot, session, 9)
    keys(Qt.Key.Key_D, Qt.KeyboardModifier.ShiftModifier)
    wait_for(qtbot, session, 19)
    keys(Qt.Key.Key_End)
    wait_for(qtbot, session, FRAMES - 1)


def test_a_tap_on_space_plays_and_pauses(qtbot, session, shown, keys):
    shown(0)
    keys(Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: session.player.playing.is_playing, timeout=5000)
    qtbot.waitUntil(lambda: session.result.frame.id.index > 3, timeout=20_000)
    keys(Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: not session.player.playing.is_playing, timeout=5000)


def test_every_result_on_screen_carries_its_own_mask_while_playing(qtbot, session, shown, keys):
    seen = []
    shown(0)
    session.shown_changed.connect(lambda *_: seen.append(session.result))
    keys(Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: len(seen) > 5, timeout=20_000)
    keys(Qt.Key.Key_Space)
    assert all(r.prediction.frame is r.frame for r in seen if r is not None and r.prediction)


def test_mask_modes_follow_their_keys(qtbot, session, shown, keys):
    shown(0)
    for key, mode in ((Qt.Key.Key_2, "outline"), (Qt.Key.Key_3, "hatched"), (Qt.Key.Key_1, "fill")):
        keys(key, Qt.KeyboardModifier.AltModifier)
        qtbot.waitUntil(lambda mode=mode: session.settings.mask_mode == mode, timeout=5000)


@pytest.mark.parametrize("content", [b"", b"hello, I am text " * 50])
def test_a_broken_file_is_told_and_the_old_picture_stays(
    qtbot, window, session, shown, told, tmp_path, content
):
    shown(7)
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(content)
    window.canvas.files_dropped.emit([broken])
    qtbot.waitUntil(lambda: any("broken.mp4" in n.text for n in told), timeout=10_000)
    assert session.result.frame.id.index == 7
    assert session.player.info.path.name == "drive.mp4"


def test_pictures_play_on_when_the_model_cannot_be_loaded(qtbot, session, loads, clip, told):
    loads.error = NO_MODEL
    session.open([clip])
    qtbot.waitUntil(lambda: session.models.status.kind == "failed", timeout=20_000)
    session.player.seek(5)
    qtbot.waitUntil(
        lambda: session.result is not None and session.result.frame.id.index == 5, timeout=20_000
    )
    assert session.result.prediction is None


@pytest.mark.parametrize("width", [900, 1280, 1600, 1920])
def test_nothing_on_the_status_line_is_cut_off_at_any_width(qtbot, session, shown, window, width):
    shown(3)
    window.resize(width, 700)
    status = window._status
    status.hover((10, 10))
    stages = (("decode", 9.9, 9.9), ("prepare", 14.5, 20.0), ("model", 341.7, 400.0),
              ("upsample", 11.1, 12.0), ("draw", 12.4, 13.0))  # fmt: skip
    status.show_reading(Reading(fps=99.9, stages=stages, total=(361.0, 1568.0), skipped=79))
    qtbot.waitUntil(lambda: window.width() == width, timeout=5000)
    cells = [c for c in status.findChildren(QLabel) if c.isVisible()]
    window.grab()
    for cell in cells:
        assert cell.sizeHint().width() <= cell.width(), cell.text()
    places = [cell.geometry() for cell in cells]
    assert not any(a.intersects(b) for a, b in itertools.combinations(places, 2))


def test_the_side_panel_is_as_wide_as_its_place(window):
    window._panel.setFixedWidth(window._panel.minimumWidth())
    window.grab()
    inside = window._panel.widget()
    assert inside.minimumSizeHint().width() <= window._panel.viewport().width()


def test_what_the_model_tells_about_an_answer_stands_in_the_panel(window, session, shown):
    shown(2)
    panel = window.findChild(ModelPanel)
    result = session.result
    told = dataclasses.replace(result.prediction, notes=("made smaller: memory was short",))
    session.result = dataclasses.replace(result, prediction=told)
    session.shown_changed.emit()
    assert "memory was short" in panel._status.text()
    session.result = result
    session.shown_changed.emit()
    assert panel._status.text().startswith("Ready")
    assert "memory" not in panel._status.text()


def test_no_choice_in_the_model_panel_is_cut_off(window, session, shown):
    shown(2)
    window._panel.setFixedWidth(window._panel.minimumWidth())
    window.grab()
    panel = window.findChild(ModelPanel)
    for picker in (panel._how, panel._precision):
        room = picker.width() - 2 - 10 - 8 - 24  # border, padding, and the arrow
        texts = [picker.itemText(i) for i in range(picker.count())]
        widest = max(picker.fontMetrics().horizontalAdvance(text) for text in texts)
        assert widest <= room, texts
