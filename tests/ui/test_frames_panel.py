"""The list of frames under a real mouse; flags with a note; going to a time."""

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLineEdit

from segstudio.core.brush import rectangle
from segstudio.core.classes import CAMVID
from segstudio.store.project import Project
from segstudio.ui.correcting import thumbnails
from segstudio.ui.dialogs.ask import frame_at
from segstudio.ui.dialogs.note import NoteDialog
from segstudio.ui.panels.frames import FramesPanel
from segstudio.ui.panels.frames_list import FrameList
from segstudio.ui.panels.timeline import Timeline, parse_time
from tests.ui.conftest import SIZE, picture, wait_for


@pytest.fixture
def keys(qtbot, window):
    """Press keys as a person would: on the canvas that has the keyboard."""
    qtbot.waitUntil(window.isActiveWindow, timeout=5000)
    window.canvas.setFocus()

    def press(key, modifier=Qt.KeyboardModifier.NoModifier):
        window.activateWindow()
        qtbot.waitUntil(window.isActiveWindow, timeout=5000)
        QTest.keyClick(window.canvas, key, modifier)

    return press


@pytest.fixture
def panel(window):
    return window.findChild(FramesPanel)


@pytest.fixture
def folder(tmp_path):
    """Six pictures of different brightness."""
    place = tmp_path / "drive"
    place.mkdir()
    for index in range(6):
        Image.fromarray(picture(6 * index)).save(place / f"img_{index}.png")
    return place


def ready(qtbot, session):
    qtbot.waitUntil(lambda: session.editor.held is not None, timeout=20_000)
    qtbot.waitUntil(lambda: session.frames.is_ready, timeout=20_000)
    qtbot.waitUntil(lambda: session.info.is_complete, timeout=20_000)


def paint(qtbot, session, index, *, confirm=False):
    session.player.seek(index)
    wait_for(qtbot, session, index)
    editor = session.editor
    qtbot.waitUntil(
        lambda: editor.held is not None and editor.held.key.index == index, timeout=20_000
    )
    assert editor.begin("Brush")
    editor.paint(rectangle((0, 0), (SIZE[0] - 1, 63), editor.shape), 5)
    editor.commit()
    if confirm:
        editor.confirm()
    qtbot.waitUntil(lambda: editor.held.unsaved == 0, timeout=20_000)


def listed(panel):
    return panel._model.frames.tolist()


def choose(panel, value):
    """Pick a filter as the list that drops down does."""
    panel._which.activated.emit(panel._which.findData(value))


def test_f8_shows_the_list_and_hides_it(qtbot, session, shown, keys, panel):
    shown(0)
    assert not panel.isVisible()
    keys(Qt.Key.Key_F8)
    assert panel.isVisible()
    keys(Qt.Key.Key_F8)
    assert not panel.isVisible()


def test_of_a_video_only_frames_that_somebody_touched_are_listed(
    qtbot, session, shown, keys, panel
):
    shown(0)
    ready(qtbot, session)
    keys(Qt.Key.Key_F8)
    assert listed(panel) == []
    paint(qtbot, session, 12)
    paint(qtbot, session, 30, confirm=True)
    assert listed(panel) == [12, 30]
    assert panel._counts.text() == "1 confirmed · 1 in progress"
    assert panel._rest.text() == "38 frames without labels"
    choose(panel, "confirmed")
    assert listed(panel) == [30]
    session.editor.undo()
    qtbot.waitUntil(lambda: listed(panel) == [], timeout=20_000)
    choose(panel, "in progress")
    assert listed(panel) == [12, 30]


def test_a_click_goes_there_and_the_keyboard_stays_with_the_picture(
    qtbot, session, window, shown, keys, panel
):
    shown(0)
    ready(qtbot, session)
    keys(Qt.Key.Key_F8)
    paint(qtbot, session, 12)
    paint(qtbot, session, 30)
    view = panel.findChild(FrameList)
    place = view.visualRect(panel._model.index(0)).center()
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    wait_for(qtbot, session, 12)
    assert window.canvas.hasFocus()
    assert view.currentIndex().row() == 0
    view.setFocus()
    QTest.keyClick(view, Qt.Key.Key_Down)
    wait_for(qtbot, session, 30)


