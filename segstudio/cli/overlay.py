"""Overlay videos and pictures that `predict` and `demo` write beside the masks."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from segstudio.engine.run import Done, Labeller
    from segstudio.media.source import FrameSource

    Paint = Callable[[NDArray[np.uint8], NDArray[np.uint8]], NDArray[np.uint8]]


def overlay_receiver(
    output: Path,
    stem: str,
    source: "FrameSource",
    labeller: "Labeller",
    file: Path | None,
    stack: ExitStack,
) -> "Callable[[Done], None]":
    """Takes each finished frame: a video becomes overlay/<stem>.mp4 (or `file`), pictures PNG.

    The video is whole or absent: it gets its name when `stack` ends without an exception.
    """
    from segstudio.core.overlay import Overlay

    paint = Overlay(labeller.card.classes).paint
    kind = source.info.kind
    if kind == "video" or file is not None:
        return _video(file or output / "overlay" / f"{stem}.mp4", source, paint, stack)

    def write(done: "Done") -> None:
        from segstudio.store.masks import write_picture

        name = f"{stem}.png" if kind == "image" else f"{stem}/{done.frame.id.index:06d}.png"
        write_picture(output / "overlay" / name, paint(done.frame.rgb, done.labels))

    return write


def _video(
    file: Path, source: "FrameSource", paint: "Paint", stack: ExitStack
) -> "Callable[[Done], None]":
    """One video whose frames keep the times they have in the source."""
    from segstudio.media.writer import VideoWriter

    writer = stack.enter_context(VideoWriter(file, source.info.fps or 25))
    start = source.time_us(0) or 0

    def write(done: "Done") -> None:
        time_us = done.frame.id.time_us
        picture = paint(done.frame.rgb, done.labels)
        writer.write(picture, None if time_us is None else time_us - start)

    return write
