"""What a blank frame gets before the first stroke, and what a frame keeps when it is confirmed."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from segstudio.core.classes import VOID
from segstudio.core.origins import CONFIRMED, MODEL, PAINTED
from segstudio.ui.correcting.held import Held

if TYPE_CHECKING:
    from segstudio.core.steps import Step
    from segstudio.store.project import Project


def first_step(
    held: Held, project: "Project", draft: NDArray[np.uint8] | None, model: str
) -> "Step | None":
    """A step of its own, so that undo can take it back; None when there is neither.

    draft: uint8 (H, W) of the model called `model`, in the project's classes.
    """
    from segstudio.core.brush import rectangle
    from segstudio.engine.carry import hood_of

    hood, document = hood_of(project, held.key.media), held.document
    if draft is not None:
        held.about = replace(held.about, drafted_by=model)
    document.begin("Hood" if draft is None else f"Draft · {model}")
    if draft is not None:
        h, w = document.labels.shape
        document.put(rectangle((0, 0), (h - 1, w - 1), (h, w)), draft, origin=MODEL)
    if hood is not None:
        hood.put_on(document)
    return document.commit()


def confirmed(held: Held, tell: "Callable[[str, str], None]") -> "Step | None":
    """The step that confirms a frame, and remembers how much of it had been painted by hand.

    Painted on and confirmed again, what was painted before still counts. None when it was confirmed
    already, and when every pixel is void, which people are told.
    """
    document = held.document
    if int(document.labels.min()) == VOID:
        tell("Every pixel is void, so there is nothing to confirm yet.", "hint")
        return None
    counts, before = document.origin_counts, held.about.by_hand
    if before is not None or not int(counts[CONFIRMED]):
        painted = int(counts[PAINTED]) + min(before or 0, int(counts[CONFIRMED]))
        held.about = replace(held.about, by_hand=painted)
    return document.confirm()
