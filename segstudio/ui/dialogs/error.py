"""The dialog for bugs: what happened, where the log is, and a button that copies it all."""

import platform
import traceback

from PySide6.QtCore import QObject, Qt, Signal, Slot, qVersion
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QPlainTextEdit, QVBoxLayout, QWidget

from segstudio import __version__, paths
from segstudio.ui.panels.parts import button, label, row
from segstudio.ui.theme import UNIT

_OPEN_AT_ONCE = 1
"""One bug that repeats sixty times a second must not bury the screen under dialogs."""


class CrashDialog(QDialog):
    """Something broke inside SegStudio. The window goes on."""

    def __init__(self, error: BaseException, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("SegStudio has made a mistake")
        self.resize(640, 420)
        report = report_of(error)
        box = QVBoxLayout(self)
        box.setContentsMargins(2 * UNIT, 2 * UNIT, 2 * UNIT, 2 * UNIT)
        box.setSpacing(UNIT)
        box.addWidget(label("This is a bug in SegStudio, not in your file.", look="title"))
        text = label(
            "You can go on working. If something looks wrong, restart. The report below is also in"
            f" {paths.log_file()}.",
            tone="muted",
        )
        text.setWordWrap(True)
        text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        box.addWidget(text)
        detail = QPlainTextEdit(report)
        detail.setReadOnly(True)
        box.addWidget(detail, 1)
        copy = button("Copy report", "", lambda: QGuiApplication.clipboard().setText(report))
        close = button("Go on", "primary", self.close)
        box.addLayout(row(copy, 1, close))


class CrashBell(QObject):
    """Lives in the UI thread; `ring` may be called from any. Shows one dialog at a time."""

    _rung = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._open = 0
        self._rung.connect(self._show, Qt.ConnectionType.QueuedConnection)

    def ring(self, error: BaseException) -> None:
        """Any thread."""
        self._rung.emit(error)

    @Slot(object)
    def _show(self, error: BaseException) -> None:
        if self._open >= _OPEN_AT_ONCE:
            return
        self._open += 1
        windows = QGuiApplication.topLevelWindows()
        dialog = CrashDialog(error)
        dialog.destroyed.connect(self._closed)
        dialog.setWindowModality(Qt.WindowModality.NonModal)
        if windows:
            dialog.setWindowFlag(Qt.WindowType.Dialog)
        dialog.show()

    @Slot()
    def _closed(self) -> None:
        self._open -= 1


def report_of(error: BaseException) -> str:
    """What a bug report needs."""
    trace = "".join(traceback.format_exception(error))
    return (
        f"SegStudio {__version__}, Python {platform.python_version()}, Qt {qVersion()},"
        f" {platform.platform()}\n\n{trace}"
    )
