"""The pictures of a project's frames as they lie beside their labels: whole, upright and the same.

A file is given as it is while every program sees in it what people labelled; frames of videos and
photographs that are turned by a tag are written anew. Only a picture whose content is the one that
was labelled is given at all.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Literal, TypeAlias, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from segstudio.core.class_mapping import listed
from segstudio.engine.labelled_pictures import LabelledPictures
from segstudio.errors import MediaError, UsageError
from segstudio.formats.labelled import Picture
from segstudio.media.images import is_upright
from segstudio.store.project import FrameSummary

Pictures: TypeAlias = Literal["copy", "link", "png", "jpg", "none"]
"""copy, link: files as they are, and PNG for what must be written anew. png, jpg: all of them are
written anew, without loss or at quality 95. none: labels alone."""


def checked(wanted: str) -> Pictures:
    """UsageError for a word that is none of them."""
    for known in get_args(Pictures):
        if wanted == known:
            return known  # type: ignore[no-any-return]  # get_args forgets what they are
    raise UsageError(
        f"Pictures cannot be given as '{wanted}'; choose one of {', '.join(get_args(Pictures))}."
    )


@dataclass(slots=True, eq=False)
class PictureFiles:
    """The pictures of some frames of one medium, while the `with` block lasts.

    Used by one thread; what it gives, by any. `notes` says what was not given and why.
    """

    pictures: LabelledPictures
    how: Pictures

    def __enter__(self) -> "PictureFiles":
        if self.how != "none":
            self.pictures.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.pictures.__exit__(kind, error, trace)

    def of(self, summary: FrameSummary) -> Picture | None:
        """None where there is none, or none that was labelled."""
        found = None if self.how == "none" else self.pictures.read(summary)
        if found is None:
            return None
        file = found.file
        if file is not None and self.how in ("copy", "link") and is_upright(file):
            linked = file.absolute() if self.how == "link" else None
            return Picture(file.suffix.lower(), partial(_read, file), linked)
        suffix = ".jpg" if self.how == "jpg" else ".png"
        return Picture(suffix, partial(encoded, found.rgb, suffix))

    @property
    def notes(self) -> list[str]:
        """Sentences."""
        record, found = self.pictures.record, []
        if self.pictures.is_missing:
            found.append(
                f"{record.title} is not at {record.path} any more, so its labels have no pictures"
                " beside them; open the project in the window and say where it lies."
            )
        for left, why in (
            (self.pictures.unlike, "not the picture that was labelled any more"),
            (self.pictures.broken, "not readable any more"),
        ):
            if left:
                is_one = len(left) == 1
                called = listed([s.about.name or f"frame {s.key.index}" for s in left])
                found.append(
                    f"{called} of {record.title} {'is' if is_one else 'are'} {why}, so"
                    f" {'its labels have' if is_one else 'their labels have'} no picture."
                )
        return found


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
