"""DDRNet's authors: the segmentation files of github.com/ydhongHIT/DDRNet.

Files of a training run come from the HRNet code: everything under `model.`, the loss beside it,
the second head as `seghead_extra`. Pictures are ImageNet RGB; 19 classes are Cityscapes', 11
CamVid's, whose order the files do not tell.
"""

import re

from segstudio.nets.dialect import Found, Renaming, State, dialect

_STAGES = (
    ("layer1", "layer1"),
    ("layer2", "layer2"),
    ("layer3", "context.0"),
    ("layer3_", "detail.0"),
    ("layer3_1", "context.0"),
    ("layer3_1_", "detail.0"),
    ("layer3_2", "context.1"),
    ("layer3_2_", "detail.1"),
    ("layer4", "context.{last}"),
    ("layer4_", "detail.{last}"),
    ("layer5", "context_last"),
    ("layer5_", "detail_last"),
)

_PARTS = (
    ("conv1", "stem"),
    ("compression3", "compression.0"),
    ("compression3_1", "compression.0"),
    ("compression3_2", "compression.1"),
    ("compression4", "compression.{last}"),
    ("down3", "down.0"),
    ("down3_1", "down.0"),
    ("down3_2", "down.1"),
    ("down4", "down.{last}"),
    ("spp.compression", "pyramid.compression"),
    ("spp.shortcut", "pyramid.shortcut"),
    ("spp.scale0", "pyramid.scales.0"),
    *((f"spp.process{i}", f"pyramid.processes.{i - 1}") for i in (1, 2, 3, 4)),
)

_HEAD = (("bn1", 0), ("conv1", 2), ("bn2", 3), ("conv2", 5))


def _recognises(state: State) -> bool:
    names = {name.removeprefix("model.") for name in state}
    has_branches = "layer3_.0.conv1.weight" in names or "layer3_1_.0.conv1.weight" in names
    read_below = {"conv1.0.weight", "final_layer.conv1.weight", "final_layer.conv2.weight"}
    return has_branches and "down4.0.weight" in names and read_below <= names


@dialect(
    "ddrnet",
    title="DDRNet (authors)",
    source="https://github.com/ydhongHIT/DDRNet",
    recognises=_recognises,
)
def read(state: State) -> Found:
    """The width of the stem and the blocks of the third stage tell which net it is."""
    start = r"(?:model\.)?"
    shapes = {name.removeprefix("model."): tensor.shape for name, tensor in state.items()}
    is_39 = "layer3_1.0.conv1.weight" in shapes
    last = 2 if is_39 else 1
    names = Renaming(state).ignore(r"(loss|criterion)\..*", "of the loss")
    for old, new in _STAGES:
        ours = new.format(last=last)
        names.rules(
            (
                (rf"{start}{old}\.(\d+)\.downsample\.(.*)", rf"{ours}.\1.shortcut.\2"),
                (rf"{start}{old}\.(\d+\..*)", rf"{ours}.\1"),
            )
        )
    names.rules((start + re.escape(a) + r"\.(.*)", b.format(last=last) + r".\1") for a, b in _PARTS)
    for head, ours in (("final_layer", "head"), ("seghead_extra", "aux")):
        names.rules((rf"{start}{head}\.{a}\.(.*)", rf"{ours}.{b}.\1") for a, b in _HEAD)
    # Scales 1 to 4 count the pooling before them as their place 0.
    names.rules(
        (rf"{start}spp\.scale([1-4])\.{place}\.(.*)", rf"pyramid.scales.\1.{place - 1}.\2")
        for place in (1, 3)
    )
    num_classes = shapes["final_layer.conv2.weight"][0]
    slim = "ddrnet_23_slim" if shapes["conv1.0.weight"][0] == 32 else "ddrnet_23"
    return names.found(
        "ddrnet_39" if is_39 else slim,
        num_classes,
        net_args={"head_width": shapes["final_layer.conv1.weight"][0]},
        class_set={19: "cityscapes19"}.get(num_classes, ""),
        input={"multiple_of": 8},
    )
