"""Batches by number: which samples a process reads for which step.

Step s of a run with E samples a step takes the numbers s·E … s·E + E - 1; process r of N reads the
r-th N-th of them. Nothing else decides what is seen, so a run goes on exactly, on as many processes
as divide E.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from segstudio.core.training import TrainRecipe
from segstudio.engine.ranks import Rank
from segstudio.errors import MediaError, SegStudioError
from segstudio.train.data import one_thread


@dataclass(frozen=True, slots=True)
class Share:
    """What one process reads. effective: samples of a step in all processes."""

    effective: int
    rank: Rank

    @property
    def size(self) -> int:
        """Samples of a step in this process."""
        return self.effective // self.rank.of

    def numbers(self, step: int) -> range:
        """Of the samples that this process reads for `step`."""
        start = step * self.effective + self.rank.number * self.size
        return range(start, start + self.size)

    @staticmethod
    def of(recipe: TrainRecipe, rank: Rank, effective: int | None) -> "Share":
        """effective: that of the run so far; None: it begins, with what the recipe says.

        SegStudioError when the processes cannot share it evenly.
        """
        if effective is None:
            effective = recipe.batch * recipe.accumulation * rank.of
        if effective % rank.of:
            raise SegStudioError(
                f"This run takes {effective} samples a step, which {rank.of} processes cannot share"
                " evenly; go on with a number of processes that divides it."
            )
        return Share(effective, rank)


class _Steps(Sampler[list[int]]):
    """The numbers of one step after the other."""

    def __init__(self, share: Share, first: int, last: int) -> None:
        self._share, self._steps = share, range(first, last)

    def __iter__(self) -> Iterator[list[int]]:
        return (list(self._share.numbers(step)) for step in self._steps)

    def __len__(self) -> int:
        return len(self._steps)


def feed(
    samples: Dataset[tuple[Tensor, ...]],
    share: Share,
    *,
    first: int,
    last: int,
    workers: int,
) -> Iterator[tuple[Tensor, ...]]:
    """This process's samples of each step from `first` to before `last`.

    Yields what samples are, stacked: float32 (n, 3, h, w), int64 (n, h, w) and more, in memory
    that CUDA copies from at once. MediaError when a frame cannot be read.
    """
    loader: DataLoader[tuple[Tensor, ...]] = DataLoader(
        samples,
        batch_sampler=_Steps(share, first, last),
        num_workers=workers,
        # fork would copy a process whose torch threads already run; CUDA forbids it altogether
        multiprocessing_context="spawn" if workers else None,
        prefetch_factor=4 if workers else None,
        worker_init_fn=one_thread if workers else None,
        pin_memory=torch.cuda.is_available(),
    )
    try:
        yield from loader
    except MediaError as error:
        # torch puts the whole story of a worker around the one sentence that it ends with
        sentence = str(error).rstrip().splitlines()[-1]
        raise MediaError(sentence.partition("MediaError: ")[2] or sentence) from error
