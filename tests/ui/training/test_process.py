"""A run in a process of its own: watched, asked, killed, broken, and resumed."""

import os
import signal
from pathlib import Path

import pytest

from segstudio.errors import SegStudioError
from segstudio.ui.training.process import TrainingProcess

WAIT = 20_000
posix = pytest.mark.skipif(os.name != "posix", reason="signals and sessions are POSIX's")


@pytest.fixture
def ended(qtbot, run):
    """Starts a process and waits for its end; returns (reason, is_fine)."""

    def wait(process):
        with qtbot.waitSignal(process.ended, timeout=WAIT) as signal_:
            process.start(run)
        return tuple(signal_.args)

    return wait


def heard(process, kind):
    """A condition: an event of that kind has come."""
    kinds = []
    process.progressed.connect(lambda event: kinds.append(event.kind))
    return lambda: kind in kinds


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rsplit(")", 1)[1].split()[0] != "Z"


def test_a_run_reports_and_ends(child, ended):
    process, events, states = child("fine"), [], []
    process.progressed.connect(events.append)
    process.state_changed.connect(lambda: states.append(process.state))
    reason, is_fine = ended(process)
    assert is_fine
    assert "best weights are those of step 40, mIoU 70.0 %" in reason
    assert [e.kind for e in events] == [
        "started", "step", "step", "novelty", "validated", "saved", "finished"]  # fmt: skip
    assert states == ["starting", "running", "ended"]
    assert process.record.loss[0].tolist() == [20, 40]
    assert [e.kind for e in process.record.strange] == ["novelty"]
    assert process.ending is not None
    assert process.ending.has_result


def test_it_pauses_goes_on_and_stops_with_the_best(child, qtbot, run):
    process = child("obedient")
    process.start(run)
    qtbot.waitUntil(lambda: process.state == "running", timeout=WAIT)
    process.pause()
    assert process.state == "pausing"
    qtbot.waitUntil(lambda: process.state == "paused", timeout=WAIT)
    assert process.record.state == "paused"
    process.resume()
    qtbot.waitUntil(lambda: process.state == "running", timeout=WAIT)
    with qtbot.waitSignal(process.ended, timeout=WAIT) as told:
        process.stop_and_keep_best()
        assert process.state == "stopping"
    assert told.args == [
        "Stopped after step 21 (asked to); the best weights are those of step 21, mIoU 50.0 %.",
        True,
    ]


def test_a_wish_from_before_it_was_heard_is_not_lost(child, qtbot, run):
    process = child("late")
    process.start(run)
    with qtbot.waitSignal(process.ended, timeout=WAIT) as told:
        process.stop_and_keep_best()
    assert told.args[1]
    assert process.state == "ended"


def test_what_cannot_be_asked_is_said_and_the_run_goes_on(child, qtbot, run):
    process = child("endless")
    process.start(run)
    qtbot.waitUntil(heard(process, "step"), timeout=WAIT)
    (run / "control.json").mkdir()
    with qtbot.waitSignal(process.noticed, timeout=WAIT) as told:
        process.pause()
    assert "control.json could not be written" in told.args[0]
    assert process.state == "running"
    assert process.is_running


def test_cancelled_it_can_be_resumed(child, qtbot, run):
    process = child("endless")
    process.start(run)
    qtbot.waitUntil(heard(process, "step"), timeout=WAIT)
    with qtbot.waitSignal(process.ended, timeout=WAIT) as told:
        process.kill()
    assert told.args == ["Cancelled at step 40; it can be resumed from step 20.", True]
    again = child("fine")
    with qtbot.waitSignal(again.ended, timeout=WAIT):
        again.start(run)
        assert again.record.loss[0].tolist() == [40]  # what the first had reported
    assert again.record.loss[0].tolist() == [20, 40]


@posix
def test_its_helpers_end_with_it(child, qtbot, run):
    process, helpers = child("helped"), []
    process.progressed.connect(lambda e: helpers.append(e.figures.get("helper")))
    process.start(run)
    qtbot.waitUntil(lambda: len(helpers) == 2, timeout=WAIT)
    with qtbot.waitSignal(process.ended, timeout=WAIT):
        process.kill()
    qtbot.waitUntil(lambda: not is_alive(helpers[1]), timeout=WAIT)


