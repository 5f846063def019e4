"""Losses against plain formulas and loops in NumPy, and against known values."""

import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from segstudio.core.train_rules import LossRule
from segstudio.errors import SegStudioError
from segstudio.nets.registry import NetOutput
from segstudio.train.losses import (
    reduced,
    segmentation_loss,
    target_of,
)

VOID = 255

RULES = {
    "ce": LossRule(),
    "smooth": LossRule(label_smoothing=0.1),
    "ohem": LossRule("ohem", ohem_threshold=0.2, ohem_keep=16),
    "ohem, few hard": LossRule("ohem", ohem_threshold=1e-6, ohem_keep=3),
    "focal": LossRule("focal", gamma=2),
    "focal, slow": LossRule("focal", gamma=0.5),
    "dice": LossRule(dice=1.0),
    "lovasz": LossRule(lovasz=1.0),
    "mixed": LossRule(dice=0.3, lovasz=0.2, class_weights=(1.0, 2.0, 0.5, 1.0, 0.0)),
}


@pytest.fixture
def case():
    """Logits (2, 5, 8, 9) with a gradient, labels with void, weights of which some are 0."""
    torch.manual_seed(0)
    logits = torch.randn(2, 5, 8, 9, requires_grad=True)
    labels = torch.randint(0, 5, (2, 8, 9))
    labels[0, :3] = VOID
    weights = torch.tensor([0.0, 0.5, 1.0])[torch.randint(0, 3, (2, 8, 9))]
    return logits, labels, weights


def loss(logits, labels, weights=None, rule=RULES["ce"]):
    return segmentation_loss(NetOutput(logits), labels, weights, rule, align_corners=False)


def pixels(logits, labels, weights):
    """What counts, as float64 lists: softmax, class, weight and -log p of each pixel."""
    z = logits.detach().double().movedim(1, -1).reshape(-1, logits.shape[1]).numpy()
    y, w = labels.flatten().numpy(), weights.flatten().double().numpy()
    z, y, w = z[(y != VOID) & (w > 0)], y[(y != VOID) & (w > 0)], w[(y != VOID) & (w > 0)]
    p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    return p, y, w, -np.log(p[range(len(y)), y])


def jaccard_loss(wrong, true, w):
    """1 - Jaccard index of a class when exactly the pixels of `wrong` are wrong."""
    met = w[true & ~wrong].sum()
    return 1 - met / (w[true].sum() + w[~true & wrong].sum())


