"""The menus of the class set editor. The data of an action is what it stands for."""

from collections.abc import Collection

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QColor, QIcon, QPainter, QPixmap
from PySide6.QtWidgets import QMenu, QWidget

from segstudio.core.classes import ClassDef, ClassMap


def key_menu(parent: QWidget, classes: ClassMap, class_id: int) -> QMenu:
    """The digits and who has them; data: 1..9, 0 = no key."""
    menu, keys = _menu(parent), classes.keys()
    for digit in range(1, 10):
        held = f"    {classes.name_of(keys[digit])}" if digit in keys else ""
        one = menu.addAction(f"{digit}{held}")
        one.setData(digit)
        one.setCheckable(True)
        one.setChecked(keys.get(digit) == class_id)
    menu.addSeparator()
    menu.addAction("No key").setData(0)
    return menu


def merge_menu(parent: QWidget, classes: ClassMap, gone: Collection[int]) -> QMenu:
    """The classes that may take in those; data: the id. One of several may take in the others."""
    menu = _menu(parent)
    for one in classes.classes:
        if one.id not in gone or len(gone) > 1:
            action = QAction(_swatch(one), one.name.replace("&", "&&"), menu)
            action.setData(one.id)
            menu.addAction(action)
    return menu


def _menu(parent: QWidget) -> QMenu:
    menu = QMenu(parent)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    return menu


def _swatch(known: ClassDef) -> QIcon:
    picture = QPixmap(28, 28)
    picture.setDevicePixelRatio(2)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(*known.color))
    painter.drawRoundedRect(0, 0, 14, 14, 4, 4)
    painter.end()
    return QIcon(picture)
