"""A whole round at the window: draft, paint, erase, polygon, fill, lock, propagate, confirm, close,
open again, and undo the stroke that was made before closing."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from segstudio.core.origins import CONFIRMED, MODEL, PAINTED, PROPAGATED, FrameState
from segstudio.core.settings import Settings
from segstudio.media.demo import DemoSettings, ensure_demo
from segstudio.ui import theme
from segstudio.ui.main_window import MainWindow
from segstudio.ui.session import Session

ROAD, CAR, TREE, SKY = 3, 8, 5, 0


@pytest.fixture
def start(qtbot):
    """Programs as a person starts them; `end` closes one as a person does."""
    running = []

    def end():
        session, window = running.pop()
        window.close()
        assert session.close(20) == []
        session.deleteLater()

    def begin():
        session = Session(Settings(play_on_open=False))
        session.models.scan()
        session.models.restore(session.settings)
        window = MainWindow(session)
        qtbot.addWidget(window)
        window.resize(1280, 800)
        window.show()
        QTest.qWaitForWindowExposed(window)
        running.append((session, window))
        return window

    theme.apply(QApplication.instance(), "dark")
    begin.end = end
    yield begin
    while running:
        end()


class Hand:
    """A mouse over the picture, in frame pixels (y, x)."""

    def __init__(self, window):
        self.canvas = window.canvas

    def at(self, pixel):
        y, x = self.canvas.transform.to_view(pixel[0] + 0.5, pixel[1] + 0.5)
        ratio = self.canvas.devicePixelRatioF()
        point = QPoint(int(x / ratio), int(y / ratio))
        assert self.canvas.pixel_at(point.toPointF()) == pixel
        return point

    def drag(self, *pixels):
        QTest.mousePress(self.canvas, Qt.MouseButton.LeftButton, pos=self.at(pixels[0]))
        for pixel in pixels[1:]:
            QTest.mouseMove(self.canvas, self.at(pixel))
        QTest.mouseRelease(self.canvas, Qt.MouseButton.LeftButton, pos=self.at(pixels[-1]))

    def click(self, pixel):
        QTest.mouseClick(self.canvas, Qt.MouseButton.LeftButton, pos=self.at(pixel))


def test_from_the_draft_to_the_confirmed_frame_and_back(qtbot, start):
    demo = ensure_demo(settings=DemoSettings(frames=8, height=180, width=320))
    window = start()
    session, editor, hand = window.session, window.session.editor, Hand(window)

    def run(name):
        window.menus.actions[name].trigger()

    session.open([demo.video])
    qtbot.waitUntil(lambda: editor.draft() is not None, timeout=120_000)
    qtbot.waitUntil(lambda: editor.held is not None, timeout=20_000)
    draft = editor.draft().copy()
    assert editor.state is FrameState.TODO
    assert editor.held.is_blank, "a draft that nobody took over is no label"

    # Paint: the draft becomes a step of its own, then the stroke lies on it.
    run("tool.brush")
    run("label.class_9")
    assert editor.options.class_id == CAR
    hand.drag((90, 60), (90, 120))
    labels, origin = editor.held.document.labels, editor.held.document.origin
    assert (labels[90, 60:121] == CAR).all()
    assert (origin[90, 60:121] == PAINTED).all()
    far = np.ones(labels.shape, np.bool_)
    far[70:110, 40:140] = False
    assert (labels[far] == draft[far]).all()
    assert (origin[far] == MODEL).all()
    titles = [e.title for e in editor.held.history.entries]
    assert titles == [f"Draft · {session.models.chosen.name}", "Brush"]
    assert editor.state is FrameState.IN_PROGRESS

    # Erase a part of it, back to the model.
    run("tool.eraser")
    editor.set_options(editor.options.__class__(tool="eraser", erases_to="model", size=9))
    hand.drag((90, 100), (90, 110))
    assert (labels[90, 100:111] == draft[90, 100:111]).all()
    assert (origin[90, 100:111] == MODEL).all()

    # A polygon of trees; then the sky is locked and a brush across it leaves it alone.
    run("tool.polygon")
    editor.choose_class(TREE)
    for corner in ((20, 200), (20, 240), (60, 240), (60, 200)):
        hand.click(corner)
    QTest.keyClick(window.canvas, Qt.Key.Key_Return)
    assert (labels[20:61, 200:241] == TREE).all()
    run("tool.fill")
    editor.choose_class(ROAD)
    hand.click((40, 220))
    assert (labels[20:61, 200:241] == ROAD).all(), "the filled region is the polygon"
    editor.set_options(
        editor.options.__class__(tool="brush", class_id=CAR, locked=frozenset({ROAD}), size=5)
    )
    before = labels.copy()
    hand.drag((40, 180), (40, 260))
    assert (labels[before == ROAD] == ROAD).all(), "locked"
    assert (labels[40, 180:200][before[40, 180:200] != ROAD] == CAR).all()

    # Five frames on along the flow.
    human = labels.copy()
    session.ranges.propagate(3)
    qtbot.waitUntil(lambda: session.ranges.run is None, timeout=60_000)
    project, media = editor.projects.project, editor.projects.media
    carried = project.frames(media.id)
    assert [f.key.index for f in carried] == [0, 1, 2, 3]
    assert all(f.state is FrameState.DRAFTED and f.confidence for f in carried[1:])
    session.player.seek(2)
    qtbot.waitUntil(lambda: editor.held is not None and editor.held.key.index == 2, timeout=20_000)
    there = editor.held.document
    assert (there.origin == PROPAGATED).mean() > 0.3
    agrees = (there.labels == human)[there.origin == PROPAGATED]
    assert agrees.mean() > 0.7

    # Confirm it; close the program; the next day everything is there, undo included.
    run("label.confirm")
    assert editor.state is FrameState.CONFIRMED
    assert (there.origin == CONFIRMED).all()
    run("tool.brush")
    editor.choose_class(SKY)
    hand.drag((150, 30), (150, 60))
    last, was = there.labels.copy(), [e.text(editor.classes) for e in editor.held.history.entries]
    assert editor.state is FrameState.IN_PROGRESS, "painted after it was confirmed"
    path = project.path
    start.end()

    window = start()
    session, editor = window.session, window.session.editor
    session.open([demo.video])
    qtbot.waitUntil(lambda: editor.held is not None, timeout=60_000)
    assert editor.projects.project.path == path
    session.player.seek(2)
    qtbot.waitUntil(lambda: editor.held is not None and editor.held.key.index == 2, timeout=20_000)
    assert (editor.held.document.labels == last).all()
    assert [e.text(editor.classes) for e in editor.held.history.entries] == was
    QTest.keyClick(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert editor.state is FrameState.CONFIRMED, "the stroke from before closing is undone"
    assert (editor.held.document.origin == CONFIRMED).all()
    QTest.keyClick(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert editor.state is FrameState.DRAFTED, "and the confirmation"
    used = set(np.unique(editor.held.document.labels))
    assert used <= {c.id for c in editor.classes.classes} | {255}
