"""ESPNet.

Mehta, Rastegari, Caspi, Shapiro, Hajishirzi, "ESPNet: Efficient Spatial Pyramid of Dilated
Convolutions for Semantic Segmentation", ECCV 2018, https://arxiv.org/abs/1803.06815. The ESP
module is that of section 3 and Figure 1, the net that of Figure 4 (d): an encoder with three
spatial levels, the reduced input led past them ("input reinforcement"), and a decoder as light as
its channels are few, one for each class. p and q are the paper's alpha_2 and alpha_3. Batch norm
with eps 1e-3 and PReLU with one slope a channel, as the authors' release has them.

One deviation: the decoder is at least five channels wide, because an ESP module splits into five.
Logits have the size of the input. With p = 2, q = 8 and 12 classes: 354,517 parameters.
"""

from itertools import accumulate

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segstudio.nets.registry import NetOutput, Tap, net

DILATIONS = (1, 2, 4, 8, 16)
"""Of the K = 5 branches of an ESP module: 2^(k-1)."""

TAPS = (
    Tap("level1", 2, 16),
    Tap("level1_merge", 2, 19),
    Tap("level2", 4, 64),
    Tap("level2_merge", 4, 131),
    Tap("level3", 8, 128),
    Tap("level3_merge", 8, 256),
)


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3)


def _norm_act(channels: int) -> nn.Sequential:
    return nn.Sequential(_norm(channels), nn.PReLU(channels))


def _conv_norm_act(inner: int, outer: int, stride: int = 1) -> nn.Sequential:
    conv = nn.Conv2d(inner, outer, 3, stride, 1, bias=False)
    return nn.Sequential(conv, _norm(outer), nn.PReLU(outer))


def _double(inner: int, outer: int) -> nn.ConvTranspose2d:
    """Twice the size, learned; neighbouring results share no input."""
    return nn.ConvTranspose2d(inner, outer, 2, 2, bias=False)


class ESP(nn.Module):
    """Efficient spatial pyramid: reduce, split, transform, merge (section 3.1).

    stride 2: the reduction is a 3x3 convolution of stride 2 instead of a point-wise one.
    residual: the input is added to the merged branches (only where shapes are equal).
    """

    def __init__(self, inner: int, outer: int, *, stride: int = 1, residual: bool = False) -> None:
        super().__init__()
        width = outer // len(DILATIONS)
        # What the division leaves over goes to the branch that is not dilated.
        first = outer - (len(DILATIONS) - 1) * width
        kernel = 3 if stride == 2 else 1
        self.reduce = nn.Conv2d(inner, width, kernel, stride, kernel // 2, bias=False)
        self.branches = nn.ModuleList(
            nn.Conv2d(width, first if d == 1 else width, 3, 1, d, d, bias=False) for d in DILATIONS
        )
        self.last = _norm_act(outer)
        self.residual = residual

    def forward(self, x: Tensor) -> Tensor:
        """(N, inner, h, w) -> (N, outer, h/stride, w/stride)."""
        reduced = self.reduce(x)
        plain, *dilated = (branch(reduced) for branch in self.branches)
        # Hierarchical feature fusion: sums from small to large dilation, against gridding.
        merged = torch.cat([plain, *accumulate(dilated)], 1)
        out: Tensor = self.last(x + merged if self.residual else merged)
        return out


class ESPNet(nn.Module):
    """Encoder of ESP modules and a decoder with one channel for each class.

    Input: float32 (N, 3, H, W), H and W multiples of 8. Output: logits (N, C, H, W).
    p, q: how many ESP modules the second and third level repeat. decoder_width: channels of the
    decoder (0: one for each class, as in the paper); a net that goes on to other classes keeps it.
    """

    def __init__(self, num_classes: int, *, p: int = 2, q: int = 8, decoder_width: int = 0) -> None:
        super().__init__()
        self.level1 = _conv_norm_act(3, 16, stride=2)
        self.level1_merge = _norm_act(16 + 3)
        self.level2_down = ESP(16 + 3, 64, stride=2)
        self.level2 = nn.Sequential(*(ESP(64, 64, residual=True) for _ in range(p)))
        self.level2_merge = _norm_act(2 * 64 + 3)
        self.level3_down = ESP(2 * 64 + 3, 128, stride=2)
        self.level3 = nn.Sequential(*(ESP(128, 128, residual=True) for _ in range(q)))
        self.level3_merge = _norm_act(2 * 128)

        width = decoder_width or max(num_classes, len(DILATIONS))
        self.score3 = nn.Sequential(nn.Conv2d(2 * 128, width, 1, bias=False), _norm(width))
        self.up3 = _double(width, width)
        self.score2 = nn.Conv2d(2 * 64 + 3, width, 1, bias=False)
        self.fuse2 = nn.Sequential(_norm_act(2 * width), ESP(2 * width, width))
        self.up2 = nn.Sequential(_double(width, width), *_norm_act(width))
        self.fuse1 = _conv_norm_act(width + 16 + 3, width)
        self.up1 = _double(width, num_classes)
        self.taps = (*TAPS, Tap("fuse2", 4, width), Tap("fuse1", 2, width))

    def forward(self, x: Tensor) -> NetOutput:
        """See the class."""
        half = F.avg_pool2d(x, 3, 2, 1)  # (N, 3, H/2, W/2)
        quarter = F.avg_pool2d(half, 3, 2, 1)  # (N, 3, H/4, W/4)
        one = self.level1_merge(torch.cat([self.level1(x), half], 1))
        down = self.level2_down(one)
        two = self.level2_merge(torch.cat([self.level2(down), down, quarter], 1))
        down = self.level3_down(two)
        three = self.level3_merge(torch.cat([down, self.level3(down)], 1))

        coarse = self.up3(self.score3(three))
        middle = self.up2(self.fuse2(torch.cat([self.score2(two), coarse], 1)))
        return NetOutput(self.up1(self.fuse1(torch.cat([middle, one], 1))))


@net(
    "espnet",
    title="ESPNet",
    paper="https://arxiv.org/abs/1803.06815",
    taps=TAPS,
    multiple_of=8,
)
def espnet(num_classes: int, **options: int) -> ESPNet:
    """p = 2, q = 8: the net of the paper's tables. Options: those of ESPNet."""
    return ESPNet(num_classes, **options)
