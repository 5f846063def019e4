"""Every net of the zoo keeps the registry's promises; on the meta device, so in milliseconds."""

import math
from collections.abc import Iterator

import pytest
import torch
from torch import nn

from segstudio.errors import ModelError
from segstudio.nets.registry import NETS, NetSpec

CLASSES = 11
STRIDES = (1, 2, 4, 8, 16, 32)


def meta_net(spec: NetSpec) -> nn.Module:
    try:
        with torch.device("meta"):
            return spec.build(CLASSES)
    except ModelError as error:
        if not spec.extra:
            raise
        pytest.skip(str(error))


def sides_of(spec: NetSpec) -> tuple[int, int]:
    return spec.sides_near(128)[-1], spec.sides_near(192)[-1]


def picture(spec: NetSpec, count: int = 2) -> torch.Tensor:
    h, w = (side + 2 * spec.margin for side in sides_of(spec))
    return torch.empty(count, 3, h, w, device="meta")


@pytest.fixture(scope="module", params=list(NETS))
def built(request: pytest.FixtureRequest) -> tuple[NetSpec, nn.Module]:
    spec = NETS.get(request.param)
    net = meta_net(spec)
    return spec.of(net), net


@pytest.fixture
def case(built: tuple[NetSpec, nn.Module]) -> Iterator[tuple[NetSpec, nn.Module]]:
    """Spec and net, built once for all tests and left without gradients."""
    yield built
    built[1].zero_grad(set_to_none=True)


def test_logits_are_those_of_the_picture_at_a_whole_stride(case):
    spec, net = case
    out = net.eval()(picture(spec))
    assert out.logits.shape[:2] == (2, CLASSES)
    size = tuple(out.logits.shape[2:])
    assert size in [tuple(math.ceil(s / stride) for s in sides_of(spec)) for stride in STRIDES]
    assert out.aux == ()


def test_taps_are_where_the_spec_says(case):
    spec, net = case
    shapes, hooks = {}, []

    def note(name):
        def hook(module, inputs, output):
            shapes[name] = tuple((output[-1] if isinstance(output, tuple) else output).shape)

        return hook

    for tap in spec.taps:
        hooks.append(net.get_submodule(tap.name).register_forward_hook(note(tap.name)))
    net.eval()(picture(spec))
    for hook in hooks:
        hook.remove()
    # A net that pads the picture, or wants a margin, has larger or smaller stages than the rest.
    border = max(spec.margin, getattr(net, "border", 0))
    for tap in spec.taps:
        count, channels, *size = shapes[tap.name]
        assert (count, channels) == (2, tap.channels), tap
        for found, side in zip(size, sides_of(spec), strict=True):
            slack = 2 * math.ceil(border / tap.stride) + 1 if border else 0
            assert abs(found - math.ceil(side / tap.stride)) <= slack, (tap, size)


def test_gradient_reaches_every_parameter(case):
    spec, net = case
    out = net.train()(picture(spec))
    sum(x.sum() for x in (out.logits, *out.aux)).backward()
    assert [n for n, p in net.named_parameters() if p.requires_grad and p.grad is None] == []


def test_training_heads_change_nothing_but_training(case):
    spec, net = case
    trained = {name for name, _ in net.named_parameters()}
    used = set()
    out = net.eval()(picture(spec))
    out.logits.sum().backward()
    used = {n for n, p in net.named_parameters() if p.grad is not None or not p.requires_grad}
    assert all(name.startswith(("boosters.", "aux")) for name in trained - used)


def test_the_smallest_input_works(case):
    spec, net = case
    side = spec.sides_near(spec.min_side)[0] + 2 * spec.margin
    out = net.eval()(torch.empty(1, 3, side, side, device="meta"))
    assert min(out.logits.shape) >= 1


def test_every_net_says_where_it_comes_from(case):
    spec, _ = case
    assert spec.title
    assert spec.family
    assert spec.paper.startswith("https://")
