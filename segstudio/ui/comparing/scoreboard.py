"""Scoreboard: how good each pane is on the frames that have labels, live. Part of the session.

The frame being corrected is counted here, and every stroke corrects the count by the box it
touched. Confirmed frames that are a model's own draft, hardly corrected, do not count for it
(`Standing.is_own_work`). Frames that go by while the video plays are counted in a background job
against the labels that the project has of them; when several are due, the newest wins. A frame that
changes in any other way is forgotten until it is seen again. UI thread only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QTimer, Signal, Slot

from segstudio.core import differing, pair_colors
from segstudio.core.classes import ClassMap
from segstudio.core.confusion import ConfusionMatrix, Counts, warm_up
from segstudio.core.metrics import Convention
from segstudio.core.per_image import AT_ONCE, MIOU, PIXEL_ACCURACY, figures_of
from segstudio.core.strategy import Strategy
from segstudio.core.tally import FrameCounts, Standing, Tally
from segstudio.store.project_rows import FrameKey
from segstudio.ui.bridge.background import Job
from segstudio.ui.comparing.comparison import Comparison
from segstudio.ui.comparing.references import References
from segstudio.ui.correcting.editor import Editor
from segstudio.ui.correcting.host import Host

if TYPE_CHECKING:
    from segstudio.core.labels import LabelChange
    from segstudio.store.project import Project

TELL_MS = 100

Floats32 = NDArray[np.float32]
Identity: TypeAlias = tuple[str, str, Strategy]


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A frame that went by, with what each model said, in the project's classes."""

    project: "Project"
    key: FrameKey
    labels: dict[Identity, NDArray[np.uint8]]


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """What came of it; standing: None for a frame without labels."""

    seen: Seen
    standing: Standing | None
    counts: dict[Identity, Counts]


