"""CurrentFrame: the frame on the workbench, read from the project and kept while it is needed.

Part of the editor. Reading happens in a background job; what is half-done is finished before
another frame comes, never lost. UI thread only.
"""

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, Signal, Slot

from segstudio.core.classes import VOID
from segstudio.core.frame import Frame
from segstudio.ui.correcting.held import Held, HeldFrames
from segstudio.ui.correcting.host import Host
from segstudio.ui.correcting.projects import ProjectShelf

if TYPE_CHECKING:
    from segstudio.store.project import FrameKey, StoredFrame


class CurrentFrame(QObject):
    """held: the labels being corrected; None while they are read, while it plays, without a
    project. frame: the picture they belong to.

    Signals:
        leaving(): this frame goes; finish what is half-done.
        changed(): another frame, or none, or the same one read anew.
        drafted(): a prediction of this frame has come.
    """

    leaving = Signal()
    changed = Signal()
    drafted = Signal()

    def __init__(self, host: Host, projects: ProjectShelf, parent: QObject) -> None:
        super().__init__(parent)
        self._host = host
        self._projects = projects
        self._frames = HeldFrames()
        self._told: set[FrameKey] = set()
        self._reading: FrameKey | None = None
        self.held: Held | None = None
        self.frame: Frame | None = None
        projects.leaving.connect(self.leave)

    @property
    def shape(self) -> tuple[int, int]:
        """(h, w) of the frame; (0, 0) without one."""
        return (0, 0) if self.frame is None else (self.frame.height, self.frame.width)

    @Slot()
    def follow(self) -> None:
        """Another frame is on the screen, or it plays, or it stopped."""
        result, player, media = self._host.result, self._host.player, self._projects.media
        if result is None or media is None or player.playing.is_playing:
            self.leave()
            return
        from segstudio.store.project import FrameKey

        frame = result.frame
        key = FrameKey(media.id, frame.id.index)
        if self.held is not None and self.held.key == key:
            self.frame = frame
            if self.held.is_blank:  # perhaps the draft has come
                self.drafted.emit()
            return
        self.leave()
        self.frame = frame
        if frame.note:  # damaged: shown, never labelled
            return
        found = self._frames.get(key)
        if found is not None:
            self._adopt(found)
        else:
            self._read(key, frame)

    def _read(self, key: "FrameKey", frame: Frame) -> None:
        project = self._projects.project
        if project is None:
            return

        self._reading = key

        def success(stored: "StoredFrame | None") -> None:
            if self.frame is frame and self.held is None and self._projects.project is project:
                self._adopt(self._made(key, frame, stored))

        self._host.background.run(
            lambda _: project.load(key),
            success=success,
            failure=self._host.tell_error,
            name="labels",
        )

    def read_now(self) -> None:
        """A stroke begins while the labels are under way: a few milliseconds, not a lost stroke.

        Not while the disk refuses: then reading may wait.
        """
        project, frame, key = self._projects.project, self.frame, self._reading
        if self.held is not None or frame is None or project is None or key is None:
            return
        if key.index == frame.id.index and not project.waiting:
            self._adopt(self._made(key, frame, project.load(key)))

    def _made(self, key: "FrameKey", frame: Frame, stored: "StoredFrame | None") -> Held:
        from segstudio.core.history import Entry, History
        from segstudio.core.labels import LabelDocument
        from segstudio.store.project import FrameAbout

        project = self._projects.project
        history = History(fetch=None if project is None else partial(project.step, key))
        size = (frame.height, frame.width)
        about = FrameAbout(frame.id.time_us, frame.id.fingerprint, "", *size)
        if stored is None:
            blank = LabelDocument(np.full(size, VOID, np.uint8), np.zeros(size, np.uint8))
            return Held(key, about, blank, history)
        for number, done in enumerate(stored.history):
            entry = Entry(done.title, done.class_id, done.pixels, done.rect, number, None)
            history.entries.append(entry)
        history.position = stored.summary.position
        document = LabelDocument(stored.labels, stored.origin)
        return Held(key, stored.summary.about, document, history)

    def _adopt(self, held: Held) -> None:
        if held.document.labels.shape != self.shape:
            h, w = held.document.labels.shape
            self._tell_shift(
                held, f"The labels of frame {held.key.index} are {w}×{h} pixels and this picture"
                f" is {self.shape[1]}×{self.shape[0]}; they are kept, but cannot be shown here.",
            )  # fmt: skip
            return
        frame = self.frame
        is_known = frame is None or not held.history.entries
        if not is_known and frame is not None and held.about.fingerprint != frame.id.fingerprint:
            self._tell_shift(
                held, f"The labels of frame {held.key.index} were drawn on another picture than"
                " the one shown; check them before you go on.",
            )  # fmt: skip
        self.held = held
        self._frames.put(held)
        self.changed.emit()

    def _tell_shift(self, held: Held, text: str) -> None:
        if held.key not in self._told:
            self._told.add(held.key)
            self._host.tell(text, "warning")

    @Slot()
    def leave(self) -> None:
        """No frame is current any more."""
        if self.held is None and self.frame is None:
            return
        self.leaving.emit()
        had, self.held, self.frame = self.held, None, None
        if had is not None:
            self.changed.emit()

    def forget(self, key: "FrameKey") -> None:
        """What is in memory may differ from the project: read it again next time."""
        self._frames.forget(key)

    def forget_all(self) -> None:
        """Another project."""
        self.leave()
        self._frames.clear()
        self._told.clear()

    def reread(self, keys: frozenset["FrameKey"]) -> None:
        """Somebody else wrote these frames."""
        for key in keys:
            self._frames.forget(key)
        if self.held is not None and self.held.key in keys:
            self.leave()
            self.follow()
