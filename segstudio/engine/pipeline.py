"""Frames on their way through the models, in the background.

Two threads of its own. *segstudio-clock* reads the frame that is due and leaves it in a one-slot
mailbox; while the net works on one frame, the next is already being decoded. *segstudio-infer*
takes the newest frame, predicts it and hands on a PipelineResult. It also loads models, because it
owns every tensor. While a model loads, pictures go on without labels.

One condition guards all state and wakes every wait, so that nothing can be missed and `stop` ends
each wait at once. A slow net passes frames over and keeps the speed; when even decoding is too
slow, the clock slips instead of building up a debt that would later play too fast. No torch here.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from segstudio.core.frame import Frame
from segstudio.engine.infer import InferWorker, Listeners
from segstudio.engine.play import (
    ModelState,
    PipelineResult,
    PlayClock,
    PlayState,
    checked_speed,
    ignore,
)
from segstudio.engine.seats import Load, Question
from segstudio.errors import Cancelled, FrameMissing, MediaError
from segstudio.media.source import FrameSource

if TYPE_CHECKING:
    from segstudio.engine.predictor import Predictor

__all__ = ["ModelState", "Pipeline", "PipelineResult", "PlayState"]

log = logging.getLogger("segstudio.engine")

STILL_FPS = 10.0  # of a folder that has no rate of its own


class Pipeline:
    """A source, played through a model.

    Any thread may call any method; all return at once, but `join`. Callbacks run in the worker
    threads, one at a time: on_model when a model is loading, ready or failed, on_compared likewise
    with those beside it, on_play when playing, speed or loop changed.

    The source stays the caller's: close it after `stop`. `source.close()` also wakes a read that
    waits, and `join` calls it when a read does not come back. After `join`, `start` begins anew.
    """

    def __init__(
        self,
        source: FrameSource,
        *,
        on_result: Callable[[PipelineResult], None],
        on_error: Callable[[Exception], None],
        on_model: Callable[[ModelState], None] = ignore,
        on_play: Callable[[PlayState], None] = ignore,
        on_compared: Callable[[dict[str, ModelState]], None] = ignore,
    ) -> None:
        self._source = source
        self._on_error = on_error
        self._on_play = on_play
        self._change = threading.Condition()
        self._worker = InferWorker(
            self._change, Listeners(on_result, on_error, on_model, on_compared)
        )
        self._threads: tuple[threading.Thread, ...] = ()
        # The clock thread's own:
        self._clock = PlayClock()
        self._held: Frame | None = None  # read, but not sent: something else was asked for
        self._told: tuple[bool, float, bool] | None = None
        self._missing = 0
        # Guarded by _change:
        self._is_stopped = True
        self._is_playing = False
        self._speed = 1.0
        self._is_looping = False
        self._is_every_frame = False
        self._index = -1  # last sent to inference
        self._place = -1  # last sent, or last found missing: where playing goes on
        self._seek: int | None = None  # asked for
        self._going: int | None = None  # being read because it was asked for
        self._request = 0
        self._epoch = 0  # grows with everything that makes a waiting frame the wrong one

    def start(self) -> None:
        """Start the threads; the current frame is shown (the first one at first)."""
        if any(thread.is_alive() for thread in self._threads):
            raise RuntimeError("this pipeline is running")
        with self._change:
            self._is_stopped = False
            self._worker.set_running(running=True)
            if self._seek is None:
                self._seek = max(self._index, 0)
        self._told = None
        self._threads = tuple(
            threading.Thread(target=self._guard, args=(body,), name=f"segstudio-{name}")
            for name, body in (("clock", self._run_clock), ("infer", self._worker.run))
        )
        for thread in self._threads:
            thread.start()

    def play(self, speed: float = 1.0) -> None:
        """Go on from the current frame; from the start when it is the last one."""
        info = self._source.info
        with self._change:
            self._is_playing = True
            self._speed = checked_speed(speed)
            if self._seek is None and info.is_complete and self._place >= info.frames - 1 > 0:
                self._go(0)
            self._restart_clock()

    def pause(self) -> None:
        """Stay on the current frame."""
        with self._change:
            self._is_playing = False
            self._restart_clock()

    def seek(self, index: int) -> int:
        """Show frame `index`, kept inside the source; returns the request that answers it."""
        with self._change:
            self._go(index)
            return self._request

    def step(self, by: int) -> None:
        """Pause, and show the frame `by` frames on from the one asked for last."""
        with self._change:
            self._is_playing = False
            asked = self._going if self._seek is None else self._seek
            self._go((self._index if asked is None else asked) + by)

    def set_loop(self, loop: bool) -> None:  # noqa: FBT001 - a setter's one value
        """Start again at the end of the clip."""
        with self._change:
            self._is_looping = loop
            self._change.notify_all()

    def set_speed(self, speed: float) -> None:
        """Times real time, above 0."""
        with self._change:
            self._speed = checked_speed(speed)
            self._restart_clock()

    def set_every_frame(self, every: bool) -> None:  # noqa: FBT001 - a setter's one value
        """True: no frame is passed over, the clock waits for the net."""
        with self._change:
            self._is_every_frame = every
            self._change.notify_all()

    def set_model(self, load: "Callable[[], Predictor] | None") -> int:
        """Change the model, None: none; returns the request from which on results are of it."""
        with self._change:
            self._request += 1
            self._worker.set_model(load, self._request)
            return self._request

    def set_compared(self, loads: Mapping[str, Load]) -> int:
        """Models that predict every frame too, those with the same load stay; as set_model."""
        with self._change:
            self._request += 1
            self._worker.set_compared(loads, self._request)
            return self._request

    def ask(self, question: Question) -> None:
        """Do something with one model in the infer thread, soon; Cancelled when it has ended."""
        with self._change:
            is_taken = self._worker.ask(question)
        if not is_taken:
            question.done(Cancelled())

    def refresh(self) -> None:
        """Predict the current frame again."""
        with self._change:
            self._request += 1
            self._worker.again(self._request)

    def stop(self) -> None:
        """Ask both threads to end; what waits is dropped."""
        with self._change:
            self._is_stopped = True
            self._is_playing = False
            self._worker.set_running(running=False)

    def join(self, timeout_s: float = 5.0) -> bool:
        """Wait for the threads after `stop`; False when one did not end in time.

        A read that still waits after half of the time is woken by closing the source.
        """
        begin = time.monotonic()
        for part in (0.5, 1.0):
            for thread in self._threads:
                thread.join(max(0.0, begin + part * timeout_s - time.monotonic()))
            if not any(thread.is_alive() for thread in self._threads):
                return True
            if part < 1:
                self._source.close()
        late = ", ".join(thread.name for thread in self._threads if thread.is_alive())
        log.error("still running after %.1f s: %s", timeout_s, late)
        return False

    @property
    def state(self) -> PlayState:
        """What it does now."""
        with self._change:
            return PlayState(self._is_playing, self._speed, self._is_looping, self._index)

    # --- under _change ------------------------------------------------------------------------

    def _go(self, index: int) -> None:
        info = self._source.info
        if info.is_complete:
            index = min(index, info.frames - 1)
        self._seek = max(index, 0)
        self._request += 1
        self._restart_clock()

    def _restart_clock(self) -> None:
        self._epoch += 1
        self._change.notify_all()

    def _has_clock_work(self) -> bool:
        return (
            self._is_stopped
            or self._seek is not None
            or self._is_playing
            or self._told != (self._is_playing, self._speed, self._is_looping)
        )

    # --- the clock thread ---------------------------------------------------------------------

    def _run_clock(self) -> None:
        while True:
            with self._change:
                self._change.wait_for(self._has_clock_work)
                if self._is_stopped:
                    return
                self._going, self._seek = self._seek, None
                seek, place, epoch, request = self._going, self._place, self._epoch, self._request
                state = PlayState(self._is_playing, self._speed, self._is_looping, self._index)
            if self._told != (state.playing, state.speed, state.loop):
                self._told = (state.playing, state.speed, state.loop)
                self._worker.tell(self._on_play, state)
            if seek is not None:
                self._clock.forget()
                wanted: int | None = seek
            elif state.playing:
                wanted = self._next(place, state)
            else:
                continue
            if wanted is None:
                self._pause(epoch)
                continue
            if seek is not None and not self._wait_until_known(seek, epoch):
                continue
            frame = self._read(wanted, epoch, is_seek=seek is not None)
            if frame is None or (seek is None and not self._wait_until_due(frame, state, epoch)):
                continue
            self._send(frame, request, epoch)

    def _next(self, place: int, state: PlayState) -> int | None:
        """The frame to play after `place`; None at the end of the clip."""
        info = self._source.info
        last = info.frames - 1
        if info.is_complete and place >= last:
            if not state.loop or last <= 0:
                return None
            # The last frame is shown as long as the one before it.
            end, before, begin = (self._stamp(i) or 0 for i in (last, last - 1, 0))
            self._clock.begin(begin, delay_s=max(0, end - before) / 1e6 / state.speed)
            return 0
        wanted = place + 1
        here = self._stamp(place)
        if not self._clock.is_running and here is not None:
            self._clock.begin(here)
        if self._is_every_frame or (state.speed <= 1 and info.kind != "sequence"):
            return wanted
        # Frames are passed over before they are decoded where that saves work (each is a file of
        # its own) and where nobody could see them all.
        most = last if info.kind == "sequence" else min(last, place + int(state.speed))
        while wanted < most and self._clock.is_past(self._stamp(wanted + 1), state.speed):
            wanted += 1
        with self._change:
            self._worker.pass_over(wanted - place - 1)
        return wanted

    def _wait_until_known(self, seek: int, epoch: int) -> bool:
        """Wait while frame `seek` is not in the index yet, awake for anything newer.

        False when something else was asked for meanwhile.
        """
        with self._change:
            while True:
                info = self._source.info
                if info.is_complete or seek < info.frames:
                    return True
                if self._is_stopped or self._epoch != epoch:
                    if self._seek is None:  # a pause or another speed: the seek still holds
                        self._seek = seek
                    return False
                # The index grows in a thread that knows nothing of this condition.
                self._change.wait(0.02)

    def _read(self, index: int, epoch: int, *, is_seek: bool) -> Frame | None:
        """The frame; None when it cannot be shown, which is told, once for a run of them."""
        if self._held is not None and self._held.id.index == index:
            self._missing = 0
            return self._held
        try:
            self._held = self._source.read(index)
        except MediaError as error:
            with self._change:
                if self._is_stopped:
                    return None
            if is_seek or self._missing == 0:
                self._worker.tell(self._on_error, error)
            self._missing += 1
            if isinstance(error, FrameMissing):
                self._go_on_behind(index, epoch, is_seek=is_seek)
            else:
                self._pause(epoch)
            return None
        self._missing = 0
        return self._held

    def _go_on_behind(self, index: int, epoch: int, *, is_seek: bool) -> None:
        """Playing goes on behind a frame that cannot be shown; at rest it stays where it was."""
        info = self._source.info
        with self._change:
            if is_seek and self._going == index:
                self._going = None
            if self._epoch != epoch or not self._is_playing:
                return
            is_over = info.is_complete and index >= info.frames - 1 and not self._is_looping
            if is_over or self._missing > info.frames:
                self._is_playing = False
            else:
                self._place = index

    def _wait_until_due(self, frame: Frame, state: PlayState, epoch: int) -> bool:
        """Wait for the frame's time, and for the net when no frame may be lost.

        False when something else was asked for meanwhile.
        """
        stamp = frame.id.time_us
        due = self._clock.due(
            self._even_stamp(frame.id.index) if stamp is None else stamp, state.speed
        )
        with self._change:
            while True:
                if self._is_stopped or self._epoch != epoch:
                    self._clock.forget()
                    return False
                left = due - time.monotonic()
                if left <= 0 and not (self._is_every_frame and self._worker.is_full):
                    self._clock.slip(-left)
                    return True
                self._change.wait(left if left > 0 else None)

    def _stamp(self, index: int) -> int | None:
        """When frame `index` is presented; None while a video's index does not know it."""
        stamp = self._source.time_us(index)
        if stamp is None and self._source.info.kind == "sequence":
            return self._even_stamp(index)
        return stamp

    def _even_stamp(self, index: int) -> int:
        return round(index * 1e6 / (self._source.info.fps or STILL_FPS))

    def _send(self, frame: Frame, request: int, epoch: int) -> None:
        with self._change:
            if self._epoch == epoch:
                request = self._request
            if self._going == frame.id.index:
                self._going = None
            self._index = self._place = frame.id.index
            job = self._worker.put(frame, request)
        self._held = None
        self._worker.show_bare(job)

    def _pause(self, epoch: int) -> None:
        with self._change:
            if self._epoch == epoch:
                self._is_playing = False

    # --- both threads -------------------------------------------------------------------------

    def _guard(self, body: Callable[[], None]) -> None:
        """The one place where a worker's bug ends: logged, told, both threads stopped."""
        try:
            body()
        except Exception as error:
            log.exception("%s stopped", threading.current_thread().name)
            self.stop()
            self._worker.tell(self._on_error, error)
