"""Which frames are worth correcting next, and why, in words.

Each measurement becomes a term: how much more than usual it is among the frames looked at. The
score of a frame is their weighted mean, and frames are taken one after the other: what is near to
a frame that was taken or corrected before, in time or in what it shows, is worth so much less; and
so is what stands for little: a frame teaches about those that are somewhat like it (after Wei, Iyer
and Bilmes, "Submodularity in data subset selection and active learning", 2015: facility location
over the frames that are worth much). The first few of a list of strange frames alone would teach
less than frames drawn by lot. The same frames always give the same list.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from segstudio.core.classes import VOID, ClassMap
from segstudio.core.frame_worth import DoubtfulRegion, FrameWorth
from segstudio.core.likeness import Nearness, Reach, place_s
from segstudio.core.suggestion_words import frame_reason, region_reason

Floats = NDArray[np.float64]

REGION_FADING_S = 10.0
"""The same of the same doubt at the same place: whatever is mounted in view stays there for long,
and a building at the side is passed in a few seconds."""

SAME = 0.9
"""Nearness from which on a frame is never offered."""

RARE = 0.02
"""Share of all pixels below which a class begins to be rare; a hundredth of it is as rare as can
be."""

THERE = 0.003
"""Share of a frame from which on a class is fully there: a bicyclist at fifteen metres."""

WORTH_TELLING = 0.35
"""How rare a class must be to be called so: 0.4 % of all pixels."""

FEW = 8
"""With fewer frames looked at, what is rare among them is chance."""

OWN = 0.25
"""How much of its worth a frame keeps that stands for none but itself."""

_LEAST_USUAL = {
    "entropy": 0.02,
    "unsure": 0.01,
    "disagreement": 0.01,
    "flicker": 0.01,
    "rarity": 0.1,
}
"""What counts as usual at least, so that noise of a sure model is not blown up."""

_LEAST = {
    "entropy": 0.005,
    "unsure": 0.001,
    "disagreement": 0.001,
    "flicker": 0.001,
    "rarity": 0.02,
}
"""Less is nothing."""


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each term counts. Entropy and the unsure share say nearly the same: half each."""

    entropy: float = 0.5
    unsure: float = 0.5
    disagreement: float = 1.0
    flicker: float = 0.5
    rarity: float = 0.75

    def of(self, term: str) -> float:
        """By name."""
        return float(getattr(self, term))


TERMS = ("entropy", "unsure", "disagreement", "flicker", "rarity")


@dataclass(frozen=True, slots=True, eq=False)
class Pick:
    """score: 1 is much for these frames; falls from pick to pick. terms: what each contributed
    to it before nearness to other picks was taken off. region: None for the whole frame.
    """

    frame: FrameWorth
    score: float
    reason: str
    terms: Mapping[str, float] = field(default_factory=dict)
    region: DoubtfulRegion | None = None


def rank(
    frames: Sequence[FrameWorth],
    n: int,
    classes: ClassMap,
    *,
    weights: Weights | None = None,
    taken: Sequence[FrameWorth] = (),
    corrected: NDArray[np.int64] | None = None,
) -> list[Pick]:
    """The n frames most worth correcting, best first; fewer when the rest is certain or too near.

    taken: frames that were corrected before, which make what is near them less worth. corrected:
    int64 (256,), pixels by class that a human stood behind; what is rare there is worth more.
    Without any, what is rare among the frames counts.
    """
    frames = sorted(frames, key=lambda f: (f.media, f.frame.index))
    if not frames or n < 1:
        return []
    rarity = Rarity.of(frames, corrected)
    terms = _terms(frames, rarity, weights or Weights())
    scores = np.sum(list(terms.values()), axis=0)
    near = np.zeros(len(frames))
    nearness, reach = Nearness(frames), Reach(frames, scores)
    for each in taken:
        np.maximum(near, nearness.to(each), out=near)
        reach.take(each)
    picks: list[Pick] = []
    while len(picks) < n:
        worth = scores * (1 - near) * (OWN + (1 - OWN) * reach.left())
        gains = np.where(near < SAME, worth, 0.0)
        best = int(gains.argmax())
        if gains[best] <= 0:
            break
        frame, said = frames[best], {name: float(values[best]) for name, values in terms.items()}
        reason = frame_reason(frame, said, rarity.rarest_in(frame), classes, rarity.where)
        picks.append(Pick(frame, float(gains[best]), reason, said))
        np.maximum(near, nearness.to(frame), out=near)
        near[best] = 1.0
        reach.take(frame)
    return picks


