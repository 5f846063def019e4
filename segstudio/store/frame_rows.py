"""Frames, tiles, steps and settings of a project, as SQL. All of it runs in the store's thread.

Writes run inside a transaction that somebody else begins and ends.
"""

import sqlite3
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import zstandard
from numpy.typing import NDArray

from segstudio.core.geometry import Rect
from segstudio.core.step_bytes import step_from_bytes, step_to_bytes
from segstudio.core.steps import TILE, Step, TileChange
from segstudio.errors import SegStudioError
from segstudio.store.project_rows import (
    Counts,
    FrameAbout,
    FrameKey,
    FrameSummary,
    StepRecord,
    StoredFrame,
)
from segstudio.store.schema import TABLES

NONE: Counts = (0, 0, 0, 0, 0)

MAX_PIXELS = 1 << 28
"""More than any camera has; what claims to be larger is a damaged file."""


class StaleFrame(SegStudioError):
    """Somebody else wrote the frame since it was read."""


About: TypeAlias = tuple[int | None, int, str, int, int, str, int | None]
"""The fields of FrameAbout, in order."""


@dataclass(frozen=True, slots=True)
class Row:
    """What memory keeps of each frame: cheap to make, a hundred thousand times."""

    about: About
    counts: Counts
    position: int
    steps: int
    flag: str | None
    bookmark: int
    confidence: float | None

    @property
    def name(self) -> str:
        """Of the picture file; "" for a frame of a video."""
        return self.about[2]

    def summary(self, key: FrameKey) -> FrameSummary:
        """For people."""
        return FrameSummary(
            key, FrameAbout(*self.about), self.counts, self.position, self.steps, self.flag,
            bool(self.bookmark), self.confidence,
        )  # fmt: skip


def _about(about: FrameAbout) -> About:
    return (about.time_us, about.fingerprint, about.name, about.height, about.width,
            about.drafted_by, about.by_hand)  # fmt: skip


# --- what a write makes of a Row


def pushed(row: Row | None, number: int, counts: Counts, about: FrameAbout) -> Row:
    """After `push`; StaleFrame when the number does not fit."""
    position = 0 if row is None else row.position
    if position != number:
        raise StaleFrame(
            f"The frame was changed elsewhere meanwhile (step {number} after {position}); it is"
            " read again."
        )
    if row is None:
        return Row(_about(about), counts, number + 1, number + 1, None, 0, None)
    return replace(row, about=_about(about), counts=counts, position=number + 1, steps=number + 1)


def moved(row: Row | None, position: int, counts: Counts) -> Row:
    """After `move`; StaleFrame when there is no such position."""
    if row is None or not 0 <= position <= row.steps:
        raise StaleFrame("The frame was changed elsewhere meanwhile; it is read again.")
    return replace(row, counts=counts, position=position)


def marked(row: Row | None, column: str, value: Any, about: FrameAbout) -> Row:  # noqa: ANN401
    """After `mark`."""
    if row is None:
        row = Row(_about(about), NONE, 0, 0, None, 0, None)
    return replace(row, **{column: value})


# --- reading

_COLUMNS = (
    "time_us, fingerprint, name, height, width, drafted_by, by_hand,"
    " nobody, model, propagated, painted, confirmed, position, steps, flag, bookmark, confidence"
)

_STEP_COLUMNS = "media, idx, number, title, class_id, pixels, y0, x0, y1, x1, step"


def read_all(connection: sqlite3.Connection) -> dict[FrameKey, Row]:
    """Every frame of the project."""
    rows = connection.execute(f"SELECT media, idx, {_COLUMNS} FROM frames")
    return {FrameKey(r[0], r[1]): Row(r[2:9], r[9:14], *r[14:]) for r in rows}


def _read_row(connection: sqlite3.Connection, key: FrameKey) -> Row | None:
    found = connection.execute(
        f"SELECT {_COLUMNS} FROM frames WHERE media=? AND idx=?", (key.media, key.index)
    ).fetchone()
    return None if found is None else Row(found[:7], found[7:12], *found[12:])


def load(connection: sqlite3.Connection, key: FrameKey) -> StoredFrame | None:
    """Both planes from the tiles, and the lines of the history."""
    row = _read_row(connection, key)
    if row is None:
        return None
    summary = row.summary(key)
    height, width = summary.about.height, summary.about.width
    if min(height, width) < 1 or height * width > MAX_PIXELS:
        raise SegStudioError(
            f"Frame {key.index} claims to have {height}×{width} pixels, so the project file is"
            " damaged; open a copy of the project from before."
        )
    labels = np.full((height, width), 255, np.uint8)
    origin = np.zeros((height, width), np.uint8)
    unpack = zstandard.ZstdDecompressor()
    where = (key.media, key.index)
    for tile_row, tile_col, planes in connection.execute(
        "SELECT row, col, planes FROM tiles WHERE media=? AND idx=?", where
    ):
        rect = _tile(tile_row, tile_col, height, width)
        values = _planes(unpack, planes, rect, key)
        labels[rect.slices], origin[rect.slices] = values
    steps = connection.execute(
        "SELECT title, class_id, pixels, y0, x0, y1, x1 FROM steps WHERE media=? AND idx=?"
        " ORDER BY number", where,
    )  # fmt: skip
    history = tuple(StepRecord(s[0], s[1], s[2], Rect(*s[3:])) for s in steps)
    return StoredFrame(summary, labels, origin, history)


