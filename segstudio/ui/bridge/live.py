"""LiveView: one source playing through one Pipeline, and its news in the UI thread.

A new source gets a new LiveView; the old one is told to stop at once and joined later, so that
the window never waits for a frame that is still being predicted. What an old one still delivers
goes nowhere: its ports are cut off first.
"""

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Qt, Signal, Slot

from segstudio.core.catalogue import ModelCard
from segstudio.core.frame import Frame
from segstudio.core.strategy import Strategy
from segstudio.engine.flow import CancelToken
from segstudio.media.source import FrameSource
from segstudio.ui import startup
from segstudio.ui.bridge.port import Port

if TYPE_CHECKING:  # the engine is imported when the first source is opened
    from segstudio.engine.pipeline import PipelineResult
    from segstudio.engine.predictor import Predictor

log = logging.getLogger("segstudio.ui")


class LiveView(QObject):
    """Lives in the UI thread; its pipeline does the work elsewhere.

    delivered, skipped: frames that came out of the pipeline, and frames it passed over.

    Signals:
        arrived(object): the newest PipelineResult.
        model_changed(object): ModelState.
        compared_changed(object): {letter: ModelState} of the models beside the first.
        play_changed(object): PlayState.
        failed(object): an exception: a frame or a prediction that went wrong.
    """

    arrived = Signal(object)
    model_changed = Signal(object)
    compared_changed = Signal(object)
    play_changed = Signal(object)
    failed = Signal(object)

    def __init__(
        self,
        source: FrameSource,
        parent: QObject | None = None,
        measure: "Callable[[PipelineResult], None] | None" = None,
    ) -> None:
        """measure: called in the infer thread with every result, also those nobody sees."""
        super().__init__(parent)
        from segstudio.engine.pipeline import Pipeline

        self.source = source
        self._measure = measure
        self._results, self._models, self._plays = Port(self), Port(self), Port(self)
        self._compared, self._replies = Port(self), Replies(self)
        self._results.arrived.connect(self._pass_result)
        self._results.failed.connect(self._pass_failure)
        self._models.arrived.connect(self._pass_model)
        self._plays.arrived.connect(self._pass_play)
        self._compared.arrived.connect(self._pass_compared)
        self.is_cut_off = False
        self.delivered = 0
        self.skipped = 0
        self.pipeline = Pipeline(
            source,
            on_result=self._count_and_deliver,
            on_error=self._results.fail,
            on_model=self._models.deliver,
            on_play=self._plays.deliver,
            on_compared=self._compared.deliver,
        )

    def _count_and_deliver(self, result: "PipelineResult") -> None:
        """The infer thread: counts what the window may be too busy to see."""
        self.delivered += 1
        self.skipped += result.skipped
        if self._measure is not None:
            self._measure(result)
        self._results.deliver(result)

    def start(self) -> None:
        """Begin; the first frame is asked for with `pipeline.seek` or `play`."""
        self.pipeline.start()

    def use_model(self, card: ModelCard | None, device: str, strategy: Strategy) -> int:
        """Load another model in the infer thread; None plays pictures without masks.

        Returns the request from which on results are of this model.
        """
        return self.pipeline.set_model(None if card is None else loader(card, device, strategy))

    def compare(self, loads: "Mapping[str, Callable[[], Predictor]]") -> int:
        """Have other models beside the first, by letter, see `loader`; returns as `use_model`."""
        return self.pipeline.set_compared(loads)

    def ask(
        self,
        letter: str,
        op: "Callable[[Predictor, Frame], Any]",
        then: Callable[[Any], None],
        token: CancelToken | None = None,
    ) -> None:
        """Do something with one model in the infer thread; `then` gets its value, or the error.

        token: is cancelled when this ends, for an op that takes long.
        """
        from segstudio.engine.seats import Question

        replies = self._replies
        self.pipeline.ask(
            Question(
                letter,
                op,
                lambda value: replies.came.emit(then, value),
                token if token is not None else CancelToken(),
            )
        )

    def drop_waiting(self) -> None:
        """Forget a result that the window has not seen yet, as after a seek."""
        self._results.drop()

    def stop(self) -> None:
        """Cut off and stop; returns at once. `join` waits."""
        self.is_cut_off = True
        self.pipeline.stop()

    def join(self, timeout_s: float) -> bool:
        """True when its threads have ended. Shutdown and tests only: the window never waits."""
        return self.pipeline.join(timeout_s)

    @Slot(object)
    def _pass_result(self, result: object) -> None:
        if not self.is_cut_off:
            self.arrived.emit(result)

    @Slot(object)
    def _pass_failure(self, error: object) -> None:
        if not self.is_cut_off:
            self.failed.emit(error)

    @Slot(object)
    def _pass_model(self, state: object) -> None:
        if not self.is_cut_off:
            self.model_changed.emit(state)

    @Slot(object)
    def _pass_compared(self, states: object) -> None:
        if not self.is_cut_off:
            self.compared_changed.emit(states)

    @Slot(object)
    def _pass_play(self, state: object) -> None:
        if not self.is_cut_off:
            self.play_changed.emit(state)


class Replies(QObject):
    """Brings values from the infer thread to whoever asked. Lives in the UI thread.

    Signals:
        came(object, object): whom to call with what.
    """

    came = Signal(object, object)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.came.connect(self._pass, Qt.ConnectionType.QueuedConnection)

    @Slot(object, object)
    def _pass(self, then: Callable[[Any], None], value: object) -> None:
        then(value)


def loader(card: ModelCard, device: str, strategy: Strategy) -> "Callable[[], Predictor]":
    """What the infer thread calls to get its Predictor; imports torch there, gently."""

    def load() -> "Predictor":
        startup.import_engine()
        from segstudio.engine.predictor import Predictor

        return Predictor(card, device, strategy=strategy)

    return load
