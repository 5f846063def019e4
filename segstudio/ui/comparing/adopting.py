"""Taking a model's pixels in many places at once: where, and as one step of undo."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from segstudio.core.geometry import Rect
from segstudio.core.origins import PAINTED
from segstudio.ui.comparing.panes import LABELS

if TYPE_CHECKING:
    from segstudio.core.brush import Area
    from segstudio.ui.correcting.editor import Editor

ANY = "any"
"""At least one of the other models."""


@dataclass(frozen=True, slots=True)
class Everywhere:
    """Where `model` says `says` and `other` says `other_says`, the class of `model` is taken.

    model: a letter. other: a letter, LABELS or ANY. says: a class id, None for any class.
    other_says: the same; None for any class but the model's. is_selected: in the selection only.
    """

    model: str
    says: int | None
    other: str
    other_says: int | None
    is_selected: bool = False


def place_of(
    rule: Everywhere,
    answers: Mapping[str, NDArray[np.uint8]],
    labels: NDArray[np.uint8],
    selection: "Area | None" = None,
) -> "Area":
    """The pixels that the rule is about. answers: letter → uint8 (H, W), like the labels.

    KeyError for a letter that has no answer.
    """
    from segstudio.core.brush import Area

    mine = answers[rule.model]
    where = np.ones(mine.shape, np.bool_) if rule.says is None else mine == rule.says
    if rule.other == ANY:
        others = [each for letter, each in answers.items() if letter != rule.model]
    else:
        others = [labels if rule.other == LABELS else answers[rule.other]]
    said = np.zeros(mine.shape, np.bool_)
    for other in others:
        said |= other != mine if rule.other_says is None else other == rule.other_says
    where &= said
    if rule.is_selected:
        inside = np.zeros(mine.shape, np.bool_)
        if selection is not None:
            inside[selection.rect.slices] = selection.mask
        where &= inside
    rows, columns = np.flatnonzero(where.any(axis=1)), np.flatnonzero(where.any(axis=0))
    rect = Rect(0, 0, 0, 0)
    if len(rows):
        rect = Rect(int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1)
    return Area(rect, where[rect.slices])


def answers_of(editor: "Editor") -> dict[str, NDArray[np.uint8]]:
    """By letter, those that cover the frame."""
    return {letter: labels for letter, labels in editor.answers() if labels.shape == editor.shape}


def apply(editor: "Editor", rule: Everywhere) -> None:
    """One step of undo; a person asked for these pixels, so they count as painted."""
    answers = answers_of(editor)
    area = place_of(rule, answers, editor.labels, editor.selection)
    what = "" if rule.says is None else f" · {editor.classes.name_of(rule.says)}"
    if not area.rect.is_empty and editor.begin(f"Adopt {rule.model} everywhere{what}"):
        editor.put(area, answers[rule.model][area.rect.slices], origin=PAINTED)
        editor.commit()
