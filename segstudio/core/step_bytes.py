"""A step as bytes, and back: checked, so that a damaged one is refused and never applied.

Layout: b"SGS1", CRC32 of the rest (uint32, little-endian), then length (uint32) and JSON of the
head, then the compressed tiles in the order of the head.
"""

import json
import struct
import zlib

from segstudio.core.geometry import Rect
from segstudio.core.steps import TILE, Step, TileChange
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
    except (ValueError, TypeError, KeyError, RecursionError, struct.error) as error:
        raise SegStudioError(
            "A step of the undo history is malformed; the labels are intact, but undo cannot go"
            " back beyond it."
        ) from error


def _read(body: bytes) -> Step:
    """The body after the checksum; ValueError, TypeError or KeyError when it does not add up."""
    at = 4 + int(struct.unpack_from("<I", body)[0])
    head = json.loads(body[4:at])
    tiles, places = [], set()
    for tile in head["tiles"]:
        row, col, before, after = _whole(tile, 4)
        middle, end = at + before, at + before + after
        tiles.append(TileChange(row, col, body[at:middle], body[middle:end]))
        places.add((row, col))
        at = end
    if at != len(body) or len(places) != len(tiles):
        raise ValueError("length")
    rect, (pixels,) = Rect(*_whole(head["rect"], 4)), _whole([head["pixels"]], 1)
    title, class_id = head["title"], head["class_id"]
    if not isinstance(title, str) or rect.is_empty is not (not tiles):
        raise ValueError("title or rectangle")
    if class_id is not None and _whole([class_id], 1)[0] > 255:
        raise ValueError("class")
    if pixels > rect.height * rect.width or not all(_meets(rect, t) for t in tiles):
        raise ValueError("pixels")
    return Step(title, class_id, pixels, rect, tuple(tiles))


def _whole(values: object, count: int) -> list[int]:
    """So many whole numbers from 0 on; ValueError for anything else."""
    if not isinstance(values, list) or len(values) != count:
        raise ValueError("numbers")
    if not all(type(v) is int and v >= 0 for v in values):  # True is an int too
        raise ValueError("numbers")
    return values


def _meets(rect: Rect, tile: TileChange) -> bool:
    """True when the tile holds some of the rectangle, as every tile of a step does."""
    y, x = tile.row * TILE, tile.col * TILE
    return y < rect.y1 and rect.y0 < y + TILE and x < rect.x1 and rect.x0 < x + TILE
