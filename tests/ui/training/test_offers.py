"""What the window offers to train, and that the very run goes as it was said."""

from dataclasses import replace

import numpy as np
import pytest

from segstudio.core.training import TrainRecipe
from segstudio.media.open import complete_info, open_source
from segstudio.media.writer import VideoWriter
from segstudio.store.models import find_model, list_models
from segstudio.ui.training.offers import offer_of
from segstudio.ui.training.outcome import outcome_of
from segstudio.ui.training.plans import Order, recipe_of
from segstudio.ui.training.process import TrainingProcess
from segstudio.ui.training.run_folder import events_of, new_run

RECIPE = TrainRecipe(synthetic_share=1.0, steps=1200)


def test_an_offer_has_everything_of_this_project(labeller, tmp_path, written, story):
    labeller.label(labeller.clip("a"), 1)
    runs = tmp_path / "mine"
    mine = new_run(runs, replace(RECIPE, project=str(labeller.project.path)))
    other = new_run(runs, replace(RECIPE, project="other.segproj"))
    for run in (mine, other):
        written([e for e in story() if e.step < 300], run)
    models = list_models()
    offer = offer_of(labeller.project, models, "bisenet_v2_camvid", runs)
    assert offer.plans["confirmed"].frames == offer.plans["painted"].frames == 1
    assert [left.run for left in offer.unfinished] == [mine]
    assert len(offer.speeds) == 2
    assert (offer.bases, offer.base, offer.trouble) == (tuple(models), "bisenet_v2_camvid", "")
    assert offer.classes == labeller.project.classes


def test_runs_lie_in_the_folder_of_the_person(labeller, own_home):
    labeller.clip("a")
    offer = offer_of(labeller.project, ())
    assert offer.unfinished == ()
    assert offer.plans["confirmed"].why_not


@pytest.fixture
def drive(labeller, tmp_path):
    """The project with a real clip whose frames are confirmed; sky above road."""
    with VideoWriter(tmp_path / "drive.mp4", 2, crf=1) as writer:
        for number in range(40):
            rgb = np.full((48, 64, 3), 20 + 5 * number, np.uint8)
            rgb[:, 32:] = 230
            writer.write(rgb)
    source = open_source(tmp_path / "drive.mp4")
    info = complete_info(source)
    record = labeller.project.add_media(
        fingerprint=info.id, title=info.title, kind=info.kind, path=info.path,
        width=info.width, height=info.height, frames=info.frames, pictures=None,
    )  # fmt: skip
    for index in (0, 2, 4, 36, 38):
        frame = source.read(index)
        labeller.label(record.id, index, frame=frame)
    source.close()
    return labeller.project


@pytest.mark.slow
def test_what_was_offered_is_what_the_real_run_trains_on(drive, tmp_path, qtbot):
    (base,) = [card for card in list_models() if card.name == "bisenet_v2_camvid"]
    offer = offer_of(drive, (base,), base.name, tmp_path / "runs")
    plan = offer.plans["confirmed"]
    assert (plan.frames, plan.is_validated, plan.why_not) == (5, True, "")
    changes = {
        "steps": 4,
        "validate_every": 2,
        "batch": 2,
        "crop": (64, 64),
        "short_side": 64,
        "workers": 0,
        "device": "cpu",
        "precision": "fp32",
        "threads": 1,
        "warm_up": 1,
    }
    recipe = recipe_of(Order("confirmed", "quick", base, changes), drive.path, offer.classes)
    run = new_run(tmp_path / "runs", recipe, offer.classes)
    process = TrainingProcess()
    try:
        with qtbot.waitSignal(process.ended, timeout=200_000) as told:
            process.start(run)
    finally:
        process.close()
    assert told.args[1], told.args
    assert process.ending is not None
    assert process.ending.has_result
    assert process.record.sets == ("held out",)
    assert any(plan.held in note for note in process.record.setup.notes)
    assert len(process.record.pictures) == min(3, plan.held_out)
    assert all(picture.prediction.is_file() for picture in process.record.pictures)
    assert [e.kind for e in events_of(run)][-1] == "finished"
    assert offer_of(drive, (base,), base.name, tmp_path / "runs").unfinished == ()
    told = []
    outcome = outcome_of(run, lambda fraction, text: told.append((fraction, text)))
    assert outcome.trouble == ""
    assert outcome.gains is not None
    assert (outcome.gains.frames, len(outcome.frames)) == (plan.held_out, plan.held_out)
    assert outcome.gains.clips == 1
    assert told[-1] == (1.0, f"{plan.held_out} of {plan.held_out} frames")
    assert find_model(outcome.card.name).trained_on.startswith(f"{plan.train} confirmed frames of")
    assert "Fine-tuned from bisenet_v2_camvid" in find_model(outcome.card.name).description
    assert find_model(base.name).sha256 == base.sha256  # the old one is still there
