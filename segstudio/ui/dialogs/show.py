"""Dialogs by name, each imported when it is first wanted."""

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QDialog, QWidget

from segstudio.ui.menus import Menus
from segstudio.ui.session import Session


def dialog(name: str, parent: QWidget, session: Session, menus: Menus) -> QDialog:
    """Show one of the dialogs that `_make` knows; none of them blocks the program."""
    found = _make(name, parent, session, menus)
    found.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    if name == "scores":  # looked at beside the picture, so it blocks nothing
        found.show()
        found.raise_()
    else:
        found.open()
    return found


def _make(name: str, parent: QWidget, session: Session, menus: Menus) -> QDialog:
    if name == "settings":
        from segstudio.ui.dialogs.settings import SettingsDialog

        return SettingsDialog(parent, session)
    if name in ("models", "import"):
        from segstudio.ui.dialogs.models import ModelsDialog

        made = ModelsDialog(parent, session)
        if name == "import":
            QTimer.singleShot(0, made, made.ask_weights)
        return made
    if name == "scores":
        from segstudio.ui.dialogs.scores.window import ScoresWindow

        open_already: QDialog | None = parent.findChild(ScoresWindow)
        if open_already is not None:
            return open_already
        scores = ScoresWindow(parent, session)
        scores.frame_wanted.connect(
            lambda key, row, column: session.visit.visit(key, scores.letter, row, column)
        )
        return scores
    if name == "keys":
        from segstudio.ui.dialogs.keys import KeysDialog

        return KeysDialog(parent)
    if name == "check":
        from segstudio.ui.dialogs.check import CheckDialog

        return CheckDialog(parent, session)
    if name == "palette":
        from segstudio.ui.dialogs.palette import PaletteDialog

        return PaletteDialog(parent, menus)
    if name == "adopt":
        from segstudio.ui.dialogs.adopt import AdoptDialog

        return AdoptDialog(parent, session)
    if name == "about":
        from segstudio.ui.dialogs.about import AboutDialog

        return AboutDialog(parent)
    raise ValueError(f"there is no dialog {name!r}")
