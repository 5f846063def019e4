"""The bar above the panes: how models are compared, which two, and one more model."""

from dataclasses import replace

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QCheckBox, QFrame, QHBoxLayout, QMenu

from segstudio.ui.comparing.panes import LABELS, LETTERS, Look
from segstudio.ui.icons import IconButton
from segstudio.ui.panels.parts import Picker, Segments, button, label
from segstudio.ui.session import Session
from segstudio.ui.theme import UNIT

HEIGHT = 44

MODES = (
    ("side", "Side by side", "Every model in a pane of its own"),
    ("swipe", "Swipe", "Two models in one picture; drag the line between them"),
    ("difference", "Difference", "Where two models differ, coloured by the pair of classes (\\)"),
    ("agreement", "Agreement", "Where the models do not all say the same, by how many agree"),
)

COLOURS = (
    ("classes", "Classes", "What the models say"),
    ("errors", "Errors", "Where they are right and wrong, against the labels of this frame"),
)


class CompareBar(QFrame):
    """Hidden while nothing is compared."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.setProperty("look", "top")
        self.setFixedHeight(HEIGHT)
        self._modes = Segments(MODES, lambda mode: self._look(mode=mode))
        self._colours = Segments(COLOURS, lambda colours: self._look(colours=colours))
        self._class = Picker("Whose hits and errors", lambda v: self._look(error_class=v))
        self._class.setMinimumWidth(124)
        self._left = Picker("The first of the two", lambda v: self._pair(0, v))
        self._right = Picker(
            "The second of the two; hold Tab to see it", lambda v: self._pair(1, v)
        )
        for picker in (self._left, self._right):
            picker.setMinimumWidth(120)
            picker.setMaximumWidth(260)
        self._labels = QCheckBox("Labels")
        self._labels.setToolTip("A pane for the labels, in which strokes are seen")
        self._labels.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._labels.toggled.connect(lambda on: self._look(shows_labels=on))
        self._and = label("and", tone="muted")
        self._note = label(look="small", tone="muted")
        self._add = button("Add model", run=self._offer)
        self._close = IconButton("close", "Stop comparing (T)")
        self._close.clicked.connect(lambda _=False: session.comparison.turn_off())
        box = QHBoxLayout(self)
        box.setContentsMargins(UNIT, 0, UNIT, 0)
        box.setSpacing(UNIT)
        for choice in (self._modes, self._colours):
            choice.setFixedHeight(32)
            box.addWidget(choice)
        box.addWidget(self._class)
        box.addWidget(self._labels)
        box.addWidget(self._left, 2)
        box.addWidget(self._and)
        box.addWidget(self._right, 2)
        box.addWidget(self._note, 1)
        box.addWidget(self._add)
        box.addWidget(self._close)
        session.comparison.changed.connect(self.follow)
        session.editor.projects.changed.connect(self.follow)
        session.editor.document_changed.connect(self.follow)
        self.follow()

    @Slot()
    def follow(self) -> None:
        """Other models, another look."""
        comparison = self._session.comparison
        self.setVisible(comparison.is_on)
        if not comparison.is_on:
            return
        look = comparison.look
        is_pair = look.mode in ("swipe", "difference")
        has_errors = look.mode in ("side", "swipe")
        self._modes.show_value(look.mode)
        self._colours.show_value(look.colours)
        self._colours.setVisible(has_errors)
        self._labels.setVisible(look.mode == "side")
        self._labels.blockSignals(True)
        self._labels.setChecked(look.shows_labels)
        self._labels.blockSignals(False)
        self._class.setVisible(has_errors and look.colours == "errors")
        classes: list[tuple[object, str]] = [(None, "All classes")]
        classes += [(c.id, c.name) for c in self._session.editor.classes.classes]
        self._class.fill(classes, look.error_class)
        members = [(m, comparison.title(m)) for m in (*comparison.letters, LABELS)]
        for picker, member in zip((self._left, self._right), look.pair, strict=True):
            picker.fill(members, member)
        for part in (self._left, self._and, self._right):
            part.setVisible(is_pair)
        self._add.setVisible(len(comparison.letters) < len(LETTERS))
        self._note.setText(self._said(look))

    def _said(self, look: Look) -> str:
        """Why there is nothing to see."""
        session = self._session
        if look.colours == "errors" and look.mode in ("side", "swipe"):
            if session.player.playing.is_playing:
                return "Frames without labels show none."
            if session.scores.reference() is None:
                return "This frame has no labels yet."
            standing = session.scores.standing()
            if standing is not None and not standing.is_reference:
                return "Against labels that nobody confirmed yet."
        return ""

    def _look(self, **changes: object) -> None:
        comparison = self._session.comparison
        comparison.set_look(replace(comparison.look, **changes))  # type: ignore[arg-type]  # its fields
        self.follow()

    def _pair(self, place: int, member: object) -> None:
        comparison = self._session.comparison
        pair = list(comparison.look.pair)
        if pair[1 - place] == member:
            pair.reverse()
        pair[place] = str(member)
        comparison.set_look(replace(comparison.look, pair=(pair[0], pair[1])))

    def _offer(self) -> None:
        menu = QMenu(self)
        for card in self._session.models.cards:
            menu.addAction(card.title).triggered.connect(
                lambda _=False, card=card: self._session.comparison.add(card)
            )
        menu.popup(self._add.mapToGlobal(self._add.rect().bottomLeft()))
