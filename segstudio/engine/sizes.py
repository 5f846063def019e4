"""Which size of input a frame becomes: the card's rule, the strategy's wish, the net's limits."""

import math

from segstudio.core.catalogue import InputRule
from segstudio.core.strategy import DEFAULT_TILE, Strategy
from segstudio.engine.windows import Windows
from segstudio.nets.registry import NetSpec

Size = tuple[int, int]
"""(height, width) in pixels."""

MAX_INPUT_PIXELS = 2**23
"""Largest input of a net: a 4K frame. A long, flat picture would else become one of gigapixels,
and on a CPU too much memory ends the program without an error that could be caught."""

MAX_WINDOWED_PIXELS = 2**25
"""Largest picture that is gone through in windows: only its logits must fit as a whole."""

_LEAST_OVERLAP = 64
"""Pixels that neighbouring pieces share where memory ran out."""

_STEP = 32
"""What windows of a net of one size are placed on."""


class Sizes:
    """Sizes for the frames of one model with one strategy.

    ModelError when the strategy names a size or tile that the net cannot take.
    """

    def __init__(self, rule: InputRule, spec: NetSpec, strategy: Strategy) -> None:
        self._short_side = None if strategy.full_resolution else rule.short_side
        self._fixed = strategy.size
        self._scale = strategy.input_scale
        self._only = spec.only_size
        self._is_windowed = strategy.kind != "whole"
        self._is_mirrored = strategy.kind == "mirror"
        self._overlap = strategy.overlap
        self._margin = spec.margin
        self._remainder = spec.remainder
        self._lowest = spec.min_side
        self.multiple = _STEP if self._only else math.lcm(rule.multiple_of, spec.multiple_of)
        if strategy.size is not None and not (self._only and self._is_windowed):
            spec.check_size(*strategy.size)
        self._tile = self._only or strategy.tile or (DEFAULT_TILE, DEFAULT_TILE)
        self._is_named = strategy.tile is not None
        if self._is_windowed and strategy.tile is not None:
            spec.check_size(*strategy.tile)

    @property
    def is_one(self) -> bool:
        """True when every input has the same size, whatever is asked."""
        return self._only is not None and not self._is_windowed

    def for_frame(self, height: int, width: int, factor: float = 1.0) -> tuple[Size, bool]:
        """(h, w) of the input times `factor`, and whether it had to be cut down."""
        if self.is_one:
            assert self._only is not None
            return self._only, False
        if self._fixed is not None and factor * self._scale == 1:
            return self._fixed, False
        scale = factor * self._scale
        if self._fixed is not None:
            height, width = self._fixed
        elif self._short_side is not None:
            scale *= self._short_side / min(height, width)
        wished = (height * scale, width * scale)
        limit = MAX_WINDOWED_PIXELS if self._is_windowed else MAX_INPUT_PIXELS
        size = self._near(wished)
        if size[0] * size[1] <= limit:
            return size, False
        shrink = math.sqrt(limit / (size[0] * size[1]))
        h, w = self._near((wished[0] * shrink, wished[1] * shrink))
        longest = (limit // min(h, w) - self._remainder) // self.multiple * self.multiple
        return (min(h, longest + self._remainder), min(w, longest + self._remainder)), True

    def windows(self, size: Size, factor: float = 1.0) -> Windows:
        """Windows over a picture of that size; `factor`: on their sides, for want of memory."""
        tile, m = self._tile, self.multiple
        if self._only is None and (factor != 1 or not self._is_named):
            tile = self._near((tile[0] * factor, tile[1] * factor))
        if not self._is_mirrored:
            tile = (min(tile[0], size[0]), min(tile[1], size[1]))
            return Windows(tile, _scaled(tile, self._overlap), m)
        # Mirrored tiles of a net with a margin of its own need no further context.
        rows, cols = (
            0
            if self._margin
            else min(math.ceil(side * self._overlap / 2 / m), (side - m) // 2 // m)
            for side in tile
        )
        context = (max(0, rows) * m, max(0, cols) * m)
        tile = (min(tile[0], size[0] + 2 * context[0]), min(tile[1], size[1] + 2 * context[1]))
        return Windows(tile, (2 * context[0], 2 * context[1]), m, is_mirrored=True)

    def pieces(self, size: Size, parts: int) -> Windows:
        """`parts` × `parts` windows over a picture that does not fit into memory."""
        h, w = (self._part(side, parts) for side in size)
        return Windows((h, w), (_LEAST_OVERLAP, _LEAST_OVERLAP), self.multiple)

    def _part(self, side: int, parts: int) -> int:
        steps = math.ceil((side / parts + _LEAST_OVERLAP - self._remainder) / self.multiple)
        return min(side, steps * self.multiple + self._remainder)

    def _near(self, wished: tuple[float, float]) -> Size:
        h, w = (self._side(s, i) for i, s in enumerate(wished))
        return h, w

    def _side(self, wished: float, axis: int) -> int:
        remainder = self._only[axis] if self._only else self._remainder
        lowest = self._only[axis] if self._only else self._lowest
        steps = round((wished - remainder) / self.multiple)
        least = math.ceil((lowest - remainder) / self.multiple)
        # A side of no pixels is no side: without a remainder there is at least one step.
        return max(steps, least, 0 if remainder else 1) * self.multiple + remainder


def _scaled(tile: Size, overlap: float) -> Size:
    return round(tile[0] * overlap), round(tile[1] * overlap)
