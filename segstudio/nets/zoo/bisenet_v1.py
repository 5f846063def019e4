"""BiSeNet, now called V1, on ResNet-18 or ResNet-50.

Yu, Wang, Peng, Gao, Yu, Sang, "BiSeNet: Bilateral Segmentation Network for Real-time Semantic
Segmentation", ECCV 2018, https://arxiv.org/abs/1808.00897, Figure 2 and section 3.

As the common implementations (and their checkpoints) have it: the first layer of the spatial path
is 7x7 and a 1x1 convolution ends it; 3x3 convolutions stand before each refinement and after each
enlargement, which is by nearest neighbour; the fusion is gated by one convolution with batch norm,
where the paper has two convolutions (gate = "two"). Logits are returned at stride 8.
"""

from torch import Tensor, nn

from segstudio.nets.backbones.context_path import (
    ContextPath,
    ConvBNReLU,
    FeatureFusion,
    Head,
    start_context,
)
from segstudio.nets.backbones.resnet import ResNet
from segstudio.nets.registry import NetOutput, Tap, net


def _taps(scale: int) -> tuple[Tap, ...]:
    return (
        Tap("resnet.layer1", 4, 64 * scale),
        Tap("resnet.layer2", 8, 128 * scale),
        Tap("resnet.layer3", 16, 256 * scale),
        Tap("resnet.layer4", 32, 512 * scale),
        Tap("context.arm32", 32, 128 * scale),
        Tap("context.arm16", 16, 128 * scale),
        Tap("context.up16", 8, 128 * scale),
        Tap("spatial", 8, 128 * scale),
        Tap("fusion", 8, 256 * scale),
    )


class BiSeNet(nn.Module):
    """Spatial path and context path, fused.

    Input: float32 (N, 3, H, W), H and W multiples of 8. Output: logits (N, C, H/8, W/8); while
    training also those of the context path at 1/8 and 1/16 (section 3.3). depth: of the ResNet;
    with 50 layers the whole net is four times as wide (mmsegmentation). gate: of the fusion, see
    FeatureFusion. classifier_bias, align_corners: first releases had no such bias, and enlarged
    their logits with aligned corners.
    """

    def __init__(
        self,
        num_classes: int,
        *,
        depth: int = 18,
        gate: str = "one",
        classifier_bias: bool = True,
        align_corners: bool = False,
    ) -> None:
        super().__init__()
        self.resnet = ResNet(depth)
        scale = self.resnet.channels[-1] // 512
        thin, wide = 64 * scale, 128 * scale
        self.spatial = nn.Sequential(
            ConvBNReLU(3, thin, 7, 2),
            ConvBNReLU(thin, thin, 3, 2),
            ConvBNReLU(thin, thin, 3, 2),
            ConvBNReLU(thin, wide, 1),
        )
        self.context = ContextPath(2 * wide, 4 * wide, wide)
        self.fusion = FeatureFusion(wide + wide, 2 * wide, gate=gate)
        self.head = Head(2 * wide, 2 * wide, num_classes, bias=classifier_bias)
        self.aux8 = Head(wide, thin, num_classes, bias=classifier_bias)
        self.aux16 = Head(wide, thin, num_classes, bias=classifier_bias)
        self.taps = _taps(scale)
        self.align_corners = align_corners
        start_context(self)

    def forward(self, x: Tensor) -> NetOutput:
        """See the class."""
        _, _, eighth, x16, x32 = self.resnet(x)
        context, sixteenth = self.context(eighth, x16, x32)
        logits = self.head(self.fusion(self.spatial(x), context))
        if self.training:
            return NetOutput(logits, (self.aux8(context), self.aux16(sixteenth)))
        return NetOutput(logits)


@net(
    "bisenet_v1",
    title="BiSeNet",
    paper="https://arxiv.org/abs/1808.00897",
    taps=_taps(1),
    multiple_of=8,
)
def bisenet_v1(num_classes: int, **options: int | str | bool) -> BiSeNet:
    """13,275,539 parameters on ResNet-18 with 19 classes, without the heads for training."""
    return BiSeNet(num_classes, **options)  # type: ignore[arg-type]  # card values are checked by load
