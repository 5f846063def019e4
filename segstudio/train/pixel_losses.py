"""Losses of single pixels and their weighted mean: cross-entropy, hard examples, focal."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from segstudio.core.classes import VOID
from segstudio.core.train_rules import LossRule


def nothing(logits: Tensor) -> Tensor:
    """0 that hangs on the logits, so that every weight gets a gradient (of 0), never nan."""
    return logits.flatten()[:0].sum()


def pixel_loss(logits: Tensor, labels: Tensor, weights: Tensor, rule: LossRule) -> Tensor:
    """Weighted mean of the base loss over the pixels, a scalar; 0 when all weights are 0.

    logits: float32 (N, C, H, W). labels: int64 (N, H, W), 255 = void. weights: float32
    (N, H, W) >= 0, 0 where void; they multiply the losses, and the mean is over their sum.
    """
    log_p = F.log_softmax(logits, 1)
    log_true = F.nll_loss(log_p, labels, ignore_index=VOID, reduction="none")
    each = log_true
    if rule.label_smoothing > 0:
        each = (1 - rule.label_smoothing) * each - rule.label_smoothing * log_p.mean(1)
    if rule.base == "focal":
        # Lin et al. 2017, equation 4. At 0 the slope of x ** gamma is infinite for gamma < 1.
        missing = (-torch.expm1(-log_true)).clamp_min(1e-12)
        each = each * missing**rule.gamma
    elif rule.base == "ohem" and rule.ohem_threshold > 0:
        weights = hard_only(log_true.detach(), weights, rule.ohem_threshold, rule.ohem_keep)
    total = weights.sum()
    least = torch.finfo(total.dtype).tiny
    return (each * weights).sum() / total.clamp_min(least)


def hard_only(losses: Tensor, weights: Tensor, threshold: float, keep: int) -> Tensor:
    """The weights of the hard pixels, 0 elsewhere.

    losses: -log of the probability of the true class. A pixel of any weight above 0 is hard when
    that probability is under `threshold`; with fewer than 1/keep of those pixels hard, the 1/keep
    with the largest losses are taken (Shrivastava et al. 2016, as used by BiSeNet V2 section 5).
    The weights have no say in what is hard: a doubtful pixel is not an easy one.
    """
    counted = weights > 0
    hard = counted & (losses > -math.log(threshold))
    least = max(1, int(counted.sum()) // keep)
    if int(hard.sum()) >= least:
        return weights * hard
    chosen = torch.where(counted, losses, -math.inf).flatten().topk(least).indices
    kept = torch.zeros_like(weights).flatten()
    kept[chosen] = weights.flatten()[chosen]
    return kept.view_as(weights)
