"""Samples for training: real labelled folders and the synthetic drive, drawn by number.

Sample i depends on the seed and on i alone, so that a resumed run goes on with exactly the
samples that an unbroken one would have seen, whatever the number of workers.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from segstudio.core.catalogue import InputRule
from segstudio.core.training import LabelledFolder, TrainRecipe
from segstudio.errors import MediaError
from segstudio.media.images import read_image
from segstudio.media.synthetic.drive import DriveSettings, SyntheticDrive
from segstudio.store.masks import read_mask, write_mask, write_picture
from segstudio.store.pairs import Pair, find_pairs
from segstudio.train.augment import random_crop, random_look

_SYNTHETIC_SIZE = (360, 480)


def split_held_out(folder: LabelledFolder) -> tuple[list[Pair], list[Pair]]:
    """(to train on, held out) by the stem prefixes in `hold_out`."""
    pairs = find_pairs(Path(folder.images), Path(folder.labels))
    held = [p for p in pairs if folder.hold_out and p.name.startswith(folder.hold_out)]
    return [p for p in pairs if p not in held], held


def read_pair(pair: Pair, classes: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """rgb uint8 (H, W, 3) and labels uint8 (H, W); ids outside the class set become void."""
    rgb = read_image(pair.picture)
    labels = read_mask(pair.labels)
    if labels.shape != rgb.shape[:2]:
        raise MediaError(
            f"{pair.picture.name} and its labels differ in size ({rgb.shape[1]}×{rgb.shape[0]} and"
            f" {labels.shape[1]}×{labels.shape[0]}); export them at one size."
        )
    return rgb, np.where(labels < classes, labels, 255).astype(np.uint8)


class Samples(Dataset[tuple[Tensor, Tensor]]):
    """Sample i: float32 (3, h, w), normalised by `rule`, and int64 (h, w) labels.

    pool: folder that keeps the rendered synthetic frames.
    """

    def __init__(self, recipe: TrainRecipe, classes: int, rule: InputRule, pool: Path) -> None:
        self._recipe = recipe
        self._pool = pool
        self._classes = classes
        self._pairs = [p for f in recipe.train for p in split_held_out(f)[0]]
        self._rule = rule
        self._mean = np.asarray(rule.mean, np.float32)
        self._std = np.asarray(rule.std, np.float32)

    def __len__(self) -> int:
        return self._recipe.steps * self._recipe.batch

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        r = self._recipe
        rng = np.random.default_rng((r.seed, index))
        if rng.random() < r.synthetic_share:
            rgb, labels = self._synthetic(rng)
        else:
            rgb, labels = read_pair(self._pairs[self._real(index)], self._classes)
        rgb, labels = random_crop(
            rgb, labels, rng, crop=r.crop, scale=r.scale, short_side=r.short_side
        )
        rgb = random_look(rgb, rng)
        rule = self._rule
        pixels = rgb[..., ::-1] if rule.channels == "BGR" else rgb
        values = pixels.astype(np.float32) / rule.scale
        values = (values - self._mean) / (self._std * rule.divide_after)
        return (
            torch.from_numpy(np.ascontiguousarray(values.transpose(2, 0, 1))),
            torch.from_numpy(labels.astype(np.int64)),
        )

    def _real(self, index: int) -> int:
        """Every epoch in an order of its own; the epoch's order depends on seed and epoch."""
        epoch, place = divmod(index, len(self._pairs))
        order = np.random.default_rng((self._recipe.seed, 2**32 + epoch))
        return int(order.permutation(len(self._pairs))[place])

    def _synthetic(self, rng: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """One of `synthetic_pool` frames, each from a drive of its own; rendered once, then kept.

        No demo or test uses these drives (their seeds are under 1000).
        """
        number = int(rng.integers(0, self._recipe.synthetic_pool))
        image, labels = (self._pool / f"{number:06d}{end}.png" for end in ("", "_L"))
        if not labels.is_file():
            h, w = _SYNTHETIC_SIZE
            seed = 1000 + number
            drive = SyntheticDrive(DriveSettings(height=h, width=w, seed=seed))
            rgb, mask = drive.frame(int(np.random.default_rng(seed).integers(0, 3000)))
            self._pool.mkdir(parents=True, exist_ok=True)
            write_picture(image, rgb)
            write_mask(labels, mask, None)
        return read_image(image), read_mask(labels)


class _From(Sampler[int]):
    """The sample numbers from `start` on, in order."""

    def __init__(self, start: int, stop: int) -> None:
        self._numbers = range(start, stop)

    def __iter__(self) -> Iterator[int]:
        return iter(self._numbers)

    def __len__(self) -> int:
        return len(self._numbers)


def batches(samples: Samples, recipe: TrainRecipe, step: int) -> DataLoader[tuple[Tensor, Tensor]]:
    """Batches from `step` on: float32 (N, 3, h, w) and int64 (N, h, w)."""
    return DataLoader(
        samples,
        batch_size=recipe.batch,
        sampler=_From(step * recipe.batch, recipe.steps * recipe.batch),
        num_workers=recipe.workers,
        # fork would copy a process whose torch threads already run; CUDA forbids it altogether
        multiprocessing_context="spawn" if recipe.workers else None,
        prefetch_factor=4 if recipe.workers else None,
        worker_init_fn=one_thread if recipe.workers else None,
        pin_memory=torch.cuda.is_available(),
    )


def one_thread(_worker: int) -> None:
    """A worker computes on one core and leaves the others to the net."""
    import cv2

    cv2.setNumThreads(0)
    torch.set_num_threads(1)
