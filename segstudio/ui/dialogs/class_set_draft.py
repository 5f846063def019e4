"""What the class set editor works on: the edits so far and what they come to."""

from collections.abc import Callable, Collection

from segstudio.core.class_edits import Account, Edit, Edited, Usage, account, edited
from segstudio.core.class_mapping import ClassMapping
from segstudio.core.classes import ClassMap
from segstudio.errors import SegStudioError


class ClassSetDraft:
    """A list of edits that can be taken back one by one."""

    def __init__(self, before: ClassMap, usage: Callable[[], Usage] | None) -> None:
        self._before, self._usage = before, _counted(usage)
        self._edits: list[Edit] = []
        self._result: Edited = edited(before, ())

    @property
    def classes(self) -> ClassMap:
        """The set as it is now."""
        return self._result.classes

    @property
    def ids(self) -> list[int]:
        """Of the classes, in their order."""
        return [c.id for c in self.classes.classes]

    @property
    def edits(self) -> int:
        """How many there are."""
        return len(self._edits)

    @property
    def mapping(self) -> ClassMapping | None:
        """What becomes of labels; None when they stay as they are."""
        return self._result.relabels

    @property
    def account(self) -> Account:
        """What happens, in words."""
        return account(self._result, self._usage)

    def pixels(self) -> dict[int, int] | None:
        """Id → how many pixels will be labelled so; None when nobody counted."""
        if self._usage is None:
            return None
        table, found = self._result.mapping.table, dict.fromkeys(range(256), 0)
        for old, (_, pixels) in self._usage.items():
            found[table[old]] += pixels
        return found

    def do(self, edit: Edit) -> bool:
        """One more. False when it changes nothing; SegStudioError when it cannot be done."""
        result = edited(self._before, [*self._edits, edit])
        if result.classes == self._result.classes:
            return False
        self._edits.append(edit)
        self._result = result
        return True

    def undo(self) -> bool:
        """Take the last one back; False when there is none."""
        if not self._edits:
            return False
        self._edits.pop()
        self._result = edited(self._before, self._edits)
        return True

    def new_name(self) -> str:
        """One that no class has yet."""
        names, number = {c.name for c in self.classes.classes}, 1
        while (name := f"New class {number}" if number > 1 else "New class") in names:
            number += 1
        return name

    def moved(self, chosen: Collection[int], step: int) -> list[int]:
        """The ids with the chosen ones a place up (-1) or down (1), each as far as it can."""
        order = self.ids
        for place in range(len(order)) if step < 0 else reversed(range(len(order))):
            other = place + step
            is_free = 0 <= other < len(order) and order[other] not in chosen
            if is_free and order[place] in chosen:
                order[place], order[other] = order[other], order[place]
        return order

    def left_after(self, gone: Collection[int]) -> list[int]:
        """The class to select once these are removed: the next one, else the last."""
        order = self.ids
        last = max(order.index(i) for i in gone)
        kept = [i for i in order[last:] if i not in gone]
        return kept[:1] or [i for i in order if i not in gone][-1:]


def _counted(usage: Callable[[], Usage] | None) -> Usage | None:
    """None too when it cannot be counted: the editor works without figures."""
    try:
        return None if usage is None else usage()
    except SegStudioError:
        return None
