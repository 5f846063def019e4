"""Frame n is frame n, in every kind of file and however one gets there."""

import itertools
import random
import threading

import av
import numpy as np
import pytest

from segstudio.errors import FrameMissing
from segstudio.media import index_cache, indexer
from segstudio.media.open import open_source
from segstudio.media.video import VideoSource

NAMES = [
    "bframes.mp4", "gop250.mp4", "open_gop.mp4", "phone.mp4", "phone.mkv", "film.mkv",
    "broadcast.ts", "open_gop.ts", "refresh.mp4", "refresh.ts", "fragments.mp4", "cut.mp4",
    "turned.mp4", "audio_first.mp4", "asp.avi", "simple.mp4", "motion.avi", "raw.h264",
    "program.mpg", "odd.mp4", "deep.mp4", "vp9.webm",
]  # fmt: skip

SMALL = 400_000
"""Cache bytes: some twenty frames of the clips, so that most requests really seek."""


@pytest.fixture
def open_video():
    """Opens files and closes them after the test."""
    opened = []

    def get(path, cache_bytes=SMALL):
        source = VideoSource(path, cache_bytes=cache_bytes)
        opened.append(source)
        return source

    yield get
    for source in opened:
        source.close()


def upright_number(name, rgb, number_in):
    """The number on the frame, also where the picture itself lies on its side."""
    return number_in(np.rot90(rgb, -1) if name == "turned.mp4" else rgb)


def requests(frames, seed):
    """Both ends, a run backwards over a key frame, and random places."""
    near = min(frames - 1, 40)
    places = [0, frames - 1, 1, frames - 2, *range(near, max(near - 30, 0), -1)]
    return places + random.Random(seed).choices(range(frames), k=40)


def test_every_clip_is_walked_here(clip_names):
    assert sorted(NAMES) == sorted(clip_names)


@pytest.mark.parametrize("name", NAMES)
def test_no_seek_shows_a_wrong_frame(name, clip, open_video, number_in):
    source = open_video(clip(name))
    assert source.wait_complete(60)
    frames = source.info.frames
    for n in requests(frames, seed=1):
        frame = source.read(n)
        assert upright_number(name, frame.rgb, number_in) == n == frame.id.index
        assert frame.note == ""
        assert frame.id.time_us == source.time_us(n)


@pytest.mark.parametrize("name", NAMES)
def test_no_seek_shows_a_wrong_frame_once_verified(name, clip, open_video, number_in):
    source = open_video(clip(name))
    assert source.wait_verified(60)
    info = source.info
    assert info.is_verified
    assert info.is_complete
    assert info.progress == 1.0
    assert info.frames == count_of_straight_decode(clip(name))
    for n in requests(info.frames, seed=2):
        frame = source.read(n)
        assert upright_number(name, frame.rgb, number_in) == n
        assert frame.note == ""


@pytest.mark.parametrize("name", ["gop250.mp4", "asp.avi", "raw.h264", "phone.mp4"])
def test_frames_are_right_before_there_is_an_index(name, clip, open_video, number_in, monkeypatch):
    monkeypatch.setattr(indexer.Indexer, "_build", lambda self: None)
    source = open_video(clip(name))
    for n in (0, 1, 30, 7, 62, 61):
        assert number_in(source.read(n).rgb) == n
        assert source.info.is_complete is False
    assert source.time_us(5) is not None or name == "raw.h264"
    with pytest.raises(FrameMissing, match="from 0 to"):
        source.read(5000)


BY_COUNTING = {"asp.avi", "motion.avi", "raw.h264", "program.mpg"}
"""Containers whose stamps are made up by the demuxer or missing."""


@pytest.mark.parametrize("name", NAMES)
def test_stamps_are_believed_where_they_can_be(name, clip, open_video):
    source = open_video(clip(name), cache_bytes=1)
    assert source.wait_complete(60)
    assert source._indexer.index.by_time is (name not in BY_COUNTING)


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"raw.h264", "gop250.mp4", "refresh.mp4"}))
def test_late_frames_are_reached_by_a_seek(name, clip, open_video):
    """A restart point that is off would be noticed, and cost a decode from the beginning."""
    source = open_video(clip(name), cache_bytes=1)
    assert source.wait_verified(60)
    late = source.info.frames - 2
    source.read(late)
    assert source._walk.starts_at_zero is False
    assert source._walk.first > late - 40


