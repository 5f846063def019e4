"""The page with the table of classes: which models are in it, copying and saving it."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import Signal, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from segstudio.atomic import atomic_write
from segstudio.core.categories import Categories
from segstudio.core.classes import ClassMap
from segstudio.ui.dialogs import ask
from segstudio.ui.dialogs.scores.class_lines import Measured, as_text, categories_of, lines_of
from segstudio.ui.dialogs.scores.classes_table import ClassesTable
from segstudio.ui.dialogs.scores.source import Graded, ScoreSource
from segstudio.ui.panels.parts import Elided, button, row, rule
from segstudio.ui.session import Session
from segstudio.ui.theme import UNIT

HOW_TO = "In percent, the best of each class in bold. Double-click a class to see where it went."


class Toggles(QFrame):
    """A small button for each model: whether its columns are there. One of them always is."""

    def __init__(self, changed: Callable[[], None]) -> None:
        super().__init__()
        self.setProperty("look", "segments")
        self._box = QHBoxLayout(self)
        self._box.setContentsMargins(2, 2, 2, 2)
        self._box.setSpacing(2)
        self._buttons: dict[str, QPushButton] = {}
        self._changed = changed

    def show_models(self, graded: Sequence[Graded]) -> None:
        """Hidden while there is nothing to choose."""
        self.setVisible(len(graded) > 1)
        wanted = {one.letter: one.title for one in graded}
        for letter in [name for name in self._buttons if name not in wanted]:
            gone = self._buttons.pop(letter)
            self._box.removeWidget(gone)
            gone.deleteLater()
        for letter, title in wanted.items():
            if letter not in self._buttons:
                made = button(letter, "segment", partial(self._toggle, letter))
                made.setCheckable(True)
                made.setChecked(True)
                self._box.addWidget(made)
                self._buttons[letter] = made
            self._buttons[letter].setToolTip(f"Show or hide {title}")
        if self._buttons and not any(one.isChecked() for one in self._buttons.values()):
            next(iter(self._buttons.values())).setChecked(True)

    def is_on(self, letter: str) -> bool:
        """Whether the columns of that model are wanted."""
        return letter not in self._buttons or self._buttons[letter].isChecked()

    def _toggle(self, letter: str) -> None:
        if not any(one.isChecked() for one in self._buttons.values()):
            self._buttons[letter].setChecked(True)
        self._changed()


class ClassesPage(QWidget):
    """Shows what it is told to.

    Signals:
        class_wanted(str, int): letter and matrix row: where did the pixels of this class go?
    """

    class_wanted = Signal(str, int)

    def __init__(self, source: ScoreSource, session: Session) -> None:
        super().__init__()
        self._source, self._session = source, session
        self._is_reference = True
        self._models: tuple[Measured, ...] = ()
        self._known: tuple[ClassMap, Categories | None] | None = None
        self._toggles = Toggles(self._renew)
        self._table = ClassesTable()
        self._table.copy_wanted.connect(self.copy)
        self._table.class_taken.connect(self._take)
        self._copy = button("Copy", "", self.copy)
        self._copy.setToolTip("The table, to be pasted into a spreadsheet (Ctrl+C)")
        self._save = button("Save CSV…", "", self._ask_file)
        hint = Elided(HOW_TO, look="small", tone="muted")
        foot = row(self._toggles, hint, self._copy, self._save)
        foot.setStretch(1, 1)
        foot.setContentsMargins(3 * UNIT, UNIT, 3 * UNIT, UNIT)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._table, 1)
        column.addWidget(rule())
        column.addLayout(foot)

    def show_scores(
        self, graded: Sequence[Graded], frames: Mapping[str, int], *, is_reference: bool
    ) -> None:
        """Of these models, over confirmed frames or over the others. frames: letter → how many."""
        source = self._source
        self._is_reference = is_reference
        found = []
        for one in graded:
            tally = source.tally(one.letter)
            scores = tally.scores(source.convention, reference=is_reference)
            full = tally.full(reference=is_reference)
            own = len(tally.own()) if is_reference else 0
            found.append(Measured(one, scores, full, frames[one.letter], own))
        self._models = tuple(found)
        self._toggles.show_models(graded)
        self._renew()

    def _renew(self) -> None:
        shown = [
            place for place, m in enumerate(self._models) if self._toggles.is_on(m.graded.letter)
        ]
        classes = self._source.classes
        lines = lines_of(classes, self._models, self._categories())
        self._table.show_lines(lines, self._models, shown)

    def _categories(self) -> Categories | None:
        """Read once for each class set."""
        classes = self._source.classes
        if self._known is None or self._known[0] != classes:
            self._known = classes, categories_of(classes)
        return self._known[1]

    # --- what leaves the window

    def text(self, separator: str = ",") -> str:
        """The table as it is sorted now, of the models that are shown."""
        places = [p for p, m in enumerate(self._models) if self._toggles.is_on(m.graded.letter)]
        return as_text(
            self._table.lines, self._models, self._source.convention,
            shown=places, is_reference=self._is_reference, separator=separator,
        )  # fmt: skip

    @Slot()
    def copy(self) -> None:
        """Onto the clipboard, with tabs."""
        QGuiApplication.clipboard().setText(self.text("\t"))

    def save(self, path: Path) -> None:
        """As CSV; spreadsheets know UTF-8 by its mark."""
        content = self.text().encode("utf-8-sig")
        session = self._session
        session.background.run(
            lambda _: atomic_write(path, content),
            success=lambda _: session.tell(f"Saved {path.name}."),
            failure=session.tell_error,
            name="scores-csv",
        )

    def _ask_file(self) -> None:
        recent = self._session.settings.recent
        folder = Path(recent[0]).parent if recent else Path.home()
        ask.save(self, "Save Scores", folder / "scores.csv", self.save)

    @Slot(int, int)
    def _take(self, model: int, matrix_row: int) -> None:
        self.class_wanted.emit(self._models[max(0, model)].graded.letter, matrix_row)
