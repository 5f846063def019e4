"""One picture, and exactly which one it is."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class FrameId:
    """Which picture.

    source: id of the file or folder it comes from (content fingerprint, see media.source).
    index: position in presentation order, from 0; 0 for a still.
    time_us: presentation time in a video, None for a still. Never computed from a frame rate.
    fingerprint: CRC-32 of the picture's content (luma plane as decoded, or RGB bytes), so that
    what is tied to this frame can be recognised again after the file was re-muxed or replaced.
    """

    source: str
    index: int
    time_us: int | None
    fingerprint: int


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """rgb: uint8 (H, W, 3), sRGB, upright, C-contiguous, read-only. BGR and EXIF end in media.

    decode_ms: what decoding this frame cost. note: what is wrong with it ("" when nothing):
    a damaged frame is shown with its note and never labelled.
    """

    id: FrameId
    rgb: NDArray[np.uint8]
    decode_ms: float
    note: str = ""

    @property
    def height(self) -> int:
        """Rows."""
        return int(self.rgb.shape[0])

    @property
    def width(self) -> int:
        """Columns."""
        return int(self.rgb.shape[1])
