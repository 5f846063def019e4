"""ICNet of mmsegmentation."""

from segstudio.nets.dialect import Found, Renaming, State, conv_and_norm, dialect

_RULES = (
    (r"backbone\.backbone\.stem\.(.*)", r"resnet.stem.\1"),
    (r"backbone\.backbone\.(layer\d\..*)", r"resnet.\1"),
    *conv_and_norm(r"backbone\.psp_modules\.(\d)\.1", r"pyramid.levels.\1"),
    *conv_and_norm(r"backbone\.psp_bottleneck", "pyramid.bottleneck"),
    *conv_and_norm(r"backbone\.conv_sub1\.(\d)", r"sub1.\1"),
    *conv_and_norm(r"backbone\.conv_sub([24])", r"sub\1"),
    *conv_and_norm(r"neck\.(cff_\d+)\.conv_(low|high)", r"\1.\2"),
    *conv_and_norm(r"decode_head\.convs\.0", "head.0"),
    (r"decode_head\.conv_seg\.(.*)", r"head.1.\1"),
    *(
        rule
        for i, aux in enumerate(("aux_24", "aux_12"))
        for rule in (
            *conv_and_norm(rf"auxiliary_head\.{i}\.convs\.0", f"{aux}.0"),
            (rf"auxiliary_head\.{i}\.conv_seg\.(.*)", rf"{aux}.1.\1"),
        )
    ),
)


def _recognises(state: State) -> bool:
    return (
        "neck.cff_24.conv_low.conv.weight" in state
        and "backbone.backbone.layer1.0.conv1.weight" in state
    )


@dialect(
    "mmseg_icnet",
    title="ICNet (MMSegmentation)",
    source="https://github.com/open-mmlab/mmsegmentation",
    recognises=_recognises,
)
def read(state: State) -> Found:
    """Blocks of two convolutions are those of a ResNet-18; layer3 tells a 50 from a 101."""
    names = Renaming(state).rules(_RULES)
    num_classes = state["decode_head.conv_seg.weight"].shape[0]
    return names.found(
        "icnet_mmseg",
        num_classes,
        net_args={"depth": _depth(state)},
        class_set="cityscapes19" if num_classes == 19 else "",
    )


def _depth(state: State) -> int:
    if "backbone.backbone.layer1.0.conv3.weight" not in state:
        return 18
    return 101 if "backbone.backbone.layer3.6.conv1.weight" in state else 50
