"""Saving what is seen inside a model: one picture, its numbers, or a video of many frames.

A video is made by the model that is looked into, with the colours that are on the screen: what was
fitted once stays for all its frames. UI thread only.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from segstudio.core.look import Look, Seen
from segstudio.core.mask_style import MaskStyle
from segstudio.errors import ModelError
from segstudio.ui.bridge.background import Job
from segstudio.ui.bridge.waiting import answer_of
from segstudio.ui.correcting.host import Host
from segstudio.ui.correcting.own_source import OwnSource
from segstudio.ui.correcting.ranges import RangeRun
from segstudio.ui.inside.inside import Inside

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from segstudio.core.frame import Frame
    from segstudio.engine.predictor import Predictor

STILL_FPS = 10.0
"""Of pictures without times."""


Masks = tuple["NDArray[np.uint8]", MaskStyle]


class MapSaving(QObject):
    """Signals:
    changed(): `run` is new; None when no video is being written.
    """

    changed = Signal()
    _written = Signal(object)

    def __init__(self, host: Host, inside: Inside, masks: Callable[[], Masks | None]) -> None:
        """masks: the labels on the screen and how they are drawn over a map; None for none."""
        super().__init__(inside)
        self._masks = masks
        self._host = host
        self._inside = inside
        self._job: Job | None = None
        self.run: RangeRun | None = None
        self._written.connect(self._count)

    def why_not(self) -> str:
        """Why nothing can be saved now, one sentence; "" when it can."""
        if not self._inside.is_on or self._inside.seen is None:
            return "Look inside a model first (Shift+I)."
        if self._inside.seen.map is None:
            return self._inside.seen.trouble or "There is no map of this frame yet."
        return ""

    def save(self, path: Path) -> None:
        """The map on the screen: .npy holds its numbers, everything else is a picture."""
        seen, result, style = self._inside.seen, self._host.result, self._inside.style
        if seen is None or seen.map is None or result is None:
            self._host.tell(self.why_not(), "hint")
            return
        found, sheet, frame, masks = seen.map, seen.sheet, result.frame, self._masks()

        def op(_: Job) -> Path:
            from segstudio.engine.inside import files

            if path.suffix.lower() == ".npy":
                files.save_map_npy(found, path)
            elif sheet is not None:
                files.save_sheet_png(sheet, style, frame, path)
            else:
                files.save_map_png(found, style, frame, path, masks=masks)
            return path

        self._host.background.run(
            op, success=self._tell_saved, failure=self._host.tell_error, name="save-map"
        )

    def save_video(self, path: Path, first: int, last: int) -> None:
        """Frames `first` to `last` with the map as it is on the screen."""
        info, look, style = self._host.info, self._inside.look, self._inside.style
        why = self.why_not() or ("A video is being written already." if self.run else "")
        if why or info is None or look is None:
            self._host.tell(why, "hint")
            return
        ask, letter = self._host.player.asker(), self._inside.letter
        stamps = [self._host.player.time_us(i) for i in (first, last)]
        fps = _fps(stamps[0], stamps[1], last - first)

        def op(job: Job) -> Path:
            from segstudio.engine.inside.files import render
            from segstudio.media.writer import VideoWriter

            with OwnSource(info.path, info.id) as source, VideoWriter(path, fps) as writer:
                for index in range(first, last + 1):
                    job.token.check()
                    frame = source.read(index)
                    seen: Seen = answer_of(
                        ask, letter, partial(_seen, look=look, frame=frame), job.token
                    )
                    if seen.map is None:
                        raise ModelError(f"Frame {index} has no map: {seen.trouble or seen.note}")
                    writer.write(render(seen.map, style, frame))
                    self._written.emit(job)
            return path

        def failure(error: Exception) -> None:
            self._end()
            self._host.tell_error(error)

        def success(where: Path) -> None:
            self._end()
            self._tell_saved(where)

        self.run = RangeRun("Map video", last - first + 1)
        self._job = self._host.background.run(
            op, success=success, failure=failure, name="map-video"
        )
        self.changed.emit()

    def cancel(self) -> None:
        """Stop; no file is left behind."""
        if self._job is not None:
            self._job.token.cancel()
            self._end()
            self._host.tell("Stopped; no video was written.")

    def _count(self, job: Job) -> None:
        if job is self._job and self.run is not None:
            self.run = replace(self.run, done=self.run.done + 1)
            self.changed.emit()

    def _end(self) -> None:
        done = self.run
        self._job, self.run = None, None
        self.changed.emit()
        if done is not None and not self._host.player.playing.is_playing:
            self._host.player.refresh()  # the model looked at other frames meanwhile

    def _tell_saved(self, path: Path) -> None:
        self._host.tell(f"Saved {path}")


def _seen(predictor: "Predictor", _: "Frame", *, look: Look, frame: "Frame") -> Seen:
    """In the infer thread. A look that is not done while it plays is asked for by itself."""
    if predictor.looking.look != look:
        predictor.look_for(look)
    seen = predictor.predict(frame).seen
    if seen is not None and seen.map is None and not seen.trouble:
        seen = predictor.looking.again(frame) or seen
    return seen or Seen(look, trouble="The model sees nothing there.")


def _fps(first_us: int | None, last_us: int | None, steps: int) -> float:
    if first_us is None or last_us is None or steps < 1 or last_us <= first_us:
        return STILL_FPS
    return min(max(1e6 * steps / (last_us - first_us), 1.0), 120.0)
