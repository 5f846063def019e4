"""PIDNet's authors: the files of github.com/XuJiacong/PIDNet.

Files of a training run hold everything under `model.`, the loss beside it, the second head as
`seghead_p` and the boundary head as `seghead_d`. Pictures are ImageNet RGB; 19 classes are
Cityscapes', 11 CamVid's in the order of the authors' colour list.
"""

import re

from segstudio.nets.dialect import Found, Renaming, State, dialect

_STAGES = (
    ("layer1", "layer1"),
    ("layer2", "layer2"),
    *((f"layer{n + 3}", f"i_branch.{n}") for n in range(3)),
    *((f"layer{n + 3}_", f"p_branch.{n}") for n in range(3)),
    *((f"layer{n + 3}_d", f"d_branch.{n}") for n in range(3)),
)

_PARTS = (
    ("conv1", "stem"),
    ("compression3", "compression.0"),
    ("compression4", "compression.1"),
    ("pag3.f_x", "pag.0.of_p"),
    ("pag3.f_y", "pag.0.of_i"),
    ("pag4.f_x", "pag.1.of_p"),
    ("pag4.f_y", "pag.1.of_i"),
    ("diff3", "difference.0"),
    ("diff4", "difference.1"),
    ("dfm.conv_p", "bag.of_p"),
    ("dfm.conv_i", "bag.of_i"),
    ("dfm.conv", "bag.last"),
    ("spp.scale_process", "pyramid.process"),
    ("spp.compression", "pyramid.compression"),
    ("spp.shortcut", "pyramid.shortcut"),
    ("spp.scale0", "pyramid.scales.0"),
    *((f"spp.process{i}", f"pyramid.processes.{i - 1}") for i in (1, 2, 3, 4)),
)

_CAMVID = (
    *("Bicyclist", "Building", "Car", "Pole", "Fence", "Pedestrian"),
    *("Road", "Pavement", "SignSymbol", "Sky", "Tree"),
)

_HEAD = (("bn1", 0), ("conv1", 2), ("bn2", 3), ("conv2", 5))


def _recognises(state: State) -> bool:
    names = {name.removeprefix("model.") for name in state}
    return {"pag3.f_x.0.weight", "conv1.0.weight", "final_layer.conv2.weight"} <= names


@dialect(
    "pidnet",
    title="PIDNet (authors)",
    source="https://github.com/XuJiacong/PIDNet",
    recognises=_recognises,
)
def read(state: State) -> Found:
    """S by the width of the stem, L by its sequential pyramid."""
    start = r"(?:model\.)?"
    shapes = {name.removeprefix("model."): tensor.shape for name, tensor in state.items()}
    names = (
        Renaming(state)
        .ignore(r"\w*(loss|criterion)\w*\..*", "of the loss")
        .ignore(start + r"seghead_d\..*", "boundary head, for training only")
    )
    for old, ours in _STAGES:
        # A stage of one block may stand alone or in a sequence.
        alone = rf"{start}{old}\.(?:0\.)?((?:conv|bn)\d\..*)"
        names.rules(
            (
                (rf"{start}{old}\.(\d+)\.downsample\.(.*)", rf"{ours}.\1.shortcut.\2"),
                (rf"{start}{old}\.downsample\.(.*)", rf"{ours}.0.shortcut.\1"),
                (alone, rf"{ours}.0.\1"),
                (rf"{start}{old}\.(\d+\..*)", rf"{ours}.\1"),
            )
        )
    names.rules((start + re.escape(a) + r"\.(\d\..*)", b + r".\1") for a, b in _PARTS)
    for head, ours in (("final_layer", "head"), ("seghead_p", "aux")):
        names.rules((rf"{start}{head}\.{a}\.(.*)", rf"{ours}.{b}.\1") for a, b in _HEAD)
    # Scales 1 to 4 count the pooling before them as their place 0.
    names.rules(
        (rf"{start}spp\.scale([1-4])\.{place}\.(.*)", rf"pyramid.scales.\1.{place - 1}.\2")
        for place in (1, 3)
    )
    num_classes = shapes["final_layer.conv2.weight"][0]
    light = "pidnet_s" if shapes["conv1.0.weight"][0] == 32 else "pidnet_m"
    return names.found(
        light if "spp.scale_process.2.weight" in shapes else "pidnet_l",
        num_classes,
        class_set={19: "cityscapes19", 11: "camvid"}.get(num_classes, ""),
        class_names=_CAMVID if num_classes == len(_CAMVID) else (),
        input={"multiple_of": 8},
    )
