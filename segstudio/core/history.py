"""Undo and redo of one frame, without limit: a list of steps and a position in it."""

from collections.abc import Callable
from dataclasses import dataclass

from segstudio.core.classes import ClassMap
from segstudio.core.geometry import Rect
from segstudio.core.labels import LabelChange, LabelDocument
from segstudio.core.steps import Step


@dataclass(slots=True)
class Entry:
    """One line of the history. key: the step's id in the store, None while it has none.

    step: None when it was put out of memory and is fetched by its key.
    """

    title: str
    class_id: int | None
    pixels: int
    rect: Rect
    key: int | None
    step: Step | None

    def text(self, classes: ClassMap) -> str:
        """As the list shows it: "Brush · Car · 1,204 px"."""
        named = [] if self.class_id is None else [classes.name_of(self.class_id)]
        return " · ".join([self.title, *named, f"{self.pixels:,} px"])


class History:
    """What was done to one document. A new step cuts off what could be redone.

    entries may be filled from a store before the first push, without their steps.

    fetch(key) -> Step: reads a step from the store. Without it nothing leaves memory. With it,
    steps that have a key leave memory, oldest first, while all take more than `budget_bytes`.
    """

    def __init__(
        self, *, fetch: Callable[[int], Step] | None = None, budget_bytes: int = 64 << 20
    ) -> None:
        self.entries: list[Entry] = []
        self.position = 0
        self._fetch = fetch
        self._budget = budget_bytes
        self._spent = 0

    @property
    def memory_bytes(self) -> int:
        """What the steps in memory take."""
        return self._spent

    @property
    def can_undo(self) -> bool:
        """True when a step lies behind."""
        return self.position > 0

    @property
    def can_redo(self) -> bool:
        """True when an undone step lies ahead."""
        return self.position < len(self.entries)

    def push(self, step: Step, *, key: int | None = None) -> None:
        """A step that was just done."""
        cut = (e.step for e in self.entries[self.position :])
        self._spent -= sum(s.size_bytes for s in cut if s is not None)
        del self.entries[self.position :]
        self.entries.append(Entry(step.title, step.class_id, step.pixels, step.rect, key, step))
        self.position += 1
        self._spent += step.size_bytes
        self._evict(keep=self.entries[-1])

    def undo(self, document: LabelDocument) -> LabelChange | None:
        """Take the last step back; None when there is none. Errors of fetch change nothing."""
        if not self.can_undo:
            return None
        change = document.revert(self._step(self.entries[self.position - 1]))
        self.position -= 1
        return change

    def redo(self, document: LabelDocument) -> LabelChange | None:
        """Do the next step again; None when there is none. Errors of fetch change nothing."""
        if not self.can_redo:
            return None
        change = document.apply(self._step(self.entries[self.position]))
        self.position += 1
        return change

    def _step(self, entry: Entry) -> Step:
        step = entry.step
        if step is None:
            if self._fetch is None or entry.key is None:
                raise RuntimeError("a step without key or fetch left memory")
            step = self._fetch(entry.key)
            entry.step = step
            self._spent += step.size_bytes
            self._evict(keep=entry)
        return step

    def _evict(self, keep: Entry) -> None:
        if self._fetch is None:
            return
        for entry in self.entries:
            if self._spent <= self._budget:
                return
            if entry.step is not None and entry.key is not None and entry is not keep:
                self._spent -= entry.step.size_bytes
                entry.step = None
