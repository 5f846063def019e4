"""SegFormer B0 to B5.

Xie, Wang, Yu, Anandkumar, Alvarez, Luo, "SegFormer: Simple and Efficient Design for Semantic
Segmentation with Transformers", NeurIPS 2021, https://arxiv.org/abs/2105.15203: the Mix
Transformer encoder (section 3.1, sizes of Table 6) and the all-MLP decoder (section 3.2).
Programs differ in what the paper does not print, and net_args tell which is meant: eps of the
layer norms (the authors: 1e-6 in blocks, 1e-5 behind patch embedding and sequence reduction), and
whether the decoder's projections carry batch norm and ReLU (MMSegmentation's do).

Any size from 32x32 on. Logits are returned at stride 4. Parameters with 19 classes: 3,719,027 (B0),
13,682,131 (B1), 27,361,235 (B2), 47,237,075 (B3), 64,007,635 (B4), 84,607,955 (B5).
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segstudio.errors import ModelError
from segstudio.nets.registry import NetOutput, Tap, net

PAPER = "https://arxiv.org/abs/2105.15203"

HEADS = (1, 2, 5, 8)
REDUCTIONS = (8, 4, 2, 1)
"""Of a stage's keys and values: the side of the window that becomes one of them."""

EXPANSION = 4
"""Width of the feed-forward network's middle."""

NARROW = (32, 64, 160, 256)
WIDE = (64, 128, 320, 512)


def taps(channels: tuple[int, ...]) -> tuple[Tap, ...]:
    """The four stages of the encoder."""
    return tuple(Tap(f"stages.{i}", 4 << i, width) for i, width in enumerate(channels))


class PatchEmbedding(nn.Module):
    """Overlapping patches: a convolution whose window is wider than its stride."""

    def __init__(self, inner: int, outer: int, window: int, stride: int, eps: float) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inner, outer, window, stride, window // 2)
        self.norm = nn.LayerNorm(outer, eps)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inner, h, w) -> (N, h/stride, w/stride, outer)."""
        out: Tensor = self.norm(self.conv(x).permute(0, 2, 3, 1))
        return out


class Attention(nn.Module):
    """Efficient self-attention: keys and values come from a smaller map (equation 2)."""

    def __init__(self, channels: int, heads: int, reduction: int, eps: float) -> None:
        super().__init__()
        self.heads = heads
        self.q = nn.Linear(channels, channels)
        self.k = nn.Linear(channels, channels)
        self.v = nn.Linear(channels, channels)
        self.out = nn.Linear(channels, channels)
        is_reduced = reduction > 1
        self.reduce = nn.Conv2d(channels, channels, reduction, reduction) if is_reduced else None
        self.reduce_norm = nn.LayerNorm(channels, eps) if is_reduced else None

    def forward(self, x: Tensor) -> Tensor:
        """(N, h, w, channels) -> the same shape."""
        source = x
        if self.reduce is not None and self.reduce_norm is not None:
            smaller = self.reduce(x.permute(0, 3, 1, 2))  # (N, channels, h/r, w/r)
            source = self.reduce_norm(smaller.permute(0, 2, 3, 1))
        mixed = F.scaled_dot_product_attention(
            self._by_head(self.q(x)), self._by_head(self.k(source)), self._by_head(self.v(source))
        )
        out: Tensor = self.out(mixed.transpose(1, 2).reshape(x.shape))
        return out

    def _by_head(self, x: Tensor) -> Tensor:
        """(N, h, w, channels) -> (N, heads, h w, channels / heads)."""
        count, height, width, channels = x.shape
        split = x.reshape(count, height * width, self.heads, channels // self.heads)
        return split.transpose(1, 2)


class MixFFN(nn.Module):
    """Feed-forward network with a 3x3 depth-wise convolution, which tells places apart."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        wide = EXPANSION * channels
        self.widen = nn.Linear(channels, wide)
        self.depthwise = nn.Conv2d(wide, wide, 3, 1, 1, groups=wide)
        self.narrow = nn.Linear(wide, channels)

    def forward(self, x: Tensor) -> Tensor:
        """(N, h, w, channels) -> the same shape."""
        mixed = self.depthwise(self.widen(x).permute(0, 3, 1, 2))
        out: Tensor = self.narrow(F.gelu(mixed).permute(0, 2, 3, 1))
        return out


class Block(nn.Module):
    """Attention and Mix-FFN, each after a layer norm and added to its input.

    drop: how probably a sample skips one of the two while training (stochastic depth).
    """

    def __init__(
        self, channels: int, heads: int, reduction: int, drop: float, eps: float, inner_eps: float
    ) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(channels, eps)
        self.attention = Attention(channels, heads, reduction, inner_eps)
        self.norm2 = nn.LayerNorm(channels, eps)
        self.ffn = MixFFN(channels)
        self.drop = drop

    def forward(self, x: Tensor) -> Tensor:
        """(N, h, w, channels) -> the same shape."""
        x = x + self._kept(self.attention(self.norm1(x)))
        return x + self._kept(self.ffn(self.norm2(x)))

    def _kept(self, x: Tensor) -> Tensor:
        if not self.training or self.drop == 0:
            return x
        keep = 1 - self.drop
        return x * x.new_empty((x.shape[0], 1, 1, 1)).bernoulli_(keep) / keep


