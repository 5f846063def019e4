"""Magic wand: press on a colour, drag for the tolerance, let go to paint what is like it."""

from dataclasses import replace
from typing import TYPE_CHECKING

from segstudio.ui.tools.preview import NOTHING, Preview, color_of
from segstudio.ui.tools.registry import TOOLS, Pointer, Tool, Workbench

if TYPE_CHECKING:
    from segstudio.core.wand import Wand as Measured

PX_PER_STEP = 4.0
"""Device pixels to the right (or left) that change the tolerance by one."""


@TOOLS.add("wand")
class Wand(Tool):
    """The region is shown while the button is down, and painted when it comes up."""

    title, key, icon, order = "Magic wand", "W", "wand", 42
    hint = "Press on a colour, drag left or right for the tolerance, let go to paint"
    settings = ("tolerance", "is_joined", "rule")

    def __init__(self) -> None:
        self._wand: Measured | None = None
        self._start = 0.0
        self._tolerance = 0.0

    def press(self, pointer: Pointer, bench: Workbench) -> None:
        """Measure the colours once."""
        from segstudio.core.wand import Wand as Measured

        (y, x), (h, w) = pointer.at, bench.shape
        if not (0 <= y < h and 0 <= x < w):
            return
        self._wand = Measured(bench.rgb, pointer.at)
        self._start, self._tolerance = pointer.place[1], bench.options.tolerance
        self._show(pointer, bench)

    def drag(self, pointer: Pointer, bench: Workbench) -> None:
        """Further right: more is like it."""
        if self._wand is not None:
            moved = (pointer.place[1] - self._start) * bench.scale / PX_PER_STEP
            self._tolerance = min(max(bench.options.tolerance + moved, 0.0), 100.0)
            self._show(pointer, bench)

    def release(self, pointer: Pointer, bench: Workbench) -> None:
        """Paint what was shown; the tolerance is remembered."""
        wand, self._wand = self._wand, None
        bench.show(NOTHING)
        if wand is not None and bench.begin(self.title):
            bench.paint(wand.area(self._tolerance, everywhere=not bench.options.is_joined))
            bench.commit()
            bench.set_options(replace(bench.options, tolerance=self._tolerance))
            bench.show(Preview(text_at=pointer.place))

    def hover(self, pointer: Pointer, bench: Workbench) -> None:
        """A colour is measured by a press only."""
        bench.show(NOTHING)

    def key_pressed(self, key: str, bench: Workbench) -> bool:
        """Escape paints nothing."""
        if key != "escape" or self._wand is None:
            return False
        self.leave(bench)
        return True

    def leave(self, bench: Workbench) -> None:
        """Forget the colour."""
        self._wand = None
        bench.show(NOTHING)

    def _show(self, pointer: Pointer, bench: Workbench) -> None:
        if self._wand is None:
            return
        area = self._wand.area(self._tolerance, everywhere=not bench.options.is_joined)
        color = color_of(bench.classes, bench.options.class_id)
        bench.show(
            Preview(area=area, color=color, text=f"tolerance {self._tolerance:.0f}",
                    text_at=pointer.place)
        )  # fmt: skip
