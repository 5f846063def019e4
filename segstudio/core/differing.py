"""Where rasters of labels differ: between two models, from the reference, among many.

Each picture here is uint8 (H, W) of codes, to be coloured by one table like labels are, and can be
brought up to date for a box alone, which is what a stroke touches. A driving mask is runs of one
class, so two rasters become one by runs: 2048×1024 costs about 1 ms instead of 5.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segstudio.core.classes import VOID, ClassMap
from segstudio.core.compiled import compiled
from segstudio.core.confusion import SMALL, Counts, Labels, count_pairs
from segstudio.core.geometry import Rect
from segstudio.core.pair_colors import OTHERS, Pair
from segstudio.core.pair_colors import colors as colors

NOTHING = 255
"""The code of pixels that are not drawn: equal, void, or neither of the class in question."""

RIGHT, WRONG, TRUE_POSITIVE, FALSE_POSITIVE, FALSE_NEGATIVE = range(5)

ERROR_COLORS = ((0, 114, 178), (213, 94, 0), (86, 180, 233), (213, 94, 0), (240, 228, 66))
"""RGB by code, from Okabe & Ito's palette: no two that are seen together are mixed up by people
who see fewer colours. Right and true positive are blue, what was said wrongly is vermilion, what
was missed is yellow."""

_BLOCK = 1 << 16
"""Pixels that are voted on at a time: they and their votes stay in a core's cache."""


@dataclass(frozen=True, slots=True, eq=False)
class Difference:
    """codes: uint8 (H, W): `NOTHING` where both say the same, else an index into `pairs`.

    pairs: most pixels first when it was made; what comes after the first 254 shares code `OTHERS`
    and is not listed. others: its pixels. table: uint8 (256, 256), two labels → code. known: uint8
    (256,), label → class id or void.
    """

    codes: Labels
    pairs: tuple[Pair, ...]
    others: int
    table: Labels
    known: Labels

    @property
    def pixels(self) -> int:
        """How many differ."""
        return self.others + sum(n for _, _, n in self.pairs)

    def after(self, a: Labels, b: Labels, rect: Rect) -> "Difference":
        """The same once labels inside `rect` have changed; writes into `codes`.

        a, b: the whole rasters. Pairs keep their codes, so colours stay while somebody paints.
        """
        part, left, right = self.codes[rect.slices], a[rect.slices], b[rect.slices]
        table, ids = self.table, [pair[:2] for pair in self.pairs]
        if not self.others:
            rows, columns = np.nonzero(_pair_counts(left, right, self.known))
            new = set(zip(rows.tolist(), columns.tolist(), strict=True)) - set(ids)
            ids += sorted(new)[: OTHERS - len(ids)]
            table = _table(ids, self.known)
        before = _counted(part)
        part[...] = looked_up(left, right, table)
        gained = _counted(part) - before
        old = [n for _, _, n in self.pairs] + [0] * (len(ids) - len(self.pairs))
        pairs = tuple((i, j, old[k] + int(gained[k])) for k, (i, j) in enumerate(ids))
        return Difference(self.codes, pairs, self.others + int(gained[OTHERS]), table, self.known)


def difference(a: Labels, b: Labels, classes: ClassMap) -> Difference:
    """Of two uint8 rasters; labels outside the class set count as void.

    ValueError when their shapes differ.
    """
    _check(a, b)
    known = _known(classes)
    counts = _pair_counts(a, b, known)
    rows, columns = np.nonzero(counts)
    numbers = counts[rows, columns]
    order = np.lexsort((columns, rows, -numbers))
    found = [(int(rows[k]), int(columns[k]), int(numbers[k])) for k in order]
    pairs = tuple(found[:OTHERS])
    table = _table([pair[:2] for pair in pairs], known)
    others = sum(n for _, _, n in found[OTHERS:])
    return Difference(looked_up(a, b, table), pairs, others, table, known)


def errors(
    reference: Labels,
    predicted: Labels,
    *,
    rect: Rect | None = None,
    into: Labels | None = None,
) -> Labels:
    """RIGHT or WRONG, `NOTHING` where the reference is void.

    rect, into: write only that box, into the codes of before. ValueError when shapes differ.
    """
    return _picture(reference, predicted, _error_table(), rect, into)


def errors_of_class(
    reference: Labels,
    predicted: Labels,
    class_id: int,
    *,
    rect: Rect | None = None,
    into: Labels | None = None,
) -> Labels:
    """TRUE_POSITIVE, FALSE_POSITIVE or FALSE_NEGATIVE of one class, `NOTHING` elsewhere.

    rect, into: write only that box, into the codes of before. ValueError when shapes differ.
    """
    return _picture(reference, predicted, _class_table(class_id), rect, into)


def error_palette() -> NDArray[np.uint8]:
    """uint8 (256, 3) RGB: code → colour, black for `NOTHING`."""
    table = np.zeros((256, 3), np.uint8)
    table[: len(ERROR_COLORS)] = ERROR_COLORS
    return table


def agreement(
    labels: Sequence[Labels], *, rect: Rect | None = None, into: Labels | None = None
) -> Labels:
    """uint8 (H, W): how many of 1 to 8 rasters say what most of them say there.

    rect, into: write only that box, into the counts of before. ValueError when shapes differ.
    """
    counts = _out(labels, into)
    where = (slice(None), slice(None)) if rect is None else rect.slices
    _vote([each[where] for each in labels], counts[where], None)
    return counts


def majority(labels: Sequence[Labels]) -> Labels:
    """uint8 (H, W): what most of 1 to 8 rasters say; of equal votes what the first of them says.

    ValueError when shapes differ.
    """
    said = _out(labels, None)
    _vote(labels, None, said)
    return said


