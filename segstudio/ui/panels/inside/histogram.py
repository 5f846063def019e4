"""What the colours mean: a histogram over the colour bar, or a legend of components or groups."""

import math

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QLinearGradient,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPolygonF,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from segstudio.core.feature_map import FeatureMap
from segstudio.core.look import Pixel
from segstudio.core.map_style import MapStyle
from segstudio.ui import theme
from segstudio.ui.panels.inside.style import ramp
from segstudio.ui.theme import UNIT, tabular
from segstudio.ui.words import share_text

BARS, BAR, NUMBERS = 52, 10, 18
"""Heights in pixels: of the histogram, of the colour bar, of the numbers below."""

GROUP_ROW = 20

COMPONENTS = (
    ("First component", (230, 70, 60), "most"),
    ("Second component", (60, 180, 90), "less"),
    ("Third component", (70, 110, 235), "least"),
)


def number(value: float) -> str:
    """Three figures, a real minus."""
    if value == 0:
        return "0"
    size = abs(value)
    text = f"{value:.2e}" if size >= 1e5 or size < 1e-3 else f"{value:.3g}"
    if 1e3 <= size < 1e5:
        text = f"{value:.0f}"
    return text.replace("-", "−")


class MapLegend(QWidget):
    """Paints what one map's colours stand for; as high as its kind needs."""

    def __init__(self) -> None:
        super().__init__()
        self._map: FeatureMap | None = None
        self._style = MapStyle()
        self._here: float | None = None
        self._unit, self._sides = "", ("", "")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(BARS + BAR + NUMBERS)

    def show_map(
        self,
        found: FeatureMap | None,
        style: MapStyle,
        unit: str = "",
        sides: tuple[str, str] = ("", ""),
    ) -> None:
        """unit: "" or "%", for numbers from 0 to 1 that are read as shares. sides: what the low
        and the high end are called, where they have names.
        """
        self._map, self._style, self._unit, self._sides = found, style, unit, sides
        if found is None:
            self._here = None
        self.setToolTip(
            "How many cells have which number (heights are square roots)."
            if found is not None and found.kind == "values" and found.histogram.size
            else ""
        )
        self.setAccessibleName(self.as_text())
        self._fit()
        self.update()

    def point(self, pixel: Pixel | None) -> None:
        """Mark the number under the cursor."""
        found = self._map
        value = None if pixel is None or found is None else found.value_at(*pixel)
        here = float(value) if value is not None and value.ndim == 0 else None
        if here != self._here:
            self._here = here
            self.update()

    def as_text(self) -> str:
        """For people who listen."""
        found = self._map
        if found is None:
            return "No map"
        if found.kind == "values":
            low, high = self._ends(found)
            return f"Colours from {low} to {high}"
        if found.kind == "rgb":
            return "Three components as red, green and blue"
        return "Groups: " + ", ".join(share_text(share) for _, share in self.groups())

    def groups(self) -> list[tuple[int, float]]:
        """(number, share of the cells) of every group that is there, the largest first."""
        if self._map is None or self._map.kind != "segments":
            return []
        counts = np.bincount(self._map.values.ravel())
        shares = counts / max(1, counts.sum())
        order = np.argsort(-shares, kind="stable")
        return [(int(i), float(shares[i])) for i in order if counts[i]]

    def sizeHint(self) -> QSize:
        return QSize(240, self.height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        small = tabular(QFont(self.font()))
        small.setPixelSize(12)
        painter.setFont(small)
        found = self._map
        if found is not None and found.kind == "values":
            self._paint_values(painter, found)
        elif found is not None and found.kind == "rgb":
            self._paint_components(painter)
        elif found is not None:
            self._paint_groups(painter)
        painter.end()

    def _fit(self) -> None:
        found = self._map
        height = BAR + NUMBERS
        if found is None:
            return  # what comes next is most often as high
        if found.kind == "values":
            height += BARS if found.histogram.size else 0
        elif found.kind == "rgb":
            height = len(COMPONENTS) * GROUP_ROW
        else:
            height = max(1, -(-len(self.groups()) // 3)) * GROUP_ROW
        if height != self.height():
            self.setFixedHeight(height)

    def _ends(self, found: FeatureMap) -> tuple[str, str]:
        low, high = self._said(found.low), self._said(found.high)
        return f"{low} {self._sides[0]}".rstrip(), f"{self._sides[1]} {high}".lstrip()

    def _said(self, value: float) -> str:
        return f"{100 * value:.0f} %" if self._unit == "%" else number(value)

    def _paint_values(self, painter: QPainter, found: FeatureMap) -> None:
        colors, width = theme.current(), self.width()
        top = BARS if found.histogram.size else 0
        if found.histogram.size and found.histogram.max() > 0:
            heights = np.sqrt(found.histogram / found.histogram.max()) * (top - 6)
            step = width / len(heights)
            path = QPainterPath(QPointF(0, top - 2))
            for bin_of, height in enumerate(heights.tolist()):
                path.lineTo(bin_of * step, top - 2 - height)
                path.lineTo((bin_of + 1) * step, top - 2 - height)
            path.lineTo(width, top - 2)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(colors.line_strong))
            painter.drawPath(path)
        bar = QRectF(0, top, width, BAR)
        round_bar = QPainterPath()
        round_bar.addRoundedRect(bar, 3, 3)
        painter.save()
        painter.setClipPath(round_bar)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(bar, ramp(self._style.color_map, is_reversed=self._style.is_reversed))
        painter.restore()
        words = QRectF(0, bar.bottom() + 2, width, NUMBERS - 2)
        middle, low, high = Qt.AlignmentFlag.AlignVCenter, found.low, found.high
        painter.setPen(QColor(colors.muted))
        left, right = self._ends(found)
        painter.drawText(words, middle | Qt.AlignmentFlag.AlignLeft, left)
        painter.drawText(words, middle | Qt.AlignmentFlag.AlignRight, right)
        if self._here is not None and high > low and math.isfinite(self._here):
            place = min(1.0, max(0.0, (self._here - low) / (high - low))) * (width - 1) + 0.5
            self._paint_here(painter, bar, place, words)

    def _paint_here(self, painter: QPainter, bar: QRectF, place: float, words: QRectF) -> None:
        """Where the number under the cursor lies on the bar."""
        colors = theme.current()
        painter.setPen(QColor(colors.panel))
        painter.setBrush(QColor(colors.text))
        top = bar.top()
        painter.drawPolygon(QPolygonF([
            QPointF(place - 5, top - 6), QPointF(place + 5, top - 6), QPointF(place, top + 3),
        ]))  # fmt: skip
        painter.setPen(QColor(colors.text))
        text = f"here {self._said(self._here or 0.0)}"
        painter.drawText(words, Qt.AlignmentFlag.AlignCenter, text)

    def _paint_components(self, painter: QPainter) -> None:
        colors = theme.current()
        for line, (title, (r, g, b), how) in enumerate(COMPONENTS):
            top = line * GROUP_ROW
            ramp_of = QLinearGradient(0, 0, 56, 0)
            ramp_of.setColorAt(0, QColor(18, 18, 20))
            ramp_of.setColorAt(1, QColor(r, g, b))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(ramp_of)
            painter.drawRoundedRect(QRectF(0, top + 5, 56, BAR), 3, 3)
            painter.setPen(QColor(colors.muted))
            area = QRectF(56 + UNIT, top, self.width() - 56 - UNIT, GROUP_ROW)
            middle = Qt.AlignmentFlag.AlignVCenter
            painter.drawText(area, middle, title)
            painter.setPen(QColor(colors.faint))
            painter.drawText(area, middle | Qt.AlignmentFlag.AlignRight, f"varies {how}")

    def _paint_groups(self, painter: QPainter) -> None:
        from segstudio.core.color_maps import SEGMENT_COLORS

        colors, column = theme.current(), self.width() / 3
        for place, (group, share) in enumerate(self.groups()):
            line, at = divmod(place, 3)
            left, top = at * column, line * GROUP_ROW
            r, g, b = (int(v) for v in SEGMENT_COLORS[group % len(SEGMENT_COLORS)])
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(r, g, b))
            painter.drawRoundedRect(QRectF(left, top + 4, 12, 12), 3, 3)
            painter.setPen(QColor(colors.muted))
            area = QRectF(left + 20, top, column - 24, GROUP_ROW)
            painter.drawText(area, Qt.AlignmentFlag.AlignVCenter, share_text(share))
