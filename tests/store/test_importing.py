"""Many frames in one transaction: all of them, or nothing that was not there before."""

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from segstudio.core.brush import Area
from segstudio.core.classes import CAMVID, ClassDef, ClassMap
from segstudio.core.geometry import Rect
from segstudio.core.labels import LabelDocument
from segstudio.core.origins import CONFIRMED
from segstudio.errors import SegStudioError
from segstudio.store import frame_rows, schema
from segstudio.store.frame_rows import StaleFrame
from segstudio.store.importing import NewMedium, NewStep
from segstudio.store.picture_names import PictureNames
from segstudio.store.project import FrameAbout, FrameKey, MediaRecord, Project

SHAPE = (150, 200)
PLACE = Path("folder")
MORE = ClassMap("camvid", (*CAMVID.classes, ClassDef(40, "Tram", (1, 2, 3))))


def new_step(media, index, class_id=3, number=0):
    labels = np.full(SHAPE, class_id, np.uint8)
    document = LabelDocument(np.full(SHAPE, 255, np.uint8), np.zeros(SHAPE, np.uint8))
    document.begin("Imported")
    document.put(Area(Rect(0, 0, *SHAPE), np.ones(SHAPE, np.bool_)), labels, origin=CONFIRMED)
    step = document.commit()
    counts = tuple(int(n) for n in document.origin_counts[:5])
    about = FrameAbout(None, 7, f"{index}.png", *SHAPE)
    return NewStep(FrameKey(media, index), number, step, counts, about)


def new_medium(fingerprint="cd" * 16, names=("0.png", "1.png")):
    record = MediaRecord(0, fingerprint, "more", "sequence", PLACE, SHAPE[1], SHAPE[0], 2)
    return NewMedium(record, PictureNames(names, True))


def state(project):
    """All that a person could see of it, from memory and from the file."""
    project.load(FrameKey(1, 0))  # waits until everything is on the disk
    frames = [project.frames(record.id) for record in project.media()]
    with closing(sqlite3.connect(project.path)) as file:
        tables = {
            name: file.execute(f"SELECT * FROM {name} ORDER BY 1, 2").fetchall()
            for name in ("media", "frames", "tiles", "steps")
        }
        tables["settings"] = file.execute(
            "SELECT * FROM settings WHERE name != 'last_ticket' ORDER BY 1"
        ).fetchall()
    return project.media(), frames, project.classes, project.pictures(2), tables


def test_frames_media_and_classes_arrive_together(project):
    steps = [new_step(1, 0), new_step(1, 4, 5), new_step(-1, 1, 40)]
    records, done = project.push_all(lambda: steps, media=[new_medium()], classes=MORE)
    done.result(10)
    assert [record.id for record in records] == [2]
    project.close()
    again = Project.open(project.path)
    try:
        assert again.classes == MORE
        assert [m.title for m in again.media()] == ["clip", "more"]
        assert again.pictures(2) == PictureNames(("0.png", "1.png"), True)
        assert [s.key for s in again.frames(1)] == [FrameKey(1, 0), FrameKey(1, 4)]
        assert (again.load(FrameKey(2, 1)).labels == 40).all()
        assert again.load(FrameKey(2, 1)).history[0].title == "Imported"
    finally:
        again.close()


def test_the_memory_knows_what_the_file_knows(project):
    _, done = project.push_all(lambda: [new_step(1, 0), new_step(1, 4)])
    done.result(10)
    for index in (0, 4):
        assert project.summary(FrameKey(1, index)) == project.load(FrameKey(1, index)).summary


def test_each_frame_can_be_undone_by_itself(project):
    _, done = project.push_all(lambda: [new_step(1, 0), new_step(1, 4)])
    done.result(10)
    key = FrameKey(1, 4)
    step = project.step(key, 0)
    tiles = [(t.row, t.col, t.before) for t in step.tiles]
    project.move(key, 0, tiles, (SHAPE[0] * SHAPE[1], 0, 0, 0, 0)).result(10)
    assert (project.load(key).labels == 255).all()
    assert (project.load(FrameKey(1, 0)).labels == 3).all()


@pytest.mark.parametrize("trouble", ["stale", "error", "oserror", "bug", "unknown medium"])
def test_a_frame_that_fails_in_the_middle_takes_everything_back(project, painter, trouble):
    frame = painter(project, FrameKey(1, 3))
    frame.paint((20, 20), 3).result(10)
    before = state(project)

    def steps():
        yield new_step(1, 0)
        yield new_step(-1, 0)
        if trouble == "stale":
            yield new_step(1, 3, number=0)
        elif trouble == "unknown medium":
            yield new_step(9, 3)
        elif trouble == "oserror":
            raise FileNotFoundError("the spool")
        else:
            raise SegStudioError("damaged") if trouble == "error" else ZeroDivisionError
        yield new_step(1, 5)

    _, done = project.push_all(steps, media=[new_medium()], classes=MORE)
    wanted = {"stale": StaleFrame, "bug": ZeroDivisionError}.get(trouble, SegStudioError)
    assert isinstance(done.exception(10), wanted)
    assert state(project) == before
    frame.paint((40, 40), 5).result(10)  # and work goes on
    frame.check(project)


def test_strokes_before_and_after_keep_their_order(project, painter):
    frame = painter(project, FrameKey(1, 3))
    frame.paint((20, 20), 3)
    _, done = project.push_all(lambda: [new_step(1, 0)])
    frame.paint((40, 40), 5)
    done.result(10)
    frame.check(project)


