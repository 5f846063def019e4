"""Each model's own mIoU frame by frame, above the timeline and in line with it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt, Slot
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF

from segstudio.ui import theme
from segstudio.ui.comparing.panes import COLORS
from segstudio.ui.panels.clip_strip import NEAR, ClipStrip, Line
from segstudio.ui.session import Session
from segstudio.ui.theme import UNIT

HEIGHT = 6 * UNIT

RADIUS = 2.2
MOST_DOTS = 200
LETTER = 12
"""Room of a letter, px."""

EMPTY = "Each model's mIoU frame by frame appears here once a confirmed frame is measured."


@dataclass(frozen=True, slots=True, eq=False)
class Figures:
    """Of one model, float32 (n,), NaN where there is none: mIoU of frames that count for it, and
    its agreement with labels that nobody confirmed."""

    miou: Line
    agreement: Line

    @property
    def is_empty(self) -> bool:
        """Nothing to draw."""
        return bool(np.isnan(self.miou).all() and np.isnan(self.agreement).all())

    @property
    def known(self) -> NDArray[np.int64]:
        """Frames that have either."""
        return np.flatnonzero(~(np.isnan(self.miou) & np.isnan(self.agreement)))

    def at(self, index: int) -> float:
        """0..1: whichever there is."""
        miou = float(self.miou[index])
        return miou if miou == miou else float(self.agreement[index])


class ScoreCurve(ClipStrip):
    """There as long as models are compared on a clip. A click goes to the frame."""

    def __init__(self, session: Session) -> None:
        super().__init__(session, "mIoU along the timeline", HEIGHT)
        self._lines: dict[str, Figures] = {}
        session.scores.changed.connect(self.follow)
        session.player.source_changed.connect(self.follow)
        session.comparison.changed.connect(self.follow)
        self.follow()

    @Slot()
    def follow(self) -> None:
        """Other figures."""
        session = self._session
        media, count = session.editor.projects.media, session.player.last_index + 1
        is_wanted = session.comparison.is_on and session.player.can_play
        self._lines = {}
        if media is not None and is_wanted:
            for letter in session.comparison.letters:
                scores = session.scores
                found = Figures(scores.curve(letter, media.id, count),
                                scores.agreements(letter, media.id, count))  # fmt: skip
                if not found.is_empty:
                    self._lines[letter] = found
        self.setVisible(is_wanted)
        self.update()

    # --- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self.paint_ground(painter, (0.0, 0.5, 1.0))
        for place, (letter, found) in reversed(list(enumerate(self._lines.items()))):
            color = QColor(COLORS[letter])
            self._draw_miou(painter, found.miou, color, place)
            self._draw_agreement(painter, found.agreement, color, place)
        font = painter.font()
        font.setPixelSize(11)
        painter.setFont(font)
        for letter, box in self._letter_boxes().items():
            painter.fillRect(box, QColor(theme.current().window))
            painter.setPen(QColor(theme.current().text))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, letter)
            painter.fillRect(
                QRectF(box.left() + 2, box.bottom() - 1, LETTER - 4, 2), QColor(COLORS[letter])
            )
        self.say(painter, "mIoU" if self._lines else EMPTY, in_middle=not self._lines)
        painter.end()

    def _draw_miou(self, painter: QPainter, line: Line, color: QColor, place: int) -> None:
        shown = _thinned(line, max(2, int(self.area().width())))
        points = [self._point(int(i), float(line[i]), place) for i in shown]
        far = NEAR * len(line) + 1
        painter.setPen(QPen(color, 1.5))
        start = 0
        for end in range(1, len(points) + 1):
            if end == len(points) or shown[end] - shown[end - 1] > far:
                painter.drawPolyline(QPolygonF(points[start:end]))
                start = end
        if len(points) <= MOST_DOTS:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(color)
            for point in points:
                painter.drawEllipse(point, RADIUS, RADIUS)

    def _draw_agreement(self, painter: QPainter, line: Line, color: QColor, place: int) -> None:
        """Hollow and never joined: nobody confirmed what these are held against."""
        painter.setPen(QPen(color, 1.2))
        painter.setBrush(QColor(theme.current().window))
        for index in _thinned(line, MOST_DOTS):
            painter.drawEllipse(self._point(int(index), float(line[index]), place), RADIUS, RADIUS)

    def _letter_boxes(self) -> dict[str, QRectF]:
        """Where each line's letter stands: behind its last point, beside those before it."""
        boxes: dict[str, QRectF] = {}
        for place, (letter, found) in enumerate(self._lines.items()):
            scored = np.flatnonzero(~np.isnan(found.miou))
            last = int(scored[-1] if len(scored) else found.known[-1])
            point = self._point(last, found.at(last), place)
            box = QRectF(point.x() + 5, point.y() - 7, LETTER, 14)
            box.moveTop(min(max(0.0, box.top()), self.height() - box.height()))
            while any(box.intersects(other) for other in boxes.values()):
                box.translate(LETTER, 0)
            boxes[letter] = box
        over = max((box.right() for box in boxes.values()), default=0.0) - self.width()
        if over > 0:  # the clip's last frames: to the left in their order, off the dots
            for box in boxes.values():
                box.translate(-over, 10 if box.center().y() < self.height() / 2 else -10)
        return boxes

    # --- places

    def _point(self, index: int, value: float, place: int) -> QPointF:
        """place: of the model in their order; one pixel each, or equal ones would hide."""
        area = self.area()
        return QPointF(self.x_of(index), area.bottom() - value * area.height() + place)

    # --- what is known

    def known(self) -> NDArray[np.int64]:
        """Frames that any of the models has a figure for."""
        known = [found.known for found in self._lines.values()]
        return np.unique(np.concatenate(known)) if known else np.empty(0, np.int64)

    def tip(self, index: int) -> str:
        """What is known of a frame, a line for each model."""
        parts = [f"Frame {index}"]
        for letter, found in self._lines.items():
            miou, agreed = float(found.miou[index]), float(found.agreement[index])
            if miou == miou:
                parts.append(f"{letter}  its own mIoU {100 * miou:.1f} %, void ignored")
            elif agreed == agreed:
                parts.append(f"{letter}  agreement with draft {100 * agreed:.1f} %, no score")
        return "\n".join(parts)


def _thinned(line: Line, most: int) -> NDArray[np.int64]:
    """Frames to draw: all that have a figure, or the worst of those that share a place."""
    known = np.flatnonzero(~np.isnan(line))
    if len(known) <= most:
        return known
    groups = np.array_split(known, most)
    return np.array([group[np.argmin(line[group])] for group in groups], np.int64)
