"""Folders whose pictures change: labels stay with their picture."""

import sqlite3
from dataclasses import replace

import pytest

from segstudio.errors import SegStudioError
from segstudio.store import own_projects, project_media, schema
from segstudio.store.frame_rows import new_indices
from segstudio.store.picture_names import PictureNames
from segstudio.store.project import FrameKey, Project

FIVE = ("b.png", "c.png", "d.png", "e.png", "f.png")


def folder(*names: str) -> PictureNames:
    return PictureNames(names, may_change=True)


@pytest.fixture
def pictures(project, tmp_path):
    """A project with a folder of five pictures as its second medium."""
    return project.add_media(
        fingerprint="f5", title="drive", kind="sequence", path=tmp_path / "drive",
        width=200, height=150, frames=5, pictures=folder(*FIVE),
    )  # fmt: skip


@pytest.fixture
def label(project, painter, pictures):
    """Labels one picture of the folder."""

    def make(index: int, class_id: int = 3):
        frame = painter(project, FrameKey(pictures.id, index))
        frame.about = replace(frame.about, name="")  # the project knows it
        frame.paint((20, 20), class_id).result(10)
        frame.paint((70, 90), class_id + 1).result(10)
        return frame

    return make


def renewed(project, record, *names: str):
    record = replace(record, fingerprint="-".join(names), frames=len(names))
    project.renumber(record, folder(*names)).result(10)
    return record


def reopened(project, projects) -> Project:
    project.close()
    again = Project.open(project.path)
    projects.append(again)
    return again


def test_labels_follow_their_picture_and_undo_still_works(project, label, pictures, projects):
    third, last = label(2, 3), label(4, 6)
    record = renewed(project, pictures, "a.png", "b.png", "d.png", "e.png", "f.png", "g.png")
    again = reopened(project, projects)
    assert again.media()[1] == record
    assert again.pictures(2) == folder("a.png", "b.png", "d.png", "e.png", "f.png", "g.png")
    for frame in (third, last):
        frame.project = again
        frame.check(again)  # both stand where they stood
        frame.go(1).result(10)
        frame.check(again)


def test_labels_change_places_in_one_go(project, label, pictures, projects):
    first, third = label(0, 3), label(2, 6)
    renewed(project, pictures, "d.png", "c.png", "b.png")
    first.key, third.key = FrameKey(2, 2), FrameKey(2, 0)
    first.check(project)
    third.check(project)
    again = reopened(project, projects)
    first.check(again)
    third.check(again)


def test_labels_of_a_picture_that_is_gone_come_back_with_it(project, label, pictures, projects):
    frame = label(1)
    shrunk = renewed(project, pictures, "b.png", "d.png", "e.png", "f.png")
    again = reopened(project, projects)
    assert again.frames(2) == ()
    assert again.absent(2) == 1
    assert again.load(FrameKey(2, 1)) is None
    assert not again.is_empty
    other = renewed(again, shrunk, "d.png")
    renewed(again, other, "c.png", "d.png")
    frame.key = FrameKey(2, 0)
    frame.check(again)
    assert again.absent(2) == 0
    frame.check(reopened(again, projects))


def test_two_that_are_gone_keep_apart(project, label, pictures):
    one, two = label(0, 3), label(4, 6)
    record = renewed(project, pictures, "c.png", "d.png")
    record = renewed(project, record, "d.png")
    assert project.absent(2) == 2
    renewed(project, record, "f.png", "b.png")
    one.key, two.key = FrameKey(2, 1), FrameKey(2, 0)
    one.check(project)
    two.check(project)


def test_other_media_are_left_alone(project, painter, label, pictures, projects):
    frame = painter(project, FrameKey(1, 2))
    frame.paint((20, 20), 3).result(10)
    label(2)
    renewed(project, pictures, "f.png")
    frame.check(project)
    frame.check(reopened(project, projects))


def test_two_pictures_of_one_name_lose_nothing():
    assert new_indices({0: "a", 1: "a", 2: ""}, ("x", "a")) == {0: 1, 1: -1}
    assert new_indices({-1: "a", 0: "b"}, ("b",)) == {}
    assert new_indices({-1: "a", -4: "c", 3: "b"}, ("a",)) == {-1: 0, 3: -5}


