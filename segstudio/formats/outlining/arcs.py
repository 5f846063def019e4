"""Borders between regions as arcs, each simplified once for both of its sides.

The corners of pixels form a lattice. A border runs along its edges; where three or four borders
meet, and in the picture's corners, it has a node, and an arc is what lies between two nodes, or a
closed border that meets no other. Which corners of an arc stay is chosen by Douglas and Peucker
("Algorithms for the reduction of the number of points", 1973). The others are then taken away one
by one, each only if the triangle between it and its two neighbours holds no corner of any border:
so borders never cross, nothing ends up on the other side of one, and no island turns or vanishes.
"""

import numpy as np
from numpy.typing import NDArray

from segstudio.core.compiled import compiled


def kept_corners(padded: NDArray[np.int32], tolerance: float) -> NDArray[np.uint8]:
    """uint8 (H + 1, W + 1): 1 for the lattice points that stay corners of the borders.

    padded: int32 (H + 2, W + 2), region numbers with a frame of 0. tolerance: how far, in pixels, a
    simplified border may be from the true one.
    """
    height, width = padded.shape[0] - 1, padded.shape[1] - 1
    edges = np.zeros((height, width), np.uint8)
    corners = np.zeros((height, width), np.uint8)
    most = compiled(_find_edges)(padded, edges, corners)
    points = np.empty(most[0], np.int32)
    starts = np.empty(most[1] + 1, np.int32)
    arcs = compiled(_follow)(edges, corners, points, starts)
    starts = starts[: arcs + 1]
    compiled(_simplify)(points, starts, _forced(points, starts), tolerance * tolerance, corners)
    return corners


