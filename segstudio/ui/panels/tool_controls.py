"""What a tool can be told, each a small widget of the bar above the picture."""

import math
from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QSlider, QSpinBox, QWidget

from segstudio.core.classes import VOID
from segstudio.core.look import UnsureKind, UnsureLook
from segstudio.ui.correcting.options import MAX_SIZE, ToolOptions
from segstudio.ui.icons import IconButton
from segstudio.ui.panels.parts import Picker, Segments, label, pad, row
from segstudio.ui.session import Session

Change = Callable[..., None]
"""Called with fields of ToolOptions."""


class Control(QWidget):
    """One or more of ToolOptions' fields. Sub-classes say how they look."""

    def __init__(self, change: Change) -> None:
        super().__init__()
        self._change = change

    def show_options(self, session: Session, options: ToolOptions) -> None:
        """Follow what was chosen, also elsewhere."""
        raise NotImplementedError

    def set_compact(self, *, compact: bool) -> None:
        """Without what a narrow bar has no room for."""


class SizeControl(Control):
    """A slider that is fine for small sizes, and the number."""

    def __init__(self, change: Change) -> None:
        super().__init__(change)
        self._slider = QSlider(Qt.Orientation.Horizontal)
        self._slider.setRange(0, 100)
        self._slider.setFixedWidth(110)
        self._slider.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._slider.setAccessibleName("Brush size")
        self._slider.valueChanged.connect(lambda v: self._change(size=_size_at(v)))
        self._box = QSpinBox()
        pad(self._box)
        self._box.setRange(1, MAX_SIZE)
        self._box.setFixedWidth(48)
        self._box.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self._box.setToolTip("Pixels across ([ and ], or Shift and the wheel)")
        self._box.setAccessibleName("Brush size in pixels")
        self._box.valueChanged.connect(lambda v: self._change(size=v))
        self._box.lineEdit().returnPressed.connect(self._box.clearFocus)
        self._unit = Picker(
            "What the size counts: pixels of the picture, or of the screen however far you zoom",
            lambda v: self._change(size_on_screen=v),
        )
        self._unit.setFixedWidth(96)
        self._word = label("Size", tone="muted")
        self.setLayout(row(self._word, self._slider, self._box, self._unit))

    def set_compact(self, *, compact: bool) -> None:
        self._slider.setHidden(compact)
        self._word.setHidden(compact)

    def show_options(self, session: Session, options: ToolOptions) -> None:
        for widget, value in ((self._slider, _place_of(options.size)), (self._box, options.size)):
            widget.blockSignals(True)
            widget.setValue(value)
            widget.blockSignals(False)
        self._unit.fill([(False, "px"), (True, "screen px")], options.size_on_screen)


def _size_at(place: int) -> int:
    """1 at 0, MAX_SIZE at 100, each step the same factor."""
    return max(1, round(math.exp(math.log(MAX_SIZE) * place / 100)))


def _place_of(size: int) -> int:
    return min(range(101), key=lambda place: abs(_size_at(place) - size))


class ChoiceControl(Control):
    """A few values beside each other."""

    field: str
    choices: tuple[tuple[object, str, str], ...]
    """(value, title, tip)"""

    def __init__(self, change: Change) -> None:
        super().__init__(change)
        self._values = {title: value for value, title, _ in self.choices}
        rows = [(title, title, tip) for _, title, tip in self.choices]
        self._segments = Segments(rows, lambda t: self._change(**{self.field: self._values[t]}))
        self._segments.setFixedHeight(32)
        self.setLayout(row(self._segments))

    def show_options(self, session: Session, options: ToolOptions) -> None:
        now = getattr(options, self.field)
        self._segments.show_value(next(t for t, v in self._values.items() if v == now))


class ShapeControl(Control):
    """A round brush or a square one."""

    def __init__(self, change: Change) -> None:
        super().__init__(change)
        self._round = IconButton("brush-round", "A round brush")
        self._square = IconButton("brush-square", "A square brush")
        for button, value in ((self._round, False), (self._square, True)):
            button.setCheckable(True)
            button.clicked.connect(lambda _=False, value=value: self._change(is_square=value))
        self.setLayout(row(self._round, self._square, spacing=2))

    def show_options(self, session: Session, options: ToolOptions) -> None:
        self._round.setChecked(not options.is_square)
        self._square.setChecked(options.is_square)


class JoinedControl(ChoiceControl):
    field = "is_joined"
    choices = (
        (True, "Connected", "Only the region under the cursor"),
        (False, "All", "All pixels of that kind in the frame"),
    )


class EraserControl(ChoiceControl):
    field = "erases_to"
    choices = (
        ("void", "To void", "Erased pixels have no class"),
        ("model", "To the model", "Erased pixels get the model's class again"),
    )


class OutlineControl(ChoiceControl):
    field = "subtracts"
    choices = (
        (False, "Add", "The inside gets the active class"),
        (True, "Subtract", "The inside becomes void where it had the active class"),
    )


class ToleranceControl(Control):
    """How different a colour may be."""

    def __init__(self, change: Change) -> None:
        super().__init__(change)
        self._slider = QSlider(Qt.Orientation.Horizontal)
        self._slider.setRange(0, 100)
        self._slider.setFixedWidth(110)
        self._slider.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._slider.setAccessibleName("Tolerance")
        self._slider.valueChanged.connect(lambda v: self._change(tolerance=float(v)))
        self._figure = label()
        self._figure.setFixedWidth(28)
        self._word = label("Tolerance", tone="muted")
        self.setLayout(row(self._word, self._slider, self._figure))

    def set_compact(self, *, compact: bool) -> None:
        self._word.setHidden(compact)
        self._slider.setFixedWidth(70 if compact else 110)

    def show_options(self, session: Session, options: ToolOptions) -> None:
        self._slider.blockSignals(True)
        self._slider.setValue(round(options.tolerance))
        self._slider.blockSignals(False)
        self._figure.setText(f"{options.tolerance:.0f}")