def test_every_picture_of_a_folder_is_listed_by_name(qtbot, session, shown, keys, panel, folder):
    shown(0, folder)
    ready(qtbot, session)
    keys(Qt.Key.Key_F8)
    assert listed(panel) == [0, 1, 2, 3, 4, 5]
    assert panel._model.index(3).data().startswith("img_3.png, frame 3, to do")
    paint(qtbot, session, 1, confirm=True)
    assert panel._counts.text() == "1 confirmed · 5 to do"
    choose(panel, "to do")
    assert listed(panel) == [0, 2, 3, 4, 5]


def test_confirm_and_next_goes_through_a_folder(qtbot, session, shown, keys, folder, told):
    shown(4, folder)
    ready(qtbot, session)
    keys(Qt.Key.Key_C, Qt.KeyboardModifier.ShiftModifier)
    wait_for(qtbot, session, 5)
    ready(qtbot, session)
    keys(Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert told[-1].text == "No frame to do after this frame. 4 before it."
    keys(Qt.Key.Key_N, Qt.KeyboardModifier.ShiftModifier)
    wait_for(qtbot, session, 3)


def test_the_small_picture_shows_the_frame_and_its_labels(
    qtbot, session, shown, keys, panel, folder
):
    shown(0, folder)
    ready(qtbot, session)
    keys(Qt.Key.Key_F8)
    paint(qtbot, session, 2, confirm=True)
    session.player.seek(0)
    wait_for(qtbot, session, 0)
    pictures = panel._pictures

    def is_there(index):
        found = pictures.of(index)
        return found is not None and pictures._kept[index].is_fresh

    for index in (2, 4):
        qtbot.waitUntil(lambda index=index: is_there(index), timeout=20_000)
    plain = pictures.of(4)
    assert (plain.width(), plain.height()) == (160, 90)
    assert abs(plain.pixelColor(20, 40).red() - int(picture(24)[0, 0, 0])) <= 1
    grey, color = int(picture(12)[0, 0, 0]), session.editor.classes.palette()[5]
    got = QColor(pictures.of(2).pixelColor(20, 40))
    for have, want in zip((got.red(), got.green(), got.blue()), color, strict=True):
        assert abs(have - (grey + int(want)) / 2) <= 2


def test_few_small_pictures_are_kept(qtbot, session, shown, keys, panel, folder, monkeypatch):
    monkeypatch.setattr(thumbnails, "KEPT", 3)
    shown(0, folder)
    ready(qtbot, session)
    for index in range(6):
        panel._pictures.of(index)
    qtbot.waitUntil(lambda: not session.background._jobs, timeout=20_000)
    assert len(panel._pictures._kept) == 3


def test_a_small_picture_keeps_its_proportions():
    tall = np.full((400, 100, 3), 77, np.uint8)
    made = thumbnails.small(tall)
    assert made.shape == (92, 23, 3)
    assert (made == 77).all()


def test_shift_f_flags_with_a_note_that_stands_in_the_list_and_the_timeline(
    qtbot, session, window, shown, keys, panel
):
    shown(7)
    ready(qtbot, session)
    keys(Qt.Key.Key_F8)
    keys(Qt.Key.Key_F, Qt.KeyboardModifier.ShiftModifier)
    dialog = window.findChild(NoteDialog)
    assert not dialog.isModal()
    session.player.seek(9)  # the note belongs to the frame it was asked for
    wait_for(qtbot, session, 9)
    line = dialog.findChild(QLineEdit)
    QTest.keyClicks(line, "kerb or road?")
    QTest.keyClick(line, Qt.Key.Key_Return)
    assert session.frames.summary(7).flag == "kerb or road?"
    assert session.frames.summary(9) is None
    assert listed(panel) == [7]
    assert "flagged kerb or road?" in panel._model.index(0).data()
    assert window.findChild(Timeline)._text_of(7).endswith("Flagged: kerb or road?")
    keys(Qt.Key.Key_N, Qt.KeyboardModifier.ShiftModifier)
    wait_for(qtbot, session, 7)


def test_an_empty_note_is_a_flag_and_a_flag_can_be_taken_away(qtbot, session, window, shown, keys):
    shown(7)
    ready(qtbot, session)
    for button, want in (("Flag", ""), ("Remove Flag", None)):
        keys(Qt.Key.Key_F, Qt.KeyboardModifier.ShiftModifier)
        dialog = next(d for d in window.findChildren(NoteDialog) if d.isVisible())
        found = next(b for b in dialog.children() if getattr(b, "text", str)() == button)
        QTest.mouseClick(found, Qt.MouseButton.LeftButton)
        assert session.frames.summary(7).flag == want


def test_a_project_that_is_read_only_says_so(qtbot, session, shown, keys, clip, told, tmp_path):
    shown(0)
    ready(qtbot, session)
    session.editor.projects.project.why_read_only = "Another window holds it."
    keys(Qt.Key.Key_K)
    assert told[-1].text == "Another window holds it."
    assert session.frames.summary(0) is None


def test_the_media_of_a_project_can_be_changed_in_the_list(
    qtbot, session, shown, keys, panel, folder, clip, tmp_path
):
    path = tmp_path / "both.segproj"
    Project.create(path, CAMVID).close()
    session.open([path])
    qtbot.waitUntil(lambda: session.editor.projects.project is not None, timeout=20_000)
    shown(0)
    ready(qtbot, session)
    keys(Qt.Key.Key_F8)
    assert not panel._media.isVisible()
    shown(0, folder)
    ready(qtbot, session)
    qtbot.waitUntil(panel._media.isVisible, timeout=20_000)
    assert [panel._media.itemText(i) for i in range(2)] == ["drive.mp4", "drive"]
    panel._media.activated.emit(0)
    qtbot.waitUntil(
        lambda: session.info is not None and session.info.kind == "video", timeout=20_000
    )


def test_nothing_crowds_a_small_screen(qtbot, session, window, shown, keys, panel):
    window.resize(1280, 800)
    shown(0)
    ready(qtbot, session)
    keys(Qt.Key.Key_F8)
    paint(qtbot, session, 12, confirm=True)
    window.grab()
    assert window.width() == 1280
    assert window.canvas.width() >= 640
    metrics = panel._which.fontMetrics()
    assert metrics.horizontalAdvance("All labelled") <= panel._which.width() - 44


@pytest.mark.parametrize(
    ("text", "time"),
    [("1:23.5", 83_500_000), ("0.04", 40_000), ("1:02:03", 3_723_000_000), ("2,5", 2_500_000),
     ("", None), ("a", None), ("1:2:3:4", None), ("-3", None)],
)  # fmt: skip
def test_times_are_read_as_they_are_written(text, time):
    assert parse_time(text) == time


def test_ctrl_g_goes_to_a_frame_or_a_time(qtbot, session, window, shown, keys):
    shown(0)
    ready(qtbot, session)
    assert frame_at("0:00.519", session.player) == 12  # 25 fps: frame 12 begins at 0.48
    assert frame_at("0:00.520", session.player) == 13
    assert frame_at("99", session.player) == 39
    assert frame_at("5:00", session.player) == 39
    keys(Qt.Key.Key_G, Qt.KeyboardModifier.ControlModifier)
    dialog = next(d for d in window.findChildren(QDialog) if d.isVisible())
    line = dialog.findChild(QLineEdit)
    line.clear()
    QTest.keyClicks(line, "soon")
    ok = dialog.findChild(QDialogButtonBox).button(QDialogButtonBox.StandardButton.Ok)
    QTest.mouseClick(ok, Qt.MouseButton.LeftButton, pos=QPoint(5, 5))
    assert dialog.isVisible()
    line.clear()
    QTest.keyClicks(line, "0:00.8")
    QTest.keyClick(line, Qt.Key.Key_Return)
    wait_for(qtbot, session, 20)
