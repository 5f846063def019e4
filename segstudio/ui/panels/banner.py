"""Notices over the picture: what is being opened, what went wrong and what to do about it.

Never modal: the picture below stays, and everything goes on.
"""

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QProgressBar, QVBoxLayout, QWidget

from segstudio.ui import icons, theme
from segstudio.ui.icons import IconButton
from segstudio.ui.notices import Notice
from segstudio.ui.panels.parts import Spinner, button, label, row
from segstudio.ui.session import Session
from segstudio.ui.theme import UNIT

STAY_MS = 6000
"""A piece of good news goes by itself; everything else stays until it is dismissed."""

MOST = 3
"""More than this many at once help nobody: the oldest goes."""

WIDTH = 560

HEADER = 36
"""Of a pane that stands beside others: pixels down."""


class NoticeBox(QFrame):
    """One notice: a sentence, details on request, a cross."""

    def __init__(self, notice: Notice) -> None:
        super().__init__()
        self.notice = notice
        self.setProperty("look", "notice")
        drawing, tone = {
            "error": ("alert", "bad"),
            "warning": ("alert", "warn"),
            "info": ("check", "good"),
            "hint": ("info", "muted"),
        }[notice.kind]
        mark = QLabel()
        color = getattr(theme.current(), tone)
        mark.setPixmap(icons.pixmap(drawing, color, 18, self.devicePixelRatioF()))
        text = label(notice.text)
        text.setWordWrap(True)
        text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        cross = IconButton("close", "Dismiss")
        cross.clicked.connect(lambda _=False: self.deleteLater())
        middle = QVBoxLayout()
        middle.setSpacing(4)
        middle.addWidget(text)
        if notice.detail:
            detail = label(notice.detail, look="small", tone="muted")
            detail.setWordWrap(True)
            detail.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            detail.hide()
            more = button("Show details", "link")
            more.clicked.connect(detail.show)
            more.clicked.connect(more.hide)
            middle.addWidget(more, 0, Qt.AlignmentFlag.AlignLeft)
            middle.addWidget(detail)
        box = QHBoxLayout(self)
        box.setContentsMargins(UNIT + 4, UNIT, UNIT, UNIT)
        box.setSpacing(UNIT)
        box.addWidget(mark, 0, Qt.AlignmentFlag.AlignTop)
        box.addLayout(middle, 1)
        box.addWidget(cross, 0, Qt.AlignmentFlag.AlignTop)
        box.setAlignment(mark, Qt.AlignmentFlag.AlignVCenter)


