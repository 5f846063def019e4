"""Projects at the window: folders that change, clips that move, disks that fill up."""

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from segstudio import paths
from segstudio.core.brush import rectangle
from segstudio.core.classes import CAMVID, ClassDef, ClassMap
from segstudio.errors import MediaError
from segstudio.media.writer import VideoWriter
from segstudio.store import schema
from segstudio.store.project import Project
from segstudio.ui.correcting import belonging, projects

SIZE = (40, 60)


def save_picture(folder: Path, name: str, seed: int) -> None:
    folder.mkdir(exist_ok=True)
    rgb = np.random.default_rng(seed).integers(0, 255, (*SIZE, 3), np.uint8)
    Image.fromarray(rgb).save(folder / name)


@pytest.fixture
def folder(tmp_path) -> Path:
    """Five pictures, b.png to f.png."""
    for seed, name in enumerate("bcdef"):
        save_picture(tmp_path / "drive", f"{name}.png", seed)
    return tmp_path / "drive"


@pytest.fixture
def show(qtbot, session):
    """Open something and wait for its labels; with None, see the picture without labels."""

    def open_paths(*paths: Path, index: int = 0, labels: bool = True) -> None:
        session.close_source()
        session.open(list(paths))
        wait_shown(qtbot, session, index, labels=labels)

    return open_paths


def wait_shown(qtbot, session, index=0, *, labels=True):
    qtbot.waitUntil(lambda: session.result is not None, timeout=20_000)
    if index:
        session.player.seek(index)
    qtbot.waitUntil(lambda: session.result.frame.id.index == index, timeout=20_000)
    if labels:
        qtbot.waitUntil(
            lambda: session.editor.held is not None and session.editor.held.key.index == index,
            timeout=20_000,
        )
        qtbot.waitUntil(lambda: session.result.prediction is not None, timeout=20_000)


def paint(session, top: int, class_id: int = 8) -> None:
    """A stroke of two rows, without the draft below it."""
    editor = session.editor
    assert editor.begin("Brush", on_draft=False), editor.why_not()
    editor.paint(rectangle((top, 3), (top + 1, 40), editor.shape), class_id)
    editor.commit()


def painted(session, class_id: int = 8) -> list[int]:
    """The rows that have that class."""
    labels = session.editor.held.document.labels
    return np.flatnonzero((labels == class_id).any(axis=1)).tolist()


def saved(qtbot, session) -> Project:
    project = session.editor.projects.project
    qtbot.waitUntil(lambda: not project.waiting, timeout=10_000)
    return project


def own_projects() -> list[str]:
    return sorted(p.name for p in (paths.user_data() / "projects").glob("*.segproj*"))


# --- folders


def test_labels_stay_with_their_picture_when_others_come_and_go(qtbot, session, show, folder, told):
    show(folder, index=2)
    paint(session, 4)
    paint(session, 10)
    show(folder, index=3)
    paint(session, 20)
    saved(qtbot, session)
    hidden = folder.parent / "e.png"
    (folder / "e.png").rename(hidden)
    save_picture(folder, "a.png", 9)
    show(folder, index=3)  # d.png
    assert painted(session) == [4, 5, 10, 11]
    session.editor.undo()
    assert painted(session) == [4, 5]
    assert "1 labelled picture is not in the folder drive any more" in told[-1].text
    assert all(painted_rows(qtbot, session, i) == [] for i in (0, 1, 2, 4))
    hidden.rename(folder / "e.png")
    show(folder, index=4)
    assert painted(session) == [20, 21]
    assert painted_rows(qtbot, session, 3) == [4, 5]
    session.editor.redo()
    assert painted(session) == [4, 5, 10, 11]
    saved(qtbot, session)
    assert len([n for n in own_projects() if n.endswith(".segproj")]) == 1


def painted_rows(qtbot, session, index):
    session.player.seek(index)
    wait_shown(qtbot, session, index)
    return painted(session)


