"""Paint the active class."""

from dataclasses import replace
from typing import TYPE_CHECKING

from segstudio.ui.tools.outline import middle
from segstudio.ui.tools.preview import NOTHING, Line, Preview, Ring
from segstudio.ui.tools.registry import TOOLS, Pointer, Tool, Workbench

if TYPE_CHECKING:
    from segstudio.core.brush import Area


def ring(pointer: Pointer, bench: Workbench) -> Ring:
    """The outline of what a dab here would cover, to the pixel."""
    radius = bench.options.radius(bench.scale, pointer.pressure)
    y, x = pointer.at
    return Ring((y + 0.5, x + 0.5), radius + 0.5, bench.options.is_square)


def swept(
    start: tuple[int, int], end: tuple[int, int], pressure: float, bench: Workbench
) -> "Area":
    """The Area of the brush dragged from one pixel to another."""
    from segstudio.core import brush

    segment = brush.square_segment if bench.options.is_square else brush.round_segment
    return segment(start, end, bench.options.radius(bench.scale, pressure), bench.shape)


class Stroke(Tool):
    """What brushes share: a step from press to release, and Shift for a straight line.

    Sub-classes say what one dab does.
    """

    def __init__(self) -> None:
        self._is_down = False
        self._last: tuple[int, int] | None = None
        self._end: tuple[int, int] | None = None  # of the last stroke, for straight lines

    def dab(self, start: tuple[int, int], pointer: Pointer, bench: Workbench) -> None:
        """Change the pixels between `start` and the pointer."""
        raise NotImplementedError

    def shown(self, pointer: Pointer, bench: Workbench) -> Preview:
        """What a dab here would cover."""
        return Preview(ring(pointer, bench))

    def press(self, pointer: Pointer, bench: Workbench) -> None:
        """A dab, or a line from where the last stroke ended."""
        if not bench.begin(self.title):
            return
        self._is_down = True
        start = self._end if pointer.shift and self._end is not None else pointer.at
        self.dab(start, pointer, bench)
        self._last = pointer.at
        bench.show(self.shown(pointer, bench))

    def drag(self, pointer: Pointer, bench: Workbench) -> None:
        """On to here."""
        if self._is_down and self._last is not None:
            self.dab(self._last, pointer, bench)
            self._last = pointer.at
            bench.show(self.shown(pointer, bench))

    def release(self, pointer: Pointer, bench: Workbench) -> None:
        """The stroke is finished."""
        if self._is_down:
            self._is_down = False
            self._end = self._last
            bench.commit()

    def hover(self, pointer: Pointer, bench: Workbench) -> None:
        """The ring follows; with Shift held, so does the line that a press would draw."""
        preview = self.shown(pointer, bench)
        if pointer.shift and self._end is not None:
            y, x = self._end
            line = Line(((y + 0.5, x + 0.5), middle(pointer)), is_dashed=True)
            preview = replace(preview, lines=(line,))
        bench.show(preview)

    def key_pressed(self, key: str, bench: Workbench) -> bool:
        """Escape takes the stroke back."""
        if key != "escape" or not self._is_down:
            return False
        self._is_down = False
        bench.abort()
        return True

    def leave(self, bench: Workbench) -> None:
        """A stroke that is under way is kept: nothing is lost."""
        if self._is_down:
            self._is_down = False
            bench.commit()
        self._end = None
        bench.show(NOTHING)


@TOOLS.add("brush")
class Brush(Stroke):
    """Round or square, any size."""

    title, key, icon, order = "Brush", "B", "brush", 10
    hint = "Drag to paint the active class · Shift: straight line · [ and ]: size"
    settings = ("size", "is_square", "uses_pressure", "rule")

    def dab(self, start: tuple[int, int], pointer: Pointer, bench: Workbench) -> None:
        """The active class."""
        bench.paint(swept(start, pointer.at, pointer.pressure, bench))
