"""All keys on one sheet, made from the commands."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from segstudio.ui.commands.registry import Command, in_menu_order
from segstudio.ui.menus import MENUS
from segstudio.ui.panels.parts import button, label, row
from segstudio.ui.theme import UNIT

MOUSE = (
    ("Zoom about the cursor", ("Wheel",)),
    ("Pan", ("Space + drag", "Middle drag")),
    ("Peek without masks", ("Hold V",)),
    ("Only one class", ("Alt + click",)),
)


class KeysDialog(QDialog):
    """Two columns of groups, one line per command that has a key."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keyboard Shortcuts")
        self.resize(780, 560)
        columns = (QVBoxLayout(), QVBoxLayout())
        heights = [0, 0]
        groups = [(title, _with_keys(title)) for title in MENUS]
        groups.append(("Mouse", list(MOUSE)))
        for title, lines in groups:
            if not lines:
                continue
            shorter = heights.index(min(heights))
            heights[shorter] += len(lines) + 2
            columns[shorter].addWidget(_group(title, lines))
        inside = QFrame()
        inside.setProperty("look", "panel")
        both = QHBoxLayout(inside)
        both.setContentsMargins(2 * UNIT, UNIT, 2 * UNIT, UNIT)
        both.setSpacing(5 * UNIT)
        for column in columns:
            column.addStretch(1)
            both.addLayout(column, 1)
        area = QScrollArea()
        area.setWidget(inside)
        area.setWidgetResizable(True)
        box = QVBoxLayout(self)
        box.setContentsMargins(UNIT, UNIT, UNIT, 2 * UNIT)
        box.addWidget(area, 1)
        foot = row(1, button("Close", "", self.close))
        foot.setContentsMargins(0, 0, UNIT, 0)
        box.addLayout(foot)


def native(key: str) -> str:
    """A key as this system writes it."""
    return QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)


def _with_keys(menu: str) -> list[tuple[str, tuple[str, ...]]]:
    found: list[Command] = [c for c in in_menu_order() if c.menu.split("/")[0] == menu and c.keys]
    return [(c.title.rstrip("…"), tuple(native(k) for k in c.keys)) for c in found]


def _group(title: str, lines: list[tuple[str, tuple[str, ...]]]) -> QWidget:
    group = QWidget()
    grid = QGridLayout(group)
    grid.setContentsMargins(0, UNIT, 0, UNIT)
    grid.setVerticalSpacing(6)
    grid.addWidget(label(title, look="section"), 0, 0, 1, 2)
    grid.setColumnStretch(0, 1)
    for number, (what, keys) in enumerate(lines, start=1):
        grid.addWidget(label(what), number, 0)
        caps = [label(key, look="key") for key in keys]
        place = QWidget()
        place.setLayout(row(1, *caps, spacing=4))
        grid.addWidget(place, number, 1, Qt.AlignmentFlag.AlignRight)
    return group
