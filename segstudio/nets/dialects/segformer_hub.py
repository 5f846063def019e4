"""SegFormer of the transformers library, as it names tensors today and as its files do.

Every layer norm there has eps 1e-5. Pictures are ImageNet RGB.
"""

from segstudio.nets.dialect import Found, Renaming, State, dialect
from segstudio.nets.zoo.segformer import size_of

_STAGE = r"segformer\.stages\.(\d)\."
_BLOCK = r"segformer\.stages\.(\d)\.blocks\.(\d+)\."
_NOW = (
    (_STAGE + r"patch_embeddings\.proj\.(.*)", r"stages.\1.embed.conv.\2"),
    (_STAGE + r"patch_embeddings\.layer_norm\.(.*)", r"stages.\1.embed.norm.\2"),
    (_STAGE + r"layer_norm\.(.*)", r"stages.\1.norm.\2"),
    (_BLOCK + r"layernorm_before\.(.*)", r"stages.\1.blocks.\2.norm1.\3"),
    (_BLOCK + r"layernorm_after\.(.*)", r"stages.\1.blocks.\2.norm2.\3"),
    (_BLOCK + r"attention\.([qkv])_proj\.(.*)", r"stages.\1.blocks.\2.attention.\3.\4"),
    (_BLOCK + r"attention\.o_proj\.(.*)", r"stages.\1.blocks.\2.attention.out.\3"),
    (
        _BLOCK + r"attention\.sequence_reduction\.sequence_reduction\.(.*)",
        r"stages.\1.blocks.\2.attention.reduce.\3",
    ),
    (
        _BLOCK + r"attention\.sequence_reduction\.layer_norm\.(.*)",
        r"stages.\1.blocks.\2.attention.reduce_norm.\3",
    ),
    (_BLOCK + r"mlp\.fc1\.(.*)", r"stages.\1.blocks.\2.ffn.widen.\3"),
    (_BLOCK + r"mlp\.dwconv\.dwconv\.(.*)", r"stages.\1.blocks.\2.ffn.depthwise.\3"),
    (_BLOCK + r"mlp\.fc2\.(.*)", r"stages.\1.blocks.\2.ffn.narrow.\3"),
)

_OLD_STAGE = r"segformer\.encoder\.{}\.(\d)\."
_OLD_BLOCK = r"segformer\.encoder\.block\.(\d)\.(\d+)\."
_BEFORE = (
    (_OLD_STAGE.format("patch_embeddings") + r"proj\.(.*)", r"stages.\1.embed.conv.\2"),
    (_OLD_STAGE.format("patch_embeddings") + r"layer_norm\.(.*)", r"stages.\1.embed.norm.\2"),
    (_OLD_STAGE.format("layer_norm") + r"(.*)", r"stages.\1.norm.\2"),
    (_OLD_BLOCK + r"layer_norm_1\.(.*)", r"stages.\1.blocks.\2.norm1.\3"),
    (_OLD_BLOCK + r"layer_norm_2\.(.*)", r"stages.\1.blocks.\2.norm2.\3"),
    (_OLD_BLOCK + r"attention\.self\.query\.(.*)", r"stages.\1.blocks.\2.attention.q.\3"),
    (_OLD_BLOCK + r"attention\.self\.key\.(.*)", r"stages.\1.blocks.\2.attention.k.\3"),
    (_OLD_BLOCK + r"attention\.self\.value\.(.*)", r"stages.\1.blocks.\2.attention.v.\3"),
    (_OLD_BLOCK + r"attention\.self\.sr\.(.*)", r"stages.\1.blocks.\2.attention.reduce.\3"),
    (
        _OLD_BLOCK + r"attention\.self\.layer_norm\.(.*)",
        r"stages.\1.blocks.\2.attention.reduce_norm.\3",
    ),
    (_OLD_BLOCK + r"attention\.output\.dense\.(.*)", r"stages.\1.blocks.\2.attention.out.\3"),
    (_OLD_BLOCK + r"mlp\.dense1\.(.*)", r"stages.\1.blocks.\2.ffn.widen.\3"),
    (_OLD_BLOCK + r"mlp\.dwconv\.dwconv\.(.*)", r"stages.\1.blocks.\2.ffn.depthwise.\3"),
    (_OLD_BLOCK + r"mlp\.dense2\.(.*)", r"stages.\1.blocks.\2.ffn.narrow.\3"),
)

_DECODER = (
    (r"decode_head\.linear_fuse\.(.*)", r"decoder.fuse.0.\1"),
    (r"decode_head\.batch_norm\.(.*)", r"decoder.fuse.1.\1"),
    (r"decode_head\.classifier\.(.*)", r"decoder.classifier.\1"),
)


def _recognises(state: State) -> bool:
    return "decode_head.classifier.weight" in state and any(
        name.startswith(("segformer.stages.0.", "segformer.encoder.patch_embeddings.0."))
        for name in state
    )


@dialect(
    "segformer_hub",
    title="SegFormer (transformers)",
    source="https://github.com/huggingface/transformers",
    recognises=_recognises,
)
def read(state: State) -> Found:
    """The size is counted; the decoder's linear layers become point-wise convolutions."""
    names = Renaming(state).rules((*_NOW, *_BEFORE, *_DECODER))
    for i in range(4):
        for theirs in ("linear_projections", "linear_c"):
            old, new = f"decode_head.{theirs}.{i}.proj", f"decoder.project.{i}.0"
            names.move(f"{old}.weight", f"{new}.weight", lambda w: w[:, :, None, None])
            names.move(f"{old}.bias", f"{new}.bias")
    classifier = names.state["decoder.classifier.weight"]
    first = names.state.get("stages.0.norm.weight")
    depths = tuple(
        len({k.split(".")[3] for k in names.state if k.startswith(f"stages.{i}.blocks.")})
        for i in range(4)
    )
    size = size_of(0 if first is None else first.shape[0], depths)
    return names.found(
        f"segformer_{size}",
        classifier.shape[0],
        net_args={"eps": 1e-5, "inner_eps": 1e-5, "decoder_width": classifier.shape[1]},
        class_set={19: "cityscapes19", 150: "ade20k150"}.get(classifier.shape[0], ""),
    )
