"""Nets that look at a map in several sizes at once: DeepLab, PSPNet, ICNet."""

import re
from typing import Any

from torch import nn

from segstudio.nets.titles.kinds import dilation_of, kernel_of
from segstudio.nets.titles.rules import Rule, Table, number

CLASSES = Rule("classifier", "head · classes")
AUX = Rule("aux", "auxiliary head", "Auxiliary head on the stage before the last")
DROPOUT = Rule("dropout", "head · dropout")


def _backbone(owner: nn.Module, _: "re.Match[str]") -> str:
    return f"Backbone, {type(owner.get_submodule('backbone')).__name__}"


BACKBONE = Rule("backbone", "backbone", _backbone)
ASPP = Rule("aspp", "ASPP", "Atrous spatial pyramid pooling (ASPP)")


def atrous_branch(owner: nn.Module, match: "re.Match[str]") -> str:
    """ "branch 3, dilation 12", whichever program built it."""
    child, place = owner.get_submodule(match[0]), f"branch {number(match) + 1}"
    if "Pool" in type(child).__name__:
        return f"{place}, image pooling"
    dilation = dilation_of(child)
    if dilation > 1:
        return f"{place}, dilation {dilation}"
    return f"{place}, {kernel_of(child)} convolution"


def _scoring_branch(owner: nn.Module, match: "re.Match[str]") -> str:
    return f"ASPP · {atrous_branch(owner, match)}"


def _bins(owner: Any, match: "re.Match[str]") -> str:  # noqa: ANN401  a PyramidPooling
    side = owner._bins[number(match)]
    return f"{side}×{side} bins"


def _four_bins(_: nn.Module, match: "re.Match[str]") -> str:
    side = (1, 2, 3, 6)[number(match)]
    return f"{side}×{side} bins"


def _caffe(_: nn.Module, match: "re.Match[str]") -> str:
    """Which picture runs through the stages of the authors' ICNet."""
    size = "half" if number(match) < 3 else "quarter"
    return f"{size} picture · stage {number(match)}"


def _resnet_of_two(_: nn.Module, match: "re.Match[str]") -> str:
    size = "half and quarter" if number(match) < 3 else "quarter"
    return f"{size} picture · stage {number(match)}"


def _reduced(owner: nn.Module, match: "re.Match[str]") -> str:
    size = {"2": "half", "4": "quarter", "_4": "quarter"}[match[1]]
    convs = [m for m in owner.get_submodule(match[0]).modules() if isinstance(m, nn.Conv2d)]
    return f"{size} picture · reduced to {convs[0].out_channels} channels"


FULL = Rule("sub1", "full picture", "Full picture, three convolutions")
POOLED = Rule("pyramid", "pyramid pooling", "Quarter picture · pyramid pooling")
CASCADE = (
    Rule("cff_(?:sub)?24", "fusion 1", "Cascade fusion 1, quarter and half picture"),
    Rule("cff_(?:sub)?12", "fusion 2", "Cascade fusion 2, with the full picture"),
    Rule("aux_sub4", "auxiliary head on the quarter picture"),
    Rule("aux_(?:sub)?24", "auxiliary head 1", "Auxiliary head on fusion 1"),
    Rule("aux_12", "auxiliary head 2", "Auxiliary head on fusion 2"),
    Rule(r"aux_(?:24|12)\.1", "auxiliary head · classes"),
)
RESNET_OF_ICNET = (
    FULL,
    Rule(r"resnet\.stem", "half picture · stem"),
    Rule(r"resnet\.pool", "half picture · pooling"),
    Rule(r"resnet\.layer([12])", "half picture · stage {1}"),
    Rule(r"resnet\.layer([34])", "quarter picture · stage {1}"),
    Rule("resnet", "half, then quarter picture", "Backbone of the half, then the quarter picture"),
    Rule("sub([24])", _reduced),
    POOLED,
    *CASCADE,
    Rule("head", "head", "Segmentation head"),
    Rule(r"head\.1", "head · classes"),
)

