"""A finished run becomes a model: half-precision weights and a card."""

import hashlib
from dataclasses import replace
from pathlib import Path

import torch
from safetensors.torch import save as to_bytes

from segstudio.atomic import atomic_write
from segstudio.core.catalogue import ModelCard, Score
from segstudio.core.training import TrainRecipe
from segstudio.nets.registry import NETS
from segstudio.store.models import write_card
from segstudio.train import checkpoint

_TRAINING_ONLY = ("boosters.", "aux")


def export_model(checkpoint_file: Path, recipe: TrainRecipe, card: ModelCard) -> ModelCard:
    """Write weights.safetensors (fp16, without the heads that only training has) and card.json.

    The weights kept are the averaged ones where the run averaged. Returns the completed card.
    """
    state = checkpoint.load(checkpoint_file)
    weights = state["average"] or state["net"]
    weights = {k.removeprefix("module."): v for k, v in weights.items() if k != "n_averaged"}
    kept = {
        key: value.half().contiguous() if value.is_floating_point() else value.contiguous()
        for key, value in weights.items()
        if not key.startswith(_TRAINING_ONLY)
    }
    with torch.device("meta"):
        options = {**recipe.net_args, "boosters": False}
        net = NETS.get(recipe.net).build(len(card.classes), **options)
    net.load_state_dict(kept, strict=True, assign=True)
    content = to_bytes(kept)
    card.folder.mkdir(parents=True, exist_ok=True)
    atomic_write(card.folder / card.weights, content)
    done = replace(
        card,
        net_args={**recipe.net_args, "boosters": False},
        params=sum(p.numel() for p in net.parameters()),
        sha256=hashlib.sha256(content).hexdigest(),
    )
    write_card(done, done.folder)
    return done


def scores_of(figures: dict[str, tuple[float, str]]) -> tuple[Score, ...]:
    """{dataset: (miou, detail)} in the form of a card."""
    return tuple(Score(name, miou, detail) for name, (miou, detail) in figures.items())
