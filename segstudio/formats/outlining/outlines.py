"""Labels as polygons: the regions of every class, with their holes.

Pixels belong together by their sides, not by their corners. Through the corners of pixels and
without a tolerance the rings are exact: filling them by the even-odd rule gives back every pixel.
With a tolerance, the border between two regions is simplified once and both have it: they leave no
gap and do not overlap. Where a region touches itself in a corner its rings touch there too, but
none ever touches itself.

Through the centres of a region's outermost pixels rings are for the programs that also fill what a
border runs through (`filling`: pil, cv2) and have no holes: the outer rings in the order of
`nested`, void among them, give back every pixel there.

Coordinates are (x, y), as in the files that take them: (0, 0) is the picture's upper left corner
and the first pixel's, (W, H) the lower right one.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from segstudio.core.classes import VOID
from segstudio.core.compiled import compiled
from segstudio.errors import FormatError
from segstudio.formats.outlining.arcs import kept_corners

Ring = NDArray[np.float64]
Through = Literal["corners", "centres"]

MAX_REGIONS = 500_000
"""Of one frame: a checkerboard of 1920×1080 pixels has two million, and a gigabyte of polygons."""


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """Connected pixels of one class. outer, holes: float64 (n, 2) x, y; the last point is not the
    first again. Seen on the screen, outer runs clockwise, holes run the other way.

    area: its pixels, before any simplification. number: of the region, in the order in which they
    begin, rows first. instance: as in `Labelled`, 0 for none.
    """

    class_id: int
    outer: Ring
    holes: tuple[Ring, ...]
    area: int
    number: int
    instance: int = 0

    @property
    def rings(self) -> tuple[Ring, ...]:
        """outer and holes: filled together by the even-odd rule they are the region."""
        return (self.outer, *self.holes)


def outlines(
    labels: NDArray[np.uint8],
    tolerance: float = 0.0,
    *,
    instances: NDArray[np.int32] | None = None,
    with_void: bool = False,
    through: Through = "corners",
) -> list[Region]:
    """The regions of labels, uint8 (H, W), in the order of their first pixels, rows first: what
    fills a hole comes after what has it.

    tolerance: how far, in pixels, a border may be moved to have fewer corners; about, and never so
    far that borders would cross. instances: int32 (H, W) >= 0, which keep regions apart too.
    with_void: regions of 255 too. through: see the module; rings through centres may have one point
    or two, and run along themselves where a region is thin.
    FormatError for more than MAX_REGIONS.
    """
    height, width = labels.shape
    codes = labels if instances is None else labels.astype(np.int64) << 32 | instances
    from segstudio.core.regions import numbered  # brings OpenCV along, which lists do without

    parts, areas = numbered(codes)
    if len(areas) > MAX_REGIONS:
        raise FormatError(
            f"A frame has {len(areas):,} separate regions, and polygons are written for up to"
            f" {MAX_REGIONS:,}; export it as masks."
        )
    padded = np.zeros((height + 2, width + 2), np.int32)
    padded[1:-1, 1:-1] = parts
    kept = kept_corners(padded, float(tolerance)) if tolerance > 0 else np.zeros((1, 1), np.uint8)
    codes_of = np.zeros(len(areas) + 1, codes.dtype)
    codes_of[parts] = codes
    classes = (codes_of if instances is None else codes_of >> 32).astype(np.uint8)
    skipped = (classes == VOID) & (not with_void)
    points, starts, owners = compiled(_trace)(padded, kept, skipped, through == "centres")
    found = []
    for number, rings in _by_owner(points, starts, owners):
        instance = 0 if instances is None else int(codes_of[number]) & 0xFFFFFFFF
        found.append(
            Region(
                int(classes[number]),
                rings[0],
                tuple(rings[1:]),
                int(areas[number - 1]),
                number - 1,
                instance,
            )
        )
    return found


def nested(regions: Iterable[Region]) -> list[Region]:
    """The larger regions first, holes counted: for formats that paint one over the other and know
    no holes, and so that small ones lie above."""
    return sorted(regions, key=lambda r: (-abs(_doubled_area(r.outer)), r.number))


def _doubled_area(ring: Ring) -> float:
    x, y = ring[:, 0], ring[:, 1]
    return float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))


def _by_owner(
    points: NDArray[np.float64], starts: NDArray[np.int64], owners: NDArray[np.int64]
) -> Iterator[tuple[int, list[Ring]]]:
    """Each region's number from 1 and its rings, of which the first is the outer one: its first
    pixel has no other above it."""
    order = np.argsort(owners, kind="stable")
    numbers = owners[order].tolist()
    begins, ends = starts[:-1][order].tolist(), starts[1:][order].tolist()
    rings: list[Ring] = []
    for k, number in enumerate(numbers):
        rings.append(points[begins[k] : ends[k]])
        if k + 1 == len(numbers) or numbers[k + 1] != number:
            yield number, rings
            rings = []


# --- the compiled part


def _trace(
    padded: NDArray[np.int32],
    kept: NDArray[np.uint8],
    skipped: NDArray[np.bool_],
    is_inner: bool,  # noqa: FBT001  compiled functions take no keywords
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """All rings, each with its region on the right hand.

    kept: (H + 1, W + 1), the corners to name; of any other size, all at which a ring turns.
    skipped: by region number. is_inner: through the centres of pixels. Points float64 (n, 2) x, y;
    where each ring begins, and the end; the region of each ring.
    """
    height, width = padded.shape[0] - 2, padded.shape[1] - 2
    is_exact = kept.shape[0] != height + 1 or kept.shape[1] != width + 1
    points = np.empty((4096, 2), np.float64)
    starts, owners = np.empty(256, np.int64), np.empty(256, np.int64)
    used, rings = 0, 0
    starts[0] = 0
    done = np.zeros((height, width), np.bool_)
    for top in range(height):
        for left in range(width):
            part = padded[top + 1, left + 1]
            if done[top, left] or padded[top, left + 1] == part or skipped[part]:
                continue
            y, x, way = top, left, 0
            first = used
            while True:
                if way == 0:
                    done[y, x] = True
                y += (way == 1) - (way == 3)
                x += (way == 0) - (way == 2)
                # The two pixels ahead, on the left and on the right hand.
                on_left = padded[y + (way == 1 or way == 2), x + (way == 0 or way == 1)]
                on_right = padded[y + (way == 0 or way == 1), x + (way == 0 or way == 3)]
                turn = 3 if on_left == part else 0 if on_right == part else 1
                if turn if is_exact else kept[y, x]:
                    if used + 2 >= len(points):
                        grown = np.empty((2 * len(points), 2), np.float64)
                        grown[:used] = points[:used]
                        points = grown
                    # From the corner to the pixel behind on the right hand, and where the ring
                    # turns to the left around the corner, to the one ahead.
                    right = 0.5 if way > 1 else -0.5
                    down = 0.5 if way == 0 or way == 3 else -0.5
                    points[used, 0] = x + (right if is_inner else 0)
                    points[used, 1] = y + (down if is_inner else 0)
                    used += 1
                    if is_inner and turn == 3:
                        points[used, 0], points[used, 1] = x - right, y - down
                        used += 1
                way = (way + turn) & 3
                if y == top and x == left and way == 0:
                    break
            # Points on straight lines along the lattice, where others meet it, say nothing.
            last = first
            for k in range(first, used):
                before = points[last - 1] if last > first else points[used - 1]
                here, behind = points[k], points[k + 1] if k + 1 < used else points[first]
                is_same = here[0] == before[0] and here[1] == before[1]
                ahead = (here[0] - before[0]) * (behind[0] - here[0]) + (here[1] - before[1]) * (
                    behind[1] - here[1]
                )
                on_column = before[0] == here[0] and here[0] == behind[0]
                on_row = before[1] == here[1] and here[1] == behind[1]
                if not (is_same or ((on_column or on_row) and ahead >= 0)):
                    points[last, 0], points[last, 1] = here[0], here[1]
                    last += 1
            used = max(last, first + 1)
            if rings + 2 >= len(starts):
                more = np.empty((2, 2 * rings + 4), np.int64)
                more[0, : rings + 1], more[1, :rings] = starts[: rings + 1], owners[:rings]
                starts, owners = more[0], more[1]
            owners[rings] = part
            rings += 1
            starts[rings] = used
    return points[:used], starts[: rings + 1], owners[:rings]
