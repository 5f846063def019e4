"""The one thread that touches a project's database: writes in order, none ever dropped.

A write that fails because of the disk stays at the head of the queue and is tried again, every two
seconds and when somebody asks; everything behind it waits. What is read meanwhile comes from what
is on the disk, unless a waiting write is about the same frame: then the read waits too, or, while
the disk refuses, is answered from a copy of the frame in memory into which the waiting writes went.

After a failure the old connection empties its log into the file and another one is opened, because
what the system shows after a sync that failed need not be on the disk. Each write carries a ticket
that is stored in its own transaction: one that reached the disk although its commit reported an
error is recognised and not done twice.
"""

import contextlib
import logging
import sqlite3
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from segstudio.errors import ProjectClosed, SegStudioError
from segstudio.store import frame_rows
from segstudio.store.project_rows import FrameKey, StoreNews

log = logging.getLogger("segstudio.store")

RETRY_S = 2.0

GIVE_UP = 3
"""Attempts of a connection to empty its log before another one is tried."""

CHECKPOINT_AFTER = 64
"""Writes until the log goes into the file. It takes 10 ms, so it is done when nobody waits."""

Operation = Callable[[sqlite3.Connection], Any]

TICKET = "last_ticket"


@dataclass(slots=True, eq=False)
class Write:
    """key: the frame it is about, None for the project as a whole."""

    key: FrameKey | None
    operation: Operation
    future: "Future[Any]" = field(default_factory=Future)
    ticket: str = ""


@dataclass(slots=True, eq=False)
class Read:
    """keys as in Write; an answer waits for writes about the same frame (None: never)."""

    key: FrameKey | None
    operation: Operation
    future: "Future[Any]" = field(default_factory=Future)


