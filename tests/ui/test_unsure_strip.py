"""The strip of uncertainty: what frames left there, and where a click leads."""

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from segstudio.core.layers import LayerTree
from segstudio.core.look import LayerLook, Seen, UnsureLook
from segstudio.engine.play import ModelState
from segstudio.ui import theme
from segstudio.ui.bridge import live
from segstudio.ui.inside import unsure_record
from segstudio.ui.panels.unsure_strip import EMPTY, UnsureStrip, ends
from tests.ui.conftest import FakePredictor

FRAMES = 40
PEAK = 25


def share_of(index):
    """What the fake model is unsure of a frame."""
    return 0.4 if index == PEAK else 0.05


class Looking:
    def __init__(self, predictor):
        self._predictor = predictor

    def again(self, frame, token=None, progress=None):
        look = self._predictor.look
        return None if look is None else self._predictor.seen(frame)

    def tree(self, size):
        return LayerTree("fake", (), size)


class Unsure(FakePredictor):
    """The fake model, which sees how unsure it is."""

    look = None

    def __init__(self, *args):
        super().__init__(*args)
        self.looking = Looking(self)

    def look_for(self, look):
        self.look = look

    def input_size(self, height, width):
        return height, width

    def seen(self, frame):
        return Seen(self.look, frame_share=share_of(frame.id.index))

    def predict(self, frame, *, request=0):
        done = super().predict(frame, request=request)
        return done if self.look is None else replace(done, seen=self.seen(frame))


@pytest.fixture
def unsure(monkeypatch, session):
    def loader(card, device, strategy):
        return lambda: Unsure(card, device, strategy)

    monkeypatch.setattr(live, "loader", loader)
    return session


@pytest.fixture
def opened(qtbot, unsure, clip):
    """The clip on the first frame with its prediction."""
    unsure.open([clip])

    def is_there():
        result = unsure.result
        return (
            result is not None
            and result.prediction is not None
            and unsure.player.last_index == FRAMES - 1
        )

    qtbot.waitUntil(is_there, timeout=20_000)
    return unsure


@pytest.fixture
def strip(qtbot, opened):
    theme.apply(QApplication.instance(), "dark")
    made = UnsureStrip(opened)
    qtbot.addWidget(made)
    made.resize(500, made.sizeHint().height())
    return made


def look(session, kind="entropy"):
    session.inside.set_look(UnsureLook(kind))
    session.inside.turn_on()


def known(session):
    return np.flatnonzero(~np.isnan(session.inside.record.values("A", FRAMES))).tolist()


def visit(qtbot, session, *indices):
    for index in indices:
        session.player.seek(index)
        qtbot.waitUntil(
            lambda index=index: index in known(session) and session.result.frame.id.index == index,
            timeout=20_000,
        )


def test_it_is_there_while_uncertainty_is_looked_at_and_only_then(opened, strip):
    assert strip.isHidden()
    look(opened)
    assert not strip.isHidden()
    opened.inside.set_look(LayerLook("x"))
    assert strip.isHidden()
    opened.inside.set_look(UnsureLook("margin"))
    assert not strip.isHidden()
    opened.inside.turn_off()
    assert strip.isHidden()


def test_every_frame_that_goes_by_is_written_down(qtbot, opened, strip):
    look(opened)
    qtbot.waitUntil(lambda: known(opened) == [0], timeout=20_000)  # without being predicted again
    visit(qtbot, opened, 7, PEAK)
    values = opened.inside.record.values("A", FRAMES)
    assert known(opened) == [0, 7, PEAK]
    assert values[[0, 7, PEAK]] == pytest.approx([0.05, 0.05, 0.4])
    qtbot.waitUntil(lambda: strip.known().tolist() == [0, 7, PEAK], timeout=20_000)
    assert strip.tip(PEAK).splitlines()[0] == "Frame 25 · 40.0 % unsure (entropy)"
    assert strip.tip(7) == "Frame 7 · 5.0 % unsure (entropy)"


def test_playing_leaves_frames_that_the_screen_passed_over(qtbot, opened):
    look(opened)
    opened.player.set_every_frame(every=True)
    with qtbot.waitSignal(opened.inside.record.changed, timeout=20_000):
        opened.player.play()
    qtbot.waitUntil(lambda: known(opened) == list(range(FRAMES)), timeout=20_000)
    qtbot.waitUntil(lambda: len(opened.inside.record.peaks()) == 1, timeout=20_000)


