"""Work that may take longer than one display refresh and belongs to no other thread.

One thread per job rather than a pool: a job that hangs on a dead network drive must not keep the
next one from starting. Jobs get copies, return values, and never touch a widget.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal, Slot

from segstudio.engine.flow import CancelToken
from segstudio.errors import Cancelled

log = logging.getLogger("segstudio.ui")


class Job:
    """What a running job may use, from its own thread: `report` and the `token`."""

    def __init__(self, send: Callable[["_News"], None]) -> None:
        self.token = CancelToken()
        self._send = send

    def report(self, fraction: float, text: str = "") -> None:
        """How far it is, 0..1 (negative: unknown), and with what."""
        self._send(_News(self, "progress", (fraction, text)))


@dataclass(frozen=True, slots=True, eq=False)
class _News:
    """What a worker tells the UI thread about one job."""

    job: Job
    kind: str
    value: Any


@dataclass(frozen=True, slots=True, eq=False)
class _Ears:
    """Who listens to one job, all in the UI thread."""

    success: Callable[[Any], None]
    failure: Callable[[Exception], None]
    progress: Callable[[float, str], None] | None
    discard: Callable[[Any], None] | None


class Background(QObject):
    """Starts jobs and brings their news to the UI thread. Lives in the UI thread."""

    _told = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs: dict[Job, tuple[_Ears, threading.Thread]] = {}
        self._is_closed = False
        self._done: dict[Job, Any] = {}  # values that are on their way to the UI thread
        self._told.connect(self._pass_on, Qt.ConnectionType.QueuedConnection)

    def run(
        self,
        op: Callable[[Job], Any],
        *,
        success: Callable[[Any], None],
        failure: Callable[[Exception], None],
        progress: Callable[[float, str], None] | None = None,
        discard: Callable[[Any], None] | None = None,
        name: str = "background",
    ) -> Job:
        """Call `op(job)` in a thread, then `success(value)` or `failure(error)` in this one.

        A cancelled job calls neither; the value it made all the same goes to `discard`, which
        may run in either thread and closes what has to be closed.
        """
        job = Job(self._tell)
        thread = threading.Thread(
            target=self._work, args=(job, op, discard), name=f"segstudio-{name}", daemon=True
        )
        self._jobs[job] = (_Ears(success, failure, progress, discard), thread)
        thread.start()
        return job

    def close(self, timeout_s: float = 5.0) -> list[str]:
        """Cancel and join everything; the names of threads that would not end in time."""
        self._is_closed = True
        for job in self._jobs:
            job.token.cancel()
        deadline = time.monotonic() + timeout_s
        stuck = []
        for _, thread in self._jobs.values():
            thread.join(max(0.0, deadline - time.monotonic()))
            if thread.is_alive():
                stuck.append(thread.name)
        for job, value in list(self._done.items()):  # nobody will be told any more
            ears, _ = self._jobs[job]
            if ears.discard is not None:
                ears.discard(value)
        self._done.clear()
        self._jobs.clear()
        return stuck

    def _work(
        self, job: Job, op: Callable[[Job], Any], discard: Callable[[Any], None] | None
    ) -> None:
        try:
            value = op(job)
        except Cancelled:
            self._tell(_News(job, "cancelled", None))
        except Exception as error:
            if not job.token.cancelled:
                log.info("a background job failed", exc_info=True)
            self._tell(_News(job, "failure", error))
        else:
            if self._is_closed:
                if discard is not None:
                    discard(value)
                return
            self._done[job] = value
            self._tell(_News(job, "success", value))

    def _tell(self, news: _News) -> None:
        """Any thread."""
        if not self._is_closed:
            self._told.emit(news)

    @Slot(object)
    def _pass_on(self, news: _News) -> None:
        entry = self._jobs.get(news.job)
        if entry is None or self._is_closed:
            return
        ears, _ = entry
        if news.kind == "progress":
            if ears.progress is not None and not news.job.token.cancelled:
                ears.progress(*news.value)
            return
        del self._jobs[news.job]
        self._done.pop(news.job, None)
        if news.job.token.cancelled:
            if news.kind == "success" and ears.discard is not None:
                ears.discard(news.value)
            return
        if news.kind == "success":
            ears.success(news.value)
        elif news.kind == "failure":
            ears.failure(news.value)
