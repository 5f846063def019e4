"""Builds a video's index in a thread of its own, and tells what is known so far.

Level A takes moments and makes the source complete. The full check (level B) then goes on at low
priority and rests while frames are being read, unless somebody waits for it; a file whose stamps
cannot be believed is indexed by it at once.
"""

import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from segstudio.errors import Cancelled, MediaError
from segstudio.media import full_check, index_cache, video_index
from segstudio.media.video_index import VideoIndex

log = logging.getLogger("segstudio.media")

_QUIET_S = 0.3
"""The full check goes on when nobody has read a frame for this long."""


class Indexer:
    """The growing knowledge about one file. Every method may be called from any thread."""

    def __init__(self, path: Path, source_id: str) -> None:
        self._path = path
        self._id = source_id
        self._changed = threading.Condition()
        self._index: VideoIndex | None = None
        self._is_decided = False
        self._is_closed = False
        self._is_done = False
        self._fraction = 0.0
        self._counted = 0
        self._is_urgent = False
        self._quiet_from = 0.0
        self._notes: tuple[str, ...] = ()
        self._thread = threading.Thread(target=self._run, name="segstudio-index", daemon=True)
        kept = index_cache.load(source_id)
        if kept is not None:
            self._publish(kept)
        if kept is None or kept.crc is None:
            self._thread.start()
        else:
            self._is_done = True

    @property
    def index(self) -> VideoIndex | None:
        """The index as far as it can be used; None before that."""
        return self._index

    @property
    def is_verified(self) -> bool:
        """Every picture was decoded once and its CRC is known."""
        index = self._index
        return index is not None and index.crc is not None

    @property
    def fraction(self) -> float:
        """How much of the work is done, 0..1."""
        return 1.0 if self._is_done or self.is_verified else self._fraction

    @property
    def counted(self) -> int:
        """Pictures that the full check has seen so far."""
        return self._counted

    @property
    def notes(self) -> tuple[str, ...]:
        """What the making of the index has to tell."""
        return self._notes

    def wait_decided(self, *, unless: Callable[[], bool]) -> VideoIndex | None:
        """Until the index can be used, or it is clear that only counting helps (None)."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_decided or self._is_closed or unless())
            return self._index

    def wait_complete(self, timeout_s: float | None = None) -> bool:
        """Until the number of frames is final; False when time ran out or it was closed."""
        return self._wait(lambda: self._index is not None, timeout_s)

    def wait_verified(self, timeout_s: float | None = None) -> bool:
        """Until every picture was checked, now without resting; False as above."""
        with self._changed:
            self._is_urgent = True
            self._changed.notify_all()
        return self._wait(lambda: self.is_verified, timeout_s)

    def reading(self) -> None:
        """Somebody reads a frame: let the reader have the processor."""
        self._quiet_from = time.monotonic() + _QUIET_S

    def wake(self) -> None:
        """Let waiting readers look again."""
        with self._changed:
            self._changed.notify_all()

    def close(self) -> None:
        """Stop the thread and wake who waits; twice is fine."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        if self._thread.ident is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def _wait(self, ready: Callable[[], bool], timeout_s: float | None) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: ready() or self._is_closed or self._is_done, timeout_s)
            return ready()

    def _run(self) -> None:
        _lower_priority()
        try:
            self._build()
        except Cancelled:
            log.info("indexing of %s stopped", self._path.name)
        except MediaError as error:
            log.warning("no index: %s", error)
            self._notes = (*self._notes, str(error))
        except Exception:
            log.exception("indexing of %s failed", self._path.name)
            self._notes = (*self._notes, "The frame index could not be built; seeking is slow.")
        finally:
            with self._changed:
                self._is_decided = self._is_done = True
                self._changed.notify_all()

    def _build(self) -> None:
        table = video_index.read_packets(self._path, self._stop)
        index = self._index
        if index is None and table.stamps_are_unique:
            candidate = video_index.stamp_index(table)
            if video_index.spot_check(self._path, candidate, self._stop):
                index = candidate
                self._publish(index)
                index_cache.save(self._id, index)
        if index is None:
            self._decide()
        found = full_check.decode_all(
            self._path, self._pause if index is not None else self._stop, self._progress
        )
        final = full_check.verified(index, found, table) if index is not None else None
        if final is None:
            final = full_check.counted_index(self._path, found, table, self._stop)
            if index is not None:
                text = "Frame numbers changed after the full check of the file."
                final = replace(final, notes=(*final.notes, text))
        if len(final):
            self._publish(final)
            index_cache.save(self._id, final)

    def _publish(self, index: VideoIndex) -> None:
        with self._changed:
            self._index = index
            self._is_decided = True
            self._changed.notify_all()

    def _decide(self) -> None:
        with self._changed:
            self._is_decided = True
            self._changed.notify_all()

    def _progress(self, fraction: float, counted: int) -> None:
        self._fraction, self._counted = fraction, counted

    def _stop(self) -> bool:
        return self._is_closed

    def _pause(self) -> bool:
        """Rest while frames are being read; True when to stop for good."""
        with self._changed:
            while not self._is_closed and not self._is_urgent:
                left = self._quiet_from - time.monotonic()
                if left <= 0:
                    break
                self._changed.wait(left)
            return self._is_closed


def _lower_priority() -> None:
    """Linux gives every thread its own niceness, and FFmpeg's threads inherit it."""
    if hasattr(os, "setpriority") and os.uname().sysname == "Linux":
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)
