"""The page that shows what a weights file holds, and makes a model of it."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QFrame,
    QGridLayout,
    QLineEdit,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from segstudio.core.catalogue import ModelCard, NetFacts
from segstudio.core.classes import ClassMap
from segstudio.errors import SegStudioError
from segstudio.store.class_sets import class_set_names, load_class_set
from segstudio.ui import words
from segstudio.ui.bridge.background import Background, Job
from segstudio.ui.dialogs.model_account import account
from segstudio.ui.dialogs.model_details import TITLES, OneLine, text
from segstudio.ui.dialogs.model_work import importing, inspecting
from segstudio.ui.panels.parts import Dot, Picker, Spinner, button, label, row, rule, set_tone
from segstudio.ui.panels.swatches import Swatches
from segstudio.ui.theme import UNIT
from segstudio.ui.zoo import ONNX

FILE_SET = "*"
"""The class set that the file itself suggests."""


class ImportPage(QWidget):
    """Signals:
    imported(object): the ModelCard of a finished import.
    left(): the person goes back without one.
    """

    imported = Signal(object)
    left = Signal()

    def __init__(self, background: Background, unseen: Callable[[object], None]) -> None:
        """unseen: gets the ModelCard of an import that ends when nobody looks any more."""
        super().__init__()
        self._background, self._unseen = background, unseen
        self._job: Job | None = None
        self._file = Path()
        self._net = ""
        self._nets: tuple[NetFacts, ...] = ()
        self._inspection: Any = None
        self._suggested: ClassMap | None = None
        self._title = label(look="hero")
        self._title.setTextFormat(Qt.TextFormat.PlainText)
        self._title.setWordWrap(True)
        self._where = OneLine("")
        set_tone(self._where, "faint")
        self._spinner, self._state = Spinner(), text("")
        self._dot = Dot()
        self._net_picker = Picker("The network that the weights are for", self._pick_net)
        self._account = QVBoxLayout()
        self._account.setSpacing(4)
        self._form = _Form(self._show_button)
        self._error = text("", tone="bad")
        self._import = button("Import", "primary", self.run_import)
        self._back = button("Back", "", self.leave)
        self._build()

    def _build(self) -> None:
        inside = QWidget()
        inside.setProperty("look", "panel")
        inside.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        box = QVBoxLayout(inside)
        box.setContentsMargins(3 * UNIT, 2 * UNIT, 3 * UNIT, 2 * UNIT)
        box.setSpacing(UNIT)
        box.addWidget(self._title)
        box.addWidget(self._where)
        marks = QWidget()
        marks.setFixedWidth(14)
        marks.setLayout(row(self._spinner, self._dot, spacing=0))
        state = row(marks, self._state)
        state.setAlignment(marks, Qt.AlignmentFlag.AlignTop)
        state.setStretch(1, 1)
        box.addLayout(state)
        net = QGridLayout()
        net.setHorizontalSpacing(2 * UNIT)
        net.setColumnMinimumWidth(0, TITLES)
        net.setColumnStretch(1, 1)
        net.addWidget(label("Network", tone="muted"), 0, 0)
        net.addWidget(self._net_picker, 0, 1)
        box.addLayout(net)
        box.addLayout(self._account)
        box.addWidget(self._form)
        box.addStretch(1)
        area = QScrollArea()
        area.setWidget(inside)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(area, 1)
        whole.addWidget(rule())
        foot = row(self._error, self._back, self._import)
        foot.setStretch(0, 1)
        foot.setContentsMargins(3 * UNIT, UNIT + 4, 3 * UNIT, UNIT + 4)
        whole.addLayout(foot)

    # --- looking into the file

    def show_nets(self, nets: Sequence[NetFacts]) -> None:
        """What can be picked as the network."""
        self._nets = tuple(nets)
        self._fill_nets()

    def open(self, file: Path, net: str = "") -> None:
        """Look into another file. net: registry name, "" to let the file tell."""
        self.stop()
        self._file, self._net, self._inspection = file, net, None
        self._title.setText(f"Import {file.name}")
        self._where.setText(str(file.parent))
        self._where.setToolTip(str(file))
        self._clear_account()
        self._form.hide()
        self._form.forget()
        self._say("Looking into the file…", "")
        self._fill_nets()
        self._show_button()
        self._job = self._background.run(
            inspecting(file, net), success=self._show, failure=self._fail, name="inspect"
        )

    def stop(self) -> None:
        """Nobody waits for it any more."""
        if self._job is not None:
            self._job.token.cancel()
            self._job = None

    def leave(self) -> None:
        """Back to the list."""
        self.stop()
        self.left.emit()

    @property
    def is_ready(self) -> bool:
        """The file was looked into and fits."""
        return self._inspection is not None and self._inspection.fit.is_whole

    @property
    def message(self) -> str:
        """What the page says about the file, and what went wrong."""
        return f"{self._state.text()} {self._error.text()}".strip()

    @property
    def form(self) -> "_Form":
        """Name, class set and licence."""
        return self._form

    def _pick_net(self, name: object) -> None:
        if str(name) != self._net:
            self.open(self._file, str(name))

    def _fill_nets(self) -> None:
        found = self._inspection
        told = found.spec.name if found is not None else self._net
        title = found.spec.title if found is not None else told
        entries: list[tuple[object, str]] = [("", "As the file tells")]
        entries += [(n.name, n.title) for n in self._nets]
        if told and told not in [value for value, _ in entries]:
            entries.append((told, title))
        self._net_picker.fill(entries, told)

    def _show(self, answer: tuple[Any, str, ClassMap]) -> None:
        self._job = None
        self._inspection, name, self._suggested = answer
        found = self._inspection
        self._fill_nets()
        fits = found.fit.is_whole
        classes = words.counted(found.num_classes, "class", "classes")
        head = f"{found.dialect_title} wrote it, for {found.spec.title} with {classes}."
        verdict = "Every tensor has its place." if fits else "It does not fit this network."
        if found.spec.name == ONNX:
            head, verdict = f"An ONNX file that tells {classes} apart;", "it is run as it is."
        self._say(f"{head} {verdict}", "good" if fits else "bad")
        for part in account(found):
            self._account.addWidget(part)
        self._form.setVisible(fits)
        if fits:
            keeps = found.spec.name == ONNX
            self._form.begin(name, self._suggested, found.class_names, keeps_head=keeps)
        self._show_button()

    def _fail(self, error: Exception) -> None:
        self._job = None
        self._say(_without_options(error), "bad")
        self._show_button()

    def _say(self, sentence: str, tone: str) -> None:
        self._state.setText(sentence)
        self._spinner.setVisible(not tone)
        self._dot.setVisible(bool(tone))
        self._dot.set_tone(tone or "faint")
        self._error.setText("")

    def _clear_account(self) -> None:
        while self._account.count():
            item = self._account.takeAt(0)
            widget = None if item is None else item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()

    # --- making a model of it

    def _show_button(self) -> None:
        can = self.is_ready and self._job is None and not self._form.problem
        self._import.setEnabled(can)
        self._import.setToolTip(self._form.problem if self.is_ready else "")
        self._import.setText("Import with a new classifier" if self._form.is_rehead else "Import")

    def run_import(self) -> None:
        """Write the model folder in the background."""
        if not self._import.isEnabled():
            return
        self._error.setText("")
        self._spinner.show()
        self._dot.hide()
        self._state.setText("Writing the model and loading it once…")
        self._form.setEnabled(False)
        self._job = self._background.run(
            importing(self._inspection, self._form.options()),
            success=self._done,
            failure=self._fail_import,
            discard=self._unseen,
            name="import-weights",
        )
        self._show_button()

    def _done(self, card: ModelCard) -> None:
        self._job = None
        self._form.setEnabled(True)
        self.imported.emit(card)

    def _fail_import(self, error: Exception) -> None:
        self._job = None
        self._form.setEnabled(True)
        self._say("The model was not imported.", "bad")
        self._error.setText(_without_options(error))
        self._show_button()

    def hideEvent(self, event: QEvent) -> None:
        self.stop()


class _Form(QWidget):
    """What a person decides. `changed` is called when the button may look different."""

    def __init__(self, changed: Callable[[], None]) -> None:
        super().__init__()
        self._changed = changed
        self._suggested: ClassMap | None = None
        self._chosen: ClassMap | None = None
        self._trouble = ""
        self._keeps_head = False
        self.name = QLineEdit()
        self.name.setMaxLength(64)
        self.name.textChanged.connect(lambda _: changed())
        self.licence = QLineEdit()
        self.licence.setPlaceholderText("What the author of the weights says")
        self.sets = Picker("What the output channels mean", self.pick_set)
        self.rehead = QCheckBox("Start a new classifier for these classes")
        self.rehead.toggled.connect(lambda _: self._follow())
        self._note = text("", tone="warn", look="small")
        self._swatches = Swatches()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(2 * UNIT)
        grid.setVerticalSpacing(UNIT)
        grid.setColumnMinimumWidth(0, TITLES)
        grid.setColumnStretch(1, 1)
        grid.addWidget(rule(), 0, 0, 1, 2)
        fields = (("Name", self.name), ("Licence", self.licence), ("Classes", self.sets))
        for line, (title, widget) in enumerate(fields, start=1):
            grid.addWidget(label(title, tone="muted"), line, 0)
            grid.addWidget(widget, line, 1)
        for line, widget in enumerate((self.rehead, self._note, self._swatches), start=4):
            grid.addWidget(widget, line, 1)

    @property
    def is_rehead(self) -> bool:
        """A new classifier is wanted."""
        return self.rehead.isVisibleTo(self) and self.rehead.isChecked()

    @property
    def problem(self) -> str:
        """Why it cannot be imported like this; "" when it can."""
        if not self.name.text().strip():
            return "Give the model a name."
        if self._trouble:
            return self._trouble
        if self._differs and not self.is_rehead:
            other = "" if self._keeps_head else ", or start a new classifier"
            return f"The class set has another size: choose another{other}."
        return ""

    @property
    def _differs(self) -> bool:
        return (
            self._suggested is not None
            and self._chosen is not None
            and len(self._chosen) != len(self._suggested)
        )

    def forget(self) -> None:
        """Another file: nothing of the last one stays."""
        self._suggested, self._chosen, self._trouble = None, None, ""
        self.licence.clear()
        self.rehead.setChecked(False)

    def begin(
        self, name: str, suggested: ClassMap, names: Sequence[str], *, keeps_head: bool
    ) -> None:
        """names: what the file calls its channels. keeps_head: it cannot get a new classifier."""
        self._keeps_head = keeps_head
        self._suggested, self._chosen, self._trouble = suggested, suggested, ""
        self.name.setText(name)
        source = "as the file tells" if names else "usual for such files"
        title = f"{suggested.name} · {len(suggested)} · {source}"
        if suggested.name.endswith(" classes"):
            title = f"{len(suggested)} numbered classes"
        entries: list[tuple[object, str]] = [(FILE_SET, title)]
        for one in class_set_names():
            try:
                count = len(load_class_set(one))
            except SegStudioError:  # a broken file is no reason to offer nothing
                continue
            entries.append((one, f"{one} · {count}"))
        self.sets.fill(entries, FILE_SET)
        self.rehead.setChecked(False)
        self._follow()

    def pick_set(self, name: object) -> None:
        """FILE_SET or the name of a shipped set."""
        self._trouble = ""
        try:
            self._chosen = self._suggested if name == FILE_SET else load_class_set(str(name))
        except SegStudioError as error:
            self._trouble = str(error)
        self.sets.setCurrentIndex(self.sets.findData(name))
        self._follow()

    def options(self) -> dict[str, Any]:
        """Fields of engine.importing.ImportOptions."""
        return {
            "name": self.name.text().strip(),
            "classes": self._chosen,
            "rehead": self.is_rehead,
            "licence": self.licence.text().strip(),
        }

    def _follow(self) -> None:
        if self._chosen is not None:
            self._swatches.show_classes(self._chosen)
        self.rehead.setVisible(self._differs and not self._keeps_head)
        self._note.setVisible(self._differs or bool(self._trouble))
        self._note.setText(self._trouble or self._why())
        self._changed()

    def _why(self) -> str:
        if not self._differs or self._chosen is None or self._suggested is None:
            return ""
        there, here = len(self._suggested), len(self._chosen)
        if self.is_rehead:
            return (
                "The last layer starts from random numbers, except for classes that both sets"
                " name: fine-tune the model before you trust it."
            )
        return f"The weights answer for {there} classes and this set has {here}."


def _without_options(error: Exception) -> str:
    """The sentence without names of command line options, which nobody can type here."""
    return re.sub(r" (?:with )?\(?--[a-z-]+\)?", "", str(error))
