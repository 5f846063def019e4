"""The start page: what to do when nothing is open."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from segstudio.ui import icons
from segstudio.ui.panels.parts import button, label, row
from segstudio.ui.session import Session
from segstudio.ui.theme import UNIT

SHOWN = 5
"""How many recent files fit without pushing the rest away."""


class StartPage(QWidget):
    """Open, the demo drive, and what was open lately."""

    def __init__(self, session: Session, ask_files: Callable[[], None]) -> None:
        super().__init__()
        self._session = session
        self.setProperty("look", "backdrop")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        page = QVBoxLayout(self)
        page.setContentsMargins(4 * UNIT, 4 * UNIT, 4 * UNIT, 4 * UNIT)
        page.addStretch(3)
        picture = QLabel()
        picture.setPixmap(icons.window_icon().pixmap(QSize(72, 72), self.devicePixelRatioF()))
        title = label("Watch a model see the road", look="hero")
        text = label("Drop a dashcam video, a picture or a folder of pictures here.", tone="muted")
        for part in (picture, title, text):
            part.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            page.addWidget(part)
        page.insertSpacing(2, UNIT)
        page.addSpacing(2 * UNIT)
        first = button("Open…", "primary", ask_files)
        demo = button("Try the demo drive", "", session.open_demo)
        page.addLayout(row(1, first, demo, 1))
        page.addSpacing(3 * UNIT)
        self._recent = QVBoxLayout()
        self._recent.setSpacing(2)
        page.addLayout(self._recent)
        page.addStretch(4)
        session.settings_changed.connect(self._follow)
        self.show_recent()

    @Slot(object)
    def _follow(self, keys: frozenset[str]) -> None:
        if "recent" in keys:
            self.show_recent()

    def show_recent(self) -> None:
        """The newest files first."""
        while (item := self._recent.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.deleteLater()
        paths = self._session.settings.recent[:SHOWN]
        if not paths:
            return
        head = label("Recent", look="section")
        self._recent.addWidget(head, 0, Qt.AlignmentFlag.AlignHCenter)
        for text in paths:
            path = Path(text)
            one = button(path.name, "link", partial(self._session.open, [path]))
            one.setToolTip(text)
            one.setCursor(Qt.CursorShape.PointingHandCursor)
            self._recent.addWidget(one, 0, Qt.AlignmentFlag.AlignHCenter)
