"""The pixel inspector: classes by model, stages, and that nothing jumps."""

import numpy as np
import pytest
from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QVBoxLayout, QWidget

from segstudio.core.classes import CAMVID
from segstudio.core.prediction import Logits, Prediction, Timing
from segstudio.core.votes import Vote
from segstudio.ui import theme
from segstudio.ui.inside.inside import Chance
from segstudio.ui.panels.inside.answer_tables import class_rows, percent
from segstudio.ui.panels.inside.pixel import (
    ALONE,
    ASK,
    ASKING,
    EMPTY,
    PAUSE,
    UNSEEN,
    PixelPanel,
)
from segstudio.ui.player import Playing

RED = (255, 0, 0)


def chances(**shares) -> list[Chance]:
    """Best first; ids in the order of the keywords."""
    found = [Chance(i, name, RED, share) for i, (name, share) in enumerate(shares.items())]
    return sorted(found, key=lambda one: -one.probability)


class FakeInside(QObject):
    """What the panel asks of the session's inside."""

    changed, pointed, votes_changed = Signal(), Signal(), Signal()

    def __init__(self):
        super().__init__()
        self.is_on, self.letter, self.letters = True, "A", ("A",)
        self.pixel = self.pinned = None
        self.votes, self.trouble = (), ""
        self.says = {"A": chances(Road=0.7, Car=0.2, Tree=0.06, Sky=0.03, Pole=0.007, Fence=0.003)}

    def probabilities(self, letter):
        return [] if (self.pinned or self.pixel) is None else self.says.get(letter, [])

    def pin(self, pixel):
        self.pinned, self.votes = pixel, ()
        self.pointed.emit()

    def point(self, pixel):
        self.pixel = pixel
        self.pointed.emit()

    def vote(self, *votes):
        self.votes = votes
        self.votes_changed.emit()


class FakeComparison(QObject):
    changed = Signal()

    def title(self, letter):
        return {"A": "A · Net one", "B": "B · Net two"}.get(letter, f"{letter} · Net")

    def prediction(self, letter):
        ids = np.array([3, 0, 1], np.uint8)
        logits = Logits(np.zeros((3, 2, 2), np.float32), (4, 4), False, ids)
        return Prediction(
            None, "net", CAMVID, np.zeros((4, 4), np.uint8), np.zeros(256, np.int64), logits,
            Timing(0, 0, 0), (4, 4), "cpu",
        )  # fmt: skip


class FakePlayer(QObject):
    changed = Signal()

    def __init__(self):
        super().__init__()
        self.playing = Playing()

    def play(self, *, on):
        self.playing = Playing(is_playing=on)
        self.changed.emit()


class FakeSession(QObject):
    shown_changed = Signal()

    def __init__(self):
        super().__init__()
        self.inside, self.comparison = FakeInside(), FakeComparison()
        self.player = FakePlayer()


@pytest.fixture
def fake():
    return FakeSession()


@pytest.fixture
def inside(fake):
    return fake.inside


@pytest.fixture
def panel(qtbot, fake):
    """The panel in a column 320 pixels wide."""
    theme.apply(QApplication.instance(), "dark")
    column = QWidget()
    box = QVBoxLayout(column)
    box.setContentsMargins(0, 0, 0, 0)
    made = PixelPanel(fake)
    box.addWidget(made)
    box.addStretch(1)
    qtbot.addWidget(column)
    column.resize(320, 700)
    column.show()
    yield made
    column.close()


def texts(panel) -> list[str]:
    """Every sentence and figure that can be seen, from top to bottom."""
    return [one.text() for one in panel.findChildren(QLabel) if one.isVisible() and one.text()]


def vote(layer, title, *shares) -> Vote:
    return Vote(layer, title, np.array(shares, np.float32))


# --- rows


def test_rows_follow_the_first_model_and_hold_the_best_of_all():
    one = chances(Road=0.5, Car=0.3, Tree=0.15, Sky=0.05)
    two = chances(Sky=0.6, Road=0.2, Pole=0.2)
    rows = class_rows([one, two], 4)
    assert [row.name for row in rows] == ["Road", "Car", "Tree", "Sky"]
    assert rows[0].shares == (0.5, 0.2)
    assert rows[-1].shares == (0.05, 0.6)


