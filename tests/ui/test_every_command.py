"""Walks COMMANDS: title, unique key, runs or says why not."""

import itertools
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtGui import QImage, QKeySequence

from segstudio.core.brush import flood, rectangle
from segstudio.core.classes import CAMVID
from segstudio.core.look import Seen, UnsureLook
from segstudio.core.origins import PROPAGATED
from segstudio.media import demo
from segstudio.store.models import write_card
from segstudio.store.project import Project
from segstudio.ui.commands.registry import COMMANDS, MENUS, in_menu_order
from tests.ui.conftest import picture

NAMES = list(COMMANDS)


class FakeCanvas:
    """Counts what it is asked for."""

    def __init__(self):
        self.asked = []

    def __getattr__(self, name):
        return lambda *_: self.asked.append(name)


class FakeDesk:
    """A Desk that answers every question at once, in tmp_path."""

    def __init__(self, session, folder, files):
        self.session, self.canvas = session, FakeCanvas()
        self.folder, self.files, self.asked = folder, files, []

    def ask_files(self, then):
        then(self.files)

    def ask_folder(self, title, then):
        self.asked.append(title)
        then(self.folder)

    def ask_labels(self, then):
        then(self.folder / "labels.json")

    def import_labels(self, place):
        self.asked.append(place)

    def ask_save(self, title, name, then):
        self.asked.append(name)
        then(self.folder / name)

    def ask_frame(self, then):
        then(3)

    def ask_range(self, title, then):
        then(4, 6)

    def ask_note(self, frame, note, then):
        then("look again")

    def edit_classes(self):
        self.asked.append("classes")

    def ask_project(self, then):
        path = self.folder / "some.segproj"
        Project.create(path, CAMVID).close()
        then(path)

    def show_dialog(self, name):
        self.asked.append(name)

    def show_folder(self, folder):
        assert folder.is_dir()

    def picture_of_view(self):
        picture = QImage(20, 10, QImage.Format.Format_RGB32)
        picture.fill(0)
        return picture

    def toggle_panel(self):
        self.asked.append("panel")

    def is_panel_shown(self):
        return True

    def toggle_frames(self):
        self.asked.append("frames")

    def are_frames_shown(self):
        return True

    def toggle_full_screen(self):
        self.asked.append("full screen")

    def quit(self):
        self.asked.append("quit")


@pytest.fixture
def desk(session, card, clip, tmp_path, monkeypatch):
    """A folder that is both: one of pictures and one of a model. The demo is rendered already."""
    Image.fromarray(picture(0)).save(tmp_path / "000.png")
    monkeypatch.setattr(demo, "ensure_demo", lambda *_: demo.DemoClip(clip, tmp_path))
    made = FakeDesk(session, tmp_path, [clip])
    made.card = card
    return made


@pytest.mark.parametrize("name", NAMES)
def test_it_has_a_title_a_menu_and_a_docstring(name):
    entry = COMMANDS.get(name)
    assert entry.title
    assert entry.menu.split("/")[0] in MENUS
    assert entry.run.__doc__


def test_no_key_is_taken_twice():
    keys = [(QKeySequence(k).toString(), c.name) for c in in_menu_order() for k in c.keys]
    assert all(text for text, _ in keys)
    for (one, first), (other, second) in itertools.combinations(keys, 2):
        assert one != other, f"{first} and {second} both have {one}"


def test_plain_escape_does_nothing():
    assert all("Esc" not in c.keys for c in in_menu_order())


@pytest.mark.parametrize("name", NAMES)
def test_without_a_picture_it_runs_or_says_why_not(desk, name):
    entry = COMMANDS.get(name)
    why_not = entry.unless(desk)
    if why_not:
        assert why_not.endswith(".")
    else:
        entry.run(desk)
    if entry.checked is not None:
        assert isinstance(entry.checked(desk), bool)


