"""Drag from corner to corner; the rectangle is painted."""

from segstudio.ui.tools.outline import OutlineTool
from segstudio.ui.tools.preview import NOTHING, Line, Place, Preview
from segstudio.ui.tools.registry import TOOLS, Pointer, Workbench


def frame_of(corner: tuple[int, int], opposite: tuple[int, int]) -> Line:
    """The border around both corner pixels and everything between."""
    y0, y1 = sorted((corner[0], opposite[0]))
    x0, x1 = sorted((corner[1], opposite[1]))
    places: tuple[Place, ...] = ((y0, x0), (y0, x1 + 1), (y1 + 1, x1 + 1), (y1 + 1, x0))
    return Line(places, is_closed=True, is_dashed=True)


@TOOLS.add("rectangle")
class Rectangle(OutlineTool):
    """Both corner pixels belong to it."""

    title, key, icon, order = "Rectangle", "R", "rectangle", 22
    hint = "Drag from corner to corner · Alt: subtract · Esc: forget"

    def __init__(self) -> None:
        self._corner: tuple[int, int] | None = None

    def press(self, pointer: Pointer, bench: Workbench) -> None:
        """One corner."""
        self._corner = pointer.at

    def drag(self, pointer: Pointer, bench: Workbench) -> None:
        """The other follows."""
        if self._corner is not None:
            (y, x), (v, u) = self._corner, pointer.at
            size = f"{abs(x - u) + 1} × {abs(y - v) + 1}"
            lines = (frame_of(self._corner, pointer.at),)
            bench.show(Preview(lines=lines, text=size, text_at=pointer.place))

    def release(self, pointer: Pointer, bench: Workbench) -> None:
        """Everything between them."""
        from segstudio.core.brush import rectangle

        corner, self._corner = self._corner, None
        bench.show(NOTHING)
        if corner is not None and corner != pointer.at:
            area = rectangle(corner, pointer.at, bench.shape)
            self.finish(area, bench, pointer.place, takes_away=pointer.alt)

    def key_pressed(self, key: str, bench: Workbench) -> bool:
        """Escape forgets it."""
        if key != "escape" or self._corner is None:
            return False
        self.leave(bench)
        return True

    def forget(self) -> None:
        """No corner."""
        self._corner = None
