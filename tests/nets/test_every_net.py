"""Every net of the zoo keeps the registry's promises; on the meta device, so in milliseconds."""

import math

import pytest
import torch
from torch import nn

from segstudio.nets.registry import NETS, NetSpec

CLASSES = 11
SIDES = (128, 192)


def meta_net(spec: NetSpec) -> nn.Module:
    with torch.device("meta"):
        return spec.build(CLASSES)


@pytest.fixture(params=list(NETS))
def spec(request: pytest.FixtureRequest) -> NetSpec:
    return NETS.get(request.param)


@pytest.fixture
def picture() -> torch.Tensor:
    return torch.empty(2, 3, *SIDES, device="meta")


def test_logits_are_smaller_than_the_input_by_a_whole_stride(spec, picture):
    out = meta_net(spec).eval()(picture)
    assert out.logits.shape[:2] == (2, CLASSES)
    stride = SIDES[0] // out.logits.shape[2]
    assert stride > 1
    assert tuple(out.logits.shape[2:]) == tuple(math.ceil(s / stride) for s in SIDES)
    assert out.aux == ()


def test_taps_are_where_the_spec_says(spec, picture):
    net = meta_net(spec).eval()
    shapes = {}

    def note(name):
        def hook(module, inputs, output):
            shapes[name] = tuple((output[-1] if isinstance(output, tuple) else output).shape)

        return hook

    for tap in spec.taps:
        net.get_submodule(tap.name).register_forward_hook(note(tap.name))
    net(picture)
    wanted = {t.name: (2, t.channels, *(math.ceil(s / t.stride) for s in SIDES)) for t in spec.taps}
    assert shapes == wanted


def test_gradient_reaches_every_parameter(spec, picture):
    net = meta_net(spec).train()
    out = net(picture)
    sum(x.sum() for x in (out.logits, *out.aux)).backward()
    assert [name for name, p in net.named_parameters() if p.grad is None] == []


def test_the_smallest_input_works(spec):
    side = math.ceil(spec.min_side / spec.multiple_of) * spec.multiple_of
    out = meta_net(spec).eval()(torch.empty(1, 3, side, side, device="meta"))
    assert min(out.logits.shape) >= 1


def test_every_net_says_where_it_comes_from(spec):
    assert spec.title
    assert spec.paper.startswith("https://")
