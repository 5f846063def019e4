"""Headlines and the scores window, on a scoreboard that is filled by hand."""

from types import SimpleNamespace

import numpy as np
import pytest
from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton

from segstudio.core.classes import ClassDef, ClassMap
from segstudio.core.metrics import Convention
from segstudio.core.tally import Standing, Tally
from segstudio.store.project_rows import FrameKey
from segstudio.ui import theme
from segstudio.ui.comparing.wording import NOTHING, figure, headline, percent, unmeasured
from segstudio.ui.panels.parts import Picker
from segstudio.ui.panels.scores import ScoresPanel, confirm_key

FOUR = ClassMap(
    "four",
    (
        ClassDef(0, "Road", (128, 64, 128)),
        ClassDef(1, "Building", (128, 0, 0)),
        ClassDef(2, "Tree", (128, 128, 0)),
        ClassDef(3, "Car", (64, 0, 128)),
    ),
)
TITLES = {"bisenet": "BiSeNet V2", "fcn": "FCN-8s", "unet": "U-Net", "psp": "PSPNet"}


class FakeBoard(QObject):
    """As session.scores."""

    changed = Signal()

    def __init__(self):
        super().__init__()
        self.classes, self.convention = FOUR, Convention.VOID_IGNORED
        self.tallies = {}

    def tally(self, letter):
        return self.tallies.get(letter, Tally(len(self.classes)))

    def set_convention(self, convention):
        self.convention = convention
        self.changed.emit()

    def put(self, letter, index, counts, standing):
        tally = self.tallies.setdefault(letter, Tally(len(self.classes)))
        tally.put(FrameKey(1, index), counts, standing)
        self.changed.emit()


class FakeLineup(QObject):
    """As session.comparison."""

    changed = Signal()

    def __init__(self, *names):
        super().__init__()
        self.panes = tuple(
            SimpleNamespace(
                letter=letter,
                title=TITLES[name],
                how="",
                card=SimpleNamespace(name=name, title=TITLES[name]),
            )
            for letter, name in zip("ABCDEF", names, strict=False)
        )


@pytest.fixture
def session():
    """What the widgets ask of a session."""
    found = SimpleNamespace(
        scores=FakeBoard(),
        comparison=FakeLineup("bisenet", "fcn"),
        models=SimpleNamespace(
            cards=tuple(SimpleNamespace(name=n, title=t) for n, t in TITLES.items())
        ),
        editor=SimpleNamespace(projects=SimpleNamespace(project=None, media=None)),
        player=SimpleNamespace(time_us=lambda index: None),
        info=None,
    )
    theme.apply(QApplication.instance(), "dark")
    return found


def counts(hit=90, missed=10, void=0, other=0):
    """int64 (5, 5): four classes each `hit` right and `missed` taken for the next class."""
    full = np.zeros((5, 5), np.int64)
    for row in range(4):
        full[row, row], full[row, (row + 1) % 4] = hit, missed
        full[4, row], full[row, 4] = void, other
    return full


CONFIRMED = Standing(is_reference=True, human_share=0.8)


def draft_of(name):
    return Standing(is_reference=False, human_share=0.1, drafted_by=name)


def said(*frames, model="bisenet", convention=Convention.VOID_IGNORED):
    tally = Tally(4)
    for index, (full, standing) in enumerate(frames):
        tally.put(FrameKey(1, index), full, standing)
    return headline(tally, convention, model=model, titles=TITLES, confirm_key="Enter")


# --- sentences


def test_without_any_labels_there_is_a_remedy_and_no_figure():
    found = said()
    assert (found.figure, found.is_scored, found.agreement) == (NOTHING, False, "")
    assert found.about == ("No confirmed frame yet: confirm one (Enter) or import ground truth.")


def test_drafts_alone_are_an_agreement_and_never_a_score():
    found = said((counts(), draft_of("fcn")), (counts(), draft_of("fcn")))
    assert (found.figure, found.is_scored) == (NOTHING, False)
    assert found.agreement == "agreement with draft 90.0 % · 2 frames"
    assert "No confirmed frame yet" in found.about


def test_agreement_with_its_own_draft_is_called_that():
    own = said((counts(100, 0), draft_of("bisenet")))
    assert own.agreement == "agreement with its own draft 100.0 % · 1 frame"
    mixed = said((counts(), draft_of("bisenet")), (counts(), draft_of("fcn")))
    assert mixed.agreement == "agreement with draft 90.0 % · 2 frames, 1 of them its own draft"


