"""What a tool can be told, each a small widget of the bar above the picture."""

import math

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QSlider, QSpinBox

from segstudio.ui.correcting.options import MAX_SIZE, ToolOptions
from segstudio.ui.icons import IconButton
from segstudio.ui.panels.parts import Picker, Segments, label, pad, row
from segstudio.ui.panels.rule_control import RuleControl
from segstudio.ui.panels.tool_control import TIGHTEST, Change, Control, set_width
from segstudio.ui.session import Session


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
        self.setLayout(row(self._word, self._slider, self._box, self._unit, spacing=4))

    def set_level(self, level: int) -> None:
        self._slider.setVisible(level == 0)
        self._word.setVisible(level == 0)
        set_width(self._unit, 56 if level == TIGHTEST else 96, is_tight=level == TIGHTEST)

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
    about: str
    """What is chosen, where the choices are in a list."""
    width_of_list = 92

    def __init__(self, change: Change) -> None:
        super().__init__(change)
        self._values = {title: value for value, title, _ in self.choices}
        rows = [(title, title, tip) for _, title, tip in self.choices]
        self._segments = Segments(rows, lambda t: self._change(**{self.field: self._values[t]}))
        self._segments.setFixedHeight(32)
        tips = "\n".join(f"{title}: {tip}" for _, title, tip in self.choices)
        self._list = Picker(
            f"{self.about}\n{tips}",
            lambda title: self._change(**{self.field: self._values[str(title)]}),
        )
        set_width(self._list, self.width_of_list, is_tight=True)
        self._list.hide()
        self.setLayout(row(self._segments, self._list))

    def set_level(self, level: int) -> None:
        self._segments.setVisible(level < TIGHTEST)
        self._list.setVisible(level == TIGHTEST)

    def show_options(self, session: Session, options: ToolOptions) -> None:
        now = getattr(options, self.field)
        title = next(t for t, v in self._values.items() if v == now)
        self._segments.show_value(title)
        self._list.fill([(t, t) for t in self._values], title)


class ShapeControl(Control):
    """A round brush or a square one."""

    def __init__(self, change: Change) -> None:
        super().__init__(change)
        self._round = IconButton("brush-round", "A round brush")
        self._square = IconButton("brush-square", "A square brush")
        for button, value in ((self._round, False), (self._square, True)):
            button.setCheckable(True)
            button.clicked.connect(lambda _=False, value=value: self._change(is_square=value))
        self._either = IconButton("brush-round", "A round brush or a square one")
        self._is_square = False
        self._either.clicked.connect(lambda _=False: self._change(is_square=not self._is_square))
        self._either.hide()
        self.setLayout(row(self._round, self._square, self._either, spacing=2))

    def set_level(self, level: int) -> None:
        for button in (self._round, self._square):
            button.setVisible(level < TIGHTEST)
        self._either.setVisible(level == TIGHTEST)

    def show_options(self, session: Session, options: ToolOptions) -> None:
        self._is_square = options.is_square
        self._either.set_drawing("brush-square" if options.is_square else "brush-round")
        self._round.setChecked(not options.is_square)
        self._square.setChecked(options.is_square)


class JoinedControl(ChoiceControl):
    field = "is_joined"
    about = "Which pixels are taken"
    choices = (
        (True, "Connected", "Only the region under the cursor"),
        (False, "All", "All pixels of that kind in the frame"),
    )


class EraserControl(ChoiceControl):
    field = "erases_to"
    about = "What erased pixels become"
    width_of_list = 108
    choices = (
        ("void", "To void", "Erased pixels have no class"),
        ("model", "To the model", "Erased pixels get the model's class again"),
    )


class OutlineControl(ChoiceControl):
    field = "subtracts"
    about = "What the inside becomes"
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

    def set_level(self, level: int) -> None:
        self._word.setVisible(level == 0)
        self._slider.setFixedWidth((110, 70, 70, 44)[level])

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
        self._word = label("Segments", tone="muted")
        self.setLayout(row(self._word, self._picker))

    def set_level(self, level: int) -> None:
        self._word.setVisible(level == 0)

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

    def set_level(self, level: int) -> None:
        self._word.setVisible(level == 0)
        set_width(self._picker, (180, 130, 110, 96)[level], is_tight=level >= 2)

    def _pick(self, value: object) -> None:
        self._change(reveals=str(value))

    def show_options(self, session: Session, options: ToolOptions) -> None:
        self._picker.fill([(c.name, c.title) for c in session.models.cards], options.reveals)


class PressureControl(Control):
    """Whether a pen's pressure makes the brush smaller."""

    def __init__(self, change: Change) -> None:
        super().__init__(change)
        self._box = QCheckBox("Pen pressure")
        self._box.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._box.setToolTip("Pen pressure: a pen that is pressed less paints thinner")
        self._box.setAccessibleName("Pen pressure")
        self._box.toggled.connect(lambda on: self._change(uses_pressure=on))
        self.setLayout(row(self._box))

    def set_level(self, level: int) -> None:
        self._box.setText("Pen" if level >= 2 else "Pen pressure")
        self._box.setVisible(level < TIGHTEST)

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
