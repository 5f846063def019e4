"""Backbone, decoder and head of every net of the zoo; on the meta device, so in milliseconds."""

import json

import pytest
import torch
from torch import nn

from segstudio.core.train_rules import OptimiserRule
from segstudio.errors import ModelError
from segstudio.nets.registry import NETS, NetSpec
from segstudio.nets.weights import TRAINING_ONLY
from segstudio.train.optimising import parameter_groups
from segstudio.train.parts import STAGES, Part, layout_of, parts_of

CLASSES = 37
"""A width that no layer has for another reason."""

HUB = {
    "model_type": "upernet",
    "hidden_size": 32,
    "backbone_config": {
        "model_type": "swin",
        "embed_dim": 16,
        "depths": [1, 1, 1, 1],
        "num_heads": [1, 2, 4, 8],
        "out_features": ["stage1", "stage2", "stage3", "stage4"],
    },
}
MASKS = {
    "model_type": "mask2former",
    "backbone_config": HUB["backbone_config"],
    "num_queries": 7,
    "decoder_layers": 2,
}

VARIANTS = [
    *((name, {}) for name in NETS),
    ("deeplabv3_resnet50", {"aux": True}),
    ("smp", {"arch": "DeepLabV3Plus"}),
    ("timm_fpn", {"backbone": "convnext_atto"}),
    ("hub", {"config": json.dumps(HUB)}),
    ("hub", {"config": json.dumps(MASKS)}),
    ("hub", {"config": '{"model_type": "dpt", "num_hidden_layers": 4, "image_size": 64}'}),
    ("hub", {"config": '{"model_type": "mobilevit", "image_size": 64}'}),
]


@pytest.fixture(
    scope="module",
    params=VARIANTS,
    ids=lambda v: v[0] + "".join(f", {x}"[:40] for x in v[1].values()),
)
def built(request):
    name, net_args = request.param
    spec = NETS.get(name)
    try:
        with torch.device("meta"):
            net = spec.build(CLASSES, **net_args)
    except ModelError as error:
        if not spec.extra:
            raise
        pytest.skip(str(error))
    return net, spec.of(net)


def test_every_parameter_is_in_one_group(built):
    net, spec = built
    for rule in (OptimiserRule(), OptimiserRule(stage_decay=0.7, head_factor=10)):
        groups = parameter_groups(net, spec, rule)
        grouped = [id(p) for group in groups for p in group["params"]]
        assert len(grouped) == len(set(grouped))
        assert set(grouped) == {id(p) for p in net.parameters()}
        assert all(group["params"] for group in groups)
        own = dict(net.named_parameters())
        for group in groups:
            assert [id(own[n]) for n in group["names"]] == [id(p) for p in group["params"]]


def test_every_net_has_all_three_parts_or_no_decoder(built):
    net, spec = built
    parts = parts_of(net, spec)
    sizes = dict.fromkeys(Part, 0)
    for name, parameter in net.named_parameters():
        sizes[parts[name]] += parameter.numel()
    assert sizes[Part.HEAD] > 0
    assert sizes[Part.BACKBONE] > 0.03 * sum(sizes.values())
    without = ("deeplab_v2_resnet", "espnet", "fcn_googlenet")  # the head follows at once
    assert (sizes[Part.DECODER] == 0) == spec.name.startswith(without)


def test_all_that_is_as_wide_as_there_are_classes_is_head(built):
    net, spec = built
    parts = parts_of(net, spec)
    wide = [n for n, p in net.named_parameters() if {CLASSES, CLASSES + 1} & set(p.shape)]
    kept = [n for n in wide if not n.startswith(TRAINING_ONLY)]
    assert kept
    assert {parts[name] for name in wide} == {Part.HEAD}


def test_heads_for_training_are_heads(built):
    net, spec = built
    parts = parts_of(net, spec)
    assert {p for n, p in parts.items() if n.startswith(TRAINING_ONLY)} <= {Part.HEAD}


def test_stages_go_up_from_the_picture(built):
    net, spec = built
    names = [n for n, _ in net.named_parameters()]
    layout = layout_of(net, spec)
    stages = layout.stages_of(names)
    assert set(stages) == {n for n in names if layout.part_of(n) is Part.BACKBONE}
    assert set(stages.values()) == set(range(max(stages.values()) + 1))
    assert 2 < len(set(stages.values())) <= STAGES
    assert stages[next(n for n in names if n in stages)] == 0


def test_deeper_maps_belong_to_later_stages(built):
    net, spec = built
    if spec.name.startswith(("ddrnet", "pidnet")):
        pytest.skip("their branches of fine maps are as deep as those of coarse ones")
    stages = layout_of(net, spec).stages_of([n for n, _ in net.named_parameters()])
    at = [
        (tap.stride, {s for n, s in stages.items() if n.startswith(f"{tap.name}.")})
        for tap in spec.taps
    ]
    at = [(stride, max(found)) for stride, found in at if found]
    for stride, stage in at:
        for other, later in at:
            assert stage <= later or stride >= other, (spec.name, at)


class Odd(nn.Module):
    """A net that no table knows."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(*(nn.Conv2d(4, 4, 3) for _ in range(11)))
        self.between = nn.Conv2d(4, 4, 1)
        self.answer = nn.Conv2d(4, CLASSES, 1)


def test_of_an_unknown_net_the_last_layer_is_the_head():
    parts = parts_of(Odd(), NetSpec("odd", "Odd", "", Odd))
    assert parts["encoder.3.weight"] is Part.BACKBONE
    assert parts["between.weight"] is Part.DECODER
    assert {n for n, part in parts.items() if part is Part.HEAD} == {
        "answer.weight",
        "answer.bias",
    }


def test_a_long_row_of_blocks_is_divided_evenly():
    net = Odd()
    stages = layout_of(net, NetSpec("odd", "Odd", "", Odd)).stages_of(
        [n for n, _ in net.named_parameters()]
    )
    found = [stages[f"encoder.{i}.weight"] for i in range(11)]
    assert found == [0, 0, 1, 1, 2, 2, 2, 3, 3, 4, 4]


def test_a_resnet_has_its_entrance_and_four_stages():
    with torch.device("meta"):
        net = NETS.get("deeplabv3_resnet50").build(CLASSES)
    stages = layout_of(net, NETS.get("deeplabv3_resnet50")).stages_of(
        [n for n, _ in net.named_parameters()]
    )
    for name, stage in stages.items():
        first = name.split(".")[1]
        assert stage == (int(first[-1]) if first.startswith("layer") else 0), name
