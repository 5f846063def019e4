"""The class set editor: change the classes of a project, and read before what becomes of labels.

Nothing happens to the project until Apply. Every change is an edit of `core.class_edits`; undo
takes the last one back.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QColorDialog,
    QDialog,
    QFrame,
    QHBoxLayout,
    QInputDialog,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from segstudio.core.class_edits import (
    Add,
    Edit,
    Exchange,
    MakeSafe,
    Merge,
    Recolor,
    Remove,
    Rename,
    Reorder,
    SetKey,
    Usage,
)
from segstudio.core.class_mapping import ClassMapping, from_ids
from segstudio.core.classes import ClassMap
from segstudio.errors import SegStudioError
from segstudio.store.class_sets import (
    find_mapping,
    list_class_sets,
    load_class_set,
    save_class_set,
)
from segstudio.ui.dialogs.class_set_draft import ClassSetDraft
from segstudio.ui.dialogs.class_set_list import ClassList
from segstudio.ui.dialogs.class_set_menus import key_menu, merge_menu
from segstudio.ui.panels.parts import Picker, button, label, row, rule, set_tone
from segstudio.ui.theme import UNIT

SIZE = (760, 700)
TOOLS = 148
"""Width of the buttons on the right."""

TITLES = 20
"""Height of the line above the list."""

TOLD = 72
"""Height of what is told; more of it scrolls."""

Apply = Callable[[ClassMap, ClassMapping | None], object]


class ClassSetDialog(QDialog):
    """Edits a copy; `apply` gets the new set, and the mapping of labels or None when they stay.

    usage: counts what is labelled with the classes given; None when that is not known.
    `outcome` is what Apply would hand over now, with the sentences that are shown.
    """

    def __init__(
        self,
        classes: ClassMap,
        usage: Callable[[], Usage] | None,
        apply: Apply,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._draft, self._apply = ClassSetDraft(classes, usage), apply
        self._warned_of = 0
        self.setWindowTitle("Classes")
        self.resize(*SIZE)
        self.setMinimumSize(640, 600)
        self._list = ClassList()
        self._start = Picker("Start from another class set", self._start_from)
        self._start.setMinimumContentsLength(28)
        self._account = label()
        self._trouble = label(tone="bad")
        for text in (self._account, self._trouble):
            text.setTextFormat(Qt.TextFormat.PlainText)
            text.setWordWrap(True)
        self._make_buttons()
        self._build()
        self._connect()
        self._show(self._draft.ids[:1])
        self._list.setFocus()

    # --- what is on it

    def _button(self, text: str, run: Callable[[], object]) -> QPushButton:
        """One that takes the name being typed first, and that Enter in the list does not press."""

        def finish_and_run() -> None:
            typed = self._list.finish()
            if typed is not None:
                self._do(Rename(*typed), [typed[0]])
                if self._trouble.text():
                    return
            run()

        made = button(text, "", finish_and_run)
        made.setAutoDefault(False)
        return made

    def _make_buttons(self) -> None:
        self._add = self._button("Add class", self._add_class)
        self._rename = self._button("Rename", self._rename_class)
        self._color = self._button("Colour…", lambda: self._ask_color(self._list.current_id))
        self._merge = self._button("Merge into…", self._ask_merge)
        self._remove = self._button("Remove", self._remove_classes)
        self._up = self._button("Up", lambda: self._move(-1))
        self._down = self._button("Down", lambda: self._move(1))
        self._safe = self._button("Colour-blind safe", self._make_safe)
        self._undo = self._button("Undo", self.undo)
        self._save = self._button("Save as own set…", self._ask_name)
        self._cancel = self._button("Cancel", self.reject)
        self._ok = self._button("Apply", self.accept)
        self._ok.setProperty("look", "primary")
        for one in (self._save, self._safe):
            one.setMinimumWidth(TOOLS)
        self._add.setToolTip("A new class at the end")
        self._merge.setToolTip("The labels of the selected classes become those of another one")
        self._remove.setToolTip("The labels of the selected classes become void (Delete)")
        self._up.setToolTip("Alt+Up; classes are numbered in this order, and labels follow")
        self._down.setToolTip("Alt+Down; classes are numbered in this order, and labels follow")
        self._safe.setToolTip("Colours that people who see fewer of them can tell apart")
        self._save.setToolTip("Keep these classes for other projects")
        self._undo.setToolTip("Take the last change back (Ctrl+Z)")

    def _build(self) -> None:
        head = row(label("Start from", tone="muted"), self._start, 1, self._save)
        head.setContentsMargins(3 * UNIT, 2 * UNIT, 3 * UNIT, UNIT + 4)
        tools = QVBoxLayout()
        tools.setSpacing(UNIT)
        tools.addSpacing(TITLES)
        for group in ((self._add, self._rename, self._color), (self._merge, self._remove)):
            for one in group:
                tools.addWidget(one)
            tools.addSpacing(UNIT)
        tools.addLayout(row(self._up, self._down))
        tools.addSpacing(UNIT)
        tools.addWidget(self._safe)
        tools.addStretch(1)
        middle = QHBoxLayout()
        middle.setContentsMargins(3 * UNIT, 0, 3 * UNIT, 2 * UNIT)
        middle.setSpacing(2 * UNIT)
        middle.addLayout(self._listed(), 1)
        middle.addLayout(tools)
        foot = row(self._undo, self._trouble, self._cancel, self._ok)
        foot.setStretch(1, 1)
        foot.setContentsMargins(3 * UNIT, UNIT + 4, 3 * UNIT, UNIT + 4)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addLayout(head)
        whole.addLayout(middle, 1)
        whole.addLayout(self._told())
        whole.addWidget(rule())
        whole.addLayout(foot)

    def _listed(self) -> QVBoxLayout:
        """The list below the titles of its columns."""
        names = [label(t, look="small", tone="faint") for t in ("Key", "Class", "Labelled", "Id")]
        titles = row(names[0], names[1], 1, names[2], names[3], spacing=0)
        titles.insertSpacing(1, 17)
        titles.insertSpacing(5, 32)
        titles.setContentsMargins(13, 0, 22, 0)
        box = QVBoxLayout()
        box.setSpacing(4)
        box.addLayout(titles)
        box.addWidget(self._list, 1)
        return box

    def _told(self) -> QVBoxLayout:
        """The card that says what Apply will do."""
        card = QFrame()
        card.setProperty("look", "card")
        inside = QVBoxLayout(card)
        inside.setContentsMargins(2 * UNIT, UNIT + 4, 2 * UNIT, UNIT + 4)
        inside.setSpacing(4)
        inside.addWidget(label("When you apply", look="section"))
        area = QScrollArea()
        area.setWidget(self._account)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setFixedHeight(TOLD)
        area.viewport().setAutoFillBackground(False)
        area.setStyleSheet("background: transparent;")
        self._account.setAlignment(Qt.AlignmentFlag.AlignTop)
        inside.addWidget(area)
        box = QVBoxLayout()
        box.setContentsMargins(3 * UNIT, 0, 3 * UNIT, 2 * UNIT)
        box.addWidget(card)
        return box

    def _connect(self) -> None:
        self._list.selection_changed.connect(self._show_buttons)
        self._list.renamed.connect(lambda i, name: self._do(Rename(i, name), [i]))
        self._list.color_asked.connect(self._ask_color)
        self._list.key_asked.connect(self._ask_key)
        self._list.key_pressed.connect(self._set_key)
        self._list.removal_asked.connect(self._remove_classes)
        self._list.move_asked.connect(self._move)
        QShortcut(QKeySequence(QKeySequence.StandardKey.Undo), self, self.undo)

    # --- what is shown

    @property
    def classes(self) -> ClassMap:
        """The set as it is now."""
        return self._draft.classes

    @property
    def outcome(self) -> tuple[ClassMap, ClassMapping | None, str]:
        """The new set, the mapping of labels (None: they stay), and what happens, in sentences."""
        return self.classes, self._draft.mapping, self._draft.account.text

    def _show(self, select: Sequence[int]) -> None:
        self._list.show_classes(self.classes, self._draft.pixels(), select)
        told = self._draft.account
        self._account.setText("\n".join(told.sentences) or told.text)
        set_tone(self._account, "warn" if told.is_lossy else "muted")
        self._start.fill([(entry.name, entry.title) for entry in list_class_sets()], None)
        self._start.setPlaceholderText(f"This set: {self.classes.name}")
        self._show_buttons()

    def _show_buttons(self) -> None:
        selected, ids = self._list.selected, self._draft.ids
        self._rename.setEnabled(len(selected) == 1)
        self._color.setEnabled(len(selected) == 1)
        self._merge.setEnabled(bool(selected) and len(ids) > 1)
        self._remove.setEnabled(0 < len(selected) < len(ids))
        self._up.setEnabled(self._draft.moved(selected, -1) != ids)
        self._down.setEnabled(self._draft.moved(selected, 1) != ids)
        self._undo.setEnabled(self._draft.edits > 0)
        self._ok.setEnabled(self._draft.edits > 0)

    # --- edits

    def _do(self, edit: Edit, select: Sequence[int] | None = None) -> bool:
        """One more edit. select: ids after it; None keeps what is selected."""
        try:
            has_changed = self._draft.do(edit)
        except SegStudioError as error:
            self._say(str(error))
            return False
        self._say("")
        if has_changed:
            self._show(self._list.selected if select is None else select)
        return has_changed

    def undo(self) -> None:
        """Take the last edit back."""
        if self._draft.undo():
            self._say("")
            self._show(self._list.selected or self._draft.ids[:1])

    def _say(self, trouble: str) -> None:
        self._trouble.setText(trouble)
        self._warned_of = 0

    def _add_class(self) -> None:
        if self._do(Add(self._draft.new_name())):
            self._list.rename(self._draft.ids[-1])

    def _rename_class(self) -> None:
        if self._list.current_id is not None:
            self._list.rename(self._list.current_id)

    def _ask_color(self, class_id: int | None) -> None:
        known = None if class_id is None else self.classes.by_id(class_id)
        if known is None:
            return
        dialog = QColorDialog(QColor(*known.color), self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setWindowTitle(f"Colour of {known.name}")
        dialog.colorSelected.connect(lambda color: self._recolor(known.id, color))
        dialog.open()

    def _recolor(self, class_id: int, color: QColor) -> None:
        self._do(Recolor(class_id, (color.red(), color.green(), color.blue())))

    def _make_safe(self) -> None:
        if not self._do(MakeSafe()):
            self._say("These colours are as far apart as the safe ones; nothing was changed.")

    def _ask_key(self, class_id: int, place: QPoint) -> None:
        menu = key_menu(self, self.classes, class_id)
        menu.triggered.connect(lambda action: self._set_key(action.data(), class_id))
        menu.popup(place)

    def _set_key(self, digit: int, class_id: int | None = None) -> None:
        """digit: 0 for none."""
        chosen = self._list.current_id if class_id is None else class_id
        has = {i: key for key, i in self.classes.keys().items()}
        if chosen is not None and has.get(chosen, 0) != digit:
            self._do(SetKey(chosen, digit or None), [chosen])

    def _ask_merge(self) -> None:
        """A menu of the classes that may take in the selected ones."""
        gone = self._list.selected
        menu = merge_menu(self, self.classes, gone)
        menu.triggered.connect(
            lambda action: self._do(Merge(tuple(gone), action.data()), [action.data()])
        )
        menu.popup(self._merge.mapToGlobal(self._merge.rect().bottomLeft()))

    def _remove_classes(self) -> None:
        gone = self._list.selected
        if gone:
            self._do(Remove(tuple(gone)), self._draft.left_after(gone))

    def _move(self, step: int) -> None:
        """The selected classes one place up or down; the set is numbered anew."""
        selected = self._list.selected
        order = self._draft.moved(selected, step)
        if order != self._draft.ids:
            places = [place for place, i in enumerate(order) if i in selected]
            self._do(Reorder(tuple(order)), places)

    # --- sets

    def _start_from(self, name: object) -> None:
        try:
            chosen = load_class_set(str(name))
        except SegStudioError as error:
            self._say(str(error))
            return
        edit = Exchange(chosen, find_mapping(self.classes, chosen))
        self._do(edit, [chosen.classes[0].id])
        self._start.setCurrentIndex(-1)

    def _ask_name(self) -> None:
        dialog = QInputDialog(self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setWindowTitle("Save as Own Set")
        dialog.setLabelText("Name of the class set:")
        dialog.setTextValue(self.classes.name)
        dialog.textValueSelected.connect(self._save_as)
        dialog.resize(360, dialog.sizeHint().height())
        dialog.open()

    def _save_as(self, name: str) -> None:
        """Own sets are replaced only by what was made of them."""
        named = replace(self.classes, name=name.strip())
        is_own = any(e.is_own and e.name == named.name for e in list_class_sets())
        try:
            save_class_set(named, replacing=is_own and named.name == self.classes.name)
        except SegStudioError as error:
            self._say(str(error))
            return
        if named.name != self.classes.name:
            same = {c.id: c.id for c in named.classes}
            self._do(Exchange(named, from_ids(self.classes.name, named.name, same)))
        else:
            self._show(self._list.selected)

    # --- the end

    def accept(self) -> None:
        """Hand the set over; stay when the project does not take it."""
        classes, mapping, _ = self.outcome
        try:
            self._apply(classes, mapping)
        except SegStudioError as error:
            self._say(str(error))
            return
        super().accept()

    def reject(self) -> None:
        """Esc and Cancel: with changes at stake only when said twice."""
        count = self._draft.edits
        if count and self._warned_of != count:
            self._say(
                f"{count} {'change is' if count == 1 else 'changes are'} not applied; cancel once"
                " more to discard."
            )
            self._warned_of = count
            return
        super().reject()
