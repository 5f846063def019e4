"""A run of which no frame is held out: nothing promises figures, nothing is recommended."""

from pathlib import Path

import pytest
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from segstudio.core.catalogue import InputRule, ModelCard
from segstudio.core.classes import CAMVID
from segstudio.core.training import TrainEvent
from segstudio.ui import theme
from segstudio.ui.dialogs.training.window import TrainWindow
from segstudio.ui.training.endings import Exit, ending_of
from segstudio.ui.training.run_record import RunRecord

CARD = ModelCard("new", "New Net", "new", CAMVID, InputRule(), Path(), "weights.safetensors")


def told(*, judged=0, steps=23):
    figures = {"notes": ["Nothing is held out, because of it."]}
    if judged is not None:
        figures["judged_frames"] = judged
    yield TrainEvent("started", 0, figures)
    yield TrainEvent("step", steps, {"loss": 1.0, "lr": 0.01})


def stopped(**more):
    yield from told(**more)
    yield TrainEvent("saved", 23, {"file": "last.pt", "is_best": True})
    yield TrainEvent("stopped", 23, {"why": "asked to"})


@pytest.fixture
def window(qtbot, child, background):
    theme.apply(QApplication.instance(), "dark")
    made = TrainWindow(None, child("fine"), background)
    qtbot.addWidget(made)
    made.show()
    QTest.qWaitForWindowExposed(made)
    return made


def test_while_it_starts_the_work_before_the_first_step_is_counted(window):
    page = window.running
    page.show_run(RunRecord(), "starting", 23)
    assert page._bar.maximum() == 0  # nobody knows how long
    copying = {"what": "copying the corrected frames", "done": 3, "of": 12}
    page.show_run(RunRecord.of([TrainEvent("preparing", 0, copying)]), "starting", 23)
    assert page.message.startswith("Starting: copying the corrected frames, 3 of 12")
    assert page._bar.value() / page._bar.maximum() == 0.25
    huge = {"what": "copying", "done": 2**52, "of": 2**53 - 1}
    page.show_run(RunRecord.of([TrainEvent("preparing", 0, huge)]), "starting", 23)
    assert page._bar.value() == 500
    page.show_run(RunRecord.of(told()), "running", 23)
    assert page.message.startswith("Training")


@pytest.mark.parametrize("judged", [0, None])
def test_stopped_it_calls_no_weights_the_best(judged):
    ending = ending_of(RunRecord.of(stopped(judged=judged)), Exit(), has_checkpoint=True)
    assert "the last weights (step 23) are kept, and nobody has judged them" in ending.reason
    assert "best" not in ending.reason
    assert not ending.is_judged
    assert ending.has_result


def test_a_run_that_judges_is_told_as_before(story):
    record = RunRecord.of(story())
    assert not record.is_unjudged
    assert ending_of(record, Exit(), has_checkpoint=True).is_judged
    assert not RunRecord.of(told(judged=12)).is_unjudged


def test_the_running_page_promises_no_figures(window, story):
    page = window.running
    window.show_page("running")
    page.show_run(RunRecord.of(told()), "running", 1500)
    assert page._iou._says.text() == "No frame is held out, so there are no figures."
    assert not page._pictures.isVisible()
    assert not page._toggles.isVisible()
    assert page._stop.text() == "Stop and Keep Last"
    page.show_run(RunRecord.of(told()), "stopping", 1500)
    assert "judged" not in page.message
    page.show_run(RunRecord.of(story()), "running", 1200)
    assert page._stop.text() == "Stop and Keep Best"
    assert page._toggles.isVisible()


def test_the_result_recommends_nothing(window):
    ending = ending_of(RunRecord.of(stopped()), Exit(), has_checkpoint=True)
    window.outcome.show_ending(ending, is_measuring=True, can_resume=True)
    window.show_page("result")
    assert "held out" not in window.outcome.message
    window.show_result(CARD, None)
    page = window.outcome
    assert "nobody knows" in page.message
    for one in (page._use, page._compare):
        assert one.isEnabled()
        assert one.property("look") != "primary"
        assert not one.isDefault()


def test_whether_the_live_view_rests_is_asked_in_the_form(window, qtbot):
    assert not window.what._yield.isVisible()
    window.show_page("what")
    window.show_yielding(is_on=True)
    assert window.what._yield.isVisible()
    assert window.what._yield.isChecked()
    assert not window._foot.isVisible()
    with qtbot.waitSignal(window.yield_wanted) as caught:
        window.what._yield.click()
    assert caught.args == [False]
    window.show_page("running")
    assert window._foot.isVisible()
