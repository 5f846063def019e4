"""Reading ahead changes when frames are decoded, never which ones arrive."""

import random
import threading

import numpy as np
import pytest

from segstudio.core.frame import Frame, FrameId
from segstudio.errors import FrameMissing
from segstudio.media.open import complete_info
from segstudio.media.readahead import ReadAhead
from segstudio.media.source import FrameSource, SourceInfo
from segstudio.media.video import VideoSource

FRAME_BYTES = 4 * 6 * 3


class Scripted:
    """A source of tiny frames that records what it was asked for."""

    def __init__(self, frames=100, tmp="clip"):
        self.frames = frames
        self.asked = []
        self.gate = None
        self.broken = set()
        self.changed = threading.Condition()
        self.is_closed = False

    @property
    def info(self):
        return SourceInfo("id", "clip", None, "video", 6, 4, self.frames, True)

    def time_us(self, index):
        return index * 40_000

    def read(self, index):
        with self.changed:
            self.asked.append(index)
            self.changed.notify_all()
        if self.gate is not None:
            assert self.gate.wait(20)
        if index in self.broken or not 0 <= index < self.frames:
            raise FrameMissing(f"no frame {index}")
        return Frame(FrameId("id", index, None, 0), np.full((4, 6, 3), index, np.uint8), 0.0)

    def close(self):
        self.is_closed = True

    def wait_for(self, condition):
        with self.changed:
            assert self.changed.wait_for(lambda: condition(self.asked), 20), self.asked


class Stoppable(Scripted):
    """One whose decoding ahead can be interrupted; it is slow until told to stop."""

    def __init__(self):
        super().__init__()
        self.preparing = threading.Event()
        self.stopped = []

    def prepare(self, index, should_stop):
        if index != 3:
            return True
        self.preparing.set()
        pause = threading.Event()
        while not should_stop():
            pause.wait(0.001)
        self.stopped.append(index)
        return False


@pytest.fixture
def ahead():
    """Makes ReadAhead objects that are closed after the test."""
    made = []

    def make(source, frames=10):
        made.append(ReadAhead(source, frames * FRAME_BYTES))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_it_is_a_frame_source(ahead):
    reader: FrameSource = ahead(Scripted())
    assert reader.info.frames == 100
    assert reader.time_us(3) == 120_000


def test_every_frame_is_the_one_asked_for(ahead):
    reader = ahead(Scripted())
    places = [*range(30), *range(29, 0, -1), *random.Random(1).choices(range(100), k=200)]
    assert [reader.read(n).id.index for n in places] == places


def test_the_next_frames_are_decoded_before_anyone_asks(ahead):
    source = Scripted()
    reader = ahead(source)
    reader.read(10)
    source.wait_for(lambda asked: 12 in asked)
    reader.read(11)
    reader.read(12)
    source.wait_for(lambda asked: 16 in asked)
    before = list(source.asked)
    assert before == sorted(set(before)), "no frame was decoded twice"


def test_it_looks_ahead_backwards_too(ahead):
    source = Scripted()
    reader = ahead(source)
    reader.read(50)
    for n in (49, 48, 47):
        reader.read(n)
    source.wait_for(lambda asked: 43 in asked)
    assert min(source.asked) >= 39


def test_a_still_picture_decodes_little_ahead(ahead):
    source = Scripted()
    reader = ahead(source)
    reader.read(10)
    source.wait_for(lambda asked: len(asked) == 3)
    assert source.asked == [10, 11, 12]


def test_memory_stays_within_the_limit(ahead):
    source = Scripted()
    reader = ahead(source, frames=10)
    for n in [*range(60), *range(59, 20, -1)]:
        reader.read(n)
        assert reader.used_bytes <= 10 * FRAME_BYTES
    assert len(reader._frames) <= 10


@pytest.mark.parametrize("frames", [0.5, 1, 1.4, 2])
def test_a_tiny_limit_still_reads(frames, ahead):
    source = Scripted()
    reader = ReadAhead(source, int(frames * FRAME_BYTES))
    try:
        assert [reader.read(n).id.index for n in (5, 6, 7, 6, 50)] == [5, 6, 7, 6, 50]
    finally:
        reader.close()


def test_a_jump_comes_before_what_was_being_decoded_ahead(ahead):
    source = Stoppable()
    reader = ahead(source)
    for n in (0, 1, 2):
        reader.read(n)
    assert source.preparing.wait(20)
    assert reader.read(80).id.index == 80
    assert source.stopped[0] == 3


def test_a_missing_frame_is_told_to_who_asked_and_reading_goes_on(ahead):
    source = Scripted()
    source.broken = {7}
    reader = ahead(source)
    for n in range(5, 7):
        reader.read(n)
    with pytest.raises(FrameMissing, match="no frame 7"):
        reader.read(7)
    assert reader.read(8).id.index == 8
    with pytest.raises(FrameMissing):
        reader.read(100)


def test_several_threads_get_their_own_frames(ahead):
    reader = ahead(Scripted(), frames=4)
    wrong = []

    def ask(seed):
        places = random.Random(seed).choices(range(100), k=60)
        wrong.extend(n for n in places if reader.read(n).id.index != n)

    threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    assert wrong == []


def test_closing_wakes_who_waits_and_ends_the_thread(ahead):
    source = Scripted()
    source.gate = threading.Event()
    reader = ahead(source)
    told = []

    def ask():
        try:
            reader.read(5)
        except FrameMissing as error:
            told.append(str(error))

    waiting = threading.Thread(target=ask)
    waiting.start()
    source.wait_for(lambda asked: asked == [5])
    closing = threading.Thread(target=reader.close)
    closing.start()
    waiting.join(20)
    assert told == ["clip is closed; open it again."]
    source.gate.set()
    closing.join(20)
    assert not reader._thread.is_alive()
    assert source.is_closed
    assert reader.used_bytes == 0
    reader.close()


def test_a_bug_in_the_source_becomes_a_sentence(monkeypatch):
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    source = Scripted()
    source.read = lambda index: 1 // 0
    reader = ReadAhead(source, 1000)
    with pytest.raises(Exception, match="stopped unexpectedly"):
        reader.read(0)
    reader.close()


def test_the_final_number_of_frames_can_be_waited_for(clip, ahead):
    plain = Scripted(frames=7)
    assert complete_info(plain).frames == 7
    assert complete_info(ahead(plain)).frames == 7
    reader = ReadAhead(VideoSource(clip("asp.avi")), 1_000_000)
    try:
        info = complete_info(reader, 60)
    finally:
        reader.close()
    assert info.is_complete
    assert info.frames == 90


def test_a_video_plays_seeks_and_steps_back(clip, number_in):
    reader = ReadAhead(VideoSource(clip("gop250.mp4")), 1_000_000)
    try:
        assert reader.wait_complete(60)
        places = [*range(80), *range(79, 40, -1), 250, 251, 249, 248, 20, 299]
        assert [number_in(reader.read(n).rgb) for n in places] == places
        shown = reader.preview(260)
        assert shown is not None
        assert number_in(shown.rgb) == shown.id.index
    finally:
        reader.close()
