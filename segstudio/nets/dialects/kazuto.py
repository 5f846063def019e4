"""DeepLab of github.com/kazuto1011/deeplab-pytorch on ResNet-101, v2's as converted from Caffe.

Layers are counted from the stem, strides stand on the 1x1 convolutions, every block of a dilated
stage has its full dilation, max pooling rounds up, and nothing keeps corner pixels in place.
"DeepLab v1" is what the author calls the same ResNet with one 1x1 classifier; it holds pretrained
weights and is in no paper.
"""

from typing import Any

from segstudio.nets.backbones.resnet import bottleneck_depth
from segstudio.nets.dialect import Found, Renaming, State, dialect

Rules = tuple[tuple[str, str], ...]

_PARTS = (("conv", 0), ("bn", 1))


def _units(pairs: dict[str, str]) -> Rules:
    """Rules for their units (conv, bn) and our pairs (0, 1), by names."""
    return tuple(
        (rf"{theirs}\.{part}\.(?P<rest>.*)", rf"{ours}.{i}.\g<rest>")
        for theirs, ours in pairs.items()
        for part, i in _PARTS
    )


def _backbone(blocks: int) -> Rules:
    """layer2 … layer5, block1 …: our layer1 … layer4, 0 …; blocks: the most in a layer."""
    rules = list(_units({r"layer1\.conv1": "backbone.stem"}))
    for layer in range(2, 6):
        for block in range(1, blocks + 1):
            theirs, ours = rf"layer{layer}\.block{block}", f"backbone.layer{layer - 1}.{block - 1}"
            for n, unit in enumerate(("reduce", "conv3x3", "increase"), start=1):
                rules += [
                    (rf"{theirs}\.{unit}\.conv\.(.*)", rf"{ours}.conv{n}.\1"),
                    (rf"{theirs}\.{unit}\.bn\.(.*)", rf"{ours}.bn{n}.\1"),
                ]
            rules += _units({rf"{theirs}\.(?:shortcut|proj)": f"{ours}.downsample"})
    return tuple(rules)


_ASPP = _units(
    {
        r"aspp\.stages\.c(\d)": r"aspp.branches.\1",
        r"aspp\.stages\.imagepool\.conv": "aspp.branches.4.conv",
        "fc1": "aspp.project",
    }
)

_DECODER = (
    *_units({"reduce": "low", r"fc2\.conv1": "decoder.0", r"fc2\.conv2": "decoder.1"}),
    (r"fc2\.conv3\.(.*)", r"classifier.\1"),
)

_CLASS_SETS = {19: "cityscapes19", 21: "voc21"}

_CAFFE = {
    "mean": (104.008, 116.669, 122.675),
    "std": (1.0, 1.0, 1.0),
    "scale": 1.0,
    "channels": "BGR",
}


_LAST = (
    "fc.weight",
    "aspp.c0.weight",
    "aspp.stages.c0.weight",
    "fc2.weight",
    "fc2.conv3.weight",
)
"""The classifier's name: v1, v2, v2 in the program's first year, v3, v3+."""


def _recognises(state: State) -> bool:
    return "layer5.block1.conv3x3.conv.weight" in state and any(n in state for n in _LAST)


def _head(state: State) -> tuple[str, str, Rules, dict[str, Any]]:
    """Net, name of the classifier's weight in the file, rules, net_args."""
    if "fc.weight" in state:
        return "deeplab_v2", "fc.weight", ((r"fc\.(.*)", r"classifier.\1"),), {"head": "linear"}
    for last in ("aspp.c0.weight", "aspp.stages.c0.weight"):
        if last in state:
            rules = ((r"aspp\.(?:stages\.)?c(\d)\.(.*)", r"aspp.\1.\2"),)
            return "deeplab_v2", last, rules, {}
    if "fc2.conv3.weight" in state:
        args = {"separable": False}
        return "deeplab_v3plus", "fc2.conv3.weight", _ASPP + _DECODER, args
    return "deeplab_v3", "fc2.weight", (*_ASPP, (r"fc2\.(.*)", r"classifier.\1")), {}


@dialect(
    "kazuto",
    title="deeplab-pytorch (kazuto1011)",
    source="https://github.com/kazuto1011/deeplab-pytorch",
    recognises=_recognises,
)
def read(state: State) -> Found:
    """The version is seen in the names of the head."""
    family, last, rules, args = _head(state)
    blocks = sum(n.startswith("layer4.") and n.endswith(".conv3x3.conv.weight") for n in state)
    if family != "deeplab_v2":
        args |= {"stride_at": "1x1", "ceil_pool": True}
    num_classes = state[last].shape[0]
    notes = (
        "The author's figures come from three scales, the largest answer of each place taken;"
        " one pass at full size gives a little less.",
    )
    return (
        Renaming(state)
        .rules(_backbone(blocks) + rules)
        .found(
            f"{family}_resnet{bottleneck_depth(blocks)}",
            num_classes,
            net_args={**args, "align_corners": False},
            class_set=_CLASS_SETS.get(num_classes, ""),
            input=_CAFFE | {"multiple_of": 8 if family == "deeplab_v2" else 16},
            notes=notes if family == "deeplab_v2" else (),
        )
    )
