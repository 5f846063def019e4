"""Figures under the panes of the real window: measured while sharing, alone, and anew."""

from dataclasses import replace

import pytest
from PySide6.QtWidgets import QPushButton


@pytest.fixture
def two(window, shown, qtbot):
    """The same model twice, the second one mirrored, both with a few measured frames."""
    session = shown(5)
    session.comparison.turn_on()
    qtbot.waitUntil(lambda: session.comparison.prediction("B") is not None, timeout=20_000)
    for index in (6, 7, 8):
        session.player.seek(index)
        qtbot.waitUntil(lambda i=index: session.result.frame.id.index == i, timeout=20_000)
    return session


@pytest.fixture
def strips(window):
    return {letter: pane.strip for letter, pane in window._grid.panes.items()}


def reading(session, letter):
    return session.player.speeds.reading(letter)


def test_both_panes_get_figures_that_say_they_share(two, strips, qtbot):
    qtbot.waitUntil(
        lambda: all(
            s.reading is not None and s.reading.shared_with == 1 and s.reading.total is not None
            for s in strips.values()
        ),
        timeout=20_000,
    )
    for strip in strips.values():
        assert strip.reading.total.p50 == pytest.approx(6.0)
        assert strip.reading.fps_shared is None, "nothing plays"


def test_a_model_is_measured_alone_on_the_button(two, strips, qtbot):
    strip = strips["B"]
    qtbot.waitUntil(lambda: strip.reading is not None, timeout=20_000)
    button = strip.findChild(QPushButton)
    button.click()
    qtbot.waitUntil(lambda: reading(two, "B").alone is not None, timeout=20_000)
    assert reading(two, "B").alone.runs == 20
    assert reading(two, "B").alone.frame.index == 8
    assert reading(two, "A").alone is None
    qtbot.waitUntil(button.isEnabled)


def test_other_settings_of_one_pane_start_its_figures_anew(two, qtbot):
    before = reading(two, "A")
    strategy = replace(two.comparison.pane("B").strategy, flip=False, precision="fp32")
    two.comparison.set_pane("B", strategy=strategy)
    qtbot.waitUntil(lambda: (r := reading(two, "B")) is None or len(r.history) == 0, timeout=20_000)
    assert len(reading(two, "A").history) >= len(before.history)


def test_a_pane_that_is_gone_is_shared_with_no_longer(two):
    two.comparison.turn_off()
    assert reading(two, "B") is None
    assert reading(two, "A").shared_with == 0
