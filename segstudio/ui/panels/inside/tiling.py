"""Where the tiles of a sheet lie, which part of the frame they show, and their raster.

Everything is counted in device pixels of the sheet, as the canvas does it. A tile is the shape of
the frame; all of them show one part of it: the smallest one of that shape that holds all that the
canvas shows, moved inside the frame. So the whole frame fits a tile exactly, and zoom and pan of
the canvas are zoom and pan of every tile.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRect, QRectF
from PySide6.QtGui import QColor, QImage, QPainter, QRegion

from segstudio.core.feature_map import ChannelSheet, Lattice
from segstudio.core.viewport import ViewTransform

LARGE = 0.92
"""Tiles may be that much narrower than the widest possible when the last row is fuller then."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the frame, continuous: pixel k covers k to k + 1. All in frame pixels."""

    top: float
    left: float
    height: float
    width: float

    @staticmethod
    def seen(view: ViewTransform) -> "Part":
        """What tiles show while the canvas shows `view`."""
        spans, starts = [], []
        share = max(
            min(1.0, length / (view.scale * frame))
            for length, frame in zip(view.view, view.frame, strict=True)
        )
        middle = view.to_frame(view.view[0] / 2, view.view[1] / 2)
        for place, frame in zip(middle, view.frame, strict=True):
            span = share * frame
            spans.append(span)
            starts.append(min(max(place - span / 2, 0.0), frame - span))
        return Part(starts[0], starts[1], spans[0], spans[1])


