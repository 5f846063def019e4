"""Frames on their way through the model, in the background.

Two threads of its own. *segstudio-clock* reads the frame that is due and leaves it in a one-slot
mailbox; while a net works on one frame, the next is already being decoded. *segstudio-infer* takes
the newest frame, predicts it and hands on a PipelineResult. It also loads models, because it owns
every tensor. While a model loads, pictures go on without labels.

One condition guards all state and wakes every wait, so that nothing can be missed and `stop` ends
each wait at once. Time comes from the presentation stamps of the frames, never from a frame rate:
    due = start + (stamp - first stamp) / speed
A slow net passes frames over and keeps the speed; when even decoding is too slow, the clock slips
(its start moves) instead of building up a debt that would later play too fast.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from segstudio.core.frame import Frame
from segstudio.core.prediction import Prediction
from segstudio.errors import FrameMissing, MediaError, SegStudioError
from segstudio.media.source import FrameSource

if TYPE_CHECKING:  # torch comes with the predictor, in the infer thread
    from segstudio.engine.predictor import Predictor

log = logging.getLogger("segstudio.engine")

V = TypeVar("V")

SLIP_S = 0.25
"""Later than this, the clock gives up catching up. Shorter stalls are made good unnoticed."""

STILL_FPS = 10.0
"""Pictures per second of a folder that has no rate of its own."""


@dataclass(frozen=True, slots=True, eq=False)
class PipelineResult:
    """A frame with what the model says about this very frame.

    prediction: None without a model, or when it failed. request: number of the asking; grows with
    every seek and change of model. queue_ms: wait between decode and inference. skipped: frames
    passed over since the last result.
    """

    frame: Frame
    prediction: Prediction | None
    request: int
    queue_ms: float
    skipped: int


@dataclass(frozen=True, slots=True)
class PlayState:
    """index: of the frame last sent to inference, -1 before the first."""

    playing: bool
    speed: float
    loop: bool
    index: int


@dataclass(frozen=True, slots=True)
class ModelState:
    """kind: "none", "loading", "ready" or "failed". name: of the model, "" when not known yet."""

    kind: str
    name: str
    device: str = ""
    error: Exception | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    frame: Frame
    request: int
    put_at: float


def _ignore(_: object) -> None:
    """Nobody wants to know."""


class Pipeline:
    """A source, played through a model.

    Every method may be called from any thread and returns at once (`join` apart). Callbacks run in
    the worker threads, one at a time: on_result and on_error with frames and problems, on_model
    when a model starts loading, is ready or failed, on_play when playing, speed or loop changed.

    The source stays the caller's: close it after `stop`. `source.close()` also wakes a read that
    waits, and `join` calls it when a read does not come back.
    """

    def __init__(
        self,
        source: FrameSource,
        *,
        on_result: Callable[[PipelineResult], None],
        on_error: Callable[[Exception], None],
        on_model: Callable[[ModelState], None] = _ignore,
        on_play: Callable[[PlayState], None] = _ignore,
    ) -> None:
        self._source = source
        self._on_result = on_result
        self._on_error = on_error
        self._on_model = on_model
        self._on_play = on_play
        self._change = threading.Condition()
        self._telling = threading.Lock()
        self._threads: tuple[threading.Thread, ...] = ()
        # All below is guarded by _change.
        self._is_stopped = True
        self._is_playing = False
        self._speed = 1.0
        self._is_looping = False
        self._is_every_frame = False
        self._index = -1
        self._seek: int | None = None
        self._request = 0
        self._epoch = 0  # grows when the clock must start anew: seek, play, speed
        self._job: _Job | None = None
        self._skipped = 0
        self._again = False
        self._load: tuple[Callable[[], Predictor] | None] | None = None
        self._is_loading = False
        # Each of these belongs to one worker thread.
        self._told: tuple[bool, float, bool] | None = None
        self._last: Frame | None = None

    # --- asked from outside -------------------------------------------------------------------

    def start(self) -> None:
        """Start the threads; the first frame is shown unless another was asked for."""
        if any(thread.is_alive() for thread in self._threads):
            raise RuntimeError("this pipeline is running")
        with self._change:
            self._is_stopped = False
            if self._seek is None:
                self._seek = max(self._index, 0)
        self._threads = tuple(
            threading.Thread(target=self._guard, args=(body,), name=f"segstudio-{name}")
            for name, body in (("clock", self._run_clock), ("infer", self._run_infer))
        )
        for thread in self._threads:
            thread.start()

    def play(self, speed: float = 1.0) -> None:
        """Go on from the current frame; from the start when it is the last one."""
        with self._change:
            self._is_playing = True
            self._speed = _checked(speed)
            info = self._source.info
            if self._seek is None and info.is_complete and self._index >= info.frames - 1 > 0:
                self._seek = 0
            self._restart_clock()

    def pause(self) -> None:
        """Stay on the current frame."""
        with self._change:
            self._is_playing = False
            self._restart_clock()

    def seek(self, index: int) -> None:
        """Show frame `index` (kept inside the source); the newest of several wins."""
        with self._change:
            self._go(index)

    def step(self, by: int) -> None:
        """Pause, and show the frame `by` frames on from the one asked for last."""
        with self._change:
            self._is_playing = False
            self._go((self._index if self._seek is None else self._seek) + by)

    def set_loop(self, loop: bool) -> None:  # noqa: FBT001 - a setter's one value
        """Start again at the end of the clip."""
        with self._change:
            self._is_looping = loop
            self._change.notify_all()

    def set_speed(self, speed: float) -> None:
        """Times real time, above 0."""
        with self._change:
            self._speed = _checked(speed)
            self._restart_clock()

    def set_every_frame(self, every: bool) -> None:  # noqa: FBT001 - a setter's one value
        """True: no frame is passed over, the clock waits for the net."""
        with self._change:
            self._is_every_frame = every
            self._change.notify_all()

    def set_model(self, load: "Callable[[], Predictor] | None") -> None:
        """Change the model. `load` runs in the infer thread; the current frame is predicted again.

        None: no model.
        """
        with self._change:
            self._load = (load,)
            self._request += 1
            self._change.notify_all()

    def refresh(self) -> None:
        """Predict the current frame again."""
        with self._change:
            self._again = True
            self._request += 1
            self._change.notify_all()

    def stop(self) -> None:
        """Ask both threads to end. What was in the mailbox is dropped."""
        with self._change:
            self._is_stopped = True
            self._is_playing = False
            self._job = None
            self._change.notify_all()

    def join(self, timeout_s: float = 5.0) -> bool:
        """Wait for the threads after `stop`; False when one did not end in time.

        A read that still waits after half of the time is woken by closing the source.
        """
        give_up = time.monotonic() + timeout_s
        for part in (0.5, 1.0):
            for thread in self._threads:
                thread.join(max(0.0, give_up - timeout_s * (1 - part) - time.monotonic()))
            if not any(thread.is_alive() for thread in self._threads):
                return True
            self._source.close()
        late = [thread.name for thread in self._threads if thread.is_alive()]
        if late:
            log.error("still running after %.1f s: %s", timeout_s, ", ".join(late))
        return not late

    @property
    def state(self) -> PlayState:
        """What it does now."""
        with self._change:
            return self._state()

    # --- the clock thread ---------------------------------------------------------------------

    def _run_clock(self) -> None:
        clock = _Clock()
        missing_run = False
        self._told = None
        while True:
            with self._change:
                self._change.wait_for(self._has_clock_work)
                if self._is_stopped:
                    return
                state = self._state()
                seek, self._seek = self._seek, None
                index, epoch, request = self._index, self._epoch, self._request
            if self._told != (state.playing, state.speed, state.loop):
                self._told = (state.playing, state.speed, state.loop)
                self._tell(self._on_play, state)
            if seek is None and not state.playing:
                continue
            wanted = self._wanted(seek, index, clock, state)
            if wanted is None:
                self._end_of_clip()
                continue
            try:
                frame = self._source.read(wanted)
            except FrameMissing as error:
                if not missing_run or seek is not None:
                    self._tell(self._on_error, error)
                missing_run = True
                self._after_missing(wanted, epoch)
                continue
            except MediaError as error:
                self._tell(self._on_error, error)
                self._pause_at(epoch)
                continue
            missing_run = False
            if seek is None and not self._wait_until_due(frame, clock, state, epoch):
                continue
            if seek is not None:
                clock.forget()
            self._submit(frame, request, epoch)

    def _has_clock_work(self) -> bool:
        return (
            self._is_stopped
            or self._seek is not None
            or self._is_playing
            or self._told != (self._is_playing, self._speed, self._is_looping)
        )

    def _wanted(
        self, seek: int | None, index: int, clock: "_Clock", state: PlayState
    ) -> int | None:
        """The frame to read next; None at the end of the clip."""
        info = self._source.info
        last = info.frames - 1
        if seek is not None:
            return min(seek, last) if info.is_complete and last >= 0 else seek
        wanted = index + 1
        if info.is_complete and wanted > last:
            if not state.loop or last <= 0:
                return None
            clock.forget()
            return 0
        if self._is_every_frame or (state.speed <= 1 and info.kind != "sequence"):
            return wanted
        # Passing over frames before they are decoded pays when they are files of their own, and
        # when nobody could see them all.
        most = last if info.kind == "sequence" else min(last, index + int(state.speed))
        while wanted < most and clock.is_past(self._source.time_us(wanted + 1), state.speed):
            wanted += 1
        with self._change:
            self._skipped += wanted - index - 1
        return wanted

    def _wait_until_due(self, frame: Frame, clock: "_Clock", state: PlayState, epoch: int) -> bool:
        """Wait for the frame's time (and the net, when no frame may be lost).

        False when something else was asked for meanwhile: the frame is dropped.
        """
        stamp = frame.id.time_us
        if stamp is None:
            stamp = round(frame.id.index * 1e6 / (self._source.info.fps or STILL_FPS))
        due = clock.due(stamp, state.speed)
        with self._change:
            while True:
                if self._is_stopped or self._epoch != epoch:
                    clock.forget()
                    return False
                left = due - time.monotonic()
                is_held = self._is_every_frame and self._job is not None
                if left <= 0 and not is_held:
                    clock.slip(-left)
                    return True
                self._change.wait(left if left > 0 else None)

    def _submit(self, frame: Frame, request: int, epoch: int) -> None:
        with self._change:
            if self._is_stopped:
                return
            if self._epoch == epoch:
                request = self._request
            if self._job is not None:
                self._skipped += 1
                request = max(request, self._job.request)
            self._job = job = _Job(frame, request, time.perf_counter())
            self._index = frame.id.index
            is_loading = self._is_loading
            self._change.notify_all()
        if is_loading:
            self._tell(self._on_result, PipelineResult(job.frame, None, job.request, 0.0, 0))

    def _end_of_clip(self) -> None:
        with self._change:
            if self._seek is None:
                self._is_playing = False

    def _pause_at(self, epoch: int) -> None:
        with self._change:
            if self._epoch == epoch:
                self._is_playing = False

    def _after_missing(self, wanted: int, epoch: int) -> None:
        """Playback goes on behind a frame that cannot be shown; at rest it stays where it was."""
        info = self._source.info
        with self._change:
            if self._epoch != epoch or not self._is_playing:
                return
            if info.is_complete and wanted >= info.frames - 1 and not self._is_looping:
                self._is_playing = False
            else:
                self._index = wanted

    # --- the infer thread ---------------------------------------------------------------------

    def _run_infer(self) -> None:
        predictor: Predictor | None = None
        try:
            while True:
                with self._change:
                    self._change.wait_for(self._has_infer_work)
                    if self._is_stopped:
                        return
                    load, self._load = self._load, None
                    self._is_loading = load is not None
                if load is not None:
                    predictor = self._change_model(predictor, load[0])
                with self._change:
                    self._is_loading = False
                    job, skipped = self._take_job()
                if job is None:
                    continue
                self._last = job.frame
                predictor = self._answer(predictor, job, skipped)
        finally:
            if predictor is not None:
                predictor.close()

    def _has_infer_work(self) -> bool:
        return (
            self._is_stopped
            or self._load is not None
            or self._job is not None
            or (self._again and self._last is not None)
        )

    def _take_job(self) -> tuple[_Job | None, int]:
        """The newest frame, or the last one when it is to be predicted again. Under _change."""
        job, self._job = self._job, None
        if job is None and self._again and self._last is not None:
            job = _Job(self._last, self._request, time.perf_counter())
        skipped = 0
        if job is not None:
            self._again = False
            skipped, self._skipped = self._skipped, 0
            self._change.notify_all()
        return job, skipped

    def _change_model(
        self, old: "Predictor | None", load: "Callable[[], Predictor] | None"
    ) -> "Predictor | None":
        if old is not None:
            old.close()
        with self._change:
            self._again = True
        if load is None:
            self._tell(self._on_model, ModelState("none", ""))
            return None
        self._tell(self._on_model, ModelState("loading", ""))
        try:
            new = load()
        except Exception as error:
            if not isinstance(error, SegStudioError):
                log.exception("a model could not be loaded")
            self._tell(self._on_model, ModelState("failed", "", error=error))
            return None
        self._tell(self._on_model, ModelState("ready", new.card.name, new.device))
        return new

    def _answer(self, predictor: "Predictor | None", job: _Job, skipped: int) -> "Predictor | None":
        """Predict and hand on; a predictor that fails is closed, and None comes back."""
        queue_ms = (time.perf_counter() - job.put_at) * 1000.0
        prediction = None
        if predictor is not None:
            try:
                prediction = predictor.predict(job.frame, request=job.request)
            except Exception as error:
                if not isinstance(error, SegStudioError):
                    log.exception("frame %d could not be predicted", job.frame.id.index)
                failed = ModelState("failed", predictor.card.name, predictor.device, error)
                predictor.close()
                predictor = None
                self._tell(self._on_error, error)
                self._tell(self._on_model, failed)
        with self._change:
            if self._is_stopped:
                return predictor
        self._tell(
            self._on_result, PipelineResult(job.frame, prediction, job.request, queue_ms, skipped)
        )
        return predictor

    # --- both ---------------------------------------------------------------------------------

    def _go(self, index: int) -> None:
        """Under _change."""
        info = self._source.info
        if info.is_complete:
            index = min(index, info.frames - 1)
        self._seek = max(index, 0)
        self._request += 1
        self._restart_clock()

    def _restart_clock(self) -> None:
        """Under _change."""
        self._epoch += 1
        self._change.notify_all()

    def _state(self) -> PlayState:
        return PlayState(self._is_playing, self._speed, self._is_looping, self._index)

    def _tell(self, callback: Callable[[V], None], value: V) -> None:
        with self._telling:
            callback(value)

    def _guard(self, body: Callable[[], None]) -> None:
        """The one place where a worker's bug ends: logged, told, both threads stopped."""
        try:
            body()
        except Exception as error:
            log.exception("%s stopped", threading.current_thread().name)
            self.stop()
            self._tell(self._on_error, error)


class _Clock:
    """Presentation time against the wall. Belongs to the clock thread."""

    def __init__(self) -> None:
        self._start_s: float | None = None
        self._first_us = 0

    def forget(self) -> None:
        """The next frame starts the clock anew."""
        self._start_s = None

    def due(self, stamp_us: int, speed: float) -> float:
        """When the frame with that stamp is due, in time.monotonic() seconds."""
        if self._start_s is None:
            self._start_s, self._first_us = time.monotonic(), stamp_us
        return self._start_s + (stamp_us - self._first_us) / 1e6 / speed

    def is_past(self, stamp_us: int | None, speed: float) -> bool:
        """True when a frame with that stamp should be on already."""
        if self._start_s is None or stamp_us is None:
            return False
        return self.due(stamp_us, speed) <= time.monotonic()

    def slip(self, late_s: float) -> None:
        """Accept a long delay for good."""
        if self._start_s is not None and late_s > SLIP_S:
            self._start_s += late_s


def _checked(speed: float) -> float:
    if not 0 < speed <= 64:
        raise ValueError(f"speed {speed} is not in (0, 64]")
    return speed
