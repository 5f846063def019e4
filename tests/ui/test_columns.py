"""What gives way when the window is narrow: columns beside the picture, parts of the bar below."""

import itertools

import pytest
from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QApplication

from segstudio.core.look import LayerLook, UnsureLook
from segstudio.ui.panels.transport import Transport

SMALL, LARGE = (900, 600), (1400, 860)


@pytest.fixture
def looking(window, shown, qtbot):
    """The window with Inside on, at a size."""
    session = shown()

    def at(size, look=None):
        window.resize(*size)
        session.inside.set_look(look or UnsureLook("entropy"))
        session.inside.turn_on()
        settle(window)
        return session

    return at


def settle(window):
    window.layout().activate()
    QApplication.processEvents()


def state(window):
    """Whether Inside and the side panel are there."""
    return not window._inside.isHidden(), not window._panel.isHidden()


def test_in_a_narrow_window_the_side_panel_gives_way_to_inside(looking, window):
    session = looking(SMALL)
    assert state(window) == (True, False)
    assert not window.is_panel_shown()
    assert window._stage.width() >= 360
    window.resize(*LARGE)
    settle(window)
    assert state(window) == (True, True)
    window.resize(*SMALL)
    settle(window)
    assert state(window) == (True, False)
    session.inside.turn_off()
    assert state(window) == (False, True)


def test_f9_brings_it_back_in_place_of_inside(looking, window):
    session = looking(SMALL)
    window.toggle_panel()
    settle(window)
    assert state(window) == (False, True)
    assert session.inside.is_on
    assert window._stage.width() >= 360
    assert window._header._panel.isChecked()
    window.toggle_panel()
    settle(window)
    assert state(window) == (True, False)
    assert not window._header._panel.isChecked()
    window.resize(*LARGE)
    settle(window)
    assert state(window) == (True, False)  # it was turned off
    window.toggle_panel()
    assert state(window) == (True, True)


def test_a_side_panel_that_was_off_stays_off(looking, window):
    window.toggle_panel()
    session = looking(SMALL)
    assert state(window) == (True, False)
    session.inside.turn_off()
    window.resize(*LARGE)
    settle(window)
    assert state(window) == (False, False)


@pytest.mark.parametrize("width", [900, 1000, 1060, 1100, 1280])
def test_the_picture_is_never_narrow(looking, window, width):
    looking((width, 600))
    assert window._stage.width() >= 360


def test_inside_keeps_its_width_whatever_the_tools_ask_for(looking, window):
    session = looking((1600, 900), LayerLook("second"))
    assert window._inside.width() == 340
    for tool in ("brush", "wand", "reveal", "eraser"):
        session.tools.choose(tool)
        for width in (1400, 1100, 900):
            window.resize(width, 700)
            settle(window)
            assert window._inside.width() == 340


@pytest.fixture
def transport(window, shown, qtbot):
    session = shown()
    qtbot.waitUntil(lambda: session.info.is_complete, timeout=20_000)
    made = Transport(session.player, session.frames)
    qtbot.addWidget(made)
    made.resize(900, made.sizeHint().height())
    made.show()
    return made


def parts(bar):
    every = (bar._time, *bar._buttons, *bar._right)
    return [part for part in every if part.isVisible()]


@pytest.mark.parametrize("last", [39, 123_456])
def test_nothing_in_the_transport_bar_overlaps(transport, monkeypatch, last):
    monkeypatch.setattr(type(transport._player), "last_index", last)
    transport.show_playing()
    for width in (*range(360, 900, 18), 1200, 360):
        transport.resize(width, transport.height())
        QApplication.processEvents()
        seen = sorted(parts(transport), key=lambda p: p.mapTo(transport, QPoint()).x())
        boxes = [(p.mapTo(transport, QPoint()).x(), p.width()) for p in seen]
        for (x, wide), (after, _) in itertools.pairwise(boxes):
            assert x + wide <= after, (width, boxes)
        assert boxes[0][0] >= 0
        assert sum(boxes[-1]) <= width, (width, boxes)
        assert {*transport._buttons, transport._frame} <= set(seen)
        for part in seen:
            least = part.sizeHint() if part in transport._buttons else part.minimumSize()
            assert part.width() >= least.width(), (width, part)
        room = transport._time.fontMetrics().horizontalAdvance(transport._time.text())
        assert room <= transport._time.width()


def test_the_total_time_goes_first_then_the_speed_then_the_word(transport):
    gone = []
    for width in range(900, 359, -1):
        transport.resize(width, transport.height())
        now = {"total": "/" not in transport._time.text(), "speed": transport._speed.isHidden(),
               "word": transport._word.isHidden()}  # fmt: skip
        gone += [name for name, is_gone in now.items() if is_gone and name not in gone]
    assert gone == ["total", "speed", "word"]
