"""Choices that explain themselves: small ones in a block, and rows with a sentence each."""

from collections.abc import Callable, Collection, Sequence
from functools import partial

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QCursor, QFont, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QAbstractButton,
    QButtonGroup,
    QFrame,
    QGridLayout,
    QLabel,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from segstudio.ui import theme
from segstudio.ui.panels.parts import button, label
from segstudio.ui.theme import UNIT

_WRAP = int(Qt.TextFlag.TextWordWrap)


def sentence(text: str = "", tone: str = "muted") -> QLabel:
    """Small words that wrap."""
    made = label(text, look="small", tone=tone)
    made.setWordWrap(True)
    made.setTextFormat(Qt.TextFormat.PlainText)
    return made


class Block(QFrame):
    """Segments in several rows, one of them taken. `picked` is called with its value."""

    def __init__(
        self,
        choices: Sequence[tuple[str, str, str]],
        columns: int,
        picked: Callable[[str], None],
        name: str,
    ) -> None:
        """choices: (value, title, tip). name: said to those who do not see it."""
        super().__init__()
        self.setProperty("look", "segments")
        self.setAccessibleName(name)
        grid = QGridLayout(self)
        grid.setContentsMargins(2, 2, 2, 2)
        grid.setSpacing(2)
        self._buttons: dict[str, QAbstractButton] = {}
        for number, (value, title, tip) in enumerate(choices):
            one = button(title, "segment", partial(picked, value))
            one.setCheckable(True)
            one.setAutoExclusive(True)  # a click on the one that is taken leaves it so
            one.setToolTip(tip)
            one.setAccessibleDescription(tip)
            one.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            grid.addWidget(one, *divmod(number, columns))
            self._buttons[value] = one
        for column in range(columns):
            grid.setColumnStretch(column, 1)

    def show_value(self, value: str) -> None:
        """Mark the one that is taken. None stays lit that the mouse has left unnoticed."""
        place = QCursor.pos()
        for name, one in self._buttons.items():
            one.setChecked(name == value)
            if one.underMouse() and not one.rect().contains(one.mapFromGlobal(place)):
                one.setAttribute(Qt.WidgetAttribute.WA_UnderMouse, on=False)
                one.update()


class Choice(QAbstractButton):
    """A title, and below it what it shows."""

    def __init__(self, title: str, words: str) -> None:
        super().__init__()
        self.setText(title)
        self._words = words
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName(title)
        self.setAccessibleDescription(words)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setMouseTracking(True)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        room = QRect(0, 0, width - 2 * UNIT - 20, 1000)
        words = QFontMetrics(self._small()).boundingRect(room, _WRAP, self._words)
        return self.fontMetrics().height() + 2 + words.height() + 2 * (UNIT - 2)

    def sizeHint(self) -> QSize:
        return QSize(240, self.heightForWidth(240))

    def minimumSizeHint(self) -> QSize:
        return QSize(160, self.fontMetrics().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        colors, painter = theme.current(), QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.setPen(QColor(colors.accent) if self.hasFocus() else Qt.PenStyle.NoPen)
        ground = colors.accent_soft if self.isChecked() else colors.hover
        is_grounded = self.isChecked() or (self.underMouse() and self.isEnabled())
        painter.setBrush(QColor(ground) if is_grounded else Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(area, 6, 6)
        line = self.fontMetrics().height()
        ring = QRectF(UNIT, UNIT - 2 + (line - 12) / 2, 12, 12)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(colors.accent if self.isChecked() else colors.faint), 1.5))
        painter.drawEllipse(ring.adjusted(0.75, 0.75, -0.75, -0.75))
        if self.isChecked():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(colors.accent))
            painter.drawEllipse(ring.adjusted(3.5, 3.5, -3.5, -3.5))
        left, room = UNIT + 20, self.width() - 2 * UNIT - 20
        font = QFont(self.font())
        if self.isChecked():
            font.setWeight(QFont.Weight.DemiBold)
        painter.setFont(font)
        painter.setOpacity(1.0 if self.isEnabled() else 0.5)
        painter.setPen(QColor(colors.text))
        painter.drawText(QRect(left, UNIT - 2, room, line), 0, self.text())
        painter.setFont(self._small())
        painter.setPen(QColor(colors.muted))
        painter.drawText(QRect(left, UNIT + line, room, self.height()), _WRAP, self._words)
        painter.end()

    def _small(self) -> QFont:
        font = QFont(self.font())
        font.setPixelSize(12)
        return font


class Choices(QWidget):
    """One of a few, each with a sentence. `picked` is called with its value."""

    def __init__(
        self, choices: Sequence[tuple[str, str, str]], picked: Callable[[str], None], name: str
    ) -> None:
        """choices: (value, title, sentence)."""
        super().__init__()
        self.setAccessibleName(name)
        self._group = QButtonGroup(self)
        self._group.setExclusive(True)
        self._rows: dict[str, Choice] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        for value, title, words in choices:
            one = Choice(title, words)
            one.clicked.connect(lambda _=False, value=value: picked(value))
            self._group.addButton(one)
            column.addWidget(one)
            self._rows[value] = one

    def show_value(self, value: str) -> None:
        """Mark the one that is taken; "" for none."""
        self._group.setExclusive(False)
        for name, one in self._rows.items():
            one.setChecked(name == value)
        self._group.setExclusive(True)

    def offer(self, values: Collection[str], why_not: str) -> None:
        """Only these can be chosen; the others say why they cannot."""
        for value, one in self._rows.items():
            is_offered = value in values
            one.setEnabled(is_offered)
            one.setToolTip("" if is_offered else why_not)
            one.setCursor(
                Qt.CursorShape.PointingHandCursor if is_offered else Qt.CursorShape.ArrowCursor
            )
