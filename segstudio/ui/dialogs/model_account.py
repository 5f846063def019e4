"""What became of every tensor of a weights file, a line for each kind."""

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPlainTextEdit, QVBoxLayout, QWidget

from segstudio.ui.dialogs.model_details import text
from segstudio.ui.panels.parts import button, label, row
from segstudio.ui.theme import tabular


def account(found: Any) -> list[QWidget]:  # noqa: ANN401  an engine.inspecting.Inspection
    """A line for each kind of tensor, with its names behind "Show"."""
    fit = found.fit
    shapes = [f"{n}: {_shape(there)} in the file, {_shape(here)} in the network"
              for n, there, here in fit.misshapen]  # fmt: skip
    reasons: dict[str, list[str]] = {}
    for name, reason in fit.ignored.items():
        reasons.setdefault(reason, []).append(name)
    lines: list[tuple[str, Sequence[str], str]] = [
        ("match by name", fit.matched, ""),
        ("match under another name", fit.renamed, ""),
        ("missing in the file", fit.missing, "bad"),
        ("that the network does not know", fit.unexpected, "bad"),
        ("of another shape", shapes, "bad"),
        *((f"left out: {reason}", names, "") for reason, names in reasons.items()),
        ("foreign objects skipped, never run", found.foreign, "warn"),
        ("other entries of the file, not needed", found.beside, ""),
    ]
    parts: list[QWidget] = [_Line(what, names, tone) for what, names, tone in lines if names]
    return parts + [text(note, tone="muted", look="small") for note in found.notes]


def _shape(shape: Sequence[int]) -> str:
    return " × ".join(str(n) for n in shape) or "a number"


class _Line(QWidget):
    """How many, of what, and on demand which."""

    def __init__(self, what: str, names: Sequence[str], tone: str) -> None:
        super().__init__()
        count = label(f"{len(names):,}", tone=tone)
        count.setFont(tabular(count.font()))
        count.setMinimumWidth(48)
        count.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._names = names
        self._list: QPlainTextEdit | None = None
        self._more = button("Show", "link", self._toggle)
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(4)
        title = text(what, tone=tone)
        line = row(count, title, self._more)
        line.setStretch(1, 1)
        self._box.addLayout(line)

    def _toggle(self) -> None:
        if self._list is None:
            self._list = QPlainTextEdit("\n".join(sorted(map(str, self._names))))
            self._list.setReadOnly(True)
            self._list.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
            self._list.setFixedHeight(min(160, 34 + 17 * len(self._names)))
            self._box.addWidget(self._list)
            self._list.hide()
        shown = self._list.isHidden()
        self._list.setVisible(shown)
        self._more.setText("Hide" if shown else "Show")
