"""Exporting in the window: choose, export, stop, go on, and read the proof."""

import json
import threading
import zipfile
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QComboBox

from segstudio.formats.files.target import JOURNAL
from segstudio.ui.dialogs.export.format_list import lines
from segstudio.ui.dialogs.export.report_page import class_share
from segstudio.ui.dialogs.export.window import ExportWindow
from segstudio.ui.exchange.exporter import Exporter, Outlook
from segstudio.ui.exchange.remembered import Choices

WAIT = 20_000


@pytest.fixture
def exporter(background):
    return Exporter(background)


@pytest.fixture
def window(qtbot, project, exporter, background, tmp_path):
    made = ExportWindow(None, project, tmp_path / "out" / "drive", exporter, background)
    qtbot.addWidget(made)
    made.show()
    qtbot.waitUntil(lambda: made.is_ready, timeout=WAIT)
    return made


def export(qtbot, window):
    window.how._go.click()
    qtbot.waitUntil(lambda: window.is_done, timeout=WAIT)


def test_confirmed_frames_are_exported_and_proven(qtbot, window, tmp_path):
    assert "4 frames of 1 clip" in window.how.message
    export(qtbot, window)
    assert "4 frames exported" in window.report.message
    assert "Read back: all 3,456 pixels of 4 frames are the same." in window.report.message
    out = tmp_path / "out" / "drive-index-png"
    assert len(list((out / "masks").rglob("*.png"))) == 4
    assert len(list((out / "images").rglob("*.png"))) == 4
    assert json.loads((out / "classes.json").read_text())["classes"][0]["name"] == "Sky"


def test_the_scope_decides_which_frames(qtbot, window, tmp_path):
    window.how._pick_scope("labelled")
    assert "5 frames" in window.how.message
    export(qtbot, window)
    assert len(list((tmp_path / "out" / "drive-index-png" / "masks").rglob("*.png"))) == 5


def test_every_format_shows_its_own_choices(qtbot, window):
    for name in list(window._formats):
        window.list.choose(name)
        facts = window._formats[name]
        assert facts.title in window.how.message
        assert window.how.order is not None
        assert set(window.how.order.options) == {o.name for o in facts.options}
        form = window.how._form
        for option in facts.options:
            kind = QCheckBox if isinstance(option.default, bool) else object
            assert form.findChild(kind, option.name) is not None
    assert window.how.can_export


def test_a_choice_stays_when_one_looks_at_another_format(qtbot, window):
    picker = window.how._form.findChild(QComboBox, "ids")
    picker.activated.emit(picker.findData("cityscapes19"))
    window.list.choose("cityscapes")
    window.list.choose("index_png")
    assert window.how.order.options["ids"] == "cityscapes19"


def test_what_a_format_cannot_carry_is_said_before(qtbot, window):
    assert not window.how._cannot.isVisibleTo(window)
    window.list.choose("comma10k")  # five classes
    qtbot.waitUntil(lambda: "become" in window.how._cannot.text(), timeout=WAIT)
    assert window.how._cannot.isVisibleTo(window)


def test_a_zip_file_and_no_proof(qtbot, window, tmp_path):
    window.how._zip.setChecked(True)
    window.how._proof.setChecked(False)
    export(qtbot, window)
    with zipfile.ZipFile(tmp_path / "out" / "drive-index-png.zip") as packed:
        assert "classes.json" in packed.namelist()
    assert "not read back" in window.report.message


def test_a_folder_in_use_is_refused_and_a_new_one_named_inside(qtbot, window, tmp_path):
    used = tmp_path / "used"
    used.mkdir()
    (used / "mine.txt").write_text("mine")
    window.how._place.setText(str(used))
    window.how._type_place("")
    assert not window.how.can_export
    assert "not empty" in window.how.message
    window.how.choose_place(used)
    assert window.how.can_export
    export(qtbot, window)
    assert (used / "drive-index-png" / "classes.json").is_file()
    assert (used / "mine.txt").read_text() == "mine"


