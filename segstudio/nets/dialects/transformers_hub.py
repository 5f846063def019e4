"""transformers: `model.safetensors` and `pytorch_model.bin` as its save_pretrained writes them.

The names are those of the library's modules, of version 5 or as older versions wrote them (the
library itself knows the changes). The configuration that stands in config.json beside such files
is rebuilt from names and shapes; what those do not tell is the library's default. SegFormer has a
net of its own here and a dialect with it.
"""

import json
import math
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from segstudio.errors import ModelError
from segstudio.nets.dialect import Found, Renaming, State, dialect
from segstudio.nets.libraries import library
from segstudio.nets.registry import NETS

SOURCE = "https://github.com/huggingface/transformers"

SIGNS = {
    "oneformer": ("model.task_encoder.task_mlp.layers.0.0.weight",),
    "mask2former": ("class_predictor.weight", "model.transformer_module.queries_features.weight"),
    "eomt": ("class_predictor.weight", "query.weight", "embeddings.position_embeddings.weight"),
    "upernet": ("decode_head.classifier.weight", "decode_head.fpn_bottleneck.batch_norm.weight"),
    "dpt": ("dpt.embeddings.cls_token", "head.head.0.weight", "neck.convs.0.weight"),
    "mobilevit": ("mobilevit.conv_stem.convolution.weight", "segmentation_head.aspp"),
    "mobilenet_v2": ("mobilenet_v2.conv_stem.first_conv.convolution.weight", "segmentation_head."),
}
"""Kind of net -> names, or starts of names, that all occur in its files."""

CLASSIFIERS = {
    "oneformer": "model.transformer_module.decoder.class_embed.weight",
    "mask2former": "class_predictor.weight",
    "eomt": "class_predictor.weight",
    "upernet": "decode_head.classifier.weight",
    "dpt": "head.head.4.weight",
    "mobilevit": "segmentation_head.classifier.convolution.weight",
    "mobilenet_v2": "segmentation_head.classifier.convolution.weight",
}
"""Kind of net -> the tensor whose first side is the number of classes."""

WITH_NO_OBJECT = ("oneformer", "mask2former", "eomt")
"""Kinds whose classifier has one more answer: no object."""

