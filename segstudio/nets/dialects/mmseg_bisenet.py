"""BiSeNet and BiSeNet V2 of mmsegmentation.

Its V2 has biases on the 1x1 convolutions of the aggregation layer, and enlarges bilinearly there as
the paper does. Its V1 gates the fusion by one convolution with batch norm and a ReLU before the
sigmoid, so that a gate is never below a half.
"""

from segstudio.nets.dialect import Found, Renaming, State, conv_and_norm, dialect

SOURCE = "https://github.com/open-mmlab/mmsegmentation"

_SETS = {19: "cityscapes19", 21: "voc21", 150: "ade20k150", 171: "cocostuff171"}

_V2_STAGES = (2, 3, 4)

_KEEPS = {"detail_dwconv": "detail_keep", "semantic_dwconv": "semantic_keep"}

_V2_RULES = (
    *(
        rule
        for i in range(3)
        for rule in conv_and_norm(
            rf"backbone\.detail\.detail_branch\.{i}\.(\d)", rf"detail.stage{i + 1}.\1"
        )
    ),
    *conv_and_norm(r"backbone\.semantic\.stage1\.conv_first", "semantic.stem.first"),
    *conv_and_norm(r"backbone\.semantic\.stage1\.convs\.(\d)", r"semantic.stem.left.\1"),
    *conv_and_norm(r"backbone\.semantic\.stage1\.fuse_last", "semantic.stem.fuse"),
    *(
        rule
        for i in _V2_STAGES
        for old, new, first in (
            ("conv1", "gather", 0),
            (r"dwconv\.0", "expand", 0),
            (r"dwconv\.1", "expand", 2),
            (r"conv2\.0", "project", 0),
            (r"shortcut\.0\.depthwise_conv", "shortcut.0", 0),
            (r"shortcut\.0\.pointwise_conv", "shortcut.1", 0),
        )
        for rule in conv_and_norm(
            rf"backbone\.semantic\.stage{i}\.(\d+)\.{old}",
            rf"semantic.stage{i + 1}.\1.{new}",
            first=first,
        )
    ),
    (r"backbone\.semantic\.stage4_CEBlock\.gap\.1\.(.*)", r"semantic.context.norm.\1"),
    *conv_and_norm(r"backbone\.semantic\.stage4_CEBlock\.conv_gap", "semantic.context.embed"),
    *conv_and_norm(r"backbone\.semantic\.stage4_CEBlock\.conv_last", "semantic.context.last"),
    *(
        rule
        for old, new in _KEEPS.items()
        for rule in (
            *conv_and_norm(rf"backbone\.bga\.{old}\.0\.depthwise_conv", f"aggregation.{new}.0"),
            (rf"backbone\.bga\.{old}\.0\.pointwise_conv\.conv\.(.*)", rf"aggregation.{new}.1.\1"),
        )
    ),
    *conv_and_norm(r"backbone\.bga\.detail_down\.0", "aggregation.detail_down.0"),
    *conv_and_norm(r"backbone\.bga\.semantic_conv\.0", "aggregation.semantic_up"),
    *conv_and_norm(r"backbone\.bga\.conv", "aggregation.last"),
    *conv_and_norm(r"decode_head\.convs\.0", "head.0"),
    (r"decode_head\.conv_seg\.(.*)", r"head.2.\1"),
    *conv_and_norm(r"auxiliary_head\.(\d)\.convs\.([01])", r"boosters.\1.\2"),
    (r"auxiliary_head\.(\d)\.conv_seg\.(.*)", r"boosters.\1.3.\2"),
)


def _recognises_v2(state: State) -> bool:
    return "backbone.bga.detail_dwconv.0.depthwise_conv.conv.weight" in state


@dialect(
    "mmseg_bisenet_v2",
    title="BiSeNet V2 (MMSegmentation)",
    source=SOURCE,
    recognises=_recognises_v2,
)
def read_v2(state: State) -> Found:
    """Its auxiliary heads are the booster heads."""
    names = Renaming(state).rules(_V2_RULES)
    num_classes, head_width = state["decode_head.conv_seg.weight"].shape[:2]
    return names.found(
        "bisenet_v2",
        num_classes,
        net_args={
            "head_width": head_width,
            "boosters": "auxiliary_head.0.conv_seg.weight" in state,
            "booster_style": "mmseg",
            "pointwise_bias": True,
        },
        class_set=_SETS.get(num_classes, ""),
    )


_V1_RULES = (
    *conv_and_norm(r"backbone\.context_path\.backbone", "resnet.stem", conv="conv1", norm="bn1"),
    (r"backbone\.context_path\.backbone\.(layer\d\..*)", r"resnet.\1"),
    *conv_and_norm(r"backbone\.context_path\.arm(16|32)\.conv_layer", r"context.arm\1.conv"),
    *conv_and_norm(
        r"backbone\.context_path\.arm(16|32)\.atten_conv_layer\.1", r"context.arm\1.attention"
    ),
    *conv_and_norm(r"backbone\.context_path\.conv_head(16|32)", r"context.up\1"),
    *conv_and_norm(r"backbone\.context_path\.gap_conv\.1", "context.average"),
    *(
        rule
        for i in range(4)
        for rule in conv_and_norm(rf"backbone\.spatial_path\.layer{i + 1}", f"spatial.{i}")
    ),
    *conv_and_norm(r"backbone\.ffm\.conv1", "fusion.conv"),
    *conv_and_norm(r"backbone\.ffm\.conv_atten\.0", "fusion.attention"),
    *conv_and_norm(r"decode_head\.convs\.0", "head.0"),
    (r"decode_head\.conv_seg\.(.*)", r"head.1.\1"),
    *(
        rule
        for i, aux in enumerate(("aux8", "aux16"))
        for rule in (
            *conv_and_norm(rf"auxiliary_head\.{i}\.convs\.0", f"{aux}.0"),
            (rf"auxiliary_head\.{i}\.conv_seg\.(.*)", rf"{aux}.1.\1"),
        )
    ),
)


def _recognises_v1(state: State) -> bool:
    return "backbone.context_path.backbone.conv1.weight" in state


@dialect(
    "mmseg_bisenet_v1",
    title="BiSeNet (MMSegmentation)",
    source=SOURCE,
    recognises=_recognises_v1,
)
def read_v1(state: State) -> Found:
    """On ResNet-50 where its blocks have three convolutions, otherwise on ResNet-18."""
    names = Renaming(state).rules(_V1_RULES)
    num_classes = state["decode_head.conv_seg.weight"].shape[0]
    is_deep = "backbone.context_path.backbone.layer1.0.conv3.weight" in state
    return names.found(
        "bisenet_v1",
        num_classes,
        net_args={"depth": 50 if is_deep else 18, "gate": "one-relu"},
        class_set=_SETS.get(num_classes, ""),
    )
