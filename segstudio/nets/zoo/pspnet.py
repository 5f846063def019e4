"""PSPNet.

Zhao, Shi, Qi, Wang, Jia, "Pyramid Scene Parsing Network", CVPR 2017,
https://arxiv.org/abs/1612.01105. The pyramid pooling module is Figure 3c, the auxiliary head
Figure 4; its loss has weight 0.4 (section 5.2).

What the paper leaves open is as in the authors' own Caffe and PyTorch releases: a stem of three
3x3 convolutions with 64, 64, 128 channels, stages 3 and 4 of stride 1 with dilations 2 and 4 in
every block, a 3x3 convolution to 512 channels before the classifier. Enlarging keeps the corner
pixels in place, so sides are 8 n + 1; at 473 and 713 the feature map divides by all bins.
Logits are returned at stride 8.

net_args that other programs' weights need: stem, first_dilation, stride_at (backbones/resnet.py),
pooling (blocks.py), align_corners (False: bilinear without it, sides of a multiple of 8).
"""

from torch import Tensor, nn

from segstudio.nets.backbones.resnet import ResNet
from segstudio.nets.blocks import ConvBNReLU, ConvHead, PyramidPooling
from segstudio.nets.registry import NetOutput, Tap, net

PAPER = "https://arxiv.org/abs/1612.01105"
FAMILY = "PSPNet"


class PSPNet(nn.Module):
    """Dilated ResNet, pyramid pooling, one 3x3 convolution, classifier.

    Input: float32 (N, 3, H, W), H and W of 8 n + 1. Output: logits (N, C, ceil(H/8), ceil(W/8));
    while training also those of the auxiliary head on layer3, of the same size. aux: build that
    head at all. width: channels of the first stage (64; less for tests).
    """

    def __init__(
        self,
        depth: int,
        num_classes: int,
        *,
        stem: str = "64-64-128",
        first_dilation: str = "full",
        stride_at: str = "3x3",
        pooling: str = "adaptive",
        align_corners: bool = True,
        aux: bool = True,
        width: int = 64,
    ) -> None:
        super().__init__()
        self.backbone = ResNet(
            depth,
            stem=stem,
            output_stride=8,
            first_dilation=first_dilation,
            stride_at=stride_at,
            width=width,
        )
        self.pyramid = PyramidPooling(32 * width, align_corners=align_corners, pooling=pooling)
        # The Caffe release has 512 channels here: an eighth of the 4096 concatenated.
        self.bottleneck = ConvBNReLU(64 * width, 8 * width, 3)
        self.dropout = nn.Dropout2d(0.1)
        self.classifier = nn.Conv2d(8 * width, num_classes, 1)
        if aux:
            self.aux = ConvHead(16 * width, 4 * width, num_classes)
        self.align_corners, self.remainder = align_corners, int(align_corners)
        # Six bins of whole pixels need a feature map of six.
        self.min_side = 41 if pooling == "floor" else 32
        self.aux_weights = (0.4,) if aux else ()
        self.taps = (
            *self.backbone.taps,
            Tap("pyramid", 8, 64 * width),
            Tap("bottleneck", 8, 8 * width),
        )

    def forward(self, x: Tensor) -> NetOutput:
        """See the class."""
        stages = self.backbone(x)  # (N, 2048, H/8, W/8) is the last
        h = self.bottleneck(self.pyramid(stages[4]))  # (N, 4096, …) -> (N, 512, …)
        logits = self.classifier(self.dropout(h))
        if self.training and hasattr(self, "aux"):
            return NetOutput(logits, (self.aux(stages[3]),))
        return NetOutput(logits)


@net(
    "pspnet50",
    title="PSPNet-50",
    paper=PAPER,
    family=FAMILY,
    align_corners=True,
    multiple_of=8,
    remainder=1,
)
def pspnet50(num_classes: int, **options: int | str | bool) -> PSPNet:
    """On ResNet-50."""
    return PSPNet(50, num_classes, **options)  # type: ignore[arg-type]  # card values are checked by load


@net(
    "pspnet101",
    title="PSPNet-101",
    paper=PAPER,
    family=FAMILY,
    align_corners=True,
    multiple_of=8,
    remainder=1,
)
def pspnet101(num_classes: int, **options: int | str | bool) -> PSPNet:
    """On ResNet-101."""
    return PSPNet(101, num_classes, **options)  # type: ignore[arg-type]  # card values are checked by load
