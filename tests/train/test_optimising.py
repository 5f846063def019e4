"""Rates, decay and steps of the parts of a net."""

import copy

import pytest
import torch
from torch import nn

from segstudio.core.train_rules import OptimiserRule
from segstudio.nets.registry import NETS
from segstudio.train.optimising import build_optimiser, parameter_groups


@pytest.fixture(scope="module")
def on_meta():
    with torch.device("meta"):
        net = NETS.get("deeplab_v3plus_resnet50").build(5)
    return net, NETS.get("deeplab_v3plus_resnet50").of(net)


def rates(groups):
    """part, stage and decay of each group -> its rate."""
    return {(g["part"], g["stage"], g["weight_decay"] > 0): g["lr"] for g in groups}


def test_parts_have_their_own_rates(on_meta):
    rule = OptimiserRule(learning_rate=0.01, head_factor=10, backbone_factor=0.1)
    found = rates(parameter_groups(*on_meta, rule))
    expected = {"backbone": 0.001, "decoder": 0.01, "head": 0.1}
    assert len(found) == 6
    for (part, _, _), rate in found.items():
        assert rate == pytest.approx(expected[part])


def test_rates_fall_from_stage_to_stage_towards_the_picture(on_meta):
    rule = OptimiserRule(learning_rate=1.0, backbone_factor=0.5, stage_decay=0.8)
    found = rates(parameter_groups(*on_meta, rule))
    for stage in range(5):
        for decays in (False, True):
            assert found["backbone", stage, decays] == pytest.approx(0.5 * 0.8 ** (4 - stage))
    assert found["decoder", 0, True] == found["head", 0, True] == 1


def test_norms_and_biases_do_not_decay(on_meta):
    net, spec = on_meta
    groups = parameter_groups(net, spec, OptimiserRule(weight_decay=0.1))
    decaying = {n for g in groups if g["weight_decay"] == 0.1 for n in g["names"]}
    weights = {
        f"{name}.weight"
        for name, module in net.named_modules()
        if isinstance(module, nn.Conv2d | nn.Linear)
    }
    assert decaying == weights


def test_positions_of_a_transformer_do_not_decay():
    with torch.device("meta"):
        net = NETS.get("segformer_b0").build(5)
    net.position_embeddings = nn.Parameter(torch.empty(1, 4, 4, device="meta"))
    groups = parameter_groups(net, NETS.get("segformer_b0"), OptimiserRule())
    still = {n for g in groups if g["weight_decay"] == 0 for n in g["names"]}
    assert "position_embeddings" in still
    assert all(p.ndim > 1 for n, p in net.named_parameters() if n not in still)


def test_optimisers_are_those_of_torch(on_meta):
    sgd = build_optimiser(*on_meta, OptimiserRule(momentum=0.8))
    assert isinstance(sgd, torch.optim.SGD)
    assert {g["momentum"] for g in sgd.param_groups} == {0.8}
    adamw = build_optimiser(*on_meta, OptimiserRule("adamw", learning_rate=6e-5))
    assert isinstance(adamw, torch.optim.AdamW)
    assert {g["initial_lr"] for g in adamw.param_groups} == {6e-5}


@pytest.mark.parametrize("name", ["sgd", "adamw"])
def test_a_step_moves_every_part_by_its_rate(name):
    torch.manual_seed(0)
    net = NETS.get("enet").build(3)
    rule = OptimiserRule(
        name, learning_rate=1e-3, weight_decay=0, head_factor=4, backbone_factor=0.25
    )
    before = copy.deepcopy(net.state_dict())
    optimiser = build_optimiser(net, NETS.get("enet").of(net), rule)
    for parameter in net.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimiser.step()
    moved = {n: (before[n] - p).detach() for n, p in net.named_parameters()}
    assert moved["stage1.0.main.0.weight"].mean().item() == pytest.approx(0.25e-3, rel=1e-2)
    assert moved["stage4.0.main.0.weight"].mean().item() == pytest.approx(1e-3, rel=1e-2)
    assert moved["fullconv.weight"].mean().item() == pytest.approx(4e-3, rel=1e-2)


def test_plain_rules_step_as_one_rate_for_all_would():
    torch.manual_seed(0)
    net = NETS.get("bisenet_v2").build(3)
    other = copy.deepcopy(net)
    ours = build_optimiser(net, NETS.get("bisenet_v2").of(net), OptimiserRule())
    theirs = torch.optim.SGD(
        [
            {"params": [p for p in other.parameters() if p.ndim > 1], "weight_decay": 5e-4},
            {"params": [p for p in other.parameters() if p.ndim <= 1]},
        ],
        lr=0.025,
        momentum=0.9,
    )
    for _ in range(2):
        for a, b in zip(net.parameters(), other.parameters(), strict=True):
            a.grad = torch.randn_like(a)
            b.grad = a.grad.clone()
        ours.step()
        theirs.step()
    assert all(torch.equal(a, b) for a, b in zip(net.parameters(), other.parameters(), strict=True))


def test_an_optimiser_goes_on_where_another_stood():
    net = NETS.get("enet").build(3)
    spec = NETS.get("enet").of(net)
    rule = OptimiserRule(stage_decay=0.5, head_factor=10)
    first = build_optimiser(net, spec, rule)
    for parameter in net.parameters():
        parameter.grad = torch.ones_like(parameter)
    first.step()
    second = build_optimiser(net, spec, rule)
    second.load_state_dict(first.state_dict())
    assert rates(second.param_groups) == rates(first.param_groups)
    buffers = [s["momentum_buffer"].sum() for s in second.state.values()]
    assert len(buffers) == len(list(net.parameters()))
