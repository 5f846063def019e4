"""DeepLab v2.

Chen, Papandreou, Kokkinos, Murphy, Yuille, "DeepLab: Semantic Image Segmentation with Deep
Convolutional Nets, Atrous Convolution, and Fully Connected CRFs", PAMI 2018,
https://arxiv.org/abs/1606.00915. Atrous spatial pyramid pooling as it was first: the branches
(rates 6, 12, 18, 24: ASPP-L, section 4.1.2) score the classes each for itself, and the scores are
summed. On ResNet-101 a branch is one 3x3 convolution to the classes; on VGG-16 it is fc6 (3x3,
1024 channels), fc7 and fc8 (1x1), as Figure 7 shows. Logits are returned at stride 8.

As in the authors' Caffe nets: max pooling of 3x3 (VGG-16 pads one pixel, ResNet-101 rounds up),
pool4 and pool5 of stride 1 and conv5 of dilation 2 on VGG-16; strides on the 1x1 convolutions,
dilations 2 and 4 in every block of the last two stages on ResNet-101. Sides are 8 n + 1 and
enlarging keeps the corner pixels in place. Left out: the input in three scales with the largest
answer taken (section 4.3; a strategy of inference), and the CRF.

net_args that other programs' weights need: align_corners; head "linear", one 1x1 classifier
instead of ASPP.
"""

from collections.abc import Iterable

from torch import Tensor, nn

from segstudio.nets.backbones.resnet import ResNet
from segstudio.nets.registry import NetOutput, Tap, net

PAPER = "https://arxiv.org/abs/1606.00915"
FAMILY = "DeepLab v1 and v2"
RATES = (6, 12, 18, 24)

VGG16 = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
"""Channels and convolutions of the five stages."""


class ScoreASPP(nn.ModuleList):
    """The sum of 3x3 convolutions of four dilations: (N, inner, h, w) -> scores (N, C, h, w)."""

    def __init__(self, inner: int, num_classes: int) -> None:
        super().__init__(
            nn.Conv2d(inner, num_classes, 3, padding=rate, dilation=rate) for rate in RATES
        )
        for branch in self:
            nn.init.normal_(branch.weight, std=0.01)  # type: ignore[arg-type]  # convolutions all
            nn.init.zeros_(branch.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        return _sum(branch(x) for branch in self)


class DeepLabV2ResNet(nn.Module):
    """ResNet at stride 8 and ASPP.

    Input: float32 (N, 3, H, W), H and W of 8 n + 1. Output: logits (N, C, ceil(H/8), ceil(W/8)).
    head: "aspp", or "linear" for one 1x1 convolution. width: see backbones/resnet.py.
    """

    def __init__(
        self,
        depth: int,
        num_classes: int,
        *,
        head: str = "aspp",
        align_corners: bool = True,
        width: int = 64,
    ) -> None:
        super().__init__()
        if head not in ("aspp", "linear"):
            raise ValueError(f"head {head!r} is none of 'aspp', 'linear'")
        self.backbone = ResNet(
            depth,
            output_stride=8,
            first_dilation="full",
            stride_at="1x1",
            ceil_pool=True,
            width=width,
        )
        inner = self.backbone.channels[-1]
        if head == "aspp":
            self.aspp = ScoreASPP(inner, num_classes)
        else:
            self.classifier = nn.Conv2d(inner, num_classes, 1)
        self.align_corners = align_corners
        self.taps = self.backbone.taps

    def forward(self, x: Tensor) -> NetOutput:
        """See the class."""
        last = self.backbone(x)[-1]  # (N, 2048, H/8, W/8)
        return NetOutput(self.aspp(last) if hasattr(self, "aspp") else self.classifier(last))


class VGGBranch(nn.Sequential):
    """fc6, fc7, fc8 of one rate: (N, 512, h, w) -> scores (N, C, h, w)."""

    def __init__(self, rate: int, num_classes: int, width: int = 1024) -> None:
        super().__init__(
            nn.Conv2d(512, width, 3, padding=rate, dilation=rate),  # fc6
            nn.ReLU(inplace=True),
            nn.Dropout(0.5),
            nn.Conv2d(width, width, 1),  # fc7
            nn.ReLU(inplace=True),
            nn.Dropout(0.5),
            nn.Conv2d(width, num_classes, 1),  # fc8
        )
        _start(self)
        nn.init.normal_(self[6].weight, std=0.01)  # type: ignore[arg-type]  # a convolution


class DeepLabV2VGG(nn.Module):
    """Atrous VGG-16 and ASPP-L.

    Input: float32 (N, 3, H, W), H and W of 8 n + 1. Output: logits (N, C, ceil(H/8), ceil(W/8)).
    """

    conv1: nn.Sequential
    conv2: nn.Sequential
    conv3: nn.Sequential
    conv4: nn.Sequential
    conv5: nn.Sequential

    def __init__(self, num_classes: int, *, align_corners: bool = True) -> None:
        super().__init__()
        inner = 3
        for index, (outer, count) in enumerate(VGG16, start=1):
            dilation, stride = (2 if index == 5 else 1), (2 if index <= 3 else 1)
            layers: list[nn.Module] = []
            for _ in range(count):
                conv = nn.Conv2d(inner, outer, 3, padding=dilation, dilation=dilation)
                layers += [conv, nn.ReLU(inplace=True)]
                inner = outer
            layers.append(nn.MaxPool2d(3, stride, 1))
            setattr(self, f"conv{index}", _start(nn.Sequential(*layers)))
        self.aspp = nn.ModuleList(VGGBranch(rate, num_classes) for rate in RATES)
        self.align_corners = align_corners
        strides = (2, 4, 8, 8, 8)
        self.taps = tuple(
            Tap(f"conv{i}", stride, width)
            for i, (stride, (width, _)) in enumerate(zip(strides, VGG16, strict=True), start=1)
        )

    def forward(self, x: Tensor) -> NetOutput:
        """See the class."""
        x = self.conv3(self.conv2(self.conv1(x)))  # (N, 256, H/8, W/8)
        x = self.conv5(self.conv4(x))  # (N, 512, H/8, W/8)
        return NetOutput(_sum(branch(x) for branch in self.aspp))


def _start(layers: nn.Sequential) -> nn.Sequential:
    """Kaiming-normal weights: without batch norm a deep net learns from nothing else."""
    for layer in layers:
        if isinstance(layer, nn.Conv2d) and layer.bias is not None:
            nn.init.kaiming_normal_(layer.weight)
            nn.init.zeros_(layer.bias)
    return layers


def _sum(scores: Iterable[Tensor]) -> Tensor:
    first, *others = scores
    for score in others:
        first = first + score
    return first


@net(
    "deeplab_v2_vgg16",
    title="DeepLab v2 VGG-16",
    paper=PAPER,
    family=FAMILY,
    align_corners=True,
    multiple_of=8,
    remainder=1,
)
def deeplab_v2_vgg16(num_classes: int, *, align_corners: bool = True) -> DeepLabV2VGG:
    """ASPP-L on the atrous VGG-16 of DeepLab v1."""
    return DeepLabV2VGG(num_classes, align_corners=align_corners)


@net(
    "deeplab_v2_resnet101",
    title="DeepLab v2 ResNet-101",
    paper=PAPER,
    family=FAMILY,
    align_corners=True,
    multiple_of=8,
    remainder=1,
)
def deeplab_v2_resnet101(num_classes: int, **options: int | str | bool) -> DeepLabV2ResNet:
    """The paper's best net."""
    return DeepLabV2ResNet(101, num_classes, **options)  # type: ignore[arg-type]  # card values are checked by load
