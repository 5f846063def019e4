"""Damaged files play as far as they can and say what is missing; others get one sentence."""

import random

import av
import numpy as np
import pytest

from segstudio.errors import FrameMissing, MediaError
from segstudio.media.open import open_source
from segstudio.media.video import VideoSource


@pytest.fixture
def whole(encode):
    """An MP4 whose table of frames comes first, as a recorder with a fast start writes it."""
    return encode(
        name="whole.mp4",
        frames=100,
        gop=20,
        params="bframes=2:scenecut=0",
        container={"movflags": "faststart"},
    )


@pytest.fixture
def opened(request):
    """Opens a file and closes it after the test."""

    def get(path, **options):
        source = VideoSource(path, **options)
        request.addfinalizer(source.close)
        return source

    return get


def test_a_cut_file_plays_to_its_end_and_says_so(whole, opened, tmp_path, number_in):
    content = whole.read_bytes()
    file = tmp_path / "cut.mp4"
    file.write_bytes(content[: len(content) * 6 // 10])
    source = opened(file, cache_bytes=1)
    assert source.wait_complete(60)
    frames = source.info.frames
    assert 40 < frames < 75
    note = f"The file ends after frame {frames - 1} of about 100."
    assert note in source.info.notes
    for n in [frames - 1, 0, *random.Random(1).choices(range(frames), k=20)]:
        frame = source.read(n)
        # Packets lie in another order than frames, so the last ones have a gap between them.
        assert number_in(frame.rgb) == round(frame.id.time_us / 40_000)
        assert n >= frames - 3 or number_in(frame.rgb) == n
    assert source.wait_verified(60)
    assert source.info.frames == frames
    assert note in source.info.notes
    with pytest.raises(FrameMissing):
        source.read(frames)


@pytest.mark.parametrize("name", ["broadcast.ts", "asp.avi", "phone.mkv", "program.mpg"])
def test_files_without_a_table_play_to_their_end(name, clip, opened, tmp_path, number_in):
    content = clip(name).read_bytes()
    file = tmp_path / name
    file.write_bytes(content[: len(content) // 2])
    source = opened(file)
    assert source.wait_verified(60)
    frames = source.info.frames
    assert 10 < frames < 80
    for n in random.Random(1).choices(range(frames - 3), k=20):
        assert number_in(source.read(n).rgb) == n


def bit_flips(content, seed, keep):
    """Noise behind the first `keep` bytes."""
    damaged = np.frombuffer(content, np.uint8).copy()
    places = np.random.default_rng(seed).integers(keep, len(damaged), 40)
    damaged[places] ^= 0x55
    return damaged.tobytes()


@pytest.mark.parametrize("seed", range(4))
def test_flipped_bits_leave_every_other_frame_at_its_number(
    seed, whole, opened, tmp_path, number_in
):
    """Whatever comes without a note shows its number; the rest says that it may not."""
    with av.open(str(whole)) as container:
        keep = min(p.pos for p in container.demux(video=0) if p.size) + 4000
    file = tmp_path / "flipped.mp4"
    file.write_bytes(bit_flips(whole.read_bytes(), seed, keep))
    source = opened(file, cache_bytes=1)
    assert source.wait_verified(60)
    info = source.info
    assert info.frames == 100
    assert any("damaged" in note for note in info.notes)
    noted = 0
    for n in random.Random(seed).choices(range(100), k=60):
        frame = source.read(n)
        noted += bool(frame.note)
        assert frame.id.index == n
        assert frame.note or number_in(frame.rgb) == n
    assert noted > 0


def test_a_frame_that_is_lost_shows_the_one_before_with_a_note(whole, opened, tmp_path, number_in):
    with av.open(str(whole)) as container:
        packets = [(p.pos, p.size, p.pts) for p in container.demux(video=0) if p.size]
    stamps = sorted(pts for _, _, pts in packets)
    # A packet of the last group in whose place there is nothing that could be decoded.
    position, size, pts = packets[-2]
    content = bytearray(whole.read_bytes())
    content[position : position + size] = bytes(size)
    file = tmp_path / "lost.mp4"
    file.write_bytes(content)
    source = opened(file, cache_bytes=1)
    assert source.wait_verified(60)
    lost = stamps.index(pts)
    assert source.info.frames == 100
    frame = source.read(lost)
    assert frame.id.index == lost
    assert "cannot be decoded" in frame.note or "damaged" in frame.note
    assert number_in(source.read(lost - 5).rgb) == lost - 5
    assert source.read(lost - 5).note == ""


def no_table(content):
    """The recording was cut off before its table was written."""
    return content[: len(content) // 2]


@pytest.mark.parametrize(
    ("name", "make", "text"),
    [
        ("empty.mp4", lambda c: b"", "is empty"),
        ("text.mp4", lambda c: b"This is no video.\n" * 50, "holds text"),
        ("playlist.m3u8", lambda c: b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n", "holds text|does not"),
        (
            "concat.txt",
            lambda c: b"ffconcat version 1.0\nfile /etc/passwd\n",
            "holds text|does not",
        ),
        ("noise.mp4", lambda c: bytes(range(256)) * 40, "not a video"),
        ("unfinished.mp4", no_table, "no table of its frames"),
    ],
)
def test_what_is_no_video_gets_one_sentence(name, make, text, encode, tmp_path):
    whole = encode(name="slow_start.mp4", frames=30)
    file = tmp_path / name
    file.write_bytes(make(whole.read_bytes()))
    with pytest.raises(MediaError, match=text) as caught:
        open_source(file)
    assert name in str(caught.value)
    assert str(caught.value).endswith(".")
    assert str(caught.value).count(". ") == 0


def test_a_file_with_sound_only_is_told(tmp_path):
    file = tmp_path / "sound.m4a"
    with av.open(str(file), "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=16000)
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.sample_rate = 16000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(MediaError, match="no video track"):
        open_source(file)


def test_a_video_of_which_nothing_can_be_decoded_is_told(whole, tmp_path):
    with av.open(str(whole)) as container:
        packets = [(p.pos, p.size) for p in container.demux(video=0) if p.size]
    content = bytearray(whole.read_bytes())
    for position, size in packets:
        content[position : position + size] = bytes(size)
    file = tmp_path / "hollow.mp4"
    file.write_bytes(content)
    with pytest.raises(MediaError, match=r"No picture of hollow\.mp4 can be decoded"):
        open_source(file)


def test_a_video_named_like_a_picture_is_told(whole, tmp_path):
    file = tmp_path / "video.png"
    file.write_bytes(whole.read_bytes())
    with pytest.raises(MediaError, match="holds no picture"):
        open_source(file)
