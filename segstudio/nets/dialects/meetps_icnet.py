"""ICNet of github.com/meetps/pytorch-semseg: the authors' Caffe weights, converted.

Its "icnetBN" files hold convolutions and batch norm, its "icnet" files the release in which batch
norm is merged. Its pyramid has convolutions that no pass through the net uses. The stride of
conv3_1 stands on the 3x3 convolution there, not on the 1x1 as in Caffe. Pictures are those of the
Caffe weights: BGR, 0..255, minus ImageNet's mean.
"""

from segstudio.nets.dialect import Found, Renaming, State, dialect

_PICTURES = {
    "mean": (103.939, 116.779, 123.68),
    "std": (1.0, 1.0, 1.0),
    "scale": 1.0,
    "channels": "BGR",
}

_BLOCKS = {
    "res_block2": "conv2",
    "res_block3_identity": "conv3",
    "res_block4": "conv4",
    "res_block5": "conv5",
}

_PARTS = {"cbr1": "reduce", "cbr2": "conv", "cb3": "increase", "cb4": "proj"}

_RULES = (
    *((rf"convbnrelu1_{i}\.cbr_unit\.(.*)", rf"conv1.{i - 1}.\1") for i in (1, 2, 3)),
    *((rf"convbnrelu{i}_sub1\.cbr_unit\.(.*)", rf"sub1.{i - 1}.\1") for i in (1, 2, 3)),
    *(
        (rf"res_block3_conv\.layers\.0\.{old}\.cbr?_unit\.(.*)", rf"conv3_1.{new}.\1")
        for old, new in _PARTS.items()
    ),
    *(
        (rf"{block}\.layers\.(\d+)\.{old}\.cbr?_unit\.(.*)", rf"{stage}.\1.{new}.\2")
        for block, stage in _BLOCKS.items()
        for old, new in _PARTS.items()
    ),
    (r"conv5_4_k1\.cbr_unit\.(.*)", r"conv5_4.\1"),
    (r"(cff_sub\d+)\.low_dilated_conv_bn\.cb_unit\.(.*)", r"\1.low.\2"),
    (r"(cff_sub\d+)\.high_proj_conv_bn\.cb_unit\.(.*)", r"\1.high.\2"),
    (r"cff_sub24\.low_classifier_conv\.(.*)", r"aux_sub4.\1"),
    (r"cff_sub12\.low_classifier_conv\.(.*)", r"aux_sub24.\1"),
    (r"classification\.(.*)", r"conv6_cls.\1"),
)


def _recognises(state: State) -> bool:
    return "convbnrelu1_sub1.cbr_unit.0.weight" in state and "classification.weight" in state


@dialect(
    "meetps_icnet",
    title="ICNet of pytorch-semseg (meetps)",
    source="https://github.com/meetps/pytorch-semseg",
    recognises=_recognises,
)
def read(state: State) -> Found:
    """Whether batch norm is merged shows in its keys."""
    names = Renaming(state).rules(_RULES)
    names.ignore(
        r"pyramid_pooling\..*", "the summed pyramid of ICNet has no convolutions; these go unused"
    )
    num_classes = state["classification.weight"].shape[0]
    return names.found(
        "icnet",
        num_classes,
        net_args={
            "batch_norm": "convbnrelu1_sub1.cbr_unit.1.weight" in state,
            "stride_on": "3x3",
        },
        input=_PICTURES,
        class_set="cityscapes19" if num_classes == 19 else "",
        notes=(
            "This is the net as pytorch-semseg runs it; weights that it converted from Caffe were"
            " trained with the stride of conv3_1 on the 1x1 convolution, which is the net argument"
            ' stride_on = "reduce".',
        ),
    )
