"""Draw around something with the button down; its inside is painted."""

from segstudio.ui.tools.outline import OutlineTool
from segstudio.ui.tools.preview import NOTHING, Line, Preview
from segstudio.ui.tools.registry import TOOLS, Pointer, Workbench


@TOOLS.add("lasso")
class Lasso(OutlineTool):
    """The outline closes by itself where the button comes up."""

    title, key, icon, order = "Lasso", "L", "lasso", 21
    hint = "Drag around a region and let go · Alt: subtract · Esc: forget"

    def __init__(self) -> None:
        self._way: list[tuple[int, int]] = []

    def press(self, pointer: Pointer, bench: Workbench) -> None:
        """The outline begins."""
        self._way = [pointer.at]

    def drag(self, pointer: Pointer, bench: Workbench) -> None:
        """On to here."""
        if self._way and self._way[-1] != pointer.at:
            self._way.append(pointer.at)
            places = tuple((y + 0.5, x + 0.5) for y, x in self._way)
            bench.show(Preview(lines=(Line(places, is_closed=True, is_dashed=True),)))

    def release(self, pointer: Pointer, bench: Workbench) -> None:
        """Its inside."""
        from segstudio.core.brush import polygon

        way, self._way = self._way, []
        bench.show(NOTHING)
        if len(way) >= 3:
            self.finish(polygon(way, bench.shape), bench, pointer.place, takes_away=pointer.alt)

    def key_pressed(self, key: str, bench: Workbench) -> bool:
        """Escape forgets the outline."""
        if key != "escape" or not self._way:
            return False
        self.leave(bench)
        return True

    def forget(self) -> None:
        """No outline."""
        self._way = []
