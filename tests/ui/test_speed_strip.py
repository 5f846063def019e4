"""The strip under a compared picture: what it shows, in both themes, and how rarely it paints."""

import dataclasses
import importlib
import threading

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QObject, QPoint, Qt
from PySide6.QtGui import QColor, QHelpEvent
from PySide6.QtWidgets import QApplication, QPushButton

from segstudio.core.frame import FrameId
from segstudio.engine.alone import AloneFigures
from segstudio.ui import theme
from segstudio.ui.comparing.speeds import SpeedReading, Spread
from segstudio.ui.panels.latency_chart import SPAN, LatencyChart, ceiling
from segstudio.ui.panels.speed_strip import SpeedStrip

FRAME = FrameId("clip", 3, None, 0)
ALONE = AloneFigures("m", 8.3, 120.0, 130.0, 140.0, 20, None, (352, 640), "cpu", FRAME)


def reading_of(values, **changes) -> SpeedReading:
    history = np.asarray(values, np.float32)
    p50, p95, p99 = (float(v) for v in np.percentile(history, (50, 95, 99)))
    stages = {"prepare": Spread(1, 2, 3), "forward": Spread(110, 120, 130)}
    reading = SpeedReading(
        "m", 4.1, 1000 / p50, Spread(p50, p95, p99), stages, history, None, 3_340_000, 24.6,
        (352, 640), "cpu", 1, None, FRAME,
    )  # fmt: skip
    return dataclasses.replace(reading, **changes)


@pytest.fixture
def strip(qtbot):
    theme.apply(QApplication.instance(), "dark")
    made = SpeedStrip()
    qtbot.addWidget(made)
    made.resize(760, made.height())
    made.show()
    qtbot.waitExposed(made)
    return made


def chart_of(strip) -> LatencyChart:
    return strip.findChild(LatencyChart)


def button_of(strip) -> QPushButton:
    return strip.findChild(QPushButton)


def has_color(widget, name: str) -> bool:
    """At least one pixel has that colour of the theme."""
    picture = widget.grab().toImage()
    wanted = QColor(getattr(theme.current(), name)).rgb()
    return any(
        picture.pixel(x, y) == wanted
        for y in range(picture.height())
        for x in range(picture.width())
    )


class Paints(QObject):
    """Counts what is painted."""

    def __init__(self, widget):
        super().__init__(widget)
        self.count = 0
        widget.installEventFilter(self)

    def eventFilter(self, watched, event):  # noqa: N802  Qt's name
        self.count += event.type() == QEvent.Type.Paint
        return False


def test_before_anything_was_measured_there_is_a_sentence_and_no_button(strip):
    strip.show_reading(None)
    assert not button_of(strip).isVisible()
    assert not chart_of(strip).isVisible()
    assert 64 <= strip.height() <= 76
    assert has_color(strip, "faint")


@pytest.mark.parametrize("name", ["dark", "light"])
def test_a_line_is_drawn_in_the_themes_colours(qtbot, strip, name):
    strip.show_reading(reading_of([100, 130, 90, 120] * 60))
    qtbot.waitUntil(lambda: chart_of(strip).is_drawn, timeout=20_000)
    theme.apply(QApplication.instance(), name)
    assert has_color(chart_of(strip), "accent")
    assert has_color(chart_of(strip), "accent_soft")
    assert has_color(chart_of(strip), "raised")
    assert has_color(strip, "text")
    assert has_color(strip, "muted")
    theme.apply(QApplication.instance(), "dark")


