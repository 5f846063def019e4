"""Superpixels: a frame in small pieces that keep to its edges, to paint by the piece.

SLIC (Achanta et al. 2012, "SLIC superpixels compared to state-of-the-art superpixel methods"):
k-means in CIELAB and position, from a regular grid. Written so that NumPy does the work:

- A pixel chooses among the centres of its own grid cell and the eight around it, which the paper's
  windows of two cells amount to. Per cell that is one small matrix product.
- The rounds run on a picture reduced to cells of about 12 pixels; the last choice is made at full
  size. Centres are not moved off edges before the first round.
- Pieces that came apart are separated, and specks join the neighbour with the longest common
  border.
"""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from segstudio.core.brush import Area, Point
from segstudio.core.geometry import Rect
from segstudio.errors import Cancelled

ROUNDS = 5
_CELL = 12
"""Side of a cell, in pixels, on the reduced picture."""
_SPECK = 0.25
"""Pieces of less than this share of a cell join a neighbour."""
_FAR = np.float32(1e12)

Floats = NDArray[np.float32]
Ids = NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Segments:
    """A frame in pieces.

    ids: int32 (H, W), 0..count - 1; every segment is joined by its sides.
    boxes: int32 (count, 4), y0, x0, y1, x1 of every segment, half-open.
    """

    ids: Ids
    boxes: Ids

    @property
    def count(self) -> int:
        """How many segments there are."""
        return len(self.boxes)

    def segment_at(self, point: Point) -> Area:
        """The segment that `point` lies in; empty outside the frame."""
        height, width = self.ids.shape
        if not (0 <= point[0] < height and 0 <= point[1] < width):
            return _nothing()
        return self._segment(int(self.ids[point]))

    def areas_touching(self, area: Area) -> list[Area]:
        """Every segment that has a pixel in `area`, by id."""
        return [self._segment(int(number)) for number in self._touched(area)]

    def area_touching(self, area: Area) -> Area:
        """All those segments as one area: what a stroke paints."""
        numbers = self._touched(area)
        if not numbers.size:
            return _nothing()
        first, last = self.boxes[numbers, :2].min(0), self.boxes[numbers, 2:].max(0)
        rect = Rect(*(int(v) for v in (*first, *last)))
        is_touched = np.zeros(self.count, np.bool_)
        is_touched[numbers] = True
        return Area(rect, is_touched[self.ids[rect.slices]])

    def _touched(self, area: Area) -> Ids:
        rect = area.rect.clipped(*self.ids.shape)
        if rect.is_empty:
            return np.zeros(0, np.int32)
        y, x = rect.y0 - area.rect.y0, rect.x0 - area.rect.x0
        mask = area.mask[y : y + rect.height, x : x + rect.width]
        return np.unique(self.ids[rect.slices][mask])

    def _segment(self, number: int) -> Area:
        rect = Rect(*(int(v) for v in self.boxes[number]))
        return Area(rect, self.ids[rect.slices] == number)


