"""FCN in the figures of its paper and of the authors' release."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from segstudio.nets import facts
from segstudio.nets.backbones.alexnet import AlexNet
from segstudio.nets.backbones.googlenet import GoogLeNet
from segstudio.nets.registry import NETS
from segstudio.nets.zoo.fcn import (
    FCNVGG16,
    Upscore,
    bilinear_kernel,
    start_from_classifier,
    start_from_coarser,
)


def on_meta(name, classes=21, **options):
    with torch.device("meta"):
        return NETS.get(name).build(classes, **options).eval()


def counts(net):
    """(without the transposed convolutions, in them)."""
    up = sum(p.numel() for n, p in net.named_parameters() if n.startswith("up"))
    return facts.parameters(net) - up, up


@pytest.mark.parametrize(
    ("name", "parameters", "enlarging"),
    [
        ("fcn_alexnet", 56_954_261, 1_750_329),
        ("fcn32s", 134_346_581, 1_806_336),
        ("fcn16s", 134_357_354, 458_640),
        ("fcn8s", 134_362_751, 127_008),
        ("fcn8s_atonce", 134_362_751, 127_008),
        ("fcn_googlenet", 5_995_077, 1_750_329),
    ],
)
def test_parameters_are_the_published_ones(name, parameters, enlarging):
    assert counts(on_meta(name, padding="reference")) == (parameters, enlarging)
    assert counts(on_meta(name))[0] == parameters


@pytest.mark.parametrize(
    ("name", "field", "gmacs", "coarse"),
    [("fcn_alexnet", 355, 20.98, 16), ("fcn32s", 404, 180.90, 16), ("fcn_googlenet", 907, 0, 15)],
)
def test_table_1_of_the_paper(name, field, gmacs, coarse):
    pooled = {"average_pool": True} if name == "fcn_googlenet" else {}
    net = on_meta(name, padding="reference", **pooled)
    shapes = []
    net.score_fr.register_forward_hook(lambda m, i, o: shapes.append(tuple(o.shape[2:])))
    assert net(torch.empty(1, 3, 500, 500, device="meta")).logits.shape[2:] == (500, 500)
    assert shapes == [(coarse, coarse)]
    assert facts.receptive_field(net, 500, 500) == field
    if gmacs:  # published without the enlargement, of which every score costs 63² or 64² a pair
        enlarging = coarse**2 * net.upscore.weight.numel() / 1e9
        assert facts.gmacs(net, 500, 500) - enlarging == pytest.approx(gmacs, abs=0.006)


def test_googlenet_costs_what_is_published():
    with torch.device("meta"):
        net = nn.Sequential(GoogLeNet(pool_padding=0), nn.Conv2d(1024, 21, 1))
    with FlopCounterMode(display=False) as counter:
        out = net(torch.empty(1, 3, 500, 500, device="meta"))
    assert out.shape[2:] == (15, 15)
    assert counter.get_total_flops() / 2e9 == pytest.approx(7.76, abs=0.006)


def test_googlenet_sees_less_without_its_average_pooling():
    for padding in ("reference", "same"):
        net = on_meta("fcn_googlenet", padding=padding)
        assert facts.receptive_field(net, 513, 513) == 715
        assert net(torch.empty(1, 3, 65, 97, device="meta")).logits.shape[2:] == (65, 97)


def test_alexnet_comes_to_10_of_500_pixels_only_when_pooling_rounds_up():
    def coarse(side, *, ceil):
        with torch.device("meta"):
            net = AlexNet(first_padding=0, pool_padding=0, ceil=ceil)
        size = net(torch.empty(1, 3, side, side, device="meta")).shape[-1]
        return size - 6 + 1  # fc6

    assert (coarse(500, ceil=True), coarse(500, ceil=False)) == (10, 9)
    assert coarse(227, ceil=True) == 1


@pytest.mark.parametrize("side", [1, 2, 31, 32, 33, 100, 511, 640, 1024])
@pytest.mark.parametrize("name", ["fcn32s", "fcn16s", "fcn8s"])
def test_the_crops_are_right_for_every_size(name, side):
    net = on_meta(name, 3, padding="reference", width=1)
    out = net(torch.empty(1, 3, side, side + 7, device="meta"))
    assert out.logits.shape[2:] == (side, side + 7)


def test_the_release_puts_every_score_over_its_pixel():
    # A bright spot of the coarse scores must come out where its field of view has its middle.
    net = FCNVGG16(1, finest=32, padding="reference", width=1).eval()
    by_name, _ = facts.fields(net, 320, 320)
    field = by_name["score_fr"]
    y = torch.zeros(1, 1, 16, 16)
    y[0, 0, 5, 5] = 1
    up = net.upscore(y).detach()[0, 0, 19 : 19 + 320, 19 : 19 + 320]
    rows = up.sum(1)
    middle = float((rows * torch.arange(320)).sum() / rows.sum())
    assert middle == (field.low[0] + field.high[0]) / 2 + 5 * field.step[0]


@pytest.mark.parametrize(("kernel", "stride"), [(4, 2), (16, 8), (64, 32)])
def test_enlarging_starts_as_bilinear_interpolation(kernel, stride):
    torch.manual_seed(0)
    x = torch.randn(1, 2, 9, 9)
    up = Upscore(2, kernel, stride, stride // 2)
    with torch.inference_mode():
        ours = up(x)
        wanted = F.interpolate(x, scale_factor=stride, mode="bilinear", align_corners=False)
    inside = slice(stride, -stride)
    assert torch.allclose(ours[..., inside, inside], wanted[..., inside, inside], atol=1e-5)
    assert bilinear_kernel(4)[0].tolist() == [0.0625, 0.1875, 0.1875, 0.0625]


def test_shift_and_stitch_is_convolution_with_holes():
    torch.manual_seed(1)
    conv = nn.Conv2d(1, 1, 3, bias=False)
    x = torch.randn(1, 1, 24, 24)
    stitched = torch.zeros(1, 1, 19, 19)
    with torch.inference_mode():
        for dy in (0, 1):
            for dx in (0, 1):
                part = conv(F.max_pool2d(x[..., dy:, dx:], 2))
                rows, cols = stitched[..., dy::2, dx::2].shape[2:]
                stitched[..., dy::2, dx::2] = part[..., :rows, :cols]
        atrous = F.conv2d(F.max_pool2d(x, 2, stride=1), conv.weight, dilation=2)
    assert torch.allclose(stitched, atrous[..., :19, :19], atol=1e-6)


def test_a_classifiers_layers_become_convolutions_that_answer_alike():
    torch.manual_seed(2)
    net = FCNVGG16(3, finest=32, padding="reference", width=1).eval()
    hidden, channels = net.fc6.out_channels, net.fc6.in_channels
    state = {
        "classifier.0.weight": torch.randn(hidden, channels * 49) * 0.01,
        "classifier.0.bias": torch.randn(hidden),
        "classifier.3.weight": torch.randn(hidden, hidden) * 0.01,
        "classifier.3.bias": torch.randn(hidden),
    }
    start_from_classifier(net, state, ("classifier.0", "classifier.3"))
    x = torch.randn(1, channels, 7, 7)
    with torch.inference_mode():
        y = net.fc7(F.relu(net.fc6(x)))
        z = F.linear(x.flatten(1), state["classifier.0.weight"], state["classifier.0.bias"])
        z = F.linear(F.relu(z), state["classifier.3.weight"], state["classifier.3.bias"])
    assert torch.allclose(y.flatten(1), z, atol=1e-3)
    with pytest.raises(ValueError, match="weights"):
        start_from_classifier(
            net,
            {**state, "classifier.0.weight": torch.ones(2, 2)},
            ("classifier.0", "classifier.3"),
        )


def test_a_finer_net_starts_where_the_coarser_one_stopped():
    torch.manual_seed(3)
    coarse = FCNVGG16(3, finest=32, width=1).eval()
    nn.init.normal_(coarse.score_fr.weight)
    middle, fine = FCNVGG16(3, finest=16, width=1).eval(), FCNVGG16(3, finest=8, width=1).eval()
    assert set(start_from_coarser(middle, coarse)) == {
        "upscore2.weight",
        "upscore16.weight",
        "score_pool4.weight",
        "score_pool4.bias",
    }
    start_from_coarser(fine, middle)
    x = torch.randn(1, 3, 160, 160)
    with torch.inference_mode():
        a, b, c = (net(x).logits for net in (coarse, middle, fine))
    # Twice and sixteen times bilinear is thirty-two times but for the kinks and the borders.
    inside = (..., slice(32, -32), slice(32, -32))
    for finer in (b, c):
        assert (a[inside].argmax(1) == finer[inside].argmax(1)).float().mean() > 0.97


@pytest.mark.parametrize(("upsampling", "learns"), [("learned", 3), ("paper", 2), ("fixed", 0)])
def test_enlargement_learns_or_stays(upsampling, learns):
    net = on_meta("fcn8s", 3, upsampling=upsampling)
    ups = [p for n, p in net.named_parameters() if n.startswith("up")]
    assert sum(p.requires_grad for p in ups) == learns
    assert net.upscore8.weight.requires_grad == (upsampling == "learned")


def test_all_at_once_scales_the_skips():
    torch.manual_seed(4)
    plain = FCNVGG16(2, finest=8, width=1).eval()
    once = FCNVGG16(2, finest=8, width=1, at_once=True).eval()
    for name in ("score_pool3", "score_pool4"):
        nn.init.normal_(plain.get_submodule(name).weight)
    once.load_state_dict(plain.state_dict())
    with torch.no_grad():
        once.score_pool4.weight /= 0.01
        once.score_pool3.weight /= 0.0001
        x = torch.randn(1, 3, 64, 64)
        assert torch.allclose(plain(x).logits, once(x).logits, rtol=1e-3, atol=1e-3)
