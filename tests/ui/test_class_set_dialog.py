"""The class set editor, worked with mouse and keys."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QColorDialog,
    QInputDialog,
    QLabel,
    QLineEdit,
    QMenu,
    QPushButton,
)

from segstudio.core.class_mapping import remap
from segstudio.core.classes import CAMVID
from segstudio.core.palettes import colour_blind_safe
from segstudio.errors import SegStudioError
from segstudio.store.class_sets import load_class_set, save_class_set
from segstudio.store.project import Project
from segstudio.ui import theme
from segstudio.ui.dialogs.class_set import ClassSetDialog
from segstudio.ui.dialogs.class_set_list import ClassList, key_area, name_area, swatch_area
from segstudio.ui.panels.parts import Picker

pytestmark = pytest.mark.qt_log_ignore("does not support grabbing the keyboard")
LEFT = Qt.MouseButton.LeftButton
NONE = Qt.KeyboardModifier.NoModifier
USAGE = {3: (44, 22_334_455), 7: (12, 1_204_330), 8: (3, 5)}
POLE, ROAD, FENCE, CAR, BICYCLIST = 2, 3, 7, 8, 10


class Hand:
    """What a person does to the dialog."""

    def __init__(self, qtbot, dialog, applied):
        self.qtbot, self.dialog, self.applied = qtbot, dialog, applied
        self.list = dialog.findChild(ClassList)
        self.port = self.list.viewport()

    def click(self, class_id, part=name_area, modifier=NONE):
        self.list.scrollTo(self.list.model().index(self.place(class_id), 0))
        area = part(self.list.area_of(class_id))
        at = area.center() if part is not name_area else QPoint(area.left() + 20, area.center().y())
        QTest.mouseClick(self.port, LEFT, modifier, at)

    def place(self, class_id):
        return [c.id for c in self.classes.classes].index(class_id)

    def double_click(self, class_id):
        self.click(class_id)
        area = name_area(self.list.area_of(class_id))
        QTest.mouseDClick(self.port, LEFT, NONE, QPoint(area.left() + 20, area.center().y()))

    def key(self, key, modifier=NONE):
        QTest.keyClick(self.list, key, modifier)

    def button(self, text):
        return next(b for b in self.dialog.findChildren(QPushButton) if b.text() == text)

    def press(self, text):
        QTest.mouseClick(self.button(text), LEFT)

    def type_name(self, text, end=Qt.Key.Key_Return):
        editor = self.port.findChild(QLineEdit)
        assert editor is not None
        assert editor.isVisible()
        editor.selectAll()
        QTest.keyClicks(editor, text)
        QTest.keyClick(editor, end)
        self.qtbot.waitUntil(lambda: self.list.state() != self.list.State.EditingState)
        QApplication.processEvents()

    def pick(self, beginning):
        """A line of the menu that is open."""
        self.qtbot.waitUntil(lambda: QApplication.activePopupWidget() is not None)
        menu = QApplication.activePopupWidget()
        assert isinstance(menu, QMenu)
        action = next(a for a in menu.actions() if a.text().startswith(beginning))
        QTest.mouseClick(menu, LEFT, NONE, menu.actionGeometry(action).center())

    @property
    def classes(self):
        return self.dialog.classes

    @property
    def names(self):
        return [c.name for c in self.classes.classes]

    @property
    def said(self):
        return " ".join(w.text() for w in self.dialog.findChildren(QLabel))


@pytest.fixture
def make(qtbot):
    """Dialogs on CamVid; `applied` is what the project got."""

    def made(usage=lambda: USAGE, classes=CAMVID, apply=None):
        theme.apply(QApplication.instance(), "dark")
        applied = []
        take = apply or (lambda *given: applied.append(given))
        dialog = ClassSetDialog(classes, usage, take, None)
        qtbot.addWidget(dialog)
        dialog.show()
        QTest.qWaitForWindowExposed(dialog)
        return Hand(qtbot, dialog, applied)

    return made


@pytest.fixture
def hand(make):
    return make()


def test_merging_is_said_before_and_done_on_apply(hand):
    hand.click(FENCE)
    hand.press("Merge into…")
    hand.pick("Building")
    assert "Fence" not in hand.names
    assert "Merging Fence into Building changes 1,204,330 px on 12 frames." in hand.said
    assert hand.list.selected == [1]
    assert not hand.applied
    hand.press("Apply")
    ((classes, mapping),) = hand.applied
    assert classes == hand.classes
    labels = np.array([[FENCE, CAR, 255]], np.uint8)
    assert remap(labels, mapping).tolist() == [[1, CAR, 255]]
    assert not hand.dialog.isVisible()


def test_several_classes_are_merged_and_removed_at_once(hand):
    hand.click(POLE)
    hand.click(FENCE, modifier=Qt.KeyboardModifier.ControlModifier)
    hand.press("Merge into…")
    hand.pick("Pole")
    assert "Fence" not in hand.names
    assert "Pole" in hand.names
    hand.click(ROAD)
    hand.click(CAR, modifier=Qt.KeyboardModifier.ControlModifier)
    hand.key(Qt.Key.Key_Delete)
    assert "Removing Road makes 22,334,455 px on 44 frames void." in hand.said
    assert hand.list.selected == [9]
    classes, mapping, told = hand.dialog.outcome
    assert mapping.table[ROAD] == mapping.table[CAR] == 255
    assert mapping.table[FENCE] == POLE
    assert told in hand.said.replace("\n", " ")
    assert len(classes) == 8


def test_a_name_is_typed_in_its_place(hand):
    hand.double_click(CAR)
    hand.type_name("Vehicle")
    assert hand.classes.name_of(CAR) == "Vehicle"
    assert hand.list.selected == [CAR]
    hand.key(Qt.Key.Key_Return)
    hand.type_name("Lorry")
    assert hand.classes.name_of(CAR) == "Lorry"
    hand.key(Qt.Key.Key_F2)
    hand.type_name("Nothing", end=Qt.Key.Key_Escape)
    assert hand.classes.name_of(CAR) == "Lorry"
    assert hand.dialog.isVisible()
    assert hand.dialog.outcome[1] is None


def test_a_button_takes_the_name_that_is_being_typed(hand):
    hand.press("Add class")
    editor = hand.port.findChild(QLineEdit)
    QTest.keyClicks(editor, "Kerb")
    hand.press("Apply")
    assert hand.applied[0][0].classes[-1].name == "Kerb"


def test_a_button_does_nothing_while_the_name_being_typed_is_refused(hand):
    hand.press("Add class")
    QTest.keyClicks(hand.port.findChild(QLineEdit), "Sky")
    hand.press("Apply")
    assert "has a class 'Sky' already" in hand.said
    assert hand.dialog.isVisible()
    assert not hand.applied
    hand.press("Apply")
    assert hand.applied[0][0].classes[-1].name == "New class"


def test_a_name_that_is_taken_is_refused_with_a_sentence(hand):
    hand.double_click(CAR)
    hand.type_name("sky")
    assert "'camvid' has a class 'sky' already" in hand.said
    assert hand.classes == CAMVID


def test_a_new_class_is_named_at_once_and_has_a_color_of_its_own(hand):
    hand.press("Add class")
    hand.type_name("Lane marking")
    assert hand.names[-1] == "Lane marking"
    assert hand.classes.classes[-1].id == 11
    assert hand.classes.classes[-1].color not in {c.color for c in CAMVID.classes}
    assert "1 class is new." in hand.said
    hand.press("Add class")
    hand.type_name("New class")
    assert len(hand.classes) == 13


def test_a_click_on_the_color_asks_for_another(hand, qtbot):
    hand.click(CAR, swatch_area)
    dialog = hand.dialog.findChild(QColorDialog)
    assert dialog.isVisible()
    assert dialog.currentColor() == QColor(*CAMVID.by_id(CAR).color)
    dialog.setCurrentColor(QColor(1, 2, 3))
    dialog.accept()
    assert hand.classes.by_id(CAR).color == (1, 2, 3)
    assert hand.dialog.outcome[1] is None


def test_a_digit_is_given_by_pressing_it_or_from_the_menu(hand):
    hand.click(BICYCLIST)
    hand.key(Qt.Key.Key_4)
    assert hand.classes.keys()[4] == BICYCLIST
    hand.click(ROAD, key_area)
    hand.pick("9")
    assert hand.classes.keys()[9] == ROAD
    hand.click(ROAD, key_area)
    hand.pick("No key")
    assert ROAD not in hand.classes.keys().values()
    hand.key(Qt.Key.Key_0)
    assert hand.dialog.outcome[1] is None


def test_moving_a_class_numbers_the_set_anew_and_labels_follow(hand):
    hand.click(ROAD)
    hand.press("Up")
    hand.key(Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    assert hand.names[:4] == ["Sky", "Road", "Building", "Pole"]
    assert hand.list.selected == [1]
    _, mapping, told = hand.dialog.outcome
    assert mapping.table[:4] == (0, 2, 3, 1)
    assert "3 classes get another id, and 22,334,455 px of labels follow." in told
    hand.key(Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    hand.press("Down")
    assert hand.names == [c.name for c in CAMVID.classes]
    assert hand.dialog.outcome[1] is None


def test_changes_are_taken_back_one_by_one(hand):
    hand.click(FENCE)
    hand.press("Remove")
    hand.press("Colour-blind safe")
    assert hand.classes == colour_blind_safe(hand.classes)
    QTest.keyClick(hand.dialog, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert "Fence" not in hand.names
    hand.press("Undo")
    assert hand.classes == CAMVID
    assert "Nothing changes." in hand.said
    assert not hand.button("Undo").isEnabled()
    assert not hand.button("Apply").isEnabled()


def test_colors_that_are_safe_already_are_left(hand):
    hand.press("Colour-blind safe")
    before = hand.classes
    hand.press("Colour-blind safe")
    assert "nothing was changed" in hand.said
    assert hand.classes is before


def test_another_set_is_started_from_with_what_it_costs(hand):
    picker = hand.dialog.findChild(Picker)
    assert picker.placeholderText() == "This set: camvid"
    picker.setFocus()
    place = picker.findData("cityscapes19")
    picker.setCurrentIndex(place)
    picker.activated.emit(place)
    assert hand.classes == load_class_set("cityscapes19")
    _, mapping, _ = hand.dialog.outcome
    assert hand.classes.name_of(mapping.table[CAR]) == "car"
    assert hand.classes.name_of(mapping.table[ROAD]) == "road"
    assert picker.placeholderText() == "This set: cityscapes19"


def test_a_set_is_kept_under_a_name_of_its_own(hand):
    hand.press("Add class")
    hand.type_name("Lane marking")
    hand.press("Save as own set…")
    hand.dialog.findChild(QInputDialog).textValueSelected.emit("CamVid")
    assert "comes with SegStudio" in hand.said
    hand.press("Save as own set…")
    asked = hand.dialog.findChildren(QInputDialog)[-1]
    name = asked.findChild(QLineEdit)
    name.selectAll()
    QTest.keyClicks(name, "my streets")
    QTest.keyClick(name, Qt.Key.Key_Return)
    kept = load_class_set("my streets")
    assert kept == hand.classes
    assert kept.classes[-1].name == "Lane marking"
    picker = hand.dialog.findChild(Picker)
    assert picker.findData("my streets") >= 0
    hand.press("Apply")
    assert hand.applied[0][0].name == "my streets"


def test_a_set_of_ones_own_is_replaced_only_by_what_was_made_of_it(hand, make):
    save_class_set(colour_blind_safe(CAMVID.__class__("mine", CAMVID.classes)))
    hand.dialog._save_as("mine")
    assert "already; choose another name" in hand.said
    again = make(classes=load_class_set("mine"))
    again.click(CAR)
    again.key(Qt.Key.Key_Delete)
    again.dialog._save_as("mine")
    assert load_class_set("mine") == again.classes


def test_changes_are_discarded_only_when_said_twice(hand):
    hand.click(FENCE)
    hand.key(Qt.Key.Key_Delete)
    hand.key(Qt.Key.Key_Escape)
    assert "1 change is not applied; cancel once more to discard." in hand.said
    assert hand.dialog.isVisible()
    hand.press("Cancel")
    assert not hand.dialog.isVisible()
    assert not hand.applied


def test_without_changes_escape_closes(hand):
    hand.key(Qt.Key.Key_Escape)
    assert not hand.dialog.isVisible()


def test_a_project_that_does_not_take_it_keeps_the_dialog_open(make):
    def refuse(*_):
        raise SegStudioError("The project is read-only; save a copy.")

    hand = make(apply=refuse)
    hand.click(FENCE)
    hand.key(Qt.Key.Key_Delete)
    hand.press("Apply")
    assert hand.dialog.isVisible()
    assert "The project is read-only" in hand.said
    assert len(hand.classes) == 10


def test_it_works_when_nobody_can_count(make):
    def cannot():
        raise SegStudioError("The project is gone; open it again.")

    for usage in (None, cannot):
        hand = make(usage=usage)
        hand.click(FENCE)
        hand.key(Qt.Key.Key_Delete)
        assert "Removing Fence makes every pixel labelled so void." in hand.said


def test_the_last_class_cannot_be_removed(hand):
    hand.key(Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert len(hand.list.selected) == 11
    assert not hand.button("Remove").isEnabled()
    hand.key(Qt.Key.Key_Delete)
    assert hand.classes == CAMVID
    assert "would be empty" in hand.said


@pytest.mark.parametrize("look", ["dark", "light"])
def test_every_row_shows_its_color_in_both_themes(make, look):
    hand = make()
    theme.apply(QApplication.instance(), look)
    QApplication.processEvents()
    picture = hand.port.grab().toImage()
    ratio = picture.devicePixelRatio()
    for c in CAMVID.classes[:8]:
        at = swatch_area(hand.list.area_of(c.id)).center() * ratio
        assert picture.pixelColor(at) == QColor(*c.color)
    theme.apply(QApplication.instance(), "dark")


def test_a_project_keeps_the_classes_and_keys_it_was_given(make, tmp_path):
    file = tmp_path / "drive.segproj"
    project = Project.create(file, CAMVID)
    hand = make(apply=lambda *given: project.remap(*given).result(20))
    hand.click(FENCE)
    hand.press("Remove")
    hand.click(BICYCLIST)
    hand.key(Qt.Key.Key_1)
    hand.press("Apply")
    assert project.close()
    again = Project.open(file)
    assert again.classes == hand.classes
    assert again.classes.keys()[1] == BICYCLIST
    assert again.close()
