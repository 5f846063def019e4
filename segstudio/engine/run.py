"""A whole source through a model, every frame, onto disk: what `segstudio predict` does.

One frame at a time in order; decoding runs ahead in the source's own thread, and a writer thread
encodes finished masks while the net works on the next frame. Each mask is whole or absent, so a
mask that is there is finished: the same call made again goes on where the last one stopped.
"""

import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from segstudio.core.catalogue import ModelCard
from segstudio.core.frame import Frame
from segstudio.core.prediction import Prediction
from segstudio.engine.flow import CancelToken, Stopwatch
from segstudio.engine.ranks import ALONE, Rank
from segstudio.errors import FrameMissing
from segstudio.media.source import FrameSource
from segstudio.store.masks import read_mask, write_mask

STAGES = ("decode", "prepare", "forward", "post", "write")


class Labeller(Protocol):
    """What predicts a frame: a Predictor with whatever strategy."""

    card: ModelCard
    device: str

    @property
    def precision(self) -> str:
        """The number type in use."""
        ...

    def predict(self, frame: Frame, *, request: int = 0) -> Prediction:
        """The labels of this very frame."""
        ...

    def close(self) -> None:
        """Let go of the net."""
        ...


@dataclass(frozen=True, slots=True)
class Done:
    """One frame that is through. prediction: None when its mask was there from an earlier run."""

    frame: Frame
    labels: NDArray[np.uint8]
    prediction: Prediction | None
    mask: Path


@dataclass(slots=True)
class RunFigures:
    """What a run measured. latencies and stages: milliseconds per predicted frame, in order.

    missing: one sentence per frame that could not be read or is damaged (those get no mask).
    seconds: wall time of the loop; model loading is not in it.
    """

    predicted: int = 0
    resumed: int = 0
    seconds: float = 0.0
    files: list[Path] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    stages: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in STAGES})

    @property
    def fps(self) -> float:
        """Predicted frames per second of wall time; 0 when nothing had to be predicted."""
        return self.predicted / self.seconds if self.predicted and self.seconds > 0 else 0.0


def predict_all(
    source: FrameSource,
    labeller: Labeller,
    mask_file: Callable[[int], Path],
    figures: RunFigures,
    *,
    every: int = 1,
    rank: Rank = ALONE,
    on_frame: Callable[[Done], None] | None = None,
    on_progress: Callable[[int, int | None], None] | None = None,
    token: CancelToken | None = None,
) -> None:
    """Label every `every`-th frame into `mask_file(index)`; adds to `figures`.

    rank: of several processes each takes its turn of these frames.
    on_frame: called in this thread for each frame in order, also for those finished earlier.
    on_progress: (frames through, frames in all or None while that is not known).
    Frames that cannot be read are told in `figures.missing` and passed over. On an interrupt what
    was predicted is still written. SegStudioError from the model or the disk ends the run.
    """
    palette = labeller.card.classes.palette()
    start = time.perf_counter()
    through = 0
    with _Writer(palette, figures) as writer:
        try:
            for frame in frames_of(source, every * rank.of, figures, first=every * rank.number):
                if token is not None:
                    token.check()
                done = _label(frame, labeller, mask_file(frame.id.index), writer, figures)
                if on_frame is not None:
                    on_frame(done)
                through += 1
                if on_progress is not None:
                    info = source.info
                    mine = -(-(info.frames - every * rank.number) // (every * rank.of))
                    on_progress(through, mine if info.is_complete else None)
        finally:
            writer.finish()
            figures.seconds += time.perf_counter() - start


def frames_of(
    source: FrameSource, every: int, figures: RunFigures, *, first: int = 0
) -> Iterator[Frame]:
    """Each `every`-th frame from `first` on that can be read whole; the others are told in
    `figures.missing`.
    """
    index = first
    while True:
        info = source.info
        if info.is_complete and index >= info.frames:
            return
        try:
            frame = source.read(index)
        except FrameMissing as error:
            info = source.info
            if info.is_complete and index >= info.frames:
                return
            figures.missing.append(str(error))
        else:
            if frame.note:
                figures.missing.append(f"Frame {index}: {frame.note}")
            else:
                yield frame
        index += every


def _label(
    frame: Frame, labeller: Labeller, mask: Path, writer: "_Writer", figures: RunFigures
) -> Done:
    figures.files.append(mask)
    if mask.is_file():
        labels = read_mask(mask)
        if labels.shape == frame.rgb.shape[:2]:
            figures.resumed += 1
            return Done(frame, labels, None, mask)
    prediction = labeller.predict(frame)
    writer.put(mask, prediction.labels)
    timing = prediction.timing
    figures.predicted += 1
    for name, ms in (
        ("decode", frame.decode_ms),
        ("prepare", timing.prepare),
        ("forward", timing.forward),
        ("post", timing.upsample),
    ):
        figures.stages[name].append(ms)
    figures.latencies.append(frame.decode_ms + timing.total)
    figures.notes.extend(note for note in prediction.notes if note not in figures.notes)
    return Done(frame, prediction.labels, prediction, mask)


class _Writer:
    """Thread segstudio-write: masks onto disk in order, at most four waiting.

    The first failure is raised by the next `put`, or by `finish`.
    """

    def __init__(self, palette: NDArray[np.uint8], figures: RunFigures) -> None:
        self._palette = palette
        self._figures = figures
        self._jobs: queue.Queue[tuple[Path, NDArray[np.uint8]] | None] = queue.Queue(maxsize=4)
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._work, name="segstudio-write", daemon=True)

    def __enter__(self) -> "_Writer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._thread.is_alive():
            self._jobs.put(None)
            self._thread.join()

    def put(self, mask: Path, labels: NDArray[np.uint8]) -> None:
        """Hand over a mask; waits while four are waiting already."""
        if self._error is not None:
            raise self._error
        self._jobs.put((mask, labels))

    def finish(self) -> None:
        """Wait until everything is on disk."""
        self.__exit__()
        if self._error is not None:
            raise self._error

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            if self._error is not None:
                continue  # keep taking, so that nobody waits for ever on a full queue
            watch = Stopwatch()
            try:
                write_mask(job[0], job[1], self._palette)
            except Exception as error:  # noqa: BLE001  handed to the thread that waits for it
                self._error = error
            self._figures.stages["write"].append(watch.lap())


def percentiles(values: list[float]) -> dict[str, float | None]:
    """{"p50", "p95", "p99"} in the values' unit; None without values."""
    if not values:
        return {"p50": None, "p95": None, "p99": None}
    p50, p95, p99 = (float(v) for v in np.percentile(values, (50, 95, 99)))
    return {"p50": round(p50, 3), "p95": round(p95, 3), "p99": round(p99, 3)}
