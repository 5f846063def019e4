"""Masks and polygons of single objects, painted over each other into labels."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segstudio.core.area import Area
from segstudio.core.classes import VOID
from segstudio.core.geometry import Rect
from segstudio.errors import FormatError
from segstudio.formats.options import Option, Values
from segstudio.formats.outlining.filling import Rule
from segstudio.formats.outlining.rle import Counts, runs_of

_FURTHEST = 1e6
"""Pixels from the corner: where a polygon goes beyond, no picture follows."""

MOST_PAINTED = 4_000_000_000
"""Pixels of all shapes' boxes in a frame: 500 shapes over all of an 8-megapixel picture."""

_MOST_NEAR = 200
"""Holes for which a short cut is looked for."""

MAX_POINTS = 5_000_000
"""Of one polygon: more than a picture has borders."""


OUTLINES = Option(
    "outlines",
    "Outlines run",
    "between",
    "Polygons that OpenCV made of masks run through the outermost pixels.",
    {"between": "Between the pixels", "through": "Through the outermost pixels"},
)
"""Of readers of polygons. A wrong choice moves every border by half a pixel."""


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """Some pixels of one class. number: of the instance in its class, 0 for none.

    area: about how many pixels, to tell large from small. cut: the pixels, made when painted.
    """

    class_id: int
    area: float
    cut: Callable[[], Area]
    number: int = 0


def painted(
    shapes: Iterable[Shape],
    height: int,
    width: int,
    *,
    with_instances: bool = False,
    name: str = "This frame",
) -> tuple[NDArray[np.uint8], NDArray[np.int32] | None]:
    """Labels uint8 (H, W) and instances int32 (H, W): each shape over those before it.

    What no shape covers is void. name: what messages call the frame. FormatError when its shapes
    would take minutes to paint.
    """
    labels = np.full((height, width), VOID, np.uint8)
    instances = np.zeros((height, width), np.int32) if with_instances else None
    effort = 0
    for shape in shapes:
        area = shape.cut()
        effort += area.mask.size
        if effort > MOST_PAINTED:
            raise FormatError(
                f"{name} would take minutes to paint: its shapes have more than"
                f" {MOST_PAINTED // 1_000_000_000} billion pixels together; leave some of them out."
            )
        labels[area.rect.slices][area.mask] = shape.class_id
        if instances is not None:
            instances[area.rect.slices][area.mask] = shape.number
    return labels, instances


def large_first(shapes: Iterable[Shape]) -> list[Shape]:
    """For formats that say nothing about what lies on top: a small thing on a large one is seen."""
    return sorted(shapes, key=lambda shape: -shape.area)


def from_columns(counts: Counts, height: int) -> Area:
    """The pixels of COCO's counts, checked for this size; only the columns that they reach."""
    starts, ends = runs_of(counts)
    is_run = ends > starts
    if not is_run.any():
        return Area(Rect(0, 0, 0, 0), np.zeros((0, 0), np.bool_))
    starts, ends = starts[is_run], ends[is_run]
    left, right = int(starts[0]) // height, (int(ends[-1]) - 1) // height + 1
    edges = np.column_stack((starts, ends)).ravel() - left * height
    lengths = np.diff(edges, prepend=0, append=(right - left) * height)
    bits = np.arange(len(lengths)) % 2 == 1
    mask = np.repeat(bits, lengths).reshape(right - left, height).T
    return Area(Rect(0, left, height, right), mask)


def rule_of(options: Values) -> Rule:
    """How polygons are filled, by what was chosen for OUTLINES."""
    return "cv2" if options.get(OUTLINES.name) == "through" else "even_odd"


def united(areas: Iterable[Area]) -> Area:
    """The pixels that any of them has, as pycocotools takes a list of polygons."""
    parts = [area for area in areas if not area.rect.is_empty]
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return Area(Rect(0, 0, 0, 0), np.zeros((0, 0), np.bool_))
    box = parts[0].rect
    for part in parts[1:]:
        box = box.united(part.rect)
    mask = np.zeros((box.height, box.width), np.bool_)
    for part in parts:
        y, x = part.rect.y0 - box.y0, part.rect.x0 - box.x0
        mask[y : y + part.rect.height, x : x + part.rect.width] |= part.mask
    return Area(box, mask)


def ring(numbers: object, where: str) -> NDArray[np.float64]:
    """A flat list x, y, x, y, … of a file as float64 (n, 2); fewer than three points are none.

    FormatError when it is no such list.
    """
    if not isinstance(numbers, list) or not all(type(n) in (int, float) for n in numbers):
        raise FormatError(f"{where} is no list of numbers x, y, x, y; export it again.")
    if len(numbers) % 2 or len(numbers) > 2 * MAX_POINTS:
        raise FormatError(
            f"{where} has {len(numbers):,} numbers instead of pairs; export it again."
        )
    try:
        points = np.array(numbers, np.float64).reshape(-1, 2)
    except OverflowError:
        points = np.array([[np.inf, np.inf]])
    if not np.isfinite(points).all():
        raise FormatError(f"{where} holds a number that is not finite; export it again.")
    clipped: NDArray[np.float64] = np.clip(points, -_FURTHEST, _FURTHEST)
    return clipped if len(points) >= 3 else clipped[:0]


def ring_area(points: NDArray[np.float64]) -> float:
    """Square pixels inside a ring."""
    if len(points) < 3:
        return 0.0
    x, y = (points - points[0]).T
    return abs(float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))) / 2


def bridged(
    outer: NDArray[np.float64], holes: Iterable[NDArray[np.float64]]
) -> NDArray[np.float64]:
    """One ring for a polygon with holes: a cut leads to each hole and the same way back.

    Both ways of a cut cancel each other out, so filling by the even-odd rule gives the same pixels.
    """
    holes = list(holes)
    if len(holes) > _MOST_NEAR:
        # Each hole from the same corner: to look for a near one takes corners times holes.
        closed = [part for hole in holes for part in (hole, hole[:1], outer[:1])]
        return np.concatenate([outer[:1], *closed, outer[1:]])
    joined = np.asarray(outer, np.float64)
    for hole in sorted(holes, key=lambda h: float(h[:, 0].min())):
        start = int(np.argmin(hole[:, 0]))
        turned = np.roll(hole, -start, axis=0)
        gaps = np.square(joined - turned[0]).sum(axis=1)
        at = int(np.argmin(gaps))
        joined = np.concatenate((joined[: at + 1], turned, turned[:1], joined[at:]))
    return joined


def rectangle(
    x: float, y: float, width: float, height: float, degrees: float, pivot: tuple[float, float]
) -> NDArray[np.float64]:
    """float64 (4, 2): a box with its upper left corner at x, y, turned clockwise about `pivot`."""
    corners = np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]])
    return _turned(corners, degrees, pivot)


def ellipse(x: float, y: float, across: float, down: float, degrees: float) -> NDArray[np.float64]:
    """float64 (n, 2): about x, y with these radii, turned clockwise; closer to it than a pixel."""
    angles = np.linspace(0, 2 * np.pi, 180, endpoint=False)
    points = np.column_stack((x + across * np.cos(angles), y + down * np.sin(angles)))
    return _turned(points, degrees, (x, y))


def _turned(
    points: NDArray[np.float64], degrees: float, pivot: tuple[float, float]
) -> NDArray[np.float64]:
    if not degrees:
        return points
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    turned: NDArray[np.float64] = (points - pivot) @ turn + pivot
    return turned
