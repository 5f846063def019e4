"""Headlines and the scores window, on a scoreboard that is filled by hand."""

import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from PySide6.QtCore import QObject, QPoint, Qt, Signal
from PySide6.QtGui import QColor, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton

from segstudio.core.classes import ClassDef, ClassMap
from segstudio.core.metrics import Convention
from segstudio.core.tally import Standing, Tally
from segstudio.store.project_rows import FrameKey
from segstudio.ui import theme
from segstudio.ui.bridge.background import Background
from segstudio.ui.comparing.wording import (
    NOTHING,
    compared_frames,
    figure,
    headline,
    no_reference,
    percent,
    unmeasured,
)
from segstudio.ui.correcting.marks import DONE, Columns
from segstudio.ui.dialogs.scores.behind import BehindList
from segstudio.ui.dialogs.scores.classes_table import ClassesTable
from segstudio.ui.dialogs.scores.classes_view import ClassesPage
from segstudio.ui.dialogs.scores.frames_list import FramesTable
from segstudio.ui.dialogs.scores.window import NO_DRAFT, NO_MODEL, ScoresWindow
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
        self.models = {"A": "bisenet", "B": "fcn"}

    def tally(self, letter):
        model = self.models.get(letter, "")
        return self.tallies.get(letter, Tally(len(self.classes), model=model))

    def set_convention(self, convention):
        self.convention = convention
        self.changed.emit()

    def put(self, letter, index, counts, standing):
        tally = self.tallies.setdefault(letter, self.tally(letter))
        tally.put(FrameKey(1, index), counts, standing)
        self.changed.emit()


class FakeFrames(QObject):
    """As session.frames: which frames of the clip are confirmed."""

    changed = Signal(object)

    def __init__(self):
        super().__init__()
        self.confirmed = []

    def columns(self, count):
        found = Columns.blank(count)
        found.code[self.confirmed] = DONE
        return found

    def confirm(self, *indices):
        self.confirmed = list(indices)
        self.changed.emit(frozenset(indices))


class FakePlayer(QObject):
    """As session.player, of a clip of 40 frames."""

    source_changed = Signal()
    last_index = 39

    def time_us(self, index):
        return None


class FakeLineup(QObject):
    """As session.comparison."""

    is_on = True

    changed = Signal()

    def __init__(self, *names):
        super().__init__()
        self.is_on = True
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
def fake():
    """What the widgets ask of a session."""
    found = SimpleNamespace(
        scores=FakeBoard(),
        comparison=FakeLineup("bisenet", "fcn"),
        models=SimpleNamespace(
            cards=tuple(SimpleNamespace(name=n, title=t) for n, t in TITLES.items())
        ),
        frames=FakeFrames(),
        editor=SimpleNamespace(
            projects=SimpleNamespace(project=None, media=SimpleNamespace(id=1, title="Drive"))
        ),
        player=FakePlayer(),
        info=None,
        settings=SimpleNamespace(recent=()),
        background=Background(),
        told=[],
    )
    found.tell = found.tell_error = found.told.append
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


def said(*frames, model="bisenet", convention=Convention.VOID_IGNORED, waiting=0):
    tally = Tally(4, model=model)
    for index, (full, standing) in enumerate(frames):
        tally.put(FrameKey(1, index), full, standing)
    return headline(tally, convention, model=model, titles=TITLES, confirm_key="Enter",
                    waiting=waiting)  # fmt: skip


# --- sentences


def test_without_any_labels_there_is_a_remedy_and_no_figure():
    found = said()
    assert (found.figure, found.is_scored, found.agreement) == (NOTHING, False, "")
    assert found.about == ("No confirmed frame yet: confirm one (Enter).")


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
    found = said((counts(), Standing(True, None, "fcn")))
    assert found.about == "1 confirmed frame · drafted by FCN-8s"
    found = said((counts(), Standing(True, 0.0, "fcn")))
    assert found.about == "1 confirmed frame · 0 % painted by a human · drafted by FCN-8s"
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


def test_figures_of_different_frames_are_not_silently_compared():
    assert compared_frames({"A": {1, 2}, "B": {1, 2}, "C": set()}, {}, is_reference=True) == (
        "2 confirmed frames",
        False,
    )
    text, is_warning = compared_frames({"A": {1, 2}, "B": {2, 3}}, {}, is_reference=True)
    assert is_warning
    assert text.startswith("Not the same frames (A 2, B 2)")
    text, is_warning = compared_frames({"A": {1}}, {}, is_reference=False)
    assert (text, is_warning) == ("Agreement with drafts of 1 frame: not a score.", True)


