"""Labels brought to many frames of a project: drafted by a model, carried by optical flow, a hood.

Each frame gets one step of undo, written to the project at once, so a cancelled run leaves whole
frames behind. What a human painted or confirmed is never written over. Imports no torch: the model
comes as a function. Runs in a background thread or headless, on a source of its own.
"""

import base64
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import zstandard
from numpy.typing import NDArray

from segstudio.core.brush import Area
from segstudio.core.classes import VOID
from segstudio.core.frame import Frame
from segstudio.core.geometry import Rect
from segstudio.core.labels import LabelDocument
from segstudio.core.origins import MODEL, NONE, PROPAGATED
from segstudio.engine.flow import CancelToken
from segstudio.errors import FrameMissing, SegStudioError
from segstudio.media.source import FrameSource
from segstudio.store.frame_rows import StaleFrame
from segstudio.store.project import FrameAbout, FrameKey, Project

if TYPE_CHECKING:
    from segstudio.core.propagation import PropagationSettings

log = logging.getLogger("segstudio.engine")

Labels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Carried:
    """One frame is done. confidence: 0..1 of a propagation. pixels: how many changed."""

    key: FrameKey
    pixels: int
    confidence: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Hood:
    """The ego vehicle, drawn once for a whole clip. mask: bool (H, W). class_id: 255 for void."""

    class_id: int
    mask: NDArray[np.bool_]

    def to_json(self) -> dict[str, object]:
        """For a project's settings."""
        packed = zstandard.ZstdCompressor(level=3).compress(np.packbits(self.mask).tobytes())
        return {"class_id": self.class_id, "size": list(self.mask.shape),
                "mask": base64.b64encode(packed).decode()}  # fmt: skip

    @staticmethod
    def from_json(content: object) -> "Hood | None":
        """None for nothing and for nonsense."""
        if not isinstance(content, dict):
            return None
        try:
            height, width = (int(v) for v in content["size"])
            size = height * width
            raw = zstandard.ZstdDecompressor().decompress(
                base64.b64decode(content["mask"]), max_output_size=size // 8 + 1
            )
            bits = np.unpackbits(np.frombuffer(raw, np.uint8), count=size)
            return Hood(int(content["class_id"]), bits.reshape(height, width).astype(np.bool_))
        except (KeyError, TypeError, ValueError, zstandard.ZstdError):
            log.warning("a hood mask is unreadable and is left out")
            return None

    def put_on(self, document: LabelDocument) -> None:
        """Inside a step; nothing happens on a frame of another size."""
        if self.mask.shape == document.labels.shape:
            patch = np.full(self.mask.shape, self.class_id, np.uint8)
            document.put(_whole(self.mask), patch, origin=PROPAGATED)


def hood_of(project: Project, media: int) -> Hood | None:
    """What was drawn for that medium."""
    return Hood.from_json(project.setting(f"hood.{media}"))


def propagate(
    project: Project,
    media: int,
    source: FrameSource,
    indices: Iterable[int],
    *,
    token: CancelToken,
    tell: Callable[[Carried], None],
    settings: "PropagationSettings | None" = None,
) -> str:
    """Carry the labels of the first of `indices` over the others, in that order, until they drift.

    Returns why it ended, a sentence. SegStudioError when the first frame has no labels.
    """
    from segstudio.core.propagation import PropagationSettings, Propagator, drifted

    wanted = list(indices)
    start = wanted[0]
    stored = project.load(FrameKey(media, start))
    if stored is None or not (stored.labels != VOID).any():
        raise SegStudioError(f"Frame {start} has no labels to carry on; label it first.")
    first = source.read(start)
    propagator = Propagator(first.rgb, stored.labels, settings or PropagationSettings())
    hood, history = hood_of(project, media), list[float]()
    for index in wanted[1:]:
        token.check()
        try:
            frame = source.read(index)
        except FrameMissing:
            return f"Stopped at frame {index}: it cannot be read."
        if frame.note or frame.rgb.shape != first.rgb.shape:
            return f"Stopped at frame {index}: {frame.note or 'it has another size'}."
        result = propagator.advance(frame.rgb)
        if drifted(result.confidence, history):
            return (
                f"Stopped at frame {index}: only {100 * result.confidence:.0f} % of the labels"
                " could be followed. Correct the frame before it and go on from there."
            )
        history.append(result.confidence)

        def change(document: LabelDocument, labels: Labels = result.labels) -> None:
            document.put(_whole(labels != VOID), labels, origin=PROPAGATED)
            if hood is not None:
                hood.put_on(document)

        pixels = edit_frame(project, media, frame, f"Propagated from frame {start}", change)
        key = FrameKey(media, index)
        summary = project.summary(key)
        if summary is not None:
            project.set_confidence(key, result.confidence, summary.about).result()
        tell(Carried(key, pixels, result.confidence))
    left = ""
    if history and history[-1] < 0.99:
        left = f"; {100 * history[-1]:.0f} % of them arrived, a draft (Y) can fill the rest"
    return f"Carried the labels of frame {start} over {len(history)} frames{left}."


