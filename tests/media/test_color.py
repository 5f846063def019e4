"""Colours are those that the stream means: matrix, range and depth."""

from types import SimpleNamespace

import av
import numpy as np
import pytest

from segstudio.media.color import Orientation, ToRgb, is_hdr, luma_crc

MATRIX = {"601": (0.299, 0.114), "709": (0.2126, 0.0722)}
CODE = {"601": 5, "709": 1, "unknown": 2}


def planar(rgb, matrix, *, full, height=48, width=64, bits=8):
    """A 4:4:4 frame of one colour by the formulas of ITU-R BT.601 and BT.709."""
    kr, kb = MATRIX[matrix]
    r, g, b = (v / 255 for v in rgb)
    y = kr * r + (1 - kr - kb) * g + kb * b
    u, v = (b - y) / (2 * (1 - kb)), (r - y) / (2 * (1 - kr))
    scale, top = 1 << (bits - 8), (1 << bits) - 1
    if full:
        values = (y * top, u * top + 128 * scale, v * top + 128 * scale)
    else:
        values = ((16 + 219 * y) * scale, (128 + 224 * u) * scale, (128 + 224 * v) * scale)
    kind = np.uint8 if bits == 8 else np.uint16
    planes = np.stack(
        [np.full((height, width), min(round(p), (1 << bits) - 1), kind) for p in values]
    )
    name = {8: "yuv444p", 10: "yuv444p10le"}[bits]
    if bits == 8:
        frame = av.VideoFrame.from_ndarray(planes, format=name)
    else:
        frame = av.VideoFrame(width, height, name)
        for plane, content in zip(frame.planes, planes, strict=True):
            rows = np.zeros((height, plane.line_size // 2), np.uint16)
            rows[:, :width] = content
            plane.update(rows.tobytes())
    frame.color_range = 2 if full else 1
    return frame


def shown(frame):
    return ToRgb()(frame, Orientation(frame))[5, 5]


@pytest.mark.parametrize("matrix", ["601", "709"])
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("rgb", [(255, 0, 0), (0, 128, 255), (200, 180, 20), (255, 255, 255)])
def test_the_matrix_and_range_of_the_stream_are_used(matrix, full, rgb):
    frame = planar(rgb, matrix, full=full)
    frame.colorspace = CODE[matrix]
    np.testing.assert_allclose(shown(frame), rgb, atol=4)


@pytest.mark.parametrize(("size", "matrix"), [((576, 720), "601"), ((720, 1280), "709")])
def test_an_unnamed_matrix_goes_by_the_size(size, matrix):
    frame = planar((255, 0, 0), matrix, full=False, height=size[0], width=size[1])
    frame.colorspace = CODE["unknown"]
    np.testing.assert_allclose(shown(frame), (255, 0, 0), atol=4)


def test_10_bits_are_reduced():
    frame = planar((200, 100, 50), "709", full=False, bits=10)
    frame.colorspace = CODE["709"]
    np.testing.assert_allclose(shown(frame), (200, 100, 50), atol=4)


@pytest.mark.parametrize("width", [64, 62, 33])
def test_the_fingerprint_covers_the_picture_and_not_its_padding(width):
    luma = np.random.default_rng(1).integers(0, 255, (20, width), np.uint8)
    frame = av.VideoFrame.from_ndarray(luma, format="gray")
    first = luma_crc(frame)
    plane = frame.planes[0]
    rows = np.frombuffer(plane, np.uint8).reshape(20, -1).copy()
    rows[:, width:] ^= 0xFF
    plane.update(rows.tobytes())
    assert luma_crc(frame) == first
    rows[19, width - 1] ^= 1
    plane.update(rows.tobytes())
    assert luma_crc(frame) != first


def turned_by(a, b, c, d):
    """A stand-in for a frame with that display matrix."""
    matrix = np.array([a, b, 0, c, d, 0, 0, 0, 1 << 14], np.int32) * (1 << 16)
    side = {"DISPLAYMATRIX": matrix.astype(np.int32).tobytes()}
    return SimpleNamespace(side_data=side, width=3, height=2)


@pytest.mark.parametrize(
    ("matrix", "turn"),
    [
        ((1, 0, 0, 1), lambda p: p),
        ((0, 1, -1, 0), lambda p: np.rot90(p, -1)),
        ((-1, 0, 0, -1), lambda p: np.rot90(p, 2)),
        ((0, -1, 1, 0), lambda p: np.rot90(p, 1)),
        ((-1, 0, 0, 1), lambda p: p[:, ::-1]),
        ((1, 0, 0, -1), lambda p: p[::-1]),
        ((0, 1, 1, 0), lambda p: p.transpose(1, 0, 2)),
    ],
)
def test_display_matrices_turn_and_mirror(matrix, turn):
    picture = np.arange(18, dtype=np.uint8).reshape(2, 3, 3)
    frame = turned_by(*matrix)
    orientation = Orientation(frame)
    upright = orientation.apply(picture)
    np.testing.assert_array_equal(upright, turn(picture))
    assert upright.flags.c_contiguous
    assert orientation.size(frame) == upright.shape[:2]


def test_hdr_is_recognised():
    frame = planar((9, 9, 9), "709", full=False)
    assert not is_hdr(frame)
    frame.color_trc = 16
    assert is_hdr(frame)
