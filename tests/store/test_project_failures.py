"""A disk that refuses: nothing is dropped, people are told, and work goes on."""

import sqlite3
import threading

import pytest

from segstudio import paths
from segstudio.errors import SegStudioError
from segstudio.store import schema, store_thread
from segstudio.store.project import FrameKey, Project, StoreNews

KEY = FrameKey(1, 3)


class Ear:
    """Collects the news, and waits for a kind of them."""

    def __init__(self, project: Project) -> None:
        self.news: list[StoreNews] = []
        self._change = threading.Condition()
        project.add_listener(self.hear)

    def hear(self, news: StoreNews) -> None:
        with self._change:
            self.news.append(news)
            self._change.notify_all()

    def wait(self, kind: str) -> StoreNews:
        with self._change:
            assert self._change.wait_for(lambda: any(n.kind == kind for n in self.news), 10)
        return next(n for n in self.news if n.kind == kind)


class Disk:
    """Full for the database until there is room again."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.is_full = False
        self.opened = 0
        real = schema.connect

        def connect(path):
            connection = real(path)
            self.opened += 1
            if self.is_full:
                (pages,) = connection.execute("PRAGMA page_count").fetchone()
                connection.execute(f"PRAGMA max_page_count={pages}")
            return connection

        monkeypatch.setattr(schema, "connect", connect)

    def fill(self, project: Project) -> None:
        self.is_full = True
        project._thread.read(None, lambda _: project._thread._drop_connection())


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


@pytest.fixture
def full(disk, project, painter):
    """(disk, frame, ear, futures): ten strokes are safe, and more than fit are waiting."""
    frame = painter(project, KEY)
    frame.paint((20, 20), 3).result(10)
    ear = Ear(project)
    disk.fill(project)
    futures = [frame.paint((y, 2 * y), y % 11) for y in range(8, 100, 4)]
    ear.wait("trouble")
    yield disk, frame, ear, [f for f in futures if f is not None]
    disk.is_full = False


def test_on_a_full_disk_strokes_wait_and_get_through_when_there_is_room(full, project):
    disk, frame, ear, futures = full
    news = ear.wait("trouble")
    assert "the disk is full; make room" in news.text
    assert news.waiting > 0
    assert project.waiting > 0
    disk.is_full = False
    project.retry()
    for future in futures:
        assert future.result(10) is None
    ear.wait("recovered")
    assert project.waiting == 0
    assert [n.kind for n in ear.news].count("trouble") == 1
    frame.check(project)


def test_on_a_full_disk_frames_are_read_with_what_waits(full, project, painter):
    _, frame, _, _ = full
    assert project.waiting > 0
    frame.check(project)
    other = painter(project, FrameKey(1, 5))
    other.paint((30, 30), 2)
    other.check(project)
    frame.check(project)


def test_a_copy_elsewhere_has_what_waits(full, project, tmp_path, projects):
    _, frame, _, _ = full
    project.copy_to(tmp_path / "elsewhere" / "copy.segproj")
    copy = Project.open(tmp_path / "elsewhere" / "copy.segproj")
    projects.append(copy)
    frame.check(copy)
    assert project.waiting > 0


def test_closing_on_a_full_disk_leaves_a_rescue_copy(full, project, projects):
    _, frame, _, futures = full
    assert not project.close(0.2)
    assert all(f.done() for f in futures)
    (rescued,) = (paths.user_data() / "rescue").glob("drive-*.segproj")
    copy = Project.open(rescued)
    projects.append(copy)
    frame.check(copy)


def failing_commits(monkeypatch, *, after: bool, times: int):
    """Every COMMIT reports an I/O error, before it happens or although it happened."""
    left = [times]
    real = schema.connect

    class Broken(sqlite3.Connection):
        def execute(self, sql, *args):
            if sql == "COMMIT" and left[0]:
                left[0] -= 1
                if after:
                    super().execute(sql)
                raise sqlite3.OperationalError("disk I/O error")
            return super().execute(sql, *args)

    made = []

    def connect(path):
        real(path).close()
        connection = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False, factory=Broken
        )
        made.append(connection)
        return connection

    monkeypatch.setattr(schema, "connect", connect)
    return made


@pytest.mark.parametrize("after", [False, True])
def test_after_an_io_error_the_file_is_opened_anew_and_nothing_is_done_twice(
    project, painter, monkeypatch, after
):
    frame = painter(project, KEY)
    frame.paint((20, 20), 3).result(10)
    ear = Ear(project)
    made = failing_commits(monkeypatch, after=after, times=1)
    project._thread.read(None, lambda _: project._thread._drop_connection())
    monkeypatch.setattr(store_thread, "RETRY_S", 0.0)
    future = frame.paint((60, 90), 8)
    assert future.result(10) is None
    assert ear.wait("trouble").text.startswith("Not saved: the disk reports an error")
    ear.wait("recovered")
    assert len(made) == 2
    frame.paint((30, 90), 1).result(10)
    frame.check(project)


def test_a_project_file_that_vanished_is_told_and_never_made_anew(project, painter, monkeypatch):
    frame = painter(project, KEY)
    frame.paint((20, 20), 3).result(10)
    ear = Ear(project)
    project._thread.read(None, lambda _: project._thread._drop_connection())
    aside = project.path.with_name("aside.segproj")
    project.path.rename(aside)
    future = frame.paint((60, 90), 8)
    assert "the project file is gone; put it back" in ear.wait("trouble").text
    assert not project.path.exists()
    aside.rename(project.path)
    project.retry()
    assert future.result(10) is None
    frame.check(project)


def test_a_listener_that_fails_does_not_stop_the_saving(project, painter):
    def broken(_: StoreNews) -> None:
        raise ValueError("a bug elsewhere")

    project.add_listener(broken)
    frame = painter(project, KEY)
    for y in range(10, 60, 10):
        frame.paint((y, 20), y % 11).result(10)
    frame.check(project)


def test_a_closed_project_says_so(project, painter):
    frame = painter(project, KEY)
    assert project.close()
    assert project.close()
    with pytest.raises(SegStudioError, match="being closed"):
        frame.paint((20, 20), 3)
    with pytest.raises(SegStudioError, match="being closed"):
        project.load(KEY)


def test_a_write_cannot_be_called_off(project, painter):
    future = painter(project, KEY).paint((20, 20), 3)
    assert not future.cancel()
    assert future.result(10) is None
