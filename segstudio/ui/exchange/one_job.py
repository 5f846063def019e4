"""Work that a window does one at a time, that can be stopped, and that says how it ends."""

import logging
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Signal

from segstudio.engine.flow import CancelToken
from segstudio.errors import SegStudioError
from segstudio.ui.bridge.background import Background, Job

log = logging.getLogger("segstudio.ui")


class OneJob(QObject):
    """UI thread only.

    Signals:
        progressed(float, str): 0..1 and a sentence. finished(object): what the work returned.
        failed(str): a sentence. stopped(): by the person; the work returned None.
    """

    progressed = Signal(float, str)
    finished = Signal(object)
    failed = Signal(str)
    stopped = Signal()

    def __init__(self, background: Background, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._background = background
        self._token: CancelToken | None = None  # a job whose own is cancelled tells nobody

    @property
    def is_running(self) -> bool:
        """It is being done."""
        return self._token is not None

    def begin(self, name: str, work: Callable[[Job, CancelToken], Any]) -> None:
        """Start `work`, which looks at the token between its steps; nothing while another runs."""
        if self._token is not None:
            return
        token = self._token = CancelToken()
        self._background.run(
            lambda job: work(job, token),
            success=self._succeed,
            failure=self._fail,
            progress=self.progressed.emit,
            name=name,
        )

    def cancel(self) -> None:
        """Stop after the step that is being done."""
        if self._token is not None:
            self._token.cancel()

    def _succeed(self, report: object) -> None:
        self._token = None
        if report is None:
            self.stopped.emit()
        else:
            self.finished.emit(report)

    def _fail(self, error: Exception) -> None:
        self._token = None
        if not isinstance(error, SegStudioError):
            log.error("it failed", exc_info=error)
        self.failed.emit(str(error))
