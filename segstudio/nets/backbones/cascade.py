"""What the three ICNets share: the light branch, the cascade feature fusion, the summed pyramid.

Zhao, Qi, Shen, Shi, Jia, "ICNet for Real-Time Semantic Segmentation on High-Resolution Images",
ECCV 2018, https://arxiv.org/abs/1704.08545, section 3.
"""

from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional as F


def conv_block(
    inner: int,
    outer: int,
    kernel: int = 1,
    *,
    stride: int = 1,
    dilation: int = 1,
    batch_norm: bool = True,
    relu: bool = True,
) -> nn.Sequential:
    """Convolution with "same" padding, batch norm, ReLU.

    batch_norm: False for weights whose batch norm was merged into the convolution, which then has
    a bias.
    """
    layers: list[nn.Module] = [
        nn.Conv2d(
            inner,
            outer,
            kernel,
            stride,
            dilation * (kernel // 2),
            dilation=dilation,
            bias=not batch_norm,
        )
    ]
    if batch_norm:
        layers.append(nn.BatchNorm2d(outer))
    if relu:
        layers.append(nn.ReLU(inplace=True))
    return nn.Sequential(*layers)


def light_branch(*, batch_norm: bool = True) -> nn.Sequential:
    """The full image in three convolutions: (N, 3, H, W) -> (N, 64, H/8, W/8)."""
    widths = (3, 32, 32, 64)
    return nn.Sequential(
        *(
            conv_block(inner, outer, 3, stride=2, batch_norm=batch_norm)
            for inner, outer in pairwise(widths)
        )
    )


class CascadeFusion(nn.Module):
    """Cascade feature fusion (Figure 3): a coarse map, enlarged, and a finer one become one.

    relu_each: a ReLU also stands behind either convolution (mmsegmentation).
    """

    def __init__(
        self,
        low: int,
        high: int,
        outer: int = 128,
        *,
        align_corners: bool = True,
        batch_norm: bool = True,
        relu_each: bool = False,
    ) -> None:
        super().__init__()
        self.low = conv_block(low, outer, 3, dilation=2, batch_norm=batch_norm, relu=relu_each)
        self.high = conv_block(high, outer, batch_norm=batch_norm, relu=relu_each)
        self._align_corners = align_corners

    def forward(self, low: Tensor, high: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(N, low, h, w) and (N, high, 2h, 2w) -> three maps of the finer size.

        They are: the enlarged coarse map, the same after its convolution, the fused map.
        """
        enlarged = F.interpolate(
            low, size=high.shape[2:], mode="bilinear", align_corners=self._align_corners
        )
        coarse: Tensor = self.low(enlarged)
        return enlarged, coarse, F.relu(coarse + self.high(high))


class SummedPyramid(nn.Module):
    """Pyramid pooling without convolutions: averages of 1, 2, 3 and 6 bins are added to the map.

    like_caffe: a map of 33x65, which is what an image of 1025x2049 comes to, is pooled by the
    windows that the authors' net spells out. With 3 and 6 bins they are larger than adaptive ones.
    """

    def __init__(self, *, like_caffe: bool = False) -> None:
        super().__init__()
        self._like_caffe = like_caffe

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, h, w) -> the same shape."""
        total = x
        size = x.shape[2:]
        explicit = self._like_caffe and tuple(size) == CAFFE_SIZE
        for bins, (window, step) in CAFFE_WINDOWS.items():
            pooled = F.avg_pool2d(x, window, step) if explicit else F.adaptive_avg_pool2d(x, bins)
            total = total + F.interpolate(pooled, size=size, mode="bilinear", align_corners=True)
        return total


CAFFE_SIZE = (33, 65)

CAFFE_WINDOWS = {
    1: ((33, 65), (33, 65)),
    2: ((17, 33), (16, 32)),
    3: ((13, 25), (10, 20)),
    6: ((8, 15), (5, 10)),
}
"""Bins a side -> window and step (h, w), as icnet_cityscapes.prototxt has them."""


def halved(x: Tensor) -> Tensor:
    """The map at half the size, its corners kept: 2n + 1 points become n + 1, 2n become n."""
    height, width = ((side - 1) // 2 + 1 for side in x.shape[2:])
    return F.interpolate(x, size=(height, width), mode="bilinear", align_corners=True)


def start_cascade(net: nn.Module) -> None:
    """Kaiming-normal weights, no biases ("msra" in the authors' file)."""
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
