"""FCN on VGG-16, AlexNet and GoogLeNet; FCN-32s, FCN-16s, FCN-8s.

Long, Shelhamer, Darrell, "Fully Convolutional Networks for Semantic Segmentation", CVPR 2015,
https://arxiv.org/abs/1411.4038; PAMI 2017, https://arxiv.org/abs/1605.06211. Layers are called as
in the authors' files (fcn.berkeleyvision.org).

padding "reference" is the authors' release: 100 pixels of padding around the picture, so that the
unpadded fc6 answers everywhere, and crops that put every map back in its place; their weights need
it. padding "same", the default, pads every convolution by itself and cuts off what rounding up
added. The release of FCN-GoogLeNet never came: its crop is worked out here in the same way. The
paper says that the average pooling of GoogLeNet is discarded, as it is here, and prints a receptive
field that the net only has with it (907; 715 without): average_pool brings it back.

Enlargement is by transposed convolutions that start as bilinear interpolation, one class to itself
(section 3.3). upsampling "learned": all of them learn. "paper": the last one stays as it is
(section 4.3). "fixed": all stay, as in the release.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segstudio.nets.backbones.alexnet import AlexNet
from segstudio.nets.backbones.googlenet import GoogLeNet
from segstudio.nets.backbones.vgg import VGG16
from segstudio.nets.registry import NetOutput, Tap, net

PAPER = "https://arxiv.org/abs/1411.4038"
BORDER = 100
"""Pixels that the reference release puts around the picture."""

AT_ONCE = {4: 0.01, 3: 0.0001}
"""Factors on pool4 and pool3 in FCN-8s at-once, so that all skips can learn together."""

CROPS = {"upscore": 19, "score_pool4": 5, "upscore16": 27, "score_pool3": 9, "upscore8": 31}
"""Pixels that the release cuts off above and left of each map (VGG-16)."""


def bilinear_kernel(size: int) -> Tensor:
    """float32 (size, size): the kernel of a transposed convolution that interpolates."""
    factor = (size + 1) // 2
    centre = factor - 1 if size % 2 else factor - 0.5
    row = 1 - (torch.arange(size, dtype=torch.float32, device="cpu") - centre).abs() / factor
    return row[:, None] * row[None, :]


class Upscore(nn.ConvTranspose2d):
    """Scores enlarged by `stride`; starts as bilinear interpolation of each class by itself.

    padding: taken off every side of what comes out.
    """

    def __init__(
        self, classes: int, kernel: int, stride: int, padding: int = 0, *, learns: bool = True
    ) -> None:
        super().__init__(classes, classes, kernel, stride, padding, bias=False)
        self.weight.requires_grad_(learns)

    def reset_parameters(self) -> None:
        """Bilinear on the diagonal, zero elsewhere."""
        with torch.no_grad():
            self.weight.zero_()
            if not self.weight.is_meta:
                diagonal = torch.arange(self.in_channels)
                self.weight[diagonal, diagonal] = bilinear_kernel(self.kernel_size[0])


class FCNVGG16(nn.Module):
    """VGG-16 with the scores of pool5 (32s), + pool4 (16s), + pool3 (8s) summed.

    Input: float32 (N, 3, H, W). Output: logits (N, C, H, W). finest: 32, 16 or 8. at_once: with
    the factors that let all skips learn together from the start. width: factor on all channels in
    quarters, for tests (4: as published).
    """

    def __init__(
        self,
        num_classes: int,
        *,
        finest: int = 8,
        padding: str = "same",
        upsampling: str = "learned",
        at_once: bool = False,
        width: int = 4,
    ) -> None:
        super().__init__()
        is_reference = _is_reference(padding)
        c, hidden = num_classes, 1024 * width
        self.backbone = VGG16(first_padding=BORDER if is_reference else 1, width=width)
        pool3, pool4, pool5 = self.backbone.channels[2:]
        self.fc6 = nn.Conv2d(pool5, hidden, 7, padding=0 if is_reference else 3)
        self.fc7 = nn.Conv2d(hidden, hidden, 1)
        self.dropout = nn.Dropout(0.5)
        self.score_fr = nn.Conv2d(hidden, c, 1)
        inner, last = (upsampling == "learned" or upsampling == "paper"), upsampling == "learned"
        _check_upsampling(upsampling)

        def enlarge(stride: int, *, is_last: bool) -> Upscore:
            padding = 0 if is_reference else stride // 2
            return Upscore(c, 2 * stride, stride, padding, learns=last if is_last else inner)

        if finest == 32:
            self.upscore = enlarge(32, is_last=True)
        else:
            self.upscore2 = enlarge(2, is_last=False)
            self.score_pool4 = nn.Conv2d(pool4, c, 1)
        if finest == 16:
            self.upscore16 = enlarge(16, is_last=True)
        elif finest == 8:
            self.upscore_pool4 = enlarge(2, is_last=False)
            self.score_pool3 = nn.Conv2d(pool3, c, 1)
            self.upscore8 = enlarge(8, is_last=True)
        self._finest, self._is_reference, self._at_once = finest, is_reference, at_once
        if is_reference:
            self.border = BORDER
        self.taps = (
            *(
                Tap(f"backbone.stages.{i}", 2 ** (i + 1), wide)
                for i, wide in enumerate(self.backbone.channels)
            ),
            Tap("fc6", 32, hidden),
            Tap("fc7", 32, hidden),
            Tap("score_fr", 32, c),
        )
        _start(self)

    def forward(self, x: Tensor) -> NetOutput:
        """See the class."""
        _, _, pool3, pool4, pool5 = self.backbone(x)
        y = self.dropout(F.relu(self.fc6(pool5)))  # (N, 4096, H/32, W/32)
        y = self.dropout(F.relu(self.fc7(y)))
        y = self.score_fr(y)  # (N, C, H/32, W/32)
        if self._finest == 32:
            return NetOutput(self._cut(self.upscore(y), x, "upscore"))
        y = self._sum(self.upscore2(y), self.score_pool4(self._scaled(pool4, 4)), "score_pool4")
        if self._finest == 16:  # (N, C, H/16, W/16)
            return NetOutput(self._cut(self.upscore16(y), x, "upscore16"))
        skip = self.score_pool3(self._scaled(pool3, 3))
        y = self._sum(self.upscore_pool4(y), skip, "score_pool3")  # (N, C, H/8, W/8)
        return NetOutput(self._cut(self.upscore8(y), x, "upscore8"))

    def _scaled(self, pool: Tensor, number: int) -> Tensor:
        return pool * AT_ONCE[number] if self._at_once else pool

    def _sum(self, coarse: Tensor, skip: Tensor, name: str) -> Tensor:
        """The finer of the two is cut: the skip in the release, the enlarged scores otherwise."""
        if self._is_reference:
            return coarse + self._cut(skip, coarse, name)
        return self._cut(coarse, skip, name) + skip

    def _cut(self, y: Tensor, like: Tensor, name: str) -> Tensor:
        """The part of y over `like`: from CROPS on in the release, from the corner otherwise."""
        at = CROPS[name] if self._is_reference else 0
        return y[:, :, at : at + like.shape[2], at : at + like.shape[3]]


class FCNCoarse(nn.Module):
    """AlexNet or GoogLeNet with the scores of the last layer, enlarged 32 times.

    Input: float32 (N, 3, H, W). Output: logits (N, C, H, W).
    """

    def __init__(
        self,
        num_classes: int,
        backbone: AlexNet | GoogLeNet,
        layers: nn.Module,
        *,
        width: int,
        padding: str,
        upsampling: str,
        crop: int,
        kernel: int,
    ) -> None:
        super().__init__()
        _check_upsampling(upsampling)
        self.backbone = backbone
        self.layers = layers
        self.score_fr = nn.Conv2d(width, num_classes, 1)
        is_reference = _is_reference(padding)
        around = 0 if is_reference else kernel // 2 if kernel % 2 else kernel // 2 - 16
        self.upscore = Upscore(num_classes, kernel, 32, around, learns=upsampling == "learned")
        self._crop = crop if is_reference else 0
        if is_reference:
            self.border = BORDER
        self.taps = (Tap("backbone", 32, backbone.channels), Tap("score_fr", 32, num_classes))
        _start(self)

    def forward(self, x: Tensor) -> NetOutput:
        """See the class."""
        y = self.upscore(self.score_fr(self.layers(self.backbone(x))))
        at = self._crop
        return NetOutput(y[:, :, at : at + x.shape[2], at : at + x.shape[3]])


def start_from_classifier(
    net: nn.Module, state: Mapping[str, Tensor], names: tuple[str, str] = ("fc6", "fc7")
) -> None:
    """Take a classifier's fully connected layers as the convolutions fc6 and fc7 (section 3.1).

    state: `<name>.weight` (out, in) and `<name>.bias` under both names, fc6 with the inputs in the
    order channel, row, column. The numbers stay, their shape becomes (out, channels, k, k).
    ValueError when they are of another size.
    """
    with torch.no_grad():
        for name, theirs in zip(("fc6", "fc7"), names, strict=True):
            conv = net.get_submodule(name)
            assert isinstance(conv, nn.Conv2d)
            weight = state[f"{theirs}.weight"]
            if weight.numel() != conv.weight.numel():
                raise ValueError(
                    f"{theirs} has {weight.numel()} weights, not {conv.weight.numel()}"
                )
            conv.weight.copy_(weight.reshape(conv.weight.shape))
            if conv.bias is not None:
                conv.bias.copy_(state[f"{theirs}.bias"])


def start_from_coarser(net: nn.Module, coarser: nn.Module) -> tuple[str, ...]:
    """Take every layer that a coarser net has too; the new skip scores stay zero (section 4.2).

    32s → 16s → 8s: the finer net then answers as the coarser one did, up to how the enlargement is
    cut. Returns the names that were not there.
    """
    have, own = coarser.state_dict(), net.state_dict()
    shared = {k: v for k, v in have.items() if k in own and own[k].shape == v.shape}
    net.load_state_dict(shared, strict=False)
    return tuple(k for k in own if k not in shared)


def _start(net: nn.Module) -> None:
    """Scores start at zero (section 4.3), fc6 and fc7 as the rest of a net that learns alone."""
    for name, module in net.named_modules():
        if isinstance(module, nn.Conv2d) and not name.startswith("backbone"):
            if name.startswith("score"):
                nn.init.zeros_(module.weight)
            else:
                nn.init.kaiming_normal_(module.weight)
            nn.init.zeros_(module.bias)  # type: ignore[arg-type]  # all have one


def _is_reference(padding: str) -> bool:
    if padding not in ("same", "reference"):
        raise ValueError(f"padding {padding!r} is none of 'same', 'reference'")
    return padding == "reference"


def _check_upsampling(upsampling: str) -> None:
    if upsampling not in ("learned", "paper", "fixed"):
        raise ValueError(f"upsampling {upsampling!r} is none of 'learned', 'paper', 'fixed'")


@net("fcn32s", title="FCN-32s", paper=PAPER, family="FCN")
def fcn32s(num_classes: int, **options: str | int) -> FCNVGG16:
    """134,346,581 parameters with 21 classes, without the enlargement."""
    return FCNVGG16(num_classes, finest=32, **options)  # type: ignore[arg-type]  # card values are checked by load


@net("fcn16s", title="FCN-16s", paper=PAPER, family="FCN")
def fcn16s(num_classes: int, **options: str | int) -> FCNVGG16:
    """134,357,354 parameters with 21 classes, without the enlargements."""
    return FCNVGG16(num_classes, finest=16, **options)  # type: ignore[arg-type]  # card values are checked by load


@net("fcn8s", title="FCN-8s", paper=PAPER, family="FCN")
def fcn8s(num_classes: int, **options: str | int) -> FCNVGG16:
    """134,362,751 parameters with 21 classes, without the enlargements."""
    return FCNVGG16(num_classes, finest=8, **options)  # type: ignore[arg-type]  # card values are checked by load


@net("fcn8s_atonce", title="FCN-8s at-once", paper="https://arxiv.org/abs/1605.06211", family="FCN")
def fcn8s_atonce(num_classes: int, **options: str | int) -> FCNVGG16:
    """FCN-8s that learns all its skips at once (PAMI, section 4.2)."""
    return FCNVGG16(num_classes, finest=8, at_once=True, **options)  # type: ignore[arg-type]  # card values are checked by load


class _EvenKernel(nn.Conv2d):
    """6x6 convolution that keeps the size: two pixels before, three behind."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002  torch's name
        """(N, c, h, w) -> (N, out, h, w)."""
        return super().forward(F.pad(input, (2, 3, 2, 3)))


