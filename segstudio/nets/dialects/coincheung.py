"""BiSeNet and BiSeNet V2 of github.com/CoinCheung/BiSeNet.

Its V2 enlarges by nearest neighbour inside the aggregation layer, where the paper is bilinear; its
first release was bilinear with aligned corners, and its classifiers lay one level higher. Its V1
gates the fusion by one convolution with batch norm; the first release by the paper's two without,
with aligned corners and classifiers without bias.
"""

from typing import Any

from segstudio.nets.dialect import Found, Renaming, State, conv_and_norm, dialect

SOURCE = "https://github.com/CoinCheung/BiSeNet"

_SETS = {19: "cityscapes19", 150: "ade20k150", 171: "cocostuff171"}

_PICTURES: dict[int, dict[str, Any]] = {
    19: {"mean": (0.3257, 0.3690, 0.3223), "std": (0.2112, 0.2148, 0.2115)},
    150: {
        "mean": (0.49343230, 0.46819794, 0.43106043),
        "std": (0.25680755, 0.25506608, 0.27422913),
    },
    171: {
        "mean": (0.46962251, 0.4464104, 0.40718787),
        "std": (0.27469736, 0.27012361, 0.28515933),
    },
}
"""Classes -> what its loaders for Cityscapes, ADE20K and COCO-Stuff normalise by (RGB, 0..1)."""

_V2_STAGES = {"S3": "stage3", "S4": "stage4", "S5_4": "stage5"}

_V2_RULES = (
    *conv_and_norm(r"detail\.S(\d)\.(\d)", r"detail.stage\1.\2"),
    *conv_and_norm(r"segment\.S1S2\.conv", "semantic.stem.first"),
    *conv_and_norm(r"segment\.S1S2\.(left\.\d|fuse)", r"semantic.stem.\1"),
    *(
        rule
        for old, new in _V2_STAGES.items()
        for rule in (
            *conv_and_norm(rf"segment\.{old}\.(\d+)\.conv1", rf"semantic.{new}.\1.gather"),
            (rf"segment\.{old}\.(\d+)\.dwconv1?\.(.*)", rf"semantic.{new}.\1.expand.\2"),
            *conv_and_norm(
                rf"segment\.{old}\.(\d+)\.dwconv2",
                rf"semantic.{new}.\1.expand",
                conv="0",
                norm="1",
                first=2,
            ),
            (rf"segment\.{old}\.(\d+)\.conv2\.(.*)", rf"semantic.{new}.\1.project.\2"),
            (rf"segment\.{old}\.(\d+)\.shortcut\.([01]\..*)", rf"semantic.{new}.\1.shortcut.0.\2"),
            *conv_and_norm(
                rf"segment\.{old}\.(\d+)\.shortcut",
                rf"semantic.{new}.\1.shortcut.1",
                conv="2",
                norm="3",
            ),
        )
    ),
    (r"segment\.S5_5\.bn\.(.*)", r"semantic.context.norm.\1"),
    *conv_and_norm(r"segment\.S5_5\.conv_gap", "semantic.context.embed"),
    *conv_and_norm(r"segment\.S5_5\.conv_last", "semantic.context.last"),
    (r"bga\.left1\.([01]\..*)", r"aggregation.detail_keep.0.\1"),
    (r"bga\.left1\.2\.(.*)", r"aggregation.detail_keep.1.\1"),
    (r"bga\.left2\.(.*)", r"aggregation.detail_down.0.\1"),
    (r"bga\.right1\.(.*)", r"aggregation.semantic_up.\1"),
    (r"bga\.right2\.([01]\..*)", r"aggregation.semantic_keep.0.\1"),
    (r"bga\.right2\.2\.(.*)", r"aggregation.semantic_keep.1.\1"),
    (r"bga\.conv\.(.*)", r"aggregation.last.\1"),
    *conv_and_norm(r"head\.conv", "head.0"),
    (r"head\.conv_out\.(?:1\.)?(weight|bias)", r"head.2.\1"),
    *(
        rule
        for i, old in enumerate(("aux2", "aux3", "aux4", "aux5_4"))
        for rule in (
            *conv_and_norm(rf"{old}\.conv", f"boosters.{i}.0"),
            *conv_and_norm(rf"{old}\.conv_out\.0\.1", f"boosters.{i}.3"),
            (rf"{old}\.conv_out\.1\.(.*)", rf"boosters.{i}.4.\1"),
            (rf"{old}\.conv_out\.(weight|bias)", rf"boosters.{i}.2.\1"),
        )
    ),
)


