"""Session: the one owner of what is open, and of how it is looked at.

Widgets ask it, tell it, and listen to it; they hold no truth of their own. Everything here runs
in the UI thread and returns at once. Slow things happen in the pipeline and in background jobs.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from segstudio.core.catalogue import ModelCard
from segstudio.core.classes import CAMVID, ClassMap
from segstudio.core.mask_style import MaskMode, MaskStyle
from segstudio.core.settings import Settings, setting
from segstudio.errors import SegStudioError
from segstudio.media.source import FrameSource, SourceInfo
from segstudio.store.models import load_card
from segstudio.ui import opening
from segstudio.ui.bridge.background import Background, Job
from segstudio.ui.bridge.live import LiveView
from segstudio.ui.models import ModelShelf
from segstudio.ui.opening import Opened, Opening
from segstudio.ui.readings import Meters
from segstudio.ui.view_state import ViewState

log = logging.getLogger("segstudio.ui")

INFO_MS = 200
"""How often a source is asked what its index has found meanwhile."""

READING_MS = 100
"""How often figures are refreshed: ten times a second, whatever the frame rate."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something people should know. kind: "error", "warning" or "info". detail: for experts."""

    text: str
    kind: str = "error"
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Playing:
    """What the transport shows. index: the frame on the screen or on its way, -1 for none."""

    is_playing: bool = False
    speed: float = 1.0
    is_looping: bool = False
    index: int = -1


