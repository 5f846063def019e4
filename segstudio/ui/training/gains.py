"""What a run changed, class by class, on frames that neither model was trained on.

Intervals are paired bootstraps as in core.bootstrap, of each class by itself: clips are drawn with
replacement, for both models the same ones, and the difference of the IoU is taken over each draw.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segstudio.core.bootstrap import LEVEL, paired_bootstrap
from segstudio.core.classes import ClassMap
from segstudio.core.confusion import Counts
from segstudio.core.metrics import Convention, Floats, parts_of, ratio, scores_of

RESAMPLES = 4_000

NOTICED = 0.005
"""A difference of a class that people are told about: half a percent of IoU."""


@dataclass(frozen=True, slots=True)
class Gain:
    """IoU before and after, 0..1, NaN where there is none; low, high: interval of the difference.

    color: (r, g, b) of the class; None for the mean over classes.
    """

    name: str
    color: tuple[int, int, int] | None
    before: float
    after: float
    low: float
    high: float

    @property
    def delta(self) -> float:
        """-1..1."""
        return self.after - self.before

    @property
    def is_clear(self) -> bool:
        """The interval leaves out zero."""
        return self.low > 0 or self.high < 0

    @property
    def is_worse(self) -> bool:
        """People should look at it: by more than can be chance, or by more than a little."""
        return self.delta < -NOTICED and (self.is_clear or self.delta < -0.02)


@dataclass(frozen=True, slots=True)
class WorseFrame:
    """A held-out frame whose own mIoU fell. number: of the frames that were compared."""

    number: int
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class Gains:
    """The whole comparison. frames, clips: that it rests on. Frames of a single clip are drawn one
    by one, which makes intervals narrower than the truth.
    """

    mean: Gain
    classes: tuple[Gain, ...]
    worse: tuple[WorseFrame, ...]
    frames: int
    clips: int
    level: float = LEVEL

    @property
    def regressions(self) -> tuple[Gain, ...]:
        """Classes that got worse, the worst first."""
        return tuple(sorted((g for g in self.classes if g.is_worse), key=lambda g: g.delta))


def gains_of(
    before: Sequence[Counts],
    after: Sequence[Counts],
    classes: ClassMap,
    *,
    clips: Sequence[Hashable] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Gains:
    """From int64 (C + 1, C + 1) of each frame by the old and by the new model, in one order.

    clips: of each frame; None: every frame stands for itself. ValueError without frames.
    """
    told = len(before) if clips is None else len(set(clips))
    clips = None if told == 1 else clips
    verdict = paired_bootstrap(before, after, groups=clips, resamples=resamples, seed=seed)
    mean = Gain("Mean", None, verdict.a, verdict.b, verdict.low, verdict.high)
    groups = list(range(len(before))) if clips is None else list(clips)
    units = {group: number for number, group in enumerate(dict.fromkeys(groups))}
    at = np.array([units[group] for group in groups])
    sides = [_sums(frames, at, len(units)) for frames in (before, after)]
    times = np.random.default_rng(seed).multinomial(
        len(units), np.full(len(units), 1 / len(units)), resamples
    )
    drawn = [ratio(times @ hit, times @ union) for hit, union in sides]
    old, new = (ratio(hit.sum(0), union.sum(0)) for hit, union in sides)
    gains = []
    for row, known in enumerate(classes.classes):
        low, high = _interval(drawn[1][:, row] - drawn[0][:, row])
        gains.append(Gain(known.name, known.color, float(old[row]), float(new[row]), low, high))
    return Gains(mean, tuple(gains), _worse(before, after), len(before), told)


def _sums(frames: Sequence[Counts], at: NDArray[np.intp], units: int) -> tuple[Floats, Floats]:
    """hit, union: float64 (units, C)."""
    hit, reference, predicted = parts_of(np.stack(list(frames)), Convention.VOID_IGNORED)
    hits, unions = np.zeros((units, hit.shape[1])), np.zeros((units, hit.shape[1]))
    np.add.at(hits, at, hit)
    np.add.at(unions, at, reference + predicted - hit)
    return hits, unions


def _interval(deltas: Floats) -> tuple[float, float]:
    known = deltas[~np.isnan(deltas)]
    if not known.size:
        return float("nan"), float("nan")
    tail = 50 * (1 - LEVEL)
    low, high = np.percentile(known, [tail, 100 - tail])
    return float(low), float(high)


def _worse(before: Sequence[Counts], after: Sequence[Counts]) -> tuple[WorseFrame, ...]:
    """The worst first."""
    found = []
    for number, (old, new) in enumerate(zip(before, after, strict=True)):
        was, now = scores_of(old).miou, scores_of(new).miou
        if now < was - NOTICED:
            found.append(WorseFrame(number, was, now))
    return tuple(sorted(found, key=lambda f: f.after - f.before))
