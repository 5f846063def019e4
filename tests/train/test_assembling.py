"""What a recipe names is found, and what is judged is never trained on."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from segstudio.core.catalogue import InputRule, ModelCard
from segstudio.core.classes import CAMVID, VOID, ClassDef, ClassMap
from segstudio.core.origins import CONFIRMED, MODEL, PAINTED
from segstudio.core.prediction import Logits, Prediction, Timing
from segstudio.engine.ranks import ALONE
from segstudio.errors import SegStudioError
from segstudio.store.masks import write_mask
from segstudio.store.models import find_model
from segstudio.store.project import Project
from segstudio.train import assembling
from segstudio.train.assembling import assemble, judged_by
from segstudio.train.corrected import corrected_frames, load, may_grade
from segstudio.train.distributed import Team
from segstudio.train.export import export_model
from segstudio.train.lineage import data_of
from segstudio.train.loop import fit
from segstudio.train.splits import split

RULE = InputRule(short_side=72)
TEAM = Team(ALONE, torch.device("cpu"))


@pytest.fixture
def small(recipe):
    return replace(
        recipe, net="unet_padded", net_args={"width": 4}, steps=2, learning_rate=0.01, loss="ce"
    )


@pytest.fixture
def project(corrector):
    """Two clips of eight and nine frames, one with two classes confirmed in each."""
    made = corrector()
    for number, title in enumerate(("one.mp4", "two.mp4")):
        clip = made.clip(title, frames=8 + number)
        made.paint(clip, 1, 3 + number, (0, 0, 48, 32))
        made.paint(clip, 1, 8, (0, 32, 48, 64))
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
    assert found.corrected.samples == trained
    pixels = found.samples._class_pixels
    assert pixels.sum() == sum(s.pixels for s in trained)  # what crops look for rare classes by
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
    corrected = load(run / "corrected")
    assert done.lineage.base == "base"
    assert done.lineage.base_sha256 == find_model(str(tmp_path / "base")).sha256
    assert [one.model for one in done.lineage.earlier] == ["base"]
    assert done.lineage.data[0].fingerprint == corrected.fingerprint
    assert done.lineage.data[0].frames == 1


class Sure:
    """A base model that takes everything for Tree, beyond doubt."""

    def __init__(self, card, device):
        self.card = card

    def predict(self, frame):
        h, w = frame.rgb.shape[:2]
        values = np.zeros((11, 2, 2), np.float32)
        values[5] = 20
        labels, ids = np.full((h, w), 5, np.uint8), np.arange(11, dtype=np.uint8)
        return Prediction(
            frame, "base", CAMVID, labels, np.bincount(labels.ravel(), minlength=256),
            Logits(values, (h, w), False, ids), Timing(0, 0, 0), (h, w), "cpu",
        )  # fmt: skip

    def close(self):
        pass


def test_what_the_base_is_sure_of_is_a_share_of_the_samples_and_never_of_the_judged_clip(
    of_project, tmp_path, monkeypatch
):
    monkeypatch.setattr(assembling, "Predictor", Sure)
    monkeypatch.setattr(assembling, "find_model", lambda name: name)
    recipe = replace(of_project, base="base", replay_share=0.3, augment="mild", batch=5)
    told = []
    found = assemble(recipe, tmp_path, CAMVID, RULE, TEAM, told.append)
    assert found.samples._mix.counts(0, 10) == {"corrected frames": 7, "labels of the old model": 3}
    assert {event.kind for event in told} == {"preparing"}
    copied, labelled = ([e.figures for e in told if word in e.figures["what"]]
                        for word in ("copying", "labelling"))  # fmt: skip
    assert copied[0]["done"] == 1
    assert copied[-1]["done"] == copied[-1]["of"] == 2
    assert labelled
    again = []
    assemble(recipe, tmp_path, CAMVID, RULE, TEAM, again.append)
    assert not again  # all of it is there
    weights = [found.samples[i][2].unique().tolist() for i in range(10)]
    assert sum(0.5 in values for values in weights) == 3  # half as much as a human's
    (judged,) = found.sets["held out"]
    clip = judged.name.partition("_")[0]
    said = found.samples._mix.replay.sources[0].pairs
    assert said
    assert not any(pair.name.startswith(clip) for pair in said)
    assert any("as the base model sees them" in note for note in found.notes)
    parts = data_of(recipe, tmp_path, found.corrected)
    assert [(part.name, part.frames) for part in parts] == [
        ("corrected frames of mine.segproj", 1), ("labels of the old model", len(said)),
    ]  # fmt: skip
    assert all(part.fingerprint for part in parts)


def test_drafts_that_nobody_corrected_judge_nothing_while_training(corrector, of_project, tmp_path):
    made = corrector("drafted.segproj")
    for number, origin in enumerate((PAINTED, MODEL, MODEL)):
        clip = made.clip(f"{number}.mp4", frames=8 + number)
        made.paint(clip, 1, 3, (0, 0, 48, 32), origin=origin)
        made.paint(clip, 1, 4, (0, 32, 48, 64), origin=origin)
        made.confirm(clip, 1, drafted_by="base" if origin == MODEL else "")
    recipe = replace(of_project, project=str(made.close()))
    assemble(recipe, tmp_path, CAMVID, RULE, TEAM)
    samples = load(tmp_path / "corrected").samples
    assert [s.may_grade for s in samples] == [True, False, False]
    assert [s.drafted_by for s in samples] == ["", "base", "base"]
    opened = Project.open(Path(recipe.project), read_only=True)
    assert [may_grade(s) for s in corrected_frames(opened, "confirmed")] == [True, False, False]
    opened.close()
    told = {}
    for seed in range(12):  # another clip is held out
        seeded = replace(recipe, seed=seed)
        held = split(samples, seed=seed).held_out
        found = assemble(seeded, tmp_path, CAMVID, RULE, TEAM)
        judged = found.sets.get("held out", [])
        assert [p.name for p in judged] == [s.name for s in held if s.may_grade]
        told[bool(judged)] = found.notes
    assert any("none is left, so nothing is judged" in note for note in told[False])
    assert not any("draft" in note for note in told[True])


def test_a_picture_that_a_person_made_without_a_draft_grades(corrector, of_project, tmp_path):
    made = corrector("drawn.segproj")
    for title in ("one.mp4", "three.mp4"):
        clip = made.clip(title, frames=5 + len(title))
        made.paint(clip, 1, 3, (0, 0, 48, 32), origin=CONFIRMED)
        made.paint(clip, 1, 4, (0, 32, 48, 64), origin=CONFIRMED)
    found = assemble(replace(of_project, project=str(made.close())), tmp_path, CAMVID, RULE, TEAM)
    assert len(found.sets["held out"]) == 1


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        (VOID, "Nothing in the labels of 3 frames has one of the 11 classes of 'camvid'"),
        (3, "All labels of 3 frames are Road; label a second class"),
        (77, "all of it is void"),
    ],
)
@pytest.mark.parametrize("augment", ["classic", "mild"])
def test_labels_that_teach_nothing_are_refused(small, tmp_path, labels, says, augment):
    for folder in small.train:
        for file in Path(folder.labels).iterdir():
            write_mask(file, np.full((72, 96), labels, np.uint8), None)
    recipe = replace(small, augment=augment)
    with pytest.raises(SegStudioError, match=says):
        assemble(recipe, tmp_path, CAMVID, RULE, TEAM)
    if labels == 3:  # earlier data has other classes
        assemble(replace(recipe, synthetic_share=0.5), tmp_path, CAMVID, RULE, TEAM)


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
