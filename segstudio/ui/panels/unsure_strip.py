"""How unsure the model was of each frame so far, above the timeline and in line with it."""

import math

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, Slot
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPen

from segstudio.core.look import UnsureKind
from segstudio.ui import theme
from segstudio.ui.panels.clip_strip import NEAR, ClipStrip, Line
from segstudio.ui.panels.filled_curve import filled, heights
from segstudio.ui.panels.timeline_strips import image
from segstudio.ui.session import Session
from segstudio.ui.theme import UNIT

HEIGHT = 6 * UNIT

TITLES: dict[UnsureKind, str] = {
    "entropy": "entropy",
    "margin": "margin",
    "probability": "probability",
    "flip": "mirrored",
    "flicker": "flicker",
}

STEPS = (0.01, 0.02, 0.05, 0.1, 0.2)
"""What both lines stand for is a multiple of one of these, so that they seldom jump."""

MOST_STEPS = 5
"""Between the values that are known; the lines may lie one more apart."""

LEAST_RANGE = 0.02
"""Of an even clip: its noise is not to fill the strip."""

PASSED_OVER = 30
"""Frames that a slow model may pass over before the curve has a gap."""

DOT = 3.0
"""Radius of a peak's dot, px, with its rim."""

EMPTY = "How unsure the model is of each frame appears here as frames go by."


class UnsureStrip(ClipStrip):
    """There as long as uncertainty is looked at on a clip."""

    def __init__(self, session: Session) -> None:
        super().__init__(session, "Uncertainty along the timeline", HEIGHT)
        self._values: Line = np.zeros(0, np.float32)
        self._peaks: NDArray[np.int64] = np.zeros(0, np.int64)
        self._ends = (0.0, LEAST_RANGE)
        self._picture = QImage()
        self._curve_of: tuple[Line | None, object] = (None, None)
        inside = session.inside
        for signal in (inside.changed, inside.record.changed, session.player.source_changed):
            signal.connect(self.follow)
        self.follow()

    @Slot()
    def follow(self) -> None:
        """Other figures."""
        inside, player = self._session.inside, self._session.player
        is_wanted = inside.record.kind is not None and player.can_play
        if is_wanted:
            self._values = inside.record.values(inside.letter, player.last_index + 1)
            found = inside.record.peaks()
            self._peaks = found[~np.isnan(self._values[found])]
            self._ends = ends(self._values)
            self.update()
        self.setVisible(is_wanted)

    # --- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font = theme.tabular(painter.font())
        font.setPixelSize(11)
        painter.setFont(font)
        self.paint_ground(painter, (0.0, 1.0))
        painter.drawImage(self.area().topLeft(), self._curve())
        painter.setPen(QPen(QColor(theme.current().window), 1))
        painter.setBrush(QColor(theme.current().warn))
        for index in self._peaks:
            painter.drawEllipse(self._point(int(index)), DOT, DOT)
        has_some = bool(len(self.known()))
        kind = self._session.inside.record.kind
        if has_some and kind is not None:
            low, high = self._ends
            text = f"{TITLES[kind]}, {100 * low:.0f}–{100 * high:.0f} %"
            self.say(painter, text, in_middle=False, at_top=True)
        else:
            self.say(painter, EMPTY, in_middle=True)
        painter.end()

    def _curve(self) -> QImage:
        """Made anew only when figures, size or theme differ."""
        area, ratio, accent = self.area(), self.devicePixelRatioF(), theme.current().accent
        wide, high = round(area.width() * ratio), round(area.height() * ratio)
        how = (wide, high, ratio, accent)
        if how != self._curve_of[1] or self._values is not self._curve_of[0]:
            near = max(NEAR * len(self._values), PASSED_OVER) + 1
            shares = self._shares(heights(self._values, wide, near))
            tone = QColor(accent)
            made = filled(shares, high, (tone.red(), tone.green(), tone.blue()), ratio)
            self._picture, self._curve_of = image(made, ratio), (self._values, how)
        return self._picture

    def _shares(self, values: Line) -> Line:
        """How high values lie between the lines, 0..1 where they are between them."""
        low, high = self._ends
        return (values - np.float32(low)) / np.float32(high - low)

    def _point(self, index: int) -> QPointF:
        area = self.area()
        share = float(self._shares(self._values[index : index + 1]).clip(0, 1)[0])
        return QPointF(self.x_of(index), area.bottom() - share * area.height())

    # --- what is known

    def known(self) -> NDArray[np.int64]:
        """Frames that went by while the model was looked at."""
        return np.flatnonzero(~np.isnan(self._values))

    def tip(self, index: int) -> str:
        """How unsure the model was of a frame."""
        kind = self._session.inside.record.kind
        measure = "" if kind is None else f" ({TITLES[kind]})"
        text = f"Frame {index} · {100 * self._values[index]:.1f} % unsure{measure}"
        return f"{text}\nMore than the frames around it" if index in self._peaks else text


def ends(values: Line) -> tuple[float, float]:
    """What the lower and the upper line stand for, 0..1: round figures around all values (n,).

    NaN is no value.
    """
    known = values[~np.isnan(values)]
    if not len(known):
        return 0.0, LEAST_RANGE
    least, most = float(known.min()), float(known.max())
    room = 0.02 * (most - least)  # the curve does not lie on a line
    step = next((s for s in STEPS if most - least <= MOST_STEPS * s), STEPS[-1])
    low = max(0.0, step * math.floor((least - room) / step + 1e-6))
    high = min(1.0, step * math.ceil((most + room) / step - 1e-6))
    if high - low < LEAST_RANGE:
        low = max(0.0, min(low, (least + most - LEAST_RANGE) / 2))
        low = round(min(low, 1 - LEAST_RANGE), 2)
        high = low + LEAST_RANGE
    return low, high
