"""ENet.

Paszke, Chaurasia, Kim, Culurciello, "ENet: A Deep Neural Network Architecture for Real-Time
Semantic Segmentation", 2016, https://arxiv.org/abs/1606.02147. Stages and layers are those of
Table 1; the initial block is Figure 2 (a), the bottleneck Figure 2 (b).

Where the text leaves a choice, as the PyTorch re-implementation whose CamVid weights are public
chooses (359,780 parameters with 12 classes): the max pooling of the initial block is 3x3, PReLU
stands behind the expansion too, inside a bottleneck it has one slope for all channels, and batch
norm follows the projection on the unpooled path. The last transposed convolution is 3x3. That
program has changed over time; options of ENet tell its variants apart. Those weights were trained
with windows of 3x3 that overlap where bottlenecks pool; the paper's do not overlap, 2x2.

Logits have the size of the input.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segstudio.nets.registry import NetOutput, Tap, net

TAPS = (
    Tap("initial", 2, 16),
    Tap("stage1", 4, 64),
    Tap("stage2", 8, 128),
    Tap("stage3", 8, 128),
    Tap("stage4", 4, 64),
    Tap("stage5", 2, 16),
)

STAGE = (
    *("regular", "dilated 2", "asymmetric", "dilated 4"),
    *("regular", "dilated 8", "asymmetric", "dilated 16"),
)
"""Bottlenecks 2.1 to 2.8, and again 3.1 to 3.8 (Table 1)."""


class Acts(NamedTuple):
    """What stands behind convolutions and sums: PReLU, or ReLU.

    is_relu: ReLU. is_single: one slope for all channels behind sums too.
    """

    is_relu: bool = False
    is_single: bool = False

    def inner(self) -> nn.Module:
        """Behind a convolution."""
        return nn.ReLU() if self.is_relu else nn.PReLU()

    def outer(self, channels: int) -> nn.Module:
        """Behind a sum of so many channels."""
        return nn.ReLU() if self.is_relu else nn.PReLU(1 if self.is_single else channels)


class InitialBlock(nn.Module):
    """A convolution with stride 2 beside max pooling of the picture itself (Figure 2 a)."""

    def __init__(self, acts: Acts) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 13, 3, 2, 1, bias=False)
        self.norm = nn.BatchNorm2d(16)
        self.act = acts.outer(16)

    def forward(self, x: Tensor) -> Tensor:
        """float (N, 3, H, W) -> (N, 16, H/2, W/2)."""
        both = torch.cat([self.conv(x), F.max_pool2d(x, 3, 2, 1)], 1)
        out: Tensor = self.act(self.norm(both))
        return out


def _part(acts: Acts, channels: int, *convs: nn.Module) -> nn.Sequential:
    """Each convolution with batch norm and PReLU behind it."""
    return nn.Sequential(
        *(m for conv in convs for m in (conv, nn.BatchNorm2d(channels), acts.inner()))
    )


def _middle(kind: str, width: int) -> tuple[nn.Module, ...]:
    """The main convolution of a bottleneck: one, or two for a 5x5 taken apart."""
    name, _, number = kind.partition(" ")
    if name == "asymmetric":
        return (
            nn.Conv2d(width, width, (5, 1), padding=(2, 0), bias=False),
            nn.Conv2d(width, width, (1, 5), padding=(0, 2), bias=False),
        )
    d = int(number or 1)
    return (nn.Conv2d(width, width, 3, padding=d, dilation=d, bias=False),)


class Bottleneck(nn.Module):
    """1x1 projection, main convolution, 1x1 expansion; added to the input (Figure 2 b).

    kind: "regular", "dilated N" or "asymmetric". drop: probability of spatial dropout.
    """

    def __init__(self, channels: int, kind: str, acts: Acts, *, drop: float = 0.1) -> None:
        super().__init__()
        width = channels // 4
        self.project = _part(acts, width, nn.Conv2d(channels, width, 1, bias=False))
        self.main = _part(acts, width, *_middle(kind, width))
        self.expand = _part(acts, channels, nn.Conv2d(width, channels, 1, bias=False))
        self.drop = nn.Dropout2d(drop)
        self.act = acts.outer(channels)

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, h, w) -> the same shape."""
        branch = self.expand(self.main(self.project(x)))
        out: Tensor = self.act(x + self.drop(branch))
        return out


