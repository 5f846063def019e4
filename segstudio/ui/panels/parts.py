"""The few shapes that every panel is made of."""

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, QTimer
from PySide6.QtGui import (
    QColor,
    QHideEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QShowEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QSlider,
    QSpinBox,
    QStyle,
    QStyleOptionComboBox,
    QStylePainter,
    QVBoxLayout,
    QWidget,
)

from segstudio.ui import theme
from segstudio.ui.theme import UNIT

WIDEST_LIST = 420
"""Pixels across of a drop-down list that shows its entries whole."""


def label(text: str = "", *, look: str = "", tone: str = "") -> QLabel:
    """Text in one of the style sheet's looks and tones."""
    result = QLabel(text)
    if look:
        result.setProperty("look", look)
    if tone:
        result.setProperty("tone", tone)
    return result


def set_tone(widget: QWidget, tone: str) -> None:
    """Change a widget's tone."""
    _set(widget, "tone", tone)


def set_look(widget: QWidget, look: str) -> None:
    """Change a widget's look; "" is the plain one."""
    _set(widget, "look", look)


def _set(widget: QWidget, name: str, value: str) -> None:
    """The style sheet looks at properties only when it is told to."""
    if widget.property(name) != value:
        widget.setProperty(name, value)
        widget.style().unpolish(widget)
        widget.style().polish(widget)


def button(text: str, look: str = "", run: Callable[[], object] | None = None) -> QPushButton:
    """A push button that leaves the keyboard where it was; Tab still reaches it."""
    result = QPushButton(text)
    result.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    if look:
        result.setProperty("look", look)
    if run is not None:
        result.clicked.connect(lambda _=False: run())
    return result


def rule() -> QFrame:
    """A hairline between sections."""
    line = QFrame()
    line.setProperty("look", "rule")
    line.setFixedHeight(1)
    return line


def row(*parts: QWidget | int, spacing: int = UNIT) -> QHBoxLayout:
    """Widgets beside each other; a number is a stretch."""
    box = QHBoxLayout()
    box.setContentsMargins(0, 0, 0, 0)
    box.setSpacing(spacing)
    for part in parts:
        if isinstance(part, int):
            box.addStretch(part)
        else:
            box.addWidget(part)
    return box


def pad(box: QSpinBox) -> None:
    """Room at both ends of a number; a style sheet's padding does not reach inside a QSpinBox."""
    box.lineEdit().setTextMargins(UNIT, 0, UNIT, 0)


class Section(QWidget):
    """A titled part of the side panel: the title on the left, small things on the right."""

    def __init__(self, title: str, *corner: QWidget) -> None:
        super().__init__()
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(2 * UNIT, UNIT + 4, 2 * UNIT, 2 * UNIT)
        self.body.setSpacing(UNIT)
        self.title = label(title, look="section")
        self.head = row(self.title, 1, *corner)
        self.body.addLayout(self.head)


class Segments(QFrame):
    """A few choices beside each other, one of them taken. `picked` is called with its value."""

    def __init__(
        self, choices: Sequence[tuple[str, str, str]], picked: Callable[[str], None]
    ) -> None:
        """choices: (value, title, tip)."""
        super().__init__()
        self.setProperty("look", "segments")
        box = QHBoxLayout(self)
        box.setContentsMargins(2, 2, 2, 2)
        box.setSpacing(2)
        self._buttons: dict[str, QPushButton] = {}
        for value, title, tip in choices:
            one = button(title, "segment", partial(picked, value))
            one.setCheckable(True)
            one.setToolTip(tip)
            one.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            box.addWidget(one)
            self._buttons[value] = one

    def show_value(self, value: str) -> None:
        """Mark the one that is taken."""
        for name, one in self._buttons.items():
            one.setChecked(name == value)


