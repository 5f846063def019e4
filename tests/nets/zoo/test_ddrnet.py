"""DDRNet: parameters and multiplications of the paper."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from segstudio.nets.registry import NETS


@pytest.mark.parametrize(
    ("name", "parameters", "gmac"),
    [
        ("ddrnet_23_slim", 5_695_987, 36.28),
        ("ddrnet_23", 20_148_947, 143.06),
        ("ddrnet_39", 32_360_275, 281.12),
    ],
)
def test_as_large_as_published(name, parameters, gmac):
    with torch.device("meta"):
        net = NETS.get(name).build(19, aux=False).eval()
        picture = torch.empty(1, 3, 1024, 2048)
    with FlopCounterMode(display=False) as count, torch.no_grad():
        assert net(picture).logits.shape == (1, 19, 128, 256)
    assert sum(p.numel() for p in net.parameters()) == parameters
    assert count.get_total_flops() / 2e9 == pytest.approx(gmac, abs=0.005)


def test_the_head_for_training_reads_the_detail_branch_before_the_last_fusion():
    net = NETS.get("ddrnet_23_slim").build(2).train()
    seen = []
    net.aux.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    net.detail[1].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    out = net(torch.rand(2, 3, 64, 64))
    assert [len(out.aux), out.aux[0].shape] == [1, (2, 2, 8, 8)]
    rectified, unrectified = seen
    assert torch.equal(torch.relu(unrectified), rectified)