def test_confirmed_frames_make_the_headline_and_drafts_do_not_enter_it():
    shares = [(0.7, "fcn"), (0.9, "fcn"), (0.8, "bisenet")]
    frames = [(counts(), Standing(True, share, name)) for share, name in shares]
    found = said(*frames, (counts(0, 100), draft_of("bisenet")))
    assert (found.figure, found.is_scored) == ("81.8 %", True)
    assert found.about == (
        "3 confirmed frames · 80 % painted by a human · drafted by FCN-8s and BiSeNet V2 (itself)"
    )
    assert found.agreement == ""


def test_many_drafting_models_are_counted():
    names = ["fcn", "fcn", "unet", "psp"]
    found = said(*((counts(), Standing(True, 0.5, name)) for name in names))
    assert found.about.endswith("drafted by FCN-8s and 2 other models")


def test_confirming_a_draft_is_not_called_painting():
    found = said((counts(), Standing(True, 1.0, "fcn")))
    assert found.about == "1 confirmed frame · drafted by FCN-8s"
    assert "100 % painted" in said((counts(), Standing(True, 1.0))).about


def test_a_confirmed_frame_of_void_has_no_figure():
    empty = np.zeros((5, 5), np.int64)
    found = said((empty, CONFIRMED))
    assert (found.figure, found.is_scored) == (NOTHING, False)
    assert found.about == "1 confirmed frame without a pixel of any class"


def test_nan_is_a_dash():
    assert percent(float("nan")) == figure(float("nan")) == "–"
    assert (percent(0.71449), figure(1.0)) == ("71.4 %", "100.0")


def test_models_without_figures_are_named():
    assert unmeasured(["B"]).startswith("B was not run")
    assert unmeasured(["B", "C", "D"]).startswith("B, C and D were not run")


# --- the panel


@pytest.fixture
def panel(qtbot, session):
    made = ScoresPanel(session)
    qtbot.addWidget(made)
    made.resize(304, 300)
    made.show()
    return made


def texts(widget):
    return [one.text() for one in widget.findChildren(QLabel) if one.isVisibleTo(widget)]


def test_the_reason_for_no_figure_is_said_once(panel):
    shown = texts(panel)
    reason = f"No confirmed frame yet: confirm one ({confirm_key()}) or import ground truth."
    assert shown.count(reason) == 1
    assert shown.count(NOTHING) == 2
    assert "BiSeNet V2" in shown


def test_the_panel_follows_the_scoreboard(panel, session, qtbot):
    session.scores.put("A", 3, counts(), CONFIRMED)
    qtbot.waitUntil(lambda: "81.8 %" in texts(panel), timeout=5000)
    assert "B was not run on a confirmed frame yet: choose Measure all." in texts(panel)
    session.scores.put("B", 3, counts(50, 50), CONFIRMED)
    qtbot.waitUntil(lambda: "33.3 %" in texts(panel), timeout=5000)


def test_another_convention_is_one_choice_away(panel, session, qtbot):
    session.scores.put("A", 3, counts(void=20), CONFIRMED)
    qtbot.waitUntil(lambda: "81.8 %" in texts(panel), timeout=5000)
    picker = panel.findChild(Picker)
    line = picker.findText("Void counts as wrong")
    picker.setCurrentIndex(line)
    picker.activated.emit(line)
    assert session.scores.convention is Convention.VOID_IS_WRONG
    qtbot.waitUntil(lambda: "69.2 %" in texts(panel), timeout=5000)
    assert "false positive" in picker.toolTip()


def test_the_panel_hides_while_there_is_no_model(panel, session, qtbot):
    models, session.comparison.panes = session.comparison.panes, ()
    session.comparison.changed.emit()
    qtbot.waitUntil(panel.isHidden, timeout=5000)
    session.comparison.panes = models[:1]
    session.comparison.changed.emit()
    qtbot.waitUntil(panel.isVisible, timeout=5000)


def test_buttons_ask_for_the_window_and_for_figures(panel, qtbot):
    buttons = {b.text(): b for b in panel.findChildren(QPushButton)}
    with qtbot.waitSignal(panel.details_wanted):
        QTest.mouseClick(buttons["Details…"], Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(panel.measure_wanted):
        QTest.mouseClick(buttons["Measure all…"], Qt.MouseButton.LeftButton)
