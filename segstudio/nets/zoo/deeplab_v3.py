"""DeepLab v3.

Chen, Papandreou, Schroff, Adam, "Rethinking Atrous Convolution for Semantic Image Segmentation",
https://arxiv.org/abs/1706.05587. A ResNet that dilates instead of shrinking below output_stride,
with multi-grid (1, 2, 4) in its last stage (section 4.2.1); ASPP with batch norm and image-level
features (Figure 5), rates 6, 12, 18 at output stride 16 and twice that at 8; a 1x1 classifier.
Logits are returned at output_stride.

The paper's pictures have sides of 16 n + 1 (513) and its enlarging keeps the corner pixels in
place. Deviations: batch norm is the usual one; the ResNet's stem is a 7x7 convolution.

net_args that other programs' weights need: those of backbones/resnet.py; align_corners;
aspp_width, project_kernel (blocks.py) and aux for MMSegmentation; extra_conv, a 3x3 convolution
before the classifier, for torchvision and VainF; rate, the smallest of ASPP (0: by output_stride).
"""

from torch import Tensor, nn

from segstudio.nets.backbones.mobilenet_v2 import MobileNetV2
from segstudio.nets.backbones.resnet import ResNet
from segstudio.nets.blocks import ASPP, ConvBNReLU, ConvHead
from segstudio.nets.registry import NetOutput, Tap, net

PAPER = "https://arxiv.org/abs/1706.05587"
FAMILY = "DeepLab v3"


class DeepLabV3(nn.Module):
    """Backbone, ASPP, classifier.

    Input: float32 (N, 3, H, W). Output: logits (N, C, H/s, W/s) of the backbone's last stride s;
    while training also those of the auxiliary head on the stage before the last, if aux.
    odd_sides: H and W are s n + 1 (else s n).
    """

    def __init__(
        self,
        backbone: ResNet | MobileNetV2,
        num_classes: int,
        *,
        rate: int = 0,
        align_corners: bool = True,
        odd_sides: bool = True,
        aspp_width: int = 256,
        project_kernel: int = 1,
        extra_conv: bool = False,
        aux: bool = False,
    ) -> None:
        super().__init__()
        *_, before, inner = backbone.channels
        stride = backbone.strides[-1]
        rate = rate or 96 // stride
        self.backbone = backbone
        self.aspp = ASPP(
            inner, aspp_width, (rate, 2 * rate, 3 * rate), project_kernel=project_kernel
        )
        self.conv = ConvBNReLU(aspp_width, aspp_width, 3) if extra_conv else nn.Identity()
        self.classifier = nn.Conv2d(aspp_width, num_classes, 1)
        if aux:
            self.aux = ConvHead(before, before // 4, num_classes)
        self.align_corners = align_corners
        self.multiple_of, self.remainder = stride, int(odd_sides)
        self.aux_weights = (0.4,) if aux else ()
        self.taps = (
            *backbone.taps,
            *(Tap(f"aspp.branches.{i}", stride, aspp_width) for i in range(5)),
            Tap("aspp.project", stride, aspp_width),
        )

    def forward(self, x: Tensor) -> NetOutput:
        """See the class."""
        stages = self.backbone(x)
        logits = self.classifier(self.conv(self.aspp(stages[-1])))
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
) -> DeepLabV3:
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
    return DeepLabV3(backbone, num_classes, align_corners=align_corners, odd_sides=odd, **head)  # type: ignore[arg-type]  # card values are checked by load


@net(
    "deeplab_v3_resnet50",
    title="DeepLab v3 ResNet-50",
    paper=PAPER,
    family=FAMILY,
    align_corners=True,
    multiple_of=16,
    remainder=1,
)
def deeplab_v3_resnet50(num_classes: int, **options: int | str | bool) -> DeepLabV3:
    """On ResNet-50."""
    return _on_resnet(50, num_classes, **options)  # type: ignore[arg-type]  # card values are checked by load


@net(
    "deeplab_v3_resnet101",
    title="DeepLab v3 ResNet-101",
    paper=PAPER,
    family=FAMILY,
    align_corners=True,
    multiple_of=16,
    remainder=1,
)
def deeplab_v3_resnet101(num_classes: int, **options: int | str | bool) -> DeepLabV3:
    """On ResNet-101."""
    return _on_resnet(101, num_classes, **options)  # type: ignore[arg-type]  # card values are checked by load


@net(
    "deeplab_v3_mobilenet_v2",
    title="DeepLab v3 MobileNetV2",
    paper=PAPER,
    family=FAMILY,
    align_corners=True,
    multiple_of=16,
    remainder=1,
)
def deeplab_v3_mobilenet_v2(
    num_classes: int,
    *,
    output_stride: int = 16,
    padding: str = "same",
    align_corners: bool = True,
    **head: int | bool,
) -> DeepLabV3:
    """On MobileNetV2; not in the paper, but usual. padding: see backbones/mobilenet_v2.py."""
    backbone = MobileNetV2(output_stride=output_stride, padding=padding)
    return DeepLabV3(
        backbone,
        num_classes,
        align_corners=align_corners,
        odd_sides=align_corners,
        **head,  # type: ignore[arg-type]  # card values are checked by load
    )
