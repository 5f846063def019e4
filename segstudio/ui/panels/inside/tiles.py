"""A raster of tiles, one for each channel, with crosses at the same pixel in all of them.

The raster is made anew when channels, zoom, size or colours change; moving the mouse paints only
the crosses over it.
"""

import math
from dataclasses import replace

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from segstudio.core.feature_map import ChannelSheet
from segstudio.core.look import Pixel
from segstudio.core.viewport import ViewTransform
from segstudio.ui import theme
from segstudio.ui.panels.inside.tiling import Part, Tiling, color_table, raster
from segstudio.ui.theme import UNIT, tabular

GAP = UNIT // 2
LEGIBLE = 6 * UNIT
"""Narrower tiles carry no number, which would cover what they show."""

HOLLOW = 6
"""Pixels from the middle of a cross to its arms."""

NUMBER_GROUND = (16, 17, 20, 130)
"""RGBA behind the number of a channel."""

_STEPS = {
    Qt.Key.Key_Left: (0, -1),
    Qt.Key.Key_Right: (0, 1),
    Qt.Key.Key_Up: (-1, 0),
    Qt.Key.Key_Down: (1, 0),
}
_CHOOSE = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space)


class Tiles(QWidget):
    """Paints the tiles; mouse and keys choose one.

    Signals:
        hovered(object): as of SheetView.
        picked(int): a channel was clicked, or chosen with Enter.
    """

    hovered = Signal(object)
    picked = Signal(int)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(160, 10 * UNIT)
        self.setAccessibleName("Channels")
        self._sheet: ChannelSheet | None = None
        self._why = ""
        self._look = ("", False, False)
        self._chosen = -1
        self._view: ViewTransform | None = None
        self._pixel: Pixel | None = None
        self._pinned: Pixel | None = None
        self._own: Pixel | None = None
        self._cursor: QPointF | None = None
        self._place: int | None = None
        self._pressed: int | None = None
        self._raster: QImage | None = None
        self._made_of: tuple[object, ...] = ()

    # --- what is shown

    def show_sheet(
        self, sheet: ChannelSheet, colors: str, chosen: int, *, smooth: bool, is_reversed: bool
    ) -> None:
        """colors: name of a colour map. chosen: the channel that is marked, -1 for none."""
        old, self._sheet = self._sheet, sheet
        self._look, self._chosen, self._why = (colors, is_reversed, smooth), chosen, ""
        if old is None or len(old.channels) != len(sheet.channels):
            self._find_tile()
        self.update()

    def show_nothing(self, why: str) -> None:
        """A sentence instead of tiles."""
        self._sheet, self._why, self._raster = None, why, None
        self.setAccessibleDescription(why)
        self._find_tile()
        self.update()

    def show_view(self, view: ViewTransform | None) -> None:
        """What the canvas shows."""
        self._view = view
        self.update()

    def show_pixels(self, pixel: Pixel | None, pinned: Pixel | None) -> None:
        """The frame pixels under the cursor and under the pin."""
        if (pixel, pinned) != (self._pixel, self._pinned):
            self._pixel, self._pinned = pixel, pinned
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(80 * UNIT, 30 * UNIT)

    @property
    def _frame(self) -> tuple[int, int]:
        """(h, w) of the frame; before the canvas told, what the map covers."""
        if self._view is not None:
            return self._view.frame
        if self._sheet is None:
            return 1, 1
        bottom, right = self._sheet.lattice.place_of(*self._sheet.values.shape[1:])
        return max(1, round(bottom)), max(1, round(right))

    @property
    def part(self) -> Part:
        """The part of the frame that every tile shows."""
        if self._view is not None:
            return Part.seen(self._view)
        height, width = self._frame
        return Part(0.0, 0.0, height, width)

    @property
    def tiling(self) -> Tiling:
        """Where the tiles lie, in device pixels of this widget."""
        ratio = self.devicePixelRatioF()
        gap, margin = round(GAP * ratio), round(UNIT * ratio)
        height, width = self._size()
        room = max(1, height - margin - gap), max(1, width - 2 * margin)
        count = 0 if self._sheet is None else len(self._sheet.channels)
        fitted = Tiling.fitted(count, self._frame, room, gap)
        return replace(fitted, top=fitted.top + gap, left=fitted.left + margin)

    def _size(self) -> tuple[int, int]:
        ratio = self.devicePixelRatioF()
        return max(1, math.ceil(self.height() * ratio)), max(1, math.ceil(self.width() * ratio))

    # --- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        if self._sheet is None:
            painter.fillRect(self.rect(), QColor(theme.current().backdrop))
            painter.setPen(QColor(theme.current().muted))
            area = self.rect().adjusted(2 * UNIT, 0, -2 * UNIT, 0)
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(area, flags, self._why)
        else:
            ratio = self.devicePixelRatioF()
            tiling, part = self.tiling, self.part
            image = self._tiles(self._sheet, tiling, part)
            image.setDevicePixelRatio(ratio)
            painter.drawImage(0, 0, image)
            painter.scale(1 / ratio, 1 / ratio)
            self._paint_marks(painter, tiling, part, ratio)
            self._paint_tip(painter, self._sheet, ratio)
        painter.end()

    def _tiles(self, sheet: ChannelSheet, tiling: Tiling, part: Part) -> QImage:
        """The raster with its numbers, made when something of it changed."""
        colors, is_reversed, smooth = self._look
        size, ground = self._size(), theme.current().backdrop
        made_of = (sheet, tiling, part, size, self._look, ground)
        if self._raster is None or made_of != self._made_of:
            table = color_table(colors, is_reversed=is_reversed)
            back = QColor(ground)
            self._raster = raster(sheet, tiling, part, size, table, smooth=smooth, ground=back)
            self._number(self._raster, sheet, tiling)
            self._made_of = made_of
        return self._raster

    def _number(self, image: QImage, sheet: ChannelSheet, tiling: Tiling) -> None:
        """Each tile's channel in the lower left corner, where there is least to see."""
        ratio = self.devicePixelRatioF()
        if tiling.width < LEGIBLE * ratio:
            return
        painter = QPainter(image)
        font = self._small(ratio)
        font.setPixelSize(round(10 * ratio))
        painter.setFont(font)
        metrics = painter.fontMetrics()
        height = metrics.height()
        for place, channel in enumerate(sheet.channels):
            box, text = tiling.box(place), str(channel)
            width = metrics.horizontalAdvance(text) + round(6 * ratio)
            ground = QRectF(box.x(), box.y() + box.height() - height, width, height)
            painter.fillRect(ground, QColor(*NUMBER_GROUND))
            painter.setPen(QColor(theme.VEIL_TEXT))
            painter.drawText(ground, Qt.AlignmentFlag.AlignCenter, text)
        painter.end()

    def _small(self, ratio: float) -> QFont:
        font = QFont(tabular(self.font()))
        font.setPixelSize(round(11 * ratio))
        return font

    def _paint_marks(self, painter: QPainter, tiling: Tiling, part: Part, ratio: float) -> None:
        """Outlines of the tile that the picture shows and of the one under the mouse; crosses."""
        assert self._sheet is not None
        colors = theme.current()
        for place, channel in enumerate(self._sheet.channels):
            is_chosen = channel == self._chosen
            if is_chosen or place == self._place:
                thick = (2 if is_chosen else 1) * ratio
                pen = QPen(QColor(colors.accent if is_chosen else colors.muted), thick)
                pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
                painter.setPen(pen)
                half = thick / 2
                area = QRectF(tiling.box(place)).adjusted(-half, -half, half, half)
                painter.drawRect(area)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        pixel = self._own or self._pixel
        for at, is_pin in ((self._pinned, True), (pixel, False)):
            if at is not None and not (is_pin and at == pixel):
                self._paint_crosses(painter, tiling, part, at, ratio, is_pin=is_pin)

    def _paint_crosses(
        self,
        painter: QPainter,
        tiling: Tiling,
        part: Part,
        at: Pixel,
        ratio: float,
        *,
        is_pin: bool,
    ) -> None:
        """The same pixel in every tile: four thin arms around it, which leave it free to be seen;
        those of the pin are longer.
        """
        y, x = tiling.to_tile(at[0] + 0.5, at[1] + 0.5, part)
        if not (0 <= y < tiling.height and 0 <= x < tiling.width):
            return
        near, far = HOLLOW * ratio, (HOLLOW + (7 if is_pin else 4)) * ratio
        path = QPainterPath()
        for place in range(tiling.count):
            box = QRectF(tiling.box(place))
            middle = box.topLeft() + QPointF(x, y)
            for way in (QPointF(-1, 0), QPointF(1, 0), QPointF(0, -1), QPointF(0, 1)):
                if box.contains(middle + way * far):
                    path.moveTo(middle + way * near)
                    path.lineTo(middle + way * far)
        for color, thick in ((QColor(0, 0, 0, 120), 2.5), (QColor("white"), 1.0)):
            pen = QPen(color, thick * ratio)
            pen.setCapStyle(Qt.PenCapStyle.FlatCap)
            painter.strokePath(path, pen)

    def _paint_tip(self, painter: QPainter, sheet: ChannelSheet, ratio: float) -> None:
        """Channel and value beside the mouse."""
        if self._cursor is None or self._place is None:
            return
        text, at = self.reading(sheet, self._place), self._cursor * ratio
        font = self._small(ratio)
        font.setPixelSize(round(12 * ratio))
        painter.setFont(font)
        metrics = painter.fontMetrics()
        width = metrics.horizontalAdvance(text) + 2 * UNIT * ratio
        height = metrics.height() + UNIT * ratio
        rows, columns = self._size()
        x = at.x() + 14 * ratio
        x = x if x + width <= columns else at.x() - 10 * ratio - width
        y = min(at.y() + 14 * ratio, rows - height)
        ground = QRectF(max(0.0, x), y, width, height)
        painter.setPen(QPen(QColor(255, 255, 255, 50), ratio))
        painter.setBrush(QColor(*theme.VEIL))
        painter.drawRoundedRect(ground, 5 * ratio, 5 * ratio)
        painter.setPen(QColor(theme.VEIL_TEXT))
        painter.drawText(ground, Qt.AlignmentFlag.AlignCenter, text)

    def reading(self, sheet: ChannelSheet, place: int) -> str:
        """ "channel 17 · 0.83": what a tile says at the pixel under the mouse."""
        channel = f"channel {sheet.channels[place]}"
        if self._own is None:
            return channel
        row_, column = (math.floor(v) for v in sheet.lattice.cell_at(*(c + 0.5 for c in self._own)))
        _, height, width = sheet.values.shape
        if not (0 <= row_ < height and 0 <= column < width):
            return f"{channel} · nothing there"
        low, high = float(sheet.lows[place]), float(sheet.highs[place])
        return f"{channel} · {figure(low + sheet.values[place, row_, column] / 255 * (high - low))}"

    # --- mouse and keys

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._cursor = event.position()
        self._find_tile()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        is_left = event.button() == Qt.MouseButton.LeftButton
        self._cursor = event.position()
        self._find_tile()
        self._pressed = self._place if is_left else None

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A click begins and ends on one tile; a drag does nothing."""
        self._cursor = event.position()
        self._find_tile()
        pressed, self._pressed = self._pressed, None
        if event.button() == Qt.MouseButton.LeftButton and pressed is not None:
            self._pick(pressed if pressed == self._place else None)

    def leaveEvent(self, event: QEvent) -> None:
        self._cursor = None
        self._find_tile()

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.accept()  # zoom is the canvas's; nothing else moves instead

    def event(self, event: QEvent) -> bool:
        """Arrows and Enter are the sheet's own while it has the keyboard, not shortcuts."""
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and (event.key() in _STEPS or event.key() in _CHOOSE)
        ):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows go from tile to tile, Enter takes one."""
        step = _STEPS.get(Qt.Key(event.key()))
        if self._sheet is not None and step is not None:
            tiling, place = self.tiling, self._place
            place = 0 if place is None else place + step[0] * tiling.columns + step[1]
            if 0 <= place < tiling.count:
                self._go_to(place)
        elif event.key() in _CHOOSE:
            self._pick(self._place)
        else:
            super().keyPressEvent(event)

    def _pick(self, place: int | None) -> None:
        if self._sheet is not None and place is not None:
            self.picked.emit(int(self._sheet.channels[place]))

    def _find_tile(self) -> None:
        """Which tile and which frame pixel are under the mouse now."""
        place, own = None, None
        if self._sheet is not None and self._cursor is not None:
            tiling, ratio = self.tiling, self.devicePixelRatioF()
            at = self._cursor.y() * ratio, self._cursor.x() * ratio
            place = tiling.place_at(*at)
            if place is not None:
                spot = tiling.to_frame(place, *at, self.part)
                y, x = (
                    min(max(math.floor(v), 0), n - 1)
                    for v, n in zip(spot, self._frame, strict=True)
                )
                own = y, x
        before, self._own = self._own, own
        self._go_to(place)
        if own != before:
            self.hovered.emit(own)

    def _go_to(self, place: int | None) -> None:
        self._place = place
        is_click = place is not None and self._cursor is not None
        self.setCursor(
            Qt.CursorShape.PointingHandCursor if is_click else Qt.CursorShape.ArrowCursor
        )
        if self._sheet is not None and place is not None:
            self.setAccessibleDescription(self.reading(self._sheet, place))
        self.update()


def figure(value: float) -> str:
    """About three digits: 0.83, 12.5, 340."""
    if value and abs(value) < 0.01:
        return f"{value:.1e}"
    size = abs(value)
    return f"{value:.0f}" if size >= 100 else f"{value:.1f}" if size >= 10 else f"{value:.2f}"
