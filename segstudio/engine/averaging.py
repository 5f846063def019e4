"""The mean of several answers about one picture: of its mirror image, of other input sizes.

Averaged are probabilities (softmax), as in the papers that report multi-scale figures; the mean is
handed on as logarithms, so that a softmax gives it back.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

LEAST = 1e-12
"""Probabilities below have no logarithm worth telling apart."""


class Mean:
    """Takes answers, float32 (C, h, w) of any h and w; a single one stays as it is.

    align_corners: how an answer lies over the picture, in torch's meaning.
    """

    def __init__(self, *, align_corners: bool) -> None:
        self._align_corners = align_corners
        self._single: Tensor | None = None
        self._sum: Tensor | None = None
        self._count = 0

    def add(self, logits: Tensor, *, is_mirrored: bool) -> None:
        """One more answer; is_mirrored: about the mirror image."""
        if is_mirrored:
            logits = logits.flip(2)
        self._count += 1
        if self._count == 1:
            self._single = logits
            return
        if self._single is not None:
            self._sum, self._single = self._single.softmax(0), None
        assert self._sum is not None
        more = logits.softmax(0)
        # On the finer of the two grids: nothing that was answered is lost.
        if more.shape[1] * more.shape[2] > self._sum.shape[1] * self._sum.shape[2]:
            self._sum = self._enlarged(self._sum, more)
        elif more.shape != self._sum.shape:
            more = self._enlarged(more, self._sum)
        self._sum = self._sum + more

    def logits(self) -> Tensor:
        """float32 (C, h, w), contiguous: the single answer, or the logarithm of the mean."""
        if self._single is not None:
            return self._single.contiguous()
        if self._sum is None:
            raise RuntimeError("the mean of no answers")
        return torch.log((self._sum / self._count).clamp_min(LEAST)).contiguous()

    def _enlarged(self, planes: Tensor, like: Tensor) -> Tensor:
        return F.interpolate(
            planes[None], like.shape[1:], mode="bilinear", align_corners=self._align_corners
        )[0]
