"""The bar above the panes: how models are compared, which two, and one more model."""

from dataclasses import replace

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QCheckBox, QFrame, QHBoxLayout, QMenu, QSizePolicy, QWidget

from segstudio.ui.comparing.panes import LABELS, LETTERS, Look
from segstudio.ui.icons import IconButton
from segstudio.ui.panels.parts import Elided, Picker, Segments, button, label
from segstudio.ui.session import Session
from segstudio.ui.theme import UNIT

HEIGHT = 44
LEAST = 376
"""Pixels across of the shortest form."""

WIDTHS, TIGHT = (128, 120, 128, 120, 120), (80, 76, 76, 60, 60)
"""Least pixels across of the lists (mode, colours, class, one, other), and where it is tight."""

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
    """Hidden while nothing is compared. What there is no room for gets shorter, in two steps."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._level = -1
        self.setProperty("look", "top")
        self.setFixedHeight(HEIGHT)
        self._modes = Segments(MODES, lambda mode: self._look(mode=mode))
        self._mode = Picker("How models are compared", lambda mode: self._look(mode=mode))
        self._mode.fill([(value, title) for value, title, _ in MODES], None)
        for line, (_, _, tip) in enumerate(MODES):
            self._mode.setItemData(line, tip, Qt.ItemDataRole.ToolTipRole)
        self._colours = Segments(COLOURS, lambda colours: self._look(colours=colours))
        self._class = Picker("Whose hits and errors", lambda v: self._look(error_class=v))
        self._colour = Picker("Classes, or hits and errors", self._pick_colours)
        self._left = Picker("The first of the two", lambda v: self._pair(0, v))
        self._right = Picker(
            "The second of the two; hold Tab to see it", lambda v: self._pair(1, v)
        )
        for picker in (self._left, self._right):
            picker.setMaximumWidth(260)
        about_labels = "A pane for the labels, in which strokes are seen"
        self._labels = QCheckBox("Labels")
        self._labels.setToolTip(about_labels)
        self._labels.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._labels.toggled.connect(lambda on: self._look(shows_labels=on))
        self._labels_icon = IconButton("layers", f"Labels\n{about_labels}")
        self._labels_icon.setCheckable(True)
        self._labels_icon.clicked.connect(lambda on: self._look(shows_labels=on))
        self._and = label("and", tone="muted")
        self._note = Elided(look="small", tone="muted")
        self._add = button("Add model", run=self._offer)
        self._add_icon = IconButton("plus", "Add model")
        self._add_icon.clicked.connect(lambda _=False: self._offer())
        self._close = IconButton("close", "Stop comparing (T)")
        self._close.clicked.connect(lambda _=False: session.comparison.turn_off())
        self._lay_out()
        session.comparison.changed.connect(self.follow)
        session.editor.projects.changed.connect(self.follow)
        session.editor.document_changed.connect(self.follow)
        self.follow()

    def _lay_out(self) -> None:
        self._pickers = (self._mode, self._colour, self._class, self._left, self._right)
        for choice in (self._modes, self._colours):
            choice.setFixedHeight(32)
            choice.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self._box = QHBoxLayout(self)
        self._parts: tuple[QWidget, ...] = (
            self._modes, self._mode, self._colours, self._colour, self._class, self._labels,
            self._labels_icon, self._left, self._and, self._right, self._add, self._add_icon,
            self._close,
        )  # fmt: skip
        for part in self._parts:
            if part is self._add:
                self._box.addWidget(self._note, 1)
                self._box.addStretch(0)
            self._box.addWidget(part, 2 if part in (self._left, self._right) else 0)

    def minimumSizeHint(self) -> QSize:
        """Of the shortest form; the bar itself is never a reason for a wide window."""
        return QSize(LEAST, HEIGHT)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    @Slot()
    def follow(self) -> None:
        """Other models, another look."""
        comparison = self._session.comparison
        self.setVisible(comparison.is_on)
        if not comparison.is_on:
            return
        look = comparison.look
        self._modes.show_value(look.mode)
        self._mode.setCurrentIndex([value for value, _, _ in MODES].index(look.mode))
        self._colours.show_value(look.colours)
        for box in (self._labels, self._labels_icon):
            box.blockSignals(True)
            box.setChecked(look.shows_labels)
            box.blockSignals(False)
        classes = [(c.id, c.name) for c in self._session.editor.classes.classes]
        self._class.fill([(None, "All classes"), *classes], look.error_class)
        colours: list[tuple[object, str]] = [(("classes", None), "Classes")]
        colours += [(("errors", None), "Errors")]
        colours += [(("errors", number), f"Errors of {name}") for number, name in classes]
        error_class = look.error_class if look.colours == "errors" else None
        self._colour.fill(colours, (look.colours, error_class))
        members = [(m, comparison.title(m)) for m in (*comparison.letters, LABELS)]
        for picker, member in zip((self._left, self._right), look.pair, strict=True):
            picker.fill(members, member)
        self._note.show_text(self._said(look))
        self._fit()

    def _fit(self) -> None:
        """The longest form that there is room for; the note, which the legend has too, if whole."""
        for level in range(3):
            self._show_level(level)
            if self._needed() <= self.width():
                break
        text = self._note.text()
        room = self._note.fontMetrics().horizontalAdvance(text) + UNIT
        self._note.setMinimumWidth(room)
        self._note.setVisible(bool(text) and self._needed() + UNIT + room <= self.width())

    def _show_level(self, level: int) -> None:
        """0: all of it. 1: modes in a list, adding is an icon. 2: every choice is a list."""
        comparison = self._session.comparison
        look = comparison.look
        is_pair = look.mode in ("swipe", "difference")
        has_errors = look.mode in ("side", "swipe")
        has_room = len(comparison.letters) < len(LETTERS)
        has_class = has_errors and look.colours == "errors"
        wanted = (
            (self._modes, level == 0), (self._mode, level > 0),
            (self._colours, has_errors and level < 2), (self._class, has_class and level < 2),
            (self._colour, has_errors and level == 2),
            (self._labels, look.mode == "side" and level < 2),
            (self._labels_icon, look.mode == "side" and level == 2),
            (self._left, is_pair), (self._right, is_pair), (self._and, is_pair and level < 2),
            (self._add, has_room and level == 0), (self._add_icon, has_room and level > 0),
        )  # fmt: skip
        for part, is_wanted in wanted:
            part.setVisible(is_wanted)
        if level != self._level:
            self._level = level
            self._tighten(is_tight=level == 2)

    def _tighten(self, *, is_tight: bool) -> None:
        gap = UNIT // 2 if is_tight else UNIT
        self._box.setSpacing(gap)
        self._box.setContentsMargins(gap, 0, gap, 0)
        for picker, width in zip(self._pickers, TIGHT if is_tight else WIDTHS, strict=True):
            picker.setMinimumWidth(width)
            picker.setProperty("look", "tight" if is_tight else "")
            picker.style().unpolish(picker)
            picker.style().polish(picker)

    def _needed(self) -> int:
        """Pixels across below which something of what is shown would be cut."""
        shown = [part for part in self._parts if not part.isHidden()]
        widths = [
            part.minimumWidth() if isinstance(part, Picker) else part.sizeHint().width()
            for part in shown
        ]
        margins = self._box.contentsMargins()
        # One gap more than there are parts: the stretch before the last ones has its own.
        return sum(widths) + len(shown) * self._box.spacing() + margins.left() + margins.right()

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

    def _pick_colours(self, value: object) -> None:
        if isinstance(value, tuple):
            self._look(colours=value[0], error_class=value[1])

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
        at = self._add if self._add.isVisible() else self._add_icon
        menu.popup(at.mapToGlobal(at.rect().bottomLeft()))
