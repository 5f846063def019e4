"""A project: one *.segproj file with media, class set, labels, their history and everyone's state.

Every method may be called from any thread. Writes return a Future at once and are committed to the
disk, one transaction each, when it is done; see store_thread for what happens when they cannot be.
"""

import contextlib
import json
import logging
import operator
import sqlite3
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from segstudio.core.class_mapping import ClassMapping
from segstudio.core.classes import ClassMap
from segstudio.core.steps import Step
from segstudio.errors import SegStudioError
from segstudio.store import frame_rows, project_files, schema
from segstudio.store.importing import ProjectImports, classes_json
from segstudio.store.media_rows import MediaRows
from segstudio.store.project_lock import ProjectLock
from segstudio.store.project_rows import (
    Counts,
    FrameAbout,
    FrameKey,
    FrameSummary,
    MediaRecord,
    StoredFrame,
    StoreNews,
)
from segstudio.store.store_thread import StoreThread

__all__ = ["Counts", "FrameAbout", "FrameKey", "FrameSummary", "MediaRecord", "Project",
           "StoreNews", "StoredFrame", "auto_path"]  # fmt: skip

log = logging.getLogger("segstudio.store")

_FIRST_CLASSES = "first_classes"
"""The setting that tells whether a person chose other classes than the project was made with."""

auto_path = project_files.auto_path