@dataclass(frozen=True, slots=True)
class Tiling:
    """count tiles of (height, width) in `columns`, the first one at (top, left), `gap` between."""

    count: int
    columns: int
    height: int
    width: int
    top: int
    left: int
    gap: int

    @staticmethod
    def fitted(count: int, frame: tuple[int, int], room: tuple[int, int], gap: int) -> "Tiling":
        """The columns that make tiles largest; among those nearly as large, the evenest.

        frame, room: (h, w); only the shape of the frame counts.
        """
        height, width = room
        aspect = frame[1] / frame[0]
        widths = []
        for columns in range(1, max(1, count) + 1):
            rows = math.ceil(count / columns)
            across = (width - gap * (columns - 1)) / columns
            down = (height - gap * (rows - 1)) / max(1, rows)
            widths.append(max(0.0, min(across, down * aspect)))
        good = [c for c, w in enumerate(widths, start=1) if w >= LARGE * max(widths)]
        columns = min(good, key=lambda c: (c * math.ceil(count / c) - count, -widths[c - 1]))
        rows = math.ceil(count / columns)
        across = max(1, math.floor(widths[columns - 1]))
        down = max(1, round(across / aspect))
        used = rows * (down + gap) - gap, columns * (across + gap) - gap
        top, left = (max(0, (r - u) // 2) for r, u in zip(room, used, strict=True))
        return Tiling(count, columns, down, across, top, left, gap)

    def box(self, place: int) -> QRect:
        """Where a tile lies, by its place in the sheet."""
        row, column = divmod(place, self.columns)
        x = self.left + column * (self.width + self.gap)
        return QRect(x, self.top + row * (self.height + self.gap), self.width, self.height)

    def place_at(self, y: float, x: float) -> int | None:
        """The tile at a position; None between and beside them."""
        row, down = divmod(y - self.top, self.height + self.gap)
        column, across = divmod(x - self.left, self.width + self.gap)
        place = int(row) * self.columns + int(column)
        is_hit = row >= 0 and 0 <= column < self.columns and place < self.count
        return place if is_hit and down < self.height and across < self.width else None

    def to_frame(self, place: int, y: float, x: float, part: Part) -> tuple[float, float]:
        """The place in the frame that a position on a tile shows."""
        box = self.box(place)
        return (
            part.top + (y - box.y()) * part.height / self.height,
            part.left + (x - box.x()) * part.width / self.width,
        )

    def to_tile(self, y: float, x: float, part: Part) -> tuple[float, float]:
        """Where a place in the frame lies, from the corner of any tile."""
        return (
            (y - part.top) * self.height / part.height,
            (x - part.left) * self.width / part.width,
        )


def raster(
    sheet: ChannelSheet,
    tiling: Tiling,
    part: Part,
    size: tuple[int, int],
    table: list[int],
    *,
    smooth: bool,
    ground: QColor,
) -> QImage:
    """RGB32 of `size` (h, w): every tile, coloured; `ground` between them and beside the map.

    table: 256 colours as 0xffRRGGBB. Values are enlarged first and coloured then, so that smooth
    tiles hold no colour that is not in the table. 36 tiles of 60×34 cells on 400×225 pixels take
    13 ms (measured), of which the colours 1.
    """
    values, cells = _cropped(sheet, part)
    grey = QImage(size[1], size[0], QImage.Format.Format_Grayscale8)
    grey.fill(0)
    drawn = QRegion()
    if values.size:
        drawn = _draw_values(grey, values, _target(cells, tiling, part), tiling, smooth=smooth)
    grey.reinterpretAsFormat(QImage.Format.Format_Indexed8)
    grey.setColorTable(table)
    colored = grey.convertToFormat(QImage.Format.Format_RGB32)
    painter = QPainter(colored)
    painter.setClipRegion(QRegion(0, 0, size[1], size[0]).subtracted(drawn))
    painter.fillRect(0, 0, size[1], size[0], ground)
    painter.end()
    return colored


def _cropped(sheet: ChannelSheet, part: Part) -> tuple[NDArray[np.uint8], QRectF]:
    """The cells that the part shows and two more on each side; where they lie in the frame."""
    lattice = sheet.lattice
    first = lattice.cell_at(part.top, part.left)
    last = lattice.cell_at(part.top + part.height, part.left + part.width)
    bounds = []
    for begin, end, length in zip(first, last, sheet.values.shape[1:], strict=True):
        low = min(max(math.floor(begin) - 2, 0), length)
        bounds.append((low, max(low, min(math.ceil(end) + 2, length))))
    (top, bottom), (left, right) = bounds
    values = np.ascontiguousarray(sheet.values[:, top:bottom, left:right])
    return values, _extent(lattice, top, bottom, left, right)


def _extent(lattice: Lattice, top: int, bottom: int, left: int, right: int) -> QRectF:
    y0, x0 = lattice.place_of(top, left)
    y1, x1 = lattice.place_of(bottom, right)
    return QRectF(x0, y0, x1 - x0, y1 - y0)


def _target(cells: QRectF, tiling: Tiling, part: Part) -> QRectF:
    """Where the cells lie, from the corner of any tile."""
    y, x = tiling.to_tile(cells.y(), cells.x(), part)
    down, across = tiling.height / part.height, tiling.width / part.width
    return QRectF(x, y, cells.width() * across, cells.height() * down)


def _draw_values(
    grey: QImage, values: NDArray[np.uint8], target: QRectF, tiling: Tiling, *, smooth: bool
) -> QRegion:
    """uint8 (K, h, w) → grey levels. Returns the pixels that show a cell."""
    covered = _centres_in(target).intersected(QRect(0, 0, tiling.width, tiling.height))
    values, target = _averaged(values, target)
    count, height, width = values.shape
    boxes = QRegion()
    painter = QPainter(grey)
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Source)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
    form = QImage.Format.Format_Grayscale8
    for place in range(count):
        box = tiling.box(place)
        shown = covered.translated(box.topLeft())
        painter.setClipRect(shown)
        image = QImage(values[place].data, width, height, width, form)
        painter.drawImage(target.translated(box.topLeft()), image)
        boxes += shown
    painter.end()
    return boxes


def _averaged(values: NDArray[np.uint8], target: QRectF) -> tuple[NDArray[np.uint8], QRectF]:
    """Blocks of cells in place of cells, where a pixel has room for several; where blocks lie.

    Drawing alone would pick some cells and skip the rest. 36 channels of 720×1280 cells take
    26 ms (measured).
    """
    sizes = []
    for axis, length in ((1, target.height()), (2, target.width())):
        cells = values.shape[axis]
        block = max(1, math.floor(cells / max(1.0, length)))
        if block > 1:
            values = _blocks(values, block, axis)
        # The last block may hold fewer cells than the others; it is drawn as if it were whole.
        sizes.append(length * values.shape[axis] * block / cells)
    return np.ascontiguousarray(values), QRectF(target.x(), target.y(), sizes[1], sizes[0])


def _blocks(values: NDArray[np.uint8], block: int, axis: int) -> NDArray[np.uint8]:
    """Means of `block` neighbours along an axis; np.add.reduceat takes 17 times as long."""
    line = np.moveaxis(values, axis, 0)
    length = len(line)
    sums = np.zeros((math.ceil(length / block), *line.shape[1:]), np.uint16)
    for first in range(block):
        part = line[first::block]
        sums[: len(part)] += part
    counts = np.minimum(block, length - np.arange(0, length, block)).astype(np.uint16)
    means: NDArray[np.uint8] = (sums // counts[:, None, None]).astype(np.uint8)
    return np.moveaxis(means, 0, axis)


def _centres_in(area: QRectF) -> QRect:
    """The pixels whose centres lie inside."""
    left, top = math.ceil(area.left() - 0.5), math.ceil(area.top() - 0.5)
    right, bottom = math.ceil(area.right() - 0.5), math.ceil(area.bottom() - 0.5)
    return QRect(left, top, right - left, bottom - top)


def color_table(name: str, *, is_reversed: bool) -> list[int]:
    """256 colours of a map as 0xffRRGGBB."""
    from segstudio.core import color_maps

    rgb = color_maps.table(name).astype(np.uint32)
    if is_reversed:
        rgb = rgb[::-1]
    packed = np.uint32(0xFF000000) | rgb[:, 0] << 16 | rgb[:, 1] << 8 | rgb[:, 2]
    return [int(color) for color in packed]