class SegmentControl(Control):
    """How large superpixels are."""

    def __init__(self, change: Change) -> None:
        super().__init__(change)
        self._picker = Picker("Size of the segments", lambda v: self._change(segment_size=v))
        self._picker.setFixedWidth(92)
        self.setLayout(row(label("Segments", tone="muted"), self._picker))

    def show_options(self, session: Session, options: ToolOptions) -> None:
        entries = [(12, "fine"), (24, "medium"), (48, "coarse")]
        self._picker.fill(entries, options.segment_size)


class ModelControl(Control):
    """Whose labels the model brush brings."""

    def __init__(self, change: Change) -> None:
        super().__init__(change)
        self._picker = Picker("The model whose labels are painted", self._pick)
        self._word = label("From", tone="muted")
        self.setLayout(row(self._word, self._picker))

    def set_compact(self, *, compact: bool) -> None:
        self._word.setHidden(compact)
        self._picker.setFixedWidth(130 if compact else 180)

    def _pick(self, value: object) -> None:
        self._change(reveals=str(value))

    def show_options(self, session: Session, options: ToolOptions) -> None:
        self._picker.fill([(c.name, c.title) for c in session.models.cards], options.reveals)


MEASURES: tuple[tuple[UnsureKind, str, str], ...] = (
    ("probability", "by probability", "the best class has less than {} probability"),
    ("margin", "by margin", "the best class leads the second by less than {}"),
    ("entropy", "by entropy", "the entropy is above {1}: the classes are more alike"),
    ("flip", "by mirroring", "the mirrored picture is answered otherwise by more than {1}"),
    ("flicker", "by flicker", "the class changed in more than {1} of the last frames"),
)
"""(measure, title, when a pixel may change; {}: the threshold, {1}: what is left to 100 %)."""


class RuleControl(Control):
    """Where a stroke may change pixels."""

    def __init__(self, change: Change) -> None:
        super().__init__(change)
        self._rule = Picker("Where a stroke may change pixels", lambda v: self._change(rule=v))
        self._rule.setFixedWidth(136)
        self._only = Picker("The class that may be painted over", lambda v: self._change(only=v))
        self._only.setFixedWidth(130)
        self._measure = Picker("How unsure is measured", lambda v: self._change(measure=v))
        self._measure.setFixedWidth(124)
        self._below = QSlider(Qt.Orientation.Horizontal)
        self._below.setRange(1, 100)
        self._below.setFixedWidth(90)
        self._below.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._below.setAccessibleName("How sure the model must not be for a pixel to change")
        self._below.valueChanged.connect(lambda v: self._change(below=v / 100))
        self._figure = label()
        self._figure.setFixedWidth(48)
        self._word = label("Paint over", tone="muted")
        unsure = (self._measure, self._below, self._figure)
        self.setLayout(row(self._word, self._rule, self._only, *unsure))

    def set_compact(self, *, compact: bool) -> None:
        self._word.setHidden(compact)
        self._below.setFixedWidth(60 if compact else 90)

    def show_options(self, session: Session, options: ToolOptions) -> None:
        self._rule.fill(
            [
                ("everything", "everything"),
                ("void", "only void"),
                ("class", "only one class"),
                ("unsure", "where unsure"),
            ],
            options.rule,
        )
        classes = session.editor.classes.classes
        self._only.fill([(c.id, c.name) for c in classes] + [(VOID, "void")], options.only)
        self._only.setVisible(options.rule == "class")
        inside, percent = session.inside, round(100 * options.below)
        looked = inside.look.kind if inside.is_on and isinstance(inside.look, UnsureLook) else None
        known = {"probability", "margin", "entropy", looked}
        offered = [(m, t) for m, t, _ in MEASURES if m in known or m == options.measure]
        self._measure.fill(offered, options.measure)
        when = next(text for measure, _, text in MEASURES if measure == options.measure)
        tip = f"Pixels change where {when.format(f'{percent} %', f'{100 - percent} %')}"
        if options.measure not in known:
            tip += "\nNothing changes now: that is known only while it is looked at (Shift+I)."
        for widget in (self._measure, self._below, self._figure):
            widget.setVisible(options.rule == "unsure")
        for widget in (self._below, self._figure):
            widget.setToolTip(tip)
        self._below.blockSignals(True)
        self._below.setValue(round(100 * options.below))
        self._below.blockSignals(False)
        self._figure.setText(f"< {percent} %")


class PressureControl(Control):
    """Whether a pen's pressure makes the brush smaller."""

    def __init__(self, change: Change) -> None:
        super().__init__(change)
        self._box = QCheckBox("Pen pressure")
        self._box.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._box.setToolTip("A pen that is pressed less paints thinner")
        self._box.toggled.connect(lambda on: self._change(uses_pressure=on))
        self.setLayout(row(self._box))

    def show_options(self, session: Session, options: ToolOptions) -> None:
        self._box.blockSignals(True)
        self._box.setChecked(options.uses_pressure)
        self._box.blockSignals(False)


CONTROLS: dict[str, type[Control]] = {
    "size": SizeControl,
    "is_square": ShapeControl,
    "is_joined": JoinedControl,
    "erases_to": EraserControl,
    "subtracts": OutlineControl,
    "tolerance": ToleranceControl,
    "segment_size": SegmentControl,
    "reveals": ModelControl,
    "rule": RuleControl,
    "uses_pressure": PressureControl,
}
"""By the name that a tool's `settings` lists."""
