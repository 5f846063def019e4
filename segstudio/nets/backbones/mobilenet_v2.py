"""MobileNetV2, plain and dilated.

Sandler, Howard, Zhu, Zhmoginov, Chen, "MobileNetV2: Inverted Residuals and Linear Bottlenecks",
CVPR 2018, https://arxiv.org/abs/1801.04381 (Table 2), without its last 1x1 convolution and the
classifier. In a group that dilates instead of shrinking, the first block has the dilation of the
group before.

padding: "same", or "block" as VainF's files need: zeros are put around a block's input, before
its 1x1 expansion, whose batch norm then makes something else of them; and nothing is put around
the picture, which makes every map begin a little further in.
"""

from torch import Tensor, nn
from torch.nn import functional as F

from segstudio.nets.registry import Tap

GROUPS = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
"""Table 2: expansion, channels, blocks, stride of the first block."""

STAGES = (0, 2, 5, 12, 16)
"""The blocks that end a stage (strides 2, 4, 8, 16, 32)."""


def _unit(
    inner: int,
    outer: int,
    kernel: int,
    *,
    stride: int = 1,
    dilation: int = 1,
    padding: int = 0,
    groups: int = 1,
) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inner, outer, kernel, stride, padding, dilation, groups, bias=False),
        nn.BatchNorm2d(outer),
        nn.ReLU6(inplace=True),
    )


class InvertedResidual(nn.Module):
    """1x1 expansion, 3x3 depthwise, 1x1 projection without ReLU (Figure 4d).

    (N, inner, h, w) -> (N, outer, h/stride, w/stride). padding: see the top of this file.
    """

    def __init__(
        self,
        inner: int,
        outer: int,
        *,
        expansion: int,
        stride: int,
        dilation: int,
        padding: str,
    ) -> None:
        super().__init__()
        wide = inner * expansion
        self.expand = nn.Identity() if expansion == 1 else _unit(inner, wide, 1)
        self.depthwise = _unit(
            wide,
            wide,
            3,
            stride=stride,
            dilation=dilation,
            padding=dilation if padding == "same" else 0,
            groups=wide,
        )
        self.project = nn.Sequential(nn.Conv2d(wide, outer, 1, bias=False), nn.BatchNorm2d(outer))
        self._border = dilation if padding == "block" else 0
        self._adds = stride == 1 and inner == outer

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        h = F.pad(x, (self._border,) * 4) if self._border else x
        out: Tensor = self.project(self.depthwise(self.expand(h)))
        return x + out if self._adds else out


class MobileNetV2(nn.Module):
    """Input: float32 (N, 3, H, W). Output: five maps of strides 2, 4, 8, 16, 32.

    No stride is larger than output_stride (8, 16 or 32). `channels`, `strides` and `taps` tell
    them. ValueError for options that there are not.
    """

    def __init__(self, *, output_stride: int = 32, padding: str = "same") -> None:
        super().__init__()
        if output_stride not in (8, 16, 32):
            raise ValueError(f"output_stride {output_stride} is none of 8, 16, 32")
        if padding not in ("same", "block"):
            raise ValueError(f"padding {padding!r} is none of 'same', 'block'")
        self.stem = _unit(3, 32, 3, stride=2, padding=1 if padding == "same" else 0)
        blocks: list[InvertedResidual] = []
        strides: list[int] = []
        inner, at, dilation = 32, 2, 1
        for expansion, outer, count, wanted in GROUPS:
            step = wanted if at * wanted <= output_stride else 1
            before, dilation, at = dilation, dilation * wanted // step, at * step
            for index in range(count):
                blocks.append(
                    InvertedResidual(
                        inner,
                        outer,
                        expansion=expansion,
                        stride=step if index == 0 else 1,
                        dilation=before if index == 0 else dilation,
                        padding=padding,
                    )
                )
                strides.append(at)
                inner = outer
        self.blocks = nn.ModuleList(blocks)
        self.channels = (16, 24, 32, 96, 320)
        self.strides = tuple(strides[i] for i in STAGES)
        names = (f"backbone.blocks.{i}" for i in STAGES)
        self.taps = tuple(map(Tap, names, self.strides, self.channels))

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """See the class."""
        x = self.stem(x)
        stages = []
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index in STAGES:
                stages.append(x)
        return tuple(stages)
