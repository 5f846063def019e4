"""Frames decoded ahead of the player, in a thread of their own, within a memory limit.

The decode thread does what is asked first and uses the time between for the frames that come next
in the direction of playing. One condition variable carries everything: nobody polls.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from segstudio.core.frame import Frame
from segstudio.errors import FrameMissing, MediaError
from segstudio.media.source import FrameSource, SourceInfo

log = logging.getLogger("segstudio.media")

_FIRST_LOOK = 2
"""Frames decoded ahead after a jump; the reach doubles with every frame read in sequence."""

_NEAR = 8
"""Moves up to this many frames count as going on: playing with dropped frames is no jump."""

_BEHIND = 4
"""One part in this many of the memory keeps frames that were passed already."""


@runtime_checkable
class _Interruptible(Protocol):
    """A source whose decoding towards a frame can be broken off and taken up again."""

    def prepare(self, index: int, should_stop: Callable[[], bool]) -> bool:
        """True when frame `index` is ready to be read; False when stopped."""
        ...


@runtime_checkable
class _Scrubbable(Protocol):
    """A source that can show a picture near a frame at once."""

    def preview(self, index: int) -> Frame | None:
        """See VideoSource.preview."""
        ...


@runtime_checkable
class _Indexed(Protocol):
    """A source whose number of frames becomes known later."""

    def wait_complete(self, timeout_s: float | None = None) -> bool:
        """See VideoSource.wait_complete."""
        ...

    def wait_verified(self, timeout_s: float | None = None) -> bool:
        """See VideoSource.wait_verified."""
        ...


@dataclass(slots=True, eq=False)
class _Request:
    """What one thread waits for, and the answer."""

    index: int
    frame: Frame | None = None
    error: MediaError | None = None
    is_answered: bool = False


class ReadAhead:
    """A FrameSource over another one, which it owns and closes.

    limit_bytes: of the RGB frames kept; at least one frame is. `read` may be called by several
    threads; each waits for its own frame.
    """

    def __init__(self, source: FrameSource, limit_bytes: int) -> None:
        self._source = source
        self._limit = limit_bytes
        self._changed = threading.Condition()
        self._frames: dict[int, Frame] = {}
        self._bad: set[int] = set()
        self._wanted: list[_Request] = []
        self._previews: list[_Request] = []
        self._used = 0
        self._focus = 0
        self._step = 1
        self._reach = 0
        self._is_closed = False
        self._crash: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="segstudio-decode", daemon=True)
        self._thread.start()

    @property
    def info(self) -> SourceInfo:
        """That of the source."""
        return self._source.info

    @property
    def source(self) -> FrameSource:
        """The source that is read ahead; reading it directly would disturb it."""
        return self._source

    @property
    def used_bytes(self) -> int:
        """Memory of the kept frames."""
        return self._used

    def is_ready(self, index: int) -> bool:
        """True when `read(index)` would return at once."""
        return index in self._frames

    def time_us(self, index: int) -> int | None:
        """That of the source."""
        return self._source.time_us(index)

    def read(self, index: int) -> Frame:
        """From memory, or as soon as the decode thread has it; jumping drops what was ahead."""
        with self._changed:
            self._aim(index)
            request = _Request(index, self._frames.get(index))
            if request.frame is None:
                self._wanted.append(request)
            self._changed.notify_all()
            if request.frame is None:
                self._changed.wait_for(lambda: request.is_answered or self._is_closed)
            if request.frame is not None:
                return request.frame
            raise request.error or self._ended()

    def preview(self, index: int) -> Frame | None:
        """The key frame at or before `index`, marked "preview"; the frame itself when kept.

        None where the source has none to offer.
        """
        if not isinstance(self._source, _Scrubbable):
            return None
        with self._changed:
            if index in self._frames:
                return self._frames[index]
            request = _Request(index)
            self._previews.append(request)
            self._changed.notify_all()
            self._changed.wait_for(lambda: request.is_answered or self._is_closed)
            return request.frame

    def wait_complete(self, timeout_s: float | None = None) -> bool:
        """Until the number of frames is final."""
        if isinstance(self._source, _Indexed):
            return self._source.wait_complete(timeout_s)
        return True

    def wait_verified(self, timeout_s: float | None = None) -> bool:
        """Until every frame number was proved by content."""
        if isinstance(self._source, _Indexed):
            return self._source.wait_verified(timeout_s)
        return True

    def close(self) -> None:
        """End the thread, close the source, wake who waits; twice is fine."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        # Closing the source first wakes a read that waits inside it.
        self._source.close()
        if self._thread is not threading.current_thread():
            self._thread.join()
        with self._changed:
            self._frames.clear()
            self._used = 0

    def _aim(self, index: int) -> None:
        """Note where reading goes: the direction, and how far it is worth looking ahead."""
        moved = index - self._focus
        step = -1 if moved < 0 else 1
        if 0 < abs(moved) <= _NEAR and step == self._step:
            self._reach = max(_FIRST_LOOK, self._reach * 2)
        elif moved or not self._reach:
            self._reach = _FIRST_LOOK
            self._step = step
        self._focus = index

    def _run(self) -> None:
        try:
            while (job := self._next_job()) is not None:
                self._do(*job)
        except BaseException as error:
            log.exception("decoding stopped")
            self._crash = error
            raise
        finally:
            with self._changed:
                self._is_closed = True
                self._changed.notify_all()

    def _next_job(self) -> tuple[str, int] | None:
        """What to do now: previews, then what is asked for, then what comes next; None to end."""
        with self._changed:
            while not self._is_closed:
                if self._previews:
                    return "preview", self._previews[-1].index
                if self._wanted:
                    return "read", self._wanted[-1].index
                ahead = self._next_ahead()
                if ahead is not None:
                    return "ahead", ahead
                self._changed.wait()
            return None

    def _answer(
        self, requests: list[_Request], index: int, result: Frame | MediaError | None
    ) -> None:
        """Give every thread that waits for `index` its answer; under the lock.

        Answers do not go by way of the kept frames, from which they could be gone again before
        the thread wakes up.
        """
        for request in [r for r in requests if r.index == index]:
            requests.remove(request)
            if isinstance(result, MediaError):
                request.error = result
            else:
                request.frame = result
            request.is_answered = True
        self._changed.notify_all()

    def _next_ahead(self) -> int | None:
        """The nearest frame in the direction of playing that is not there and has room."""
        frames = self._source.info.frames
        size = self._frame_bytes()
        # Room for the frame in focus itself comes first.
        free = min(self._limit - self._limit // _BEHIND, self._limit - size)
        room = free // size if size else _FIRST_LOOK
        for distance in range(1, min(self._reach, room) + 1):
            index = self._focus + self._step * distance
            if not 0 <= index < frames or index in self._bad:
                return None
            if index not in self._frames:
                return index
        return None

    def _frame_bytes(self) -> int:
        """Of a typical frame; 0 when none was read yet."""
        return self._used // len(self._frames) if self._frames else 0

    def _do(self, kind: str, index: int) -> None:
        """One job, outside the lock; what comes of it is published under the lock."""
        result: Frame | MediaError | None
        try:
            if kind == "preview":
                result = self._preview_of(index)
            elif kind == "ahead" and not self._prepare(index):
                return
            else:
                result = self._source.read(index)
        except MediaError as error:
            result = error
        with self._changed:
            if kind == "preview":
                shown = None if isinstance(result, MediaError) else result
                self._answer(self._previews, index, shown)
                return
            if isinstance(result, Frame) and not self._is_closed:
                self._keep(index, result)
            elif isinstance(result, MediaError):
                self._bad.add(index)
            self._answer(self._wanted, index, result)

    def _prepare(self, index: int) -> bool:
        """Decode towards frame `index`; False when something more urgent came up."""
        if not isinstance(self._source, _Interruptible):
            return True
        focus = self._focus
        return self._source.prepare(index, lambda: self._is_stale(focus))

    def _preview_of(self, index: int) -> Frame | None:
        return self._source.preview(index) if isinstance(self._source, _Scrubbable) else None

    def _is_stale(self, focus: int) -> bool:
        """Somebody waits, or reading has jumped elsewhere."""
        jumped = abs(self._focus - focus) > max(_FIRST_LOOK, self._reach)
        return bool(self._wanted or self._previews) or self._is_closed or jumped

    def _keep(self, index: int, frame: Frame) -> None:
        """Add a frame; the ones that will be needed last go."""
        self._bad.discard(index)
        old = self._frames.pop(index, None)
        self._used += frame.rgb.nbytes - (old.rgb.nbytes if old else 0)
        self._frames[index] = frame
        while self._used > self._limit and len(self._frames) > 1:
            last = max((n for n in self._frames if n != index), key=self._use)
            self._used -= self._frames.pop(last).rgb.nbytes

    def _use(self, index: int) -> int:
        """How far away a frame's next use is: what lies behind counts several times."""
        ahead = (index - self._focus) * self._step
        return ahead if ahead >= 0 else -ahead * _BEHIND

    def _ended(self) -> MediaError:
        title = self._source.info.title
        if self._crash is not None:
            return MediaError(f"Decoding of {title} stopped unexpectedly; open it again.")
        return FrameMissing(f"{title} is closed; open it again.")
