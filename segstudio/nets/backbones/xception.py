"""Xception: Chollet's, and the deeper "aligned" one of DeepLab v3+.

Chollet, "Xception: Deep Learning with Depthwise Separable Convolutions", CVPR 2017,
https://arxiv.org/abs/1610.02357 (Figure 5); Chen, Zhu, Papandreou, Schroff, Adam,
"Encoder-Decoder with Atrous Separable Convolution for Semantic Image Segmentation", ECCV 2018,
https://arxiv.org/abs/1802.02611 (Figure 4): more layers, strided separable convolutions instead
of max pooling, batch norm behind every depthwise convolution.

The aligned one follows its authors' TensorFlow code where that differs from Figure 4: a ReLU
stands before each separable convolution of a block with a shortcut, and between its depthwise and
pointwise half only in the last block, which has no shortcut; batch norm's epsilon is 1e-3. A
block that dilates instead of shrinking has the dilation before it.
"""

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional as F

from segstudio.nets.blocks import ConvBNReLU, SeparableConv
from segstudio.nets.registry import Tap


class AlignedBlock(nn.Module):
    """Three separable convolutions, the last with the stride, and a shortcut."""

    def __init__(
        self, inner: int, widths: Sequence[int], *, stride: int = 1, dilation: int = 1
    ) -> None:
        super().__init__()
        inners = (inner, *widths)
        self.convs = nn.ModuleList(
            SeparableConv(
                inners[i],
                widths[i],
                stride=stride if i == 2 else 1,
                dilation=dilation,
                relu=False,
            )
            for i in range(3)
        )
        plain = stride == 1 and inner == widths[-1]
        self.shortcut = (
            nn.Identity() if plain else ConvBNReLU(inner, widths[-1], stride=stride, relu=False)
        )

    def halfway(self, x: Tensor) -> Tensor:
        """What the second convolution gives: (N, inner, h, w) -> (N, widths[1], h, w)."""
        out: Tensor = self.convs[1](F.relu(self.convs[0](F.relu(x))))
        return out

    def forward(self, x: Tensor, halfway: Tensor | None = None) -> Tensor:
        """(N, inner, h, w) -> (N, widths[2], h/stride, w/stride); halfway: if known already."""
        h = self.halfway(x) if halfway is None else halfway
        out: Tensor = self.shortcut(x) + self.convs[2](F.relu(h))
        return out


class AlignedXception65(nn.Module):
    """The Xception-65 of DeepLab v3+.

    Input: float32 (N, 3, H, W). Output: the maps of the stem (stride 2), of the second
    convolution of block 2 (stride 4, 256 channels: the decoder's low-level features), of the
    block 2 and of the middle flow, and the last (2048 channels), whose strides are 8, 16, 32
    and no more than output_stride. `channels`, `strides` and `taps` tell them.
    """

    def __init__(self, *, output_stride: int = 32, middle: int = 16) -> None:
        super().__init__()
        if output_stride not in (8, 16, 32):
            raise ValueError(f"output_stride {output_stride} is none of 8, 16, 32")
        third, exit_step = (2 if output_stride >= 16 else 1), (2 if output_stride == 32 else 1)
        self.stem = nn.Sequential(ConvBNReLU(3, 32, 3, stride=2), ConvBNReLU(32, 64, 3))
        self.block1 = AlignedBlock(64, (128, 128, 128), stride=2)
        self.block2 = AlignedBlock(128, (256, 256, 256), stride=2)
        self.block3 = AlignedBlock(256, (728, 728, 728), stride=third)
        dilation = 2 // third
        self.middle = nn.ModuleList(
            AlignedBlock(728, (728, 728, 728), dilation=dilation) for _ in range(middle)
        )
        self.exit = AlignedBlock(728, (728, 1024, 1024), stride=exit_step, dilation=dilation)
        dilation *= 2 // exit_step
        self.last = nn.Sequential(
            SeparableConv(1024, 1536, dilation=dilation),
            SeparableConv(1536, 1536, dilation=dilation),
            SeparableConv(1536, 2048, dilation=dilation),
        )
        self.channels = (64, 256, 256, 728, 2048)
        self.strides = (2, 4, 8, min(16, output_stride), output_stride)
        names = ("stem", "block2.convs.1", "block2", f"middle.{middle - 1}", "last")
        taps = (f"backbone.{name}" for name in names)
        self.taps = tuple(map(Tap, taps, self.strides, self.channels))
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eps = 1e-3

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """See the class."""
        stem = self.stem(x)
        first = self.block1(stem)
        low = self.block2.halfway(first)
        second = self.block2(first, low)
        third = self.block3(second)
        for block in self.middle:
            third = block(third)
        return stem, low, second, third, self.last(self.exit(third))