def test_few_values_stand_at_the_right_edge(qtbot, strip):
    strip.show_reading(reading_of([100.0] * (SPAN // 4)))
    chart = chart_of(strip)
    qtbot.waitUntil(lambda: chart.is_drawn, timeout=20_000)
    picture = chart.grab().toImage()
    filled = QColor(theme.current().accent_soft).rgb()
    row = picture.height() - 6
    found = [x for x in range(picture.width()) if picture.pixel(x, row) == filled]
    assert min(found) > picture.width() * 0.6
    assert max(found) > picture.width() - 8


def test_the_chart_goes_when_the_figures_go(qtbot, strip):
    strip.show_reading(reading_of([100.0] * 9))
    qtbot.waitUntil(lambda: chart_of(strip).is_drawn, timeout=20_000)
    strip.show_reading(None)
    assert not chart_of(strip).isVisible()
    assert not chart_of(strip).is_drawn


def test_the_button_asks_for_a_measurement_and_waits_while_there_is_one(qtbot, strip):
    strip.show_reading(reading_of([100.0]))
    button = button_of(strip)
    with qtbot.waitSignal(strip.alone_wanted):
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    strip.show_measuring(measuring=True)
    assert not button.isEnabled()
    assert button.text() == "Measuring…"
    strip.show_measuring(measuring=False)
    assert button.isEnabled()
    assert button.text() == "Measure alone"


def test_many_readings_in_a_row_are_painted_once_and_the_last_one_stays(qtbot, strip):
    strip.show_reading(reading_of([1.0]))
    paints = Paints(strip)
    for ms in range(1, 50):
        last = reading_of([float(ms)], alone=ALONE)
        strip.show_reading(last)
    assert strip.reading is not last
    qtbot.waitUntil(lambda: strip.reading is last)
    qtbot.waitUntil(lambda: paints.count > 0)
    assert paints.count <= 3


def test_nothing_is_painted_for_a_reading_that_is_shown_already(qtbot, strip):
    reading = reading_of([100.0])
    strip.show_reading(reading)
    qtbot.waitUntil(lambda: chart_of(strip).is_drawn, timeout=20_000)
    strip.repaint()
    paints = Paints(strip)
    for _ in range(20):
        strip.show_reading(reading)
    QApplication.processEvents()
    assert paints.count == 0


def test_the_tool_tip_has_the_whole_table(strip):
    strip.show_reading(reading_of([100.0, 120.0], alone=ALONE))
    at = QPoint(20, 20)
    QApplication.sendEvent(strip, QHelpEvent(QEvent.Type.ToolTip, at, strip.mapToGlobal(at)))
    assert "4.1 fps while 2 models take turns · 8.3 fps alone (20 runs on this frame)" in (
        strip.toolTip()
    )
    assert "24.6 GMAC" in strip.toolTip()
    assert strip.accessibleDescription().startswith("4.1 fps while 2 models")


@pytest.mark.parametrize("width", [160, 240, 340, 400, 560, 900])
def test_it_renders_at_any_width_and_the_parts_never_overlap(qtbot, strip, width):
    strip.show_reading(reading_of(np.linspace(90, 140, 240), alone=ALONE, peak_mb=612.0))
    strip.resize(width, strip.height())
    assert strip.grab().width() == width
    chart, button = chart_of(strip), button_of(strip)
    assert strip.rect().contains(button.geometry())
    if chart.isVisible():
        assert strip.rect().contains(chart.geometry())
        assert not chart.geometry().intersects(button.geometry())
    assert chart.isVisible() == (width >= 400)


@pytest.mark.parametrize(
    ("value", "top"), [(0.2, 1), (1, 1), (1.2, 1.5), (33, 40), (122, 150), (901, 1000)]
)
def test_the_scale_ends_at_a_round_number(value, top):
    assert ceiling(value) == top


def test_the_library_is_imported_in_the_thread_of_the_window(strip, qtbot, monkeypatch):
    """It walks through all of Qt; beside another thread that uses Qt, the program would crash."""
    threads = []
    real = importlib.import_module

    def seen(name, *rest):
        if name == "pyqtgraph":
            threads.append(threading.current_thread())
        return real(name, *rest)

    monkeypatch.setattr(importlib, "import_module", seen)
    strip.show_reading(reading_of([10, 20, 30]))
    qtbot.waitUntil(lambda: chart_of(strip).is_drawn, timeout=20_000)
    assert threads == [threading.main_thread()]
