"""A model for measurements: the bundled one, or a net of random weights while there is none."""

import tempfile
from pathlib import Path

from segstudio.core.catalogue import InputRule, ModelCard
from segstudio.store.models import default_model, write_card


def any_model() -> ModelCard:
    """The best bundled model; else a BiSeNet V2 of random weights: as fast, knows nothing."""
    card = default_model()
    return card if card is not None else random_model(Path(tempfile.mkdtemp()) / "random")


def random_model(
    folder: Path, short_side: int | None = 360, *, net: str = "bisenet_v2", classes: str = "camvid"
) -> ModelCard:
    """Writes such a model folder."""
    import torch
    from safetensors.torch import save_file

    from segstudio.nets.registry import NETS
    from segstudio.store.class_sets import load_class_set

    class_set = load_class_set(classes)
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(1)
    state = NETS.get(net).build(len(class_set)).state_dict()
    save_file({k: v.contiguous() for k, v in state.items()}, folder / "weights.safetensors")
    card = ModelCard(
        name=folder.name,
        title="Random weights",
        net=net,
        classes=class_set,
        input=InputRule(short_side=short_side),
        folder=folder,
        weights="weights.safetensors",
    )
    write_card(card, folder)
    return card
