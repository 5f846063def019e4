"""One way to train, as a card that is taken or not."""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QEnterEvent, QFont, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton

from segstudio.ui import theme
from segstudio.ui.theme import UNIT, tabular


class PresetCard(QAbstractButton):
    """A choice with its title, a sentence, and how long it takes. Arrows move between them."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self.setText(title)
        self.setCheckable(True)
        self.setAutoExclusive(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._sentence, self._time, self._is_suggested = "", "", False

    def show_text(self, sentence: str, time: str, is_suggested: bool) -> None:  # noqa: FBT001  one of three texts
        """What is written in it."""
        self._sentence, self._time, self._is_suggested = sentence, time, is_suggested
        self.setAccessibleName(self.text())
        fits = " Fits the number of frames." if is_suggested else ""
        self.setAccessibleDescription(f"{sentence} {time}.{fits}")
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(280, 84)

    def minimumSizeHint(self) -> QSize:
        return QSize(200, 84)

    def enterEvent(self, event: QEnterEvent) -> None:
        self.update()
        super().enterEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            event.ignore()  # the dialog's own button
            return
        way = {Qt.Key.Key_Left: -1, Qt.Key.Key_Up: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Down: 1}
        step, group = way.get(Qt.Key(event.key())), self.group()
        if step is None or group is None:
            super().keyPressEvent(event)
            return
        cards = group.buttons()
        other = cards[(cards.index(self) + step) % len(cards)]
        other.setFocus()
        other.click()

    def paintEvent(self, event: QPaintEvent) -> None:
        colors = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        is_on = self.isChecked()
        edge = colors.accent if is_on or self.hasFocus() else colors.line_strong
        painter.setPen(QPen(QColor(edge), 1.5 if is_on or self.hasFocus() else 1))
        ground = (
            colors.accent_soft if is_on else colors.hover if self.underMouse() else colors.field
        )
        painter.setBrush(QColor(ground))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 7, 7)
        area = self.rect().adjusted(UNIT + 6, UNIT + 2, -UNIT - 6, -UNIT)
        bold = QFont(self.font())
        bold.setWeight(QFont.Weight.DemiBold)
        painter.setFont(bold)
        painter.setPen(QColor(colors.text))
        painter.drawText(area, Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft, self.text())
        small = tabular(self.font())
        small.setPixelSize(12)
        painter.setFont(small)
        painter.setPen(QColor(colors.muted))
        right = Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignRight
        painter.drawText(area, right, self._time)
        wrapped = Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap
        painter.drawText(area.adjusted(0, 22, 0, 0), wrapped, self._sentence)
        if self._is_suggested:
            painter.setPen(QColor(colors.good))
            low = Qt.AlignmentFlag.AlignBottom | Qt.AlignmentFlag.AlignRight
            painter.drawText(area, low, "fits your frames")
        painter.end()
