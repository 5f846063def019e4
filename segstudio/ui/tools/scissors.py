"""Intelligent scissors: a wire that snaps to borders between clicks; its inside is painted."""

import math
from typing import TYPE_CHECKING

from segstudio.ui.tools.outline import OutlineTool
from segstudio.ui.tools.polygon import CLOSE_PX
from segstudio.ui.tools.preview import NOTHING, Line, Place, Preview
from segstudio.ui.tools.registry import TOOLS, Pointer, Workbench

if TYPE_CHECKING:
    from segstudio.core.scissors import Scissors as Wire

Point = tuple[int, int]


@TOOLS.add("scissors")
class Scissors(OutlineTool):
    """Anchors are pixels inside the frame; the wire between them follows the picture."""

    title, key, icon, order = "Scissors", "X", "scissors", 23
    hint = "Click along a border · Enter, double-click or the first point: close · Backspace: back"

    def __init__(self) -> None:
        self._wire: Wire | None = None  # its seed is the last anchor
        self._anchors: list[Point] = []
        self._ways: list[list[Point]] = []  # from each anchor to the next

    def press(self, pointer: Pointer, bench: Workbench) -> None:
        """Another anchor, or the end."""
        if 0 in bench.shape:
            return
        if len(self._anchors) >= 3 and self._is_at_first(pointer, bench):
            self._close(bench, pointer.place, takes_away=pointer.alt)
            return
        point = _inside(pointer.at, bench.shape)
        if self._wire is None:
            from segstudio.core.scissors import Scissors as Wire

            self._wire = Wire(bench.rgb)
        elif point == self._anchors[-1]:
            return
        else:
            self._ways.append(self._wire.path_to(point))
        self._anchors.append(point)
        self._wire.start(point)
        self.hover(pointer, bench)

    def double_click(self, pointer: Pointer, bench: Workbench) -> None:
        """The last anchor was set by the first click."""
        self._close(bench, pointer.place, takes_away=pointer.alt)

    def hover(self, pointer: Pointer, bench: Workbench) -> None:
        """The wire follows the cursor."""
        if self._wire is None:
            bench.show(NOTHING)
            return
        live = Line(_middles(self._wire.path_to(pointer.at)), is_dashed=True)
        bench.show(Preview(lines=(live, *self._settled())))

    drag = hover

    def key_pressed(self, key: str, bench: Workbench) -> bool:
        """Enter closes, Backspace takes an anchor back, Escape all of them."""
        if self._wire is None:
            return False
        if key == "return":
            y, x = self._anchors[-1]
            self._close(bench, (y + 0.5, x + 0.5), takes_away=False)
        elif key == "backspace" and len(self._anchors) > 1:
            self._anchors.pop()
            self._ways.pop()
            self._wire.start(self._anchors[-1])
            bench.show(Preview(lines=self._settled()))
        else:
            self.leave(bench)
        return True

    def forget(self) -> None:
        """No anchors."""
        self._wire, self._anchors, self._ways = None, [], []

    def _settled(self) -> tuple[Line, ...]:
        ways = [Line(_middles(way)) for way in self._ways]
        # Knots without the straight lines between them: each is a line of one place.
        return (*ways, *(Line(_middles([a]), has_knots=True) for a in self._anchors))

    def _is_at_first(self, pointer: Pointer, bench: Workbench) -> bool:
        y, x = self._anchors[0]
        dy, dx = pointer.place[0] - y - 0.5, pointer.place[1] - x - 0.5
        return math.hypot(dy, dx) * bench.scale <= CLOSE_PX

    def _close(self, bench: Workbench, place: Place, *, takes_away: bool) -> None:
        from segstudio.core.brush import polygon

        outline: list[Point] = []
        if self._wire is not None and len(self._anchors) >= 3:
            last = self._wire.path_to(self._anchors[0])
            outline = [point for way in (*self._ways, last) for point in way[:-1]]
        self.leave(bench)
        if outline:
            self.finish(polygon(outline, bench.shape), bench, place, takes_away=takes_away)


def _inside(point: Point, shape: tuple[int, int]) -> Point:
    """The nearest pixel of the frame."""
    return min(max(point[0], 0), shape[0] - 1), min(max(point[1], 0), shape[1] - 1)


def _middles(points: list[Point]) -> tuple[Place, ...]:
    return tuple((y + 0.5, x + 0.5) for y, x in points)
