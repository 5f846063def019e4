"""The media of a project, as its half that knows what they are made of and where they lie."""

import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import replace
from pathlib import Path

from segstudio.errors import SegStudioError
from segstudio.store import frame_rows, project_files
from segstudio.store.media_rows import MediaRows
from segstudio.store.picture_names import SETTING, PictureNames
from segstudio.store.project_rows import FrameAbout, FrameKey, MediaRecord
from segstudio.store.store_thread import StoreThread

RENUMBERED_S = 5.0
"""How long labels wait for a folder's new numbers to be on the disk."""


class ProjectMedia:
    """Part of Project, which makes everything that is named here."""

    path: Path
    why_read_only: str
    _thread: StoreThread
    _guard: threading.Lock  # of everything below
    _settings: dict[str, str]
    _media: MediaRows
    _rows: dict[FrameKey, frame_rows.Row]
    _renumbered: "Future[None] | None"
    _names: dict[int, tuple[str | None, PictureNames | None]]  # the setting, and what it says

    def media(self) -> tuple[MediaRecord, ...]:
        """In the order in which they were added."""
        with self._guard:
            return self._media.all()

    def absent(self, media: int) -> int:
        """How many labelled pictures of a folder are not in it any more."""
        with self._guard:
            return sum(key.media == media and key.index < 0 for key in self._rows)

    def pictures(self, media: int) -> PictureNames | None:
        """Which pictures it was made of when it was seen last; None for a video."""
        with self._guard:
            return self._pictures_of(media)

    def _pictures_of(self, media: int) -> PictureNames | None:
        """Read once: a folder may hold a hundred thousand names."""
        text = self._settings.get(f"{SETTING}{media}")
        known = self._names.get(media)
        if known is None or known[0] is not text:
            known = self._names[media] = (text, PictureNames.from_json(text))
        return known[1]

    def _named(self, key: FrameKey, about: FrameAbout) -> FrameAbout:
        """With the name of the picture file, by which it is found again."""
        with self._guard:
            pictures = self._pictures_of(key.media)
        if about.name or pictures is None or not 0 <= key.index < len(pictures.names):
            return about
        return replace(about, name=pictures.names[key.index])

    def add_media(
        self, *, fingerprint: str, title: str, kind: str, path: Path, width: int, height: int,
        frames: int, pictures: PictureNames | None = None,
    ) -> MediaRecord:  # fmt: skip
        """The same content is the same medium; where it lies now is remembered."""
        self._check_writable()
        with self._guard:
            record = self._media.added(
                MediaRecord(0, fingerprint, title, kind, path.absolute(), width, height, frames)
            )
            writing = self._media.writing(record, self.path)
            if writing is not None:
                self._thread.write(None, writing)
        known = self.pictures(record.id)
        if known is not None and pictures is not None and pictures.names == known.names:
            # A folder stays one when all of its pictures are opened as a list.
            pictures = known if known.may_change else pictures
        if pictures is not None and pictures != known:
            self._write_setting(f"{SETTING}{record.id}", pictures.to_json())
        return record

    def renumber(self, record: MediaRecord, pictures: PictureNames) -> "Future[None]":
        """Other pictures in a folder: each frame goes where its picture is now, by name.

        record: of the same id, all else as it is now. Frames whose picture is gone are kept, out
        of sight, until it is back.
        """
        self._check_writable()
        name, text = f"{SETTING}{record.id}", pictures.to_json()
        with self._guard:
            here = [key for key in self._rows if key.media == record.id]
            moves = frame_rows.new_indices(
                {key.index: self._rows[key].name for key in here}, pictures.names
            )
            rows = {key: self._rows.pop(key) for key in here}
            for key, row in rows.items():
                self._rows[FrameKey(key.media, moves.get(key.index, key.index))] = row
            self._media.renewed(record)
            writing = self._media.writing(record, self.path)
            self._settings[name] = text

            def operation(connection: sqlite3.Connection) -> None:
                frame_rows.renumber(connection, record.id, moves)
                if writing is not None:
                    writing(connection)
                frame_rows.write_setting(connection, name, text)

            self._renumbered = self._thread.write(None, operation)
            return self._renumbered

    def find_media(self, record: MediaRecord, is_same: Callable[[Path], bool]) -> Path | None:
        """Where it lies now: as seen from the project, where it was, or a copy nearby.

        is_same: whether what lies there has the record's fingerprint (media knows how to take it).
        None when it is nowhere: ask the person, then `relocate`.
        """
        with self._guard:
            relative = self._media.relative(record.id)
        return project_files.find_media(self.path, record, relative, is_same)

    def relocate(self, record: MediaRecord, path: Path) -> MediaRecord:
        """It lies there from now on; that its content is the same was checked by the caller."""
        return self.add_media(
            fingerprint=record.fingerprint, title=record.title, kind=record.kind, path=path,
            width=record.width, height=record.height, frames=record.frames,
        )  # fmt: skip

    def _wait_renumbered(self) -> None:
        """While the disk refuses, nobody can say which labels are whose."""
        if self._renumbered is not None and not self._renumbered.done():
            wait([self._renumbered], RENUMBERED_S)
            if not self._renumbered.done():
                raise SegStudioError(
                    f"Labels cannot be shown until {self.path.name} can be saved, because the"
                    " pictures of the folder changed; make room on its disk."
                )

    def _write_setting(self, name: str, text: str) -> "Future[None]":
        self._check_writable()
        with self._guard:
            self._settings[name] = text
            return self._thread.write(None, lambda c: frame_rows.write_setting(c, name, text))

    def _check_writable(self) -> None:
        if self.why_read_only:
            raise SegStudioError(self.why_read_only)
