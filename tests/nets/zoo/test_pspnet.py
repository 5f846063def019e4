"""PSPNet: the published counts and sizes; and the dilated FCN that shares its backbone."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from segstudio.errors import ModelError
from segstudio.nets.blocks import PyramidPooling
from segstudio.nets.registry import NETS


def built(name, num_classes, **options):
    with torch.device("meta"):
        return NETS.get(name).build(num_classes, **options).eval()


def parameters(net):
    """For inference, and of the training heads."""
    inference = sum(p.numel() for k, p in net.named_parameters() if not k.startswith("aux"))
    return inference, sum(p.numel() for p in net.parameters()) - inference


def gmac(net, height, width):
    with FlopCounterMode(display=False) as counter:
        net(torch.empty(1, 3, height, width, device="meta"))
    return counter.get_total_flops() / 2e9


@pytest.mark.parametrize(
    ("name", "classes", "count"),
    [
        ("pspnet50", 19, 46_715_347),
        ("pspnet50", 150, 46_782_550),
        ("pspnet50", 21, 46_716_373),
        ("pspnet101", 19, 65_707_475),
        ("pspnet101", 150, 65_774_678),
        ("pspnet101", 21, 65_708_501),
    ],
)
def test_parameters_are_the_published_ones(name, classes, count):
    assert parameters(built(name, classes))[0] == count


@pytest.mark.parametrize(("name", "count"), [("pspnet50", 46_610_803), ("pspnet101", 65_602_931)])
def test_parameters_of_the_mmseg_variant(name, count):
    net = built(name, 19, stem="32-32-64", first_dilation="halved", align_corners=False)
    assert parameters(net) == (count, 2_364_691)


@pytest.mark.parametrize(
    ("name", "classes", "side", "expected"),
    [
        ("pspnet50", 150, 473, 161.87),
        ("pspnet50", 19, 713, 363.78),
        ("pspnet101", 19, 713, 517.19),
    ],
)
def test_operations_are_the_published_ones(name, classes, side, expected):
    assert gmac(built(name, classes), side, side) == pytest.approx(expected, abs=0.005)


@pytest.mark.parametrize(("side", "expected"), [(473, 60), (713, 90)])
def test_sizes_of_the_paper_give_maps_that_all_bins_divide(side, expected):
    shapes = {}
    net = built("pspnet50", 19)
    net.pyramid.register_forward_hook(lambda module, inputs, out: shapes.update(p=out.shape))
    out = net(torch.empty(1, 3, side, side, device="meta"))
    assert shapes["p"] == (1, 4096, expected, expected)
    assert out.logits.shape == (1, 19, expected, expected)


def test_sides_are_eight_n_plus_one():
    spec = NETS.get("pspnet50")
    paper = spec.of(built("pspnet50", 19))
    paper.check_size(713, 1025)
    with pytest.raises(ModelError, match="multiple of 8 plus 1"):
        paper.check_size(712, 1024)
    free = spec.of(built("pspnet50", 19, align_corners=False))
    assert (free.align_corners, free.multiple_of, free.remainder) == (False, 8, 0)
    free.check_size(712, 1024)


def test_the_auxiliary_head_trains_with_weight_two_fifths():
    spec = NETS.get("pspnet50")
    net = built("pspnet50", 19).train()
    assert spec.of(net).aux_weights == (0.4,)
    assert len(net(torch.empty(2, 3, 65, 65, device="meta")).aux) == 1
    assert spec.of(built("pspnet50", 19, aux=False)).aux_weights == ()


@torch.inference_mode()
def test_floor_bins_are_the_adaptive_ones_where_the_map_divides():
    torch.manual_seed(0)
    x = torch.randn(1, 8, 12, 18)
    adaptive = PyramidPooling(8, align_corners=True).eval()
    floor = PyramidPooling(8, align_corners=True, pooling="floor").eval()
    floor.load_state_dict(adaptive.state_dict())
    torch.testing.assert_close(adaptive(x), floor(x))
    odd = torch.randn(1, 8, 13, 17)
    assert not torch.allclose(adaptive(odd), floor(odd))


def test_unknown_pooling_is_refused():
    with pytest.raises(ValueError, match="pooling 'mean' is none of"):
        PyramidPooling(8, align_corners=True, pooling="mean")


def test_dilated_fcn_has_mmsegs_parameters():
    # 47.13 M and 2.36 M of the auxiliary head: the sum of the public key list.
    assert parameters(built("fcn_d8_resnet50", 19)) == (47_133_043, 2_364_691)
    assert parameters(built("fcn_d8_resnet101", 19, aux=False))[1] == 0
