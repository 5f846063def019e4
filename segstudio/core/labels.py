"""The mask being corrected: class and origin of every pixel, and the step being made.

Tiles are copied when a stroke first touches them and compressed when it is finished.
"""

import contextlib
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import zstandard
from numpy.typing import NDArray

from segstudio.core.brush import Area
from segstudio.core.geometry import Rect
from segstudio.core.origins import CONFIRMED, PAINTED
from segstudio.core.paint_rule import EVERYTHING, PaintRule
from segstudio.core.steps import TILE, Step, TileChange
from segstudio.errors import SegStudioError

INK = 1 << 16
"""Stencils up to so many pixels are painted with both planes at once."""


@dataclass(slots=True, eq=False)
class LabelChange:
    """rect: where. before: uint8 (2, h, w), labels and origin as they were. blocked: see paint.

    pixels: how many changed class or origin; 0 when nothing did. Not frozen, as Area is not.
    """

    rect: Rect
    before: NDArray[np.uint8]
    pixels: int
    blocked: int = 0

    @property
    def before_labels(self) -> NDArray[np.uint8]:
        """uint8 (h, w)."""
        labels: NDArray[np.uint8] = self.before[0]
        return labels

    @property
    def before_origin(self) -> NDArray[np.uint8]:
        """uint8 (h, w)."""
        origin: NDArray[np.uint8] = self.before[1]
        return origin


def pixels_by_class(labels: NDArray[np.uint8]) -> NDArray[np.int64]:
    """int64 (256,): how many pixels of uint8 (H, W) have each id.

    OpenCV's histogram is a fifth of the cost of np.bincount, which widens every pixel to 8 bytes;
    its float32 counts are exact up to 16 million pixels.
    """
    if labels.size >= 1 << 24 or not labels.size:
        return np.bincount(labels.ravel(), minlength=256).astype(np.int64)
    counts = cv2.calcHist([labels], [0], None, [256], [0, 256])
    return np.asarray(counts).ravel().astype(np.int64)


