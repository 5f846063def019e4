"""Nets of the zoo with unusual size rules, from a card to labels, with every strategy."""

import dataclasses

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from segstudio.core.catalogue import InputRule, ModelCard
from segstudio.core.classes import CAMVID
from segstudio.core.strategy import Strategy
from segstudio.engine.predictor import _Way
from segstudio.engine.strategies import labeller
from segstudio.errors import ModelError
from segstudio.nets.registry import NETS
from tests.engine.conftest import make_frame

CASES = [
    ("unet", {"width": 4}),  # valid convolutions: a margin, 16 n + 4
    ("unet_padded", {"width": 4}),  # any size, stride 1
    ("deeplab_v3_mobilenet_v2", {}),  # 16 n + 1, corners aligned
    ("icnet", {}),  # 32 n + 1, corners aligned
    ("enet", {}),  # 8 n, stride 1
]

STRATEGIES = [
    Strategy(),
    Strategy(kind="sliding", tile=None, overlap=0.3, flip=True),
    Strategy(kind="mirror", overlap=0.3),
    Strategy(scales=(0.75, 1.0)),
]


@pytest.fixture(scope="module", params=CASES, ids=[name for name, _ in CASES])
def unusual(request, tmp_path_factory) -> ModelCard:
    name, net_args = request.param
    folder = tmp_path_factory.mktemp(name)
    torch.manual_seed(0)
    state = NETS.get(name).build(len(CAMVID), **net_args).state_dict()
    save_file({k: v.contiguous() for k, v in state.items()}, folder / "weights.safetensors")
    return ModelCard(
        name=name,
        title=name,
        net=name,
        classes=CAMVID,
        input=InputRule(short_side=200),
        folder=folder,
        weights="weights.safetensors",
        net_args=net_args,
    )


@pytest.mark.parametrize("strategy", STRATEGIES, ids=["whole", "sliding", "mirror", "scales"])
def test_every_strategy_gives_labels_of_frame_size(unusual, strategy, monkeypatch):
    monkeypatch.setattr("segstudio.engine.sizes.DEFAULT_TILE", 150)
    frame = make_frame(1, (171, 233))
    predictor = labeller(unusual, "cpu", dataclasses.replace(strategy, precision="fp32"))
    done = predictor.predict(frame)
    assert done.labels.shape == (171, 233)
    assert np.isfinite(done.logits.values).all()
    predictor.runner.spec.check_size(*done.input_size)
    assert done.logits.probabilities_at(170, 232).sum() == pytest.approx(1, abs=1e-5)
    predictor.close()


def test_pieces_for_want_of_memory_fit_together(unusual):
    """The same cells as the whole picture; with a margin of real pixels also the same values."""
    predictor = labeller(unusual, "cpu", Strategy(precision="fp32"))
    spec = predictor.runner.spec
    side = spec.sides_near(400)[-1]
    x = torch.randn(1, 3, side, side, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        whole = predictor._answer(x, _Way(1.0))
        pieces = predictor._answer(x, _Way(1.0, 2))
    assert pieces.shape == whole.shape
    if spec.margin:
        torch.testing.assert_close(pieces, whole, rtol=0, atol=1e-5)
    predictor.close()


def test_a_size_that_it_cannot_take_is_refused(unusual):
    spec = NETS.get(unusual.net)
    wrong = spec.sides_near(301)[-1] + 3 if spec.multiple_of > 1 else spec.min_side - 1
    with pytest.raises(ModelError, match=r"cannot take .*; choose \d+×\d+"):
        labeller(unusual, "cpu", Strategy(size=(wrong, wrong)))
