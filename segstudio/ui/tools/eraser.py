"""Take classes away: to void, or back to what the model said."""

from segstudio.core.classes import VOID
from segstudio.core.origins import MODEL
from segstudio.ui.tools.brush import Stroke, swept
from segstudio.ui.tools.registry import TOOLS, Pointer, Workbench


@TOOLS.add("eraser")
class Eraser(Stroke):
    """A brush like any other; what it leaves behind is chosen in the options."""

    title, key, icon, order = "Eraser", "E", "eraser", 11
    hint = "Drag to erase to void or back to the model's pixels · Shift: straight line"
    paints_class = False
    settings = ("size", "is_square", "uses_pressure", "erases_to", "rule")

    def press(self, pointer: Pointer, bench: Workbench) -> None:
        """Without a model there is nothing to go back to."""
        if bench.options.erases_to == "model" and bench.draft() is None:
            bench.tell("There is no prediction of this frame to go back to; choose a model.")
            return
        super().press(pointer, bench)

    def dab(self, start: tuple[int, int], pointer: Pointer, bench: Workbench) -> None:
        """Void, or the model's labels with the model as their origin."""
        area = swept(start, pointer.at, pointer.pressure, bench)
        draft = bench.draft() if bench.options.erases_to == "model" else None
        if draft is None:
            bench.paint(area, VOID)
        else:
            bench.put(area, draft[area.rect.slices], origin=MODEL)
