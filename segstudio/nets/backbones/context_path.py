"""What BiSeNet introduced and STDC-Seg took over: refinement, context path, fusion, heads.

Yu, Wang, Peng, Gao, Yu, Sang, "BiSeNet: Bilateral Segmentation Network for Real-time Semantic
Segmentation", ECCV 2018, https://arxiv.org/abs/1808.00897, Figure 2.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class ConvBNReLU(nn.Sequential):
    """Convolution without bias, batch norm, ReLU; "same" padding for odd kernels."""

    def __init__(self, inner: int, outer: int, kernel: int = 3, stride: int = 1) -> None:
        super().__init__(
            nn.Conv2d(inner, outer, kernel, stride, kernel // 2, bias=False),
            nn.BatchNorm2d(outer),
            nn.ReLU(inplace=True),
        )


def _mean(x: Tensor) -> Tensor:
    """(N, C, h, w) -> (N, C, 1, 1)."""
    return x.mean((2, 3), keepdim=True)


class AttentionRefinement(nn.Module):
    """Attention refinement module (Figure 2b): channels weighted by what the whole map says.

    As in the common implementations a 3x3 convolution stands before it.
    """

    def __init__(self, inner: int, outer: int) -> None:
        super().__init__()
        self.conv = ConvBNReLU(inner, outer)
        self.attention = nn.Sequential(
            nn.Conv2d(outer, outer, 1, bias=False), nn.BatchNorm2d(outer)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, inner, h, w) -> (N, outer, h, w)."""
        x = self.conv(x)
        return x * torch.sigmoid(self.attention(_mean(x)))


class ContextPath(nn.Module):
    """From the stages at 1/16 and 1/32 of a backbone to maps at 1/8 and 1/16 (Figure 2a).

    inner16, inner32: channels of the two stages. Maps are enlarged by nearest neighbour.
    """

    def __init__(self, inner16: int, inner32: int, width: int = 128) -> None:
        super().__init__()
        self.arm16 = AttentionRefinement(inner16, width)
        self.arm32 = AttentionRefinement(inner32, width)
        self.average = ConvBNReLU(inner32, width, 1)
        self.up32 = ConvBNReLU(width, width)
        self.up16 = ConvBNReLU(width, width)

    def forward(self, eighth: Tensor, x16: Tensor, x32: Tensor) -> tuple[Tensor, Tensor]:
        """Stages at 1/8 (for its size alone), 1/16, 1/32 -> maps at 1/8 and 1/16."""
        x = self.arm32(x32) + self.average(_mean(x32))
        sixteenth = self.up32(F.interpolate(x, size=x16.shape[2:]))
        x = self.arm16(x16) + sixteenth
        return self.up16(F.interpolate(x, size=eighth.shape[2:])), sixteenth


class FeatureFusion(nn.Module):
    """Feature fusion module (Figure 2c): two maps side by side, channels weighted, added.

    gate: what weighs the channels: "two" 1x1 convolutions with a ReLU between, as in the paper;
    "one" with batch norm; "one-relu", the same and a ReLU before the sigmoid.
    ValueError for another.
    """

    def __init__(self, inner: int, outer: int, *, gate: str) -> None:
        super().__init__()
        self.conv = ConvBNReLU(inner, outer, 1)
        if gate == "two":
            layers: list[nn.Module] = [
                nn.Conv2d(outer, outer // 4, 1, bias=False),
                nn.ReLU(inplace=True),
                nn.Conv2d(outer // 4, outer, 1, bias=False),
            ]
        elif gate in ("one", "one-relu"):
            layers = [nn.Conv2d(outer, outer, 1, bias=False), nn.BatchNorm2d(outer)]
            if gate == "one-relu":
                layers.append(nn.ReLU(inplace=True))
        else:
            raise ValueError(f"gate {gate!r} is none of 'two', 'one', 'one-relu'")
        self.attention = nn.Sequential(*layers)

    def forward(self, spatial: Tensor, context: Tensor) -> Tensor:
        """Two maps of one size, inner channels together -> (N, outer, h, w)."""
        x: Tensor = self.conv(torch.cat([spatial, context], 1))
        return x + x * torch.sigmoid(self.attention(_mean(x)))


class Head(nn.Sequential):
    """3x3 convolution and 1x1 classifier."""

    def __init__(self, inner: int, width: int, num_classes: int, *, bias: bool = True) -> None:
        super().__init__(ConvBNReLU(inner, width), nn.Conv2d(width, num_classes, 1, bias=bias))


def start_context(net: nn.Module) -> None:
    """Kaiming-normal weights; batch norm starts at identity."""
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, a=1)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
