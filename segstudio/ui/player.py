"""Player: the open source and where in it we are. Part of the session.

Asks the pipeline and says at once what was asked for, so that the transport answers before the
frame is there; what really came corrects it.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from segstudio.core.catalogue import ModelCard
from segstudio.core.strategy import Strategy
from segstudio.engine.flow import CancelToken
from segstudio.engine.pipeline import ModelState, PipelineResult, PlayState
from segstudio.engine.seats import FIRST
from segstudio.errors import Cancelled
from segstudio.media.source import FrameSource, SourceInfo
from segstudio.ui.bridge.background import Background, Job
from segstudio.ui.bridge.live import LiveView
from segstudio.ui.comparing.speeds import Speeds

if TYPE_CHECKING:
    from segstudio.core.frame import Frame
    from segstudio.engine.predictor import Predictor

log = logging.getLogger("segstudio.ui")

INFO_MS = 200
"""How often a source is asked what its index has found meanwhile."""


@dataclass(frozen=True, slots=True)
class Playing:
    """What the transport shows. index: the frame on the screen or on its way, -1 for none."""

    is_playing: bool = False
    speed: float = 1.0
    is_looping: bool = False
    index: int = -1


@runtime_checkable
class HasReady(Protocol):
    """A source that knows which frames need no decoding any more."""

    def is_ready(self, index: int) -> bool:
        """True when `read(index)` would return at once."""
        ...


class Player(QObject):
    """Lives in the UI thread; every method returns at once.

    is_resting: models are out of memory for a while, and pictures go on without masks.

    Signals:
        source_changed(): `info` is new: another source, or more of the same one is known.
        changed(): `playing` is new.
        arrived(object): the newest PipelineResult.
        model_changed(object): ModelState of the pipeline.
        compared_changed(object): {letter: ModelState} of the models beside the first.
        failed(object): the exception of a frame or a prediction.
    """

    source_changed = Signal()
    changed = Signal()
    arrived = Signal(object)
    model_changed = Signal(object)
    compared_changed = Signal(object)
    failed = Signal(object)

    def __init__(self, background: Background, playing: Playing, parent: QObject) -> None:
        super().__init__(parent)
        self.playing = playing
        self.speeds = Speeds()
        self.watchers: list[Callable[[PipelineResult], None]] = []  # called in the infer thread
        self.model_since = 0  # the request from which on results are of the chosen model
        self.info: SourceInfo | None = None
        self.opened = 0  # sources so far: each has a pipeline, and models, of its own
        self.is_resting = False
        self._background = background
        self._live: LiveView | None = None
        self._model: tuple[ModelCard | None, str, Strategy] | None = None
        self._compared: Mapping[str, Callable[[], Predictor]] = {}
        self._is_every_frame = False
        self._shown_index = -1
        self._asked_after = -1  # results up to this request do not move the position
        self._dropped_below = 0  # results of older requests are not shown
        self._timer = QTimer(self)
        self._timer.setInterval(INFO_MS)
        self._timer.timeout.connect(self._look_at_source)

    # --- the source

    @property
    def has_source(self) -> bool:
        """True while something is open."""
        return self._live is not None

    @property
    def last_index(self) -> int:
        """The highest frame number known now, -1 without a source."""
        return -1 if self.info is None else self.info.frames - 1

    @property
    def can_play(self) -> bool:
        """True when there is more than one frame."""
        if self.info is None:
            return False
        return self.last_index > 0 or (self.info.kind == "video" and not self.info.is_complete)

    def time_us(self, index: int) -> int | None:
        """Presentation time of a frame; None for stills and frames not indexed yet."""
        return None if self._live is None else self._live.source.time_us(index)

    def ready_until(self) -> int:
        """The last frame of those that follow the present one and need no decoding any more."""
        index = self.playing.index
        if self._live is None or not isinstance(self._live.source, HasReady):
            return index
        while index < self.last_index and self._live.source.is_ready(index + 1):
            index += 1
        return index

    @property
    def counts(self) -> tuple[int, int]:
        """Frames that came out of the pipeline, and frames it passed over."""
        return (0, 0) if self._live is None else (self._live.delivered, self._live.skipped)

    def show_source(self, source: FrameSource) -> None:
        """Show another source from its first frame; the old one ends in the background."""
        self._retire()
        self._asked_after = self._shown_index = -1
        self._dropped_below = 0
        self.opened += 1
        self.speeds.clear()
        self.info = source.info
        self._live = live = LiveView(source, self, self._measure)
        live.arrived.connect(self._take_result)
        live.failed.connect(self._take_failure)
        live.model_changed.connect(self._take_model)
        live.compared_changed.connect(self.compared_changed)
        live.play_changed.connect(self._take_play)
        live.pipeline.set_loop(self.playing.is_looping)
        live.pipeline.set_every_frame(self._is_every_frame)
        live.pipeline.seek(0)
        self._timer.start()
        self._set(index=0, is_playing=False)
        self.source_changed.emit()

    def start(self, card: ModelCard | None, device: str, strategy: Strategy) -> None:
        """Begin with a model (or none)."""
        self.use_model(card, device, strategy)
        if self._live is not None:
            self._live.start()

    def use_model(self, card: ModelCard | None, device: str, strategy: Strategy) -> None:
        """Another model from now on; while models rest, afterwards."""
        self._model = card, device, strategy
        self._load()

    def _load(self) -> None:
        if self._live is not None and self._model is not None:
            card, device, strategy = self._model
            card = None if self.is_resting else card
            self.model_since = self._live.use_model(card, device, strategy)

    def compare(self, loads: "Mapping[str, Callable[[], Predictor]]") -> int:
        """Have these models beside the first from now on, by letter.

        Returns the request from which on results are of these models.
        """
        self._compared = dict(loads)
        return 0 if self._live is None else self._live.compare({} if self.is_resting else loads)

    def rest(self, *, on: bool) -> None:
        """Take all models out of memory, somebody else needs it; or load them again."""
        if on != self.is_resting:
            self.is_resting = on
            self._load()
            if self._live is not None and self._compared:
                self._live.compare({} if on else self._compared)

    def ask(
        self,
        letter: str,
        op: "Callable[[Predictor, Frame], Any]",
        then: Callable[[Any], None],
        token: CancelToken | None = None,
    ) -> None:
        """Do something with one model while no other runs; `then` gets its value, or the error.

        token: is cancelled when the source is closed meanwhile, for an op that takes long.
        """
        if self._live is not None:
            self._live.ask(letter, op, then, token)

    def refresh(self) -> None:
        """Predict the frame on the screen once more."""
        if self._live is not None:
            self._live.pipeline.refresh()

    def asker(
        self,
    ) -> "Callable[[str, Callable[[Predictor, Frame], Any], Callable[[Any], None]], None]":
        """The same for a job's thread: `then` is called in the infer thread."""
        from segstudio.engine.seats import Question

        live = self._live

        def ask(letter: str, op: Any, then: Callable[[Any], None]) -> None:  # noqa: ANN401
            if live is None or live.is_cut_off:
                then(Cancelled())
            else:
                live.pipeline.ask(Question(letter, op, then))

        return ask

    def _measure(self, result: PipelineResult) -> None:
        """The infer thread, before a result is on its way to the window."""
        self.speeds.add_result(result)
        for watcher in self.watchers:
            watcher(result)

    def close_source(self) -> None:
        """Nothing is open any more."""
        self._retire()
        self._timer.stop()
        self.info = None
        self.opened += 1
        self._set(index=-1, is_playing=False)
        self.source_changed.emit()

    def _retire(self) -> None:
        """Stop the present pipeline now; join it and close its source where it disturbs nobody."""
        live, self._live = self._live, None
        if live is None:
            return
        live.stop()

        def end(_: Job) -> bool:
            has_ended = live.join(30.0)
            live.source.close()
            return has_ended

        def forget(ended: object) -> None:
            if ended is True:  # a thread that still loads a model will yet speak to its port
                live.deleteLater()

        self._background.run(end, success=forget, failure=forget, name="retire")

    def shut_down(self, timeout_s: float) -> list[str]:
        """Stop and wait; what would not end in time."""
        self._timer.stop()
        live, self._live = self._live, None
        if live is None:
            return []
        live.stop()
        deadline = time.monotonic() + timeout_s
        stuck = [] if live.join(timeout_s) else ["segstudio-infer or segstudio-clock"]
        closing = threading.Thread(target=live.source.close, name="segstudio-close", daemon=True)
        closing.start()
        closing.join(max(0.2, deadline - time.monotonic()))
        return [*stuck, closing.name] if closing.is_alive() else stuck

    @Slot()
    def _look_at_source(self) -> None:
        if self._live is None:
            return
        info = self._live.source.info
        if info.is_complete and info.progress >= 1:
            self._timer.stop()
        if info != self.info:
            self.info = info
            self.source_changed.emit()

    # --- where we are

    def play(self) -> None:
        """Go on from here; from the start when this is the end."""
        if self._live is not None and self.can_play:
            self._live.pipeline.play(self.playing.speed)
            self._set(is_playing=True)

    def pause(self) -> None:
        """Stay on the frame that is shown."""
        if self._live is not None:
            self._live.pipeline.pause()
            self._set(is_playing=False)

    def freeze(self) -> None:
        """Pause on the very frame that is shown: nothing that is on its way replaces it.

        Somebody begins to paint on it.
        """
        self.pause()
        if self._live is not None and self._shown_index >= 0:
            self._dropped_below = self._live.pipeline.seek(self._shown_index)
            self._asked_after = self._dropped_below - 1
            self._live.drop_waiting()
            self._set(index=self._shown_index)

    def toggle(self) -> None:
        """Play or pause."""
        if self.playing.is_playing:
            self.pause()
        else:
            self.play()

    def seek(self, index: int) -> None:
        """Show frame `index`, kept inside the source."""
        self._look_at_source()
        if self._live is None or self.info is None:
            return
        last = self.last_index if self.info.is_complete else index
        index = max(0, min(index, last))
        # Answers to what was asked before may still come: they do not move the position back.
        self._asked_after = self._live.pipeline.seek(index) - 1
        self._live.drop_waiting()
        self._set(index=index)

    def step(self, by: int) -> None:
        """Pause and go `by` frames on (or back)."""
        if self._live is not None:
            self.pause()
            self.seek(self.playing.index + by)

    def set_loop(self, *, loop: bool) -> None:
        """Start again at the end, or stay there."""
        if self._live is not None:
            self._live.pipeline.set_loop(loop)
        self._set(is_looping=loop)

    def set_speed(self, speed: float) -> None:
        """Times real time."""
        if self._live is not None:
            self._live.pipeline.set_speed(speed)
        self._set(speed=speed)

    def set_every_frame(self, *, every: bool) -> None:
        """Whether the clock waits for the model."""
        self._is_every_frame = every
        if self._live is not None:
            self._live.pipeline.set_every_frame(every)

    def _set(self, **changes: Any) -> None:  # noqa: ANN401 - fields of Playing
        value = replace(self.playing, **changes)
        if value != self.playing:
            self.playing = value
            self.speeds.set_playing(playing=value.is_playing)
            self.changed.emit()

    @Slot(object)
    def _take_result(self, result: PipelineResult) -> None:
        if result.request < self._dropped_below:
            return
        self._shown_index = result.frame.id.index
        if result.request > self._asked_after:
            self._set(index=result.frame.id.index)
        self.arrived.emit(result)

    @Slot(object)
    def _take_failure(self, error: Exception) -> None:
        """The frame that was asked for will not come: back to the one that is shown."""
        if not self.playing.is_playing and self._shown_index >= 0:
            self._set(index=self._shown_index)
        self.failed.emit(error)

    @Slot(object)
    def _take_model(self, state: ModelState) -> None:
        self.speeds.begin(FIRST)
        self.model_changed.emit(state)

    @Slot(object)
    def _take_play(self, state: PlayState) -> None:
        self._set(is_playing=state.playing)
