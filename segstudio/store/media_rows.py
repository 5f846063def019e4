"""The media of a project: what they are, and where they lie."""

import os
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from segstudio.errors import SegStudioError
from segstudio.store.project_rows import MediaRecord


class MediaRows:
    """In memory; `writing` gives the operation that stores one record."""

    def __init__(self) -> None:
        self._records: dict[int, MediaRecord] = {}
        self._relative: dict[int, str] = {}
        self._stored: dict[int, tuple[MediaRecord, str]] = {}

    @staticmethod
    def read(connection: sqlite3.Connection) -> "MediaRows":
        """All of them. Runs in the store's thread."""
        found = MediaRows()
        for row in connection.execute(
            "SELECT id, fingerprint, title, kind, path, width, height, frames, relative FROM media"
        ):
            found._records[row[0]] = MediaRecord(
                row[0], row[1], row[2], row[3], Path(row[4]), row[5], row[6], row[7]
            )
            found._relative[row[0]] = row[8]
            found._stored[row[0]] = (found._records[row[0]], row[8])
        return found

    def all(self) -> tuple[MediaRecord, ...]:
        """By id, which is the order in which they were added."""
        return tuple(self._records[i] for i in sorted(self._records))

    def check(self, media: int) -> None:
        """SegStudioError when there is none of that id."""
        if media not in self._records:
            raise SegStudioError(f"There is no medium {media} in this project; add it first.")

    def relative(self, media: int) -> str:
        """Its path as seen from the project's folder, "" when there is none (another drive)."""
        return self._relative.get(media, "")

    def added(self, record: MediaRecord) -> MediaRecord:
        """The record with its id: that of the same content, or the next one."""
        same = (r for r in self._records.values() if r.fingerprint == record.fingerprint)
        known = next(same, None)
        if known is None:
            record = replace(record, id=max(self._records, default=0) + 1)
        else:  # figures of an index that is still being built are smaller than they will be
            frames = max(known.frames, record.frames)
            size = (record.width or known.width, record.height or known.height)
            record = replace(record, id=known.id, frames=frames, width=size[0], height=size[1])
        self._records[record.id] = record
        return record

    def removed(self, media: int) -> None:
        """As if it had never been added."""
        for known in (self._records, self._relative, self._stored):
            known.pop(media, None)

    def renewed(self, record: MediaRecord) -> None:
        """All of it is new but its id."""
        self._records[record.id] = record

    def writing(
        self, record: MediaRecord, project: Path
    ) -> Callable[[sqlite3.Connection], None] | None:
        """What stores it, and remembers where it lies seen from the project; None: all is known."""
        relative = _relative(record.path, project.parent)
        if (record, relative) == self._stored.get(record.id):
            return None
        self._relative[record.id] = relative
        self._stored[record.id] = (record, relative)
        values = (record.id, record.fingerprint, record.title, record.kind, str(record.path),
                  relative, record.width, record.height, record.frames)  # fmt: skip

        def write(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT INTO media(id, fingerprint, title, kind, path, relative, width, height,"
                " frames) VALUES(?,?,?,?,?,?,?,?,?) ON CONFLICT(id) DO UPDATE SET"
                " fingerprint=excluded.fingerprint, title=excluded.title, path=excluded.path,"
                " relative=excluded.relative, width=excluded.width, height=excluded.height,"
                " frames=excluded.frames",
                values,
            )

        return write


def _relative(path: Path, folder: Path) -> str:
    try:
        return Path(os.path.relpath(path, folder.absolute())).as_posix()
    except ValueError:  # another drive on Windows
        return ""
