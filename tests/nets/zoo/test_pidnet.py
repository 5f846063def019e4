"""PIDNet: parameters and multiplications of the authors' release."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from segstudio.nets.registry import NETS


@pytest.mark.parametrize(
    ("name", "parameters", "gmac"),
    [
        ("pidnet_s", 7_625_715, 47.2),
        ("pidnet_m", 28_538_515, 177.3),
        ("pidnet_l", 36_939_571, 274.9),
    ],
)
def test_as_large_as_released(name, parameters, gmac):
    with torch.device("meta"):
        net = NETS.get(name).build(19, aux=False).eval()
        picture = torch.empty(1, 3, 1024, 2048)
    with FlopCounterMode(display=False) as count, torch.no_grad():
        assert net(picture).logits.shape == (1, 19, 128, 256)
    assert sum(p.numel() for p in net.parameters()) == parameters
    assert count.get_total_flops() / 2e9 == pytest.approx(gmac, abs=0.05)


def test_the_head_for_training_reads_the_first_fusion():
    net = NETS.get("pidnet_s").build(2).train()
    seen = []
    net.pag[0].register_forward_hook(lambda *called: seen.append(called[2]))
    net.aux.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    out = net(torch.rand(2, 3, 64, 64))
    assert [len(out.aux), out.aux[0].shape] == [1, (2, 2, 8, 8)]
    assert seen[0] is seen[1]
