"""Starts the program with a window, and ends it cleanly.

Nothing slow is imported before the window has been painted: no torch, numba, PyAV, OpenCV or
pyqtgraph. After that, torch is imported in a background thread while people look around.
"""

import logging
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import (
    QLoggingCategory,
    QMessageLogContext,
    QTimer,
    QtMsgType,
    qInstallMessageHandler,
)
from PySide6.QtWidgets import QApplication

from segstudio import log as logs
from segstudio.core.settings import Settings
from segstudio.errors import SegStudioError
from segstudio.store.settings import load_settings, save_settings
from segstudio.ui import startup, theme
from segstudio.ui.bridge.background import Job
from segstudio.ui.dialogs.error import CrashBell
from segstudio.ui.main_window import MainWindow
from segstudio.ui.session import Session

log = logging.getLogger("segstudio.ui")

SWITCH_INTERVAL_S = 0.001
"""How long a thread keeps the interpreter to itself. 1 ms instead of 5 keeps the window smooth
beside Python loops in workers, which become about 10 % slower (measured)."""

JOIN_S = 3.0
"""Longer than this nobody waits for threads at the end."""


class Program:
    """The parts that live as long as the program: application, session, window, saved settings."""

    def __init__(self, app: QApplication, *, settings: Settings | None = None) -> None:
        """settings: used instead of the remembered ones, and not kept, as for pictures."""
        self.app = app
        self._is_remembered = settings is None
        troubles: tuple[str, ...] = ()
        if settings is None:
            settings, troubles = load_settings()
        theme.apply(app, settings.theme)
        self.session = Session(settings)
        self.session.models.scan()
        gone = self.session.models.restore(settings)
        self.session.comparison.restore(settings.compared)
        self.window = MainWindow(self.session, has_memory=self._is_remembered)
        self._stuck: list[str] = []
        self._save_soon = QTimer(self.window)
        self._save_soon.setSingleShot(True)
        self._save_soon.setInterval(1000)
        self._save_soon.timeout.connect(self.save)
        self.session.settings_changed.connect(self._save_later)
        self.window.closed.connect(self.close)
        self.when_painted(self.import_engine)
        for sentence in (*troubles, *([gone] if gone else []), *self.session.models.broken):
            self.session.tell(sentence, "warning")

    def when_painted(self, run: Callable[[], None]) -> None:
        """Call `run` once the window has been seen: opening imports PyAV, and that can wait."""
        self.window.first_painted.connect(run)

    def import_engine(self) -> None:
        """Import torch now, then ask it for devices."""

        def op(_: Job) -> object:
            startup.import_engine()
            from segstudio.engine.device import list_devices

            return list_devices()

        session = self.session
        session.background.run(
            op, success=session.models.show_devices, failure=session.tell_error, name="import"
        )

    def _save_later(self, _: object) -> None:
        self._save_soon.start()

    def save(self) -> None:
        """Write the settings; a full disk is told once and changes nothing else."""
        if not self._is_remembered:
            return
        try:
            save_settings(self.session.settings)
        except SegStudioError as error:
            log.warning("the settings were not saved: %s", error)

    def close(self) -> None:
        """Stop everything and wait for it, at most JOIN_S."""
        self._save_soon.stop()
        self.save()
        self._stuck = self.session.close(JOIN_S)

    def end(self, code: int) -> int:
        """The exit code; a thread that would not end must not keep the process alive."""
        if self._stuck:
            log.error("left behind at the end: %s", ", ".join(self._stuck))
            logging.shutdown()
            os._exit(code)
        return code


def make_application(arguments: Sequence[str]) -> QApplication:
    """The QApplication with our name, hooks and thread manners."""
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    QLoggingCategory.setFilterRules("qt.qpa.*.warning=false\nqt.svg.warning=false")
    qInstallMessageHandler(_log_qt)
    app = QApplication.instance()
    if not isinstance(app, QApplication):
        app = QApplication(list(arguments))
    app.setApplicationName("SegStudio")
    app.setApplicationDisplayName("SegStudio")
    app.setDesktopFileName("segstudio")
    return app


def run(paths: Sequence[Path], *, model: str | None = None, demo: bool = False) -> int:
    """Open the window on `paths` (or the demo drive) and stay until it is closed.

    model: name or folder to use instead of the remembered one.
    """
    logs.start()
    app = make_application(sys.argv[:1])
    bell = CrashBell()
    logs.catch_all(bell.ring)
    program = Program(app)
    session = program.session
    if model is not None:
        session.use_model(model)
    if demo:
        program.when_painted(session.open_demo)
    elif paths:
        program.when_painted(partial(session.open, [Path(p) for p in paths]))
    program.window.show()
    return program.end(app.exec())


def _log_qt(kind: QtMsgType, _: QMessageLogContext, message: str) -> None:
    """Qt's own messages go to our log."""
    level = {
        QtMsgType.QtDebugMsg: logging.DEBUG,
        QtMsgType.QtInfoMsg: logging.INFO,
        QtMsgType.QtWarningMsg: logging.WARNING,
    }.get(kind, logging.ERROR)
    logging.getLogger("segstudio.qt").log(level, "%s", message)
