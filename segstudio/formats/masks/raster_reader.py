"""The reader of all formats that keep one raster a frame, and what numbers in rasters mean."""

import io
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from segstudio.core.class_mapping import listed
from segstudio.core.classes import VOID, ClassMap
from segstudio.errors import FormatError
from segstudio.formats.files.source import Source
from segstudio.formats.labelled import Labelled
from segstudio.formats.lookup import looked_up
from segstudio.formats.masks import rasters
from segstudio.formats.masks.colors import Color, ColorTable, unknown_in_words
from segstudio.formats.masks.rasters import Raster
from segstudio.formats.registry import FrameRef
from segstudio.media.images import is_on_its_side

_HEADER = 1 << 18
"""Bytes of a picture in which its size is told, behind whatever a camera put first."""

_MOST_COLORS = 4096
"""Unknown colours that are counted: a photograph in place of labels has tens of thousands."""


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """Labels uint8 (H, W), instances int32 (H, W) or None, and colours that no class has."""

    labels: NDArray[np.uint8]
    instances: NDArray[np.int32] | None = None
    unknown: Mapping[Color, int] = field(default_factory=dict)


class RasterReader:
    """One raster a frame; `FrameRef.key` is its path.

    decode: what a raster means; gets it and the path, for messages. notes grow while frames are
    read: unknown colours are only known then.
    """

    def __init__(
        self,
        source: Source,
        classes: ClassMap,
        frames: Sequence[FrameRef],
        decode: Callable[[Raster, PurePosixPath], Decoded],
        notes: Sequence[str] = (),
    ) -> None:
        self.classes = classes
        self.frames: Sequence[FrameRef] = frames
        self.notes: Sequence[str] = tuple(notes)
        self._source = source
        self._decode = decode
        self._said = tuple(notes)
        self._unknown: Counter[Color] = Counter()
        self._counted: set[PurePosixPath] = set()
        self._lock = threading.Lock()

    def read(self, frame: FrameRef) -> Labelled:
        """See `Reader.read`."""
        path = PurePosixPath(frame.key)
        raster = rasters.decode(self._source.read(path), str(path))
        if raster.is_lossy:
            raise FormatError(
                f"{path} is a JPEG or WebP file, which invents classes along every edge; export the"
                " labels as PNG."
            )
        decoded = self._decode(raster, path)
        self._check_picture(frame, decoded.labels.shape)
        if decoded.unknown:
            self._note(path, decoded.unknown)
        return Labelled(
            frame.name,
            decoded.labels,
            clip=frame.clip,
            split=frame.split,
            instances=decoded.instances,
        )

    def _check_picture(self, frame: FrameRef, shape: tuple[int, ...]) -> None:
        if frame.picture is None:
            return
        size = picture_size(self._source.head(frame.picture, _HEADER))
        if size is not None and size != shape:
            raise FormatError(
                f"{frame.key} has {shape[1]}×{shape[0]} pixels, and its picture"
                f" {frame.picture} {size[1]}×{size[0]}; export them at one size."
            )

    def _note(self, path: PurePosixPath, unknown: Mapping[Color, int]) -> None:
        with self._lock:
            if path in self._counted:
                return
            self._counted.add(path)
            self._unknown.update(unknown)
            if len(self._unknown) > _MOST_COLORS:
                self._unknown = Counter(dict(self._unknown.most_common(_MOST_COLORS // 2)))
            self.notes = (*self._said, unknown_in_words(self._unknown))


def picture_size(content: bytes) -> tuple[int, int] | None:
    """(H, W) of a picture as people see it, by its first bytes; None where they do not say."""
    try:
        with Image.open(io.BytesIO(content)) as image:
            width, height = image.size
            turned = is_on_its_side(image)
    # Pillow raises nearly anything; whoever reads the picture itself says what is wrong with it.
    except (OSError, ValueError, SyntaxError, EOFError, LookupError, TypeError, MemoryError,
            OverflowError):  # fmt: skip
        return None
    return (width, height) if turned else (height, width)


def numbers_of(raster: Raster, path: PurePosixPath) -> NDArray[np.uint8] | NDArray[np.int32]:
    """The numbers of a raster (H, W). FormatError for colours.

    Three equal channels, as some programs write what they mean as numbers, count as one.
    """
    values = raster.values
    if not raster.is_colors:
        return values
    first = values[..., 0]
    if (values[..., 1] == first).all() and (values[..., 2] == first).all():
        return np.ascontiguousarray(first, np.uint8)
    raise FormatError(
        f"{path} holds colours, where numbers of classes are expected; choose to read it by its"
        " colours."
    )


def wide_numbers_of(raster: Raster, path: PurePosixPath) -> NDArray[np.int32]:
    """int32 (H, W) of a file that holds class and object in one number.

    FormatError for colours and for 8 bits, in which there is no room for both.
    """
    values = numbers_of(raster, path)
    if values.dtype == np.uint8:
        raise FormatError(
            f"{path} has 8 bits a pixel, and a file of objects has 16; export it again, or leave"
            f" the folder {path.parent.name} out."
        )
    return np.asarray(values, np.int32)


def by_table(
    numbers: NDArray[np.uint8] | NDArray[np.int32],
    ids: Mapping[int, int],
    path: PurePosixPath,
    meant: str,
) -> NDArray[np.uint8]:
    """uint8 (H, W): each number by a table number 0..255 → id; 255 is void where nothing else.

    meant: what has the numbers, for the message. FormatError for numbers that are not in the table.
    """
    if numbers.dtype != np.uint8:
        low, high = int(numbers.min()), int(numbers.max())
        if low < 0 or high > VOID:
            raise _strange([high if high > VOID else low], path, meant)
    small = numbers.astype(np.uint8, copy=False)
    table = np.full(256, VOID, np.uint8)
    is_known = np.zeros(256, np.uint8)
    for number, class_id in ((VOID, VOID), *ids.items()):
        table[number], is_known[number] = class_id, 1
    if not looked_up(is_known, small).all():
        strange = np.unique(small[is_known[small] == 0])
        raise _strange([int(n) for n in strange], path, meant)
    return looked_up(table, small)


def by_colors(raster: Raster, table: ColorTable) -> Decoded:
    """A raster by its colours; those of its palette, where it has one."""
    labels, unknown = table.labels(raster.rgb())
    return Decoded(labels, unknown=unknown)


def identity(classes: ClassMap) -> dict[int, int]:
    """Every class of the set has its id as its number."""
    return {known.id: known.id for known in classes.classes}


def _strange(numbers: Sequence[int], path: PurePosixPath, meant: str) -> FormatError:
    many = "number" if len(numbers) == 1 else "numbers"
    return FormatError(
        f"{path} holds the {many} {listed([str(n) for n in numbers])}, which {meant} does not have;"
        " choose the class set that its numbers belong to."
    )
