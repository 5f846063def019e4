"""ICNet as liminn/ICNet-pytorch builds it: heavier than its paper, for its checkpoints.

After Zhao, Qi, Shen, Shi, Jia, "ICNet for Real-Time Semantic Segmentation on High-Resolution
Images", ECCV 2018, https://arxiv.org/abs/1704.08545. Where it is not the paper's net: a ResNet-50
of full width, which the half image and the quarter image each pass through on their own; the
heads for training see the coarse map after its convolution, not before; no classifier has a bias.
26 million parameters, where the authors' net has 6.7 million.

What the half image's pass computes behind layer2 there and throws away is left out here. Logits
are returned at stride 4.
"""

from torch import Tensor, nn
from torch.nn import functional as F

from segstudio.nets.backbones.cascade import (
    CascadeFusion,
    SummedPyramid,
    light_branch,
    start_cascade,
)
from segstudio.nets.backbones.resnet import ResNet
from segstudio.nets.registry import NetOutput, Tap, net

TAPS = (
    Tap("resnet.layer3", 32, 1024),
    Tap("resnet.layer4", 32, 2048),
    Tap("pyramid", 32, 2048),
    Tap("cff_24", 16, 128),
    Tap("sub1", 8, 64),
    Tap("cff_12", 8, 128),
)
"""The stem and the first two layers see two images, and have no one size."""


class LiminnICNet(nn.Module):
    """Three images, two passes through one ResNet, fused from coarse to fine.

    Input: float32 (N, 3, H, W), H and W multiples of 8. Output: logits (N, C, H/4, W/4); while
    training also those at 1/16 and 1/8. depth: of the ResNet, 50 or 101.
    """

    def __init__(self, num_classes: int, *, depth: int = 50) -> None:
        super().__init__()
        self.sub1 = light_branch()
        self.resnet = ResNet(depth, stem="64-64-128", output_stride=8)
        self.pyramid = SummedPyramid()
        self.cff_24 = CascadeFusion(2048, 512)
        self.cff_12 = CascadeFusion(128, 64)
        self.classifier = nn.Conv2d(128, num_classes, 1, bias=False)
        self.aux_24 = nn.Conv2d(128, num_classes, 1, bias=False)
        self.aux_12 = nn.Conv2d(128, num_classes, 1, bias=False)
        self.taps = (*TAPS, Tap("classifier", 4, num_classes))
        start_cascade(self)

    def forward(self, x: Tensor) -> NetOutput:
        """See the class."""
        layer1, layer2 = (self.resnet.get_submodule(f"layer{i}") for i in (1, 2))
        half = layer2(layer1(self.resnet.pool(self.resnet.stem(_shrunk(x, 2)))))
        quarter = self.pyramid(self.resnet(_shrunk(x, 4))[-1])  # (N, 2048, H/32, W/32)
        _, coarse24, fused = self.cff_24(quarter, half)
        _, coarse12, fused = self.cff_12(fused, self.sub1(x))
        fine = F.interpolate(fused, scale_factor=2.0, mode="bilinear", align_corners=True)
        logits = self.classifier(fine)
        if self.training:
            return NetOutput(logits, (self.aux_24(coarse24), self.aux_12(coarse12)))
        return NetOutput(logits)


def _shrunk(x: Tensor, factor: int) -> Tensor:
    size = (x.shape[2] // factor, x.shape[3] // factor)
    return F.interpolate(x, size=size, mode="bilinear", align_corners=True)


@net(
    "icnet_liminn",
    title="ICNet (liminn)",
    family="ICNet",
    paper="https://arxiv.org/abs/1704.08545",
    taps=TAPS,
    align_corners=True,
    multiple_of=8,
    aux_weights=(0.4, 0.4),
)
def icnet_liminn(num_classes: int, *, depth: int = 50) -> LiminnICNet:
    """ResNet-50, unless told otherwise."""
    return LiminnICNet(num_classes, depth=depth)
