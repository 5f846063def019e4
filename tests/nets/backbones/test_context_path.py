"""The parts that BiSeNet and STDC-Seg share."""

import pytest
import torch
from torch.nn import functional as F

from segstudio.nets.backbones.context_path import AttentionRefinement, ContextPath, FeatureFusion


def test_a_refinement_weighs_channels_by_their_means():
    torch.manual_seed(0)
    module = AttentionRefinement(4, 6).eval()
    x = torch.randn(2, 4, 5, 7)
    with torch.inference_mode():
        convolved = module.conv(x)
        gate = torch.sigmoid(module.attention(F.adaptive_avg_pool2d(convolved, 1)))
        torch.testing.assert_close(module(x), convolved * gate)


@pytest.mark.parametrize("gate", ["two", "one", "one-relu"])
def test_a_fusion_adds_what_it_weighs(gate):
    torch.manual_seed(0)
    module = FeatureFusion(8, 16, gate=gate).eval()
    spatial, context = torch.randn(1, 3, 4, 6), torch.randn(1, 5, 4, 6)
    with torch.inference_mode():
        x = module.conv(torch.cat([spatial, context], 1))
        weights = torch.sigmoid(module.attention(F.adaptive_avg_pool2d(x, 1)))
        torch.testing.assert_close(module(spatial, context), x * (1 + weights))
        assert gate != "one-relu" or weights.min() >= 0.5


def test_the_context_path_takes_sizes_that_are_no_multiples():
    path = ContextPath(4, 6, 8).eval()
    maps = torch.zeros(1, 3, 9, 13), torch.zeros(1, 4, 5, 7), torch.zeros(1, 6, 3, 4)
    eighth, sixteenth = path(*maps)
    assert eighth.shape == (1, 8, 9, 13)
    assert sixteenth.shape == (1, 8, 5, 7)
