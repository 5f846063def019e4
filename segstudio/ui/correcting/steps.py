"""Finished steps on their way to the history and the project; undo and redo. Part of the editor."""

from concurrent.futures import Future
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from segstudio.ui.correcting.held import Held
from segstudio.ui.correcting.projects import ProjectShelf

if TYPE_CHECKING:
    from segstudio.core.history import Entry
    from segstudio.core.labels import LabelChange
    from segstudio.core.steps import Step


class StepWriter(QObject):
    """Writes in the order in which things were done. UI thread only.

    Signals:
        written(object): FrameKey whose summary in the project is new.
        failed(object, object): FrameKey whose step the project refused, and the exception.
    """

    written = Signal(object)
    failed = Signal(object, object)
    _ended = Signal(object, object, object)

    def __init__(self, projects: ProjectShelf, parent: QObject) -> None:
        super().__init__(parent)
        self._projects = projects
        self._ended.connect(self._take)

    def push(self, held: Held, step: "Step") -> None:
        """A step that was just done."""
        project = self._projects.project
        if project is None:
            raise RuntimeError("a step without a project")
        number = held.history.position
        held.history.push(step)
        entry = held.history.entries[-1]
        written = project.push(held.key, number, step, held.counts, held.about)
        self._follow(held, written, entry, number)

    def move(self, held: Held, *, back: bool) -> "LabelChange | None":
        """Undo (back) or redo one step; None when there is none or nothing changed."""
        project, history = self._projects.project, held.history
        if project is None or not (history.can_undo if back else history.can_redo):
            return None
        change = history.undo(held.document) if back else history.redo(held.document)
        step = history.entries[history.position if back else history.position - 1].step
        if step is None:
            raise RuntimeError("a step that was just undone is in memory")
        tiles = [(t.row, t.col, t.before if back else t.after) for t in step.tiles]
        self._follow(held, project.move(held.key, history.position, tiles, held.counts))
        return change

    def _follow(
        self, held: Held, future: "Future[None]", entry: "Entry | None" = None, number: int = -1
    ) -> None:
        held.unsaved += 1

        def done(ended: "Future[None]") -> None:  # in the store's thread
            self._ended.emit(held, (entry, number), ended)

        future.add_done_callback(done)

    @Slot(object, object, object)
    def _take(self, held: Held, what: "tuple[Entry | None, int]", future: "Future[None]") -> None:
        held.unsaved -= 1
        entry, number = what
        error = None if future.cancelled() else future.exception()
        if error is not None:
            self.failed.emit(held.key, error)
        elif entry is not None:
            entry.key = number  # it may leave memory now
        self.written.emit(held.key)
