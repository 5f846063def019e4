"""The tool box at the left of the picture: one button for each tool."""

from functools import partial

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QButtonGroup, QFrame, QVBoxLayout

from segstudio.ui.icons import IconButton
from segstudio.ui.panels.parts import rule
from segstudio.ui.session import Session
from segstudio.ui.tools.registry import TOOLS, in_tool_box_order

WIDTH = 44
GROUP = 20
"""Tools whose `order` falls into another twenty are set apart by a line."""


class ToolBox(QFrame):
    """Chooses the tool; what is chosen belongs to the editor's options."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.setProperty("look", "tools")
        self.setFixedWidth(WIDTH)
        self.setAccessibleName("Tools")
        column = QVBoxLayout(self)
        column.setContentsMargins(5, 8, 5, 8)
        column.setSpacing(2)
        self._buttons: dict[str, IconButton] = {}
        group = QButtonGroup(self)
        group.setExclusive(True)
        last: int | None = None
        for name in in_tool_box_order():
            tool = TOOLS.get(name)
            if last is not None and tool.order // GROUP != last:
                column.addSpacing(3)
                column.addWidget(rule())
                column.addSpacing(3)
            last = tool.order // GROUP
            button = IconButton(tool.icon, f"{tool.title} ({tool.key})\n{tool.hint}")
            button.setCheckable(True)
            button.clicked.connect(partial(self._choose, name))
            group.addButton(button)
            column.addWidget(button, 0, Qt.AlignmentFlag.AlignHCenter)
            self._buttons[name] = button
        column.addStretch(1)
        session.editor.options_changed.connect(self.follow)
        self.follow()

    def _choose(self, name: str, _: bool = False) -> None:  # noqa: FBT001 - Qt passes it
        self._session.tools.choose(name)

    @Slot()
    def follow(self) -> None:
        """Mark the tool that is in the hand."""
        self._buttons[self._session.editor.options.tool].setChecked(True)
