"""Which pixels of the frame, and which class, is asked about."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from segstudio.core.look import EvidenceLook, Pixel
from segstudio.core.regions import region_at
from segstudio.errors import ModelError


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """channel: of the net's answer. mask: bool (H, W), the frame pixels that count, never none.

    align_corners: how the net's answer is enlarged to the frame.
    """

    channel: int
    mask: NDArray[np.bool_]
    align_corners: bool

    def score(self, logits: Tensor) -> Tensor:
        """float (1, C, h, w) -> float (): sum over the mask of the enlarged logits of the class.

        Seg-Grad-CAM's target: Vinogradova, Dibrov, Myers, "Towards Interpretable Semantic
        Segmentation via Gradient-weighted Class Activation Mapping", AAAI 2020 (student abstract).
        """
        plane = logits[:, self.channel : self.channel + 1]
        plane = plane.to(torch.promote_types(plane.dtype, torch.float32))
        large = F.interpolate(
            plane, size=self.mask.shape, mode="bilinear", align_corners=self.align_corners
        )
        mask = torch.from_numpy(self.mask).to(logits.device)
        return (large[0, 0] * mask).sum()


def target_of(
    look: EvidenceLook,
    labels: NDArray[np.uint8],
    class_ids: NDArray[np.uint8],
    *,
    align_corners: bool,
) -> Target:
    """What a look is about.

    labels: uint8 (H, W), class ids. class_ids: uint8 (C,), of each channel. ModelError when there
    is no such pixel, class or place.
    """
    if look.pixel is None and (look.target != "class" or look.class_id is None):
        raise ModelError("Evidence is for something: click a pixel of the picture first.")
    if look.pixel is not None and not _is_inside(look.pixel, labels.shape):
        raise ModelError(
            f"The pixel ({look.pixel[1]}, {look.pixel[0]}) lies outside of the picture; click one"
            " inside."
        )
    if look.class_id is not None:
        class_id = look.class_id
    else:
        assert look.pixel is not None
        class_id = int(labels[look.pixel])
    channels = np.flatnonzero(class_ids == class_id)
    if len(channels) == 0:
        raise ModelError(f"This model does not know the class {class_id}; choose one of its own.")
    mask = _mask(look, labels, class_id)
    if not mask.any():
        raise ModelError(
            "Nothing on this picture is predicted as that class; choose another class, or a pixel."
        )
    return Target(int(channels[0]), mask, align_corners)


def at_places(maps: Tensor, rows: NDArray[np.float64], cols: NDArray[np.float64]) -> Tensor:
    """float (N, C, h, w) -> float32 (N, C, n), bilinear between cells.

    rows, cols: float64 (n,), 0.0 is the middle of cell 0; beyond the outermost middles it stays
    the same.
    """
    y0, y1, wy = _neighbours(rows, maps.shape[2], maps.device)
    x0, x1, wx = _neighbours(cols, maps.shape[3], maps.device)
    upper = maps[:, :, y0, x0].float() * (1 - wx) + maps[:, :, y0, x1].float() * wx
    lower = maps[:, :, y1, x0].float() * (1 - wx) + maps[:, :, y1, x1].float() * wx
    return upper * (1 - wy) + lower * wy


def enlarged_from(
    pixels: NDArray[np.intp], full: int, small: int, *, align_corners: bool
) -> NDArray[np.float64]:
    """Where, among `small` cells, pixels of `full` come from: torch's bilinear, along one side."""
    if align_corners:
        return np.asarray(pixels * ((small - 1) / (full - 1) if full > 1 else 0.0), np.float64)
    return np.asarray(np.maximum((pixels + 0.5) * small / full - 0.5, 0.0), np.float64)


def _neighbours(
    places: NDArray[np.float64], cells: int, device: torch.device
) -> tuple[Tensor, Tensor, Tensor]:
    """The two cells around each place, and the weight of the second."""
    at = np.clip(places, 0.0, cells - 1)
    first = at.astype(np.int64)
    weight = torch.from_numpy((at - first).astype(np.float32)).to(device)
    second = np.minimum(first + 1, cells - 1)
    return torch.from_numpy(first).to(device), torch.from_numpy(second).to(device), weight


def _mask(look: EvidenceLook, labels: NDArray[np.uint8], class_id: int) -> NDArray[np.bool_]:
    """bool (H, W)."""
    if look.target == "class":
        return np.asarray(labels == class_id)
    assert look.pixel is not None
    mask = np.zeros(labels.shape, np.bool_)
    if look.target == "pixel":
        mask[look.pixel] = True
        return mask
    area = region_at(np.ascontiguousarray(labels), look.pixel)
    mask[area.rect.slices] = area.mask
    return mask


def _is_inside(pixel: Pixel, shape: tuple[int, ...]) -> bool:
    return 0 <= pixel[0] < shape[0] and 0 <= pixel[1] < shape[1]
