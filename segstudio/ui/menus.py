"""The menu bar and all shortcuts, made from the commands and kept up to date with them."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu

from segstudio.errors import SegStudioError
from segstudio.ui.commands.registry import MENUS, Command, Desk, in_menu_order


class Menus(QObject):
    """One QAction per command. Owned by the window."""

    def __init__(self, window: QMainWindow, desk: Desk) -> None:
        super().__init__(window)
        self._desk = desk
        self.actions: dict[str, QAction] = {}
        self._menus: dict[str, QMenu] = {}
        for title in MENUS:
            self._menus[title] = window.menuBar().addMenu(title)
        section: dict[str, int] = {}
        for entry in in_menu_order():
            top = entry.menu.split("/")[0]
            if top and section.get(top) != entry.section:
                if top in section:
                    self._menus[top].addSeparator()
                section[top] = entry.section
                self._add_lists(top, entry.section)
            action = self._make(window, entry)
            if entry.menu:
                self._menu(entry.menu).addAction(action)
            else:
                window.addAction(action)
        for title in MENUS:
            self._menus[title].aboutToShow.connect(self.show_reasons)
            self._menus[title].aboutToHide.connect(self.allow_keys)
            self._menus[title].setToolTipsVisible(True)
        self.refresh()

    def _menu(self, path: str) -> QMenu:
        """ "View/Theme" is a submenu of View, made when it is first named."""
        if path not in self._menus:
            parent, _, title = path.rpartition("/")
            self._menus[path] = self._menus[parent].addMenu(title)
        return self._menus[path]

    def _make(self, window: QMainWindow, entry: Command) -> QAction:
        # What follows a tab is shown as the key without being one: the window handles held keys.
        shown = f"{entry.title}\t{entry.keys[0]}" if entry.held else entry.title
        action = QAction(shown.replace("&", "&&"), window)
        if entry.keys and not entry.held:
            action.setShortcuts([QKeySequence(key) for key in entry.keys])
            action.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
        action.setCheckable(entry.checked is not None)
        action.setMenuRole(QAction.MenuRole.NoRole)
        action.triggered.connect(partial(self.run, entry.name))
        self.actions[entry.name] = action
        return action

    def run(self, name: str, _: bool = False) -> None:  # noqa: FBT001 - Qt passes it
        """Do it, or say why not."""
        entry = next(c for c in in_menu_order() if c.name == name)
        why_not = entry.unless(self._desk)
        if why_not:
            self._desk.session.tell(why_not, "hint")
            return
        try:
            entry.run(self._desk)
        except SegStudioError as error:
            self._desk.session.tell_error(error)

    def refresh(self) -> None:
        """What carries a tick."""
        for entry in in_menu_order():
            if entry.checked is not None:
                self.actions[entry.name].setChecked(entry.checked(self._desk))

    def show_reasons(self) -> None:
        """A menu opens: what cannot be done now is grey, and its tip says why."""
        self.refresh()
        for name, why_not in self.reasons().items():
            self.actions[name].setEnabled(not why_not)
            self.actions[name].setToolTip(why_not or self.actions[name].text())

    def reasons(self) -> dict[str, str]:
        """By the command's name: why it cannot be done now, "" when it can."""
        return {entry.name: entry.unless(self._desk) for entry in in_menu_order()}

    def allow_keys(self) -> None:
        """While no menu is open every key is heard: `run` does it or says why not.

        What can be done changes with every stroke and every frame; a key of a disabled action
        would be swallowed without a word.
        """
        for action in self.actions.values():
            action.setEnabled(True)

    # --- lists that are made from what is there

    def _add_lists(self, top: str, section: int) -> None:
        if top == "File" and section == 3:
            self._submenu("File", "Open Recent", self._fill_recent)
            self._menus["File"].addSeparator()
        if top == "Model" and section == 3:
            self._submenu("Model", "Model", self._fill_models)
            self._submenu("Model", "Device", self._fill_devices)
            self._menus["Model"].addSeparator()

    def _submenu(self, top: str, title: str, fill: Callable[[QMenu], None]) -> None:
        menu = self._menus[top].addMenu(title)
        menu.aboutToShow.connect(partial(fill, menu))
        self._menus[top].aboutToShow.connect(partial(fill, menu))  # it may be grey meanwhile
        fill(menu)

    def _fill_recent(self, menu: QMenu) -> None:
        menu.clear()
        session = self._desk.session
        for text in session.settings.recent:
            path = Path(text)
            action = menu.addAction(path.name.replace("&", "&&"))
            action.setToolTip(text)
            action.triggered.connect(lambda _=False, path=path: session.open([path]))
        menu.setToolTipsVisible(True)
        menu.menuAction().setEnabled(bool(session.settings.recent))
        if session.settings.recent:
            menu.addSeparator()
            menu.addAction("Clear List").triggered.connect(
                lambda _=False: session.set_setting("recent", ())
            )

    def _fill_models(self, menu: QMenu) -> None:
        menu.clear()
        shelf = self._desk.session.models
        group = QActionGroup(menu)
        for card in shelf.cards:
            action = menu.addAction(card.title.replace("&", "&&"))
            action.setCheckable(True)
            action.setChecked(shelf.chosen is not None and shelf.chosen.name == card.name)
            action.triggered.connect(lambda _=False, name=card.name: shelf.choose(name))
            group.addAction(action)
        menu.menuAction().setEnabled(bool(shelf.cards))

    def _fill_devices(self, menu: QMenu) -> None:
        menu.clear()
        shelf = self._desk.session.models
        group = QActionGroup(menu)
        for name, title in [("auto", "Automatic"), *((d.name, d.title) for d in shelf.devices)]:
            action = menu.addAction(title)
            action.setCheckable(True)
            action.setChecked(shelf.device == name)
            action.triggered.connect(lambda _=False, name=name: shelf.choose_device(name))
            group.addAction(action)
