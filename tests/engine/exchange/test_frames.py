"""The frames of a project on their way out: which ones, what they are called, and their pictures."""

import io
import shutil

import numpy as np
import pytest
from PIL import Image

from segstudio.core.classes import VOID
from segstudio.core.origins import CONFIRMED, MODEL, PAINTED
from segstudio.core.placed import Gap
from segstudio.engine.exchange.frames import ProjectFrames
from segstudio.engine.exchange.naming import FrameNames
from segstudio.engine.exchange.splits import Splits
from segstudio.errors import UsageError
from segstudio.media.images import decode_image
from segstudio.media.open import open_source
from segstudio.store.project import FrameKey


def test_confirmed_frames_come_in_order_with_their_labels(bench, clip):
    work = bench()
    media = work.add(clip)
    truth = {i: work.label(media, i) for i in (9, 2)}
    work.label(media, 4, origin=PAINTED)
    work.label(media, 5, origin=MODEL)
    found = ProjectFrames(work.project)
    assert len(found) == 2
    items = list(found)
    assert [item.name for item in items] == ["night drive_000002", "night drive_000009"]
    assert [(item.clip, item.split, item.index) for item in items] == [
        ("night drive", "", 2), ("night drive", "", 9)
    ]  # fmt: skip
    for item, index in zip(items, (2, 9), strict=True):
        assert np.array_equal(item.labels, truth[index])
    assert found.notes == ()
    assert [item.name for item in found] == [item.name for item in items]  # as often as one likes


def test_scopes_tell_whose_word_is_given(bench, clip):
    work = bench()
    media = work.add(clip)
    draft = work.label(media, 0, np.full((48, 80), 2, np.uint8), origin=MODEL)
    work.label(media, 1, origin=MODEL)
    painted = draft.copy()
    painted[:10] = 7
    key = FrameKey(media, 0)
    # A person painted ten rows over the draft.
    from segstudio.core.brush import Area
    from segstudio.core.geometry import Rect
    from segstudio.core.labels import LabelDocument

    stored = work.project.load(key)
    document = LabelDocument(stored.labels, stored.origin)
    document.begin("Brush")
    document.paint(Area(Rect(0, 0, 10, 80), np.ones((10, 80), np.bool_)), 7)
    counts = tuple(int(n) for n in document.origin_counts[:5])
    work.project.push(key, 1, document.commit(), counts, stored.summary.about).result()

    assert len(ProjectFrames(work.project)) == 0
    (human,) = ProjectFrames(work.project, "human")
    assert (human.labels[:10] == 7).all()
    assert (human.labels[10:] == VOID).all()
    labelled = list(ProjectFrames(work.project, "labelled"))
    assert np.array_equal(labelled[0].labels, painted)
    assert len(labelled) == 2
    assert len(list(ProjectFrames(work.project, "labelled", keys=[key]))) == 1
    assert not list(ProjectFrames(work.project, "labelled", media=[media + 1]))


def test_a_word_that_is_not_known_is_told(bench):
    with pytest.raises(UsageError, match="'all'"):
        ProjectFrames(bench().project, "all")
    with pytest.raises(UsageError, match="'webp'"):
        ProjectFrames(bench("other").project, pictures="webp")


def test_pictures_of_a_video_are_written_anew_without_loss(bench, clip):
    work = bench()
    work.label(work.add(clip), 3)
    (item,) = ProjectFrames(work.project)
    assert (item.picture.suffix, item.picture.file) == (".png", None)
    source = open_source(clip)
    rgb = source.read(3).rgb
    source.close()
    assert np.array_equal(decode_image(item.picture.content(), "x.png"), rgb)
    (item,) = ProjectFrames(work.project, pictures="jpg")
    assert item.picture.suffix == ".jpg"
    again = decode_image(item.picture.content(), "x.jpg")
    assert np.abs(again.astype(int) - rgb).mean() < 3
    (item,) = ProjectFrames(work.project, pictures="none")
    assert item.picture is None


