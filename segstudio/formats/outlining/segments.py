"""Labels as segments: one for each class, or for each instance where instances are known.

The one pass that all run-length formats share: its cost grows with the borders in a picture, not
with its classes.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segstudio.core.classes import VOID
from segstudio.formats.outlining.rle import Counts, counts_of


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """number: of the instance inside its class, 0 for what belongs to none. box: x, y, w, h px.

    starts, ends: runs of its pixels [start, end), sorted, that do not touch: numbered along the
    rows of the picture, or down its columns, as `segments` was asked.
    """

    class_id: int
    number: int
    area: int
    box: tuple[int, int, int, int]
    starts: Counts
    ends: Counts


def segments(
    labels: NDArray[np.uint8],
    instances: NDArray[np.int32] | None = None,
    *,
    down: bool = False,
) -> list[Segment]:
    """The segments of uint8 (H, W), by class id and number, without void.

    instances: as in `Labelled`. down: number the pixels down the columns instead of along the rows.
    """
    codes = labels.astype(np.int64) << 32 if instances is not None else labels
    if instances is not None:
        codes = np.where(instances > 0, codes | instances, codes)
    codes = np.ascontiguousarray(codes.T if down else codes)
    lines, length = codes.shape
    begins = np.ones((lines, length), bool)
    np.not_equal(codes[:, 1:], codes[:, :-1], out=begins[:, 1:])
    starts = np.flatnonzero(begins)
    ends = np.append(starts[1:], codes.size)
    values = codes.ravel()[starts].astype(np.int64)
    if instances is None:
        values <<= 32
    order = np.argsort(values, kind="stable")
    starts, ends, values = starts[order], ends[order], values[order]
    found = []
    edges = np.append(np.flatnonzero(np.diff(values, prepend=-1)), len(values))
    for first, last in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        value = int(values[first])
        if value >> 32 == VOID:
            continue
        found.append(_segment(value, starts[first:last], ends[first:last], length, down=down))
    return found


def _segment(value: int, starts: Counts, ends: Counts, length: int, *, down: bool) -> Segment:
    """starts, ends: of runs inside lines of `length` pixels; those that touch become one here."""
    line = starts // length
    low = int((starts - line * length).min())
    high = int((ends - line * length).max())
    near, far = int(line[0]), int(line[-1]) + 1
    area = int((ends - starts).sum())
    is_new = np.append(True, starts[1:] != ends[:-1])
    is_last = np.append(is_new[1:], True)
    box = (near, low, far - near, high - low) if down else (low, near, high - low, far - near)
    return Segment(value >> 32, value & 0xFFFFFFFF, area, box, starts[is_new], ends[is_last])


def counts_in_box(segment: Segment, width: int) -> Counts:
    """CVAT's counts of a segment that is numbered along rows of `width`: inside its box."""
    left, top, box_width, box_height = segment.box
    # A run that goes on in the next row spans the whole width of the picture and so of the box:
    # counted from its first pixel to its last, it stays one run.
    starts = _in_box(segment.starts, width, left, top, box_width)
    ends = _in_box(segment.ends - 1, width, left, top, box_width) + 1
    if box_width < width:
        is_new = np.append(True, starts[1:] != ends[:-1])
        starts, ends = starts[is_new], ends[np.append(is_new[1:], True)]
    return counts_of(starts, ends, box_width * box_height)


def _in_box(pixels: Counts, width: int, left: int, top: int, box_width: int) -> Counts:
    rows = pixels // width
    return (rows - top) * box_width + (pixels - rows * width - left)


def has_several(found: list[Segment]) -> frozenset[int]:
    """The classes whose instances are known here: what has no number beside them is a group."""
    return frozenset(s.class_id for s in found if s.number)