def _separable(inner: int, outer: int, dilation: int) -> nn.Sequential:
    """3x3 depthwise, 1x1, batch norm: Chollet has nothing between the two convolutions."""
    return nn.Sequential(
        nn.Conv2d(inner, inner, 3, 1, dilation, dilation, inner, bias=False),
        nn.Conv2d(inner, outer, 1, bias=False),
        nn.BatchNorm2d(outer),
    )


class XceptionBlock(nn.Module):
    """Separable convolutions behind ReLUs, max pooling where it strides, and a shortcut.

    starts_plain: no ReLU before the first convolution. dilation: of all of them.
    """

    def __init__(
        self,
        widths: Sequence[int],
        *,
        stride: int = 1,
        dilation: int = 1,
        starts_plain: bool = False,
    ) -> None:
        super().__init__()
        self.convs = nn.ModuleList(
            _separable(inner, outer, dilation) for inner, outer in pairwise(widths)
        )
        self.pool = nn.MaxPool2d(3, stride, 1) if stride > 1 else nn.Identity()
        plain = stride == 1 and widths[0] == widths[-1]
        self.shortcut = (
            nn.Identity() if plain else ConvBNReLU(widths[0], widths[-1], stride=stride, relu=False)
        )
        self._starts_plain = starts_plain

    def forward(self, x: Tensor) -> Tensor:
        """(N, widths[0], h, w) -> (N, widths[-1], h/stride, w/stride)."""
        h = x
        for index, conv in enumerate(self.convs):
            h = conv(h if index == 0 and self._starts_plain else F.relu(h))
        out: Tensor = self.pool(h) + self.shortcut(x)
        return out


class Xception(nn.Module):
    """Chollet's Xception without its classifier, dilated where it may not shrink.

    Input: float32 (N, 3, H, W). Output: the maps of the stem (stride 2) and of the blocks 1, 2,
    11 (4, 8, 16), and the last (32, 2048 channels); no stride is larger than output_stride.
    `channels`, `strides` and `taps` tell them.

    trimmed: as VainF's files need it: the two convolutions of the stem have no padding, the last
    two have one pixel however large their dilation (so maps shrink), and the last batch norm and
    its ReLU are missing.
    """

    def __init__(self, *, output_stride: int = 32, trimmed: bool = False) -> None:
        super().__init__()
        if output_stride not in (8, 16, 32):
            raise ValueError(f"output_stride {output_stride} is none of 8, 16, 32")
        third, twelfth = (2 if output_stride >= 16 else 1), (2 if output_stride == 32 else 1)
        dilation, last = 2 // third, 4 // (third * twelfth)
        self.stem = nn.Sequential(ConvBNReLU(3, 32, 3, stride=2), ConvBNReLU(32, 64, 3))
        self.blocks = nn.ModuleList(
            [
                XceptionBlock((64, 128, 128), stride=2, starts_plain=True),
                XceptionBlock((128, 256, 256), stride=2),
                XceptionBlock((256, 728, 728), stride=third, dilation=dilation),
                *(XceptionBlock((728,) * 4, dilation=dilation) for _ in range(8)),
                XceptionBlock((728, 728, 1024), stride=twelfth, dilation=last),
            ]
        )
        end = _separable(1536, 2048, last)
        self.last = nn.Sequential(
            _separable(1024, 1536, last),
            nn.ReLU(inplace=True),
            end[:2] if trimmed else nn.Sequential(*end, nn.ReLU(inplace=True)),
        )
        if trimmed:
            _set_padding(self.stem, 0)
            _set_padding(self.last, 1)
        self.channels = (64, 128, 256, 728, 2048)
        self.strides = (2, 4, 8, min(16, output_stride), output_stride)
        names = ("stem", "blocks.0", "blocks.1", "blocks.10", "last")
        taps = (f"backbone.{name}" for name in names)
        self.taps = tuple(map(Tap, taps, self.strides, self.channels))

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """See the class."""
        x = self.stem(x)
        stages = [x]
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index in (0, 1, 10):
                stages.append(x)
        return *stages, self.last(x)


def _set_padding(module: nn.Module, pixels: int) -> None:
    """Of every convolution larger than 1x1 in `module`."""
    for conv in module.modules():
        if isinstance(conv, nn.Conv2d) and conv.kernel_size != (1, 1):
            conv.padding = (pixels, pixels)