def _tile(row: int, col: int, height: int, width: int) -> Rect:
    y, x = row * TILE, col * TILE
    return Rect(y, x, y + TILE, x + TILE).clipped(height, width)


def _planes(
    unpack: zstandard.ZstdDecompressor, packed: bytes, rect: Rect, key: FrameKey
) -> NDArray[np.uint8]:
    """uint8 (2, h, w); SegStudioError when the tile is damaged."""
    size = 2 * rect.height * rect.width
    try:
        claimed = zstandard.frame_content_size(packed)  # looked at before memory is asked for
        raw = b"" if claimed > size else unpack.decompress(packed, max_output_size=max(1, size))
        return np.frombuffer(raw, np.uint8).reshape(2, rect.height, rect.width)
    except (zstandard.ZstdError, ValueError) as error:
        raise SegStudioError(
            f"The labels of frame {key.index} are damaged in the project file; open a copy of the"
            " project from before."
        ) from error


def read_step(connection: sqlite3.Connection, key: FrameKey, number: int) -> Step:
    """One step with its tiles."""
    found = connection.execute(
        "SELECT step FROM steps WHERE media=? AND idx=? AND number=?",
        (key.media, key.index, number),
    ).fetchone()
    if found is None:
        raise SegStudioError(
            f"Step {number + 1} of frame {key.index} is not in the project any more; the labels are"
            " intact, but undo cannot go back beyond it."
        )
    return step_from_bytes(found[0])


def read_settings(connection: sqlite3.Connection) -> dict[str, str]:
    """All of them, also those that only a newer version knows."""
    return dict(connection.execute("SELECT name, value FROM settings").fetchall())


