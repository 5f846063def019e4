"""The bar above the picture: what is open on the left, how large it is shown on the right."""

from PySide6.QtCore import Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy

from segstudio.ui.icons import IconButton
from segstudio.ui.panels.parts import label
from segstudio.ui.session import Session
from segstudio.ui.theme import UNIT


class Header(QFrame):
    """Buttons are the same actions as in the menus."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.setProperty("look", "top")
        self.setFixedHeight(40)
        self._title = label(look="title")
        self._title.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._open = IconButton("open", "Open video or pictures (Ctrl+O)")
        self._out = IconButton("zoom-out", "Zoom out (Ctrl+-)")
        self._in = IconButton("zoom-in", "Zoom in (Ctrl++)")
        self._fit = IconButton("fit", "Fit to window (Ctrl+0)")
        self._actual = IconButton("actual-size", "Actual size (Ctrl+1)")
        self._frames = IconButton("film", "Frame list (F8)")
        self._frames.setCheckable(True)
        self._inside = IconButton("inside", "Look inside the model (Shift+I)")
        self._inside.setCheckable(True)
        self._panel = IconButton("panel", "Side panel (F9)")
        self._panel.setCheckable(True)
        box = QHBoxLayout(self)
        box.setContentsMargins(UNIT, 0, UNIT, 0)
        box.setSpacing(2)
        box.addWidget(self._frames)
        box.addWidget(self._open)
        box.addSpacing(UNIT)
        box.addWidget(self._title, 1)
        for widget in (self._out, self._in, self._fit, self._actual, self._inside, self._panel):
            box.addWidget(widget)

    def use_actions(self, actions: dict[str, QAction]) -> None:
        """Connect each button to its command."""
        self._actions = actions
        for widget, name in (
            (self._open, "file.open"),
            (self._out, "view.zoom_out"),
            (self._in, "view.zoom_in"),
            (self._fit, "view.fit"),
            (self._actual, "view.actual"),
            (self._frames, "view.frames"),
            (self._panel, "view.panel"),
            (self._inside, "inside.toggle"),
        ):
            widget.clicked.connect(lambda _=False, name=name: actions[name].trigger())
        self.follow()

    @Slot()
    def follow(self) -> None:
        """What is open, and what can be done with it."""
        info, has_picture = self._session.info, self._session.result is not None
        self._title.setText("" if info is None else info.title)
        self._title.setToolTip("" if info is None else str(info.path))
        for widget in (self._out, self._in, self._fit, self._actual):
            widget.setEnabled(has_picture)
        self._frames.setChecked(self._actions["view.frames"].isChecked())
        self._inside.setEnabled(has_picture)
        self._inside.setChecked(self._actions["inside.toggle"].isChecked())
        self._panel.setChecked(self._actions["view.panel"].isChecked())
