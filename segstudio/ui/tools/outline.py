"""What polygon, lasso, rectangle and scissors share: an outline whose inside is painted.

With "Subtract" chosen, or Alt held at the end, the inside becomes void where it had the active
class; everything else inside stays.
"""

from typing import TYPE_CHECKING

from segstudio.core.classes import VOID
from segstudio.ui.tools.preview import NOTHING, Place, Preview
from segstudio.ui.tools.registry import Pointer, Tool, Workbench

if TYPE_CHECKING:
    from segstudio.core.brush import Area


class OutlineTool(Tool):
    """Sub-classes collect the outline and call `finish` with its inside."""

    settings = ("subtracts", "rule")

    def finish(self, area: "Area", bench: Workbench, place: Place, *, takes_away: bool) -> None:
        """One step of undo. place: the cursor, where a lock is shown when nothing may change."""
        takes_away = takes_away or bench.options.subtracts
        title = f"{self.title} −" if takes_away else self.title
        if area.rect.is_empty or not bench.begin(title):
            return
        if takes_away:
            from segstudio.core.brush import Area

            is_active = bench.labels[area.rect.slices] == bench.options.class_id
            bench.paint(Area(area.rect, area.mask & is_active), VOID)
        else:
            bench.paint(area)
        bench.commit()
        bench.show(Preview(text_at=place))

    def hover(self, pointer: Pointer, bench: Workbench) -> None:
        """Nothing before the outline begins."""
        bench.show(NOTHING)

    def leave(self, bench: Workbench) -> None:
        """An outline that was not closed is forgotten."""
        self.forget()
        bench.show(NOTHING)

    def forget(self) -> None:
        """Sub-classes drop their points."""


def middle(pointer: Pointer) -> Place:
    """The centre of the pixel under the pointer."""
    y, x = pointer.at
    return y + 0.5, x + 0.5