HALF = {"mean": (0.5, 0.5, 0.5), "std": (0.5, 0.5, 0.5)}
INPUTS: dict[str, dict[str, Any]] = {
    "beit": HALF,
    "dpt": HALF,
    "mobilenet_v2": HALF,
    "mobilevit": {"mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0), "channels": "BGR"},
}
"""What the kind's image processor does by default, where it is not ImageNet's RGB."""

ABOUT_CLASSES = ("id2label", "label2id", "num_labels", "architectures", "dtype", "torch_dtype")
"""Entries of a config.json that our card says elsewhere, or nobody needs."""

CLASS_SETS = {19: "cityscapes19", 150: "ade20k150"}


def _kind(state: State) -> str | None:
    """The model_type that these names are of; None when they are of none known here."""
    return next(
        (
            kind
            for kind, signs in SIGNS.items()
            if all(s in state or any(k.startswith(s) for k in state) for s in signs)
        ),
        None,
    )


@dialect(
    "transformers",
    title="transformers",
    source=SOURCE,
    recognises=lambda state: _kind(state) is not None,
)
def read_transformers(state: State) -> Found:
    """ModelError when the backbone is none of those whose configuration shapes can tell."""
    kind = _kind(state)
    assert kind is not None
    classes = int(state[CLASSIFIERS[kind]].shape[0]) - (kind in WITH_NO_OBJECT)
    config = {"model_type": kind, **CONFIGS.get(kind, _default)(_Shapes(state))}
    return _found(state, config, classes)


def read_configured(state: State, config: str) -> Found:
    """The same with the text of the config.json that lies beside the file.

    It tells what shapes do not, the names of the classes too, and works for every kind of net that
    our net "hub" can be. ModelError when it is no such text.
    """
    try:
        fields: dict[str, Any] = json.loads(config)
        names = {int(i): str(name) for i, name in fields.get("id2label", {}).items()}
        kind = fields["model_type"]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ModelError(
            "The config.json beside the weights is not one of transformers; mend it, or take it"
            " away so that the shapes alone count."
        ) from error
    classes = len(names) or int(fields.get("num_labels", 0))
    key = CLASSIFIERS.get(kind, "")
    if key in state:
        classes = int(state[key].shape[0]) - (kind in WITH_NO_OBJECT)
    kept = {k: v for k, v in fields.items() if k not in ABOUT_CLASSES}
    found = _found(state, kept, classes)
    is_named = sorted(names) == list(range(classes)) and not names[0].startswith("LABEL_")
    return replace(found, class_names=tuple(names[i] for i in range(classes)) if is_named else ())


def _found(state: State, fields: dict[str, Any], classes: int) -> Found:
    config = json.dumps(fields)
    moves = Renaming(state)
    moves.ignore(r"auxiliary_head\..*", "a head for training only")
    moves.ignore(r"criterion\..*", "numbers of the training loss")
    moves.ignore(r"model\.text_mapper\..*", "reads texts, for training only")
    moves.ignore(r".*relative_position_index|.*position_ids", "counted anew")
    names = _present_names(config, classes, list(moves.left))
    for old in list(moves.left):
        moves.move(old, "model." + names.get(old, old))
    return moves.found(
        "hub",
        classes,
        net_args={"config": config},
        input=dict(INPUTS.get(fields["model_type"], {})),
        class_set=CLASS_SETS.get(classes, ""),
    )


def _present_names(config: str, classes: int, names: list[str]) -> dict[str, str]:
    """Names as older versions of the library wrote them -> as the installed one does.

    Empty when all are as they should be, or the library is not installed.
    """
    import torch

    try:
        with torch.device("meta"):
            model: Any = NETS.get("hub").build(classes, config=config).model
        mapping = library(
            "transformers.conversion_mapping", package="transformers", extra="hub", title="A net"
        )
    except ModelError:
        return {}
    own = model.state_dict()
    if all(name in own for name in names):
        return {}
    changes = [
        change
        for change in mapping.get_model_conversion_mapping(model)
        if type(change).__name__.endswith(("Renaming", "Rename"))
    ]
    found = {}
    for name in names:
        new = name
        for change in changes:
            new, _ = change.rename_source_key(new)
        found[name] = new if new in own or name not in own else name
    return found


class _Shapes:
    """Questions about names and shapes."""

    def __init__(self, state: State) -> None:
        self.state = state

    def side(self, pattern: str, index: int = 0) -> int:
        """One side of the first tensor whose whole name matches; 0 when none does."""
        compiled = re.compile(pattern)
        name = next((k for k in self.state if compiled.fullmatch(k)), None)
        return 0 if name is None else int(self.state[name].shape[index])

    def count(self, pattern: str) -> int:
        """How many numbers stand at the pattern's group in names that begin so."""
        compiled = re.compile(pattern)
        return len({m[1] for m in map(compiled.match, self.state) if m})

    def each(self, pattern: str, question: Callable[[int], int]) -> list[int]:
        """The question's answer for each number that stands at the pattern's group."""
        return [question(i) for i in range(self.count(pattern))]

    def has(self, pattern: str) -> bool:
        compiled = re.compile(pattern)
        return any(map(compiled.match, self.state))


def _default(_: _Shapes) -> dict[str, Any]:
    """Nothing: the library's own default."""
    return {}


def _swin(shapes: _Shapes, prefix: str) -> dict[str, Any]:
    """A Swin backbone whose names begin with prefix (a pattern)."""
    layer = prefix + r"encoder\.layers\.(\d+)\.blocks\."
    block = prefix + r"encoder\.layers\.{}\.blocks\."
    table = r"0\.attention\..*relative_position_bias_table"
    patches = prefix + r"embeddings\.patch_embeddings\.projection\.weight"
    rows = shapes.side(block.format(0) + table)
    width = shapes.side(patches)
    wide = shapes.side(block.format(0) + r"0\.(intermediate\.dense|mlp\.fc1)\.weight")
    return {
        "model_type": "swin",
        "embed_dim": width,
        "patch_size": shapes.side(patches, 2),
        "depths": shapes.each(layer, lambda i: shapes.count(block.format(i) + r"(\d+)\.")),
        "num_heads": shapes.each(layer, lambda i: shapes.side(block.format(i) + table, 1)),
        "window_size": (math.isqrt(rows) + 1) // 2,
        "mlp_ratio": wide / width,
        "out_features": ["stage1", "stage2", "stage3", "stage4"],
    }


def _need_swin(shapes: _Shapes, prefix: str) -> dict[str, Any]:
    if not shapes.has(prefix + r"embeddings\.patch_embeddings\.projection\.weight"):
        raise ModelError(
            "These weights of transformers have a backbone that shapes alone do not tell; write"
            " the card by hand, with the text of config.json as 'config' in net_args."
        )
    return _swin(shapes, prefix)


def _mask2former(shapes: _Shapes) -> dict[str, Any]:
    pixel, decoder = r"model\.pixel_level_module\.", r"model\.transformer_module\."
    levels, points = 3, 4
    attention = shapes.side(
        pixel + r"decoder\.encoder\.layers\.0\.self_attn\.attention_weights\.weight"
    )
    return {
        "backbone_config": _need_swin(shapes, pixel + r"encoder\.(?:swin\.)?"),
        "num_queries": shapes.side(decoder + r"queries_features\.weight"),
        "hidden_dim": shapes.side(decoder + r"queries_features\.weight", 1),
        "feature_size": shapes.side(pixel + r"decoder\.adapter_1\.0\.weight"),
        "mask_feature_size": shapes.side(pixel + r"decoder\.mask_projection\.weight"),
        "encoder_layers": shapes.count(pixel + r"decoder\.encoder\.layers\.(\d+)\."),
        "encoder_feedforward_dim": shapes.side(pixel + r"decoder\.encoder\.layers\.0\.fc1\.weight"),
        "decoder_layers": shapes.count(decoder + r"decoder\.layers\.(\d+)\.") + 1,
        "dim_feedforward": shapes.side(decoder + r"decoder\.layers\.0\.fc1\.weight"),
        "num_attention_heads": attention // (levels * points),
    }


def _oneformer(shapes: _Shapes) -> dict[str, Any]:
    pixel, decoder = r"model\.pixel_level_module\.", r"model\.transformer_module\."
    return {
        "backbone_config": _need_swin(shapes, pixel + r"encoder\.(?:swin\.)?"),
        "num_queries": shapes.side(decoder + r"queries_embedder\.weight"),
        "hidden_dim": shapes.side(decoder + r"queries_embedder\.weight", 1),
        "conv_dim": shapes.side(pixel + r"decoder\.adapter_1\.0\.weight"),
        "mask_dim": shapes.side(pixel + r"decoder\.mask_projection\.weight"),
        "task_seq_len": shapes.side(r"model\.task_encoder\.task_mlp\.layers\.0\.0\.weight", 1),
        "encoder_layers": shapes.count(pixel + r"decoder\.encoder\.layers\.(\d+)\."),
        "encoder_feedforward_dim": shapes.side(pixel + r"decoder\.encoder\.layers\.0\.fc1\.weight"),
        "decoder_layers": shapes.count(decoder + r"decoder\.layers\.(\d+)\.") + 1,
        "dim_feedforward": shapes.side(decoder + r"decoder\.layers\.0\.ffn\.linear1\.weight"),
        "query_dec_layers": shapes.count(
            decoder + r"decoder\.query_transformer\.decoder\.layers\.(\d+)\."
        ),
    }


def _eomt(shapes: _Shapes) -> dict[str, Any]:
    patches = r"embeddings\.patch_embeddings\.projection\.weight"
    width, patch = shapes.side(patches), shapes.side(patches, 2)
    grid = math.isqrt(shapes.side(r"embeddings\.position_embeddings\.weight"))
    return {
        "hidden_size": width,
        "num_hidden_layers": shapes.count(r"layers\.(\d+)\."),
        "num_attention_heads": width // 64,  # as in every ViT
        "image_size": grid * patch,
        "patch_size": patch,
        "num_queries": shapes.side(r"query\.weight"),
        "num_blocks": shapes.side("attn_mask_probs") or 4,
        "num_upscale_blocks": shapes.count(r"upscale_block\.block\.(\d+)\."),
        "num_register_tokens": shapes.side(r"embeddings\.register_tokens", 1),
        "use_swiglu_ffn": shapes.has(r"layers\.0\.mlp\.weights_in"),
    }


def _upernet(shapes: _Shapes) -> dict[str, Any]:
    if shapes.has(r"backbone\.embedder\.embedder\.convolution"):
        backbone = _resnet(shapes)
    elif shapes.has(r"backbone\.encoder\.stages\.0\.layers\.0\.dwconv"):
        backbone = _convnext(shapes)
    else:
        backbone = _need_swin(shapes, r"backbone\.(?:swin\.)?")
    return {
        "backbone_config": backbone,
        "hidden_size": shapes.side(r"decode_head\.bottleneck\.conv\.weight"),
    }


def _resnet(shapes: _Shapes) -> dict[str, Any]:
    stage = r"backbone\.encoder\.stages\.(\d+)\."
    layers = r"backbone\.encoder\.stages\.{}\.layers\."
    last = 2 if shapes.has(layers.format(0) + r"0\.layer\.2\.") else 1
    return {
        "model_type": "resnet",
        "embedding_size": shapes.side(r"backbone\.embedder\.embedder\.convolution\.weight"),
        "hidden_sizes": shapes.each(
            stage,
            lambda i: shapes.side(layers.format(i) + rf"0\.layer\.{last}\.convolution\.weight"),
        ),
        "depths": shapes.each(stage, lambda i: shapes.count(layers.format(i) + r"(\d+)\.")),
        "layer_type": "bottleneck" if last == 2 else "basic",
        "out_features": ["stage1", "stage2", "stage3", "stage4"],
    }


def _convnext(shapes: _Shapes) -> dict[str, Any]:
    stage = r"backbone\.encoder\.stages\.(\d+)\."
    layers = r"backbone\.encoder\.stages\.{}\.layers\."
    return {
        "model_type": "convnext",
        "patch_size": shapes.side(r"backbone\.embeddings\.patch_embeddings\.weight", 2),
        "hidden_sizes": shapes.each(
            stage, lambda i: shapes.side(layers.format(i) + r"0\.dwconv\.weight")
        ),
        "depths": shapes.each(stage, lambda i: shapes.count(layers.format(i) + r"(\d+)\.")),
        "out_features": ["stage1", "stage2", "stage3", "stage4"],
    }


def _dpt(shapes: _Shapes) -> dict[str, Any]:
    if shapes.has(r"dpt\.embeddings\.backbone\."):
        raise ModelError(
            "These weights are of a hybrid DPT, whose backbone shapes alone do not tell; write the"
            " card by hand, with the text of config.json as 'config' in net_args."
        )
    patches = r"dpt\.embeddings\.patch_embeddings\.projection\.weight"
    width, patch = shapes.side(patches), shapes.side(patches, 2)
    layers = shapes.count(r"dpt\.encoder\.layer\.(\d+)\.") or shapes.count(r"dpt\.layers\.(\d+)\.")
    quarter = layers // 4
    grid = math.isqrt(shapes.side(r"dpt\.embeddings\.position_embeddings", 1) - 1)
    residual = r"neck\.fusion_stage\.layers\.0\.residual_layer1\."
    return {
        "hidden_size": width,
        "num_hidden_layers": layers,
        "num_attention_heads": width // 64,  # as in every ViT
        "intermediate_size": shapes.side(r"dpt\..*\.0\.(intermediate\.dense|mlp\.fc1)\.weight"),
        "image_size": grid * patch,
        "patch_size": patch,
        # 3, 6, 9, 12 of the base net, 6, 12, 18, 24 of the large one (section 3 of the paper)
        "backbone_out_indices": [quarter * i - 1 for i in (1, 2, 3, 4)],
        "neck_hidden_sizes": shapes.each(
            r"neck\.reassemble_stage\.layers\.(\d+)\.",
            lambda i: shapes.side(rf"neck\.reassemble_stage\.layers\.{i}\.projection\.weight"),
        ),
        "fusion_hidden_size": shapes.side(r"neck\.convs\.0\.weight"),
        "readout_type": "project" if shapes.has(r"neck\..*readout_projects") else "ignore",
        "use_batch_norm_in_fusion_residual": shapes.has(residual + "batch_norm1"),
        "use_bias_in_fusion_residual": shapes.has(residual + r"convolution1\.bias"),
        "add_projection": shapes.has(r"head\.projection\."),
    }


CONFIGS: dict[str, Callable[[_Shapes], dict[str, Any]]] = {
    "mask2former": _mask2former,
    "oneformer": _oneformer,
    "eomt": _eomt,
    "upernet": _upernet,
    "dpt": _dpt,
}
