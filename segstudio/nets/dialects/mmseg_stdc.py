"""STDC-Seg of mmsegmentation; the maths are the authors'."""

from segstudio.nets.dialect import Found, Renaming, State, conv_and_norm, dialect

_RULES = (
    *conv_and_norm(r"backbone\.backbone\.stages\.0", "stage1"),
    *conv_and_norm(r"backbone\.backbone\.stages\.1", "stage2"),
    *(
        rule
        for i in (2, 3, 4)
        for rule in (
            *conv_and_norm(
                rf"backbone\.backbone\.stages\.{i}\.(\d+)\.layers\.(\d)",
                rf"stage{i + 1}.\1.convs.\2",
            ),
            *conv_and_norm(
                rf"backbone\.backbone\.stages\.{i}\.(\d+)\.downsample", rf"stage{i + 1}.\1.down"
            ),
        )
    ),
    *(
        rule
        for i, stride in enumerate((32, 16))
        for rule in (
            *conv_and_norm(rf"backbone\.arms\.{i}\.conv_layer", f"context.arm{stride}.conv"),
            *conv_and_norm(
                rf"backbone\.arms\.{i}\.atten_conv_layer\.1", f"context.arm{stride}.attention"
            ),
            *conv_and_norm(rf"backbone\.convs\.{i}", f"context.up{stride}"),
        )
    ),
    *conv_and_norm(r"backbone\.conv_avg", "context.average"),
    *conv_and_norm(r"backbone\.ffm\.conv0", "fusion.conv"),
    (r"backbone\.ffm\.attention\.1\.conv\.(.*)", r"fusion.attention.0.\1"),
    (r"backbone\.ffm\.attention\.2\.conv\.(.*)", r"fusion.attention.2.\1"),
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


def _recognises(state: State) -> bool:
    return "backbone.backbone.stages.2.0.layers.0.conv.weight" in state


@dialect(
    "mmseg_stdc",
    title="STDC-Seg (MMSegmentation)",
    source="https://github.com/open-mmlab/mmsegmentation",
    recognises=_recognises,
)
def read(state: State) -> Found:
    """STDC2 has a third module in its first stage of modules."""
    names = Renaming(state).rules(_RULES)
    names.ignore(r"auxiliary_head\.2\..*", "the detail guidance is for training with its own loss")
    num_classes = state["decode_head.conv_seg.weight"].shape[0]
    is_second = "backbone.backbone.stages.2.2.layers.0.conv.weight" in state
    return names.found(
        "stdc2" if is_second else "stdc1",
        num_classes,
        net_args={"classifier_bias": True},
        class_set="cityscapes19" if num_classes == 19 else "",
    )
