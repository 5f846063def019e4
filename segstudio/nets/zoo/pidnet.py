"""PIDNet-S, PIDNet-M, PIDNet-L.

Xu, Xiong, Bhattacharyya, "PIDNet: A Real-time Semantic Segmentation Network Inspired by PID
Controllers", CVPR 2023, https://arxiv.org/abs/2206.02066: Figure 4 and Table 1, with the widths of
the authors' release (whose M is smaller than the paper's). Three branches: proportional (P, detail
at 1/8), integral (I, context down to 1/64) and derivative (D, boundaries at 1/8). P takes context
from I where Pag allows (Figure 5), and Bag lets D decide between P and I (Figure 7).

While training a second head reads P after the third stage. The authors' third head, which learns
boundaries from D, is left out: it needs boundary labels. Logits are returned at stride 8.
Parameters with 19 classes, without the second head: 7,625,715 (S), 28,538,515 (M), 36,939,571 (L).
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segstudio.nets.backbones.dual_resolution import (
    DAPPM,
    POOLINGS,
    Head,
    basic_stage,
    bn_relu_conv,
    bottleneck_stage,
    conv_bn,
    enlarged,
    pooled,
    start,
    stem,
)
from segstudio.nets.registry import NetOutput, Tap, net

PAPER = "https://arxiv.org/abs/2206.02066"


def taps(width: int) -> tuple[Tap, ...]:
    """The declared stages of a net of that width."""
    w = width
    return (
        Tap("stem", 4, w),
        Tap("layer2", 8, 2 * w),
        Tap("i_branch.0", 16, 4 * w),
        Tap("i_branch.1", 32, 8 * w),
        Tap("i_branch.2", 64, 16 * w),
        Tap("pag.0", 8, 2 * w),
        Tap("pag.1", 8, 2 * w),
        Tap("p_branch.2", 8, 4 * w),
        Tap("d_branch.2", 8, 4 * w),
        Tap("pyramid", 64, 4 * w),
        Tap("bag", 8, 4 * w),
    )


class Pag(nn.Module):
    """Pixel-attention-guided fusion: how alike P and I are here decides which is taken."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.of_p = conv_bn(channels, width)
        self.of_i = conv_bn(channels, width)

    def forward(self, p: Tensor, i: Tensor) -> Tensor:
        """(N, channels, h, w) and (N, channels, h/n, w/n) -> (N, channels, h, w)."""
        likeness = self.of_p(p) * enlarged(self.of_i(i), p)
        sigma = torch.sigmoid(likeness.sum(1, keepdim=True))
        return (1 - sigma) * p + sigma * enlarged(i, p)


class Bag(nn.Module):
    """Boundary-attention-guided fusion: P where D sees a boundary, I elsewhere."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.last = bn_relu_conv(channels, channels, 3)

    def forward(self, p: Tensor, i: Tensor, d: Tensor) -> Tensor:
        """Three of (N, channels, h, w) -> the same shape."""
        sigma = torch.sigmoid(d)
        out: Tensor = self.last(sigma * p + (1 - sigma) * i)
        return out


class LightBag(nn.Module):
    """The same with point-wise convolutions, for S and M."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.of_p = conv_bn(channels, channels)
        self.of_i = conv_bn(channels, channels)

    def forward(self, p: Tensor, i: Tensor, d: Tensor) -> Tensor:
        """Three of (N, channels, h, w) -> the same shape."""
        sigma = torch.sigmoid(d)
        out: Tensor = self.of_p((1 - sigma) * i + p) + self.of_i(i + sigma * p)
        return out


