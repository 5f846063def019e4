"""Make the class under the cursor the active one."""

from segstudio.core.classes import VOID
from segstudio.ui.tools.preview import NOTHING, Preview
from segstudio.ui.tools.registry import TOOLS, Pointer, Tool, Workbench


@TOOLS.add("picker")
class Picker(Tool):
    """Void is no class: it is erased to, not painted."""

    title, key, icon, order = "Class picker", "I", "picker", 41
    hint = "Click a pixel to paint with its class"

    def press(self, pointer: Pointer, bench: Workbench) -> None:
        """Choose it."""
        class_id = _class_at(pointer, bench)
        if class_id is not None and class_id != VOID:
            bench.choose_class(class_id)

    def drag(self, pointer: Pointer, bench: Workbench) -> None:
        """The class follows the cursor while the button is down."""
        self.press(pointer, bench)
        self.hover(pointer, bench)

    def hover(self, pointer: Pointer, bench: Workbench) -> None:
        """Say which it would be."""
        class_id = _class_at(pointer, bench)
        if class_id is None:
            bench.show(NOTHING)
        else:
            text = bench.classes.name_of(class_id)
            bench.show(Preview(text=text, text_at=pointer.place))

    def leave(self, bench: Workbench) -> None:
        """No name without a cursor."""
        bench.show(NOTHING)


def _class_at(pointer: Pointer, bench: Workbench) -> int | None:
    """None beside the frame."""
    (y, x), (h, w) = pointer.at, bench.shape
    return int(bench.labels[y, x]) if 0 <= y < h and 0 <= x < w else None
