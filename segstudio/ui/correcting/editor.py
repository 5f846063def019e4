"""Editor: the labels being corrected, their undo, and what tools work with. Part of the session.

Every finished step goes to the history and, as one transaction, to the project. A frame that
nobody labelled shows the model's draft; the first stroke makes the draft a step of its own, so
that undo can take it back too. UI thread only.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal, Slot

from segstudio.core.classes import VOID, ClassMap
from segstudio.core.frame import Frame
from segstudio.core.geometry import Rect
from segstudio.core.origins import MODEL, FrameState, state_of
from segstudio.engine.flow import CancelToken
from segstudio.ui.bridge.background import Job
from segstudio.ui.correcting.current import CurrentFrame
from segstudio.ui.correcting.drafts import Drafts
from segstudio.ui.correcting.first_step import confirmed, first_step
from segstudio.ui.correcting.held import Held
from segstudio.ui.correcting.host import Host
from segstudio.ui.correcting.options import ToolOptions
from segstudio.ui.correcting.projects import ProjectShelf
from segstudio.ui.correcting.steps import StepWriter
from segstudio.ui.tools.preview import NOTHING, Preview

if TYPE_CHECKING:
    from segstudio.core.brush import Area
    from segstudio.core.labels import LabelChange
    from segstudio.core.paint_rule import PaintRule
    from segstudio.core.steps import Step
    from segstudio.store.project import FrameKey
    from segstudio.ui.tools.registry import Answers


class Editor(QObject):
    """The Workbench of all tools.

    Signals:
        document_changed(): other labels are shown: another frame, a draft that became labels.
        labels_changed(object): the LabelChange of a stroke, an undo or a redo.
        step_finished(): history and state of the frame are new.
        options_changed(): `options` is new.
        preview_changed(): `preview` is new.
        selection_changed(): `selection` is new.
        frames_changed(object): frozenset of FrameKeys whose summary is new.
    """

    document_changed = Signal()
    labels_changed = Signal(object)
    step_finished = Signal()
    options_changed = Signal()
    preview_changed = Signal()
    selection_changed = Signal()
    frames_changed = Signal(object)

    def __init__(self, host: Host, parent: QObject) -> None:
        super().__init__(parent)
        self._host = host
        self.projects = ProjectShelf(host.background, self)
        self.drafts = Drafts(host, self)
        self.options = ToolOptions()
        self.preview = NOTHING
        self.selection: Area | None = None
        self.scale = 1.0  # device pixels per frame pixel, told by the window
        self.answers: Callable[[], Answers] = tuple  # the comparison puts its own here
        self.busy = ""  # why nothing can be painted while a job writes frames
        self.current = CurrentFrame(host, self.projects, self)
        self._jobs: dict[str, Job] = {}
        self._is_blocked = False
        self.current.leaving.connect(self._finish)
        self.current.changed.connect(self._change_frame)
        self.current.drafted.connect(self.document_changed)
        self._steps = StepWriter(self.projects, self)
        self._steps.written.connect(lambda key: self.frames_changed.emit(frozenset({key})))
        self._steps.failed.connect(self._reject)
        self.projects.changed.connect(self._change_project)
        self.projects.failed.connect(host.tell_error)

    # --- what is on the workbench

    @property
    def held(self) -> Held | None:
        """The frame being corrected; None while it is read, while it plays, without a project."""
        return self.current.held

    @property
    def state(self) -> FrameState:
        """Of the current frame."""
        return FrameState.TODO if self.held is None else state_of(self.held.document.origin_counts)

    @property
    def classes(self) -> ClassMap:
        """The project's class set; the model's while there is no project."""
        project = self.projects.project
        return self._host.model_classes if project is None else project.classes

    @property
    def shape(self) -> tuple[int, int]:
        """(h, w) of the frame."""
        return self.current.shape

    @property
    def rgb(self) -> NDArray[np.uint8]:
        """The frame, uint8 (H, W, 3)."""
        if self.current.frame is None:
            raise RuntimeError("no frame is shown")
        return self.current.frame.rgb

    @property
    def labels(self) -> NDArray[np.uint8]:
        """uint8 (H, W) as they are shown, all void while there are none. Read only."""
        shown = self.shown_labels()
        return np.full(self.shape, VOID, np.uint8) if shown is None else shown

    def shown_labels(self) -> NDArray[np.uint8] | None:
        """What to draw over the frame: its labels or, while it is blank, the draft.

        None: nothing is being corrected; the prediction is shown as it came.
        """
        if self.held is None:
            return None
        if self.held.is_blank:
            draft = self.draft()
            return self.held.document.labels if draft is None else draft
        return self.held.document.labels

    def translated(self, frame: Frame) -> NDArray[np.uint8] | None:
        """The prediction of a frame in the project's classes."""
        return self.drafts.of(frame, self.classes, self.projects.came_from)

    def draft(self) -> NDArray[np.uint8] | None:
        """The model's labels of this frame in the project's classes."""
        return None if self.current.frame is None else self.translated(self.current.frame)

    def second_draft(self) -> NDArray[np.uint8] | None:
        """Those of the model that the model brush reveals; asking begins to make them."""
        frame, model = self.current.frame, self.options.reveals
        if frame is None:
            return None
        return self.drafts.second(frame, self.classes, model, self.projects.came_from)

    @Slot()
    def _finish(self) -> None:
        """The current frame goes: what is half-done is finished, not lost."""
        for job in self._jobs.values():
            job.token.cancel()
        self._jobs.clear()
        self._host.tools.leave()
        self.commit()
        if self.selection is not None:
            self.select(None)

    @Slot()
    def _change_frame(self) -> None:
        self.document_changed.emit()
        self.step_finished.emit()

    @Slot()
    def _change_project(self) -> None:
        self.current.forget_all()
        project = self.projects.project
        locked = None if project is None else project.setting("locked")
        numbers = frozenset(locked) if isinstance(locked, list) else frozenset()
        known = {c.id for c in self.classes.classes}
        active = self.options.class_id if self.options.class_id in known else min(known)
        self.options = replace(self.options, locked=numbers, class_id=active)
        self.options_changed.emit()
        self.frames_changed.emit(frozenset())
        self.current.follow()

    def reread(self, keys: frozenset["FrameKey"]) -> None:
        """A job wrote these frames: show what the project has now."""
        self.current.reread(keys)
        self.frames_changed.emit(keys)

    # --- steps

    def why_not(self) -> str:
        """Why nothing can be painted now, one sentence; "" when it can."""
        result, projects = self._host.result, self.projects
        if result is None:
            return "Open a picture or a video first."
        if self._host.player.playing.is_playing:
            return "Pause to correct this frame (Space)."
        if projects.project is None or projects.media is None:
            return projects.trouble or "The project is still being opened."
        if projects.project.is_read_only:
            return projects.project.why_read_only
        if result.frame.note:
            return "This frame is damaged; it can be seen but not labelled."
        return self.busy or ("" if self.held is not None else "The labels are still being read.")

    def begin(self, title: str, *, on_draft: bool = True) -> bool:
        """Start a step; False when nothing can be painted now, which people are told.

        on_draft: a blank frame first gets the draft it shows.
        """
        if self._host.player.playing.is_playing:
            self._host.player.freeze()
        self.current.read_now()
        why = self.why_not()
        if why or self.held is None:
            self._host.tell(why, "hint")
            return False
        if on_draft:
            self._take_draft(self.held)
        self.held.document.begin(title)
        self._is_blocked = False
        return True

    def _take_draft(self, held: Held) -> None:
        """A blank frame gets the draft it shows and the hood, as a step of its own."""
        project = self.projects.project
        if held.is_blank and project is not None:
            model = self.drafts.model_of(self.current.frame)
            step = first_step(held, project, self.draft(), model)
            if step is not None:
                self._push(held, step)
                self.document_changed.emit()

    def paint(self, area: "Area", class_id: int | None = None) -> None:
        """Give the area a class where rules and locks allow."""
        if self.held is not None:
            chosen = self.options.class_id if class_id is None else class_id
            self._show(self.held.document.paint(area, chosen, rule=self._rule()))

    def put(self, area: "Area", patch: NDArray[np.uint8], *, origin: int) -> None:
        """Write the labels of a model because a person asked for it."""
        if self.held is not None:
            change = self.held.document.put(
                area, patch, origin=origin, rule=self._rule(), over_human=True
            )
            self._show(change)

    def _rule(self) -> "PaintRule":
        from segstudio.core.paint_rule import PaintRule

        chosen = self.options
        only = {"void": VOID, "class": chosen.only}.get(chosen.rule)
        confidence = None
        if chosen.rule == "unsure" and self.current.frame is not None:
            confidence = self.drafts.sureness(self.current.frame, chosen.measure)
        below = round(chosen.below * 256) if confidence is not None else 256
        return PaintRule(only, chosen.locked - {only}, confidence, below)

    def _show(self, change: "LabelChange | None") -> None:
        if change is None:
            return
        self._is_blocked = bool(change.blocked) and not change.pixels
        if change.pixels:
            self.labels_changed.emit(change)

    def commit(self) -> None:
        """End the step; it goes to the history and the project."""
        if self.held is not None and self.held.document.is_busy:
            self._push(self.held, self.held.document.commit())

    def abort(self) -> None:
        """Take the unfinished step back."""
        if self.held is not None and self.held.document.is_busy:
            self._show(self.held.document.abort())

    def confirm(self) -> None:
        """A person stands behind every pixel of this frame."""
        if self.begin("Confirm") and self.held is not None:
            self.held.document.abort()
            self._push(self.held, confirmed(self.held, self._host.tell))
            self.document_changed.emit()

    def replace_labels(
        self, title: str, labels: NDArray[np.uint8], origin: int, where: NDArray[np.bool_]
    ) -> None:
        """One step that puts labels from elsewhere, bool (H, W) `where`, if no human painted there.

        A frame of another size is left alone.
        """
        if self.begin(title, on_draft=False) and self.held is not None:
            if labels.shape == self.shape:
                from segstudio.core.brush import Area

                area = Area(Rect(0, 0, *self.shape), where)
                self._show(self.held.document.put(area, labels, origin=origin))
            self.commit()

    def accept_draft(self) -> None:
        """The model's labels where nobody painted and nothing was propagated."""
        draft, held = self.draft(), self.held
        if draft is None or held is None:
            return
        if held.is_blank:
            if self.begin("Draft"):  # took the draft, as a step of its own
                self.abort()
            return
        held.about = replace(held.about, drafted_by=self.drafts.model_of(self.current.frame))
        self.replace_labels(
            f"Draft · {held.about.drafted_by}", draft, MODEL, held.document.origin <= MODEL
        )

    def _push(self, held: Held, step: "Step | None") -> None:
        if step is not None:
            self._steps.push(held, step)
        self.step_finished.emit()

    def undo(self) -> None:
        """Take the last step of this frame back."""
        self._move(back=True)

    def redo(self) -> None:
        """Do it again."""
        self._move(back=False)

    def go_to_step(self, position: int) -> None:
        """Undo or redo until so many steps of this frame are done."""
        while self.held is not None and self.held.history.position != position:
            before = self.held.history.position
            self._move(back=position < before)
            if self.held.history.position == before:
                return

    def _move(self, *, back: bool) -> None:
        self._host.tools.leave()
        held = self.held
        if held is None or self.why_not():
            return
        was_blank = held.is_blank  # the draft was shown
        change = self._steps.move(held, back=back)
        if was_blank or held.is_blank or change is None:
            self.document_changed.emit()
        else:
            self.labels_changed.emit(change)
        self.step_finished.emit()

    @Slot(object, object)
    def _reject(self, key: "FrameKey", error: Exception) -> None:
        """The project has other labels than memory: show those, and say so."""
        self._host.tell_error(error)
        self.reread(frozenset({key}))

    # --- what tools ask besides

    def set_options(self, options: ToolOptions) -> None:
        """Another tool, class, size or rule."""
        old, self.options = self.options, options
        if options == old:
            return
        self._is_blocked = False
        project = self.projects.project
        if options.locked != old.locked and project is not None and not project.is_read_only:
            project.put_setting("locked", sorted(options.locked))
        self.options_changed.emit()

    @Slot(float)
    def set_scale(self, scale: float) -> None:
        """How large the window shows a frame pixel now."""
        self.scale = scale

    def choose_class(self, class_id: int) -> None:
        """Make it the active class."""
        self.set_options(replace(self.options, class_id=class_id))

    def select(self, area: "Area | None") -> None:
        """Select pixels; None or an empty area selects nothing."""
        self.selection = area if area is not None and area.mask.any() else None
        self.selection_changed.emit()

    def show(self, preview: Preview) -> None:
        """Draw this over the picture from now on."""
        if self._is_blocked:
            preview = replace(preview, lock_at=preview.cursor)
        if preview is not self.preview:
            self.preview = preview
            self.preview_changed.emit()

    def tell(self, text: str) -> None:
        """One sentence for people."""
        self._host.tell(text, "hint")

    def run(
        self, op: Callable[[CancelToken], Any], then: Callable[[Any], None], *, name: str
    ) -> None:
        """Slow work in a thread; dropped when the frame changes."""
        old = self._jobs.pop(name, None)
        if old is not None:
            old.token.cancel()
        self._jobs[name] = self._host.background.run(
            lambda job: op(job.token), success=then, failure=self._host.tell_error, name=name
        )

    def close(self, timeout_s: float) -> list[str]:
        """The end of the program: finish the stroke, write what waits."""
        self.current.leave()
        return self.projects.close(timeout_s)
