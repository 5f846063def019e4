"""Decoded pictures as upright RGB, and what identifies them.

Matrix and range are those of the stream. A stream that names no matrix is taken as BT.709 above
576 lines or from 1280 columns on, else as BT.601, as video players do. More than 8 bits are
reduced for display; PQ and HLG are shown as they are, without tone mapping.
"""

import zlib
from typing import cast

import numpy as np
from av.video.frame import VideoFrame
from av.video.plane import VideoPlane
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

_BT709, _BT601, _BT2020, _SMPTE240, _FCC = 1, 5, 9, 7, 4
_MATRIX = {1: _BT709, 4: _FCC, 5: _BT601, 6: _BT601, 7: _SMPTE240, 9: _BT2020, 10: _BT2020}
"""ISO/IEC 23091-2 matrix numbers that streams carry → the tables that swscale has."""

_FULL, _LIMITED = "JPEG", "MPEG"
_HDR_TRANSFERS = (16, 18)
"""PQ and HLG in ISO/IEC 23091-2."""


class Orientation:
    """How a stored picture is turned for display, from the 3×3 display matrix of the stream."""

    def __init__(self, frame: VideoFrame) -> None:
        self._transposed = self._flip_x = self._flip_y = False
        side = frame.side_data.get("DISPLAYMATRIX")
        if side is None:
            return
        a, b, _, c, d = np.frombuffer(cast("memoryview[int]", side), np.int32)[:5].tolist()
        # A stored pixel (x, y) is shown at (a x + c y, b x + d y).
        self._transposed = abs(b) > abs(a)
        self._flip_x = (c if self._transposed else a) < 0
        self._flip_y = (b if self._transposed else d) < 0

    def size(self, frame: VideoFrame) -> tuple[int, int]:
        """(height, width) of the upright picture."""
        return (frame.width, frame.height) if self._transposed else (frame.height, frame.width)

    def apply(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The upright picture, C-contiguous."""
        if self._transposed:
            rgb = rgb.transpose(1, 0, 2)
        if self._flip_x:
            rgb = rgb[:, ::-1]
        if self._flip_y:
            rgb = rgb[::-1]
        return np.ascontiguousarray(rgb)


class ToRgb:
    """Turns pictures of one stream into RGB; keeps swscale's context. One thread at a time."""

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()

    def __call__(self, frame: VideoFrame, orientation: Orientation) -> NDArray[np.uint8]:
        """uint8 (H, W, 3), upright, C-contiguous, read-only."""
        converted = self._reformatter.reformat(
            frame,
            format="rgb24",
            src_colorspace=_matrix(frame),
            src_color_range=_FULL if _is_full_range(frame) else _LIMITED,
            dst_color_range=_FULL,
            threads=1,
        )
        stored = _rows(converted.planes[0])[: frame.height, : frame.width * 3].reshape(
            frame.height, frame.width, 3
        )
        rgb = orientation.apply(stored)
        rgb.setflags(write=False)
        return rgb


def is_hdr(frame: VideoFrame) -> bool:
    """True for PQ and HLG pictures."""
    return int(frame.color_trc) in _HDR_TRANSFERS


def luma_crc(frame: VideoFrame) -> int:
    """CRC-32 of the first plane (luma, or all of a packed format) without its padding."""
    plane = frame.planes[0]
    layout = frame.format
    if len(frame.planes) == 1:
        row_bytes = (frame.width * layout.padded_bits_per_pixel + 7) // 8
    else:
        row_bytes = frame.width * (2 if layout.components[0].bits > 8 else 1)
    return zlib.crc32(np.ascontiguousarray(_rows(plane)[: frame.height, :row_bytes]).data)


def size_in_memory(frame: VideoFrame) -> int:
    """Bytes that a decoded picture holds."""
    return sum(int(plane.buffer_size) for plane in frame.planes)


def _rows(plane: VideoPlane) -> NDArray[np.uint8]:
    """uint8 (lines, bytes per line): the plane with its padding, not copied."""
    return np.frombuffer(cast("memoryview[int]", plane), np.uint8).reshape(-1, plane.line_size)


def _matrix(frame: VideoFrame) -> int:
    known = _MATRIX.get(int(frame.colorspace))
    if known is not None:
        return known
    return _BT709 if frame.height > 576 or frame.width >= 1280 else _BT601


def _is_full_range(frame: VideoFrame) -> bool:
    name = frame.format.name
    return int(frame.color_range) == 2 or name.startswith(("yuvj", "gray", "rgb", "bgr", "gbr"))
