"""Which frame a sample is of: what is new, and earlier data against forgetting it.

A net that is trained on a few corrected frames alone forgets what they do not show. So a share of
the samples comes from what the base model learned from, or from frames of the same clips that the
base model labelled itself (see pseudo.py).
"""

import math
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from segstudio.errors import SegStudioError
from segstudio.train.labelled import LabelledSource


@dataclass(frozen=True, slots=True)
class Replay:
    """share: part of the samples, 0..1, that comes from `sources`, from each as often."""

    share: float = 0.0
    sources: tuple[LabelledSource, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1 or (self.share and not all(len(s) for s in self.sources)):
            raise SegStudioError(
                "The share of earlier data lies between 0 and 1, and every source of it has"
                " frames; correct the recipe."
            )
        if self.share and not self.sources:
            raise SegStudioError(
                f"{100 * self.share:.0f} % of the samples should be earlier data, but none is"
                " given; name a folder of it, or set the share to 0."
            )


@dataclass(frozen=True, slots=True)
class Draw:
    """source: its number in Mix.sources. frame: its number in that source."""

    source: int
    frame: int


@dataclass(frozen=True, slots=True)
class Mix:
    """Sample number -> frame, by seed and number alone.

    Earlier data is spread evenly, so that every batch holds its share. All new frames come once in
    every epoch of new samples, in an order of its own; so do the frames of each earlier source.
    """

    new: tuple[LabelledSource, ...]
    replay: Replay = field(default_factory=Replay)
    seed: int = 0

    def __post_init__(self) -> None:
        if self.replay.share < 1 and not sum(len(s) for s in self.new):
            raise SegStudioError(
                "There is no frame to train on; correct some, or name a folder with labels."
            )

    @property
    def sources(self) -> tuple[LabelledSource, ...]:
        """The new ones, then the earlier ones."""
        return (*self.new, *self.replay.sources)

    def draw(self, number: int) -> Draw:
        """What sample `number` is of."""
        share = self.replay.share
        earlier = math.floor(number * share)
        if math.floor((number + 1) * share) > earlier:
            rank, which = divmod(earlier, len(self.replay.sources))
            which += len(self.new)
            return Draw(which, self._shuffled(rank, len(self.sources[which]), which + 1))
        frame = self._shuffled(number - earlier, sum(len(s) for s in self.new), 0)
        for which, source in enumerate(self.new):
            if frame < len(source):
                return Draw(which, frame)
            frame -= len(source)
        raise AssertionError(number)

    def counts(self, start: int, stop: int) -> dict[str, int]:
        """How many samples from `start` to before `stop` each source gives, by name."""
        found = dict.fromkeys((s.name for s in self.sources), 0)
        for number in range(start, stop):
            found[self.sources[self.draw(number).source].name] += 1
        return found

    def _shuffled(self, rank: int, length: int, stream: int) -> int:
        epoch, place = divmod(rank, length)
        return int(_order(self.seed, stream, epoch, length)[place])


@lru_cache(maxsize=16)
def _order(seed: int, stream: int, epoch: int, length: int) -> NDArray[np.int64]:
    """int64 (length,): the frames of one epoch; streams of one seed are unlike each other."""
    return np.random.default_rng((seed, 2**32 + epoch, stream)).permutation(length)
