"""What DDRNet introduced and PIDNet took over: residual stages, pyramid pooling, head.

Hong, Pan, Sun, Jia, "Deep Dual-resolution Networks for Real-time and Accurate Semantic
Segmentation of Road Scenes", 2021, https://arxiv.org/abs/2101.06085: Figure 4 and Table 1 (blocks
and stages), Figure 5 (DAPPM). As in the authors' code a stage ends before its last ReLU, so that
branches exchange what is not yet rectified; whoever uses a stage's output rectifies it.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

POOLINGS = ((5, 2), (9, 4), (17, 8))
"""(window, stride) of the pyramid between the map itself and its mean."""


def conv_bn(inner: int, outer: int, kernel: int = 1, stride: int = 1) -> nn.Sequential:
    """Convolution without bias and batch norm; "same" padding."""
    return nn.Sequential(
        nn.Conv2d(inner, outer, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(outer)
    )


def bn_relu_conv(inner: int, outer: int, kernel: int = 1, groups: int = 1) -> nn.Sequential:
    """Batch norm and ReLU before the convolution, which has no bias."""
    return nn.Sequential(
        nn.BatchNorm2d(inner),
        nn.ReLU(inplace=True),
        nn.Conv2d(inner, outer, kernel, 1, kernel // 2, groups=groups, bias=False),
    )


def enlarged(x: Tensor, like: Tensor) -> Tensor:
    """(N, C, h, w) -> (N, C, H, W) of the other map, bilinear."""
    return F.interpolate(x, size=like.shape[2:], mode="bilinear", align_corners=False)


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut; is_last: the sum is not rectified."""

    def __init__(self, inner: int, outer: int, stride: int = 1, *, is_last: bool) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inner, outer, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outer)
        self.conv2 = nn.Conv2d(outer, outer, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outer)
        is_plain = stride == 1 and inner == outer
        self.shortcut = nn.Identity() if is_plain else conv_bn(inner, outer, 1, stride)
        self.is_last = is_last

    def forward(self, x: Tensor) -> Tensor:
        """(N, inner, h, w) -> (N, outer, h/stride, w/stride)."""
        branch = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        out: Tensor = branch + self.shortcut(x)
        return out if self.is_last else F.relu(out)


class Bottleneck(nn.Module):
    """1x1, 3x3, 1x1 to twice the width, and a shortcut; the sum is never rectified."""

    def __init__(self, inner: int, width: int, stride: int = 1) -> None:
        super().__init__()
        outer = 2 * width
        self.conv1 = nn.Conv2d(inner, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, outer, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outer)
        is_plain = stride == 1 and inner == outer
        self.shortcut = nn.Identity() if is_plain else conv_bn(inner, outer, 1, stride)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inner, h, w) -> (N, 2 width, h/stride, w/stride)."""
        x1 = F.relu(self.bn1(self.conv1(x)))
        x2 = F.relu(self.bn2(self.conv2(x1)))
        out: Tensor = self.bn3(self.conv3(x2)) + self.shortcut(x)
        return out


def basic_stage(inner: int, outer: int, count: int, stride: int = 1) -> nn.Sequential:
    """`count` basic blocks, the first with the stride."""
    widths = [inner] + [outer] * count
    return nn.Sequential(
        *(
            BasicBlock(a, b, stride if i == 0 else 1, is_last=i == count - 1)
            for i, (a, b) in enumerate(pairwise(widths))
        )
    )


def bottleneck_stage(inner: int, width: int, count: int = 1, stride: int = 1) -> nn.Sequential:
    """`count` bottlenecks to 2 * width channels, the first with the stride."""
    first = Bottleneck(inner, width, stride)
    return nn.Sequential(first, *(Bottleneck(2 * width, width) for _ in range(count - 1)))


def stem(width: int, *, bias: bool) -> nn.Sequential:
    """Two 3x3 convolutions of stride 2. bias: whether they have one (the authors' have)."""
    return nn.Sequential(
        nn.Conv2d(3, width, 3, 2, 1, bias=bias),
        nn.BatchNorm2d(width),
        nn.ReLU(inplace=True),
        nn.Conv2d(width, width, 3, 2, 1, bias=bias),
        nn.BatchNorm2d(width),
        nn.ReLU(inplace=True),
    )


def pooled(x: Tensor) -> list[Tensor]:
    """The map itself, its averages of three windows, and its mean."""
    means = [F.avg_pool2d(x, window, stride, window // 2) for window, stride in POOLINGS]
    return [x, *means, x.mean((2, 3), keepdim=True)]


class DAPPM(nn.Module):
    """Deep aggregation pyramid pooling: each scale takes up the finer one before it (Figure 5)."""

    def __init__(self, inner: int, width: int, outer: int) -> None:
        super().__init__()
        count = len(POOLINGS) + 2
        self.scales = nn.ModuleList(bn_relu_conv(inner, width) for _ in range(count))
        self.processes = nn.ModuleList(bn_relu_conv(width, width, 3) for _ in range(count - 1))
        self.compression = bn_relu_conv(count * width, outer)
        self.shortcut = bn_relu_conv(inner, outer)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inner, h, w) -> (N, outer, h, w)."""
        first, *rest = (scale(p) for scale, p in zip(self.scales, pooled(x), strict=True))
        found = [first]
        for process, coarse in zip(self.processes, rest, strict=True):
            found.append(process(enlarged(coarse, x) + found[-1]))
        out: Tensor = self.compression(torch.cat(found, 1)) + self.shortcut(x)
        return out


class Head(nn.Sequential):
    """3x3 convolution and classifier, each after batch norm and ReLU."""

    def __init__(self, inner: int, width: int, num_classes: int) -> None:
        super().__init__(
            *bn_relu_conv(inner, width, 3),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            nn.Conv2d(width, num_classes, 1),
        )


def start(net: nn.Module) -> None:
    """Kaiming-normal convolutions; batch norm starts at identity."""
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
