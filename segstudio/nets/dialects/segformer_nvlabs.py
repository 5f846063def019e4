"""SegFormer's authors: the files of github.com/NVlabs/SegFormer (weights for non-commercial use).

Layer norms have eps 1e-6 in and behind blocks, 1e-5 elsewhere. Keys and values are one tensor. The
classifier is `linear_pred`; `conv_seg`, which every decoder of their framework brings, is unused.
"""

from segstudio.nets.dialect import Found, Renaming, State, dialect
from segstudio.nets.zoo.segformer import size_of

_BLOCK = r"backbone\.block{n}\.(\d+)\."


def _recognises(state: State) -> bool:
    return {
        "backbone.block1.0.attn.kv.weight",
        "backbone.norm1.weight",
        "decode_head.linear_c1.proj.weight",
        "decode_head.linear_pred.weight",
    } <= state.keys()


@dialect(
    "segformer_nvlabs",
    title="SegFormer (authors)",
    source="https://github.com/NVlabs/SegFormer",
    recognises=_recognises,
)
def read(state: State) -> Found:
    """The size is counted; the decoder's linear layers become point-wise convolutions."""
    names = Renaming(state).ignore(r"decode_head\.conv_seg\..*", "never used")
    for n in range(1, 5):
        stage, block = f"stages.{n - 1}", f"stages.{n - 1}.blocks" + r".\1"
        theirs = _BLOCK.format(n=n)
        names.rules(
            (
                (rf"backbone\.patch_embed{n}\.proj\.(.*)", stage + r".embed.conv.\1"),
                (rf"backbone\.patch_embed{n}\.norm\.(.*)", stage + r".embed.norm.\1"),
                (rf"backbone\.norm{n}\.(.*)", stage + r".norm.\1"),
                (theirs + r"(norm[12])\.(.*)", block + r".\2.\3"),
                (theirs + r"attn\.q\.(.*)", block + r".attention.q.\2"),
                (theirs + r"attn\.proj\.(.*)", block + r".attention.out.\2"),
                (theirs + r"attn\.sr\.(.*)", block + r".attention.reduce.\2"),
                (theirs + r"attn\.norm\.(.*)", block + r".attention.reduce_norm.\2"),
                (theirs + r"mlp\.fc1\.(.*)", block + r".ffn.widen.\2"),
                (theirs + r"mlp\.dwconv\.dwconv\.(.*)", block + r".ffn.depthwise.\2"),
                (theirs + r"mlp\.fc2\.(.*)", block + r".ffn.narrow.\2"),
                (rf"decode_head\.linear_c{n}\.proj\.(bias)", rf"decoder.project.{n - 1}.0.\1"),
            )
        )
        old = f"decode_head.linear_c{n}.proj.weight"
        names.move(old, f"decoder.project.{n - 1}.0.weight", lambda w: w[:, :, None, None])
    for old in [name for name in names.left if ".attn.kv." in name]:
        _, group, place, _, _, last = old.split(".")
        ours = f"stages.{int(group[-1]) - 1}.blocks.{place}.attention"
        names.split(old, [f"{ours}.{part}.{last}" for part in "kv"])
    names.rules(
        (
            (r"decode_head\.linear_fuse\.conv\.(.*)", r"decoder.fuse.0.\1"),
            (r"decode_head\.linear_fuse\.bn\.(.*)", r"decoder.fuse.1.\1"),
            (r"decode_head\.linear_pred\.(.*)", r"decoder.classifier.\1"),
        )
    )
    num_classes, width = state["decode_head.linear_pred.weight"].shape[:2]
    depths = tuple(
        len({k.split(".")[2] for k in state if k.startswith(f"backbone.block{n}.")})
        for n in range(1, 5)
    )
    size = size_of(state["backbone.norm1.weight"].shape[0], depths)
    return names.found(
        f"segformer_{size}",
        num_classes,
        net_args={"decoder_width": width},
        class_set={19: "cityscapes19", 150: "ade20k150"}.get(num_classes, ""),
    )
