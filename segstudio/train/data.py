"""Samples for training, drawn by number.

Sample i depends on the seed and on i alone, so that a resumed run goes on with exactly the
samples that an unbroken one would have seen, whatever the number of workers. `WeightedSamples`
mixes any sources and weighs every pixel; `Samples` is what a recipe of folders and drives asks.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler, get_worker_info

from segstudio.core.catalogue import InputRule
from segstudio.core.training import LabelledFolder, TrainRecipe
from segstudio.store.pairs import Pair, find_pairs
from segstudio.train.augment import augmented, random_crop, random_look
from segstudio.train.augment_rules import AugmentRule
from segstudio.train.crops import cut_mix
from segstudio.train.labelled import WEIGHT_UNIT, LabelledFrame
from segstudio.train.replay import Draw, Mix
from segstudio.train.sources import read_pair, synthetic_frame

__all__ = ["CropCounts", "Samples", "WeightedSamples", "batches", "one_thread", "read_pair",
           "split_held_out"]  # fmt: skip

_KEPT_BYTES = 256 << 20
"""Decoded frames that each process keeps: reading a large PNG takes longer than all changes."""

_ELSEWHERE = 32
"""Other frames that are looked at before a sample without any label is given out."""

_PROCESSES = 64
"""Workers that count for themselves; more share."""


def split_held_out(folder: LabelledFolder) -> tuple[list[Pair], list[Pair]]:
    """(to train on, held out) by the stem prefixes in `hold_out`."""
    pairs = find_pairs(Path(folder.images), Path(folder.labels))
    held = [p for p in pairs if folder.hold_out and p.name.startswith(folder.hold_out)]
    return [p for p in pairs if p not in held], held


@dataclass(frozen=True, slots=True)
class CropCounts:
    """Of the samples made so far. again: crops that were refused and drawn again.

    elsewhere: frames without any label, for which another one was taken. void: samples in which
    there was nothing to learn all the same.
    """

    again: int
    elsewhere: int
    void: int


class WeightedSamples(Dataset[tuple[Tensor, Tensor, Tensor]]):
    """Sample i: image float32 (3, h, w) normalised by `rule`, labels int64, weights float32 (h, w).

    Weights are 0 where labels are 255. crop: (h, w). short_side: of a frame as the net sees it.
    class_pixels: see choose_window. Frames may have any size. count: how many samples there are.
    """

    def __init__(
        self,
        mix: Mix,
        rule: InputRule,
        *,
        augment: AugmentRule,
        crop: tuple[int, int],
        short_side: int,
        count: int,
        class_pixels: NDArray[np.int64] | None = None,
    ) -> None:
        self._mix, self._rule, self._augment = mix, rule, augment
        self._crop, self._short_side, self._count = crop, short_side, count
        self._class_pixels = class_pixels
        counts = torch.zeros((_PROCESSES, 3), dtype=torch.int64)
        self._tally = counts.share_memory_()  # type: ignore[no-untyped-call]  # torch's own
        self._kept: dict[Draw, LabelledFrame] = {}
        self._free = _KEPT_BYTES

    def __getstate__(self) -> dict[str, Any]:
        """Workers start with nothing kept."""
        return {**self.__dict__, "_kept": {}, "_free": _KEPT_BYTES}

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: int) -> tuple[Tensor, Tensor, Tensor]:
        rng = np.random.default_rng((self._mix.seed, number))
        sample, found = self._sample(number, rng)
        if rng.random() < self._augment.cut_mix:
            other, more = self._sample(int(rng.integers(1 << 31)), rng)
            sample, found = cut_mix(sample, other, rng), found + more
        found[2] = not sample.weights.any()
        worker = get_worker_info()
        self._tally[0 if worker is None else 1 + worker.id % (_PROCESSES - 1)] += found
        return (
            as_input(sample.rgb, self._rule),
            torch.from_numpy(sample.labels.astype(np.int64)),
            torch.from_numpy(sample.weights.astype(np.float32) / WEIGHT_UNIT),
        )

    @property
    def crops(self) -> CropCounts:
        """What all processes counted since this was made."""
        again, elsewhere, void = (int(n) for n in self._tally.sum(0))
        return CropCounts(again, elsewhere, void)

    def _sample(self, number: int, rng: np.random.Generator) -> tuple[LabelledFrame, Tensor]:
        """A changed crop, and what to add to the tally."""
        frame, elsewhere = self._read(self._mix.draw(number)), 0
        while not frame.weights.any() and elsewhere < _ELSEWHERE:
            elsewhere += 1
            frame = self._read(self._mix.draw(int(rng.integers(1 << 31))))
        sample, window = augmented(
            frame, rng, self._augment, crop=self._crop, short_side=self._short_side,
            class_pixels=self._class_pixels,
        )  # fmt: skip
        return sample, torch.tensor((window.again, elsewhere, 0))

    def _read(self, draw: Draw) -> LabelledFrame:
        """What was read first is kept until there is no room: epochs visit all alike."""
        if draw in self._kept:
            return self._kept[draw]
        frame = self._mix.sources[draw.source].read(draw.frame)
        size = 6 * frame.labels.size
        if size <= self._free:
            self._free -= size
            self._kept[draw] = frame
        return frame


def as_input(rgb: NDArray[np.uint8], rule: InputRule) -> Tensor:
    """uint8 (h, w, 3) RGB -> float32 (3, h, w) as the net takes it."""
    pixels = rgb[..., ::-1] if rule.channels == "BGR" else rgb
    mean, std = np.asarray(rule.mean, np.float32), np.asarray(rule.std, np.float32)
    values = pixels.astype(np.float32) / rule.scale
    values = (values - mean) / (std * rule.divide_after)
    return torch.from_numpy(np.ascontiguousarray(values.transpose(2, 0, 1)))


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
        return as_input(rgb, self._rule), torch.from_numpy(labels.astype(np.int64))

    def _real(self, index: int) -> int:
        """Every epoch in an order of its own; the epoch's order depends on seed and epoch."""
        epoch, place = divmod(index, len(self._pairs))
        order = np.random.default_rng((self._recipe.seed, 2**32 + epoch))
        return int(order.permutation(len(self._pairs))[place])

    def _synthetic(self, rng: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """One of `synthetic_pool` frames, each from a drive of its own."""
        return synthetic_frame(self._pool, int(rng.integers(0, self._recipe.synthetic_pool)))


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
