"""Dense conditional random field: labels follow the borders that the picture has.

Krähenbühl, Koltun, "Efficient Inference in Fully Connected CRFs with Gaussian Edge Potentials",
NIPS 2011, as post-processing of DeepLab v1 and v2 (Chen et al., arXiv 1412.7062 and 1606.00915):
every pixel is tied to every other one, the more so the nearer and the more alike in colour they
are; mean field approximates the distribution over all labellings. The compatibility is Potts's.

As is usual in practice, kernels are normalised: K = D^-1/2 k D^-1/2 with D the sums of k's rows,
and a pixel's own value stays in its sum. The appearance kernel is filtered on the permutohedral
lattice (an approximation), the smoothness kernel by a separable Gaussian of four deviations.

Ten iterations on 480 × 360 pixels of a dashcam take about one second on one CPU core with 11
classes and one and a half with 21; a noisy picture fills more of the lattice and takes several.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from segstudio.engine import lattice
from segstudio.engine.lattice import Lattice
from segstudio.engine.preprocess import resized

Float = NDArray[np.float32]

LEAST = 1e-8
"""Probability below which a logarithm is cut off."""

MORE_THAN_INPUT = 1.25
"""A frame with up to this many times the pixels of the input is refined at its own size."""


@dataclass(frozen=True, slots=True)
class CrfSettings:
    """iterations: of mean field. appearance, smoothness: weights of the two kernels (w1, w2).
    position_sigma: pixels, color_sigma: 0..255 (of the appearance kernel, sigma alpha and beta).
    smooth_sigma: pixels (sigma gamma). Defaults: DeepLab's.
    """

    iterations: int = 10
    appearance: float = 4.0
    position_sigma: float = 67.0
    color_sigma: float = 3.0
    smoothness: float = 3.0
    smooth_sigma: float = 3.0


def mean_field(
    probabilities: Float, rgb: NDArray[np.uint8], settings: CrfSettings | None = None
) -> Float:
    """float32 (H, W, C), a softmax, and uint8 (H, W, 3) -> float32 (H, W, C), refined."""
    settings = settings or CrfSettings()
    unary = np.log(np.maximum(probabilities, np.float32(LEAST)))
    appearance = _Appearance(rgb, settings)
    smoothness = _Smoothness(rgb.shape[:2], settings)
    q = _softmax(unary)
    for _ in range(settings.iterations):
        # Potts: what speaks for one label speaks against all others, and a sum over all labels
        # is the same for each, so only what speaks for it is left.
        q = _softmax(
            unary
            + np.float32(settings.appearance) * appearance.filter(q)
            + np.float32(settings.smoothness) * smoothness.filter(q)
        )
    return q


def refined(
    logits: Tensor,
    rgb: NDArray[np.uint8],
    size: tuple[int, int],
    *,
    align_corners: bool,
    settings: CrfSettings | None = None,
) -> Tensor:
    """float32 (C, a, b) -> float32 (C, h, w), logarithms of the refined probabilities.

    rgb: the frame, uint8 (H, W, 3). size: (h, w) of the net's input. The work is done at frame
    size, or at the input's where the frame is much larger. The result lies over the frame without
    aligned corners.
    """
    frame = (rgb.shape[0], rgb.shape[1])
    at = frame if frame[0] * frame[1] <= MORE_THAN_INPUT * size[0] * size[1] else size
    large = F.interpolate(
        logits[None].cpu().float(), at, mode="bilinear", align_corners=align_corners
    )[0]
    probabilities = large.softmax(0).permute(1, 2, 0).contiguous().numpy()
    q = mean_field(probabilities, resized(rgb, at), settings)
    return torch.from_numpy(np.log(np.maximum(q, LEAST))).permute(2, 0, 1).contiguous()


def warm_up() -> None:
    """Compile what refining needs."""
    lattice.warm_up()


class _Appearance:
    """exp(-|p_i - p_j|² / 2 sigma_alpha² - |I_i - I_j|² / 2 sigma_beta²), normalised."""

    def __init__(self, rgb: NDArray[np.uint8], settings: CrfSettings) -> None:
        height, width = rgb.shape[:2]
        features = np.empty((height, width, 5), np.float32)
        features[..., 0] = np.arange(height)[:, None] / settings.position_sigma
        features[..., 1] = np.arange(width)[None, :] / settings.position_sigma
        features[..., 2:] = rgb / np.float32(settings.color_sigma)
        self._lattice = Lattice(features.reshape(-1, 5))
        ones = np.ones((height * width, 1), np.float32)
        sums = np.maximum(self._lattice.filter(ones), np.float32(1e-20))
        self._norm: Float = (1 / np.sqrt(sums)).astype(np.float32)

    def filter(self, values: Float) -> Float:
        """float32 (H, W, C) -> the same shape."""
        flat: Float = values.reshape(-1, values.shape[2]) * self._norm
        out: Float = self._lattice.filter(flat) * self._norm
        return out.reshape(values.shape)


class _Smoothness:
    """exp(-|p_i - p_j|² / 2 sigma_gamma²), normalised."""

    def __init__(self, size: tuple[int, int], settings: CrfSettings) -> None:
        reach = int(np.ceil(4 * settings.smooth_sigma))
        at = np.arange(-reach, reach + 1) / settings.smooth_sigma
        self._line = np.exp(-(at**2) / 2).astype(np.float32)
        self._norm: Float = np.ones(1, np.float32)
        ones = np.ones((*size, 1), np.float32)
        self._norm = (1 / np.sqrt(self.filter(ones))).astype(np.float32)

    def filter(self, values: Float) -> Float:
        """float32 (H, W, C) -> the same shape."""
        out = cv2.sepFilter2D(
            values * self._norm, cv2.CV_32F, self._line, self._line, borderType=cv2.BORDER_CONSTANT
        )
        return np.asarray(out.reshape(values.shape) * self._norm, np.float32)


def _softmax(values: Float) -> Float:
    e = np.exp(values - values.max(2, keepdims=True))
    return np.asarray(e / e.sum(2, keepdims=True), np.float32)
