"""The tool box at the left of the picture: one button for each tool."""

from functools import partial

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QButtonGroup, QFrame, QGridLayout, QScrollArea, QVBoxLayout

from segstudio.ui.icons import IconButton
from segstudio.ui.panels.parts import rule
from segstudio.ui.session import Session
from segstudio.ui.tools.registry import TOOLS, in_tool_box_order

SIDE, GAP, RULE = 32, 2, 9
"""Pixels: a button, between two, and what a line between groups takes."""

MARGIN = 5
GROUP = 20
"""Tools whose `order` falls into another twenty are set apart by a line."""


class ToolBox(QFrame):
    """Chooses the tool; what is chosen belongs to the editor's options.

    Buttons never shrink: a low box has two columns, a very low one scrolls.
    """

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.setProperty("look", "tools")
        self.setAccessibleName("Tools")
        self._buttons: dict[str, IconButton] = {}
        self._groups: dict[int, list[IconButton]] = {}
        choice = QButtonGroup(self)
        choice.setExclusive(True)
        for name in in_tool_box_order():
            tool = TOOLS.get(name)
            button = IconButton(tool.icon, f"{tool.title} ({tool.key})\n{tool.hint}")
            button.setCheckable(True)
            button.setFixedSize(SIDE, SIDE)
            button.clicked.connect(partial(self._choose, name))
            choice.addButton(button)
            self._buttons[name] = button
            self._groups.setdefault(tool.order // GROUP, []).append(button)
        inside = QFrame()
        inside.setProperty("look", "bar")
        self._grid = QGridLayout(inside)
        self._grid.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
        self._grid.setSpacing(GAP)
        self._rules = [rule() for _ in list(self._groups)[1:]]
        scroll = QScrollArea()
        scroll.setWidget(inside)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        for set_policy in (scroll.setVerticalScrollBarPolicy, scroll.setHorizontalScrollBarPolicy):
            set_policy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(scroll)
        self._scroll = scroll
        self._columns = 0
        self._lay_out(1)
        session.editor.options_changed.connect(self.follow)
        self.follow()

    def minimumSizeHint(self) -> QSize:
        """Some of the tools; the rest is reached by the wheel."""
        return QSize(self.width(), 4 * SIDE)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._lay_out(1 if self.height() >= self._needed() else 2)

    def _needed(self) -> int:
        """Pixels down of one column."""
        lines = len(self._buttons) * (SIDE + GAP) + len(self._rules) * (RULE + GAP)
        return lines + 2 * MARGIN

    def _lay_out(self, columns: int) -> None:
        if columns == self._columns:
            return
        self._columns = columns
        self._grid.setRowStretch(self._grid.rowCount() - 1, 0)
        line = 0
        for number, buttons in enumerate(self._groups.values()):
            if number:
                self._grid.setRowMinimumHeight(line, RULE)
                self._grid.addWidget(self._rules[number - 1], line, 0, 1, columns)
                line += 1
            for place, button in enumerate(buttons):
                down, across = divmod(place, columns)
                self._grid.setRowMinimumHeight(line + down, SIDE)
                self._grid.addWidget(button, line + down, across)
            line += -(-len(buttons) // columns)
        for rest in range(line, self._grid.rowCount()):
            self._grid.setRowMinimumHeight(rest, 0)
        self._grid.setRowStretch(line, 1)
        self.setFixedWidth(2 * MARGIN + columns * (SIDE + GAP))

    def _choose(self, name: str, _: bool = False) -> None:  # noqa: FBT001 - Qt passes it
        self._session.tools.choose(name)

    @Slot()
    def follow(self) -> None:
        """Mark the tool that is in the hand."""
        button = self._buttons[self._session.editor.options.tool]
        button.setChecked(True)
        self._scroll.ensureWidgetVisible(button)
