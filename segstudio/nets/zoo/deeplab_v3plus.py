"""DeepLab v3+.

Chen, Zhu, Papandreou, Schroff, Adam, "Encoder-Decoder with Atrous Separable Convolution for
Semantic Image Segmentation", ECCV 2018, https://arxiv.org/abs/1802.02611. DeepLab v3's encoder
(dilated backbone, ASPP with image-level features) and a decoder (Figure 2): ASPP's 256 channels
are enlarged to stride 4, concatenated with 48 channels of low-level features, and refined by two
3x3 convolutions of 256 channels before the classifier (section 4.1). The 3x3 convolutions of ASPP
and decoder are depthwise separable, with batch norm and ReLU behind either half (section 3.1).
Logits are returned at stride 4.

The paper's pictures have sides of 16 n + 1 and its enlarging keeps the corner pixels in place.
Deviations: the ResNet's stem is a 7x7 convolution. On MobileNetV2 the paper's authors leave ASPP
and decoder out; here it has both, as usual elsewhere.

net_args that other programs' weights need: those of backbones/*.py; align_corners; separable and
convs, the number of the decoder's 3x3 convolutions (VainF: one, not separable); aspp_width,
project_kernel (blocks.py) and aux for MMSegmentation; rate, the smallest of ASPP (0: by
output_stride).
"""

from itertools import pairwise

import torch
from torch import Tensor, nn

from segstudio.nets.backbones.mobilenet_v2 import MobileNetV2
from segstudio.nets.backbones.resnet import ResNet
from segstudio.nets.backbones.xception import AlignedXception65, Xception
from segstudio.nets.blocks import ASPP, ConvBNReLU, ConvHead, SeparableConv, enlarge
from segstudio.nets.registry import NetOutput, Tap, net

PAPER = "https://arxiv.org/abs/1802.02611"
FAMILY = "DeepLab v3+"


