"""Mean IoU of a net under training, at the size of the labels."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional as F

from segstudio.core.catalogue import InputRule
from segstudio.core.metrics import ConfusionMatrix, Scores, scores_of
from segstudio.core.training import TrainRecipe
from segstudio.engine.preprocess import Preparer
from segstudio.nets.registry import NetSpec
from segstudio.store.pairs import Pair, find_pairs
from segstudio.train.data import read_pair, split_held_out
from segstudio.train.distributed import Team

Labels = NDArray[np.uint8]


def validation_sets(recipe: TrainRecipe) -> dict[str, list[Pair]]:
    """By name: "validation", and "held out" for whole drives kept out of training."""
    found: dict[str, list[Pair]] = {}
    for folder in recipe.validate:
        found.setdefault("validation", []).extend(
            find_pairs(Path(folder.images), Path(folder.labels))
        )
    for folder in recipe.train:
        held = split_held_out(folder)[1]
        if held:
            found.setdefault("held out", []).extend(held)
    return found


def validate(
    spec: NetSpec,
    net: nn.Module,
    pairs: list[Pair],
    classes: int,
    rule: InputRule,
    *,
    team: Team,
    on_frame: Callable[[Pair, Labels], None] = lambda _pair, _labels: None,
) -> Scores:
    """One confusion matrix over all pairs; logits enlarged to the labels, then argmax.

    Every process of the team takes its part of the pairs, and all get the figures of the whole.
    on_frame: each pair of this process and its prediction, uint8 (H, W).
    """
    was_training = net.training
    net.eval()
    device = next(net.parameters()).device
    matrix = ConfusionMatrix(classes)
    prepare = Preparer(rule, device)
    with torch.inference_mode():
        for pair in pairs[team.rank.number :: team.rank.of]:
            rgb, labels = read_pair(pair, classes)
            h, w = rule.size_for(*rgb.shape[:2])
            x = prepare(rgb, (h, w))
            if spec.margin:
                x = F.pad(x, (spec.margin,) * 4, mode="reflect")
            logits = F.interpolate(
                net(x).logits, labels.shape, mode="bilinear", align_corners=spec.align_corners
            )
            predicted = logits[0].argmax(0).to("cpu", torch.uint8).numpy()
            matrix.add(labels, predicted)
            on_frame(pair, predicted)
    net.train(was_training)
    return scores_of(team.added(matrix.full))