def test_the_full_check_rests_while_frames_are_read(clip, open_video, monkeypatch):
    monkeypatch.setattr(indexer, "_QUIET_S", 1000)
    real, reading = indexer.full_check.decode_all, threading.Event()

    def decode_all(*args):
        assert reading.wait(20)
        return real(*args)

    monkeypatch.setattr(indexer.full_check, "decode_all", decode_all)
    source = open_video(clip("bframes.mp4"))
    assert source.wait_complete(60)
    source.read(3)
    reading.set()
    source._indexer._thread.join(0.2)
    assert not source.info.is_verified
    assert source.wait_verified(60)


def count_of_straight_decode(path):
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(container.streams.video[0]))


def test_stamps_are_those_of_the_file(clip, open_video):
    source = open_video(clip("phone.mkv"))
    assert source.wait_complete(60)
    with av.open(str(clip("phone.mkv"))) as container:
        stamps = [round(f.pts * f.time_base * 1_000_000) for f in container.decode(video=0)]
    assert [source.time_us(n) for n in range(source.info.frames)] == stamps
    assert max(b - a for a, b in itertools.pairwise(stamps)) > 1_900_000


def test_hidden_frames_are_not_counted(clip, open_video, number_in):
    source = open_video(clip("cut.mp4"))
    assert source.wait_complete(60)
    assert source.info.frames == 85
    assert number_in(source.read(0).rgb) == 0


def test_a_turned_video_is_turned_once(clip, open_video):
    source = open_video(clip("turned.mp4"))
    frame = source.read(0)
    assert (source.info.height, source.info.width) == (160, 96) == frame.rgb.shape[:2]
    assert frame.rgb.flags.c_contiguous
    assert not frame.rgb.flags.writeable


def test_odd_sizes_keep_every_pixel(clip, open_video):
    assert open_video(clip("odd.mp4")).read(3).rgb.shape == (97, 143, 3)


@pytest.mark.parametrize(("number", "text"), [(-1, "from 0"), (90, "0 to 89"), (9999, "0 to 89")])
def test_a_frame_out_of_range_is_missing(number, text, clip, open_video):
    source = open_video(clip("bframes.mp4"))
    with pytest.raises(FrameMissing, match=text):
        source.read(number)


def test_stepping_back_needs_no_decoding(clip, open_video, monkeypatch):
    source = open_video(clip("gop250.mp4"), cache_bytes=50_000_000)
    source.read(200)
    monkeypatch.setattr(source._decoder, "next", lambda: pytest.fail("decoded again"))
    for n in range(199, 150, -1):
        assert source.read(n).id.index == n


def test_the_cache_stays_within_its_limit(clip, open_video):
    source = open_video(clip("gop250.mp4"), cache_bytes=SMALL)
    for n in (240, 100, 299):
        source.read(n)
        assert source._cache.used_bytes <= SMALL


def test_decoding_towards_a_frame_can_be_interrupted_and_goes_on(clip, open_video, number_in):
    source = open_video(clip("gop250.mp4"), cache_bytes=50_000_000)
    source.wait_complete(60)
    steps = iter(range(100))
    assert source.prepare(200, lambda: next(steps) > 50) is False
    reached = source._walk.position
    assert 0 < reached < 200
    assert source.prepare(200, lambda: False) is True
    assert source._walk.position == 200
    assert number_in(source.read(200).rgb) == 200


def test_what_was_prepared_far_ahead_is_there(clip, open_video, monkeypatch):
    source = open_video(clip("gop250.mp4"), cache_bytes=1)
    source.wait_complete(60)
    source.read(0)
    assert source.prepare(200, lambda: False) is True
    monkeypatch.setattr(source._decoder, "next", lambda: pytest.fail("decoded again"))
    assert source.read(200).id.index == 200


def test_a_preview_is_the_key_frame_before_and_says_so(clip, open_video, number_in):
    source = open_video(clip("bframes.mp4"))
    assert source.wait_complete(60)
    shown = source.preview(40)
    assert shown is not None
    assert shown.note == "preview"
    assert shown.id.index <= 40
    assert number_in(shown.rgb) == shown.id.index == 36
    assert number_in(source.read(40).rgb) == 40
    assert source.preview(90) is None


def test_the_fingerprint_is_that_of_the_picture(clip, open_video):
    first, second = open_video(clip("bframes.mp4")), open_video(clip("bframes.mp4"))
    first.wait_verified(60)
    same = [first.read(n).id == second.read(n).id for n in (0, 17, 44)]
    assert all(same)
    assert first.read(17).id.fingerprint != first.read(18).id.fingerprint


