"""Run lengths of a mask in the forms that other programs write: COCO, CVAT, Label Studio.

Runs alternate, zeros first, and sum to the pixels of the mask. COCO goes down the columns, CVAT
along the rows of a box; both only number the pixels differently, so here a mask is `starts` and
`ends` of its runs of ones in whatever order. What was read is checked before anything is allocated
by it. A FormatError names the reason only; who knows the file and the field says them (`where`).
"""

import numpy as np
from numpy.typing import NDArray

from segstudio.core.compiled import compiled
from segstudio.errors import FormatError
from segstudio.formats.masks.rasters import MAX_PIXELS

Counts = NDArray[np.int64]

_GROUPS = 7
"""Of five bits: enough for every count of MAX_PIXELS, with its sign."""

_SIZES = (3, 4, 8, 16)
"""Bits of a length in Label Studio's packets."""


def counts_of(starts: Counts, ends: Counts, pixels: int) -> Counts:
    """Alternating run lengths from runs of ones [start, end) that are sorted and do not touch.

    Zeros at the end are counted, no zeros are not: as pycocotools and CVAT write it.
    """
    counts = np.empty(2 * len(starts), np.int64)
    counts[0::2] = starts
    counts[2::2] = starts[1:] - ends[:-1]
    counts[1::2] = ends - starts
    last = int(ends[-1]) if len(ends) else 0
    return counts if last == pixels else np.append(counts, pixels - last)