def test_a_folder_that_was_moved_is_found_by_its_content(qtbot, session, show, folder):
    show(folder, index=1)
    paint(session, 4)
    save_picture(folder, "a.png", 9)
    show(folder, index=2)  # its project knows it by another content now
    session.close_source()
    moved = folder.rename(folder.with_name("elsewhere"))
    show(moved, index=2)
    assert painted(session) == [4, 5]


def test_a_copy_of_what_a_folder_held_once_has_its_labels(qtbot, session, show, folder):
    copied = Path(shutil.copytree(folder, folder.with_name("as it was")))
    show(folder, index=1)
    paint(session, 4)
    save_picture(folder, "a.png", 9)
    show(folder, index=2)
    show(copied, index=1)
    assert painted(session) == [4, 5]


def test_some_pictures_of_a_folder_are_not_the_folder(qtbot, session, show, folder):
    show(folder, index=1)
    paint(session, 4)
    some = (folder / "c.png", folder / "d.png")
    show(*some)
    assert painted(session) == []
    paint(session, 20)
    save_picture(folder, "a.png", 9)
    show(folder, index=2)
    assert painted(session) == [4, 5]
    show(*some)
    assert painted(session) == [20, 21]
    show(folder / "c.png", folder / "e.png")
    assert painted(session) == []


def test_another_drive_under_the_same_names_gets_no_labels(qtbot, session, show, folder):
    show(folder, index=1)
    paint(session, 4)
    session.close_source()
    kept = folder.rename(folder.with_name("first drive"))
    for seed, name in enumerate("bcdefg"):
        save_picture(folder, f"{name}.png", 50 + seed)
    show(folder, index=1)
    assert painted(session) == []
    paint(session, 30)
    show(kept, index=1)
    assert painted(session) == [4, 5]
    show(folder, index=1)
    assert painted(session) == [30, 31]


def test_a_folder_in_a_project_of_ones_own_is_one_medium(qtbot, session, show, folder, tmp_path):
    show(folder, index=2)
    session.create_project(tmp_path / "mine.segproj")
    qtbot.waitUntil(lambda: session.editor.projects.media is not None and not
                    session.editor.projects.is_own)  # fmt: skip
    wait_shown(qtbot, session, 2)
    paint(session, 4)
    save_picture(folder, "a.png", 9)
    session.open([folder])
    qtbot.waitUntil(lambda: session.info is not None and session.info.frames == 6)
    wait_shown(qtbot, session, 3)
    assert painted(session) == [4, 5]
    (record,) = session.editor.projects.project.media()
    assert (record.frames, record.fingerprint) == (6, session.info.id)


# --- clips that move


def write_clip(path: Path, shade: int = 0) -> Path:
    path.parent.mkdir(exist_ok=True, parents=True)
    with VideoWriter(path, 25, crf=0) as writer:
        for index in range(6):
            writer.write(np.full((*SIZE, 3), shade + 10 * index, np.uint8))
    return path


@pytest.fixture
def drive(qtbot, session, tmp_path):
    """A project of a person's own with a labelled clip: trip/mine.segproj and trip/clips/a.mp4."""
    clip = write_clip(tmp_path / "trip" / "clips" / "a.mp4")
    session.open([clip])
    wait_shown(qtbot, session)
    session.create_project(tmp_path / "trip" / "mine.segproj")
    wait_for_project(qtbot, session, tmp_path / "trip" / "mine.segproj")
    wait_shown(qtbot, session)
    paint(session, 4)
    saved(qtbot, session)
    leave(qtbot, session)
    return tmp_path / "trip"


def wait_for_project(qtbot, session, path):
    def is_there():
        projects = session.editor.projects
        return projects.media is not None and projects.project.path == path

    qtbot.waitUntil(is_there, timeout=20_000)


def leave(qtbot, session):
    session.close_source()
    session.editor.projects.leave()
    qtbot.waitUntil(session.editor.projects.is_let_go, timeout=20_000)


def open_project(qtbot, session, path):
    session.open([path])
    wait_for_project(qtbot, session, path)
    wait_shown(qtbot, session)


