"""transformers: files as its save_pretrained writes them answer as the library does."""

import json

import pytest
import torch
from safetensors.torch import load_file
from torch.nn import functional as F

from segstudio.errors import ModelError
from segstudio.nets.dialect import dialect_of, fit
from segstudio.nets.dialects.transformers_hub import read_configured
from segstudio.nets.registry import NETS
from segstudio.nets.weights import load_into

transformers = pytest.importorskip("transformers")
pytest.importorskip("scipy")

STAGES = ["stage1", "stage2", "stage3", "stage4"]
SWIN = {
    "model_type": "swin",
    "embed_dim": 16,
    "depths": [1, 1, 2, 1],
    "num_heads": [1, 2, 2, 4],
    "window_size": 4,
    "mlp_ratio": 2.0,
    "out_features": STAGES,
}
RESNET = {
    "model_type": "resnet",
    "embedding_size": 8,
    "hidden_sizes": [8, 16, 24, 32],
    "depths": [1, 2, 1, 1],
    "layer_type": "basic",
    "out_features": STAGES,
}
CONVNEXT = {
    "model_type": "convnext",
    "hidden_sizes": [8, 16, 24, 32],
    "depths": [1, 1, 2, 1],
    "out_features": STAGES,
}
DPT = {
    "model_type": "dpt",
    "hidden_size": 128,
    "num_hidden_layers": 4,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "image_size": 64,
    "backbone_out_indices": [0, 1, 2, 3],
    "neck_hidden_sizes": [8, 16, 24, 32],
    "fusion_hidden_size": 16,
}
MASK2FORMER = {
    "model_type": "mask2former",
    "backbone_config": SWIN,
    "feature_size": 32,
    "mask_feature_size": 32,
    "hidden_dim": 32,
    "encoder_feedforward_dim": 48,
    "dim_feedforward": 40,
    "encoder_layers": 2,
    "decoder_layers": 3,
    "num_attention_heads": 4,
    "num_queries": 7,
}
ONEFORMER = {
    "model_type": "oneformer",
    "backbone_config": SWIN,
    "conv_dim": 32,
    "mask_dim": 32,
    "hidden_dim": 32,
    "encoder_feedforward_dim": 48,
    "dim_feedforward": 40,
    "encoder_layers": 2,
    "decoder_layers": 3,
    "num_queries": 7,
}
EOMT = {
    "model_type": "eomt",
    "hidden_size": 128,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "image_size": 96,
    "num_queries": 7,
    "num_blocks": 2,
}
CLASSES = 5


def library_net(config):
    """The library's own net with random weights, and its configuration."""
    fields = dict(config)
    made = transformers.CONFIG_MAPPING[fields.pop("model_type")].from_dict(
        {"num_labels": CLASSES, **fields}
    )
    if type(made) in transformers.AutoModelForSemanticSegmentation._model_mapping:
        net = transformers.AutoModelForSemanticSegmentation.from_config(made)
    else:
        net = transformers.AutoModelForUniversalSegmentation.from_config(made)
    torch.manual_seed(4)
    with torch.no_grad():
        for name, tensor in net.state_dict().items():
            if name.endswith("running_var"):
                tensor.uniform_(0.5, 1.5)
            elif tensor.is_floating_point() and "relative_position_index" not in name:
                tensor.copy_(torch.randn(tensor.shape) * 0.1 + (tensor.ndim == 1))
    return net.eval()


def library_answer(net, x):
    """Logits of its own forward; for mask classifiers the semantic scores of the paper."""
    kind = net.config.model_type
    with torch.inference_mode():
        if kind == "oneformer":
            task = torch.zeros(1, 77)
            task[0, :7] = torch.tensor([49406, 518, 10549, 533, 29119, 1550, 49407])
            out = net(x, task_inputs=task)
        else:
            out = net(x)
    if not hasattr(out, "masks_queries_logits"):
        return out.logits
    classes, masks = out.class_queries_logits, out.masks_queries_logits
    scores = 0
    for query in range(classes.shape[1]):
        likely = classes[0, query].softmax(0)[:-1]
        scores = scores + likely[:, None, None] * masks[0, query].sigmoid()
    return scores[None]


def assert_same_answers(net, spec, theirs, size):
    x = torch.randn(1, 3, *size, generator=torch.Generator().manual_seed(9))
    wanted = library_answer(theirs, x)
    with torch.inference_mode():
        logits = net.eval()(x).logits
    if hasattr(theirs, "class_predictor") or net.kind in ("oneformer", "maskformer"):
        logits = logits.exp() - 1e-6
    if logits.shape != wanted.shape:
        logits = F.interpolate(
            logits, size=wanted.shape[2:], mode="bilinear", align_corners=spec.align_corners
        )
    torch.testing.assert_close(logits, wanted, rtol=1e-4, atol=1e-4)
    assert logits.std() > 1e-3  # an answer that says something


@pytest.mark.parametrize(
    ("config", "size"),
    [
        ({"model_type": "upernet", "backbone_config": RESNET, "hidden_size": 32}, (64, 96)),
        ({"model_type": "upernet", "backbone_config": SWIN, "hidden_size": 32}, (64, 96)),
        ({"model_type": "upernet", "backbone_config": CONVNEXT, "hidden_size": 32}, (64, 96)),
        (DPT, (64, 64)),
        ({**DPT, "use_batch_norm_in_fusion_residual": True, "add_projection": True}, (96, 96)),
        (MASK2FORMER, (64, 96)),
        (ONEFORMER, (64, 96)),
        (EOMT, (96, 96)),
    ],
    ids=["upernet-resnet", "upernet-swin", "upernet-convnext", "dpt", "dpt-bn", "mask2former",
         "oneformer", "eomt"],
)  # fmt: skip
def test_a_saved_file_answers_as_the_library(config, size, tmp_path):
    theirs = library_net(config)
    theirs.save_pretrained(tmp_path)
    state = load_file(tmp_path / "model.safetensors")
    found = dialect_of(state).read(state)
    report = fit(found)
    assert (report.missing, report.unexpected, report.misshapen) == ((), (), ())
    assert len(report.matched) + len(report.renamed) + len(report.ignored) == len(state)
    assert found.num_classes == CLASSES
    spec = NETS.get("hub")
    ours = spec.build(CLASSES, **found.net_args)
    load_into(ours, found.state, source="the test")
    assert_same_answers(ours, spec.of(ours), theirs, size)


