"""PSPNet of github.com/hszhao/semseg, by the paper's first author: the net of the paper."""

from segstudio.nets.backbones.resnet import bottleneck_depth
from segstudio.nets.dialect import Found, Renaming, State, dialect

_RULES = (
    (r"layer0\.(.*)", r"backbone.stem.\1"),
    (r"(layer[1-4]\..*)", r"backbone.\1"),
    (r"ppm\.features\.(\d)\.1\.(.*)", r"pyramid.levels.\1.0.\2"),
    (r"ppm\.features\.(\d)\.2\.(.*)", r"pyramid.levels.\1.1.\2"),
    (r"cls\.([01])\.(.*)", r"bottleneck.\1.\2"),
    (r"cls\.4\.(.*)", r"classifier.\1"),
    (r"aux\.([01])\.(.*)", r"aux.0.\1.\2"),
    (r"aux\.4\.(.*)", r"aux.2.\1"),
)

_CLASS_SETS = {19: "cityscapes19", 21: "voc21", 150: "ade20k150"}


def _recognises(state: State) -> bool:
    return {"layer0.0.weight", "ppm.features.0.1.weight", "cls.4.weight"} <= state.keys()


@dialect(
    "semseg",
    title="semseg (hszhao)",
    source="https://github.com/hszhao/semseg",
    recognises=_recognises,
)
def read(state: State) -> Found:
    """The depth is counted."""
    blocks = sum(name.startswith("layer3.") and name.endswith(".conv2.weight") for name in state)
    num_classes = state["cls.4.weight"].shape[0]
    return (
        Renaming(state)
        .rules(_RULES)
        .found(
            f"pspnet{bottleneck_depth(blocks)}",
            num_classes,
            class_set=_CLASS_SETS.get(num_classes, ""),
            input={"multiple_of": 8},
        )
    )