def prepare_labels(session, name, qtbot):
    """A stroke that can be undone, or was; a selection."""
    editor = session.editor
    qtbot.waitUntil(lambda: editor.held is not None, timeout=20_000)
    assert editor.begin("Brush")
    editor.paint(rectangle((10, 10), (30, 30), editor.shape), 5)
    editor.commit()
    if name == "edit.redo":
        editor.undo()
    if name == "carry.no_hood":
        editor.projects.project.put_setting(f"hood.{editor.projects.media.id}", {"class_id": 1})
    if name == "classes.unlock":
        session.editor.set_options(replace(editor.options, locked=frozenset({3})))
    if name in ("compare.blink", "compare.errors"):
        session.comparison.turn_on()
    if name == "carry.stop":
        session.ranges.propagate(3)
    if name.startswith("inside."):
        prepare_inside(session, name, qtbot)
    if name == "project.close":
        session.create_project(Path(str(editor.projects.project.path) + "2.segproj"))
        qtbot.waitUntil(lambda: not editor.projects.is_own, timeout=20_000)
    editor.select(flood(editor.labels, (20, 20)))


def prepare_inside(session, name, qtbot):
    """A layer that is looked at; uncertainty, with a frame that stands out."""
    inside = session.inside
    if name == "inside.unsure":
        return
    if "_unsure" in name:
        inside.set_look(UnsureLook())
    inside.turn_on()
    qtbot.waitUntil(lambda: inside.tree is not None and inside.seen is not None, timeout=20_000)
    if "_unsure" in name:
        qtbot.waitUntil(lambda: session.info.is_complete, timeout=20_000)
        index = session.result.frame.id.index
        for place in (index - 2, index - 1, index + 1, index + 2):
            frame = replace(session.result.frame.id, index=place)
            inside.record._put("A", "fake", frame, Seen(inside.look, frame_share=0.01))
        inside.record._tell()
        assert list(inside.record.peaks()) == [index]


@pytest.mark.parametrize("name", NAMES)
def test_with_a_video_it_runs(desk, shown, name, told, qtbot):
    shown(5)
    entry = COMMANDS.get(name)
    if name == "view.all_classes":
        desk.session.set_view(desk.session.view.toggled(3))
    if name == "model.open":
        write_card(desk.card, desk.folder)
    prepare_labels(desk.session, name, qtbot)
    assert entry.unless(desk) == ""
    entry.run(desk)
    qtbot.waitUntil(lambda: not desk.session.background._jobs, timeout=20_000)
    assert [n.text for n in told if n.kind == "error"] == []


def test_the_saved_mask_holds_the_class_ids(desk, shown, qtbot):
    from segstudio.store.masks import read_mask

    shown(5)
    COMMANDS.get("file.save_mask").run(desk)
    path = desk.folder / "drive_000005_mask.png"
    qtbot.waitUntil(path.is_file, timeout=20_000)
    qtbot.waitUntil(lambda: not desk.session.background._jobs, timeout=20_000)
    assert (read_mask(path) == desk.session.result.prediction.labels).all()


def test_the_saved_mask_is_the_corrected_one(desk, shown, qtbot):
    from segstudio.store.masks import read_mask

    shown(5)
    prepare_labels(desk.session, "file.save_mask", qtbot)
    expected = desk.session.editor.held.document.labels.copy()
    assert (expected[10:31, 10:31] == 5).all()
    COMMANDS.get("file.save_mask").run(desk)
    path = desk.folder / "drive_000005_mask.png"
    qtbot.waitUntil(path.is_file, timeout=20_000)
    qtbot.waitUntil(lambda: not desk.session.background._jobs, timeout=20_000)
    assert (read_mask(path) == expected).all()


def test_a_hood_holds_for_the_next_frame_that_is_labelled(desk, shown, qtbot):
    shown(5)
    session, editor = desk.session, desk.session.editor
    qtbot.waitUntil(lambda: editor.held is not None, timeout=20_000)
    editor.select(rectangle((60, 0), (71, 127), editor.shape))
    editor.choose_class(8)
    COMMANDS.get("carry.hood").run(desk)
    assert session.ranges.run is None, "no frame is labelled yet"
    prepare_labels(session, "", qtbot)
    held = editor.held
    assert [e.title for e in held.history.entries] == ["Draft · fake", "Brush"]
    assert (held.document.labels[60:] == 8).all()
    assert (held.document.origin[60:] == PROPAGATED).all()
    assert (held.document.labels[10:31, 10:31] == 5).all()


def test_a_folder_that_cannot_be_written_to_is_said(desk, shown, told, qtbot):
    shown()
    desk.folder = desk.folder / "not" / "there"
    COMMANDS.get("file.save_view").run(desk)
    qtbot.waitUntil(lambda: bool(told), timeout=20_000)
    assert told[0].kind == "error"
    assert "another folder" in told[0].text
