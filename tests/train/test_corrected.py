"""A run learns from what people corrected, and from the very same pixels when it is resumed."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from segstudio.core.classes import CAMVID
from segstudio.core.origins import MODEL, PROPAGATED
from segstudio.errors import Cancelled, SegStudioError
from segstudio.media.open import open_source
from segstudio.store.masks import write_picture
from segstudio.store.project import FrameKey
from segstudio.train.corrected import corrected_frames, extract, load
from segstudio.train.labelled import OriginWeights
from segstudio.train.splits import split

WHOLE = (0, 0, 48, 64)


@pytest.fixture
def mine(corrector):
    """Clip 1: frame 2 drafted, corrected and confirmed; 5 painted in part; 7 a draft. Clip 2: 1."""
    made = corrector()
    clip = made.clip("one.mp4")
    made.paint(clip, 2, 3, WHOLE, MODEL)
    made.paint(clip, 2, 8, (10, 10, 20, 30))
    made.confirm(clip, 2)
    made.paint(clip, 5, 1, WHOLE, MODEL)
    made.paint(clip, 5, 4, (0, 0, 48, 20), PROPAGATED)
    made.paint(clip, 5, 9, (30, 30, 40, 50))
    made.paint(clip, 7, 1, WHOLE, MODEL)
    other = made.clip("other.mp4", frames=8)
    made.paint(other, 1, 5, WHOLE)
    made.confirm(other, 1)
    return made


def test_confirmed_frames_are_learned_whole(mine, tmp_path):
    found = extract(mine.close(), tmp_path / "run" / "corrected")
    assert [(s.title, s.index) for s in found.samples] == [("one.mp4", 2), ("other.mp4", 1)]
    assert (found.classes, found.notes) == (CAMVID, ())
    frame = found.read(0)
    assert frame.rgb.shape == (48, 64, 3)
    assert (frame.labels[10:20, 10:30] == 8).all()
    assert (frame.labels == 3).sum() == 48 * 64 - 200
    assert (frame.weights == 50).all()
    expected = np.zeros((48, 64), bool)
    expected[10:20, 10:30] = True
    assert np.array_equal(frame.corrected, expected)  # it is remembered who painted what
    assert (found.samples[0].pixels, found.samples[0].painted) == (48 * 64, 200)
    assert found.samples[0].time_s == pytest.approx(1.0)


def test_every_copied_frame_is_traced_back_to_its_file(mine, tmp_path):
    places = {record.fingerprint: record.path for record in mine.project.media()}
    found = extract(mine.close(), tmp_path / "c")
    assert load(tmp_path / "c") == found
    for number, sample in enumerate(found.samples):
        source = open_source(places[sample.media])
        assert np.array_equal(source.read(sample.index).rgb, found.read(number).rgb)
        assert np.array_equal(found.labels(number), found.read(number).labels)
        source.close()


def test_the_pictures_are_those_that_were_labelled(mine, tmp_path):
    expected = mine.sources[1].read(2).rgb
    found = extract(mine.close(), tmp_path / "c")
    assert np.array_equal(found.read(0).rgb, expected)
    assert found.pair(found.samples[0]).picture.is_file()


def test_painted_pixels_are_learned_and_all_else_is_void(mine, tmp_path):
    found = extract(mine.close(), tmp_path / "c", which="painted")
    assert [(s.clip == s.media, s.index) for s in found.samples] == [(True, i) for i in (2, 5, 1)]
    frame = found.read(1)
    assert (frame.labels[30:40, 30:50] == 9).all()
    assert (frame.labels == 255).sum() == 48 * 64 - 200
    assert np.array_equal(frame.weights, np.where(frame.labels == 255, 0, 50))


def test_weights_follow_the_origin_of_each_pixel(mine, tmp_path):
    rule = OriginWeights(human=2, propagated=0.5, model=0.1)
    found = extract(mine.close(), tmp_path / "c", which="weighted", weights=rule)
    assert [s.index for s in found.samples] == [2, 5, 7, 1]
    frame = found.read(1)
    assert set(np.unique(frame.weights[:, :20])) == {25}
    assert (frame.weights[30:40, 30:50] == 100).all()
    assert frame.weights[0, 63] == 5
    default = extract(mine.project.path, tmp_path / "d", which="weighted")
    assert [s.index for s in default.samples] == [2, 5, 1]  # drafts weigh nothing
    assert default.read(1).labels[0, 63] == 255
    assert "no labelled pixel to learn from" in default.notes[0]


def test_a_resumed_run_reads_the_same_data_although_the_project_changed(mine, tmp_path):
    folder = tmp_path / "run" / "corrected"
    first = extract(mine.project.path, folder)  # while the window has it open
    before = first.read(0)
    mine.paint(1, 2, 6, WHOLE)
    mine.paint(1, 9, 6, WHOLE)
    mine.confirm(1, 9)
    path = mine.close()
    again = extract(path, folder)
    assert again == first
    assert np.array_equal(again.read(0).labels, before.labels)
    path.unlink()
    assert extract(path, folder) == load(folder) == first
    with pytest.raises(SegStudioError, match="start a new run"):
        extract(path, folder, which="painted")


def test_the_fingerprint_is_that_of_the_content(mine, tmp_path):
    marks = [extract(mine.project.path, tmp_path / n).fingerprint for n in "ab"]
    assert marks[0] == marks[1]
    other = extract(mine.project.path, tmp_path / "c", which="painted")
    mine.paint(1, 2, 6, (0, 0, 1, 1))
    mine.confirm(1, 2)
    changed = extract(mine.project.path, tmp_path / "d")
    assert len({marks[0], other.fingerprint, changed.fingerprint}) == 3


def test_an_extraction_that_was_broken_off_is_done_again(mine, tmp_path):
    folder = tmp_path / "c"
    with pytest.raises(Cancelled):
        extract(mine.project.path, folder, should_stop=lambda: (folder / "pictures").is_dir())
    assert list((folder / "pictures").iterdir())
    (folder / "pictures" / "clip9_000000.png").write_bytes(b"left over")
    seen = []
    found = extract(mine.project.path, folder, tell=lambda done, of: seen.append((done, of)))
    assert seen == [(1, 2), (2, 2)]
    assert len(list((folder / "pictures").iterdir())) == len(found) == 2


def test_a_missing_clip_is_named_and_the_others_go_on(mine, tmp_path):
    path = mine.close()
    (tmp_path / "one.mp4").unlink()
    found = extract(path, tmp_path / "c", which="painted")
    assert [s.title for s in found.samples] == ["other.mp4"]
    assert found.notes == (
        "one.mp4 is not where it was, so 2 labelled frames are left out; put it back, or open the"
        " project and say where.",
    )
    assert load(tmp_path / "c").notes == found.notes
    (tmp_path / "other.mp4").unlink()
    with pytest.raises(SegStudioError, match=r"one.mp4 and other.mp4 are not where they were"):
        extract(path, tmp_path / "d")


def test_a_project_that_moved_with_its_clips_finds_them(mine, tmp_path):
    path = mine.close()
    (tmp_path / "away").mkdir()
    for name in (path.name, "one.mp4", "other.mp4"):
        shutil.move(tmp_path / name, tmp_path / "away" / name)
    assert len(extract(tmp_path / "away" / path.name, tmp_path / "c")) == 2


def test_pictures_of_a_folder_are_known_by_name_and_content(corrector, tmp_path):
    folder, rng = tmp_path / "stills", np.random.default_rng(0)
    for number in range(4):
        write_picture(folder / f"f{number}.png", rng.integers(0, 255, (40, 50, 3), np.uint8))
    made = corrector()
    media = made.add(folder)
    for number in (1, 2, 3):
        made.paint(media, number, number, (0, 0, 40, 50))
        made.confirm(media, number)
    path = made.close()
    write_picture(folder / "e.png", np.zeros((40, 50, 3), np.uint8))  # all others move on by one
    write_picture(folder / "f2.png", np.zeros((40, 50, 3), np.uint8))
    (folder / "f3.png").write_bytes(b"\x89PNG\r\n\x1a\n torn")
    found = extract(path, tmp_path / "c")
    assert [s.index for s in found.samples] == [1]
    assert (found.read(0).labels == 1).all()
    assert len(found.notes) == 2
    assert "Frame 2 of stills is not the picture that was labelled any more" in found.notes[0]
    assert "Frame 3 of stills is not readable any more" in found.notes[1]


def test_single_pictures_of_one_folder_may_be_neighbours(corrector, tmp_path):
    made, rng = corrector(), np.random.default_rng(0)
    for number in (3, 12):
        file = tmp_path / f"shot_{number}.png"
        write_picture(file, rng.integers(0, 255, (40, 50, 3), np.uint8))
        media = made.add(file)
        made.paint(media, 0, 2, (0, 0, 9, 9))
    found = extract(made.close(), tmp_path / "c", which="painted")
    assert [(s.clip, s.place) for s in found.samples] == [(str(tmp_path), 3), (str(tmp_path), 12)]
    assert not split(found.samples).is_validated


@pytest.mark.parametrize(
    ("which", "words"),
    [("confirmed", "confirm some frames"), ("painted", "correct some"), ("weighted", "label some")],
)
def test_a_project_without_any_says_what_to_do(corrector, tmp_path, which, words):
    made = corrector()
    made.clip("one.mp4", frames=2)
    with pytest.raises(SegStudioError, match=words):
        extract(made.close(), tmp_path / "c", which=which)
    assert not (tmp_path / "c" / "manifest.json").exists()


def test_void_that_a_human_confirmed_teaches_nothing(corrector, tmp_path):
    made = corrector()
    clip = made.clip("one.mp4")
    made.paint(clip, 0, 3, (0, 0, 8, 8))
    made.paint(clip, 0, 255, (0, 0, 8, 8))
    made.confirm(clip, 0)
    with pytest.raises(SegStudioError, match="1 frame has no labelled pixel to learn from"):
        extract(made.close(), tmp_path / "c")


def test_frames_are_counted_without_reading_them(mine):
    for which, count in (("confirmed", 2), ("painted", 3), ("weighted", 4)):
        assert len(corrected_frames(mine.project, which)) == count
    mine.paint(1, 2, 4, (0, 0, 2, 2))  # painted after it was confirmed: still confirmed whole
    assert FrameKey(1, 2) in [s.key for s in corrected_frames(mine.project, "confirmed")]


def test_parts_keep_their_files(mine, tmp_path):
    found = extract(mine.project.path, tmp_path / "c")
    parts = split(found.samples)
    assert len(found.chosen(parts.train)) == len(found.chosen(parts.held_out)) == 1
    assert found.chosen(parts.held_out).read(0).rgb.size


def test_a_manifest_that_is_damaged_or_newer_is_said(mine, tmp_path):
    extract(mine.project.path, tmp_path / "c")
    file: Path = tmp_path / "c" / "manifest.json"
    for text in ("{", file.read_text().replace('"version": 1', '"version": 99')):
        file.write_text(text)
        with pytest.raises(SegStudioError, match="delete that folder"):
            load(tmp_path / "c")
    with pytest.raises(SegStudioError, match="no training set 'all'"):
        extract(mine.project.path, tmp_path / "d", which="all")
    with pytest.raises(SegStudioError, match="cannot count 9 times"):
        OriginWeights(human=9)
