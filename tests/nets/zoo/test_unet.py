"""U-Net in the figures of its paper, and its promise about tiles."""

import warnings

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from segstudio.nets.registry import NETS
from segstudio.nets.zoo.unet import MARGIN, UNet


def on_meta(name, classes, **options):
    with torch.device("meta"):
        return NETS.get(name).build(classes, **options)


def count(net):
    return sum(p.numel() for p in net.parameters())


@pytest.mark.parametrize(
    ("name", "classes", "options", "parameters"),
    [
        ("unet", 2, {"channels": 1}, 31_030_658),
        ("unet", 2, {}, 31_031_810),
        ("unet", 19, {}, 31_032_915),
        ("unet_padded", 2, {}, 31_037_698),
        ("unet_padded", 2, {"way": "bilinear"}, 17_263_042),
        ("unet_mmseg", 19, {"aux": False}, 28_987_795),
        ("unet_mmseg", 19, {}, 28_987_795 + 75_091),
    ],
)
def test_parameters_are_the_published_ones(name, classes, options, parameters):
    assert count(on_meta(name, classes, **options)) == parameters


def test_a_tile_of_572_becomes_388_through_the_sizes_of_figure_1():
    net = on_meta("unet", 2, channels=1).eval()
    sides = {}
    for tap in net.taps:
        net.get_submodule(tap.name).register_forward_hook(
            lambda m, i, o, name=tap.name: sides.__setitem__(name, o.shape[-1])
        )
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        out = net(torch.empty(1, 1, 572, 572, device="meta"))
    assert out.logits.shape == (1, 2, 388, 388)
    assert [sides[f"contract.{i}"] for i in range(5)] == [568, 280, 136, 64, 28]
    assert [sides[f"expand.{i}"] for i in range(4)] == [52, 100, 196, 388]
    assert counter.get_total_flops() / 2e9 == pytest.approx(150.43, abs=0.01)


def test_padded_nets_cost_what_is_published():
    for name, options, size, gmacs in (
        ("unet_padded", {}, (640, 959), 449.3),
        ("unet_mmseg", {}, (512, 1024), 405.3),
    ):
        net = on_meta(name, 2 if name == "unet_padded" else 19, **options).eval()
        with torch.inference_mode(), FlopCounterMode(display=False) as counter:
            net(torch.empty(1, 3, *size, device="meta"))
        assert counter.get_total_flops() / 2e9 == pytest.approx(gmacs, abs=0.1)


@pytest.fixture
def plain_arithmetic():
    """oneDNN sums in another order for another size, which shows in the last bit."""
    with warnings.catch_warnings():  # about GPUs of other makers, whenever the switch is touched
        warnings.simplefilter("ignore")
        with torch.backends.mkldnn.flags(enabled=False):
            yield


def largest_difference(net, step, side):
    """Between tiles that step by `step` and the whole picture of `side` pixels; and the labels'."""
    x = torch.randn(1, 3, side + 2 * MARGIN, side + 2 * MARGIN)
    tile = step // 16 * 16 + 4
    difference, labels = 0.0, 0
    with torch.inference_mode():
        whole = net(x).logits
        for y in range(0, side - tile + 1, step):
            for col in range(0, side - tile + 1, step):
                seen = x[:, :, y : y + tile + 2 * MARGIN, col : col + tile + 2 * MARGIN]
                part, same = net(seen).logits, whole[:, :, y : y + tile, col : col + tile]
                difference = max(difference, float((part - same).abs().max()))
                labels += int((part.argmax(1) != same.argmax(1)).sum())
    return difference, labels


def test_tiles_that_step_by_sixteen_are_bit_equal_to_the_whole(plain_arithmetic):
    torch.manual_seed(4)
    net = UNet(3, valid=True, batch_norm=False, width=4).eval()
    for step in (16, 32, 48):
        assert largest_difference(net, step, 2 * step + 4) == (0.0, 0)
    # The paper's own tiles of 388 step by 388, which pools elsewhere; so do those of 36.
    difference, labels = largest_difference(net, 36, 84)
    assert difference > 0.01
    assert labels > 0


def test_sides_that_do_not_halve_evenly_come_back_whole():
    with torch.device("meta"):
        net = UNet(3, width=4).eval()
    for size in ((16, 16), (33, 47), (37, 101)):
        assert net(torch.empty(1, 3, *size, device="meta")).logits.shape[2:] == size