def test_the_next_unsure_frame_is_the_next_that_stands_out(qtbot, opened):
    record = opened.inside.record
    assert record.next_peak(0) is None
    look(opened)
    visit(qtbot, opened, *range(15, 32, 2))
    qtbot.waitUntil(lambda: record.next_peak(0) == PEAK, timeout=20_000)
    assert record.next_peak(PEAK) is None
    assert record.next_peak(39, by=-1) == PEAK
    assert record.next_peak(PEAK, by=-1) is None


def test_another_kind_has_figures_of_its_own(qtbot, opened):
    look(opened)
    qtbot.waitUntil(lambda: known(opened) == [0], timeout=20_000)
    visit(qtbot, opened, 7)
    look(opened, "margin")
    assert 0 not in known(opened)
    qtbot.waitUntil(lambda: known(opened) == [7], timeout=20_000)
    visit(qtbot, opened, 8)
    look(opened)
    assert known(opened) == [0, 7] or known(opened) == [0, 7, 8]
    opened.inside.turn_off()
    assert opened.inside.record.kind is None
    assert known(opened) == []
    opened.inside.turn_on()
    assert {0, 7} <= set(known(opened))


@pytest.fixture
def other(opened, card):
    """A second model on the shelf."""
    made = replace(card, name="other", title="Other Net", folder=card.folder / "other")
    opened.models.cards = (card, made)
    return made


def choose(qtbot, session, name):
    session.models.choose(name)
    qtbot.waitUntil(
        lambda: session.models.status.kind == "ready" and session.result.prediction is not None
        and session.result.prediction.model == name, timeout=20_000,
    )  # fmt: skip


def test_another_model_has_figures_of_its_own_and_the_first_finds_its_own_again(
    qtbot, opened, other
):
    look(opened)
    qtbot.waitUntil(lambda: known(opened) == [0], timeout=20_000)
    visit(qtbot, opened, 7, 9)
    choose(qtbot, opened, "other")
    qtbot.waitUntil(lambda: known(opened) == [9], timeout=20_000)
    visit(qtbot, opened, 11)
    assert known(opened) == [9, 11]
    choose(qtbot, opened, "fake")
    assert {0, 7, 9} <= set(known(opened)) <= {0, 7, 9, 11}


def test_an_answer_of_a_model_on_its_way_out_is_not_written_down(qtbot, opened):
    look(opened)
    visit(qtbot, opened, 7)
    result = opened.result
    late = replace(result.prediction, model="other", seen=Seen(UnsureLook(), frame_share=0.9))
    opened.inside.record.take(replace(result, prediction=late))
    opened.player.model_changed.emit(ModelState("loading", ""))
    assert opened.inside.record.values("A", FRAMES)[7] == pytest.approx(0.05)


def test_other_weights_or_settings_begin_anew(qtbot, opened, card):
    look(opened)
    qtbot.waitUntil(lambda: known(opened) == [0], timeout=20_000)
    visit(qtbot, opened, 7, 9)
    opened.player.model_changed.emit(ModelState("loading", ""))
    assert known(opened) == [0, 7, 9]  # the same again
    (card.folder / card.weights).write_bytes(b"trained again")
    opened.player.model_changed.emit(ModelState("loading", ""))
    assert known(opened) == []
    visit(qtbot, opened, 11)
    was = opened.settings
    opened.set_settings(replace(was, input_scale=0.5))
    assert known(opened) == []  # not even while it is loaded
    visit(qtbot, opened, 12)
    assert set(known(opened)) <= {11, 12}
    opened.set_settings(was)
    qtbot.waitUntil(lambda: 11 in known(opened), timeout=20_000)


def test_only_the_newest_curves_are_kept(qtbot, opened, monkeypatch):
    monkeypatch.setattr(unsure_record, "MOST", 2)
    for kind in ("entropy", "margin", "probability"):
        look(opened, kind)
        qtbot.waitUntil(lambda: known(opened) == [0], timeout=20_000)
    monkeypatch.setattr(opened.inside, "seen_by", lambda letter: None)
    look(opened, "margin")
    assert known(opened) == [0]
    look(opened, "entropy")
    assert known(opened) == []


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], (0, 0.02)),
        ([np.nan], (0, 0.02)),
        ([0.27, 0.285, 0.3], (0.26, 0.31)),
        ([0.05, 0.4], (0, 0.5)),
        ([0.0, 0.001], (0, 0.02)),
        ([0.999, 1.0], (0.98, 1)),
        ([0.28, 0.28], (0.27, 0.29)),
        ([0.0, 1.0], (0, 1)),
        ([0.62, np.nan, 0.8], (0.6, 0.85)),
    ],
)
def test_its_lines_lie_around_what_is_known(values, expected):
    values = np.array(values, np.float32)
    low, high = ends(values)
    assert (low, high) == pytest.approx(expected, abs=1e-6)
    assert high - low >= 0.02 - 1e-9
    known = values[~np.isnan(values)]
    assert ((known >= low - 1e-6) & (known <= high + 1e-6)).all()


