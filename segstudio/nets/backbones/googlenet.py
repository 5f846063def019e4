"""GoogLeNet without its classifiers.

Szegedy et al., "Going Deeper with Convolutions", CVPR 2015, https://arxiv.org/abs/1409.4842, Table
1: nine inception modules, no batch norm; the auxiliary classifiers are left out.
"""

import torch
from torch import Tensor, nn

INCEPTION = (
    ((64, 96, 128, 16, 32, 32), (128, 128, 192, 32, 96, 64)),
    (
        (192, 96, 208, 16, 48, 64),
        (160, 112, 224, 24, 64, 64),
        (128, 128, 256, 24, 64, 64),
        (112, 144, 288, 32, 64, 64),
        (256, 160, 320, 32, 128, 128),
    ),
    ((256, 160, 320, 32, 128, 128), (384, 192, 384, 48, 128, 128)),
)
"""Per module: 1x1, 3x3 reduce, 3x3, 5x5 reduce, 5x5, pool projection; stages 3, 4 and 5."""


def _conv(inner: int, outer: int, kernel: int, stride: int = 1, padding: int = -1) -> nn.Sequential:
    around = kernel // 2 if padding < 0 else padding
    return nn.Sequential(nn.Conv2d(inner, outer, kernel, stride, around), nn.ReLU(inplace=True))


class Inception(nn.Module):
    """Four ways of looking, side by side (Figure 2b)."""

    def __init__(self, inner: int, widths: tuple[int, ...]) -> None:
        super().__init__()
        one, reduce3, three, reduce5, five, pooled = widths
        self.one = _conv(inner, one, 1)
        self.three = nn.Sequential(_conv(inner, reduce3, 1), _conv(reduce3, three, 3))
        self.five = nn.Sequential(_conv(inner, reduce5, 1), _conv(reduce5, five, 5))
        self.pool = nn.Sequential(nn.MaxPool2d(3, 1, 1), _conv(inner, pooled, 1))

    def forward(self, x: Tensor) -> Tensor:
        """(N, inner, h, w) -> (N, sum of the four, h, w)."""
        return torch.cat([self.one(x), self.three(x), self.five(x), self.pool(x)], 1)


class GoogLeNet(nn.Module):
    """(N, 3, H, W) -> (N, 1024, about H/32, about W/32).

    first_padding: around the picture. pool_padding: 1 keeps the centre of the first pixel on the
    first pixel of the picture; 0, as published, rounds up.
    """

    channels = 1024

    def __init__(self, *, first_padding: int = 3, pool_padding: int = 1) -> None:
        super().__init__()

        def pool() -> nn.MaxPool2d:
            return nn.MaxPool2d(3, 2, pool_padding, ceil_mode=pool_padding == 0)

        stages: list[nn.Module] = [
            nn.Sequential(
                _conv(3, 64, 7, 2, first_padding), pool(), nn.LocalResponseNorm(5, 1e-4, 0.75)
            ),
            nn.Sequential(
                _conv(64, 64, 1), _conv(64, 192, 3), nn.LocalResponseNorm(5, 1e-4, 0.75), pool()
            ),
        ]
        inner = 192
        for number, modules in enumerate(INCEPTION):
            layers: list[nn.Module] = []
            for widths in modules:
                layers.append(Inception(inner, widths))
                one, _, three, _, five, pooled = widths
                inner = one + three + five + pooled
            if number < len(INCEPTION) - 1:
                layers.append(pool())
            stages.append(nn.Sequential(*layers))
        self.stages = nn.ModuleList(stages)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight)
                nn.init.zeros_(module.bias)  # type: ignore[arg-type]  # all have one

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        for stage in self.stages:
            x = stage(x)
        return x