class LabelDocument:
    """Owns both planes, uint8 (H, W). Read `labels` and `origin`; write by the methods only."""

    def __init__(self, labels: NDArray[np.uint8], origin: NDArray[np.uint8]) -> None:
        if labels.shape != origin.shape or labels.ndim != 2:
            raise ValueError(f"planes differ: {labels.shape} and {origin.shape}")
        self._planes = np.array((labels, origin), np.uint8, order="C")
        self.labels: NDArray[np.uint8] = self._planes[0]
        self.origin: NDArray[np.uint8] = self._planes[1]
        self._counts = np.bincount(self.origin.ravel(), minlength=256)  # without the open step
        self._title: str | None = None
        self._class_id: int | None = None
        self._touched: dict[tuple[int, int], NDArray[np.uint8]] = {}
        self._unpacker = zstandard.ZstdDecompressor()
        self._safe = 0, 0, 0, 0  # y0, x0, y1, x1: tiles touched last, all of them copied

    @property
    def origin_counts(self) -> NDArray[np.int64]:
        """Pixels by origin, int64 (256,), now; a copy.

        A stroke under way is counted here, tile by tile, so that painting need not count.
        """
        counts: NDArray[np.int64] = self._counts.copy()
        for (row, col), before in self._touched.items():
            counts += _count(self.origin[self._rect(row, col).slices]) - _count(before[1])
        return counts

    @property
    def human_share(self) -> float:
        """Share of pixels painted or confirmed by a human, 0..1."""
        return int(self.origin_counts[PAINTED:].sum()) / max(1, self.labels.size)

    @property
    def is_busy(self) -> bool:
        """True between begin and commit or abort."""
        return self._title is not None

    def begin(self, title: str) -> None:
        """Start a step; RuntimeError when one is under way."""
        if self._title is not None:
            raise RuntimeError(f"the step '{self._title}' is not finished")
        self._title, self._class_id, self._touched = title, None, {}
        self._safe = 0, 0, 0, 0

    def paint(
        self, area: Area, class_id: int, *, rule: PaintRule = EVERYTHING, origin: int = PAINTED
    ) -> LabelChange | None:
        """Give the area one class where the rule allows; None when it covers no pixel.

        `blocked` of the answer counts covered pixels that the rule or a lock kept.
        """
        self._class_id = class_id
        rect, stencil = area.rect, area.stencil
        if stencil is None or origin < PAINTED or not rule.is_open or stencil.size > 2 * INK:
            patch = np.full(area.mask.shape, class_id, np.uint8)
            return self._write(area, patch, rule, origin, over_human=origin >= PAINTED)
        # A hand on the move, and nothing can be blocked: both planes at once, in few operations,
        # for each of them costs more to call than to run.
        if self._title is None:
            raise RuntimeError("begin a step first")
        planes = self._planes[:, rect.y0 : rect.y1, rect.x0 : rect.x1]
        before = planes.copy()
        bits = before ^ _coat(class_id, origin, stencil.shape)
        bits *= stencil
        pixels = cv2.countNonZero(bits[0] | bits[1])
        if pixels:
            self._touch(rect)
            bits ^= before
            planes[...] = bits
        return LabelChange(rect, before, pixels)

    def put(
        self,
        area: Area,
        patch: NDArray[np.uint8],
        *,
        origin: int,
        rule: PaintRule = EVERYTHING,
        over_human: bool = False,
    ) -> LabelChange | None:
        """Write labels of somebody else, uint8 like the mask.

        Pixels a human painted or confirmed stay unless a human asked: over_human.
        """
        return self._write(area, patch, rule, origin, over_human=over_human)

    def _write(
        self,
        area: Area,
        patch: NDArray[np.uint8],
        rule: PaintRule,
        origin: int,
        *,
        over_human: bool,
    ) -> LabelChange | None:
        if self._title is None:
            raise RuntimeError("begin a step first")
        covered = int(np.count_nonzero(area.mask))
        if not covered:
            return None
        labels, origins = self.labels[area.rect.slices], self.origin[area.rect.slices]
        allowed, blocked = area.mask, 0
        if not rule.is_open:
            allowed = allowed & rule.allows(labels, area.rect)
        if not over_human:
            allowed = allowed & (origins < PAINTED)
        if allowed is not area.mask:
            blocked = covered - int(np.count_nonzero(allowed))
        differs = labels != patch
        differs |= origins != origin
        differs &= allowed
        pixels = int(np.count_nonzero(differs))
        change = LabelChange(area.rect, self._copy(area.rect), pixels, blocked)
        if pixels:
            self._touch(area.rect)
            # Where nothing differs the same is written again: the area has longer runs.
            # OpenCV writes into the views, several times as fast as NumPy's where=.
            chosen = np.ascontiguousarray(allowed).view(np.uint8)
            cv2.copyTo(np.ascontiguousarray(patch), chosen, labels)
            cv2.copyTo(np.full(chosen.shape, origin, np.uint8), chosen, origins)
        return change

    def commit(self) -> Step | None:
        """End the step; None when nothing differs from before it."""
        self._counts = self.origin_counts
        title, class_id, touched = self._take()
        tiles, pixels, around = [], 0, Rect(0, 0, 0, 0)
        pack = zstandard.ZstdCompressor(level=1)
        for (row, col), before in sorted(touched.items()):
            after = self._copy(self._rect(row, col))
            planes = before != after
            differs = (planes[0] | planes[1]).view(np.uint8)
            here = cv2.countNonZero(differs)
            if not here:
                continue
            pixels += here
            x, y, width, height = cv2.boundingRect(differs)
            y, x = y + row * TILE, x + col * TILE
            around = around.united(Rect(y, x, y + height, x + width))
            tiles.append(
                TileChange(
                    row, col, pack.compress(before.tobytes()), pack.compress(after.tobytes())
                )
            )
        return Step(title, class_id, pixels, around, tuple(tiles)) if tiles else None

    def abort(self) -> LabelChange | None:
        """Take the unfinished step back; None when it had changed nothing."""
        _, _, touched = self._take()
        kept = self._counts
        change = self._restore(touched)
        self._counts = kept  # those of before the step, which the planes are again
        return change

    def apply(self, step: Step) -> LabelChange | None:
        """Redo; the planes must be as they were before the step.

        SegStudioError when the step does not fit the planes; then nothing has changed.
        """
        return self._restore({(t.row, t.col): self._unpack(t, t.after) for t in step.tiles})

    def revert(self, step: Step) -> LabelChange | None:
        """Undo; the planes must be as the step left them. Errors as with apply."""
        return self._restore({(t.row, t.col): self._unpack(t, t.before) for t in step.tiles})

    def confirm(self) -> Step | None:
        """A human stands behind every pixel; None when that was so already."""
        self.begin("Confirm frame")
        height, width = self.labels.shape
        self._touch(Rect(0, 0, height, width))
        self.origin[:] = CONFIRMED
        return self.commit()

    def _take(self) -> tuple[str, int | None, dict[tuple[int, int], NDArray[np.uint8]]]:
        if self._title is None:
            raise RuntimeError("no step is under way")
        taken = self._title, self._class_id, self._touched
        self._title, self._touched = None, {}
        return taken

    def _rect(self, row: int, col: int) -> Rect:
        (height, width), y, x = self.labels.shape, row * TILE, col * TILE
        return Rect(y, x, min(y + TILE, height), min(x + TILE, width))

    def _copy(self, rect: Rect) -> NDArray[np.uint8]:
        """Both planes there, uint8 (2, h, w)."""
        return self._planes[:, rect.y0 : rect.y1, rect.x0 : rect.x1].copy()

    def _touch(self, rect: Rect) -> None:
        """Copy the tiles of the rectangle that the step has not touched yet."""
        y0, x0, y1, x1 = self._safe
        if y0 <= rect.y0 and x0 <= rect.x0 and rect.y1 <= y1 and rect.x1 <= x1:
            return  # most segments of a stroke stay in the tiles of the one before
        rows = range(rect.y0 // TILE, (rect.y1 - 1) // TILE + 1)
        cols = range(rect.x0 // TILE, (rect.x1 - 1) // TILE + 1)
        for row in rows:
            for col in cols:
                if (row, col) not in self._touched:
                    self._touched[row, col] = self._copy(self._rect(row, col))
        self._safe = rows[0] * TILE, cols[0] * TILE, rows.stop * TILE, cols.stop * TILE

    def _unpack(self, tile: TileChange, packed: bytes) -> NDArray[np.uint8]:
        y0, x0, y1, x1 = self._rect(tile.row, tile.col)
        size = 2 * max(0, y1 - y0) * max(0, x1 - x0)
        # The size is looked at first: a few bytes can unfold to gigabytes.
        raw = b""
        if min(tile.row, tile.col) >= 0 and size:
            with contextlib.suppress(zstandard.ZstdError):
                if zstandard.frame_content_size(packed) == size:
                    raw = self._unpacker.decompress(packed, max_output_size=size)
        if not raw:
            raise SegStudioError(
                "A step of the undo history does not fit the labels of this frame; the labels are"
                " intact, but undo and redo cannot pass it."
            )
        return np.frombuffer(raw, np.uint8).reshape(2, y1 - y0, x1 - x0)

    def _restore(self, tiles: dict[tuple[int, int], NDArray[np.uint8]]) -> LabelChange | None:
        if self._title is not None:
            raise RuntimeError(f"the step '{self._title}' is not finished")
        if not tiles:
            return None
        rows, cols = zip(*tiles, strict=True)
        around = self._rect(min(rows), min(cols)).united(self._rect(max(rows), max(cols)))
        before = self._copy(around)
        pixels, counts = 0, self._counts.copy()
        for (row, col), values in tiles.items():
            y0, x0, y1, x1 = self._rect(row, col)
            planes = self._planes[:, y0:y1, x0:x1]
            bits = planes ^ values
            pixels += cv2.countNonZero(bits[0] | bits[1])
            if cv2.countNonZero(bits[1]):
                counts += _count(values[1]) - _count(planes[1])
            planes[...] = values
        self._counts = counts
        return LabelChange(around, before, pixels)


def _count(tile: NDArray[np.uint8]) -> NDArray[np.int64]:
    """int64 (256,): pixels by value. A tile is far below what float32 counts exactly."""
    return cv2.calcHist([tile], [0], None, [256], [0, 256]).ravel().astype(np.int64)


@lru_cache(maxsize=256)
def _coat(class_id: int, origin: int, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """uint8 (2, h, w): labels and origins of one value each; a view, so it takes no memory."""
    half = shape[1] * shape[2]
    return _ink(class_id, origin)[INK - half : INK + half].reshape(shape)


@lru_cache(maxsize=16)
def _ink(class_id: int, origin: int) -> NDArray[np.uint8]:
    """uint8 (2 INK,): INK labels, then INK origins; any (2, h, w) is a window on the middle."""
    ink = np.repeat(np.array((class_id, origin), np.uint8), INK)
    ink.setflags(write=False)
    return ink
