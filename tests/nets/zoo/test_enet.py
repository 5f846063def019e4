"""ENet: the figures of the public weights, and pooling that is undone at its place."""

import pytest
import torch

from segstudio.nets.registry import NETS
from segstudio.nets.zoo.enet import Acts, Down, Up


def test_as_many_parameters_as_the_public_weights():
    with torch.device("meta"):
        net = NETS.get("enet").build(12)
    assert sum(p.numel() for p in net.parameters()) == 359_780


def test_values_go_back_to_where_their_maxima_came_from():
    acts = Acts()
    down, up = Down(4, 8, acts, window=2).eval(), Up(8, 4, acts, side=3).eval()
    torch.nn.init.zeros_(down.expand[0].weight)  # leaves pooling and unpooling alone
    torch.nn.init.zeros_(up.expand[0].weight)
    up.shortcut[0].weight.data = torch.eye(8)[:4, :, None, None]
    x = torch.rand(1, 4, 6, 8, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        places, half = down(x)
        back = up(half, places)
    cells = x.unfold(2, 2, 2).unfold(3, 2, 2)
    largest = cells.amax((4, 5))
    assert torch.equal(half[:, :4], largest)
    is_largest = x == largest.repeat_interleave(2, 2).repeat_interleave(2, 3)
    torch.testing.assert_close(back, torch.where(is_largest, x, 0.0), rtol=1e-4, atol=1e-4)


def test_another_window_is_refused():
    with pytest.raises(ValueError, match="2 or 3"):
        NETS.get("enet").build(3, window=4)