def test_on_a_full_disk_no_labels_are_shown_with_a_wrong_picture(
    project, label, pictures, monkeypatch
):
    frame = label(2)
    monkeypatch.setattr(project_media, "RENUMBERED_S", 0.05)
    real = schema.connect

    def full(path):
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(schema, "connect", full)
    project._thread.read(None, lambda _: project._thread._drop_connection())
    new = replace(pictures, fingerprint="new")
    done = project.renumber(new, folder("a.png", *FIVE))
    with pytest.raises(SegStudioError, match="cannot be shown until"):
        project.load(FrameKey(2, 2))
    assert project.summary(FrameKey(2, 3)).steps == 2
    monkeypatch.setattr(schema, "connect", real)
    project.retry()
    done.result(10)
    frame.key = FrameKey(2, 3)
    frame.check(project)


def test_a_folder_stays_one_when_all_of_it_is_opened_as_a_list(project, pictures):
    def again(names: PictureNames):
        project.add_media(
            fingerprint="f5", title="5 pictures", kind="sequence", path=pictures.path,
            width=200, height=150, frames=5, pictures=names,
        )  # fmt: skip
        return project.pictures(pictures.id)

    assert again(PictureNames(FIVE, may_change=False)) == folder(*FIVE)


def test_a_read_only_project_is_not_renumbered(project, label, pictures):
    label(2)
    second = Project.open(project.path)
    try:
        with pytest.raises(SegStudioError, match="another window"):
            second.renumber(pictures, folder("a.png"))
    finally:
        second.close()


def test_a_list_of_pictures_is_not_its_folder():
    some = PictureNames(("a", "b"), may_change=False)
    assert folder("a").is_continued_by(folder("z"))
    assert not folder("a", "b").is_continued_by(some)
    assert not some.is_continued_by(folder("a", "b"))
    assert some.is_continued_by(PictureNames(("b", "a"), may_change=False))
    assert not some.is_continued_by(PictureNames(("a", "c"), may_change=False))
    assert PictureNames.from_json(some.to_json()) == some
    assert PictureNames.from_json('{"names": 3}') is None
    assert PictureNames.from_json(None) is None


def test_the_project_of_a_folder_is_found_by_place_and_by_content(tmp_path):
    place = own_projects.place_of(tmp_path, "drive", folder("a"))
    assert place == own_projects.place_of(tmp_path, "drive", folder("b", "c"))
    made = own_projects.find("first" * 4, "drive", place)
    made.parent.mkdir(parents=True)
    made.touch()
    own_projects.remember(made, "first" * 4, place)
    assert own_projects.find("other" * 4, "drive", place) == made
    own_projects.remember(made, "other" * 4, place)
    elsewhere = own_projects.place_of(tmp_path / "x", "drive", folder("a"))
    assert own_projects.find("other" * 4, "drive", elsewhere) == made
    assert own_projects.find("third" * 4, "drive", elsewhere) != made
    own_projects.forget(made)
    assert own_projects.find("other" * 4, "drive", elsewhere) != made


def test_a_project_that_nobody_touched_goes_with_everything_beside_it(new_project):
    project = new_project()
    folder_of = project.path.parent
    assert project.is_untouched
    assert project.close(remove_untouched=True)
    assert [p.name for p in folder_of.glob("*.segproj*")] == []


@pytest.mark.parametrize("touch", ["label", "setting", "classes"])
def test_a_project_that_somebody_touched_stays(new_project, painter, touch):
    project = new_project()
    if touch == "label":
        painter(project, FrameKey(1, 3)).paint((20, 20), 3)
    elif touch == "setting":
        project.put_setting("locked", [])
    else:
        from segstudio.core.class_mapping import removed

        project.remap(*removed(project.classes, [3]))
    assert not project.is_untouched
    assert project.close(remove_untouched=True)
    assert project.path.is_file()


def test_the_classes_of_an_untouched_project_may_follow_a_model(new_project, projects):
    from segstudio.core.class_mapping import removed

    project = new_project()
    fewer, _ = removed(project.classes, [3])
    project.follow_classes(fewer).result(10)
    assert project.is_untouched
    again = reopened(project, projects)
    assert again.classes == fewer
    assert again.is_untouched
