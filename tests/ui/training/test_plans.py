"""What would be trained on, why not, and how long it takes."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from segstudio.core.catalogue import InputRule, ModelCard
from segstudio.core.classes import CAMVID, ClassDef, ClassMap
from segstudio.core.training import TrainEvent, TrainRecipe
from segstudio.errors import SegStudioError
from segstudio.ui.training.plans import (
    CHOICES,
    Order,
    Speed,
    class_change,
    described,
    duration,
    plan_of,
    recipe_of,
    seconds_of,
    speeds,
    suggested,
)

CARD = ModelCard(
    "camvid", "CamVid", "bisenet_v2", CAMVID, InputRule(short_side=360), Path("models/camvid"),
    "weights.safetensors", net_args={"head_width": 64},
)  # fmt: skip


def test_frames_clips_and_what_is_held_out_are_counted(labeller):
    for clip in ("a", "b", "c", "d"):
        media = labeller.clip(clip)
        for index in range(5):
            labeller.label(media, 10 * index)
    labeller.label(media, 90, confirm=False)
    plan = plan_of(labeller.project, "confirmed")
    assert plan.sentence == "20 confirmed frames of 4 clips"
    assert (plan.train, plan.held_out, plan.why_not) == (15, 5, "")
    assert plan.is_validated
    assert plan.held.startswith("Held out: clip ")
    painted = plan_of(labeller.project, "painted")
    assert painted.sentence == "Human-painted pixels of 21 frames of 4 clips"


def test_held_out_drafts_that_nobody_corrected_are_told_before_a_run(labeller):
    for clip in ("a", "b"):
        labeller.label(labeller.clip(clip), 3, drafted_by="old")
    plan = plan_of(labeller.project, "confirmed")
    assert plan.held_out == 1
    assert not plan.is_validated
    assert "1 held-out frame is a draft that nobody corrected, so it grades no model" in plan.held
    assert "nothing is judged" in plan.held


def test_one_frame_is_trained_on_and_nothing_judged(labeller):
    labeller.label(labeller.clip("a"), 3)
    plan = plan_of(labeller.project, "confirmed")
    assert plan.sentence == "1 confirmed frame of 1 clip"
    assert not plan.why_not
    assert not plan.is_validated
    assert "Nothing is held out" in plan.held


def test_an_untouched_project_says_what_to_do(labeller):
    labeller.clip("a")
    confirmed, painted = (plan_of(labeller.project, w).why_not for w in ("confirmed", "painted"))
    assert confirmed == "No frame is confirmed yet; correct some frames and confirm them."
    assert painted == "Nobody painted a pixel yet; correct some frames first."


def test_painted_frames_that_nobody_confirmed_are_pointed_to(labeller):
    labeller.label(labeller.clip("a"), 3, confirm=False)
    why = plan_of(labeller.project, "confirmed").why_not
    assert why.endswith("or train on every painted pixel.")
    assert plan_of(labeller.project, "painted").why_not == ""


def test_one_class_alone_teaches_nothing(labeller):
    media = labeller.clip("a")
    for index in (1, 2, 3):
        labeller.label(media, index, classes=(3, 3))
    assert plan_of(labeller.project, "confirmed").why_not.startswith("All labels are Road;")
    labeller.label(media, 4, classes=(3, 5))
    assert plan_of(labeller.project, "confirmed").why_not == ""


def test_void_alone_teaches_nothing(labeller):
    labeller.label(labeller.clip("a"), 1, classes=(255, 255))
    assert plan_of(labeller.project, "confirmed").why_not != ""


@pytest.mark.parametrize("preset", CHOICES)
def test_every_preset_makes_a_recipe_of_the_base_and_says_what_it_is(preset):
    recipe = recipe_of(Order("painted", preset, CARD), Path("drive.segproj"), CAMVID)
    assert recipe.base == ("" if preset == "scratch" else "models/camvid")
    assert (recipe.net, recipe.net_args) == ("bisenet_v2", {"head_width": 64})
    assert (recipe.project, recipe.frames, recipe.short_side) == ("drive.segproj", "painted", 360)
    assert TrainRecipe.from_json(recipe.to_json()) == recipe
    assert described(preset).endswith(".")


def test_what_was_set_by_hand_wins_and_nonsense_is_refused():
    order = Order("confirmed", "quick", CARD, {"steps": 77, "learning_rate": 0.5})
    recipe = recipe_of(order, Path("drive.segproj"), CAMVID)
    assert (recipe.steps, recipe.learning_rate) == (77, 0.5)
    with pytest.raises(SegStudioError, match="too small"):
        recipe_of(replace(order, changes={"crop": (8, 8)}), Path("drive.segproj"), CAMVID)


@pytest.mark.parametrize(("frames", "preset"), [(1, "quick"), (10, "quick"), (11, "standard"),
                                                (50, "standard"), (51, "full")])  # fmt: skip
def test_more_frames_suggest_more_training(frames, preset):
    assert suggested(frames) == preset


def test_other_classes_are_told_before_they_are_learned():
    two = ClassMap("two", (ClassDef(0, "Road", (1, 1, 1)), ClassDef(1, "Lane", (2, 2, 2))))
    assert class_change(CAMVID, CAMVID) == ""
    assert class_change(CAMVID, two).startswith("Lane is new to the base")
    fewer = ClassMap("one", CAMVID.classes[:3])
    assert "the others are forgotten" in class_change(CAMVID, fewer)


def test_time_is_known_from_runs_of_the_same_net(run, written):
    rate = [TrainEvent("step", 20, {"samples_per_s": 40.0})]
    written(rate)
    recipe = TrainRecipe.from_json((run / "recipe.json").read_text())
    known = speeds(run.parent)
    assert known == (Speed("bisenet_v2", 40.0 * 256 * 320),)
    assert seconds_of(recipe, known) == pytest.approx(recipe.steps * recipe.batch / 40)
    assert seconds_of(replace(recipe, net="icnet"), known) is None
    assert speeds(run / "nowhere") == ()


@pytest.mark.parametrize(("seconds", "text"), [
    (0, "0 s"), (40.4, "40 s"), (300, "5 min"), (3 * 3600 + 20 * 60, "3 h 20 min"),
    (7200, "2 h"), (36_000 * 5, "50 h"), (float("nan"), "–"),
])  # fmt: skip
def test_durations_are_short(seconds, text):
    assert duration(seconds) == text


def test_planning_needs_no_torch(labeller, tmp_path):
    labeller.label(labeller.clip("a"), 1)
    labeller.project.close()
    code = (
        "import sys\nfrom pathlib import Path\nfrom segstudio.store.project import Project\n"
        "from segstudio.ui.training.plans import described, plan_of, recipe_of\n"
        "project = Project.open(Path(sys.argv[1]))\nplan_of(project, 'confirmed')\n"
        "described('quick')\nproject.close()\nprint('torch' in sys.modules)"
    )
    path = str(labeller.project.path)
    said = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True)
    assert (said.stdout.strip(), said.stderr) == ("False", "")
