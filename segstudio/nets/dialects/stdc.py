"""STDC-Seg of its authors, github.com/MichaelFan01/STDC-Seg.

Their files hold the backbone twice, under `features` and again stage by stage, beside the unused
classifier of ImageNet and the heads of the detail guidance. Pictures are shrunk before the net
sees them: by a half (the "50" files) or three quarters ("75").
"""

import re

from segstudio.nets.dialect import Found, Renaming, State, conv_and_norm, dialect

_RULES = (
    *conv_and_norm(r"cp\.backbone\.features\.0", "stage1"),
    *conv_and_norm(r"cp\.backbone\.features\.1", "stage2"),
    *conv_and_norm(r"cp\.arm(16|32)\.conv", r"context.arm\1.conv"),
    *conv_and_norm(
        r"cp\.arm(16|32)", r"context.arm\1.attention", conv="conv_atten", norm="bn_atten"
    ),
    *conv_and_norm(r"cp\.conv_head(16|32)", r"context.up\1"),
    *conv_and_norm(r"cp\.conv_avg", "context.average"),
    *conv_and_norm(r"ffm\.convblk", "fusion.conv"),
    (r"ffm\.conv1\.(.*)", r"fusion.attention.0.\1"),
    (r"ffm\.conv2\.(.*)", r"fusion.attention.2.\1"),
    *conv_and_norm(r"conv_out\.conv", "head.0"),
    (r"conv_out\.conv_out\.(.*)", r"head.1.\1"),
    *conv_and_norm(r"conv_out16\.conv", "aux8.0"),
    (r"conv_out16\.conv_out\.(.*)", r"aux8.1.\1"),
    *conv_and_norm(r"conv_out32\.conv", "aux16.0"),
    (r"conv_out32\.conv_out\.(.*)", r"aux16.1.\1"),
)
"""The authors call these heads by what they learn from, we by their stride."""

_MODULE = r"cp\.backbone\.features\.(\d+)\.conv_list\.0\.conv\.weight"


def _recognises(state: State) -> bool:
    return "cp.backbone.features.2.conv_list.0.conv.weight" in state and "ffm.conv1.weight" in state


@dialect(
    "stdc",
    title="STDC-Seg (authors)",
    source="https://github.com/MichaelFan01/STDC-Seg",
    recognises=_recognises,
)
def read(state: State) -> Found:
    """A stage starts where a module has a strided layer."""
    names = Renaming(state).rules(_RULES)
    stage, place = 2, 0
    for old in sorted(int(m[1]) for m in (re.fullmatch(_MODULE, k) for k in state) if m):
        prefix = rf"cp\.backbone\.features\.{old}"
        place += 1
        if f"cp.backbone.features.{old}.avd_layer.0.weight" in state:
            stage, place = stage + 1, 0
        ours = f"stage{stage}.{place}"
        names.rules(
            (
                *conv_and_norm(prefix + r"\.conv_list\.(\d)", rf"{ours}.convs.\1"),
                (prefix + r"\.avd_layer\.(.*)", rf"{ours}.down.\1"),
            )
        )
    names.ignore(r"cp\.backbone\.x\d+\..*", "the backbone's tensors a second time")
    names.ignore(
        r"cp\.backbone\.(conv_last|fc|bn|linear)\..*", "the classifier of ImageNet goes unused"
    )
    names.ignore(r"conv_out_sp\d+\..*", "the detail guidance is for training with its own loss")
    num_classes = state["conv_out.conv_out.weight"].shape[0]
    return names.found(
        "stdc2" if "cp.backbone.features.8.conv_list.0.conv.weight" in state else "stdc1",
        num_classes,
        net_args={"classifier_bias": "conv_out.conv_out.bias" in state},
        class_set="cityscapes19" if num_classes == 19 else "",
        notes=(
            "STDC-Seg's authors shrink 1024x2048 frames before the net: to a short side of 512"
            " for files named 50, of 768 for files named 75.",
        ),
    )