def test_a_second_export_gets_a_folder_of_its_own(qtbot, window, tmp_path):
    export(qtbot, window)
    window.report.again_wanted.emit()
    export(qtbot, window)
    assert (tmp_path / "out" / "drive-index-png-2" / "classes.json").is_file()


def test_an_export_that_is_stopped_goes_on(qtbot, window, exporter, tmp_path, monkeypatch):
    import segstudio.engine.exchange.exporting as engine

    whole = engine.export_project

    def stopping(*args, should_stop, **more):
        asked = iter(range(100))
        return whole(*args, should_stop=lambda: next(asked) >= 2, **more)

    monkeypatch.setattr(engine, "export_project", stopping)
    with qtbot.waitSignal(exporter.stopped, timeout=WAIT):
        window.how._go.click()
    assert "goes on" in window.how.message
    assert (tmp_path / "out" / "drive-index-png" / JOURNAL).is_file()
    monkeypatch.setattr(engine, "export_project", whole)
    export(qtbot, window)
    assert "all 3,456 pixels of 4 frames" in window.report.message
    assert not (tmp_path / "out" / "drive-index-png" / JOURNAL).exists()


def test_who_presses_stop_can_go_on(qtbot, window, exporter, tmp_path, monkeypatch):
    import segstudio.engine.exchange.exporting as engine

    whole = engine.export_project
    at_second, pressed = threading.Event(), threading.Event()

    def slow(*args, progress, **more):
        def tell(now):
            progress(now)
            at_second.set()
            pressed.wait(WAIT / 1000)

        return whole(*args, progress=tell, **more)

    monkeypatch.setattr(engine, "export_project", slow)
    window.how._go.click()
    qtbot.waitUntil(at_second.is_set, timeout=WAIT)
    with qtbot.waitSignal(exporter.stopped, timeout=WAIT):
        window.how._cancel.click()
        pressed.set()
    assert not exporter.is_running
    assert "goes on" in window.how.message
    export(qtbot, window)
    assert "all 3,456 pixels of 4 frames" in window.report.message


def test_it_goes_on_when_the_project_is_closed_meanwhile(
    qtbot, window, exporter, project, tmp_path, monkeypatch
):
    import segstudio.engine.exchange.exporting as engine

    whole = engine.export_project
    begun, closed = threading.Event(), threading.Event()

    def slow(*args, **more):
        begun.set()
        closed.wait(WAIT / 1000)
        return whole(*args, **more)

    monkeypatch.setattr(engine, "export_project", slow)
    window.how._go.click()
    qtbot.waitUntil(begun.is_set, timeout=WAIT)
    project.close()
    with qtbot.waitSignal(exporter.finished, timeout=WAIT) as caught:
        closed.set()
    assert caught.args[0].frames == caught.args[0].proof.equal == 4


@pytest.mark.parametrize("way", ["close", "reject"])
def test_who_closes_it_before_it_is_filled_hears_no_more(
    qtbot, project, exporter, background, tmp_path, way
):
    made = ExportWindow(None, project, tmp_path / "out" / "drive", exporter, background)
    made.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    made.show()
    gone = []
    made.destroyed.connect(lambda: gone.append(True))
    with qtbot.captureExceptions() as errors:
        getattr(made, way)()
        qtbot.waitUntil(lambda: bool(gone) and not background._jobs, timeout=WAIT)
    assert errors == []


def test_what_goes_wrong_is_one_sentence_and_the_window_goes_on(
    qtbot, window, exporter, monkeypatch
):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.link", full)
    monkeypatch.setattr("pathlib.Path.replace", full)
    with qtbot.waitSignal(exporter.failed, timeout=WAIT):
        window.how._go.click()
    assert "No space left" in window.how.message
    assert not exporter.is_running


def test_splits_need_shares_that_are_numbers(qtbot, window):
    split = window.how.split
    split._pick("clip")
    split._shares.setText("a/b")
    split._change()
    assert not window.how.can_export
    assert "80/10/10" in window.how.message
    split._shares.setText("50/50")
    split._change()
    assert window.how.order.shares == (50, 50, 0)


