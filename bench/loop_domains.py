"""New domains for the loop's benchmark: a pool to correct frames of, and a test that is apart.

camvid: a drive that the base never saw, 0006R0, split in time: the first 60 % are the pool, the
last 30 % the test, and what lies between is neither. night: streets of the synthetic drive on a wet
night, which no training frame shows; pool and test are different streets. mixed: what people have,
hours of what the net knows and little of what is new: four streets by day, which the base handles,
and one on a wet night; the test is of either in equal parts, on other streets. halts: the night
again, but the car stands at a light for two thirds of the pool. Earlier data, against forgetting:
what the base learned from, CamVid's other drives or the synthetic drive by day.
"""

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from segstudio.core.classes import CAMVID
from segstudio.media.synthetic.drive import DriveSettings, SyntheticDrive
from segstudio.media.synthetic.light import NIGHT, Light
from segstudio.store.masks import write_mask, write_picture
from segstudio.store.pairs import Pair
from segstudio.train.sources import synthetic_frame

DRIVE = "0006R0"
POOL_SHARE, TEST_SHARE = 0.6, 0.3
SIZE = (360, 480)


@dataclass(frozen=True, slots=True)
class Picture:
    """A frame and its labels. clip: number of the folder it lies in, from 0."""

    image: Path
    labels: Path
    clip: int = 0

    @property
    def pair(self) -> Pair:
        """As training and judging read it."""
        return Pair(self.image.stem, self.image, self.labels, "")


@dataclass(frozen=True, slots=True)
class Domain:
    """clips: folders of pictures that are corrected, one for each drive. pool: all of them. test:
    never trained on. earlier: a folder with images/ and labels/.
    """

    name: str
    title: str
    clips: tuple[Path, ...]
    pool: tuple[Picture, ...]
    test: tuple[Picture, ...]
    earlier: Path


def camvid_folder() -> Path | None:
    """Where the real frames lie: $SEGSTUDIO_DATA or ../shared/data, in camvid/train."""
    named = os.environ.get("SEGSTUDIO_DATA")
    root = Path(named) if named else Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = root / "camvid" / "train"
    return folder if folder.is_dir() else None


def camvid(source: Path, folder: Path) -> Domain:
    """source: CamVid's train, with images/ and labels/. Copied into `folder`."""
    pictures = sorted((source / "images").glob("*.jpg"))
    drive = [p for p in pictures if p.name.startswith(DRIVE)]
    first, last = round(POOL_SHARE * len(drive)), round((1 - TEST_SHARE) * len(drive))
    parts = {
        "pool": drive[:first],
        "test": drive[last:],
        "earlier": [p for p in pictures if not p.name.startswith(DRIVE)],
    }
    for part, files in parts.items():
        for kind in ("images", "labels"):
            (folder / part / kind).mkdir(parents=True, exist_ok=True)
        for file in files:
            _copy(file, folder / part / "images" / file.name)
            mask = file.with_suffix(".png").name
            _copy(source / "labels" / mask, folder / part / "labels" / mask)
    return Domain(
        "camvid",
        f"CamVid, drive {DRIVE}, never seen by the base",
        (folder / "pool" / "images",),
        _pictures(folder / "pool"),
        _pictures(folder / "test"),
        folder / "earlier",
    )


@dataclass(frozen=True, slots=True)
class Street:
    """seconds: of driving; where one comes several times the car all but stands, and the picture
    differs by a centimetre of the way and the noise. light: None is the weather of the seed, by
    day.
    """

    seed: int
    seconds: Sequence[int]
    light: Light | None = NIGHT

    @property
    def stands(self) -> bool:
        """Whether it halts."""
        return len(set(self.seconds)) < len(self.seconds)


