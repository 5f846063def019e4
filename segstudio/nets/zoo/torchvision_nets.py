"""FCN, DeepLab V3 and Lite R-ASPP as torchvision builds them.

Long, Shelhamer, Darrell, "Fully Convolutional Networks for Semantic Segmentation", CVPR 2015,
https://arxiv.org/abs/1411.4038; Chen, Papandreou, Schroff, Adam, "Rethinking Atrous Convolution
for Semantic Image Segmentation", https://arxiv.org/abs/1706.05587; Howard et al., "Searching for
MobileNetV3", ICCV 2019, https://arxiv.org/abs/1905.02244 (section 6.4).

The modules are torchvision's own under torchvision's names, so its published checkpoints load as
they are. Only the last enlargement is left out: logits come at stride 8.

torchvision is imported when a net is built, not when the zoo is listed: that takes seconds.
"""

from collections import OrderedDict

from torch import Tensor, nn

from segstudio.nets.registry import NetOutput, Tap, net

FCN_PAPER = "https://arxiv.org/abs/1411.4038"
DEEPLAB_PAPER = "https://arxiv.org/abs/1706.05587"
MOBILENET_PAPER = "https://arxiv.org/abs/1905.02244"

RESNET_TAPS = (
    Tap("backbone.layer1", 4, 256),
    Tap("backbone.layer2", 8, 512),
    Tap("backbone.layer3", 8, 1024),
    Tap("backbone.layer4", 8, 2048),
)
"""The last two stages are dilated instead of strided."""

MOBILENET_TAPS = (
    Tap("backbone.1", 2, 16),
    Tap("backbone.3", 4, 24),
    Tap("backbone.6", 8, 40),
    Tap("backbone.12", 16, 112),
    Tap("backbone.16", 16, 960),
)


class Segmenter(nn.Module):
    """Backbone and classifier of a torchvision segmentation net.

    Input: float32 (N, 3, H, W). Output: logits (N, C, ceil(H/8), ceil(W/8)), 1/16 for DeepLab V3
    on MobileNet; while training also those of the auxiliary head, where there is one. takes_all:
    the classifier wants every stage that the backbone hands out, not the last alone.
    """

    def __init__(self, built: nn.Module, *, takes_all: bool = False) -> None:
        super().__init__()
        self.backbone = built.get_submodule("backbone")
        self.classifier = built.get_submodule("classifier")
        auxiliary = getattr(built, "aux_classifier", None)
        if auxiliary is not None:
            self.aux_classifier = auxiliary
        self._takes_all = takes_all

    def forward(self, x: Tensor) -> NetOutput:
        """See the class."""
        stages: OrderedDict[str, Tensor] = self.backbone(x)
        logits = self.classifier(stages if self._takes_all else stages["out"])
        if self.training and hasattr(self, "aux_classifier"):
            return NetOutput(logits, (self.aux_classifier(stages["aux"]),))
        return NetOutput(logits)


def _built(name: str, num_classes: int, *, aux: bool) -> Segmenter:
    from torchvision.models import segmentation

    build = getattr(segmentation, name)
    return Segmenter(
        build(weights=None, weights_backbone=None, num_classes=num_classes, aux_loss=aux)
    )


@net(
    "fcn_resnet50",
    title="FCN ResNet-50 (torchvision)",
    paper=FCN_PAPER,
    taps=RESNET_TAPS,
    multiple_of=8,
    family="FCN",
    aux_weights=(0.5,),
)
def fcn_resnet50(num_classes: int, *, aux: bool = False) -> Segmenter:
    """aux: with the auxiliary head for training."""
    return _built("fcn_resnet50", num_classes, aux=aux)


@net(
    "fcn_resnet101",
    title="FCN ResNet-101 (torchvision)",
    paper=FCN_PAPER,
    taps=RESNET_TAPS,
    multiple_of=8,
    family="FCN",
    aux_weights=(0.5,),
)
def fcn_resnet101(num_classes: int, *, aux: bool = False) -> Segmenter:
    """aux: with the auxiliary head for training."""
    return _built("fcn_resnet101", num_classes, aux=aux)


@net(
    "deeplabv3_resnet50",
    title="DeepLab v3 ResNet-50 (torchvision)",
    paper=DEEPLAB_PAPER,
    taps=RESNET_TAPS,
    multiple_of=8,
    family="DeepLab v3",
    aux_weights=(0.5,),
)
def deeplabv3_resnet50(num_classes: int, *, aux: bool = False) -> Segmenter:
    """aux: with the auxiliary head for training."""
    return _built("deeplabv3_resnet50", num_classes, aux=aux)


@net(
    "deeplabv3_resnet101",
    title="DeepLab v3 ResNet-101 (torchvision)",
    paper=DEEPLAB_PAPER,
    taps=RESNET_TAPS,
    multiple_of=8,
    family="DeepLab v3",
    aux_weights=(0.5,),
)
def deeplabv3_resnet101(num_classes: int, *, aux: bool = False) -> Segmenter:
    """aux: with the auxiliary head for training."""
    return _built("deeplabv3_resnet101", num_classes, aux=aux)


@net(
    "deeplabv3_mobilenet_v3_large",
    title="DeepLab v3 MobileNetV3 (torchvision)",
    paper=DEEPLAB_PAPER,
    taps=MOBILENET_TAPS,
    multiple_of=16,
    family="DeepLab v3",
    aux_weights=(0.5,),
)
def deeplabv3_mobilenet_v3_large(num_classes: int, *, aux: bool = False) -> Segmenter:
    """aux: with the auxiliary head for training."""
    return _built("deeplabv3_mobilenet_v3_large", num_classes, aux=aux)


@net(
    "lraspp_mobilenet_v3_large",
    title="LR-ASPP MobileNetV3 (torchvision)",
    paper=MOBILENET_PAPER,
    taps=MOBILENET_TAPS,
    multiple_of=16,
    family="LR-ASPP",
)
def lraspp_mobilenet_v3_large(num_classes: int) -> Segmenter:
    """Lite R-ASPP: two stages of the backbone, gated by a global view."""
    from torchvision.models import segmentation

    built = segmentation.lraspp_mobilenet_v3_large(
        weights=None, weights_backbone=None, num_classes=num_classes
    )
    return Segmenter(built, takes_all=True)
