"""How unsure the model was of each frame so far, above the timeline and in line with it."""

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, Qt, Slot
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF

from segstudio.core.look import UnsureKind
from segstudio.ui import theme
from segstudio.ui.panels.clip_strip import NEAR, ClipStrip, Line
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

TOPS = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
"""What the upper line may stand for: few values, so that it seldom jumps."""

DOT = 2.5
"""Radius of a peak's dot, px."""

EMPTY = "How unsure the model is of each frame appears here as frames go by."


class UnsureStrip(ClipStrip):
    """There as long as uncertainty is looked at on a clip."""

    def __init__(self, session: Session) -> None:
        super().__init__(session, "Uncertainty along the timeline", HEIGHT)
        self._values: Line = np.zeros(0, np.float32)
        self._peaks: NDArray[np.int64] = np.zeros(0, np.int64)
        self._top = TOPS[0]
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
        for run in self._runs():
            self._draw(painter, run)
        painter.setPen(QPen(QColor(theme.current().window), 1))
        painter.setBrush(QColor(theme.current().warn))
        for index in self._peaks:
            painter.drawEllipse(self._point(int(index)), DOT, DOT)
        has_some = bool(len(self.known()))
        kind = self._session.inside.record.kind
        if has_some and kind is not None:
            self.say(painter, f"{TITLES[kind]}, up to {100 * self._top:.0f} %", in_middle=False)
        else:
            self.say(painter, EMPTY, in_middle=True)
        painter.end()

    def _draw(self, painter: QPainter, run: list[QPointF]) -> None:
        """Frames near each other, filled down to the ground; one alone is a line."""
        accent, bottom = QColor(theme.current().accent), self.area().bottom()
        if len(run) == 1:
            painter.setPen(QPen(accent, 1.2))
            painter.drawLine(QPointF(run[0].x(), bottom), run[0])
            return
        ends = [QPointF(run[-1].x(), bottom), QPointF(run[0].x(), bottom)]
        fill = QColor(accent)
        fill.setAlphaF(0.28)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(fill)
        painter.drawPolygon(QPolygonF([*run, *ends]))
        painter.setPen(QPen(accent, 1.2))
        painter.drawPolyline(QPolygonF(run))

    def _runs(self) -> list[list[QPointF]]:
        """Points to join, from left to right: the worst frame of those that share a pixel."""
        shown = self._worst()
        if not len(shown):
            return []
        far = NEAR * len(self._values) + 1
        parts = np.split(shown, np.flatnonzero(np.diff(shown) > far) + 1)
        return [[self._point(int(index)) for index in part] for part in parts]

    def _worst(self) -> NDArray[np.int64]:
        known = self.known()
        most = max(2, int(self.area().width()))
        if len(self._values) <= most:
            return known
        columns = known * most // len(self._values)
        starts = np.flatnonzero(np.diff(columns, prepend=-1))
        # Sorted by column, then by value: the last of each column is its worst.
        order = np.lexsort((self._values[known], columns))
        return np.asarray(known[order[np.append(starts[1:], len(known)) - 1]], np.int64)

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