class DeepLabV3Plus(nn.Module):
    """Backbone, ASPP, decoder.

    Input: float32 (N, 3, H, W). Output: logits (N, C, H/4, W/4); while training also those of the
    auxiliary head on the stage before the last, if aux. odd_sides: H and W are s n + 1 of the
    backbone's last stride s (else s n). low_width: channels of the low-level features.
    """

    def __init__(
        self,
        backbone: ResNet | MobileNetV2 | Xception | AlignedXception65,
        num_classes: int,
        *,
        rate: int = 0,
        align_corners: bool = True,
        odd_sides: bool = True,
        separable: bool = True,
        convs: int = 2,
        aspp_width: int = 256,
        low_width: int = 48,
        project_kernel: int = 1,
        aux: bool = False,
    ) -> None:
        super().__init__()
        low, *_, before, inner = backbone.channels[1:]
        stride, w = backbone.strides[-1], aspp_width
        rate = rate or 96 // stride
        self.backbone = backbone
        self.aspp = ASPP(
            inner,
            w,
            (rate, 2 * rate, 3 * rate),
            separable=separable,
            project_kernel=project_kernel,
        )
        self.low = ConvBNReLU(low, low_width)
        widths = (w + low_width, *[w] * convs)
        self.decoder = nn.Sequential(
            *(
                SeparableConv(i, o) if separable else ConvBNReLU(i, o, 3)
                for i, o in pairwise(widths)
            )
        )
        self.classifier = nn.Conv2d(w, num_classes, 1)
        if aux:
            self.aux = ConvHead(before, before // 4, num_classes)
        self.align_corners = align_corners
        self.multiple_of, self.remainder = stride, int(odd_sides)
        self.aux_weights = (0.4,) if aux else ()
        self.taps = (
            *backbone.taps,
            *(Tap(f"aspp.branches.{i}", stride, w) for i in range(5)),
            Tap("aspp.project", stride, w),
            Tap("low", 4, low_width),
            Tap("decoder", 4, w),
        )

    def forward(self, x: Tensor) -> NetOutput:
        """See the class."""
        stages = self.backbone(x)
        low = self.low(stages[1])  # (N, 48, H/4, W/4)
        high = enlarge(self.aspp(stages[-1]), low, align_corners=self.align_corners)
        logits = self.classifier(self.decoder(torch.cat([high, low], 1)))
        if self.training and hasattr(self, "aux"):
            return NetOutput(logits, (self.aux(stages[-2]),))
        return NetOutput(logits)


def _on_resnet(
    depth: int,
    num_classes: int,
    *,
    output_stride: int = 16,
    multi_grid: str = "1,2,4",
    stem: str = "7x7",
    first_dilation: str = "full",
    stride_at: str = "3x3",
    ceil_pool: bool = False,
    width: int = 64,
    align_corners: bool = True,
    **head: int | bool,
) -> DeepLabV3Plus:
    backbone = ResNet(
        depth,
        output_stride=output_stride,
        multi_grid=multi_grid,
        stem=stem,
        first_dilation=first_dilation,
        stride_at=stride_at,
        ceil_pool=ceil_pool,
        width=width,
    )
    odd = align_corners or ceil_pool
    return DeepLabV3Plus(backbone, num_classes, align_corners=align_corners, odd_sides=odd, **head)  # type: ignore[arg-type]  # card values are checked by load


@net(
    "deeplab_v3plus_resnet50",
    title="DeepLab v3+ ResNet-50",
    paper=PAPER,
    family=FAMILY,
    align_corners=True,
    multiple_of=16,
    remainder=1,
)
def deeplab_v3plus_resnet50(num_classes: int, **options: int | str | bool) -> DeepLabV3Plus:
    """On ResNet-50."""
    return _on_resnet(50, num_classes, **options)  # type: ignore[arg-type]  # card values are checked by load


@net(
    "deeplab_v3plus_resnet101",
    title="DeepLab v3+ ResNet-101",
    paper=PAPER,
    family=FAMILY,
    align_corners=True,
    multiple_of=16,
    remainder=1,
)
def deeplab_v3plus_resnet101(num_classes: int, **options: int | str | bool) -> DeepLabV3Plus:
    """On ResNet-101."""
    return _on_resnet(101, num_classes, **options)  # type: ignore[arg-type]  # card values are checked by load


@net(
    "deeplab_v3plus_xception65",
    title="DeepLab v3+ Xception-65",
    paper=PAPER,
    family=FAMILY,
    align_corners=True,
    multiple_of=16,
    remainder=1,
)
def deeplab_v3plus_xception65(
    num_classes: int,
    *,
    output_stride: int = 16,
    align_corners: bool = True,
    **head: int | bool,
) -> DeepLabV3Plus:
    """On the aligned Xception-65: the paper's best net."""
    return DeepLabV3Plus(
        AlignedXception65(output_stride=output_stride),
        num_classes,
        align_corners=align_corners,
        odd_sides=align_corners,
        **head,  # type: ignore[arg-type]  # card values are checked by load
    )


@net(
    "deeplab_v3plus_xception",
    title="DeepLab v3+ Xception",
    paper=PAPER,
    family=FAMILY,
    align_corners=True,
    multiple_of=16,
    remainder=1,
)
def deeplab_v3plus_xception(
    num_classes: int,
    *,
    output_stride: int = 16,
    trimmed: bool = False,
    align_corners: bool = True,
    **head: int | bool,
) -> DeepLabV3Plus:
    """On Chollet's Xception. trimmed: see backbones/xception.py."""
    return DeepLabV3Plus(
        Xception(output_stride=output_stride, trimmed=trimmed),
        num_classes,
        align_corners=align_corners,
        odd_sides=align_corners,
        **head,  # type: ignore[arg-type]  # card values are checked by load
    )


@net(
    "deeplab_v3plus_mobilenet_v2",
    title="DeepLab v3+ MobileNetV2",
    paper=PAPER,
    family=FAMILY,
    align_corners=True,
    multiple_of=16,
    remainder=1,
)
def deeplab_v3plus_mobilenet_v2(
    num_classes: int,
    *,
    output_stride: int = 16,
    padding: str = "same",
    align_corners: bool = True,
    **head: int | bool,
) -> DeepLabV3Plus:
    """On MobileNetV2. padding: see backbones/mobilenet_v2.py."""
    return DeepLabV3Plus(
        MobileNetV2(output_stride=output_stride, padding=padding),
        num_classes,
        align_corners=align_corners,
        odd_sides=align_corners,
        **head,  # type: ignore[arg-type]  # card values are checked by load
    )
