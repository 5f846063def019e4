"""The pictures of a project's frames as they lie beside their labels: whole, upright and the same.

A file is given as it is while every program sees in it what people labelled; frames of videos and
photographs that are turned by a tag are written anew. Only a picture whose content is the one that
was labelled is given at all.
"""

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal, TypeAlias, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from segstudio.core.class_mapping import listed
from segstudio.engine.project_sources import files_of
from segstudio.errors import MediaError, UsageError
from segstudio.formats.labelled import Picture
from segstudio.media.images import ImageSource, is_upright
from segstudio.media.open import complete_info, open_source
from segstudio.media.source import FrameSource
from segstudio.store.project import FrameSummary, MediaRecord, Project

Pictures: TypeAlias = Literal["copy", "link", "png", "jpg", "none"]
"""copy, link: files as they are, and PNG for what must be written anew. png, jpg: all of them are
written anew, without loss or at quality 95. none: labels alone."""

_CACHE_BYTES = 64 << 20


def checked(wanted: str) -> Pictures:
    """UsageError for a word that is none of them."""
    for known in get_args(Pictures):
        if wanted == known:
            return known  # type: ignore[no-any-return]  # get_args forgets what they are
    raise UsageError(
        f"Pictures cannot be given as '{wanted}'; choose one of {', '.join(get_args(Pictures))}."
    )


@dataclass(slots=True)
class PictureFiles:
    """The pictures of one medium, open. Used by one thread; what it gives, by any.

    notes: what was not given and why, once `close` was called.
    """

    project: Project
    record: MediaRecord
    how: Pictures
    notes: list[str] = field(default_factory=list)
    _source: FrameSource | None = None
    _place: dict[str, int] = field(default_factory=dict)
    _unlike: list[str] = field(default_factory=list)
    _broken: list[str] = field(default_factory=list)

    def open(self) -> None:
        """Look for the medium; a note when it is nowhere."""
        if self.how == "none":
            return
        try:
            files = files_of(self.project, self.record)
            if files:
                self._source = open_source(files, cache_bytes=_CACHE_BYTES)
        except MediaError as error:
            self.notes.append(str(error))
            return
        if self._source is None:
            self.notes.append(
                f"{self.record.title} is not at {self.record.path} any more, so its labels have no"
                " pictures beside them; open the project in the window and say where it lies."
            )
            return
        info = complete_info(self._source)
        self._place = {name: index for index, name in enumerate(info.names)}

    def of(self, summary: FrameSummary) -> Picture | None:
        """None where there is none, or none that was labelled."""
        if self._source is None:
            return None
        name = summary.about.name
        index = self._place.get(name, -1) if name and self._place else summary.key.index
        called = name or f"frame {summary.key.index}"
        try:
            frame = self._source.read(index)
            about = summary.about
            is_it = frame.id.fingerprint == about.fingerprint
            if not is_it or (frame.height, frame.width) != (about.height, about.width):
                self._unlike.append(called)
                return None
            if isinstance(self._source, ImageSource) and self.how in ("copy", "link"):
                file = self._source.paths[index]
                if is_upright(file):
                    linked = file.absolute() if self.how == "link" else None
                    return Picture(file.suffix.lower(), partial(_read, file), linked)
        except MediaError:
            self._broken.append(called)
            return None
        suffix = ".jpg" if self.how == "jpg" else ".png"
        return Picture(suffix, partial(encoded, frame.rgb, suffix))

    def close(self) -> None:
        """Let go of the medium, and say what was left out."""
        if self._source is not None:
            self._source.close()
            self._source = None
        for called, why in (
            (self._unlike, "not the picture that was labelled any more"),
            (self._broken, "not readable any more"),
        ):
            if called:
                is_one = len(called) == 1
                self.notes.append(
                    f"{listed(called)} of {self.record.title} {'is' if is_one else 'are'} {why}, so"
                    f" {'its labels have' if is_one else 'their labels have'} no picture."
                )
        self._unlike, self._broken = [], []


def encoded(rgb: NDArray[np.uint8], suffix: str) -> bytes:
    """A PNG, or a JPEG of quality 95 whose colours are as sharp as its grey, of uint8 (H, W, 3)."""
    bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
    options = [cv2.IMWRITE_PNG_COMPRESSION, 1]
    if suffix == ".jpg":
        sharp = cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444
        options = [cv2.IMWRITE_JPEG_QUALITY, 95, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sharp]
    is_done, content = cv2.imencode(suffix, bgr, options)
    if not is_done:  # JPEG ends at 65,500 pixels a side
        raise MediaError(
            f"A picture of {rgb.shape[1]}×{rgb.shape[0]} cannot be written as {suffix}; choose png."
        )
    return content.tobytes()


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise MediaError(
            f"{file.name} cannot be read any more ({error.strerror}); put it back and try again."
        ) from error
