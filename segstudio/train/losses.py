"""Losses: cross-entropy that ignores void, with online hard example mining."""

import torch
from torch import Tensor
from torch.nn import functional as F

from segstudio.nets.registry import NetOutput

IGNORE = 255


def hard_cross_entropy(logits: Tensor, labels: Tensor, *, threshold: float, keep: int) -> Tensor:
    """Mean cross-entropy over the hard pixels, a scalar; 0 (with gradient) when all are void.

    logits: float (N, C, H, W). labels: int64 (N, H, W), 255 = void. A pixel is hard when its true
    class has a probability under `threshold`; with fewer than 1/keep of the valid pixels hard, the
    hardest 1/keep are taken (Shrivastava et al. 2016, as used by BiSeNet V2 section 5).
    threshold 0: plain mean.
    """
    loss = F.cross_entropy(logits, labels, ignore_index=IGNORE, reduction="none").flatten()
    valid = loss[labels.flatten() != IGNORE]
    if valid.numel() == 0:
        return logits.sum() * 0.0
    if threshold <= 0:
        return valid.mean()
    limit = -torch.log(torch.tensor(threshold, device=loss.device))
    hard = valid[valid > limit]
    least = max(1, valid.numel() // keep)
    if hard.numel() < least:
        hard = torch.topk(valid, least).values
    return hard.mean()


def boosted_loss(
    output: NetOutput,
    labels: Tensor,
    *,
    threshold: float,
    keep: int,
    align_corners: bool = False,
    aux_weights: tuple[float, ...] = (),
) -> Tensor:
    """Loss of the head plus that of every auxiliary head, each at label size.

    aux_weights: in the order of `output.aux`; 1 each when there are none.
    """
    size = labels.shape[-2:]
    total = torch.zeros((), device=labels.device)
    heads = len(output.aux)  # none, where a net was built without
    weights = (1.0, *(aux_weights or (1.0,) * heads)[:heads])
    for weight, logits in zip(weights, (output.logits, *output.aux), strict=True):
        # planes, not channels last: softmax over 11 channels is 20 times faster that way on a CPU
        full = F.interpolate(
            logits.float().contiguous(), size=size, mode="bilinear", align_corners=align_corners
        )
        loss = hard_cross_entropy(full, labels, threshold=threshold, keep=keep)
        total = total + weight * loss
    return total
