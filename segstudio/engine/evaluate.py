"""How good a model is: every frame, in order, none dropped."""

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from segstudio.core.classes import VOID
from segstudio.core.frame import Frame
from segstudio.core.metrics import ConfusionMatrix
from segstudio.engine.flow import CancelToken
from segstudio.engine.predictor import Predictor


def evaluate(
    predictor: Predictor,
    pairs: Iterable[tuple[Frame, NDArray[np.uint8]]],
    *,
    ignore: int = VOID,
    on_progress: Callable[[int], None] | None = None,
    token: CancelToken | None = None,
) -> ConfusionMatrix:
    """One confusion matrix over all pairs; row and column are positions in the model's class set.

    pairs: a frame and its reference labels, uint8 (H, W) in the ids of the model's class set. ids
    outside it, and `ignore`, are left out. on_progress: pairs done. Cancelled by `token`.
    """
    ids = [c.id for c in predictor.card.classes.classes]
    position = np.full(256, VOID, np.uint8)
    position[ids] = np.arange(len(ids), dtype=np.uint8)
    position[ignore] = VOID
    matrix = ConfusionMatrix(len(ids))
    for done, (frame, reference) in enumerate(pairs, start=1):
        if token is not None:
            token.check()
        if reference.shape != frame.rgb.shape[:2]:
            raise ValueError(
                f"Frame {frame.id.index} is {frame.width}×{frame.height}, but its labels are"
                f" {reference.shape[1]}×{reference.shape[0]}; give labels of the frame's size."
            )
        matrix.add(position[reference], position[predictor.predict(frame).labels])
        if on_progress is not None:
            on_progress(done)
    return matrix