class StoreThread:
    """open_connection: makes the connection, also after a failure; may raise.

    tell: called in this thread with every StoreNews.
    """

    def __init__(
        self,
        open_connection: Callable[[], sqlite3.Connection],
        tell: Callable[[StoreNews], None],
        why: Callable[[Exception], str],
    ) -> None:
        self._open = open_connection
        self._tell = tell
        self._why = why
        self._change = threading.Condition()
        self._writes: deque[Write] = deque()
        self._reads: deque[Read] = deque()
        self._is_closing = False
        self._is_in_trouble = False
        self._since_checkpoint = self._refusals = 0
        self._retry_at = 0.0
        self._series = uuid.uuid4().hex
        self._count = 0
        self._connection: sqlite3.Connection | None = open_connection()
        self._thread = threading.Thread(target=self._run, name="segstudio-store", daemon=True)
        self._thread.start()

    # --- any thread

    @property
    def waiting(self) -> int:
        """Writes that are not on the disk yet."""
        with self._change:
            return len(self._writes)

    def write(self, key: FrameKey | None, operation: Operation) -> "Future[Any]":
        """Do it in a transaction of its own, after everything that was asked before."""
        with self._change:
            if self._is_closing:
                raise ProjectClosed("The project is being closed; open it again to go on.")
            self._count += 1
            entry = Write(key, operation, ticket=f"{self._series}-{self._count}")
            entry.future.set_running_or_notify_cancel()  # what was asked is done, not cancelled
            self._writes.append(entry)
            self._change.notify_all()
        return entry.future

    def read(self, key: FrameKey | None, operation: Operation) -> Any:  # noqa: ANN401
        """Wait for the answer, which knows all writes about that frame that came before.

        In the store's own thread (a callback) it is answered at once, from what is on the disk.
        """
        if threading.current_thread() is self._thread:
            return operation(self._ready_connection())
        with self._change:
            if self._is_closing:
                raise ProjectClosed("The project is being closed; open it again to go on.")
            entry = Read(key, operation)
            self._reads.append(entry)
            self._change.notify_all()
        return entry.future.result()

    def pending(self) -> list[Write]:
        """The writes that wait, first one first."""
        with self._change:
            return list(self._writes)

    def retry(self) -> None:
        """Try a failed write again now."""
        with self._change:
            self._retry_at = 0.0
            self._change.notify_all()

    def close(self, timeout_s: float) -> bool:
        """Write what waits, then end; False when something could not be written in time."""
        with self._change:
            self._is_closing = True
            self._retry_at = 0.0
            self._change.notify_all()
        self._thread.join(timeout_s)
        return not self._thread.is_alive() and not self._writes

    def abandon(self) -> None:
        """End without what waits; only after it was saved elsewhere."""
        with self._change:
            left = list(self._writes)
            self._writes.clear()
            self._is_closing = True
            self._change.notify_all()
        for entry in left:
            _fail(entry.future, SegStudioError("The project was closed before this was saved."))
        self._thread.join(2.0)

    # --- the store's thread

    def _run(self) -> None:
        try:
            while True:
                job = self._next()
                if job is None:
                    return
                if isinstance(job, Read):
                    self._answer(job)
                else:
                    self._do(job)
                    self._tidy()
        finally:
            self._drop_connection()

    def _next(self) -> Read | Write | None:
        """What to do now; None at the end."""
        with self._change:
            while True:
                read = self._ready_read()
                if read is not None:
                    return read
                wait = self._retry_at - time.monotonic()
                if self._writes and wait <= 0:
                    return self._writes[0]
                if self._is_closing and not self._writes:
                    for left in self._reads:
                        _fail(
                            left.future,
                            ProjectClosed(
                                "The project was closed meanwhile; open it again to go on."
                            ),
                        )
                    self._reads.clear()
                    return None
                self._change.wait(wait if self._writes else None)

    def _ready_read(self) -> Read | None:
        """The first read that no waiting write is in the way of; under the condition."""
        touched = {entry.key for entry in self._writes}
        for read in self._reads:
            is_free = read.key not in touched and None not in touched
            if read.key is None or is_free or self._is_in_trouble:
                self._reads.remove(read)
                return read
        return None

    def _answer(self, read: Read) -> None:
        try:
            value = self._read(read)
        except Exception as error:
            if isinstance(error, sqlite3.Error | OSError):
                log.warning("a read failed", exc_info=True)
                if not self._is_in_trouble:  # else see _renewed
                    self._drop_connection()
                told = SegStudioError(
                    f"The project file could not be read ({error}); check its disk and try again."
                )
                told.__cause__ = error
                error = told
            _fail(read.future, error)
        else:
            read.future.set_result(value)

    def _read(self, read: Read) -> Any:  # noqa: ANN401
        connection = self._ready_connection()
        waiting = self.pending()
        ahead = [w for w in waiting[done_in(connection, waiting) :] if w.key in (None, read.key)]
        if read.key is None or not ahead:
            return read.operation(connection)
        with closing(frame_rows.in_memory(connection, read.key)) as copy:
            for write in ahead:
                write.operation(copy)
            return read.operation(copy)

    def _do(self, write: Write) -> None:
        try:
            value = self._transact(write)
        except (sqlite3.IntegrityError, sqlite3.ProgrammingError) as error:
            log.exception("a write makes no sense")
            self._end(write, None, error)
        except (sqlite3.Error, OSError) as error:
            self._suspend(error)
        except Exception as error:  # noqa: BLE001 - its caller is told, as of a StaleFrame
            self._end(write, None, error)
        else:
            self._end(write, value, None)

    def _transact(self, write: Write) -> Any:  # noqa: ANN401
        connection = self._renewed() if self._is_in_trouble else self._ready_connection()
        if self._is_in_trouble and _last_ticket(connection) == write.ticket:
            return None  # its commit had worked after all
        connection.execute("BEGIN IMMEDIATE")
        try:
            value = write.operation(connection)
            connection.execute(
                "INSERT OR REPLACE INTO settings(name, value) VALUES(?, ?)", (TICKET, write.ticket)
            )
            connection.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise
        return value

    def _tidy(self) -> None:
        """Checkpoint now and then, while nobody waits; SQLite's own would be part of a commit."""
        self._since_checkpoint += 1
        if self._connection is None or self.waiting or self._since_checkpoint < CHECKPOINT_AFTER:
            return
        self._since_checkpoint = 0
        try:
            self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        except sqlite3.Error:  # everything is safe in the log; a new connection tries again
            log.warning("a checkpoint failed", exc_info=True)
            self._drop_connection()

    def _end(self, write: Write, value: object, error: Exception | None) -> None:
        with self._change:
            if self._writes and self._writes[0] is write:
                self._writes.popleft()
            waiting, was_in_trouble = len(self._writes), self._is_in_trouble
            self._is_in_trouble = False
        if error is not None:
            _fail(write.future, error)
        elif not write.future.done():  # else it was given up, and written all the same
            write.future.set_result(value)
        if was_in_trouble:
            self._say(StoreNews("recovered", "Everything is saved again.", waiting))
        elif not waiting:
            self._say(StoreNews("saved", "", 0))

    def _say(self, news: StoreNews) -> None:
        """A listener that fails must not end the thread that saves."""
        try:
            self._tell(news)
        except Exception:
            log.exception("a listener failed")

    def _suspend(self, error: Exception) -> None:
        """The disk refuses: keep it, say so once, try again later with a new connection."""
        log.warning("a write failed and is kept", exc_info=error)
        if self._connection is not None and self._connection.in_transaction:
            self._drop_connection()  # not even the way back was open
        with self._change:
            is_new = not self._is_in_trouble
            self._is_in_trouble = True
            self._retry_at = time.monotonic() + RETRY_S
            waiting = len(self._writes)
        if is_new:
            self._say(StoreNews("trouble", self._why(error), waiting))

    def _renewed(self) -> sqlite3.Connection:
        """A new connection after a write that failed.

        After a failed sync the system shows what it may never have written. The connection that
        saw the failure does not count that part of the log; a new one would read it and believe
        it, and a power cut could take it back. So the old one empties the log before it goes. One
        that cannot, three times, is given up: its drive may have been unplugged.
        """
        if self._connection is not None:
            try:
                _empty_log(self._connection)
            except sqlite3.Error:
                self._refusals += 1
                if self._refusals < GIVE_UP:
                    raise
            self._drop_connection()
        self._refusals = 0
        connection = self._ready_connection()
        _empty_log(connection)
        return connection

    def _ready_connection(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = self._open()
        return self._connection

    def _drop_connection(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(sqlite3.Error):
                connection.close()


def _fail(future: "Future[Any]", error: Exception) -> None:
    if not future.done():
        future.set_exception(error)


def done_in(connection: sqlite3.Connection, writes: list[Write]) -> int:
    """How many of these, first ones first, a copy of the file holds already."""
    last = _last_ticket(connection)
    series, _, count = last.rpartition("-")
    for number, write in enumerate(writes):
        own, _, own_count = write.ticket.rpartition("-")
        if own != series or int(own_count) > int(count):
            return number
    return len(writes)


def _empty_log(connection: sqlite3.Connection) -> None:
    """Bring all that counts from the log into the file."""
    busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        raise sqlite3.OperationalError("the log is locked by another program")


def _last_ticket(connection: sqlite3.Connection) -> str:
    found = connection.execute("SELECT value FROM settings WHERE name=?", (TICKET,)).fetchone()
    return "" if found is None else str(found[0])