def looked_up(a: Labels, b: Labels, table: Labels) -> Labels:
    """uint8 (H, W): table[a, b] of two uint8 rasters of one shape. table: uint8 (256, 256)."""
    if a.size <= SMALL:
        found: Labels = table[a, b]
        return found
    codes = np.empty(a.shape, np.uint8)
    left, right = (np.ascontiguousarray(r).reshape(-1) for r in (a, b))
    compiled(_look_up_runs)(left, right, table, codes.reshape(-1))
    return codes


def warm_up() -> None:
    """Compile, or load what was compiled: half a second once, better not in the window's thread."""
    raster = np.zeros((1, SMALL + 1), np.uint8)
    looked_up(raster, raster, np.zeros((256, 256), np.uint8))


# --- tables of pairs


def _known(classes: ClassMap) -> Labels:
    """uint8 (256,): label → class id, void for what the set does not have."""
    known = np.full(256, VOID, np.uint8)
    for each in classes.classes:
        known[each.id] = each.id
    return known


def _pair_counts(a: Labels, b: Labels, known: Labels) -> Counts:
    """int64 (256, 256): pixels by what the two say, none on the diagonal."""
    ids = known.astype(np.intp)
    counts = count_pairs(a, b, ids, ids, 256)
    np.fill_diagonal(counts, 0)
    return counts


def _table(pairs: Sequence[tuple[int, int]], known: Labels) -> Labels:
    """uint8 (256, 256), C-contiguous: two labels → code."""
    codes = np.full((256, 256), OTHERS, np.uint8)
    np.fill_diagonal(codes, NOTHING)
    for code, pair in enumerate(pairs):
        codes[pair] = code
    return np.ascontiguousarray(codes[np.ix_(known, known)])


@functools.cache
def _error_table() -> Labels:
    table = np.full((256, 256), WRONG, np.uint8)
    np.fill_diagonal(table, RIGHT)
    table[VOID] = NOTHING
    return table


@functools.lru_cache(maxsize=32)
def _class_table(class_id: int) -> Labels:
    table = np.full((256, 256), NOTHING, np.uint8)
    table[:, class_id] = FALSE_POSITIVE
    table[class_id, :] = FALSE_NEGATIVE
    table[class_id, class_id] = TRUE_POSITIVE
    table[VOID] = NOTHING
    return table


def _picture(
    reference: Labels, predicted: Labels, table: Labels, rect: Rect | None, into: Labels | None
) -> Labels:
    _check(reference, predicted)
    if rect is None or into is None:
        return looked_up(reference, predicted, table)
    into[rect.slices] = looked_up(reference[rect.slices], predicted[rect.slices], table)
    return into


def _counted(codes: Labels) -> Counts:
    """int64 (256,): pixels by code."""
    return np.bincount(codes.reshape(-1), minlength=256).astype(np.int64)


def _check(*rasters: Labels) -> None:
    shapes = [each.shape for each in rasters]
    if len(set(shapes)) != 1:
        raise ValueError("shapes differ: " + ", ".join(str(shape) for shape in shapes))


# --- votes


def _out(labels: Sequence[Labels], into: Labels | None) -> Labels:
    if not 1 <= len(labels) <= 8:
        raise ValueError(f"{len(labels)} rasters cannot be voted on; 1 to 8 can")
    _check(*labels)
    return np.empty(labels[0].shape, np.uint8) if into is None else into


def _vote(labels: Sequence[Labels], counts: Labels | None, said: Labels | None) -> None:
    """Fill counts or said, uint8 (H, W) like the labels; a few rows at a time."""
    height, width = labels[0].shape
    step = max(1, _BLOCK // max(1, width))
    for y in range(0, height, step):
        rows = [each[y : y + step] for each in labels]
        most, first = _votes(rows)
        if counts is not None:
            counts[y : y + step] = most
        if said is not None:
            said[y : y + step] = first


def _votes(rows: Sequence[Labels]) -> tuple[Labels, Labels]:
    """(uint8 number, uint8 label): how many say what most say, and what that is."""
    number = len(rows)
    votes = np.ones((number, *rows[0].shape), np.uint8)
    for i in range(number):
        for j in range(i + 1, number):
            same = (rows[i] == rows[j]).view(np.uint8)
            votes[i] += same
            votes[j] += same
    most, said = votes[0], rows[0].copy()
    for i in range(1, number):
        np.copyto(said, rows[i], where=votes[i] > most)
        np.maximum(most, votes[i], out=most)
    return most, said


# --- the compiled part


def _look_up_runs(left: Labels, right: Labels, table: Labels, codes: Labels) -> None:
    """Every run of one pair is looked up once; eight pixels are written at a time inside one."""
    size = left.size
    wide = size // 8
    words_a, words_b = left[: wide * 8].view(np.uint64), right[: wide * 8].view(np.uint64)
    words = codes[: wide * 8].view(np.uint64)
    ones = np.uint64(0x0101010101010101)
    start = 0
    while start < size:
        a, b = left[start], right[start]
        code = table[a, b]
        codes[start] = code
        end = start + 1
        while end < size and end & 7 and left[end] == a and right[end] == b:
            codes[end] = code
            end += 1
        if not end & 7:
            word = end >> 3
            many_a, many_b = np.uint64(a) * ones, np.uint64(b) * ones
            many = np.uint64(code) * ones
            while word < wide and words_a[word] == many_a and words_b[word] == many_b:
                words[word] = many
                word += 1
            end = word << 3
            while end < size and left[end] == a and right[end] == b:
                codes[end] = code
                end += 1
        start = end
