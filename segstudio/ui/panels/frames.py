"""The frame list at the left: which frames have labels, how far they are; a click goes there."""

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QSize, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QFrame, QVBoxLayout

from segstudio.ui.correcting.marks import DONE, DRAFTED, STARTED, STATES, Columns
from segstudio.ui.correcting.thumbnails import Thumbnails
from segstudio.ui.panels.frames_list import FrameList, FrameModel, FrameRow
from segstudio.ui.panels.parts import Picker, label, row, rule
from segstudio.ui.panels.timeline import time_code
from segstudio.ui.session import Session
from segstudio.ui.theme import UNIT
from segstudio.ui.words import counted

WIDTH = 244

FILTERS = (
    ("all", "All labelled"),
    ("to do", "To do"),
    ("drafted", "Drafted"),
    ("in progress", "In progress"),
    ("confirmed", "Confirmed"),
    ("flagged", "Flagged"),
    ("bookmarked", "Bookmarked"),
)


class FramesPanel(QFrame):
    """Listens to the session's table of frames; works only while it is seen."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._filter = "all"
        self.setProperty("look", "tools")
        self.setFixedWidth(WIDTH)
        self.setAccessibleName("Frame list")
        self._pictures = Thumbnails(session, session.editor, session.frames, self)
        self._model = FrameModel(self._row_of, self._pictures.of)
        self._list = FrameList(self._model, self._go)
        self._media = Picker("Video or folder of the project", self._pick_media)
        self._which = Picker("Which frames are listed", self._pick)
        self._which.setMinimumContentsLength(12)
        self._counts = label(look="small", tone="muted")
        self._counts.setWordWrap(True)
        self._rest = label(look="small", tone="faint")
        head = QVBoxLayout()
        head.setContentsMargins(UNIT + 4, UNIT + 4, UNIT + 4, UNIT)
        head.setSpacing(UNIT)
        head.addWidget(self._media)
        head.addLayout(row(label("Frames", look="section"), 1, self._which))
        head.addWidget(self._counts)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 1, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(rule())
        column.addWidget(self._list, 1)
        self._rest.setContentsMargins(UNIT + 4, 6, UNIT + 4, 6)
        column.addWidget(self._rest)
        self._pictures.arrived.connect(self._model.renew)
        session.frames.changed.connect(self.show_frames)
        session.player.source_changed.connect(self.show_frames)
        session.player.changed.connect(self.show_here)
        session.shown_changed.connect(self._keep_shown)
        session.editor.projects.changed.connect(self.show_frames)

    def sizeHint(self) -> QSize:
        return QSize(WIDTH, 400)

    # --- what is listed

    @property
    def _is_video(self) -> bool:
        info = self._session.info
        return info is not None and info.kind == "video"

    @Slot()
    def show_frames(self) -> None:
        """Follow the table."""
        if not self.isVisible():
            return
        session = self._session
        columns = session.frames.columns(session.player.last_index + 1)
        is_new = self._model.show_frames(_wanted(columns, self._filter, is_video=self._is_video))
        entries = [f for f in FILTERS if not (self._is_video and f[0] == "to do")]
        if not self._is_video:
            entries[0] = ("all", "All pictures")
        self._which.fill(entries, self._filter)
        self._counts.setText(_counts(columns, is_video=self._is_video))
        without = int(np.count_nonzero(columns.code == 0))
        self._rest.setText(f"{counted(without, 'frame')} without labels")
        self._rest.setVisible(self._is_video and self._filter == "all" and bool(len(columns)))
        self._show_media()
        self._list.viewport().update()
        self._list.mark(session.player.playing.index, follow=is_new)

    def _show_media(self) -> None:
        projects = self._session.editor.projects
        media = () if projects.project is None else projects.project.media()
        self._media.setVisible(len(media) > 1)
        if len(media) > 1:
            now = None if projects.media is None else projects.media.id
            self._media.fill([(m.id, m.title) for m in media], now)

    @Slot()
    def show_here(self) -> None:
        """Another frame is on the screen."""
        if self.isVisible():
            playing = self._session.player.playing
            self._list.mark(playing.index, follow=not playing.is_playing)

    def _row_of(self, index: int) -> FrameRow:
        session = self._session
        columns = session.frames.columns(index + 1)
        found = session.frames.summary(index) if columns.flagged[index] else None
        return FrameRow(
            index, self._title_of(index), STATES[columns.code[index]],
            float(columns.share[index]), None if found is None else found.flag,
            bool(columns.bookmarked[index]),
        )  # fmt: skip

    def _title_of(self, index: int) -> str:
        session = self._session
        time = session.player.time_us(index)
        if time is not None:
            return f"{index} · {time_code(time)}"
        names = () if session.info is None else session.info.names
        return names[index] if index < len(names) else f"Frame {index}"

    # --- what people choose

    def _go(self, index: int) -> None:
        self._session.player.pause()
        self._session.player.seek(index)

    def _pick(self, value: object) -> None:
        self._filter = str(value)
        self.show_frames()

    def _pick_media(self, value: object) -> None:
        projects = self._session.editor.projects
        media = () if projects.project is None else projects.project.media()
        now = None if projects.media is None else projects.media.id
        chosen = next((m for m in media if m.id == value and m.id != now), None)
        if chosen is not None:
            self._session.show_media(chosen)

    # --- Qt

    @Slot()
    def _keep_shown(self) -> None:
        if self.isVisible():
            self._pictures.keep_shown()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.show_frames()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange:
            self.update()
        super().changeEvent(event)


def _wanted(columns: Columns, which: str, *, is_video: bool) -> NDArray[np.int64]:
    """The frames that a filter leaves; of a video only those that somebody touched."""
    touched = (columns.code > 0) | columns.flagged | columns.bookmarked
    everything = touched if is_video else np.ones(len(columns), bool)
    by_name = {
        "to do": columns.code == 0,
        "drafted": columns.code == DRAFTED,
        "in progress": columns.code == STARTED,
        "confirmed": columns.code == DONE,
        "flagged": columns.flagged,
        "bookmarked": columns.bookmarked,
    }
    return np.flatnonzero(by_name.get(which, everything) & everything).astype(np.int64)


def _counts(columns: Columns, *, is_video: bool) -> str:
    """ "12 confirmed · 3 drafted"."""
    per_code = np.bincount(columns.code, minlength=len(STATES))
    codes = [DONE, STARTED, DRAFTED] + ([] if is_video else [0])
    parts = [f"{per_code[code]:,} {STATES[code]}" for code in codes if per_code[code]]
    flagged = int(np.count_nonzero(columns.flagged))
    if flagged:
        parts.append(f"{flagged:,} flagged")
    return " · ".join(parts) or "Nothing is labelled yet."
