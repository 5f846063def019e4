"""The worker that predicts: a mailbox for one frame, and the model that looks at it.

Imports no torch: that comes with the first predictor, in the worker's thread.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from segstudio.core.frame import Frame
from segstudio.engine.play import ModelState, PipelineResult
from segstudio.engine.seats import FIRST, Load, Question, Seats, log_bug
from segstudio.errors import Cancelled

if TYPE_CHECKING:
    from segstudio.engine.predictor import Predictor

log = logging.getLogger("segstudio.engine")

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    frame: Frame
    request: int
    put_at: float


@dataclass(frozen=True, slots=True, eq=False)
class Listeners:
    """Who is told. Called in worker threads, one at a time."""

    on_result: Callable[[PipelineResult], None]
    on_error: Callable[[Exception], None]
    on_model: Callable[[ModelState], None]
    on_compared: Callable[[dict[str, ModelState]], None]


class InferWorker:
    """Takes the newest frame, predicts it, hands on the result; loads and owns the model.

    change: the pipeline's one condition. Methods that say so are called while holding it.
    """

    def __init__(self, change: threading.Condition, listeners: Listeners) -> None:
        self._change = change
        self._listeners = listeners
        self._telling = threading.Lock()
        # The worker thread's own:
        self._last: Frame | None = None
        self._seats = Seats()
        # Guarded by change:
        self._is_stopped = True
        self._job: _Job | None = None
        self._skipped = 0
        self._request = 0
        self._wants_again = False
        self._load: tuple[Callable[[], Predictor] | None] | None = None
        self._is_loading = False
        self._loads: Mapping[str, Load] | None = None
        self._questions: deque[Question] = deque()
        self._asking: Question | None = None

    @property
    def is_full(self) -> bool:
        """True while a frame waits. Holding change."""
        return self._job is not None

    def set_running(self, *, running: bool) -> None:
        """Begin, or end after what is being done now. Holding change."""
        self._is_stopped = not running
        if not running:
            self._job = None
            if self._asking is not None:
                self._asking.token.cancel()
        self._change.notify_all()

    def set_model(self, load: "Callable[[], Predictor] | None", request: int) -> None:
        """Change the model before the next frame. Holding change."""
        self._load = (load,)
        self._request = max(self._request, request)
        self._change.notify_all()

    def set_compared(self, loads: Mapping[str, Load], request: int) -> None:
        """Other models beside the first, before the next frame. Holding change."""
        self._loads = dict(loads)
        self._wants_again = True
        self._request = max(self._request, request)
        self._change.notify_all()

    def ask(self, question: Question) -> bool:
        """Do it after the next frame; False when nobody would. Holding change."""
        if not self._is_stopped:
            self._questions.append(question)
            self._change.notify_all()
        return not self._is_stopped

    def again(self, request: int) -> None:
        """Predict the last frame once more, unless a newer one waits. Holding change."""
        self._wants_again = True
        self._request = max(self._request, request)
        self._change.notify_all()

    def pass_over(self, frames: int) -> None:
        """Count frames that will never come. Holding change."""
        self._skipped += frames

    def put(self, frame: Frame, request: int) -> _Job | None:
        """Leave a frame; one that still waits is passed over. Holding change.

        Give what comes back to `show_bare` after letting go of change.
        """
        if self._is_stopped:
            return None
        if self._job is not None and not self._is_loading:
            self._skipped += 1
        self._request = max(self._request, request)
        self._job = _Job(frame, self._request, time.perf_counter())
        self._change.notify_all()
        return self._job

    def show_bare(self, job: _Job | None) -> None:
        """Hand on a waiting frame without labels, if it would wait for a model to load.

        So pictures go on meanwhile. Not holding change.
        """
        if job is None:
            return
        with self._telling:
            # Asked under the lock that a prediction would need: a bare frame never comes after
            # its own prediction.
            with self._change:
                if not self._is_loading or self._job is not job:
                    return
                skipped, self._skipped = self._skipped, 0
            self._listeners.on_result(PipelineResult(job.frame, None, job.request, 0.0, skipped))

    def tell(self, listener: Callable[[T], None], value: T) -> None:
        """Call a listener, one at a time over all threads. Not holding change."""
        with self._telling:
            listener(value)

    def run(self) -> None:
        """The thread's body; returns once stopped. The model is closed then."""
        predictor: Predictor | None = None
        try:
            while True:
                with self._change:
                    self._change.wait_for(self._has_work)
                    if self._is_stopped:
                        return
                    load, self._load = self._load, None
                    loads, self._loads = self._loads, None
                    self._is_loading = load is not None or loads is not None
                    waiting = self._job
                if self._is_loading:
                    self.show_bare(waiting)
                if load is not None:
                    predictor = self._change_model(predictor, load[0])
                if loads is not None:
                    self._seats.seat(loads, self._tell_seats, lambda: self._is_stopped)
                with self._change:
                    # A frame may have been predicted since they were named, without them.
                    self._wants_again |= loads is not None
                    self._is_loading = False
                    job, skipped = self._take()
                if job is not None:
                    self._last = job.frame
                    predictor = self._answer(predictor, job, skipped)
                self._answer_question(predictor)
        finally:
            with self._change:
                self._is_loading = False
                left = list(self._questions)
                self._questions.clear()
            for question in left:
                self.tell(question.done, Cancelled())
            if predictor is not None:
                predictor.close()
            self._seats.close()

    def _has_work(self) -> bool:
        return (
            self._is_stopped
            or self._load is not None
            or self._loads is not None
            or bool(self._questions)
            or self._job is not None
            or (self._wants_again and self._last is not None)
        )

    def _take(self) -> tuple[_Job | None, int]:
        """The newest frame, or the last one once more. Holding change."""
        job, self._job = self._job, None
        if job is not None and job.request < self._request:  # asked for again meanwhile
            job = _Job(job.frame, self._request, job.put_at)
        if job is None and self._wants_again and self._last is not None:
            job = _Job(self._last, self._request, time.perf_counter())
        if job is None or self._is_stopped:
            return None, 0
        self._wants_again = False
        skipped, self._skipped = self._skipped, 0
        self._change.notify_all()
        return job, skipped

    def _change_model(
        self, old: "Predictor | None", load: "Callable[[], Predictor] | None"
    ) -> "Predictor | None":
        if old is not None:
            old.close()
        with self._change:
            self._wants_again = True
        if load is None:
            self.tell(self._listeners.on_model, ModelState("none", ""))
            return None
        self.tell(self._listeners.on_model, ModelState("loading", ""))
        try:
            new = load()
        except Exception as error:  # noqa: BLE001 - whatever it is, pictures go on without labels
            log_bug(error, "a model could not be loaded")
            self.tell(self._listeners.on_model, ModelState("failed", "", error=error))
            return None
        self.tell(self._listeners.on_model, ModelState("ready", new.card.name, new.device))
        return new

    def _answer(self, predictor: "Predictor | None", job: _Job, skipped: int) -> "Predictor | None":
        """Predict and hand on; a predictor that fails is closed, and None comes back.

        A damaged frame is shown and never labelled.
        """
        queue_ms = (time.perf_counter() - job.put_at) * 1000.0
        prediction = None
        if predictor is not None and not job.frame.note:
            try:
                prediction = predictor.predict(job.frame, request=job.request)
            except Exception as error:  # noqa: BLE001 - as above
                log_bug(error, f"frame {job.frame.id.index} could not be predicted")
                failed = ModelState("failed", predictor.card.name, predictor.device, error)
                predictor.close()
                predictor = None
                self.tell(self._listeners.on_error, error)
                self.tell(self._listeners.on_model, failed)
        others = self._seats.answer(
            job.frame, job.request, self._tell_seats, lambda: self._is_stopped
        )
        with self._change:
            if self._is_stopped:
                return predictor
        self.tell(
            self._listeners.on_result,
            PipelineResult(job.frame, prediction, job.request, queue_ms, skipped, others),
        )
        return predictor

    def _tell_seats(self) -> None:
        self.tell(self._listeners.on_compared, dict(self._seats.states))

    def _answer_question(self, predictor: "Predictor | None") -> None:
        """One question, so that frames are not held up by a row of them."""
        with self._change:
            if self._is_stopped or not self._questions:
                return
            question = self._asking = self._questions.popleft()
        asked = predictor if question.letter == FIRST else self._seats.get(question.letter)
        value: object = Cancelled()
        if asked is not None and self._last is not None:
            try:
                value = question.op(asked, self._last)
            except Cancelled as stopped:
                value = stopped
            except Exception as error:  # noqa: BLE001 - whoever asked is told
                log_bug(error, f"a question to model {question.letter} failed")
                value = error
        with self._change:
            self._asking = None
        self.tell(question.done, value)
