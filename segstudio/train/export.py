"""A finished run becomes a model: half-precision weights and a card."""

import hashlib
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.torch import save as to_bytes

from segstudio.atomic import atomic_write
from segstudio.core.catalogue import ModelCard, Score
from segstudio.core.frame import Frame, FrameId
from segstudio.core.metrics import scores_of
from segstudio.core.training import TrainRecipe
from segstudio.engine.evaluate import evaluate
from segstudio.engine.importing import lean
from segstudio.engine.inspecting import build_meta
from segstudio.engine.predictor import Predictor
from segstudio.nets.dialect import Found, fit
from segstudio.nets.registry import NETS
from segstudio.store.models import write_card
from segstudio.store.pairs import Pair
from segstudio.train import checkpoint
from segstudio.train.assembling import judged_by
from segstudio.train.data import read_pair
from segstudio.train.lineage import lineage_of

_TRAINING_ONLY = ("boosters.", "aux")


def export_model(checkpoint_file: Path, recipe: TrainRecipe, card: ModelCard) -> ModelCard:
    """Write weights.safetensors (fp16, without the heads that only training has) and card.json.

    The weights kept are the averaged ones where the run averaged. Returns the completed card, with
    its lineage and with scores measured on the files as written.
    """
    state = checkpoint.load(checkpoint_file)
    weights = state["average"] or state["net"]
    weights = {k.removeprefix("module."): v for k, v in weights.items() if k != "n_averaged"}
    kept = {
        key: value.half().contiguous() if value.is_floating_point() else value.contiguous()
        for key, value in weights.items()
        if not key.startswith(_TRAINING_ONLY)
    }
    spec, net_args = lean(NETS.get(recipe.net), len(card.classes), recipe.net_args)
    net = build_meta(spec, len(card.classes), net_args)
    report = fit(Found(recipe.net, len(card.classes), kept, net_args))
    assert report.is_whole, report
    content = to_bytes(kept)
    card.folder.mkdir(parents=True, exist_ok=True)
    atomic_write(card.folder / card.weights, content)
    done = replace(
        card,
        net_args=net_args,
        params=sum(p.numel() for p in net.parameters()),
        sha256=hashlib.sha256(content).hexdigest(),
        lineage=replace(lineage_of(state, recipe, checkpoint_file), model=card.name),
    )
    write_card(done, done.folder)  # the predictor below reads it like any other model
    done = replace(done, scores=(*card.scores, *measured(done, recipe, checkpoint_file.parent)))
    write_card(done, done.folder)
    return done


def measured(card: ModelCard, recipe: TrainRecipe, run: Path) -> tuple[Score, ...]:
    """Mean IoU of the shipped files, by the predictor that people will use, per validation set."""
    predictor = Predictor(card, recipe.device)
    scores = []
    try:
        for name, pairs in judged_by(recipe, run).items():
            count = len(card.classes)
            matrix = evaluate(predictor, (_frame(pair, count) for pair in pairs))
            found = scores_of(matrix.full)
            if np.isnan(found.miou):
                continue  # nothing but void
            iou = {c.name: float(found.iou[c.id]) for c in card.classes.classes}
            scores.append(
                Score(
                    name,
                    round(found.miou, 4),
                    f"{len(pairs)} frame{'' if len(pairs) == 1 else 's'}, one confusion matrix,"
                    f" void left out, {predictor.precision} on {predictor.device}",
                    {name: round(each, 4) for name, each in iou.items() if not np.isnan(each)},
                )
            )
    finally:
        predictor.close()
    return tuple(scores)


def _frame(pair: Pair, classes: int) -> tuple[Frame, NDArray[np.uint8]]:
    """The pair as the predictor takes it."""
    rgb, labels = read_pair(pair, classes)
    return Frame(FrameId(pair.name, 0, None, zlib.crc32(rgb.data)), rgb, 0.0), labels
