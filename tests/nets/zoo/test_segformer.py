"""SegFormer: parameters and multiplications, and sizes that no net of stride 32 takes."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from segstudio.errors import ModelError
from segstudio.nets.registry import NETS
from segstudio.nets.zoo.segformer import size_of


@pytest.mark.parametrize(
    ("size", "millions"),
    [("b0", 3.72), ("b1", 13.68), ("b2", 27.36), ("b3", 47.24), ("b4", 64.01), ("b5", 84.61)],
)
def test_as_many_parameters_as_published(size, millions):
    with torch.device("meta"):
        net = NETS.get(f"segformer_{size}").build(19)
    assert sum(p.numel() for p in net.parameters()) / 1e6 == pytest.approx(millions, abs=0.005)


@pytest.mark.parametrize(("height", "width", "gmac"), [(512, 1024, 17.8), (1024, 2048, 121.0)])
def test_as_many_multiplications_as_published(height, width, gmac):
    with torch.device("meta"):
        net = NETS.get("segformer_b0").build(19).eval()
        picture = torch.empty(1, 3, height, width)
    with FlopCounterMode(display=False) as count, torch.no_grad():
        net(picture)
    assert count.get_total_flops() / 2e9 == pytest.approx(gmac, abs=0.05)


@pytest.mark.parametrize(("height", "width"), [(32, 33), (45, 67)])
def test_any_size_will_do(height, width):
    with torch.device("meta"):
        net = NETS.get("segformer_b0").build(3).eval()
        out = net(torch.empty(1, 3, height, width))
    assert out.logits.shape == (1, 3, -(-height // 4), -(-width // 4))


def test_later_blocks_are_skipped_more_often_while_training():
    with torch.device("meta"):
        net = NETS.get("segformer_b0").build(3, drop=0.2)
    drops = [block.drop for stage in net.stages for block in stage.blocks]
    assert drops == sorted(drops)
    assert (drops[0], drops[-1]) == (0, pytest.approx(0.2))


def test_a_skipped_branch_leaves_the_expectation_unchanged():
    block = NETS.get("segformer_b0").build(3, drop=0.5).stages[3].blocks[1].train()
    torch.manual_seed(0)
    kept = block._kept(torch.ones(4000, 1, 1, 1))
    assert set(kept.unique().tolist()) == {0.0, 2.0}
    assert kept.mean() == pytest.approx(1, abs=0.1)


def test_another_size_is_refused_with_what_it_has():
    assert size_of(64, (3, 4, 6, 3)) == "b2"
    with pytest.raises(ModelError, match="48 channels in its first stage and 1, 1, 1, 1 blocks"):
        size_of(48, (1, 1, 1, 1))
