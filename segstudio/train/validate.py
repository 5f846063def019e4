"""Mean IoU of a net under training, at the size of the labels."""

from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from segstudio.core.catalogue import InputRule
from segstudio.core.metrics import ConfusionMatrix, Scores
from segstudio.core.training import TrainRecipe
from segstudio.store.pairs import Pair, find_pairs
from segstudio.train.data import read_pair, split_held_out


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


def validate(net: nn.Module, pairs: list[Pair], classes: int, rule: InputRule) -> Scores:
    """One confusion matrix over all pairs; logits enlarged to the labels, then argmax."""
    was_training = net.training
    net.eval()
    device = next(net.parameters()).device
    matrix = ConfusionMatrix(classes)
    mean, std = np.asarray(rule.mean, np.float32), np.asarray(rule.std, np.float32)
    with torch.inference_mode():
        for pair in pairs:
            rgb, labels = read_pair(pair, classes)
            h, w = rule.size_for(*rgb.shape[:2])
            values = cv2.resize(rgb, (w, h), interpolation=cv2.INTER_LINEAR)
            scaled = (values.astype(np.float32) / 255.0 - mean) / std
            x = torch.from_numpy(scaled.transpose(2, 0, 1)[None].copy()).to(
                device, memory_format=torch.channels_last
            )
            logits = F.interpolate(
                net(x).logits, labels.shape, mode="bilinear", align_corners=False
            )
            matrix.add(labels, logits[0].argmax(0).to("cpu", torch.uint8).numpy())
    net.train(was_training)
    return matrix.scores()
