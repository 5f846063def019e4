"""Videos to look at: a clip with its masks over it, or several views of it beside each other.

Frames keep the times they have in the source. The file gets its name when it is whole and was read
back; an existing one is never replaced.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from segstudio.atomic import atomic_path
from segstudio.core.class_mapping import listed
from segstudio.core.frame import Frame
from segstudio.engine.exchange.clips import ProjectLabels, Voice
from segstudio.engine.exchange.film import Overlay, Show, SideBySide, VideoLook
from segstudio.engine.exchange.sheet import Picture
from segstudio.engine.pipeline import STILL_FPS
from segstudio.errors import Cancelled, FrameMissing, MediaError, UsageError
from segstudio.formats.report import Progress
from segstudio.media.open import complete_info, open_source
from segstudio.media.source import FrameSource
from segstudio.media.writer import VideoWriter

_BLOCK = 8
"""Pixels a side that are averaged before frames are compared: what a codec changes lies below."""

MOST_OFF = 8.0
"""Grey levels, 0..255, that such averages may be off in the mean. Measured: 1.5 in a drive, 5 in
the worst noise; other frames of these are 15 and 88 off."""


@dataclass(frozen=True, slots=True)
class Span:
    """first, last: frames, both included, from 0; None is the last one. fps: of the video, None as
    the source has it (10 for pictures)."""

    first: int = 0
    last: int | None = None
    fps: float | None = None


@dataclass(frozen=True, slots=True)
class VideoReport:
    """frames: written; labelled, predicted: of them, with labels of the project, with answers of a
    model. size: (height, width). seconds: how long it plays. off: as `MOST_OFF`, what was read
    back."""

    target: Path
    frames: int
    size: tuple[int, int]
    fps: float
    seconds: float
    labelled: int
    predicted: int
    off: float
    notes: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """Sentences for people."""
        height, width = self.size
        told = f"{self.frames:,} frames of {width}×{height}, {self.seconds:.1f} s"
        shown = [
            f"{what} in {number:,}"
            for what, number in (("labels", self.labelled), ("a model", self.predicted))
            if number
        ]
        masks = f"{' and '.join(shown)} of them." if shown else "No masks in any of them."
        proof = "Read back: as many frames, as large and at the same times; they look the same."
        return [
            f"{told}: {self.target.name}.",
            masks[0].upper() + masks[1:],
            proof,
            *self.notes,
        ]

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {**asdict(self), "target": str(self.target)}


def overlay_video(
    source: FrameSource,
    target: Path,
    *,
    labels: ProjectLabels | None = None,
    model: Voice | None = None,
    look: VideoLook | None = None,
    span: Span | None = None,
    should_stop: Callable[[], bool] = lambda: False,
    progress: Callable[[Progress], None] = lambda _: None,
) -> VideoReport:
    """Each frame with the labels of the project over it, else those of the model, else bare.

    Errors as `side_by_side_video`.
    """
    show = Overlay(labels, model, look or VideoLook())
    return _write(source, target, show, labels, span or Span(), should_stop, progress)


def side_by_side_video(
    source: FrameSource,
    target: Path,
    *,
    labels: ProjectLabels | None = None,
    models: Sequence[Voice] = (),
    has_picture: bool = True,
    has_difference: bool = False,
    look: VideoLook | None = None,
    span: Span | None = None,
    should_stop: Callable[[], bool] = lambda: False,
    progress: Callable[[Progress], None] = lambda _: None,
) -> VideoReport:
    """Panes with titles: picture, labels, each model, and where two differ.

    UsageError for what makes no sense, MediaError when nothing can be read or what was written is
    not what it should be, SegStudioError when it cannot be written; Cancelled when stopped. Then
    there is no file.
    """
    show = SideBySide(
        labels,
        models,
        look or VideoLook(),
        has_picture=has_picture,
        has_difference=has_difference,
    )
    return _write(source, target, show, labels, span or Span(), should_stop, progress)


def check_target(target: Path) -> None:
    """UsageError when no video can be written there."""
    if target.suffix.lower() != ".mp4":
        raise UsageError(f"{target.name} is no MP4 file; choose a name that ends in .mp4.")
    if os.path.lexists(target):
        raise UsageError(f"{target.name} exists already and is not replaced; choose another name.")


def _write(
    source: FrameSource,
    target: Path,
    show: Show,
    labels: ProjectLabels | None,
    span: Span,
    should_stop: Callable[[], bool],
    progress: Callable[[Progress], None],
) -> VideoReport:
    check_target(target)
    indices = _indices(source, span)
    fps = span.fps or source.info.fps or STILL_FPS
    reel = _Reel(show, is_timed=span.fps is None)
    with atomic_path(target) as temporary:
        with VideoWriter(temporary, fps) as writer:
            for done, index in enumerate(indices):
                if should_stop():
                    raise Cancelled
                frame = reel.readable(source, index)
                if frame is not None:
                    reel.add(frame, writer, is_sample=done == len(indices) // 2)
                progress(Progress("writing", done + 1, len(indices)))
            if not writer.frames:
                raise MediaError(f"Nothing was written: {' '.join(reel.notes())}")
        off, seconds = _read_back(temporary, reel, fps, should_stop, progress)
        check_target(target)  # somebody else may have been quicker
    notes = (*reel.notes(), *(labels.notes if labels is not None else ()))
    height, width = reel.size
    return VideoReport(
        target, reel.frames, (height, width), round(float(fps), 3), seconds, show.labelled,
        show.predicted, off, notes,
    )  # fmt: skip


def _indices(source: FrameSource, span: Span) -> range:
    """UsageError for frames that there are not."""
    total = complete_info(source).frames
    last = total - 1 if span.last is None else span.last
    if not 0 <= span.first <= last < total:
        raise UsageError(
            f"There are no frames {span.first} to {last} in {source.info.title}; it has 0 to"
            f" {total - 1}."
        )
    if span.fps is not None and not 0 < span.fps <= 1000:
        raise UsageError(f"{span.fps:g} frames per second make no video; choose 1 to 1000.")
    return range(span.first, last + 1)


class _Reel:
    """Frames on their way into the file, and what must be found in it again."""

    def __init__(self, show: Show, *, is_timed: bool) -> None:
        self._show, self._is_timed = show, is_timed
        self._lost: list[str] = []
        self._begin: int | None = None
        self.sheet: Any = None
        self.size = (0, 0)
        self.frames = 0
        self.last_us: int | None = None
        self.samples: dict[int, Picture] = {}
        self._newest: Picture | None = None

    def readable(self, source: FrameSource, index: int) -> Frame | None:
        """None for one that is damaged: a stand-in is never passed off as the frame."""
        try:
            frame = source.read(index)
        except FrameMissing:
            self._lost.append(str(index))
            return None
        if frame.note:
            self._lost.append(str(index))
            return None
        return frame

    def add(self, frame: Frame, writer: VideoWriter, *, is_sample: bool) -> None:
        """Draw it and write it."""
        if self.sheet is None:
            self.sheet = self._show.sheet((frame.height, frame.width))
            self.size = tuple(side + side % 2 for side in self.sheet.size)
        picture = self._show.picture(frame, self.sheet)
        time_us = frame.id.time_us if self._is_timed else None
        if time_us is not None:
            self._begin = time_us if self._begin is None else self._begin
            time_us -= self._begin
        self.last_us = time_us
        writer.write(picture, time_us)
        self._newest = picture
        if is_sample or not self.frames:
            self.samples[self.frames] = blurred(picture)
        self.frames += 1

    def expected(self) -> dict[int, Picture]:
        """The first frame, one in the middle and the last one."""
        if self._newest is not None:
            self.samples[self.frames - 1] = blurred(self._newest)
        return self.samples

    def notes(self) -> list[str]:
        """Of what is missing."""
        if not self._lost:
            return []
        is_one = len(self._lost) == 1
        which = f"Frame {self._lost[0]} is" if is_one else f"Frames {listed(self._lost)} are"
        return [f"{which} damaged and left out."]


def blurred(picture: Picture) -> Picture:
    """Means of blocks, of a picture of the video's even size."""
    height, width = picture.shape[:2]
    even = np.pad(picture, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    size = max(1, even.shape[1] // _BLOCK), max(1, even.shape[0] // _BLOCK)
    return np.asarray(cv2.resize(even, size, interpolation=cv2.INTER_AREA), np.uint8)


def _read_back(
    file: Path,
    reel: _Reel,
    fps: float,
    should_stop: Callable[[], bool],
    progress: Callable[[Progress], None],
) -> tuple[float, float]:
    """How far samples are off, and how long it plays; MediaError when it is not what was written.

    Also Cancelled.
    """
    expected = reel.expected()
    video = open_source(file, cache_bytes=1 << 20)
    try:
        info = complete_info(video)
        worst = 0.0
        if (info.frames, info.height, info.width) != (reel.frames, *reel.size):
            raise _not_right(
                f"{info.frames} frames of {info.width}×{info.height} instead of"
                f" {reel.frames} of {reel.size[1]}×{reel.size[0]}"
            )
        for done, (number, picture) in enumerate(expected.items(), 1):
            if should_stop():
                raise Cancelled
            found = blurred(video.read(number).rgb).astype(np.int16)
            worst = max(worst, float(np.abs(found - picture).mean()))
            progress(Progress("reading back", done, len(expected)))
        last_us = video.time_us(reel.frames - 1) or 0
    finally:
        video.close()
    if worst > MOST_OFF:
        raise _not_right(f"frames that are {worst:.0f} of 255 levels off")
    if reel.last_us is not None and abs(last_us - reel.last_us) > 2000:
        raise _not_right(f"a last frame at {last_us / 1e6:.3f} s")
    return round(worst, 2), round(last_us / 1e6 + 1 / fps, 3)


def _not_right(found: str) -> MediaError:
    return MediaError(
        f"What was written was read back as {found}, so it was removed; please report this, and"
        " try another width or range meanwhile."
    )
