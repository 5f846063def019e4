"""The loss of a net's outputs against labels of which some pixels are void, or count for less."""

import dataclasses
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from segstudio.core.classes import VOID
from segstudio.core.train_rules import LossRule
from segstudio.errors import SegStudioError
from segstudio.nets.registry import NetOutput
from segstudio.train.border_weights import border_weights
from segstudio.train.pixel_losses import nothing, pixel_loss
from segstudio.train.region_losses import dice_loss, lovasz_loss


class Target(NamedTuple):
    """What a head is compared with.

    labels: int64 (N, H, W), 255 = void. counted: float32 (N, H, W), how much a pixel counts in
    every loss, 0 where void. emphasis: float32 (N, H, W), a factor on that in the losses of single
    pixels: class weight plus border weight; None where it is 1 everywhere.
    """

    labels: Tensor
    counted: Tensor
    emphasis: Tensor | None

    @property
    def pixel_weights(self) -> Tensor:
        """float32 (N, H, W): of the losses of single pixels."""
        return self.counted if self.emphasis is None else self.counted * self.emphasis


def segmentation_loss(
    output: NetOutput,
    labels: Tensor,
    weights: Tensor | None,
    rule: LossRule,
    *,
    align_corners: bool = False,
    aux_weights: tuple[float, ...] = (),
    cascade: tuple[float, ...] | None = None,
) -> Tensor:
    """The loss of the head plus those of the auxiliary heads times their weights, a scalar.

    labels: int64 (N, H, W), 255 = void. weights: float32 (N, H, W) >= 0, how much a pixel counts
    (1 painted by a human, 0.5 propagated, 0 from a model); None is 1 everywhere. Void pixels and
    those of weight 0 count nowhere; with none left the loss is 0, with gradients of 0.

    Every head is enlarged to the size of the labels, with the net's `align_corners`. Dice and
    Lovász are of the head alone: to sort all pixels once a class for each of four boosters would
    cost more than the net does. aux_weights: in the order of `output.aux`; () is 1 each. cascade:
    the label guidance of ICNet (section 3.3) instead: weights of the auxiliary heads and last of
    the head itself, (0.4, 0.4, 1); each is compared at its own size with the labels of the nearest
    pixels.
    """
    target = target_of(labels, weights, rule, classes=output.logits.shape[1])
    heads = (*output.aux, output.logits)
    extra = len(output.aux)  # none, where a net was built without
    given = (*(aux_weights or (1.0,) * extra), 1.0) if cascade is None else cascade
    if len(given) <= extra:
        raise SegStudioError(
            f"The recipe weighs {len(given)} outputs, but the net has {extra + 1} to train; give a"
            " weight for each."
        )
    pixels = dataclasses.replace(rule, dice=0.0, lovasz=0.0)
    total = torch.zeros((), device=labels.device)
    shares, rules = (*given[:extra], given[-1]), (*(pixels,) * extra, rule)
    for share, own, logits in zip(shares, rules, heads, strict=True):
        # planes, not channels last: softmax over 11 channels is 20 times faster that way on a CPU
        planes = logits.float().contiguous()
        if cascade is None:
            size = labels.shape[-2:]
            full = F.interpolate(planes, size=size, mode="bilinear", align_corners=align_corners)
            loss = loss_of(full, target, own)
        else:
            loss = loss_of(planes, _reduced(target, planes, align_corners=align_corners), own)
        total = total + share * loss
    return total


def target_of(labels: Tensor, weights: Tensor | None, rule: LossRule, *, classes: int) -> Target:
    """Labels with what every pixel of them weighs. Arguments as of `segmentation_loss`.

    A border weight is added to the class weight (U-Net, equation 2) and computed on the CPU.
    SegStudioError when the rule weighs another number of classes.
    """
    counted = (labels != VOID).float()
    if weights is not None:
        counted = counted * weights
    if rule.class_weights and len(rule.class_weights) != classes:
        raise SegStudioError(
            f"The recipe has {len(rule.class_weights)} class weights, but the net has {classes}"
            " classes; give one for each."
        )
    if not rule.class_weights and rule.border <= 0:
        return Target(labels, counted, None)
    of_class = torch.tensor(rule.class_weights or (1.0,) * classes, device=labels.device)
    emphasis = of_class[torch.where(labels == VOID, 0, labels)]
    if rule.border > 0:
        emphasis = emphasis + _borders(labels, rule)
    return Target(labels, counted, emphasis)


def loss_of(logits: Tensor, target: Target, rule: LossRule) -> Tensor:
    """The loss of one head whose logits, float32 (N, C, H, W), are as large as its target.

    Class weights and borders concern single pixels; to Dice and Lovász all classes are alike.
    """
    total = nothing(logits)
    share = 1 - rule.dice - rule.lovasz
    if share > 0:
        pixels = pixel_loss(logits, target.labels, target.pixel_weights, rule)
        total = total + share * pixels
    if rule.dice > 0 or rule.lovasz > 0:
        chosen = target.counted > 0
        p = logits.softmax(1).movedim(1, 0)[:, chosen]
        told, counted = target.labels[chosen], target.counted[chosen]
        if rule.dice > 0:
            total = total + rule.dice * dice_loss(p, told, counted)
        if rule.lovasz > 0:
            total = total + rule.lovasz * lovasz_loss(p, told, counted)
    return total


def reduced(raster: Tensor, size: tuple[int, int], *, align_corners: bool) -> Tensor:
    """(N, H, W) -> (N, *size): the values of the nearest pixels, so that no class is invented.

    align_corners: the corner pixels lie on each other, as they do in the net's logits; otherwise
    the corners of the pictures do.
    """
    rows, cols = (
        _nearest(full, small, align_corners=align_corners).to(raster.device)
        for full, small in zip(raster.shape[-2:], size, strict=True)
    )
    return raster[:, rows[:, None], cols]


def _nearest(full: int, small: int, *, align_corners: bool) -> Tensor:
    """Of each of `small` positions, the index 0..full-1 of the pixel under it."""
    places = torch.arange(small, dtype=torch.float64)
    if align_corners:
        return (places * ((full - 1) / max(1, small - 1))).round().long()
    return ((places + 0.5) * (full / small)).floor().long()


def _reduced(target: Target, logits: Tensor, *, align_corners: bool) -> Target:
    size = (int(logits.shape[2]), int(logits.shape[3]))
    labels, counted, emphasis = target
    return Target(
        reduced(labels, size, align_corners=align_corners),
        reduced(counted, size, align_corners=align_corners),
        None if emphasis is None else reduced(emphasis, size, align_corners=align_corners),
    )


def _borders(labels: Tensor, rule: LossRule) -> Tensor:
    """float32 (N, H, W), where the labels are."""
    maps = [
        border_weights(each, rule.border_classes, most=rule.border, sigma=rule.border_sigma)
        for each in labels.cpu().numpy()
    ]
    return torch.from_numpy(np.stack(maps)).to(labels.device)
