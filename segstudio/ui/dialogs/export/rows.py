"""Rows of a page with their titles beside them."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QGridLayout, QLayout, QVBoxLayout, QWidget

from segstudio.ui.dialogs.export.option_form import TITLES
from segstudio.ui.panels.parts import label
from segstudio.ui.theme import UNIT


def titled_rows(*rows: tuple[str | QWidget | QLayout, ...]) -> QGridLayout:
    """Titles on the left, and what belongs to them, under each other, on the right."""
    grid = QGridLayout()
    grid.setHorizontalSpacing(2 * UNIT)
    grid.setVerticalSpacing(2 * UNIT)
    grid.setColumnMinimumWidth(0, TITLES)
    grid.setColumnStretch(1, 1)
    for number, (name, *parts) in enumerate(rows):
        title = label(str(name), tone="muted")
        title.setContentsMargins(0, 0 if isinstance(parts[0], QCheckBox) else 6, 0, 0)
        column = QVBoxLayout()
        column.setSpacing(6)
        for part in parts:
            if isinstance(part, QWidget):
                column.addWidget(part)
            elif isinstance(part, QLayout):
                column.addLayout(part)
        grid.addWidget(title, number, 0, Qt.AlignmentFlag.AlignTop)
        grid.addLayout(column, number, 1)
    return grid
