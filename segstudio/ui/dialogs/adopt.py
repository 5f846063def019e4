"""Adopt everywhere: a sentence with gaps to fill, how many pixels it is about, and where."""

from dataclasses import replace

import numpy as np
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QDialog, QGridLayout, QVBoxLayout, QWidget

from segstudio.core.classes import VOID
from segstudio.ui.comparing.adopting import ANY, Everywhere, answers_of, apply, place_of
from segstudio.ui.comparing.panes import LABELS
from segstudio.ui.panels.parts import Picker, button, label, row
from segstudio.ui.panels.swatches import swatch_icon
from segstudio.ui.session import Session
from segstudio.ui.theme import UNIT
from segstudio.ui.tools.preview import NOTHING, Preview, color_of

MIXED = (94, 160, 255)
"""The tint of what is taken when it is of several classes."""


class AdoptDialog(QDialog):
    """Shows over the picture what would change, and changes it when it is accepted."""

    def __init__(self, parent: QWidget, session: Session) -> None:
        super().__init__(parent)
        self.setWindowTitle("Adopt Everywhere")
        session.player.pause()
        self._session, self._editor = session, session.editor
        self._answers = answers_of(session.editor)
        self._rule = self._first_rule()
        self._model = Picker("The model whose class is taken", lambda v: self._set(model=v))
        self._says = Picker("What it says", lambda v: self._set(says=v))
        self._other = Picker("Whom it is held against", lambda v: self._set(other=v))
        self._other_says = Picker("What that says", lambda v: self._set(other_says=v))
        self._scope = Picker("Where", lambda v: self._set(is_selected=v))
        self._take, self._count = label(), label(look="figure")
        self._note = label(look="small", tone="muted")
        self._note.setWordWrap(True)
        self._ok = button("Adopt", "primary", self.accept)
        self._ok.setDefault(True)
        cancel = button("Cancel", run=self.reject)
        cancel.setAutoDefault(False)
        column = QVBoxLayout(self)
        column.setContentsMargins(*[2 * UNIT + 4] * 4)
        column.setSpacing(2 * UNIT)
        column.addLayout(self._sentence())
        column.addWidget(self._count)
        column.addWidget(self._note)
        column.addLayout(row(1, cancel, self._ok))
        self.setMinimumWidth(460)
        self._refresh()

    def _sentence(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(UNIT)
        grid.setVerticalSpacing(UNIT)
        lines = (
            ("Where", self._model, "says", self._says),
            ("and", self._other, "says", self._other_says),
        )
        for number, (first, who, second, what) in enumerate(lines):
            grid.addWidget(label(first, tone="muted"), number, 0)
            grid.addWidget(who, number, 1)
            grid.addWidget(label(second, tone="muted"), number, 2)
            grid.addWidget(what, number, 3)
        grid.addWidget(self._take, 2, 0, 1, 2)
        grid.addWidget(label("in", tone="muted"), 2, 2)
        grid.addWidget(self._scope, 2, 3)
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(3, 1)
        return grid

    def _first_rule(self) -> Everywhere:
        """The second model (or the only one), and what would change most of the labels."""
        letters, editor = list(self._answers), self._editor
        model = letters[min(1, len(letters) - 1)] if letters else ""
        other = letters[0] if len(letters) > 1 else LABELS
        says = other_says = None
        if model:
            from segstudio.core.differing import difference

            mine, labels = self._answers[model], editor.labels
            theirs = labels if other == LABELS else self._answers[other]
            theirs = np.where(
                labels == mine, mine, theirs
            )  # what is taken already is no difference
            pairs = difference(theirs, mine, editor.classes).pairs
            other_says, says = pairs[0][:2] if pairs else (None, None)
        return Everywhere(model, says, other, other_says, editor.selection is not None)

    def _set(self, **changes: object) -> None:
        rule = replace(self._rule, **changes)  # type: ignore[arg-type]  # values of the pickers
        if rule.other == rule.model:
            rest = [letter for letter in self._answers if letter != rule.model]
            rule = replace(rule, other=rest[0] if rest else LABELS)
        self._rule = rule
        self._refresh()

    def _refresh(self) -> None:
        """Fill the gaps, count, and show where."""
        rule, editor = self._rule, self._editor
        self._fill()
        self._ok.setEnabled(False)
        if not self._answers:
            self._count.setText("No model has said anything about this frame yet.")
            return
        area = place_of(rule, self._answers, editor.labels, editor.selection)
        mine = self._answers[rule.model][area.rect.slices]
        changed = int(np.count_nonzero(area.mask & (mine != editor.labels[area.rect.slices])))
        pixels, (height, width) = int(np.count_nonzero(area.mask)), editor.shape
        share = 100 * pixels / max(1, height * width)
        self._count.setText(
            f"{pixels:,} pixels ({share:.1f} % of the frame), {changed:,} get another class"
            if pixels
            else "No pixel is like that."
        )
        options = editor.options
        is_ruled = bool(options.locked) or options.rule != "everything"
        self._note.setText("Locked classes and the paint-over rule keep their pixels.")
        self._note.setVisible(is_ruled)
        self._ok.setEnabled(pixels > 0)
        color = MIXED if rule.says is None else color_of(editor.classes, rule.says)
        editor.show(Preview(area=area, color=color, has_border=True) if pixels else NOTHING)

    def _fill(self) -> None:
        rule, editor = self._rule, self._editor
        title = self._session.comparison.title
        models = [(letter, title(letter)) for letter in self._answers]
        others = [entry for entry in models if entry[0] != rule.model]
        if len(others) > 1:
            others.append((ANY, "any other model"))
        others.append((LABELS, "the labels"))
        self._model.fill(models, rule.model)
        self._other.fill(others, rule.other)
        known = [(c.id, c.name) for c in editor.classes.classes]
        known.append((VOID, "void"))
        self._says.fill([(None, "anything"), *known], rule.says)
        self._other_says.fill([(None, "something else"), *known], rule.other_says)
        for picker in (self._says, self._other_says):
            for number, (class_id, _) in enumerate(known, start=1):
                if class_id != VOID:
                    picker.setItemIcon(number, swatch_icon(color_of(editor.classes, class_id)))
        scopes: list[tuple[object, str]] = [(False, "this frame")]
        if editor.selection is not None:
            scopes.insert(0, (True, "the selection"))
        self._scope.fill(scopes, rule.is_selected)
        self._take.setText(f"take the class of {rule.model}")

    def accept(self) -> None:
        """One step of undo."""
        self._editor.show(NOTHING)
        apply(self._editor, self._rule)
        super().accept()

    def reject(self) -> None:
        """Nothing changes."""
        self._editor.show(NOTHING)
        super().reject()

    def closeEvent(self, event: QCloseEvent) -> None:
        self._editor.show(NOTHING)
        super().closeEvent(event)
