"""Backbones that several nets of the zoo share."""

import re

from torch import nn

from segstudio.nets.titles.rules import Rule, Table, number


def _flow(_: nn.Module, match: "re.Match[str]") -> str:
    """The parts of Chollet's Figure 5."""
    index = number(match)
    flow = "entry" if index < 3 else "middle" if index < 11 else "exit"
    return f"{flow} flow · block {index + 1}"


XCEPTION_BLOCK = (
    Rule("convs", "convolutions", "separable convolutions"),
    Rule(r"convs\.(\d)", "convolution {1+1}", "separable convolution {1+1}"),
    Rule("pool", "pooling"),
    Rule("shortcut", "shortcut"),
)

TABLE: Table = {
    "resnet.ResNet": (
        Rule("stem", "stem", "stem, down to 1/2"),
        Rule("pool", "pooling behind the stem"),
        Rule(r"layer(\d)", "stage {1}"),
    ),
    "vgg.VGG16": (
        Rule("stages", "stages", "all stages"),
        Rule(r"stages\.(\d)", "stage {1+1}", "stage {1+1}, with its pooling"),
    ),
    "alexnet.AlexNet": (
        Rule("stages", "stages", "all stages"),
        Rule(r"stages\.(\d)", "stage {1+1}", "stage {1+1}, with its pooling"),
    ),
    "googlenet.GoogLeNet": (
        Rule("stages", "stages", "all stages"),
        Rule(r"stages\.(\d)", "stage {1+1}"),
    ),
    "googlenet.Inception": (
        Rule("one", "1×1 branch"),
        Rule("three", "3×3 branch"),
        Rule("five", "5×5 branch"),
        Rule("pool", "pooling branch"),
    ),
    "mobilenet_v2.MobileNetV2": (
        Rule("stem", "stem", "stem, 3×3 convolution, stride 2"),
        Rule("blocks", "inverted residual blocks"),
        Rule(r"blocks\.(\d+)", "block {1+1}"),
    ),
    "mobilenet_v2.InvertedResidual": (
        Rule("expand", "expansion"),
        Rule("depthwise", "depth-wise convolution"),
        Rule("project", "projection"),
    ),
    "xception.Xception": (
        Rule("stem", "entry flow · stem"),
        Rule("blocks", "blocks", "all blocks"),
        Rule(r"blocks\.(\d+)", _flow),
        Rule("last", "exit flow · last convolutions"),
    ),
    "xception.XceptionBlock": XCEPTION_BLOCK,
    "xception.AlignedXception65": (
        Rule("stem", "entry flow · stem"),
        Rule(r"block(\d)", "entry flow · block {1}"),
        Rule("middle", "middle flow"),
        Rule(r"middle\.(\d+)", "middle flow · block {1+1}"),
        Rule("exit", "exit flow · block"),
        Rule("last", "exit flow · last convolutions"),
    ),
    "xception.AlignedBlock": XCEPTION_BLOCK,
}
