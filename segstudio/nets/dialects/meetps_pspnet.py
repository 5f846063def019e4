"""PSPNet of github.com/meetps/pytorch-semseg, usually converted from the authors' Caffe files.

It concatenates the pyramid as Caffe does, map, 6, 3, 2, 1 bins: names and shapes would fit
semseg's order one by one, and the picture would be wrong. Its bins are cut to whole pixels.
"""

from segstudio.nets.backbones.resnet import bottleneck_depth
from segstudio.nets.dialect import Found, Renaming, State, dialect, permuted_blocks

_LEVELS = 4

_RULES = (
    *(
        (rf"convbnrelu1_{n}\.cbr_unit\.{member}\.(.*)", rf"backbone.stem.{3 * n - 3 + member}.\1")
        for n in (1, 2, 3)
        for member in (0, 1)
    ),
    *(
        rule
        for layer in (1, 2, 3, 4)
        for unit in (1, 2, 3)
        for rule in (
            (
                rf"res_block{layer + 1}\.layers\.(\d+)\.cbr?{unit}\.cbr?_unit\.0\.(.*)",
                rf"backbone.layer{layer}.\1.conv{unit}.\2",
            ),
            (
                rf"res_block{layer + 1}\.layers\.(\d+)\.cbr?{unit}\.cbr?_unit\.1\.(.*)",
                rf"backbone.layer{layer}.\1.bn{unit}.\2",
            ),
        )
    ),
    *(
        (
            rf"res_block{layer + 1}\.layers\.(\d+)\.cb4\.cb_unit\.(.*)",
            rf"backbone.layer{layer}.\1.downsample.\2",
        )
        for layer in (1, 2, 3, 4)
    ),
    *(
        (
            rf"pyramid_pooling\.path_module_list\.{i}\.cbr_unit\.(.*)",
            rf"pyramid.levels.{_LEVELS - 1 - i}.\1",
        )
        for i in range(_LEVELS)
    ),
    (r"cbr_final\.cbr_unit\.(.*)", r"bottleneck.\1"),
    (r"classification\.(.*)", r"classifier.\1"),
    (r"convbnrelu4_aux\.cbr_unit\.(.*)", r"aux.0.\1"),
    (r"aux_cls\.(.*)", r"aux.2.\1"),
)

_CLASS_SETS = {19: "cityscapes19", 21: "voc21", 150: "ade20k150"}

_CAFFE = {
    "mean": (103.939, 116.779, 123.68),
    "std": (1.0, 1.0, 1.0),
    "scale": 1.0,
    "channels": "BGR",
    "multiple_of": 8,
}
"""The mean that the authors' Caffe weights were trained with."""


_SIGNS = {
    "res_block5.layers.0.cb4.cb_unit.0.weight",
    "pyramid_pooling.path_module_list.0.cbr_unit.0.weight",
    "cbr_final.cbr_unit.0.weight",
    "classification.weight",
}


def _recognises(state: State) -> bool:
    return state.keys() >= _SIGNS


@dialect(
    "meetps_pspnet",
    title="PSPNet of pytorch-semseg (meetps)",
    source="https://github.com/meetps/pytorch-semseg",
    recognises=_recognises,
)
def read(state: State) -> Found:
    """The depth is counted; the pyramid comes into the order 1, 2, 3, 6."""
    blocks = sum(
        name.startswith("res_block4.") and name.endswith(".cbr2.cbr_unit.0.weight")
        for name in state
    )
    level, inner = state["pyramid_pooling.path_module_list.0.cbr_unit.0.weight"].shape[:2]
    order = permuted_blocks((0, 4, 3, 2, 1), (inner, *[level] * _LEVELS))
    num_classes = state["classification.weight"].shape[0]
    return (
        Renaming(state)
        .move("cbr_final.cbr_unit.0.weight", "bottleneck.0.weight", order)
        .rules(_RULES)
        .found(
            f"pspnet{bottleneck_depth(blocks)}",
            num_classes,
            net_args={"pooling": "floor"},
            class_set=_CLASS_SETS.get(num_classes, ""),
            input=_CAFFE,
            notes=(
                "Weights trained in this program, not converted from Caffe, saw Cityscapes without"
                " the mean taken off; set the mean to 0 for those.",
            ),
        )
    )
