"""The list of what is worth correcting, in the side panel."""

import threading

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton

from segstudio.ui.icons import IconButton
from segstudio.ui.panels.range_bar import RangeBar
from segstudio.ui.panels.suggestion_rows import MOST_LINES, SuggestionList, wrapped
from segstudio.ui.panels.suggestions import SuggestionsPanel
from tests.ui.conftest import wait_for

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


@pytest.fixture
def panel(window):
    """The part of the side panel."""
    return window.findChild(SuggestionsPanel)


def button_of(panel):
    """The one below the list."""
    return panel.findChildren(QPushButton)[-1]


def switch(panel, title):
    """To another kind."""
    one = next(b for b in panel.findChildren(QPushButton) if b.text() == title)
    QTest.mouseClick(one, LEFT)


def test_it_comes_and_goes_with_its_command_and_its_cross(window, panel, opened):
    assert panel.isHidden()
    window.menus.run("suggest.list")
    assert panel.isVisible()
    QTest.mouseClick(panel.findChild(IconButton), LEFT)
    assert panel.isHidden()
    window.toggle_panel()
    window.menus.run("suggest.list")
    assert panel.isVisible(), "the column it is in comes along"
    window.menus.run("suggest.list")
    assert panel.isHidden()


def test_empty_it_says_what_a_look_brings_and_its_button_looks(window, panel, opened, qtbot):
    window.menus.run("suggest.list")
    assert panel._words.text().startswith("The model looks through the clip for 1000 seconds")
    assert panel._list.isHidden()
    button = button_of(panel)
    assert button.text() == "Look"
    QTest.mouseClick(button, LEFT)
    assert button.text() == "Stop"
    qtbot.waitUntil(lambda: opened.suggesting.run is None, timeout=20_000)
    assert button.text() == "Look Again"
    assert panel._words.isHidden()
    assert panel._rest.text() == "20 frames looked at"
    assert panel._model.rowCount() == 3


def test_without_a_model_or_labels_it_says_so_and_the_button_rests(window, panel, opened):
    window.menus.run("suggest.list")
    switch(panel, "Labels")
    assert panel._words.text() == "Nobody has painted or confirmed anything in this clip yet."
    assert not button_of(panel).isEnabled()
    switch(panel, "Frames")
    opened.models.choose(None)
    assert panel._words.text() == "Choose a model first."
    assert not button_of(panel).isEnabled()


@pytest.mark.parametrize("how", ["panel", "command"])
def test_stopping_in_the_panel_or_by_its_key_ranks_what_was_seen(
    window, panel, opened, doubts, qtbot, how
):
    reached, go = threading.Event(), threading.Event()

    def hold(_, index):
        if index == 20 and not go.is_set():
            reached.set()
            go.wait(20)

    doubts.on_predict = hold
    window.menus.run("suggest.look")
    qtbot.waitUntil(reached.is_set, timeout=20_000)
    bar = window.findChild(RangeBar)
    words = "Looking for what to correct next: 10 of 20 frames"
    qtbot.waitUntil(lambda: bar.isVisible() and bar._text.text() == words, timeout=20_000)
    assert panel._rest.text() == "Looking: 10 of 20 frames"
    if how == "panel":
        QTest.mouseClick(button_of(panel), LEFT)
    else:
        window.menus.run("carry.stop")
    go.set()
    qtbot.waitUntil(lambda: opened.suggesting.run is None, timeout=20_000)
    assert [e.index for e in panel._model.entries] == [6, 18]
    assert button_of(panel).text() == "Look at More"
    assert bar.isHidden()


def test_a_click_goes_there_and_the_row_is_marked(window, panel, looked, opened, qtbot):
    window.menus.run("suggest.list")
    looked()
    view: SuggestionList = panel._list
    second = panel._model.index(1)
    QTest.mouseClick(view.viewport(), LEFT, NONE, view.visualRect(second).center())
    wait_for(qtbot, opened, 18)
    assert view.currentIndex() == second
    window.menus.run("suggest.next")
    wait_for(qtbot, opened, 30)
    assert view.currentIndex().row() == 2


def test_arrows_and_enter_go_there_once_the_list_has_the_keyboard(
    window, panel, looked, opened, qtbot
):
    window.menus.run("suggest.list")
    looked()
    panel._list.setFocus()
    QTest.keyClick(panel._list, Qt.Key.Key_Return)
    wait_for(qtbot, opened, 6)
    QTest.keyClick(panel._list, Qt.Key.Key_Down)
    wait_for(qtbot, opened, 18)
    opened.player.seek(0)
    wait_for(qtbot, opened, 0)
    QTest.keyClick(panel._list, Qt.Key.Key_Return)
    wait_for(qtbot, opened, 18)


def test_regions_have_a_row_each_and_a_box_in_their_picture(window, panel, looked, opened, qtbot):
    window.menus.run("suggest.regions")
    looked("regions")
    assert panel._model.rowCount() == 3
    qtbot.waitUntil(lambda: panel._pictures.of(6) is not None, timeout=20_000)
    with_box = panel._list.viewport().grab().toImage()
    panel._model.frame_size = (0, 0)
    panel._list.viewport().update()
    assert panel._list.viewport().grab().toImage() != with_box


def test_rows_are_said_to_those_who_do_not_see(window, panel, looked):
    window.menus.run("suggest.list")
    looked()
    said = panel._model.index(0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert said.startswith("1, 6 · 00:01.200, Unsure on 17 % of the frame")


def test_a_long_reason_takes_three_lines_and_figures_stay_with_their_units(window, panel):
    font = panel.font()
    lines = wrapped("Unsure on 12 % of the frame and much more besides. " * 5, font, 200)
    assert len(lines) == MOST_LINES
    assert lines[-1].endswith("…")
    assert wrapped("It is 4 % of it.", font, 40)[1].startswith("4")
    assert not any(line.startswith("%") for line in wrapped("12 % " * 9, font, 60))


@pytest.mark.parametrize("look", ["dark", "light"])
def test_it_can_be_painted_in_both_themes(window, panel, looked, look):
    from PySide6.QtWidgets import QApplication

    from segstudio.ui import theme

    window.menus.run("suggest.list")
    looked()
    theme.apply(QApplication.instance(), look)
    assert not panel.grab().isNull()
    theme.apply(QApplication.instance(), "dark")
