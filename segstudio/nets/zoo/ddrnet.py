"""DDRNet-23-slim, DDRNet-23, DDRNet-39.

Hong, Pan, Sun, Jia, "Deep Dual-resolution Networks for Real-time and Accurate Semantic
Segmentation of Road Scenes", 2021, https://arxiv.org/abs/2101.06085: Figure 4 and Table 1, with
the widths of the authors' release. After the second stage the net runs at two resolutions: the
context branch goes down to 1/64, the detail branch stays at 1/8, and bilateral fusion adds each to
the other. While training a second head reads the detail branch after the third stage.

Logits are returned at stride 8. Parameters with 19 classes, without the second head: 5,695,987
(23-slim), 20,148,947 (23), 32,360,275 (39).
"""

from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F

from segstudio.nets.backbones.dual_resolution import (
    DAPPM,
    Head,
    basic_stage,
    bottleneck_stage,
    conv_bn,
    enlarged,
    start,
    stem,
)
from segstudio.nets.registry import NetOutput, Tap, net

PAPER = "https://arxiv.org/abs/2101.06085"


def taps(width: int, fusions: int) -> tuple[Tap, ...]:
    """The declared stages of a net of that width, with so many bilateral fusions."""
    strides = [16] * (fusions - 1) + [32]
    return (
        Tap("stem", 4, width),
        Tap("layer1", 4, width),
        Tap("layer2", 8, 2 * width),
        *(
            tap
            for i, stride in enumerate(strides)
            for tap in (
                Tap(f"context.{i}", stride, width * stride // 4),
                Tap(f"detail.{i}", 8, 2 * width),
            )
        ),
        Tap("context_last", 64, 16 * width),
        Tap("pyramid", 64, 4 * width),
        Tap("detail_last", 8, 4 * width),
    )


class DDRNet(nn.Module):
    """Context branch and detail branch with bilateral fusion, DAPPM, and a head.

    Input: float32 (N, 3, H, W), H and W multiples of 8. Output: logits (N, C, H/8, W/8); while
    training also those of the head on the detail branch. width: channels of the stem. blocks: of
    the stages 1 to 4. parts: into how many stages with a fusion each the third is split.
    pyramid_width: channels of a scale of the pyramid. head_width: of the heads. stem_bias: whether
    the stem's convolutions have a bias. aux: build the head for training at all.
    """

    def __init__(
        self,
        num_classes: int,
        *,
        width: int,
        blocks: tuple[int, int, int, int] = (2, 2, 2, 2),
        parts: int = 1,
        pyramid_width: int = 128,
        head_width: int,
        stem_bias: bool = True,
        aux: bool = True,
    ) -> None:
        super().__init__()
        w, high = width, 2 * width
        self.stem = stem(w, bias=stem_bias)
        self.layer1 = basic_stage(w, w, blocks[0])
        self.layer2 = basic_stage(w, 2 * w, blocks[1], 2)

        third = blocks[2] // parts
        self.context = nn.ModuleList([basic_stage(2 * w, 4 * w, third, 2)])
        self.context.extend(basic_stage(4 * w, 4 * w, third) for _ in range(parts - 1))
        self.context.append(basic_stage(4 * w, 8 * w, blocks[3], 2))
        self.detail = nn.ModuleList(basic_stage(high, high, third) for _ in range(parts))
        # The detail branch of the fourth stage has as many blocks as the context branch.
        self.detail.append(basic_stage(high, high, blocks[3]))
        # Bilateral fusion: compression leads from context to detail, down the other way.
        self.compression = nn.ModuleList(conv_bn(4 * w, high) for _ in range(parts))
        self.compression.append(conv_bn(8 * w, high))
        self.down = nn.ModuleList(conv_bn(high, 4 * w, 3, 2) for _ in range(parts))
        twice = (*conv_bn(high, 4 * w, 3, 2), nn.ReLU(inplace=True), *conv_bn(4 * w, 8 * w, 3, 2))
        self.down.append(nn.Sequential(*twice))

        self.context_last = bottleneck_stage(8 * w, 8 * w, stride=2)
        self.detail_last = bottleneck_stage(high, high)
        self.pyramid = DAPPM(16 * w, pyramid_width, 4 * w)
        self.head = Head(4 * w, head_width, num_classes)
        self.aux = Head(high, head_width, num_classes) if aux else None
        self.taps = taps(w, parts + 1)
        start(self)

    def forward(self, x: Tensor) -> NetOutput:
        """See the class."""
        x = self.layer2(F.relu(self.layer1(self.stem(x))))  # (N, 2w, H/8, W/8)
        context, detail, third = x, x, x
        fusions = zip(self.context, self.detail, self.compression, self.down, strict=True)
        for lower, upper, compression, down in fusions:
            third = detail  # in the end: what the last fusion but one has made
            context, detail = lower(F.relu(context)), upper(F.relu(detail))
            context, detail = (
                context + down(F.relu(detail)),
                detail + enlarged(compression(F.relu(context)), detail),
            )
        pyramid = self.pyramid(self.context_last(F.relu(context)))
        detail_last = self.detail_last(F.relu(detail))
        logits = self.head(enlarged(pyramid, detail_last) + detail_last)
        if self.training and self.aux is not None:
            return NetOutput(logits, (self.aux(third),))
        return NetOutput(logits)


@net(
    "ddrnet_23_slim",
    title="DDRNet-23-slim",
    family="DDRNet",
    paper=PAPER,
    taps=taps(32, 2),
    multiple_of=8,
)
def ddrnet_23_slim(num_classes: int, **options: Any) -> DDRNet:  # noqa: ANN401  DDRNet's own
    """23 layers, half as wide. Options: those of DDRNet."""
    return DDRNet(num_classes, **{"width": 32, "head_width": 64, **options})


@net("ddrnet_23", title="DDRNet-23", family="DDRNet", paper=PAPER, taps=taps(64, 2), multiple_of=8)
def ddrnet_23(num_classes: int, **options: Any) -> DDRNet:  # noqa: ANN401  DDRNet's own
    """23 layers. Options: those of DDRNet."""
    return DDRNet(num_classes, **{"width": 64, "head_width": 128, **options})


@net("ddrnet_39", title="DDRNet-39", family="DDRNet", paper=PAPER, taps=taps(64, 3), multiple_of=8)
def ddrnet_39(num_classes: int, **options: Any) -> DDRNet:  # noqa: ANN401  DDRNet's own
    """39 layers, three bilateral fusions. Options: those of DDRNet."""
    size = {"width": 64, "blocks": (3, 4, 6, 3), "parts": 2, "head_width": 256}
    return DDRNet(num_classes, **{**size, **options})
