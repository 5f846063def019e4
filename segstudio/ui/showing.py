"""What is drawn over the frame on the screen, as the view says: labels, prediction or origins."""

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from segstudio.core.classes import ClassMap
from segstudio.core.mask_style import MaskStyle
from segstudio.ui.view_state import Layer, ViewState

if TYPE_CHECKING:
    from segstudio.engine.play import PipelineResult
    from segstudio.ui.correcting.editor import Editor
    from segstudio.ui.session import Session


def labels_of(
    editor: "Editor", result: "PipelineResult | None", layer: Layer
) -> NDArray[np.uint8] | None:
    """uint8 (H, W) to draw; None: the prediction's own."""
    held = editor.held
    if layer == "prediction":
        return None
    if held is None:  # while it plays: the prediction in the project's classes
        return None if result is None else editor.translated(result.frame)
    return held.document.origin if layer == "origin" else editor.shown_labels()


def style_of(editor: "Editor", view: ViewState, classes: ClassMap) -> MaskStyle:
    """The colours of classes, or of origins."""
    if view.layer == "origin" and editor.held is not None:
        return view.origin_style()
    return view.style(classes)


def over_map(style: MaskStyle) -> MaskStyle:
    """Borders only: flat colours would hide what lies under them."""
    return replace(style, mode="outline") if style.mode == "fill" else style


def masks_over_map(session: "Session") -> "tuple[NDArray[np.uint8], MaskStyle] | None":
    """uint8 (H, W) labels that are drawn over a map now, and how; None for none."""
    labels, result = session.shown_labels(), session.result
    if labels is None and result is not None and result.prediction is not None:
        labels = result.prediction.labels
    if not session.inside.shows_labels or labels is None:
        return None
    return labels.copy(), over_map(session.style())


@lru_cache(maxsize=8)
def safe(classes: ClassMap) -> ClassMap:
    """The set in colours for colour-blind people; found once for each: it searches for them."""
    from segstudio.core.palettes import colour_blind_safe

    return colour_blind_safe(classes)