def test_answers_to_what_was_looked_at_before_are_not_mixed_in(qtbot, opened):
    look(opened)
    visit(qtbot, opened, 7)
    old = Seen(UnsureLook("flip"), frame_share=0.9)
    result = opened.result
    opened.inside.record.take(replace(result, prediction=replace(result.prediction, seen=old)))
    assert opened.inside.record.values("A", FRAMES)[7] == pytest.approx(0.05)


def test_a_click_goes_to_the_frame_or_the_known_one_beside_it(qtbot, opened, strip):
    look(opened)
    visit(qtbot, opened, PEAK)
    qtbot.waitUntil(lambda: PEAK in strip.known().tolist(), timeout=20_000)
    strip.show()
    middle = strip.height() // 2
    near = QPointF(strip.x_of(PEAK) + 5, middle).toPoint()
    QTest.mouseClick(strip, Qt.MouseButton.LeftButton, pos=near)
    assert opened.player.playing.index == PEAK
    QTest.mouseClick(
        strip, Qt.MouseButton.LeftButton, pos=QPointF(strip.x_of(12), middle).toPoint()
    )
    assert opened.player.playing.index == 12


def test_the_mouse_over_it_is_told_the_figure(qtbot, opened, strip, monkeypatch):
    told = []
    monkeypatch.setattr(
        "segstudio.ui.panels.clip_strip.QToolTip.showText", lambda at, text, over: told.append(text)
    )
    look(opened)
    visit(qtbot, opened, 12)
    qtbot.waitUntil(lambda: 12 in strip.known().tolist(), timeout=20_000)
    at = QPointF(strip.x_of(12) + 2, 10)
    none = Qt.MouseButton.NoButton
    strip.mouseMoveEvent(
        QMouseEvent(QEvent.Type.MouseMove, at, at, none, none, Qt.KeyboardModifier.NoModifier)
    )
    assert told == ["Frame 12 · 5.0 % unsure (entropy)"]


def colors_of(strip):
    picture = strip.grab().toImage()
    return {
        picture.pixelColor(x, y).name()
        for x in range(picture.width())
        for y in range(picture.height())
    }


@pytest.mark.parametrize("name", ["dark", "light"])
def test_peaks_are_drawn_in_a_colour_of_their_own(qtbot, opened, strip, name):
    theme.apply(QApplication.instance(), name)
    warn = theme.current().warn
    look(opened)
    assert warn not in colors_of(strip)
    visit(qtbot, opened, *range(15, 32, 2))
    qtbot.waitUntil(lambda: warn in colors_of(strip), timeout=20_000)
    theme.apply(QApplication.instance(), "dark")


def test_without_a_figure_it_says_what_will_be_there(opened, strip, monkeypatch):
    said = []
    monkeypatch.setattr(strip, "say", lambda painter, text, **where: said.append(text))
    look(opened)
    strip.grab()
    assert said == [EMPTY]


def test_it_says_what_its_lines_stand_for(qtbot, opened, strip, monkeypatch):
    said = []
    monkeypatch.setattr(strip, "say", lambda painter, text, **where: said.append(text))
    look(opened)
    visit(qtbot, opened, 3)
    qtbot.waitUntil(lambda: 3 in strip.known().tolist(), timeout=20_000)
    said.clear()
    strip.grab()
    visit(qtbot, opened, PEAK)
    qtbot.waitUntil(lambda: PEAK in strip.known().tolist(), timeout=20_000)
    strip.grab()
    assert [said[0], said[-1]] == ["entropy, 4–6 %", "entropy, 0–50 %"]


@pytest.mark.parametrize("frames", [3, 40, 7000])
@pytest.mark.parametrize("known", [0, 1, 2])
def test_it_can_be_painted_however_long_the_clip_is(opened, strip, monkeypatch, frames, known):
    look(opened)
    values = np.full(frames, np.nan, np.float32)
    values[:known] = 0.1
    monkeypatch.setattr(opened.inside.record, "values", lambda letter, count: values)
    monkeypatch.setattr(opened.inside.record, "peaks", lambda: np.arange(known))
    strip.follow()
    assert not strip.grab().isNull()
