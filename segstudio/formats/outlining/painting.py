"""Shapes of a frame, painted over each other: the frame as its reader gives it."""

from collections.abc import Iterable

from segstudio.formats.labelled import Labelled
from segstudio.formats.outlining.shapes import Shape, painted
from segstudio.formats.registry import FrameRef


def painted_frame(
    frame: FrameRef,
    shapes: Iterable[Shape],
    size: tuple[int, int],
    *,
    with_instances: bool,
    number: int = 0,
) -> Labelled:
    """size: (height, width). number: as in Labelled. Otherwise as `painted`."""
    labels, instances = painted(shapes, *size, with_instances=with_instances, name=frame.name)
    return Labelled(frame.name, labels, None, frame.clip, frame.split, number, instances)