def test_project_and_clip_that_moved_together(qtbot, session, drive):
    moved = drive.rename(drive.with_name("archive"))
    open_project(qtbot, session, moved / "mine.segproj")
    assert painted(session) == [4, 5]
    assert session.info.path == moved / "clips" / "a.mp4"
    (record,) = session.editor.projects.project.media()
    assert record.path == moved / "clips" / "a.mp4"


def test_a_project_that_moved_alone(qtbot, session, drive, tmp_path):
    (drive / "mine.segproj").rename(tmp_path / "mine.segproj")
    open_project(qtbot, session, tmp_path / "mine.segproj")
    assert painted(session) == [4, 5]
    assert session.info.path == drive / "clips" / "a.mp4"


def test_a_clip_that_was_put_beside_its_project(qtbot, session, drive):
    (drive / "clips" / "a.mp4").rename(drive / "a.mp4")
    open_project(qtbot, session, drive / "mine.segproj")
    assert painted(session) == [4, 5]


def test_a_clip_that_is_gone_is_asked_for(qtbot, session, drive, tmp_path):
    elsewhere = (drive / "clips" / "a.mp4").rename(tmp_path / "renamed.mp4")
    with qtbot.waitSignal(session.media_missing, timeout=20_000) as asked:
        session.open([drive / "mine.segproj"])
    assert asked.args[0].title == "a.mp4"
    session.open([elsewhere])  # what the dialog's answer does
    wait_shown(qtbot, session)
    assert painted(session) == [4, 5]
    leave(qtbot, session)
    open_project(qtbot, session, drive / "mine.segproj")  # known from now on
    assert painted(session) == [4, 5]


def test_another_clip_in_the_old_place_is_not_taken(qtbot, session, drive):
    write_clip(drive / "clips" / "a.mp4", shade=90)
    with qtbot.waitSignal(session.media_missing, timeout=20_000):
        session.open([drive / "mine.segproj"])
    session.open([drive / "clips" / "a.mp4"])
    wait_shown(qtbot, session)
    assert painted(session) == []
    project = session.editor.projects.project
    assert [len(project.frames(m.id)) for m in project.media()] == [1, 0]


def test_a_folder_that_changed_is_opened_with_its_project(qtbot, session, show, folder, tmp_path):
    path = tmp_path / "mine.segproj"
    show(folder, index=2)
    session.create_project(path)
    wait_for_project(qtbot, session, path)
    wait_shown(qtbot, session, 2)
    paint(session, 4)
    saved(qtbot, session)
    leave(qtbot, session)
    save_picture(folder, "a.png", 9)
    open_project(qtbot, session, path)
    assert painted_rows(qtbot, session, 3) == [4, 5]


@pytest.mark.skipif(sys.platform == "win32", reason="an open file cannot be deleted there")
def test_a_clip_that_is_deleted_while_it_is_open_can_still_be_labelled(qtbot, session, drive):
    open_project(qtbot, session, drive / "mine.segproj")
    (drive / "clips" / "a.mp4").unlink()
    paint(session, 20)
    project = saved(qtbot, session)
    assert project.summary(session.editor.held.key).steps == 2
    assert painted(session) == [4, 5, 20, 21]


def test_chosen_pictures_are_opened_with_their_project(qtbot, session, show, folder, tmp_path):
    path = tmp_path / "mine.segproj"
    show(folder / "e.png", folder / "c.png", index=1)
    session.create_project(path)
    wait_for_project(qtbot, session, path)
    wait_shown(qtbot, session, 1)
    paint(session, 4)
    saved(qtbot, session)
    leave(qtbot, session)
    open_project(qtbot, session, path)
    assert session.info.names == ("e.png", "c.png")
    assert painted_rows(qtbot, session, 1) == [4, 5]


