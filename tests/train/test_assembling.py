"""What a recipe names is found, and what is judged is never trained on."""

from dataclasses import replace

import pytest
import torch

from segstudio.core.catalogue import InputRule, ModelCard
from segstudio.core.classes import CAMVID, ClassDef, ClassMap
from segstudio.engine.ranks import ALONE
from segstudio.errors import SegStudioError
from segstudio.train.assembling import assemble, judged_by
from segstudio.train.distributed import Team
from segstudio.train.export import export_model
from segstudio.train.loop import fit

RULE = InputRule(short_side=72)
TEAM = Team(ALONE, torch.device("cpu"))


@pytest.fixture
def small(recipe):
    return replace(
        recipe, net="unet_padded", net_args={"width": 4}, steps=2, learning_rate=0.01, loss="ce"
    )


@pytest.fixture
def project(corrector):
    """Two clips of eight and nine frames, one confirmed in each."""
    made = corrector()
    for number, title in enumerate(("one.mp4", "two.mp4")):
        clip = made.clip(title, frames=8 + number)
        made.paint(clip, 1, 3 + number, (0, 0, 48, 64))
        made.confirm(clip, 1)
    return str(made.close())


@pytest.fixture
def of_project(small, project):
    return replace(small, train=(), validate=(), project=project)


def test_a_clip_of_a_project_is_trained_on_and_the_other_judged(small, of_project, tmp_path):
    recipe = replace(
        of_project,
        replay=small.train,
        replay_share=0.5,
        augment="mild",
        class_weights="median_frequency",
    )
    found = assemble(recipe, tmp_path, CAMVID, RULE, TEAM)
    judged = judged_by(recipe, tmp_path)["held out"]
    assert found.sets["held out"] == judged
    assert len(judged) == 1
    trained = found.samples._mix.new[0].samples
    assert {s.name for s in trained}.isdisjoint(p.name for p in judged)
    assert found.samples._mix.counts(0, 10) == {"corrected frames": 5, "earlier data": 5}
    assert len(found.weights) == len(CAMVID)
    assert found.fingerprint
    assert any("Held out" in note for note in found.notes)


def test_a_base_labels_what_nobody_labelled_and_the_model_is_judged_on_the_clip(
    small, of_project, tmp_path
):
    (tmp_path / "base run").mkdir()
    list(fit(small, tmp_path / "base run", CAMVID, RULE))
    card = ModelCard(
        name="base",
        title="Base",
        net=small.net,
        classes=CAMVID,
        input=RULE,
        folder=tmp_path / "base",
        weights="weights.safetensors",
    )
    export_model(tmp_path / "base run" / "last.pt", small, card)
    run = tmp_path / "run"
    run.mkdir()
    tuned = replace(of_project, base=str(tmp_path / "base"), replay_share=0.3, norms="frozen")
    events = list(fit(tuned, run, CAMVID, RULE))
    assert {e.figures["set"] for e in events if e.kind == "validated"} == {"held out"}
    assert (run / "earlier" / "manifest.json").is_file()
    better = replace(card, name="tuned", folder=tmp_path / "tuned")
    done = export_model(run / "last.pt", tuned, better)
    assert [score.dataset for score in done.scores] == ["held out"]


def test_folders_mix_with_drives_by_rule(small, tmp_path):
    recipe = replace(
        small, augment="mild", replay=small.train, synthetic_share=0.2, synthetic_pool=3
    )
    found = assemble(recipe, tmp_path, CAMVID, RULE, TEAM)
    counts = found.samples._mix.counts(0, 100)
    assert counts["synthetic drive"] == 20
    assert sum(counts.values()) == 100


def test_other_classes_than_the_projects_are_refused(of_project, tmp_path):
    other = ClassMap("other", (ClassDef(0, "Road", (1, 2, 3)),))
    with pytest.raises(SegStudioError, match="has the classes of 'camvid', but the run those of"):
        assemble(of_project, tmp_path, other, RULE, TEAM)
