"""What next: frames, regions and doubtful labels worth correcting, best first. A part at the right.

There while people want it; empty, it says what a look would bring, and has the button for it.
"""

from PySide6.QtCore import Slot
from PySide6.QtGui import QResizeEvent, QShowEvent

from segstudio.ui.correcting.thumbnails import Thumbnails
from segstudio.ui.dialogs.keys import native
from segstudio.ui.icons import IconButton
from segstudio.ui.panels.parts import Section, Segments, button, label, row
from segstudio.ui.panels.suggestion_rows import SuggestionList, SuggestionModel
from segstudio.ui.session import Session
from segstudio.ui.suggesting.search import Kind
from segstudio.ui.suggesting.suggesting import WHAT, Entry, Suggesting
from segstudio.ui.theme import UNIT, tabular
from segstudio.ui.words import counted

SHOWN = 3.4
"""Rows that are seen without scrolling; the last one in part, so that it is seen that there are
more."""

KINDS = (
    ("frames", "Frames", "Whole frames: unsure, disputed, flickering or with rare classes"),
    ("regions", "Regions", "Places in these frames where two classes come into question"),
    ("errors", "Labels", "What people labelled and the model contradicts, where it is sure"),
)

PROMISES: dict[Kind, str] = {
    "frames": "The model looks through the clip for {s:.0f} seconds and says which frames are worth"
    " correcting, and why.",
    "regions": "The model looks through the clip for {s:.0f} seconds and says where it is torn"
    " between two classes.",
    "errors": "The model looks at what people labelled and says where it is sure of another class.",
}


class SuggestionsPanel(Section):
    """Listens to `session.suggesting`; hidden while nobody wants it."""

    def __init__(self, session: Session) -> None:
        close = IconButton("close", f"Close ({native('F6')})")
        super().__init__("What next", close)
        self._session = session
        self._suggesting: Suggesting = session.suggesting
        close.clicked.connect(lambda _=False: self._suggesting.show(on=False))
        self._kinds = Segments(KINDS, self._pick)
        self._pictures = Thumbnails(session, session.editor, session.frames, self)
        self._model = SuggestionModel(self._pictures.of)
        self._list = SuggestionList(self._model, self._go)
        self._words = label(tone="muted")
        self._words.setWordWrap(True)
        self._rest = label(look="small", tone="faint")
        self._rest.setFont(tabular(self._rest.font()))
        self._rest.setWordWrap(True)
        self._button = button("Look", run=self._press)
        self.body.setContentsMargins(UNIT, UNIT + 4, UNIT, 2 * UNIT)
        for part in (self.head, self._words):
            part.setContentsMargins(UNIT, 0, UNIT, 0)
        kinds = row(self._kinds)
        kinds.setContentsMargins(UNIT, 0, UNIT, 0)
        self.body.addLayout(kinds)
        self.body.addWidget(self._list)
        self.body.addWidget(self._words)
        foot = row(self._rest, self._button)
        foot.setStretch(0, 1)
        foot.setContentsMargins(UNIT, 0, UNIT, 0)
        self.body.addLayout(foot)
        self._pictures.arrived.connect(self._model.renew)
        self._suggesting.changed.connect(self.follow)
        session.player.source_changed.connect(self.follow)
        session.models.changed.connect(self.follow)
        session.shown_changed.connect(self._keep_shown)
        self.follow()

    # --- what is shown

    @Slot()
    def follow(self) -> None:
        """Another list, or how far the look is."""
        suggesting, info = self._suggesting, self._session.info
        self.setVisible(suggesting.is_on)
        if not suggesting.is_on:
            return
        entries = suggesting.entries
        self._kinds.show_value(suggesting.kind)
        size = (0, 0) if info is None else (info.height, info.width)
        self._model.show_entries(entries, size)
        self._list.setVisible(bool(entries))
        self._fit()
        self._list.mark(suggesting.current)
        words = self._sentence(len(entries))
        self._words.setText(words)
        self._words.setVisible(bool(words))
        self._rest.setText(self._far())
        self._show_button()

    def _sentence(self, count: int) -> str:
        """In place of a list, or what is wrong with it; "" when the list says enough."""
        suggesting = self._suggesting
        if suggesting.trouble:
            return suggesting.trouble
        if count:
            return ""
        if suggesting.run is not None:
            return ""
        seen, what = suggesting.seen, WHAT[suggesting.kind]
        if seen is None or (not seen.frames and not seen.is_whole):
            return suggesting.why_not() or PROMISES[suggesting.kind].format(s=suggesting.budget_s)
        if suggesting.listed:
            return f"Every {what} of the list is dealt with."
        if not seen.frames:
            return "Nothing was looked at: all of it is confirmed already."
        where = counted(seen.frames, "frame")
        if suggesting.kind == "errors":
            return f"No label stands out as wrong in {where}."
        return (
            f"No {what} stands out: the model is sure of {where}, or they are like corrected ones."
        )

    def _far(self) -> str:
        """How much was looked at, how much is dealt with."""
        suggesting = self._suggesting
        run, seen = suggesting.run, suggesting.seen
        if run is not None:
            return f"Looking: {run.done} of {run.total} frames" if run.total else "Looking …"
        if seen is None or not seen.frames:
            return ""
        done = suggesting.listed - len(suggesting.entries)
        text = f"{counted(seen.frames, 'frame')} looked at"
        return f"{text} · {done} of {suggesting.listed} done" if done else text

    def _show_button(self) -> None:
        suggesting = self._suggesting
        seen, why = suggesting.seen, suggesting.why_not()
        text, tip = "Look", "Look through the clip"
        if suggesting.run is not None:
            text, tip = "Stop", "What was seen so far is ranked"
        elif seen is not None and not seen.is_whole:
            text, tip = "Look at More", f"{suggesting.budget_s:.0f} more seconds, other frames"
        elif seen is not None:
            text, tip = "Look Again", "Rank again, with what was corrected since"
        self._button.setText(text)
        self._button.setToolTip(why or tip)
        self._button.setEnabled(not why or suggesting.run is not None)

    def _fit(self) -> None:
        """As high as a few rows."""
        self._list.setFixedHeight(max(1, self._list.height_of(SHOWN)))

    # --- what people choose

    def _pick(self, kind: str) -> None:
        self._kinds.show_value(kind)
        self._suggesting.set_kind(kind)  # type: ignore[arg-type]  # one of KINDS

    def _go(self, entry: Entry) -> None:
        self._suggesting.go(entry)

    def _press(self) -> None:
        if self._suggesting.run is not None:
            self._suggesting.cancel()
        else:
            self._suggesting.look()

    # --- Qt

    @Slot()
    def _keep_shown(self) -> None:
        if self.isVisible():
            self._pictures.keep_shown()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.follow()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()
