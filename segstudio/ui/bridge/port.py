"""The border between a worker thread and the window."""

from typing import Any

from PySide6.QtCore import QObject, Qt, Signal, Slot

from segstudio.engine.flow import LatestSlot


class Port(QObject):
    """Lives in the UI thread; `deliver` and `fail` are called by a worker thread.

    At most one wake-up is queued however fast values arrive, so a busy window shows the newest
    one and never builds a backlog. The emitting object lives in the UI thread, so every kind of
    slot runs there. Stop (join) the worker before the port goes.

    Signals:
        arrived(object): the newest value, in the UI thread.
        failed(object): the exception a worker met, in the UI thread.
    """

    arrived = Signal(object)
    failed = Signal(object)
    _woken = Signal()
    _broken = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._slot: LatestSlot[Any] = LatestSlot()
        self._woken.connect(self._pass_on, Qt.ConnectionType.QueuedConnection)
        self._broken.connect(self._pass_failure_on, Qt.ConnectionType.QueuedConnection)

    def deliver(self, value: object) -> None:
        """Hand over a value that nobody writes to any more. Any thread."""
        if self._slot.put(value):
            self._woken.emit()

    def fail(self, error: Exception) -> None:
        """Tell the window what went wrong. Any thread."""
        self._broken.emit(error)

    def drop(self) -> None:
        """Forget a value that has not been passed on yet. UI thread."""
        self._slot.clear()

    @Slot()
    def _pass_on(self) -> None:
        value = self._slot.take(timeout_s=0)
        if value is not None:
            self.arrived.emit(value)

    @Slot(object)
    def _pass_failure_on(self, error: Exception) -> None:
        self.failed.emit(error)
