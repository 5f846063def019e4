"""Two models on the synthetic drive: played, swiped, blinked, held against the truth; a region of
the better one is taken over, and mIoU moves as predicted from the pixels."""

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from segstudio.core.confusion import ConfusionMatrix
from segstudio.core.metrics import scores_of
from segstudio.core.origins import PAINTED
from segstudio.core.regions import regions_of_answers
from segstudio.media.demo import DemoSettings, ensure_demo
from segstudio.store.masks import read_mask
from segstudio.ui.comparing.panes import Look
from segstudio.ui.dialogs.scores.window import ScoresWindow

LEFT = Qt.MouseButton.LeftButton
SIZE = (180, 320)


def miou(reference, predicted):
    matrix = ConfusionMatrix(11)
    matrix.add(reference, predicted)
    return scores_of(matrix.full).miou


def test_from_two_models_to_one_better_mask(qtbot, window):
    demo = ensure_demo(settings=DemoSettings(frames=8, height=SIZE[0], width=SIZE[1]))
    session, grid = window.session, window._grid
    comparison, editor, player = session.comparison, session.editor, session.player

    def run(name):
        window.menus.actions[name].trigger()

    def until(condition, seconds=60):
        qtbot.waitUntil(condition, timeout=1000 * seconds)

    def go(index):
        player.seek(index)
        until(lambda: editor.held is not None and editor.held.key.index == index)
        until(lambda: comparison.labels("B") is not None)
        until(lambda: session.result.frame.id.index == index)

    # Two models: the bundled one, and the same at half the size of input, faster and coarser.
    session.open([demo.video])
    until(lambda: editor.draft() is not None, 120)
    run("compare.toggle")
    comparison.set_pane("B", strategy=replace(session.models.strategy, input_scale=0.5))
    until(lambda: comparison.labels("B") is not None)
    a, b = comparison.labels("A"), comparison.labels("B")
    assert (a != b).any(), "half the input gives another mask"
    assert comparison.pane("B").how == "at 50 %"

    # They play together: every result carries both models' answers about one frame.
    pairs = []
    player.arrived.connect(lambda r: pairs.append(r))
    QTest.keyClick(grid.canvas, Qt.Key.Key_Space)
    until(lambda: len([r for r in pairs if r.others and r.others[0].prediction]) >= 3)
    player.pause()
    for result in pairs:
        for answer in result.others:
            assert answer.prediction is None or answer.prediction.frame is result.frame
    assert grid.figures.speed("A").shared_with == 1

    # The truth of the drive, confirmed by a person on two frames.
    truth = {}
    for index in (2, 5):
        go(index)
        labels = read_mask(sorted(demo.labels.iterdir())[index])
        truth[index] = np.where(labels < 11, labels, 255).astype(np.uint8)
        editor.replace_labels("Truth", truth[index], PAINTED, np.ones(SIZE, bool))
        run("label.confirm")
    until(lambda: len(session.scores.tally("B").frames()) == 2)
    both = ConfusionMatrix(11)
    both.add(truth[5], comparison.labels("B"))
    go(2)
    both.add(truth[2], comparison.labels("B"))
    assert (session.scores.tally("B").full() == both.full).all()
    assert session.scores.tally("B").scores().miou == pytest.approx(scores_of(both.full).miou)

    # Swipe: the one on the left, the other on the right, wherever the line is dragged.
    run("compare.swipe")
    a, b = comparison.labels("A"), comparison.labels("B")
    divider = grid._divider
    middle = QPoint(divider.width() // 2, divider.height() // 3)
    QTest.mousePress(divider, LEFT, pos=middle)
    QTest.mouseMove(divider, middle + QPoint(150, 0))
    QTest.mouseRelease(divider, LEFT, pos=middle)
    column = grid._column()
    drawn = grid.canvas._scene.labels
    assert SIZE[1] // 2 < column < SIZE[1]
    assert (drawn[:, :column] == a[:, :column]).all()
    assert (drawn[:, column:] == b[:, column:]).all()

    # Blink: the other one as long as Tab is held.
    run("compare.side")
    QTest.keyPress(grid.canvas, Qt.Key.Key_Tab)
    assert (grid.panes["A"].canvas._scene.labels == b).all()
    QTest.keyRelease(grid.canvas, Qt.Key.Key_Tab)

    # A new frame begins as A's draft; where B says something else, the person takes B's word.
    go(4)
    a, b = comparison.labels("A").copy(), comparison.labels("B").copy()
    run("carry.draft")
    run("label.confirm")
    before = miou(a, b)
    until(lambda: session.scores.tally("B").get(editor.held.key) is not None)
    frame = session.scores.tally("B").get(editor.held.key)
    assert scores_of(frame.counts).miou == pytest.approx(before)
    run("tool.adopt")
    comparison.set_look(Look("difference", pair=("A", "B")))
    region = regions_of_answers([a, b], a != b)[0]
    inside = np.argwhere(region.mask)
    y, x = inside[len(inside) // 2] + (region.rect.y0, region.rect.x0)
    where = np.zeros(SIZE, bool)
    where[region.rect.slices] = region.mask
    v, u = grid.canvas.transform.to_view(y + 0.5, x + 0.5)
    ratio = grid.canvas.devicePixelRatioF()
    QTest.mouseClick(grid.canvas, LEFT, pos=QPoint(int(u / ratio), int(v / ratio)))
    QTest.keyClick(grid.canvas, Qt.Key.Key_2)
    labels = editor.held.document.labels
    assert (labels[where] == b[where]).all()
    assert (labels[~where] == a[~where]).all(), "nothing else changed"
    assert (editor.held.document.origin[where] == PAINTED).all()
    assert editor.held.history.entries[-1].title.startswith("Adopt B")
    expected = np.where(where, b, a)
    frame = session.scores.tally("B").get(editor.held.key)
    assert scores_of(frame.counts).miou == pytest.approx(miou(expected, b))
    assert scores_of(frame.counts).miou > before, "the labels moved towards B"
    drawn = grid.canvas._scene.labels
    assert ((drawn != 255) == (a != b)).all(), "what the models say is as before"
    QTest.keyClick(grid.canvas, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert (editor.held.document.labels == a).all()
    frame = session.scores.tally("B").get(editor.held.key)
    assert scores_of(frame.counts).miou == pytest.approx(before)

    # The figures are measured anew in the background, and lead to their pixels.
    known = session.scores.tally("B").full()
    session.measuring.start()
    until(lambda: session.measuring.run is None, 120)
    assert (session.scores.tally("B").full() == known).all()
    run("compare.scores")
    scores = window.findChild(ScoresWindow)
    assert scores.isVisible()
    row, col = np.unravel_index(np.argmax(np.triu(known[:11, :11], 1)), (11, 11))
    key, pixels = session.scores.tally("B").behind(int(row), int(col))[0]
    session.visit.visit(key, "B", int(row), int(col))
    until(lambda: editor.selection is not None)
    assert editor.held.key == key
    assert int(editor.selection.mask.sum()) == pixels
    scores.close()
