"""DDRNet of MMSegmentation: other names, and no bias in the stem."""

from segstudio.nets.dialect import Found, Renaming, State, dialect

_PARTS = (
    (r"backbone\.stem\.0\.conv\.(.*)", r"stem.0.\1"),
    (r"backbone\.stem\.0\.bn\.(.*)", r"stem.1.\1"),
    (r"backbone\.stem\.1\.conv\.(.*)", r"stem.3.\1"),
    (r"backbone\.stem\.1\.bn\.(.*)", r"stem.4.\1"),
    (r"backbone\.compression_1\.conv\.(.*)", r"compression.0.0.\1"),
    (r"backbone\.compression_1\.bn\.(.*)", r"compression.0.1.\1"),
    (r"backbone\.compression_2\.conv\.(.*)", r"compression.1.0.\1"),
    (r"backbone\.compression_2\.bn\.(.*)", r"compression.1.1.\1"),
    (r"backbone\.down_1\.conv\.(.*)", r"down.0.0.\1"),
    (r"backbone\.down_1\.bn\.(.*)", r"down.0.1.\1"),
    (r"backbone\.down_2\.0\.conv\.(.*)", r"down.1.0.\1"),
    (r"backbone\.down_2\.0\.bn\.(.*)", r"down.1.1.\1"),
    (r"backbone\.down_2\.1\.conv\.(.*)", r"down.1.3.\1"),
    (r"backbone\.down_2\.1\.bn\.(.*)", r"down.1.4.\1"),
    (r"backbone\.spp\.scales\.(\d)(?:\.1)?\.bn\.(.*)", r"pyramid.scales.\1.0.\2"),
    (r"backbone\.spp\.scales\.(\d)(?:\.1)?\.conv\.(.*)", r"pyramid.scales.\1.2.\2"),
    (r"backbone\.spp\.processes\.(\d)\.bn\.(.*)", r"pyramid.processes.\1.0.\2"),
    (r"backbone\.spp\.processes\.(\d)\.conv\.(.*)", r"pyramid.processes.\1.2.\2"),
    (r"backbone\.spp\.(compression|shortcut)\.bn\.(.*)", r"pyramid.\1.0.\2"),
    (r"backbone\.spp\.(compression|shortcut)\.conv\.(.*)", r"pyramid.\1.2.\2"),
    (r"decode_head\.head\.0\.bn\.(.*)", r"head.0.\1"),
    (r"decode_head\.head\.0\.conv\.(.*)", r"head.2.\1"),
    (r"decode_head\.head\.1\.(.*)", r"head.3.\1"),
    (r"decode_head\.conv_seg\.(.*)", r"head.5.\1"),
    (r"decode_head\.aux_head\.0\.bn\.(.*)", r"aux.0.\1"),
    (r"decode_head\.aux_head\.0\.conv\.(.*)", r"aux.2.\1"),
    (r"decode_head\.aux_head\.1\.(.*)", r"aux.3.\1"),
    (r"decode_head\.aux_cls_seg\.(.*)", r"aux.5.\1"),
)

_STAGES = (
    (r"stem\.2", "layer1"),
    (r"stem\.4", "layer2"),
    (r"context_branch_layers\.0", "context.0"),
    (r"context_branch_layers\.1", "context.1"),
    (r"context_branch_layers\.2", "context_last"),
    (r"spatial_branch_layers\.0", "detail.0"),
    (r"spatial_branch_layers\.1", "detail.1"),
    (r"spatial_branch_layers\.2", "detail_last"),
)


def _recognises(state: State) -> bool:
    return {
        "backbone.spatial_branch_layers.0.0.conv1.conv.weight",
        "backbone.stem.0.conv.weight",
        "decode_head.conv_seg.weight",
    } <= state.keys()


@dialect(
    "mmseg_ddrnet",
    title="DDRNet (MMSegmentation)",
    source="https://github.com/open-mmlab/mmsegmentation",
    recognises=_recognises,
)
def read(state: State) -> Found:
    """23-slim or 23, by the width of the stem."""
    names = Renaming(state).rules(_PARTS)
    for old, ours in _STAGES:
        block = rf"backbone\.{old}\.(\d+)"
        names.rules(
            (
                (block + r"\.conv(\d)\.conv\.(.*)", ours + r".\1.conv\2.\3"),
                (block + r"\.conv(\d)\.bn\.(.*)", ours + r".\1.bn\2.\3"),
                (block + r"\.downsample\.(.*)", ours + r".\1.shortcut.\2"),
            )
        )
    classifier = state["decode_head.conv_seg.weight"]
    is_slim = state["backbone.stem.0.conv.weight"].shape[0] == 32
    return names.found(
        "ddrnet_23_slim" if is_slim else "ddrnet_23",
        classifier.shape[0],
        net_args={
            "stem_bias": "backbone.stem.0.conv.bias" in state,
            "head_width": classifier.shape[1],
        },
        class_set={19: "cityscapes19"}.get(classifier.shape[0], ""),
        input={"multiple_of": 8},
    )
