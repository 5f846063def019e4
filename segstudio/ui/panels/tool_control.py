"""What the small widgets of the bar above the picture have in common."""

from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from segstudio.ui.correcting.options import ToolOptions
from segstudio.ui.panels.parts import Picker
from segstudio.ui.session import Session

Change = Callable[..., None]
"""Called with fields of ToolOptions."""

LEVELS = 4
"""How a control may look, from 0 for all of it to the last for what is needed to use it at all.

1 leaves words and sliders out, 2 puts what is seldom changed into a list that opens, 3 makes one
small list or button of several choices and leaves out what a stroke can do without.
"""

TIGHTEST = LEVELS - 1


class Control(QWidget):
    """One or more of ToolOptions' fields. Sub-classes say how they look."""

    def __init__(self, change: Change) -> None:
        super().__init__()
        self._change = change

    def show_options(self, session: Session, options: ToolOptions) -> None:
        """Follow what was chosen, also elsewhere."""
        raise NotImplementedError

    def set_level(self, level: int) -> None:
        """See LEVELS. It may be asked for the level it has."""


def set_width(picker: Picker, width: int, *, is_tight: bool) -> None:
    """width: px. is_tight: with less room around the words."""
    picker.setFixedWidth(width)
    look = "tight" if is_tight else ""
    if (picker.property("look") or "") != look:
        picker.setProperty("look", look)
        picker.style().unpolish(picker)
        picker.style().polish(picker)