class Project(ProjectImports):
    """Made by `create` and `open`; `close` it.

    is_read_only, why_read_only: whether anything can be written here, and a sentence why not.
    """

    def __init__(
        self, path: Path, thread: StoreThread, lock: ProjectLock | None, why_read_only: str
    ) -> None:
        self.path = path
        self.why_read_only = why_read_only
        self._thread = thread
        self._lock = lock
        self._listeners: list[Callable[[StoreNews], None]] = []
        self._guard = threading.Lock()  # of everything below
        self._settings: dict[str, str] = thread.read(None, frame_rows.read_settings)
        self._classes = _classes_in(self._settings, path)
        self._media: MediaRows = thread.read(None, MediaRows.read)
        self._rows: dict[FrameKey, frame_rows.Row] = thread.read(None, frame_rows.read_all)
        self._renumbered = None
        self._names = {}

    @staticmethod
    def create(path: Path, classes: ClassMap) -> "Project":
        """A new project; SegStudioError when the file exists or cannot be made."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            text = classes_json(classes)
            schema.create(path, {"classes": text, _FIRST_CLASSES: text})
        except FileExistsError as error:
            raise SegStudioError(
                f"{path.name} exists already; open it, or choose another name."
            ) from error
        except (OSError, sqlite3.Error) as error:
            raise SegStudioError(
                f"{path.name} could not be made in {path.parent} ({error}); check the free space"
                " and the permissions there, or choose another folder."
            ) from error
        try:
            return Project.open(path)
        except SegStudioError:
            schema.remove(path)  # made a moment ago, so that one can try again
            raise

    @staticmethod
    def open(path: Path, *, read_only: bool = False, take_over: bool = False) -> "Project":
        """Read-only also when another window holds it or nothing can be written there.

        take_over: also from a window on another computer. SegStudioError when it is no project.
        """
        return project_files.open_project(path, Project, read_only=read_only, take_over=take_over)

    # --- what it knows

    @property
    def is_read_only(self) -> bool:
        """True when every write fails at once."""
        return bool(self.why_read_only)

    @property
    def classes(self) -> ClassMap:
        """The class set of all its labels."""
        return self._classes

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person may want to know of where the project lies, in sentences."""
        if not schema.is_network_drive(self.path):
            return ()
        return (
            f"{self.path.name} lies on a network drive, where saving is slower and a second window"
            " may not be seen; a local disk is safer.",
        )

    @property
    def waiting(self) -> int:
        """Writes that are not on the disk yet."""
        return self._thread.waiting

    def frames(self, media: int) -> tuple[FrameSummary, ...]:
        """All frames of a medium that ever were labelled, flagged or bookmarked, by index.

        Without those whose pictures are gone.
        """
        with self._guard:
            found = (key for key in self._rows if key.media == media and key.index >= 0)
            keys = sorted(found, key=operator.attrgetter("index"))
            return tuple(self._rows[key].summary(key) for key in keys)

    def summary(self, key: FrameKey) -> FrameSummary | None:
        """None for a frame that nobody touched."""
        with self._guard:
            row = self._rows.get(key)
            return None if row is None else row.summary(key)

    @property
    def is_empty(self) -> bool:
        """True when there are no labels, flags and bookmarks in it."""
        with self._guard:
            return not self._rows

    @property
    def is_untouched(self) -> bool:
        """True when nothing would be lost with the file: nobody labelled, nobody set anything."""
        with self._guard:
            has_settings = any(name.startswith("user.") for name in self._settings)
            is_first = self._settings.get(_FIRST_CLASSES) == self._settings["classes"]
            return not self._rows and not has_settings and is_first

    def load(self, key: FrameKey) -> StoredFrame | None:
        """Labels and history of a frame; None when nobody touched it. Waits for its turn."""
        self._wait_renumbered()
        found: StoredFrame | None = self._thread.read(key, lambda c: frame_rows.load(c, key))
        return found

    def step(self, key: FrameKey, number: int) -> Step:
        """One step of a frame's history, counted from 0."""
        found: Step = self._thread.read(key, lambda c: frame_rows.read_step(c, key, number))
        return found

    def setting(self, name: str) -> Any:  # noqa: ANN401  whatever JSON holds
        """What `put_setting` kept; None when there is nothing."""
        with self._guard:
            text = self._settings.get(f"user.{name}")
        return None if text is None else json.loads(text)

    def usage(self) -> dict[int, tuple[int, int]]:
        """Class id → (frames, pixels) of all labels. Reads every tile: not in the UI thread."""
        found: dict[int, tuple[int, int]] = self._thread.read(None, frame_rows.usage)
        return found

    # --- writing

    def push(
        self, key: FrameKey, number: int, step: Step, counts: Counts, about: FrameAbout
    ) -> "Future[None]":
        """A step that was just done, as number `number`; what could be redone is gone.

        The Future fails with StaleFrame when the frame is not at `number` any more.
        """
        about = self._named(key, about)
        return self._write_frame(
            key,
            lambda c: frame_rows.push(c, key, number, step, counts, about),
            lambda row: frame_rows.pushed(row, number, counts, about),
        )

    def move(
        self, key: FrameKey, position: int, tiles: list[tuple[int, int, bytes]], counts: Counts
    ) -> "Future[None]":
        """Undo or redo: tiles (row, col, zstd of uint8 (2, h, w)) as they are now."""
        return self._write_frame(
            key,
            lambda c: frame_rows.move(c, key, position, tiles, counts),
            lambda row: frame_rows.moved(row, position, counts),
        )

    def flag(self, key: FrameKey, note: str | None, about: FrameAbout) -> "Future[None]":
        """Flag a frame with a note; None takes the flag away."""
        return self._mark(key, "flag", note, about)

    def bookmark(self, key: FrameKey, *, on: bool, about: FrameAbout) -> "Future[None]":
        """Remember a frame, or no longer."""
        return self._mark(key, "bookmark", int(on), about)

    def set_confidence(
        self, key: FrameKey, confidence: float | None, about: FrameAbout
    ) -> "Future[None]":
        """How sure a propagation was, 0..1; None when it does not count any more."""
        return self._mark(key, "confidence", confidence, about)

    def _mark(
        self,
        key: FrameKey,
        column: str,
        value: Any,  # noqa: ANN401 - what SQLite holds
        about: FrameAbout,
    ) -> "Future[None]":
        about = self._named(key, about)
        return self._write_frame(
            key,
            lambda c: frame_rows.mark(c, key, column, value, about),
            lambda row: frame_rows.marked(row, column, value, about),
        )

    def _write_frame(
        self,
        key: FrameKey,
        operation: Callable[[sqlite3.Connection], None],
        change: Callable[[frame_rows.Row | None], frame_rows.Row],
    ) -> "Future[None]":
        """The summary is new at once, as the window shows it; the file follows."""
        self._check_writable()
        with self._guard:
            try:
                self._media.check(key.media)
                row = change(self._rows.get(key))
            except SegStudioError as error:  # the queue would find the same, later
                refused: Future[None] = Future()
                refused.set_exception(error)
                return refused
            future = self._thread.write(key, operation)
            self._rows[key] = row
        return future

    def put_setting(self, name: str, value: object) -> "Future[None]":
        """Keep anything that JSON can hold."""
        text = json.dumps(value)
        return self._write_setting(f"user.{name}", text)

    def remap(self, classes: ClassMap, mapping: ClassMapping | None) -> "Future[None]":
        """Another class set; every label and every step of every history goes through the table.

        mapping: None when all ids keep their meaning.
        """
        self._check_writable()
        text = classes_json(classes)

        def operation(connection: sqlite3.Connection) -> None:
            if mapping is not None:
                frame_rows.remap(connection, mapping.lut())
            frame_rows.write_setting(connection, "classes", text)

        with self._guard:
            old = self._classes
            future = self._thread.write(None, operation)
            self._classes = classes
            self._settings["classes"] = text
        future.add_done_callback(lambda done: self._remapped(done, classes, old))
        return future

    def follow_classes(self, classes: ClassMap) -> "Future[None]":
        """The set of another model, in a project that nobody touched."""
        self._write_setting(_FIRST_CLASSES, classes_json(classes))
        return self.remap(classes, None)

    def _remapped(self, done: "Future[None]", classes: ClassMap, old: ClassMap) -> None:
        """The store's thread; what could not be remapped keeps its classes."""
        with self._guard:
            if done.exception() is not None and self._classes is classes:
                self._classes = old
                self._settings["classes"] = classes_json(old)

    # --- the file as a whole

    def add_listener(self, listener: Callable[[StoreNews], None]) -> None:
        """Called in the store's thread with every news."""
        self._listeners.append(listener)

    def tell(self, news: StoreNews) -> None:
        """The store's thread."""
        for listener in list(self._listeners):
            listener(news)

    def retry(self) -> None:
        """Try again now what could not be written."""
        self._thread.retry()

    def copy_to(self, path: Path) -> None:
        """A whole copy, read back before it counts, with everything that still waits to be written.

        SegStudioError when it cannot be made; an old file at `path` then stays.
        """
        with tempfile.TemporaryDirectory() as scratch:
            project_files.copy_project(self.path, path, Path(scratch), self._thread.pending())

    def close(self, timeout_s: float = 5.0, *, remove_untouched: bool = False) -> bool:
        """Write what waits and let go; False when something could only be kept in a rescue copy.

        remove_untouched: the file goes too when nothing is in it.
        """
        is_whole = self._thread.close(timeout_s)
        if not is_whole and self._thread.waiting:
            if not self.is_untouched:
                project_files.rescue(self.path, self.copy_to)
            self._thread.abandon()
        if remove_untouched and is_whole and self._lock is not None and self.is_untouched:
            schema.remove(self.path)
            with contextlib.suppress(OSError):  # before it is free; Windows keeps it
                self.path.with_name(f"{self.path.name}.lock").unlink()
        if self._lock is not None:
            self._lock.release()
        return is_whole


def _classes_in(settings: dict[str, str], path: Path) -> ClassMap:
    try:
        content = json.loads(settings["classes"])
        return ClassMap.from_json(str(content["name"]), content["classes"])
    except (KeyError, ValueError, TypeError) as error:
        raise SegStudioError(
            f"The class set of {path.name} is unreadable; open a copy of the project from before."
        ) from error
