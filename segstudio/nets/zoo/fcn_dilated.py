"""FCN on a dilated ResNet.

Long, Shelhamer, Darrell, "Fully Convolutional Networks for Semantic Segmentation", CVPR 2015,
https://arxiv.org/abs/1411.4038, in the form that later work compares itself with: dilations keep
the ResNet at stride 8, so no skips and no learned enlarging are needed. Head and names are those
of MMSegmentation's FCN-D8: two 3x3 convolutions, a third over their result beside the map itself,
the classifier; stem 32-32-64, halved dilation in the first block of a dilated stage. The
auxiliary head on layer3 has weight 0.4. (torchvision's FCN has a single 3x3 convolution; it is
in torchvision_nets.py.)
"""

import torch
from torch import Tensor, nn

from segstudio.nets.backbones.resnet import ResNet
from segstudio.nets.blocks import ConvBNReLU, ConvHead
from segstudio.nets.registry import NetOutput, Tap, net

PAPER = "https://arxiv.org/abs/1411.4038"
FAMILY = "FCN"


class DilatedFCN(nn.Module):
    """ResNet at stride 8 and a head of convolutions.

    Input: float32 (N, 3, H, W). Output: logits (N, C, H/8, W/8); while training also those of the
    auxiliary head. stem, first_dilation, width: see backbones/resnet.py. aux: build that head.
    """

    aux_weights: tuple[float, ...]

    def __init__(
        self,
        depth: int,
        num_classes: int,
        *,
        stem: str = "32-32-64",
        first_dilation: str = "halved",
        aux: bool = True,
        width: int = 64,
    ) -> None:
        super().__init__()
        self.backbone = ResNet(
            depth, stem=stem, output_stride=8, first_dilation=first_dilation, width=width
        )
        self.convs = nn.Sequential(
            ConvBNReLU(32 * width, 8 * width, 3), ConvBNReLU(8 * width, 8 * width, 3)
        )
        self.fuse = ConvBNReLU(40 * width, 8 * width, 3)
        self.dropout = nn.Dropout2d(0.1)
        self.classifier = nn.Conv2d(8 * width, num_classes, 1)
        if aux:
            self.aux = ConvHead(16 * width, 4 * width, num_classes)
        self.aux_weights = (0.4,) if aux else ()
        self.taps = (
            *self.backbone.taps,
            Tap("convs", 8, 8 * width),
            Tap("fuse", 8, 8 * width),
        )

    def forward(self, x: Tensor) -> NetOutput:
        """See the class."""
        stages = self.backbone(x)
        last = stages[4]  # (N, 2048, H/8, W/8)
        h = self.fuse(torch.cat([last, self.convs(last)], 1))  # (N, 2560, …) -> (N, 512, …)
        logits = self.classifier(self.dropout(h))
        if self.training and hasattr(self, "aux"):
            return NetOutput(logits, (self.aux(stages[3]),))
        return NetOutput(logits)


@net("fcn_d8_resnet50", title="FCN-D8 ResNet-50", paper=PAPER, family=FAMILY, multiple_of=8)
def fcn_d8_resnet50(num_classes: int, **options: int | str | bool) -> DilatedFCN:
    """On ResNet-50."""
    return DilatedFCN(50, num_classes, **options)  # type: ignore[arg-type]  # card values are checked by load


@net("fcn_d8_resnet101", title="FCN-D8 ResNet-101", paper=PAPER, family=FAMILY, multiple_of=8)
def fcn_d8_resnet101(num_classes: int, **options: int | str | bool) -> DilatedFCN:
    """On ResNet-101."""
    return DilatedFCN(101, num_classes, **options)  # type: ignore[arg-type]  # card values are checked by load
