"""Several models on one frame: panes, modes, figures; a model that cannot is told and the rest goes on."""

import threading
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from segstudio.core.brush import rectangle
from segstudio.core.classes import ClassDef, ClassMap
from segstudio.core.confusion import ConfusionMatrix
from segstudio.core.metrics import Convention, scores_of
from segstudio.core.prediction import Logits, Prediction, Timing
from segstudio.errors import ModelError
from segstudio.store.project_rows import FrameKey
from segstudio.ui.bridge import live
from segstudio.ui.comparing.panes import LABELS, Look
from tests.ui.conftest import LittleInside

H, W = 72, 128
OTHER = ClassMap("fruit", (ClassDef(0, "Apple", (255, 0, 0)), ClassDef(1, "Pear", (0, 255, 0))))


def said_by(name: str, index: int) -> np.ndarray:
    """What each of the made-up models says: uint8 (72, 128)."""
    labels = np.zeros((H, W), np.uint8)
    if name == "fake":
        labels[:, : W // 2] = 3
    else:  # the border between Road and Sky lies elsewhere, and there is a car
        labels[:, : W // 2 + 16] = 3
        labels[40:60, 100:120] = 8
    return labels


class Said:
    """A predictor without torch, by the name of its card."""

    def __init__(self, card, device, strategy):
        self.card, self.device, self.strategy, self.error = card, "cpu", strategy, None
        self.gate, self.waits = None, False
        self.looking = LittleInside()

    def predict(self, frame, *, request=0):
        if self.gate is not None:
            self.waits = True
            assert self.gate.wait(20)
        if self.error is not None:
            raise self.error
        labels = said_by(self.card.name, frame.id.index) % len(self.card.classes)
        labels.setflags(write=False)
        count = len(self.card.classes)
        values = np.zeros((count, H, W), np.float32)
        np.put_along_axis(values, labels[None].astype(np.intp), 4.0, 0)
        logits = Logits(
            values, (H, W), align_corners=False, class_ids=np.arange(count, dtype=np.uint8)
        )
        pixels = np.bincount(labels.ravel(), minlength=256)
        return Prediction(frame, self.card.name, self.card.classes, labels, pixels, logits,
                          Timing(1.0, 2.0, 3.0), (H, W), "cpu", request)  # fmt: skip

    def close(self):
        pass


@pytest.fixture
def made(monkeypatch):
    """Every predictor that was made, and what making one does."""

    class Made(list):
        error = None

    predictors = Made()

    def loader(card, device, strategy):
        def load():
            if predictors.error is not None and card.name != "fake":
                raise predictors.error
            predictors.append(Said(card, device, strategy))
            return predictors[-1]

        return load

    monkeypatch.setattr(live, "loader", loader)
    return predictors


@pytest.fixture
def cards(session, card, made):
    """Three models: the chosen one, another one of its classes, and one of other classes."""
    second = replace(card, name="second", title="Second Net", folder=card.folder / "second")
    fruit = replace(card, name="fruit", title="Fruit Net", classes=OTHER)
    session.models.cards = (card, second, fruit)
    return session.models.cards


@pytest.fixture
def two(window, cards, shown, qtbot):
    """Frame 5 in a window with two models beside each other."""
    session = shown(5)
    session.comparison.turn_on()
    qtbot.waitUntil(lambda: session.comparison.prediction("B") is not None, timeout=20_000)
    qtbot.waitUntil(lambda: session.editor.held is not None, timeout=20_000)
    return session


@pytest.fixture
def grid(window):
    return window._grid


def truth():
    """Neither model is right everywhere."""
    labels = np.zeros((H, W), np.uint8)
    labels[:, : W // 2 + 8] = 3
    labels[40:60, 100:120] = 8
    return labels


def label(session, qtbot, labels=None, *, confirmed=True):
    from segstudio.core.origins import PAINTED

    labels = truth() if labels is None else labels
    session.editor.replace_labels("Truth", labels, PAINTED, np.ones((H, W), bool))
    if confirmed:
        session.editor.confirm()
    qtbot.waitUntil(lambda: session.scores._is_warm, timeout=20_000)


def drawn(canvas):
    """The raster that a canvas draws over its frame."""
    return canvas._scene.labels


def test_the_second_model_is_another_one_of_the_same_classes(two):
    assert [p.title for p in two.comparison.panes] == ["Fake Net", "Second Net"]
    assert two.comparison.letters == ("A", "B")


def test_panes_show_one_frame_and_each_its_own_model(two, grid):
    assert sorted(grid.panes) == ["A", "B"]
    a, b = grid.panes["A"].canvas, grid.panes["B"].canvas
    assert a._scene.frame is b._scene.frame is two.result.frame
    assert (drawn(b) == said_by("second", 5)).all()
    assert (two.shown_labels() == said_by("fake", 5)).all()


def test_panes_step_together(two, grid, qtbot):
    two.player.step(1)
    qtbot.waitUntil(lambda: two.result.frame.id.index == 6, timeout=20_000)
    qtbot.waitUntil(lambda: grid.panes["B"].canvas._scene.frame.id.index == 6, timeout=20_000)
    assert grid.panes["A"].canvas._scene.frame is grid.panes["B"].canvas._scene.frame


def test_panes_zoom_and_pan_together(two, grid):
    a, b = grid.panes["A"].canvas, grid.panes["B"].canvas
    a.zoom(3.0)
    a.pan(-20, -35)
    assert b.transform.scale == a.transform.scale
    middle = (a.transform.view[0] / 2, a.transform.view[1] / 2)
    other = (b.transform.view[0] / 2, b.transform.view[1] / 2)
    assert b.transform.to_frame(*other) == pytest.approx(a.transform.to_frame(*middle), abs=1)
    b.fit()
    assert a.is_fit


def test_the_cursor_is_read_in_every_pane(two, grid, qtbot):
    canvas = grid.panes["B"].canvas
    y, x = canvas.transform.to_view(50.5, 110.5)
    ratio = canvas.devicePixelRatioF()
    QTest.mouseMove(canvas, QPoint(round(x / ratio), round(y / ratio)))
    assert "Sky" in grid.panes["A"].reading
    assert "Car" in grid.panes["B"].reading
    assert "%" in grid.panes["B"].reading
    assert grid.canvas._preview.ring is not None
    two.comparison.set_look(Look("difference", pair=("A", "B")))
    qtbot.wait(10)
    y, x = grid.canvas.transform.to_view(50.5, 110.5)
    QTest.mouseMove(grid.canvas, QPoint(round(x / ratio), round(y / ratio)))
    assert [line.split()[:2] for line in grid._main.reading.splitlines()] == [
        ["A", "Sky"], ["B", "Car"],
    ]  # fmt: skip


def test_panes_keep_their_width_whatever_is_said(two, grid, cards, qtbot):
    for _ in range(2):
        two.comparison.add(cards[1])
    two.comparison.set_look(Look(shows_labels=True))
    qtbot.waitUntil(lambda: two.comparison.prediction("D") is not None, timeout=20_000)
    qtbot.wait(10)
    rows = {}
    for pane in grid.panes.values():
        rows.setdefault(pane.y(), []).append(pane)
    widths = {pane.width() for panes in rows.values() for pane in panes}
    assert max(widths) - min(widths) <= 1
    heights = {(pane.y(), pane.canvas.height()) for pane in grid.panes.values()}
    assert len({height for _, height in heights}) <= len(rows)
    before = [pane.geometry() for pane in grid.panes.values()]
    grid._hover("A", (50, 110))
    qtbot.wait(10)
    assert [pane.geometry() for pane in grid.panes.values()] == before


def test_a_stroke_is_seen_also_when_the_labels_pane_was_closed(two, grid, qtbot):
    two.tools.choose("brush")
    two.comparison.set_look(replace(two.comparison.look, shows_labels=False))
    assert list(grid.panes) == ["A", "B"]
    editor = two.editor
    assert editor.begin("Brush")
    editor.paint(rectangle((10, 10), (20, 30), editor.shape), 5)
    assert list(grid.panes) == ["A", "B"], "nothing moves under the hand"
    editor.commit()
    assert list(grid.panes) == [LABELS, "A", "B"]


def test_a_third_model_and_fewer_again(two, grid, cards, qtbot):
    two.comparison.add(cards[1])
    qtbot.waitUntil(lambda: two.comparison.prediction("C") is not None, timeout=20_000)
    assert sorted(grid.panes) == ["A", "B", "C"]
    two.comparison.remove("B")
    assert sorted(grid.panes) == ["A", "C"]
    two.comparison.turn_off()
    assert sorted(grid.panes) == ["A"]
    assert not grid.panes["A"].header.isVisible()


def test_the_other_models_are_remembered(two, cards):
    kept = two.settings.compared
    assert "second" in kept
    two.comparison.turn_off()
    two.comparison.restore(kept)
    two.comparison.turn_on()
    assert [p.title for p in two.comparison.panes] == ["Fake Net", "Second Net"]
    two.comparison.restore('[{"model": "gone"}, 7]')
    assert two.comparison._others == ()


def test_swiping_joins_two_models_at_the_divider(two, grid, qtbot):
    two.comparison.set_look(Look("swipe", pair=("A", "B"), divider=0.5))
    column = grid._column()
    expected = said_by("second", 5)
    expected[:, :column] = said_by("fake", 5)[:, :column]
    assert (drawn(grid.canvas) == expected).all()
    divider = grid._divider
    assert divider.isVisible()
    middle = QPoint(divider.width() // 2, divider.height() // 2)
    QTest.mousePress(divider, Qt.MouseButton.LeftButton, pos=middle)
    QTest.mouseMove(divider, middle + QPoint(90, 0))
    QTest.mouseRelease(divider, Qt.MouseButton.LeftButton, pos=middle)
    moved = grid._column()
    assert moved > column
    expected = said_by("second", 5)
    expected[:, :moved] = said_by("fake", 5)[:, :moved]
    assert (drawn(grid.canvas) == expected).all()


def test_the_divider_stays_on_the_screen_while_the_frame_moves(two, grid):
    two.comparison.set_look(Look("swipe", pair=("A", "B")))
    grid.canvas.zoom(2.0)
    grid.canvas.pan(0, -40)
    column = grid._column()
    expected = said_by("second", 5)
    expected[:, :column] = said_by("fake", 5)[:, :column]
    assert (drawn(grid.canvas) == expected).all()


def test_holding_tab_blinks(two, grid, window):
    window.activateWindow()
    before = drawn(grid.canvas).copy()
    QTest.keyPress(grid.canvas, Qt.Key.Key_Tab)
    assert two.comparison.is_blinking
    assert (drawn(grid.canvas) == said_by("second", 5)).all()
    assert (drawn(grid.panes["B"].canvas) == said_by("fake", 5)).all()
    assert grid.panes["A"].header._chip.text() == "B"
    QTest.keyRelease(grid.canvas, Qt.Key.Key_Tab)
    assert (drawn(grid.canvas) == before).all()
    assert grid.panes["A"].header._chip.text() == "A"


def test_difference_draws_what_differs_and_nothing_else(two, grid, window):
    two.comparison.set_look(Look("difference", pair=("A", "B")))
    differs = said_by("fake", 5) != said_by("second", 5)
    assert ((drawn(grid.canvas) != 255) == differs).all()
    panel = window._panel.differences
    assert panel.isVisible()
    assert panel._rows[0][1].text() == "Sky | Road"
    assert panel._rows[0][2].text() == f"{H * 16:,}"
    assert f"{100 * differs.mean():.1f} %" == panel._share.text()


def test_agreement_counts_the_models(two, grid, cards, qtbot):
    two.comparison.add(cards[0])
    qtbot.waitUntil(lambda: two.comparison.prediction("C") is not None, timeout=20_000)
    two.comparison.set_look(Look("agreement"))
    agree = said_by("fake", 5) == said_by("second", 5)
    assert (drawn(grid.canvas) == np.where(agree, 3, 2)).all()


def test_errors_follow_the_labels_stroke_by_stroke(two, grid, qtbot):
    two.comparison.set_look(Look(colours="errors"))
    assert drawn(grid.panes["B"].canvas) is None  # nobody labelled this frame
    label(two, qtbot)
    codes = drawn(grid.panes["B"].canvas)
    assert ((codes == 1) == (said_by("second", 5) != truth())).all()
    editor = two.editor
    assert editor.begin("Brush")
    editor.paint(rectangle((10, 10), (20, 30), editor.shape), 5)
    editor.commit()
    now = two.scores.reference()
    for letter, name in (("A", "fake"), ("B", "second")):
        codes = drawn(grid.panes[letter].canvas)
        assert ((codes == 1) == (said_by(name, 5) != now)).all()


def test_errors_of_one_class(two, grid, qtbot):
    label(two, qtbot)
    two.comparison.set_look(Look(colours="errors", error_class=8))
    assert (drawn(grid.panes["B"].canvas)[40:60, 100:120] == 2).all()  # found
    assert (drawn(grid.canvas)[40:60, 100:120] == 4).all()  # missed
    assert (drawn(grid.canvas)[:40] == 255).all()


def plain(reference, predicted):
    matrix = ConfusionMatrix(11)
    matrix.add(reference, predicted)
    return scores_of(matrix.full).miou


def test_the_headline_counts_confirmed_frames_only(two, grid, qtbot):
    label(two, qtbot, confirmed=False)
    scores = two.scores
    assert np.isnan(scores.tally("B").scores().miou)
    assert scores.tally("B").scores(reference=False).miou == pytest.approx(
        plain(truth(), said_by("second", 5))
    )
    two.editor.confirm()
    expected = f"{100 * plain(truth(), said_by('second', 5)):.1f} %"
    header = grid.panes["B"].header
    qtbot.waitUntil(lambda: header._score.text() == expected)
    assert scores.tally("A").scores().miou == pytest.approx(plain(truth(), said_by("fake", 5)))
    assert scores.tally("B").scores().miou == pytest.approx(plain(truth(), said_by("second", 5)))
    assert not scores.tally("B").frames(reference=False)


def test_confirming_keeps_how_much_had_been_painted(two, qtbot):
    """A draft that was taken as it is and confirmed is no painting, whatever its origin says."""
    editor = two.editor
    editor.accept_draft()
    editor.begin("Brush")
    editor.paint(rectangle((0, 0), (H // 2 - 1, W - 1), editor.shape), 5)
    editor.commit()
    editor.confirm()
    assert two.scores.standing().is_reference
    assert two.scores.standing().human_share == pytest.approx(0.5)
    assert two.scores.standing().drafted_by == "fake"
    editor.begin("Brush")
    editor.paint(rectangle((H // 2, 0), (H - 1, W - 1), editor.shape), 3)
    editor.commit()
    assert two.scores.standing().human_share == pytest.approx(1.0)
    editor.confirm()
    key, project = editor.held.key, editor.projects.project
    assert project.summary(key).about.by_hand == H * W
    assert two.scores.standing().human_share == pytest.approx(1.0)


def test_the_figure_moves_while_a_stroke_is_painted(two, qtbot):
    label(two, qtbot)
    editor, scores = two.editor, two.scores
    assert editor.begin("Brush")
    for y in range(5, 60, 7):
        editor.paint(rectangle((y, 20), (y + 9, 70), editor.shape), 0)
        reference = editor.held.document.labels
        for letter, name in (("A", "fake"), ("B", "second")):
            found = scores.tally(letter)
            assert (found.full() == ConfusionMatrix(11).counted(reference, said_by(name, 5))).all()
            assert found.scores().miou == pytest.approx(plain(reference, said_by(name, 5)))
    editor.commit()
    editor.undo()
    assert scores.tally("A").scores().miou == pytest.approx(plain(truth(), said_by("fake", 5)))


def test_frames_that_go_by_are_counted_against_the_project(two, qtbot):
    label(two, qtbot)
    key = two.editor.held.key
    for tally in two.scores._tallies.values():
        tally.drop(key)
    two.player.seek(3)
    two.player.play(4.0) if hasattr(two.player.play, "speed") else two.player.play()
    qtbot.waitUntil(lambda: two.result.frame.id.index > 8, timeout=20_000)
    two.player.pause()
    qtbot.waitUntil(lambda: two.scores.tally("B").get(key) is not None, timeout=20_000)
    assert two.scores.tally("B").scores().miou == pytest.approx(
        plain(truth(), said_by("second", 5))
    )


def test_every_labelled_frame_is_measured_in_the_background(two, qtbot, told):
    label(two, qtbot)
    two.player.seek(9)
    qtbot.waitUntil(lambda: two.editor.held is not None and two.editor.held.key.index == 9,
                    timeout=20_000)  # fmt: skip
    label(two, qtbot, np.zeros((H, W), np.uint8))
    two.scores._tallies.clear()
    two.measuring.start()
    qtbot.waitUntil(lambda: two.measuring.run is None, timeout=20_000)
    both = ConfusionMatrix(11)
    both.add(truth(), said_by("second", 5))
    both.add(np.zeros((H, W), np.uint8), said_by("second", 9))
    assert (two.scores.tally("B").full() == both.full).all()
    assert len(two.scores.tally("A").frames()) == 2
    assert "2 frames were measured." in [n.text for n in told]
    curve = two.scores.curve("B", two.editor.projects.media.id, 40)
    assert np.flatnonzero(~np.isnan(curve)).tolist() == [5, 9]


def test_another_convention_another_figure(two, qtbot):
    labels = truth()
    labels[:20] = 255
    label(two, qtbot, labels)
    tally = two.scores.tally("B")
    # void has no origin of a human, so such a frame is confirmed by its void too
    left_out = tally.scores(Convention.VOID_IGNORED).miou
    assert tally.scores(Convention.VOID_IS_WRONG).miou < left_out


def test_a_model_of_other_classes_is_refused_with_the_reason(two, grid, cards, qtbot):
    two.comparison.set_pane("B", card=cards[2])
    qtbot.waitUntil(lambda: two.comparison.prediction("B") is not None, timeout=20_000)
    text = two.comparison.trouble("B")
    assert "nothing in common" in text
    assert text.endswith(".")
    assert grid.panes["B"]._trouble.isVisible()
    assert two.comparison.labels("B") is None
    assert two.comparison.labels("A") is not None


def test_a_model_that_fails_half_way_says_so_in_its_pane(two, grid, made, qtbot):
    made[-1].error = ModelError("The model broke; choose another.")
    two.player.step(1)
    qtbot.waitUntil(lambda: two.comparison.status("B").kind == "failed", timeout=20_000)
    qtbot.waitUntil(lambda: two.result.frame.id.index == 6, timeout=20_000)
    assert grid.panes["B"]._trouble.text() == "The model broke; choose another."
    assert two.comparison.labels("A") is not None
    assert two.models.status.kind == "ready"


def test_a_model_that_cannot_be_loaded_says_so(window, cards, made, shown, qtbot, grid):
    made.error = ModelError("The weights are gone; import them again.")
    session = shown(5)
    session.comparison.turn_on()
    qtbot.waitUntil(lambda: session.comparison.status("B").kind == "failed", timeout=20_000)
    assert grid.panes["B"]._trouble.text() == "The weights are gone; import them again."


def test_a_cell_of_the_matrix_leads_to_its_pixels(two, qtbot):
    label(two, qtbot)
    key = two.editor.held.key
    two.player.seek(20)
    qtbot.waitUntil(lambda: two.result.frame.id.index == 20, timeout=20_000)
    two.visit.visit(FrameKey(key.media, 5), "B", 0, 3)  # Sky taken for Road
    qtbot.waitUntil(lambda: two.editor.selection is not None, timeout=20_000)
    assert two.editor.held.key == key
    found = np.zeros((H, W), bool)
    found[two.editor.selection.rect.slices] = two.editor.selection.mask
    assert (found == ((truth() == 0) & (said_by("second", 5) == 3))).all()


def test_speed_is_measured_for_each_pane(two, grid, qtbot):
    for _ in range(3):
        at = two.player.playing.index
        two.player.step(1)
        qtbot.waitUntil(lambda: two.result.frame.id.index == at + 1, timeout=20_000)  # noqa: B023
    reading = grid.figures.speed("B")
    assert reading.total.p50 == pytest.approx(6.0)
    assert reading.shared_with == 1
    done = []
    grid.figures.measure_alone("B", lambda: done.append(1))
    qtbot.waitUntil(lambda: bool(done), timeout=20_000)
    assert grid.figures.speed("B").alone.runs == 20


def test_another_source_is_compared_too(two, clip, qtbot, tmp_path):
    other = tmp_path / "other.mp4"
    other.write_bytes(clip.read_bytes())
    two.open([other])
    qtbot.waitUntil(lambda: two.info.path == other, timeout=20_000)
    qtbot.waitUntil(
        lambda: two.result is not None and two.comparison.prediction("B") is not None,
        timeout=20_000,
    )


def test_a_pair_never_holds_one_member_twice():
    look = Look(pair=("A", "B"))
    assert look.fitted(("A", "B", "C")) == look
    assert look.fitted(("A",)).pair == ("A", LABELS)
    assert Look(pair=("B", "C")).fitted(("A", "C")).pair[0] != "C"


def test_panes_show_what_models_say_and_labels_have_their_own(two, grid, qtbot):
    """A model that is shown with corrected pixels would look better than it is."""
    label(two, qtbot)
    two.comparison.set_look(replace(two.comparison.look, shows_labels=False))
    assert (drawn(grid.canvas) == said_by("fake", 5)).all()
    two.tools.choose("brush")
    assert list(grid.panes) == [LABELS, "A", "B"]
    assert grid.panes[LABELS].canvas is grid.canvas
    assert (drawn(grid.canvas) == truth()).all()
    assert (drawn(grid.panes["A"].canvas) == said_by("fake", 5)).all()
    assert not grid.panes[LABELS].strip.isVisible()
    canvas = grid.panes["B"].canvas
    y, x = canvas.transform.to_view(30.5, 60.5)
    point = QPoint(round(x / canvas.devicePixelRatioF()), round(y / canvas.devicePixelRatioF()))
    two.editor.set_options(replace(two.editor.options, class_id=5, size=9))
    QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=point)
    assert (two.editor.held.document.labels[28:33, 58:63] == 5).all(), "painted over any pane"
    assert drawn(grid.canvas)[30, 60] == 5
    assert (drawn(canvas) == said_by("second", 5)).all()
    two.comparison.set_look(replace(two.comparison.look, shows_labels=False))
    assert list(grid.panes) == ["A", "B"]
    assert (drawn(grid.canvas) == said_by("fake", 5)).all()


def test_errors_are_seen_while_it_plays(two, grid, qtbot):
    label(two, qtbot)
    two.comparison.set_look(Look(colours="errors"))
    two.player.set_every_frame(every=True)
    two.player.seek(0)
    qtbot.waitUntil(lambda: two.result.frame.id.index == 0, timeout=20_000)
    seen = {}

    def look():
        index = two.result.frame.id.index
        if two.player.playing.is_playing:
            codes = drawn(grid.panes["B"].canvas)
            seen[index] = None if codes is None else codes.copy()

    two.comparison.arrived.connect(look)
    two.player.set_speed(0.25)
    two.player.play()
    qtbot.waitUntil(lambda: two.result.frame.id.index > 8, timeout=20_000)
    two.player.pause()
    assert ((seen[5] == 1) == (said_by("second", 5) != truth())).all()
    assert seen[4] is None


def test_opacity_is_one_for_all_and_draws_nothing_anew(two, grid):
    two.comparison.set_look(Look("difference", pair=("A", "B")))
    before = grid.canvas._scene.labels
    two.set_view(replace(two.view, opacity=0.25))
    assert grid.canvas.mask_style.opacity == 0.25
    assert grid.canvas._scene.labels is before
    two.comparison.set_look(Look())
    two.set_view(replace(two.view, mode="outline"))
    assert {p.canvas.mask_style.mode for p in grid.panes.values()} == {"outline"}
    two.set_view(replace(two.view, are_masks_off=True))
    assert all(p.canvas.mask_style.hidden for p in grid.panes.values())


def test_a_pair_outlives_switching_off_and_on(two):
    two.comparison.turn_off()
    two.comparison.turn_on()
    assert two.comparison.look.pair == ("A", "B")


def test_no_step_is_lost_while_models_are_slow(two, made, qtbot):
    """Answers to earlier steps come late, and must not take the position back."""
    gate = made[-1].gate = threading.Event()
    two.player.step(1)
    qtbot.waitUntil(lambda: two.player.playing.index == 6)
    qtbot.waitUntil(lambda: made[-1].waits)  # frame 6 is with the slow model
    for _ in range(3):
        two.player.step(1)
    assert two.player.playing.index == 9
    seen = []
    two.player.changed.connect(lambda: seen.append(two.player.playing.index))
    gate.set()
    qtbot.waitUntil(lambda: two.result.frame.id.index == 9, timeout=20_000)
    assert two.player.playing.index == 9
    assert set(seen) <= {9}


def test_a_frame_of_void_cannot_be_confirmed(two, told, qtbot):
    label(two, qtbot, np.full((H, W), 255, np.uint8))
    assert not two.scores.tally("A").frames()
    assert "Every pixel is void, so there is nothing to confirm yet." in [n.text for n in told]


def test_what_a_mapped_model_cannot_say_stands_in_its_head(two, grid, cards, qtbot):
    fewer = ClassMap("few", tuple(c for c in cards[0].classes.classes if c.name in ("Road", "Car")))
    two.comparison.set_pane("B", card=replace(cards[1], classes=ClassMap(
        "few", (*fewer.classes, ClassDef(20, "Bench", (1, 2, 3))))))  # fmt: skip
    words, sentence = two.comparison.mapped("B")
    assert words == "2 of 3 classes"
    assert "Shown as void: Bench." in sentence
    assert "It never says: Sky, Building" in sentence
    assert grid.panes["B"].header._how.text().startswith("2 of 3 classes")
    assert two.comparison.mapped("A") == ("", "")
