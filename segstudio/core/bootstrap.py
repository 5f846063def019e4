"""Is B better than A, or were these just the frames that suit it? Paired bootstrap over frames.

Efron, Tibshirani, "An Introduction to the Bootstrap", 1993: frames are drawn with replacement, as
many as there are, for both models the same ones, and the difference of their mIoU is taken over
each draw. Frames of one clip resemble each other; drawn singly they make the interval too narrow,
so whole clips can be drawn instead.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segstudio.core.confusion import Counts
from segstudio.core.metrics import Convention, Floats, mean_of, parts_of, ratio

RESAMPLES = 10_000
LEVEL = 0.95
CHUNK = 2_000
"""Draws at a time: bounds memory for sets of many classes."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """delta: mIoU of B less that of A over all frames, -1..1, NaN without any class.

    low, high: percentile interval of it at `level`. share_better: of resamples in which B is
    better, 0..1; one in which they are equal counts half. frames, groups: how many, and how many
    units were drawn: clips, or the frames themselves.
    """

    a: float
    b: float
    delta: float
    low: float
    high: float
    share_better: float
    frames: int
    groups: int
    resamples: int
    convention: Convention
    level: float = LEVEL

    @property
    def is_clear(self) -> bool:
        """The interval leaves out zero."""
        return self.low > 0 or self.high < 0


def paired_bootstrap(
    a: Sequence[Counts],
    b: Sequence[Counts],
    *,
    convention: Convention = Convention.VOID_IGNORED,
    groups: Sequence[Hashable] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Verdict:
    """From int64 (C + 1, C + 1) of each frame, by A and by B, in the same order of frames.

    groups: the clip of each frame; None: every frame is drawn for itself. The same seed gives the
    same answer. ValueError without frames, or when the models' frames do not match.
    """
    if not a or len(a) != len(b) or (groups is not None and len(groups) != len(a)):
        raise ValueError(f"frames do not match: {len(a)} of A, {len(b)} of B")
    units = np.arange(len(a)) if groups is None else _numbered(groups)
    count = int(units.max()) + 1
    first, second = (_Side(np.stack(frames), units, count, convention) for frames in (a, b))
    once = np.ones((1, count))
    before, after = float(first.miou(once)[0]), float(second.miou(once)[0])
    rng = np.random.default_rng(seed)
    drawn = []
    for start in range(0, resamples, CHUNK):
        times = rng.multinomial(count, np.full(count, 1 / count), min(CHUNK, resamples - start))
        drawn.append(second.miou(times) - first.miou(times))
    deltas = np.concatenate(drawn)
    deltas = deltas[~np.isnan(deltas)]  # a draw of frames without any class says nothing
    tail = 50 * (1 - LEVEL)
    low, high = np.percentile(deltas, [tail, 100 - tail]) if deltas.size else (np.nan, np.nan)
    better = mean_of((np.sign(deltas) + 1) / 2)
    return Verdict(
        a=before,
        b=after,
        delta=after - before,
        low=float(low),
        high=float(high),
        share_better=better,
        frames=len(a),
        groups=count,
        resamples=resamples,
        convention=convention,
    )


class _Side:
    """What the mIoU of one model is made of, by drawn unit: sums, so a draw is a product."""

    def __init__(
        self, frames: Counts, units: NDArray[np.intp], count: int, convention: Convention
    ) -> None:
        """frames: int64 (F, C + 1, C + 1). units: intp (F,), 0..count - 1."""
        self._convention = convention
        hit, reference, predicted = parts_of(frames, convention)
        union = reference + predicted - hit
        if convention is Convention.PER_IMAGE:
            own = np.array([mean_of(row) for row in ratio(hit, union)])
            is_known = ~np.isnan(own)
            hit = np.where(is_known, own, 0)[:, None]
            union = is_known.astype(np.float64)[:, None]
        self._classes = hit.shape[1]
        columns = [hit, union]
        if convention is Convention.PRESENT:
            columns.append(reference)
        self._sums = np.zeros((count, self._classes * len(columns)))
        np.add.at(self._sums, units, np.hstack(columns))

    def miou(self, times: NDArray[np.int64] | Floats) -> Floats:
        """float64 (R,) of (R, count): how often each unit was drawn."""
        sums = (times.astype(np.float64) @ self._sums).reshape(len(times), -1, self._classes)
        iou = ratio(sums[:, 0], sums[:, 1])
        if self._convention is Convention.PRESENT:
            iou = np.where(sums[:, 2] > 0, iou, np.nan)
        is_known = ~np.isnan(iou)
        return ratio(np.where(is_known, iou, 0).sum(1), is_known.sum(1).astype(np.float64))


def _numbered(groups: Sequence[Hashable]) -> NDArray[np.intp]:
    """intp (F,): 0, 1, … in order of appearance."""
    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(group, len(numbers)) for group in groups], np.intp)
