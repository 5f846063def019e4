"""ResNet, plain and dilated.

He, Zhang, Ren, Sun, "Deep Residual Learning for Image Recognition", CVPR 2016,
https://arxiv.org/abs/1512.03385 (Table 1); dilated stages as in Chen et al., "Rethinking Atrous
Convolution for Semantic Image Segmentation", https://arxiv.org/abs/1706.05587 (section 3).

Programs differ in four places where the paper leaves a choice, and weights know only their own:
the stem (`stem`), which convolution of a bottleneck has the stride (`stride_at`), whether the
first block of a dilated stage is dilated like the others (`first_dilation`), and how the max
pooling rounds (`ceil_pool`).
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise

from torch import Tensor, nn

from segstudio.errors import ModelError
from segstudio.nets.registry import Tap

DEPTHS: dict[int, tuple[int, int, int, int]] = {
    18: (2, 2, 2, 2),
    34: (3, 4, 6, 3),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
}
"""Layers -> blocks of each stage (Table 1)."""

STEMS: dict[str, tuple[int, ...]] = {
    "7x7": (64,),
    "64-64-128": (64, 64, 128),
    "32-32-64": (32, 32, 64),
}
"""Name -> channels: one 7x7 convolution as in the paper, or three of 3x3."""

STAGES = tuple(f"backbone.{name}" for name in ("stem", "layer1", "layer2", "layer3", "layer4"))
"""Their names in a net that calls its ResNet `backbone`."""


def _conv(inner: int, outer: int, kernel: int, *, stride: int = 1, dilation: int = 1) -> nn.Conv2d:
    padding = dilation * (kernel // 2)
    return nn.Conv2d(inner, outer, kernel, stride, padding, dilation, bias=False)


def bottleneck_depth(blocks: int) -> int:
    """The depth of the ResNet of bottlenecks that has so many blocks in layer3.

    ModelError when there is none.
    """
    found = [depth for depth, counts in DEPTHS.items() if depth >= 50 and counts[2] == blocks]
    if not found:
        raise ModelError(
            f"These weights are for a ResNet with {blocks} blocks in its third stage, which is not"
            " built here; choose weights on ResNet-50 or ResNet-101."
        )
    return found[0]


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut (Figure 5, left): (N, inner, h, w) -> (N, outer, …)."""

    def __init__(self, inner: int, width: int, *, stride: int = 1, dilation: int = 1) -> None:
        super().__init__()
        self.conv1 = _conv(inner, width, 3, stride=stride, dilation=dilation)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = _conv(width, width, 3, dilation=dilation)
        self.bn2 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = _shortcut(inner, width, stride)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        h = self.relu(self.bn1(self.conv1(x)))
        h = self.bn2(self.conv2(h))
        out: Tensor = self.relu(h + (x if self.downsample is None else self.downsample(x)))
        return out


class Bottleneck(nn.Module):
    """1x1, 3x3, 1x1 and a shortcut (Figure 5, right): (N, inner, h, w) -> (N, 4 width, …).

    stride_at: "3x3" (ResNet 1.5, torchvision and most others) or "1x1" (the paper, Caffe).
    """

    def __init__(
        self, inner: int, width: int, *, stride: int = 1, dilation: int = 1, stride_at: str = "3x3"
    ) -> None:
        super().__init__()
        first, second = (stride, 1) if stride_at == "1x1" else (1, stride)
        self.conv1 = _conv(inner, width, 1, stride=first)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = _conv(width, width, 3, stride=second, dilation=dilation)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = _conv(width, 4 * width, 1)
        self.bn3 = nn.BatchNorm2d(4 * width)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = _shortcut(inner, 4 * width, stride)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        h = self.relu(self.bn1(self.conv1(x)))
        h = self.relu(self.bn2(self.conv2(h)))
        h = self.bn3(self.conv3(h))
        out: Tensor = self.relu(h + (x if self.downsample is None else self.downsample(x)))
        return out


def _shortcut(inner: int, outer: int, stride: int) -> nn.Sequential | None:
    if stride == 1 and inner == outer:
        return None
    return nn.Sequential(_conv(inner, outer, 1, stride=stride), nn.BatchNorm2d(outer))


