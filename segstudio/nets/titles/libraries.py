"""Nets of torchvision, timm, segmentation-models-pytorch and transformers."""

import re

from torch import nn

from segstudio.nets.titles.kinds import unit_of
from segstudio.nets.titles.pyramids import atrous_branch
from segstudio.nets.titles.rules import Rule, Table, number

ASPP = (
    Rule("convs", "branches"),
    Rule(r"convs\.(\d)", atrous_branch),
    Rule("project", "projection"),
)


def _encoder(owner: nn.Module, _: "re.Match[str]") -> str:
    return f"Encoder, {type(owner.get_submodule('encoder')).__name__.removesuffix('Encoder')}"


def _decoder(owner: nn.Module, _: "re.Match[str]") -> str:
    return f"Decoder, {type(owner.get_submodule('decoder')).__name__.removesuffix('Decoder')}"


def _backbone(_: nn.Module, __: "re.Match[str]") -> str:
    return "Backbone of torchvision"


def _library_class(owner: nn.Module, _: "re.Match[str]") -> str:
    return f"{type(owner.get_submodule('model')).__name__} of transformers"


def _first(owner: nn.Module, match: "re.Match[str]") -> str:
    return f"stem · {unit_of(owner.get_submodule(match[0])) or 'first convolutions'}"


def _level(_: nn.Module, match: "re.Match[str]") -> str:
    word = {"lateral": "lateral convolution", "smooth": "smoothing"}[match[1]]
    return f"level {number(match, 2) + 1} · {word}"


STEM = (
    Rule("conv1", _first),
    Rule("bn1", "stem · batch norm"),
    Rule("relu", "stem · ReLU"),
    Rule("maxpool", "stem · max pooling"),
)
"""Of a ResNet as torchvision has it."""

HUB_SEGFORMER = (
    Rule("stages", "encoder", "encoder stages"),
    Rule(r"stages\.(\d)", "encoder · stage {1+1}"),
    Rule("encoder", "encoder"),
)

TABLE: Table = {
    "torchvision_nets.Segmenter": (
        Rule("backbone", "backbone", _backbone),
        Rule("classifier", "head", "Segmentation head"),
        Rule("aux_classifier", "auxiliary head", "Auxiliary head on stage 3"),
    ),
    "_utils.IntermediateLayerGetter": STEM,
    "mobilenetv3.InvertedResidual": (Rule("block", "", "layers of the block"),),
    "deeplabv3.DeepLabHead": (Rule("0", "ASPP"), Rule("4", "classes")),
    "deeplabv3.ASPP": ASPP,
    "fcn.FCNHead": (Rule("4", "classes"),),
    "lraspp.LRASPPHead": (
        Rule("cbr", "last stage", "last stage, 1×1 convolution"),
        Rule("scale", "global weights"),
        Rule("low_classifier", "classes from a fine stage"),
        Rule("high_classifier", "classes from the last stage"),
    ),
    "smp_nets.SmpNet": (
        Rule("encoder", "encoder", _encoder),
        Rule("decoder", "decoder", _decoder),
        Rule("segmentation_head", "head"),
        Rule(r"segmentation_head\.0", "head · classes"),
    ),
    "resnet.ResNetEncoder": STEM,
    "decoder.UnetDecoder": (
        Rule("center", "centre"),
        Rule("blocks", "blocks", "all blocks"),
        Rule(r"blocks\.(\d)", "up {1+1}"),
    ),
    "decoder.ASPP": ASPP,
    "timm_nets.TimmPyramid": (
        Rule("backbone", "backbone", "Backbone of timm"),
        Rule("head", "pyramid", "Feature pyramid head"),
    ),
    "timm_nets.PyramidHead": (
        Rule("lateral", "lateral convolutions"),
        Rule("smooth", "smoothing of the levels"),
        Rule(r"(lateral|smooth)\.(\d)", _level),
        Rule("classify", "classes"),
    ),
    "transformers_nets.HubNet": (Rule("model", "", _library_class),),
    "modeling_segformer.SegformerForSemanticSegmentation": (
        Rule("segformer", "", "Encoder, Mix Transformer"),
        Rule("decode_head", "decoder", "Decoder of MLPs"),
    ),
    "modeling_segformer.SegformerModel": HUB_SEGFORMER,
    "modeling_segformer.SegformerDecodeHead": (
        Rule("linear_projections", "projections", "projections of the stages"),
        Rule(r"(?:linear_projections|linear_c)\.(\d)", "projection of stage {1+1}"),
        Rule("linear_c", "projections", "projections of the stages"),
        Rule("linear_fuse", "fusion"),
        Rule("classifier", "classes"),
    ),
}
