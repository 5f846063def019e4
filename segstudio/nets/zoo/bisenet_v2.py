"""BiSeNet V2.

Yu, Gao, Wang, Yu, Shen, Sang, "BiSeNet V2: Bilateral Network with Guided Aggregation for
Real-time Semantic Segmentation", IJCV 2021, https://arxiv.org/abs/2004.02147. Names of stages and
blocks are those of Table 1 and Figures 4 to 6.

Where the text leaves a choice, as the common re-implementations (and their checkpoints) choose:
a ReLU stands at the end of the aggregation layer, and the last convolution of the context
embedding block has batch norm and ReLU. The two enlargements inside the aggregation layer are
bilinear, as in the paper. The paper does not print the width of the segmentation head; 1024 is
the usual one (3,358,627 parameters with 19 classes). Logits are returned at stride 8.

24.60 GMAC at 512x1024, where the paper says 21.15: 14.78 without a head, and no usual width of
the head comes to the paper's figure. Its large variant is made of the same parts, alpha times as
wide, with d times as many gather-and-expansion layers of stride 1.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segstudio.nets.registry import NetOutput, Tap, net

EXPANSION = 6
"""Width of the depth-wise part of a gather-and-expansion layer (section 4.2)."""

BOOSTER_WIDTHS = {"coincheung": (16, 64, 256, 1024), "mmseg": (16, 64, 256, 1024)}
"""Style of the booster heads -> what their classifiers see, on the stem and stages 3, 4, 5."""


def _taps(detail: int, semantic: int) -> tuple[Tap, ...]:
    """detail, semantic: channels of the first stage of either branch."""
    return (
        Tap("detail.stage1", 2, detail),
        Tap("detail.stage2", 4, detail),
        Tap("detail.stage3", 8, 2 * detail),
        Tap("semantic.stem", 4, semantic),
        Tap("semantic.stage3", 8, 2 * semantic),
        Tap("semantic.stage4", 16, 4 * semantic),
        Tap("semantic.stage5", 32, 8 * semantic),
        Tap("semantic.context", 32, 8 * semantic),
        Tap("aggregation", 8, 2 * detail),
    )


class ConvBNReLU(nn.Sequential):
    """Convolution without bias, batch norm, ReLU; "same" padding for odd kernels."""

    def __init__(self, inner: int, outer: int, kernel: int = 3, stride: int = 1) -> None:
        super().__init__(
            nn.Conv2d(inner, outer, kernel, stride, kernel // 2, bias=False),
            nn.BatchNorm2d(outer),
            nn.ReLU(inplace=True),
        )


def _conv_bn(
    inner: int, outer: int, kernel: int, stride: int = 1, groups: int = 1
) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inner, outer, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outer),
    )


class DetailBranch(nn.Module):
    """Wide channels, few layers, stride 8: the spatial detail (section 4.1).

    width: channels of stage 1, 64 times alpha.
    """

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        w = width
        self.stage1 = nn.Sequential(ConvBNReLU(3, w, stride=2), ConvBNReLU(w, w))
        self.stage2 = nn.Sequential(ConvBNReLU(w, w, stride=2), ConvBNReLU(w, w), ConvBNReLU(w, w))
        self.stage3 = nn.Sequential(
            ConvBNReLU(w, 2 * w, stride=2), ConvBNReLU(2 * w, 2 * w), ConvBNReLU(2 * w, 2 * w)
        )

    def forward(self, x: Tensor) -> Tensor:
        """float (N, 3, H, W) -> (N, 2 * width, H/8, W/8)."""
        out: Tensor = self.stage3(self.stage2(self.stage1(x)))
        return out


class Stem(nn.Module):
    """Two ways of shrinking to stride 4, side by side (Figure 4a)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = ConvBNReLU(3, width, stride=2)
        self.left = nn.Sequential(
            ConvBNReLU(width, width // 2, kernel=1), ConvBNReLU(width // 2, width, stride=2)
        )
        self.right = nn.MaxPool2d(3, 2, 1)
        self.fuse = ConvBNReLU(2 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """float (N, 3, H, W) -> (N, width, H/4, W/4)."""
        x = self.first(x)
        out: Tensor = self.fuse(torch.cat([self.left(x), self.right(x)], 1))
        return out


class GatherExpand(nn.Module):
    """Gather-and-expansion layer (Figure 5): 3x3 gather, depth-wise expansion, 1x1 projection.

    stride 2: two depth-wise convolutions and a depth-wise separable shortcut.
    """

    def __init__(self, inner: int, outer: int, stride: int = 1) -> None:
        super().__init__()
        wide = inner * EXPANSION
        self.gather = ConvBNReLU(inner, inner)
        if stride == 1:
            self.expand = nn.Sequential(
                nn.Conv2d(inner, wide, 3, 1, 1, groups=inner, bias=False),
                nn.BatchNorm2d(wide),
                nn.ReLU(inplace=True),
            )
            self.shortcut: nn.Module = nn.Identity()
        else:
            self.expand = nn.Sequential(
                nn.Conv2d(inner, wide, 3, stride, 1, groups=inner, bias=False),
                nn.BatchNorm2d(wide),
                nn.Conv2d(wide, wide, 3, 1, 1, groups=wide, bias=False),
                nn.BatchNorm2d(wide),
                nn.ReLU(inplace=True),
            )
            self.shortcut = nn.Sequential(
                _conv_bn(inner, inner, 3, stride, groups=inner), _conv_bn(inner, outer, 1)
            )
        self.project = _conv_bn(wide, outer, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inner, h, w) -> (N, outer, h/stride, w/stride)."""
        return F.relu(self.project(self.expand(self.gather(x))) + self.shortcut(x))


class ContextEmbedding(nn.Module):
    """Global average pooling added back to every place (Figure 4b)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(width)
        self.embed = ConvBNReLU(width, width, kernel=1)
        self.last = ConvBNReLU(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """(N, width, h, w) -> the same shape."""
        out: Tensor = self.last(x + self.embed(self.norm(x.mean((2, 3), keepdim=True))))
        return out


class SemanticBranch(nn.Module):
    """Few channels, deep, stride 32: the meaning (section 4.2). width: lambda times alpha."""

    def __init__(self, width: int = 16, depth: int = 1) -> None:
        super().__init__()
        w = width
        self.stem = Stem(w)
        self.stage3 = _stage(w, 2 * w, 1 * depth)
        self.stage4 = _stage(2 * w, 4 * w, 1 * depth)
        self.stage5 = _stage(4 * w, 8 * w, 3 * depth)
        self.context = ContextEmbedding(8 * w)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """The outputs of stem (1/4), stages 3, 4, 5 (1/8, 1/16, 1/32) and context (1/32)."""
        stem = self.stem(x)
        third = self.stage3(stem)
        fourth = self.stage4(third)
        fifth = self.stage5(fourth)
        return stem, third, fourth, fifth, self.context(fifth)


def _stage(inner: int, outer: int, plain: int) -> nn.Sequential:
    """One layer of stride 2, then `plain` of stride 1."""
    return nn.Sequential(
        GatherExpand(inner, outer, stride=2), *(GatherExpand(outer, outer) for _ in range(plain))
    )


class GuidedAggregation(nn.Module):
    """Bilateral guided aggregation layer (Figure 6): each branch gates the other.

    enlarge, align_corners: how the semantic branch gets the size of the detail branch, "bilinear"
    or "nearest". pointwise_bias: of the 1x1 convolutions that follow depth-wise ones.
    """

    def __init__(
        self,
        width: int = 128,
        *,
        enlarge: str = "bilinear",
        align_corners: bool = False,
        pointwise_bias: bool = False,
    ) -> None:
        super().__init__()
        w = width
        self.detail_keep = nn.Sequential(
            _conv_bn(w, w, 3, groups=w), nn.Conv2d(w, w, 1, bias=pointwise_bias)
        )
        self.detail_down = nn.Sequential(_conv_bn(w, w, 3, 2), nn.AvgPool2d(3, 2, 1))
        self.semantic_up = _conv_bn(w, w, 3)
        self.semantic_keep = nn.Sequential(
            _conv_bn(w, w, 3, groups=w), nn.Conv2d(w, w, 1, bias=pointwise_bias)
        )
        self.last = ConvBNReLU(w, w)
        self._mode = enlarge
        self._align_corners = align_corners if enlarge == "bilinear" else None

    def forward(self, detail: Tensor, semantic: Tensor) -> Tensor:
        """(N, width, H/8, W/8) and (N, width, H/32, W/32) -> (N, width, H/8, W/8)."""
        size = detail.shape[2:]
        gate = torch.sigmoid(self._enlarged(self.semantic_up(semantic), size))
        fine = self.detail_keep(detail) * gate
        coarse = self.detail_down(detail) * torch.sigmoid(self.semantic_keep(semantic))
        out: Tensor = self.last(fine + self._enlarged(coarse, size))
        return out

    def _enlarged(self, x: Tensor, size: torch.Size) -> Tensor:
        return F.interpolate(x, size=size, mode=self._mode, align_corners=self._align_corners)


class Head(nn.Sequential):
    """3x3 convolution, dropout, 1x1 classifier (Figure 4c, without the enlargement)."""

    def __init__(self, inner: int, width: int, num_classes: int) -> None:
        super().__init__(
            ConvBNReLU(inner, width), nn.Dropout(0.1), nn.Conv2d(width, num_classes, 1)
        )


def _booster(style: str, inner: int, width: int, num_classes: int) -> nn.Module:
    """A booster head. width: what its classifier sees."""
    if style == "coincheung":  # At twice the size, for a rearrangement of pixels that is no more.
        return nn.Sequential(
            ConvBNReLU(inner, 128),
            nn.Dropout(0.1),
            nn.Upsample(scale_factor=2),
            ConvBNReLU(128, width),
            nn.Conv2d(width, num_classes, 1),
        )
    if style == "mmseg":
        return nn.Sequential(ConvBNReLU(inner, width), *Head(width, width, num_classes))
    return Head(inner, width, num_classes)


class BiSeNetV2(nn.Module):
    """Detail branch and semantic branch, fused by guided aggregation.

    Input: float32 (N, 3, H, W), H and W multiples of 32. Output: logits (N, C, H/8, W/8); while
    training also the four booster heads on the semantic branch (section 5.1), which vanish in
    eval. alpha, depth: width and depth multipliers (section 6.4). head_width: channels of the
    segmentation head. boosters: build the booster heads at all (a net for inference needs none).
    booster_width: their channels. booster_style: "plain", or as "coincheung" or "mmseg" build
    them, whose widths are their own. enlarge, pointwise_bias: of the aggregation layer.
    align_corners: of all enlargements.
    """

    def __init__(
        self,
        num_classes: int,
        *,
        alpha: float = 1.0,
        depth: int = 1,
        head_width: int = 1024,
        booster_width: int = 128,
        boosters: bool = True,
        booster_style: str = "plain",
        enlarge: str = "bilinear",
        pointwise_bias: bool = False,
        align_corners: bool = False,
    ) -> None:
        super().__init__()
        detail, semantic = int(64 * alpha), int(16 * alpha)
        self.detail = DetailBranch(detail)
        self.semantic = SemanticBranch(semantic, depth)
        self.aggregation = GuidedAggregation(
            2 * detail,
            enlarge=enlarge,
            align_corners=align_corners,
            pointwise_bias=pointwise_bias,
        )
        self.head = Head(2 * detail, head_width, num_classes)
        widths = BOOSTER_WIDTHS.get(booster_style, (booster_width,) * 4)
        self.boosters = (
            nn.ModuleList(
                _booster(booster_style, semantic * 2**i, widths[i], num_classes) for i in range(4)
            )
            if boosters
            else None
        )
        self.taps = _taps(detail, semantic)
        self.align_corners = align_corners
        self._start()

    def forward(self, x: Tensor) -> NetOutput:
        """See the class."""
        stem, third, fourth, fifth, context = self.semantic(x)
        logits = self.head(self.aggregation(self.detail(x), context))
        if self.training and self.boosters is not None:
            stages = (stem, third, fourth, fifth)
            return NetOutput(
                logits, tuple(h(s) for h, s in zip(self.boosters, stages, strict=True))
            )
        return NetOutput(logits)

    def _start(self) -> None:
        """Kaiming-normal weights (section 6.2 of the paper); batch norm starts at identity."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out")
                if module.bias is not None:
                    nn.init.zeros_(module.bias)


@net(
    "bisenet_v2",
    title="BiSeNet V2",
    paper="https://arxiv.org/abs/2004.02147",
    family="BiSeNet",
    taps=_taps(64, 16),
    multiple_of=32,
)
def bisenet_v2(num_classes: int, **options: int | float | str | bool) -> BiSeNetV2:
    """alpha = 1, d = 1: the net of Table 1."""
    return BiSeNetV2(num_classes, **options)  # type: ignore[arg-type]  # card values are checked by load


@net(
    "bisenet_v2_large",
    title="BiSeNet V2-Large",
    paper="https://arxiv.org/abs/2004.02147",
    family="BiSeNet",
    taps=_taps(128, 32),
    multiple_of=32,
)
def bisenet_v2_large(num_classes: int, **options: int | float | str | bool) -> BiSeNetV2:
    """alpha = 2, d = 3: the wider and deeper variant of section 6.4."""
    settings: dict[str, int | float | str | bool] = {"alpha": 2.0, "depth": 3, **options}
    return BiSeNetV2(num_classes, **settings)  # type: ignore[arg-type]  # card values are checked by load
