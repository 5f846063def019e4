"""Which frames are judged and never trained on, so that a figure means something.

Frames of one clip a second apart are nearly the same picture: a net that saw the one knows the
other. So whole clips are held out where there are several; within a single clip one stretch of it
is, and frames next to that stretch are neither judged nor trained on.
"""

import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from segstudio.core.placed import Gap, Placed

__all__ = ["Gap", "Placed", "Split", "split"]


Frame = TypeVar("Frame", bound=Placed)


@dataclass(frozen=True, slots=True)
class Split(Generic[Frame]):
    """Every frame in exactly one of three; each in the order it was given.

    dropped: too near to a held-out frame to be trained on. reason: one sentence for people.
    """

    train: tuple[Frame, ...]
    held_out: tuple[Frame, ...]
    dropped: tuple[Frame, ...]
    reason: str

    @property
    def is_validated(self) -> bool:
        """False: nothing is held out, and figures on what was trained on are no validation."""
        return bool(self.held_out)


def split(
    frames: Sequence[Frame], *, fraction: float = 0.2, gap: Gap | None = None, seed: int = 0
) -> Split[Frame]:
    """About `fraction` of the frames held out: whole clips, or one stretch of the only clip.

    The same frames and seed give the same answer. A stretch is shorter where the gap would leave
    less than half of the rest to train on; nothing is held out where one frame alone would.
    """
    clips = list(dict.fromkeys(f.clip for f in frames))
    rng = np.random.default_rng((seed, len(frames)))
    if not frames:
        return Split((), (), (), "There is no frame to train on.")
    if fraction <= 0:
        return _nothing(frames, "none was asked for")
    if len(clips) > 1:
        return _by_clip(frames, clips, fraction, rng)
    if len(frames) == 1:
        return _nothing(frames, "there is one frame only")
    return _by_time(frames, fraction, gap or Gap(), rng)


def _nothing(frames: Sequence[Frame], why: str) -> Split[Frame]:
    text = f"Nothing is held out, because {why}; figures on trained frames are not validation."
    return Split(tuple(frames), (), (), text)


def _by_clip(
    frames: Sequence[Frame], clips: list[str], fraction: float, rng: np.random.Generator
) -> Split[Frame]:
    """Clips in a random order, as long as they bring the number of held-out frames nearer."""
    sizes = {clip: sum(f.clip == clip for f in frames) for clip in clips}
    wanted, total = fraction * len(frames), 0
    order = [clips[i] for i in rng.permutation(len(clips))]
    held: set[str] = set()
    for clip in order:
        is_nearer = abs(total + sizes[clip] - wanted) < abs(total - wanted)
        if is_nearer and len(held) < len(clips) - 1:
            held.add(clip)
            total += sizes[clip]
    if not held:  # each alone is more than twice what was asked
        held.add(min(order, key=lambda clip: sizes[clip]))
    numbers = [str(i) for i, clip in enumerate(clips, start=1) if clip in held]
    named = f"clip {numbers[0]}" if len(held) == 1 else f"clips {_listed(numbers)}"
    judged = tuple(f for f in frames if f.clip in held)
    reason = f"Held out: {named} of {len(clips)} ({len(judged)} of {len(frames)} frames)."
    return Split(tuple(f for f in frames if f.clip not in held), judged, (), reason)


def _by_time(
    frames: Sequence[Frame], fraction: float, gap: Gap, rng: np.random.Generator
) -> Split[Frame]:
    """The stretch that costs the fewest frames; at one end of the clip where that is as good."""
    times = [f.time_s for f in frames]
    has_times = all(t is not None for t in times)
    at = [float(t or 0.0) for t in times] if has_times else [float(f.place) for f in frames]
    wide = gap.seconds if has_times else float(gap.frames)
    apart = f"{wide:g} s" if has_times else f"{wide:g} frames"
    order = sorted(range(len(frames)), key=lambda i: (at[i], i))
    line = [at[i] for i in order]
    wanted = min(max(1, round(fraction * len(line))), len(line) - 1)
    found = next((f for f in _stretches(line, wanted, wide) if f is not None), None)
    if found is None:
        rest = f"less than half of the {len(line)} frames"
        return _nothing(frames, f"keeping them {apart} apart would leave {rest} to train on")
    count, kept = found
    starts = range(len(kept))
    left = [low + len(line) - high for low, high in kept]
    best = [start for start in starts if left[start] == max(left)]
    ends = [start for start in best if start in (starts[0], starts[-1])]
    start = (ends or best)[int(rng.integers(len(ends or best)))]
    low, high = kept[start]
    judged = set(order[start : start + count])
    learned = {*order[:low], *order[high:]}
    part = {starts[0]: "the first", starts[-1]: "the last"}.get(start, "")
    share = f"{100 * count / len(line):.0f} %"
    what = f"{part} {share} of the clip" if part else f"{share} of the clip, from its middle"
    why = "; more would leave too little to train on" if count < wanted else ""
    return Split(
        tuple(f for i, f in enumerate(frames) if i in learned),
        tuple(f for i, f in enumerate(frames) if i in judged),
        tuple(f for i, f in enumerate(frames) if i not in learned and i not in judged),
        f"Held out: {what}, {apart} apart ({count} of {len(line)} frames){why}.",
    )


def _stretches(
    line: list[float], wanted: int, wide: float
) -> Iterator[tuple[int, list[tuple[int, int]]] | None]:
    """Lengths from `wanted` down, in eighths of it, with `_kept` of every start; None for one that
    leaves less than half of the rest wherever it lies."""
    for count in dict.fromkeys(max(1, wanted * part // 8) for part in range(8, 0, -1)):
        kept = [_kept(line, start, count, wide) for start in range(len(line) - count + 1)]
        most = max(low + len(line) - high for low, high in kept)
        yield (count, kept) if most * 2 >= len(line) - count else None


def _kept(line: list[float], start: int, count: int, wide: float) -> tuple[int, int]:
    """What may be trained on: all before the first number and all from the second on."""
    first, last = line[start], line[start + count - 1]
    low = min(start, bisect.bisect_right(line, first - wide))
    high = max(start + count, bisect.bisect_left(line, last + wide))
    return low, high


def _listed(names: list[str]) -> str:
    return " and ".join((", ".join(names[:-1]), names[-1]))
