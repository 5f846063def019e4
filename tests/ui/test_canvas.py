"""The picture in the window, driven with real events and looked at pixel by pixel."""

import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import (
    QDropEvent,
    QImage,
    QKeyEvent,
    QNativeGestureEvent,
    QPointingDevice,
    QWheelEvent,
)
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from segstudio.core import compose
from segstudio.core.classes import CAMVID, VOID
from segstudio.core.frame import Frame, FrameId
from segstudio.core.geometry import Rect
from segstudio.core.mask_style import MODES, MaskStyle
from segstudio.core.prediction import Logits, Prediction, Timing
from segstudio.ui.canvas.painting import BACKGROUND
from segstudio.ui.canvas.view import CanvasView

SIZE = (90, 120)
PALETTE = CAMVID.palette().astype(int)


class Clock:
    """Time that passes when told."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def canvas(qtbot, clock):
    view = CanvasView(clock=clock)
    qtbot.addWidget(view)
    view.resize(300, 220)
    view.show()
    yield view
    view.stop()


def frame_of(rgb, index=0):
    rgb.setflags(write=False)
    return Frame(FrameId("clip", index, None, index), rgb, 0.0)


def predicted(frame, labels):
    pixels = np.bincount(labels.ravel(), minlength=256)
    logits = Logits(np.zeros((1, 1, 1), np.float32), SIZE, False, np.zeros(1, np.uint8))
    timing = Timing(0.0, 0.0, 0.0)
    size = labels.shape
    return Prediction(frame, "m", CAMVID, labels, pixels, logits, timing, size, "cpu")


def some_frame(index=0, size=SIZE):
    rgb = np.random.default_rng(index).integers(0, 256, (*size, 3), np.uint8)
    return frame_of(rgb, index)


def some_labels(size=SIZE, seed=7):
    small = np.random.default_rng(seed).choice(np.array([*range(11), VOID], np.uint8), (9, 12))
    return np.kron(small, np.ones((size[0] // 9, size[1] // 12), np.uint8))


def sharp(canvas, qtbot):
    qtbot.waitUntil(lambda: canvas.is_sharp)


def shown(widget):
    """int (h, w, 3) of what is painted."""
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1)
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).astype(int)


def expected(canvas, rgb, labels, opacity, visible=None):
    """What must be painted with mode fill at scale >= 1, computed the plain way."""
    t = canvas.transform
    out = np.empty((*t.view, 3), int)
    out[:] = BACKGROUND.red()
    box = t.visible
    at = np.ix_(t.rows(box), t.columns(box))
    inside = rgb[at].astype(int)
    if labels is not None:
        ids = labels[at]
        drawn = ids < 11 if visible is None else visible[ids]
        mixed = inside * (1 - opacity) + PALETTE[ids] * opacity
        inside = np.where(drawn[..., None], mixed, inside)
    out[box.slices] = np.round(inside)
    return out


def wheel(canvas, at, angle, modifiers=Qt.KeyboardModifier.NoModifier):
    event = QWheelEvent(
        QPointF(*at),
        canvas.mapToGlobal(QPointF(*at)),
        QPoint(),
        QPoint(0, angle),
        Qt.MouseButton.NoButton,
        modifiers,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(canvas, event)
    return event.isAccepted()


def paints(canvas, qtbot):
    """The rectangles of all paint events from now on."""
    areas = []

    class Watch(QWidget):
        def eventFilter(self, watched, event):  # noqa: N802  Qt's name
            if event.type() == QEvent.Type.Paint:
                areas.append(event.rect())
            return False

    canvas.watch = Watch()
    qtbot.addWidget(canvas.watch)
    canvas.installEventFilter(canvas.watch)
    return areas


def drag(canvas, button, *places):
    QTest.mousePress(canvas, button, Qt.KeyboardModifier.NoModifier, QPoint(*places[0]))
    for place in places[1:]:
        QTest.mouseMove(canvas, QPoint(*place))
    QTest.mouseRelease(canvas, button, Qt.KeyboardModifier.NoModifier, QPoint(*places[-1]))


# --- pixels


@pytest.mark.parametrize("scale", [1.0, 1.6, 2.0, 5.0, 11.0])
def test_every_painted_pixel_is_frame_and_mask_at_its_place(canvas, qtbot, scale):
    frame, labels = some_frame(), some_labels()
    canvas.show_frame(frame, predicted(frame, labels))
    canvas.actual_size()
    canvas.zoom(scale, QPointF(140, 100))
    canvas.set_opacity(0.35)
    sharp(canvas, qtbot)
    difference = np.abs(shown(canvas) - expected(canvas, frame.rgb, labels, 0.35))
    assert difference.max() <= 2


@pytest.mark.parametrize("opacity", [0.0, 0.25, 0.5, 1.0])
def test_opacity_mixes_exactly(canvas, qtbot, opacity):
    frame, labels = some_frame(), some_labels()
    canvas.show_frame(frame, predicted(frame, labels))
    sharp(canvas, qtbot)
    canvas.set_opacity(opacity)
    assert np.abs(shown(canvas) - expected(canvas, frame.rgb, labels, opacity)).max() <= 2


def test_opacity_asks_for_nothing_but_a_paint(canvas, qtbot, monkeypatch):
    frame = some_frame()
    canvas.show_frame(frame, predicted(frame, some_labels()))
    sharp(canvas, qtbot)
    canvas.set_opacity(0.9)
    assert canvas.is_sharp


def test_a_frame_without_prediction_is_shown_bare(canvas, qtbot):
    before, frame = some_frame(1), some_frame()
    canvas.show_frame(before, predicted(before, some_labels()))
    sharp(canvas, qtbot)
    canvas.show_frame(frame)
    sharp(canvas, qtbot)
    np.testing.assert_array_equal(shown(canvas), expected(canvas, frame.rgb, None, 0))


def test_a_hidden_class_shows_the_picture(canvas, qtbot):
    frame, labels = some_frame(), some_labels()
    canvas.show_frame(frame, predicted(frame, labels))
    visible = canvas.mask_style.visible.copy()
    visible[[3, 5]] = False
    canvas.set_style(replace(canvas.mask_style, visible=visible, opacity=1.0))
    sharp(canvas, qtbot)
    difference = np.abs(shown(canvas) - expected(canvas, frame.rgb, labels, 1.0, visible))
    assert difference.max() <= 1


def test_a_hidden_mask_is_gone_at_once_and_comes_back(canvas, qtbot):
    frame, labels = some_frame(), some_labels()
    canvas.show_frame(frame, predicted(frame, labels))
    sharp(canvas, qtbot)
    with_mask = shown(canvas)
    canvas.set_style(replace(canvas.mask_style, hidden=True))
    np.testing.assert_array_equal(shown(canvas), expected(canvas, frame.rgb, None, 0))
    second = some_frame(1)
    canvas.show_frame(second, predicted(second, labels))
    canvas.show_frame(frame, predicted(frame, labels))
    sharp(canvas, qtbot)
    canvas.set_style(replace(canvas.mask_style, hidden=False))
    sharp(canvas, qtbot)
    np.testing.assert_array_equal(shown(canvas), with_mask)


@pytest.mark.parametrize("mode", ["outline", "hatched"])
def test_other_modes_leave_part_of_the_picture_as_it_is(canvas, qtbot, mode):
    frame, labels = some_frame(), some_labels()
    canvas.show_frame(frame, predicted(frame, labels))
    canvas.set_style(MaskStyle.of(CAMVID, mode, 1.0))
    sharp(canvas, qtbot)
    bare = expected(canvas, frame.rgb, None, 0)
    full = expected(canvas, frame.rgb, labels, 1.0)
    now = shown(canvas)
    is_bare, is_full = (now == bare).all(-1), (now == full).all(-1)
    assert (is_bare | is_full).all()
    assert 0.1 < is_bare[canvas.transform.visible.slices].mean() < 0.95


def test_frame_pixels_are_told_apart_once_they_are_large(canvas, qtbot):
    frame = frame_of(np.full((*SIZE, 3), 200, np.uint8))
    canvas.show_frame(frame)
    canvas.actual_size()
    canvas.zoom(11.9)
    sharp(canvas, qtbot)
    assert np.unique(shown(canvas)).tolist() == [200]
    canvas.zoom(16 / 11.9)
    sharp(canvas, qtbot)
    lines = (shown(canvas)[..., 0] != 200).all(axis=0)
    assert set(np.diff(np.flatnonzero(lines))) == {16}
    middle = shown(canvas)[:, ~lines]
    assert (middle[..., 0] == 200).mean() > 0.9


def test_while_new_pixels_are_made_the_old_ones_move_with_the_view(canvas, qtbot):
    frame, labels = some_frame(), some_labels()
    canvas.show_frame(frame, predicted(frame, labels))
    canvas.actual_size()
    sharp(canvas, qtbot)
    canvas.stop()  # nothing new can be drawn
    canvas.pan(-7, 12)
    canvas.zoom(3.0, QPointF(150, 110))
    now, wanted = shown(canvas), expected(canvas, frame.rgb, labels, 0.5)
    inside = (slice(60, 160), slice(90, 210))
    assert np.abs(now[inside] - wanted[inside]).max() <= 2


def test_a_zoom_is_painted_even_when_its_pixels_never_come(canvas, qtbot):
    canvas.show_frame(some_frame())
    sharp(canvas, qtbot)
    canvas.repaint()
    canvas.stop()
    areas = paints(canvas, qtbot)
    canvas.zoom(2.0)
    qtbot.waitUntil(lambda: bool(areas))


# --- one frame with its own labels


def coded(index):
    """A grey frame and a class of the same red: only the right pair has red = 2 × green."""
    level = 11 + 4 * index
    frame = frame_of(np.full((*SIZE, 3), level, np.uint8), index)
    return frame, predicted(frame, np.full(SIZE, index, np.uint8))


def test_a_frame_is_never_seen_with_the_mask_of_another(canvas, qtbot):
    colors = np.zeros((256, 3), np.uint8)
    colors[:50, 0] = 11 + 4 * np.arange(50)
    canvas.set_style(MaskStyle("fill", colors, np.ones(256, np.bool_)))
    rng = np.random.default_rng(0)
    seen = set()
    for index in range(50):
        canvas.show_frame(*coded(index))
        if index % 7 == 3:
            canvas.zoom(float(rng.choice([0.8, 1.25])), QPointF(150, 110))
        if index % 3 == 0:
            sharp(canvas, qtbot)
        QApplication.processEvents()
        red, green, _ = shown(canvas)[110, 150]
        if red > BACKGROUND.red() or green != BACKGROUND.green():
            assert abs(red - 2 * green) <= 2, f"frame {index}: torn"
            seen.add(int(red))
    sharp(canvas, qtbot)
    assert abs(shown(canvas)[110, 150, 0] - (11 + 4 * 49)) <= 1
    assert len(seen) > 5


def test_the_newest_frame_wins_under_a_busy_window(canvas, qtbot):
    painted = []
    canvas.painted.connect(lambda report: painted.append(report.frame.index))
    for index in range(50):
        canvas.show_frame(*coded(index))
    sharp(canvas, qtbot)
    qtbot.waitUntil(lambda: painted[-1:] == [49])
    assert painted == sorted(set(painted))
    assert len(painted) < 50


def test_each_frame_is_reported_once_when_it_was_painted(canvas, qtbot):
    reports = []
    canvas.painted.connect(reports.append)
    for index in range(3):
        canvas.show_frame(*coded(index))
        qtbot.waitUntil(lambda wanted=index: len(reports) == wanted + 1)
        canvas.repaint()
    QApplication.processEvents()
    assert [report.frame.index for report in reports] == [0, 1, 2]
    assert all(r.draw_ms == r.compose_ms + r.paint_ms > 0 for r in reports)
    assert reports[0].at_s < reports[1].at_s < reports[2].at_s


def test_labels_of_another_frame_or_size_are_refused(canvas):
    frame = some_frame(0)
    with pytest.raises(ValueError, match="another frame"):
        canvas.show_frame(frame, predicted(some_frame(1), some_labels()))
    with pytest.raises(ValueError, match="do not cover"):
        canvas.show_frame(frame, predicted(frame, np.zeros((5, 5), np.uint8)))


def test_a_frame_that_cannot_be_drawn_is_told_and_the_next_one_is_shown(canvas, qtbot, monkeypatch):
    plain = compose.picture

    def fails_once(rgb, transform):
        monkeypatch.setattr(compose, "picture", plain)
        raise MemoryError("no room")

    monkeypatch.setattr(compose, "picture", fails_once)
    with qtbot.waitSignal(canvas.failed) as caught:
        canvas.show_frame(some_frame(0))
    assert isinstance(caught.args[0], MemoryError)
    frame = some_frame(1)
    canvas.show_frame(frame)
    sharp(canvas, qtbot)
    np.testing.assert_array_equal(shown(canvas), expected(canvas, frame.rgb, None, 0))


def test_cleared_means_cleared(canvas, qtbot):
    before = shown(canvas)
    canvas.show_frame(*coded(1))
    sharp(canvas, qtbot)
    canvas.show_frame(*coded(2))
    canvas.clear()
    canvas.stop()  # whatever was under way has been delivered
    QApplication.processEvents()
    np.testing.assert_array_equal(shown(canvas), before)
    assert canvas.transform is None


def test_what_was_under_way_when_cleared_never_reaches_the_screen(canvas, qtbot, monkeypatch):
    plain, reached, go_on = compose.picture, threading.Semaphore(0), threading.Semaphore(0)

    def waits(rgb, transform):
        reached.release()
        go_on.acquire(timeout=10)
        return plain(rgb, transform)

    monkeypatch.setattr(compose, "picture", waits)
    painted = []
    canvas.painted.connect(lambda report: painted.append(report.frame.index))
    canvas.show_frame(some_frame(1))
    assert reached.acquire(timeout=10)
    canvas.clear()
    canvas.show_frame(some_frame(2))
    go_on.release()
    assert reached.acquire(timeout=10)  # the first one is delivered, the second one begun
    QApplication.processEvents()
    assert np.unique(shown(canvas)).tolist() == [BACKGROUND.red()]
    go_on.release()
    qtbot.waitUntil(lambda: bool(painted))
    assert painted == [2]


def test_a_forgotten_view_leaves_no_thread(qtbot):
    view = CanvasView()
    view.show_frame(some_frame())
    sharp(view, qtbot)
    assert any(t.name == "segstudio-render" for t in threading.enumerate())
    view.deleteLater()
    QApplication.sendPostedEvents(view, QEvent.Type.DeferredDelete)
    assert not any(t.name == "segstudio-render" for t in threading.enumerate())


# --- edited labels


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("scale", [0.6, 1.0, 2.7, 12.0])
def test_edited_labels_look_as_if_drawn_afresh(canvas, qtbot, mode, scale):
    frame, labels = some_frame(), some_labels()
    canvas.set_style(MaskStyle.of(CAMVID, mode))
    canvas.show_frame(frame, predicted(frame, labels))
    canvas.actual_size()
    canvas.zoom(scale, QPointF(120, 90))
    sharp(canvas, qtbot)
    rng = np.random.default_rng(1)
    edited = labels.copy()
    for _ in range(12):
        y, x = rng.integers(0, 80), rng.integers(0, 110)
        rect = Rect(y, x, y + rng.integers(1, 11), x + rng.integers(1, 11))
        edited[rect.slices] = rng.integers(0, 11)
        canvas.update_labels(rect, edited)
        assert canvas.is_sharp
    by_boxes = shown(canvas)
    canvas.show_frame(frame, predicted(frame, edited))
    sharp(canvas, qtbot)
    np.testing.assert_array_equal(by_boxes, shown(canvas))


def test_an_edit_made_while_pixels_are_under_way_is_not_lost(canvas, qtbot, monkeypatch):
    frame, labels = some_frame(), some_labels()
    canvas.show_frame(frame, predicted(frame, labels))
    sharp(canvas, qtbot)
    plain, reached, go_on = compose.view_labels, threading.Event(), threading.Event()

    def waits(labels, transform, box):
        seen = plain(labels, transform, box)
        if threading.current_thread() is not threading.main_thread():
            reached.set()
            go_on.wait(10)
        return seen

    monkeypatch.setattr(compose, "view_labels", waits)
    canvas.zoom(1.5)
    assert reached.wait(10)
    edited = labels.copy()
    rect = Rect(40, 50, 52, 70)
    edited[rect.slices] = 4
    canvas.update_labels(rect, edited)
    go_on.set()
    sharp(canvas, qtbot)
    np.testing.assert_allclose(shown(canvas), expected(canvas, frame.rgb, edited, 0.5), atol=2)
    canvas.pan(3, 4)  # later pixels are made from the edited labels
    sharp(canvas, qtbot)
    np.testing.assert_allclose(shown(canvas), expected(canvas, frame.rgb, edited, 0.5), atol=2)


def test_only_the_box_of_an_edit_is_painted(canvas, qtbot):
    frame, labels = some_frame(), some_labels().copy()
    canvas.show_frame(frame, predicted(frame, labels))
    sharp(canvas, qtbot)
    canvas.repaint()
    areas = paints(canvas, qtbot)
    labels[10:14, 20:26] = 8
    canvas.update_labels(Rect(10, 20, 14, 26), labels)
    qtbot.waitUntil(lambda: bool(areas))
    scale = canvas.transform.scale
    assert areas[0].width() <= 6 * scale + 10
    assert areas[0].height() <= 4 * scale + 10


# --- zoom and pan


def test_the_wheel_zooms_about_the_cursor(canvas, qtbot):
    canvas.show_frame(some_frame())
    at = (203, 61)
    start = canvas.transform
    point = ((61 - start.top) / start.scale, (203 - start.left) / start.scale)
    for angle in [120] * 8 + [-120] * 4:
        control = Qt.KeyboardModifier.ControlModifier
        assert wheel(canvas, at, angle, control if angle < 0 else Qt.KeyboardModifier.NoModifier)
        now = canvas.transform
        assert now.to_frame(61, 203) == pytest.approx(point, abs=0.51 / now.scale)
    assert canvas.transform.scale == pytest.approx(start.scale * 1.25**4)


def test_fractions_of_a_notch_add_up_to_a_notch(canvas):
    canvas.show_frame(some_frame())
    scale = canvas.transform.scale
    for _ in range(24):
        wheel(canvas, (150, 110), 5)
    assert canvas.transform.scale == pytest.approx(scale * 1.25)


def test_shift_and_alt_leave_the_wheel_to_tools(canvas):
    canvas.show_frame(some_frame())
    scale = canvas.transform.scale
    turned = []
    canvas.pointing.turned.connect(turned.append)
    assert wheel(canvas, (150, 110), 120, Qt.KeyboardModifier.ShiftModifier)
    assert turned == [1]
    assert not wheel(canvas, (150, 110), 120, Qt.KeyboardModifier.AltModifier)
    assert canvas.transform.scale == scale


def test_a_pinch_zooms_where_the_fingers_are(canvas):
    canvas.show_frame(some_frame())
    before, at = canvas.transform.scale, QPointF(200, 70)
    pixel = canvas.pixel_at(at)
    event = QNativeGestureEvent(
        Qt.NativeGestureType.ZoomNativeGesture,
        QPointingDevice.primaryPointingDevice(),
        2,
        at,
        at,
        canvas.mapToGlobal(at),
        0.5,
        QPointF(),
    )
    QApplication.sendEvent(canvas, event)
    assert canvas.transform.scale == pytest.approx(before * 1.5)
    assert canvas.pixel_at(at) == pixel


def test_the_middle_button_drags_the_picture(canvas):
    canvas.show_frame(some_frame())
    before = canvas.transform
    drag(canvas, Qt.MouseButton.MiddleButton, (100, 100), (110, 105), (130, 80))
    assert canvas.transform.left == pytest.approx(before.left + 30)
    assert canvas.transform.top == pytest.approx(before.top - 20)
    assert not canvas.is_fit


def test_the_left_button_alone_does_not_drag(canvas):
    canvas.show_frame(some_frame())
    before = canvas.transform
    drag(canvas, Qt.MouseButton.LeftButton, (100, 100), (140, 130))
    assert canvas.transform == before


def test_a_short_press_of_space_is_a_tap(canvas, clock, qtbot):
    canvas.show_frame(some_frame())
    with qtbot.waitSignal(canvas.tapped_space):
        QTest.keyPress(canvas, Qt.Key.Key_Space)
        assert canvas.cursor().shape() == Qt.CursorShape.OpenHandCursor
        clock.now += 0.19
        QTest.keyRelease(canvas, Qt.Key.Key_Space)
    assert canvas.cursor().shape() == Qt.CursorShape.ArrowCursor


def test_space_held_is_not_a_tap_and_drags(canvas, clock):
    taps = []
    canvas.tapped_space.connect(lambda: taps.append(1))
    canvas.show_frame(some_frame())
    before = canvas.transform
    QTest.keyPress(canvas, Qt.Key.Key_Space)
    clock.now += 0.21
    QTest.keyRelease(canvas, Qt.Key.Key_Space)
    QTest.keyPress(canvas, Qt.Key.Key_Space)
    button, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QTest.mousePress(canvas, button, none, QPoint(50, 60))
    assert canvas.cursor().shape() == Qt.CursorShape.ClosedHandCursor
    QTest.mouseMove(canvas, QPoint(70, 65))
    QTest.mouseRelease(canvas, button, none, QPoint(70, 65))
    QTest.keyRelease(canvas, Qt.Key.Key_Space)  # soon, but it was a drag
    assert taps == []
    assert canvas.transform == before.panned(5, 20)


def test_the_repeated_keys_of_a_held_space_change_nothing(canvas, clock):
    taps = []
    canvas.tapped_space.connect(lambda: taps.append(1))
    QTest.keyPress(canvas, Qt.Key.Key_Space)
    for _ in range(5):
        clock.now += 0.1
        for kind in (QEvent.Type.KeyRelease, QEvent.Type.KeyPress):
            event = QKeyEvent(kind, Qt.Key.Key_Space, Qt.KeyboardModifier.NoModifier, " ", True)
            QApplication.sendEvent(canvas, event)
    QTest.keyRelease(canvas, Qt.Key.Key_Space)
    assert taps == []


def test_the_canvas_claims_space_before_a_shortcut_gets_it(canvas):
    def claims(key, modifiers=Qt.KeyboardModifier.NoModifier):
        event = QKeyEvent(QEvent.Type.ShortcutOverride, key, modifiers)
        event.ignore()
        QApplication.sendEvent(canvas, event)
        return event.isAccepted()

    assert claims(Qt.Key.Key_Space)
    assert not claims(Qt.Key.Key_Space, Qt.KeyboardModifier.ControlModifier)
    assert not claims(Qt.Key.Key_D)


def test_keys_zoom_and_move(canvas):
    canvas.show_frame(some_frame())
    first = canvas.transform
    QTest.keyClick(canvas, Qt.Key.Key_Plus)
    assert canvas.transform.scale == pytest.approx(first.scale * 1.25)
    QTest.keyClick(canvas, Qt.Key.Key_Minus)
    assert canvas.transform.scale == pytest.approx(first.scale)
    QTest.keyClick(canvas, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    assert canvas.transform.left == pytest.approx(first.left + 64)


def test_fit_follows_the_size_of_the_window_and_free_zoom_keeps_its_middle(canvas, qtbot):
    canvas.show_frame(some_frame())
    canvas.resize(500, 400)
    assert canvas.transform.scale == pytest.approx(min(400 / 90, 500 / 120))
    canvas.zoom_in()
    middle = canvas.transform.to_frame(200, 250)
    canvas.resize(300, 200)
    assert not canvas.is_fit
    assert canvas.transform.to_frame(100, 150) == pytest.approx(middle, abs=0.2)
    canvas.fit()
    assert canvas.is_fit
    assert canvas.transform.scale == pytest.approx(200 / 90)


def test_actual_size_is_one_to_one_about_the_middle(canvas):
    canvas.show_frame(some_frame())
    canvas.zoom(4.0, QPointF(30, 40))
    middle = canvas.transform.to_frame(110, 150)
    canvas.actual_size()
    assert canvas.transform.scale == 1.0
    assert canvas.transform.to_frame(110, 150) == pytest.approx(middle, abs=1)


def test_a_frame_of_another_size_is_fitted_and_one_of_the_same_size_stays(canvas):
    canvas.show_frame(some_frame(0))
    canvas.zoom_in()
    zoomed = canvas.transform
    canvas.show_frame(some_frame(1))
    assert canvas.transform == zoomed
    canvas.show_frame(some_frame(2, (60, 200)))
    assert canvas.is_fit
    assert canvas.transform.scale == 1.5


def test_changes_of_the_view_are_told(canvas):
    zooms, views = [], []
    canvas.zoom_changed.connect(zooms.append)
    canvas.view_changed.connect(views.append)
    canvas.show_frame(some_frame())
    canvas.actual_size()
    canvas.actual_size()
    assert zooms == [220 / 90, 1.0]
    assert views[-1] == canvas.transform


# --- hover, drop, empty state


def test_hover_tells_the_pixel_and_when_it_is_left(canvas, qtbot):
    seen = []
    canvas.hovered.connect(seen.append)
    canvas.show_frame(some_frame())
    canvas.actual_size()
    oy, ox = canvas.transform.origin
    for x, y in ((0, 0), (17, 5), (119, 89)):
        QTest.mouseMove(canvas, QPoint(ox + x, oy + y))
        assert seen[-1] == (y, x)
    QTest.mouseMove(canvas, QPoint(ox - 1, oy))
    assert seen[-1] is None
    QTest.mouseMove(canvas, QPoint(ox + 4, oy + 3))
    canvas.zoom(2.0, QPointF(ox, oy))  # the cursor stays, the picture moves below it
    assert seen[-1] == (1, 2)
    QApplication.sendEvent(canvas, QEvent(QEvent.Type.Leave))
    assert seen[-1] is None


HIDPI = """
import sys
import numpy as np
from PySide6.QtCore import QPointF
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget
from segstudio.core.frame import Frame, FrameId
from segstudio.ui.canvas.view import CanvasView

