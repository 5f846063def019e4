"""A video from the window: choose, write, stop, and be told."""

import threading
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtWidgets import QCheckBox

from segstudio.core.brush import rectangle
from segstudio.core.classes import CAMVID
from segstudio.engine.exchange import videos
from segstudio.media.open import complete_info, open_source
from segstudio.ui.dialogs.export.video import VideoWindow, style_told
from segstudio.ui.exchange.video_wiring import video_exporter_of
from segstudio.ui.view_state import ViewState

WAIT = 30_000
ROAD, CAR = 3, 8


@pytest.fixture
def video(qtbot, window, shown, tmp_path):
    """The window's dialog on the clip, with everything counted; files go into tmp_path."""
    session = shown(5)
    qtbot.waitUntil(lambda: session.info.is_complete, timeout=WAIT)  # its frames are counted
    window.show_dialog("export_video")
    made = window.findChild(VideoWindow)
    qtbot.waitUntil(lambda: bool(made._counts), timeout=WAIT)
    made.choose_place(tmp_path / "out" / "drive.mp4")
    made.session, made.exporter = session, video_exporter_of(window, session)
    return made


def reopened(qtbot, window, tmp_path):
    """The dialog once more, as the program is now."""
    window.show_dialog("export_video")
    made = window.findChildren(VideoWindow)[-1]
    qtbot.waitUntil(lambda: bool(made._counts), timeout=WAIT)
    made.choose_place(tmp_path / "again.mp4")
    made.session, made.exporter = window.session, video_exporter_of(window, window.session)
    return made


def export(qtbot, video):
    with qtbot.waitSignal(video.exporter.finished, timeout=WAIT) as caught:
        video._go.click()
    return caught.args[0]


def frames(path):
    source = open_source(path)
    try:
        count = complete_info(source).frames
        return [source.read(i).rgb.astype(int) for i in range(count)]
    finally:
        source.close()


def mixed(picture, class_id, opacity):
    return picture * (1 - opacity) + CAMVID.palette()[class_id].astype(int) * opacity


def test_an_overlay_looks_as_in_the_window(qtbot, video, tmp_path):
    report = export(qtbot, video)
    assert (report.frames, report.labelled, report.predicted) == (40, 0, 40)
    assert "40 frames of 128×72" in video.message
    assert "Read back" in video.message
    opacity = video.session.view.opacity
    pixel = frames(tmp_path / "out" / "drive.mp4")[4][30, 20]
    assert np.abs(pixel - mixed(40, ROAD, opacity)).max() < 12
    assert video._folder.isVisibleTo(video)


def test_what_somebody_painted_comes_first(qtbot, window, video, tmp_path):
    editor = video.session.editor
    qtbot.waitUntil(lambda: editor.held is not None, timeout=WAIT)
    assert editor.begin("Brush")
    editor.paint(rectangle((0, 0), (71, 127), editor.shape), CAR)
    editor.commit()
    video.close()
    again = reopened(qtbot, window, tmp_path)
    assert "1 frame of this clip has them" in again._found.text()
    report = export(qtbot, again)
    assert (report.labelled, report.predicted) == (1, 39)
    opacity, seen = again.session.view.opacity, frames(tmp_path / "again.mp4")
    assert np.abs(seen[5][30, 20] - mixed(45, CAR, opacity)).max() < 12
    assert np.abs(seen[6][30, 20] - mixed(50, ROAD, opacity)).max() < 12


def test_confirmed_frames_alone(qtbot, window, video, tmp_path):
    video._pick_scope("confirmed")
    assert "No frame of this clip has them" in video._found.text()
    video._pick_letter("")
    report = export(qtbot, video)
    assert (report.labelled, report.predicted) == (0, 0)
    assert np.abs(frames(tmp_path / "out" / "drive.mp4")[4][30, 20] - 40).max() < 6


def test_a_range_of_frames(qtbot, video):
    video._pick_range("range")
    video._first.setValue(3)
    video._last.setValue(6)
    assert (video.order.first, video.order.last) == (3, 6)
    assert export(qtbot, video).frames == 4