def runs_of(counts: Counts) -> tuple[Counts, Counts]:
    """(starts, ends) of the runs of ones of alternating counts that `checked` let pass."""
    edges = np.cumsum(counts)
    return edges[0 : 2 * (len(counts) // 2) : 2], edges[1::2]


def checked(counts: object, pixels: int, where: str) -> Counts:
    """A list of whole numbers from a file, as counts that sum to `pixels`. FormatError if not."""
    if not isinstance(counts, list) or not all(type(c) is int for c in counts):
        raise FormatError(f"{where} is no list of whole numbers; export it again.")
    if counts and (min(counts) < 0 or max(counts) > MAX_PIXELS):
        raise FormatError(f"{where} holds a run of {_odd(counts)} pixels; export it again.")
    return _summed(np.array(counts, np.int64), pixels, where)


def _odd(counts: list[int]) -> str:
    worst = min(counts) if min(counts) < 0 else max(counts)
    return str(worst)[:20]


def _summed(counts: Counts, pixels: int, where: str) -> Counts:
    total = int(counts.sum())
    if total != pixels:
        raise FormatError(
            f"{where} sums to {total:,} pixels and its mask has {pixels:,}; export it again."
        )
    return counts


# --- COCO's text


def to_text(counts: Counts) -> str:
    """COCO's compressed counts: differences to the count two before, five bits a character."""
    values = counts.copy()
    values[3:] -= counts[1:-2]
    groups = np.empty((len(values), _GROUPS), np.uint8)
    keep = np.ones((len(values), _GROUPS), bool)
    rest = values
    for k in range(_GROUPS):
        bits = rest & 31
        rest = rest >> 5
        more = rest != np.where(bits & 16, -1, 0)
        groups[:, k] = bits + 32 * more + 48
        if k + 1 < _GROUPS:
            keep[:, k + 1] = keep[:, k] & more
    return groups[keep].tobytes().decode("ascii")


def from_text(text: str, pixels: int, where: str) -> Counts:
    """The counts of COCO's compressed text. FormatError when it is none or has another sum."""
    broken = FormatError(f"{where} is no run-length text of COCO; export it again.")
    try:
        codes = np.frombuffer(text.encode("ascii"), np.uint8).astype(np.int64) - 48
    except UnicodeEncodeError:
        raise broken from None
    if not len(codes):
        return _summed(codes, pixels, where)
    is_last = (codes & 32) == 0
    if codes.min() < 0 or codes.max() > 63 or not is_last[-1]:
        raise broken
    number = np.cumsum(is_last) - is_last  # which count a character belongs to
    begins = np.flatnonzero(np.append(True, is_last[:-1]))
    place = np.arange(len(codes)) - begins[number]
    if place.max() >= _GROUPS:
        raise broken
    values = np.bincount(number, (codes & 31) << (5 * place)).astype(np.int64)
    is_negative = (codes[is_last] & 16) != 0
    values -= is_negative * (np.int64(1) << (5 * (place[is_last] + 1)))
    if np.abs(values).max() > MAX_PIXELS:
        raise broken
    for first in (1, 2):  # count i is a difference to count i - 2, from i = 3 on
        values[first::2] = np.cumsum(values[first::2])
    if values.min() < 0:
        raise broken
    return _summed(values, pixels, where)


# --- Masks


def column_counts(mask: NDArray[np.bool_]) -> Counts:
    """COCO's counts of bool (H, W): down the columns."""
    return row_counts(mask.T)


def row_counts(mask: NDArray[np.bool_]) -> Counts:
    """CVAT's counts of bool (h, w), which is what lies in the box: along the rows."""
    flat = np.concatenate(([0], np.ascontiguousarray(mask).ravel().view(np.int8), [0]))
    step = np.diff(flat)
    return counts_of(np.flatnonzero(step == 1), np.flatnonzero(step == -1), mask.size)


def column_mask(counts: Counts, height: int, width: int) -> NDArray[np.bool_]:
    """bool (H, W) of COCO's counts."""
    return row_mask(counts, width, height).T


def row_mask(counts: Counts, height: int, width: int) -> NDArray[np.bool_]:
    """bool (h, w) of CVAT's counts."""
    bits = np.arange(len(counts)) % 2 == 1
    return np.repeat(bits, counts).reshape(height, width)


# --- Label Studio's bits


def to_bits(starts: Counts, ends: Counts, pixels: int) -> bytes:
    """Label Studio's stream for runs of ones along the rows of a picture of so many pixels.

    It numbers the bytes of an RGBA picture: four for each pixel, 255 where the mask is, else 0.
    """
    counts = 4 * counts_of(starts, ends, pixels)
    values = np.where(np.arange(len(counts)) % 2, 255, 0)
    counts, values = counts[counts > 0], values[counts > 0]
    parts = -(-counts // 65536)  # of a run, for the longest packets hold 65536
    values = np.repeat(values, parts)
    lengths = np.full(len(values), 65536, np.int64)
    lengths[np.cumsum(parts) - 1] = counts - 65536 * (parts - 1)
    # Label Studio's own writer keeps the longest form for the rest of a run that is split.
    size = np.where(np.repeat(parts, parts) > 1, 3, np.searchsorted([8, 16, 256], lengths))
    width = np.array(_SIZES)[size]
    packets = (((4 | size) << width | (lengths - 1)) << 8) | values
    total = np.concatenate(([pixels * 4, 7, 2, 3, 7, 15], packets))
    widths = np.concatenate(([32, 5, 4, 4, 4, 4], width + 11))
    before = np.cumsum(widths) - widths
    shift = np.repeat(widths + before, widths) - 1 - np.arange(int(widths.sum()))
    bits = (np.repeat(total, widths) >> shift) & 1
    # Its own writer adds a byte of zeros where the bits fill the last one.
    return np.packbits(bits.astype(np.uint8)).tobytes() + (b"" if len(bits) % 8 else b"\0")


def from_bits(content: object, pixels: int, where: str) -> NDArray[np.bool_]:
    """bool (pixels,): where the alpha of Label Studio's stream, a list of bytes, is not zero.

    FormatError when it is none, is cut off, or is of a picture of another size.
    """
    try:
        packed = bytes(content) if isinstance(content, list) else None
    except (TypeError, ValueError):
        packed = None
    if packed is None or len(packed) < 7:
        raise FormatError(f"{where} is no list of bytes of a brush; export it again.")
    count = int.from_bytes(packed[:4])
    if count != 4 * pixels or pixels > MAX_PIXELS:
        raise FormatError(
            f"{where} is of {count // 4:,} pixels and its picture has {pixels:,}; export it again."
        )
    word = (packed[4] >> 3) + 1
    if word != 8:
        raise FormatError(f"{where} has values of {word} bits instead of 8; export it again.")
    mask = np.zeros(pixels, np.bool_)
    if compiled(_decode)(np.frombuffer(packed, np.uint8), mask) != count:
        raise FormatError(f"{where} ends before its picture does; export it again.")
    return mask


def _decode(packed: NDArray[np.uint8], mask: NDArray[np.bool_]) -> int:
    """Fill `mask` from the stream; how many of its 4 × pixels values there were.

    A packet: a bit (1: one value many times, 0: as many values), two bits that choose how many bits
    the length has, the length less one, the values of 8 bits.
    """

    def read(at: int, width: int) -> int:
        value = 0
        for bit in range(at, at + width):
            value = 2 * value + ((packed[bit // 8] >> (7 - bit % 8)) & 1)
        return value

    bits = 8 * len(packed)
    count = 4 * len(mask)
    sizes = np.empty(4, np.int64)
    at = 37
    for i in range(4):
        sizes[i] = read(at, 4) + 1
        at += 4
    done = 0
    while done < count:
        if at + 3 > bits:
            return done
        head = read(at, 3)
        size = sizes[head & 3]
        if at + 3 + size + 8 > bits:
            return done
        length = read(at + 3, size) + 1
        at += 3 + size
        length = min(length, count - done)
        if head >= 4:
            if read(at, 8):
                for pixel in range(done // 4, (done + length) // 4):
                    mask[pixel] = True
            at += 8
            done += length
        else:
            if at + 8 * length > bits:
                return done
            for place in range(done, done + length):
                if place % 4 == 3 and read(at, 8):
                    mask[place // 4] = True
                at += 8
            done += length
    return done
