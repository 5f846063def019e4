"""A whole run in small: it learns, resumes exactly, and becomes a model."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from segstudio.core.catalogue import InputRule, ModelCard
from segstudio.core.classes import CAMVID
from segstudio.core.training import TrainRecipe
from segstudio.errors import ModelError, SegStudioError
from segstudio.nets.registry import NETS
from segstudio.nets.weights import load_into, load_state
from segstudio.store.masks import read_mask, write_mask
from segstudio.store.models import load_card
from segstudio.train import checkpoint
from segstudio.train.export import export_model
from segstudio.train.lineage import data_of, lineage_of
from segstudio.train.loop import fit

RULE = InputRule(short_side=72)


def run_all(recipe, folder, **options):
    folder.mkdir(exist_ok=True)
    return list(fit(recipe, folder, CAMVID, RULE, **options))


def test_a_resumed_run_ends_with_the_very_weights_of_an_unbroken_one(recipe, tmp_path):
    run_all(recipe, tmp_path / "straight")
    done = []

    def after_two():
        done.append(1)
        return len(done) >= 2

    first = run_all(recipe, tmp_path / "broken", should_stop=after_two)
    assert first[-1].step == 2
    run_all(recipe, tmp_path / "broken")
    straight = checkpoint.load(tmp_path / "straight" / "last.pt")
    broken = checkpoint.load(tmp_path / "broken" / "last.pt")
    assert straight["step"] == broken["step"] == 4
    for part in ("net", "average"):
        for key, value in straight[part].items():
            assert torch.equal(value, broken[part][key]), key


def test_the_loss_falls_on_a_set_it_can_learn(recipe, tmp_path):
    longer = replace(
        recipe, steps=40, batch=2, learning_rate=0.05, ohem_threshold=0.0, validate_every=1000
    )
    events = run_all(longer, tmp_path / "run")
    losses = [e.figures["loss"] for e in events if e.kind == "step"]
    assert losses[-1] < losses[0]


def test_validation_names_its_sets_and_classes(recipe, tmp_path):
    events = run_all(recipe, tmp_path / "run")
    sets = {e.figures["set"] for e in events if e.kind == "validated"}
    assert sets == {"validation", "held out"}
    assert {e.kind for e in events} == {"started", "validated", "saved", "finished"}
    judged = next(e for e in events if e.kind == "validated")
    assert set(judged.figures["iou"]) == {c.name for c in CAMVID.classes}


def test_a_finished_run_becomes_a_model_that_answers_like_the_run(recipe, tmp_path):
    run_all(recipe, tmp_path / "run")
    card = ModelCard(
        name="mine",
        title="Mine",
        net=recipe.net,
        classes=CAMVID,
        input=RULE,
        folder=tmp_path / "mine",
        weights="weights.safetensors",
    )
    done = export_model(tmp_path / "run" / "last.pt", recipe, card)
    again = load_card(tmp_path / "mine")
    assert again.sha256 == done.sha256
    assert again.params == done.params
    assert again.net_args["boosters"] is False
    assert again == done
    scores = {score.dataset: score for score in again.scores}
    for score in scores.values():
        assert set(score.per_class) <= {c.name for c in CAMVID.classes}
        assert score.miou == pytest.approx(
            sum(score.per_class.values()) / len(score.per_class), abs=1e-4
        )
    said = again.lineage
    assert (said.model, said.base, said.run, said.step, said.seed) == ("mine", "", "run", 4, 1)
    assert said.seconds > 0
    assert said.recipe["net"] == "bisenet_v2"
    assert said.versions["torch"] == torch.__version__
    assert "thread" in said.hardware
    assert [(part.name, part.frames) for part in said.data] == [("set/images without b", 3)]
    assert str(tmp_path) not in (tmp_path / "mine" / "card.json").read_text()
    shipped = NETS.get("bisenet_v2").build(11, **again.net_args).eval()
    load_into(shipped, load_state(again.folder / again.weights), source="mine")
    trained = NETS.get("bisenet_v2").build(11, **recipe.net_args).eval()
    state = checkpoint.load(tmp_path / "run" / "last.pt")["average"]
    trained.load_state_dict(
        {k.removeprefix("module."): v for k, v in state.items() if k != "n_averaged"}
    )
    x = torch.randn(1, 3, 64, 96, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        ours, theirs = shipped(x).logits, trained(x).logits
    assert (ours - theirs).abs().max() < 0.05 * theirs.abs().max()


def test_the_content_of_folders_is_known_by_labels_and_sizes(recipe, tmp_path):
    before = data_of(recipe, tmp_path)
    assert data_of(recipe, tmp_path) == before
    file = sorted(Path(recipe.train[0].labels).iterdir())[0]
    labels = read_mask(file).copy()
    labels[0, 0] = (labels[0, 0] + 1) % 11
    write_mask(file, labels, CAMVID.palette())
    after = data_of(recipe, tmp_path)
    assert [part.frames for part in after] == [part.frames for part in before]
    assert after != before


def test_a_checkpoint_that_tells_nothing_of_its_origin_has_one_by_the_recipe(recipe, tmp_path):
    run_all(recipe, tmp_path / "run")
    state = checkpoint.load(tmp_path / "run" / "last.pt")
    known = lineage_of(state, recipe, tmp_path / "run" / "last.pt")
    for key in ("origin", "seconds", "date"):
        state.pop(key)
    old = lineage_of(state, recipe, tmp_path / "run" / "last.pt")
    assert (old.data, old.recipe, old.step, old.run) == (
        known.data, known.recipe, known.step, known.run,
    )  # fmt: skip
    assert (old.hardware, old.seconds) == ("", None)
    assert old.date


def test_time_goes_on_where_a_run_was_broken_off(recipe, tmp_path):
    run_all(replace(recipe, steps=2), tmp_path / "run")
    first = checkpoint.load(tmp_path / "run" / "last.pt")["seconds"]
    run_all(recipe, tmp_path / "run")
    assert 0 < first < checkpoint.load(tmp_path / "run" / "last.pt")["seconds"]


def test_a_damaged_checkpoint_is_an_error_with_a_remedy(recipe, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    (run / "last.pt").write_bytes(b"not a checkpoint")
    with pytest.raises(ModelError, match="delete it to start this run over"):
        run_all(recipe, run)


def test_a_crop_that_the_net_cannot_take_is_refused_with_the_next_sizes(recipe, tmp_path):
    with pytest.raises(ModelError, match=r"cannot take 100×64.*choose 96×64 or 128×64"):
        run_all(replace(recipe, crop=(100, 64)), tmp_path)


def test_a_recipe_survives_json_and_refuses_nonsense(recipe):
    assert TrainRecipe.from_json(recipe.to_json()) == recipe
    with pytest.raises(SegStudioError, match="start a new run"):
        TrainRecipe.from_json('{"colour": "blue"}')
    with pytest.raises(SegStudioError, match="too small"):
        replace(recipe, crop=(16, 100))
    with pytest.raises(SegStudioError, match="nothing to train on"):
        replace(recipe, train=(), synthetic_share=0.2)
