"""The values that go into other people's formats and come out of them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SPLITS = ("train", "val", "test")


@dataclass(frozen=True, slots=True)
class Picture:
    """The picture of a frame as it will lie beside its labels, upright.

    suffix: ".jpg", ".png", …, with the dot, lower case. content: makes the bytes, called at most
    once and in a worker thread. file: a file that holds exactly these bytes and may be linked to
    instead of copied; None for what is made (a frame of a video, a rotated photograph).
    """

    suffix: str
    content: Callable[[], bytes]
    file: Path | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """One frame and its labels.

    name: what its files are called, without an ending; clean (`names.clean`), unique in an export.
    labels: uint8 (H, W), class ids, 255 void. clip: clean name of the drive it is of, "" for none.
    split: one of SPLITS, or "" where nothing is split. index: its number in the clip.
    instances: int32 (H, W), numbers from 1 inside each class, 0 where there is none; None where the
    source knows of no instances.
    """

    name: str
    labels: NDArray[np.uint8]
    picture: Picture | None = None
    clip: str = ""
    split: str = ""
    index: int = 0
    instances: NDArray[np.int32] | None = None

    @property
    def size(self) -> tuple[int, int]:
        """(H, W) in pixels."""
        height, width = self.labels.shape
        return height, width