class ResNet(nn.Module):
    """The stages of a ResNet without its classifier.

    Input: float32 (N, 3, H, W). Output: the five maps of `stem` (stride 2, before the pooling)
    and layer1 … layer4, whose strides are 4, 8, 16, 32, no more than output_stride; `channels`,
    `strides` and `taps` (as a net's child `backbone`) tell them. A stage that may not shrink any
    more dilates by 2, 4 instead.

    depth: a key of DEPTHS. stem: a key of STEMS. first_dilation: that of the first block in a
    stage that dilates instead of shrinking: "full" as its other blocks, or "halved", as the stage
    before. multi_grid: factors to the dilation of the blocks of layer4, "1,2,4" for instance.
    ceil_pool: the max pooling rounds sizes up (Caffe). width: of layer1's blocks (64; less for
    tests).
    ValueError for options that there are not.
    """

    layer1: nn.Sequential
    layer2: nn.Sequential
    layer3: nn.Sequential
    layer4: nn.Sequential

    def __init__(
        self,
        depth: int,
        *,
        stem: str = "7x7",
        output_stride: int = 32,
        first_dilation: str = "halved",
        stride_at: str = "3x3",
        multi_grid: str = "1,1,1",
        ceil_pool: bool = False,
        width: int = 64,
    ) -> None:
        super().__init__()
        _check("depth", depth, DEPTHS)
        _check("stem", stem, STEMS)
        _check("output_stride", output_stride, (8, 16, 32))
        _check("first_dilation", first_dilation, ("full", "halved"))
        _check("stride_at", stride_at, ("3x3", "1x1"))
        self.stem = _stem([side * width // 64 for side in STEMS[stem]])
        self.pool = nn.MaxPool2d(3, 2, 1, ceil_mode=ceil_pool)
        inner = STEMS[stem][-1] * width // 64
        channels, strides = [inner], [2]
        stride, dilation = 4, 1
        for index, count in enumerate(DEPTHS[depth]):
            growth = 1 if index == 0 else 2
            step = growth if stride * growth <= output_stride else 1
            before, dilation = dilation, dilation * growth // step
            grid = _spread(multi_grid if index == 3 else "1", count)
            dilations = [dilation * factor for factor in grid]
            if first_dilation == "halved":
                dilations[0] = before * grid[0]
            stage = _stage(
                depth, inner, width * 2**index, step, dilations=dilations, stride_at=stride_at
            )
            setattr(self, f"layer{index + 1}", stage)
            inner, stride = width * 2**index * (4 if depth >= 50 else 1), stride * step
            channels.append(inner)
            strides.append(stride)
        self.channels, self.strides = tuple(channels), tuple(strides)
        self.taps = tuple(map(Tap, STAGES, strides, channels))
        _start(self)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """See the class."""
        stem = self.stem(x)
        first = self.layer1(self.pool(stem))
        second = self.layer2(first)
        third = self.layer3(second)
        return stem, first, second, third, self.layer4(third)


def _check(name: str, value: object, known: Iterable[object]) -> None:
    choices = list(known)
    if value not in choices:
        raise ValueError(f"{name} {value!r} is none of {', '.join(map(repr, choices))}")


def _stem(widths: Sequence[int]) -> nn.Sequential:
    """(N, 3, H, W) -> (N, widths[-1], H/2, W/2); members 0, 1, 3, 4, 6, 7 have weights."""
    if len(widths) == 1:
        first: list[nn.Module] = [_conv(3, widths[0], 7, stride=2)]
    else:
        first = [_conv(3, widths[0], 3, stride=2)]
    layers = [*first, nn.BatchNorm2d(widths[0]), nn.ReLU(inplace=True)]
    for inner, outer in pairwise(widths):
        layers += [_conv(inner, outer, 3), nn.BatchNorm2d(outer), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)


def _stage(
    depth: int, inner: int, width: int, stride: int, *, dilations: Sequence[int], stride_at: str
) -> nn.Sequential:
    """Blocks of `width`, one for each dilation; the first has the stride."""
    blocks: list[nn.Module] = []
    for dilation in dilations:
        if depth >= 50:
            blocks.append(
                Bottleneck(inner, width, stride=stride, dilation=dilation, stride_at=stride_at)
            )
        else:
            blocks.append(BasicBlock(inner, width, stride=stride, dilation=dilation))
        inner, stride = width * (4 if depth >= 50 else 1), 1
    return nn.Sequential(*blocks)


def _spread(factors: str, count: int) -> tuple[int, ...]:
    """One factor for each block; the last is repeated where there are more blocks."""
    numbers = [int(factor) for factor in factors.split(",")]
    return tuple(numbers[min(i, len(numbers) - 1)] for i in range(count))


def _start(net: nn.Module) -> None:
    """Kaiming-normal weights; batch norm starts at identity."""
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
