"""Work on many frames at once: propagate, draft, hood. One run at a time; part of the session.

Frames of a run are written by its thread, so nothing is painted meanwhile: the editor says why.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from segstudio.core.catalogue import ModelCard
from segstudio.ui.bridge import live
from segstudio.ui.bridge.background import Job
from segstudio.ui.correcting.drafts import CameFrom, in_classes
from segstudio.ui.correcting.editor import Editor
from segstudio.ui.correcting.host import Host
from segstudio.ui.correcting.own_source import OwnSource

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from segstudio.core.classes import ClassMap
    from segstudio.core.frame import Frame
    from segstudio.engine.carry import Carried
    from segstudio.store.project import FrameKey


@dataclass(frozen=True, slots=True)
class RangeRun:
    """title: what is being done. done, total: frames. confidence: of the last one."""

    title: str
    total: int
    done: int = 0
    confidence: float | None = None


class Ranges(QObject):
    """Starts runs and follows them. UI thread only.

    Signals:
        changed(): `run` is new; None when nothing is being done.
    """

    changed = Signal()
    _carried = Signal(object, object)

    def __init__(self, host: Host, editor: Editor) -> None:
        super().__init__(editor)
        self._host = host
        self._editor = editor
        self.run: RangeRun | None = None
        self._job: Job | None = None
        self._written: set[FrameKey] = set()
        self._carried.connect(self._take)

    def propagate(self, frames: int) -> None:
        """Carry the current labels over so many frames on (negative: back)."""
        player, index = self._host.player, self._host.player.playing.index
        end = max(index + frames, 0)
        if player.info is not None and player.info.is_complete:
            end = min(end, player.last_index)
        indices = list(range(index, end + 1) if frames > 0 else range(index, end - 1, -1))
        from segstudio.engine import carry

        self._start("Propagating", indices, carry.propagate)

    def draft(self, first: int, last: int) -> None:
        """Take the chosen model's labels over on these frames."""
        from segstudio.engine import carry

        shelf, project = self._host.models, self._editor.projects.project
        if shelf.chosen is None or project is None:
            return
        predict = partial(_Predict, shelf.chosen, shelf.device, shelf.strategy, project.classes,
                          self._editor.projects.came_from)  # fmt: skip

        def op(*given: object, **named: object) -> str:
            with predict() as predicting:
                return carry.draft(*given, model=predicting.name, predict=predicting, **named)  # type: ignore[arg-type]  # as _start calls it

        self._start("Drafting", list(range(first, last + 1)), op)

    def apply_hood(self) -> None:
        """Put the hood on every frame of the clip that has labels."""
        from segstudio.engine import carry

        projects = self._editor.projects
        if projects.project is None or projects.media is None:
            return
        frames = projects.project.frames(projects.media.id)
        indices = [f.key.index for f in frames if f.steps]
        if indices:
            self._start("Putting the hood on", indices, carry.apply_hood)

    def cancel(self) -> None:
        """Stop after the frame that is being done; what is done stays."""
        if self._job is not None:
            self._job.token.cancel()
            self._end("Stopped; what was done so far is kept.")

    def _start(self, title: str, indices: list[int], work: Callable[..., str]) -> None:
        editor, info = self._editor, self._host.info
        project, media = editor.projects.project, editor.projects.media
        why = editor.why_not()
        if why or project is None or media is None or info is None:
            self._host.tell(why, "warning")
            return
        self._host.tools.leave()

        def op(job: Job) -> str:
            with OwnSource(info.path, info.id) as source:
                return work(
                    project, media.id, source, indices, token=job.token,
                    tell=lambda one: self._carried.emit(job, one),
                )  # fmt: skip

        def failure(error: Exception) -> None:
            self._end("")
            self._host.tell_error(error)

        editor.busy = f"{title} is under way; it can be stopped below the picture."
        self._written = set()
        self.run = RangeRun(title, len(indices))
        self._job = self._host.background.run(op, success=self._end, failure=failure, name="range")
        self.changed.emit()

    def _take(self, job: Job, one: "Carried") -> None:
        self._written.add(one.key)
        if job is self._job and self.run is not None:
            self.run = replace(self.run, done=self.run.done + 1, confidence=one.confidence)
            self.changed.emit()
        self._editor.reread(frozenset({one.key}))

    def _end(self, text: str) -> None:
        self._job, self.run = None, None
        self._editor.busy = ""
        self._editor.reread(frozenset(self._written))
        self.changed.emit()
        if text:
            self._host.tell(text)


class _Predict:
    """A predictor of the run's own, and its labels in the project's classes."""

    def __init__(
        self,
        card: ModelCard,
        device: str,
        strategy: object,
        classes: "ClassMap",
        came_from: CameFrom,
    ) -> None:
        self.name = card.name
        self._load = live.loader(card, device, strategy)  # type: ignore[arg-type]  # a Strategy
        self._classes, self._came_from = classes, came_from

    def __enter__(self) -> "_Predict":
        self._predictor = self._load()
        return self

    def __exit__(self, *_: object) -> None:
        self._predictor.close()

    def __call__(self, frame: "Frame") -> "NDArray[np.uint8]":
        return in_classes(self._predictor.predict(frame), self._classes, self._came_from)