class Picker(QComboBox):
    """A drop-down list that ignores the wheel and gives the keyboard back after a choice."""

    def __init__(self, tip: str, picked: Callable[[object], None]) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setToolTip(tip)
        self.setAccessibleName(tip.split("\n")[0])
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(4)
        self.activated.connect(lambda index: picked(self.itemData(index)))

    def fill(self, entries: Sequence[tuple[object, str]], current: object) -> None:
        """entries: (value, title). Rebuilt only when they differ, so an open list stays open."""
        have = [(self.itemData(i), self.itemText(i)) for i in range(self.count())]
        if have != list(entries):
            self.clear()
            for value, title in entries:
                self.addItem(title, value)
        values = [value for value, _ in entries]
        self.setCurrentIndex(values.index(current) if current in values else -1)

    def showPopup(self) -> None:
        """The list is as wide as its longest entry, however narrow the picker is."""
        view = self.view()
        view.setMinimumWidth(min(WIDEST_LIST, view.sizeHintForColumn(0) + 4 * UNIT))
        super().showPopup()

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()  # scrolls the panel instead

    def paintEvent(self, event: QPaintEvent) -> None:
        """As Qt does it, but what does not fit ends in an ellipsis."""
        painter = QStylePainter(self)
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        control, part = QStyle.ComplexControl.CC_ComboBox, QStyle.SubControl.SC_ComboBoxEditField
        room = self.style().subControlRect(control, option, part, self).width() - 2
        if not option.currentIcon.isNull():
            room -= option.iconSize.width() + 4
        option.currentText = self.fontMetrics().elidedText(
            option.currentText, Qt.TextElideMode.ElideRight, room
        )
        painter.drawComplexControl(control, option)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)
        painter.end()


class Slider(QSlider):
    """A horizontal slider for what scrolls: the wheel is the panel's."""

    def __init__(self, name: str) -> None:
        """name: said to those who do not see it."""
        super().__init__(Qt.Orientation.Horizontal)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName(name)

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()


class Elided(QLabel):
    """One line that ends in an ellipsis where there is no room; the whole text is its tip."""

    def __init__(self, text: str = "", *, look: str = "", tone: str = "") -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)
        for name, value in (("look", look), ("tone", tone)):
            if value:
                self.setProperty(name, value)
        self.show_text(text)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def show_text(self, text: str) -> None:
        """Another line."""
        self.setText(text)
        self.setToolTip(text)

    def minimumSizeHint(self) -> QSize:
        return QSize(0, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(self.palette().windowText().color())
        side = Qt.TextElideMode.ElideRight
        text = self.fontMetrics().elidedText(self.text(), side, self.width())
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignVCenter, text)
        painter.end()


class Spinner(QWidget):
    """A turning arc that says: something is going on. Turns only while it is seen."""

    def __init__(self, size: int = 14) -> None:
        super().__init__()
        self.setFixedSize(QSize(size, size))
        self._angle = 0
        self._timer = QTimer(self)
        self._timer.setInterval(40)
        self._timer.timeout.connect(self._turn)

    def showEvent(self, event: QShowEvent) -> None:
        self._timer.start()
        super().showEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        self._timer.stop()
        super().hideEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect()).adjusted(1.5, 1.5, -1.5, -1.5)
        painter.setPen(QPen(QColor(theme.current().track), 2))
        painter.drawEllipse(area)
        pen = QPen(QColor(theme.current().accent), 2)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        painter.drawArc(area, -self._angle * 16, 100 * 16)
        painter.end()

    def _turn(self) -> None:
        self._angle = (self._angle + 18) % 360
        self.update()


class Dot(QWidget):
    """A small disc in one of the theme's colours."""

    def __init__(self, tone: str = "faint") -> None:
        super().__init__()
        self.setFixedSize(14, 14)
        self._tone = tone

    def set_tone(self, tone: str) -> None:
        """ "good", "warn", "bad" or "faint"."""
        self._tone = tone
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(getattr(theme.current(), self._tone)))
        painter.drawEllipse(QPointF(7, 7.5), 4, 4)
        painter.end()
