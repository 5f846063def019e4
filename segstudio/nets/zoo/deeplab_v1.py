"""DeepLab v1: DeepLab-LargeFOV and the other fields of view of its Table 1.

Chen, Papandreou, Kokkinos, Murphy, Yuille, "Semantic Image Segmentation with Deep Convolutional
Nets and Fully Connected CRFs", ICLR 2015, https://arxiv.org/abs/1412.7062. VGG-16 whose last two
poolings keep the size (section 3.1), so that conv5 has holes of 2 and fc6 of `rate`; fc6 is made
smaller (section 3.2). Logits are returned at stride 8.

As in the authors' Caffe files: max pooling of 3x3 with one pixel of padding, an average pooling
behind pool5 of LargeFOV. Sides are 8 n + 1, enlarging keeps the corner pixels in place. The fully
connected CRF is an option of prediction (`--crf`), not of the net.
"""

from torch import Tensor, nn
from torch.nn import functional as F

from segstudio.nets.backbones.vgg import VGG16, Pooling
from segstudio.nets.registry import NetOutput, Tap, net

PAPER = "https://arxiv.org/abs/1412.7062"

STRIDE = 8


def field_of_view(kernel: int, rate: int) -> int:
    """Pixels that fc6 spans in Table 1's way of counting: (k - 1) r 8 + 32.

    That is the kernel with its holes at stride 8, and 32 pixels for what one position stands for;
    the receptive field of the whole net is larger.
    """
    return (kernel - 1) * rate * STRIDE + 32


class DeepLabV1(nn.Module):
    """Atrous VGG-16.

    Input: float32 (N, 3, H, W), H and W of 8 n + 1. Output: logits (N, C, ceil(H/8), ceil(W/8)).
    kernel, rate, hidden: of fc6, and the channels of fc6 and fc7; (3, 12, 1024) is LargeFOV, (7, 4,
    4096) the plain DeepLab, (4, 4, 4096) and (4, 8, 4096) the ones between. average: with the
    average pooling. width: factor on the stages' channels in quarters, for tests.
    """

    def __init__(
        self,
        num_classes: int,
        *,
        kernel: int = 3,
        rate: int = 12,
        hidden: int = 1024,
        average: bool = True,
        align_corners: bool = True,
        width: int = 4,
    ) -> None:
        super().__init__()
        pooling = Pooling(3, (2, 2, 2, 1, 1), 1, ceil=False)
        self.backbone = VGG16(pooling=pooling, last_dilation=2, width=width)
        self.average = nn.AvgPool2d(3, 1, 1) if average else nn.Identity()
        self.fc6 = nn.Conv2d(self.backbone.channels[-1], hidden, kernel, dilation=rate)
        self.fc7 = nn.Conv2d(hidden, hidden, 1)
        self.dropout = nn.Dropout(0.5)
        self.fc8 = nn.Conv2d(hidden, num_classes, 1)
        reach = (kernel - 1) * rate
        self._around = (reach // 2, reach - reach // 2) * 2
        self.align_corners = align_corners
        self.taps = (
            *(
                Tap(f"backbone.stages.{i}", stride, wide)
                for i, (stride, wide) in enumerate(
                    zip((2, 4, 8, 8, 8), self.backbone.channels, strict=True)
                )
            ),
            Tap("fc6", 8, hidden),
            Tap("fc7", 8, hidden),
        )
        for module in (self.fc6, self.fc7):
            nn.init.kaiming_normal_(module.weight)
            nn.init.zeros_(module.bias)  # type: ignore[arg-type]  # both have one
        nn.init.normal_(self.fc8.weight, std=0.01)
        nn.init.zeros_(self.fc8.bias)  # type: ignore[arg-type]  # it has one

    def forward(self, x: Tensor) -> NetOutput:
        """See the class."""
        y = self.average(self.backbone(x)[-1])  # (N, 512, H/8, W/8)
        y = self.dropout(F.relu(self.fc6(F.pad(y, self._around))))
        y = self.dropout(F.relu(self.fc7(y)))
        return NetOutput(self.fc8(y))


@net(
    "deeplab_v1",
    title="DeepLab v1 LargeFOV",
    paper=PAPER,
    family="DeepLab v1 and v2",
    align_corners=True,
    multiple_of=8,
    remainder=1,
)
def deeplab_v1(num_classes: int, **options: int | bool) -> DeepLabV1:
    """20,505,429 parameters with 21 classes."""
    return DeepLabV1(num_classes, **options)  # type: ignore[arg-type]  # card values are checked by load
