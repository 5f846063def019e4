"""Blocks that several nets of the zoo are built from."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class ConvBNReLU(nn.Sequential):
    """Convolution without bias (member 0), batch norm (1) and, unless relu is False, ReLU (2).

    "Same" padding for odd kernels: (N, inner, h, w) -> (N, outer, h/stride, w/stride).
    """

    def __init__(
        self,
        inner: int,
        outer: int,
        kernel: int = 1,
        *,
        stride: int = 1,
        dilation: int = 1,
        groups: int = 1,
        relu: bool = True,
    ) -> None:
        padding = dilation * (kernel // 2)
        layers: list[nn.Module] = [
            nn.Conv2d(inner, outer, kernel, stride, padding, dilation, groups, bias=False),
            nn.BatchNorm2d(outer),
        ]
        if relu:
            layers.append(nn.ReLU(inplace=True))
        super().__init__(*layers)


class SeparableConv(nn.Sequential):
    """3x3 depthwise (member 0), then 1x1 (member 1), each with batch norm.

    relu: behind either convolution too, as the DeepLab v3+ paper has it (section 3.1).
    """

    def __init__(
        self, inner: int, outer: int, *, stride: int = 1, dilation: int = 1, relu: bool = True
    ) -> None:
        super().__init__(
            ConvBNReLU(inner, inner, 3, stride=stride, dilation=dilation, groups=inner, relu=relu),
            ConvBNReLU(inner, outer, relu=relu),
        )


class ImagePool(nn.Module):
    """Image-level features: the mean over all places, 1x1 convolution, spread over all places."""

    def __init__(self, inner: int, outer: int) -> None:
        super().__init__()
        self.conv = ConvBNReLU(inner, outer)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inner, h, w) -> (N, outer, h, w)."""
        pooled: Tensor = self.conv(x.mean((2, 3), keepdim=True))
        return pooled.expand(-1, -1, *x.shape[2:])


class ASPP(nn.Module):
    """Atrous spatial pyramid pooling with image-level features.

    Chen et al., https://arxiv.org/abs/1706.05587, Figure 5: a 1x1 and three dilated 3x3
    convolutions and the image pool see the same map; they are concatenated in this order and
    projected. separable: the 3x3 convolutions are depthwise separable (DeepLab v3+).
    project_kernel: 1 as in the paper, 3 in MMSegmentation. (N, inner, h, w) -> (N, outer, h, w).
    """

    def __init__(
        self,
        inner: int,
        outer: int,
        rates: Iterable[int],
        *,
        separable: bool = False,
        project_kernel: int = 1,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        atrous = (
            SeparableConv(inner, outer, dilation=rate)
            if separable
            else ConvBNReLU(inner, outer, 3, dilation=rate)
            for rate in rates
        )
        self.branches = nn.ModuleList([ConvBNReLU(inner, outer), *atrous, ImagePool(inner, outer)])
        self.project = ConvBNReLU(len(self.branches) * outer, outer, project_kernel)
        self.dropout = nn.Dropout2d(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        x = self.project(torch.cat([branch(x) for branch in self.branches], 1))
        out: Tensor = self.dropout(x)
        return out


class PyramidPooling(nn.Module):
    """The pyramid pooling module of PSPNet.

    Zhao et al., https://arxiv.org/abs/1612.01105, Figure 3c: means over a grid of 1, 2, 3 and 6
    bins a side, 1x1 convolution to inner / 4 channels each, enlarged and concatenated behind the
    map itself. (N, inner, h, w) -> (N, 2 inner, h, w).

    pooling: "adaptive" covers every place where h or w is no multiple of the bins; "floor" has
    bins of h // bins by w // bins and leaves the rest out (meetps), so h and w are 6 at least.
    """

    def __init__(
        self,
        inner: int,
        *,
        bins: Sequence[int] = (1, 2, 3, 6),
        align_corners: bool,
        pooling: str = "adaptive",
    ) -> None:
        super().__init__()
        if pooling not in ("adaptive", "floor"):
            raise ValueError(f"pooling {pooling!r} is none of 'adaptive', 'floor'")
        self.levels = nn.ModuleList(ConvBNReLU(inner, inner // len(bins)) for _ in bins)
        self._bins, self._align_corners, self._pooling = tuple(bins), align_corners, pooling

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        levels = [
            enlarge(level(self._pool(x, side)), x, align_corners=self._align_corners)
            for side, level in zip(self._bins, self.levels, strict=True)
        ]
        return torch.cat([x, *levels], 1)

    def _pool(self, x: Tensor, side: int) -> Tensor:
        if self._pooling == "floor":
            bin_size = (x.shape[2] // side, x.shape[3] // side)
            return F.avg_pool2d(x, bin_size, bin_size)
        return F.adaptive_avg_pool2d(x, side)


class ConvHead(nn.Sequential):
    """3x3 convolution, dropout, 1x1 classifier: (N, inner, h, w) -> logits (N, C, h, w).

    Members 0 (ConvBNReLU) and 2 (classifier) have weights.
    """

    def __init__(self, inner: int, width: int, num_classes: int, *, dropout: float = 0.1) -> None:
        super().__init__(
            ConvBNReLU(inner, width, 3),
            nn.Dropout2d(dropout),
            nn.Conv2d(width, num_classes, 1),
        )


def enlarge(x: Tensor, like: Tensor, *, align_corners: bool) -> Tensor:
    """Bilinear to the height and width of `like`."""
    return F.interpolate(x, size=like.shape[2:], mode="bilinear", align_corners=align_corners)