TABLE: Table = {
    "blocks.ASPP": (
        Rule("branches", "branches", "all branches"),
        Rule(r"branches\.(\d)", atrous_branch),
        Rule("project", "projection"),
        Rule("dropout", "dropout behind the projection"),
    ),
    "blocks.SeparableConv": (
        Rule("0", "depth-wise", "depth-wise convolution"),
        Rule("1", "point-wise", "point-wise convolution"),
    ),
    "blocks.PyramidPooling": (Rule("levels", "levels"), Rule(r"levels\.(\d)", _bins)),
    "blocks.ConvHead": (Rule("2", "classes"),),
    "deeplab_v1.DeepLabV1": (
        BACKBONE,
        Rule("average", "average pooling behind stage 5"),
        Rule("fc6", "fc6, wide field of view"),
        Rule("fc7", "fc7, 1×1 convolution"),
        DROPOUT,
        Rule("fc8", "head · classes"),
    ),
    "deeplab_v2.DeepLabV2ResNet": (
        BACKBONE,
        ASPP,
        Rule(r"aspp\.(\d)", _scoring_branch),
        CLASSES,
    ),
    "deeplab_v2.DeepLabV2VGG": (
        Rule(r"conv(\d)", "backbone · stage {1}"),
        ASPP,
        Rule(r"aspp\.(\d)", _scoring_branch),
    ),
    "deeplab_v2.VGGBranch": (Rule("0", "fc6"), Rule("3", "fc7"), Rule("6", "fc8, classes")),
    "deeplab_v3.DeepLabV3": (
        BACKBONE,
        ASPP,
        Rule("conv", "head · convolution"),
        CLASSES,
        AUX,
    ),
    "deeplab_v3plus.DeepLabV3Plus": (
        BACKBONE,
        ASPP,
        Rule("low", "decoder · low-level features"),
        Rule("decoder", "decoder", "Decoder, ASPP and low-level features"),
        Rule(r"decoder\.(\d)", "decoder · convolution {1+1}"),
        CLASSES,
        AUX,
    ),
    "pspnet.PSPNet": (
        BACKBONE,
        Rule("pyramid", "pyramid pooling"),
        Rule("bottleneck", "head · bottleneck", "Head · 3×3 bottleneck"),
        DROPOUT,
        CLASSES,
        AUX,
    ),
    "icnet.ICNet": (
        FULL,
        Rule("conv3_1", "half picture · stage 3", "Half picture · stage 3, first block"),
        Rule("conv5_4", "quarter picture · reduced to 256 channels"),
        Rule(r"conv(\d)", _caffe),
        POOLED,
        *CASCADE,
        Rule("conv6_cls", "head · classes"),
    ),
    "icnet.Bottleneck": (
        Rule("reduce", "reduction", "1×1 convolution, to fewer channels"),
        Rule("increase", "expansion", "1×1 convolution, to more channels"),
        Rule("proj", "shortcut"),
    ),
    "icnet_liminn.LiminnICNet": (
        FULL,
        Rule(r"resnet\.stem", "half and quarter picture · stem"),
        Rule(r"resnet\.pool", "half and quarter picture · pooling"),
        Rule(r"resnet\.layer(\d)", _resnet_of_two),
        Rule("resnet", "half and quarter picture", "Backbone of the half and the quarter picture"),
        POOLED,
        *CASCADE,
        CLASSES,
    ),
    "icnet_mmseg.MMSegICNet": RESNET_OF_ICNET,
    "icnet_mmseg.Pyramid": (
        Rule("levels", "levels"),
        Rule(r"levels\.(\d)", _four_bins),
        Rule("bottleneck", "bottleneck", "3×3 bottleneck"),
    ),
    "cascade.CascadeFusion": (
        Rule("low", "coarse", "coarse map, enlarged"),
        Rule("high", "fine", "finer map"),
    ),
}