@net("fcn_alexnet", title="FCN-AlexNet", paper=PAPER, family="FCN")
def fcn_alexnet(
    num_classes: int, *, padding: str = "same", upsampling: str = "learned", hidden: int = 4096
) -> FCNCoarse:
    """56,954,261 parameters with 21 classes, without the enlargement. hidden: of fc6 and fc7."""
    is_reference = _is_reference(padding)
    backbone = AlexNet(
        first_padding=BORDER if is_reference else 5, pool_padding=0 if is_reference else 1
    )
    fc6 = nn.Conv2d(256, hidden, 6) if is_reference else _EvenKernel(256, hidden, 6)
    layers = nn.Sequential(
        fc6,
        nn.ReLU(inplace=True),
        nn.Dropout(0.5),
        nn.Conv2d(hidden, hidden, 1),  # fc7
        nn.ReLU(inplace=True),
        nn.Dropout(0.5),
    )
    return FCNCoarse(
        num_classes,
        backbone,
        layers,
        width=hidden,
        padding=padding,
        upsampling=upsampling,
        crop=18,
        kernel=63 if is_reference else 64,
    )


@net(
    "fcn_googlenet",
    title="FCN-GoogLeNet",
    paper=PAPER,
    family="FCN",
    align_corners=True,
    multiple_of=32,
    remainder=1,
    min_side=33,
)
def fcn_googlenet(
    num_classes: int,
    *,
    padding: str = "same",
    upsampling: str = "learned",
    average_pool: bool = False,
) -> FCNCoarse:
    """5,995,077 parameters with 21 classes, without the enlargement."""
    is_reference = _is_reference(padding)
    backbone = GoogLeNet(
        first_padding=BORDER if is_reference else 3, pool_padding=0 if is_reference else 1
    )
    pool = nn.AvgPool2d(7, 1, 0 if is_reference else 3, count_include_pad=False)
    layers = nn.Sequential(pool if average_pool else nn.Identity(), nn.Dropout(0.4))
    # The first score looks at pixel 29 of the picture with the pooling, at -67 without.
    return FCNCoarse(
        num_classes,
        backbone,
        layers,
        width=1024,
        padding=padding,
        upsampling=upsampling,
        crop=2 if average_pool else 98,
        kernel=63,
    )
