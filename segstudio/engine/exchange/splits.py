"""Frames divided into train, val and test by clip, so that neighbours never end up in two of them.

Frames of one clip a second apart are nearly the same picture: figures on the one say nothing about
a net that was trained on the other. So clips stay whole; a single clip is cut into stretches of
time, and frames next to a cut are left out.
"""

import bisect
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from segstudio.core.class_mapping import listed
from segstudio.core.placed import Gap, Placed
from segstudio.errors import UsageError
from segstudio.formats.labelled import SPLITS

Counts: TypeAlias = dict[str, int]


@dataclass(frozen=True, slots=True)
class Splits:
    """How to divide. shares: of train, val and test, any numbers from 0 on.

    fixed: clip → its split, for those that a person chose. The same seed divides the same way.
    """

    shares: tuple[float, float, float] = (80, 10, 10)
    fixed: Mapping[str, str] = field(default_factory=dict)
    seed: int = 0
    gap: Gap = field(default_factory=Gap)

    def __post_init__(self) -> None:
        if min(self.shares) < 0 or not 0 < sum(self.shares) < float("inf"):
            raise UsageError(
                f"Shares of {'/'.join(f'{s:g}' for s in self.shares)} divide nothing; use numbers"
                " from 0 on such as 80/10/10."
            )
        for clip, split in self.fixed.items():
            if split not in SPLITS:
                raise UsageError(
                    f"'{split}' is no split for {clip}; choose one of {', '.join(SPLITS)}."
                )

    @staticmethod
    def parse(text: str) -> tuple[float, float, float]:
        """Shares such as "80/10/10" or "90/10"; UsageError for what divides nothing."""
        try:
            numbers = [float(part) for part in text.split("/")]
        except ValueError:
            numbers = []
        if not 2 <= len(numbers) <= 3:
            raise UsageError(f"'{text}' are no shares; write them like 80/10/10 or 90/10.")
        shares = (numbers[0], numbers[1], numbers[2] if len(numbers) == 3 else 0.0)
        return Splits(shares).shares

    @property
    def asked(self) -> tuple[str, ...]:
        """The splits that get a share."""
        return tuple(name for name, share in zip(SPLITS, self.shares, strict=True) if share)


@dataclass(frozen=True, slots=True)
class Division:
    """of: each frame's split, in the order given; None for one that lies too near to a cut.

    notes: sentences about what was cut, left out or stayed empty.
    """

    of: tuple[str | None, ...]
    notes: tuple[str, ...]

    def counts(self) -> Counts:
        """Split → frames in it."""
        return {name: self.of.count(name) for name in SPLITS if name in self.of}


def divide(frames: Sequence[Placed], splits: Splits) -> Division:
    """Whole clips by shares; one clip alone by time. UsageError for a clip that is not there."""
    clips = list(dict.fromkeys(f.clip for f in frames))
    strange = [clip for clip in splits.fixed if clip not in clips]
    if strange:
        raise UsageError(
            f"There is no clip '{strange[0]}' to divide; there are {listed(clips) or 'none'}."
        )
    if len(clips) == 1 and not splits.fixed:
        return _by_time(frames, splits)
    return _by_clip(frames, clips, splits)


def _by_clip(frames: Sequence[Placed], clips: list[str], splits: Splits) -> Division:
    """Large clips first, each to the split that lacks most; so that none stays empty."""
    sizes = Counter(f.clip for f in frames)
    wanted = {
        name: share / sum(splits.shares) * len(frames)
        for name, share in zip(SPLITS, splits.shares, strict=True)
    }
    chosen = dict(splits.fixed)
    have = {name: sum(sizes[c] for c, s in chosen.items() if s == name) for name in SPLITS}
    rng = np.random.default_rng((splits.seed, len(clips)))
    order = [clips[i] for i in rng.permutation(len(clips)) if clips[i] not in chosen]
    order.sort(key=lambda clip: -sizes[clip])
    for number, clip in enumerate(order):
        empty = [name for name in splits.asked if not have[name]]
        is_last_chance = len(order) - number <= len(empty)
        name = max(empty if is_last_chance else splits.asked, key=lambda n: wanted[n] - have[n])
        chosen[clip] = name
        have[name] += sizes[clip]
    lacking = [name for name in splits.asked if not have[name]]
    notes = []
    if lacking and frames:
        are = "clip is" if len(clips) == 1 else "clips are"
        notes.append(f"The {listed(lacking)} split stays empty: only {len(clips)} {are} there.")
    return Division(tuple(chosen[f.clip] for f in frames), tuple(notes))


def _by_time(frames: Sequence[Placed], splits: Splits) -> Division:
    """Stretches in the order train, val, test; the longer side of a cut gives the gap."""
    times = [f.time_s for f in frames]
    has_times = all(t is not None for t in times)
    at = [float(t or 0.0) for t in times] if has_times else [float(f.place) for f in frames]
    wide = splits.gap.seconds if has_times else float(splits.gap.frames)
    apart = f"{wide:g} s" if has_times else f"{wide:g} frames"
    order = sorted(range(len(frames)), key=lambda i: (at[i], i))
    line = [at[i] for i in order]
    blocks = _shrunk(_blocks(len(frames), splits), line, wide)
    if any(low >= high for _, low, high in blocks):
        first = splits.asked[0]
        note = (
            f"Nothing is divided: {frames[0].clip} is the only clip, and its {len(frames)} frames"
            f" cannot be cut into stretches {apart} apart, so all of them are in {first}."
        )
        return Division((first,) * len(frames), (note,))
    found: list[str | None] = [None] * len(frames)
    for name, low, high in blocks:
        for i in order[low:high]:
            found[i] = name
    if len(blocks) == 1:
        return Division(tuple(found), ())
    left = found.count(None)
    cut = f"{frames[0].clip} is the only clip, so it is cut into stretches {apart} apart"
    are = "frame between them is" if left == 1 else "frames between them are"
    note = f"{cut}; {left} {are} left out." if left else f"{cut}."
    return Division(tuple(found), (note,))


def _blocks(count: int, splits: Splits) -> list[tuple[str, int, int]]:
    """Split, first and behind the last in the order of time; each has a frame where that can be."""
    asked = [(n, s) for n, s in zip(SPLITS, splits.shares, strict=True) if s]
    total, at, done, blocks = sum(splits.shares), 0, 0.0, []
    for number, (name, share) in enumerate(asked):
        done += share
        rest = len(asked) - 1 - number
        end = count if not rest else min(max(at + 1, round(done / total * count)), count - rest)
        blocks.append((name, at, max(at, end)))
        at = max(at, end)
    return blocks


def _shrunk(
    blocks: list[tuple[str, int, int]], line: list[float], wide: float
) -> list[tuple[str, int, int]]:
    """The same with a gap at every cut. line: sorted places or times."""
    found = list(blocks)
    for number in range(len(found) - 1):
        (name, low, middle), (after, start, high) = found[number], found[number + 1]
        if low >= middle or start >= high:
            continue
        if middle - low >= high - start:
            end = bisect.bisect_right(line, line[start] - wide)
            found[number] = (name, low, min(middle, end))
        else:
            begin = bisect.bisect_left(line, line[middle - 1] + wide)
            found[number + 1] = (after, max(start, begin), high)
    return found
