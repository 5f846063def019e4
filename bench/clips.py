"""Small videos whose frames carry their own number, one odd thing each.

Sixteen squares of 8×8 pixels in the top row of blocks spell the frame's number (white = 1, most
significant bit first); the row of blocks below is the complement, so a misread is noticed.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

SIZE = (96, 160)
BITS = 16
SQUARE = 8


@dataclass(frozen=True)
class Clip:
    """One file to make. stamps: presentation time of frame i in milliseconds."""

    name: str
    codec: str
    frames: int = 200
    options: dict[str, str] = field(default_factory=dict)
    container: dict[str, str] = field(default_factory=dict)
    pixels: str = "yuv420p"
    gop: int = 50
    stamps: Callable[[int], int] = lambda i: 40 * i


def _uneven(i: int) -> int:
    """A phone's rate: 33 or 34 ms, now and then a stall, once a hole of 2 s."""
    return 33 * i + i // 3 + 41 * (i // 17) + (2000 if i > 120 else 0)


X264 = {"preset": "veryfast", "crf": "24"}
CLIPS = (
    Clip("h264_b_frames.mp4", "libx264", options={**X264, "bf": "3", "b-pyramid": "normal"}),
    Clip("h264_gop_250.mp4", "libx264", frames=500, gop=250, options={**X264, "bf": "2"}),
    Clip("h264_open_gop.mkv", "libx264", options={**X264, "x264-params": "open-gop=1:bframes=3"}),
    Clip("h264_uneven.mp4", "libx264", options=X264, stamps=_uneven),
    Clip("h264_uneven.mkv", "libx264", options={**X264, "bf": "2"}, stamps=_uneven),
    Clip("h264_stream.ts", "libx264", options={**X264, "bf": "2"}),
    Clip(
        "h264_fragments.mp4", "libx264", options=X264,
        container={"movflags": "frag_keyframe+empty_moov"},
    ),
    Clip("h264_starts_at_5s.mp4", "libx264", options=X264, stamps=lambda i: 5000 + 40 * i),
    Clip("hevc.mp4", "libx265", options={"preset": "ultrafast", "x265-params": "log-level=none"}),
    Clip("mpeg4.avi", "mpeg4", options={"bf": "2"}),
    Clip("mpeg2.mpg", "mpeg2video", options={"bf": "2"}),
    Clip("mjpeg.avi", "mjpeg", pixels="yuvj420p", gop=1),
    Clip("vp9.webm", "libvpx-vp9", frames=100, options={"cpu-used": "8", "deadline": "realtime"}),
    Clip("av1.mp4", "libsvtav1", frames=100, options={"preset": "12"}),
)  # fmt: skip


def picture(number: int) -> NDArray[np.uint8]:
    """uint8 (96, 160, 3): the number above a moving pattern, so that frames really differ."""
    h, w = SIZE
    y, x = np.mgrid[0:h, 0:w]
    rgb = np.empty((h, w, 3), np.uint8)
    rgb[..., 0] = (x * 2 + number * 5) % 256
    rgb[..., 1] = (y * 3 + number * 3) % 256
    rgb[..., 2] = ((x + y) // 8 * 40 + number * 11) % 256
    bits = [(number >> (BITS - 1 - i)) & 1 for i in range(BITS)]
    for i, bit in enumerate(bits):
        column = slice(SQUARE * i, SQUARE * (i + 1))
        rgb[0:SQUARE, column] = 255 * bit
        rgb[SQUARE : 2 * SQUARE, column] = 255 * (1 - bit)
    return rgb


def number_of(rgb: NDArray[np.uint8]) -> int | None:
    """The number that a frame carries; None when the two rows contradict each other."""
    middle = np.arange(BITS) * SQUARE + SQUARE // 2
    grey = rgb.astype(np.int32).mean(2)
    ones = grey[SQUARE // 2, middle] > 128
    zeros = grey[SQUARE + SQUARE // 2, middle] > 128
    if (ones == zeros).any():
        return None
    return int(sum(1 << (BITS - 1 - i) for i, one in enumerate(ones) if one))


def make(clip: Clip, folder: Path) -> Path | None:
    """Encode the clip; None when this FFmpeg has no such encoder."""
    if clip.codec not in av.codecs_available:
        return None
    file = folder / clip.name
    with av.open(str(file), "w", options=clip.container) as container:
        stream = container.add_stream(clip.codec, rate=25, options=clip.options)
        stream.height, stream.width = SIZE
        stream.pix_fmt = clip.pixels
        stream.codec_context.gop_size = clip.gop
        # MPEG's own formats know fixed rates only.
        fixed = clip.codec in ("mpeg4", "mpeg2video", "mjpeg")
        base = Fraction(1, 25) if fixed else Fraction(1, 1000)
        stream.codec_context.time_base = base
        for i in range(clip.frames):
            frame = av.VideoFrame.from_ndarray(picture(i), format="rgb24")
            frame.time_base = base
            frame.pts = i if fixed else clip.stamps(i)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file