def test_files_are_copied_byte_by_byte_and_turned_ones_made_upright(bench, photos):
    folder = photos(names=("a.png", "b.jpg", "turned.jpg"), turned=("turned.jpg",))
    work = bench()
    media = work.add(folder)
    for index in range(3):
        work.label(media, index)
    a, b, turned = ProjectFrames(work.project, pictures="link")
    assert [a.name, b.name, turned.name] == ["a", "b", "turned"]
    assert a.picture.content() == (folder / "a.png").read_bytes()
    assert b.picture.suffix == ".jpg"
    assert b.picture.file == folder / "b.jpg"
    assert turned.picture.file is None
    assert turned.picture.suffix == ".png"
    with Image.open(io.BytesIO(turned.picture.content())) as image:
        assert image.size == (30, 40)
        assert 0x0112 not in image.getexif()
    assert turned.labels.shape == (40, 30)


def test_equal_names_in_two_folders_get_the_folder_before_them(bench, photos, clip):
    work = bench()
    first = work.add(photos("one", ("x.png", "y.png")))
    second = work.add(photos("two", ("x.png", "z.png"), seed=1))
    for media in (first, second):
        for index in (0, 1):
            work.label(media, index)
    work.label(work.add(clip), 0)
    found = [item.name for item in ProjectFrames(work.project)]
    assert found == ["one_x", "y", "two_x", "z", "night drive_000000"]
    names = FrameNames(work.project)
    keys = [names.find(name.upper()) for name in found]
    assert keys == [FrameKey(first, 0), FrameKey(first, 1), FrameKey(second, 0),
                    FrameKey(second, 1), FrameKey(3, 0)]  # fmt: skip
    assert names.find("x") is None
    assert names.find("night drive_000012") is None
    assert names.find("night drive_0000000") is None


def test_names_that_differ_in_their_ending_or_lead_elsewhere_stay_apart(bench, photos):
    work = bench()
    media = work.add(photos("drive", ("a.jpg", "a.png", "A~con.png")))
    for index in range(3):
        work.label(media, index)
    found = [item.name for item in ProjectFrames(work.project)]
    assert len({name.casefold() for name in found}) == 3
    assert all("/" not in name for name in found)


def test_a_picture_that_looks_like_a_frame_of_a_video_gets_another_name(bench, photos, clip):
    work = bench()
    video = work.add(clip)
    folder = work.add(photos("frames", ("night drive_000003.png",)))
    work.label(video, 3)
    work.label(folder, 0)
    found = [item.name for item in ProjectFrames(work.project)]
    assert found == ["night drive_000003", "frames_night drive_000003"]
    assert FrameNames(work.project).find(found[0]) == FrameKey(video, 3)


def test_labels_of_media_that_are_gone_come_without_pictures_and_a_note(bench, photos, clip):
    work = bench()
    truth = work.label(work.add(clip), 1)
    clip.unlink()
    work.label(work.add(photos()), 0)
    found = ProjectFrames(work.project)
    gone, there = found
    assert gone.picture is None
    assert np.array_equal(gone.labels, truth)
    assert there.picture is not None
    assert len(found.notes) == 1
    assert found.notes[0].startswith("night drive.mp4 is not at ")


def test_a_picture_that_was_replaced_is_not_given(bench, photos):
    folder = photos()
    work = bench()
    media = work.add(folder)
    for index in range(3):
        work.label(media, index)
    shutil.copy(folder / "c.png", folder / "a.png")
    (folder / "b.jpg").write_bytes(b"\xff\xd8\xff broken")
    found = ProjectFrames(work.project)
    assert [item.picture is None for item in found] == [True, True, False]
    assert found.notes == (
        "a.png of photos is not the picture that was labelled any more, so its labels have no"
        " picture.",
        "b.jpg of photos is not readable any more, so its labels have no picture.",
    )


