"""Measuring: every compared model on every frame that has labels, in the background.

The models that take turns on the screen do it, so none is loaded twice; frames are read from a
source of the job's own. What is counted goes to the scoreboard frame by frame, and stays when the
run is stopped. UI thread only.
"""

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from segstudio.core.prediction import Prediction
from segstudio.errors import Cancelled
from segstudio.store.project_rows import FrameKey
from segstudio.ui import words
from segstudio.ui.bridge.background import Job
from segstudio.ui.bridge.waiting import answer_of
from segstudio.ui.comparing.comparison import Comparison
from segstudio.ui.comparing.scoreboard import Counted, Identity, Scoreboard, Seen, counted
from segstudio.ui.correcting.drafts import in_classes
from segstudio.ui.correcting.editor import Editor
from segstudio.ui.correcting.host import Host
from segstudio.ui.correcting.own_source import OwnSource
from segstudio.ui.correcting.ranges import RangeRun

if TYPE_CHECKING:
    from segstudio.core.frame import Frame
    from segstudio.engine.predictor import Predictor


class Measuring(QObject):
    """Signals:
    changed(): `run` is new; None when nothing is being measured.
    """

    changed = Signal()
    _measured = Signal(object, object)

    def __init__(
        self, host: Host, editor: Editor, comparison: Comparison, scores: Scoreboard
    ) -> None:
        super().__init__(scores)
        self._host = host
        self._editor = editor
        self._comparison = comparison
        self._scores = scores
        self._job: Job | None = None
        self.run: RangeRun | None = None
        self._measured.connect(self._take)

    def frames(self) -> tuple[FrameKey, ...]:
        """What would be measured: confirmed frames of the open source; without any, all that have
        labels, which gives agreements and no scores."""
        whole, known = self._labelled()
        return whole or known

    def _labelled(self) -> tuple[tuple[FrameKey, ...], tuple[FrameKey, ...]]:
        """Confirmed frames of the open source, and all that have labels."""
        projects = self._editor.projects
        if projects.project is None or projects.media is None:
            return (), ()
        known = [f for f in projects.project.frames(projects.media.id) if sum(f.counts[1:])]
        whole = [f.key for f in known if f.standing.is_reference]
        return tuple(whole), tuple(f.key for f in known)

    def why_not(self) -> str:
        """Why nothing can be measured now, one sentence; "" when it can."""
        if self._host.info is None or self._editor.projects.project is None:
            return "Open a picture or a video first."
        if self.run is not None:
            return "Measuring is under way; it can be stopped below the picture."
        if not any(pane.card is not None for pane in self._comparison.panes):
            return "Choose a model first."
        if not self.frames():
            return "No frame has labels yet: confirm one (C)."
        return ""

    def start(self) -> None:
        """Measure; what was known of these frames is replaced."""
        why, info = self.why_not(), self._host.info
        project = self._editor.projects.project
        if why or info is None or project is None:
            self._host.tell(why, "hint")
            return
        whole, known = self._labelled()
        keys, panes = whole or known, tuple(p for p in self._comparison.panes if p.card is not None)
        classes, came_from = self._editor.classes, self._editor.projects.came_from
        ask = self._host.player.asker()

        def measure(job: Job) -> dict[str, str]:
            failed: dict[str, str] = {}
            with OwnSource(info.path, info.id) as source:
                for key in keys:
                    job.token.check()
                    frame = source.read(key.index)
                    labels: dict[Identity, object] = {}
                    for pane in panes:
                        if pane.letter in failed:
                            continue
                        try:
                            op = partial(_predict, frame=frame)
                            prediction = answer_of(ask, pane.letter, op, job.token)
                        except Cancelled:
                            job.token.check()
                            failed[pane.letter] = "The model is not loaded; try again."
                        except Exception as error:  # noqa: BLE001 - the others go on
                            failed[pane.letter] = str(error)
                        else:
                            labels[pane.identity] = in_classes(prediction, classes, came_from)
                    seen = Seen(project, key, labels)  # type: ignore[arg-type]  # arrays
                    self._measured.emit(job, counted(seen, classes))
            return failed

        def success(failed: dict[str, str]) -> None:
            total = 0 if self.run is None else self.run.done
            self._end()
            for letter, text in failed.items():
                self._host.tell(f"Model {letter} was not measured: {text}", "warning")
            if len(failed) < len(panes):
                self._host.tell(told(total, is_reference=bool(whole)))

        def failure(error: Exception) -> None:
            self._end()
            self._host.tell_error(error)

        self.run = RangeRun("Measuring", len(keys))
        self._job = self._host.background.run(
            measure, success=success, failure=failure, name="measure"
        )
        self.changed.emit()

    def cancel(self) -> None:
        """Stop after the frame that is being done; what is done stays."""
        if self._job is not None:
            self._job.token.cancel()
            self._end()
            self._host.tell("Stopped; what was measured so far is kept.")

    def _take(self, job: Job, one: Counted) -> None:
        if job is self._job and self.run is not None:
            self._scores.put(one)
            self.run = replace(self.run, done=self.run.done + 1)
            self.changed.emit()

    def _end(self) -> None:
        self._job, self.run = None, None
        self.changed.emit()


def told(total: int, *, is_reference: bool) -> str:
    """What was measured, and what that is worth."""
    verb = "was" if total == 1 else "were"
    text = f"{words.counted(total, 'frame')} {verb} measured"
    return f"{text}." if is_reference else f"{text} against drafts: agreement, no score."


def _predict(predictor: "Predictor", _: "Frame", *, frame: "Frame") -> Prediction:
    """In the infer thread."""
    with predictor.looking.paused():
        return predictor.predict(frame)