def test_the_index_is_kept_and_used_again(clip, open_video, monkeypatch, number_in):
    source = open_video(clip("asp.avi"))
    assert source.wait_verified(60)
    source.close()
    assert index_cache.file_of(source.info.id).is_file()
    monkeypatch.setattr(indexer.Indexer, "_build", lambda self: pytest.fail("built again"))
    again = open_video(clip("asp.avi"))
    assert again.info.is_complete
    assert again.info.is_verified
    assert number_in(again.read(77).rgb) == 77


def test_a_damaged_kept_index_is_built_again(clip, open_video):
    source = open_video(clip("bframes.mp4"))
    source.wait_verified(60)
    source.close()
    index_cache.file_of(source.info.id).write_bytes(b"PK\x03\x04 not an index")
    again = open_video(clip("bframes.mp4"))
    assert again.wait_verified(60)
    assert again.info.frames == 90


def test_closing_stops_the_indexing(clip, open_video, monkeypatch):
    begun, closed = threading.Event(), threading.Event()

    def decode_all(path, stop, progress):
        begun.set()
        closed.wait(20)
        assert stop()
        raise indexer.Cancelled

    monkeypatch.setattr(indexer.full_check, "decode_all", decode_all)
    source = open_video(clip("asp.avi"))
    assert begun.wait(20)
    threading.Thread(target=source.close).start()
    source._indexer._changed.acquire()
    source._indexer._changed.wait_for(lambda: source._indexer._is_closed, 20)
    source._indexer._changed.release()
    closed.set()
    source._indexer._thread.join(20)
    assert not source._indexer._thread.is_alive()
    with pytest.raises(FrameMissing, match="closed"):
        source.read(0)


def test_a_wrong_table_is_replaced_by_counting(clip, open_video, monkeypatch, number_in):
    """The full check finds what a spot check overlooked."""
    real = indexer.video_index.stamp_index

    def lying(table):
        table.pts.append(max(table.pts) + 999)
        return real(table)

    monkeypatch.setattr(indexer.video_index, "stamp_index", lying)
    monkeypatch.setattr(indexer.video_index, "spot_check", lambda *_: True)
    source = open_video(clip("bframes.mp4"))
    assert source.wait_complete(60)
    assert source.wait_verified(60)
    assert source.info.frames == 90
    assert any("Frame numbers changed" in note for note in source.info.notes)
    assert number_in(source.read(80).rgb) == 80


def test_a_spot_check_refuses_a_wrong_table(clip):
    table = indexer.video_index.read_packets(clip("bframes.mp4"), lambda: False)
    good = indexer.video_index.stamp_index(table)
    assert indexer.video_index.spot_check(clip("bframes.mp4"), good, lambda: False)
    del table.pts[20]
    wrong = indexer.video_index.stamp_index(table)
    assert not indexer.video_index.spot_check(clip("bframes.mp4"), wrong, lambda: False)


def test_a_picture_that_changed_since_the_check_is_never_handed_out(clip, open_video, number_in):
    """Restart points that show something else are passed over, down to the very first picture."""
    source = open_video(clip("bframes.mp4"), cache_bytes=1)
    assert source.wait_verified(60)
    index = source._indexer.index
    restarts = index.restarts.copy()
    restarts[:, 1] = np.roll(restarts[:, 1], 1)  # every seek now lands one group too early
    object.__setattr__(index, "restarts", restarts)
    object.__setattr__(index, "by_time", False)
    for n in (50, 13, 88):
        assert number_in(source.read(n).rgb) == n


def test_sources_of_many_opens_leave_nothing_behind(clip):
    for _ in range(5):
        source = open_source(clip("bframes.mp4"))
        source.read(0)
        source.close()
        source.close()
    assert not [t for t in threading.enumerate() if t.name.startswith("segstudio-")]


def test_a_still_scene_seeks_by_its_stamps(clip_folder, encode, open_video, tmp_path):
    path = encode(name="still.avi", codec="mpeg4", is_still=True, options={"bf": "2"}, gop=12)
    source = open_video(path)
    assert source.wait_verified(60)
    assert [source.read(n).id.index for n in (50, 3, 89)] == [50, 3, 89]


@pytest.mark.parametrize("name", ["phone.mkv", "film.mkv", "broadcast.ts", "vp9.webm", "asp.avi"])
def test_a_whole_file_is_not_said_to_be_cut_off(name, clip, open_video):
    source = open_video(clip(name))
    assert source.wait_complete(60)
    assert not [note for note in source.info.notes if "ends after" in note]
