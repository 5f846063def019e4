"""What goes into a project comes out again: in the same window, in the next one, after a crash."""

import shutil

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segstudio.core.class_mapping import from_ids
from segstudio.core.classes import CAMVID, ClassDef, ClassMap
from segstudio.errors import SegStudioError
from segstudio.store.frame_rows import StaleFrame
from segstudio.store.project import FrameKey, Project

KEY = FrameKey(1, 3)


def test_a_stroke_and_its_history_survive_closing(project, painter, projects):
    frame = painter(project, KEY)
    frame.paint((20, 20), 3)
    frame.paint((60, 90), 8)
    frame.go(1).result(10)
    frame.check(project)
    assert project.close()
    again = Project.open(project.path)
    projects.append(again)
    assert not again.is_read_only
    assert again.classes == CAMVID
    frame.check(again)
    frame.project = again
    frame.go(2).result(10)
    frame.check(again)


def test_a_new_step_drops_what_could_be_redone(project, painter):
    frame = painter(project, KEY)
    frame.paint((20, 20), 3)
    frame.paint((60, 90), 8)
    frame.go(1)
    frame.paint((10, 100), 2)
    frame.check(project)
    with pytest.raises(SegStudioError, match="not in the project any more"):
        project.step(KEY, 2)


def test_a_frame_nobody_touched_is_none(project):
    assert project.load(KEY) is None
    assert project.summary(KEY) is None
    assert project.frames(1) == ()
    assert project.is_empty


def test_a_step_that_does_not_fit_is_refused_and_changes_nothing(project, painter):
    frame = painter(project, KEY)
    frame.paint((20, 20), 3).result(10)
    wrong = project.push(KEY, 3, frame.steps[0], frame.counts, frame.about)
    assert isinstance(wrong.exception(10), StaleFrame)
    assert isinstance(project.move(KEY, 2, [], frame.counts).exception(10), StaleFrame)
    assert isinstance(project.move(FrameKey(1, 9), 0, [], frame.counts).exception(10), StaleFrame)
    frame.check(project)


def test_a_medium_that_is_not_there_is_refused(project, painter):
    frame = painter(project, FrameKey(44, 0))
    assert "no medium 44" in str(frame.paint((20, 20), 3).exception(10))
    assert project.summary(FrameKey(44, 0)) is None


def test_flags_bookmarks_and_confidence_need_no_labels(project, painter, projects):
    about = painter(project, KEY).about
    project.flag(KEY, "glare", about)
    project.bookmark(KEY, on=True, about=about)
    project.set_confidence(FrameKey(1, 1), 0.5, about)
    project.put_setting("locked", [1, 2]).result(10)
    project.close()
    again = Project.open(project.path)
    projects.append(again)
    assert [s.key.index for s in again.frames(1)] == [1, 3]
    found = again.summary(KEY)
    assert (found.flag, found.is_bookmarked, found.about) == ("glare", True, about)
    assert again.summary(FrameKey(1, 1)).confidence == 0.5
    assert again.setting("locked") == [1, 2]
    assert again.setting("nothing") is None


def test_a_crash_without_closing_loses_nothing(project, painter, tmp_path, projects):
    frame = painter(project, KEY)
    frame.paint((20, 20), 3)
    frame.paint((60, 90), 8).result(10)
    crashed = tmp_path / "crashed.segproj"
    for end in ("", "-wal"):
        source = project.path.with_name(project.path.name + end)
        shutil.copyfile(source, crashed.with_name(crashed.name + end))
    again = Project.open(crashed)
    projects.append(again)
    frame.check(again)


def test_remapping_goes_through_every_label_and_every_step(project, painter, projects):
    frame = painter(project, KEY)
    frame.paint((20, 20), 3)
    frame.paint((60, 90), 8).result(10)
    small = ClassMap("small", (ClassDef(0, "Road", (1, 2, 3)), ClassDef(1, "Car", (9, 9, 9))))
    project.remap(small, from_ids("camvid", "small", {3: 0, 8: 1})).result(10)
    assert project.classes == small
    project.close()
    again = Project.open(project.path)
    projects.append(again)
    assert again.classes == small
    assert set(np.unique(again.load(KEY).labels)) == {0, 1, 255}
    assert np.array_equal(again.load(KEY).origin, frame.document.origin)
    frame.document.labels[:] = again.load(KEY).labels
    frame.document.revert(again.step(KEY, 1))
    assert set(np.unique(frame.document.labels)) == {0, 255}
    assert again.step(KEY, 1).class_id == 1


