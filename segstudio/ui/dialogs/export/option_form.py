"""The choices of a format as widgets, made from what the format declares."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QDoubleSpinBox,
    QGridLayout,
    QLineEdit,
    QSpinBox,
    QWidget,
)

from segstudio.formats.options import Option, Value, Values
from segstudio.ui.panels.parts import Picker, label, pad, row
from segstudio.ui.theme import UNIT

TITLES = 104
"""Width in pixels of the column of names; the window's other rows have the same."""

NUMBERS = 96
"""Width in pixels of a field for a number."""


class OptionForm(QWidget):
    """Signals:
    changed(): `values` is new, by a person.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._values: dict[str, Value] = {}
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(2 * UNIT)
        self._grid.setVerticalSpacing(UNIT)
        self._grid.setColumnMinimumWidth(0, TITLES)
        self._grid.setColumnStretch(1, 1)
        self._widgets: list[QWidget] = []

    @property
    def values(self) -> dict[str, Value]:
        """Every option with its value."""
        return dict(self._values)

    def show_options(self, options: Sequence[Option], given: Values) -> None:
        """Another format's. given: values that were chosen before, where they still fit."""
        for old in self._widgets:
            self._grid.removeWidget(old)
            old.hide()
            old.deleteLater()
        self._widgets, self._values = [], {}
        for number, option in enumerate(options):
            value = given.get(option.name, option.default)
            self._values[option.name] = value
            editor = self._editor(option, value)
            editor.setToolTip(option.about)
            editor.setAccessibleName(option.title)
            editor.setObjectName(option.name)
            line = QWidget()
            line.setLayout(row(editor, 1))
            self._widgets.append(line)
            self._grid.addWidget(line, number, 1)
            if not isinstance(option.default, bool):  # a tick says its name itself
                name = label(option.title, tone="muted")
                name.setWordWrap(True)
                name.setFixedWidth(TITLES)
                name.setToolTip(option.about)
                self._widgets.append(name)
                self._grid.addWidget(name, number, 0)
        self.setVisible(bool(options))

    def set_value(self, name: str, value: Value) -> None:
        """As if a person had chosen it."""
        self._values[name] = value
        self.changed.emit()

    def _editor(self, option: Option, value: Value) -> QWidget:
        if isinstance(option.default, bool):
            box = QCheckBox(option.title)
            box.setChecked(bool(value))
            box.toggled.connect(lambda on: self.set_value(option.name, on))
            return box
        if option.choices:
            picker = Picker(option.about or option.title,
                            lambda chosen: self.set_value(option.name, str(chosen)))  # fmt: skip
            picker.setMinimumContentsLength(24)
            picker.fill(list(option.choices.items()), value)
            return picker
        if isinstance(option.default, int):
            whole = QSpinBox()
            whole.setRange(int(option.low), int(min(option.high, 2**31 - 1)))
            whole.setValue(int(value))
            pad(whole)
            whole.setFixedWidth(NUMBERS)
            whole.valueChanged.connect(lambda n: self.set_value(option.name, n))
            return whole
        if isinstance(option.default, float):
            number = QDoubleSpinBox()
            number.setDecimals(2)
            number.setSingleStep(0.25)
            number.setRange(option.low, option.high)
            number.setFixedWidth(NUMBERS)
            number.setValue(float(value))
            number.lineEdit().setTextMargins(UNIT, 0, UNIT, 0)
            number.valueChanged.connect(lambda n: self.set_value(option.name, n))
            return number
        line = QLineEdit(str(value))
        line.setMinimumWidth(240)
        line.textEdited.connect(lambda text: self.set_value(option.name, text))
        return line