@posix
def test_it_is_humble_and_has_a_session_of_its_own(child, ended):
    process, events = child("humble"), []
    process.progressed.connect(events.append)
    ended(process)
    figures = events[1].figures
    assert figures["nice"] >= 10
    assert figures["session"] == figures["pid"] != os.getsid(0)


@posix
def test_killed_by_the_system_in_the_middle_of_a_line(child, ended):
    process = child("torn")
    reason, is_fine = ended(process)
    assert not is_fine
    assert reason == (
        "The system ended the training at step 20, most likely because memory ran out; close other"
        " programs or choose a smaller crop, then resume it from step 20."
    )
    assert process.record.loss[0].tolist() == []


@posix
@pytest.mark.parametrize(("with_", "says"), [
    (signal.SIGKILL, "memory ran out"), (signal.SIGTERM, "Something outside ended"),
    (signal.SIGABRT, "crashed at step 40 (signal 6)"),
])  # fmt: skip
def test_a_signal_from_outside_is_one_sentence(child, qtbot, run, with_, says):
    process = child("endless")
    process.start(run)
    qtbot.waitUntil(heard(process, "step"), timeout=WAIT)
    with qtbot.waitSignal(process.ended, timeout=WAIT) as told:
        os.killpg(process.group, with_)
    assert says in told.args[0]
    assert "resume it from step 20" in told.args[0]
    assert not told.args[1]


@pytest.mark.parametrize(("mode", "says"), [
    ("refuses", "The crop is too large; use a smaller one."),
    ("bug", "An error of the program ended the training at step 0 (RuntimeError: what nobody"),
    ("silent", "without a word of being finished"),
    pytest.param("segv", "crashed at step 0 (signal 11); start it again", marks=posix),
])  # fmt: skip
def test_every_bad_end_is_one_sentence_with_a_remedy(child, ended, mode, says):
    reason, is_fine = ended(child(mode))
    assert not is_fine
    assert says in reason
    assert "\n" not in reason


def test_a_program_that_is_not_there_is_one_sentence(child, ended, tmp_path):
    reason, is_fine = ended(child("fine", program=str(tmp_path / "no-python")))
    assert not is_fine
    assert reason.startswith("The training could not be started")
    assert reason.endswith("install SegStudio again and try once more.")


def test_a_last_line_without_an_end_counts_when_it_is_whole(child, ended):
    reason, is_fine = ended(child("unended"))
    assert is_fine
    assert "Finished after 7 steps" in reason


def test_a_line_without_an_end_takes_no_memory(child, ended):
    assert ended(child("flood"))[1]


def test_one_run_at_a_time(child, qtbot, run):
    process = child("endless")
    process.start(run)
    with pytest.raises(SegStudioError, match="going on already"):
        process.start(run)
    with pytest.raises(SegStudioError, match="in another window"):
        child("fine").start(run)


def test_a_folder_without_a_recipe_is_refused(child, tmp_path):
    with pytest.raises(SegStudioError, match="no recipe"):
        child("fine").start(tmp_path)


def test_a_closed_window_leaves_no_process_and_a_run_to_resume(child, qtbot, run):
    process = child("endless")
    process.start(run)
    qtbot.waitUntil(heard(process, "step"), timeout=WAIT)
    group, told = process.group, []
    process.ended.connect(lambda *args: told.append(args))
    process.close()
    assert not process.is_running
    assert not told
    if os.name == "posix":
        assert not is_alive(group)
    child("fine").start(run)  # the lock is free again


def test_wishes_without_a_run_are_nothing(qtbot):
    process = TrainingProcess()
    process.pause()
    process.resume()
    process.stop_and_keep_best()
    process.kill()
    process.close()
    assert process.state == "idle"


@pytest.mark.slow
def test_the_real_command_trains_and_is_stopped(qtbot, run):
    from segstudio.core.training import TrainRecipe

    recipe = TrainRecipe(
        net_args={"head_width": 16}, synthetic_share=1.0, synthetic_pool=2, steps=4000, batch=2,
        crop=(64, 64), short_side=64, workers=0, device="cpu", precision="fp32", threads=1,
    )  # fmt: skip
    (run / "recipe.json").write_text(recipe.to_json())
    process = TrainingProcess()
    try:
        process.start(run)
        qtbot.waitUntil(heard(process, "step"), timeout=120_000)
        with qtbot.waitSignal(process.ended, timeout=120_000) as told:
            process.stop_and_keep_best()
    finally:
        process.close()
    assert told.args[1], told.args
    assert process.record.loss[0][0] == 20
