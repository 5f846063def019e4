"""GrabCut: drag a box around a thing; it is told from its surroundings by colour."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from segstudio.core.geometry import Rect
from segstudio.ui.tools.outline import middle
from segstudio.ui.tools.preview import NOTHING, Line, Place, Preview, color_of
from segstudio.ui.tools.rectangle import frame_of
from segstudio.ui.tools.registry import TOOLS, Pointer, Tool, Workbench

if TYPE_CHECKING:
    from segstudio.core.brush import Area
    from segstudio.engine.flow import CancelToken

LEAST_SIDE = 4
"""Pixels; a smaller box is a slip of the hand."""


@TOOLS.add("grab_cut")
class GrabCut(Tool):
    """Nothing is painted before it is accepted; strokes correct what was found."""

    title, key, icon, order = "Cut out", "G", "grab-cut", 24
    hint = "Drag a box, then Enter or click to accept · Shift-drag: belongs · Ctrl-drag: does not"
    settings = ("size", "rule")

    def __init__(self) -> None:
        self._corner: tuple[int, int] | None = None
        self._box: Rect | None = None
        self._found: Area | None = None
        self._strokes: dict[bool, list[Area]] = {True: [], False: []}  # by: belongs to it
        self._belongs = True
        self._way: list[Place] = []
        self._turn = 0  # an answer to an older question is dropped

    def press(self, pointer: Pointer, bench: Workbench) -> None:
        """A box begins, a stroke begins, or what was found is accepted."""
        if 0 in bench.shape:
            return
        takes_away = pointer.ctrl or pointer.alt
        if self._box is not None and (pointer.shift or takes_away):
            self._belongs = not takes_away
            self._way = [middle(pointer)]
            self._stroke(pointer, pointer, bench)
        elif self._found is not None and _covers(self._found, pointer.at):
            self._accept(bench, pointer.place)
        else:
            self._forget()
            self._corner = pointer.at
            bench.show(NOTHING)

    def drag(self, pointer: Pointer, bench: Workbench) -> None:
        """The box, or the stroke, follows."""
        if self._corner is not None:
            bench.show(Preview(lines=(frame_of(self._corner, pointer.at),)))
        elif self._way:
            y, x = self._way[-1]
            self._way.append(middle(pointer))
            self._stroke(Pointer((y, x)), pointer, bench)

    def release(self, pointer: Pointer, bench: Workbench) -> None:
        """Cut."""
        corner, self._corner = self._corner, None
        if corner is not None:
            from segstudio.core.brush import rectangle

            box = rectangle(corner, pointer.at, bench.shape).rect
            if min(box.height, box.width) < LEAST_SIDE:
                bench.show(NOTHING)
                return
            self._box = box
            self._cut(pointer.place, bench)
        elif self._way:
            self._way = []
            self._cut(pointer.place, bench)

    def key_pressed(self, key: str, bench: Workbench) -> bool:
        """Enter accepts, Escape forgets."""
        if self._box is None and self._corner is None:
            return False
        if key == "return" and self._found is not None:
            y, x = self._found.rect.y0, self._found.rect.x0
            self._accept(bench, (float(y), float(x)))
        elif key != "return":
            self.leave(bench)
        return True

    def leave(self, bench: Workbench) -> None:
        """What was not accepted is forgotten."""
        self._forget()
        bench.show(NOTHING)

    def _forget(self) -> None:
        self._turn += 1
        self._corner = self._box = self._found = None
        self._strokes, self._way = {True: [], False: []}, []

    def _stroke(self, start: Pointer, end: Pointer, bench: Workbench) -> None:
        from segstudio.core.brush import round_segment

        radius = bench.options.radius(bench.scale, end.pressure)
        area = round_segment(start.at, end.at, radius, bench.shape)
        self._strokes[self._belongs].append(area)
        self._show(bench, "belongs" if self._belongs else "does not belong", end.place)

    def _cut(self, place: Place, bench: Workbench) -> None:
        """Ask a thread; the picture stays usable."""
        if self._box is None:
            return
        self._turn += 1
        turn, rgb, box = self._turn, bench.rgb, self._box
        fore, back = joined(self._strokes[True]), joined(self._strokes[False])

        def op(_: "CancelToken") -> "Area":
            from segstudio.core.grab_cut import grab_cut

            return grab_cut(rgb, box, sure_fore=fore, sure_back=back)

        self._show(bench, "cutting out…", place)
        bench.run(op, partial(self._receive, bench, turn), name="cut-out")

    def _receive(self, bench: Workbench, turn: int, found: "Area") -> None:
        if turn != self._turn or self._box is None:
            return
        if found.rect.is_empty:
            self.leave(bench)
            bench.tell("Nothing in the box differs from what is around it; draw it wider.")
            return
        self._found = found
        self._show(bench, "Enter: accept", (float(found.rect.y1), float(found.rect.x0)))

    def _accept(self, bench: Workbench, place: Place) -> None:
        found = self._found
        self.leave(bench)
        if found is not None and bench.begin(self.title):
            bench.paint(found)
            bench.commit()
            bench.show(Preview(text_at=place))

    def _show(self, bench: Workbench, text: str, place: Place) -> None:
        lines: tuple[Line, ...] = (Line(tuple(self._way)),) if self._way else ()
        if self._box is not None:
            y1, x1 = self._box.y1 - 1, self._box.x1 - 1
            lines = (frame_of((self._box.y0, self._box.x0), (y1, x1)), *lines)
        color = color_of(bench.classes, bench.options.class_id)
        bench.show(Preview(lines=lines, area=self._found, color=color, text=text, text_at=place))


def joined(areas: "Sequence[Area]") -> "Area | None":
    """All of them as one; None when there are none."""
    from segstudio.core.brush import Area

    areas = [area for area in areas if not area.rect.is_empty]
    if not areas:
        return None
    rect = areas[0].rect
    for area in areas[1:]:
        rect = rect.united(area.rect)
    mask = np.zeros((rect.height, rect.width), np.bool_)
    for area in areas:
        y, x = area.rect.y0 - rect.y0, area.rect.x0 - rect.x0
        mask[y : y + area.rect.height, x : x + area.rect.width] |= area.mask
    return Area(rect, mask)


def _covers(area: "Area", at: tuple[int, int]) -> bool:
    r = area.rect
    is_in = r.y0 <= at[0] < r.y1 and r.x0 <= at[1] < r.x1
    return is_in and bool(area.mask[at[0] - r.y0, at[1] - r.x0])
