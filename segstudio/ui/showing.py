"""What is drawn over the frame on the screen, as the view says: labels, prediction or origins."""

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from segstudio.core.classes import ClassMap
from segstudio.core.mask_style import MaskStyle
from segstudio.ui.view_state import Layer

if TYPE_CHECKING:
    from segstudio.ui.session import Session


def labels_of(session: "Session", layer: Layer) -> NDArray[np.uint8] | None:
    """uint8 (H, W) to draw; None: the prediction's own."""
    held = session.editor.held
    if layer == "prediction":
        return None
    if held is None:  # while it plays: the prediction in the project's classes
        frame = None if session.result is None else session.result.frame
        return None if frame is None else session.editor.translated(frame)
    return held.document.origin if layer == "origin" else session.editor.shown_labels()


def style_of(session: "Session") -> MaskStyle:
    """The colours of classes, or of origins."""
    if session.view.layer == "origin" and session.editor.held is not None:
        return session.view.origin_style()
    return session.view.style(session.shown_classes)


@lru_cache(maxsize=8)
def safe(classes: ClassMap) -> ClassMap:
    """The set in colours for colour-blind people; found once for each: it searches for them."""
    from segstudio.core.palettes import colour_blind_safe

    return colour_blind_safe(classes)
