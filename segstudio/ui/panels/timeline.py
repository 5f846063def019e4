"""The timeline: where we are, how far each frame's labels are, and a place to scrub."""

import re

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, Slot
from PySide6.QtGui import (
    QColor,
    QEnterEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from segstudio.store.project_rows import FrameSummary
from segstudio.ui import theme
from segstudio.ui.correcting.marks import FrameTable
from segstudio.ui.panels import timeline_strips
from segstudio.ui.player import Player
from segstudio.ui.words import share_text

MARGIN = 9
"""Room at both ends, so that the handle is never cut."""

MIDDLE = 15
"""Where the track runs: below the flags and bookmarks, above the strips."""


def time_code(time_us: int | None) -> str:
    """mm:ss.mmm, or h:mm:ss.mmm from an hour on; dashes for no time."""
    if time_us is None:
        return "--:--.---"
    ms = round(time_us / 1000)
    seconds, ms = divmod(ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    head = f"{hours}:{minutes:02d}" if hours else f"{minutes:02d}"
    return f"{head}:{seconds:02d}.{ms:03d}"


def parse_time(text: str) -> int | None:
    """Microseconds of "83.5", "1:23.5" or "1:02:03"; None for what is no time."""
    found = re.fullmatch(r"(?:(?:(\d+):)?(\d+):)?(\d+)(?:[.,](\d{1,6}))?", text.strip())
    if found is None:
        return None
    hours, minutes, seconds = (int(part or 0) for part in found.group(1, 2, 3))
    parts = int((found[4] or "").ljust(6, "0"))
    return ((hours * 60 + minutes) * 60 + seconds) * 1_000_000 + parts


def about_frame(found: FrameSummary) -> str:
    """ "In progress · 34 % by hand · bookmarked", and the note of its flag on a line below."""
    parts = [str(found.state).capitalize()]
    if found.human_share:
        parts.append(f"{share_text(found.human_share)} by hand")
    if found.confidence is not None:
        parts.append(f"{100 * found.confidence:.0f} % followed")
    if found.is_bookmarked:
        parts.append("bookmarked")
    text = " · ".join(parts)
    if found.flag is None:
        return text
    return f"{text}\nFlagged: {found.flag}" if found.flag else f"{text} · flagged"


class Timeline(QWidget):
    """A slider over all frames; dragging it seeks, and pauses while it is held.

    The position belongs to the player. Only while the mouse is down does the handle follow the
    mouse instead, because frames arrive later than the hand moves.
    """

    def __init__(self, player: Player, frames: FrameTable) -> None:
        super().__init__()
        self._player = player
        self._frames = frames
        self._strips = QImage()
        self._strips_of: object = None
        self._held: int | None = None
        self._was_playing = False
        self._hover_x: float | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Timeline")
        player.changed.connect(self.update)
        player.source_changed.connect(self._follow_source)
        frames.changed.connect(self._follow_frames)
        self._follow_source()

    def sizeHint(self) -> QSize:
        return QSize(320, timeline_strips.HEIGHT)

    @Slot()
    def _follow_source(self) -> None:
        self.setEnabled(self._player.can_play)
        self.setCursor(
            Qt.CursorShape.PointingHandCursor
            if self._player.can_play
            else Qt.CursorShape.ArrowCursor
        )
        self.update()

    @Slot()
    def _follow_frames(self) -> None:
        self._strips_of = None
        self.update()

    # --- where is what

    def _x_of(self, index: int) -> float:
        """The middle of a frame on the track."""
        last = max(1, self._player.last_index)
        return MARGIN + (self.width() - 2 * MARGIN) * min(1.0, max(0, index) / last)

    def _index_at(self, x: float) -> int:
        last = max(0, self._player.last_index)
        share = (x - MARGIN) / max(1, self.width() - 2 * MARGIN)
        return round(min(1.0, max(0.0, share)) * last)

    # --- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        colors, player = theme.current(), self._player
        is_hot = self.isEnabled() and (self._hover_x is not None or self._held is not None)
        middle, thick = float(MIDDLE), 6.0 if is_hot else 4.0
        track = QRectF(MARGIN, middle - thick / 2, self.width() - 2 * MARGIN, thick)
        self._bar(painter, track, colors.track)
        if not player.can_play:
            painter.end()
            return
        info = player.info
        if info is not None and not info.is_complete:
            part = QRectF(track)
            part.setWidth(track.width() * min(1.0, max(0.0, info.progress)))
            self._bar(painter, part, colors.line_strong)
        ready = QRectF(track)
        ready.setRight(self._x_of(player.ready_until()))
        self._bar(painter, ready, colors.faint)
        index = self._held if self._held is not None else player.playing.index
        x = self._x_of(index)
        painter.drawImage(QPointF(MARGIN, 0), self._picture())
        played = QRectF(track)
        played.setRight(max(track.left() + thick, x))
        self._bar(painter, played, colors.accent)
        if is_hot and self._hover_x is not None and self._held is None:
            painter.setBrush(QColor(colors.muted))
            painter.drawRect(QRectF(round(self._x_of(self._index_at(self._hover_x))), middle - 6,
                                    1.5, 12))  # fmt: skip
        radius = 7.0 if is_hot else 6.0
        painter.setBrush(QColor(colors.window))
        painter.drawEllipse(QPointF(x, middle), radius + 2, radius + 2)
        painter.setBrush(QColor(colors.text))
        painter.drawEllipse(QPointF(x, middle), radius, radius)
        if self.hasFocus():
            painter.setBrush(QColor(colors.accent))
            painter.drawEllipse(QPointF(x, middle), 3, 3)
        painter.end()

    def _picture(self) -> QImage:
        """The strips; made anew only when frames, size or theme differ."""
        count, ratio, colors = (
            self._player.last_index + 1,
            self.devicePixelRatioF(),
            theme.current(),
        )
        now = (count, self.width(), ratio, colors.name)
        if now != self._strips_of:
            wide = max(1, self.width() - 2 * MARGIN)
            made = timeline_strips.strips(self._frames.columns(count), wide, colors, ratio)
            self._strips, self._strips_of = timeline_strips.image(made, ratio), now
        return self._strips

    @staticmethod
    def _bar(painter: QPainter, area: QRectF, color: str) -> None:
        painter.setBrush(QColor(color))
        painter.drawRoundedRect(area, area.height() / 2, area.height() / 2)

    # --- the mouse

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.isEnabled():
            self._was_playing = self._player.playing.is_playing
            if self._was_playing:
                self._player.pause()
            self._scrub(event.position().x())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._hover_x = event.position().x()
        if self._held is not None:
            self._scrub(event.position().x())
        elif self.isEnabled():
            self._tell(event.globalPosition().toPoint(), event.position().x())
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._held is None or event.button() != Qt.MouseButton.LeftButton:
            return
        self._held = None
        if self._was_playing:
            self._player.play()
        self.update()

    def enterEvent(self, event: QEnterEvent) -> None:
        self._hover_x = event.position().x()
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        self._hover_x = None
        QToolTip.hideText()
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        pages = {Qt.Key.Key_PageUp: 0.1, Qt.Key.Key_PageDown: -0.1}
        if event.key() in pages:
            step = round(pages[Qt.Key(event.key())] * max(10, self._player.last_index))
            self._player.step(step)
        else:
            super().keyPressEvent(event)

    def _scrub(self, x: float) -> None:
        index = self._index_at(x)
        if index != self._held:
            self._held = index
            self._player.seek(index)
        self.update()

    def _tell(self, at: QPoint, x: float) -> None:
        text = self._text_of(self._index_at(x))
        # Qt adds 16 px; a tip under the cursor would take the hover away and vanish.
        lines = 2 + text.count("\n")
        top = self.mapToGlobal(QPoint(0, 0)).y() - 16 - (lines + 1) * self.fontMetrics().height()
        QToolTip.showText(QPoint(at.x() - 12, top), text, self)

    def _text_of(self, index: int) -> str:
        time = self._player.time_us(index)
        text = f"Frame {index}" if time is None else f"{time_code(time)}  ·  frame {index}"
        found = self._frames.summary(index)
        return text if found is None else f"{text}\n{about_frame(found)}"
