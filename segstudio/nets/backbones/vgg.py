"""VGG-16 without its classifier.

Simonyan, Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition", ICLR
2015, https://arxiv.org/abs/1409.1556, Table 1, column D.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor, nn

STAGES = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
"""Channels and 3x3 convolutions of the five stages."""


@dataclass(frozen=True, slots=True)
class Pooling:
    """The max pooling behind each stage. ceil: a window that is half outside counts."""

    kernel: int = 2
    strides: Sequence[int] = (2, 2, 2, 2, 2)
    padding: int = 0
    ceil: bool = True


class VGG16(nn.Module):
    """Five stages of convolutions, each with its pooling.

    Input: float32 (N, 3, H, W). Output: what pool1 to pool5 answer, finest first; channels are
    STAGES, and sizes ceil(H/2), … ceil(H/32) with plain pooling. first_padding: around the picture
    (1; FCN's release has 100). last_dilation: of the convolutions of stage 5. width: factor on the
    channels, as quarters, for tests (4: as published).
    """

    def __init__(
        self,
        *,
        pooling: Pooling | None = None,
        first_padding: int = 1,
        last_dilation: int = 1,
        width: int = 4,
    ) -> None:
        super().__init__()
        pooling = pooling or Pooling()
        self.channels = tuple(c * width // 4 for c, _ in STAGES)
        inner = 3
        stages = []
        for index, ((_, count), outer) in enumerate(zip(STAGES, self.channels, strict=True)):
            dilation = last_dilation if index == len(STAGES) - 1 else 1
            layers: list[nn.Module] = []
            for number in range(count):
                padding = first_padding if index == number == 0 else dilation
                layers += [
                    nn.Conv2d(inner, outer, 3, padding=padding, dilation=dilation),
                    nn.ReLU(inplace=True),
                ]
                inner = outer
            stride = pooling.strides[index]
            layers.append(
                nn.MaxPool2d(pooling.kernel, stride, pooling.padding, ceil_mode=pooling.ceil)
            )
            stages.append(nn.Sequential(*layers))
        self.stages = nn.ModuleList(stages)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight)
                nn.init.zeros_(module.bias)  # type: ignore[arg-type]  # all have one

    def forward(self, x: Tensor) -> list[Tensor]:
        """See the class."""
        pools = []
        for stage in self.stages:
            x = stage(x)
            pools.append(x)
        return pools
