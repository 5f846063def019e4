"""Camera files and odd derivatives of them: 200 seeks each, none wrong; damaged ones say so."""

import random
import zlib

import av
import numpy as np
import pytest

from segstudio.errors import MediaError
from segstudio.media.open import open_source
from segstudio.media.readahead import ReadAhead
from segstudio.media.video import VideoSource

pytestmark = [pytest.mark.realdata, pytest.mark.slow]

NUMBERED = [
    "av1_640x360.mp4", "h264_1080p_5994.mp4", "h264_23976_bframes.mkv", "h264_base_640x360.mp4",
    "h264_long_80s_30fps.mp4", "h264_mpegts.ts", "h264_odd_yuv444_479x269.mp4",
    "h264_opengop_b3_960x540.mp4", "h264_rot90_displaymatrix.mp4",
    "h264_sar_anamorphic_720x576.mp4", "h264_vfr_hole_90k.mp4", "hevc_main10.mp4",
    "hevc_opengop_640x360.mp4", "mjpeg_640x360.avi", "mpeg4_asp_bframes.avi", "vp9_640x360.webm",
]  # fmt: skip
PLAIN = [
    "derived/camvid_val_0016E5_15fps.mp4",
    "real/gopro_max_heromode_h264_fullrange_2997.mp4",
    "real/udacity_project_cut_mpeg4sp_720p.mp4",
    "real/udacity_solidWhiteRight_h264_960x540.mp4",
    "real/udacity_test_small1_h264_editlist_720p.mp4",
]
SMALL_CACHE = 1
"""Bytes: nothing is kept, so that every request decodes."""


def straight_decode(path):
    """CRC-32 of each luma plane, as the plainest program would get them."""
    crcs, stamps = [], []
    with av.open(str(path)) as container:
        for frame in container.decode(container.streams.best("video")):
            plane = frame.planes[0]
            rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
            crcs.append(zlib.crc32(rows[: frame.height, : frame.width].tobytes()))
            stamps.append(round(frame.pts * frame.time_base * 1_000_000))
    return crcs, stamps


def places(frames, is_verified):
    """200 before the full check, when only stamps vouch for the numbers; fewer after it."""
    count = 50 if is_verified else 200
    return [0, frames - 1, *random.Random(5).choices(range(frames), k=count)]


def test_every_clip_is_covered(data_dir):
    folder = data_dir / "video" / "derived"
    assert {p.name for p in folder.iterdir() if p.is_file()} == {
        *NUMBERED,
        "camvid_val_0016E5_15fps.mp4",
    }


@pytest.mark.parametrize("is_verified", [False, True])
@pytest.mark.parametrize("name", NUMBERED)
def test_frame_n_shows_n(name, is_verified, data_dir, number_in):
    source = VideoSource(data_dir / "video" / "derived" / name, cache_bytes=SMALL_CACHE)
    try:
        assert source.wait_verified(120) if is_verified else source.wait_complete(120)
        for n in places(source.info.frames, is_verified):
            frame = source.read(n)
            rgb = np.rot90(frame.rgb) if "rot90" in name else frame.rgb
            assert number_in(rgb) == n
            assert frame.note == ""
    finally:
        source.close()


@pytest.mark.parametrize("is_verified", [False, True])
@pytest.mark.parametrize("name", PLAIN)
def test_frame_n_is_the_nth_of_a_straight_decode(name, is_verified, data_dir):
    path = data_dir / "video" / name
    crcs, stamps = straight_decode(path)
    source = VideoSource(path, cache_bytes=SMALL_CACHE)
    try:
        assert source.wait_verified(120) if is_verified else source.wait_complete(120)
        assert source.info.frames == len(crcs)
        for n in places(len(crcs), is_verified):
            frame = source.read(n)
            assert (frame.id.fingerprint, frame.id.time_us) == (crcs[n], stamps[n])
    finally:
        source.close()


def test_the_numbered_video_is_the_folder_of_pictures(data_dir):
    video = open_source(data_dir / "video" / "derived" / "camvid_val_0016E5_15fps.mp4")
    folder = open_source(data_dir / "camvid" / "val" / "images")
    try:
        video.wait_complete(60)
        assert video.info.frames == folder.info.frames == 101
        for n in (0, 50, 100, 17):
            difference = np.abs(video.read(n).rgb.astype(int) - folder.read(n).rgb)
            nearest = np.abs(video.read(n).rgb.astype(int) - folder.read(abs(n - 1)).rgb)
            assert difference.mean() < min(8, nearest.mean())
    finally:
        video.close()


def test_bit_flips_keep_every_number(data_dir, number_in):
    source = VideoSource(data_dir / "video/derived/damaged/bitflips.mp4", cache_bytes=SMALL_CACHE)
    try:
        assert source.wait_verified(120)
        assert source.info.frames == 150
        assert any("damaged" in note for note in source.info.notes)
        lost = set(range(150))
        for n in range(150):
            frame = source.read(n)
            assert frame.note or number_in(frame.rgb) == n
            if number_in(frame.rgb) == n:
                lost.discard(n)
        assert lost == {25}
    finally:
        source.close()


def test_a_truncated_file_plays_to_its_last_frame(data_dir, number_in):
    source = VideoSource(data_dir / "video/derived/damaged/truncated_moov_first.mp4")
    try:
        assert source.wait_verified(120)
        assert source.info.frames == 90
        assert "The file ends after frame 89 of about 150." in source.info.notes
        assert [number_in(source.read(n).rgb) for n in range(90)] == list(range(90))
    finally:
        source.close()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("truncated_no_moov.mp4", "no table of its frames"),
        ("empty.mp4", "is empty"),
        ("text_named.mp4", "holds text"),
    ],
)
def test_the_unreadable_get_one_sentence(name, text, data_dir):
    with pytest.raises(MediaError, match=text):
        open_source(data_dir / "video" / "derived" / "damaged" / name)


@pytest.mark.parametrize("name", ["h264_long_80s_30fps.mp4", "mpeg4_asp_bframes.avi"])
def test_playing_with_seeks_shows_every_frame(name, data_dir, number_in):
    reader = ReadAhead(open_source(data_dir / "video" / "derived" / name), 60_000_000)
    try:
        assert reader.wait_complete(120)
        frames = reader.info.frames
        jumps = random.Random(3)
        at = 0
        for _ in range(150):
            if jumps.random() < 0.1:
                at = jumps.randrange(frames)
            assert number_in(reader.read(at).rgb) == at
            at = (at + 1) % frames
        for n in range(min(frames, 200) - 1, 100, -1):
            assert number_in(reader.read(n).rgb) == n
    finally:
        reader.close()