class Scoreboard(QObject):
    """Signals:
    changed(): figures are new; at most ten times a second.
    """

    changed = Signal()

    def __init__(self, host: Host, editor: Editor, comparison: Comparison, parent: QObject) -> None:
        super().__init__(parent)
        self._host = host
        self._editor = editor
        self._comparison = comparison
        self.references = References()
        host.player.watchers.append(self.references.read)
        self.convention = Convention.VOID_IGNORED
        self._of = editor.projects.project, editor.classes
        self._tallies: dict[Identity, Tally[FrameKey]] = {}
        self._names: dict[Identity, str] = {}  # of models, panes that went included
        self._job: Job | None = None
        self._next: Seen | None = None
        self._is_warm = False
        self._timer = QTimer(self, singleShot=True)
        self._timer.setInterval(TELL_MS)
        self._timer.timeout.connect(self.changed)
        comparison.arrived.connect(self._follow)
        comparison.changed.connect(self._name_panes)
        comparison.changed.connect(self._tell_soon)
        comparison.changed.connect(self._follow_look)
        editor.document_changed.connect(self._count_current)
        editor.step_finished.connect(self._tell_soon)
        editor.labels_changed.connect(self._change)
        editor.frames_changed.connect(self._forget)
        editor.projects.changed.connect(self._start_anew)
        self._name_panes()

    # --- what is asked

    @property
    def classes(self) -> ClassMap:
        """The project's class set: rows and columns in its order."""
        return self._editor.classes

    def tally(self, letter: str) -> Tally[FrameKey]:
        """Of the model in that pane, as it is set now; an empty one when nothing is known."""
        pane = self._comparison.pane(letter)
        found = None if pane is None else self._tallies.get(pane.identity)
        return Tally(len(self.classes)) if found is None else found

    def set_convention(self, convention: Convention) -> None:
        """By what definition the figures are made."""
        if convention != self.convention:
            self.convention = convention
            self.changed.emit()

    def reference(self) -> NDArray[np.uint8] | None:
        """uint8 (H, W): the labels of the frame on the screen; None while there are none."""
        held, result = self._editor.held, self._host.result
        if held is None:  # it plays
            return None if result is None else self.references.get(result.frame.id)
        return None if held.is_blank else held.document.labels

    def standing(self) -> Standing | None:
        """How far these may be trusted."""
        held = self._editor.held
        if held is None or held.is_blank:
            return None
        about = held.about
        return Standing.of(held.document.origin_counts, about.drafted_by, about.by_hand)

    def curve(self, letter: str, media: int, count: int) -> Floats32:
        """float32 (count,): mIoU, void ignored, of each frame of a medium that counts for the
        model; NaN for the others."""
        return _line(self.tally(letter).frames(), media, count, MIOU)

    def agreements(self, letter: str, media: int, count: int) -> Floats32:
        """float32 (count,): share of pixels on which the model and labels that nobody confirmed
        say the same, where these are not its own draft; NaN for the others."""
        tally = self.tally(letter)
        drafts = tally.frames(reference=False)
        others = [f for f in drafts if not f.standing.is_own_work(tally.model)]
        return _line(others, media, count, PIXEL_ACCURACY)

    # --- what is counted

    @Slot()
    def _name_panes(self) -> None:
        """A tally must know whose own drafts it leaves out."""
        for pane in self._comparison.panes:
            if pane.card is not None:
                self._names[pane.identity] = pane.card.name

    @Slot()
    def _follow_look(self) -> None:
        """Labels of frames that go by are read only while errors are looked at."""
        look = self._comparison.look
        self.references.wanted = self._comparison.is_on and look.colours == "errors"

    @Slot()
    def _start_anew(self) -> None:
        """Another project, or other classes: frames, rows and columns mean something else."""
        projects = self._editor.projects
        self.references.use(projects.project, None if projects.media is None else projects.media.id)
        now = projects.project, self._editor.classes
        if now != self._of:
            self._of = now
            self._tallies.clear()
            self._next = None
            self._tell_soon()

    @Slot(object)
    def _forget(self, keys: frozenset[FrameKey]) -> None:
        """Labels changed, by a step that was counted already or by a job that was not."""
        self._start_anew()
        held = self._editor.held
        gone = [key for key in keys if held is None or key != held.key]
        for tally in self._tallies.values():
            for key in gone:
                tally.drop(key)
        if keys:
            self._tell_soon()

    @Slot()
    def _follow(self) -> None:
        """Answers about another frame, or newer ones."""
        if not self._is_warm:
            self._warm_up()
        elif self._editor.held is not None:
            self._count_current()
        else:
            self._count_seen()

    def _warm_up(self) -> None:
        """The compiled counters are loaded where nobody waits for them."""

        palette = self._editor.classes.palette()

        def load(_: Job) -> None:
            warm_up()
            differing.warm_up()
            pair_colors.colors((), palette)  # searched for once: a quarter of a second

        if self._job is None:
            self._job = self._host.background.run(
                load, success=self._be_warm, failure=self._fail, name="counter"
            )

    def _be_warm(self, _: object) -> None:
        self._job, self._is_warm = None, True
        self._follow()

    def _fail(self, error: Exception) -> None:
        self._job = None
        self._host.tell_error(error)

    def _answers(self) -> dict[Identity, NDArray[np.uint8]]:
        self._name_panes()
        found = {}
        for pane in self._comparison.panes:
            labels = self._comparison.labels(pane.letter)
            if labels is not None:
                found[pane.identity] = labels
        return found

    def _tally(self, identity: Identity) -> Tally[FrameKey]:
        if identity not in self._tallies:
            name = self._names.get(identity, "")
            self._tallies[identity] = Tally(len(self._editor.classes), model=name)
        return self._tallies[identity]

    @Slot()
    def _count_current(self) -> None:
        """The frame on the workbench, as it is now."""
        held, reference, standing = self._editor.held, self.reference(), self.standing()
        if held is None or not self._is_warm:
            return
        matrix = ConfusionMatrix.of(self._editor.classes)
        for identity, labels in self._answers().items():
            if reference is None or standing is None or reference.shape != labels.shape:
                self._tally(identity).drop(held.key)
            else:
                self._tally(identity).put(held.key, matrix.counted(reference, labels), standing)
        self._tell_soon()

    @Slot(object)
    def _change(self, change: "LabelChange") -> None:
        """A stroke, an undo or a redo: the box as it was goes out, as it is comes in."""
        held, standing = self._editor.held, self.standing()
        if held is None or standing is None or not self._is_warm:
            return
        matrix, box = ConfusionMatrix.of(self._editor.classes), change.rect.slices
        after = held.document.labels[box]
        for identity, labels in self._answers().items():
            tally = self._tally(identity)
            if tally.get(held.key) is None:  # the first labels of this frame
                whole = matrix.counted(held.document.labels, labels)
                tally.put(held.key, whole, standing)
                continue
            there = labels[box]
            difference = matrix.counted(after, there) - matrix.counted(change.before_labels, there)
            tally.change(held.key, difference, standing)
        self._tell_soon()

    def _count_seen(self) -> None:
        """A frame that goes by, against what the project has of it."""
        project, media = self._editor.projects.project, self._editor.projects.media
        result = self._host.result
        if project is None or media is None or result is None:
            return
        key = FrameKey(media.id, result.frame.id.index)
        summary = project.summary(key)
        if summary is None or not sum(summary.counts[1:]):
            return
        standing, answers = summary.standing, self._answers()
        if not answers or all(
            (known := self._tally(identity).get(key)) is not None and known.standing == standing
            for identity in answers
        ):
            return
        self._next = Seen(project, key, answers)
        self._count_next()

    def _count_next(self) -> None:
        seen, classes = self._next, self._editor.classes
        if seen is None or self._job is not None:
            return
        self._next = None
        self._job = self._host.background.run(
            lambda _: counted(seen, classes), success=self._take, failure=self._fail, name="scores"
        )

    def _take(self, done: Counted) -> None:
        self._job = None
        self.put(done)
        self._count_next()

    def put(self, done: Counted) -> None:
        """What was counted elsewhere."""
        if done.seen.project is self._editor.projects.project and done.standing is not None:
            for identity, counts in done.counts.items():
                if counts.shape[0] == len(self._editor.classes) + 1:
                    self._tally(identity).put(done.seen.key, counts, done.standing)
            self._tell_soon()

    @Slot()
    def _tell_soon(self) -> None:
        if not self._timer.isActive():
            self._timer.start()


def counted(seen: Seen, classes: ClassMap) -> Counted:
    """In a background job: read the labels, count each model."""
    stored = seen.project.load(seen.key)
    if stored is None:
        return Counted(seen, None, {})
    matrix = ConfusionMatrix.of(classes)
    counts = {
        identity: matrix.counted(stored.labels, labels)
        for identity, labels in seen.labels.items()
        if labels.shape == stored.labels.shape
    }
    return Counted(seen, stored.summary.standing, counts)


def _line(frames: Sequence[FrameCounts[FrameKey]], media: int, count: int, figure: int) -> Floats32:
    """float32 (count,): one figure of each frame of a medium, NaN where there is none.

    figure: column of `per_image.figures_of`.
    """
    line = np.full(count, np.nan, np.float32)
    here = [f for f in frames if f.key.media == media and f.key.index < count]
    step = max(1, AT_ONCE // here[0].counts.size) if here else 1
    for first in range(0, len(here), step):
        some = here[first : first + step]
        values = figures_of(np.stack([f.counts for f in some]))[:, figure]
        line[[f.key.index for f in some]] = values
    return line
