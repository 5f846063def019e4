"""All keys on one sheet, made from the commands."""

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

from segstudio.ui.commands.registry import MENUS, Command, in_menu_order
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
        self.resize(820, 680)
        columns = (QGridLayout(), QGridLayout())
        groups = [(title, _with_keys(title)) for title in MENUS]
        groups.append(("Mouse", list(MOUSE)))
        for title, lines in groups:
            if lines:
                _add_group(min(columns, key=QGridLayout.rowCount), title, lines)
        inside = QFrame()
        inside.setProperty("look", "panel")
        both = QHBoxLayout(inside)
        both.setContentsMargins(2 * UNIT, 0, 2 * UNIT, UNIT)
        both.setSpacing(5 * UNIT)
        for column in columns:
            column.setVerticalSpacing(6)
            column.setColumnStretch(0, 1)
            column.setRowStretch(column.rowCount(), 1)
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


def _add_group(grid: QGridLayout, title: str, lines: list[tuple[str, tuple[str, ...]]]) -> None:
    head = label(title, look="section")
    head.setContentsMargins(0, 2 * UNIT, 0, 0)
    first = grid.rowCount()
    grid.addWidget(head, first, 0, 1, 2)
    for number, (what, keys) in enumerate(lines, start=first + 1):
        grid.addWidget(label(what), number, 0)
        caps = QWidget()
        caps.setLayout(row(1, *(label(key, look="key") for key in keys), spacing=4))
        grid.addWidget(caps, number, 1)