def test_a_folder_that_moved_and_changed_can_be_shown(qtbot, session, show, folder, tmp_path):
    path = tmp_path / "mine.segproj"
    show(folder, index=2)
    session.create_project(path)
    wait_for_project(qtbot, session, path)
    wait_shown(qtbot, session, 2)
    paint(session, 4)
    saved(qtbot, session)
    leave(qtbot, session)
    (tmp_path / "far").mkdir()
    moved = folder.rename(tmp_path / "far" / "pictures")
    save_picture(moved, "a.png", 9)
    save_picture(tmp_path / "far" / "others", "d.png", 30)
    with qtbot.waitSignal(session.media_missing, timeout=20_000) as asked:
        session.open([path])
    project, record = session.editor.projects.project, asked.args[0]
    with pytest.raises(MediaError, match="not drive: its content differs; choose the folder"):
        belonging.located(project, record, tmp_path / "far" / "others")
    session.open(belonging.located(project, record, moved))
    wait_shown(qtbot, session)
    assert painted_rows(qtbot, session, 3) == [4, 5]


def test_a_pattern_is_opened_with_its_project_as_a_pattern(qtbot, session, show, folder, tmp_path):
    path = tmp_path / "mine.segproj"
    show(folder / "[b-d].png", index=1)
    session.create_project(path)
    wait_for_project(qtbot, session, path)
    wait_shown(qtbot, session, 1)
    paint(session, 4)
    saved(qtbot, session)
    leave(qtbot, session)
    (folder / "b.png").unlink()
    open_project(qtbot, session, path)
    assert session.info.names == ("c.png", "d.png")
    assert painted(session) == [4, 5]


# --- a second window


