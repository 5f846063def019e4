"""torchvision's segmentation nets, whose modules we take as they are (zoo/torchvision_nets.py).

Its COCO weights know the classes of Pascal VOC in their order; pictures had a short side of 520
pixels.
"""

from segstudio.errors import ModelError
from segstudio.nets.dialect import Found, Renaming, State, dialect

_CLASSES = {21: "voc21", 19: "cityscapes19", 150: "ade20k150"}


def _recognises(state: State) -> bool:
    return "classifier.high_classifier.weight" in state or (
        "classifier.4.weight" in state
        and ("backbone.layer4.0.conv1.weight" in state or "backbone.0.0.weight" in state)
    )


@dialect(
    "torchvision",
    title="torchvision",
    source="https://github.com/pytorch/vision",
    recognises=_recognises,
)
def read(state: State) -> Found:
    """Net and backbone are seen in the names."""
    last = "classifier.4.weight"
    if "classifier.high_classifier.weight" in state:
        net, last = "lraspp_mobilenet_v3_large", "classifier.high_classifier.weight"
    elif "backbone.0.0.weight" in state:
        net = "deeplabv3_mobilenet_v3_large"
    else:
        head = "deeplabv3" if "classifier.0.convs.0.0.weight" in state else "fcn"
        net = f"{head}_resnet{_depth(state)}"
    aux = {"aux": True} if "aux_classifier.4.weight" in state else {}
    num_classes = state[last].shape[0]
    return (
        Renaming(state)
        .rest_unchanged()
        .found(
            net,
            num_classes,
            net_args=aux,
            class_set=_CLASSES.get(num_classes, ""),
            input={"short_side": 520, "multiple_of": 16 if "mobilenet" in net else 8},
        )
    )


def _depth(state: State) -> int:
    blocks = sum(n.startswith("backbone.layer3.") and n.endswith(".conv2.weight") for n in state)
    depths = {6: 50, 23: 101}
    if blocks not in depths:
        raise ModelError(
            f"These weights are for a ResNet with {blocks} blocks in its third stage, which"
            " torchvision does not segment with; choose weights on ResNet-50 or ResNet-101."
        )
    return depths[blocks]
