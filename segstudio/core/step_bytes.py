"""A step as bytes, and back: checked, so that a damaged one is refused and never applied.

Layout: b"SGS1", CRC32 of the rest (uint32, little-endian), then length (uint32) and JSON of the
head, then the compressed tiles in the order of the head.
"""

import json
import struct
import zlib

from segstudio.core.geometry import Rect
from segstudio.core.steps import Step, TileChange
from segstudio.errors import SegStudioError

MAGIC = b"SGS1"


def step_to_bytes(step: Step) -> bytes:
    """The inverse of `step_from_bytes`."""
    r = step.rect
    head = {
        "title": step.title,
        "class_id": step.class_id,
        "pixels": int(step.pixels),
        "rect": [int(v) for v in (r.y0, r.x0, r.y1, r.x1)],
        "tiles": [[t.row, t.col, len(t.before), len(t.after)] for t in step.tiles],
    }
    text = json.dumps(head, separators=(",", ":")).encode()
    tiles = b"".join(part for t in step.tiles for part in (t.before, t.after))
    body = struct.pack("<I", len(text)) + text + tiles
    return MAGIC + struct.pack("<I", zlib.crc32(body)) + body


def step_from_bytes(data: bytes) -> Step:
    """SegStudioError when the bytes are damaged or of a newer version."""
    body = data[8:]
    if data[:4] != MAGIC or len(body) < 4 or data[4:8] != struct.pack("<I", zlib.crc32(body)):
        raise SegStudioError(
            "A step of the undo history is damaged or from a newer SegStudio; the labels are"
            " intact, but undo cannot go back beyond it."
        )
    try:
        return _read(body)
    except (ValueError, TypeError, KeyError, struct.error) as error:
        raise SegStudioError(
            "A step of the undo history is malformed; the labels are intact, but undo cannot go"
            " back beyond it."
        ) from error


def _read(body: bytes) -> Step:
    """The body after the checksum; ValueError, TypeError or KeyError when it does not add up."""
    at = 4 + int(struct.unpack_from("<I", body)[0])
    head = json.loads(body[4:at])
    tiles = []
    for row, col, before, after in head["tiles"]:
        middle, end = at + before, at + before + after
        tiles.append(TileChange(row, col, body[at:middle], body[middle:end]))
        at = end
    if at != len(body):
        raise ValueError("length")
    return Step(head["title"], head["class_id"], head["pixels"], Rect(*head["rect"]), tuple(tiles))
