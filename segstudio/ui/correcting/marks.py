"""FrameTable: the state of every frame of the medium on the screen, as columns; flags, bookmarks.

A hundred thousand frames are filtered, counted and painted as NumPy columns; summaries are made
only of rows that somebody looks at. Part of the session, UI thread only.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal, Slot

from segstudio.core.origins import CONFIRMED, MODEL, PAINTED, PROPAGATED, FrameState
from segstudio.ui.bridge.background import Background, Job
from segstudio.ui.correcting.editor import Editor

if TYPE_CHECKING:
    from segstudio.store.project import FrameKey, FrameSummary

STATES = (FrameState.TODO, FrameState.CONFIRMED, FrameState.IN_PROGRESS, FrameState.DRAFTED)
"""By code. Of frames that share a pixel the largest code is painted: what is left to do."""

DONE = STATES.index(FrameState.CONFIRMED)
STARTED = STATES.index(FrameState.IN_PROGRESS)
DRAFTED = STATES.index(FrameState.DRAFTED)


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Frame by frame, (n,): code uint8 into STATES, share float32 0..1 painted by humans,
    confidence float32 0..1 or NaN, flagged and bookmarked bool."""

    code: NDArray[np.uint8]
    share: NDArray[np.float32]
    confidence: NDArray[np.float32]
    flagged: NDArray[np.bool_]
    bookmarked: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.code)

    @staticmethod
    def blank(count: int) -> "Columns":
        """Frames that nobody touched."""
        return Columns(
            np.zeros(count, np.uint8), np.zeros(count, np.float32),
            np.full(count, np.nan, np.float32), np.zeros(count, bool), np.zeros(count, bool),
        )  # fmt: skip

    def grown(self, count: int) -> "Columns":
        """The same with at least `count` frames."""
        if count <= len(self):
            return self
        more = Columns.blank(max(count, 2 * len(self)))
        more.put(np.arange(len(self)), self)
        return more

    def put(self, at: NDArray[np.int64], rows: "Columns") -> None:
        """Replace the frames `at` by these rows."""
        self.code[at], self.share[at] = rows.code, rows.share
        self.confidence[at] = rows.confidence
        self.flagged[at], self.bookmarked[at] = rows.flagged, rows.bookmarked


class FrameTable(QObject):
    """What the timeline, the list of frames and the commands between them know of all frames.

    Signals:
        changed(object): frozenset of the frames' numbers that are new; empty: all of them.
    """

    changed = Signal(object)

    def __init__(self, editor: Editor, background: Background, parent: QObject) -> None:
        super().__init__(parent)
        self._editor = editor
        self._background = background
        self._columns = Columns.blank(0)
        self._of: tuple[object, int] | None = None  # project and medium
        self._job: Job | None = None
        self._late: set[FrameKey] = set()  # changed while the table was being read
        editor.frames_changed.connect(self._follow)

    def columns(self, count: int) -> Columns:
        """Of the frames 0 to `count` - 1. Read only."""
        self._columns = self._columns.grown(count)
        known = self._columns
        return Columns(
            known.code[:count], known.share[:count], known.confidence[:count],
            known.flagged[:count], known.bookmarked[:count],
        )  # fmt: skip

    @property
    def is_ready(self) -> bool:
        """False while the table is being read."""
        return self._job is None

    def summary(self, index: int) -> "FrameSummary | None":
        """Everything about one frame; None when nobody touched it."""
        projects = self._editor.projects
        if projects.project is None or projects.media is None:
            return None
        from segstudio.store.project import FrameKey

        return projects.project.summary(FrameKey(projects.media.id, index))

    @Slot(object)
    def _follow(self, keys: "frozenset[FrameKey]") -> None:
        projects = self._editor.projects
        project, media = projects.project, projects.media
        now = None if project is None or media is None else (project, media.id)
        if keys and now == self._of:
            if self._job is not None:
                self._late.update(keys)
            self._update(keys)
            return
        if now != self._of:
            self._of, self._columns = now, Columns.blank(0)
        if self._job is not None:
            self._job.token.cancel()
            self._job = None
        self._late.clear()
        self.changed.emit(frozenset())
        if project is None or media is None:
            return
        of, number = project, media.id

        def success(found: tuple[NDArray[np.int64], Columns]) -> None:
            self._job = None
            at, rows = found
            self._columns = Columns.blank(int(at.max()) + 1 if len(at) else 0)
            self._columns.put(at, rows)
            late, self._late = frozenset(self._late), set()
            self._update(late)
            self.changed.emit(frozenset())

        def failure(error: Exception) -> None:
            self._job = None
            projects.failed.emit(error)

        self._job = self._background.run(
            lambda _: _rows_of(of.frames(number)), success=success, failure=failure, name="frames"
        )

    def _update(self, keys: "frozenset[FrameKey]") -> None:
        number = None if self._of is None else self._of[1]
        found = [self.summary(key.index) for key in keys if key.media == number and key.index >= 0]
        summaries = tuple(s for s in found if s is not None)
        if not summaries:
            return
        at, rows = _rows_of(summaries)
        self._columns = self._columns.grown(int(at.max()) + 1)
        self._columns.put(at, rows)
        self.changed.emit(frozenset(at.tolist()))


def _rows_of(summaries: "tuple[FrameSummary, ...]") -> tuple[NDArray[np.int64], Columns]:
    """Frame numbers and their rows; the states as `state_of` says."""
    counts = np.array([s.counts for s in summaries], np.int64).reshape(-1, 5)
    total, human = counts.sum(1), counts[:, PAINTED] + counts[:, CONFIRMED]
    code = np.select(
        [(total > 0) & (counts[:, CONFIRMED] == total), human > 0,
         counts[:, MODEL] + counts[:, PROPAGATED] > 0],
        [DONE, STARTED, DRAFTED],
        0,
    )  # fmt: skip
    confidence = [np.nan if s.confidence is None else s.confidence for s in summaries]
    rows = Columns(
        code.astype(np.uint8),
        (human / np.maximum(total, 1)).astype(np.float32),
        np.array(confidence, np.float32),
        np.array([s.flag is not None for s in summaries], bool),
        np.array([s.is_bookmarked for s in summaries], bool),
    )
    return np.array([s.key.index for s in summaries], np.int64), rows
