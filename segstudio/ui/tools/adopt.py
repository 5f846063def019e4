"""Where models differ, take the class that one of them gives to a whole region."""

from typing import TYPE_CHECKING

import numpy as np

from segstudio.core.origins import PAINTED
from segstudio.ui.tools.preview import NOTHING, Place, Preview, color_of
from segstudio.ui.tools.registry import TOOLS, Answers, Pointer, Tool, Workbench

if TYPE_CHECKING:
    from segstudio.core.brush import Area

LETTERS = "ABCDEF"
"""The digit that takes a model's class is the place of its letter, 1 for A."""


@TOOLS.add("adopt")
class Adopt(Tool):
    """A person chose every region, so its pixels count as painted.

    A region is connected, and every model says the same of all its pixels. A click fixes it; then
    digits are for this tool until another place is clicked, Escape is pressed, or the cursor leaves
    the region after a class was taken.
    """

    title, key, icon, order = "Adopt", "U", "adopt", 13
    hint = "Click where models differ · Press the number of the one that is right · Esc: drop"
    paints_class = False
    settings = ("rule",)

    def __init__(self) -> None:
        self._area: Area | None = None
        self._answers: Answers = ()  # that the area was made from
        self._at = (0, 0)  # a pixel of it
        self._is_fixed = False
        self._taken: int | None = None  # the class that was adopted

    def hover(self, pointer: Pointer, bench: Workbench) -> None:
        """Outline the region under the cursor, and tell who says what there."""
        is_inside = self._find(pointer, bench) if not self._is_fixed else self._holds(pointer)
        if self._taken is not None and not is_inside:
            self._forget()
            is_inside = self._find(pointer, bench)
        self._show(pointer.place, bench)
        if not self._is_fixed and not is_inside:
            said = _said_at(_answers(bench), pointer.at)
            text = f"all say {bench.classes.name_of(said[0][1])}" if len(said) > 1 else ""
            bench.show(Preview(text=text, text_at=pointer.place) if text else NOTHING)

    drag = hover

    def press(self, pointer: Pointer, bench: Workbench) -> None:
        """Fix the region."""
        if self._is_fixed and self._holds(pointer):
            return
        self._forget()
        if self._find(pointer, bench):
            self._is_fixed = True
            self._show(pointer.place, bench)
        elif len(_answers(bench)) < 2:
            bench.tell("Only one model has said something about this frame; compare two first.")
        else:
            bench.show(NOTHING)

    def wants(self, key: str) -> bool:
        """Digits, while a region is fixed."""
        return self._is_fixed and key in "123456789"

    def key_pressed(self, key: str, bench: Workbench) -> bool:
        """A digit takes that model's class; Escape drops the region."""
        if not self._is_fixed or key not in ("escape", *"123456789"):
            return False
        if key == "escape":
            self.leave(bench)
        else:
            self._adopt(int(key), bench)
        return True

    def leave(self, bench: Workbench) -> None:
        """No region."""
        self._forget()
        bench.show(NOTHING)

    def _adopt(self, number: int, bench: Workbench) -> None:
        """One step of undo."""
        area, said = self._area, {_number(n): (n, c) for n, c in _said_at(self._answers, self._at)}
        if number not in said:
            bench.tell(f"There is no model {number} here; press {_listed(said)}.")
            return
        if area is None or not _are_same(self._answers, _answers(bench)):
            self.leave(bench)
            bench.tell("The models have said something else meanwhile; click the region again.")
            return
        letter, class_id = said[number]
        if bench.begin(f"Adopt {letter} · {bench.classes.name_of(class_id)}"):
            patch = np.full(area.mask.shape, class_id, np.uint8)
            bench.put(area, patch, origin=PAINTED)
            bench.commit()
            self._taken = class_id
            self._show((self._at[0] + 0.5, self._at[1] + 0.5), bench)

    def _find(self, pointer: Pointer, bench: Workbench) -> bool:
        """The region under the pointer becomes the one that is shown, if models differ there."""
        answers = _answers(bench)
        if self._holds(pointer) and _are_same(answers, self._answers):
            return True
        self._forget()
        if len({class_id for _, class_id in _said_at(answers, pointer.at)}) < 2:
            return False
        from segstudio.core.regions import same_answers_at

        self._area = same_answers_at([labels for _, labels in answers], pointer.at)
        self._answers, self._at = answers, pointer.at
        return True

    def _holds(self, pointer: Pointer) -> bool:
        """True when the pointer is over the region."""
        if self._area is None:
            return False
        rect, (y, x) = self._area.rect, pointer.at
        is_near = rect.y0 <= y < rect.y1 and rect.x0 <= x < rect.x1
        return is_near and bool(self._area.mask[y - rect.y0, x - rect.x0])

    def _show(self, place: Place, bench: Workbench) -> None:
        if self._area is None:
            return
        if self._taken is not None:  # no text: a lock is shown there when it was blocked
            color = color_of(bench.classes, self._taken)
            bench.show(Preview(area=self._area, color=color, has_border=True, text_at=place))
            return
        said = _said_at(self._answers, self._at)
        text = " · ".join(f"{_number(n)} {bench.classes.name_of(c)}" for n, c in said)
        bench.show(
            Preview(
                area=self._area, has_border=True, has_tint=self._is_fixed,
                text=f"press {text}" if self._is_fixed else text, text_at=place,
            )
        )  # fmt: skip

    def _forget(self) -> None:
        self._area, self._answers, self._is_fixed, self._taken = None, (), False, None


def _answers(bench: Workbench) -> Answers:
    """Those that cover the frame."""
    return tuple(each for each in bench.answers() if each[1].shape == bench.shape)


def _said_at(answers: Answers, at: tuple[int, int]) -> list[tuple[str, int]]:
    """(letter, class id) of each model at a pixel; empty beside the frame."""
    y, x = at
    return [
        (letter, int(labels[y, x]))
        for letter, labels in answers
        if 0 <= y < labels.shape[0] and 0 <= x < labels.shape[1]
    ]


def _are_same(one: Answers, other: Answers) -> bool:
    """True when the same models say the same, as far as these very rasters go."""
    return len(one) == len(other) and all(
        a == b and left is right for (a, left), (b, right) in zip(one, other, strict=True)
    )


def _number(letter: str) -> int:
    return LETTERS.index(letter) + 1


def _listed(numbers: dict[int, tuple[str, int]]) -> str:
    """ "1, 2 or 4"."""
    *most, last = (str(n) for n in sorted(numbers))
    return f"{', '.join(most)} or {last}" if most else last
