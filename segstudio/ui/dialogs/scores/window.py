"""The scores window: classes, confusion, frames; over confirmed frames, or over drafts by name.

It blocks nothing and follows the scoreboard; only the page that is seen is made anew.
"""

from collections.abc import Collection, Sequence

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QDialog, QStackedWidget, QVBoxLayout, QWidget

from segstudio.core.metrics import Convention
from segstudio.ui.comparing.wording import compared_frames, no_reference, own_only, unmeasured
from segstudio.ui.dialogs.scores.classes_view import ClassesPage
from segstudio.ui.dialogs.scores.confusion_view import ConfusionPage
from segstudio.ui.dialogs.scores.frames_list import FramesTable
from segstudio.ui.dialogs.scores.source import Graded, ScoreSource
from segstudio.ui.panels.parts import Elided, Picker, Segments, label, row, rule, set_tone
from segstudio.ui.panels.scores import confirm_key, fill_conventions, show_convention
from segstudio.ui.session import Session
from segstudio.ui.theme import UNIT

SIZE = (1080, 760)
TABS = (
    ("classes", "Classes", "Figures of each class"),
    ("confusion", "Confusion", "Which class was taken for which"),
    ("frames", "Frames", "Frames by their own figure, the worst first"),
)
POPULATIONS = (
    (
        "confirmed",
        "Confirmed frames",
        "Frames that a human confirmed whole: these are scores.\n"
        "A model's own drafts, hardly changed, are left out of its figures",
    ),
    ("drafts", "Drafts", "Labels that nobody confirmed: agreement with them is no score"),
)
NO_DRAFT = "No frame has unconfirmed labels that a model was run on."
NO_MODEL = "Choose a model, and its figures are shown here."


class ScoresWindow(QDialog):
    """Keeps which page, population and model are looked at; everything else is the session's.

    Signals:
        frame_wanted(object, object, object): FrameKey to go to, and row and column of the matrix
            whose pixels are meant; None twice for the frame as a whole.
    """

    frame_wanted = Signal(object, object, object)

    def __init__(self, parent: QWidget | None, session: Session, *, tab: str = "classes") -> None:
        super().__init__(parent)
        self.tab = tab
        self._source = ScoreSource(session, self)
        self._is_reference = True
        self._letter = ""
        self.setWindowTitle("Scores")
        self.setModal(False)
        screen = self.screen().availableGeometry()
        self.resize(min(SIZE[0], screen.width() - 80), min(SIZE[1], screen.height() - 80))
        self.setMinimumSize(860, 520)
        self._tabs = Segments(TABS, self.show_tab)
        self._population = Segments(POPULATIONS, self._populate)
        self._convention = Picker("Convention", self._pick_convention)
        self._convention.setMinimumContentsLength(16)
        fill_conventions(self._convention)
        self._model = Picker("Model", self._pick_model)
        self._model.setMinimumContentsLength(18)
        self._note = Elided(look="small", tone="muted")
        self._nothing = label(tone="muted")
        self._nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._nothing.setWordWrap(True)
        self._nothing.setContentsMargins(6 * UNIT, 0, 6 * UNIT, 0)
        self._classes = ClassesPage(self._source, session)
        self._confusion = ConfusionPage(self._source)
        self._frames = FramesTable(self._source.title_of)
        self._pages = QStackedWidget()
        for page in (self._classes, self._confusion, self._frames, self._nothing):
            self._pages.addWidget(page)
        self._build()
        self._classes.class_wanted.connect(self._show_class)
        self._confusion.frame_wanted.connect(self.frame_wanted)
        self._frames.frame_wanted.connect(self.frame_wanted)
        self._source.changed.connect(self._follow)
        self.show_tab(tab)

    def _build(self) -> None:
        head = QVBoxLayout()
        head.setContentsMargins(3 * UNIT, 2 * UNIT, 3 * UNIT, UNIT + 4)
        head.setSpacing(UNIT)
        head.addLayout(row(self._tabs, 1, self._model))
        second = row(self._population, self._convention, self._note)
        second.setStretch(2, 1)
        head.addLayout(second)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(rule())
        column.addWidget(self._pages, 1)

    @property
    def letter(self) -> str:
        """Of the model whose confusion and frames are shown."""
        return self._letter

    # --- what people choose

    def show_tab(self, tab: str) -> None:
        """ "classes", "confusion" or "frames"."""
        self.tab = tab
        self._tabs.show_value(tab)
        self.show_scores()

    def _populate(self, which: str) -> None:
        self._is_reference = which == "confirmed"
        self.show_scores()

    def _pick_convention(self, value: object) -> None:
        self._source.set_convention(Convention(str(value)))
        self.show_scores()

    def _pick_model(self, value: object) -> None:
        self._letter = str(value)
        self.show_scores()

    @Slot(str, int)
    def _show_class(self, letter: str, matrix_row: int) -> None:
        """Where did the pixels of that class go?"""
        self._letter = letter
        self.show_tab("confusion")
        self._confusion.choose(self._confusion.worst_of(matrix_row))

    # --- what is shown

    @Slot()
    def _follow(self) -> None:
        if self.isVisible():
            self.show_scores()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.show_scores()

    @Slot()
    def show_scores(self) -> None:
        """The page that is seen, with the figures of now."""
        source, is_reference = self._source, self._is_reference
        graded = source.graded
        if graded and self._letter not in [one.letter for one in graded]:
            self._letter = graded[0].letter
        frames = {g.letter: source.tally(g.letter).frames(reference=is_reference) for g in graded}
        self._show_choices(graded)
        text, is_warning = compared_frames(
            {letter: {f.key for f in some} for letter, some in frames.items()},
            {g.letter: {f.key for f in source.tally(g.letter).own()} for g in graded},
            is_reference=is_reference,
        )
        self._note.show_text(text)
        set_tone(self._note, "warn" if is_warning else "muted")
        why = self._why_nothing({letter for letter, some in frames.items() if some})
        self._nothing.setText(why)
        page = self._nothing if why else self._page
        self._pages.setCurrentWidget(page)
        if page is self._classes:
            counts = {letter: len(some) for letter, some in frames.items()}
            self._classes.show_scores(graded, counts, is_reference=is_reference)
        elif page is self._confusion:
            self._confusion.show_scores(self._letter, is_reference=is_reference)
        elif page is self._frames:
            self._frames.show_frames(
                self._letter, frames[self._letter],
                model=next(g.name for g in graded if g.letter == self._letter),
                titles=source.titles, is_reference=is_reference,
            )  # fmt: skip

    @property
    def _page(self) -> QWidget:
        """Of the tab."""
        pages = {"classes": self._classes, "confusion": self._confusion, "frames": self._frames}
        return pages[self.tab]

    def _show_choices(self, graded: Sequence[Graded]) -> None:
        self._population.show_value("confirmed" if self._is_reference else "drafts")
        show_convention(self._convention, self._source.convention)
        entries: list[tuple[object, str]] = [(g.letter, f"{g.letter} · {g.title}") for g in graded]
        self._model.fill(entries, self._letter)
        self._model.setVisible(self.tab != "classes" and bool(graded))

    def _why_nothing(self, having: Collection[str]) -> str:
        """A sentence for a page that would be empty; "" when there is something to show.

        having: letters of models with figures.
        """
        if not self._source.graded:
            return NO_MODEL
        if self._letter in having or (having and self.tab == "classes"):
            return ""
        if not self._is_reference:
            return NO_DRAFT
        waiting = self._source.waiting(self._letter)
        if self._source.tally(self._letter).own():
            return own_only(waiting)
        return unmeasured([self._letter]) if having else no_reference(confirm_key(), waiting)
