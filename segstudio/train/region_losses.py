"""Losses of whole regions: what a measure of overlap would say of soft predictions."""

import torch
from torch import Tensor

from segstudio.train.pixel_losses import nothing


def dice_loss(p: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
    """1 - the mean Dice coefficient of the classes present, a scalar 0..1; 0 with no pixels.

    Of a class: 2 sum(w p g) / (sum(w p) + sum(w g)), over all pixels of the batch (Drozdzal et al.
    2016, section 2.2, for many classes). p: float32 (C, P), softmax of P pixels. labels: int64
    (P,), no void. weights: float32 (P,) > 0.
    """
    if labels.numel() == 0:
        return nothing(p)
    weighed = p * weights
    true = torch.zeros(len(p), dtype=p.dtype, device=p.device).index_add(0, labels, weights)
    met = torch.zeros_like(true).index_add(0, labels, weighed.gather(0, labels[None])[0])
    present = true > 0
    dice = 2 * met / (weighed.sum(1) + true).clamp_min(torch.finfo(p.dtype).tiny)
    return ((1 - dice) * present).sum() / present.sum()


def lovasz_loss(p: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
    """Lovász-softmax, the mean over the classes present, a scalar 0..1; 0 with no pixels.

    Berman, Triki, Blaschko 2018, section 2: the Jaccard loss between its values on sets of wrong
    pixels, continued to soft errors. A pixel of weight 2 counts as two such pixels would, in
    intersections and unions. Arguments as of `dice_loss`.
    """
    if labels.numel() == 0:
        return nothing(p)
    losses = []
    for class_id in torch.unique(labels).tolist():
        true = (labels == class_id).to(p.dtype)
        errors, order = (true - p[class_id]).abs().sort(descending=True)
        losses.append((errors * _steps_of_jaccard(true[order], weights[order])).sum())
    return torch.stack(losses).mean()


def _steps_of_jaccard(true: Tensor, weights: Tensor) -> Tensor:
    """How much the Jaccard loss grows with each further pixel that is wrong (their algorithm 1).

    true: 1 or 0 (P,), the largest error first. Sums in float64: there may be millions of pixels.
    """
    inside = (true * weights).double()
    outside = ((1 - true) * weights).double()
    all_inside = inside.sum()
    loss = 1 - (all_inside - inside.cumsum(0)) / (all_inside + outside.cumsum(0))
    return loss.diff(prepend=loss.new_zeros(1)).to(true.dtype)
