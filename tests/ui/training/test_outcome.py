"""A run becomes a model among the others, whatever can be said about it."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from segstudio.core.training import TrainRecipe
from segstudio.errors import SegStudioError
from segstudio.store.models import find_model
from segstudio.ui.training.outcome import held_out_of, outcome_of
from segstudio.ui.training.run_folder import new_run

RECIPE = TrainRecipe(
    net_args={"alpha": 0.25, "head_width": 16, "booster_width": 8}, synthetic_share=1.0,
    synthetic_pool=2, steps=1, batch=2, crop=(64, 64), short_side=64, workers=0, device="cpu",
    precision="fp32", threads=1, warm_up=1,
)  # fmt: skip


@pytest.mark.slow
def test_a_run_from_scratch_becomes_a_model_and_nobody_claims_a_gain(tmp_path):
    from segstudio.cli.main import main

    run = new_run(tmp_path / "runs", RECIPE)
    assert main(["train", str(run), "--quiet"]) == 0
    outcome = outcome_of(run)
    assert outcome.gains is None
    card = find_model(run.name)
    assert card.sha256 == outcome.card.sha256
    assert "Trained from scratch in 1 step with seed 1" in card.description


def test_a_run_without_weights_is_one_sentence(tmp_path):
    run = new_run(tmp_path / "runs", RECIPE)
    with pytest.raises(SegStudioError):
        outcome_of(run)


def test_a_run_whose_frames_are_gone_is_one_sentence(tmp_path):
    run = new_run(tmp_path / "runs", RECIPE)
    recipe = TrainRecipe(project=str(Path("gone.segproj")))
    with pytest.raises(SegStudioError, match="cannot be read"):
        held_out_of(run, recipe)


def test_drafts_that_nobody_corrected_grade_no_model(tmp_path, monkeypatch):
    from segstudio.train import corrected, splits

    def sample(name, painted):
        return corrected.CorrectedSample(
            name, "f", "a", 0, "a", 0, None, 40, 25, 1000, painted, drafted_by="old"
        )

    samples = (sample("drawn", 900), sample("touched", 50), sample("draft", 49), sample("as is", 0))
    kept = SimpleNamespace(
        samples=samples, which="confirmed", fingerprint="f" * 32, pair=lambda one: one.name
    )
    found = SimpleNamespace(train=(), held_out=samples, reason="Held out: clip a")
    monkeypatch.setattr(corrected, "load", lambda _: kept)
    monkeypatch.setattr(splits, "split", lambda *_, **__: found)
    held = held_out_of(tmp_path, TrainRecipe(project="some.segproj"))
    assert held.pairs == ("drawn", "touched")
    assert "2 held-out frames are drafts that nobody corrected" in held.left_out
