"""The page that says which frames go where, in the chosen format."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QFrame,
    QLineEdit,
    QProgressBar,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from segstudio.formats.options import Value
from segstudio.ui.bridge.background import Background, Job
from segstudio.ui.dialogs.export.option_form import OptionForm
from segstudio.ui.dialogs.export.rows import titled_rows
from segstudio.ui.dialogs.export.split_row import SplitRow
from segstudio.ui.exchange.exporter import (
    Available,
    ExportOrder,
    FormatFacts,
    Outlook,
    Shares,
    cannot_carry,
)
from segstudio.ui.exchange.places import (
    free_place,
    is_half_done,
    is_in_use,
    trouble_with,
    typed,
    writable,
)
from segstudio.ui.exchange.remembered import Choices
from segstudio.ui.panels.parts import Picker, Segments, button, label, row, set_tone
from segstudio.ui.theme import UNIT
from segstudio.ui.words import counted

SCOPES = (
    ("confirmed", "Confirmed", "Frames that a human confirmed whole"),
    ("human", "Human-painted", "All that a human painted or confirmed; the rest is void"),
    ("labelled", "All labels", "Also drafts of models that nobody checked"),
)
PICTURES = (
    ("copy", "Copied as they are"),
    ("link", "Linked (no space on this disk)"),
    ("png", "As PNG"),
    ("jpg", "As JPEG, quality 95"),
    ("none", "Left out"),
)
HALF_DONE = "An export of this kind was stopped there; Export goes on with it."


class HowPage(QWidget):
    """Signals:
    export_wanted(ExportOrder), cancel_wanted(), place_wanted(Path): let the person choose one.
    close_wanted(): an export that runs goes on.
    """

    export_wanted = Signal(object)
    close_wanted = Signal()
    cancel_wanted = Signal()
    place_wanted = Signal(object)

    def __init__(self, background: Background, divided: Callable[[str, Shares], Outlook]) -> None:
        """divided: (scope, shares) → what comes of it; called in a job."""
        super().__init__()
        self._background = background
        self._telling: Job | None = None
        self._facts: FormatFacts | None = None
        self._what: Available | None = None
        self._scope = "confirmed"
        self._pictures_value = "copy"
        self._chosen: dict[str, dict[str, Value]] = {}
        self._folder, self._stem, self._place_is_own = Path(), "labels", False
        self._is_running = False
        self._title, self._about = label(look="hero"), label(tone="muted")
        self._about.setWordWrap(True)
        self._scopes = Segments(SCOPES, self._pick_scope)
        self._scopes.setAccessibleName("Which frames")
        self._count = label(look="small", tone="muted")
        self._count.setWordWrap(True)
        self.split = SplitRow(background, divided)
        self.split.changed.connect(self._refresh)
        self._pictures = Picker("What becomes of the pictures", self._pick_pictures)
        self._pictures.setMinimumContentsLength(24)
        self._pictures.fill(list(PICTURES), "copy")
        self._form = OptionForm()
        self._form.changed.connect(self._change_option)
        self._place = QLineEdit()
        self._place.setAccessibleName("Folder to export into")
        self._place.textEdited.connect(self._type_place)
        self._browse = button("Browse…", "", self._ask_place)
        self._zip = QCheckBox("As one zip file")
        self._zip.toggled.connect(lambda _: self._name_place())
        self._proof = QCheckBox("Read everything back and compare every pixel")
        self._proof.setChecked(True)
        self._cannot = label(look="small", tone="warn")
        self._cannot.setWordWrap(True)
        self._why = label(tone="warn")
        self._why.setWordWrap(True)
        self._bar = QProgressBar()
        self._bar.setRange(0, 1000)
        self._bar.setTextVisible(False)
        self._bar.setFixedHeight(6)
        self._close = button("Close", "", self.close_wanted.emit)
        self._cancel = button("Stop", "", self.cancel_wanted.emit)
        self._go = button("Export", "primary", self._export)
        self._go.setDefault(True)
        self._build()
        self._refresh()

    def _build(self) -> None:
        place = row(self._place, self._browse)
        place.setStretch(0, 1)
        above = titled_rows(
            ("Frames", row(self._scopes, 1), self._count),
            ("Split", self.split),
            ("Pictures", row(self._pictures, 1)),
        )
        below = titled_rows(("Into", place, self._zip), ("Proof", self._proof))
        inside = QWidget()
        inside.setProperty("look", "panel")
        column = QVBoxLayout(inside)
        column.setContentsMargins(3 * UNIT, 3 * UNIT, 3 * UNIT, 2 * UNIT)
        column.setSpacing(2 * UNIT)
        for widget in (self._title, self._about, self._cannot):
            column.addWidget(widget)
        column.addLayout(above)
        column.addWidget(self._form)
        column.addLayout(below)
        column.addStretch(1)
        area = QScrollArea()
        area.setWidget(inside)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        foot = row(self._close, self._why, self._cancel, self._go)
        foot.setStretch(1, 1)
        foot.setContentsMargins(3 * UNIT, UNIT, 3 * UNIT, 2 * UNIT)
        self._bar.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(area, 1)
        whole.addWidget(self._bar)
        whole.addLayout(foot)

    # --- what it is told

    def show_available(self, what: Available) -> None:
        """Frames that there are; the narrowest scope with frames is chosen."""
        first = self._what is None
        self._what = what
        if first and not what.frames["confirmed"]:
            found = (scope for scope, _, _ in SCOPES if what.frames[scope])
            self._scope = next(found, "confirmed")
        if first and what.clips > 2:
            self.split.choose("clip")
        self._refresh()

    def show_format(self, facts: FormatFacts) -> None:
        """Another format; what was chosen for it before stays."""
        self._facts = facts
        self._title.setText(facts.title)
        self._about.setText(facts.about)
        self._form.show_options(facts.options, self._chosen.get(facts.name, {}))
        self._name_place()

    def show_place(self, folder: Path, stem: str) -> None:
        """Where exports go unless a person says otherwise."""
        self._folder, self._stem = folder, stem
        self._name_place()

    def show_choices(self, choices: Choices) -> None:
        """As the last export was; what cannot be any more stays as it is."""
        self._chosen |= {name: dict(values) for name, values in choices.options.items()}
        if self._what is not None and self._what.frames.get(choices.scope):
            self._scope = choices.scope
        self.split.choose(*choices.split)
        if choices.pictures in dict(PICTURES):
            self._pictures_value = choices.pictures
            self._pictures.fill(list(PICTURES), choices.pictures)
        self._zip.setChecked(choices.zipped)
        self._proof.setChecked(choices.proof)
        folder = typed(choices.folder)
        if folder is not None:
            self._folder = writable(folder, self._folder)
        self._name_place()

    @property
    def choices(self) -> Choices:
        """For the next export."""
        place = typed(self._place.text())
        return Choices(
            "" if self._facts is None else self._facts.name,
            self._chosen,
            self._scope,
            self.split.chosen,
            self._pictures_value,
            self._zip.isChecked(),
            self._proof.isChecked(),
            str(self._folder if place is None else place.parent),
        )

    def choose_place(self, path: Path) -> None:
        """A person's choice: a folder that is in use gets a new one inside it."""
        is_used = is_in_use(path)
        self._place_is_own = not is_used
        if is_used:
            self._folder = path
            self._name_place()
        else:
            self._place.setText(str(path))
            self._refresh()

    def choose_new_place(self) -> None:
        """What was chosen is in use now; a name of our own again."""
        self._place_is_own = False
        self._name_place()

    def show_progress(self, fraction: float, text: str) -> None:
        """An export runs."""
        self._is_running = True
        self._bar.setValue(round(fraction * 1000))
        self._say(text, "muted")
        self._refresh()

    def show_trouble(self, text: str) -> None:
        """It ended badly, or cannot begin."""
        self._is_running = False
        self._refresh()
        self._say(text, "bad")

    def show_stopped(self) -> None:
        """The person stopped it."""
        self._is_running = False
        self._refresh()
        self._say("Stopped. Export again goes on from there.", "muted")

    def show_done(self) -> None:
        """Nothing runs any more."""
        self._is_running = False
        self._refresh()

    # --- what it says

    @property
    def order(self) -> ExportOrder | None:
        """What is chosen; None while that is no export."""
        return None if self._facts is None or self._trouble() else self._ordered(self._facts)

    @property
    def message(self) -> str:
        """What the page says, for tests and for reading aloud."""
        parts = (self._title, self._about, self._cannot, self._count, self._why)
        return " ".join(text for text in (*(p.text() for p in parts), self.split.message) if text)

    @property
    def can_export(self) -> bool:
        """The button can be pressed."""
        return self._go.isEnabled()

    def _ordered(self, facts: FormatFacts) -> ExportOrder:
        place = typed(self._place.text()) or self._folder  # `order` asked whether it is a place
        return ExportOrder(
            facts.name,
            self._form.values,
            self._scope,
            place,
            self.split.shares,
            self._pictures_value,
            zipped=self._zip.isChecked(),
            is_resuming=is_half_done(place),
            is_proven=self._proof.isChecked(),
        )

    def _trouble(self) -> str:
        """Why it cannot begin; "" when it can."""
        if self._facts is None or self._what is None:
            return "Counting the frames…"
        if not self._what.frames[self._scope]:
            if not any(self._what.frames.values()):
                return "Nothing is labelled yet; correct a frame and confirm it."
            return "There are no such frames; confirm some, or choose a wider scope."
        return self.split.trouble or trouble_with(self._place.text())

    def _refresh(self) -> None:
        self._scopes.show_value(self._scope)
        if self._what is not None:
            self.split.show_scope(self._scope)
            frames, clips = self._what.frames[self._scope], self._what.clips
            self._count.setText(f"{counted(frames, 'frame')} of {counted(clips, 'clip')}")
        running = self._is_running
        self._bar.setVisible(running)
        self._cancel.setVisible(running)
        trouble = self._trouble()
        self._go.setEnabled(not trouble and not running)
        if not running:
            place = typed(self._place.text())
            half = HALF_DONE if not trouble and place and is_half_done(place) else ""
            self._say(trouble or half, "warn" if trouble else "muted")

    def _say(self, text: str, tone: str) -> None:
        self._why.setText(text)
        set_tone(self._why, tone)

    def _name_place(self) -> None:
        """A new folder beside the project, unless a person named one."""
        if self._facts is not None and not self._place_is_own:
            base = f"{self._stem}-{self._facts.name.replace('_', '-')}"
            ending = ".zip" if self._zip.isChecked() else ""
            place = free_place(self._folder, base, ending)
            self._place.setText(str(place))
            self._place.setToolTip(str(place))
        self._tell_cannot()
        self._refresh()

    def _tell_cannot(self) -> None:
        """What is lost, found out beside: it reads class sets from the disk."""
        self._forget()
        facts, what = self._facts, self._what
        if facts is None or what is None:
            self._cannot.hide()
            return
        values = self._form.values

        def show(sentences: tuple[str, ...]) -> None:
            self._cannot.setText("\n".join(sentences))
            self._cannot.setVisible(bool(sentences))

        op: Callable[[object], tuple[str, ...]] = lambda _: cannot_carry(  # noqa: E731
            facts.name, what.classes, values
        )
        self._telling = self._background.run(
            op, success=show, failure=lambda _: None, name="cannot"
        )

    def leave(self) -> None:
        """What is still being found out is not wanted any more."""
        self._forget()
        self.split.leave()

    def _forget(self) -> None:
        if self._telling is not None:
            self._telling.token.cancel()
            self._telling = None

    # --- what people do

    def _pick_scope(self, value: str) -> None:
        self._scope = value
        self._refresh()

    def _pick_pictures(self, value: object) -> None:
        self._pictures_value = str(value)

    def _change_option(self) -> None:
        if self._facts is not None:
            self._chosen[self._facts.name] = self._form.values
        self._tell_cannot()

    def _type_place(self, _: str) -> None:
        self._place_is_own = True
        self._refresh()

    def _ask_place(self) -> None:
        self.place_wanted.emit(typed(self._place.text()) or self._folder)

    def _export(self) -> None:
        order = self.order
        if order is not None:
            self.show_progress(0.0, "Beginning…")
            self.export_wanted.emit(order)