class PAPPM(nn.Module):
    """DAPPM made parallel: all scales are processed at once by a grouped convolution (Figure 6)."""

    def __init__(self, inner: int, width: int, outer: int) -> None:
        super().__init__()
        count = len(POOLINGS) + 2
        self.scales = nn.ModuleList(bn_relu_conv(inner, width) for _ in range(count))
        rest = count - 1
        self.process = bn_relu_conv(rest * width, rest * width, 3, groups=rest)
        self.compression = bn_relu_conv(count * width, outer)
        self.shortcut = bn_relu_conv(inner, outer)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inner, h, w) -> (N, outer, h, w)."""
        first, *rest = (scale(p) for scale, p in zip(self.scales, pooled(x), strict=True))
        coarser = self.process(torch.cat([enlarged(scale, x) + first for scale in rest], 1))
        out: Tensor = self.compression(torch.cat([first, coarser], 1)) + self.shortcut(x)
        return out


class PIDNet(nn.Module):
    """Three branches, two Pag, a pyramid and Bag.

    Input: float32 (N, 3, H, W), H and W multiples of 8. Output: logits (N, C, H/8, W/8); while
    training also those of the head on P. width: channels of the stem. blocks: of stages 1 and 2
    and of each stage of P. deep_blocks: of stages 3 and 4 of I. is_light: PAPPM and LightBag and a
    narrow D branch, instead of DAPPM, Bag and a wide one. pyramid_width: channels of a scale of the
    pyramid. head_width: of the heads. stem_bias: whether the stem's convolutions have a bias.
    aux: build the head for training at all.
    """

    def __init__(
        self,
        num_classes: int,
        *,
        width: int,
        blocks: int = 2,
        deep_blocks: int = 3,
        is_light: bool = True,
        pyramid_width: int = 96,
        head_width: int = 128,
        stem_bias: bool = True,
        aux: bool = True,
    ) -> None:
        super().__init__()
        w = width
        self.stem = stem(w, bias=stem_bias)
        self.layer1 = basic_stage(w, w, blocks)
        self.layer2 = basic_stage(w, 2 * w, blocks, 2)
        self.i_branch = nn.ModuleList(
            (
                basic_stage(2 * w, 4 * w, deep_blocks, 2),
                basic_stage(4 * w, 8 * w, deep_blocks, 2),
                bottleneck_stage(8 * w, 8 * w, 2, 2),
            )
        )
        self.p_branch = nn.ModuleList(
            (
                basic_stage(2 * w, 2 * w, blocks),
                basic_stage(2 * w, 2 * w, blocks),
                bottleneck_stage(2 * w, 2 * w),
            )
        )
        narrow = w if is_light else 2 * w
        self.d_branch = nn.ModuleList(
            (
                basic_stage(2 * w, narrow, 1),
                bottleneck_stage(w, w) if is_light else basic_stage(2 * w, 2 * w, 1),
                bottleneck_stage(2 * w, 2 * w),
            )
        )
        self.compression = nn.ModuleList((conv_bn(4 * w, 2 * w), conv_bn(8 * w, 2 * w)))
        self.pag = nn.ModuleList((Pag(2 * w, w), Pag(2 * w, w)))
        self.difference = nn.ModuleList((conv_bn(4 * w, narrow, 3), conv_bn(8 * w, 2 * w, 3)))
        self.pyramid = (PAPPM if is_light else DAPPM)(16 * w, pyramid_width, 4 * w)
        self.bag = (LightBag if is_light else Bag)(4 * w)
        self.head = Head(4 * w, head_width, num_classes)
        self.aux = Head(2 * w, head_width, num_classes) if aux else None
        self.taps = taps(w)
        start(self)

    def forward(self, x: Tensor) -> NetOutput:
        """See the class."""
        x = F.relu(self.layer2(F.relu(self.layer1(self.stem(x)))))  # (N, 2w, H/8, W/8)
        i, p, d, third = x, x, x, x
        for stage in (0, 1):
            # Each branch's stage; stage 3 of P and D starts from what is rectified already.
            i = F.relu(self.i_branch[stage](i))
            p = self.pag[stage](self.p_branch[stage](F.relu(p)), self.compression[stage](i))
            d = self.d_branch[stage](F.relu(d))
            d = d + enlarged(self.difference[stage](i), d)
            third = p if stage == 0 else third
        p, d = self.p_branch[2](F.relu(p)), self.d_branch[2](F.relu(d))
        i = enlarged(self.pyramid(self.i_branch[2](i)), p)
        logits = self.head(self.bag(p, i, d))
        if self.training and self.aux is not None:
            return NetOutput(logits, (self.aux(third),))
        return NetOutput(logits)


@net("pidnet_s", title="PIDNet-S", family="PIDNet", paper=PAPER, taps=taps(32), multiple_of=8)
def pidnet_s(num_classes: int, **options: Any) -> PIDNet:  # noqa: ANN401  PIDNet's own
    """The small one. Options: those of PIDNet."""
    return PIDNet(num_classes, **{"width": 32, **options})


@net("pidnet_m", title="PIDNet-M", family="PIDNet", paper=PAPER, taps=taps(64), multiple_of=8)
def pidnet_m(num_classes: int, **options: Any) -> PIDNet:  # noqa: ANN401  PIDNet's own
    """Twice as wide. Options: those of PIDNet."""
    return PIDNet(num_classes, **{"width": 64, **options})


@net("pidnet_l", title="PIDNet-L", family="PIDNet", paper=PAPER, taps=taps(64), multiple_of=8)
def pidnet_l(num_classes: int, **options: Any) -> PIDNet:  # noqa: ANN401  PIDNet's own
    """Deeper too, with the pyramid of DDRNet and the full Bag. Options: those of PIDNet."""
    size = {"width": 64, "blocks": 3, "deep_blocks": 4, "is_light": False}
    return PIDNet(num_classes, **{**size, "pyramid_width": 112, "head_width": 256, **options})
