"""How unsure the model was of each frame so far, above the timeline and in line with it."""

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

TOPS = (0.02, 0.03, 0.05, 0.08, 0.12, 0.2, 0.3, 0.5, 0.7, 1.0)
"""What the upper line may stand for: few values, so that it seldom jumps."""

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
        self._top = TOPS[0]
        self._picture = QImage()
        self._curve_of: tuple[Line | None, int, float, str] = (None, 0, 0.0, "")
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
            self._top = _top(self._values)
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
            text = f"{TITLES[kind]}, up to {100 * self._top:.0f} %"
            self.say(painter, text, in_middle=False, at_top=True)
        else:
            self.say(painter, EMPTY, in_middle=True)
        painter.end()

    def _curve(self) -> QImage:
        """Made anew only when figures, size or theme differ."""
        area, ratio, accent = self.area(), self.devicePixelRatioF(), theme.current().accent
        now = (self._values, round(area.width() * ratio), ratio, accent)
        if now[1:] != self._curve_of[1:] or now[0] is not self._curve_of[0]:
            near = max(NEAR * len(self._values), PASSED_OVER) + 1
            shares = heights(self._values, now[1], near) / np.float32(self._top)
            tone, high = QColor(accent), round(area.height() * ratio)
            made = filled(shares, high, (tone.red(), tone.green(), tone.blue()), ratio)
            self._picture, self._curve_of = image(made, ratio), now
        return self._picture

    def _point(self, index: int) -> QPointF:
        area = self.area()
        share = min(1.0, float(self._values[index]) / self._top)
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


def _top(values: Line) -> float:
    """What the upper line stands for: a little more than the greatest value."""
    most = float(np.nanmax(values, initial=0.0))
    return next((top for top in TOPS if top >= 1.02 * most), TOPS[-1])
