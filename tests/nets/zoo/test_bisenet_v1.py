"""BiSeNet against the figures of its common implementations."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from segstudio.nets.registry import NETS


def build(num_classes: int = 19, *, device: str = "meta", **options):
    with torch.device(device):
        return NETS.get("bisenet_v1").build(num_classes, **options)


def count(net, *, training: bool = False) -> int:
    return sum(p.numel() for n, p in net.named_parameters() if training or not n.startswith("aux"))


def test_as_many_parameters_as_the_common_implementations():
    net = build()
    assert count(net) == 13_275_539
    assert count(net, training=True) == 13_425_721


def test_the_papers_gate_has_two_small_convolutions():
    assert count(build()) - count(build(gate="two")) == 256 * 256 + 2 * 256 - 2 * 256 * 64


def test_multiply_adds_at_1024_by_2048():
    net = build().eval()
    with FlopCounterMode(display=False) as counter:
        net(torch.empty(1, 3, 1024, 2048, device="meta"))
    assert counter.get_total_flops() / 2 / 1e9 == pytest.approx(118.3, abs=0.05)


def test_on_resnet_50_everything_is_four_times_as_wide():
    net = build(depth=50).eval()
    assert NETS.get("bisenet_v1").of(net).taps[-1].channels == 1024
    assert net(torch.empty(1, 3, 64, 64, device="meta")).logits.shape == (1, 19, 8, 8)


def test_heads_for_training_are_at_an_eighth_and_a_sixteenth_and_change_no_answer():
    net = build(num_classes=5)
    x = torch.empty(2, 3, 64, 96, device="meta")
    assert [tuple(aux.shape) for aux in net.train()(x).aux] == [(2, 5, 8, 12), (2, 5, 4, 6)]
    assert net.eval()(x).aux == ()


def test_an_unknown_gate_is_named():
    with pytest.raises(ValueError, match="'three'"):
        build(gate="three")