def rank_regions(picks: Sequence[Pick], n: int, classes: ClassMap) -> list[Pick]:
    """The n regions of these frames with the most doubt on the largest area, best first.

    One that lies where a better one of the same two classes lies in another frame of the clip is
    worth less, the less the nearer the frames are.
    """
    rest = [
        Pick(pick.frame, region.score, region_reason(region, classes), pick.terms, region)
        for pick in picks
        for region in pick.frame.regions
    ]
    rest.sort(key=lambda p: (-p.score, p.frame.media, p.frame.frame.index))
    gains = np.array([p.score for p in rest])
    found: list[Pick] = []
    while len(found) < n and gains.any():
        best = int(gains.argmax())
        found.append(replace(rest[best], score=float(gains[best])))
        gains[best] = 0.0
        gains *= [1 - _same_doubt(rest[best], each) if gain else 0.0
                  for each, gain in zip(rest, gains, strict=True)]  # fmt: skip
    return found


def _same_doubt(one: Pick, other: Pick) -> float:
    """How much two regions are the same piece of work, 0..1."""
    a, b = one.region, other.region
    is_other = one.frame.media != other.frame.media or one.frame is other.frame
    if a is None or b is None or is_other or set(a.classes) != set(b.classes):
        return 0.0
    both = a.rect.intersected(b.rect)
    smaller = min(r.height * r.width for r in (a.rect, b.rect))
    apart_s = abs(place_s(one.frame) - place_s(other.frame))
    return both.height * both.width / max(1, smaller) * float(np.exp(-apart_s / REGION_FADING_S))


@dataclass(frozen=True, slots=True, eq=False)
class Rarity:
    """How rare each class is: float (256,), 0 (common) to 1. where: for a sentence."""

    values: Floats
    where: str

    @staticmethod
    def of(frames: Sequence[FrameWorth], corrected: NDArray[np.int64] | None) -> "Rarity":
        """In what was corrected; among the frames while nothing was."""
        if corrected is not None and corrected[:VOID].sum() > 0:
            shares, where = corrected.astype(np.float64), "in what you corrected"
        elif len(frames) < FEW:
            return Rarity(np.zeros(256), "")
        else:
            shares = np.sum([f.class_shares for f in frames], axis=0, dtype=np.float64)
            where = "among these frames"
        shares[VOID] = 0
        shares /= max(shares.sum(), 1e-12)
        rare = np.clip(np.log10(RARE / np.maximum(shares, 1e-12)) / 2, 0, 1)
        rare[VOID] = 0
        return Rarity(rare, where)

    def in_frame(self, frame: FrameWorth) -> Floats:
        """float (256,): of each class, how rare it is times how much of it there is."""
        there = np.minimum(frame.class_shares.astype(np.float64) / THERE, 1)
        found: Floats = self.values * there
        return found

    def rarest_in(self, frame: FrameWorth) -> list[int]:
        """At most two classes that are rare and there, the rarest first."""
        found = self.in_frame(frame)
        order = np.argsort(-found, kind="stable")[:2]
        return [int(i) for i in order if found[i] >= WORTH_TELLING]


def _terms(frames: Sequence[FrameWorth], rarity: Rarity, weights: Weights) -> dict[str, Floats]:
    """Of each term, float (n,): what it adds to the score of each frame."""
    values: dict[str, Floats] = {
        "entropy": np.array([f.entropy for f in frames]),
        "unsure": np.array([f.unsure for f in frames]),
        "disagreement": np.array([_or_nan(f.disagreement) for f in frames]),
        "flicker": np.array([_or_nan(f.flicker) for f in frames]),
        "rarity": np.array([rarity.in_frame(f).sum() for f in frames]),
    }
    known = {name: v for name, v in values.items() if not np.isnan(v).all()}
    total = sum(weights.of(name) for name in known)
    share = 1 / total if total > 0 else 0.0
    return {name: weights.of(name) * share * _unusual(v, name) for name, v in known.items()}


def _unusual(values: Floats, name: str) -> Floats:
    """float (n,), 0 for nothing: 1 for what few frames have (the median and three times the usual
    distance from it, which a few extreme frames do not move), 2 for three times as much."""
    seen = values[~np.isnan(values)]
    middle = float(np.median(seen))
    spread = 1.4826 * float(np.median(np.abs(seen - middle)))
    usual = max(middle + 3 * spread, _LEAST_USUAL[name])
    found: Floats = np.log2(1 + np.where(values >= _LEAST[name], values, 0) / usual)
    return found


def _or_nan(value: float | None) -> float:
    return np.nan if value is None else value