def draft(
    project: Project,
    media: int,
    source: FrameSource,
    indices: Iterable[int],
    *,
    model: str,
    predict: Callable[[Frame], Labels],
    token: CancelToken,
    tell: Callable[[Carried], None],
) -> str:
    """Take a model's labels over on many frames, where nobody painted and nothing was propagated.

    predict: labels uint8 (H, W) of a frame in the project's classes. Returns what was done.
    """
    hood, done, skipped = hood_of(project, media), 0, 0
    for index in indices:
        token.check()
        try:
            frame = source.read(index)
        except FrameMissing:
            skipped += 1
            continue
        if frame.note:
            skipped += 1
            continue
        labels = predict(frame)

        def change(document: LabelDocument, labels: Labels = labels) -> None:
            free = (document.origin == MODEL) | (document.origin == NONE)
            document.put(_whole(free), labels, origin=MODEL)
            if hood is not None:
                hood.put_on(document)

        pixels = edit_frame(project, media, frame, f"Draft · {model}", change, drafted_by=model)
        tell(Carried(FrameKey(media, index), pixels))
        done += 1
    left = f"; {skipped} could not be read" if skipped else ""
    return f"Took {model}'s draft over on {done} frames{left}."


def apply_hood(
    project: Project,
    media: int,
    source: FrameSource,
    indices: Iterable[int],
    *,
    token: CancelToken,
    tell: Callable[[Carried], None],
) -> str:
    """Put the hood on frames that have labels already."""
    hood, done = hood_of(project, media), 0
    if hood is None:
        raise SegStudioError("No hood was drawn for this clip; select it and try again.")
    for index in indices:
        token.check()
        frame = source.read(index)
        pixels = edit_frame(project, media, frame, "Hood", hood.put_on)
        tell(Carried(FrameKey(media, index), pixels))
        done += bool(pixels)
    return f"The hood is on {done} more frames; new ones get it by themselves."


def edit_frame(
    project: Project,
    media: int,
    frame: Frame,
    title: str,
    change: Callable[[LabelDocument], None],
    *,
    drafted_by: str = "",
) -> int:
    """Read a frame's labels, change them in one step, write the step. Returns pixels changed.

    Done again when somebody else wrote the frame in between.
    """
    key = FrameKey(media, frame.id.index)
    while True:
        stored = project.load(key)
        size = (frame.height, frame.width)
        if stored is None or stored.labels.shape != size:
            if stored is not None and stored.history:
                raise SegStudioError(
                    f"The labels of frame {key.index} have another size than its picture; they are"
                    " left as they are."
                )
            document = LabelDocument(np.full(size, VOID, np.uint8), np.zeros(size, np.uint8))
            about = FrameAbout(frame.id.time_us, frame.id.fingerprint, "", *size)
            position = 0
        else:
            document = LabelDocument(stored.labels, stored.origin)
            about, position = stored.summary.about, stored.summary.position
        if drafted_by:
            about = replace(about, drafted_by=drafted_by)
        document.begin(title)
        change(document)
        step = document.commit()
        if step is None:
            return 0
        nobody, by_model, carried, painted, confirmed = document.origin_counts[:5].tolist()
        counts = (nobody, by_model, carried, painted, confirmed)
        try:
            project.push(key, position, step, counts, about).result()
        except StaleFrame:
            continue
        return step.pixels


def _whole(mask: NDArray[np.bool_]) -> Area:
    height, width = mask.shape
    return Area(Rect(0, 0, height, width), mask)
