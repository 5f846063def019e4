"""What is written as a video reads back as the same frames."""

import numpy as np
import pytest

from segstudio.errors import MediaError, SegStudioError
from segstudio.media.video import VideoSource
from segstudio.media.writer import VideoWriter


@pytest.fixture
def coded(number_in):
    """Frames with their number in squares of 8 px, of any size."""

    def make(number, height, width):
        rgb = np.full((height, width, 3), 90, np.uint8)
        rgb[16:, :, 0] = np.linspace(40, 200, width).astype(np.uint8)
        bits = np.array([number >> (15 - b) & 1 for b in range(16)], np.uint8)
        row = np.repeat(bits, 8)[None, :, None] * np.uint8(255)
        rgb[0:8, :128] = row
        rgb[8:16, :128] = 255 - row
        return rgb

    return make


@pytest.mark.parametrize("size", [(96, 160), (97, 161), (16, 129)])
def test_frames_come_back_in_order_at_every_size(size, coded, number_in, tmp_path):
    file = tmp_path / "new" / "out.mp4"
    with VideoWriter(file, 30) as writer:
        for n in range(30):
            writer.write(coded(n, *size))
    assert writer.frames == 30
    source = VideoSource(file)
    try:
        assert source.wait_verified(60)
        assert source.info.frames == 30
        for n in (0, 29, 13):
            frame = source.read(n)
            assert number_in(frame.rgb) == n
            assert frame.id.time_us == pytest.approx(n * 1_000_000 / 30, abs=20)
            inner = frame.rgb[: size[0], : size[1]].astype(int) - coded(n, *size)
            assert np.abs(inner).mean() < 6
            assert frame.rgb.shape[:2] == (size[0] + size[0] % 2, size[1] + size[1] % 2)
    finally:
        source.close()


def test_stamps_are_kept(coded, tmp_path):
    stamps = [0, 33_000, 70_000, 2_500_000, 2_533_000]
    file = tmp_path / "out.mp4"
    with VideoWriter(file, 30) as writer:
        for n, stamp in enumerate(stamps):
            writer.write(coded(n, 96, 160), stamp)
    source = VideoSource(file)
    try:
        source.wait_complete(60)
        assert [source.time_us(n) for n in range(5)] == pytest.approx(stamps, abs=20)
    finally:
        source.close()


def test_an_exception_leaves_the_older_file(coded, tmp_path):
    file = tmp_path / "out.mp4"
    file.write_bytes(b"older")

    def fail():
        with VideoWriter(file) as writer:
            writer.write(coded(0, 96, 160))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert file.read_bytes() == b"older"
    assert list(tmp_path.iterdir()) == [file]


def test_a_video_without_frames_is_not_written(tmp_path):
    with pytest.raises(MediaError, match="No frame was written"), VideoWriter(tmp_path / "o.mp4"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_frames_of_another_size_are_refused(coded, tmp_path):
    def fail():
        with VideoWriter(tmp_path / "o.mp4") as writer:
            writer.write(coded(0, 96, 160))
            writer.write(coded(1, 98, 160))

    with pytest.raises(MediaError, match="160×98 does not fit"):
        fail()


def test_a_folder_that_is_a_file_is_told(coded, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with (
        pytest.raises(SegStudioError, match="could not be written"),
        VideoWriter(tmp_path / "file" / "o.mp4"),
    ):
        pass