app = QApplication([])
window = QWidget()
layout = QVBoxLayout(window)
layout.setContentsMargins(13, 7, 5, 3)  # begins between two device pixels at 1.25 and 1.5
canvas = CanvasView()
layout.addWidget(canvas)
window.resize(331, 247)
window.show()
rgb = np.full((61, 83, 3), 200, np.uint8)
rgb[..., 0], rgb[..., 1] = np.arange(61)[:, None], np.arange(83)
canvas.show_frame(Frame(FrameId("a", 0, None, 0), rgb, 0.0))
ratio = canvas.devicePixelRatioF()
tried = wrong = 0
for factor in (1.0, 1.7, 4.3):
    canvas.actual_size()
    canvas.zoom(factor, QPointF(60, 90))
    while not canvas.is_sharp:
        app.processEvents()
    app.processEvents()
    screen = app.primaryScreen().grabWindow(window.winId()).toImage()
    for y in range(2, screen.height() - 2, 5):
        for x in range(2, screen.width() - 2, 5):
            at = canvas.mapFrom(window, QPointF(x / ratio, y / ratio))
            if canvas.rect().contains(at.toPoint()):
                color = screen.pixelColor(x, y)
                there = (color.red(), color.green()) if color.blue() == 200 else None
                tried += 1
                wrong += canvas.pixel_at(at) != there
