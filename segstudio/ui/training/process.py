"""A run as a child process: the very command that people type, watched from the window.

In a process of its own it may run out of memory or die in a driver, and the window goes on. It
lives in a session of its own, so that Ctrl+C in a terminal does not reach it by surprise and its
helpers end with it, and takes the processor only where nobody else wants it.
"""

import contextlib
import logging
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, TypeAlias

from PySide6.QtCore import (
    QLockFile,
    QObject,
    QProcess,
    QProcessEnvironment,
    Signal,
    Slot,
)

from segstudio.core.training import TrainEvent
from segstudio.errors import SegStudioError
from segstudio.ui.training.endings import Ending, Exit, ending_of
from segstudio.ui.training.run_folder import LOG, Want, ask, last_words, lock_of, record_of
from segstudio.ui.training.run_record import RunRecord, parse_event

log = logging.getLogger("segstudio.ui")

State: TypeAlias = Literal[
    "idle", "starting", "running", "pausing", "paused", "stopping", "cancelling", "ended"
]

NICENESS = 10
"""Of 19: below everything that people wait for."""

LONGEST_LINE = 1 << 20
"""Bytes without a line's end after which they are thrown away: no event is that long."""


class TrainingProcess(QObject):
    """One run at a time. UI thread only.

    group: id of the process and of the group of its helpers, 0 before it was started.

    Signals:
        progressed(TrainEvent): one more event; `record` has it already.
        state_changed(): `state` is another one.
        noticed(str): something could not be asked of the run; a sentence.
        ended(str, bool): why in one sentence, and whether that is fine; `ending` has it too.
    """

    progressed = Signal(object)
    state_changed = Signal()
    noticed = Signal(str)
    ended = Signal(str, bool)

    def __init__(
        self, parent: QObject | None = None, *, command: Sequence[str] | None = None
    ) -> None:
        """command: what the run folder is given to, the training of this program by default."""
        super().__init__(parent)
        self._command = tuple(command or (sys.executable, "-m", "segstudio", "train"))
        self._process: QProcess | None = None
        self._lock: QLockFile | None = None
        self._rest = b""
        self._want: Want = "go"
        self.group = 0
        self.run: Path | None = None
        self.record = RunRecord()
        self.state: State = "idle"
        self.ending: Ending | None = None

    @property
    def is_running(self) -> bool:
        """There is a process."""
        return self._process is not None

    def start(self, run: Path) -> None:
        """Begin, or go on where the folder's checkpoint stands; what it reported is read first.

        SegStudioError when a run is going on, when it is another window's, or without a recipe.
        """
        if self._process is not None:
            raise SegStudioError(
                "A training is going on already; stop it, or wait until it is finished."
            )
        if not (run / "recipe.json").is_file():
            raise SegStudioError(f"The run {run.name} has no recipe any more; start a new one.")
        lock = lock_of(run)
        if not lock.tryLock(0) and lock.error() == QLockFile.LockError.LockFailedError:
            raise SegStudioError(f"The run {run.name} goes on in another window; look there.")
        self._lock, self.run, self.ending = lock, run, None
        self.record = record_of(run)
        self._rest, self._want, self.group = b"", "go", 0
        process = self._made(run)
        self._process = process
        self._set_state("starting")
        process.start()

    def _made(self, run: Path) -> QProcess:
        process = QProcess(self)
        process.setProgram(self._command[0])
        process.setArguments([*self._command[1:], str(run), "--json", "-"])
        process.setStandardErrorFile(str(run / LOG))
        process.setStandardInputFile(QProcess.nullDevice())
        environment = QProcessEnvironment.systemEnvironment()
        environment.insert("PYTHONUNBUFFERED", "1")
        environment.insert("PYTHONIOENCODING", "utf-8")
        process.setProcessEnvironment(environment)
        if os.name == "posix":
            parameters = QProcess.UnixProcessParameters()
            parameters.flags = QProcess.UnixProcessFlag.CreateNewSession
            process.setUnixProcessParameters(parameters)
        process.started.connect(self._be_humble)
        process.readyReadStandardOutput.connect(self._read)
        process.errorOccurred.connect(self._fail_to_start)
        process.finished.connect(self._finish)
        return process

    # --- what people want

    def pause(self) -> None:
        """After the step that is going on; nothing is lost, the memory stays taken."""
        if self.state in ("starting", "running"):
            self._wish("pause", "pausing")

    def resume(self) -> None:
        """Go on after a pause."""
        if self.state in ("pausing", "paused"):
            self._wish("go", "running" if self.state == "pausing" else "paused")

    def stop_and_keep_best(self) -> None:
        """End after the step that is going on: it is judged once more, and the best is kept."""
        if self.state in ("starting", "running", "pausing", "paused"):
            self._wish("stop", "stopping")

    def kill(self) -> None:
        """At once; what was not saved is lost, and the run can be gone on with later."""
        if self._process is None or self.state == "cancelling":
            return
        self._set_state("cancelling")
        self._kill_all(self._process)

    def close(self, timeout_ms: int = 5_000) -> None:
        """The window closes: the process ends without a word, and its run can be resumed."""
        process, self._process = self._process, None
        if process is not None:
            process.blockSignals(True)
            self._kill_all(process)
            if not process.waitForFinished(timeout_ms):
                log.warning("the training process %s would not end", process.processId())
            process.deleteLater()
            self._release()
            self._set_state("ended")

    def _wish(self, want: Want, state: State) -> None:
        assert self.run is not None
        try:
            ask(self.run, want)
        except SegStudioError as error:
            self.noticed.emit(str(error))
            return
        self._want = want
        self._set_state(state)

    # --- what the process does

    @Slot()
    def _be_humble(self) -> None:
        """Before it has read its first module, so that all its threads inherit it."""
        pid = self._process.processId() if self._process is not None else 0
        self.group = pid
        if pid and hasattr(os, "setpriority"):
            with contextlib.suppress(OSError):  # over already, or a system that forbids it
                os.setpriority(os.PRIO_PROCESS, pid, NICENESS)

    @Slot()
    def _read(self) -> None:
        if self._process is None:
            return
        *lines, self._rest = (
            self._rest + bytes(self._process.readAllStandardOutput().data())
        ).split(b"\n")
        if len(self._rest) > LONGEST_LINE:
            self._rest = b""
        for line in lines:
            self._hear(line)

    def _hear(self, line: bytes) -> None:
        event = parse_event(line.decode("utf-8", errors="replace"))
        if event is None:
            if line.strip():
                log.debug("not an event: %r", line[:200])
            return
        self.record.add(event)
        self._follow(event)
        self.progressed.emit(event)

    def _follow(self, event: TrainEvent) -> None:
        if event.kind == "started":
            if self._want != "go":  # it takes an older wish for a leftover and removes it
                self._wish(self._want, self.state)
            elif self.state == "starting":
                self._set_state("running")
        elif event.kind == "paused" and self.state == "pausing":
            self._set_state("paused")
        elif event.kind in ("resumed", "step") and self.state == "paused" and self._want == "go":
            self._set_state("running")

    @Slot(QProcess.ProcessError)
    def _fail_to_start(self, error: QProcess.ProcessError) -> None:
        """Everything else is told by `finished`."""
        if error == QProcess.ProcessError.FailedToStart and self._process is not None:
            self._end(Exit(has_started=False, trouble=self._process.errorString()))

    @Slot(int, QProcess.ExitStatus)
    def _finish(self, code: int, status: QProcess.ExitStatus) -> None:
        if self._process is None or self.run is None:
            return
        self._read()
        self._hear(self._rest)  # whole when the run was not interrupted in the middle of it
        self._rest = b""
        is_crash = status == QProcess.ExitStatus.CrashExit
        self._end(
            Exit(
                code=0 if is_crash else code,
                signal=code if is_crash else 0,
                is_cancelled=self.state == "cancelling",
                said=last_words(self.run),
            )
        )

    def _end(self, how: Exit) -> None:
        process, run = self._process, self.run
        assert process is not None
        assert run is not None
        if how.is_cancelled or how.signal:
            self._kill_all(process)  # what it started itself
        self._process = None
        process.deleteLater()
        self._release()
        has_checkpoint = (run / "last.pt").is_file()
        self.ending = ending_of(self.record, how, has_checkpoint=has_checkpoint)
        if not self.ending.is_fine:
            log.warning("run %s: %s", run, self.ending.reason)
        self._set_state("ended")
        self.ended.emit(self.ending.reason, self.ending.is_fine)

    def _kill_all(self, process: QProcess) -> None:
        """The process and whatever it started: they are a group of their own."""
        if os.name == "posix" and self.group:
            with contextlib.suppress(OSError):  # nobody left
                os.killpg(self.group, signal.SIGKILL)
        else:
            process.kill()

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.unlock()
            self._lock = None

    def _set_state(self, state: State) -> None:
        if state != self.state:
            self.state = state
            self.state_changed.emit()