def plain(rule, logits, labels, weights):
    """The loss by its definition, one pixel and one class after the other."""
    p, y, w, nll = pixels(logits, labels, weights)
    each = (1 - rule.label_smoothing) * nll - rule.label_smoothing * np.log(p).mean(1)
    of_class = np.array(rule.class_weights or np.ones(p.shape[1]))
    v = w * of_class[y]
    if rule.base == "focal":
        each = each * (1 - p[range(len(y)), y]) ** rule.gamma
    if rule.base == "ohem":
        hard = np.exp(-nll) < rule.ohem_threshold
        if hard.sum() < len(y) // rule.ohem_keep:
            hard = np.argsort(-nll)[: len(y) // rule.ohem_keep]
        each, v = each[hard], v[hard]
    total = (1 - rule.dice - rule.lovasz) * (each * v).sum() / v.sum()
    dice, lovasz = [], []
    for c in set(y.tolist()):
        true = y == c
        dice.append(1 - 2 * (w * p[:, c])[true].sum() / ((w * p[:, c]).sum() + w[true].sum()))
        errors = np.where(true, 1 - p[:, c], p[:, c])
        order = np.argsort(-errors)
        # The extension's definition: errors times what each further wrong pixel costs.
        value, before = 0.0, 0.0
        for i in range(len(order)):
            wrong = np.isin(np.arange(len(order)), order[: i + 1])
            now = jaccard_loss(wrong, true, w)
            value += errors[order[i]] * (now - before)
            before = now
        lovasz.append(value)
    return total + rule.dice * np.mean(dice) + rule.lovasz * np.mean(lovasz)


@pytest.mark.parametrize("name", RULES)
def test_every_loss_is_that_of_its_definition(name, case):
    ours = loss(*case, RULES[name])
    assert ours.item() == pytest.approx(plain(RULES[name], *case), rel=1e-5)


def test_cross_entropy_is_torch_s_with_class_weights_and_smoothing(case):
    logits, labels, _ = case
    weights = (0.5, 1.0, 2.0, 3.0, 0.25)
    theirs = F.cross_entropy(logits, labels, torch.tensor(weights), ignore_index=VOID)
    assert loss(logits, labels, rule=LossRule(class_weights=weights)).item() == pytest.approx(
        theirs.item(), rel=1e-6
    )
    theirs = F.cross_entropy(logits, labels, ignore_index=VOID, label_smoothing=0.2)
    assert loss(logits, labels, rule=LossRule(label_smoothing=0.2)).item() == pytest.approx(
        theirs.item(), rel=1e-6
    )


def test_known_values_of_two_pixels():
    # The true class has probability 3/4 and 1/4.
    logits = torch.log(torch.tensor([[0.75, 0.25], [0.25, 0.75]])).T.reshape(1, 2, 1, 2)
    labels = torch.zeros(1, 1, 2, dtype=torch.long)
    a, b = math.log(4 / 3), math.log(4)
    assert loss(logits, labels).item() == pytest.approx((a + b) / 2)
    half = torch.tensor([[[1.0, 0.5]]])
    assert loss(logits, labels, half).item() == pytest.approx((a + 0.5 * b) / 1.5)
    focal = LossRule("focal", gamma=2)
    assert loss(logits, labels, rule=focal).item() == pytest.approx((a / 16 + b * 9 / 16) / 2)
    hard = LossRule("ohem", ohem_threshold=0.5)
    assert loss(logits, labels, rule=hard).item() == pytest.approx(b)
    # Dice of class 0, the only one present: 2 (3/4 + 1/4) / (1 + 2).
    assert loss(logits, labels, rule=LossRule(dice=1)).item() == pytest.approx(1 / 3)
    # No pixel of another class: the mean error.
    assert loss(logits, labels, rule=LossRule(lovasz=1)).item() == pytest.approx(0.5)


def test_lovasz_of_hard_predictions_is_one_minus_their_mean_jaccard_index():
    labels = torch.tensor([[[0, 0, 0, 1, 1, 1]]])
    said = torch.tensor([[[0, 0, 1, 1, 1, 0]]])
    logits = 100.0 * F.one_hot(said, 2).movedim(-1, 1).float()
    # Each class: two met, four in the union.
    assert loss(logits, labels, rule=LossRule(lovasz=1)).item() == pytest.approx(0.5)


def test_focal_without_focus_is_cross_entropy(case):
    assert loss(*case, LossRule("focal", gamma=0)).item() == pytest.approx(
        loss(*case).item(), rel=1e-6
    )


@pytest.mark.parametrize("rule", [LossRule(dice=1), LossRule(lovasz=1), LossRule("focal")])
def test_a_perfect_prediction_costs_nothing(rule, case):
    _, labels, weights = case
    logits = 200.0 * F.one_hot(labels.clamp_max(4), 5).movedim(-1, 1).float()
    assert loss(logits, labels, weights, rule).item() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("name", RULES)
def test_the_order_of_pixels_does_not_matter(name, case):
    logits, labels, weights = case
    order = torch.randperm(72)
    moved = logits.flatten(2)[..., order].view_as(logits)
    there = (x.flatten(1)[:, order].view_as(x) for x in (labels, weights))
    assert loss(moved, *there, RULES[name]).item() == pytest.approx(
        loss(*case, RULES[name]).item(), rel=1e-5
    )


@pytest.mark.parametrize("name", RULES)
def test_only_the_proportion_of_weights_matters(name, case):
    logits, labels, weights = case
    assert loss(logits, labels, 7 * weights, RULES[name]).item() == pytest.approx(
        loss(*case, RULES[name]).item(), rel=1e-5
    )


@pytest.mark.parametrize("name", [n for n in RULES if "ohem" not in n])
def test_a_pixel_of_weight_two_is_two_pixels(name):
    torch.manual_seed(1)
    logits, labels = torch.randn(1, 5, 2, 6), torch.randint(0, 5, (1, 2, 6))
    weights = torch.ones(1, 2, 6)
    weights[:, 0] = 2
    twice = torch.cat([logits[:, :, :1], logits], 2), torch.cat([labels[:, :1], labels], 1)
    assert loss(*twice, None, RULES[name]).item() == pytest.approx(
        loss(logits, labels, weights, RULES[name]).item(), rel=1e-5
    )


@pytest.mark.parametrize("name", RULES)
def test_void_and_weightless_pixels_count_nowhere(name, case):
    logits, labels, weights = case
    out = (labels == VOID) | (weights == 0)
    other = torch.where(out[:, None], 9 * torch.randn_like(logits), logits)
    told = torch.where((weights == 0) & (labels != VOID), 4 - labels, labels)
    before, after = loss(*case, RULES[name]), loss(other, told, weights, RULES[name])
    assert after.item() == pytest.approx(before.item(), rel=1e-6)
    before.backward()
    assert not logits.grad[out[:, None].expand_as(logits)].any()
    assert logits.grad.any()


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("empty", ["void", "weightless"])
def test_a_batch_in_which_nothing_counts_gives_zero_with_gradients(name, empty):
    logits = torch.randn(1, 5, 4, 4, requires_grad=True)
    labels = torch.full((1, 4, 4), VOID if empty == "void" else 2)
    weights = None if empty == "void" else torch.zeros(1, 4, 4)
    value = loss(logits, labels, weights, RULES[name])
    value.backward()
    assert value.item() == 0
    assert not logits.grad.any()
    assert torch.isfinite(logits.grad).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("name", RULES)
def test_gradients_are_finite_however_sure_the_net_is(name, dtype):
    torch.manual_seed(0)
    logits = (torch.randn(2, 5, 6, 6) * torch.logspace(-2, 4, 6)).to(dtype).requires_grad_()
    value = loss(logits, torch.randint(0, 5, (2, 6, 6)), None, RULES[name])
    value.backward()
    assert value.dtype == torch.float32
    assert torch.isfinite(value)
    assert torch.isfinite(logits.grad).all()


@pytest.mark.parametrize("name", RULES)
def test_the_slope_is_that_of_the_loss(name):
    torch.manual_seed(3)
    logits = torch.randn(1, 5, 3, 4, requires_grad=True)
    labels = torch.randint(0, 5, (1, 3, 4))
    along = torch.randn_like(logits)
    loss(logits, labels, None, RULES[name]).backward()
    with torch.no_grad():
        ahead, behind = (
            plain(RULES[name], logits + s * along, labels, torch.ones(1, 3, 4))
            for s in (1e-4, -1e-4)
        )
    slope = float((logits.grad * along).sum())
    assert slope == pytest.approx((ahead - behind) / 2e-4, rel=2e-2, abs=1e-4)


def test_hard_pixels_are_chosen_by_doubt_and_not_by_weight():
    # Probabilities of the true class: 0.9, 0.6, 0.5, 0.4. The most doubtful one weighs little.
    p = torch.tensor([0.9, 0.6, 0.5, 0.4])
    logits = torch.stack([p.log(), (1 - p).log()])[None, :, None]
    labels, weights = torch.zeros(1, 1, 4, dtype=torch.long), torch.tensor([[[5.0, 0, 1, 0.5]]])
    chosen = loss(logits, labels, weights, LossRule("ohem", ohem_threshold=0.7))
    assert chosen.item() == pytest.approx(-(math.log(0.5) + 0.5 * math.log(0.4)) / 1.5)
    # Three pixels count; at least one of three is kept.
    one = loss(logits, labels, weights, LossRule("ohem", ohem_threshold=0.1, ohem_keep=3))
    assert one.item() == pytest.approx(-math.log(0.4), rel=1e-6)


def before_rules(logits, labels, threshold, keep):
    """How hard examples were averaged before losses had rules; numbers must not move."""
    each = F.cross_entropy(logits, labels, ignore_index=VOID, reduction="none").flatten()
    valid = each[labels.flatten() != VOID]
    if threshold <= 0:
        return valid.mean()
    hard = valid[valid > -math.log(threshold)]
    least = max(1, valid.numel() // keep)
    return (hard if hard.numel() >= least else torch.topk(valid, least).values).mean()


@pytest.mark.parametrize("threshold", [0, 1e-5, 0.1, 0.7])
def test_runs_of_earlier_recipes_have_the_same_loss(case, threshold):
    logits, labels, _ = case
    small = torch.randn(2, 5, 3, 4)
    rule = LossRule("ohem", ohem_threshold=threshold, ohem_keep=16)
    expected = before_rules(logits, labels, threshold, 16)
    assert loss(logits, labels, None, rule).item() == pytest.approx(expected.item(), rel=1e-6)
    enlarged = F.interpolate(small, size=(8, 9), mode="bilinear", align_corners=False)
    expected = expected + 0.4 * before_rules(enlarged, labels, threshold, 16)
    both = NetOutput(logits, (small,))
    ours = segmentation_loss(both, labels, None, rule, aux_weights=(0.4,))
    assert ours.item() == pytest.approx(expected.item(), rel=1e-6)


def test_auxiliary_losses_count_as_much_as_their_net_says():
    torch.manual_seed(0)
    logits, small = torch.randn(1, 3, 8, 8), torch.randn(1, 3, 4, 4)
    labels = torch.randint(0, 3, (1, 8, 8))

    def value(output, weights=()):
        return segmentation_loss(output, labels, None, LossRule(), aux_weights=weights)

    alone, extra = value(NetOutput(logits)), value(NetOutput(small))
    both = NetOutput(logits, (small,))
    assert torch.allclose(value(both), alone + extra)
    assert torch.allclose(value(both, (0.4,)), alone + 0.4 * extra)
    assert torch.allclose(value(NetOutput(logits), (0.4,)), alone)


def test_auxiliary_heads_learn_from_pixels_alone():
    torch.manual_seed(0)
    logits, small = torch.randn(1, 3, 8, 8), torch.randn(1, 3, 4, 4)
    labels = torch.randint(0, 3, (1, 8, 8))
    rule = LossRule(dice=0.3, lovasz=0.5)
    head, extra = loss(logits, labels, rule=rule), loss(small, labels)
    both = segmentation_loss(NetOutput(logits, (small,)), labels, None, rule, aux_weights=(0.4,))
    assert both.item() == pytest.approx((head + 0.4 * extra).item(), rel=1e-6)


def test_outputs_are_enlarged_the_way_the_net_wants():
    torch.manual_seed(0)
    small, labels = torch.randn(1, 3, 4, 4), torch.randint(0, 3, (1, 13, 13))
    for corners in (False, True):
        full = F.interpolate(small, size=(13, 13), mode="bilinear", align_corners=corners)
        ours = segmentation_loss(NetOutput(small), labels, None, LossRule(), align_corners=corners)
        assert torch.allclose(ours, F.cross_entropy(full, labels))


def test_a_cascade_is_guided_at_every_branch_s_own_size():
    torch.manual_seed(0)
    sizes = ((5, 7), (9, 13), (17, 25))  # 1/16, 1/8 and 1/4 of 65 x 97, corners kept
    sub4, sub24, head = (torch.randn(2, 3, *size) for size in sizes)
    labels = torch.randint(0, 3, (2, 65, 97))
    labels[0, :40] = VOID
    output = NetOutput(head, (sub4, sub24))
    ours = segmentation_loss(
        output, labels, None, LossRule(), align_corners=True, cascade=(0.4, 0.4, 1.0)
    )
    strides = (16, 8, 4)
    losses = [
        F.cross_entropy(logits, labels[:, ::stride, ::stride], ignore_index=VOID)
        for logits, stride in zip((sub4, sub24, head), strides, strict=True)
    ]
    assert ours.item() == pytest.approx((0.4 * losses[0] + 0.4 * losses[1] + losses[2]).item())


def test_a_cascade_without_its_branches_is_the_head_alone():
    torch.manual_seed(0)
    logits, labels = torch.randn(1, 3, 4, 4), torch.randint(0, 3, (1, 16, 16))
    ours = segmentation_loss(
        NetOutput(logits), labels, None, LossRule(), align_corners=False, cascade=(0.4, 0.4, 1.0)
    )
    assert ours.item() == pytest.approx(F.cross_entropy(logits, labels[:, 2::4, 2::4]).item())


def test_labels_are_reduced_to_the_pixels_under_the_new_ones():
    row = torch.arange(9)[None, None]
    assert reduced(row, (1, 3), align_corners=True).tolist() == [[[0, 4, 8]]]
    assert reduced(row, (1, 3), align_corners=False).tolist() == [[[1, 4, 7]]]
    assert reduced(row, (1, 9), align_corners=False).tolist() == row.tolist()
    assert reduced(row, (1, 1), align_corners=True).tolist() == [[[0]]]


def test_classes_of_weight_zero_still_have_regions(case):
    logits, labels, _ = case
    rule = LossRule(dice=0.5, class_weights=(0, 0, 0, 0, 0))
    value = loss(logits, labels, None, rule)
    assert value.item() == pytest.approx(0.5 * loss(logits, labels, None, LossRule(dice=1)).item())


def test_the_border_weight_is_added_to_the_class_weight():
    labels = torch.tensor([[[1, 0, 1, 1, 0, 0]]])
    rule = LossRule(class_weights=(1.0, 2.0), border=10, border_sigma=1, border_classes=(1,))
    target = target_of(labels, torch.full((1, 1, 6), 0.5), rule, classes=2)
    between = 10 * math.exp(-(2**2) / 2)  # a pixel away from either
    beyond = 10 * math.exp(-(5**2) / 2)  # one from the nearer, four from the further
    last = 0  # seven away in all
    expected = [2, 1 + between, 2, 2, 1 + beyond, 1 + last]
    assert target.pixel_weights[0, 0].tolist() == pytest.approx([0.5 * x for x in expected])


def test_the_sum_of_weights_joins_losses_of_parts_of_a_batch(case):
    logits, labels, weights = case
    rule = LossRule(class_weights=(1.0, 2.0, 0.5, 1.0, 3.0))
    parts = [
        (loss(logits[i : i + 1], labels[i : i + 1], weights[i : i + 1], rule), total)
        for i in range(2)
        for total in [
            target_of(labels[i : i + 1], weights[i : i + 1], rule, classes=5).pixel_weights.sum()
        ]
    ]
    joined = sum(value * total for value, total in parts) / sum(total for _, total in parts)
    assert joined.item() == pytest.approx(loss(logits, labels, weights, rule).item(), rel=1e-6)


def test_weights_that_do_not_fit_are_refused(case):
    logits, labels, _ = case
    with pytest.raises(SegStudioError, match="3 class weights, but the net has 5"):
        loss(logits, labels, None, LossRule(class_weights=(1, 1, 1)))
    both = NetOutput(logits, (logits, logits))
    with pytest.raises(SegStudioError, match="weighs 2 outputs, but the net has 3"):
        segmentation_loss(both, labels, None, LossRule(), cascade=(0.4, 1.0))
