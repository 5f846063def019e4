"""How sure a model is of each pixel, from its own answer."""

import cv2
import numpy as np
from numpy.typing import NDArray

from segstudio.core.prediction import Logits


def top_confidence(logits: Logits) -> NDArray[np.uint8]:
    """uint8 (H, W): 0..255 = 0..1, the softmax probability of the strongest class.

    Taken at the net's own stride and enlarged bilinearly as the net's labels are, so that it costs
    one resize instead of one per class; between two cells of different classes it is therefore a
    mean of both certainties.
    """
    values = logits.values
    peak = values.max(axis=0)
    share = 1.0 / np.exp(values - peak).sum(axis=0)  # the top class has exp(0) = 1
    (height, width), (h, w) = logits.size, share.shape
    top = np.ascontiguousarray(share, np.float32)
    if not logits.align_corners:
        large = cv2.resize(top, (width, height), interpolation=cv2.INTER_LINEAR)
    else:
        ys = np.linspace(0, h - 1, height, dtype=np.float32)[:, None]
        xs = np.linspace(0, w - 1, width, dtype=np.float32)[None, :]
        x_map, y_map = np.broadcast_arrays(xs, ys)
        large = cv2.remap(
            top, np.ascontiguousarray(x_map), np.ascontiguousarray(y_map), cv2.INTER_LINEAR
        )
    return np.asarray(large * 255.0 + 0.5).clip(0, 255).astype(np.uint8)
