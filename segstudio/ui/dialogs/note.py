"""The note of a flag: a small window beside the picture, which can still be looked at."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from segstudio.ui.panels.parts import button, label
from segstudio.ui.theme import UNIT

LONGEST = 500


class NoteDialog(QDialog):
    """Calls `then` with the note, which may be empty, or with None when the flag is taken away."""

    def __init__(
        self, parent: QWidget, frame: str, note: str | None, then: Callable[[str | None], None]
    ) -> None:
        """frame: what it is about. note: of the flag that is there; None: there is none."""
        super().__init__(parent)
        self._then = then
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Flag Frame" if note is None else "Flag")
        self.setModal(False)
        self._note = QLineEdit(note or "")
        self._note.setMaxLength(LONGEST)
        self._note.setPlaceholderText("What is to be looked at? May stay empty.")
        self._note.setAccessibleName("Note of the flag")
        self._note.setMinimumWidth(320)
        keep = button("Flag" if note is None else "Keep", "primary", self._keep)
        keep.setDefault(True)
        buttons = QHBoxLayout()
        buttons.setSpacing(UNIT)
        if note is not None:
            remove = button("Remove Flag", run=self._remove)
            remove.setAutoDefault(False)
            buttons.addWidget(remove)
        buttons.addStretch(1)
        leave = button("Cancel", run=self.reject)
        leave.setAutoDefault(False)
        buttons.addWidget(leave)
        buttons.addWidget(keep)
        column = QVBoxLayout(self)
        column.setContentsMargins(2 * UNIT, 2 * UNIT, 2 * UNIT, 2 * UNIT)
        column.setSpacing(UNIT + 4)
        column.addWidget(label(frame, tone="muted"))
        column.addWidget(self._note)
        column.addLayout(buttons)
        self._note.setFocus()

    def _keep(self) -> None:
        note = self._note.text().strip()
        self.accept()
        self._then(note)

    def _remove(self) -> None:
        self.accept()
        self._then(None)
