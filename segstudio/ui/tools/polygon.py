"""Click around something, close the outline, its inside is painted."""

import math

from segstudio.ui.tools.outline import OutlineTool, middle
from segstudio.ui.tools.preview import NOTHING, Line, Place, Preview
from segstudio.ui.tools.registry import TOOLS, Pointer, Workbench

CLOSE_PX = 9.0
"""Device pixels around the first corner where a click closes the outline."""


@TOOLS.add("polygon")
class Polygon(OutlineTool):
    """Corners are pixels; the outline itself is inside."""

    title, key, icon, order = "Polygon", "P", "polygon", 20
    hint = "Click corners · Enter, double-click or the first corner: close · Backspace: one back"

    def __init__(self) -> None:
        self._corners: list[tuple[int, int]] = []

    def press(self, pointer: Pointer, bench: Workbench) -> None:
        """Another corner, or the end."""
        if len(self._corners) >= 3 and self._is_at_first(pointer, bench):
            self._close(bench, pointer.place, takes_away=pointer.alt)
            return
        if not self._corners or self._corners[-1] != pointer.at:
            self._corners.append(pointer.at)
        self.hover(pointer, bench)

    def double_click(self, pointer: Pointer, bench: Workbench) -> None:
        """The last corner was set by the first click."""
        self._close(bench, pointer.place, takes_away=pointer.alt)

    def hover(self, pointer: Pointer, bench: Workbench) -> None:
        """The next side follows the cursor."""
        if not self._corners:
            bench.show(NOTHING)
            return
        places = tuple((y + 0.5, x + 0.5) for y, x in self._corners)
        knots = Line(places, has_knots=True)
        rubber = Line((places[-1], middle(pointer), places[0]), is_dashed=True)
        bench.show(Preview(lines=(rubber, knots)))

    drag = hover

    def key_pressed(self, key: str, bench: Workbench) -> bool:
        """Enter closes, Backspace takes a corner back, Escape all of them."""
        if not self._corners:
            return False
        if key == "return":
            y, x = self._corners[-1]
            self._close(bench, (y + 0.5, x + 0.5), takes_away=False)
        elif key == "backspace":
            self._corners.pop()
            places = tuple((y + 0.5, x + 0.5) for y, x in self._corners)
            bench.show(Preview(lines=(Line(places, has_knots=True),)) if places else NOTHING)
        else:
            self.leave(bench)
        return True

    def forget(self) -> None:
        """No corners."""
        self._corners = []

    def _is_at_first(self, pointer: Pointer, bench: Workbench) -> bool:
        y, x = self._corners[0]
        dy, dx = pointer.place[0] - y - 0.5, pointer.place[1] - x - 0.5
        return math.hypot(dy, dx) * bench.scale <= CLOSE_PX

    def _close(self, bench: Workbench, place: Place, *, takes_away: bool) -> None:
        from segstudio.core.brush import polygon

        corners, self._corners = self._corners, []
        bench.show(NOTHING)
        if len(corners) >= 3:
            self.finish(polygon(corners, bench.shape), bench, place, takes_away=takes_away)
