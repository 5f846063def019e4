"""What stays where it is: buttons under the mouse, numbers that are being written, the keyboard."""

from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QEnterEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QPushButton, QScrollArea, QTreeView

from segstudio.core.layers import CallFacts, LayerFacts
from segstudio.core.look import ClassLook, LayerLook, Scale
from segstudio.ui.panels.inside.layer_tree import ROW
from segstudio.ui.panels.inside.panel import LEAST
from segstudio.ui.panels.inside.views import VIEWS

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


def button(panel, text):
    return next(b for b in panel.findChildren(QPushButton) if b.text() == text)


def place(panel, text) -> QPoint:
    QTest.qWait(1)  # layouts that were put off
    one = button(panel, text)
    return one.mapTo(panel, one.rect().center())


def ends(panel):
    name = "{} number of the scale"
    fields = {f.accessibleName(): f for f in panel.findChildren(QLineEdit)}
    return fields[name.format("Lowest")], fields[name.format("Highest")]


def tree_of(panel):
    return panel.findChild(QTreeView)


# --- buttons under the mouse


def test_views_stay_where_they_are_whatever_is_chosen(panel, looked, change_look, net):
    before = [place(panel, title) for _, title, _ in VIEWS]
    for show, _, _ in VIEWS:
        for layer in ("detail.stage1", "semantic.shared", "head"):
            change_look(show=show, layer=layer)
            assert [place(panel, title) for _, title, _ in VIEWS] == before, (show, layer)
    button(panel, "Measure cost").click()
    net.note = "A long sentence about this layer that people should know before they go on with it."
    change_look(show="mean", fit=1)
    assert [place(panel, title) for _, title, _ in VIEWS] == before
    button(panel, "Unsure").click()
    button(panel, "Layers").click()
    assert [place(panel, title) for _, title, _ in VIEWS] == before


def test_ten_layers_are_in_sight_and_no_tree_scrolls_inside_what_scrolls(panel):
    panel.resize(340, 900)  # what a window of 1000 pixels leaves
    QTest.qWait(1)
    tree = tree_of(panel)
    assert tree.viewport().height() >= 10 * ROW
    assert not any(area.isAncestorOf(tree) for area in panel.findChildren(QScrollArea))


@pytest.mark.parametrize("width", [LEAST, 340])
def test_nothing_is_cut_off_at_the_right(panel, change_look, width):
    panel.resize(width, 700)
    for show, _, _ in VIEWS:
        change_look(show=show)
        QTest.qWait(1)
        for area in panel.findChildren(QScrollArea):
            if area.isVisible():
                assert area.widget().width() <= area.viewport().width()


def test_a_click_on_the_view_that_is_shown_leaves_it_marked(panel, looked):
    button(panel, "Mean").click()
    assert button(panel, "Mean").isChecked()
    assert looked.inside.look.show == "mean"
    for text in ("Smooth", "Robust", "Layers", "Stages"):
        button(panel, text).click()
        assert button(panel, text).isChecked(), text


def test_a_button_does_not_stay_lit_when_the_mouse_was_never_told_to_leave(panel, change_look):
    one = button(panel, "Max")
    at = QPointF(one.rect().center())
    QApplication.sendEvent(one, QEnterEvent(at, at, at))
    one.setAttribute(Qt.WidgetAttribute.WA_UnderMouse)
    change_look(show="norm")
    assert not one.underMouse()


# --- the keyboard


def test_space_in_the_tree_plays_and_pauses(panel, looked, monkeypatch):
    tapped = []
    tree = tree_of(panel)
    monkeypatch.setattr(tree, "_played", lambda: tapped.append(1))
    tree.setFocus()
    QTest.keyClick(tree, Qt.Key.Key_Space)
    assert tapped == [1]
    assert looked.inside.look.layer == "detail.stage1"


@pytest.mark.parametrize("key", [Qt.Key.Key_Plus, Qt.Key.Key_Minus, Qt.Key.Key_M])
def test_keys_of_the_window_are_left_to_it(panel, key, qtbot):
    tree, heard = tree_of(panel), []
    panel.keyPressEvent = lambda event: heard.append(event.key())
    tree.setFocus()
    QTest.keyClick(tree, key)
    assert heard == [key]


