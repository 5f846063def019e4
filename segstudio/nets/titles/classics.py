"""Encoders with decoders: FCN, U-Net, ENet, ESPNet, SegFormer."""

import re
from typing import Any

from torch import nn

from segstudio.nets.titles.kinds import dilation_of, kernel_of, kind_of
from segstudio.nets.titles.pyramids import AUX, BACKBONE, CLASSES, DROPOUT
from segstudio.nets.titles.rules import Rule, Table, number


def _bottleneck(owner: nn.Module, match: "re.Match[str]") -> str:
    """Numbers as in ENet's Table 1, with what the main convolution is."""
    stage, index = number(match), number(match, 2)
    path = "encoder" if stage <= 3 else "decoder"
    main = owner.get_submodule(f"{match[0]}.main")
    kind, dilation = "", dilation_of(main)
    if dilation > 1:
        kind = f", dilation {dilation}"
    elif kernel_of(main) == "5×1":
        kind = ", asymmetric"
    # Stage 3 repeats stage 2 without its first bottleneck, so it begins at 3.1 too.
    return f"{path} · stage {stage} · bottleneck {stage}.{index + 1}{kind}"


def _enet_stage(_: nn.Module, match: "re.Match[str]") -> str:
    path = "encoder" if number(match) <= 3 else "decoder"
    return f"{path} · stage {number(match)}"


def _branch(owner: Any, match: "re.Match[str]") -> str:  # noqa: ANN401  an ESP module
    dilation = dilation_of(owner.branches[number(match)])
    return f"branch {number(match) + 1}, dilation {dilation}"


def _skip(_: nn.Module, match: "re.Match[str]") -> str:
    return f"skip level {match[1]} · scores"


def _as_convolution(owner: nn.Module, match: "re.Match[str]") -> str:
    return f"{match[1]} as a {kernel_of(owner.get_submodule(match[0]))} convolution"


def _of_alexnet(owner: nn.Module, match: "re.Match[str]") -> str:
    """GoogLeNet has no fully connected layers, so nothing but dropout stands there."""
    child = owner.get_submodule(match[0])
    if not isinstance(child, nn.Conv2d):
        return kind_of(child)
    name = "fc6" if number(match) == 0 else "fc7"
    return f"{name} as a {kernel_of(child)} convolution"


TABLE: Table = {
    "fcn.FCNVGG16": (
        BACKBONE,
        Rule(r"(fc\d)", _as_convolution),
        DROPOUT,
        Rule("score_fr", "scores of stage 5"),
        Rule(r"score_(pool\d)", _skip),
        Rule("upscore2", "scores of stage 5 · enlarged ×2"),
        Rule("upscore_pool4", "sum with pool4 · enlarged ×2"),
        Rule("upscore(8|16)", "answer · enlarged ×{1}"),
        Rule("upscore", "answer · enlarged ×32"),
    ),
    "fcn.FCNCoarse": (
        BACKBONE,
        Rule("layers", "", "Layers behind the backbone"),
        Rule(r"layers\.([03])", _of_alexnet),
        Rule("score_fr", "scores of the last stage"),
        Rule("upscore", "answer · enlarged ×32"),
    ),
    "fcn_dilated.DilatedFCN": (
        BACKBONE,
        Rule("convs", "head", "Head · 3×3 convolutions"),
        Rule("fuse", "head · fusion", "Head · map and convolutions together"),
        DROPOUT,
        CLASSES,
        AUX,
    ),
    "unet.UNet": (
        Rule("contract", "encoder", "Encoder, the contracting path"),
        Rule(r"contract\.(\d)", "encoder · level {1+1}"),
        Rule("pool", "encoder · pooling between levels"),
        Rule("dropout", "encoder · dropout"),
        Rule("expand", "decoder", "Decoder, the expanding path"),
        Rule(r"expand\.(\d)", "decoder · up {1+1}"),
        Rule("head", "head", "Head before the classes"),
        Rule("classify", "head · classes"),
        Rule("aux", "auxiliary head", "Auxiliary head on the level before"),
        Rule(r"aux\.1", "auxiliary head · classes"),
    ),
    "unet.Up": (Rule("up", "enlargement"), Rule("convs", "", "convolutions")),
    "enet.ENet": (
        Rule("initial", "encoder · initial block"),
        Rule(r"down(\d)", "encoder · stage {1} · bottleneck {1}.0, down"),
        Rule(r"up(\d)", "decoder · stage {1} · bottleneck {1}.0, up"),
        Rule(r"stage(\d)", _enet_stage),
        Rule(r"stage(\d)\.(\d)", _bottleneck),
        Rule("fullconv", "decoder · classes, enlarged ×2"),
    ),
    "espnet.ESPNet": (
        Rule(r"level(\d)", "encoder · level {1}"),
        Rule(r"level(\d)_down", "encoder · level {1}, down"),
        Rule("level1_merge", "encoder · level 1 with the picture"),
        Rule("level2_merge", "encoder · level 2 with the picture"),
        Rule("level3_merge", "encoder · level 3 with its beginning"),
        Rule(r"score(\d)", "decoder · scores of level {1}"),
        Rule("up3", "decoder · enlarged to 1/4"),
        Rule("up2", "decoder · enlarged to 1/2"),
        Rule("fuse2", "decoder · fusion at 1/4"),
        Rule("fuse1", "decoder · fusion at 1/2"),
        Rule("up1", "decoder · classes, enlarged ×2"),
    ),
    "espnet.ESP": (
        Rule("reduce", "reduction"),
        Rule("branches", "branches"),
        Rule(r"branches\.(\d)", _branch),
        Rule("last", "norm and PReLU"),
    ),
    "segformer.SegFormer": (
        Rule("stages", "encoder", "Encoder, Mix Transformer"),
        Rule(r"stages\.(\d)", "encoder · stage {1+1}"),
        Rule("decoder", "decoder", "Decoder of MLPs"),
    ),
    "segformer.Stage": (
        Rule("embed", "patch embedding"),
        Rule("blocks", "blocks"),
        Rule(r"blocks\.(\d+)", "block {1+1}"),
    ),
    "segformer.PatchEmbedding": (),
    "segformer.Attention": (
        Rule("out", "output projection"),
        Rule("reduce", "sequence reduction"),
        Rule("reduce_norm", "norm of the reduction"),
    ),
    "segformer.Block": (
        Rule("norm1", "norm before attention"),
        Rule("attention", "attention"),
        Rule("norm2", "norm before Mix-FFN"),
        Rule("ffn", "Mix-FFN"),
    ),
    "segformer.MixFFN": (
        Rule("widen", "widening"),
        Rule("depthwise", "depth-wise 3×3 convolution"),
        Rule("narrow", "narrowing"),
    ),
    "segformer.Decoder": (
        Rule("project", "projections", "projections of the stages"),
        Rule(r"project\.(\d)", "projection of stage {1+1}"),
        Rule("fuse", "fusion", "fusion of the stages"),
        Rule("classifier", "classes"),
    ),
}
