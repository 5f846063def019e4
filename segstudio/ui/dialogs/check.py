"""System check: what `segstudio doctor` says, asked in the background."""

from typing import Any

from PySide6.QtGui import QCloseEvent, QFontDatabase, QGuiApplication
from PySide6.QtWidgets import QDialog, QPlainTextEdit, QVBoxLayout, QWidget

from segstudio.ui.bridge.background import Job
from segstudio.ui.panels.parts import Spinner, button, label, row, set_tone
from segstudio.ui.session import Session
from segstudio.ui.theme import UNIT


class CheckDialog(QDialog):
    """The report as text, with a button that copies it."""

    def __init__(self, parent: QWidget, session: Session) -> None:
        super().__init__(parent)
        self.setWindowTitle("System Check")
        self.resize(680, 480)
        self._spinner = Spinner()
        self._head = label("Looking at Python, PyTorch, Qt and the codecs…", look="title")
        self._text = QPlainTextEdit()
        self._text.setReadOnly(True)
        font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        font.setPixelSize(12)
        self._text.setFont(font)
        self._copy = button("Copy", "", self._copy_text)
        self._copy.setEnabled(False)
        box = QVBoxLayout(self)
        box.setContentsMargins(2 * UNIT, 2 * UNIT, 2 * UNIT, 2 * UNIT)
        box.setSpacing(UNIT)
        head = row(self._spinner, self._head)
        head.setStretch(1, 1)
        box.addLayout(head)
        box.addWidget(self._text, 1)
        box.addLayout(row(self._copy, 1, button("Close", "primary", self.close)))

        def op(_: Job) -> dict[str, Any]:
            from segstudio.engine.doctor import examine

            return examine()

        self._job = session.background.run(
            op, success=self._show, failure=self._fail, name="doctor"
        )

    def closeEvent(self, event: QCloseEvent) -> None:
        self._job.token.cancel()
        super().closeEvent(event)

    def done(self, result: int) -> None:
        self._job.token.cancel()
        super().done(result)

    def _show(self, report: dict[str, Any]) -> None:
        self._spinner.hide()
        self._copy.setEnabled(True)
        good = bool(report.get("ok"))
        self._head.setText("Everything is there." if good else "Something is missing.")
        set_tone(self._head, "good" if good else "bad")
        self._text.setPlainText(as_text(report))

    def _fail(self, error: Exception) -> None:
        self._spinner.hide()
        self._head.setText("The check itself failed.")
        set_tone(self._head, "bad")
        self._text.setPlainText(str(error))

    def _copy_text(self) -> None:
        QGuiApplication.clipboard().setText(self._text.toPlainText())


def as_text(report: dict[str, Any]) -> str:
    """Problems and notes first, then one line per fact."""
    lines = [f"✗ {sentence}" for sentence in report.get("problems", ())]
    lines += [f"• {sentence}" for sentence in report.get("notes", ())]
    if lines:
        lines.append("")
    for key, value in report.items():
        if key in ("ok", "problems", "notes"):
            continue
        lines += _facts(key, value)
    return "\n".join(lines)


def _facts(key: str, value: object, indent: str = "") -> list[str]:
    if isinstance(value, dict):
        inner = [line for k, v in value.items() for line in _facts(str(k), v, indent + "  ")]
        return [f"{indent}{key}", *inner]
    if isinstance(value, list | tuple):
        if all(isinstance(one, str | int | float) for one in value):
            return [f"{indent}{key}: {', '.join(str(one) for one in value) or '–'}"]
        inner = [line for n, v in enumerate(value) for line in _facts(str(n + 1), v, indent + "  ")]
        return [f"{indent}{key}", *inner]
    return [f"{indent}{key}: {'–' if value is None else value}"]
