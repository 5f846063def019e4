"""Which class was taken for which: pixel counts, exact at any size.

A driving mask is runs of one class, so pairs of rasters are counted by runs, not by pixels: 19
classes at 2048×1024 cost a tenth of what counting every pixel costs, 0.6 ms, and noise 3 ms.
"""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from segstudio.core.classes import VOID, ClassMap
from segstudio.core.compiled import compiled

Labels: TypeAlias = NDArray[np.uint8]
Counts: TypeAlias = NDArray[np.int64]

SMALL = 1 << 15
"""Up to so many pixels NumPy is as fast, and needs no compiler: what a stroke touches."""


def positions(classes: ClassMap) -> Labels:
    """uint8 (256,): class id → row of the matrix; 255 for void and ids outside the set."""
    table = np.full(256, VOID, np.uint8)
    for row, known in enumerate(classes.classes):
        table[known.id] = row
    return table


class ConfusionMatrix:
    """Pixel counts over a whole set: row = reference class, column = predicted class.

    full: int64 (C + 1, C + 1). The last row holds pixels whose reference is void, ignored or
    outside the set, the last column predictions that are; what to make of them is a question of
    convention, see core.metrics. table: uint8 (256,), label → row, from C on: the last; labels are
    rows already without one.
    """

    def __init__(
        self, classes: int, *, table: Labels | None = None, full: Counts | None = None
    ) -> None:
        self.classes = classes
        self.table = np.arange(256, dtype=np.uint8) if table is None else table
        self.full = np.zeros((classes + 1, classes + 1), np.int64) if full is None else full

    @staticmethod
    def of(classes: ClassMap) -> "ConfusionMatrix":
        """For labels that carry the ids of a class set."""
        return ConfusionMatrix(len(classes), table=positions(classes))

    def add(
        self, reference: Labels, predicted: Labels, *, ignore: int = VOID, sign: int = 1
    ) -> None:
        """Count two uint8 rasters of one shape; sign=-1 takes the same rasters out again.

        ignore: another reference label that counts as void.
        """
        self.full += sign * self.counted(reference, predicted, ignore=ignore)

    def counted(self, reference: Labels, predicted: Labels, *, ignore: int = VOID) -> Counts:
        """int64 (C + 1, C + 1) of these rasters alone; ValueError when their shapes differ."""
        if reference.shape != predicted.shape:
            raise ValueError(f"shapes differ: {reference.shape} and {predicted.shape}")
        columns = np.minimum(self.table, self.classes).astype(np.intp)
        rows = columns.copy()
        rows[ignore] = self.classes
        return count_pairs(reference, predicted, rows, columns, self.classes + 1)

    @property
    def counts(self) -> Counts:
        """int64 (C, C + 1): the rows that have a class."""
        known: Counts = self.full[: self.classes]
        return known

    @property
    def pixels(self) -> int:
        """How many pixels with a class in the reference were counted."""
        return int(self.counts.sum())

    @property
    def ignored(self) -> int:
        """How many pixels without one."""
        return int(self.full[self.classes].sum())


def count_pairs(
    reference: Labels,
    predicted: Labels,
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
    size: int,
) -> Counts:
    """int64 (size, size) of two uint8 rasters of one shape.

    rows, columns: intp (256,), label → row and column.
    """
    if reference.size <= SMALL:
        pairs = (rows * size)[reference.reshape(-1)] + columns[predicted.reshape(-1)]
        return np.bincount(pairs, minlength=size * size).reshape(size, size).astype(np.int64)
    counts = np.zeros(size * size, np.int64)
    left, right = (np.ascontiguousarray(r).reshape(-1) for r in (reference, predicted))
    compiled(_count_runs)(left, right, rows * size, columns, counts)
    return counts.reshape(size, size)


def warm_up() -> None:
    """Compile, or load what was compiled: half a second once, better not in the window's thread."""
    raster = np.zeros(SMALL + 1, np.uint8)
    identity = np.minimum(np.arange(256), 1)
    count_pairs(raster, raster, identity, identity, 2)


def _count_runs(
    reference: Labels,
    predicted: Labels,
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
    counts: Counts,
) -> None:
    """Eight pixels at a time: a run of words of one pair is one addition, others go pixel by pixel.

    rows: intp (256,), label → first cell of its row. counts: int64, cell by cell, added to.
    """
    size = reference.size
    wide = size // 8
    left, right = reference[: wide * 8].view(np.uint64), predicted[: wide * 8].view(np.uint64)
    ones, low, none = np.uint64(0x0101010101010101), np.uint64(0xFF), np.uint64(0)
    word = 0
    while word < wide:
        many_a, many_b = (left[word] & low) * ones, (right[word] & low) * ones
        if ((left[word] ^ many_a) | (right[word] ^ many_b)) != none:
            for at in range(word * 8, word * 8 + 8):
                counts[rows[reference[at]] + columns[predicted[at]]] += 1
            word += 1
            continue
        start = word
        word += 1
        while word + 2 <= wide:  # two at a time: one branch for 16 pixels
            first = (left[word] ^ many_a) | (right[word] ^ many_b)
            if (first | (left[word + 1] ^ many_a) | (right[word + 1] ^ many_b)) != none:
                break
            word += 2
        counts[rows[many_a & low] + columns[many_b & low]] += (word - start) * 8
    for at in range(wide * 8, size):
        counts[rows[reference[at]] + columns[predicted[at]]] += 1
