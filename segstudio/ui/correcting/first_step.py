"""What a blank frame gets before the first stroke, and what a frame keeps when it is confirmed."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from segstudio.core.origins import CONFIRMED, MODEL, PAINTED
from segstudio.ui.correcting.held import Held

if TYPE_CHECKING:
    from segstudio.core.steps import Step
    from segstudio.store.project import FrameAbout, Project


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


def counted_by_hand(held: Held) -> "FrameAbout":
    """What is known of the frame once it is confirmed: how much of it had been painted.

    Painted on and confirmed again, what was painted before still counts.
    """
    counts = held.document.origin_counts
    before, confirmed = held.about.by_hand, int(counts[CONFIRMED])
    if confirmed and before is None:
        return held.about
    painted = int(counts[PAINTED]) + min(before or 0, confirmed)
    return replace(held.about, by_hand=painted)
