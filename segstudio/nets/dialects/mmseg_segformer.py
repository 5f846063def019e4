"""SegFormer of MMSegmentation.

Not the authors' net: the decoder's projections carry batch norm and ReLU, its stages are joined
from fine to coarse (so the fusing convolution's input is permuted here), it is 256 wide in every
size, and every layer norm has eps 1e-6. Queries, keys and values are one tensor, and the
feed-forward network's linear layers are point-wise convolutions.
"""

from segstudio.nets.dialect import Found, Renaming, State, dialect, permuted_blocks
from segstudio.nets.zoo.segformer import size_of

_BLOCK = r"backbone\.layers\.(\d)\.1\.(\d+)\."
_RULES = (
    (r"backbone\.layers\.(\d)\.0\.projection\.(.*)", r"stages.\1.embed.conv.\2"),
    (r"backbone\.layers\.(\d)\.0\.norm\.(.*)", r"stages.\1.embed.norm.\2"),
    (r"backbone\.layers\.(\d)\.2\.(.*)", r"stages.\1.norm.\2"),
    (_BLOCK + r"(norm[12])\.(.*)", r"stages.\1.blocks.\2.\3.\4"),
    (_BLOCK + r"attn\.attn\.out_proj\.(.*)", r"stages.\1.blocks.\2.attention.out.\3"),
    (_BLOCK + r"attn\.sr\.(.*)", r"stages.\1.blocks.\2.attention.reduce.\3"),
    (_BLOCK + r"attn\.norm\.(.*)", r"stages.\1.blocks.\2.attention.reduce_norm.\3"),
    (_BLOCK + r"ffn\.layers\.0\.(bias)", r"stages.\1.blocks.\2.ffn.widen.\3"),
    (_BLOCK + r"ffn\.layers\.1\.(.*)", r"stages.\1.blocks.\2.ffn.depthwise.\3"),
    (_BLOCK + r"ffn\.layers\.4\.(bias)", r"stages.\1.blocks.\2.ffn.narrow.\3"),
    (r"decode_head\.convs\.(\d)\.conv\.(.*)", r"decoder.project.\1.0.\2"),
    (r"decode_head\.convs\.(\d)\.bn\.(.*)", r"decoder.project.\1.1.\2"),
    (r"decode_head\.fusion_conv\.bn\.(.*)", r"decoder.fuse.1.\1"),
    (r"decode_head\.conv_seg\.(.*)", r"decoder.classifier.\1"),
)


def _recognises(state: State) -> bool:
    return {
        "backbone.layers.0.1.0.attn.attn.in_proj_weight",
        "backbone.layers.0.2.weight",
        "decode_head.fusion_conv.conv.weight",
        "decode_head.conv_seg.weight",
    } <= state.keys()


@dialect(
    "mmseg_segformer",
    title="SegFormer (MMSegmentation)",
    source="https://github.com/open-mmlab/mmsegmentation",
    recognises=_recognises,
)
def read(state: State) -> Found:
    """The size is counted."""
    names = Renaming(state)
    num_classes, width = state["decode_head.conv_seg.weight"].shape[:2]
    coarse_first = permuted_blocks((3, 2, 1, 0), [width] * 4)
    names.move("decode_head.fusion_conv.conv.weight", "decoder.fuse.0.weight", coarse_first)
    for old in list(names.left):
        parts = old.split(".")
        ours = f"stages.{parts[2]}.blocks.{parts[4]}" if len(parts) > 5 else ""
        if ".in_proj_" in old:
            last = old.rpartition("_")[2]
            names.split(old, [f"{ours}.attention.{part}.{last}" for part in "qkv"])
        elif old.endswith("ffn.layers.0.weight"):
            names.move(old, f"{ours}.ffn.widen.weight", lambda w: w.flatten(1))
        elif old.endswith("ffn.layers.4.weight"):
            names.move(old, f"{ours}.ffn.narrow.weight", lambda w: w.flatten(1))
    names.rules(_RULES)
    depths = tuple(
        len({k.split(".")[4] for k in state if k.startswith(f"backbone.layers.{i}.1.")})
        for i in range(4)
    )
    size = size_of(state["backbone.layers.0.2.weight"].shape[0], depths)
    return names.found(
        f"segformer_{size}",
        num_classes,
        net_args={"inner_eps": 1e-6, "decoder_width": width, "normed_projections": True},
        class_set={19: "cityscapes19", 150: "ade20k150"}.get(num_classes, ""),
    )