def _forced(points: NDArray[np.int32], starts: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Whether an arc must keep a corner of its own: of all between the same two nodes, only one
    may become straight, else they would be one line and what lies between them nothing."""
    first, last = points[starts[:-1]], points[starts[1:] - 1]
    low, high = np.minimum(first, last), np.maximum(first, last)
    order = np.lexsort((np.diff(starts), high, low))
    forced = np.zeros(len(order), np.bool_)
    low, high = low[order], high[order]
    forced[order[1:]] = (low[1:] == low[:-1]) & (high[1:] == high[:-1])
    return forced


# --- the compiled part; directions: 0 east, 1 south, 2 west, 3 north, their bits 1, 2, 4, 8

_NODE = 2
_LONG = 1024
"""Corners after which an arc is cut in two anyway: it bounds the work on the longest ones."""


def _find_edges(
    padded: NDArray[np.int32], edges: NDArray[np.uint8], corners: NDArray[np.uint8]
) -> tuple[int, int]:
    """Fill edges (bits of the directions in which a border leaves the point) and corners (0 none,
    1 a corner, 2 a node); both (H + 1, W + 1). Most points and arcs there can be."""
    height, width = edges.shape
    turns, ends = 0, 0
    for y in range(height):
        for x in range(width):
            a, b = padded[y, x], padded[y, x + 1]
            c, d = padded[y + 1, x], padded[y + 1, x + 1]
            bits = (b != d) * 1 + (c != d) * 2 + (a != c) * 4 + (a != b) * 8
            edges[y, x] = bits
            degree = (b != d) + (c != d) + (a != c) + (a != b)
            is_end = (y == 0 or y == height - 1) and (x == 0 or x == width - 1)
            if degree > 2 or is_end:
                corners[y, x] = _NODE
                ends += degree
            elif degree == 2 and bits != 5 and bits != 10:
                corners[y, x] = 1
                turns += 1
    return turns + ends + turns // 4 + 1, ends // 2 + turns // 4 + 1


def _follow(
    edges: NDArray[np.uint8],
    corners: NDArray[np.uint8],
    points: NDArray[np.int32],
    starts: NDArray[np.int32],
) -> int:
    """Fill points with the arcs' lattice points, y · (W + 1) + x, ends included, and starts with
    where each begins; how many there are. edges is used up. Closed arcs without a node begin and
    end in one of their corners, found after all others."""
    height, width = edges.shape
    used, arcs = 0, 0
    starts[0] = 0
    for wanted in (_NODE, 1):
        for y in range(height):
            for x in range(width):
                if corners[y, x] != wanted:
                    continue
                for first in range(4):
                    if not edges[y, x] & (1 << first):
                        continue
                    points[used] = y * width + x
                    used += 1
                    row, column, way = y, x, first
                    while True:
                        edges[row, column] &= ~np.uint8(1 << way)
                        row += (way == 1) - (way == 3)
                        column += (way == 0) - (way == 2)
                        edges[row, column] &= ~np.uint8(1 << ((way + 2) & 3))
                        if corners[row, column]:
                            points[used] = row * width + column
                            used += 1
                        if corners[row, column] == _NODE or (row == y and column == x):
                            break
                        rest = edges[row, column]
                        way = 0 if rest == 1 else 1 if rest == 2 else 2 if rest == 4 else 3
                    arcs += 1
                    starts[arcs] = used
    return arcs


def _simplify(
    points: NDArray[np.int32],
    starts: NDArray[np.int32],
    forced: NDArray[np.bool_],
    limit: float,
    corners: NDArray[np.uint8],
) -> None:
    """Set corners that go to 0. limit: tolerance squared."""
    width = corners.shape[1]
    kept = np.zeros(len(points), np.bool_)
    after = np.empty(len(points), np.int32)
    stack = np.empty((3 * _LONG, 3), np.int32)
    for k in range(len(starts) - 1):
        low, high = starts[k], starts[k + 1] - 1
        kept[low], kept[high] = True, True
        top = 1
        stack[0, 0], stack[0, 1], stack[0, 2] = low, high, forced[k]
        if points[low] == points[high]:
            stack[0, 2] = 2
        while top:
            top -= 1
            i, j, must = stack[top, 0], stack[top, 1], stack[top, 2]
            if j - i < 2:
                continue
            y0, x0 = divmod(points[i], width)
            y1, x1 = divmod(points[j], width)
            dy, dx = float(y1 - y0), float(x1 - x0)
            length = dy * dy + dx * dx
            far, best = i + 1, -1.0
            if j - i > _LONG and must < 2:
                far, best = (i + j) // 2, np.inf
            else:
                for m in range(i + 1, j):
                    y, x = divmod(points[m], width)
                    py, px = float(y - y0), float(x - x0)
                    along = py * dy + px * dx
                    if along > 0 and length > 0:
                        share = min(along / length, 1.0)
                        py, px = py - share * dy, px - share * dx
                    distance = py * py + px * px
                    if distance > best:
                        far, best = m, distance
            if must or best > limit:
                kept[far] = True
                # A closed arc keeps a corner in each half: it stays an area.
                must = must == 2
                stack[top, 0], stack[top, 1], stack[top, 2] = i, far, must
                stack[top + 1, 0], stack[top + 1, 1], stack[top + 1, 2] = far, j, must
                top += 2
        for m in range(low, high):
            after[m] = m + 1
    changed = True
    while changed:
        changed = False
        for k in range(len(starts) - 1):
            a, high = starts[k], starts[k + 1] - 1
            while a < high and after[a] < high:
                b = after[a]
                c = after[b]
                if kept[b]:
                    a = b
                    continue
                ya, xa = divmod(points[a], width)
                yb, xb = divmod(points[b], width)
                yc, xc = divmod(points[c], width)
                is_free = True
                for y in range(min(ya, yb, yc), max(ya, yb, yc) + 1):
                    left, right = np.inf, -np.inf
                    for y0, x0, y1, x1 in (
                        (ya, xa, yb, xb), (yb, xb, yc, xc), (yc, xc, ya, xa)
                    ):  # fmt: skip
                        if min(y0, y1) <= y <= max(y0, y1):
                            if y0 == y1:
                                left, right = min(left, x0, x1), max(right, x0, x1)
                            else:
                                x = x0 + (y - y0) * (x1 - x0) / (y1 - y0)
                                left, right = min(left, x), max(right, x)
                    # A hair wider than exact: rounding may only keep a corner, never take one.
                    for x in range(int(np.ceil(left - 1e-6)), int(np.floor(right + 1e-6)) + 1):
                        if corners[y, x] and not (
                            (y == ya and x == xa) or (y == yb and x == xb) or (y == yc and x == xc)
                        ):
                            is_free = False
                if is_free:
                    after[a] = c
                    corners[yb, xb] = 0
                    changed = True
                    a = c
                else:
                    a = b
