"""The page of a run that goes on: figures, curves, held-out pictures, and what can be asked."""

from collections.abc import Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from segstudio.core.classes import ClassMap
from segstudio.ui import theme
from segstudio.ui.bridge.background import Background
from segstudio.ui.dialogs.training.chart import Chart
from segstudio.ui.dialogs.training.class_toggles import MEAN, ClassToggles
from segstudio.ui.dialogs.training.lines import (
    Color,
    Line,
    iou_scale,
    loss_lines,
    loss_scale,
    rate_scale,
    readable,
    thinned,
)
from segstudio.ui.dialogs.training.pictures import HeldOut
from segstudio.ui.panels.parts import (
    Dot,
    Elided,
    Picker,
    Segments,
    Spinner,
    button,
    label,
    row,
    set_tone,
)
from segstudio.ui.theme import UNIT, tabular
from segstudio.ui.training.plans import duration
from segstudio.ui.training.process import State
from segstudio.ui.training.run_record import RunRecord

FIGURES = ("Step", "Time left", "Samples/s", "Memory", "Best mIoU")

TITLES: Mapping[State, str] = {
    "idle": "No training goes on",
    "starting": "Starting: loading the model",
    "running": "Training",
    "pausing": "Pausing after this step",
    "paused": "Paused",
    "stopping": "Stopping: the last weights are judged once more",
    "cancelling": "Cancelling",
    "ended": "Ended",
}


NO_FIGURES = "No frame is held out, so there are no figures."
FIRST_FIGURES = "Figures appear with the first validation."