def test_a_class_that_the_first_model_does_not_know_comes_last():
    rows = class_rows([chances(road=0.9, car=0.1), chances(Rider=0.8, Road=0.2)], 5)
    assert [(row.name, row.shares) for row in rows] == [
        ("road", (0.9, 0.2)),
        ("car", (0.1, None)),
        ("Rider", (None, 0.8)),
    ]
    assert percent(None) == "–"


def test_a_model_that_has_said_nothing_yet_has_no_figures():
    rows = class_rows([chances(Road=1.0), []], 5)
    assert rows[0].shares == (1.0, None)


# --- the panel


def test_it_is_there_only_while_somebody_looks_inside(panel, inside):
    assert not panel.isHidden()
    inside.is_on = False
    inside.changed.emit()
    assert panel.isHidden()
    inside.is_on = True
    inside.changed.emit()
    assert not panel.isHidden()


def test_nothing_pointed_at_is_said_in_a_sentence(panel):
    assert texts(panel) == ["Pixel", EMPTY, "Stages", ASK]


def test_a_frame_that_no_model_saw_is_said_too(panel, inside):
    inside.says = {}
    inside.point((3, 4))
    assert UNSEEN in texts(panel)


def test_the_five_best_classes_of_the_pixel_under_the_cursor(panel, inside):
    inside.point((40, 7))
    assert "x 7  y 40" in texts(panel)
    names = [row.name for row in panel.classes.rows]
    assert names == ["Road", "Car", "Tree", "Sky", "Pole"]
    assert panel.classes.accessibleDescription().startswith("Road 70.0 %; Car 20.0 %")
    assert EMPTY not in texts(panel)
    assert not panel.grab().isNull()


def test_a_pinned_pixel_stays_until_it_is_let_go(panel, inside):
    inside.point((1, 1))
    inside.pin((40, 7))
    inside.point((2, 2))
    assert "x 7  y 40" in texts(panel)
    unpin = next(b for b in panel.findChildren(QPushButton) if b.text() == "Let go")
    unpin.click()
    assert inside.pinned is None
    assert "x 2  y 2" in texts(panel)
    assert not unpin.isVisible()


def test_two_models_stand_side_by_side_and_more_below_each_other(panel, inside, fake):
    inside.says["B"] = chances(Car=0.9, Road=0.1)
    inside.says["C"] = inside.says["D"] = inside.says["A"]
    inside.point((1, 1))
    alone = panel.classes.height()
    heights = []
    for letters in ("AB", "ABC", "ABCD"):
        inside.letters = tuple(letters)
        fake.comparison.changed.emit()
        heights.append(panel.classes.height())
        assert len(panel.classes.titles) == len(letters)
        assert not panel.grab().isNull()
    assert alone < heights[0] < heights[1] < heights[2]
    assert panel.classes.rows[0].shares[:2] == (0.7, 0.1)


def test_nothing_below_jumps_when_the_cursor_leaves_or_classes_change(panel, inside, qtbot):
    inside.point((1, 1))
    panel.parentWidget().layout().activate()
    height = panel.sizeHint().height()
    inside.says["A"] = chances(Sky=0.5, Pole=0.2, Fence=0.1, Tree=0.1, Car=0.06, Road=0.04)
    inside.point((2, 2))
    assert panel.sizeHint().height() == height
    inside.point(None)
    assert EMPTY in texts(panel)
    assert panel.sizeHint().height() == height


def test_moving_the_cursor_makes_no_new_widgets(panel, inside):
    inside.point((1, 1))
    before = set(panel.findChildren(QWidget))
    for step in range(50):
        inside.says["A"] = chances(Road=0.5 + step / 200, Car=0.3, Tree=0.1, Sky=0.1)
        inside.point((1, step))
    assert set(panel.findChildren(QWidget)) == before


