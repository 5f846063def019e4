"""RGB frames to an H.264 file: overlays, the demo, exports.

libx264 with 4:2:0 planes, BT.709, limited range: what every player shows the same way. Odd sizes
are widened by one row or column, because 4:2:0 needs even ones. The file is whole or absent.
"""

import contextlib
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from segstudio.atomic import atomic_path
from segstudio.errors import MediaError

_TICKS = 90_000
"""Time base of written stamps, per second."""

_BT709 = 1


class VideoWriter:
    """Writes one file; use it in a `with` block. One thread at a time.

    An exception inside the block leaves an older file of that name as it was. crf: quality of
    libx264, 0 (lossless) to 51; 18 looks like the original. preset: its speed.
    """

    def __init__(
        self, path: Path, fps: float | Fraction = 25, *, crf: int = 20, preset: str = "veryfast"
    ) -> None:
        self._path = path
        self._rate = Fraction(fps).limit_denominator(100_000)
        self._options = {"crf": str(crf), "preset": preset}
        self._reformatter = VideoReformatter()
        self._size: tuple[int, int] | None = None
        self._last_pts = -1
        self._frames = 0
        self._cleanup = contextlib.ExitStack()

    def __enter__(self) -> "VideoWriter":
        temporary = self._cleanup.enter_context(atomic_path(self._path))
        self._container = self._cleanup.enter_context(
            av.open(str(temporary), "w", format="mp4", options={"movflags": "faststart"})
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                self._finish()
        except BaseException as failure:
            self._cleanup.__exit__(type(failure), failure, failure.__traceback__)
            raise
        self._cleanup.__exit__(kind, error, trace)

    @property
    def frames(self) -> int:
        """How many were written."""
        return self._frames

    def write(self, rgb: NDArray[np.uint8], time_us: int | None = None) -> None:
        """Append uint8 (H, W, 3) RGB of the size of the first one.

        time_us: when it is shown, later than the frame before; None: one frame time after it.
        """
        if self._size is None:
            self._start(rgb.shape[0], rgb.shape[1])
        if rgb.shape[:2] != self._size:
            raise MediaError(
                f"A frame of {rgb.shape[1]}×{rgb.shape[0]} does not fit into {self._path.name},"
                f" which is {self._size[1]}×{self._size[0]}; write frames of one size."  # type: ignore[index]
            )
        height, width = rgb.shape[:2]
        if height % 2 or width % 2:
            rgb = np.pad(rgb, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        step = max(1, round(_TICKS / self._rate))
        if time_us is not None:
            pts = round(time_us * _TICKS / 1_000_000)
        else:
            pts = 0 if self._last_pts < 0 else self._last_pts + step
        self._last_pts = pts = max(pts, self._last_pts + 1)
        frame = self._reformatter.reformat(
            VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24"),
            format="yuv420p",
            dst_colorspace=_BT709,
            src_color_range="JPEG",
            dst_color_range="MPEG",
            threads=1,
        )
        frame.pts, frame.time_base = pts, Fraction(1, _TICKS)
        self._container.mux(self._stream.encode(frame))
        self._frames += 1

    def _start(self, height: int, width: int) -> None:
        stream = self._container.add_stream("libx264", rate=self._rate, options=self._options)
        stream.width, stream.height = width + width % 2, height + height % 2
        stream.pix_fmt = "yuv420p"
        stream.time_base = Fraction(1, _TICKS)
        context = stream.codec_context
        context.time_base = Fraction(1, _TICKS)
        context.colorspace = context.color_primaries = context.color_trc = _BT709
        context.color_range = 1  # limited
        self._stream = stream
        self._size = (height, width)

    def _finish(self) -> None:
        if self._size is None:
            raise MediaError(f"No frame was written to {self._path.name}; there is no video.")
        self._container.mux(self._stream.encode(None))
