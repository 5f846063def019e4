"""The pictures that the labels of a project were drawn on, wherever they lie now.

Each is recognised by its content: a folder may hold other pictures by now, or the same under names
that were others' before. Only a picture that was labelled is given.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from segstudio.errors import MediaError
from segstudio.media.images import read_image
from segstudio.media.open import is_same_content, open_source
from segstudio.media.source import FrameSource
from segstudio.store.project import FrameSummary, MediaRecord, Project

_CACHE_BYTES = 64 << 20


@dataclass(frozen=True, slots=True, eq=False)
class LabelledPicture:
    """rgb: uint8 (H, W, 3), upright. file: that holds just this picture; None in a video."""

    rgb: NDArray[np.uint8]
    file: Path | None


@dataclass(slots=True, eq=False)
class LabelledPictures:
    """Of one medium, while the `with` block lasts. For one thread.

    frames: those that will be asked for. is_missing: the medium is nowhere. unlike, broken: of
    those that were asked for, frames whose picture is another one now or cannot be read.
    """

    project: Project
    record: MediaRecord
    frames: Sequence[FrameSummary]
    is_missing: bool = False
    unlike: list[FrameSummary] = field(default_factory=list)
    broken: list[FrameSummary] = field(default_factory=list)
    _place: Path | None = None
    _source: FrameSource | None = None
    _is_broken: bool = False  # so that a video that cannot be opened is not tried for each frame

    def __enter__(self) -> "LabelledPictures":
        self._place = self._found()
        self.is_missing = self._place is None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._source is not None:
            self._source.close()
            self._source = None

    def read(self, frame: FrameSummary) -> LabelledPicture | None:
        """None when it is not there; why, the lists say."""
        if self._place is None:
            return None
        try:
            rgb, fingerprint, file = self._read(self._place, frame)
        except MediaError:
            self.broken.append(frame)
            return None
        about = frame.about
        if fingerprint == about.fingerprint and rgb.shape[:2] == (about.height, about.width):
            return LabelledPicture(rgb, file)
        self.unlike.append(frame)
        return None

    def _read(self, place: Path, frame: FrameSummary) -> tuple[NDArray[np.uint8], int, Path | None]:
        if self.record.kind != "video":
            file = place if self.record.kind == "image" else place / self._name(frame)
            rgb = read_image(file)
            return rgb, zlib.crc32(rgb.data), file
        if self._is_broken:
            raise MediaError(f"{place.name} cannot be opened; restore it from a copy.")
        if self._source is None:
            self._is_broken = True
            self._source = open_source(place, cache_bytes=_CACHE_BYTES)
            self._is_broken = False
        found = self._source.read(frame.key.index)
        return found.rgb, found.id.fingerprint, None

    def _found(self) -> Path | None:
        """Where it lies: by its content, a folder by the pictures that were labelled."""
        record = self.record
        if record.kind != "sequence":
            return self.project.find_media(
                record, lambda place: is_same_content(place, record.fingerprint)
            )
        names = [name for name in map(self._name, self.frames) if name]
        return self.project.find_media(
            record, lambda place: any((place / name).is_file() for name in names)
        )

    def _name(self, frame: FrameSummary) -> str:
        """Of the picture file as it was when it was labelled; "" where nobody knows."""
        if frame.about.name:
            return frame.about.name
        pictures = self.project.pictures(self.record.id)
        known = pictures.names if pictures is not None else ()
        return known[frame.key.index] if 0 <= frame.key.index < len(known) else ""