def night(folder: Path, *, pool: int = 40, test: int = 8, earlier: int = 200) -> Domain:
    """pool, test: frames of each of the streets, a second and three apart. earlier: frames."""
    return _synthetic(
        folder,
        "night",
        "Synthetic drive by night; the base knows it by day",
        tuple(Street(seed, range(pool)) for seed in (5001, 5002, 5003)),
        _night_test(test),
        earlier,
    )


def halts(folder: Path, *, test: int = 8, earlier: int = 200) -> Domain:
    """As night(), with the same test: of 40 frames a street two halts have 13 and 15."""
    seconds = (*range(5), *(4,) * 12, *range(5, 10), *(9,) * 14, *range(10, 14))
    return _synthetic(
        folder,
        "halts",
        "By night, the car standing at lights in two frames of three",
        tuple(Street(seed, seconds) for seed in (5001, 5002, 5003)),
        _night_test(test),
        earlier,
    )


def _night_test(frames: int) -> tuple[Street, ...]:
    return tuple(Street(seed, range(0, 3 * frames, 3)) for seed in (6001, 6002, 6003))


def mixed(folder: Path, *, pool: int = 40, test: int = 6, earlier: int = 200) -> Domain:
    """As night(); of five streets in the pool one is by night, of four in the test two."""
    whole, some = range(pool), range(0, 4 * test, 4)
    by_day = tuple(Street(seed, whole, None) for seed in (5101, 5102, 5103, 5104))
    tests = (Street(6101, some, None), Street(6102, some, None))
    return _synthetic(
        folder,
        "mixed",
        "Four drives by day and one by night; the base knows days",
        (*by_day[:2], Street(5105, whole), *by_day[2:]),
        (*tests, Street(6103, some), Street(6104, some)),
        earlier,
    )


def _synthetic(
    folder: Path,
    name: str,
    title: str,
    pool: tuple[Street, ...],
    test: tuple[Street, ...],
    earlier: int,
) -> Domain:
    found: dict[str, list[Picture]] = {"pool": [], "test": []}
    for part, streets in (("pool", pool), ("test", test)):
        for clip, street in enumerate(streets):
            place = folder / part / str(street.seed)
            _render(place, street)
            found[part] += _pictures(place, clip)
    for number in range(earlier):
        image, labels = (folder / "earlier" / k / f"{number:04d}.png" for k in ("images", "labels"))
        if not labels.is_file():
            rgb, mask = synthetic_frame(folder / "day", number)
            _write(image, labels, rgb, mask)
    return Domain(
        name,
        title,
        tuple(folder / "pool" / str(street.seed) / "images" for street in pool),
        tuple(found["pool"]),
        tuple(found["test"]),
        folder / "earlier",
    )


def _render(folder: Path, street: Street) -> None:
    """Its frames, those that are not there yet."""
    height, width = SIZE
    rate = 1000 if street.stands else 1  # frames of a second, of which a halt takes the first ones
    settings = DriveSettings(height, width, street.seed, fps=float(rate))
    drive = SyntheticDrive(settings, light=street.light)
    for number, second in enumerate(street.seconds):
        name = f"{number if street.stands else second:04d}.png"
        image, labels = (folder / k / name for k in ("images", "labels"))
        if not labels.is_file():
            stood = street.seconds[:number].count(second) if street.stands else 0
            _write(image, labels, *drive.frame(second * rate + stood))


def _write(image: Path, labels: Path, rgb: np.ndarray, mask: np.ndarray) -> None:
    """The labels last: where they are, both are."""
    image.parent.mkdir(parents=True, exist_ok=True)
    labels.parent.mkdir(parents=True, exist_ok=True)
    write_picture(image, rgb)
    write_mask(labels, mask, CAMVID.palette())


def _copy(file: Path, to: Path) -> None:
    if not to.is_file():
        shutil.copyfile(file, to)


def _pictures(folder: Path, clip: int = 0) -> tuple[Picture, ...]:
    files = sorted((folder / "images").iterdir())
    return tuple(Picture(f, folder / "labels" / f"{f.stem}.png", clip) for f in files)
