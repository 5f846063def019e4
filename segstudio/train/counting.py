"""What is in the labels that a run learns from: enough to weigh classes and to refuse nonsense."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from segstudio.core.classes import VOID, ClassMap
from segstudio.errors import SegStudioError
from segstudio.train.class_weights import Counts, counts_of
from segstudio.train.labelled import LabelledSource
from segstudio.train.sources import DriveFrames

COUNTED = 300
"""Frames whose labels are counted; more tell nothing new."""

COUNTED_DRIVES = 32
"""Of the synthetic drive, of which every frame must be rendered first."""


def pixel_counts(sources: Sequence[LabelledSource], classes: int) -> Counts:
    """int64 (frames, C): pixels of each class in frames that lie evenly among all of them."""
    is_drawn = all(isinstance(source, DriveFrames) for source in sources)
    rows = [
        counts_of(labels, classes)
        for labels in _spread(sources, COUNTED_DRIVES if is_drawn else COUNTED)
    ]
    return np.stack(rows) if rows else np.zeros((0, classes), np.int64)


def class_pixels(counts: Counts) -> NDArray[np.int64]:
    """int64 (256,): pixels of each class in all counted frames, as crops look for rare ones."""
    found = np.zeros(256, np.int64)
    found[: counts.shape[1]] = counts.sum(0)
    return found


def check_labels(
    sources: Sequence[LabelledSource], classes: ClassMap, *, may_be_one: bool = False
) -> None:
    """SegStudioError when the labels are void everywhere, or say one class alone.

    may_be_one: another class is learned from other frames. Reads until it is sure: usually one.
    """
    known: set[int] = set()
    frames = 0
    for labels in _spread(sources, sum(len(source) for source in sources)):
        frames += 1
        known.update(int(each) for each in np.unique(labels) if each != VOID)
        if len(known) > 1 or (known and may_be_one):
            return
    if not frames:
        return  # said elsewhere, with what can be done about it
    if not known:
        raise SegStudioError(
            f"Nothing in the labels of {_counted(frames)} has one of the {len(classes)} classes of"
            f" '{classes.name}', all of it is void; label something, or choose another class set"
            " with --classes."
        )
    raise SegStudioError(
        f"All labels of {_counted(frames)} are {classes.name_of(known.pop())}; label a second"
        " class, or there is nothing to tell apart."
    )


def _spread(sources: Sequence[LabelledSource], most: int) -> Iterator[NDArray[np.uint8]]:
    """The labels of at most so many frames, evenly from all sources."""
    frames = [(source, number) for source in sources for number in range(len(source))]
    every = max(1, -(-len(frames) // max(1, most)))
    for source, number in frames[::every]:
        yield source.labels(number)


def _counted(frames: int) -> str:
    return f"{frames:,} frame{'' if frames == 1 else 's'}"