def test_a_remap_that_fails_keeps_the_classes(project, painter, monkeypatch):
    from segstudio.store import frame_rows

    def broken(*_: object) -> None:
        raise SegStudioError("A step is damaged.")

    monkeypatch.setattr(frame_rows, "remap", broken)
    small = ClassMap("small", (ClassDef(0, "Road", (1, 2, 3)),))
    done = project.remap(small, from_ids("camvid", "small", {3: 0}))
    assert done.exception(10) is not None
    project.put_setting("after", 1).result(10)
    assert project.classes == CAMVID


def test_the_same_content_is_the_same_medium(project, tmp_path):
    first = project.media()[0]
    moved = project.relocate(first, tmp_path / "elsewhere")
    assert (moved.id, len(project.media())) == (first.id, 1)
    assert project.media()[0].path == tmp_path / "elsewhere"


def test_a_medium_that_is_known_is_not_written_again(project, projects):
    record = project.media()[0]
    project.close()
    again = Project.open(project.path)
    projects.append(again)
    again._thread.write = None
    assert again.relocate(record, record.path) == record


def test_moved_media_are_found_where_the_project_went(new_project, tmp_path, projects):
    old = tmp_path / "old"
    old.mkdir()
    project = new_project(old / "drive.segproj")
    (old / "clip.mp4").write_bytes(b"clip")
    record = project.relocate(project.media()[0], old / "clip.mp4")
    assert project.find_media(record, lambda _: True) == old / "clip.mp4"
    project.close()
    old.rename(tmp_path / "new")
    again = Project.open(tmp_path / "new" / "drive.segproj")
    projects.append(again)
    assert again.find_media(again.media()[0], lambda _: True) == tmp_path / "new" / "clip.mp4"
    assert again.find_media(again.media()[0], lambda _: False) is None


def test_a_copy_is_whole_and_the_original_goes_on(project, painter, tmp_path, projects):
    frame = painter(project, KEY)
    for at in range(10, 90, 10):
        frame.paint((at, at), at % 11)
    project.copy_to(tmp_path / "copy.segproj")
    assert sorted(p.name for p in tmp_path.glob("copy*")) == ["copy.segproj"]
    copy = Project.open(tmp_path / "copy.segproj")
    projects.append(copy)
    frame.check(copy)
    frame.paint((100, 20), 1).result(10)
    frame.check(project)


def test_a_copy_never_meets_the_log_of_another_project(project, new_project, tmp_path):
    other = new_project(tmp_path / "other.segproj")
    other.put_setting("x", 1).result(10)
    with pytest.raises(SegStudioError, match="is open or was not closed"):
        project.copy_to(other.path)
    with pytest.raises(SegStudioError, match="another name"):
        project.copy_to(project.path)


def test_a_callback_may_read(project, painter):
    frame = painter(project, KEY)
    seen = []
    future = frame.paint((20, 20), 3)
    future.add_done_callback(lambda _: seen.append(project.load(KEY)))
    project.put_setting("after", 1).result(10)
    assert len(seen) == 1


@settings(
    max_examples=25, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.sampled_from(["paint"] * 4 + ["undo", "undo", "redo", "open"]),
                  st.integers(0, 149), st.integers(0, 199), st.integers(0, 10)),
        max_size=25,
    )
)  # fmt: skip
def test_any_order_of_strokes_undo_redo_and_reopening_is_kept(painter, tmp_path_factory, actions):
    path = tmp_path_factory.mktemp("any") / "any.segproj"
    project = Project.create(path, CAMVID)
    try:
        project.add_media(fingerprint="a", title="t", kind="images", path=path, width=200,
                          height=150, frames=3)  # fmt: skip
        frames = [painter(project, FrameKey(1, i)) for i in range(3)]
        for which, action, y, x, class_id in actions:
            frame = frames[which]
            if action == "paint":
                frame.paint((y, x), class_id)
            elif action == "undo" and frame.position:
                frame.go(frame.position - 1)
            elif action == "redo" and frame.position < len(frame.steps):
                frame.go(frame.position + 1)
            elif action == "open":
                assert project.close()
                project = Project.open(path)
                for each in frames:
                    each.project = project
                    each.check(project)
        for frame in frames:
            frame.check(project)
    finally:
        project.close()
