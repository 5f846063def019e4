"""Opening: other files, older and newer ones, damaged ones, two windows, disks that cannot write."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from segstudio import paths
from segstudio.core.classes import CAMVID
from segstudio.errors import SegStudioError
from segstudio.store import project_lock, schema
from segstudio.store.project import FrameKey, Project, auto_path
from segstudio.store.project_lock import ProjectLock

KEY = FrameKey(1, 3)

HOLDER = """
import sys, time
from pathlib import Path
from segstudio.store.project import Project
project = Project.open(Path(sys.argv[1]))
project.put_setting("held", True).result(10)
print("ready", flush=True)
time.sleep(60)
"""


def run_sql(path, *statements):
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


@pytest.fixture
def closed(project, painter):
    """(path, frame) of a project with two strokes that nobody has open."""
    frame = painter(project, KEY)
    frame.paint((20, 20), 3)
    frame.paint((60, 90), 8).result(10)
    assert project.close()
    return project.path, frame


def test_nothing_is_made_over_an_existing_file(project, tmp_path):
    with pytest.raises(SegStudioError, match="exists already"):
        Project.create(project.path, CAMVID)
    other = tmp_path / "notes.segproj"
    other.write_text("mine")
    with pytest.raises(SegStudioError, match="exists already"):
        Project.create(other, CAMVID)
    assert other.read_text() == "mine"


def test_what_a_killed_creation_left_can_be_made_again(tmp_path, own_home):
    path = auto_path("cd" * 16, "My clip?.mp4")
    assert path.parent == paths.user_data() / "projects"
    assert path.name == "My_clip-cdcdcdcdcdcd.segproj"
    path.parent.mkdir(parents=True)
    path.touch()
    Project.create(path, CAMVID).close()
    path.write_bytes(b"")
    os.utime(path, (1, 1))
    assert not auto_path("cd" * 16, "My clip?.mp4").exists()


def test_a_creation_that_fails_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(schema, "TABLES", ("CREATE TABLE settings(",))
    with pytest.raises(SegStudioError, match="could not be made"):
        Project.create(tmp_path / "x.segproj", CAMVID)
    assert list(tmp_path.glob("x*")) == []


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "is not there"),
        (b"", "is empty"),
        (b"just text, and enough of it to be looked at " * 40, "damaged or not a SegStudio"),
        ("folder", "is a folder"),
        ("sqlite", "is not a SegStudio project"),
    ],
)
def test_what_is_no_project_is_refused_and_left_alone(tmp_path, content, says):
    path = tmp_path / "odd.segproj"
    if content == "folder":
        path.mkdir()
    elif content == "sqlite":
        run_sql(path, "CREATE TABLE mine(x)", "INSERT INTO mine VALUES(1)")
    elif content is not None:
        path.write_bytes(content)
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(SegStudioError, match=says) as caught:
        Project.open(path)
    assert str(caught.value).endswith(".")
    assert before is None or path.read_bytes() == before


def test_a_damaged_page_is_told_and_the_file_stays(closed):
    path, _ = closed
    content = bytearray(path.read_bytes())
    content[4096 * 2 : 4096 * 3] = b"\x99" * 4096
    path.write_bytes(content)
    with pytest.raises(SegStudioError, match="it is left as it is, open a copy"):
        Project.open(path)
    assert path.read_bytes() == content


def make_it_version_1(path):
    run_sql(
        path, "ALTER TABLE frames DROP COLUMN bookmark", "ALTER TABLE frames DROP COLUMN confidence",
        "ALTER TABLE frames DROP COLUMN by_hand",
        "PRAGMA user_version=1", "PRAGMA journal_mode=DELETE",
    )  # fmt: skip


def test_an_older_project_is_brought_up_to_date_and_a_copy_kept(closed, projects):
    path, frame = closed
    make_it_version_1(path)
    old = path.read_bytes()
    project = Project.open(path)
    projects.append(project)
    frame.check(project)
    project.bookmark(KEY, on=True, about=frame.about).result(10)
    kept = path.with_name("drive.segproj.v1.bak")
    with closing(sqlite3.connect(kept)) as copy:
        assert copy.execute("PRAGMA user_version").fetchone() == (1,)
        assert copy.execute("SELECT count(*) FROM steps").fetchone() == (2,)
    assert len(old) == kept.stat().st_size


def test_a_project_of_version_2_does_not_know_how_much_was_painted(closed, projects):
    path, frame = closed
    run_sql(path, "ALTER TABLE frames DROP COLUMN by_hand", "PRAGMA user_version=2")
    project = Project.open(path)
    projects.append(project)
    frame.check(project)
    assert project.summary(KEY).about.by_hand is None
    assert path.with_name("drive.segproj.v2.bak").is_file()


def test_an_older_project_that_may_only_be_read_stays_as_it_is(closed, projects):
    path, frame = closed
    make_it_version_1(path)
    old = path.read_bytes()
    project = Project.open(path, read_only=True)
    projects.append(project)
    frame.check(project)
    assert path.read_bytes() == old


def test_a_migration_that_fails_changes_nothing(closed, monkeypatch):
    path, _ = closed
    make_it_version_1(path)

    def half(connection: sqlite3.Connection) -> None:
        connection.execute("ALTER TABLE frames ADD COLUMN bookmark INTEGER")
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setitem(schema.MIGRATIONS, 1, half)
    with pytest.raises(SegStudioError, match="cannot be opened"):
        Project.open(path)
    with closing(sqlite3.connect(path)) as connection:
        columns = [row[1] for row in connection.execute("PRAGMA table_info(frames)")]
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    assert "bookmark" not in columns


def test_a_newer_project_is_read_only_and_never_rewritten(closed, projects):
    path, frame = closed
    run_sql(path, f"PRAGMA user_version={schema.VERSION + 5}", "CREATE TABLE later(x)",
            "PRAGMA journal_mode=DELETE")  # fmt: skip
    before = path.read_bytes()
    project = Project.open(path)
    projects.append(project)
    assert "newer SegStudio" in project.why_read_only
    frame.check(project)
    with pytest.raises(SegStudioError, match="newer SegStudio"):
        project.put_setting("x", 1)
    project.close()
    assert path.read_bytes() == before


def test_a_newer_project_that_cannot_be_read_is_one_sentence(closed):
    path, _ = closed
    run_sql(path, f"PRAGMA user_version={schema.VERSION + 5}", "ALTER TABLE frames RENAME TO f2")
    with pytest.raises(SegStudioError, match="newer SegStudio"):
        Project.open(path)


def test_columns_tables_and_settings_that_nobody_knows_survive(closed, projects):
    path, frame = closed
    run_sql(
        path, "ALTER TABLE frames ADD COLUMN mood TEXT", "UPDATE frames SET mood='sunny'",
        "ALTER TABLE tiles ADD COLUMN extra TEXT", "UPDATE tiles SET extra='kept'",
        "ALTER TABLE steps ADD COLUMN extra TEXT", "CREATE TABLE later(x)",
        "INSERT INTO settings(name, value) VALUES('later.thing', '{}')",
    )  # fmt: skip
    frame.project = Project.open(path)
    projects.append(frame.project)
    frame.paint((30, 40), 5).result(10)
    frame.check(frame.project)
    frame.project.close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT mood FROM frames").fetchall() == [("sunny",)]
        assert connection.execute("SELECT count(*) FROM tiles WHERE extra='kept'").fetchone()[0]
        assert connection.execute("SELECT count(*) FROM later").fetchone() == (0,)
        assert connection.execute("SELECT 1 FROM settings WHERE name='later.thing'").fetchone()


def test_the_second_window_reads_and_says_who_writes(project, painter, projects):
    frame = painter(project, KEY)
    frame.paint((20, 20), 3).result(10)
    second = Project.open(project.path)
    projects.append(second)
    assert f"process {os.getpid()} on" in second.why_read_only
    frame.check(second)
    with pytest.raises(SegStudioError, match="open in another window"):
        second.flag(KEY, "x", frame.about)
    project.close()
    third = Project.open(project.path)
    projects.append(third)
    assert not third.is_read_only


def test_a_killed_holder_frees_the_project_at_once(closed, projects):
    path, frame = closed
    child = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert child.stdout.readline() == "ready\n"
        second = Project.open(path)
        assert f"process {child.pid} on" in second.why_read_only
        second.close()
        child.send_signal(signal.SIGKILL)
    finally:
        child.kill()
        child.wait(10)
        child.stdout.close()
    again = Project.open(path)
    projects.append(again)
    assert not again.is_read_only
    assert again.setting("held") is True
    frame.check(again)


def test_the_lock_of_another_computer_is_only_taken_when_asked(closed, projects):
    path, _ = closed
    lock = path.with_name(f"{path.name}.lock")
    lock.write_text(json.dumps({"host": "far-away", "pid": 4711, "since": 1.0}))
    first = Project.open(path)
    projects.append(first)
    assert "process 4711 on far-away" in first.why_read_only
    assert json.loads(lock.read_text())["host"] == "far-away"
    taken = Project.open(path, take_over=True)
    projects.append(taken)
    assert not taken.is_read_only
    assert json.loads(lock.read_text())["pid"] == os.getpid()


def test_a_lock_file_of_nonsense_is_nobody(tmp_path):
    path = tmp_path / "x.segproj"
    path.with_name("x.segproj.lock").write_bytes(b"\xff{nonsense")
    lock = ProjectLock(path)
    assert lock.take() is None
    assert ProjectLock(path).take().pid == os.getpid()
    lock.release()
    lock.release()


def test_a_folder_that_cannot_be_written_is_read_only_with_the_reason(
    closed, monkeypatch, projects
):
    path, frame = closed

    def refused(*_: object, **__: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(project_lock.os, "open", refused)
    project = Project.open(path)
    monkeypatch.undo()
    projects.append(project)
    assert "cannot be written (Permission denied)" in project.why_read_only
    frame.check(project)


@pytest.mark.parametrize("has_log", [False, True])
def test_reading_needs_no_folder_to_write_to(
    project, painter, tmp_path, monkeypatch, projects, has_log
):
    frame = painter(project, KEY)
    frame.paint((20, 20), 3).result(10)
    path = tmp_path / "there" / "drive.segproj"
    path.parent.mkdir()
    if not has_log:
        project.close()
    for end in ("", "-wal") if has_log else ("",):
        path.with_name(path.name + end).write_bytes(
            project.path.with_name(project.path.name + end).read_bytes()
        )
    real = schema._reading

    def no_shared_memory(uri: str) -> sqlite3.Connection:
        if uri.endswith("?mode=ro"):  # what SQLite says in a folder that is read-only
            raise sqlite3.OperationalError("unable to open database file")
        return real(uri)

    monkeypatch.setattr(schema, "_reading", no_shared_memory)
    found = Project.open(path, read_only=True)
    projects.append(found)
    frame.check(found)


@pytest.mark.parametrize("is_first_page_torn", [False, True])
@pytest.mark.parametrize("read_only", [False, True])
def test_a_write_that_was_cut_off_is_rolled_back_first(
    tmp_path, monkeypatch, painter, projects, read_only, is_first_page_torn
):
    monkeypatch.setattr(schema, "is_network_drive", lambda _: True)
    path = tmp_path / "far.segproj"
    project = Project.create(path, CAMVID)
    projects.append(project)
    project.add_media(fingerprint="a", title="t", kind="images", path=tmp_path, width=200,
                      height=150, frames=9)  # fmt: skip
    frame = painter(project, KEY)
    frame.paint((20, 20), 3).result(10)
    cut = tmp_path / "cut" / "far.segproj"
    cut.parent.mkdir()

    def half(connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA cache_size=1")  # pages reach the file before the commit
        connection.execute("PRAGMA cache_spill=1")
        connection.execute("DELETE FROM tiles")
        connection.execute("CREATE TABLE much(x)")
        for _ in range(50):
            connection.execute("INSERT INTO much VALUES(randomblob(9000))")
        for end in ("", "-journal"):
            source = path.with_name(path.name + end)
            cut.with_name(cut.name + end).write_bytes(source.read_bytes())

    project._thread.write(None, half).result(10)
    assert cut.with_name("far.segproj-journal").stat().st_size > 4096
    if is_first_page_torn:
        content = cut.read_bytes()
        cut.write_bytes(b"\x99" * 4096 + content[4096:])
    again = Project.open(cut, read_only=read_only)
    projects.append(again)
    frame.check(again)


def test_network_drives_get_a_rollback_journal_and_a_note(tmp_path, monkeypatch, projects):
    monkeypatch.setattr(schema, "is_network_drive", lambda _: True)
    project = Project.create(tmp_path / "far.segproj", CAMVID)
    projects.append(project)
    project.put_setting("x", 1).result(10)
    assert not (tmp_path / "far.segproj-wal").exists()
    assert "network drive" in project.notes[0]


def test_network_drives_are_told_by_their_mount(tmp_path, monkeypatch):
    where = tmp_path.resolve()
    mounts = f"/dev/a / ext4 rw 0 0\nserver:/x {where.parent} nfs4 rw 0 0\n"
    real = schema.Path.read_text
    monkeypatch.setattr(
        schema.Path, "read_text",
        lambda self, **kw: mounts if str(self) == "/proc/mounts" else real(self, **kw),
    )  # fmt: skip
    assert schema.is_network_drive(tmp_path / "x.segproj")
    assert not schema.is_network_drive(schema.Path("/x.segproj"))