def superpixels(
    rgb: NDArray[np.uint8],
    *,
    size: int = 24,
    compactness: float = 10.0,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> Segments:
    """Segments of about size × size pixels. rgb: uint8 (H, W, 3), not empty, not written.

    size: 4 or more, pixels. compactness: CIELAB units that weigh as much as a cell's side (the
    paper's m, 1..40): more is squarer, less keeps closer to edges. The same frame has the same
    segments. Raises Cancelled soon after `is_cancelled` (asked in this thread) turns true.
    """
    size = max(4, size)
    height, width = rgb.shape[:2]
    # The reduced picture has as many whole cells as the frame, so its centres fit both.
    cell = min(size, _CELL)
    rows, columns = -(-height // size), -(-width // size)
    lab = _lab(rgb, (rows * size, columns * size))
    small = lab
    if cell < size:
        reduced = cv2.resize(lab, (columns * cell, rows * cell), interpolation=cv2.INTER_AREA)
        small = np.asarray(reduced, np.float32)
    pixels = _in_cells(small, cell, compactness)
    centres = pixels[:, :, :5].mean(3)
    owners = _owners(rows, columns)
    for _ in range(ROUNDS):
        if is_cancelled():
            raise Cancelled
        views = _views(centres, compactness)
        choice = np.stack([_choice(pixels[row], views[row]) for row in range(rows)])
        centres = _means(pixels, owners, choice, centres, compactness)
    views = _views(centres, compactness)
    ids = np.empty((rows, size, columns, size), np.int32)
    for row in range(rows):
        if is_cancelled():
            raise Cancelled
        strip = _in_cells(lab[row * size : (row + 1) * size], size, compactness)[0]
        chosen = np.take_along_axis(owners[row], _choice(strip, views[row]), 1)
        ids[row] = chosen.reshape(columns, size, size).transpose(1, 0, 2)
    whole = ids.reshape(rows * size, columns * size)[:height, :width]
    if is_cancelled():
        raise Cancelled
    return _joined(whole, max(1, round(_SPECK * size * size)))


def _lab(rgb: NDArray[np.uint8], size: tuple[int, int]) -> Floats:
    """CIELAB float32, its last rows and columns repeated up to `size`, without fine noise."""
    height, width = rgb.shape[:2]
    calm = cv2.GaussianBlur(np.ascontiguousarray(rgb), (3, 3), 0)
    lab = cv2.cvtColor(np.asarray(calm).astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    below, right = size[0] - height, size[1] - width
    padded = cv2.copyMakeBorder(lab, 0, below, 0, right, cv2.BORDER_REPLICATE)
    return np.asarray(padded, np.float32)


def _in_cells(lab: Floats, cell: int, compactness: float) -> Floats:
    """float32 (rows, columns, 6, cell²): L, a, b, y, x, 1 of every pixel, by cell.

    y and x count from the middle of the cell in units of compactness / cell: then distances of the
    first five are SLIC's, and numbers stay small enough for float32.
    """
    rows, columns = lab.shape[0] // cell, lab.shape[1] // cell
    pixels = np.ones((rows, columns, 6, cell, cell), np.float32)
    pixels[:, :, :3] = lab.reshape(rows, cell, columns, cell, 3).transpose(0, 2, 4, 1, 3)
    place = ((np.arange(cell) + 0.5) / cell - 0.5).astype(np.float32) * np.float32(compactness)
    pixels[:, :, 3] = place[:, None]
    pixels[:, :, 4] = place
    return pixels.reshape(rows, columns, 6, cell * cell)


def _owners(rows: int, columns: int) -> Ids:
    """int32 (rows, columns, 9): numbers of the cells around each, itself in the middle; -1 none."""
    numbers = np.full((rows + 2, columns + 2), -1, np.int32)
    numbers[1:-1, 1:-1] = np.arange(rows * columns, dtype=np.int32).reshape(rows, columns)
    parts = [numbers[y : y + rows, x : x + columns] for y in range(3) for x in range(3)]
    return np.stack(parts, 2)


def _views(centres: Floats, compactness: float) -> Floats:
    """float32 (rows, columns, 9, 6): what to multiply a cell's pixels with, for each centre c near.

    |p - c|² = |p|² + 2 (|c|² / 2 - p·c), and |p|² is the same for all: so the smallest product of
    (p, 1) with (-c, |c|² / 2) is the nearest centre. centres: float32 (rows, columns, 5).
    """
    rows, columns = centres.shape[:2]
    around = np.zeros((rows + 2, columns + 2, 6), np.float32)
    around[..., 5] = _FAR
    views = np.empty((rows, columns, 9, 6), np.float32)
    around[1:-1, 1:-1, :5] = centres
    around[1:-1, 1:-1, 5] = 0
    for k in range(9):
        y, x = divmod(k, 3)
        seen = around[y : y + rows, x : x + columns].copy()
        seen[..., 3] += (y - 1) * compactness
        seen[..., 4] += (x - 1) * compactness
        views[:, :, k, :5] = -seen[..., :5]
        views[:, :, k, 5] = seen[..., 5] + (seen[..., :5] ** 2).sum(2) / 2
    return views


def _choice(pixels: Floats, views: Floats) -> NDArray[np.intp]:
    """Which of nine centres is nearest, (columns, n), of pixels (columns, 6, n) in a row of cells.

    views: (columns, 9, 6).
    """
    products = views @ pixels
    least = products[:, 0].copy()
    choice = np.zeros(least.shape, np.intp)
    for k in range(1, 9):
        is_less = products[:, k] < least
        np.copyto(choice, k, where=is_less)
        np.minimum(least, products[:, k], out=least)
    return choice


def _means(
    pixels: Floats, owners: Ids, choice: NDArray[np.intp], centres: Floats, compactness: float
) -> Floats:
    """The new centres, float32 (rows, columns, 5): means of the pixels that chose them."""
    rows, columns = centres.shape[:2]
    numbers = np.take_along_axis(owners, choice, 2).reshape(-1)
    count = np.bincount(numbers, minlength=rows * columns)
    means = np.empty((rows * columns, 5), np.float64)
    for k in range(5):
        values = pixels[:, :, k]
        if k >= 3:  # from the pixel's cell to the cell of the centre it chose
            away = (choice // 3 if k == 3 else choice % 3) - 1
            values = values - away.astype(np.float32) * np.float32(compactness)
        sums = np.bincount(numbers, values.reshape(-1), minlength=rows * columns)
        means[:, k] = sums / np.maximum(count, 1)
    alone = count == 0
    means[alone] = centres.reshape(-1, 5)[alone]
    return means.reshape(rows, columns, 5).astype(np.float32)


def _joined(ids: Ids, least: int) -> Segments:
    """Parts of `ids` joined by their sides as segments; those of fewer than `least` pixels join."""
    parts, boxes, sizes = _parts(ids)
    root = np.arange(len(sizes), dtype=np.int32)
    ends = _neighbours(parts)
    for _ in range(8):
        here, there, border = _borders(root[ends], len(sizes))
        small = (sizes[here] < least) & ((sizes[there] > sizes[here]) | (sizes[there] >= least))
        # Equal specks: the lower number takes the higher, so nobody goes round in a circle.
        small |= (sizes[here] < least) & (sizes[there] == sizes[here]) & (there < here)
        if not small.any():
            break
        here, there, border = here[small], there[small], border[small]
        order = np.lexsort((there, border, here))
        last = np.append(here[order][1:] != here[order][:-1], True)
        into = np.arange(len(sizes), dtype=np.int32)
        into[here[order][last]] = there[order][last]
        while (into[into] != into).any():
            into = into[into]
        root = into[root]
        sizes = np.bincount(into, sizes, minlength=len(sizes)).astype(np.int64)
    return _numbered(parts, root, boxes)


def _parts(ids: Ids) -> tuple[Ids, Ids, NDArray[np.int64]]:
    """Connected parts of equal ids: int32 (H, W) from 0, their boxes (n, 4), their sizes (n,).

    OpenCV joins pixels that are on. So between every two pixels one more is put, on when both have
    the same id; the parts of that picture, read at every second pixel, are ours.
    """
    height, width = ids.shape
    links = np.zeros((2 * height - 1, 2 * width - 1), np.uint8)
    links[::2, ::2] = 1
    links[::2, 1::2] = ids[:, 1:] == ids[:, :-1]
    links[1::2, ::2] = ids[1:] == ids[:-1]
    _, found, stats, _ = cv2.connectedComponentsWithStats(links, connectivity=4, ltype=cv2.CV_32S)
    parts = np.ascontiguousarray(np.asarray(found, np.int32)[::2, ::2]) - 1
    x, y, w, h = (np.asarray(stats, np.int32)[1:, k] for k in range(4))
    boxes = np.stack((y // 2, x // 2, (y + h + 1) // 2, (x + w + 1) // 2), 1)
    return parts, boxes, np.bincount(parts.reshape(-1), minlength=len(boxes))


def _neighbours(parts: Ids) -> Ids:
    """int32 (2, n): the parts on both sides of every step that crosses a border."""
    across, down = parts[:, 1:] != parts[:, :-1], parts[1:] != parts[:-1]
    first = np.concatenate((parts[:, :-1][across], parts[:-1][down]))
    second = np.concatenate((parts[:, 1:][across], parts[1:][down]))
    return np.stack((first, second))


def _borders(ends: Ids, count: int) -> tuple[Ids, Ids, NDArray[np.int64]]:
    """Pairs that touch, in both directions, and the length of their border: each (n,)."""
    ends = ends[:, ends[0] != ends[1]].astype(np.int64)
    pairs, lengths = np.unique(ends.min(0) * count + ends.max(0), return_counts=True)
    low, high = (pairs // count).astype(np.int32), (pairs % count).astype(np.int32)
    return (
        np.concatenate((low, high)),
        np.concatenate((high, low)),
        np.concatenate((lengths, lengths)).astype(np.int64),
    )


def _numbered(parts: Ids, root: Ids, boxes: Ids) -> Segments:
    """The joined parts numbered from 0 without gaps."""
    roots, number = np.unique(root, return_inverse=True)
    joined = np.empty((len(roots), 4), np.int32)
    joined[:, :2], joined[:, 2:] = np.iinfo(np.int32).max, 0
    np.minimum.at(joined[:, :2], number, boxes[:, :2])
    np.maximum.at(joined[:, 2:], number, boxes[:, 2:])
    return Segments(number.astype(np.int32)[parts], joined)


def _nothing() -> Area:
    return Area(Rect(0, 0, 0, 0), np.zeros((0, 0), np.bool_))