class Stage(nn.Module):
    """Patch embedding, blocks, layer norm."""

    def __init__(self, embed: PatchEmbedding, blocks: list[Block], norm: nn.LayerNorm) -> None:
        super().__init__()
        self.embed = embed
        self.blocks = nn.Sequential(*blocks)
        self.norm = norm

    def forward(self, x: Tensor) -> Tensor:
        """(N, inner, h, w) -> (N, outer, h/stride, w/stride)."""
        out: Tensor = self.norm(self.blocks(self.embed(x))).permute(0, 3, 1, 2).contiguous()
        return out


class Decoder(nn.Module):
    """Project every stage, enlarge to the first one's size, fuse, classify (equation 4)."""

    def __init__(
        self, channels: tuple[int, ...], width: int, num_classes: int, *, normed: bool
    ) -> None:
        super().__init__()
        self.project = nn.ModuleList(
            nn.Sequential(nn.Conv2d(c, width, 1, bias=not normed), *(_norm_relu(width) * normed))
            for c in channels
        )
        self.fuse = nn.Sequential(
            nn.Conv2d(len(channels) * width, width, 1, bias=False), *_norm_relu(width)
        )
        self.drop = nn.Dropout2d(0.1)
        self.classifier = nn.Conv2d(width, num_classes, 1)

    def forward(self, stages: list[Tensor]) -> Tensor:
        """Four maps, strides 4 to 32 -> (N, C, H/4, W/4)."""
        size = stages[0].shape[2:]
        same = [
            F.interpolate(project(x), size=size, mode="bilinear", align_corners=False)
            for project, x in zip(self.project, stages, strict=True)
        ]
        fused = self.fuse(torch.cat(same[::-1], 1))  # the coarsest comes first
        out: Tensor = self.classifier(self.drop(fused))
        return out


def _norm_relu(channels: int) -> list[nn.Module]:
    return [nn.BatchNorm2d(channels), nn.ReLU(inplace=True)]


class SegFormer(nn.Module):
    """Mix Transformer and all-MLP decoder.

    Input: float32 (N, 3, H, W), H and W from 32 on. Output: logits (N, C, H/4, W/4), rounded up.
    channels, depths: of the four stages. decoder_width: channels that every stage is projected
    to. eps: of the layer norms in and behind blocks. inner_eps: of those behind patch embedding and
    sequence reduction. normed_projections: batch norm and ReLU in the decoder's projections.
    drop: probability of the last block's stochastic depth, from 0 in the first.
    """

    def __init__(
        self,
        num_classes: int,
        *,
        channels: tuple[int, int, int, int],
        depths: tuple[int, int, int, int],
        decoder_width: int,
        eps: float = 1e-6,
        inner_eps: float = 1e-5,
        normed_projections: bool = False,
        drop: float = 0.1,
    ) -> None:
        super().__init__()
        total = sum(depths)
        drops = iter([drop * i / max(total - 1, 1) for i in range(total)])
        stages, inner = [], 3
        for i, (outer, depth) in enumerate(zip(channels, depths, strict=True)):
            window, stride = (7, 4) if i == 0 else (3, 2)
            blocks = [
                Block(outer, HEADS[i], REDUCTIONS[i], next(drops), eps, inner_eps)
                for _ in range(depth)
            ]
            embed = PatchEmbedding(inner, outer, window, stride, inner_eps)
            stages.append(Stage(embed, blocks, nn.LayerNorm(outer, eps)))
            inner = outer
        self.stages = nn.ModuleList(stages)
        self.decoder = Decoder(channels, decoder_width, num_classes, normed=normed_projections)
        self._start()

    def forward(self, x: Tensor) -> NetOutput:
        """See the class."""
        found = []
        for stage in self.stages:
            x = stage(x)
            found.append(x)
        return NetOutput(self.decoder(found))

    def _start(self) -> None:
        """Normal (0.02) for linear layers, Kaiming-normal for convolutions."""
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=0.02)
                nn.init.zeros_(module.bias)
            elif isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out")
                if module.bias is not None:
                    nn.init.zeros_(module.bias)


SIZES: dict[str, dict[str, Any]] = {
    "b0": {"channels": NARROW, "depths": (2, 2, 2, 2), "decoder_width": 256},
    "b1": {"channels": WIDE, "depths": (2, 2, 2, 2), "decoder_width": 256},
    "b2": {"channels": WIDE, "depths": (3, 4, 6, 3), "decoder_width": 768},
    "b3": {"channels": WIDE, "depths": (3, 4, 18, 3), "decoder_width": 768},
    "b4": {"channels": WIDE, "depths": (3, 8, 27, 3), "decoder_width": 768},
    "b5": {"channels": WIDE, "depths": (3, 6, 40, 3), "decoder_width": 768},
}
"""Table 6."""


def size_of(width: int, depths: tuple[int, ...]) -> str:
    """ "b0" to "b5", by the channels of the first stage and the blocks of all four.

    ModelError for any other SegFormer.
    """
    for name, size in SIZES.items():
        if (size["channels"][0], size["depths"]) == (width, depths):
            return name
    counts = ", ".join(map(str, depths))
    raise ModelError(
        f"This SegFormer has {width} channels in its first stage and {counts} blocks, as none of"
        " B0 to B5 has; import one of those."
    )


def _file_builder(size: str) -> None:
    @net(
        f"segformer_{size}",
        title=f"SegFormer-{size.upper()}",
        family="SegFormer",
        paper=PAPER,
        taps=taps(SIZES[size]["channels"]),
    )
    def build(num_classes: int, **options: Any) -> SegFormer:  # noqa: ANN401  SegFormer's own
        return SegFormer(num_classes, **{**SIZES[size], **options})


for _size in SIZES:
    _file_builder(_size)
