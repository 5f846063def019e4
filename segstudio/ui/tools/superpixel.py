"""Paint by the piece: the frame is cut into small segments that keep to its edges."""

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from segstudio.ui.tools.brush import Stroke
from segstudio.ui.tools.preview import Preview, color_of
from segstudio.ui.tools.registry import TOOLS, Pointer, Workbench

if TYPE_CHECKING:
    from segstudio.core.superpixels import Segments
    from segstudio.engine.flow import CancelToken


@TOOLS.add("superpixel")
class Superpixel(Stroke):
    """A stroke of whole segments; they are computed once for each frame and size."""

    title, key, icon, order = "Superpixels", "S", "superpixel", 43
    hint = "Click or drag to paint whole segments · Shift: straight line"
    settings = ("segment_size", "rule")

    def __init__(self) -> None:
        super().__init__()
        self._segments: Segments | None = None
        self._about: tuple[NDArray[np.uint8], int] | None = None  # the frame and size of these
        self._asked: tuple[NDArray[np.uint8], int] | None = None

    def press(self, pointer: Pointer, bench: Workbench) -> None:
        """Only when they are there."""
        if self._of(bench) is not None:
            super().press(pointer, bench)
        elif 0 not in bench.shape:
            bench.tell("The segments of this frame are still being computed.")

    def dab(self, start: tuple[int, int], pointer: Pointer, bench: Workbench) -> None:
        """Every segment that the line touches."""
        from segstudio.core.brush import round_segment

        segments = self._of(bench)
        if segments is not None:
            way = round_segment(start, pointer.at, 0, bench.shape)
            area = segments.area_touching(way)
            if not area.rect.is_empty:
                bench.paint(area)

    def shown(self, pointer: Pointer, bench: Workbench) -> Preview:
        """The segment under the cursor."""
        segments = self._of(bench)
        if segments is None:
            text = "" if 0 in bench.shape else "finding segments…"
            return Preview(text=text, text_at=pointer.place)
        color = color_of(bench.classes, bench.options.class_id)
        return Preview(area=segments.segment_at(pointer.at), color=color, text_at=pointer.place)

    def leave(self, bench: Workbench) -> None:
        """Another frame ends what is computed; it is asked for again."""
        self._asked = None
        super().leave(bench)

    def _of(self, bench: Workbench) -> "Segments | None":
        """Of this frame and size; begins to compute them when they are not there."""
        if 0 in bench.shape:
            return None
        rgb, size = bench.rgb, bench.options.segment_size
        if _is_same(self._about, rgb, size):
            return self._segments
        if not _is_same(self._asked, rgb, size):
            self._asked = rgb, size

            def op(token: "CancelToken") -> "Segments":
                from segstudio.core.superpixels import superpixels

                return superpixels(rgb, size=size, is_cancelled=lambda: token.cancelled)

            bench.run(op, partial(self._receive, rgb, size), name="segments")
        return None

    def _receive(self, rgb: NDArray[np.uint8], size: int, segments: "Segments") -> None:
        self._about, self._segments = (rgb, size), segments


def _is_same(have: tuple[NDArray[np.uint8], int] | None, rgb: NDArray[np.uint8], size: int) -> bool:
    return have is not None and have[0] is rgb and have[1] == size
