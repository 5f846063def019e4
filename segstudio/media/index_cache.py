"""Finished video indexes on disk: one small file per video, named by its content.

The name holds the content fingerprint, the version of this format and that of FFmpeg's decoders:
another FFmpeg may show a damaged file differently. What cannot be read is built again.
"""

import io
import json
import logging
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from segstudio import paths
from segstudio.atomic import atomic_write
from segstudio.errors import SegStudioError
from segstudio.media.video_index import VideoIndex

log = logging.getLogger("segstudio.media")

FORMAT = 1
"""Raise it when the meaning of what is stored changes."""


def file_of(source_id: str) -> Path:
    """Where the index of the video with that fingerprint is kept."""
    decoders = "-".join(str(n) for n in av.library_versions["libavcodec"])
    return paths.user_cache() / "index" / f"{source_id}.v{FORMAT}.avcodec-{decoders}.npz"


def load(source_id: str) -> VideoIndex | None:
    """The kept index, None when there is none that can be used."""
    try:
        content = file_of(source_id).read_bytes()
    except OSError:
        return None
    try:
        # The zip inside carries a CRC of each array.
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            about = json.loads(str(arrays["about"]))
            index = VideoIndex(
                by_time=bool(about["by_time"]),
                pts=arrays["pts"].astype(np.int64),
                restarts=arrays["restarts"].astype(np.int64).reshape(-1, 3),
                damaged=arrays["damaged"].astype(np.bool_),
                crc=arrays["crc"].astype(np.uint32) if len(arrays["crc"]) else None,
                time_base=Fraction(*about["time_base"]),
                notes=tuple(str(n) for n in about["notes"]),
                threads=str(about["threads"]),
            )
    # Reading a damaged zip raises nearly anything.
    except Exception as error:  # noqa: BLE001 - whatever is wrong with it, it is built again
        log.warning("the kept index of %s is unusable: %s", source_id, error)
        return None
    same = len(index.damaged) == len(index) and (index.crc is None or len(index.crc) == len(index))
    return index if same and len(index) else None


def save(source_id: str, index: VideoIndex) -> None:
    """Keep it; a full or read-only disk only costs the time to build it again."""
    about = {
        "by_time": index.by_time,
        "time_base": [index.time_base.numerator, index.time_base.denominator],
        "notes": list(index.notes),
        "threads": index.threads,
    }
    crc = np.zeros(0, np.uint32) if index.crc is None else index.crc
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        about=np.array(json.dumps(about)),
        pts=index.pts,
        restarts=index.restarts,
        damaged=index.damaged,
        crc=crc,
    )
    try:
        atomic_write(file_of(source_id), buffer.getvalue())
    except SegStudioError as error:
        log.warning("the index is not kept: %s", error)