canvas.stop()
print(ratio, tried > 3000, wrong)
"""


@pytest.mark.parametrize("ratio", ["1.25", "1.5", "2"])
def test_the_pixel_under_the_cursor_is_the_one_on_the_screen(ratio, monkeypatch):
    monkeypatch.setenv("QT_SCALE_FACTOR", ratio)
    said = subprocess.run(
        [sys.executable, "-c", HIDPI], capture_output=True, text=True, check=False, timeout=120
    )
    assert said.stdout.split() == [str(float(ratio)), "True", "0"], said.stderr


def test_dropped_files_are_told_and_links_refused(canvas, qtbot, tmp_path):
    def drop(*urls):
        mime = QMimeData()
        mime.setUrls([QUrl(u) if isinstance(u, str) else QUrl.fromLocalFile(str(u)) for u in urls])
        event = QDropEvent(
            QPointF(10, 10),
            Qt.DropAction.CopyAction,
            mime,
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
        )
        canvas.event(event)

    got = []
    canvas.files_dropped.connect(got.append)
    drop("https://example.org/clip.mp4")
    assert got == []
    drop(tmp_path / "a clip ü.mp4", tmp_path)
    assert got == [[Path(tmp_path / "a clip ü.mp4"), Path(tmp_path)]]


def test_the_empty_state_says_what_to_do(canvas):
    assert "Drop a video" in canvas.accessibleDescription()
    first = shown(canvas)
    assert len(np.unique(first.reshape(-1, 3), axis=0)) > 20
    canvas.set_message("No camera", "Plug one in")
    assert canvas.accessibleDescription() == "No camera. Plug one in"
    assert not np.array_equal(first, shown(canvas))


def test_nothing_can_be_edited_without_a_frame(canvas):
    with pytest.raises(ValueError, match="do not cover"):
        canvas.update_labels(Rect(0, 0, 1, 1), np.zeros(SIZE, np.uint8))


def test_without_a_frame_zoom_and_pan_do_nothing(canvas):
    wheel(canvas, (10, 10), 120)
    canvas.fit()
    canvas.actual_size()
    canvas.pan(5, 5)
    assert canvas.transform is None
    assert canvas.pixel_at(QPointF(5, 5)) is None


def test_every_color_of_the_background_is_neutral():
    assert BACKGROUND.red() == BACKGROUND.green() == BACKGROUND.blue()


def test_labels_that_were_written_into_are_drawn_anew_with_another_prediction(canvas, qtbot):
    """The same array shown again is not the same picture."""
    frame = some_frame()
    labels = np.zeros(frame.rgb.shape[:2], np.uint8)
    canvas.show_frame(frame, labels=labels)
    qtbot.waitUntil(lambda: canvas.is_sharp)
    before = canvas.grab().toImage()
    labels[:] = 8
    canvas.show_frame(frame, labels=labels)
    qtbot.waitUntil(lambda: canvas.is_sharp)
    assert canvas.grab().toImage() != before