class Down(nn.Module):
    """The bottleneck that halves the size: max pooling beside it, missing channels are zeros.

    window: side of the pooling window in pixels, 2 or 3.
    """

    def __init__(
        self, inner: int, outer: int, acts: Acts, *, window: int, drop: float = 0.1
    ) -> None:
        super().__init__()
        self.window = window
        width = inner // 4
        self.project = _part(acts, width, nn.Conv2d(inner, width, 2, 2, bias=False))
        self.main = _part(acts, width, *_middle("regular", width))
        self.expand = _part(acts, outer, nn.Conv2d(width, outer, 1, bias=False))
        self.drop = nn.Dropout2d(drop)
        self.act = acts.outer(outer)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(N, inner, h, w) -> where the maxima were, and (N, outer, h/2, w/2)."""
        padding = (self.window - 1) // 2
        pooled, places = F.max_pool2d(x, self.window, 2, padding, return_indices=True)
        branch = self.drop(self.expand(self.main(self.project(x))))
        padded = F.pad(pooled, (0, 0, 0, 0, 0, branch.shape[1] - pooled.shape[1]))
        return places, self.act(padded + branch)


class Up(nn.Module):
    """The bottleneck that doubles the size: values go back to where their maxima came from.

    side: of the transposed convolution's kernel, 3 or 2.
    """

    def __init__(self, inner: int, outer: int, acts: Acts, *, side: int) -> None:
        super().__init__()
        width = inner // 4
        self.project = _part(acts, width, nn.Conv2d(inner, width, 1, bias=False))
        self.main = _part(acts, width, _double(width, width, side))
        self.expand = _part(acts, outer, nn.Conv2d(width, outer, 1, bias=False))
        self.drop = nn.Dropout2d(0.1)
        self.shortcut = nn.Sequential(nn.Conv2d(inner, outer, 1, bias=False), nn.BatchNorm2d(outer))
        self.act = acts.outer(outer)

    def forward(self, x: Tensor, places: Tensor) -> Tensor:
        """(N, inner, h, w) -> (N, outer, 2h, 2w). places: of the pooling that is undone."""
        branch = self.drop(self.expand(self.main(self.project(x))))
        out: Tensor = self.act(F.max_unpool2d(self.shortcut(x), places, (2, 2)) + branch)
        return out


def _double(inner: int, outer: int, side: int) -> nn.ConvTranspose2d:
    """Twice the size, learned; side: of the kernel, 3 or 2."""
    return nn.ConvTranspose2d(
        inner, outer, side, 2, padding=side - 2, output_padding=side - 2, bias=False
    )


class ENet(nn.Module):
    """A large encoder (stages 1 to 3) and a small decoder (stages 4 and 5).

    Input: float32 (N, 3, H, W), H and W multiples of 8. Output: logits (N, C, H, W).
    window: side of the bottlenecks' pooling window; 2 in the paper, or 3. deconv: side of the
    transposed convolutions inside bottlenecks, 3 or 2. single_slopes: PReLU behind sums has one
    slope for all channels. relu_decoder: stages 4 and 5 have ReLU instead.
    """

    def __init__(
        self,
        num_classes: int,
        *,
        window: int = 2,
        deconv: int = 3,
        single_slopes: bool = False,
        relu_decoder: bool = False,
    ) -> None:
        super().__init__()
        if window not in (2, 3) or deconv not in (2, 3):
            raise ValueError("window and deconv must be 2 or 3")
        acts = Acts(is_single=single_slopes)
        self.initial = InitialBlock(acts)
        self.down1 = Down(16, 64, acts, window=window, drop=0.01)
        first = (Bottleneck(64, "regular", acts, drop=0.01) for _ in range(4))
        self.stage1 = nn.Sequential(*first)
        self.down2 = Down(64, 128, acts, window=window)
        self.stage2 = nn.Sequential(*(Bottleneck(128, kind, acts) for kind in STAGE))
        self.stage3 = nn.Sequential(*(Bottleneck(128, kind, acts) for kind in STAGE))

        acts = Acts(is_relu=relu_decoder, is_single=single_slopes)
        self.up4 = Up(128, 64, acts, side=deconv)
        self.stage4 = nn.Sequential(*(Bottleneck(64, "regular", acts) for _ in range(2)))
        self.up5 = Up(64, 16, acts, side=deconv)
        self.stage5 = nn.Sequential(Bottleneck(16, "regular", acts))
        self.fullconv = _double(16, num_classes, 3)

    def forward(self, x: Tensor) -> NetOutput:
        """See the class."""
        first, x = self.down1(self.initial(x))
        second, x = self.down2(self.stage1(x))
        x = self.stage3(self.stage2(x))
        x = self.stage4(self.up4(x, second))
        x = self.stage5(self.up5(x, first))
        return NetOutput(self.fullconv(x))


@net(
    "enet",
    title="ENet",
    paper="https://arxiv.org/abs/1606.02147",
    taps=TAPS,
    multiple_of=8,
)
def enet(num_classes: int, **options: int | bool) -> ENet:
    """The net of Table 1. Options: those of ENet."""
    return ENet(num_classes, **options)  # type: ignore[arg-type]  # card values are checked by load