# --- the panel


@pytest.fixture
def panel(qtbot, fake):
    made = ScoresPanel(fake)
    qtbot.addWidget(made)
    made.resize(304, 300)
    made.show()
    return made


def texts(widget):
    return [one.text() for one in widget.findChildren(QLabel) if one.isVisibleTo(widget)]


def test_the_reason_for_no_figure_is_said_once(panel):
    shown = texts(panel)
    reason = f"No confirmed frame yet: confirm one ({confirm_key()})."
    assert shown.count(reason) == 1
    assert shown.count(NOTHING) == 2
    assert "BiSeNet V2" in shown


def test_the_panel_follows_the_scoreboard(panel, fake, qtbot):
    fake.scores.put("A", 3, counts(), CONFIRMED)
    qtbot.waitUntil(lambda: "81.8 %" in texts(panel), timeout=5000)
    assert "B was not run on a confirmed frame yet: press Measure all." in texts(panel)
    fake.scores.put("B", 3, counts(50, 50), CONFIRMED)
    qtbot.waitUntil(lambda: "33.3 %" in texts(panel), timeout=5000)


def test_another_convention_is_one_choice_away(panel, fake, qtbot):
    fake.scores.put("A", 3, counts(void=20), CONFIRMED)
    qtbot.waitUntil(lambda: "81.8 %" in texts(panel), timeout=5000)
    picker = panel.findChild(Picker)
    line = picker.findText("Void counts as wrong")
    picker.setCurrentIndex(line)
    picker.activated.emit(line)
    assert fake.scores.convention is Convention.VOID_IS_WRONG
    qtbot.waitUntil(lambda: "69.2 %" in texts(panel), timeout=5000)
    assert "false positive" in picker.toolTip()


def test_the_panel_hides_while_there_is_no_model(panel, fake, qtbot):
    models, fake.comparison.panes = fake.comparison.panes, ()
    fake.comparison.changed.emit()
    qtbot.waitUntil(panel.isHidden, timeout=5000)
    fake.comparison.panes = models[:1]
    fake.comparison.changed.emit()
    qtbot.waitUntil(panel.isVisible, timeout=5000)


def test_the_panel_comes_with_a_comparison_or_with_figures(panel, fake, qtbot):
    fake.comparison.is_on = False
    fake.comparison.changed.emit()
    qtbot.waitUntil(panel.isHidden, timeout=5000)
    fake.scores.put("A", 3, counts(), draft_of("fcn"))
    qtbot.waitUntil(panel.isVisible, timeout=5000)


def test_buttons_ask_for_the_window_and_for_figures(panel, qtbot):
    buttons = {b.text(): b for b in panel.findChildren(QPushButton)}
    with qtbot.waitSignal(panel.details_wanted):
        QTest.mouseClick(buttons["Details…"], Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(panel.measure_wanted):
        QTest.mouseClick(buttons["Measure all"], Qt.MouseButton.LeftButton)


# --- the window


def frame(index):
    """Matrix of one frame: Building is taken for Tree 10 × index times, Car is absent."""
    full = np.zeros((5, 5), np.int64)
    full[0, 0], full[1, 1], full[2, 2] = 400, 200 - 10 * index, 100
    full[1, 2], full[1, 4], full[4, 0] = 10 * index, index % 2, 50
    return full


@pytest.fixture
def filled(fake):
    """Frames 1 to 4 are confirmed, 5 and 6 drafted; both models saw all."""
    for index in range(1, 7):
        standing = CONFIRMED if index < 5 else draft_of("fcn")
        fake.scores.put("A", index, frame(index), standing)
        fake.scores.put("B", index, frame(7 - index), standing)
    return fake


@pytest.fixture
def opened(qtbot, filled):
    """Shows the window with one of its pages."""

    def show(tab="classes"):
        made = ScoresWindow(None, filled, tab=tab)
        qtbot.addWidget(made)
        made.resize(1080, 760)
        made.show()
        QTest.qWaitForWindowExposed(made)
        return made

    return show


def click_segment(window, text):
    found = next(b for b in window.findChildren(QPushButton) if b.text() == text)
    QTest.mouseClick(found, Qt.MouseButton.LeftButton)


def plot_of(window):
    from segstudio.ui.dialogs.scores.confusion_plot import ConfusionPlot

    return window.findChild(ConfusionPlot)


def click_cell(window, row, column):
    plot = plot_of(window)
    at = plot.place_of(row, column).toPoint()
    QTest.mouseClick(plot.viewport(), Qt.MouseButton.LeftButton, pos=at)


def click_row(view, row, column=0):
    at = view.visualRect(view.model().index(row, column)).center()
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=at)


