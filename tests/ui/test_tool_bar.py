"""The bar above the picture at every width: what gives way, and that nothing is cut or covered."""

import itertools
from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QLabel,
    QSlider,
    QSpinBox,
    QWidget,
    QWidgetAction,
)

from segstudio.ui import theme
from segstudio.ui.panels.parts import Picker
from segstudio.ui.panels.tool_options import ToolOptionsBar
from segstudio.ui.tools.registry import TOOLS

RULES = ("everything", "void", "class", "unsure")


@pytest.fixture
def bar(qtbot, session):
    theme.apply(QApplication.instance(), "dark")
    made = ToolOptionsBar(session)
    qtbot.addWidget(made)
    made.resize(1000, made.height())
    made.show()
    return made


def leaves(widget):
    """Visible parts that hold no other parts, at their places in the bar's own pixels."""
    found = []
    for child in widget.findChildren(QWidget, options=Qt.FindChildOption.FindDirectChildrenOnly):
        if not child.isVisible() or child.isWindow():
            continue
        plain = isinstance(child, (QAbstractButton, QComboBox, QLabel, QSlider, QSpinBox))
        inner = [] if plain else leaves(child)
        found += inner or [child]
    return found


def is_whole(part):
    if isinstance(part, Picker):  # shortens its words by itself
        return part.width() >= 56
    if isinstance(part, QSlider):
        return part.width() >= 40
    least = part.minimumWidth() if part.minimumWidth() else part.minimumSizeHint().width()
    return part.width() >= least


def check(bar):
    parts = sorted(leaves(bar), key=lambda p: p.mapTo(bar, QPoint()).x())
    boxes = [(p.mapTo(bar, QPoint()).x(), p.width()) for p in parts]
    where = (bar.width(), bar._session.editor.options.tool, bar._session.editor.options.rule)
    for (x, width), (after, _) in itertools.pairwise(boxes):
        assert x + width <= after, (where, boxes)
    assert boxes[-1][0] + boxes[-1][1] <= bar.width(), (where, boxes)
    for part in parts:
        assert is_whole(part), (where, part, part.width(), part.minimumSizeHint())


@pytest.mark.parametrize("pen", [False, True], ids=["mouse", "pen"])
@pytest.mark.parametrize("tool", list(TOOLS))
def test_nothing_in_it_overlaps_or_is_cut(bar, session, monkeypatch, tool, pen):
    monkeypatch.setattr("segstudio.ui.panels.tool_options._has_pen", lambda: pen)
    session.tools.choose(tool)
    for rule in RULES:
        session.editor.set_options(replace(session.editor.options, rule=rule))
        for width in (*range(420, 1001, 30), 1260, 1900, 420):
            bar.resize(width, bar.height())
            check(bar)
    bar.resize(470, bar.height())
    for rule in RULES:  # with no other width in between
        session.editor.set_options(replace(session.editor.options, rule=rule))
        check(bar)


def test_its_parts_stay_together(bar, session):
    session.tools.choose("brush")
    session.editor.set_options(replace(session.editor.options, rule="unsure"))
    for width in (420, 560, 1000, 1900):
        bar.resize(width, bar.height())
        boxes = sorted((p.mapTo(bar, QPoint()).x(), p.width()) for p in leaves(bar))
        gaps = [after - x - wide for (x, wide), (after, _) in itertools.pairwise(boxes)]
        assert max(gaps) <= 16


def test_it_never_asks_for_a_wide_window(bar):
    assert bar.minimumSizeHint().width() == 0


@pytest.fixture
def unsure(bar, session):
    session.tools.choose("brush")
    session.editor.set_options(
        replace(session.editor.options, rule="unsure", measure="margin", below=0.8)
    )
    return session


def fields(bar):
    """What the list that opens offers."""
    (action,) = bar.findChildren(QWidgetAction)
    return action.defaultWidget()


@pytest.mark.qt_log_ignore("This plugin does not support")
def test_in_a_narrow_bar_the_threshold_opens_from_a_list(bar, unsure):
    control = bar._controls["rule"]
    bar.resize(1900, bar.height())
    assert control._parts.below.isVisible()
    assert not control._opened.isVisible()
    bar.resize(640, bar.height())
    assert control._parts.rule.isVisible()
    assert control._opened.currentText() == "< 80 %"
    control._opened.showPopup()
    (slider,) = fields(bar).findChildren(QSlider)
    slider.setValue(35)
    assert unsure.editor.options.below == pytest.approx(0.35)
    assert control._opened.currentText() == "< 35 %"
    assert slider.isVisible()


@pytest.mark.qt_log_ignore("This plugin does not support")
def test_in_the_narrowest_bar_the_whole_rule_opens_from_a_list(bar, unsure):
    control = bar._controls["rule"]
    bar.resize(420, bar.height())
    assert not control._parts.rule.isVisible()
    assert control._opened.currentText() == "unsure < 80 %"
    assert "leads the second by less than 80 %" in control._opened.toolTip()
    control._opened.showPopup()
    rule, only, measure = fields(bar).findChildren(Picker)
    (slider,) = fields(bar).findChildren(QSlider)
    rule.activated.emit(rule.findData("class"))
    assert unsure.editor.options.rule == "class"
    assert only.isEnabled()
    assert not measure.isEnabled()
    assert not slider.isEnabled()
    only.activated.emit(only.findText("Sky"))
    assert control._opened.currentText() == "only Sky"


def test_in_the_narrowest_bar_choices_are_lists_and_shapes_one_button(bar, session):
    session.tools.choose("eraser")
    bar.resize(420, bar.height())
    erases = bar._controls["erases_to"]
    assert not erases._segments.isVisible()
    erases._list.activated.emit(erases._list.findText("To the model"))
    assert session.editor.options.erases_to == "model"
    shape = bar._controls["is_square"]
    was = session.editor.options.is_square
    shape._either.click()
    assert session.editor.options.is_square != was
    shape._either.click()
    assert session.editor.options.is_square == was


def test_a_slider_that_is_dragged_stays_in_hand(bar, unsure):
    bar.resize(1260, bar.height())
    slider = bar._controls["rule"]._parts.below
    hidden = []
    slider.setVisible = lambda is_there: (
        hidden.append(is_there) or QSlider.setVisible(slider, is_there)
    )
    for value in (10, 50, 100):
        slider.setValue(value)
    assert unsure.editor.options.below == 1
    assert False not in hidden
