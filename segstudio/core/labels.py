"""The mask being corrected: class and origin of every pixel, and the step being made.

Tiles are copied when a stroke first touches them and compressed when it is finished.
"""

import contextlib
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True, eq=False)
class LabelChange:
    """rect: where. before_labels, before_origin: uint8 (h, w) as they were. blocked: see paint.

    pixels: how many changed class or origin; 0 when nothing did.
    """

    rect: Rect
    before_labels: NDArray[np.uint8]
    before_origin: NDArray[np.uint8]
    pixels: int
    blocked: int = 0


class LabelDocument:
    """Owns both planes, uint8 (H, W). Read `labels` and `origin`; write by the methods only."""

    def __init__(self, labels: NDArray[np.uint8], origin: NDArray[np.uint8]) -> None:
        if labels.shape != origin.shape or labels.ndim != 2:
            raise ValueError(f"planes differ: {labels.shape} and {origin.shape}")
        self.labels = np.array(labels, np.uint8, order="C")
        self.origin = np.array(origin, np.uint8, order="C")
        self._counts = np.bincount(self.origin.ravel(), minlength=256)  # without the open step
        self._title: str | None = None
        self._class_id: int | None = None
        self._touched: dict[tuple[int, int], NDArray[np.uint8]] = {}

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

    def paint(
        self, area: Area, class_id: int, *, rule: PaintRule = EVERYTHING, origin: int = PAINTED
    ) -> LabelChange | None:
        """Give the area one class where the rule allows; None when it covers no pixel.

        `blocked` of the answer counts covered pixels that the rule or a lock kept.
        """
        self._class_id = class_id
        patch = np.full(area.mask.shape, class_id, np.uint8)
        return self._write(area, patch, rule, origin, over_human=origin >= PAINTED)

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
        if rule is not EVERYTHING:
            allowed = allowed & rule.allows(labels, area.rect)
        if not over_human:
            allowed = allowed & (origins < PAINTED)
        if allowed is not area.mask:
            blocked = covered - int(np.count_nonzero(allowed))
        differs = labels != patch
        differs |= origins != origin
        differs &= allowed
        pixels = int(np.count_nonzero(differs))
        change = LabelChange(area.rect, labels.copy(), origins.copy(), pixels, blocked)
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
            after = self._tile(row, col)
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
        y, x = row * TILE, col * TILE
        return Rect(y, x, y + TILE, x + TILE).clipped(*self.labels.shape)

    def _tile(self, row: int, col: int) -> NDArray[np.uint8]:
        """A copy of both planes, uint8 (2, h, w)."""
        rect = self._rect(row, col)
        planes = np.empty((2, rect.height, rect.width), np.uint8)
        planes[0], planes[1] = self.labels[rect.slices], self.origin[rect.slices]
        return planes

    def _touch(self, rect: Rect) -> None:
        for row in range(rect.y0 // TILE, (rect.y1 - 1) // TILE + 1):
            for col in range(rect.x0 // TILE, (rect.x1 - 1) // TILE + 1):
                if (row, col) not in self._touched:
                    self._touched[row, col] = self._tile(row, col)

    def _unpack(self, tile: TileChange, packed: bytes) -> NDArray[np.uint8]:
        rect = self._rect(tile.row, tile.col)
        size = 2 * rect.height * rect.width
        # The size is looked at first: a few bytes can unfold to gigabytes.
        raw = b""
        if min(tile.row, tile.col) >= 0 and size:
            with contextlib.suppress(zstandard.ZstdError):
                if zstandard.frame_content_size(packed) == size:
                    raw = zstandard.ZstdDecompressor().decompress(packed, max_output_size=size)
        if not raw:
            raise SegStudioError(
                "A step of the undo history does not fit the labels of this frame; the labels are"
                " intact, but undo and redo cannot pass it."
            )
        return np.frombuffer(raw, np.uint8).reshape(2, rect.height, rect.width)

    def _restore(self, tiles: dict[tuple[int, int], NDArray[np.uint8]]) -> LabelChange | None:
        if self._title is not None:
            raise RuntimeError(f"the step '{self._title}' is not finished")
        around = Rect(0, 0, 0, 0)
        for row, col in tiles:
            around = around.united(self._rect(row, col))
        if around.is_empty:
            return None
        labels, origins = self.labels[around.slices].copy(), self.origin[around.slices].copy()
        pixels, counts = 0, self._counts.copy()
        for (row, col), values in tiles.items():
            where = self._rect(row, col).slices
            old = self.labels[where], self.origin[where]
            pixels += int(np.count_nonzero((old[0] != values[0]) | (old[1] != values[1])))
            counts += _count(values[1]) - _count(old[1])
            old[0][:], old[1][:] = values
        self._counts = counts
        return LabelChange(around, labels, origins, pixels)


def _count(tile: NDArray[np.uint8]) -> NDArray[np.int64]:
    """int64 (256,): pixels by value. A tile is far below what float32 counts exactly."""
    return cv2.calcHist([tile], [0], None, [256], [0, 256]).ravel().astype(np.int64)
