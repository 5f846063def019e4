"""The bar below the picture: timeline, buttons, speed, time and frame number."""

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QLabel,
    QLayout,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from segstudio.core.settings import SPEEDS
from segstudio.ui.correcting.marks import FrameTable
from segstudio.ui.icons import IconButton
from segstudio.ui.panels.parts import Picker, label, pad, row
from segstudio.ui.panels.timeline import Timeline, time_code
from segstudio.ui.player import Player
from segstudio.ui.theme import UNIT, tabular

TIME_WIDTHS = (160, 72)
"""Pixels of the time with the whole duration, and alone."""

FREE = 10_000
"""A part that may become wider than this has no width of its own."""


class FrameBox(QSpinBox):
    """The frame number; typing one and Enter goes there."""

    def __init__(self, player: Player) -> None:
        super().__init__()
        self._player = player
        self.setFont(tabular(self.font()))
        self.setAlignment(Qt.AlignmentFlag.AlignRight)
        pad(self)
        self.setKeyboardTracking(False)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setFixedWidth(72)
        self.setToolTip("Frame number, counted from 0 as on the command line (Ctrl+G)")
        self.setAccessibleName("Frame number")
        self.lineEdit().returnPressed.connect(self._go)

    def _go(self) -> None:
        self._player.seek(self.value())
        self.clearFocus()

    def show_index(self, index: int, last: int) -> None:
        """Follow the player, unless somebody is typing."""
        if not self.hasFocus():
            self.blockSignals(True)
            if self.maximum() != max(0, last):  # a range that is set lays the window out anew
                self.setRange(0, max(0, last))
            self.setValue(max(0, index))
            self.blockSignals(False)


class Transport(QFrame):
    """Listens to the player; keeps nothing."""

    def __init__(self, player: Player, frames: FrameTable) -> None:
        super().__init__()
        self._player = player
        self.setProperty("look", "bottom")
        self._timeline = Timeline(player, frames)
        self._play = IconButton("play", "Play or pause (Space)", tone="accent_text",
                                on="accent_text")  # fmt: skip
        self._play.setProperty("look", "play")
        self._play.clicked.connect(lambda _=False: player.toggle())
        self._buttons = [
            self._stepper("jump-previous", "10 frames back (Shift+A)", -10),
            self._stepper("step-previous", "Previous frame (A or ←)", -1),
            self._play,
            self._stepper("step-next", "Next frame (D or →)", 1),
            self._stepper("jump-next", "10 frames forward (Shift+D)", 10),
        ]
        self._loop = IconButton("loop", "Loop (Ctrl+L)")
        self._loop.setCheckable(True)
        self._loop.clicked.connect(lambda on=False: player.set_loop(loop=on))
        self._speed = Picker("Speed (Shift+, and Shift+.)", lambda v: player.set_speed(_number(v)))
        self._speed.setFixedWidth(76)
        self._time = _figures(TIME_WIDTHS[0])
        self._frame = FrameBox(player)
        self._of = _figures(64)
        self._word = label("Frame", tone="muted")
        self._has_total = True
        self._build()
        player.changed.connect(self.show_playing)
        player.source_changed.connect(self.show_playing)
        self.show_playing()

    def _stepper(self, drawing: str, tip: str, by: int) -> IconButton:
        result = IconButton(drawing, tip)
        result.setAutoRepeat(True)
        result.setAutoRepeatDelay(350)
        result.setAutoRepeatInterval(60)
        result.clicked.connect(lambda _=False: self._player.step(by))
        return result

    def _build(self) -> None:
        box = QVBoxLayout(self)
        box.setContentsMargins(UNIT, 6, UNIT, UNIT)
        box.setSpacing(4)
        box.addWidget(self._timeline)
        line = QGridLayout()
        line.setContentsMargins(UNIT, 0, UNIT, 0)
        line.setHorizontalSpacing(UNIT)
        middle = QWidget()
        middle.setLayout(row(*self._buttons, spacing=4))
        self._right = (self._loop, self._speed, self._word, self._frame, self._of)
        right = QWidget()
        right.setLayout(row(1, *self._right))
        left = QWidget()
        left.setLayout(row(self._time, 1))
        self._middle, self._groups = middle, (left, middle, right)
        for column, part in enumerate((left, middle, right)):
            line.addWidget(part, 0, column)
        line.setColumnStretch(0, 1)
        line.setColumnStretch(2, 1)
        box.addLayout(line)
        box.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)

    # --- where there is little room

    def minimumSizeHint(self) -> QSize:
        return QSize(0, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """First the whole duration gives way, then the speed and what else people can do without.

        Playing, stepping and the frame's number stay, from 360 px on.
        """
        going = (self._speed, self._word, self._of, self._loop, self._time)
        level = next((n for n in range(len(going) + 1) if self._needed(going, n) <= self.width()),
                     len(going) + 1)  # fmt: skip
        self._has_total = level == 0
        self._time.setFixedWidth(TIME_WIDTHS[not self._has_total])
        for place, part in enumerate(going, 2):
            part.setVisible(level < place)
        self._time.setText(self._time_text())
        for part in (*self._groups, self):  # at once: else they are seen over each other
            layout = part.layout()
            if layout is not None:
                layout.activate()

    def _needed(self, going: tuple[QWidget, ...], level: int) -> int:
        """Pixels across with the total time and then the first of `going` left out."""
        gone = going[: max(0, level - 1)]
        right = [part.maximumWidth() if part.maximumWidth() < FREE else part.sizeHint().width()
                 for part in self._right if part not in gone]  # fmt: skip
        left = [] if self._time in gone else [TIME_WIDTHS[level > 0]]
        total = sum(left) + self._middle.sizeHint().width() + sum(right) + 4 * UNIT
        return total + UNIT * (len(right) + 2)

    @Slot()
    def show_playing(self) -> None:
        """Follow the player."""
        player = self._player
        playing, last = player.playing, player.last_index
        can = player.can_play
        for one in (*self._buttons, self._frame, self._loop, self._speed):
            one.setEnabled(can)
        self._play.set_drawing("pause" if playing.is_playing else "play")
        self._loop.setChecked(playing.is_looping)
        self._speed.fill([(s, f"{s:g}×") for s in SPEEDS], playing.speed)
        self._frame.show_index(playing.index, last)
        known = player.info is None or player.info.is_complete
        self._of.setText("" if last < 0 else f"/ {last}{'' if known else ' …'}")
        width = self._of.fontMetrics().horizontalAdvance(self._of.text()) + 2
        if width != self._of.width():
            self._of.setFixedWidth(width)
            self._fit()
        self._time.setText(self._time_text())

    def _time_text(self) -> str:
        player = self._player
        info = player.info
        if info is None or info.kind != "video":
            return ""
        now = player.time_us(max(0, player.playing.index))
        if not self._has_total:
            return time_code(now)
        total = "" if info.duration_us is None else f"  /  {time_code(info.duration_us)}"
        return f"{time_code(now)}{total}"


def _figures(width: int) -> QLabel:
    """A label of fixed size with figures of one width: nothing moves when numbers change.

    Nor is the window laid out anew with every frame, as it is for a label whose height is free.
    """
    result = label(tone="muted")
    result.setFont(tabular(result.font()))
    result.ensurePolished()
    result.setFixedSize(width, result.sizeHint().height())
    return result


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 1.0
