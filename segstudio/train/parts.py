"""Which tensors of a net are its backbone, its decoder and its head.

Backbone: what turns the picture into features, all branches of it. Head: what is as wide as there
are classes, with the layers of the same module before it, and heads that only training has.
Decoder: all between. A table says so for the nets of the zoo by the names of their modules; for a
net that it does not know, usual names decide, and at least the last layer is the head.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from torch import nn

from segstudio.nets.registry import NetSpec
from segstudio.nets.weights import TRAINING_ONLY

STAGES = 5
"""At most so many stages has a backbone; longer rows of blocks are divided evenly."""


class Part(StrEnum):
    """Where in a net a tensor is."""

    BACKBONE = "backbone"
    DECODER = "decoder"
    HEAD = "head"


@dataclass(frozen=True, slots=True)
class Layout:
    """Patterns for the names of a net's modules, each from the start up to a dot.

    stages: of the backbone, the first at the picture; a single one is divided by its blocks.
    """

    stages: tuple[str, ...] = ("backbone|encoder|resnet|features|stem",)
    head: str = "head|classifier|classify|segmentation_head"

    def part_of(self, name: str) -> Part:
        """Of a module, parameter or buffer with that dotted name."""
        if name.startswith(TRAINING_ONLY) or _starts(self.head, name):
            return Part.HEAD
        if any(_starts(stage, name) for stage in self.stages):
            return Part.BACKBONE
        return Part.DECODER

    def stages_of(self, names: Iterable[str]) -> dict[str, int]:
        """The stage, 0 at the picture, of every one of these parameters in the backbone.

        names: all parameters of the net, in the order of its modules.
        """
        inside = [name for name in names if self.part_of(name) is Part.BACKBONE]
        if len(self.stages) == 1:
            return _divided(inside)
        found = {
            name: next(i for i, stage in enumerate(self.stages) if _starts(stage, name))
            for name in inside
        }
        return found


def layout_of(net: nn.Module, spec: NetSpec) -> Layout:
    """The layout of a built net; the longest name in the table that `spec.name` starts with."""
    known = [key for key in _LAYOUTS if spec.name.startswith(key)]
    layout = _LAYOUTS[max(known, key=len)] if known else Layout()
    names = [name for name, _ in net.named_parameters()]
    if any(layout.part_of(n) is Part.HEAD and not n.startswith(TRAINING_ONLY) for n in names):
        return layout
    own = [name for name in names if not name.startswith(TRAINING_ONLY)]
    last = own[-1].rpartition(".")[0] if own else ""
    return Layout(layout.stages, re.escape(last) or ".*")


def parts_of(net: nn.Module, spec: NetSpec) -> dict[str, Part]:
    """The part of every parameter, by its name."""
    layout = layout_of(net, spec)
    return {name: layout.part_of(name) for name, _ in net.named_parameters()}


def _starts(pattern: str, name: str) -> bool:
    return re.match(rf"(?:{pattern})(?:\.|$)", name) is not None


_ENTRANCE = re.compile(r"(stem|conv_stem|conv1|bn1|embeddings|patch_embed\w*)$")
"""Modules before the first stage, which are one."""


def _divided(names: list[str]) -> dict[str, int]:
    """Parameters of one backbone by its numbered modules, these divided into at most STAGES."""
    shared = len(_common([name.split(".")[:-1] for name in names]))
    units = {name: _unit(name.split(".")[shared:]) for name in names}
    order = {unit: i for i, unit in enumerate(dict.fromkeys(units.values()))}
    last = len(order) - 1
    if len(order) <= STAGES:
        return {name: order[unit] for name, unit in units.items()}
    return {name: round(order[unit] * (STAGES - 1) / last) for name, unit in units.items()}


def _unit(path: list[str]) -> str:
    """The name up to the first module that is the entrance or has a number, else but the last."""
    for i, each in enumerate(path):
        if _ENTRANCE.match(each):
            return "entrance"
        if each[-1:].isdigit():
            return ".".join(path[: i + 1])
    return ".".join(path[:-1])


def _common(paths: list[list[str]]) -> list[str]:
    shared = []
    for column in zip(*paths, strict=False):
        if len(set(column)) > 1:
            break
        shared.append(column[0])
    return shared


_TORCHVISION = Layout(head=r"classifier\.4")
_SCORED = Layout(head=r"score_\w+|upscore\w*")
_CASCADE_OF_RESNET = Layout(
    (
        r"resnet\.stem|sub1\.0",
        r"resnet\.layer1|sub1\.1",
        r"resnet\.layer2|sub1\.2",
        r"resnet\.layer3",
        r"resnet\.layer4",
    )
)

_LAYOUTS: dict[str, Layout] = {
    "bisenet_v1": Layout(
        (
            r"resnet\.stem|spatial\.0",
            r"resnet\.layer1|spatial\.1",
            r"resnet\.layer2|spatial\.[23]",
            r"resnet\.layer3",
            r"resnet\.layer4",
        )
    ),
    "bisenet_v2": Layout(
        (
            r"detail\.stage1|semantic\.stem",
            r"detail\.stage2",
            r"detail\.stage3|semantic\.stage3",
            r"semantic\.stage4",
            r"semantic\.(stage5|context)",
        )
    ),
    "ddrnet": Layout(
        (
            "stem|layer1",
            "layer2",
            r"(context|detail|compression|down)\.0",
            r"(context|detail|compression|down)\.[12]",
            "(context|detail)_last",
        )
    ),
    "deeplab_v1": Layout(head="fc8"),
    "deeplab_v2_resnet101": Layout(head="aspp"),
    "deeplab_v2_vgg16": Layout(("conv1", "conv2", "conv3", "conv4", "conv5"), head=r"aspp\.\d\.6"),
    "deeplabv3_": _TORCHVISION,
    "enet": Layout(("initial", "down1|stage1", "down2|stage2", "stage3"), head="fullconv"),
    # All that follows the encoder works on maps of one channel a class.
    "espnet": Layout(("level1.*", "level2.*", "level3.*"), head=r"score\d|up\d|fuse\d"),
    "fcn16s": _SCORED,
    "fcn32s": _SCORED,
    "fcn8s": _SCORED,
    "fcn_alexnet": _SCORED,
    "fcn_googlenet": _SCORED,
    "fcn_resnet": _TORCHVISION,
    "hub": Layout(
        (
            r"model\.(backbone|segformer|dpt|beit|data2vec_vision|mobilevit|mobilenet_v2)"
            r"|model\.(model\.pixel_level_module\.encoder|embeddings|layers)",
        ),
        head=r"model\.((decode_head\.|segmentation_head\.)?classifier|class_predictor|head\.head\.4"
        r"|model\.transformer_module\.decoder\.class_embed)",
    ),
    "icnet": Layout(
        (r"conv1|sub1\.0", r"conv2|sub1\.1", r"conv3_1|conv3|sub1\.2", "conv4", "conv5"),
        head="conv6_cls",
    ),
    "icnet_liminn": _CASCADE_OF_RESNET,
    "icnet_mmseg": _CASCADE_OF_RESNET,
    "lraspp": Layout(head=r"classifier\.(low|high)_classifier"),
    "pidnet": Layout(
        (
            "stem|layer1",
            "layer2",
            r"([ipd]_branch|compression|pag|difference)\.0",
            r"([ipd]_branch|compression|pag|difference)\.1",
            r"[ipd]_branch\.2",
        )
    ),
    "segformer": Layout(("stages",), head=r"decoder\.classifier"),
    "stdc": Layout(("stage1", "stage2", "stage3", "stage4", "stage5")),
    "timm_fpn": Layout(head=r"head\.classify"),
    "unet": Layout(("contract",)),
}
"""By the name of the net, or what several names start with."""
