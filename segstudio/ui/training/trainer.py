"""Training as the program sees it: one run at a time, one window that may come and go.

Whoever owns a project and models gives this what it needs as functions, and listens to what people
want done with the new model.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QWidget

from segstudio.core.catalogue import ModelCard
from segstudio.core.classes import ClassMap
from segstudio.core.training import TrainRecipe
from segstudio.errors import SegStudioError
from segstudio.store.class_sets import load_class_set
from segstudio.store.project import Project
from segstudio.ui.bridge.background import Background, Job
from segstudio.ui.dialogs.training.window import TrainWindow
from segstudio.ui.training.offers import NO_PROJECT, Offer, offer_of, runs_folder
from segstudio.ui.training.outcome import Outcome, outcome_of
from segstudio.ui.training.process import TrainingProcess
from segstudio.ui.training.run_folder import new_run
from segstudio.ui.training.yielding import Live, Yielding

WRITTEN_S = 30
"""Seconds after which labels that are still not on the disk stop a run from beginning."""


@dataclass(frozen=True, slots=True)
class Sources:
    """What is asked when it is needed. project: None when none is open. models: that are installed.
    model: name of the one that drafts come from, "" for none. live: the live view, which may rest
    while a run goes on; None when there is none.
    """

    project: Callable[[], Project | None]
    models: Callable[[], Sequence[ModelCard]]
    model: Callable[[], str]
    live: Live | None = None


class Trainer(QObject):
    """UI thread only.

    Signals:
        compare_wanted(ModelCard, str): the new model beside that one ("" when from scratch).
        use_wanted(ModelCard): drafts shall come from it. models_changed(): there is a new one.
        failed(str): one sentence. changed(): a run began or ended, or is paused.
        frame_wanted(object): the Place of a held-out frame that a person wants to see.
    """

    compare_wanted = Signal(object, str)
    use_wanted = Signal(object)
    models_changed = Signal()
    failed = Signal(str)
    changed = Signal()
    frame_wanted = Signal(object)

    def __init__(
        self,
        sources: Sources,
        background: Background,
        parent: QObject | None = None,
        *,
        process: TrainingProcess | None = None,
        runs: Path | None = None,
    ) -> None:
        """process, runs: others than this program's and this person's, for tests."""
        super().__init__(parent)
        self._sources, self._background = sources, background
        self._runs = runs
        self.process = process or TrainingProcess(self)
        self.window: TrainWindow | None = None
        self._base = ""
        self._outcome: Outcome | None = None
        self.process.state_changed.connect(self.changed)
        self.yielding: Yielding | None = None
        if sources.live is not None:
            self.yielding = Yielding(self.process, sources.live, self)

    @property
    def runs(self) -> Path:
        """Where runs are kept."""
        return self._runs or runs_folder()

    def open(self, parent: QWidget | None = None) -> TrainWindow:
        """The window, as it was left; the page of the run when one goes on."""
        if self.window is None:
            self.window = made = TrainWindow(parent, self.process, self._background)
            made.offer_wanted.connect(self._gather)
            made.train_wanted.connect(self.begin)
            made.resume_wanted.connect(self.go_on)
            made.result_wanted.connect(self._measure)
            made.compare_wanted.connect(lambda card: self.compare_wanted.emit(card, self._base))
            made.use_wanted.connect(self.use_wanted)
            made.frame_wanted.connect(self._show_frame)
            if self.yielding is not None:
                made.yield_wanted.connect(self.yielding.want)
                self.yielding.changed.connect(self._show_yielding)
                self._show_yielding()
        self.window.show()
        self.window.raise_()
        self.window.activateWindow()
        return self.window

    def close(self) -> None:
        """The program ends; a run can be resumed the next time."""
        self.process.close()
        if self.window is not None:
            self.window.close()
            self.window.deleteLater()
            self.window = None

    @Slot()
    def _show_yielding(self) -> None:
        if self.window is not None and self.yielding is not None:
            self.window.show_yielding(is_on=self.yielding.is_wanted)

    # --- what is offered

    @Slot()
    def _gather(self) -> None:
        self._show_yielding()
        project, models = self._sources.project(), tuple(self._sources.models())
        base = self._sources.model()
        if project is None:
            nothing = Offer(Path(), _nothing_open(models), {}, models, base, trouble=NO_PROJECT)
            self._offer(nothing)
            return
        self._background.run(
            lambda _job: offer_of(project, models, base, self.runs),
            success=self._offer,
            failure=self._fail,
            name="training-offer",
        )

    def _offer(self, offer: Offer) -> None:
        if self.window is not None:
            self.window.show_offer(offer)

    # --- runs

    @Slot(object)
    def begin(self, recipe: TrainRecipe) -> None:
        """A new run, once everything that was painted is on the disk."""
        project = self._sources.project()
        if project is None:
            self._say(NO_PROJECT)
            return
        self._background.run(
            partial(_new_run, project, recipe, self.runs),
            success=self.go_on,
            failure=self._fail,
            name="training-begin",
        )

    @Slot(object)
    def go_on(self, run: Path) -> None:
        """Begin a run that is made, or go on where it was interrupted."""
        try:
            recipe = TrainRecipe.from_json((run / "recipe.json").read_text(encoding="utf-8"))
            classes = load_class_set(recipe.classes)
            self.process.start(run)
        except (OSError, SegStudioError) as error:
            self._fail(error)
            return
        self._base = self._name_of(recipe.base)
        if self.window is not None:
            self.window.show_run(self._about(recipe), classes, recipe.steps)

    def _name_of(self, base: str) -> str:
        """Of the model at that place; "" for none."""
        return next((c.name for c in self._sources.models() if base == str(c.folder)), "")

    def _about(self, recipe: TrainRecipe) -> str:
        title = next((c.title for c in self._sources.models() if c.name == self._base), recipe.net)
        return f"{title} · {recipe.steps:,} steps · seed {recipe.seed}"

    # --- what came of it

    @Slot(object)
    def _measure(self, run: Path) -> None:
        def op(job: Job) -> Outcome:
            return outcome_of(run, job.report, job.token)

        self._background.run(
            op, success=self._tell, failure=partial(self._no_model, run), name="training-outcome"
        )

    @Slot(int)
    def _show_frame(self, number: int) -> None:
        """A held-out frame by its number among those that were compared."""
        found = self._outcome
        name = found.frames[number] if found is not None and number < len(found.frames) else ""
        place = found.places.get(name) if found is not None else None
        if place is None:
            self.failed.emit(f"{name or 'That frame'} is of no clip of this project.")
        else:
            self.frame_wanted.emit(place)

    def _tell(self, outcome: Outcome) -> None:
        self._outcome = outcome
        self.models_changed.emit()
        if self.window is not None:
            self.window.show_result(outcome.card, outcome.gains, outcome.frames, outcome.trouble)

    def _no_model(self, run: Path, error: Exception) -> None:
        """The weights are there, but no model could be made or measured."""
        self._fail(error)
        if self.window is not None:
            self.window.outcome.show_nothing(_sentence(error), run)

    def _fail(self, error: Exception) -> None:
        self._say(_sentence(error))

    def _say(self, text: str) -> None:
        self.failed.emit(text)
        if self.window is not None:
            self.window.what.show_trouble(text)


def _new_run(project: Project, recipe: TrainRecipe, runs: Path, _job: Job) -> Path:
    """Any thread. What waits to be written is written first: the run reads the file."""
    run = new_run(runs, recipe, project.classes)
    if not project.is_read_only:
        try:
            project.put_setting("last_run", run.name).result(WRITTEN_S)
        except TimeoutError as error:
            raise SegStudioError(
                f"{project.path.name} is still being written; wait until it is saved, then train."
            ) from error
    return run


def _nothing_open(models: Sequence[ModelCard]) -> ClassMap:
    """Classes to show while there is no project."""
    return models[0].classes if models else load_class_set("camvid")


def _sentence(error: Exception) -> str:
    if isinstance(error, SegStudioError):
        return str(error)
    return f"Something went wrong ({type(error).__name__}: {error}); look into the log."
