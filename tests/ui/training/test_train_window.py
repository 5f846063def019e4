"""The training window: what, how it goes, what it brought; with a real child process."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QCheckBox, QComboBox, QPushButton

from segstudio.core.catalogue import InputRule, ModelCard
from segstudio.core.classes import CAMVID, ClassDef, ClassMap
from segstudio.core.training import TrainEvent, TrainRecipe
from segstudio.store.masks import write_mask, write_picture
from segstudio.ui import theme
from segstudio.ui.dialogs.training.chart import Chart
from segstudio.ui.dialogs.training.gains_table import GainsTable
from segstudio.ui.dialogs.training.pictures import HeldOut
from segstudio.ui.dialogs.training.window import TrainWindow
from segstudio.ui.training.endings import Ending
from segstudio.ui.training.gains import gains_of
from segstudio.ui.training.offers import Offer
from segstudio.ui.training.plans import Plan, Speed
from segstudio.ui.training.run_folder import find_unfinished, new_run
from segstudio.ui.training.run_record import RunRecord

WAIT = 20_000
CARD = ModelCard(
    "camvid", "BiSeNet V2 · CamVid", "bisenet_v2", CAMVID, InputRule(short_side=360),
    Path("models/camvid"), "weights.safetensors",
)  # fmt: skip
OTHER = replace(CARD, name="icnet", title="ICNet", net="icnet", folder=Path("models/icnet"))
OFFER = Offer(
    project=Path("drive.segproj"),
    classes=CAMVID,
    plans={
        "confirmed": Plan(
            "confirmed", 23, 4, 18, 5, "Held out: clip 2 of 4 (5 of 23 frames).", True
        ),
        "painted": Plan("painted", 70, 1, 60, 0, "Nothing is held out, because of it.", False),
    },
    bases=(CARD, OTHER),
    base="camvid",
    speeds=(Speed("bisenet_v2", 60.0 * 256 * 320),),
)
NONE = Plan("confirmed", why_not="No frame is confirmed yet; confirm some.")


@pytest.fixture
def window(qtbot, child, background):
    """Shows a window on a process of that mode."""
    theme.apply(QApplication.instance(), "dark")

    def make(mode="fine") -> TrainWindow:
        made = TrainWindow(None, child(mode), background)
        qtbot.addWidget(made)
        made.show_offer(OFFER)
        made.show()
        QTest.qWaitForWindowExposed(made)
        return made

    return make


def named(widget, text, kind=QAbstractButton):
    """The button of that text, or of that accessible name."""
    found = [b for b in widget.findChildren(kind) if text in (b.text(), b.accessibleName())]
    assert len(found) == 1, (text, [b.text() for b in widget.findChildren(kind)])
    return found[0]


def counts(right, seed=1, frames=6):
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(frames):
        one = rng.integers(0, 9, (12, 12))
        one[:, -1] = one[-1] = 0
        one[np.diag_indices(11)] = 100 * right
        made.append(one.astype(np.int64))
    return made


# --- what


def test_the_offer_is_said_and_taken(window, qtbot):
    shown = window()
    page = shown.what
    assert "23 confirmed frames of 4 clips" in page.message
    assert "Held out: clip 2 of 4" in page.message
    assert page.can_train
    with qtbot.waitSignal(shown.train_wanted) as told:
        named(page, "Train").click()
    recipe = told.args[0]
    assert isinstance(recipe, TrainRecipe)
    assert (recipe.base, recipe.frames, recipe.steps) == ("models/camvid", "confirmed", 600)


def test_every_choice_reaches_the_recipe(window, qtbot):
    page = window().what
    named(page, "Every painted pixel").click()
    assert "Human-painted pixels of 70 frames" in page.message
    assert "Nothing is held out" in page.message
    named(page, "Full").click()
    picker = page.findChild(QComboBox)
    picker.setCurrentIndex(1)
    picker.activated.emit(1)
    named(page, "Advanced").click()
    steps = next(s for s in page.findChildren(type(page._advanced._steps))
                 if s.accessibleName() == "Steps")  # fmt: skip
    steps.setValue(1234)
    steps.editingFinished.emit()
    rate = page._advanced._rate
    rate.setText("0.002")
    rate.editingFinished.emit()
    recipe = page.recipe
    assert recipe is not None
    assert (recipe.frames, recipe.net, recipe.base) == ("painted", "icnet", "models/icnet")
    assert (recipe.steps, recipe.learning_rate) == (1234, 0.002)
    named(page, "Quick").click()  # another preset knows better
    assert page.recipe is not None
    assert page.recipe.steps == 200


def test_the_preset_that_fits_is_taken_at_first_and_time_is_told_where_it_is_known(window):
    page = window().what
    assert named(page, "Standard").isChecked()
    assert "Fits the number of frames" in named(page, "Standard").accessibleDescription()
    assert "600 steps, about" in named(page, "Standard").accessibleDescription()
    picker = page.findChild(QComboBox)
    picker.activated.emit(1)
    assert "about" not in named(page, "Standard").accessibleDescription()


def test_nothing_can_be_trained_before_it_is_counted(qtbot, child, background):
    shown = TrainWindow(None, child("fine"), background)
    qtbot.addWidget(shown)
    assert "Counting" in shown.what.message
    assert not shown.what.can_train


@pytest.mark.parametrize(("offer", "says"), [
    (replace(OFFER, plans={"confirmed": NONE}), "No frame is confirmed yet"),
    (replace(OFFER, bases=()), "There is no model to start from"),
    (replace(OFFER, trouble="Open a project first."), "Open a project first."),
])  # fmt: skip
def test_what_cannot_be_trained_says_why(window, qtbot, offer, says):
    shown = window()
    shown.show_offer(offer)
    assert says in shown.what.message
    assert not shown.what.can_train


def test_painted_pixels_are_offered_where_nothing_is_confirmed(qtbot, child, background):
    shown = TrainWindow(None, child("fine"), background)
    qtbot.addWidget(shown)
    shown.show_offer(replace(OFFER, plans={**OFFER.plans, "confirmed": NONE}))
    assert shown.what.recipe is not None
    assert shown.what.recipe.frames == "painted"


def test_classes_that_the_base_does_not_know_are_told(window):
    shown = window()
    lanes = ClassMap("lanes", (*CAMVID.classes, ClassDef(20, "Lane", (9, 9, 9))))
    shown.show_offer(replace(OFFER, classes=lanes))
    assert "Lane is new to the base" in shown.what.message
    named(shown.what, "From scratch").click()
    assert "its weights are not" in shown.what.message


def test_an_interrupted_run_is_offered_and_gone_on_with(window, qtbot, written, story, tmp_path):
    run = new_run(tmp_path / "mine", TrainRecipe(synthetic_share=1.0, steps=1200))
    written([e for e in story() if e.step <= 500], run)
    (run / "last.pt").write_bytes(b"")
    shown = window()
    shown.show_offer(replace(OFFER, unfinished=find_unfinished(tmp_path / "mine")))
    with qtbot.waitSignal(shown.resume_wanted) as told:
        named(shown.what, "Resume").click()
    assert told.args == [run]


def test_presets_are_reached_and_taken_by_keyboard(window, qtbot):
    page = window().what
    card = named(page, "Standard")
    card.setFocus()
    QTest.keyClick(card, Qt.Key.Key_Right)
    assert page.recipe is not None
    assert page.recipe.steps != 600


# --- running


def test_curves_move_while_it_trains_and_the_result_is_asked_for(window, qtbot, run):
    shown = window("obedient")
    asked = []
    shown.result_wanted.connect(asked.append)
    shown._process.start(run)
    shown.show_run("BiSeNet V2, standard", CAMVID, 100)
    assert shown.page == "running"
    loss = shown.findChildren(Chart)[0]
    qtbot.waitUntil(lambda: loss.is_drawn, timeout=WAIT)
    assert loss.lines[-1].steps.tolist() == [20]
    pause = named(shown.running, "Pause")
    pause.click()
    qtbot.waitUntil(lambda: shown._process.state == "paused", timeout=WAIT)
    assert "Paused" in shown.running.message
    assert pause.text() == "Resume"
    pause.click()
    qtbot.waitUntil(lambda: shown._process.state == "running", timeout=WAIT)
    named(shown.running, "Stop and Keep Best").click()
    qtbot.waitUntil(lambda: shown.page == "result", timeout=WAIT)
    assert asked == [run]
    assert "Training stopped" in shown.outcome.message
    assert "being held against" in shown.outcome.message


def test_cancelled_it_says_where_it_can_go_on(window, qtbot, run):
    shown = window("endless")
    asked = []
    shown.result_wanted.connect(asked.append)
    shown._process.start(run)
    shown.show_run("BiSeNet V2", CAMVID, 100)
    qtbot.waitUntil(lambda: shown._process.record.step == 40, timeout=WAIT)
    named(shown.running, "Cancel").click()
    qtbot.waitUntil(lambda: shown.page == "result", timeout=WAIT)
    assert "resumed from step 20" in shown.outcome.message
    assert not asked
    with qtbot.waitSignal(shown.resume_wanted) as told:
        named(shown.outcome, "Resume").click()
    assert told.args == [run]
    named(shown.outcome, "Show Curves").click()
    assert shown.page == "running"
    named(shown.running, "Show the Result").click()
    assert shown.page == "result"


def test_a_killed_run_leaves_the_window_with_a_sentence(window, qtbot, run):
    shown = window("torn")
    shown._process.start(run)
    qtbot.waitUntil(lambda: shown.page == "result", timeout=WAIT)
    assert "did not end well" in shown.outcome.message
    assert "memory ran out" in shown.outcome.message


def test_a_closed_window_finds_the_run_again(window, qtbot, run, child, background):
    shown = window("endless")
    shown._process.start(run)
    qtbot.waitUntil(lambda: shown._process.record.step == 40, timeout=WAIT)
    QTest.keyClick(shown, Qt.Key.Key_Escape)
    assert not shown.isVisible()
    assert shown._process.is_running
    again = TrainWindow(None, shown._process, background)
    qtbot.addWidget(again)
    again.show()
    assert again.page == "running"
    assert "40 of" in again.running.figure("Step")


def test_enter_never_ends_a_run(window, run):
    shown = window("endless")
    shown._process.start(run)
    shown.show_run("BiSeNet V2", CAMVID, 100)
    for one in shown.running.findChildren(QPushButton):
        QTest.keyClick(one, Qt.Key.Key_Return)
        assert not one.autoDefault(), one.text()
    assert shown._process.state in ("starting", "running")


def test_figures_are_those_of_the_record(window, story):
    shown = window()
    record = RunRecord.of(e for e in story() if e.step <= 940)
    page = shown.running
    page.show_about("BiSeNet V2", CAMVID)
    page.show_run(record, "running", 1200)
    assert page.figure("Step") == "940 of 1,200"
    assert page.figure("Time left") == "33 s"
    assert page.figure("Memory") == "5.0 GB"
    assert page.figure("Best mIoU").endswith("%")
    page.show_run(record, "paused", 1200)
    assert page.figure("Time left") == "–"
    page.show_run(RunRecord.of([TrainEvent("started", 0, {})]), "running", 1200)
    assert {page.figure(n) for n in ("Time left", "Samples/s", "Memory", "Best mIoU")} == {"–"}


def test_classes_are_drawn_as_they_are_ticked(window, story, qtbot):
    shown = window()
    shown.show_page("running")
    page = shown.running
    page.show_about("", CAMVID)
    page.show_run(RunRecord.of(story()), "running", 1200)
    iou = shown.findChildren(Chart)[1]
    assert len(iou.lines) == 12
    assert iou.lines[-1].name == "mean"
    named(page, "Draw no class, only the mean").click()
    assert [line.name for line in iou.lines] == ["mean"]
    boxes = {box.text(): box for box in page.findChildren(QCheckBox)}
    boxes["Road"].click()
    assert [line.name for line in iou.lines] == ["Road", "mean"]
    named(page, "Draw all classes").click()
    assert len(iou.lines) == 12
    assert "mean IoU now" in iou.accessibleDescription()


def test_several_sets_can_be_looked_at(window, story):
    shown = window()
    page = shown.running
    page.show_about("", CAMVID)
    record = RunRecord.of(story(sets=("held out", "earlier data")))
    page.show_run(record, "running", 1200)
    iou = shown.findChildren(Chart)[1]
    before = iou.lines[-1].values
    page._sets.activated.emit(1)
    assert not np.array_equal(before, iou.lines[-1].values)
    assert np.array_equal(iou.lines[-1].values, record.miou("earlier data")[1])


def test_the_learning_rate_is_one_click_away(window, story):
    shown = window()
    shown.running.show_run(RunRecord.of(story()), "running", 1200)
    named(shown.running, "Learning rate").click()
    assert [line.name for line in shown.findChildren(Chart)[0].lines] == ["learning rate"]


@pytest.fixture
def held_out(tmp_path):
    """Three frames with labels and what a model said, one of another size."""
    rows = []
    for number, (h, w) in enumerate(((48, 64), (48, 64), (30, 90))):
        files = {k: tmp_path / f"{number}_{k}.png" for k in ("frame", "labels", "prediction")}
        labels = np.full((h, w), 3, np.uint8)
        labels[: h // 2] = 255
        write_picture(files["frame"], np.full((h, w, 3), 90, np.uint8))
        write_mask(files["labels"], labels, CAMVID.palette())
        write_mask(files["prediction"], labels, CAMVID.palette())
        rows.append({k: str(v) for k, v in files.items()})
    return rows


def test_three_held_out_frames_are_shown_and_a_broken_one_is_named(window, story, held_out, qtbot):
    shown = window()
    shown.show_page("running")
    page = shown.running
    page.show_about("", CAMVID)
    Path(held_out[1]["prediction"]).write_bytes(b"torn")
    page.show_run(RunRecord.of(story(pictures=held_out)), "running", 1200)
    pictures = shown.findChild(HeldOut)
    qtbot.waitUntil(lambda: pictures.count == 2, timeout=WAIT)
    qtbot.waitUntil(
        lambda: any("cannot be shown" in c.accessibleName() for c in pictures._cells), timeout=WAIT
    )
    page.show_run(RunRecord(), "running", 1200)
    assert pictures.count == 0


# --- result


def test_before_and_after_are_told_and_nothing_is_used_by_itself(window, qtbot):
    shown = window()
    page = shown.outcome
    shown.show_page("result")
    page.show_ending(Ending("Finished.", True, True), is_measuring=True, can_resume=False)
    for text in ("Use for Drafts", "Compare with the Old Model"):
        assert not named(page, text).isEnabled()
    before, after = counts(3.0), counts(4.0, seed=2)
    for one in after:
        one[2, 5], one[2, 2] = one[2, 2], 0
    gains = gains_of(before, after, CAMVID)
    used = []
    shown.use_wanted.connect(used.append)
    shown.show_result(CARD, gains, tuple(f"frame_{n}" for n in range(6)))
    assert "held-out frames" in page.message
    assert "Got worse: " in page.message
    assert CAMVID.classes[2].name in page.message
    assert "drafts still come from the old one" in page.message
    table = page.findChild(GainsTable)
    assert table.model().rowCount() == 12
    QTest.keyClick(shown, Qt.Key.Key_Return)
    assert not named(page, "Use for Drafts").autoDefault()
    assert not used
    with qtbot.waitSignal(shown.compare_wanted) as told:
        named(page, "Compare with the Old Model").click()
    assert told.args == [CARD]
    with qtbot.waitSignal(shown.use_wanted):
        named(page, "Use for Drafts").click()
    page.show_used(CARD.title)
    assert "Drafts come from BiSeNet V2 · CamVid now" in page.message
    assert not named(page, "Use for Drafts").isEnabled()


def test_a_frame_that_lost_is_a_link_to_it(window, qtbot):
    shown = window()
    after = counts(3.0)
    after[4] = counts(0.3)[4]
    gains = gains_of(counts(3.0), after, CAMVID)
    shown.show_page("result")
    shown.show_result(CARD, gains, tuple(f"frame_{n}" for n in range(6)))
    assert "frame_4" in shown.outcome.message
    with qtbot.waitSignal(shown.frame_wanted) as told:
        shown.outcome._frames.linkActivated.emit("4")
    assert told.args == [4]


def test_without_held_out_frames_nobody_claims_that_it_got_better(window):
    shown = window()
    shown.show_page("result")
    shown.show_result(CARD, None)
    assert "nobody knows whether it got better" in shown.outcome.message
    shown.show_result(CARD, None, trouble="The old model is gone.")
    assert "The old model is gone." in shown.outcome.message


def test_the_table_sorts_classes_and_keeps_the_mean_on_top(window):
    shown = window()
    before, after = counts(3.0), counts(4.0, seed=2)
    for one in (*before, *after):
        one[4], one[:, 4] = 0, 0
    shown.show_page("result")
    shown.show_result(CARD, gains_of(before, after, CAMVID))
    model = shown.outcome.findChild(GainsTable).model()
    for order in (Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder):
        model.sort(3, order)
        assert model.index(0, 0).data() == "Mean"
        assert model.rows[-1].name == CAMVID.classes[4].name
        known = [g.delta for g in model.rows[1:-1]]
        is_down = order == Qt.SortOrder.DescendingOrder
        assert known == sorted(known, reverse=is_down)
    model.sort(0)
    assert [g.name for g in model.rows[1:]] == sorted(
        (c.name for c in CAMVID.classes), key=str.casefold
    )


# --- all of it


@pytest.mark.parametrize("name", ["dark", "light"])
def test_every_page_is_painted_in_both_themes(window, story, held_out, qtbot, name):
    theme.apply(QApplication.instance(), name)
    shown = window()
    assert not shown.grab().isNull()
    shown.show_page("running")
    shown.running.show_about("BiSeNet V2", CAMVID)
    record = RunRecord.of(story(pictures=held_out))
    shown.running.show_run(record, "running", 1200)
    charts = shown.findChildren(Chart)
    qtbot.waitUntil(lambda: all(chart.is_drawn for chart in charts), timeout=WAIT)
    theme.apply(QApplication.instance(), "light" if name == "dark" else "dark")
    shown.running.show_run(record, "running", 1200)
    assert not shown.grab().isNull()
    shown.show_page("result")
    shown.show_result(CARD, gains_of(counts(3.0), counts(4.0), CAMVID))
    assert not shown.grab().isNull()
    theme.apply(QApplication.instance(), "dark")


def test_everything_that_can_be_used_has_a_name(window, story):
    shown = window()
    shown.running.show_about("BiSeNet V2", CAMVID)
    shown.running.show_run(RunRecord.of(story(sets=("a", "b"))), "running", 1200)
    for kind in (QPushButton, QCheckBox, QComboBox, Chart, GainsTable):
        for one in shown.findChildren(kind):
            text = one.text() if isinstance(one, QAbstractButton) else ""
            assert text or one.accessibleName(), one


def test_the_window_needs_pyqtgraph_only_for_lines():
    import subprocess
    import sys

    code = (
        "import sys\nimport segstudio.ui.dialogs.training.window\n"
        "print([m for m in ('torch', 'cv2', 'pyqtgraph') if m in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