class Session(QObject):
    """What is open: source, model, settings, view.

    Signals:
        source_changed(): `info` is new: another source, or more of the same one is known.
        opening_changed(): `opening` is new.
        shown_changed(): `result` is new: another frame, or another prediction of it.
        playing_changed(): `playing` is new.
        view_changed(): `view` is new.
        settings_changed(object): frozenset of the keys that changed.
        noticed(object): a Notice.
        reading_changed(object): a Reading, ten times a second while something moves.
    """

    source_changed = Signal()
    opening_changed = Signal()
    shown_changed = Signal()
    playing_changed = Signal()
    view_changed = Signal()
    settings_changed = Signal(object)
    noticed = Signal(object)
    reading_changed = Signal(object)

    def __init__(self, settings: Settings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.settings = settings
        self.background = Background(self)
        self.models = ModelShelf(self)
        self.models.wanted.connect(self._load_model)
        self.view = ViewState(_mode(settings.mask_mode), settings.opacity)
        self.playing = Playing(speed=settings.speed, is_looping=settings.loop)
        self.info: SourceInfo | None = None
        self.opening: Opening | None = None
        self.result: Any = None  # the PipelineResult on the screen
        self.meters = Meters()
        self._live: LiveView | None = None
        self._opening_job: Job | None = None
        self._retired: list[LiveView] = []
        self._last_error = ""
        self._asked_after = -1  # results up to this request do not move the position
        self._info_timer = self._every(INFO_MS, self._look_at_source)
        self._reading_timer = self._every(READING_MS, self._tell_reading)
        self._reading_timer.start()

    def _every(self, ms: int, slot: Callable[[], None]) -> QTimer:
        timer = QTimer(self)
        timer.setInterval(ms)
        timer.timeout.connect(slot)
        return timer

    # --- opening and closing a source

    def open(self, paths: Sequence[Path], *, is_remembered: bool = True) -> None:
        """Open pictures, a folder or a video in the background; what is shown stays until then."""
        title = opening.title_of(paths)
        remember = str(paths[0].absolute()) if len(paths) == 1 and is_remembered else ""
        self._open(title, opening.open_paths(paths, self.settings.cache_mb), remember)

    def open_demo(self) -> None:
        """Open the demo drive; it is rendered on first use."""
        self._open("Demo drive", opening.open_demo(self.settings.cache_mb), "")

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
            if remember:
                self.set_settings(self.settings.with_recent(remember))
            self._adopt(opened)

        def failure(error: Exception) -> None:
            self._opening_job = None
            self._set_opening(None)
            self.tell_error(error)

        job = self.background.run(
            op,
            success=success,
            failure=failure,
            progress=progress,
            discard=opening.close_unused,
            name="open",
        )
        self._opening_job = job

    def _set_opening(self, value: Opening | None) -> None:
        if value != self.opening:
            self.opening = value
            self.opening_changed.emit()

    def _adopt(self, source: FrameSource) -> None:
        """Show another source; the old one ends in the background."""
        self._retire()
        self._last_error = ""
        self._asked_after = -1
        self.result = None
        self.meters = Meters()
        self.info = source.info
        self._live = live = LiveView(source, self)
        live.arrived.connect(self._show_result)
        live.failed.connect(self._tell_failure)
        live.model_changed.connect(self.models.show_state)
        live.play_changed.connect(self._show_play)
        live.pipeline.set_loop(self.playing.is_looping)
        live.pipeline.set_every_frame(self.settings.every_frame)
        self._load_model()
        live.pipeline.seek(0)
        live.start()
        self.playing = replace(self.playing, index=0, is_playing=False)
        self.source_changed.emit()
        self.playing_changed.emit()
        self._info_timer.start()
        if self.info.kind == "video" and self.settings.play_on_open:
            self.play()

    def close_source(self) -> None:
        """Back to the empty window."""
        self.cancel_opening()
        if self._live is None:
            return
        self._retire()
        self.info, self.result = None, None
        self.playing = replace(self.playing, is_playing=False, index=-1)
        self.models.show_idle()
        self._info_timer.stop()
        self.source_changed.emit()
        self.shown_changed.emit()
        self.playing_changed.emit()

    def _retire(self) -> None:
        """Stop the present pipeline now; join it and close its source where it disturbs nobody."""
        live, self._live = self._live, None
        if live is None:
            return
        live.stop()
        self._retired.append(live)

        def end(_: Job) -> None:
            live.join(30.0)
            live.source.close()

        def forget(_: object) -> None:
            self._retired.remove(live)
            live.deleteLater()

        self.background.run(end, success=forget, failure=forget, name="retire")

    # --- playing

    @property
    def last_index(self) -> int:
        """The highest frame number known now, -1 without a source."""
        return -1 if self.info is None else self.info.frames - 1

    @property
    def can_play(self) -> bool:
        """True when there is more than one frame."""
        return self._live is not None and (self.last_index > 0 or not self._is_complete)

    @property
    def _is_complete(self) -> bool:
        return self.info is None or self.info.is_complete

    def play(self) -> None:
        """Go on from here; from the start when this is the end."""
        if self._live is not None and self.can_play:
            self.meters = Meters()
            self._live.pipeline.play(self.playing.speed)
            self._set_playing(is_playing=True)

    def pause(self) -> None:
        """Stay on the frame that is shown."""
        if self._live is not None:
            self._live.pipeline.pause()
            self._set_playing(is_playing=False)

    def toggle_play(self) -> None:
        """Play or pause."""
        if self.playing.is_playing:
            self.pause()
        else:
            self.play()

    def seek(self, index: int) -> None:
        """Show frame `index`, kept inside the source."""
        if self._live is None:
            return
        index = max(0, min(index, self.last_index) if self._is_complete else index)
        self._live.pipeline.seek(index)
        self._live.drop_waiting()
        self._asked_after = -1 if self.result is None else self.result.request
        self._set_playing(index=index)

    def step(self, by: int) -> None:
        """Pause and go `by` frames on (or back)."""
        if self._live is not None:
            self.pause()
            self.seek(self.playing.index + by)

    def set_loop(self, *, loop: bool) -> None:
        """Start again at the end, or stay there."""
        if self._live is not None:
            self._live.pipeline.set_loop(loop)
        self._set_playing(is_looping=loop)
        self.set_settings(replace(self.settings, loop=loop))

    def set_speed(self, speed: float) -> None:
        """Times real time."""
        if self._live is not None:
            self._live.pipeline.set_speed(speed)
        self._set_playing(speed=speed)
        self.set_settings(replace(self.settings, speed=speed))

    def time_us(self, index: int) -> int | None:
        """Presentation time of a frame; None for stills and frames not indexed yet."""
        return None if self._live is None else self._live.source.time_us(index)

    def _set_playing(self, **changes: Any) -> None:
        value = replace(self.playing, **changes)
        if value != self.playing:
            self.playing = value
            self.playing_changed.emit()

    # --- the model

    def add_model(self, folder: Path) -> None:
        """Use a model from any folder; its card is read in the background."""

        def op(_: Job) -> ModelCard:
            return load_card(folder)

        self.background.run(op, success=self.models.add, failure=self.tell_error, name="card")

    def use_model(self, name_or_path: str) -> None:
        """Use a model by its name or folder, as the command line names it."""
        if any(card.name == name_or_path for card in self.models.cards):
            self.models.choose(name_or_path)
        else:
            self.add_model(Path(name_or_path))

    @Slot()
    def _load_model(self) -> None:
        """Give the pipeline the chosen model."""
        changes = self.models.as_settings()
        self.set_settings(replace(self.settings, **changes))
        if self._live is not None:
            chosen = self.models.chosen
            self.meters = Meters()
            self._live.use_model(chosen, self.models.device, self.models.input_scale)

    @property
    def classes(self) -> ClassMap:
        """The class set of what is shown: of the prediction, else of the chosen model."""
        if self.result is not None and self.result.prediction is not None:
            return self.result.prediction.classes  # type: ignore[no-any-return]  # typed in engine
        chosen = self.models.chosen
        return CAMVID if chosen is None else chosen.classes

    # --- how it is looked at

    def style(self) -> MaskStyle:
        """What the canvas draws masks with."""
        return self.view.style(self.classes)

    def set_view(self, view: ViewState) -> None:
        """Look at it in another way; mode and opacity are remembered."""
        if view == self.view:
            return
        self.view = view
        self.view_changed.emit()
        self.set_settings(replace(self.settings, mask_mode=view.mode, opacity=view.opacity))

    def set_settings(self, settings: Settings) -> None:
        """Replace the settings and apply what changed, at once."""
        old, self.settings = self.settings, settings
        keys = frozenset(
            name for name in Settings.__slots__ if getattr(old, name) != getattr(settings, name)
        )
        if not keys:
            return
        if keys & {"mask_mode", "opacity"}:
            self.set_view(replace(self.view, mode=_mode(settings.mask_mode),
                                  opacity=settings.opacity))  # fmt: skip
        if "speed" in keys and settings.speed != self.playing.speed:
            self.set_speed(settings.speed)
        if "loop" in keys and settings.loop != self.playing.is_looping:
            self.set_loop(loop=settings.loop)
        if "every_frame" in keys and self._live is not None:
            self._live.pipeline.set_every_frame(settings.every_frame)
        if "input_scale" in keys:
            self.models.set_input_scale(settings.input_scale)
        self.settings_changed.emit(keys)

    def set_setting(self, key: str, value: object) -> None:
        """One setting; SettingsError when it cannot have that value."""
        self.set_settings(replace(self.settings, **{key: setting(key).checked(value)}))

    # --- what people are told

    def tell(self, text: str, kind: str = "info", detail: str = "") -> None:
        """Show a banner."""
        self.noticed.emit(Notice(text, kind, detail))

    def tell_error(self, error: Exception) -> None:
        """Show what went wrong; a bug goes on to the hook that shows the crash dialog."""
        if not isinstance(error, SegStudioError | OSError):
            raise error
        causes = []
        cause = error.__cause__
        while cause is not None:
            causes.append(f"{type(cause).__name__}: {cause}")
            cause = cause.__cause__
        self.tell(str(error), "error", "\n".join(causes))

    @Slot(object)
    def _tell_failure(self, error: Exception) -> None:
        """A frame or prediction failed; the same sentence is said once."""
        if str(error) != self._last_error:
            self._last_error = str(error)
            self.tell_error(error)

    # --- news

    @Slot(object)
    def _show_result(self, result: Any) -> None:
        self.result = result
        self.meters.add(result.frame, result.prediction)
        if result.request > self._asked_after:
            self._set_playing(index=result.frame.id.index)
        self.shown_changed.emit()

    @Slot(object)
    def _show_play(self, state: Any) -> None:
        self._set_playing(is_playing=state.playing)

    @Slot()
    def _look_at_source(self) -> None:
        if self._live is None:
            return
        info = self._live.source.info
        if info.is_complete:
            self._info_timer.stop()
        if info != self.info:
            new_notes = set(info.notes) - set(self.info.notes if self.info else ())
            self.info = info
            self.source_changed.emit()
            for note in sorted(new_notes):
                self.tell(note, "warning")

    @Slot()
    def _tell_reading(self) -> None:
        if self._live is None:
            return
        self.meters.skipped = self._live.skipped
        self.meters.count(self._live.delivered)
        self.reading_changed.emit(self.meters.reading())

    # --- the end

    def close(self, timeout_s: float = 5.0) -> list[str]:
        """Stop everything and wait; the names of threads that would not end in time."""
        self._info_timer.stop()
        self._reading_timer.stop()
        stuck: list[str] = []
        live, self._live = self._live, None
        if live is not None:
            live.stop()
            if not live.join(timeout_s):
                stuck.append("pipeline")
            live.source.close()
        return stuck + self.background.close(timeout_s / 2)


def _mode(name: str) -> MaskMode:
    """The mask mode called `name`; fill for a name that is none."""
    return name if name in ("outline", "hatched") else "fill"  # type: ignore[return-value]  # checked