def test_what_a_split_brings_is_said_before(qtbot, window):
    split = window.how.split
    split._pick("clip")
    qtbot.waitUntil(lambda: "Nothing is divided" in split.message, timeout=WAIT)
    assert split.message.startswith("4 train, 0 val, 0 test")
    assert split._told.property("tone") == "warn"
    split._divided = lambda *_: Outlook({"train": 37, "val": 20}, 44, (), ("Why.",))
    split._shares.setText("65/35")
    split._change()
    qtbot.waitUntil(lambda: "44 left out" in split.message, timeout=WAIT)
    assert split.message == "37 train, 20 val, 44 left out\nWhy."
    assert split._told.property("tone") == "muted"
    split._pick("none")
    assert split.message == ""


@pytest.mark.parametrize("text", ["/", ".", "..", "~nobody-here", "C:", "", "\0", "/" + "x" * 5000])
def test_whatever_is_typed_gets_an_answer(qtbot, window, text):
    with qtbot.captureExceptions() as errors:
        window.how._place.setText(text)
        window.how._type_place("")
        window.how._go.click()
    assert errors == []
    assert not window.how.can_export
    assert window.how._why.text().endswith(".")
    with qtbot.captureExceptions() as errors:
        window.how.choose_place(Path("/"))
        window.how._zip.setChecked(True)
    assert errors == []


def test_closing_it_leaves_the_export_running(qtbot, window, exporter):
    window.how._go.click()
    with qtbot.waitSignal(exporter.finished, timeout=WAIT) as caught:
        window.close()
    assert caught.args[0].proof.is_exact


def test_the_next_export_begins_as_the_last_one(
    qtbot, window, project, exporter, background, tmp_path
):
    form = window.how._form.findChild(QComboBox, "ids")
    form.activated.emit(form.findData("cityscapes19"))
    window.list.choose("camvid")
    window.how._pick_scope("labelled")
    window.how.split._pick("clip")
    window.how._pick_pictures("none")
    window.how._place.setText(str(tmp_path / "mine" / "first"))
    window.how._type_place("")
    export(qtbot, window)
    again = ExportWindow(None, project, tmp_path / "out" / "drive", exporter, background)
    qtbot.addWidget(again)
    again.show()
    qtbot.waitUntil(lambda: again.is_ready, timeout=WAIT)
    order = again.how.order
    assert (order.format, order.scope, order.pictures) == ("camvid", "labelled", "none")
    assert order.shares == (80, 10, 10)
    assert order.target.parent == tmp_path / "mine"
    again.list.choose("index_png")
    assert again.how.order.options["ids"] == "cityscapes19"
    again.close()


@pytest.mark.parametrize("kept", [7, [], {"format": 3, "options": [1], "split": "x", "folder": "\0"},
                                  {"format": "gone", "options": {"coco": {"shape": "round"}}}])  # fmt: skip
def test_what_was_kept_and_cannot_be_is_left_out(window, kept):
    facts = tuple(window._formats.values())
    window.how.show_choices(Choices.of_json(kept, facts))
    assert window.how.can_export
    window.list.choose("coco")
    assert window.how.order.options["shape"] != "round"


def test_both_pages_can_be_closed(qtbot, window):
    export(qtbot, window)
    window.report._close.click()
    assert not window.isVisible()


def test_notes_of_the_list_are_two_lines(window):
    metrics = window.list.fontMetrics()
    found = lines("Polygons in text files that many programs read, of all kinds", metrics, 190)
    assert len(found) == 2
    assert all(metrics.horizontalAdvance(line) <= 190 for line in found)
    assert lines("Short", metrics, 190) == ["Short"]
    listed = [
        window.list.item(i).data(Qt.ItemDataRole.UserRole) for i in range(window.list.count())
    ]
    told = [lines(one.note, metrics, 190) for one in listed]
    assert not any(text[-1].endswith(("…", ",", ";", " and")) for text in told)


@pytest.mark.parametrize(
    ("share", "said"),
    [(0, "0 %"), (0.42, "42 %"), (0.0996, "10 %"), (0.042, "4.2 %"), (0.0004, "<0.1 %")],
)
def test_shares_of_rare_classes_have_a_decimal(share, said):
    assert class_share(share) == said
