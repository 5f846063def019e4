"""A frame becomes the net's input.

The resize runs on 8-bit pixels on the CPU (cv2; a quarter of the bytes of float, and the same
code in training), the rest on the device: 3 bytes per pixel travel, not 12.
"""

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from segstudio.core.catalogue import InputRule

AREA_FROM = 2.0
"""From this reduction on pixels are averaged: bilinear would pass over some of them."""


def resized(rgb: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """uint8 (H, W, 3) -> uint8 (h, w, 3); always an array of its own, C-contiguous, writable."""
    height, width = rgb.shape[:2]
    if (height, width) == size:
        return rgb.copy()
    shrink = min(height / size[0], width / size[1])
    way = cv2.INTER_AREA if shrink > AREA_FROM else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(rgb, (size[1], size[0]), interpolation=way), np.uint8)


class Preparer:
    """Turns frames into inputs by one InputRule for one device and number type."""

    def __init__(
        self, rule: InputRule, device: torch.device, dtype: torch.dtype = torch.float32
    ) -> None:
        self._is_bgr = rule.channels == "BGR"
        self._device = device
        self._dtype = dtype
        mean, std = np.array(rule.mean, np.float64), np.array(rule.std, np.float64)
        gain = 1.0 / (rule.scale * std * rule.divide_after)
        offset = -mean / (std * rule.divide_after)
        self._gain, self._offset = (
            torch.tensor(v, dtype=torch.float32, device=device) for v in (gain, offset)
        )
        self._rows: dict[int, tuple[Tensor, Tensor]] = {}

    def __call__(self, rgb: NDArray[np.uint8], size: tuple[int, int]) -> Tensor:
        """uint8 (H, W, 3) -> float (1, 3, h, w) on the device, channels-last in memory."""
        small = resized(rgb, size)
        if self._is_bgr:
            cv2.cvtColor(small, cv2.COLOR_RGB2BGR, dst=small)
        pixels = torch.from_numpy(small).to(self._device, non_blocking=True)
        height, width = size
        gain, offset = self._row(width)
        # A row of pixels at a time: seven times faster than three channels at a time.
        x = pixels.view(height, 3 * width).to(torch.float32)
        torch.addcmul(offset, x, gain, out=x)
        return x.view(1, height, width, 3).permute(0, 3, 1, 2).to(self._dtype)

    def _row(self, width: int) -> tuple[Tensor, Tensor]:
        """Gain and offset of every value in a row of that many pixels."""
        if width not in self._rows:
            self._rows = {width: (self._gain.repeat(width), self._offset.repeat(width))}
        return self._rows[width]