def _recognises_v2(state: State) -> bool:
    return "bga.left1.0.weight" in state and "detail.S1.0.conv.weight" in state


@dialect(
    "coincheung_bisenet_v2",
    title="BiSeNet V2 (CoinCheung)",
    source=SOURCE,
    recognises=_recognises_v2,
)
def read_v2(state: State) -> Found:
    """Files for inference have no booster heads."""
    names = Renaming(state).rules(_V2_RULES)
    is_first = "head.conv_out.weight" in state
    classifier = state["head.conv_out.weight" if is_first else "head.conv_out.1.weight"]
    num_classes, head_width = classifier.shape[:2]
    net_args: dict[str, int | float | str | bool] = {
        "head_width": head_width,
        "boosters": "aux2.conv.conv.weight" in state,
        "booster_style": "plain" if is_first else "coincheung",
    }
    net_args |= {"align_corners": True} if is_first else {"enlarge": "nearest"}
    return names.found(
        "bisenet_v2",
        num_classes,
        net_args=net_args,
        input=_PICTURES.get(num_classes, {}),
        class_set=_SETS.get(num_classes, ""),
    )


_V1_RULES = (
    *conv_and_norm(r"cp\.resnet", "resnet.stem", conv="conv1", norm="bn1"),
    (r"cp\.resnet\.(layer\d\..*)", r"resnet.\1"),
    *(
        rule
        for i, old in enumerate(("conv1", "conv2", "conv3", "conv_out"))
        for rule in conv_and_norm(rf"sp\.{old}", f"spatial.{i}")
    ),
    *conv_and_norm(r"cp\.arm(16|32)\.conv", r"context.arm\1.conv"),
    *conv_and_norm(
        r"cp\.arm(16|32)", r"context.arm\1.attention", conv="conv_atten", norm="bn_atten"
    ),
    *conv_and_norm(r"cp\.conv_head(16|32)", r"context.up\1"),
    *conv_and_norm(r"cp\.conv_avg", "context.average"),
    *conv_and_norm(r"ffm\.convblk", "fusion.conv"),
    *conv_and_norm(r"ffm", "fusion.attention"),
    (r"ffm\.conv1\.(.*)", r"fusion.attention.0.\1"),
    (r"ffm\.conv2\.(.*)", r"fusion.attention.2.\1"),
    *conv_and_norm(r"conv_out\.conv", "head.0"),
    (r"conv_out\.conv_out\.(.*)", r"head.1.\1"),
    *conv_and_norm(r"conv_out16\.conv", "aux8.0"),
    (r"conv_out16\.conv_out\.(.*)", r"aux8.1.\1"),
    *conv_and_norm(r"conv_out32\.conv", "aux16.0"),
    (r"conv_out32\.conv_out\.(.*)", r"aux16.1.\1"),
)


def _recognises_v1(state: State) -> bool:
    return "cp.resnet.conv1.weight" in state and "ffm.convblk.conv.weight" in state


@dialect(
    "coincheung_bisenet_v1",
    title="BiSeNet (CoinCheung)",
    source=SOURCE,
    recognises=_recognises_v1,
)
def read_v1(state: State) -> Found:
    """The first release, which also saw ImageNet's normalisation, shows in the fusion."""
    names = Renaming(state).rules(_V1_RULES)
    num_classes = state["conv_out.conv_out.weight"].shape[0]
    is_first = "ffm.conv1.weight" in state
    return names.found(
        "bisenet_v1",
        num_classes,
        net_args={
            "gate": "two" if is_first else "one",
            "classifier_bias": "conv_out.conv_out.bias" in state,
            "align_corners": is_first,
        },
        input={} if is_first else _PICTURES.get(num_classes, {}),
        class_set=_SETS.get(num_classes, ""),
    )
