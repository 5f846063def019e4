"""Where labelled frames come from: folders of pairs, and the synthetic drive."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from segstudio.core.classes import VOID
from segstudio.errors import MediaError
from segstudio.media.images import read_image
from segstudio.media.synthetic.drive import DriveSettings, SyntheticDrive
from segstudio.store.masks import read_mask, write_mask, write_picture
from segstudio.store.pairs import Pair
from segstudio.train.labelled import LabelledFrame

_SYNTHETIC_SIZE = (360, 480)


def read_pair(pair: Pair, classes: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """rgb uint8 (H, W, 3) and labels uint8 (H, W); ids outside the class set become void."""
    rgb = read_image(pair.picture)
    labels = known_labels(pair, classes)
    if labels.shape != rgb.shape[:2]:
        raise MediaError(
            f"{pair.picture.name} and its labels differ in size ({rgb.shape[1]}×{rgb.shape[0]} and"
            f" {labels.shape[1]}×{labels.shape[0]}); export them at one size."
        )
    return rgb, labels


def known_labels(pair: Pair, classes: int) -> NDArray[np.uint8]:
    """uint8 (H, W); ids outside the class set become void."""
    labels = read_mask(pair.labels)
    return np.where(labels < classes, labels, VOID).astype(np.uint8)


def synthetic_frame(pool: Path, number: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Frame of drive `number`, CamVid ids; rendered once, then kept in the folder `pool`.

    No demo or test uses these drives (their seeds are under 1000).
    """
    image, labels = (pool / f"{number:06d}{end}.png" for end in ("", "_L"))
    if not labels.is_file():
        h, w = _SYNTHETIC_SIZE
        seed = 1000 + number
        drive = SyntheticDrive(DriveSettings(height=h, width=w, seed=seed))
        rgb, mask = drive.frame(int(np.random.default_rng(seed).integers(0, 3000)))
        pool.mkdir(parents=True, exist_ok=True)
        write_picture(image, rgb)
        write_mask(labels, mask, None)
    return read_image(image), read_mask(labels)


@dataclass(frozen=True, slots=True)
class FolderFrames:
    """Pairs of pictures and labels; ids from `classes` on are void. weight: of every pixel."""

    name: str
    pairs: tuple[Pair, ...]
    classes: int
    weight: float = 1.0

    def __len__(self) -> int:
        return len(self.pairs)

    def read(self, number: int) -> LabelledFrame:
        """Pair `number`."""
        return LabelledFrame.of(*read_pair(self.pairs[number], self.classes), self.weight)

    def labels(self, number: int) -> NDArray[np.uint8]:
        """Of pair `number`, without reading its picture."""
        return known_labels(self.pairs[number], self.classes)


@dataclass(frozen=True, slots=True)
class DriveFrames:
    """One frame of each of `count` synthetic drives; needs the classes of CamVid.

    pool: folder that keeps them.
    """

    pool: Path
    count: int
    weight: float = 1.0
    name: str = "synthetic drive"

    def __len__(self) -> int:
        return self.count

    def read(self, number: int) -> LabelledFrame:
        """The frame of drive `number`."""
        return LabelledFrame.of(*synthetic_frame(self.pool, number), self.weight)

    def labels(self, number: int) -> NDArray[np.uint8]:
        """Of the frame of drive `number`."""
        return synthetic_frame(self.pool, number)[1]
