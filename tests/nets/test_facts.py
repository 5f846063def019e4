"""Counts and receptive fields are what published tables and gradients say."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from segstudio.nets import facts
from segstudio.nets.registry import NETS, NetOutput


class Plain(nn.Module):
    """A chain of layers as a net."""

    def __init__(self, *layers):
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, x):
        return NetOutput(self.layers(x))


def window(kind, kernel, stride, dilation, padding):
    if kind == "conv":
        return nn.Conv2d(1, 1, kernel, stride, padding, dilation, bias=False)
    if kind == "average":
        return nn.AvgPool2d(kernel, stride, min(padding, kernel // 2))
    return nn.ConvTranspose2d(1, 1, kernel, stride, min(padding, kernel - 1), bias=False)


layers = st.builds(
    window,
    st.sampled_from(["conv", "conv", "average"]),
    st.integers(1, 4),
    st.integers(1, 3),
    st.integers(1, 3),
    st.integers(0, 2),
)


def footprint(net, side):
    """First and last input pixel along y that the middle output pixel depends on."""
    x = torch.zeros(1, 1, side, side, requires_grad=True)
    out = net(x).logits
    middle = out.shape[2] // 2
    out[0, 0, middle, out.shape[3] // 2].backward()
    rows = x.grad[0, 0].abs().sum(1).nonzero()
    return middle, int(rows.min()), int(rows.max())


@settings(max_examples=40, deadline=None)
@given(st.lists(layers, min_size=1, max_size=4))
def test_a_field_is_where_the_gradient_goes(chain):
    side = 160
    net = Plain(*chain)
    for p in net.parameters():
        nn.init.ones_(p)
    _, field = facts.fields(net, side, side)
    middle, first, last = footprint(net, side)
    low = field.low[0] + middle * field.step[0]
    high = field.high[0] + middle * field.step[0]
    if low >= 0 and high < side:
        assert (first, last) == (low, high)


def test_two_ways_see_what_either_sees():
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.near, self.far = nn.Conv2d(3, 2, 3, 1, 1), nn.Conv2d(3, 2, 3, 1, 6, 6)

        def forward(self, x):
            return NetOutput(torch.cat([self.near(x), self.far(x)], 1))

    by_name, logits = facts.fields(Two(), 32, 32)
    assert by_name["near"].size == (3, 3)
    assert by_name["far"].size == logits.size == (13, 13)


def test_padding_by_hand_and_cutting_away_move_the_field():
    class Moved(nn.Module):
        def forward(self, x):
            return NetOutput(F.pad(x, (3, 0, 5, 0))[:, :, 2:, 1:])

    field = facts.fields(Moved(), 32, 32)[1]
    assert (field.low, field.size) == ((-3.0, -2.0), (1, 1))


def test_global_pooling_and_attention_see_the_whole_picture():
    class Pooled(nn.Module):
        def forward(self, x):
            return NetOutput(x + x.mean((2, 3), keepdim=True))

    class Normed(nn.Module):
        def forward(self, x):
            return NetOutput(x - x.mean(1, keepdim=True))

    assert facts.receptive_field(Pooled(), 16, 16) is None
    assert facts.receptive_field(Normed(), 16, 16) == 1
    assert facts.receptive_field(on_meta("segformer_b0"), 64, 64) is None


def on_meta(name, classes=19, **options):
    with torch.device("meta"):
        return NETS.get(name).build(classes, **options)


def test_the_deepest_layer_of_u_net_sees_140_pixels():
    by_name, _ = facts.fields(on_meta("unet"), 100, 100)
    assert by_name["contract.4"].size == (140, 140)
    assert by_name["contract.4"].step == (16, 16)
    assert facts.receptive_field(on_meta("unet"), 100, 100) == 140


@pytest.mark.parametrize(
    ("name", "classes", "size", "gmacs"),
    [
        ("bisenet_v2", 19, (512, 1024), 24.60),
        ("bisenet_v2", 19, (1024, 2048), 98.41),
        ("lraspp_mobilenet_v3_large", 21, (520, 520), 2.086),
    ],
)
def test_costs_are_the_published_ones(name, classes, size, gmacs):
    assert facts.gmacs(on_meta(name, classes), *size) == pytest.approx(gmacs, abs=0.006)


def test_strides_and_parameters():
    net = on_meta("bisenet_v2", boosters=False)
    assert facts.parameters(net) == 3_358_627
    assert facts.output_stride(net, 64, 96) == 8
    assert facts.output_stride(on_meta("unet"), 100, 100) == 1
