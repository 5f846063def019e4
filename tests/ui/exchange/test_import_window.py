"""Importing in the window: the guess is shown, classes are mapped, and all of it comes in at once."""

import json
import threading

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox

from segstudio.core.classes import CAMVID, VOID
from segstudio.core.origins import CONFIRMED, MODEL, FrameState
from segstudio.engine.exchange.exporting import export_project
from segstudio.store.masks import write_mask
from segstudio.store.project import FrameKey, Project
from segstudio.ui.dialogs.import_labels.mapping_table import VOID as VOID_ENTRY
from segstudio.ui.dialogs.import_labels.window import ImportWindow
from segstudio.ui.exchange.importer import Importer, are_labels, may_be_labels
from segstudio.ui.exchange.wiring import import_labels

WAIT = 20_000


@pytest.fixture
def masks(tmp_path):
    """Masks for all six pictures of the project, all of one class each."""
    folder = tmp_path / "masks"
    folder.mkdir()
    for i in range(6):
        labels = np.full((24, 36), i, np.uint8)
        labels[:4] = 3
        write_mask(folder / f"f{i}.png", labels, CAMVID.palette())
    return folder


@pytest.fixture
def opened(qtbot, project, background):
    """open(files) → the window, once it has looked."""

    def make(files, *, is_fine=True):
        importer = Importer(background, project)
        window = ImportWindow(None, files, importer)
        qtbot.addWidget(window)
        window.show()
        qtbot.waitUntil(lambda: not importer.is_busy, timeout=WAIT)
        if is_fine:
            qtbot.waitUntil(lambda: window.can_import, timeout=WAIT)
        return window

    return make


def take(qtbot, window):
    with qtbot.waitSignal(window.imported, timeout=WAIT) as caught:
        window._go.click()
    return caught.args[0]


def test_the_guess_is_shown_before_anything_is_written(opened, project, masks):
    before = [(f.key, f.position) for f in project.frames(1)]
    window = opened(masks)
    assert "CamVid" in window.message
    assert "6 of 6 frames fit" in window.message
    assert window._pictures.count() >= 3
    assert [(f.key, f.position) for f in project.frames(1)] == before


def test_ground_truth_is_confirmed_and_human_pixels_stay(qtbot, opened, project, masks):
    kept = project.load(FrameKey(1, 0)).labels.copy()
    window = opened(masks)
    report = take(qtbot, window)
    assert report.frames == 6
    assert window.is_done
    assert not window.can_import
    assert (project.load(FrameKey(1, 5)).labels[5:] == 5).all()
    assert (project.load(FrameKey(1, 5)).origin == CONFIRMED).all()
    assert (project.load(FrameKey(1, 0)).labels == kept).all()
    assert project.summary(FrameKey(1, 5)).state == FrameState.CONFIRMED


def test_over_human_pixels_only_when_asked(qtbot, opened, project, masks):
    window = opened(masks)
    window._over.setChecked(True)
    take(qtbot, window)
    assert (project.load(FrameKey(1, 0)).labels[5:] == 0).all()


def test_predictions_become_drafts_of_that_model(qtbot, opened, project, masks):
    window = opened(masks)
    window._pick_as("prediction")
    window._model.setText("theirs")
    take(qtbot, window)
    stored = project.load(FrameKey(1, 5))
    assert (stored.origin == MODEL).all()
    assert project.summary(FrameKey(1, 5)).about.drafted_by == "theirs"


def test_a_class_can_be_left_out(qtbot, opened, project, masks):
    window = opened(masks)
    picker = window._table.findChild(QComboBox) and window._table.pickers["Road"]
    picker.activated.emit(picker.findData(VOID_ENTRY))
    qtbot.waitUntil(lambda: window._planned.plan.mapping.table[3] == VOID, timeout=WAIT)
    assert "Road" not in window.message  # who wished it knows it
    take(qtbot, window)
    assert (project.load(FrameKey(1, 5)).labels[:4] == VOID).all()


def test_another_format_can_be_chosen_and_says_why_it_does_not_fit(qtbot, opened, masks):
    window = opened(masks)
    window._pick_format("cityscapes")
    qtbot.waitUntil(lambda: not window._importer.is_busy, timeout=WAIT)
    assert window._state.text().endswith(".")


def test_what_an_export_wrote_comes_back_unchanged(qtbot, opened, project, tmp_path):
    export_project(project, tmp_path / "out", "cityscapes", pictures="none")
    window = opened(tmp_path / "out", is_fine=False)
    assert "Cityscapes" in window._formats.currentText()


