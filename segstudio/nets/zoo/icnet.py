"""ICNet as its authors released it.

Zhao, Qi, Shen, Shi, Jia, "ICNet for Real-Time Semantic Segmentation on High-Resolution Images",
ECCV 2018, https://arxiv.org/abs/1704.08545. Where the text leaves a choice, as in the authors'
Caffe files: a ResNet-50 of half the width (section 3.4: half of the kernels are kept), its first
layers shared by the half and the quarter image, 6.7 million parameters. The branches are called
by their share of the image: sub1 full, sub2 half, sub4 a quarter. Names of layers are Caffe's.

Images have sides of a multiple of 32 plus 1, so that every halving keeps the corners in place and
every enlargement gives exactly the size above. Logits are returned at stride 4; the cascade label
guidance (section 3.3) has heads at strides 16 and 8 while training.

Beside the authors' net, what meetps/pytorch-semseg makes of it for the same weights is built too:
it puts the stride of conv3_1 on the 3x3 convolution.
"""

from torch import Tensor, nn
from torch.nn import functional as F

from segstudio.nets.backbones.cascade import (
    CascadeFusion,
    SummedPyramid,
    conv_block,
    halved,
    light_branch,
    start_cascade,
)
from segstudio.nets.registry import NetOutput, Tap, net

TAPS = (
    Tap("conv1", 8, 64),
    Tap("conv2", 8, 128),
    Tap("conv3_1", 16, 256),
    Tap("conv3", 32, 256),
    Tap("conv4", 32, 512),
    Tap("conv5", 32, 1024),
    Tap("pyramid", 32, 1024),
    Tap("conv5_4", 32, 256),
    Tap("cff_sub24", 16, 128),
    Tap("sub1", 8, 64),
    Tap("cff_sub12", 8, 128),
)


class Bottleneck(nn.Module):
    """1x1, 3x3, 1x1 around a shortcut, which is a convolution where the shape changes.

    stride_on: the convolution that holds the stride, "reduce" (the first) or "3x3".
    """

    def __init__(
        self,
        inner: int,
        width: int,
        *,
        stride: int = 1,
        dilation: int = 1,
        stride_on: str = "reduce",
        batch_norm: bool = True,
    ) -> None:
        super().__init__()
        outer = 4 * width
        first, second = (stride, 1) if stride_on == "reduce" else (1, stride)
        self.reduce = conv_block(inner, width, stride=first, batch_norm=batch_norm)
        self.conv = conv_block(
            width, width, 3, stride=second, dilation=dilation, batch_norm=batch_norm
        )
        self.increase = conv_block(width, outer, batch_norm=batch_norm, relu=False)
        self.proj: nn.Module = (
            nn.Identity()
            if inner == outer
            else conv_block(inner, outer, stride=stride, batch_norm=batch_norm, relu=False)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, inner, h, w) -> (N, 4 width, h/stride, w/stride)."""
        return F.relu(self.increase(self.conv(self.reduce(x))) + self.proj(x))


def _stage(inner: int, width: int, blocks: int, *, dilation: int, batch_norm: bool) -> nn.Module:
    return nn.Sequential(
        *(
            Bottleneck(
                inner if i == 0 else 4 * width, width, dilation=dilation, batch_norm=batch_norm
            )
            for i in range(blocks)
        )
    )


class ICNet(nn.Module):
    """Three branches for three sizes of the image, fused from coarse to fine.

    Input: float32 (N, 3, H, W), H and W a multiple of 32 plus 1. Output: logits
    (N, C, (H + 3) / 4, (W + 3) / 4); while training also those of sub4 at 1/16 and of sub24 at
    1/8, from the enlarged coarse map of either fusion. batch_norm: False for the release in which
    it is merged into convolutions with biases. pooling: "caffe", the authors' windows where the
    map is 33x65 (an image of 1025x2049) and adaptive ones elsewhere, or "adaptive" always.
    stride_on: "reduce" (Caffe) or "3x3" (meetps/pytorch-semseg), in conv3_1.
    """

    def __init__(
        self,
        num_classes: int,
        *,
        batch_norm: bool = True,
        pooling: str = "caffe",
        stride_on: str = "reduce",
    ) -> None:
        super().__init__()
        bn = batch_norm
        self.conv1 = nn.Sequential(
            conv_block(3, 32, 3, stride=2, batch_norm=bn),
            conv_block(32, 32, 3, batch_norm=bn),
            conv_block(32, 64, 3, batch_norm=bn),
            nn.MaxPool2d(3, 2, 1),
        )
        self.conv2 = _stage(64, 32, 3, dilation=1, batch_norm=bn)
        self.conv3_1 = Bottleneck(128, 64, stride=2, stride_on=stride_on, batch_norm=bn)
        self.conv3 = _stage(256, 64, 3, dilation=1, batch_norm=bn)
        self.conv4 = _stage(256, 128, 6, dilation=2, batch_norm=bn)
        self.conv5 = _stage(512, 256, 3, dilation=4, batch_norm=bn)
        self.pyramid = SummedPyramid(like_caffe=pooling == "caffe")
        self.conv5_4 = conv_block(1024, 256, batch_norm=bn)
        self.cff_sub24 = CascadeFusion(256, 256, batch_norm=bn)
        self.sub1 = light_branch(batch_norm=bn)
        self.cff_sub12 = CascadeFusion(128, 64, batch_norm=bn)
        self.conv6_cls = nn.Conv2d(128, num_classes, 1)
        self.aux_sub4 = nn.Conv2d(256, num_classes, 1)
        self.aux_sub24 = nn.Conv2d(128, num_classes, 1)
        self.taps = (*TAPS, Tap("conv6_cls", 4, num_classes))
        start_cascade(self)

    def forward(self, x: Tensor) -> NetOutput:
        """See the class."""
        half = self.conv3_1(self.conv2(self.conv1(halved(x))))  # sub2: (N, 256, H/16, W/16)
        quarter = self.conv5(self.conv4(self.conv3(halved(half))))  # sub4: (N, 1024, H/32, W/32)
        quarter = self.conv5_4(self.pyramid(quarter))
        low4, _, fused = self.cff_sub24(quarter, half)
        low24, _, fused = self.cff_sub12(fused, self.sub1(x))
        height, width = (2 * side - 1 for side in fused.shape[2:])
        fine = F.interpolate(fused, size=(height, width), mode="bilinear", align_corners=True)
        logits = self.conv6_cls(fine)
        if self.training:
            return NetOutput(logits, (self.aux_sub4(low4), self.aux_sub24(low24)))
        return NetOutput(logits)


@net(
    "icnet",
    title="ICNet",
    paper="https://arxiv.org/abs/1704.08545",
    taps=TAPS,
    align_corners=True,
    multiple_of=32,
    remainder=1,
    min_side=33,
    aux_weights=(0.4, 0.4),
)
def icnet(num_classes: int, **options: str | bool) -> ICNet:
    """The authors' net, 6,699,987 parameters with batch norm and 19 classes."""
    return ICNet(num_classes, **options)  # type: ignore[arg-type]  # card values are checked by load
