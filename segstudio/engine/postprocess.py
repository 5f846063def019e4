"""Logits become labels at frame size.

The result is that of torch's bilinear `F.interpolate` followed by `argmax`; of equal logits the
lowest channel wins.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F


def plain_labels(logits: Tensor, size: tuple[int, int], *, align_corners: bool) -> Tensor:
    """float (C, h, w) -> uint8 (H, W) channels, by enlarging every plane: the reference."""
    large = F.interpolate(
        logits[None].float(), size=size, mode="bilinear", align_corners=align_corners
    )
    return large.argmax(1)[0].to(torch.uint8)


def labels_at_frame_size(
    logits: Tensor, size: tuple[int, int], class_ids: NDArray[np.uint8], *, align_corners: bool
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """float (C, h, w) -> labels uint8 (H, W), read-only, and class_pixels int64 (256,).

    class_ids: uint8 (C,), the class id of each channel.
    """
    channels = plain_labels(logits, size, align_corners=align_corners).cpu().numpy()
    labels = class_ids[channels]
    labels.setflags(write=False)
    return labels, np.bincount(labels.reshape(-1), minlength=256)
