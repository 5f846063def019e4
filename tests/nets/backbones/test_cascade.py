"""The parts that the ICNets share."""

import pytest
import torch
from torch.nn import functional as F

from segstudio.nets.backbones.cascade import CascadeFusion, SummedPyramid, halved, light_branch


def test_caffes_pools_are_not_adaptive_ones_with_3_and_6_bins():
    ramp = torch.arange(33.0)[None, None, :, None].expand(1, 1, 33, 65)
    adaptive = F.adaptive_avg_pool2d(ramp, 3)[0, 0, :, 0]
    assert adaptive.tolist() == [5, 16, 27]
    explicit = F.avg_pool2d(ramp, (13, 25), (10, 20))[0, 0, :, 0]
    assert explicit.tolist() == [6, 16, 26]
    ours, plain = SummedPyramid(like_caffe=True)(ramp), SummedPyramid()(ramp)
    assert not torch.allclose(ours, plain)
    # The first row: itself, and the first of 1, 2, 3 and 6 bins.
    assert ours[0, 0, 0, 0].item() == pytest.approx(0 + 16 + 8 + 6 + 3.5)
    assert plain[0, 0, 0, 0].item() == pytest.approx(0 + 16 + 8 + 5 + 2.5)


def test_pools_are_adaptive_where_caffe_names_no_windows():
    x = torch.rand(1, 2, 9, 17)
    assert torch.equal(SummedPyramid(like_caffe=True)(x), SummedPyramid()(x))


@pytest.mark.parametrize(("side", "half"), [(1025, 513), (33, 17), (64, 32), (7, 4)])
def test_halving_keeps_the_corners(side, half):
    ramp = torch.linspace(0, 1, side)[None, None, :, None].expand(1, 1, side, 5)
    small = halved(ramp)
    assert small.shape == (1, 1, half, 3)
    assert small[0, 0, 0, 0] == ramp[0, 0, 0, 0]
    assert small[0, 0, -1, -1] == ramp[0, 0, -1, -1]


def test_the_light_branch_shrinks_to_an_eighth():
    branch = light_branch().eval()
    assert branch(torch.zeros(1, 3, 65, 96)).shape == (1, 64, 9, 12)


def test_a_fusion_enlarges_convolves_and_adds():
    torch.manual_seed(0)
    fusion = CascadeFusion(4, 6, 8).eval()
    low, high = torch.randn(1, 4, 5, 7), torch.randn(1, 6, 9, 13)
    with torch.inference_mode():
        enlarged, coarse, fused = fusion(low, high)
        wanted = F.interpolate(low, size=(9, 13), mode="bilinear", align_corners=True)
        assert torch.equal(enlarged, wanted)
        conv, norm = fusion.low[0], fusion.low[1]
        by_hand = norm(F.conv2d(wanted, conv.weight, padding=2, dilation=2))
        torch.testing.assert_close(coarse, by_hand)
        torch.testing.assert_close(fused, F.relu(by_hand + fusion.high(high)))