class RunningPage(QWidget):
    """Shows what it is told. UI thread only.

    Signals:
        pause_wanted(), resume_wanted(), stop_wanted(), cancel_wanted(): a button was pressed.
        result_wanted(): back to the page of the result.
    """

    pause_wanted = Signal()
    resume_wanted = Signal()
    stop_wanted = Signal()
    cancel_wanted = Signal()
    result_wanted = Signal()

    def __init__(self, background: Background) -> None:
        super().__init__()
        self._record, self._state, self._steps = RunRecord(), "idle", 1
        self._classes: ClassMap | None = None
        self._what, self._set = "loss", ""
        self._spinner, self._dot = Spinner(), Dot()
        self._title = label(look="title")
        self._about = Elided(tone="muted", look="small")
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName("Progress of the training")
        self._figures = {name: _Figure(name) for name in FIGURES}
        self._loss = Chart("Loss and learning rate", "The loss appears after the first 20 steps.")
        self._iou = Chart("IoU on held-out frames", FIRST_FIGURES)
        self._choice = Segments(
            (("loss", "Loss", "Of each batch, and its running average"),
             ("lr", "Learning rate", "How far each step goes")),
            self._choose,
        )  # fmt: skip
        self._sets = Picker("The frames that are judged", self._pick_set)
        self._toggles = ClassToggles()
        self._toggles.setFixedWidth(168)
        self._toggles.changed.connect(self._draw_iou)
        self._pictures = HeldOut(background)
        self._held_title = label("Held-out frames, as the newest weights see them", look="section")
        self._note = label(tone="warn", look="small")
        self._note.setWordWrap(True)
        self._pause = button("Pause", run=self._toggle_pause)
        self._stop = button("Stop and Keep Best", run=self.stop_wanted.emit)
        self._cancel = button("Cancel", run=self.cancel_wanted.emit)
        self._cancel.setToolTip("Ends at once; the run can be resumed from its last checkpoint")
        self._result = button("Show the Result", run=self.result_wanted.emit)
        self._build()
        for one in self.findChildren(QPushButton):
            one.setAutoDefault(False)  # Enter must never end a run
        self._choice.show_value("loss")
        self.show_run(self._record, "idle", 1)

    def _build(self) -> None:
        figures = QGridLayout()
        figures.setHorizontalSpacing(3 * UNIT)
        for number, figure in enumerate(self._figures.values()):
            figures.addWidget(figure, 0, number)
            figures.setColumnStretch(number, 1)
        left = QVBoxLayout()
        left.setSpacing(UNIT)
        left.addLayout(row(self._choice, 1))
        left.addWidget(self._loss, 1)
        right = QVBoxLayout()
        right.setSpacing(UNIT)
        title = label("IoU on held-out frames", look="section")
        title.setMinimumHeight(self._choice.sizeHint().height())  # both charts begin alike
        right.addLayout(row(title, 1, self._sets))
        beside = QHBoxLayout()
        beside.setSpacing(UNIT + 4)
        beside.addWidget(self._iou, 1)
        beside.addWidget(self._toggles)
        right.addLayout(beside, 1)
        charts = QHBoxLayout()
        charts.setSpacing(3 * UNIT)
        charts.addLayout(left, 4)
        charts.addLayout(right, 7)
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * UNIT, 2 * UNIT + 4, 3 * UNIT, 2 * UNIT)
        column.setSpacing(UNIT + 4)
        head = row(self._spinner, self._dot, self._title, self._about)
        head.setStretch(3, 1)
        column.addLayout(head)
        column.addWidget(self._bar)
        column.addLayout(figures)
        column.addSpacing(UNIT // 2)
        column.addLayout(charts, 5)
        column.addWidget(self._held_title)
        column.addWidget(self._pictures, 3)
        column.addWidget(self._note)
        column.addLayout(row(self._cancel, 1, self._pause, self._stop, self._result))

    # --- what is shown

    @property
    def message(self) -> str:
        """What the page says of the run, for tests and for reading aloud."""
        parts = [self._title.text(), self._note.text()]
        parts += [f"{name} {figure.text}" for name, figure in self._figures.items()]
        return " ".join(part for part in parts if part)

    def figure(self, name: str) -> str:
        """One of FIGURES as it is written."""
        return self._figures[name].text

    def show_about(self, text: str, classes: ClassMap) -> None:
        """Which run this is, and what its classes look like."""
        self._about.show_text(text)
        self._classes = classes

    def show_run(self, record: RunRecord, state: State, steps: int, trouble: str = "") -> None:
        """steps: that were asked for. trouble: a sentence about the run's keeping."""
        self._record, self._state, self._steps = record, state, max(1, steps)
        is_busy = state in ("starting", "running", "pausing", "stopping", "cancelling")
        self._spinner.setVisible(is_busy)
        self._dot.setVisible(not is_busy)
        self._dot.set_tone("warn" if state == "paused" else "faint")
        self._title.setText(TITLES[state])
        self._show_judging(is_on=not record.is_unjudged)
        self._show_progress()
        self._show_figures()
        notes = " ".join([*record.setup.notes, *record.notes[-2:], *([trouble] if trouble else [])])
        self._note.setText(notes)
        self._note.setVisible(bool(notes))
        set_tone(self._note, "warn" if record.notes or trouble else "muted")
        self._show_sets()
        self._show_buttons()
        self._draw_loss()
        self._draw_iou()
        if self._classes is not None:
            self._pictures.show_pictures(record.pictures, self._classes)

    def _show_judging(self, *, is_on: bool) -> None:
        """Nothing is promised where no frame will be judged."""
        if not is_on and self._state == "stopping":
            self._title.setText("Stopping: the last weights are kept")
        self._iou.show_waiting(FIRST_FIGURES if is_on else NO_FIGURES)
        for one in (self._held_title, self._pictures):
            one.setVisible(is_on)
        self._toggles.setVisible(is_on)
        self._stop.setText("Stop and Keep Best" if is_on else "Stop and Keep Last")
        kept = "best weights so far become" if is_on else "weights of that step become"
        self._stop.setToolTip(f"Ends after this step; the {kept} the model")

    def _show_progress(self) -> None:
        """The bar, and before the first step which work it is of."""
        what, done, of = self._record.preparing
        if self._state != "starting":
            self._bar.setRange(0, self._steps)
            self._bar.setValue(min(self._record.step, self._steps))
        elif what:
            self._title.setText(f"Starting: {what}, {done:,} of {of:,}")
            self._bar.setRange(0, 1000)
            self._bar.setValue(1000 * min(done, of) // max(1, of))
        else:
            self._bar.setRange(0, 0)

    def _show_figures(self) -> None:
        record, best = self._record, self._record.best
        share = 100 * min(1.0, record.step / self._steps)
        is_going = self._state in ("running", "pausing", "stopping")
        device = record.setup.device
        values = {
            "Step": (f"{record.step:,} of {self._steps:,}", f"{share:.0f} %"),
            "Time left": (duration(record.eta_s) if is_going else "–", ""),
            "Samples/s": (_one(record.samples_per_s) if is_going else "–",
                          f"on {device}, {record.setup.precision}" if device else ""),
            "Memory": (_gigabytes(record.memory_mb), "of the device"),
            "Best mIoU": (
                "–" if best is None or best[1] != best[1] else f"{100 * best[1]:.1f} %",
                f"at step {best[0]:,}" if best is not None else "",
            ),
        }  # fmt: skip
        for name, (text, detail) in values.items():
            self._figures[name].show_text(text, detail if text != "–" else "")

    def _show_sets(self) -> None:
        sets = self._record.sets
        if sets and self._set not in sets:
            self._set = sets[0]
        self._sets.fill([(name, name) for name in sets], self._set)
        self._sets.setVisible(len(sets) > 1)

    def _show_buttons(self) -> None:
        state = self._state
        is_paused = state in ("pausing", "paused")
        self._pause.setText("Resume" if is_paused else "Pause")
        self._pause.setEnabled(state in ("starting", "running", "pausing", "paused"))
        self._stop.setEnabled(state in ("starting", "running", "pausing", "paused"))
        self._cancel.setEnabled(state not in ("idle", "ended", "cancelling"))
        for one in (self._cancel, self._pause, self._stop):
            one.setVisible(state != "ended")
        self._result.setVisible(state == "ended")

    def _draw_loss(self) -> None:
        record = self._record
        if self._what == "lr":
            lines: tuple[Line, ...] = (Line("learning rate", *thinned(record.lr), "accent", 2.0),)
            scale = rate_scale(record.lr, self._steps)
        else:
            lines, scale = loss_lines(record.loss), loss_scale(record.loss, self._steps)
        values = lines[-1].values
        said = f"{lines[-1].name} now {values[-1]:.4g}" if len(values) else ""
        self._loss.show_lines(lines, scale, said)

    def _draw_iou(self) -> None:
        record, known = self._record, self._record.classes
        colors = _colors(known, self._classes)
        self._toggles.show_classes(colors, _rgb(theme.current().text))
        last = record.last(self._set)
        figures = {MEAN: last.miou, **last.iou} if last is not None else {}
        self._toggles.show_figures(figures)
        wanted = self._toggles.wanted
        curves = {c: record.iou(self._set, c) for c in known if c in wanted}
        lines = [Line(c, *curve, colors[c], 1.5, 0.85) for c, curve in curves.items()]
        mean = record.miou(self._set)
        if MEAN in wanted:
            lines.append(Line("mean", *mean, "text", 2.5))
        scale = iou_scale([*curves.values(), *([mean] if MEAN in wanted else [])], self._steps)
        said = f"mean IoU now {100 * last.miou:.1f} percent" if last is not None else ""
        self._iou.show_lines(lines, scale, said)

    # --- what people choose

    def _choose(self, what: str) -> None:
        self._what = what
        self._choice.show_value(what)
        self._draw_loss()

    def _pick_set(self, name: object) -> None:
        self._set = str(name)
        self._draw_iou()

    def _toggle_pause(self) -> None:
        is_paused = self._state in ("pausing", "paused")
        (self.resume_wanted if is_paused else self.pause_wanted).emit()


class _Figure(QWidget):
    """A number with its name above and a word on it behind."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name
        self._text, self._detail = label("–"), label(look="small", tone="faint")
        font = tabular(self._text.font())
        font.setPixelSize(17)
        self._text.setFont(font)
        self._text.setStyleSheet("font-size: 17px; font-weight: 600;")
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        box.addWidget(label(name, look="small", tone="muted"))
        line = row(self._text, self._detail, 1, spacing=UNIT)
        line.setAlignment(self._detail, Qt.AlignmentFlag.AlignBottom)
        box.addLayout(line)

    @property
    def text(self) -> str:
        """As it is written."""
        return self._text.text()

    def show_text(self, text: str, detail: str) -> None:
        """Another value."""
        self._text.setText(text)
        self._detail.setText(detail)
        self.setAccessibleName(f"{self._name}: {text} {detail}".strip())


def _colors(names: tuple[str, ...], classes: ClassMap | None) -> Mapping[str, Color]:
    """By name, as lines can be seen; grey for a class that the set does not have."""
    known = {c.name: c.color for c in classes.classes} if classes is not None else {}
    ground = _rgb(theme.current().raised)
    return {name: readable(known.get(name, (128, 128, 128)), ground) for name in names}


def _rgb(name: str) -> Color:
    color = QColor(name)
    return color.red(), color.green(), color.blue()


def _one(value: float) -> str:
    return "–" if value != value else f"{value:.0f}" if value >= 10 else f"{value:.1f}"


def _gigabytes(mb: float) -> str:
    return "–" if mb != mb else f"{mb / 1024:.1f} GB"