@pytest.fixture
def hold():
    """Another process that has a project open, until `end`."""
    running = []

    def begin(path: Path) -> subprocess.Popen:
        code = (
            "import sys; from pathlib import Path; from segstudio.store.project import Project;"
            "p = Project.open(Path(sys.argv[1])); print(p.is_read_only, flush=True);"
            "sys.stdin.read(); p.close()"
        )
        child = subprocess.Popen(
            [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        running.append(child)
        assert child.stdout.readline().strip() == b"False"
        return child

    yield begin
    for child in running:
        end(child)


def end(child: subprocess.Popen) -> None:
    if child.stdin is not None and not child.stdin.closed:
        child.stdin.close()
        child.wait(20)
        child.stdout.close()


def about(told, words: str) -> list[str]:
    return [n.text for n in told if words in n.text]


def wait_told(qtbot, told, words: str) -> None:
    qtbot.waitUntil(lambda: bool(about(told, words)), timeout=20_000)


def test_a_project_that_another_window_holds_is_shown_and_not_changed(
    qtbot, session, drive, hold, told
):
    first = hold(drive / "mine.segproj")
    open_project(qtbot, session, drive / "mine.segproj")
    sentence = f"mine.segproj is open in another window (process {first.pid} on "
    assert len(about(told, sentence)) == 1
    assert painted(session) == [4, 5]
    session.player.seek(3)
    wait_shown(qtbot, session, 3)
    assert painted(session) == []
    assert len(about(told, sentence)) == 1
    assert not session.editor.begin("Brush")
    assert told[-1].text.startswith(sentence)
    assert not session.editor.held.document.is_busy
    leave(qtbot, session)
    end(first)
    open_project(qtbot, session, drive / "mine.segproj")
    paint(session, 20)
    saved(qtbot, session)


def test_a_clip_that_another_window_labels_is_shown_with_its_labels(
    qtbot, session, show, clip, hold, told
):
    show(clip)
    paint(session, 4)
    path = saved(qtbot, session).path
    leave(qtbot, session)
    first = hold(path)
    show(clip)
    assert painted(session) == [4, 5]
    said = about(told, "The project of drive.mp4 is open in another window")
    assert len(said) == 1
    assert "close it there first" in said[0]
    assert session.editor.why_not() == said[0]
    end(first)
    show(clip)
    paint(session, 20)
    assert painted(session) == [4, 5, 20, 21]


def test_a_clip_that_is_not_in_a_project_that_is_held_can_be_watched(
    qtbot, session, drive, hold, clip, told
):
    hold(drive / "mine.segproj")
    open_project(qtbot, session, drive / "mine.segproj")
    session.open([clip])
    qtbot.waitUntil(lambda: session.info is not None and session.info.path == clip)
    wait_told(qtbot, told, "drive.mp4 is not part of mine.segproj")
    wait_shown(qtbot, session, labels=False)
    assert session.editor.why_not() == about(told, "is not part of")[0]


# --- other versions, damage


def test_a_newer_project_is_shown_and_left_as_it_is(qtbot, session, drive, told):
    path = drive / "mine.segproj"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version={schema.VERSION + 1}")
    before = path.read_bytes()
    open_project(qtbot, session, path)
    assert painted(session) == [4, 5]
    assert len(about(told, "written by a newer SegStudio, so it is read-only here")) == 1
    assert not session.editor.begin("Brush")
    leave(qtbot, session)
    assert path.read_bytes() == before


def test_an_older_project_is_brought_up_to_date_and_a_copy_stays(qtbot, session, drive):
    path = drive / "mine.segproj"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("ALTER TABLE frames DROP COLUMN bookmark")
        connection.execute("ALTER TABLE frames DROP COLUMN confidence")
        connection.execute("ALTER TABLE frames DROP COLUMN by_hand")
        connection.execute("PRAGMA user_version=1")
        connection.commit()
    open_project(qtbot, session, path)
    assert painted(session) == [4, 5]
    paint(session, 20)
    saved(qtbot, session)
    assert path.with_name("mine.segproj.v1.bak").is_file()


def test_what_is_no_project_is_named_and_what_was_open_stays(qtbot, session, drive, told):
    open_project(qtbot, session, drive / "mine.segproj")
    other = drive / "other.segproj"
    other.write_text("a shopping list, which is long enough to look like something " * 20)
    session.open([other])
    wait_told(qtbot, told, "other.segproj is damaged or not a SegStudio project")
    paint(session, 20)
    assert painted(session) == [4, 5, 20, 21]


# --- a disk that fills up


@pytest.fixture
def disk(monkeypatch):
    """Full for projects whose name starts with `disk.full`, until that is ""."""

    class Disk:
        full = ""

    real = schema.connect

    def connect(path):
        connection = real(path)
        if Disk.full and path.name.startswith(Disk.full):
            (pages,) = connection.execute("PRAGMA page_count").fetchone()
            connection.execute(f"PRAGMA max_page_count={pages}")
        return connection

    def fill(project):
        Disk.full = project.path.stem[:4]
        project._thread.read(None, lambda _: project._thread._drop_connection())

    monkeypatch.setattr(schema, "connect", connect)
    Disk.fill = staticmethod(fill)
    return Disk


def paint_much(session, seed: int) -> None:
    """A step that needs new pages."""
    editor = session.editor
    rng = np.random.default_rng(seed)
    assert editor.begin("Noise", on_draft=False), editor.why_not()
    patch = rng.integers(0, 11, editor.shape).astype(np.uint8)
    editor.put(rectangle((0, 0), (39, 59), editor.shape), patch, origin=3)
    editor.commit()


def test_strokes_go_on_while_the_disk_is_full_and_are_saved_later(
    qtbot, session, drive, disk, told
):
    open_project(qtbot, session, drive / "mine.segproj")
    project = session.editor.projects.project
    disk.fill(project)
    for seed in range(4):
        paint_much(session, seed)
    wait_told(qtbot, told, "the disk is full; make room")
    last = session.editor.held.document.labels.copy()
    session.editor.undo()
    session.editor.redo()
    assert project.waiting == 6
    assert len(about(told, "Not saved")) == 1
    disk.full = ""
    project.retry()
    qtbot.waitUntil(lambda: not project.waiting)
    wait_told(qtbot, told, "Everything is saved again.")
    assert len(about(told, "Not saved")) == 1
    leave(qtbot, session)
    open_project(qtbot, session, drive / "mine.segproj")
    assert np.array_equal(session.editor.held.document.labels, last)
    assert len(session.editor.held.history.entries) == 5
    session.editor.go_to_step(1)
    assert painted(session) == [4, 5]


def test_a_window_that_is_closed_on_a_full_disk_leaves_a_copy_and_says_where(
    qtbot, session, drive, disk, told, monkeypatch
):
    monkeypatch.setattr(projects, "CLOSE_S", 0.2)
    path = drive / "mine.segproj"
    open_project(qtbot, session, path)
    disk.fill(session.editor.projects.project)
    paint_much(session, 1)
    last = session.editor.held.document.labels.copy()
    wait_told(qtbot, told, "the disk is full; make room")
    leave(qtbot, session)
    wait_told(qtbot, told, "a copy that has them is")
    disk.full = ""
    told.clear()
    open_project(qtbot, session, path)
    assert painted(session) == [4, 5]
    (copy,) = (paths.user_data() / "rescue").glob("*.segproj")
    said = about(told, f"could not be saved in mine.segproj; a copy that has them is {copy}")
    assert len(said) == 1
    leave(qtbot, session)
    open_project(qtbot, session, path)
    assert len(about(told, "could not be saved in mine.segproj")) == 1
    leave(qtbot, session)
    open_project(qtbot, session, copy)
    assert np.array_equal(session.editor.held.document.labels, last)


# --- projects that nobody needs


def test_looking_at_clips_leaves_nothing_behind(qtbot, session, show, clip, folder):
    show(clip)
    assert len(own_projects()) > 0
    show(folder)
    session.close_source()
    qtbot.waitUntil(lambda: own_projects() == [])
    notes = paths.user_data() / "projects" / "found"
    qtbot.waitUntil(lambda: list(notes.iterdir()) == [])  # they go after their projects
    show(clip)
    session.editor.set_options(replace(session.editor.options, locked=frozenset({3})))
    session.close_source()
    show(clip)
    assert session.editor.options.locked == {3}


def test_a_stroke_under_way_is_kept_when_another_project_is_opened(qtbot, session, show, clip,
                                                                   drive):  # fmt: skip
    show(clip)
    assert session.editor.begin("Brush", on_draft=False)
    session.editor.paint(rectangle((4, 3), (5, 40), session.editor.shape), 8)
    open_project(qtbot, session, drive / "mine.segproj")
    assert painted(session) == [4, 5]
    leave(qtbot, session)
    show(clip)
    assert painted(session) == [4, 5]
    assert len(session.editor.held.history.entries) == 1


# --- classes

FEW = ClassMap("few", (ClassDef(0, "Road", (1, 2, 3)), ClassDef(1, "Sky", (4, 5, 6))))


@pytest.fixture
def small(session, card):
    """Another model, with two classes."""
    made = replace(card, name="small", classes=FEW)
    session.models.cards = (card, made)
    return made


def test_an_empty_project_follows_the_model_that_is_chosen(qtbot, session, show, clip, small):
    show(clip)
    session.models.choose("small")
    assert session.editor.classes == FEW
    assert session.editor.projects.project.is_untouched
    session.models.choose("fake")
    assert session.editor.classes == CAMVID


def test_a_project_with_labels_keeps_its_classes_and_losses_are_told_once(
    qtbot, session, show, clip, small, told
):
    session.models.choose("small")
    show(clip)
    paint(session, 4, class_id=1)
    session.models.choose("fake")
    qtbot.waitUntil(lambda: is_drafted_by(session, "fake"), timeout=20_000)
    assert session.editor.classes == FEW
    session.player.seek(3)
    wait_shown(qtbot, session, 3)
    wait_told(qtbot, told, "fake knows other classes")
    session.player.seek(5)
    wait_shown(qtbot, session, 5)
    (said,) = about(told, "fake knows other classes")
    assert "become void" in said


def is_drafted_by(session, model):
    prediction = session.result.prediction
    return prediction is not None and prediction.model == model


def test_classes_that_a_person_chose_stay(qtbot, session, show, clip, small):
    show(clip)
    project = session.editor.projects.project
    project.remap(FEW, None).result(10)
    session.editor.projects.renew()
    session.models.choose("fake")
    assert session.editor.classes == FEW
    session.close_source()
    show(clip)
    assert session.editor.classes == FEW
