"""STDC1-Seg and STDC2-Seg.

Fan, Lai, Huang, Wei, Chai, Luo, Wei, "Rethinking BiSeNet For Real-time Semantic Segmentation",
CVPR 2021, https://arxiv.org/abs/2104.13188: Figure 3 (the module), Table 2 (the backbones),
Figure 4 (the net). The context path is BiSeNet's; the spatial path is gone, its place is taken by
the backbone's stage 3.

The detail guidance (section 3.3) is left out: its heads learn edges by a loss of their own and
vanish at inference. Logits are returned at stride 8.
"""

import torch
from torch import Tensor, nn

from segstudio.nets.backbones.context_path import (
    ContextPath,
    ConvBNReLU,
    FeatureFusion,
    Head,
    start_context,
)
from segstudio.nets.registry import NetOutput, Tap, net

PAPER = "https://arxiv.org/abs/2104.13188"

TAPS = (
    Tap("stage1", 2, 32),
    Tap("stage2", 4, 64),
    Tap("stage3", 8, 256),
    Tap("stage4", 16, 512),
    Tap("stage5", 32, 1024),
    Tap("context.arm32", 32, 128),
    Tap("context.arm16", 16, 128),
    Tap("context.up16", 8, 128),
    Tap("fusion", 8, 256),
)


class ShortTermDenseConcatenate(nn.Module):
    """Short-term dense concatenate module (Figure 3): four convolutions, all outputs kept.

    The first is 1x1 and gives a half of the channels, the others are 3x3 and give a quarter, an
    eighth, an eighth. With stride 2 a depth-wise convolution shrinks what goes on to the second,
    average pooling what is kept of the first.
    """

    def __init__(self, inner: int, outer: int, *, stride: int = 1) -> None:
        super().__init__()
        self.convs = nn.ModuleList(
            (
                ConvBNReLU(inner, outer // 2, 1),
                ConvBNReLU(outer // 2, outer // 4),
                ConvBNReLU(outer // 4, outer // 8),
                ConvBNReLU(outer // 8, outer // 8),
            )
        )
        half = outer // 2
        self.down: nn.Module = nn.Identity()
        self.keep: nn.Module = nn.Identity()
        if stride == 2:
            self.down = nn.Sequential(
                nn.Conv2d(half, half, 3, 2, 1, groups=half, bias=False), nn.BatchNorm2d(half)
            )
            self.keep = nn.AvgPool2d(3, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inner, h, w) -> (N, outer, h/stride, w/stride)."""
        x = self.convs[0](x)
        kept = [self.keep(x)]
        x = self.down(x)
        for conv in self.convs[1:]:
            x = conv(x)
            kept.append(x)
        return torch.cat(kept, 1)


def _stage(inner: int, outer: int, modules: int) -> nn.Sequential:
    return nn.Sequential(
        ShortTermDenseConcatenate(inner, outer, stride=2),
        *(ShortTermDenseConcatenate(outer, outer) for _ in range(modules - 1)),
    )


class STDC(nn.Module):
    """Backbone of STDC modules, context path, fusion with stage 3.

    Input: float32 (N, 3, H, W), H and W multiples of 8. Output: logits (N, C, H/8, W/8); while
    training also those of the context path at 1/8 and 1/16. modules3, modules4, modules5: of the
    three stages. classifier_bias: the authors' classifiers have none, mmsegmentation's do.
    """

    def __init__(
        self,
        num_classes: int,
        *,
        modules3: int,
        modules4: int,
        modules5: int,
        classifier_bias: bool = False,
    ) -> None:
        super().__init__()
        self.stage1 = ConvBNReLU(3, 32, 3, 2)
        self.stage2 = ConvBNReLU(32, 64, 3, 2)
        self.stage3 = _stage(64, 256, modules3)
        self.stage4 = _stage(256, 512, modules4)
        self.stage5 = _stage(512, 1024, modules5)
        self.context = ContextPath(512, 1024)
        self.fusion = FeatureFusion(256 + 128, 256, gate="two")
        self.head = Head(256, 256, num_classes, bias=classifier_bias)
        self.aux8 = Head(128, 64, num_classes, bias=classifier_bias)
        self.aux16 = Head(128, 64, num_classes, bias=classifier_bias)
        start_context(self)

    def forward(self, x: Tensor) -> NetOutput:
        """See the class."""
        eighth = self.stage3(self.stage2(self.stage1(x)))
        x16 = self.stage4(eighth)
        context, sixteenth = self.context(eighth, x16, self.stage5(x16))
        logits = self.head(self.fusion(eighth, context))
        if self.training:
            return NetOutput(logits, (self.aux8(context), self.aux16(sixteenth)))
        return NetOutput(logits)


@net(
    "stdc1",
    title="STDC1-Seg",
    family="STDC-Seg",
    paper=PAPER,
    taps=TAPS,
    align_corners=True,
    multiple_of=8,
)
def stdc1(num_classes: int, *, classifier_bias: bool = False) -> STDC:
    """Two modules in each stage."""
    return STDC(num_classes, modules3=2, modules4=2, modules5=2, classifier_bias=classifier_bias)


@net(
    "stdc2",
    title="STDC2-Seg",
    family="STDC-Seg",
    paper=PAPER,
    taps=TAPS,
    align_corners=True,
    multiple_of=8,
)
def stdc2(num_classes: int, *, classifier_bias: bool = False) -> STDC:
    """Four, five and three modules in its stages."""
    return STDC(num_classes, modules3=4, modules4=5, modules5=3, classifier_bias=classifier_bias)
