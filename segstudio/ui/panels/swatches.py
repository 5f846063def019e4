"""A class set at a glance: a colour and a name each, in columns."""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPaintEvent, QPixmap, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from segstudio.core.classes import ClassMap
from segstudio.ui import theme

ROW = 22
SWATCH = 12
GAP = 20
WIDEST = 200


def swatch_icon(
    color: tuple[int, int, int], side: int = 14, radius: float = 4, inset: float = 0
) -> QIcon:
    """A rounded square of one colour (RGB), `side` logical pixels wide, sharp on fine screens."""
    picture = QPixmap(2 * side, 2 * side)
    picture.setDevicePixelRatio(2)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(*color))
    inner = side - 2 * inset
    painter.drawRoundedRect(QRectF(inset, inset, inner, inner), radius, radius)
    painter.end()
    return QIcon(picture)


class Swatches(QWidget):
    """As many columns as fit; as high as they need."""

    def __init__(self, classes: ClassMap | None = None) -> None:
        super().__init__()
        self._classes: ClassMap | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        if classes is not None:
            self.show_classes(classes)

    def show_classes(self, classes: ClassMap) -> None:
        """Show another set."""
        self._classes = classes
        self.setAccessibleName("Classes: " + ", ".join(c.name for c in classes.classes))
        self._fit()
        self.update()

    def minimumSizeHint(self) -> QSize:
        return QSize(160, self.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _grid(self) -> tuple[int, int, int]:
        """Columns, rows, and the width of a column."""
        if self._classes is None:
            return 1, 0, 0
        metrics = self.fontMetrics()
        texts = [metrics.horizontalAdvance(c.name) for c in self._classes.classes]
        width = min(WIDEST, max(texts) + SWATCH + 8 + GAP + 2)
        columns = max(1, min(len(texts), self.width() // width))
        return columns, -(-len(texts) // columns), width

    def _fit(self) -> None:
        height = max(ROW, self._grid()[1] * ROW)
        if height != self.height():
            self.setFixedHeight(height)

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._classes is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colors = theme.current()
        columns, _, width = self._grid()
        metrics = painter.fontMetrics()
        for number, one in enumerate(self._classes.classes):
            left, top = (number % columns) * width, (number // columns) * ROW
            painter.setPen(QColor(colors.line_strong))
            painter.setBrush(QColor(*one.color))
            painter.drawRoundedRect(QRectF(left + 0.5, top + 5.5, SWATCH, SWATCH), 3, 3)
            painter.setPen(QColor(colors.text))
            area = QRectF(left + SWATCH + 8, top, width - SWATCH - 8 - GAP + 2, ROW)
            text = metrics.elidedText(one.name, Qt.TextElideMode.ElideRight, int(area.width()))
            painter.drawText(area, Qt.AlignmentFlag.AlignVCenter, text)
        painter.end()
