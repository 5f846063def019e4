"""DeepLab v3 and v3+ of github.com/VainF/DeepLabV3Plus-Pytorch.

torchvision's ResNets (half the dilation in the first dilated block), a decoder of one 3x3
convolution which sees the low-level features before ASPP's, where ours come behind. Its
MobileNetV2 and Xception pad in ways of their own (backbones/mobilenet_v2.py, xception.py).
DeepLab v3 on a ResNet has torchvision's names and shapes one by one, but for the classifier's
prefix: rates are 6, 12, 18 at output stride 16 here. The files do not tell their output stride;
the public ones have 16.
"""

import re
from typing import Any

from segstudio.nets.backbones.resnet import bottleneck_depth
from segstudio.nets.dialect import Found, Renaming, State, dialect, permuted_blocks

Rules = tuple[tuple[str, str], ...]

_RESNET: Rules = (
    (r"backbone\.conv1\.(.*)", r"backbone.stem.0.\1"),
    (r"backbone\.bn1\.(.*)", r"backbone.stem.1.\1"),
    (r"(backbone\.layer[1-4]\..*)", r"\1"),
)


def _aspp(theirs: str) -> Rules:
    return (
        (rf"{theirs}\.convs\.4\.1\.(.*)", r"aspp.branches.4.conv.0.\1"),
        (rf"{theirs}\.convs\.4\.2\.(.*)", r"aspp.branches.4.conv.1.\1"),
        (rf"{theirs}\.convs\.([0-3])\.([01])\.(.*)", r"aspp.branches.\1.\2.\3"),
        (rf"{theirs}\.project\.([01])\.(.*)", r"aspp.project.\1.\2"),
    )


_V3: Rules = (
    *_aspp(r"classifier\.classifier\.0"),
    (r"classifier\.classifier\.1\.(.*)", r"conv.0.\1"),
    (r"classifier\.classifier\.2\.(.*)", r"conv.1.\1"),
    (r"classifier\.classifier\.4\.(.*)", r"classifier.\1"),
)

_V3PLUS: Rules = (
    *_aspp(r"classifier\.aspp"),
    (r"classifier\.project\.([01])\.(.*)", r"low.\1.\2"),
    (r"classifier\.classifier\.([01])\.(.*)", r"decoder.0.\1.\2"),
    (r"classifier\.classifier\.3\.(.*)", r"classifier.\1"),
)

_CLASS_SETS = {19: "cityscapes19", 21: "voc21"}


def _mobilenet() -> Rules:
    """Feature 0 is the stem; feature 1 has no expansion."""
    parts = (("expand", ""), ("depthwise", ""), ("project", ".0"), ("project", ".1"))
    rules = [(r"backbone\.low_level_features\.0\.(.*)", r"backbone.stem.\1")]
    for feature in range(1, 18):
        theirs = rf"backbone\.(?:low|high)_level_features\.{feature}\.conv"
        ours = f"backbone.blocks.{feature - 1}"
        rules += [
            (rf"{theirs}\.{i}\.(?P<rest>.*)", rf"{ours}.{part}{member}.\g<rest>")
            for i, (part, member) in enumerate(parts[1:] if feature == 1 else parts)
        ]
    return tuple(rules)


def _xception(state: State) -> Rules:
    """Stem, twelve blocks, the last two separable convolutions (the second without norm)."""
    rules = [
        rule
        for n in (1, 2)
        for rule in (
            (rf"backbone\.conv{n}\.(.*)", rf"backbone.stem.{n - 1}.0.\1"),
            (rf"backbone\.bn{n}\.(.*)", rf"backbone.stem.{n - 1}.1.\1"),
            (rf"backbone\.conv{n + 2}\.conv1\.(.*)", rf"backbone.last.{2 * n - 2}.0.\1"),
            (rf"backbone\.conv{n + 2}\.pointwise\.(.*)", rf"backbone.last.{2 * n - 2}.1.\1"),
        )
    ]
    rules.append((r"backbone\.bn3\.(.*)", r"backbone.last.0.2.\1"))
    for block in range(1, 13):
        theirs, ours = rf"backbone\.block{block}", f"backbone.blocks.{block - 1}"
        matches = (re.match(theirs + r"\.rep\.(\d+)\.conv1\.", name) for name in state)
        # ReLUs are numbered too; batch norm comes next to its convolution.
        for index, at in enumerate(sorted({int(match[1]) for match in matches if match})):
            rules += [
                (rf"{theirs}\.rep\.{at}\.conv1\.(.*)", rf"{ours}.convs.{index}.0.\1"),
                (rf"{theirs}\.rep\.{at}\.pointwise\.(.*)", rf"{ours}.convs.{index}.1.\1"),
                (rf"{theirs}\.rep\.{at + 1}\.(.*)", rf"{ours}.convs.{index}.2.\1"),
            ]
        rules += [
            (rf"{theirs}\.skip\.(.*)", rf"{ours}.shortcut.0.\1"),
            (rf"{theirs}\.skipbn\.(.*)", rf"{ours}.shortcut.1.\1"),
        ]
    return tuple(rules)


def _backbone(state: State) -> tuple[str, Rules, dict[str, Any]]:
    """Name in our nets, rules, net_args."""
    if "backbone.low_level_features.0.0.weight" in state:
        return "mobilenet_v2", _mobilenet(), {"padding": "block"}
    if "backbone.block1.rep.0.conv1.weight" in state:
        return "xception", _xception(state), {"trimmed": True}
    blocks = sum(n.startswith("backbone.layer3.") and n.endswith(".conv2.weight") for n in state)
    args = {"multi_grid": "1,1,1", "first_dilation": "halved"}
    return f"resnet{bottleneck_depth(blocks)}", _RESNET, args


_V3_SIGNS = {"classifier.classifier.0.convs.0.0.weight", "classifier.classifier.4.weight"}
_V3PLUS_SIGNS = {
    "classifier.aspp.convs.0.0.weight",
    "classifier.aspp.project.0.weight",
    "classifier.project.0.weight",
    "classifier.classifier.3.weight",
}


def _recognises(state: State) -> bool:
    return state.keys() >= _V3_SIGNS or state.keys() >= _V3PLUS_SIGNS


@dialect(
    "vainf",
    title="DeepLabV3Plus-Pytorch (VainF)",
    source="https://github.com/VainF/DeepLabV3Plus-Pytorch",
    recognises=_recognises,
)
def read(state: State) -> Found:
    """Backbone and head are seen in the names."""
    backbone, rules, args = _backbone(state)
    args |= {"align_corners": False}
    names = Renaming(state)
    if "classifier.aspp.convs.0.0.weight" in state:
        family, last = "deeplab_v3plus", "classifier.classifier.3.weight"
        args |= {"separable": False, "convs": 1}
        low, wide = (
            state[f"classifier.{n}.0.weight"].shape[0] for n in ("project", "aspp.project")
        )
        swap = permuted_blocks((1, 0), (low, wide))
        names.move("classifier.classifier.0.weight", "decoder.0.0.weight", swap).rules(_V3PLUS)
    else:
        family, last = "deeplab_v3", "classifier.classifier.4.weight"
        args |= {"extra_conv": True}
        names.rules(_V3)
    num_classes = state[last].shape[0]
    return names.rules(rules).found(
        f"{family}_{backbone}",
        num_classes,
        net_args=args,
        class_set=_CLASS_SETS.get(num_classes, ""),
        input={"multiple_of": 16},
        notes=(
            "The file does not tell its output stride, and 16 was taken, as the public files have"
            " it; set output_stride to 8 for weights trained so.",
        ),
    )
