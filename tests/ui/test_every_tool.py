"""Walks TOOLS, and drags a real mouse over the real window's canvas with them."""

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from segstudio.ui.panels.tool_options import CONTROLS
from segstudio.ui.tools.registry import TOOLS

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
ROAD = 3


@pytest.mark.parametrize("name", list(TOOLS))
def test_it_has_a_title_a_key_and_known_settings(name):
    tool = TOOLS.get(name)
    assert tool.title
    assert len(tool.hint) <= 90
    assert set(tool.settings) <= set(CONTROLS)


def test_no_two_tools_have_one_key():
    keys = [TOOLS.get(name).key for name in TOOLS]
    assert len(set(keys)) == len(keys)


def check(hand, expected):
    """The draft with `expected` painted, as one step; undo brings the draft back."""
    document, history = hand.editor.held.document, hand.editor.held.history
    draft = np.zeros(document.labels.shape, np.uint8)
    draft[:, : draft.shape[1] // 2] = ROAD
    assert (document.labels == np.where(expected, 5, draft)).all()
    assert (document.origin == np.where(expected, 3, 1)).all()
    assert history.position == 2  # the draft, and this
    hand.editor.undo()
    assert (document.labels == draft).all()
    assert (document.origin == 1).all()


@pytest.mark.parametrize("scale", [0.37, 1.0, 3.3])
def test_the_brush_paints_a_disc_along_the_way(hand, scale):
    hand.zoom(scale)
    hand.take("brush", size=9)
    (y, x), (v, u) = hand.drag((30, 40), (50, 90))
    ys, xs = np.mgrid[:72, :128]
    length = (v - y) ** 2 + (u - x) ** 2
    along = np.clip(((ys - y) * (v - y) + (xs - x) * (u - x)) / length, 0, 1)
    far = (ys - y - along * (v - y)) ** 2 + (xs - x - along * (u - x)) ** 2
    check(hand, far <= 16 + 1e-9)


def test_two_quick_clicks_are_two_dabs(hand, window):
    hand.take("brush", size=1)
    point, pixel = hand.at(20, 20)
    QTest.mouseClick(window.canvas, LEFT, NONE, point)
    hand.editor.undo()
    QTest.mouseDClick(window.canvas, LEFT, NONE, point)
    QTest.mouseRelease(window.canvas, LEFT, NONE, point)
    assert hand.editor.held.document.labels[pixel] == 5
    assert not hand.editor.held.document.is_busy


def test_the_rectangle_holds_both_corners(hand):
    hand.take("rectangle")
    (y, x), (v, u) = hand.drag((10, 20), (40, 80))
    expected = np.zeros((72, 128), bool)
    expected[y : v + 1, x : u + 1] = True
    check(hand, expected)


def test_fill_takes_the_region_under_the_click(hand):
    hand.take("fill")
    hand.drag((30, 10))
    check(hand, np.arange(128)[None, :].repeat(72, 0) < 64)


def test_a_lock_is_shown_where_a_click_was_blocked(hand):
    hand.take("fill", locked=frozenset({ROAD}))
    hand.drag((30, 10))
    assert (hand.editor.held.document.labels != 5).all()
    assert hand.editor.preview.lock_at is not None


def test_scissors_paint_what_the_wire_goes_around(hand):
    hand.take("scissors")
    for pixel in ((10, 10), (10, 50), (50, 50), (50, 10)):
        hand.drag(pixel)
    hand.key(Qt.Key.Key_Return)
    document = hand.editor.held.document
    assert (document.labels[12:48, 12:48] == 5).mean() > 0.9
    assert set(np.unique(document.labels)) <= {0, ROAD, 5}
    assert (document.origin[document.labels == 5] == 3).all()
    assert hand.editor.held.history.position == 2


def test_what_was_cut_out_is_painted_once_it_is_accepted(hand, qtbot):
    hand.take("grab_cut")
    hand.drag((0, 50), (71, 127))
    qtbot.waitUntil(lambda: hand.editor.preview.area is not None, timeout=20_000)
    area = hand.editor.preview.area
    assert not hand.editor.held.history.position
    hand.key(Qt.Key.Key_Return)
    expected = np.zeros((72, 128), bool)
    expected[area.rect.slices] = area.mask
    check(hand, expected)


def test_superpixels_are_painted_whole(hand, qtbot):
    hand.take("superpixel", segment_size=24)
    hand.move(30, 30)
    qtbot.waitUntil(lambda: not hand.editor._host.background._jobs, timeout=20_000)
    hand.move(31, 31)
    area = hand.editor.preview.area
    hand.drag((31, 31))
    expected = np.zeros((72, 128), bool)
    expected[area.rect.slices] = area.mask
    assert expected.any()
    check(hand, expected)
