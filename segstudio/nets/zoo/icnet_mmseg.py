"""ICNet as mmsegmentation builds it: heavier than its paper, for its checkpoints.

After Zhao, Qi, Shen, Shi, Jia, "ICNet for Real-Time Semantic Segmentation on High-Resolution
Images", ECCV 2018, https://arxiv.org/abs/1704.08545. Where it is not the paper's net: a ResNet
of full width; all of layer2 belongs to the half image; a pyramid with convolutions, put side by
side and not summed; 1x1 convolutions before and ReLUs inside the fusions; heads of 3x3 and 1x1
convolutions; corners are never aligned. Logits are returned at stride 8.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segstudio.nets.backbones.cascade import CascadeFusion, conv_block, light_branch, start_cascade
from segstudio.nets.backbones.resnet import ResNet
from segstudio.nets.registry import NetOutput, Tap, net

BINS = (1, 2, 3, 6)


def _taps(width: int) -> tuple[Tap, ...]:
    """width: channels of layer1."""
    return (
        Tap("resnet.layer1", 8, width),
        Tap("resnet.layer2", 16, 2 * width),
        Tap("sub2", 16, 256),
        Tap("resnet.layer3", 32, 4 * width),
        Tap("resnet.layer4", 32, 8 * width),
        Tap("pyramid", 32, 512),
        Tap("sub4", 32, 256),
        Tap("cff_24", 16, 128),
        Tap("sub1", 8, 64),
        Tap("cff_12", 8, 128),
    )


class Pyramid(nn.Module):
    """Averages of 1, 2, 3 and 6 bins, each through a 1x1 convolution, then the map itself."""

    def __init__(self, inner: int, outer: int) -> None:
        super().__init__()
        self.levels = nn.ModuleList(conv_block(inner, outer) for _ in BINS)
        self.bottleneck = conv_block(inner + len(BINS) * outer, outer, 3)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inner, h, w) -> (N, outer, h, w)."""
        parts = [
            F.interpolate(
                level(F.adaptive_avg_pool2d(x, bins)),
                size=x.shape[2:],
                mode="bilinear",
                align_corners=False,
            )
            for bins, level in zip(BINS, self.levels, strict=True)
        ]
        out: Tensor = self.bottleneck(torch.cat([*parts, x], 1))
        return out


def _head(num_classes: int) -> nn.Sequential:
    return nn.Sequential(conv_block(128, 128, 3), nn.Conv2d(128, num_classes, 1))


class MMSegICNet(nn.Module):
    """Three branches, the half and the quarter image through parts of one ResNet.

    Input: float32 (N, 3, H, W), H and W multiples of 32. Output: logits (N, C, H/8, W/8); while
    training also those at 1/16 and 1/8. depth: of the ResNet, 18, 50 or 101.
    """

    border = 1
    """Pixels that its pooling, which rounds up, adds to the maps behind it."""

    def __init__(self, num_classes: int, *, depth: int = 50) -> None:
        super().__init__()
        self.sub1 = light_branch()
        self.resnet = ResNet(depth, stem="32-32-64", output_stride=8, ceil_pool=True)
        if depth < 50:
            _dilate_first_convolutions_alone(self.resnet)
        middle, last = self.resnet.channels[2], self.resnet.channels[4]
        self.sub2 = conv_block(middle, 256)
        self.pyramid = Pyramid(last, 512)
        self.sub4 = conv_block(512, 256)
        self.cff_24 = CascadeFusion(256, 256, align_corners=False, relu_each=True)
        self.cff_12 = CascadeFusion(128, 64, align_corners=False, relu_each=True)
        self.head = _head(num_classes)
        self.aux_24 = _head(num_classes)
        self.aux_12 = _head(num_classes)
        self.taps = _taps(last // 8)
        start_cascade(self)

    def forward(self, x: Tensor) -> NetOutput:
        """See the class."""
        layer1, layer2, layer3, layer4 = (
            self.resnet.get_submodule(f"layer{i}") for i in (1, 2, 3, 4)
        )
        half = layer2(layer1(self.resnet.pool(self.resnet.stem(_halved(x)))))
        quarter = layer4(layer3(_halved(half)))  # 1/32
        _, coarse24, fused = self.cff_24(self.sub4(self.pyramid(quarter)), self.sub2(half))
        _, coarse12, fused = self.cff_12(fused, self.sub1(x))
        logits = self.head(fused)
        if self.training:
            return NetOutput(logits, (self.aux_24(coarse24), self.aux_12(coarse12)))
        return NetOutput(logits)


def _dilate_first_convolutions_alone(resnet: ResNet) -> None:
    """In blocks of two 3x3 convolutions; the second is never dilated there."""
    for block in (
        *resnet.get_submodule("layer3").children(),
        *resnet.get_submodule("layer4").children(),
    ):
        conv = block.get_submodule("conv2")
        assert isinstance(conv, nn.Conv2d)
        conv.dilation, conv.padding = (1, 1), (1, 1)


def _halved(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=0.5, mode="bilinear", align_corners=False)


@net(
    "icnet_mmseg",
    title="ICNet (MMSegmentation)",
    family="ICNet",
    paper="https://arxiv.org/abs/1704.08545",
    taps=_taps(256),
    multiple_of=32,
    aux_weights=(0.4, 0.4),
)
def icnet_mmseg(num_classes: int, *, depth: int = 50) -> MMSegICNet:
    """ResNet-50, unless told otherwise."""
    return MMSegICNet(num_classes, depth=depth)
