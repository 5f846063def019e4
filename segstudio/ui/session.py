"""Session: the one owner of what is open, and of how it is looked at.

Widgets ask it, tell it, and listen to it; they hold no truth of their own. Everything here runs
in the UI thread and returns at once. Slow things happen in the pipeline and in background jobs.
"""

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QTimer, Signal, Slot

from segstudio.core.catalogue import ModelCard
from segstudio.core.classes import CAMVID, ClassMap
from segstudio.core.mask_style import MaskStyle, mode_of
from segstudio.core.settings import Settings, setting
from segstudio.engine.pipeline import ModelState, PipelineResult
from segstudio.errors import SegStudioError
from segstudio.media.source import FrameSource, SourceInfo
from segstudio.store.models import load_card
from segstudio.ui import opening, showing
from segstudio.ui.bridge.background import Background, Job
from segstudio.ui.comparing.comparison import Comparison
from segstudio.ui.comparing.measuring import Measuring
from segstudio.ui.comparing.scoreboard import Scoreboard
from segstudio.ui.comparing.visiting import Visit
from segstudio.ui.correcting import belonging
from segstudio.ui.correcting.editor import Editor
from segstudio.ui.correcting.marks import FrameTable
from segstudio.ui.correcting.ranges import Ranges
from segstudio.ui.correcting.toolset import ToolSet
from segstudio.ui.correcting.watch import ProjectWatch
from segstudio.ui.inside.inside import Inside
from segstudio.ui.inside.saving import MapSaving
from segstudio.ui.models import ModelShelf
from segstudio.ui.notices import Notice, causes_of
from segstudio.ui.opening import BareWeights, Opened, Opening, ProjectFile
from segstudio.ui.player import Player, Playing
from segstudio.ui.readings import Meters
from segstudio.ui.suggesting.suggesting import Suggesting
from segstudio.ui.view_state import Layer, ViewState
from segstudio.ui.zoo import Zoo

if TYPE_CHECKING:
    from segstudio.store.project import MediaRecord, Project

READING_MS = 100
"""How often figures are refreshed: ten times a second, whatever the frame rate."""


