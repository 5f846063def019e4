"""Time and memory of layers: sums that must hold, storages that count once, hooks that go."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from segstudio.engine.flow import CancelToken
from segstudio.engine.inside.costs import layer_costs
from segstudio.engine.runner import Runner
from segstudio.errors import Cancelled
from segstudio.nets.registry import NETS

MIB = 2**20


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.block = nn.Sequential(
            nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(inplace=True), nn.Identity()
        )
        self.pool = nn.MaxPool2d(2)
        self.flat = nn.Flatten()
        self.idle = nn.Conv2d(8, 8, 3)

    def forward(self, x):
        return self.flat(self.pool(self.block(self.block[0](x)[:, :3])))


def runner_of(net, precision="fp32", **spec):
    return SimpleNamespace(
        net=net.eval(), device=torch.device("cpu"), precision=precision,
        spec=SimpleNamespace(margin=0, **spec),
    )  # fmt: skip


X = torch.zeros(1, 3, 64, 64)
ANSWER = 8 * 64 * 64 * 4 / MIB


def test_memory_is_that_of_distinct_storages():
    costs = layer_costs(runner_of(Net()), X, runs=1)
    assert costs["block.0"].mib == pytest.approx(2 * ANSWER)  # it runs twice
    assert costs["block.1"].mib == costs["block.2"].mib == costs["flat"].mib == 0
    assert costs["block"].mib == pytest.approx(ANSWER)
    assert costs["pool"].mib == pytest.approx(ANSWER / 4)
    assert costs[""].mib == pytest.approx(2.25 * ANSWER)
    assert "idle" not in costs


def test_a_layer_includes_what_it_contains():
    costs = layer_costs(runner_of(Net()), X, runs=3)
    assert all(cost.ms > 0 for cost in costs.values())
    assert costs[""].ms > costs["block.1"].ms + costs["pool"].ms
    assert costs[""].mib >= costs["block"].mib >= costs["block.1"].mib


def test_reduced_precision_halves_the_answers():
    exact = layer_costs(runner_of(Net()), X, runs=1)
    reduced = layer_costs(runner_of(Net(), "bf16"), X, runs=1)
    assert reduced["block.0"].mib == pytest.approx(exact["block.0"].mib / 2)


def test_a_model_of_the_zoo_is_measured_and_left_as_it_was(card):
    runner = Runner(card, torch.device("cpu"), "fp32")
    costs = layer_costs(runner, torch.zeros(1, 3, 64, 96), runs=2)
    ran = {name for name, _ in runner.net.named_modules()}
    assert set(costs) <= ran
    assert {tap.name for tap in runner.spec.taps} <= set(costs)
    modules = list(runner.net.modules())
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in modules)


def test_a_net_with_a_margin_gets_it():
    net = NETS.get("unet").build(3, width=2)
    costs = layer_costs(
        SimpleNamespace(
            net=net.eval(), device=torch.device("cpu"), precision="fp32",
            spec=SimpleNamespace(margin=net.margin),
        ),
        torch.zeros(1, 3, 100, 100),
        runs=1,
    )  # fmt: skip
    assert costs[""].mib > 0


def test_it_stops_in_the_middle_of_a_pass_when_told():
    token, net = CancelToken(), Net()
    net.pool.register_forward_hook(lambda m, i, o: token.cancel())
    hooks = {m: len(m._forward_hooks) + len(m._forward_pre_hooks) for m in net.modules()}
    with pytest.raises(Cancelled):
        layer_costs(runner_of(net), X, token=token)
    assert hooks == {m: len(m._forward_hooks) + len(m._forward_pre_hooks) for m in net.modules()}