def test_pages_go_to_the_next_layer_that_has_a_map(panel, looked):
    tree = tree_of(panel)
    tree.setFocus()
    gone = []
    for key in (Qt.Key.Key_PageDown, Qt.Key.Key_PageDown, Qt.Key.Key_PageUp):
        QTest.keyClick(tree, key)
        gone.append(looked.inside.look.layer)
    assert gone == ["detail.stage1.0", "detail.stage1.0.0", "detail.stage1.0"]
    looked.inside.set_look(LayerLook("semantic.stem"))
    QTest.keyClick(tree, Qt.Key.Key_PageDown)
    assert looked.inside.look.layer == "semantic.shared", "a vector lies between"
    looked.inside.set_look(LayerLook("head"))
    QTest.keyClick(tree, Qt.Key.Key_PageDown)
    assert looked.inside.look.layer == "head"


def test_the_chosen_layer_is_in_sight_wherever_it_was_chosen(panel, looked, net, tree):
    run = (CallFacts((8, 9, 16), (0.0, 0.0), (8.0, 8.0)),)
    many = tuple(LayerFacts(f"stage{n}", "", "Conv2d", 0, 9, run, True) for n in range(60))
    net.layers = replace(tree, layers=many)
    looked.inside._layers.forget()
    looked.inside.turn_off()
    looked.inside.turn_on()
    view = tree_of(panel)
    for name in ("stage55", "stage2", "stage30"):
        looked.inside.set_look(LayerLook(name))
        QTest.qWait(1)
        row = view.visualRect(view.model().index_of(name))
        seen = row.intersected(view.viewport().rect())
        assert seen.height() >= row.height() - 1, name


# --- numbers that are written


def written(field, text):
    QTest.keyClicks(field, text)
    assert field.text() == text


def test_both_ends_are_written_one_after_the_other(panel, looked):
    button(panel, "Fixed").click()
    low, high = ends(panel)
    low.setFocus()
    low.selectAll()
    written(low, "5")
    QTest.keyClick(low, Qt.Key.Key_Tab)
    assert high.hasFocus()
    assert looked.inside.look.scale == Scale("fixed", 0.0, 1.5), "not in order yet"
    looked.inside.arrived.emit()  # a frame
    assert (low.text(), high.text()) == ("5", "1.5")
    written(high, "12")
    looked.inside.arrived.emit()
    assert (low.text(), high.text()) == ("5", "12")
    QTest.keyClick(high, Qt.Key.Key_Return)
    assert looked.inside.look.scale == Scale("fixed", 5.0, 12.0)


def test_ends_in_the_wrong_order_are_swapped_when_both_are_written(panel, looked):
    button(panel, "Fixed").click()
    low, high = ends(panel)
    low.setFocus()
    low.selectAll()
    written(low, "3,5")
    QTest.keyClick(low, Qt.Key.Key_Return)
    assert looked.inside.look.scale == Scale("fixed", 1.5, 3.5)
    assert (low.text(), high.text()) == ("1.5", "3.5")


def test_a_fixed_scale_belongs_to_its_layer(panel, looked):
    button(panel, "Fixed").click()
    view = tree_of(panel)
    index = view.visualRect(view.model().index_of("detail.stage2")).center()
    QTest.mouseClick(view.viewport(), LEFT, NONE, index)
    assert looked.inside.look == LayerLook("detail.stage2")
    button(panel, "Fixed").click()
    looked.inside.set_look(replace(looked.inside.look, layer="head"))  # a command does
    assert looked.inside.look == LayerLook("head")
    button(panel, "Full").click()
    looked.inside.set_look(replace(looked.inside.look, layer="detail"))
    assert looked.inside.look.scale == Scale("full")


def test_probabilities_are_written_in_percent(panel, looked):
    looked.inside.set_look(ClassLook(3))
    low, high = ends(panel)
    assert (low.text(), high.text()) == ("0", "100")
    low.setFocus()
    low.selectAll()
    written(low, "25 %")
    QTest.keyClick(low, Qt.Key.Key_Return)
    assert looked.inside.look.scale == Scale("fixed", 0.25, 1.0)
    assert low.text() == "25"