class OpeningBox(QFrame):
    """What is being opened, how far it is, and a way out."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.setProperty("look", "notice")
        self._text = label()
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setRange(0, 1000)
        cancel = button("Cancel", "", session.cancel_opening)
        box = QVBoxLayout(self)
        box.setContentsMargins(UNIT + 4, UNIT, UNIT, UNIT)
        box.setSpacing(UNIT)
        self._spinner = Spinner()
        line = row(self._spinner, self._text, cancel)
        line.setStretch(1, 1)
        box.addLayout(line)
        box.addWidget(self._bar)

    def show_opening(self) -> None:
        """Follow the session."""
        opening = self._session.opening
        if opening is None:
            self.hide()
            return
        what = opening.text or f"Opening {opening.title}"
        known = opening.fraction >= 0
        self._text.setText(f"{what} · {round(100 * opening.fraction)} %" if known else f"{what}…")
        self._bar.setVisible(known)
        self._bar.setValue(round(1000 * max(0.0, opening.fraction)))
        self.show()


class Banner(QWidget):
    """Floats over the top of `parent`, as high as its notices; empty, it is not there.

    bar: what it stays below, with the heads of the panes under it, while that is there.
    """

    def __init__(self, session: Session, parent: QWidget, bar: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bar = bar
        self._session = session
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(UNIT)
        self._opening = OpeningBox(session)
        self._opening.hide()
        self._box.addWidget(self._opening)
        self._wait = QTimer(self)  # what opens at once needs no notice
        self._wait.setSingleShot(True)
        self._wait.setInterval(150)
        self._wait.timeout.connect(self._show_opening)
        self._soon = QTimer(self, singleShot=True, interval=0)
        self._soon.timeout.connect(self._place)
        session.noticed.connect(self.show_notice)
        session.opening_changed.connect(self._follow_opening)
        session.player.source_changed.connect(self._drop_errors_of_old)
        session.models.wanted.connect(self._drop_notices_of_other_models)
        self._source_id = ""
        parent.installEventFilter(self)
        if bar is not None:
            bar.installEventFilter(self)
        self._place()

    @property
    def notices(self) -> list[Notice]:
        """What is on show, oldest first."""
        return [box.notice for box in self._boxes()]

    @Slot(object)
    def show_notice(self, notice: Notice) -> None:
        """Put a notice on show; the same one is not shown twice."""
        for old in self._boxes():
            if old.notice == notice:
                return
        for old in self._boxes():
            if notice.kind == old.notice.kind == "hint":  # only the newest matters
                self._remove(old)
        for old in self._boxes()[: -(MOST - 1)]:
            self._remove(old)
        box = NoticeBox(notice)
        self._box.addWidget(box)
        box.show()  # a widget that is still hidden takes no room in the layout
        # The layout lets go of what is destroyed a moment later.
        box.destroyed.connect(self._place_soon)
        if notice.kind in ("info", "hint"):
            QTimer.singleShot(STAY_MS, box, box.deleteLater)
        self._place()

    @Slot()
    def _place_soon(self) -> None:
        self._soon.start()

    def _boxes(self) -> list[NoticeBox]:
        found = []
        for i in range(self._box.count()):
            item = self._box.itemAt(i)
            widget = item.widget() if item is not None else None
            if isinstance(widget, NoticeBox):
                found.append(widget)
        return found

    def _remove(self, box: NoticeBox) -> None:
        self._box.removeWidget(box)
        box.deleteLater()

    @Slot()
    def _drop_errors_of_old(self) -> None:
        """Another source is open: what was wrong with the last one is over."""
        info = self._session.info
        source_id = "" if info is None else info.id
        if source_id != self._source_id:
            self._source_id = source_id
            for box in self._boxes():
                self._remove(box)
            self._place()

    @Slot()
    def _drop_notices_of_other_models(self) -> None:
        chosen = self._session.models.chosen
        name = "" if chosen is None else chosen.name
        for box in self._boxes():
            if box.notice.model not in ("", name):
                self._remove(box)
        self._place()

    @Slot()
    def _follow_opening(self) -> None:
        if self._session.opening is None:
            self._wait.stop()
            self._show_opening()
        elif self._opening.isVisible():
            self._show_opening()
        elif not self._wait.isActive():
            self._wait.start()

    @Slot()
    def _show_opening(self) -> None:
        self._opening.show_opening()
        self._place()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Resize, QEvent.Type.Show, QEvent.Type.Hide):
            self._place()
        return False

    @Slot()
    def _place(self) -> None:
        parent = self.parentWidget()
        if parent is None:
            return
        shown = bool(self._boxes()) or self._session.opening is not None
        self.setVisible(shown)
        if not shown:
            return
        width = min(WIDTH, parent.width() - 4 * UNIT)
        self.setFixedWidth(max(120, width))
        self._box.activate()
        self.adjustSize()
        self.resize(self.width(), self._box.heightForWidth(self.width())
                    if self._box.hasHeightForWidth() else self.sizeHint().height())  # fmt: skip
        self.move((parent.width() - self.width()) // 2, self._top(parent))
        self.raise_()

    def _top(self, parent: QWidget) -> int:
        """The first row of `parent` that may be covered."""
        bar = self._bar
        if bar is None or bar.isHidden() or not parent.isAncestorOf(bar):
            return 2 * UNIT
        return bar.mapTo(parent, bar.rect().bottomLeft()).y() + HEADER + 2 * UNIT
