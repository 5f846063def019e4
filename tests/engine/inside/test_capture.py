"""What layers answered, unspoilt, and nothing left behind."""

import pytest
import torch
from torch import nn

from segstudio.core.layers import CallFacts
from segstudio.engine.inside.capture import as_map, capturing
from segstudio.errors import ModelError
from segstudio.nets.registry import NETS


def hooks(net):
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in net.modules())


def plainly(net, name, x):
    """What a forward hook of one's own gives."""
    got = []
    handle = net.get_submodule(name).register_forward_hook(lambda *a: got.append(a[2].clone()))
    net(x)
    handle.remove()
    return got


@pytest.mark.parametrize(
    "name", ["detail.stage1", "semantic.stem.left.0.1", "semantic.stage3.0", "head"]
)
def test_values_are_those_of_a_plain_hook_bit_for_bit(name):
    torch.manual_seed(0)
    net = NETS.get("bisenet_v2").build(5, alpha=0.25, head_width=16, boosters=False).eval()
    x = torch.randn(1, 3, 64, 96)
    with torch.inference_mode(), capturing(net, {name: -1}) as found:
        net(x)
    with torch.inference_mode():
        assert torch.equal(found[name], plainly(net, name, x)[-1])
    assert hooks(net) == 0


def test_a_relu_in_place_after_the_layer_changes_nothing():
    net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(inplace=True)).eval()
    with torch.inference_mode(), capturing(net, {"1": -1}) as found:
        net(torch.randn(1, 3, 16, 16))
    assert float(found["1"].min()) < 0


class Twice(nn.Module):
    def __init__(self):
        super().__init__()
        self.shared = nn.Conv2d(3, 4, 3, padding=1)

    def forward(self, x):
        return self.shared(x[:, :, ::2, ::2]), self.shared(x)


@pytest.mark.parametrize(("call", "side"), [(0, 8), (1, 16), (-1, 16)])
def test_a_layer_that_runs_twice_has_two_answers(call, side):
    net = Twice()
    with torch.inference_mode(), capturing(net, {"shared": call}) as found:
        net(torch.randn(1, 3, 16, 16))
    assert found["shared"].shape == (1, 4, side, side)


def test_a_pass_that_is_repeated_counts_anew():
    net = Twice()
    one, other = torch.randn(1, 3, 16, 16), torch.randn(1, 3, 16, 16)
    with torch.inference_mode(), capturing(net, {"shared": 0}) as found:
        net(one)
        net(other)
    assert torch.equal(found["shared"], net.shared(other[:, :, ::2, ::2]))


def test_an_error_inside_leaves_no_hook():
    net = Twice()
    with pytest.raises(RuntimeError), capturing(net, {"shared": 0}):
        net(torch.randn(1, 9, 16, 16))
    assert hooks(net) == 0


@pytest.mark.parametrize("name", ["nowhere", "", "shared.weight"])
def test_a_layer_that_is_not_there_is_told(name):
    net = Twice()
    with pytest.raises(ModelError, match="no layer"), capturing(net, {name: -1}):
        pass
    assert hooks(net) == 0


def test_tokens_become_a_map_as_they_were_laid_out():
    tokens = torch.arange(2 * 3 * 4.0).reshape(1, 6, 4)
    found = as_map(tokens, CallFacts((4, 2, 3), layout="tokens"))
    assert found.shape == (4, 2, 3)
    assert torch.equal(found[:, 1, 2], tokens[0, 5])
    last = tokens.reshape(1, 2, 3, 4)
    assert torch.equal(as_map(last, CallFacts((4, 2, 3), layout="last")), found)


@pytest.mark.parametrize("shape", [(1, 128), (1, 9, 4), (1,)])
@pytest.mark.parametrize("known", [None, CallFacts((4, 2, 3), layout="tokens")])
def test_what_has_no_rows_and_columns_is_refused(shape, known):
    with pytest.raises(ModelError, match="no rows and columns"):
        as_map(torch.zeros(shape), known)
