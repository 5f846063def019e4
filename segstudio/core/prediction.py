"""What a net said about a frame."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segstudio.core.classes import ClassMap
from segstudio.core.frame import Frame
from segstudio.core.look import Seen


@dataclass(frozen=True, slots=True)
class Timing:
    """Wall milliseconds of the stages inside the predictor.

    prepare: frame to input tensor. forward: the net, synchronised with the device.
    upsample: logits to labels at frame size, copy to the CPU included.
    """

    prepare: float
    forward: float
    upsample: float

    @property
    def total(self) -> float:
        """All three."""
        return self.prepare + self.forward + self.upsample


@dataclass(frozen=True, slots=True, eq=False)
class Logits:
    """The net's own answer, before it is enlarged to the frame.

    values: float32 (C, h, w) at the net's stride. size: (H, W) of the frame. align_corners: how
    the net's paper enlarges (torch's meaning). class_ids: uint8 (C,), class id of each channel.
    """

    values: NDArray[np.float32]
    size: tuple[int, int]
    align_corners: bool
    class_ids: NDArray[np.uint8]

    def probabilities_at(self, y: int, x: int) -> NDArray[np.float32]:
        """float32 (C,): softmax of the bilinearly enlarged logits at that frame pixel."""
        _, h, w = self.values.shape
        rows, row_weight = _neighbours(y, self.size[0], h, align_corners=self.align_corners)
        cols, col_weight = _neighbours(x, self.size[1], w, align_corners=self.align_corners)
        corner = self.values[:, rows][:, :, cols].astype(np.float64)
        line = corner[:, 0] * (1 - row_weight) + corner[:, 1] * row_weight
        value = line[:, 0] * (1 - col_weight) + line[:, 1] * col_weight
        value = np.exp(value - value.max())
        return np.asarray(value / value.sum(), np.float32)


def _neighbours(
    at: int, full: int, small: int, *, align_corners: bool
) -> tuple[NDArray[np.intp], float]:
    """The two source positions around `at` and the weight of the second (torch's bilinear)."""
    if align_corners:
        place = at * (small - 1) / (full - 1) if full > 1 else 0.0
    else:
        place = max((at + 0.5) * small / full - 0.5, 0.0)
    first = min(int(place), small - 1)
    return np.array([first, min(first + 1, small - 1)], np.intp), place - first


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """labels: uint8 (H, W), class ids at frame size, read-only.

    class_pixels: int64 (256,), how many pixels of `labels` carry each id.
    logits: the net's answer at its own stride, for confidence under the cursor and views.
    model: name of the model's folder. request: the number of the asking; a prediction with an
    older number than the current one is not shown. input_size: (h, w) the net really saw.
    notes: what people should know ("input reduced to 512×288: out of memory"). peak_mb: most memory
    in MiB that the model took on a CUDA device during this prediction, its weights included; None
    where nobody can tell. seen: what was asked to be seen inside the model.
    """

    frame: Frame
    model: str
    classes: ClassMap
    labels: NDArray[np.uint8]
    class_pixels: NDArray[np.int64]
    logits: Logits
    timing: Timing
    input_size: tuple[int, int]
    device: str
    request: int = 0
    notes: tuple[str, ...] = ()
    peak_mb: float | None = None
    seen: Seen | None = None
