"""Which columns stand beside the picture.

Where there is no room for both, only the one that was asked for last is there: opening Inside in a
narrow window puts the side panel away, F9 brings it back and puts the column of Inside away, F9
again the other way round. What a person chose is not forgotten: when the window is wide enough or
Inside is turned off, the side panel is there again unless it was turned off itself.
"""

from PySide6.QtCore import QEvent, QObject, Signal
from PySide6.QtWidgets import QSplitter, QWidget

PANEL_WIDTH, INSIDE_WIDTH = 304, 340

PICTURE = 400
"""With both columns the picture is to have at least so many pixels across."""

MIDDLE = 360
"""What lies between the columns is never narrower, also when their edges are dragged."""


class Columns(QObject):
    """The two columns of a window, and what stands between them and the picture.

    Signals:
        changed(): a column came or went.
    """

    changed = Signal()

    def __init__(
        self,
        splitter: QSplitter,
        parts: tuple[QWidget, QWidget, QWidget],
        tools: tuple[QWidget, ...],
    ) -> None:
        """parts: Inside, the middle, the side panel. tools: what is left of the picture there."""
        super().__init__(splitter)
        self._splitter = splitter
        self._inside, middle, self._panel = parts
        self._tools = tools
        self._is_inside_on = False
        self._is_panel_last = True
        self.is_panel_wanted = True
        splitter.setHandleWidth(1)
        middle.setMinimumWidth(MIDDLE)
        for place, part in enumerate(parts):
            splitter.addWidget(part)
            splitter.setStretchFactor(place, int(part is middle))
            splitter.setCollapsible(place, False)
        splitter.setSizes([INSIDE_WIDTH, 10_000, PANEL_WIDTH])
        self._inside.hide()
        splitter.installEventFilter(self)

    def show_inside(self, *, is_on: bool) -> None:
        """Follow whether a model is looked into."""
        if is_on and not self._is_inside_on:
            self._is_panel_last = False
        self._is_inside_on = is_on
        self.share()

    def toggle_panel(self) -> None:
        """Show or hide the side panel; one that gave way comes back."""
        self.is_panel_wanted = self._panel.isHidden()
        self._is_panel_last = self.is_panel_wanted
        self.share()

    def restore_panel(self, *, is_wanted: bool) -> None:
        """As it was when the program was closed."""
        self.is_panel_wanted = is_wanted
        self.share()

    def share(self) -> None:
        """Show both columns if there is room, else the one that was asked for last."""
        has_both = self._is_inside_on and self.is_panel_wanted
        is_one = has_both and not self._has_room()
        before = self._inside.isHidden(), self._panel.isHidden()
        self._inside.setVisible(self._is_inside_on and not (is_one and self._is_panel_last))
        self._panel.setVisible(self.is_panel_wanted and (not is_one or self._is_panel_last))
        if (self._inside.isHidden(), self._panel.isHidden()) != before:
            self.changed.emit()

    def _has_room(self) -> bool:
        tools = sum(one.width() for one in self._tools if not one.isHidden())
        handles = 2 * self._splitter.handleWidth()
        rest = self._splitter.width() - INSIDE_WIDTH - PANEL_WIDTH - handles
        return rest - tools >= PICTURE

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self.share()
        return False