class Session(QObject):
    """What is open: source (`player`), model (`models`), labels (`editor`), settings, view; what is
    compared (`comparison`, `scores`); what is seen inside models (`inside`, `saving`).

    Signals:
        opening_changed(): `opening` is new.
        shown_changed(): `result` is new: another frame, or another prediction of it.
        view_changed(): `view` is new.
        settings_changed(object): frozenset of the keys that changed.
        noticed(object): a Notice.
        reading_changed(object): a Reading, ten times a second.
        media_missing(object): MediaRecord of the project that lies nowhere any more.
        import_wanted(object): Path of weights without a card, that were opened or dropped.
    """

    opening_changed = Signal()
    shown_changed = Signal()
    view_changed = Signal()
    settings_changed = Signal(object)
    noticed = Signal(object)
    reading_changed = Signal(object)
    import_wanted = Signal(object)
    media_missing = Signal(object)

    def __init__(self, settings: Settings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.settings = settings
        self.background = Background(self)
        self.view = ViewState(mode_of(settings.mask_mode), settings.opacity)
        playing = Playing(speed=settings.speed, is_looping=settings.loop)
        self.player = Player(self.background, playing, self)
        self.player.set_every_frame(every=settings.every_frame)
        self.models = ModelShelf(self)
        self.zoo = Zoo(self.background, self)
        self.opening: Opening | None = None
        self.result: PipelineResult | None = None  # what is on the screen
        self.meters = Meters()
        self.tools = ToolSet(self)
        self.editor = Editor(self, self)
        self.frames = FrameTable(self.editor, self.background, self)
        self.watch = ProjectWatch(self, self.editor.projects, self.editor.current, self)
        self.tools.use(self.editor)
        self.ranges = Ranges(self, self.editor)
        self.comparison = Comparison(self, self.editor, self)
        self.scores = Scoreboard(self, self.editor, self.comparison, self)
        self.inside = Inside(self, self.comparison, self)
        self.editor.drafts.seen = lambda: self.inside.seen
        self.saving = MapSaving(self, self.inside, lambda: showing.masks_over_map(self))
        self.measuring = Measuring(self, self.editor, self.comparison, self.scores)
        self.visit = Visit(self, self.editor, self.comparison, self.show_media)
        self.suggesting = Suggesting(self, self.editor, self.comparison, self.frames)
        self._opening_job: Job | None = None
        self._last_error = ""
        self._told_notes: tuple[str, ...] = ()
        self.models.wanted.connect(self._use_model)
        self.player.arrived.connect(self._show_result)
        self.player.failed.connect(self._tell_failure)
        self.player.model_changed.connect(self._follow_model)
        self.player.source_changed.connect(self._tell_notes)
        self.player.changed.connect(self._remember_playing)
        self.player.changed.connect(self.editor.current.follow)
        self.editor.projects.opened.connect(self._show_project)
        self.comparison.changed.connect(self._remember_compared)
        self._timer = QTimer(self)
        self._timer.setInterval(READING_MS)
        self._timer.timeout.connect(self._tell_reading)
        self._timer.start()

    # --- opening and closing a source

    @property
    def info(self) -> SourceInfo | None:
        """What is known about the open source."""
        return self.player.info

    def open(self, paths: Sequence[Path]) -> None:
        """Open pictures, a folder or a video in the background; what is shown stays until then."""
        remember = str(paths[0].absolute()) if len(paths) == 1 else ""
        job = opening.open_paths(paths, self.settings.cache_mb)
        self._open(opening.title_of(paths), job, remember)

    def open_demo(self) -> None:
        """Open the demo drive; it is rendered on first use."""
        self._open("the demo drive", opening.open_demo(self.settings.cache_mb), "")

    def cancel_opening(self) -> None:
        """Stop what is being opened; nobody needs to be told."""
        if self._opening_job is not None:
            self._opening_job.token.cancel()
            self._opening_job = None
        self._set_opening(None)

    def _open(self, title: str, op: Callable[[Job], Opened], remember: str) -> None:
        self.cancel_opening()
        self._set_opening(Opening(title))

        def progress(fraction: float, text: str) -> None:
            if self._opening_job is job:
                self._set_opening(Opening(title, text, fraction))

        def success(opened: Opened) -> None:
            self._opening_job = None
            self._set_opening(None)
            if isinstance(opened, ModelCard):
                self.models.add(opened)
                return
            if isinstance(opened, ProjectFile):
                self.editor.projects.open(opened.file)
                return
            if isinstance(opened, BareWeights):
                self.import_wanted.emit(opened.file)
                return
            if remember:
                self.set_settings(self.settings.with_recent(remember))
            self._adopt(opened)

        def failure(error: Exception) -> None:
            self._opening_job = None
            self._set_opening(None)
            self.tell_error(error)

        job = self.background.run(
            op, success=success, failure=failure, progress=progress,
            discard=opening.close_unused, name="open",
        )  # fmt: skip
        self._opening_job = job

    def _set_opening(self, value: Opening | None) -> None:
        if value != self.opening:
            self.opening = value
            self.opening_changed.emit()

    def _adopt(self, source: FrameSource) -> None:
        """Show another source. The last picture stays on the screen until its first frame."""
        self._last_error, self._told_notes = "", ()
        self.result = None
        self.meters = Meters()
        self.player.show_source(source)
        self.editor.projects.follow(source.info, self.model_classes)
        shelf = self.models
        self.player.start(shelf.chosen, shelf.device, shelf.strategy)
        self.shown_changed.emit()
        if source.info.kind == "video" and self.settings.play_on_open:
            self.player.play()

    def close_source(self) -> None:
        """Back to the empty window."""
        self.cancel_opening()
        self.result = None
        self.player.close_source()
        self.editor.projects.follow(None, None)
        self.models.show_idle()
        self.shown_changed.emit()

    def create_project(self, path: Path) -> None:
        """A new project for what is open and what is opened from now on."""
        self.editor.projects.create(path, self.model_classes)

    @Slot(object)
    def _show_project(self, project: "Project") -> None:
        """A project was opened or made: what is shown joins a new one, else its own is shown."""
        for note in (project.why_read_only, *project.notes):
            if note:
                self.tell(note, "warning")
        self.set_settings(self.settings.with_recent(str(project.path.absolute())))
        if self.info is not None and not project.media():
            self.editor.projects.follow(self.info, self.model_classes)
        elif project.media():
            self.show_media(project.media()[0])

    def show_media(self, record: "MediaRecord") -> None:
        """Open one of the project's media, wherever it lies now; ask when it is nowhere."""
        project = self.editor.projects.project

        def success(found: list[Path]) -> None:
            if found:
                self.open(found)
            else:
                self.media_missing.emit(record)

        if project is not None:
            op = partial(_find, project, record)
            self.background.run(op, success=success, failure=self.tell_error, name="find-media")

    # --- the model

    def add_model(self, folder: Path) -> None:
        """Use a model from any folder; its card is read in the background."""
        self.background.run(
            lambda _: load_card(folder),
            success=self.models.add,
            failure=self.tell_error,
            name="card",
        )

    def use_model(self, name_or_path: str) -> None:
        """Use a model by its name or folder, as the command line names it."""
        if any(card.name == name_or_path for card in self.models.cards):
            self.models.choose(name_or_path)
        else:
            self.add_model(Path(name_or_path))

    @Slot()
    def _use_model(self) -> None:
        """Another model, device or strategy was chosen."""
        shelf = self.models
        self.set_settings(replace(self.settings, model=shelf.name_to_remember, device=shelf.device))
        self.meters = Meters()
        self.player.use_model(shelf.chosen, shelf.device, shelf.strategy)

    @Slot(object)
    def _follow_model(self, state: ModelState) -> None:
        """Figures of another model, or of none, do not belong together."""
        self.meters = Meters()
        self.models.show_state(state)

    @property
    def model_classes(self) -> ClassMap:
        """The class set of the prediction on the screen, else of the chosen model."""
        if self.result is not None and self.result.prediction is not None:
            return self.result.prediction.classes
        chosen = self.models.chosen
        return CAMVID if chosen is None else chosen.classes

    @property
    def classes(self) -> ClassMap:
        """The class set of what is shown: the project's, unless the prediction itself is."""
        return self.model_classes if self.view.layer == "prediction" else self.editor.classes

    @property
    def shown_classes(self) -> ClassMap:
        """The same with the colours they are drawn with."""
        return showing.safe(self.classes) if self.settings.safe_colors else self.classes

    def shown_labels(self, layer: Layer | None = None) -> NDArray[np.uint8] | None:
        """uint8 (H, W) to draw over the frame on the screen; None: the prediction's own.

        layer: None for the one that is looked at.
        """
        return showing.labels_of(self.editor, self.result, layer or self.view.layer)

    # --- how it is looked at

    def style(self) -> MaskStyle:
        """What the canvas draws masks with."""
        return showing.style_of(self.editor, self.view, self.shown_classes)

    def set_view(self, view: ViewState) -> None:
        """Look at it in another way; mode and opacity are remembered."""
        if view == self.view:
            return
        self.view = view
        self.view_changed.emit()
        self.set_settings(replace(self.settings, mask_mode=view.mode, opacity=view.opacity))

    # --- settings

    def set_setting(self, key: str, value: object) -> None:
        """One setting; SettingsError when it cannot have that value."""
        self.set_settings(replace(self.settings, **{key: setting(key).checked(value)}))

    def set_settings(self, settings: Settings) -> None:
        """Replace the settings and apply what changed, at once."""
        old, self.settings = self.settings, settings
        keys = frozenset(
            f.name for f in fields(settings) if getattr(old, f.name) != getattr(settings, f.name)
        )
        if not keys:
            return
        mode, opacity = mode_of(settings.mask_mode), settings.opacity
        self.set_view(replace(self.view, mode=mode, opacity=opacity))
        if settings.speed != self.player.playing.speed:
            self.player.set_speed(settings.speed)
        if settings.loop != self.player.playing.is_looping:
            self.player.set_loop(loop=settings.loop)
        if "every_frame" in keys:
            self.player.set_every_frame(every=settings.every_frame)
        self.models.set_strategy(settings.strategy)
        self.settings_changed.emit(keys)

    @Slot()
    def _remember_playing(self) -> None:
        """Speed and loop outlive the window."""
        now = self.player.playing
        self.set_settings(replace(self.settings, speed=now.speed, loop=now.is_looping))

    @Slot()
    def _remember_compared(self) -> None:
        """The other models outlive the window too."""
        self.set_settings(replace(self.settings, compared=self.comparison.kept))

    # --- what people are told

    def tell(self, text: str, kind: str = "info", detail: str = "", model: str = "") -> None:
        """Show a banner."""
        self.noticed.emit(Notice(text, kind, detail, model))

    @Slot(object)
    def tell_error(self, error: Exception) -> None:
        """Show what went wrong; a bug goes on to the hook that shows the crash dialog."""
        if not isinstance(error, SegStudioError | OSError):
            raise error
        self.tell(str(error), "error", causes_of(error))

    @Slot(object)
    def _tell_failure(self, error: Exception) -> None:
        """A frame or prediction failed; the same sentence is said once."""
        if str(error) != self._last_error:
            self._last_error = str(error)
            self.tell_error(error)

    @Slot()
    def _tell_notes(self) -> None:
        """What is missing or odd about a source, each sentence once."""
        notes = () if self.info is None else self.info.notes
        new, self._told_notes = [n for n in notes if n not in self._told_notes], notes
        for note in new:
            self.tell(note, "warning")

    @Slot(object)
    def _show_result(self, result: PipelineResult) -> None:
        self.result = result
        self.editor.current.follow()
        self.meters.add(result.frame, result.prediction)
        self.shown_changed.emit()
        self.comparison.follow()

    @Slot()
    def _tell_reading(self) -> None:
        if self.player.has_source:
            delivered, self.meters.skipped = self.player.counts
            self.meters.count(delivered)
            self.reading_changed.emit(self.meters.reading())

    # --- the end

    def close(self, timeout_s: float = 5.0) -> list[str]:
        """Stop everything and wait; the names of threads that would not end in time."""
        self._timer.stop()
        stuck = self.editor.close(timeout_s)
        stuck += self.player.shut_down(timeout_s)
        return stuck + self.background.close(timeout_s / 2)


def _find(project: "Project", record: "MediaRecord", _: Job) -> list[Path]:
    return belonging.found(project, record)