def usage(connection: sqlite3.Connection) -> dict[int, tuple[int, int]]:
    """Class id → (frames, pixels) over all tiles."""
    unpack = zstandard.ZstdDecompressor()
    pixels = np.zeros(256, np.int64)
    frames: dict[int, set[tuple[int, int]]] = {}
    for media, index, planes in connection.execute("SELECT media, idx, planes FROM tiles"):
        raw = np.frombuffer(unpack.decompress(planes), np.uint8)
        counts = np.bincount(raw[: raw.size // 2], minlength=256)
        pixels += counts
        for class_id in np.flatnonzero(counts):
            frames.setdefault(int(class_id), set()).add((media, index))
    return {c: (len(seen), int(pixels[c])) for c, seen in frames.items()}


def in_memory(connection: sqlite3.Connection, key: FrameKey) -> sqlite3.Connection:
    """The settings and one frame with all that belongs to it, in a database of their own."""
    copy = sqlite3.connect(":memory:", isolation_level=None)
    for table in TABLES:
        copy.execute(table)
    where = "WHERE media=? AND idx=?"
    parts: tuple[tuple[str, str, str, tuple[int, ...]], ...] = (
        ("settings", "name, value", "", ()),
        ("frames", f"media, idx, {_COLUMNS}", where, (key.media, key.index)),
        ("tiles", "media, idx, row, col, planes", where, (key.media, key.index)),
        ("steps", _STEP_COLUMNS, where, (key.media, key.index)),
    )
    for table, columns, which, values in parts:
        marks = ",".join("?" * (columns.count(",") + 1))
        rows = connection.execute(f"SELECT {columns} FROM {table} {which}", values)
        copy.executemany(f"INSERT INTO {table}({columns}) VALUES({marks})", rows)
    return copy


# --- writing


def write_setting(connection: sqlite3.Connection, name: str, text: str) -> None:
    """Replace it."""
    connection.execute("INSERT OR REPLACE INTO settings(name, value) VALUES(?, ?)", (name, text))


def push(
    connection: sqlite3.Connection,
    key: FrameKey,
    number: int,
    step: Step,
    counts: Counts,
    about: FrameAbout,
) -> None:
    """The step, the tiles as it left them, and the frame's row."""
    push_row(connection, key, number, step, counts, about)


def push_row(
    connection: sqlite3.Connection,
    key: FrameKey,
    number: int,
    step: Step,
    counts: Counts,
    about: FrameAbout,
) -> Row:
    """As `push`; the frame's row as it is then."""
    row = pushed(_read_row(connection, key), number, counts, about)
    where = (key.media, key.index)
    connection.execute("DELETE FROM steps WHERE media=? AND idx=? AND number>=?", (*where, number))
    r = step.rect
    connection.execute(
        f"INSERT INTO steps({_STEP_COLUMNS}) VALUES(?,?,?,?,?,?,?,?,?,?,?)",
        (*where, number, step.title, step.class_id, int(step.pixels), r.y0, r.x0, r.y1, r.x1,
         step_to_bytes(step)),
    )  # fmt: skip
    _write_tiles(connection, key, [(t.row, t.col, t.after) for t in step.tiles])
    _write_row(connection, key, row)
    return row


def move(
    connection: sqlite3.Connection,
    key: FrameKey,
    position: int,
    tiles: list[tuple[int, int, bytes]],
    counts: Counts,
) -> None:
    """Undo or redo."""
    row = moved(_read_row(connection, key), position, counts)
    _write_tiles(connection, key, tiles)
    _write_row(connection, key, row)


def mark(
    connection: sqlite3.Connection, key: FrameKey, column: str, value: object, about: FrameAbout
) -> None:
    """One of "flag", "bookmark", "confidence"."""
    _write_row(connection, key, marked(_read_row(connection, key), column, value, about))


def _write_tiles(
    connection: sqlite3.Connection, key: FrameKey, tiles: list[tuple[int, int, bytes]]
) -> None:
    connection.executemany(
        "INSERT INTO tiles(media, idx, row, col, planes) VALUES(?,?,?,?,?)"
        " ON CONFLICT(media, idx, row, col) DO UPDATE SET planes=excluded.planes",
        [(key.media, key.index, row, col, planes) for row, col, planes in tiles],
    )


def _write_row(connection: sqlite3.Connection, key: FrameKey, row: Row) -> None:
    values = (key.media, key.index, *row.about, *(int(n) for n in row.counts), row.position,
              row.steps, row.flag, row.bookmark, row.confidence)  # fmt: skip
    marks = ",".join("?" * len(values))
    # By name: a newer version may have added columns, which keep their values.
    connection.execute(
        f"INSERT INTO frames(media, idx, {_COLUMNS}) VALUES({marks})"
        " ON CONFLICT(media, idx) DO UPDATE SET "
        + ", ".join(f"{c.strip()}=excluded.{c.strip()}" for c in _COLUMNS.split(",")),
        values,
    )


_AWAY = 1 << 40
"""Further than any index: frames on their way to a new one."""


def renumber(connection: sqlite3.Connection, media: int, moves: dict[int, int]) -> None:
    """Old index → new index, of every frame that gets another one, with all that belongs to it.

    By way of indices that nobody has, because the new one may be another frame's old one.
    """
    rows = [(new + _AWAY, media, old) for old, new in moves.items()]
    for table in ("frames", "tiles", "steps"):
        connection.executemany(f"UPDATE {table} SET idx=? WHERE media=? AND idx=?", rows)
        connection.execute(
            f"UPDATE {table} SET idx=idx-? WHERE media=? AND idx>?", (_AWAY, media, _AWAY >> 1)
        )


def new_indices(rows: dict[int, str], names: tuple[str, ...]) -> dict[int, int]:
    """Old index → new index where they differ, for frames whose pictures are now called `names`.

    rows: index → name of every frame. One whose picture is gone gets an index below 0, and comes
    back from there when the picture does. One without a name keeps its index.
    """
    place = {name: index for index, name in enumerate(names)}
    taken: set[int] = {index for index, name in rows.items() if not name}
    found: dict[int, int] = {}
    gone: list[int] = []
    for old in sorted(rows, key=lambda index: (index < 0, index)):  # those that are shown go first
        if not rows[old]:
            continue
        new = place.get(rows[old], -1)
        if new < 0 or new in taken:
            gone.append(old)
        else:
            found[old] = new
            taken.add(new)
    taken.update(old for old in gone if old < 0)
    free = min((0, *taken)) - 1
    for old in gone:
        if old >= 0:
            found[old] = free
            free -= 1
    return {old: new for old, new in found.items() if old != new}


def remap(connection: sqlite3.Connection, table: NDArray[np.uint8]) -> None:
    """Every label of every tile and step through a table of 256 ids."""
    where = connection.execute("SELECT media, idx, row, col FROM tiles").fetchall()
    for place in where:
        (planes,) = connection.execute(
            "SELECT planes FROM tiles WHERE media=? AND idx=? AND row=? AND col=?", place
        ).fetchone()
        connection.execute(
            "UPDATE tiles SET planes=? WHERE media=? AND idx=? AND row=? AND col=?",
            (_remapped(planes, table), *place),
        )
    for place in connection.execute("SELECT media, idx, number FROM steps").fetchall():
        (data,) = connection.execute(
            "SELECT step FROM steps WHERE media=? AND idx=? AND number=?", place
        ).fetchone()
        step = step_from_bytes(data)
        class_id = None if step.class_id is None else int(table[step.class_id])
        tiles = tuple(
            TileChange(t.row, t.col, _remapped(t.before, table), _remapped(t.after, table))
            for t in step.tiles
        )
        new = replace(step, class_id=class_id, tiles=tiles)
        connection.execute(
            "UPDATE steps SET class_id=?, step=? WHERE media=? AND idx=? AND number=?",
            (class_id, step_to_bytes(new), *place),
        )


def _remapped(packed: bytes, table: NDArray[np.uint8]) -> bytes:
    raw = np.frombuffer(zstandard.ZstdDecompressor().decompress(packed), np.uint8).copy()
    half = raw.size // 2
    raw[:half] = np.take(table, raw[:half])
    return zstandard.ZstdCompressor(level=1).compress(raw.tobytes())
