"""Correct, train, look, adopt: all the parts at once, with a child process that is quickly done."""

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton

from segstudio.core.classes import CAMVID
from segstudio.errors import SegStudioError
from segstudio.store.models import list_models
from segstudio.ui.training import trainer as module
from segstudio.ui.training.gains import gains_of
from segstudio.ui.training.outcome import Outcome
from segstudio.ui.training.trainer import Sources, Trainer

WAIT = 20_000


@pytest.fixture
def trainer(labeller, child, background, tmp_path):
    """On a project with one confirmed frame; closed at the end."""
    made = []

    def make(mode="fine", *, project=labeller.project):
        sources = Sources(lambda: project, list_models, lambda: "bisenet_v2_camvid")
        made.append(Trainer(sources, background, process=child(mode), runs=tmp_path / "mine"))
        return made[0]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def outcome(monkeypatch):
    """What measuring finds, without torch; an exception is raised."""
    card = list_models()[0]
    counts = [np.eye(12, dtype=np.int64) * 90 + 1 for _ in range(3)]

    class Measured:
        value: Outcome | Exception = Outcome(
            card, gains_of(counts, counts, CAMVID), ("a", "b", "c")
        )
        runs: list[Path] = []  # noqa: RUF012

    Measured.runs = []

    def measure(run, report, token):
        Measured.runs.append(run)
        report(1.0, "done")
        if isinstance(Measured.value, Exception):
            raise Measured.value
        return Measured.value

    monkeypatch.setattr(module, "outcome_of", measure)
    return Measured


def press(page, text):
    next(b for b in page.findChildren(QPushButton) if b.text() == text).click()


def test_from_corrected_frames_to_a_model_that_a_person_adopts(labeller, trainer, outcome, qtbot):
    labeller.label(labeller.clip("a"), 1)
    made = trainer()
    new, used, compared = [], [], []
    made.models_changed.connect(lambda: new.append(1))
    made.use_wanted.connect(used.append)
    made.compare_wanted.connect(lambda card, base: compared.append((card, base)))
    window = made.open()
    qtbot.waitUntil(lambda: window.what.can_train, timeout=WAIT)
    press(window.what, "Train")
    qtbot.waitUntil(lambda: window.page == "result" and bool(new), timeout=WAIT)
    assert [run.parent for run in outcome.runs] == [made.runs]
    assert labeller.project.setting("last_run") == outcome.runs[0].name
    assert "Training finished" in window.outcome.message
    assert "3 held-out frames" in window.outcome.message
    assert not used
    press(window.outcome, "Compare with the Old Model")
    assert compared == [(outcome.value.card, "bisenet_v2_camvid")]
    press(window.outcome, "Use for Drafts")
    assert used == [outcome.value.card]
    press(window.outcome, "Train Again")
    assert window.page == "what"


def test_an_interrupted_run_is_found_after_a_restart_and_gone_on_with(
    labeller, trainer, outcome, qtbot, child
):
    labeller.label(labeller.clip("a"), 1)
    made = trainer("endless")
    window = made.open()
    qtbot.waitUntil(lambda: window.what.can_train, timeout=WAIT)
    press(window.what, "Train")
    qtbot.waitUntil(lambda: made.process.record.step == 40, timeout=WAIT)
    made.close()
    made.process = child("fine")
    again = made.open()
    qtbot.waitUntil(lambda: again.what.can_train, timeout=WAIT)
    press(again.what, "Resume")
    qtbot.waitUntil(lambda: again.page == "result", timeout=WAIT)
    qtbot.waitUntil(lambda: bool(outcome.runs), timeout=WAIT)


def test_without_a_project_it_says_what_to_do(trainer, outcome, qtbot):
    window = trainer(project=None).open()
    assert "Nothing is corrected yet" in window.what.message
    assert not window.what.can_train


def test_a_model_that_cannot_be_made_is_a_sentence_and_the_weights_stay(
    labeller, trainer, outcome, qtbot
):
    labeller.label(labeller.clip("a"), 1)
    outcome.value = SegStudioError("The disk is full; make room.")
    made, said = trainer(), []
    made.failed.connect(said.append)
    window = made.open()
    qtbot.waitUntil(lambda: window.what.can_train, timeout=WAIT)
    press(window.what, "Train")
    qtbot.waitUntil(lambda: bool(said), timeout=WAIT)
    assert said == ["The disk is full; make room."]
    assert "The weights are kept in" in window.outcome.message


def test_where_no_run_can_be_made_the_page_says_so(labeller, trainer, outcome, qtbot):
    labeller.label(labeller.clip("a"), 1)
    made = trainer()
    made.runs.write_text("a file where a folder should be")
    window = made.open()
    qtbot.waitUntil(lambda: window.what.can_train, timeout=WAIT)
    press(window.what, "Train")
    qtbot.waitUntil(lambda: "No run could be made" in window.what.message, timeout=WAIT)
    assert window.page == "what"


def test_the_window_comes_back_as_it_was_left(labeller, trainer, outcome, qtbot):
    labeller.label(labeller.clip("a"), 1)
    made = trainer("endless")
    window = made.open()
    qtbot.waitUntil(lambda: window.what.can_train, timeout=WAIT)
    press(window.what, "Train")
    qtbot.waitUntil(lambda: made.process.record.step == 40, timeout=WAIT)
    window.close()
    assert made.process.is_running
    assert made.open() is window
    QTest.qWaitForWindowExposed(window)
    assert window.page == "running"
