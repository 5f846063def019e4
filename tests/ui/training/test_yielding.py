"""The live view gives its device to a training, and has it back."""

from dataclasses import replace

import pytest
from PySide6.QtWidgets import QCheckBox

from segstudio.store.models import list_models
from segstudio.ui.bridge.background import Background
from segstudio.ui.panels.models import ModelPanel
from segstudio.ui.training.trainer import Sources, Trainer
from segstudio.ui.training.wiring import LiveOf
from segstudio.ui.training.yielding import Yielding

WAIT = 20_000


class Live:
    """A live view that writes down what is asked of it."""

    def __init__(self, device):
        self.device, self.asked = device, []

    def rest(self, *, on):
        self.asked.append(on)


def predicts(session):
    return session.result is not None and session.result.prediction is not None


def test_a_model_leaves_its_memory_while_a_run_computes_and_comes_back(
    shown, loads, child, run, qtbot
):
    session = shown(5)
    process = child("obedient")
    yielding = Yielding(process, LiveOf(session))
    yielding.want(True)
    assert not yielding.is_resting
    process.start(run)
    qtbot.waitUntil(lambda: loads.made[0].is_closed, timeout=WAIT)
    qtbot.waitUntil(lambda: session.models.status.kind == "resting", timeout=WAIT)
    session.player.seek(7)
    qtbot.waitUntil(lambda: session.result.frame.id.index == 7, timeout=WAIT)
    assert session.result.prediction is None  # pictures go on without masks
    qtbot.waitUntil(lambda: process.record.step == 20, timeout=WAIT)
    process.pause()
    qtbot.waitUntil(lambda: process.state == "paused", timeout=WAIT)
    qtbot.waitUntil(lambda: len(loads.made) == 2, timeout=WAIT)
    qtbot.waitUntil(lambda: predicts(session), timeout=WAIT)
    process.resume()
    qtbot.waitUntil(lambda: loads.made[1].is_closed, timeout=WAIT)
    process.stop_and_keep_best()
    qtbot.waitUntil(lambda: process.state == "ended", timeout=WAIT)
    qtbot.waitUntil(lambda: session.models.status.kind == "ready", timeout=WAIT)
    qtbot.waitUntil(lambda: predicts(session), timeout=WAIT)
    assert not loads.made[2].is_closed


def test_compared_models_rest_too_and_a_choice_meanwhile_holds_afterwards(
    shown, loads, card, qtbot
):
    session = shown(3)
    session.comparison.add(card)
    qtbot.waitUntil(lambda: len(loads.made) == 2, timeout=WAIT)
    qtbot.waitUntil(lambda: bool(session.result.others), timeout=WAIT)
    live = LiveOf(session)
    live.rest(on=True)
    qtbot.waitUntil(lambda: all(one.is_closed for one in loads.made), timeout=WAIT)
    other = replace(card, name="other")
    session.models.cards = (card, other)
    session.models.choose("other")
    session.player.seek(9)
    qtbot.waitUntil(lambda: session.result.frame.id.index == 9, timeout=WAIT)
    assert len(loads.made) == 2
    live.rest(on=False)
    qtbot.waitUntil(lambda: predicts(session) and bool(session.result.others), timeout=WAIT)
    assert session.result.prediction.model == "other"
    assert [one.card.name for one in loads.made[2:]] == ["other", "fake"]


def test_the_model_panel_says_why_there_are_no_masks(session, qtbot):
    panel = ModelPanel(session)
    qtbot.addWidget(panel)
    LiveOf(session).rest(on=True)
    assert "Rests while a model is trained." in panel._status.text()
    LiveOf(session).rest(on=False)
    assert "Loads with the first picture." in panel._status.text()


@pytest.mark.parametrize(
    ("device", "is_wanted"), [("cuda:0", True), ("mps", True), ("cpu", False), ("", False)]
)
def test_it_is_the_custom_on_a_gpu_and_not_on_a_cpu(child, run, qtbot, device, is_wanted):
    live, process = Live(device), child("fine")
    yielding = Yielding(process, live)
    assert yielding.is_wanted == is_wanted
    process.start(run)
    qtbot.waitUntil(lambda: process.state == "ended", timeout=WAIT)
    assert live.asked == ([True, False] if is_wanted else [])


def test_what_a_person_says_holds_at_once(child, run, qtbot):
    live, process = Live("cuda:0"), child("endless")
    yielding = Yielding(process, live)
    process.start(run)
    yielding.want(False)
    yielding.want(True)
    process.close()
    assert live.asked == [True, False, True, False]


def test_the_window_asks_where_there_is_a_live_view(child, labeller, qtbot, tmp_path):
    live, background = Live("mps"), Background()
    sources = Sources(lambda: labeller.project, list_models, lambda: "", live)
    trainer = Trainer(sources, background, process=child("fine"), runs=tmp_path)
    window = trainer.open()
    (box,) = (b for b in window.what.findChildren(QCheckBox) if "live view" in b.text())
    assert box.isVisible()
    assert box.isChecked()
    box.click()
    assert not trainer.yielding.is_wanted
    window.show_page("result")
    assert not box.isVisible()
    trainer.close()
    assert background.close(20) == []
