"""Select pixels for what the Label menu does with a selection: grow, shrink, smooth, clean up."""

from typing import TYPE_CHECKING

from segstudio.ui.tools.preview import NOTHING, Preview
from segstudio.ui.tools.rectangle import frame_of
from segstudio.ui.tools.registry import TOOLS, Pointer, Tool, Workbench

if TYPE_CHECKING:
    from segstudio.core.brush import Area


@TOOLS.add("select")
class Select(Tool):
    """A click takes the region of one class, a drag what of that class lies in the rectangle."""

    title, key, icon, order = "Select", "Q", "select", 60
    hint = "Click a region or drag a rectangle · Shift: add · Ctrl: take away · Esc: nothing"
    settings = ("is_joined",)

    def __init__(self) -> None:
        self._corner: tuple[int, int] | None = None

    def press(self, pointer: Pointer, bench: Workbench) -> None:
        """One corner, or a click."""
        self._corner = pointer.at

    def drag(self, pointer: Pointer, bench: Workbench) -> None:
        """The rectangle follows."""
        if self._corner is not None and self._corner != pointer.at:
            bench.show(Preview(lines=(frame_of(self._corner, pointer.at),)))

    def release(self, pointer: Pointer, bench: Workbench) -> None:
        """Select."""
        from segstudio.core import brush

        corner, self._corner = self._corner, None
        bench.show(NOTHING)
        if corner is None:
            return
        if corner == pointer.at:
            area = brush.flood(bench.labels, corner, connected=bench.options.is_joined)
        else:
            area = brush.rectangle(corner, pointer.at, bench.shape)
            part = bench.labels[area.rect.slices]
            area = brush.Area(area.rect, part == bench.options.class_id)
        bench.select(_combined(bench.selection, area, pointer, bench.shape))

    def key_pressed(self, key: str, bench: Workbench) -> bool:
        """Escape selects nothing."""
        if key != "escape" or (self._corner is None and bench.selection is None):
            return False
        self._corner = None
        bench.show(NOTHING)
        bench.select(None)
        return True

    def leave(self, bench: Workbench) -> None:
        """The selection stays while the frame does."""
        self._corner = None
        bench.show(NOTHING)


def _combined(
    old: "Area | None", new: "Area", pointer: Pointer, shape: tuple[int, int]
) -> "Area | None":
    """The new one alone, with the old one (Shift), or what is left of the old one (Ctrl)."""
    if old is None or not (pointer.shift or pointer.ctrl):
        return None if pointer.ctrl else new
    import numpy as np

    from segstudio.core.brush import Area
    from segstudio.core.geometry import Rect

    whole = np.zeros(shape, np.bool_)
    whole[old.rect.slices] = old.mask
    part = whole[new.rect.slices]
    part[...] = part & ~new.mask if pointer.ctrl else part | new.mask
    return Area(Rect(0, 0, *shape), whole)