def test_a_stroke_painted_meanwhile_is_not_overwritten(project, painter):
    frame = painter(project, FrameKey(1, 3))
    frame.paint((20, 20), 3).result(10)
    frame.paint((60, 60), 4)  # after the import was prepared
    _, done = project.push_all(lambda: [new_step(1, 0), new_step(1, 3, number=1)])
    assert isinstance(done.exception(10), StaleFrame)
    frame.check(project)
    assert project.summary(FrameKey(1, 0)) is None


def test_media_that_are_there_already_stay_themselves(project):
    (known,) = project.media()
    medium = NewMedium(
        MediaRecord(0, known.fingerprint, "clip", "images", known.path, 200, 150, 10)
    )
    (record,), done = project.push_all(lambda: [new_step(-1, 2)], media=[medium])
    done.result(10)
    assert record.id == known.id
    assert [s.key for s in project.frames(1)] == [FrameKey(1, 2)]


def test_a_disk_that_refuses_ends_the_import_and_nothing_has_changed(project, painter, monkeypatch):
    frame = painter(project, FrameKey(1, 3))
    frame.paint((20, 20), 3).result(10)
    before = state(project)
    real = schema.connect

    def full(path):
        connection = real(path)
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count={pages + 3}")
        return connection

    with monkeypatch.context() as patched:
        patched.setattr(schema, "connect", full)
        project._thread.read(None, lambda _: project._thread._drop_connection())
        rng = np.random.default_rng(3)

        def noise(index):
            new = new_step(1, index)
            tiles = tuple(type(t)(t.row, t.col, t.before, rng.bytes(9000)) for t in new.step.tiles)
            return type(new)(
                new.key, 0, type(new.step)("Imported", None, 1, new.step.rect, tiles), new.counts,
                new.about,
            )  # fmt: skip

        _, done = project.push_all(lambda: map(noise, range(10)), media=[new_medium()])
        error = done.exception(10)
        assert isinstance(error, SegStudioError)
        assert "nothing in it has changed" in str(error)
        project._thread.read(None, lambda _: project._thread._drop_connection())
    assert state(project) == before


def test_a_commit_that_fails_ends_it_too(project, monkeypatch):
    from segstudio.store import store_thread

    before = state(project)
    monkeypatch.setattr(store_thread, "RETRY_S", 0.0)
    real = project._thread._transact
    fails = [True]

    def transact(write):
        value = write.operation
        if fails and write.key is None:

            def operation(connection):
                value(connection)
                fails.clear()
                raise sqlite3.OperationalError("disk I/O error")  # as a COMMIT would

            write.operation, kept = operation, write.operation
            try:
                return real(write)
            finally:
                write.operation = kept
        return real(write)

    monkeypatch.setattr(project._thread, "_transact", transact)
    _, done = project.push_all(lambda: [new_step(1, 0)], media=[new_medium()], classes=MORE)
    assert "nothing in it has changed" in str(done.exception(10))
    assert state(project) == before


def test_a_project_that_is_read_only_says_so(project):
    project.close()
    again = Project.open(project.path, read_only=True)
    try:
        with pytest.raises(SegStudioError, match="reading only"):
            again.push_all(lambda: [new_step(1, 0)])
    finally:
        again.close()


_KILLED = """
    import os, signal, sys
    from pathlib import Path
    sys.path.insert(0, {tests!r})
    from test_importing import new_medium, new_step, MORE
    from segstudio.store.project import Project

    project = Project.open(Path({path!r}))

    def steps():
        for index in range(6):
            yield new_step(1, index)
        print("in the middle", flush=True)
        os.kill(os.getpid(), signal.SIGKILL)

    project.push_all(steps, media=[new_medium()], classes=MORE)[1].result()
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here")
def test_a_program_that_is_killed_in_the_middle_leaves_nothing(project):
    project.close()
    program = textwrap.dedent(_KILLED).format(
        tests=str(Path(__file__).parent), path=str(project.path)
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=os.environ, check=False
    )
    assert (ended.stdout, ended.returncode) == ("in the middle\n", -signal.SIGKILL), ended.stderr
    again = Project.open(project.path)
    try:
        assert again.is_empty
        assert [m.title for m in again.media()] == ["clip"]
        assert again.classes == CAMVID
        again.push_all(lambda: [new_step(1, 0)])[1].result(10)
    finally:
        again.close()


def test_what_is_read_while_an_import_waits_comes_from_a_copy_with_that_frame(project, painter):
    frame = painter(project, FrameKey(1, 3))
    frame.paint((20, 20), 3).result(10)
    go_on = threading.Event()
    waiting = project._thread.write(None, lambda _: go_on.wait(10))
    steps = [new_step(1, 0), new_step(-1, 1), new_step(1, 3, number=1)]
    _, done = project.push_all(lambda: steps, media=[new_medium()])
    operation = project._thread.pending()[-1].operation
    with closing(sqlite3.connect(project.path)) as file:
        for key in (FrameKey(1, 0), FrameKey(1, 3)):
            with closing(frame_rows.in_memory(file, key)) as copy:
                operation(copy)
                assert (frame_rows.load(copy, key).labels == 3).all()
    assert project.summary(FrameKey(1, 0)) is None
    go_on.set()
    waiting.result(10)
    done.result(10)
    assert project.summary(FrameKey(1, 3)).position == 2
