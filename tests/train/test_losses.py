"""Losses against plain formulas, and where all pixels are void."""

import pytest
import torch
from torch.nn import functional as F

from segstudio.nets.registry import NetOutput
from segstudio.train.losses import boosted_loss, hard_cross_entropy


@pytest.fixture
def case():
    torch.manual_seed(0)
    logits = torch.randn(2, 5, 8, 9, requires_grad=True)
    labels = torch.randint(0, 5, (2, 8, 9))
    labels[0, :3] = 255
    return logits, labels


def test_threshold_zero_is_the_plain_mean_over_valid_pixels(case):
    logits, labels = case
    ours = hard_cross_entropy(logits, labels, threshold=0, keep=16)
    assert torch.allclose(ours, F.cross_entropy(logits, labels, ignore_index=255))


def test_only_pixels_under_the_threshold_count(case):
    logits, labels = case
    each = F.cross_entropy(logits, labels, ignore_index=255, reduction="none")[labels != 255]
    hard = each[torch.exp(-each) < 0.3]
    assert 10 < hard.numel() < each.numel()
    assert torch.allclose(hard_cross_entropy(logits, labels, threshold=0.3, keep=1000), hard.mean())


def test_at_least_the_asked_share_is_kept_when_everything_is_easy():
    labels = torch.zeros(1, 4, 8, dtype=torch.long)
    logits = torch.zeros(1, 2, 4, 8)
    logits[:, 0] = torch.linspace(5, 9, 32).view(4, 8)
    each = F.cross_entropy(logits, labels, reduction="none").flatten()
    ours = hard_cross_entropy(logits, labels, threshold=0.7, keep=4)
    assert torch.allclose(ours, each.sort(descending=True).values[:8].mean())


def test_an_all_void_batch_gives_zero_and_a_finite_gradient():
    logits = torch.randn(1, 3, 4, 4, requires_grad=True)
    loss = hard_cross_entropy(logits, torch.full((1, 4, 4), 255), threshold=0.7, keep=16)
    loss.backward()
    assert loss.item() == 0
    assert torch.isfinite(logits.grad).all()


def test_every_booster_head_adds_its_own_loss(case):
    logits, labels = case
    small = torch.randn(2, 5, 2, 3)
    alone = boosted_loss(NetOutput(logits), labels, threshold=0, keep=16)
    both = boosted_loss(NetOutput(logits, (small,)), labels, threshold=0, keep=16)
    enlarged = F.interpolate(small, size=(8, 9), mode="bilinear")
    assert torch.allclose(
        both - alone, F.cross_entropy(enlarged, labels, ignore_index=255), atol=1e-6
    )


def test_auxiliary_losses_count_as_much_as_their_net_says():
    torch.manual_seed(0)
    logits, small = torch.randn(1, 3, 8, 8), torch.randn(1, 3, 4, 4)
    labels = torch.randint(0, 3, (1, 8, 8))

    def loss(output, weights=()):
        return boosted_loss(output, labels, threshold=0, keep=16, aux_weights=weights)

    alone, extra = loss(NetOutput(logits)), loss(NetOutput(small))
    both = NetOutput(logits, (small,))
    assert torch.allclose(loss(both), alone + extra)
    assert torch.allclose(loss(both, (0.4,)), alone + 0.4 * extra)
    assert torch.allclose(loss(NetOutput(logits), (0.4,)), alone)
