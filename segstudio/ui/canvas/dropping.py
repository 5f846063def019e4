"""A widget that files and folders can be dropped on."""

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtWidgets import QWidget


class DropTarget(QWidget):
    """Takes what this computer can open by a path; links to elsewhere are refused.

    Signals:
        files_dropped(list): Path of each file or folder.
    """

    files_dropped = Signal(list)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAcceptDrops(True)
        self._is_dropping = False

    @property
    def is_dropping(self) -> bool:
        """True while files are held over the widget."""
        return self._is_dropping

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Files and folders are welcome."""
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()
            self._show_dropping(now=True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        """They were taken elsewhere."""
        self._show_dropping(now=False)

    def dropEvent(self, event: QDropEvent) -> None:
        """They are here."""
        self._show_dropping(now=False)
        found = [Path(u.toLocalFile()) for u in event.mimeData().urls() if u.isLocalFile()]
        if found:
            event.acceptProposedAction()
            self.files_dropped.emit(found)

    def _show_dropping(self, *, now: bool) -> None:
        self._is_dropping = now
        self.update()