def test_pictures_are_found_while_others_of_their_list_are_gone(bench, photos):
    folder = photos()
    (folder / "more.png").write_bytes((folder / "a.png").read_bytes())
    work = bench()
    media = work.add([folder / "a.png", folder / "b.jpg", folder / "c.png"])
    for index in range(3):
        work.label(media, index)
    (folder / "b.jpg").unlink()
    found = ProjectFrames(work.project)
    assert [item.picture is None for item in found] == [False, True, False]
    assert found.notes[0].startswith("b.jpg of 3 pictures is not readable any more")
    moved = folder.parent.parent / "photos"  # beside the project
    shutil.move(folder, moved)
    assert [item.picture is None for item in ProjectFrames(work.project)] == [False, True, False]


def test_splits_are_those_of_the_clips(bench, photos, clip):
    work = bench()
    for i in range(5):
        media = work.add(photos(f"d{i}", (f"d{i}.png",), seed=i))
        work.label(media, 0)
    found = ProjectFrames(work.project, splits=Splits((60, 20, 20)))
    assert found.splits == {"train": 3, "val": 1, "test": 1}
    assert sorted(item.split for item in found) == ["test", "train", "train", "train", "val"]
    fixed = ProjectFrames(work.project, splits=Splits((1, 0, 0), {"d3": "test"}))
    assert {item.clip: item.split for item in fixed}["d3"] == "test"
    assert fixed.clips == {f"d{i}": 1 for i in range(5)}


def test_frames_at_a_cut_are_left_out(bench, clip):
    work = bench()
    media = work.add(clip)
    for index in range(12):
        work.label(media, index)
    found = ProjectFrames(work.project, splits=Splits((70, 30, 0), gap=Gap(seconds=0.25)))
    assert found.splits == {"train": 6, "val": 4}
    assert len(found) == 10
    assert "2 frames between them are left out" in found.notes[0]


def test_single_pictures_of_one_folder_are_one_clip(bench, photos):
    folder = photos("shots", ("s1.png", "s2.png", "s3.png"))
    work = bench()
    for name in ("s1.png", "s2.png", "s3.png"):
        work.label(work.add(folder / name), 0)
    items = list(ProjectFrames(work.project))
    assert [item.name for item in items] == ["s1", "s2", "s3"]
    assert {item.clip for item in items} == {"shots"}
    assert all(item.picture is not None for item in items)


def test_lists_of_one_folder_are_one_clip_in_the_order_of_their_names(bench, photos):
    folder = photos("shots", [f"s{i}.png" for i in range(40)])
    work = bench()
    for first in (0, 1):
        media = work.add([folder / f"s{i}.png" for i in range(first, 40, 2)])
        for index in range(20):
            work.label(media, index)
    items = list(ProjectFrames(work.project, splits=Splits((50, 50, 0), gap=Gap(frames=6))))
    assert len({item.clip for item in items}) == 1
    assert len({item.name for item in items}) == len(items) == 35
    split = {int(item.name.removeprefix("s")): item.split for item in items}
    assert max(i for i in split if split[i] == "train") + 6 <= min(
        i for i in split if split[i] == "val"
    )


def test_a_frame_that_is_taken_back_meanwhile_is_left_out_and_told(bench, photos):
    work = bench()
    media = work.add(photos())
    for index in range(3):
        work.label(media, index)
    found = ProjectFrames(work.project)
    given = iter(found)
    names = [next(given).name]
    work.label(media, 2, np.full((30, 40), 3, np.uint8), origin=MODEL)
    names += [item.name for item in given]
    assert names == ["a", "b"]
    assert found.notes == ("c was changed while others were written and is left out.",)


def test_labels_that_are_damaged_are_left_out_and_told(bench, clip):
    import sqlite3
    from contextlib import closing

    work = bench()
    media = work.add(clip)
    for index in (0, 1):
        work.label(media, index, origin=CONFIRMED)
    with closing(sqlite3.connect(work.project.path)) as file:
        file.execute("UPDATE tiles SET planes=x'00' WHERE idx=0")
        file.commit()
    found = ProjectFrames(work.project, pictures="none")
    assert [item.name for item in found] == ["night drive_000001"]
    assert found.notes[0].startswith("night drive_000000 is left out: ")
