"""What is compared and how it is looked at: frozen values that the comparison replaces."""

from dataclasses import dataclass, replace
from typing import Any, Literal

from segstudio.core.catalogue import ModelCard
from segstudio.core.strategy import Strategy
from segstudio.engine.seats import FIRST
from segstudio.errors import SegStudioError

Mode = Literal["side", "swipe", "difference", "agreement"]

Colours = Literal["classes", "errors"]

LETTERS = "ABCDEF"
"""Six models at most: more than that nobody can look at."""

COLORS = dict(
    zip(LETTERS, ("#56b4e9", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#f0e442"), strict=True)
)
"""Of lines that belong to a model, from Okabe and Ito's palette."""

PLAIN = Strategy()

LABELS = "labels"
"""In a pair, what is no model: the labels of the frame."""


@dataclass(frozen=True, slots=True)
class Pane:
    """One model as it is put to frames. card: None for the first one when no model is chosen."""

    letter: str
    card: ModelCard | None
    device: str = "auto"
    strategy: Strategy = PLAIN

    @property
    def title(self) -> str:
        """The model's own."""
        return "No model" if self.card is None else self.card.title

    @property
    def how(self) -> str:
        """Settings that differ from the usual ones, in a few words; "" for none."""
        parts = []
        if self.strategy != Strategy(precision=self.strategy.precision):
            parts.append(self.strategy.told().removeprefix("whole frame, "))
        if self.strategy.precision != "auto":
            parts.append(self.strategy.precision)
        if self.device != "auto":
            parts.append(self.device)
        return ", ".join(parts)

    @property
    def identity(self) -> tuple[str, str, Strategy]:
        """Equal for panes whose predictions are the same."""
        folder = "" if self.card is None else str(self.card.folder)
        return folder, self.device, self.strategy

    def to_json(self) -> dict[str, Any]:
        """What the settings keep."""
        name = "" if self.card is None else self.card.name
        return {"model": name, "device": self.device, "strategy": self.strategy.to_json()}

    @staticmethod
    def from_json(letter: str, row: object, cards: tuple[ModelCard, ...]) -> "Pane | None":
        """None when the model is gone or the row is none of ours."""
        if not isinstance(row, dict):
            return None
        card = next((c for c in cards if c.name == row.get("model")), None)
        try:
            strategy = Strategy.from_json(row.get("strategy", {}))
        except (SegStudioError, TypeError, ValueError):
            return None
        return None if card is None else Pane(letter, card, str(row.get("device")), strategy)


@dataclass(frozen=True, slots=True)
class Look:
    """mode: panes beside each other, one picture with a divider, where two differ, or how many
    agree. colours: of the classes, or right and wrong against the labels. error_class: only this
    class's hits, false alarms and misses; None: all classes. pair: whom swipe, blink and
    difference are about, letters or LABELS. divider: 0..1 of the view's width. shows_labels: the
    labels have a pane too, in which strokes are seen.
    """

    mode: Mode = "side"
    colours: Colours = "classes"
    error_class: int | None = None
    pair: tuple[str, str] = (FIRST, "B")
    divider: float = 0.5
    shows_labels: bool = False

    def fitted(self, letters: tuple[str, ...]) -> "Look":
        """A pair of members that are there."""
        known = (*letters, LABELS)
        first, second = (m if m in known else "" for m in self.pair)
        first = first or next(m for m in known if m != second)
        second = second or next(m for m in (*letters[1:], LABELS, *letters) if m != first)
        return replace(self, pair=(first, second))
