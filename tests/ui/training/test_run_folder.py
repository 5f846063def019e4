"""Runs on the disk: made, found again when they were interrupted, read again."""

import json
import os
import subprocess
import sys

import pytest

from segstudio.core.classes import CAMVID, ClassDef, ClassMap
from segstudio.core.training import TrainEvent, TrainRecipe
from segstudio.errors import SegStudioError
from segstudio.store.class_sets import load_class_set
from segstudio.ui.training.run_folder import (
    LOG,
    ask,
    events_of,
    find_unfinished,
    last_words,
    lock_of,
    new_run,
    record_of,
)

RECIPE = TrainRecipe(synthetic_share=1.0, steps=1200, base="models/CamVid net")


def test_a_new_run_has_its_recipe_and_a_name_of_its_own(tmp_path):
    first, second = new_run(tmp_path / "runs", RECIPE), new_run(tmp_path / "runs", RECIPE)
    assert first != second
    assert first.name.endswith("CamVid-net")
    assert TrainRecipe.from_json((second / "recipe.json").read_text()) == RECIPE


def test_a_class_set_without_a_name_of_its_own_goes_with_the_run(tmp_path):
    lanes = ClassMap("camvid", (*CAMVID.classes, ClassDef(20, "Lane", (9, 9, 9))))
    known, own = (new_run(tmp_path / "runs", RECIPE, c) for c in (CAMVID, lanes))
    assert TrainRecipe.from_json((known / "recipe.json").read_text()).classes == "camvid"
    named = TrainRecipe.from_json((own / "recipe.json").read_text()).classes
    assert load_class_set(named).classes == lanes.classes


def test_where_no_run_can_be_made_the_sentence_says_so(tmp_path):
    (tmp_path / "runs").write_text("a file")
    with pytest.raises(SegStudioError, match="No run could be made in"):
        new_run(tmp_path / "runs", RECIPE)


def test_wishes_are_the_words_that_training_reads(run):
    from segstudio.train.control import Control

    control = Control(run)
    for want in ("pause", "go", "stop"):
        ask(run, want)
        assert control.wish() == want


def test_a_run_is_read_again_with_its_torn_end(written, story, run):
    events = list(story())[:30]
    written(events)
    with (run / "events.jsonl").open("a") as file:
        file.write('{"event": "step", "st')
    assert list(events_of(run)) == events
    assert record_of(run).step == events[-1].step
    assert list(events_of(run / "nowhere")) == []


@pytest.fixture
def kinds_of_runs(tmp_path, written, story):
    """One folder for each way a run can stand."""
    runs, events = tmp_path / "many", list(story())
    broken_off = [e for e in events if e.step <= 500]
    asked = [*broken_off, TrainEvent("stopped", 501, {"why": "asked to"}),
             TrainEvent("finished", 501, {})]  # fmt: skip
    lost = [*broken_off, TrainEvent("failed", 500, {"why": "The loss is no number."})]
    kinds = {"finished": events, "stopped": asked, "crashed": broken_off, "failed": lost,
             "never": [], "running": broken_off}  # fmt: skip
    for number, (name, told) in enumerate(kinds.items()):
        folder = runs / name
        folder.mkdir(parents=True)
        (folder / "recipe.json").write_text(RECIPE.to_json())
        written(told, folder)
        if told:
            (folder / "last.pt").write_bytes(b"weights")
        for file in folder.iterdir():
            os.utime(file, (1e9 + number, 1e9 + number))
    (runs / "strange").mkdir()
    (runs / "strange" / "recipe.json").write_text("{}[")
    (runs / "later").mkdir()
    (runs / "later" / "recipe.json").write_text(json.dumps({"novelty": 1}))
    (runs / "a file").write_text("")
    return runs


def test_interrupted_runs_are_found_and_no_others(kinds_of_runs):
    lock = lock_of(kinds_of_runs / "running")
    assert lock.tryLock(0)
    found = find_unfinished(kinds_of_runs)
    lock.unlock()
    assert [one.run.name for one in found] == ["never", "failed", "crashed"]
    assert [one.step for one in found] == [0, 400, 400]
    assert {one.steps for one in found} == {1200}
    assert found[1].why == "The loss is no number."
    assert found[0].why == found[2].why == ""


def test_a_dead_window_holds_no_run(kinds_of_runs):
    code = (
        "import os, sys\nfrom pathlib import Path\n"
        "from segstudio.ui.training.run_folder import lock_of\n"
        "lock = lock_of(Path(sys.argv[1]))\nassert lock.tryLock(0)\nos._exit(0)"
    )
    run = kinds_of_runs / "running"
    subprocess.run([sys.executable, "-c", code, str(run)], check=True)
    assert (run / "window.lock").is_file()
    assert "running" in [one.run.name for one in find_unfinished(kinds_of_runs)]


def test_no_folder_has_no_runs(tmp_path):
    assert find_unfinished(tmp_path / "nowhere") == ()


def test_last_words_are_the_end_of_the_log(run):
    assert last_words(run) == ""
    (run / LOG).write_bytes(b"x" * 100_000 + b"\xff the end")
    assert last_words(run).endswith(" the end")
    assert len(last_words(run)) < 20_000