def test_a_hidden_panel_asks_nobody_and_catches_up(panel, inside):
    panel.parentWidget().hide()
    inside.point((5, 6))
    assert panel.classes.rows == ()
    panel.parentWidget().show()
    assert panel.classes.rows[0].name == "Road"


def test_a_new_frame_brings_new_figures(panel, inside, fake):
    inside.point((1, 1))
    inside.says["A"] = chances(Sky=1.0)
    fake.shown_changed.emit()
    assert [row.name for row in panel.classes.rows] == ["Sky"]


# --- stages


def test_stages_are_asked_with_a_click(panel, inside):
    inside.point((1, 1))
    assert ASK in texts(panel)
    inside.pin((1, 1))
    assert ASKING in texts(panel)
    inside.vote(vote("", "Answer", 0.9, 0.1, 0.0))
    assert ALONE in texts(panel)


def test_while_playing_nothing_is_asked_and_a_model_without_stages_is_known_as_such(
    panel, inside, fake
):
    fake.player.play(on=True)
    inside.pin((1, 1))
    assert PAUSE in texts(panel)
    fake.player.play(on=False)
    assert ASKING in texts(panel)
    inside.vote(vote("", "Answer", 0.9, 0.1, 0.0))
    for _ in range(2):
        fake.player.play(on=True)
        inside.vote()  # another frame
        assert ALONE in texts(panel)
        fake.player.play(on=False)
        assert ALONE in texts(panel)
    inside.letter = "B"
    inside.changed.emit()
    assert ASKING in texts(panel)


def test_when_stages_cannot_be_asked_the_reason_is_said(panel, inside):
    inside.pin((1, 1))
    inside.trouble = "The model is gone."
    inside.changed.emit()
    assert "The model is gone." in texts(panel)
    assert ASKING not in texts(panel)


def test_a_stage_that_says_another_class_is_marked(panel, inside):
    inside.pin((1, 1))
    inside.vote(
        vote("skip8", "Skip · 1/8", 0.2, 0.5, 0.3),
        vote("skip16", "Skip · 1/16", 0.6, 0.3, 0.1),
        vote("", "Answer", 0.8, 0.1, 0.1),
    )
    rows = panel.stages.rows
    # Channel 0 of that net is class 3, channel 1 class 0.
    road, sky = CAMVID.by_id(3), CAMVID.by_id(0)
    assert [(r.title, r.name, r.color, r.differs) for r in rows] == [
        ("Skip · 1/8", sky.name, sky.color, True),
        ("Skip · 1/16", road.name, road.color, False),
        ("Answer", road.name, road.color, False),
    ]
    assert rows[0].share == pytest.approx(0.5)
    assert "not what the model answers" in panel.stages.accessibleDescription()
    assert ASK not in texts(panel)
    inside.pin(None)
    assert panel.stages.rows == ()
    assert ASK in texts(panel)


@pytest.mark.parametrize("name", ["dark", "light"])
def test_both_themes_paint_the_marked_stage_in_their_own_warning(panel, inside, name):
    theme.apply(QApplication.instance(), name)
    inside.pin((1, 1))
    inside.vote(vote("skip", "Skip", 0.2, 0.5, 0.3), vote("", "Answer", 0.8, 0.1, 0.1))
    panel.parentWidget().layout().activate()
    image = panel.stages.grab().toImage()
    places = ((x, y) for x in range(image.width()) for y in range(image.height()))
    assert theme.current().warn in {image.pixelColor(x, y).name() for x, y in places}


def test_the_session_says_what_its_model_says_at_the_pixel(shown, qtbot):
    session = shown(3)
    made = PixelPanel(session)
    qtbot.addWidget(made)
    assert made.isHidden()
    session.inside.is_on = True
    session.inside.changed.emit()
    made.show()
    session.inside.point((20, 5))
    names = CAMVID.by_id(3).name, percent(session.inside.probabilities("A")[0].probability)
    assert made.classes.accessibleDescription().startswith(" ".join(names))
    session.inside.point((20, 120))
    assert made.classes.rows[0].name == CAMVID.by_id(0).name