@pytest.mark.parametrize("content", [b"", b"{", b'{"a": 1}', b"\xff\xfe"])
def test_files_that_are_no_labels_are_one_sentence(opened, masks, content):
    file = masks / "labels.json"
    file.write_bytes(content)
    window = opened(file, is_fine=False)
    assert window._state.text().endswith(".")
    assert not window.can_import


def test_a_damaged_mask_ends_the_import_and_nothing_is_written(qtbot, opened, project, masks):
    before = [(f.key, f.position) for f in project.frames(1)]
    content = (masks / "f4.png").read_bytes()
    (masks / "f4.png").write_bytes(content[: len(content) // 2])
    window = opened(masks)
    with qtbot.waitSignal(window._importer.failed, timeout=WAIT) as caught:
        window._go.click()
    assert "f4.png" in caught.args[0]
    assert [(f.key, f.position) for f in project.frames(1)] == before


def test_frames_that_cannot_be_read_are_counted_and_can_be_left_out(qtbot, opened, project, masks):
    content = (masks / "f0.png").read_bytes()
    (masks / "f0.png").write_bytes(content[: len(content) // 2])
    window = opened(masks)
    assert "1 of 4 frames that were looked at cannot be read: f0.png" in window.message
    window._leave_bad.setChecked(True)
    report = take(qtbot, window)
    assert [name for name, _ in report.left_out] == ["f0"]
    assert "1 frame was left out; f0: " in window.message


def test_what_humans_lose_is_said_before_it_is_imported(opened, masks):
    window = opened(masks)
    assert window._stakes.isHidden()
    window._over.setChecked(True)
    assert "Up to 3,456 pixels that humans painted or confirmed will be replaced." in window.message
    window._pick_as("prediction")
    assert "4 confirmed frames may become drafts." in window.message
    assert not window._stakes.isHidden()
    window._over.setChecked(False)
    assert window._stakes.isHidden()


def test_frames_without_labels_are_left_out_unless_asked(qtbot, opened, project, masks):
    write_mask(masks / "f5.png", np.full((24, 36), VOID, np.uint8), CAMVID.palette())
    window = opened(masks)
    take(qtbot, window)
    assert "1 frame without labels was left out." in window.message
    assert project.summary(FrameKey(1, 5)) is None
    window = opened(masks)
    window._with_empty.setChecked(True)
    take(qtbot, window)
    assert project.summary(FrameKey(1, 5)).state == FrameState.CONFIRMED


def test_names_that_fit_nothing_offer_the_order(qtbot, opened, project, masks):
    for i in range(6):
        (masks / f"f{i}.png").rename(masks / f"x{chr(97 + i)}.png")
    window = opened(masks, is_fine=False)
    assert "drive has as many frames as there are labels" in window.message
    assert not window.can_import
    assert not window._in_order.isHidden()
    window._in_order.click()
    qtbot.waitUntil(lambda: window.can_import, timeout=WAIT)
    assert window._in_order.isHidden()
    take(qtbot, window)
    assert (project.load(FrameKey(1, 5)).labels[5:] == 5).all()


def test_an_order_that_does_not_fit_cannot_be_imported(qtbot, opened, masks):
    (masks / "f5.png").unlink()
    window = opened(masks)
    window._pick_matching("order")
    qtbot.waitUntil(lambda: not window._importer.is_busy, timeout=WAIT)
    assert "5 label files and drive has 6 frames" in window.message
    assert not window.can_import


def test_a_medium_is_chosen_where_there_are_several(qtbot, opened, project, masks):
    assert opened(masks)._media.isHidden()
    project.add_media(
        fingerprint="2", title="drive", kind="video", path=masks / "drive", width=36, height=24,
        frames=6,
    )  # fmt: skip
    window = opened(masks)
    window._pick_matching("number")
    qtbot.waitUntil(lambda: not window._importer.is_busy, timeout=WAIT)
    assert "say which medium" in window.message
    titles = [window._media.itemText(i) for i in range(window._media.count())]
    assert titles == ["All videos and folders", f"{masks.parent.name}/drive", "masks/drive"]
    window._pick_media(1)
    qtbot.waitUntil(lambda: window.can_import, timeout=WAIT)
    assert "6 of 6 frames fit" in window.message


@pytest.fixture
def held(monkeypatch):
    """reached, go_on: an import waits between reading and saving."""
    import segstudio.engine.exchange.importing as engine

    reached, go_on = threading.Event(), threading.Event()
    whole = engine.run_import

    def slow(*args, progress, **more):
        def tell(now):
            progress(now)
            if now.stage == "saving":
                reached.set()
                go_on.wait(WAIT / 1000)

        return whole(*args, progress=tell, **more)

    monkeypatch.setattr(engine, "run_import", slow)
    return reached, go_on


def test_who_presses_cancel_has_the_project_as_it_was(qtbot, opened, project, masks, held):
    reached, go_on = held
    before = [(f.key, f.position) for f in project.frames(1)]
    window = opened(masks)
    window._go.click()
    qtbot.waitUntil(reached.is_set, timeout=WAIT)
    with qtbot.waitSignal(window._importer.stopped, timeout=WAIT):
        window._cancel.click()
        go_on.set()
    assert "as it was" in window.message
    assert window.can_import
    assert [(f.key, f.position) for f in project.frames(1)] == before


@pytest.mark.parametrize("way", ["close", "reject"])
def test_who_closes_the_window_meanwhile_stops_it(qtbot, opened, project, masks, held, way):
    reached, go_on = held
    before = [(f.key, f.position) for f in project.frames(1)]
    window = opened(masks)
    importer = window._importer
    window.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    window._go.click()
    qtbot.waitUntil(reached.is_set, timeout=WAIT)
    gone = []
    window.destroyed.connect(lambda: gone.append("window"))
    importer.destroyed.connect(lambda: gone.append("importer"))
    with qtbot.captureExceptions() as errors:
        getattr(window, way)()
        qtbot.waitUntil(lambda: gone == ["window"], timeout=WAIT)
        go_on.set()
        qtbot.waitUntil(lambda: gone == ["window", "importer"], timeout=WAIT)
    assert errors == []
    assert [(f.key, f.position) for f in project.frames(1)] == before


def test_an_import_that_was_in_before_the_window_closed_is_told(
    qtbot, opened, project, masks, monkeypatch
):
    import segstudio.engine.exchange.importing as engine

    done, go_on, whole = threading.Event(), threading.Event(), engine.run_import

    def slow(*args, **more):
        report = whole(*args, **more)
        done.set()
        go_on.wait(WAIT / 1000)
        return report

    monkeypatch.setattr(engine, "run_import", slow)
    window = opened(masks)
    importer = window._importer
    window.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    window._go.click()
    qtbot.waitUntil(done.is_set, timeout=WAIT)
    with qtbot.waitSignal(importer.finished, timeout=WAIT) as caught:
        window.close()
        go_on.set()
    assert caught.args[0].frames == 6
    assert (project.load(FrameKey(1, 5)).origin == CONFIRMED).all()


def test_nothing_can_be_chosen_while_it_imports(qtbot, opened, masks, held):
    reached, go_on = held
    window = opened(masks)
    window._go.click()
    qtbot.waitUntil(reached.is_set, timeout=WAIT)
    assert not window._matching.isEnabled()
    with qtbot.waitSignal(window.imported, timeout=WAIT):
        go_on.set()
    assert window._matching.isEnabled()


def test_what_is_dropped_is_labels_or_pictures(project, masks, tmp_path):
    assert may_be_labels(masks)
    assert are_labels(masks)
    assert may_be_labels(tmp_path / "drive")
    assert not are_labels(tmp_path / "drive")  # noise in colours: pictures
    assert not may_be_labels(tmp_path / "clip.mp4")
    (tmp_path / "x.json").write_text(json.dumps({"shapes": []}))
    assert may_be_labels(tmp_path / "x.json")


def test_a_video_knows_how_many_frames_it_has_once_it_is_indexed(qtbot, session, shown):
    """The project is made while frames are still being counted."""
    shown(3)
    projects = session.editor.projects
    qtbot.waitUntil(lambda: projects.media is not None, timeout=WAIT)
    qtbot.waitUntil(lambda: session.player.info.is_complete, timeout=WAIT)
    qtbot.waitUntil(lambda: projects.media.frames == session.player.info.frames, timeout=WAIT)
    assert projects.project.media()[0].frames == session.player.info.frames > 1


def test_a_project_for_labels_that_could_not_be_made_opens_nothing_later(
    qtbot, window, session, masks, tmp_path
):
    taken = tmp_path / "taken.segproj"
    Project.create(taken, CAMVID).close()
    with qtbot.waitSignal(session.editor.projects.failed, timeout=WAIT):
        import_labels(window, session, masks, lambda _title, _name, then: then(taken))
    with qtbot.waitSignal(session.editor.projects.opened, timeout=WAIT):
        session.create_project(tmp_path / "other.segproj")
    assert not window.findChildren(ImportWindow)


def test_labels_without_a_project_get_one(qtbot, window, session, masks, tmp_path):
    made = tmp_path / "made"
    import_labels(window, session, masks, lambda _title, _name, then: then(made))
    qtbot.waitUntil(lambda: window.findChild(ImportWindow) is not None, timeout=WAIT)
    assert session.editor.projects.project.path == made.with_suffix(".segproj")
    window.findChild(ImportWindow).close()
