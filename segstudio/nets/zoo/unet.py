"""U-Net: as in the paper, and padded as people train it today.

Ronneberger, Fischer, Brox, "U-Net: Convolutional Networks for Biomedical Image Segmentation",
MICCAI 2015, https://arxiv.org/abs/1505.04597, Figure 1.

`unet` is the paper's: convolutions without padding, so that 572 x 572 pixels in give 388 x 388 out;
what lies around them is mirrored (section 2, "overlap-tile"). One deviation: 3 input channels
instead of 1 (net_arg channels=1 builds the paper's, 31,030,658 parameters with 2 classes). Dropout
stands behind the last two levels of the contracting path, as in the authors' release.

`unet_padded` pads every convolution and normalises by batch, as milesial/Pytorch-UNet does; sides
that do not halve evenly are padded back on the way up. `unet_mmseg` is MMSegmentation's
UNet-S5-D16: enlargement followed by a 1x1 convolution, and a head of one more 3x3 convolution.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segstudio.nets.registry import NetOutput, Tap, net

PAPER = "https://arxiv.org/abs/1505.04597"
LEVELS = 5

MARGIN = 92
"""Pixels that the valid net loses on each side: (572 - 388) / 2."""


class Double(nn.Sequential):
    """Two 3x3 convolutions, each with ReLU.

    padding: 0 (valid) or 1. batch_norm: between convolution, which then has no bias, and ReLU.
    """

    def __init__(
        self, inner: int, middle: int, outer: int, *, padding: int, batch_norm: bool
    ) -> None:
        layers: list[nn.Module] = []
        for before, after in ((inner, middle), (middle, outer)):
            layers.append(nn.Conv2d(before, after, 3, padding=padding, bias=not batch_norm))
            if batch_norm:
                layers.append(nn.BatchNorm2d(after))
            layers.append(nn.ReLU(inplace=True))
        super().__init__(*layers)


class Up(nn.Module):
    """Twice the size, the skip of the contracting path beside it, two convolutions.

    way: "transposed" (the paper's 2x2 up-convolution), "bilinear" (no parameters, corners kept) or
    "convolved" (bilinear, then 1x1 convolution with batch norm and ReLU).
    """

    def __init__(
        self,
        inner: int,
        skip: int,
        outer: int,
        *,
        way: str,
        padding: int,
        batch_norm: bool,
    ) -> None:
        super().__init__()
        middle = outer
        if way == "transposed":
            self.up: nn.Module = nn.ConvTranspose2d(inner, skip, 2, 2)
        elif way == "convolved":
            self.up = nn.Sequential(
                nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False),
                nn.Conv2d(inner, skip, 1, bias=False),
                nn.BatchNorm2d(skip),
                nn.ReLU(inplace=True),
            )
        else:
            self.up = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)
            middle = (inner + skip) // 2
        joined = skip + (inner if way == "bilinear" else skip)
        self._is_valid = padding == 0
        self.convs = Double(joined, middle, outer, padding=padding, batch_norm=batch_norm)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """(N, inner, h, w) and (N, skip, about 2h, about 2w) -> (N, outer, …)."""
        x = self.up(x)
        high, wide = (s - u for s, u in zip(skip.shape[2:], x.shape[2:], strict=True))
        if self._is_valid:  # the middle of the skip
            top, left = high // 2, wide // 2
            skip = skip[:, :, top : top + x.shape[2], left : left + x.shape[3]]
        else:  # sides that did not halve evenly lack one pixel
            x = F.pad(x, (wide // 2, wide - wide // 2, high // 2, high - high // 2))
        out: Tensor = self.convs(torch.cat([skip, x], 1))
        return out


class UNet(nn.Module):
    """A contracting path of five levels, an expanding path of four, joined at every size.

    Input: float32 (N, channels, H, W); valid: with MARGIN more on each side, H and W a multiple of
    16 plus 4. Output: logits (N, C, H, W). width: channels of the first level. way: see Up.
    head_width: of a last 3x3 convolution before the classifier, 0 for none. aux: an auxiliary head
    on the last level but one while training.
    """

    def __init__(
        self,
        num_classes: int,
        *,
        valid: bool = False,
        batch_norm: bool = True,
        way: str = "transposed",
        width: int = 64,
        channels: int = 3,
        head_width: int = 0,
        aux: bool = False,
    ) -> None:
        super().__init__()
        padding = 0 if valid else 1
        wide = [width * 2**level for level in range(LEVELS)]
        if way == "bilinear":
            wide[-1] //= 2  # without an up-convolution nothing else halves the channels
        inner = [channels, *wide[:-1]]
        self.contract = nn.ModuleList(
            Double(a, b, b, padding=padding, batch_norm=batch_norm)
            for a, b in zip(inner, wide, strict=True)
        )
        self.pool = nn.MaxPool2d(2)
        self.dropout = nn.Dropout(0.5) if valid else nn.Identity()
        self.expand = nn.ModuleList()
        below = wide[-1]
        for level in range(LEVELS - 2, -1, -1):
            skip = wide[level]
            outer = skip // 2 if way == "bilinear" and level > 0 else skip
            self.expand.append(
                Up(below, skip, outer, way=way, padding=padding, batch_norm=batch_norm)
            )
            below = outer
        self.head = _head(below, head_width) if head_width else nn.Identity()
        self.classify = nn.Conv2d(head_width or below, num_classes, 1)
        self.aux = (
            nn.Sequential(_head(2 * width, head_width), nn.Conv2d(head_width, num_classes, 1))
            if aux and head_width
            else None
        )
        if valid:
            self.margin = MARGIN
        self.taps = (
            *(Tap(f"contract.{i}", 2**i, c) for i, c in enumerate(wide)),
            *(
                Tap(f"expand.{i}", 2 ** (LEVELS - 2 - i), _width(self.expand[i]))
                for i in range(LEVELS - 1)
            ),
        )
        self._start()

    def forward(self, x: Tensor) -> NetOutput:
        """See the class."""
        skips: list[Tensor] = []
        for level, double in enumerate(self.contract):
            x = double(self.pool(x) if level else x)
            if level >= LEVELS - 2:
                x = self.dropout(x)
            skips.append(x)
        before = x
        for up, skip in zip(self.expand, reversed(skips[:-1]), strict=True):
            before, x = x, up(x, skip)
        logits = self.classify(self.head(x))
        if self.training and self.aux is not None:
            return NetOutput(logits, (self.aux(before),))
        return NetOutput(logits)

    def _start(self) -> None:
        """Gaussian with a deviation of sqrt(2 / N), N the inputs of one neuron (section 3)."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)


def _head(inner: int, width: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inner, width, 3, padding=1, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(inplace=True),
        nn.Dropout2d(0.1),
    )


def _width(up: nn.Module) -> int:
    """Channels that a level of the expanding path answers with."""
    last = [m for m in up.modules() if isinstance(m, nn.Conv2d)][-1]
    return last.out_channels


@net(
    "unet",
    title="U-Net",
    paper=PAPER,
    family="U-Net",
    multiple_of=16,
    remainder=4,
    min_side=100,
    margin=MARGIN,
)
def unet(num_classes: int, **options: int | bool) -> UNet:
    """Figure 1: valid convolutions, no batch norm."""
    return UNet(num_classes, valid=True, batch_norm=False, **options)  # type: ignore[arg-type]  # card values are checked by load


@net("unet_padded", title="U-Net, padded", paper=PAPER, family="U-Net", min_side=16)
def unet_padded(num_classes: int, **options: int | str | bool) -> UNet:
    """Padded convolutions and batch norm: 31,037,698 parameters with 2 classes."""
    return UNet(num_classes, **options)  # type: ignore[arg-type]  # card values are checked by load


@net(
    "unet_mmseg",
    title="U-Net, MMSegmentation",
    paper=PAPER,
    family="U-Net",
    multiple_of=16,
    aux_weights=(0.4,),
)
def unet_mmseg(num_classes: int, *, aux: bool = True, width: int = 64) -> UNet:
    """UNet-S5-D16 with an FCN head: 28,987,795 parameters with 19 classes, 75,091 more in aux."""
    return UNet(num_classes, way="convolved", width=width, head_width=width, aux=aux)
