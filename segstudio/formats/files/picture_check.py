"""Whether labels have the size of the picture they belong to."""

from segstudio.errors import FormatError
from segstudio.formats.files.source import Source
from segstudio.formats.masks.raster_reader import picture_size
from segstudio.formats.registry import FrameRef

_HEADER = 1 << 18
"""Bytes of a picture in which its size is told, behind whatever a camera put first."""


def check_picture(source: Source, frame: FrameRef, shape: tuple[int, ...], labels: str) -> None:
    """FormatError where the picture has another size; `labels` is what the message calls them."""
    if frame.picture is None:
        return
    size = picture_size(source.head(frame.picture, _HEADER))
    if size is not None and size != shape:
        raise FormatError(
            f"{labels} has {shape[1]}×{shape[0]} pixels, and its picture {frame.picture}"
            f" {size[1]}×{size[0]}; export them at one size."
        )
