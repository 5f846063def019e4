"""Paint with another model's labels: where you paint, its prediction shows through and stays."""

from segstudio.core.origins import PAINTED
from segstudio.ui.tools.brush import Stroke, swept
from segstudio.ui.tools.registry import TOOLS, Pointer, Workbench


@TOOLS.add("reveal")
class Reveal(Stroke):
    """A person chose these pixels one by one, so they count as painted."""

    title, key, icon, order = "Model brush", "M", "reveal", 12
    hint = "Drag to take over another model's labels where you paint"
    paints_class = False
    settings = ("reveals", "size", "is_square", "uses_pressure", "rule")

    def hover(self, pointer: Pointer, bench: Workbench) -> None:
        """Asking begins the prediction, so that it is there when the stroke comes."""
        if bench.options.reveals:
            bench.second_draft()
        super().hover(pointer, bench)

    def press(self, pointer: Pointer, bench: Workbench) -> None:
        """Only when that model has said something about this frame."""
        if not bench.options.reveals:
            bench.tell("Choose the model to take labels from in the bar above the picture.")
        elif bench.second_draft() is None:
            bench.tell("The other model is still looking at this frame.")
        else:
            super().press(pointer, bench)

    def dab(self, start: tuple[int, int], pointer: Pointer, bench: Workbench) -> None:
        """Its labels."""
        draft = bench.second_draft()
        if draft is not None:
            area = swept(start, pointer.at, pointer.pressure, bench)
            bench.put(area, draft[area.rect.slices], origin=PAINTED)
