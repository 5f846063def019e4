"""The heavier ICNets against the figures of the programs that they are for."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from segstudio.nets.registry import NETS


def build(name: str, num_classes: int = 19, **options):
    with torch.device("meta"):
        return NETS.get(name).build(num_classes, **options)


def count(net) -> int:
    """Without the heads for training."""
    return sum(p.numel() for n, p in net.named_parameters() if not n.startswith("aux"))


def gmac(run) -> float:
    with FlopCounterMode(display=False) as counter:
        run()
    return counter.get_total_flops() / 2 / 1e9


def test_liminns_net_has_its_parameters_but_for_the_unused_classifier():
    unused = 2048 * 1000 + 1000
    assert count(build("icnet_liminn")) == 28_293_512 - unused


def test_liminns_net_has_its_multiply_adds_but_for_what_is_thrown_away():
    net = build("icnet_liminn").eval()
    x = torch.empty(1, 3, 1024, 2048, device="meta")
    half = torch.empty(1, 512, 64, 128, device="meta")
    needed = gmac(lambda: net(x))
    thrown_away = gmac(lambda: net.resnet.layer4(net.resnet.layer3(half)))
    coarse24 = torch.empty(1, 128, 64, 128, device="meta")
    coarse12 = torch.empty(1, 128, 128, 256, device="meta")
    heads = gmac(lambda: (net.aux_24(coarse24), net.aux_12(coarse12)))
    assert needed == pytest.approx(114.0, abs=0.05)
    assert needed + thrown_away + heads == pytest.approx(294.52, abs=0.005)


def test_mmsegmentations_net_has_its_parameters_and_multiply_adds():
    net = build("icnet_mmseg").eval()
    assert count(net) == 47_527_507
    x = torch.empty(1, 3, 1024, 2048, device="meta")
    assert gmac(lambda: net(x)) == pytest.approx(122.0, abs=0.05)


def test_mmsegmentations_net_on_a_resnet_18_has_its_parameters():
    assert count(build("icnet_mmseg", depth=18)) == 24_874_067


@pytest.mark.parametrize("name", ["icnet", "icnet_liminn", "icnet_mmseg"])
def test_the_coarse_losses_weigh_as_in_the_paper(name):
    assert NETS.get(name).aux_weights == (0.4, 0.4)


@pytest.mark.parametrize("name", ["icnet_liminn", "icnet_mmseg"])
def test_labels_guide_at_a_sixteenth_and_an_eighth_while_training(name):
    net = build(name, num_classes=5)
    x = torch.empty(2, 3, 64, 96, device="meta")
    eighth = (2, 5, 8, 12)
    coarse, fine = (tuple(aux.shape) for aux in net.train()(x).aux)
    assert fine == eighth
    assert coarse[2:] in [(4, 6), (5, 7)]
    assert net.eval()(x).aux == ()


@pytest.mark.parametrize("name", ["icnet_liminn", "icnet_mmseg"])
def test_a_deeper_resnet_can_be_had(name):
    assert len(build(name, depth=101).resnet.layer3) == 23
