"""The channels of a layer side by side, under the picture and under its zoom and pan."""

from dataclasses import replace

from PySide6.QtCore import Signal, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from segstudio.core.feature_map import ChannelSheet
from segstudio.core.look import LayerLook, Order, Pixel
from segstudio.core.viewport import ViewTransform
from segstudio.ui.panels.inside.tiles import Tiles
from segstudio.ui.panels.parts import Elided, row
from segstudio.ui.session import Session
from segstudio.ui.theme import UNIT, tabular

FIRST: dict[Order, str] = {
    "variance": "those that vary most first",
    "pixel": "those highest at the pixel first",
    "region": "those highest in the region first",
    "number": "by their number",
}

Shown = tuple[ChannelSheet, LayerLook, str]
"""Channels, the look that they answer, and the letter of the pane."""


def sentence(sheet: ChannelSheet, order: Order) -> str:
    """ "36 of 128 channels, those that vary most first"."""
    count, total = len(sheet.channels), sheet.total
    if total == 1:
        return "1 channel"
    share = f"{count:,} of {total:,} channels" if count < total else f"All {total:,} channels"
    return f"{share}, {FIRST[order]}"


class SheetView(QWidget):
    """A line that says what is shown, and the tiles.

    A click on a tile shows that channel in the picture and leaves the sheet as it is; a second one
    goes back to the mean of all.

    Signals:
        hovered(object): the frame pixel (y, x) that the mouse shows on a tile, None beside them.
    """

    hovered = Signal(object)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session, self._inside = session, session.inside
        self._kept_of: object = None  # FrameId of the tiles that are kept
        self._shown: Shown | None = None
        self._kept: Shown | None = None
        self._said = Elided(look="small", tone="muted")
        self._said.setFont(tabular(self._said.font()))
        self.tiles = Tiles(self)
        self.tiles.hovered.connect(self._tell)
        self.tiles.picked.connect(self._choose)
        self.setAccessibleName("Channels of the layer")
        head = row(self._said)
        head.setContentsMargins(UNIT, 0, UNIT, 0)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self._said.setFixedHeight(7 * UNIT // 2)
        column.addLayout(head)
        column.addWidget(self.tiles, 1)
        self._inside.changed.connect(self.follow)
        self._inside.arrived.connect(self.follow)
        self._inside.pointed.connect(self._point)
        self.follow()

    @Slot(object)
    def show_view(self, view: ViewTransform | None) -> None:
        """What the canvas shows; the tiles show the same."""
        self.tiles.show_view(view)

    @property
    def is_wanted(self) -> bool:
        """A grid is looked at, or one channel that was chosen in it."""
        look = self._inside.look
        if not self._inside.is_on or not isinstance(look, LayerLook):
            return False
        return look.show == "grid" or self.is_kept

    @property
    def is_kept(self) -> bool:
        """One channel is looked at, which was chosen on the sheet."""
        look, kept = self._inside.look, self._kept
        return (
            kept is not None
            and isinstance(look, LayerLook)
            and look.show == "channel"
            and (look.layer, look.call) == (kept[1].layer, kept[1].call)
            and self._inside.letter == kept[2]
            and not self._inside.trouble
        )

    @Slot()
    def follow(self) -> None:
        """Another look, another frame, other colours."""
        look, style = self._inside.look, self._inside.style
        if not self.is_kept:
            self._kept = None
        if not self.isVisible():
            return
        self._shown = self._found()
        if self._shown is None:
            self._said.show_text("")
            self.tiles.show_nothing(self._why())
            return
        sheet, of, _ = self._shown
        chosen = look.channel if self.is_kept and isinstance(look, LayerLook) else -1
        words = sentence(sheet, of.order)
        if chosen >= 0:
            words = f"Channel {chosen} is shown; click it again for the mean of all. {words}"
            if self._frame() != self._kept_of:
                words = f"The tiles are of an earlier frame. {words}"
        self._said.show_text(words)
        self.setAccessibleDescription(self._said.text())
        self.tiles.show_sheet(
            sheet, style.color_map, chosen, smooth=style.is_smooth, is_reversed=style.is_reversed
        )
        self._point()

    def _frame(self) -> object:
        """FrameId of what is on the screen."""
        result = self._session.result
        return None if result is None else result.frame.id

    def _found(self) -> Shown | None:
        """The channels on the screen. Those of the last frame stay until the next ones are there:
        with an order by the cursor, every move asks anew.
        """
        look, seen, letter = self._inside.look, self._inside.seen, self._inside.letter
        if self.is_kept:
            return self._kept
        if not isinstance(look, LayerLook) or look.show != "grid" or self._inside.trouble:
            return None
        if seen is not None:
            sheet = seen.sheet
            return None if sheet is None or not len(sheet.channels) else (sheet, look, letter)
        if self._shown is None:
            return None
        _, of, by = self._shown
        is_same = (of.layer, of.call, by) == (look.layer, look.call, letter)
        return self._shown if is_same else None

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.follow()

    def _why(self) -> str:
        """The reason for having no tiles, in one sentence."""
        look = self._inside.look
        if self._inside.trouble:
            return self._inside.trouble
        if not isinstance(look, LayerLook) or look.show != "grid":
            return "Show a layer as a grid of channels to see them side by side."
        if self._inside.seen is not None:
            return "This layer has no channels to show."
        return "The channels appear with the next frame that the model sees."

    @Slot()
    def _point(self) -> None:
        self.tiles.show_pixels(self._inside.pixel, self._inside.pinned)

    @Slot(object)
    def _tell(self, pixel: Pixel | None) -> None:
        """Where the mouse is, unless the order hangs on it: tiles would run from the mouse."""
        look, is_pinned = self._inside.look, self._inside.pinned is not None
        if is_pinned or not (isinstance(look, LayerLook) and look.order == "pixel"):
            self.hovered.emit(pixel)

    @Slot(int)
    def _choose(self, channel: int) -> None:
        """That channel alone, if the tiles are still those of the layer that is looked at; of the
        one that is shown, back to all.
        """
        look = self._inside.look
        if not isinstance(look, LayerLook) or self._shown is None:
            return
        of = self._shown[1]
        if self.is_kept and look.channel == channel:
            self._inside.set_look(replace(look, show="grid"))
        elif (look.layer, look.call) == (of.layer, of.call):
            if not self.is_kept:
                self._kept, self._kept_of = self._shown, self._frame()
            self._inside.set_look(replace(look, show="channel", channel=channel))