@pytest.mark.parametrize(
    "config",
    [
        {
            "model_type": "segformer",
            "depths": [1, 1, 1, 1],
            "hidden_sizes": [8, 16, 24, 32],
            "num_attention_heads": [1, 1, 2, 2],
            "decoder_hidden_size": 16,
        },
        {
            "model_type": "beit",
            "hidden_size": 32,
            "num_hidden_layers": 4,
            "num_attention_heads": 2,
            "intermediate_size": 48,
            "image_size": 64,
            "out_indices": [1, 2, 3, 4],
            "use_relative_position_bias": True,
        },
        {"model_type": "mobilenet_v2", "depth_multiplier": 0.35, "output_stride": 8},
        {
            "model_type": "mobilevit",
            "hidden_sizes": [16, 24, 32],
            "neck_hidden_sizes": [8, 8, 16, 16, 24, 32, 40],
            "aspp_out_channels": 16,
            "output_stride": 16,
        },
        {
            "model_type": "maskformer",
            "fpn_feature_size": 32,
            "mask_feature_size": 32,
            "backbone_config": SWIN,
            "decoder_config": {
                "model_type": "detr",
                "d_model": 32,
                "decoder_layers": 2,
                "decoder_ffn_dim": 40,
                "decoder_attention_heads": 4,
                "num_queries": 7,
            },
        },
    ],
    ids=lambda config: config["model_type"],
)
def test_a_net_by_its_configuration_answers_as_the_library(config):
    theirs = library_net(config)
    spec = NETS.get("hub")
    ours = spec.build(CLASSES, config=json.dumps(config))
    state = {f"model.{name}": tensor for name, tensor in theirs.state_dict().items()}
    own = set(ours.state_dict())
    left_out = {name for name in state if name not in own}
    assert all(".auxiliary_head." in name or ".criterion." in name for name in left_out)
    load_into(ours, {k: v for k, v in state.items() if k in own}, source="the test")
    assert_same_answers(ours, spec.of(ours), theirs, (64, 96))


@pytest.mark.parametrize(
    "config",
    [
        {
            "model_type": "beit",
            "hidden_size": 32,
            "num_hidden_layers": 4,
            "num_attention_heads": 2,
            "intermediate_size": 48,
            "image_size": 64,
            "out_indices": [1, 2, 3, 4],
        },
        MASK2FORMER,
    ],
    ids=lambda config: config["model_type"],
)
def test_a_config_beside_the_file_tells_all(config, tmp_path):
    labels = {i: f"thing {i}" for i in range(CLASSES)}
    theirs = library_net({**config, "id2label": labels})
    theirs.save_pretrained(tmp_path)
    state = load_file(tmp_path / "model.safetensors")
    found = read_configured(state, (tmp_path / "config.json").read_text())
    assert fit(found).is_whole
    assert found.class_names == tuple(labels.values())
    assert found.num_classes == CLASSES
    ours = NETS.get("hub").build(CLASSES, **found.net_args)
    load_into(ours, found.state, source="the test")
    assert_same_answers(ours, NETS.get("hub").of(ours), theirs, (64, 96))


@pytest.mark.parametrize("text", ["{", "[]", '{"id2label": {}}', '{"id2label": 3}'])
def test_a_config_of_another_program_is_a_sentence(text):
    with pytest.raises(ModelError, match=r"config\.json beside the weights is not one of"):
        read_configured({}, text)


def test_dpt_takes_oblong_pictures_too():
    net = NETS.get("hub").build(CLASSES, config=json.dumps(DPT)).eval()
    with torch.inference_mode():
        assert net(torch.zeros(1, 3, 64, 96)).logits.shape == (1, CLASSES, 32, 48)


def test_eomt_takes_one_size():
    spec = NETS.get("hub")
    with torch.device("meta"):
        net = spec.build(CLASSES, config=json.dumps(EOMT))
    with pytest.raises(ModelError, match="it takes 96×96 and nothing else"):
        spec.of(net).check_size(96, 128)
    spec.of(net).check_size(96, 96)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ("{", "not valid JSON"),
        ("[]", "names no model_type"),
        ('{"depths": [1]}', "names no model_type"),
        ('{"model_type": "segformor"}', "knows no 'segformor' nets"),
        ('{"model_type": "bert"}', "labels no pixels by class"),
        ('{"model_type": "upernet", "backbone": "microsoft/swin"}', "'microsoft/swin' from the network"),
        ('{"model_type": "maskformer", "decoder_config": {"backbone": "resnet50"}}', "'resnet50' from"),
    ],
)  # fmt: skip
def test_a_configuration_that_cannot_be_used_is_explained(config, words):
    with pytest.raises(ModelError) as caught:
        NETS.get("hub").build(CLASSES, config=config)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_backbone_that_shapes_do_not_tell_is_a_sentence(listed):
    state = {
        key: value
        for key, value in listed("hf_mask2former_swin_t").items()
        if ".encoder.swin." not in key
    }
    with pytest.raises(ModelError, match=r"text of config\.json"):
        dialect_of(state).read(state)
