"""The page of an export that is done: what was written, and the proof that it can be read."""

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QScrollArea, QVBoxLayout, QWidget

from segstudio.formats.report import ExportReport
from segstudio.ui.panels.parts import Dot, button, label, row, set_tone
from segstudio.ui.theme import UNIT

MOST_CLASSES = 24
"""Rows of the table of classes; the report in the folder has them all."""


class ReportPage(QWidget):
    """Signals:
    again_wanted(): another export. folder_wanted(Path): show it in the file manager.
    close_wanted(): it was read.
    """

    again_wanted = Signal()
    close_wanted = Signal()
    folder_wanted = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._report: ExportReport | None = None
        self._title, self._about = label(look="hero"), label(tone="muted")
        self._about.setWordWrap(True)
        self._dot, self._proof = Dot(), label()
        self._proof.setWordWrap(True)
        card = QFrame()
        card.setProperty("look", "card")
        proof = row(self._dot, self._proof)
        proof.setStretch(1, 1)
        proof.setAlignment(self._dot, Qt.AlignmentFlag.AlignTop)
        proof.setContentsMargins(2 * UNIT, UNIT + 2, 2 * UNIT, UNIT + 2)
        card.setLayout(proof)
        self._notes = label(look="small", tone="muted")
        self._notes.setWordWrap(True)
        self._table = QGridLayout()
        self._table.setHorizontalSpacing(3 * UNIT)
        self._table.setVerticalSpacing(4)
        inside = QWidget()
        inside.setProperty("look", "panel")
        column = QVBoxLayout(inside)
        column.setContentsMargins(3 * UNIT, 3 * UNIT, 3 * UNIT, 2 * UNIT)
        column.setSpacing(UNIT + 4)
        for part in (self._title, self._about, card, self._notes):
            column.addWidget(part)
        column.addLayout(self._table)
        column.addStretch(1)
        area = QScrollArea()
        area.setWidget(inside)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        self._folder = button("Show Folder", "", self._show)
        self._again = button("Export Again…", "", self.again_wanted.emit)
        self._close = button("Close", "", self.close_wanted.emit)
        foot = row(self._close, 1, self._again, self._folder)
        foot.setContentsMargins(3 * UNIT, UNIT, 3 * UNIT, 2 * UNIT)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(area, 1)
        whole.addLayout(foot)

    @property
    def message(self) -> str:
        """What the page says."""
        parts = (self._title, self._about, self._proof, self._notes)
        return " ".join(p.text() for p in parts if p.text())

    def show_report(self, report: ExportReport) -> None:
        """Of the export that is done."""
        self._report = report
        lines = report.lines()
        self._title.setText(f"{report.frames:,} frames exported")
        where = Path(report.target)
        splits = ", ".join(f"{n:,} {s}" for s, n in report.splits.items() if s)
        self._about.setText("\n".join(part for part in (lines[0], str(where), splits) if part))
        proof = report.proof
        if proof is None:
            self._proof.setText("It was not read back, so nobody knows whether it is right.")
        else:
            self._proof.setText(proof.in_words())
        tone = "faint" if proof is None else "good" if proof.is_exact else "warn"
        if proof is not None and not proof.is_exact and not proof.is_expected:
            tone = "bad"
        self._dot.set_tone(tone)
        set_tone(self._proof, "bad" if tone == "bad" else "")
        skipped = 2 if proof is not None else 1
        self._notes.setText("\n".join(lines[skipped:]))
        self._notes.setVisible(bool(lines[skipped:]))
        self._fill(report)

    def _fill(self, report: ExportReport) -> None:
        while (item := self._table.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        total = max(sum(report.pixels.values()), 1)
        order = sorted(report.pixels.items(), key=lambda item: -item[1])[:MOST_CLASSES]
        for number, (name, pixels) in enumerate(order):
            lost = name in report.lost
            shown = "Void" if name == "void" else name
            self._table.addWidget(label(shown, tone="warn" if lost else ""), number, 0)
            count = label(f"{pixels:,} px", tone="muted")
            count.setAlignment(Qt.AlignmentFlag.AlignRight)
            share = label(class_share(pixels / total), tone="muted")
            share.setAlignment(Qt.AlignmentFlag.AlignRight)
            self._table.addWidget(count, number, 1)
            self._table.addWidget(share, number, 2)
            if lost:
                self._table.addWidget(label("became void", tone="warn"), number, 3)
        self._table.setColumnStretch(4, 1)

    def _show(self) -> None:
        if self._report is not None:
            place = Path(self._report.target)
            self.folder_wanted.emit(place if place.is_dir() else place.parent)


def class_share(value: float) -> str:
    """0.4213 → "42 %", 0.0421 → "4.2 %": of rare classes one digit more is told."""
    if value >= 0.0995 or value == 0:
        return f"{100 * value:.0f} %"
    return "<0.1 %" if value < 0.0005 else f"{100 * value:.1f} %"
