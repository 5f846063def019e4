"""MMSegmentation's dilated ResNets: PSPNet, FCN, DeepLab v3 and v3+ with stride 8 (`-d8`).

The first block of a dilated stage has half its dilation, the stem has 32, 32, 64 channels (or
one 7x7 convolution in the R-50b and R-101b files), nothing keeps corner pixels in place, and the
image pool comes first in the concatenation of ASPP, where we have it last.
"""

from typing import Any

from segstudio.nets.backbones.resnet import bottleneck_depth
from segstudio.nets.dialect import Found, Renaming, State, dialect, permuted_blocks

Rules = tuple[tuple[str, str], ...]


def _units(head: str, pairs: dict[str, str]) -> Rules:
    """Rules for their convolution modules (conv, bn) and our pairs (0, 1), by names."""
    return tuple(
        (rf"{head}\.{theirs}\.{part}\.(?P<rest>.*)", rf"{ours}.{i}.\g<rest>")
        for theirs, ours in pairs.items()
        for i, part in enumerate(("conv", "bn"))
    )


_SHARED: Rules = (
    (r"backbone\.conv1\.(.*)", r"backbone.stem.0.\1"),
    (r"backbone\.bn1\.(.*)", r"backbone.stem.1.\1"),
    (r"(backbone\.(?:stem|layer[1-4])\..*)", r"\1"),
    (r"decode_head\.conv_seg\.(.*)", r"classifier.\1"),
    (r"auxiliary_head\.conv_seg\.(.*)", r"aux.2.\1"),
    *_units(r"auxiliary_head", {r"convs\.0": "aux.0"}),
)

_PSPNET = _units(
    r"decode_head",
    {r"psp_modules\.(\d)\.1": r"pyramid.levels.\1", "bottleneck": "bottleneck"},
)

_FCN = _units(r"decode_head", {r"convs\.(\d)": r"convs.\1", "conv_cat": "fuse"})

_ASPP = _units(
    r"decode_head",
    {
        r"image_pool\.1": "aspp.branches.4.conv",
        r"aspp_modules\.(\d)": r"aspp.branches.\1",
        r"aspp_modules\.(\d)\.depthwise_conv": r"aspp.branches.\1.0",
        r"aspp_modules\.(\d)\.pointwise_conv": r"aspp.branches.\1.1",
        "bottleneck": "aspp.project",
    },
)

_DECODER = _units(
    r"decode_head",
    {
        "c1_bottleneck": "low",
        r"sep_bottleneck\.(\d)\.depthwise_conv": r"decoder.\1.0",
        r"sep_bottleneck\.(\d)\.pointwise_conv": r"decoder.\1.1",
    },
)

_PROJECT = "decode_head.bottleneck.conv.weight"

_SIGNS = {
    "pspnet": {"decode_head.psp_modules.0.1.conv.weight"},
    "deeplab_v3plus": {"decode_head.c1_bottleneck.conv.weight", _PROJECT},
    "deeplab_v3": {"decode_head.aspp_modules.1.conv.weight", _PROJECT},
    "fcn": {"decode_head.conv_cat.conv.weight"},
}
"""Head -> names that only files with that head have."""

_CLASS_SETS = {19: "cityscapes19", 21: "voc21", 150: "ade20k150"}

_NOTE = (
    "Weights of MMSegmentation's 769x769 recipes enlarge with the corner pixels in place; the file"
    " does not tell, so set align_corners for those."
)


def _recognises(state: State) -> bool:
    # UPerNet has a PSP module too, and lateral convolutions beside it.
    return (
        "backbone.layer4.0.conv3.weight" in state
        and "decode_head.conv_seg.weight" in state
        and "decode_head.lateral_convs.0.conv.weight" not in state
        and any(state.keys() >= signs for signs in _SIGNS.values())
    )


@dialect(
    "mmseg_dilated",
    title="PSPNet, FCN, DeepLab (MMSegmentation)",
    source="https://github.com/open-mmlab/mmsegmentation",
    recognises=_recognises,
)
def read(state: State) -> Found:
    """Head, depth and stem are seen in the names."""
    head = next(head for head, sign in _SIGNS.items() if state.keys() >= sign)
    depth = bottleneck_depth(
        sum(n.startswith("backbone.layer3.") and n.endswith(".conv2.weight") for n in state)
    )
    stem = "7x7" if "backbone.conv1.weight" in state else "32-32-64"
    names = Renaming(state)
    if head == "pspnet":
        net, rules = f"pspnet{depth}", _PSPNET
        args: dict[str, Any] = {"first_dilation": "halved", "align_corners": False}
    elif head == "fcn":
        net, rules, args = f"fcn_d8_resnet{depth}", _FCN, {}
    else:
        net, rules = f"{head}_resnet{depth}", _ASPP + _DECODER
        args = {"output_stride": 8, "multi_grid": "1,1,1", "first_dilation": "halved"}
        args |= {"align_corners": False, "project_kernel": 3, "aux": True}
        width = state[_PROJECT].shape[0]
        args["aspp_width"] = width
        names.move(
            _PROJECT,
            "aspp.project.0.weight",
            permuted_blocks((1, 2, 3, 4, 0), [width] * 5),
        )
    num_classes = state["decode_head.conv_seg.weight"].shape[0]
    return names.rules(_SHARED + rules).found(
        net,
        num_classes,
        net_args={"stem": stem, **args},
        class_set=_CLASS_SETS.get(num_classes, ""),
        input={"multiple_of": 8},
        notes=(_NOTE,),
    )
