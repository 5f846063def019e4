"""The tools of one window: one of each, and the one that is in the hand."""

from dataclasses import replace
from typing import Protocol

from PySide6.QtCore import QObject, Slot

from segstudio.ui.correcting.options import MAX_SIZE, ToolOptions
from segstudio.ui.tools.preview import Preview
from segstudio.ui.tools.registry import TOOLS, Pointer, Tool, Workbench


class Bench(Workbench, Protocol):
    """The editor: the workbench, and whose options these are."""

    @property
    def preview(self) -> Preview:
        """What is drawn over the picture now."""
        ...

    def set_options(self, options: ToolOptions) -> None:
        """Another tool, or another size."""
        ...


class ToolSet(QObject):
    """Passes what the pointer does on to the tool that is chosen in the editor's options."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._tools: dict[str, Tool] = {name: TOOLS.get(name)() for name in TOOLS}
        self._editor: Bench | None = None
        self._is_down = False

    def use(self, editor: Bench) -> None:
        """The workbench of all tools."""
        self._editor = editor

    @property
    def current(self) -> Tool:
        """The chosen one."""
        name = "pan" if self._editor is None else self._editor.options.tool
        return self._tools[name]

    def choose(self, name: str) -> None:
        """Take another tool; what the old one began is ended."""
        if self._editor is not None and name != self._editor.options.tool:
            self.leave()
            self._editor.set_options(replace(self._editor.options, tool=name))

    def leave(self) -> None:
        """The frame or the tool changes."""
        self._is_down = False
        if self._editor is not None:
            self.current.leave(self._editor)

    @Slot(object)
    def press(self, pointer: Pointer) -> None:
        """The left button goes down over the picture."""
        if self._editor is not None:
            self._is_down = True
            self.current.press(pointer, self._editor)

    @Slot(object)
    def move(self, pointer: Pointer) -> None:
        """A drag while the button is down, else a hover."""
        if self._editor is None:
            return
        act = self.current.drag if self._is_down else self.current.hover
        act(pointer, self._editor)

    @Slot(object)
    def release(self, pointer: Pointer) -> None:
        """The button comes up."""
        if self._editor is not None and self._is_down:
            self._is_down = False
            self.current.release(pointer, self._editor)

    @Slot(object)
    def double_click(self, pointer: Pointer) -> None:
        """The second press of a double click."""
        if self._editor is not None:
            self._is_down = True
            self.current.double_click(pointer, self._editor)

    @Slot()
    def hide(self) -> None:
        """The cursor left the picture: no ring without a cursor, but nothing is ended."""
        if self._editor is not None and not self._is_down:
            self._editor.show(replace(self._editor.preview, ring=None, lock_at=None))

    @Slot(int)
    def turn(self, notches: int) -> None:
        """Shift and the wheel: a larger or smaller brush."""
        self.resize(notches)

    def resize(self, steps: int) -> None:
        """The brush by steps of about a tenth, at least a pixel on each side."""
        if self._editor is None:
            return
        size = self._editor.options.size
        for _ in range(abs(steps)):
            step = max(2, 2 * round(size / 20))
            size = size + step if steps > 0 else size - step
        size = min(max(size, 1), MAX_SIZE)
        self._editor.set_options(replace(self._editor.options, size=size))

    def key_pressed(self, key: str) -> bool:
        """ "return", "escape", "backspace" or a digit; True when the tool did something."""
        return self._editor is not None and self.current.key_pressed(key, self._editor)

    def wants(self, key: str) -> bool:
        """Whether a digit is for the tool instead of choosing a class."""
        return self._editor is not None and self.current.wants(key)