def click_head(table, column):
    head = table.horizontalHeader()
    at = QPoint(head.sectionViewportPosition(column) + 30, head.height() // 2)
    QTest.mouseClick(head.viewport(), Qt.MouseButton.LeftButton, pos=at)


def names(table):
    return [line.name for line in table.lines]


def test_classes_are_sorted_and_the_whole_stays_below(opened):
    table = opened().findChild(ClassesTable)
    below = ["Mean", "Pixel accuracy", "Mean accuracy", "Frequency-weighted IoU"]
    assert names(table) == ["Road", "Building", "Tree", "Car", *below]
    click_head(table, 1)
    assert names(table) == ["Car", "Tree", "Building", "Road", *below]
    click_head(table, 1)
    assert names(table) == ["Road", "Building", "Tree", "Car", *below]
    click_head(table, 2)
    assert names(table)[-5:] == ["Car", *below], "what has no figure is last"
    rising = [line.value(0, 0) for line in table.lines[:3]]
    assert rising == sorted(rising)
    click_head(table, 2)
    assert names(table)[3:] == ["Car", *below], "either way"
    click_head(table, 2)
    assert names(table) == ["Road", "Building", "Tree", "Car", *below], "and back to their order"


def test_classes_show_dashes_percent_and_the_best_in_bold(opened, filled):
    table = opened().findChild(ClassesTable)
    model = table.model()
    shown = {name: line for line, name in enumerate(names(table))}

    def cell(name, column, role=Qt.ItemDataRole.DisplayRole):
        return model.index(shown[name], column).data(role)

    assert [cell("Car", c) for c in range(1, 6)] == ["0", "–", "–", "–", "–"]
    assert cell("Road", 1) == "1,600"
    scores = filled.scores.tally("A").scores()
    assert cell("Building", 2) == f"{100 * scores.iou[1]:.1f}"
    assert cell("Mean", 2) == f"{100 * scores.miou:.1f}"
    font = Qt.ItemDataRole.FontRole
    assert cell("Building", 2, font).weight() == 600
    assert cell("Building", 6, font) is None
    assert cell("Road", 2, font) is None, "both are alike"


def test_models_can_be_left_out_of_the_table(opened):
    window = opened()
    table = window.findChild(ClassesTable)
    assert not table.isColumnHidden(2)
    click_segment(window, "A")
    assert table.isColumnHidden(2)
    assert not table.isColumnHidden(6)
    click_segment(window, "B")
    assert not table.isColumnHidden(6), "one of them stays"
    QTest.keyClick(table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    copied = QGuiApplication.clipboard().text()
    assert copied.startswith("class\treference pixels\tB FCN-8s IoU\t")
    assert "BiSeNet" not in copied


def test_the_table_is_saved_as_csv(opened, filled, qtbot, tmp_path):
    page = opened().findChild(ClassesPage)
    page.save(tmp_path / "scores.csv")
    qtbot.waitUntil(lambda: bool(filled.told), timeout=20_000)
    text = (tmp_path / "scores.csv").read_text(encoding="utf-8-sig")
    assert filled.told == ["Saved scores.csv."]
    scores = filled.scores.tally("A").scores()
    assert f"Building,{int(scores.reference[1])},{scores.iou[1]:.6f}," in text
    assert "Car,0,,,," in text
    assert text.splitlines()[-1].startswith("confirmed frames,,4,")


def test_a_class_leads_to_where_its_pixels_went(opened):
    window = opened()
    table = window.findChild(ClassesTable)
    at = table.visualRect(table.model().index(1, 6)).center()
    QTest.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=at)
    QTest.mouseDClick(table.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert window.tab == "confusion"
    assert plot_of(window).chosen == (1, 2)
    assert [key.index for key, _ in window.findChild(BehindList).frames] == [1, 2, 3, 4]


def test_a_cell_lists_its_frames_with_most_pixels_first(opened, qtbot):
    window = opened("confusion")
    behind = window.findChild(BehindList)
    assert behind.frames == []
    click_cell(window, 1, 2)
    assert [(key.index, number) for key, number in behind.frames] == [
        (4, 40), (3, 30), (2, 20), (1, 10),
    ]  # fmt: skip
    assert {"Building taken for Tree", "100 px in 4 frames"} <= set(texts(window))
    with qtbot.waitSignal(window.frame_wanted) as wanted:
        click_row(behind, 1)
    assert wanted.args == [FrameKey(1, 3), 1, 2]
    with qtbot.waitSignal(window.frame_wanted) as wanted:
        QTest.keyClick(behind, Qt.Key.Key_Down)
        QTest.keyClick(behind, Qt.Key.Key_Return)
    assert wanted.args == [FrameKey(1, 2), 1, 2]


def test_hits_and_void_can_be_clicked_too(opened):
    window = opened("confusion")
    behind = window.findChild(BehindList)
    click_cell(window, 1, 1)
    assert [(key.index, n) for key, n in behind.frames] == [(1, 190), (2, 180), (3, 170), (4, 160)]
    assert "Building found" in texts(window)
    click_cell(window, 1, 4)
    assert [(key.index, n) for key, n in behind.frames] == [(1, 1), (3, 1)]
    assert "Building called void" in texts(window)
    click_cell(window, 4, 0)
    assert len(behind.frames) == 4
    assert "No class in the reference, called Road" in texts(window)
    click_cell(window, 3, 3)
    assert "No frame has such a pixel." in texts(window)
    QTest.keyClick(plot_of(window), Qt.Key.Key_Up)
    assert plot_of(window).chosen == (2, 3)


def test_hovering_a_cell_says_it_in_a_sentence(opened):
    window = opened("confusion")
    plot = plot_of(window)
    QTest.mouseMove(plot.viewport(), plot.place_of(1, 2).toPoint())
    assert "Building taken for Tree: 100 px, 12.5 % of Building" in texts(window)
    click_segment(window, "By prediction")
    QTest.mouseMove(plot.viewport(), plot.place_of(2, 2).toPoint())
    assert "Tree found: 400 px, 80.0 % of all Tree predictions" in texts(window)
    click_segment(window, "Pixels")
    QTest.mouseMove(plot.viewport(), plot.place_of(4, 0).toPoint())
    assert any(text.endswith("of void, not counted") for text in texts(window))


def test_drafts_have_a_matrix_of_their_own_and_are_called_that(opened):
    window = opened("confusion")
    click_segment(window, "Drafts")
    click_cell(window, 1, 2)
    behind = window.findChild(BehindList)
    assert [(key.index, number) for key, number in behind.frames] == [(6, 60), (5, 50)]
    assert "Agreement with drafts of 2 frames: not a score." in texts(window)
    window.show_tab("frames")
    table = window.findChild(FramesTable)
    head = table.model().headerData(1, Qt.Orientation.Horizontal)
    assert head == "Agreement (IoU)"
    assert table.model().index(0, 4).data() == "FCN-8s"


def test_frames_come_worst_first_and_a_click_goes_there(opened, filled, qtbot):
    window = opened("frames")
    table = window.findChild(FramesTable)
    expected = filled.scores.tally("A").worst()
    assert [(x.key, x.miou) for x in table.lines] == [
        (key, pytest.approx(value)) for key, value in expected
    ]
    assert [table.model().index(0, c).data() for c in range(5)] == [
        "Frame 4", percent(expected[0][1]), "Confirmed", "80 %", "–",
    ]  # fmt: skip
    with qtbot.waitSignal(window.frame_wanted) as wanted:
        click_row(table, 0, 1)
    assert wanted.args == [FrameKey(1, 4), None, None]
    with qtbot.waitSignal(window.frame_wanted) as wanted:
        QTest.keyClick(table, Qt.Key.Key_Down)
        QTest.keyClick(table, Qt.Key.Key_Return)
    assert wanted.args[0] == FrameKey(1, 3)
    click_head(table, 0)
    assert [x.key.index for x in table.lines] == [1, 2, 3, 4]


def test_another_model_has_other_frames(opened):
    window = opened("frames")
    picker = next(p for p in window.findChildren(Picker) if p.findText("B · FCN-8s") >= 0)
    picker.setCurrentIndex(1)
    picker.activated.emit(1)
    assert [x.key.index for x in window.findChild(FramesTable).lines] == [1, 2, 3, 4]


def test_the_seen_page_follows_and_the_others_wait(opened, filled, qtbot):
    window = opened("frames")
    table, classes = window.findChild(FramesTable), window.findChild(ClassesTable)
    assert classes.lines == []
    filled.scores.put("A", 9, frame(15), CONFIRMED)
    qtbot.waitUntil(lambda: len(table.lines) == 5, timeout=5000)
    assert table.lines[0].key.index == 9
    assert classes.lines == []
    window.show_tab("classes")
    assert len(classes.lines) == 8
    text = "Not the same frames (A 5, B 4): Measure all before you compare."
    assert text in texts(window)


def test_figures_that_move_keep_the_chosen_cell(opened, filled, qtbot):
    window = opened("confusion")
    click_cell(window, 1, 2)
    filled.scores.put("A", 1, frame(9), CONFIRMED)
    behind = window.findChild(BehindList)
    qtbot.waitUntil(lambda: behind.frames[0] == (FrameKey(1, 1), 90), timeout=5000)
    assert plot_of(window).chosen == (1, 2)


def test_an_empty_page_says_why(qtbot, fake):
    window = ScoresWindow(None, fake)
    qtbot.addWidget(window)
    window.show()
    assert any(t.startswith("No confirmed frame yet") for t in texts(window))
    click_segment(window, "Drafts")
    assert NO_DRAFT in texts(window)
    click_segment(window, "Confirmed frames")
    fake.scores.put("B", 1, frame(1), CONFIRMED)
    window.show_tab("confusion")
    assert "A was not run on a confirmed frame yet: press Measure all." in texts(window)
    fake.comparison.panes = ()
    window.show_scores()
    assert NO_MODEL in texts(window)


def test_other_classes_make_another_table_and_matrix(opened, filled):
    window = opened("confusion")
    click_cell(window, 1, 2)
    two = ClassMap("two", FOUR.classes[:2])
    filled.scores.classes, filled.scores.tallies = two, {}
    full = np.array([[5, 1, 0], [2, 7, 0], [0, 0, 0]])
    tally = filled.scores.tallies.setdefault("A", Tally(2))
    tally.put(FrameKey(1, 1), full, CONFIRMED)
    window.show_scores()
    assert plot_of(window).chosen is None
    assert window.findChild(BehindList).frames == []
    click_cell(window, 1, 0)
    assert window.findChild(BehindList).frames == [(FrameKey(1, 1), 2)]
    window.show_tab("classes")
    assert names(window.findChild(ClassesTable))[:3] == ["Road", "Building", "Mean"]


@pytest.mark.parametrize("tab", ["classes", "confusion", "frames"])
def test_the_window_follows_the_theme(opened, tab):
    window = opened(tab)
    app = QApplication.instance()
    for name in ("light", "dark"):
        colors = theme.apply(app, name)
        ground = window.grab().toImage().pixelColor(6, window.height() - 6)
        assert ground == QColor(colors.window)
    if tab == "confusion":
        assert plot_of(window).backgroundBrush().color() == QColor(colors.window)


def test_pyqtgraph_waits_until_the_matrix_is_wanted():
    code = (
        "import sys, segstudio.ui.panels.scores, segstudio.ui.dialogs.scores.window\n"
        "print('pyqtgraph' in sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "False"


# --- with the real scoreboard


def test_a_confirmed_draft_is_scored_and_said_to_be_its_own(hand, window, qtbot):
    session = window.session
    made = ScoresWindow(window, session, tab="frames")
    panel = ScoresPanel(session)
    for widget in (made, panel):
        qtbot.addWidget(widget)
    made.show()
    assert panel.isHidden()
    hand.take("brush")
    hand.drag((10, 10), (30, 30))
    qtbot.waitUntil(lambda: any("agreement with its own draft" in t for t in texts(panel)))
    assert {NOTHING, no_reference(confirm_key())} <= set(texts(panel))
    share = round(100 * session.editor.held.document.human_share)
    session.editor.confirm()
    space = "\N{NO-BREAK SPACE}"
    about = (
        f"1{space}confirmed frame · {share}{space}% painted by a human"
        " · drafted by Fake Net (itself)"
    )
    qtbot.waitUntil(lambda: about in texts(panel), timeout=20_000)
    table = made.findChild(FramesTable)
    qtbot.waitUntil(lambda: len(table.lines) == 1, timeout=20_000)
    assert table.lines[0].key == session.editor.held.key
    assert "00:00.200" in table.model().index(0, 0).data()
    with qtbot.waitSignal(made.frame_wanted) as wanted:
        click_row(table, 0)
    assert wanted.args[0] == session.editor.held.key
    made.close()
