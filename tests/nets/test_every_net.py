"""Every net of the zoo keeps the registry's promises; on the meta device, so in milliseconds."""

import math
from collections.abc import Callable
from typing import NamedTuple

import pytest
import torch
from torch import nn

from segstudio.errors import ModelError
from segstudio.nets.registry import NETS, NetOutput, NetSpec

CLASSES = 11
STRIDES = (1, 2, 4, 8, 16, 32)


class Ran(NamedTuple):
    """What one net did with a picture: in eval (output, shape at each tap, parameters that the
    output depends on) and in training (parameters that any output depends on).
    """

    spec: NetSpec
    net: nn.Module
    out: NetOutput
    shapes: dict[str, tuple[int, ...]]
    used: set[str]
    trained: set[str]


@pytest.fixture(scope="module", params=list(NETS))
def ran(request: pytest.FixtureRequest) -> Ran:
    spec = NETS.get(request.param)
    try:
        with torch.device("meta"):
            net = spec.build(CLASSES)
    except ModelError as error:
        if not spec.extra:
            raise
        pytest.skip(str(error))
    spec = spec.of(net)
    shapes: dict[str, tuple[int, ...]] = {}
    hooks = [
        net.get_submodule(tap.name).register_forward_hook(noted(shapes, tap.name))
        for tap in spec.taps
    ]
    out = net.eval()(picture(spec))
    for hook in hooks:
        hook.remove()
    out.logits.sum().backward()
    used = with_gradient(net)
    net.zero_grad(set_to_none=True)
    trained = net.train()(picture(spec))
    sum(x.sum() for x in (trained.logits, *trained.aux)).backward()
    return Ran(spec, net, out, shapes, used, with_gradient(net))


def noted(shapes: dict[str, tuple[int, ...]], name: str) -> Callable[..., None]:
    def hook(module, inputs, output):
        shapes[name] = tuple((output[-1] if isinstance(output, tuple) else output).shape)

    return hook


def with_gradient(net: nn.Module) -> set[str]:
    return {n for n, p in net.named_parameters() if p.grad is not None or not p.requires_grad}


def sides_of(spec: NetSpec) -> tuple[int, int]:
    return spec.only_size or (spec.sides_near(128)[-1], spec.sides_near(192)[-1])


def picture(spec: NetSpec) -> torch.Tensor:
    return torch.empty(2, 3, *(side + 2 * spec.margin for side in sides_of(spec)), device="meta")


def test_logits_are_those_of_the_picture_at_a_whole_stride(ran):
    assert ran.out.logits.shape[:2] == (2, CLASSES)
    size = tuple(ran.out.logits.shape[2:])
    sides = sides_of(ran.spec)
    assert size in [tuple(math.ceil(s / stride) for s in sides) for stride in STRIDES]
    assert ran.out.aux == ()


def test_taps_are_where_the_spec_says(ran):
    # A net that pads the picture, or wants a margin, has larger or smaller stages than the rest.
    border = max(ran.spec.margin, getattr(ran.net, "border", 0))
    for tap in ran.spec.taps:
        count, channels, *size = ran.shapes[tap.name]
        assert (count, channels) == (2, tap.channels), tap
        for found, side in zip(size, sides_of(ran.spec), strict=True):
            slack = 2 * math.ceil(border / tap.stride) + 1 if border else 0
            assert abs(found - math.ceil(side / tap.stride)) <= slack, (tap, size)


def test_gradient_reaches_every_parameter(ran):
    assert {n for n, _ in ran.net.named_parameters()} - ran.trained == set()


def test_only_heads_for_training_are_unused_by_a_prediction(ran):
    unused = {n for n, _ in ran.net.named_parameters()} - ran.used
    assert all(name.startswith(("boosters.", "aux")) for name in unused)


def test_the_smallest_input_works(ran):
    spec = ran.spec
    side = spec.only_size or (spec.sides_near(spec.min_side)[0],) * 2
    x = torch.empty(1, 3, *(s + 2 * spec.margin for s in side), device="meta")
    with torch.inference_mode():
        assert min(ran.net.eval()(x).logits.shape) >= 1


def test_every_net_says_where_it_comes_from(ran):
    assert ran.spec.title
    assert ran.spec.family
    assert ran.spec.paper.startswith("https://")
