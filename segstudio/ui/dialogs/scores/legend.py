"""What the colours of the matrix mean: the colour map with a few figures below it."""

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from segstudio.ui import theme
from segstudio.ui.dialogs.scores.matrix import short
from segstudio.ui.theme import tabular

SHARES = (0.01, 0.1, 0.25, 0.5, 1.0)
BAR = 8


class Legend(QWidget):
    """Follows the picture it explains."""

    def __init__(self) -> None:
        super().__init__()
        self._lut: NDArray[np.uint8] = np.zeros((256, 3), np.uint8)
        self._ticks: list[tuple[float, str]] = []
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(210, 30)

    def show_scale(self, lut: NDArray[np.uint8], by: str, most: int) -> None:
        """lut: uint8 (256, 3). most: pixels in the fullest cell."""
        if by == "pixels":
            powers = [10**p for p in range(0, 16, 2) if 10**p <= most]
            top = float(np.log1p(max(1, most)))
            self._ticks = [(float(np.log1p(p)) / top, short(p)) for p in powers]
        else:
            self._ticks = [(float(np.sqrt(s)), f"{100 * s:.0f}") for s in SHARES]
            self._ticks[-1] = (1.0, "100 %")
        self._lut = np.ascontiguousarray(lut)
        self.setAccessibleName("Colours: " + ", ".join(text for _, text in self._ticks))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        bar = QRectF(12, 2, self.width() - 36, BAR)
        lut = self._lut
        picture = QImage(lut.data, 256, 1, 768, QImage.Format.Format_RGB888)
        painter.drawImage(bar, picture)
        font = tabular(self.font())
        font.setPixelSize(11)
        painter.setFont(font)
        for at, text in self._ticks:
            x = bar.left() + at * bar.width()
            painter.setPen(QColor(theme.current().line_strong))
            painter.drawLine(round(x), BAR + 2, round(x), BAR + 5)
            painter.setPen(QColor(theme.current().muted))
            middle = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop
            painter.drawText(QRectF(x - 24, BAR + 5, 48, 16), middle, text)
        painter.end()