def test_frames_that_are_counted_meanwhile_can_be_chosen(video):
    whole, player = video.session.info, video.session.player
    player.info = replace(whole, frames=3, is_complete=False)
    player.source_changed.emit()
    assert "3 frames so far" in video._about.text()
    assert video._last.value() == 2
    player.info = whole
    player.source_changed.emit()
    assert "40 frames" in video._about.text()
    assert video._last.value() == video._first.maximum() == 39
    video._last.setValue(6)
    player.source_changed.emit()
    assert video._last.value() == 6


@pytest.mark.parametrize(
    "text", ["/", "..", "~nobody-here", "C:", "\0.mp4", "/" + "x" * 5000, "a.mp4"]
)
def test_whatever_is_typed_gets_an_answer(qtbot, video, text):
    with qtbot.captureExceptions() as errors:
        video._place.setText(text)
        video._type_place("")
    assert errors == []
    assert not video.can_export
    assert video.message.endswith(".")


def test_views_beside_each_other(qtbot, window, video, tmp_path):
    video.session.comparison.turn_on()
    video.close()
    again = reopened(qtbot, window, tmp_path)
    again._pick_what("side")
    assert again.order.letters == ("A", "B")
    again._difference.setChecked(True)
    again._pick_range("range")
    again._last.setValue(1)
    report = export(qtbot, again)
    assert report.size[1] == 2 * 128 + 4  # four panes in two rows
    assert report.predicted == 2


def test_what_cannot_be_done_is_said_before(video, tmp_path):
    video._pick_what("side")
    video._pick_scope("")
    assert video.can_export
    for tick in video.findChildren(QCheckBox):
        tick.setChecked(False)
    assert "choose labels or a model" in video.message
    assert not video.can_export
    video._pick_scope("labelled")
    assert video.can_export
    video._difference.setChecked(True)
    assert "Two can differ" in video.message
    video._pick_what("overlay")
    assert video.can_export
    video._pick_range("range")
    video._first.setValue(9)
    video._last.setValue(4)
    assert "before the first" in video.message
    video._pick_range("all")
    (tmp_path / "mine.mp4").write_bytes(b"mine")
    for name, why in (("mine.mp4", "exists already"), ("mine.avi", "ends in .mp4")):
        video.choose_place(tmp_path / name)
        assert why in video.message
        assert not video.can_export


def test_stop_leaves_no_file_and_another_can_be_written(qtbot, video, tmp_path, loads):
    loads.gate = threading.Event()
    video._go.click()
    qtbot.waitUntil(lambda: "Loading" in video.message, timeout=WAIT)
    assert not video.can_export
    with qtbot.waitSignal(video.exporter.stopped, timeout=WAIT):
        video._stop.click()
        loads.gate.set()
    assert "Nothing was written" in video.message
    assert list((tmp_path / "out").glob("*")) == []
    assert video.can_export
    assert export(qtbot, video).frames == 40


def test_a_failure_is_one_sentence(qtbot, video, loads, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(videos.VideoWriter, "write", full)
    with qtbot.waitSignal(video.exporter.failed, timeout=WAIT):
        video._go.click()
    assert "No space left on device" in video.message
    assert video.can_export


def test_closed_the_window_is_told_where_it_is(qtbot, video, told, tmp_path):
    video._go.click()
    exporter = video.exporter
    video.close()
    with qtbot.waitSignal(exporter.finished, timeout=WAIT):
        pass
    assert any(str(tmp_path / "out" / "drive.mp4") in notice.text for notice in told)


def test_a_name_that_is_free_is_proposed(qtbot, window, video, clip):
    video._place_is_own = False
    video._name_place()
    assert video.order.target == clip.parent / "drive-overlay.mp4"
    (clip.parent / "drive-panes.mp4").write_bytes(b"")
    video._pick_what("side")
    assert video.order.target == clip.parent / "drive-panes-2.mp4"
    (clip.parent / "drive-panes.mp4").unlink()


def test_how_masks_look_is_said():
    view = ViewState("outline", 0.4, frozenset({1, 2}))
    assert style_told(view) == "Masks look as in the window: outlined, 40 %, 2 classes hidden."
